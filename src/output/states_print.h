/* Printing the state graph. */
#ifndef STW_OUTPUT_STATES_PRINT_H
#define STW_OUTPUT_STATES_PRINT_H

#include "output/output.h"
#include "stwatch/states.h"

/* Everything that is borrowed. */
typedef struct stw_states_input {
	stw_output_input common; /* inputs, limits; a summary of which only GOMAXPROCS is set */
	stwatch_states_options options;
	const stwatch_state_time *times;
	size_t n_times;
	const stwatch_transition *transitions;
	size_t n_transitions;
	const stwatch_contradiction *contradictions;
	size_t n_contradictions;
	uint64_t contradictions_total;
} stw_states_input;

/* As stwatch_states_print. */
stwatch_status stw_output_states_print(
	const stw_states_input *in, stwatch_states_format format, const stwatch_print_options *options, stwatch_sink_fn sink, void *user);

#endif
