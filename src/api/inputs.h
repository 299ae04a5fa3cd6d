/* The files of a command, each recognised by its content: traces on one side, everything else read on the other. */
#ifndef STW_API_INPUTS_H
#define STW_API_INPUTS_H

#include "api/context.h"
#include "sources/companion.h"

/* A file among the inputs: one of the paths, or what stands in a folder that is. */
typedef struct stw_input_file {
	const char *path;
	unsigned given; /* index of the path that it comes from */
	bool in_folder;
} stw_input_file;

typedef struct stw_inputs {
	stw_mem *mem;
	stw_arena arena; /* paths of what is in folders */
	STW_VEC(stw_input_file) files; /* in the order given; those of a folder by name */
	STW_VEC(stw_trace_file) traces; /* in that order, their `input` an index of files; open until someone takes them */
	STW_VEC(stw_companion *) companions; /* too */
	bool only_traces; /* companions are none of what is wanted */
	size_t n_passed; /* files in folders that were passed over */
	stwatch_error unknown; /* of the first text that tells nothing; status STWATCH_OK: there is none */
} stw_inputs;

/* Opens and sorts all; paths must live as long. only_traces: a file is taken for a trace, whatever it is, and what is read. A folder stands for the files in it (not in folders below it) that are something known; the
 * rest of them is passed over with a note, hidden files and what is no plain file without. STWATCH_ERR_FORMAT where a file is of no known
 * kind: binary, or a text without anything known in it and no other input that has; or where a folder has none that is. error->input says
 * which path. On failure too, stw_inputs_close ends it. */
stwatch_status stw_inputs_open(
	stw_inputs *inputs, stwatch_context *context, const char *const *paths, size_t n_paths, bool only_traces, stwatch_error *error);
/* The same of one input that is open already; the source stays the caller's: a copy of it is kept. */
stwatch_status stw_inputs_take(
	stw_inputs *inputs, stwatch_context *context, const char *path, const stw_source *source, stwatch_error *error);
/* Makes an error about a file (error->input is its index) one about the path that was given. */
void stw_inputs_blame(const stw_inputs *inputs, stwatch_error *error);
/* Whether a path is one. */
bool stw_inputs_is_folder(const char *path);
void stw_inputs_close(stw_inputs *inputs);

/* For commands that take a trace alone, by the same rule: STWATCH_ERR_FORMAT where an open input is something else; _IO, _MEMORY, _CANCELLED. */
stwatch_status stw_inputs_expect_trace(const stw_source *source, stw_mem *mem, const volatile int *cancel, stwatch_error *error);

#endif
