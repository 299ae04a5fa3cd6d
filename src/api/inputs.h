/* The files of a command, each recognised by its content: traces on one side, everything else read on the other. */
#ifndef STW_API_INPUTS_H
#define STW_API_INPUTS_H

#include "api/context.h"
#include "sources/companion.h"

typedef struct stw_inputs {
	stw_mem *mem;
	STW_VEC(stw_trace_file) traces; /* in the order given; open until someone takes them */
	STW_VEC(stw_companion *) companions; /* too */
	stwatch_error unknown; /* of the first text that tells nothing; status STWATCH_OK: there is none */
} stw_inputs;

/* Opens and sorts all; paths must live as long. STWATCH_ERR_FORMAT where a file is of no known kind: binary, or a text without
 * anything known in it and no other input that has. error->input says which. On failure too, stw_inputs_close ends it. */
stwatch_status stw_inputs_open(
	stw_inputs *inputs, stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_error *error);
void stw_inputs_close(stw_inputs *inputs);

#endif
