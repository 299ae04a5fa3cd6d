/* Printing a critical path. */
#ifndef STW_OUTPUT_PATH_PRINT_H
#define STW_OUTPUT_PATH_PRINT_H

#include "output/output.h"
#include "stwatch/path.h"

/* Everything that is borrowed. */
typedef struct stw_path_input {
	stw_output_input common; /* inputs, limits; a summary of which only GOMAXPROCS is set */
	stwatch_path_subject subject;
	const stwatch_path_span *chosen; /* NULL: none */
	uint64_t nth; /* from the longest on */
	const stwatch_path_segment *segments;
	size_t n_segments;
	const stwatch_path_share *shares;
	size_t n_shares;
	const int64_t *kind_ns;
	const stwatch_path_summary *all;
	const stwatch_path_choice *choices;
	size_t n_choices;
} stw_path_input;

/* As stwatch_path_print. */
stwatch_status stw_output_path_print(
	const stw_path_input *in, stwatch_path_format format, const stwatch_print_options *options, stwatch_sink_fn sink, void *user);

#endif
