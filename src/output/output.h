/* The printers: a result in the words of the public structs, out through a sink. They allocate nothing and know nothing of how it was found. */
#ifndef STW_OUTPUT_OUTPUT_H
#define STW_OUTPUT_OUTPUT_H

#include "stwatch/analysis.h"

/* Everything that is borrowed; the arrays may be NULL when empty. */
typedef struct stw_output_input {
	const stwatch_input *inputs;
	size_t n_inputs;
	const stwatch_settings *settings;
	const stwatch_summary *summary;
	const stwatch_finding *findings; /* most harmful first */
	size_t n_findings;
	const char *const *limits;
	size_t n_limits;
} stw_output_input;

/* As stwatch_analysis_print. options may be NULL. */
stwatch_status stw_output_print(
	const stw_output_input *in, stwatch_view view, const stwatch_print_options *options, stwatch_sink_fn sink, void *user);

/* The words of the enums. */
const char *stw_output_severity(stwatch_severity severity);
/* What an input is called: the last part of its path, or "standard input". */
const char *stw_output_input_name(const char *path);
const char *stw_output_confidence(stwatch_confidence confidence);

/* Whether it is an execution trace, rather than something beside one. */
bool stw_output_is_trace(const stwatch_input *input);

#define STW_WALL_MAX 64
/* RFC 3339 in UTC with nanoseconds, in the buffer; NULL for a time that has no such form. */
const char *stw_output_wall_time(char buffer[static STW_WALL_MAX], int64_t unix_ns);

enum { STW_OUTPUT_NAME_MAX = 440 };

/* "main.blocker G20 on P1" or "12 × main.worker": a single goroutine is named, several are counted. */
void stw_output_party_name(char buffer[static STW_OUTPUT_NAME_MAX], const stwatch_party *party);
/* "main.f file.go:12". */
void stw_output_frame_name(char buffer[static STW_OUTPUT_NAME_MAX], const stwatch_frame *frame);

/* How many findings are to be printed. */
size_t stw_output_shown(const stw_output_input *in, const stwatch_print_options *options);
/* Whether no trace among the inputs was read at all, for who interrupted it. */
bool stw_output_is_unread(const stw_output_input *in);

#endif
