/* A trace as the analyses use it: its input, where its generations are, and the first pass over all of them. */
#ifndef STW_ENGINE_TRACE_H
#define STW_ENGINE_TRACE_H

#include "engine/pass.h"

typedef struct stw_problem_note {
	uint64_t offset;
	stw_fault fault;
	char what[STWATCH_MESSAGE_MAX];
} stw_problem_note;

typedef struct stw_trace {
	stw_mem *mem;
	stw_source source;
	stw_go_version version;
	STW_VEC(stw_span) spans;
	STW_VEC(int64_t) begins; /* by span: time of its first event; INT64_MAX: it has none, or was not read */
	STW_VEC(stw_problem_note) problems;
	uint64_t n_generations; /* that were read */
	bool has_wall;
	int64_t wall_ns; /* of the first event, since 1970 */
} stw_trace;

typedef struct stw_run_options {
	unsigned threads;
	stwatch_progress_fn progress;
	void *progress_user;
	const volatile int *cancel;
} stw_run_options;

/* Opens the input and finds the generations. STWATCH_ERR_DAMAGED is told in problems, not returned. */
stwatch_status stw_trace_open(stw_trace *trace, stw_mem *mem, const char *path, const volatile int *cancel, stwatch_error *error);
/* The same of an input that is open already: it is the trace's from then on, also where that fails. */
stwatch_status stw_trace_take(stw_trace *trace, stw_mem *mem, const stw_source *source, stwatch_error *error);
void stw_trace_close(stw_trace *trace);

/* Gets the folds in order. restart: a part of the trace is missing before this one. False: out of memory. */
typedef bool (*stw_fold_fn)(void *user, const stw_fold *fold, bool restart);

/* The first pass: every generation folded, on as many threads as wanted, and handed on in order. What is handed on does not
 * depend on their number: each generation is read speculatively, and exactly only where that is refused.
 * STWATCH_OK also for a damaged trace (see problems); _CANCELLED after what was read until then; _MEMORY, _IO. */
stwatch_status stw_trace_fold(stw_trace *trace, const stw_run_options *options, stw_fold_fn add, void *user, stwatch_error *error);

#endif
