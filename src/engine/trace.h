/* A trace as the analyses use it: its inputs, where its generations are, and the first pass over all of them.
 * Several inputs of one process make one trace: their generations stand in order of time, each of them once. */
#ifndef STW_ENGINE_TRACE_H
#define STW_ENGINE_TRACE_H

#include "engine/index.h"
#include "order/v1.h"
#include "v2/spans.h"

typedef struct stw_problem_note {
	uint32_t input; /* index */
	uint64_t offset;
	stw_fault fault;
	char what[STWATCH_MESSAGE_MAX];
} stw_problem_note;

typedef struct stw_trace_input {
	const char *path; /* borrowed */
	stw_source source;
	stw_go_version version; /* of its header */
	stw_index index; /* of a trace in a v1 format that has one, with which its first pass was spared; mem NULL: there is none */
	bool part; /* as of its file */
	const char *no_index; /* then why there is one that is not used; NULL: there is just none */
	/* of what was read of it, in the first pass */
	uint64_t n_events, n_generations;
	uint64_t n_faults; /* of a trace in a v1 format: places where it contradicts itself */
	uint64_t n_repeated; /* generations of it that another input has too, and that were read from there */
	int64_t first_time, last_time; /* STW_TIME_UNKNOWN: no event */
	bool has_wall;
	int64_t wall_ns; /* of the first event, since 1970 */
} stw_trace_input;

typedef struct stw_trace {
	stw_mem *mem;
	stw_trace_input *inputs;
	uint32_t n_inputs;
	stw_go_version version; /* the oldest of its inputs' */
	stw_v1 *v1; /* NULL unless they are traces in a v1 format: each is one span then, which says which of these it is, and one generation as far as tables go */
	uint32_t n_v1; /* one for each input at least: several may stand in one, one behind the other */
	const stw_namer *namer; /* for frames without names; NULL: nobody */
	unsigned threads; /* for going through a trace in a v1 format before anything else */
	stw_spans spans; /* in order of time */
	STW_VEC(int64_t) begins; /* by span: time of its first event; INT64_MAX: it has none, or was not read */
	STW_VEC(stw_problem_note) problems;
	uint64_t n_bytes; /* of all spans */
	uint64_t n_read; /* of them, in the first pass so far */
	uint64_t n_generations; /* that were read; of v1 traces, traces */
	uint64_t n_gaps; /* between inputs, in the first pass */
	int64_t gaps_ns; /* how long they are in all */
	bool has_wall;
	int64_t wall_ns; /* of the first event, since 1970 */
} stw_trace;

/* An open input, for stw_trace_take. */
typedef struct stw_trace_file {
	const char *path; /* must outlive the trace */
	unsigned input; /* its place among all inputs; free for the caller */
	stw_source source;
	bool part; /* only a part of it is wanted: who reads it looks at its index before (stw_index_is_sound) */
} stw_trace_file;

/* Finds the generations of open inputs: their sources are the trace's from then on, also where that fails (and closed in files).
 * STWATCH_ERR_DAMAGED is told in problems, not returned. After _CANCELLED the inputs are there, and no spans: to be closed, as after STWATCH_OK. namer: for addresses that the trace has no names of; must outlive it; NULL: nobody. error->input: the index of the file that a
 * failure is about. */
stwatch_status stw_trace_take(stw_trace *trace, stw_mem *mem, stw_trace_file *files, size_t n_files, const stw_namer *namer,
	unsigned threads, const volatile int *cancel, stwatch_error *error);
void stw_trace_close(stw_trace *trace);
/* Opens the only trace anew, one in a v1 format, without the index that it has. STWATCH_OK, _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_trace_leave_index(stw_trace *trace, const volatile int *cancel, stwatch_error *error);
/* Notes a problem (an error of status _DAMAGED) of an input. False when out of memory. */
bool stw_trace_note(stw_trace *trace, uint32_t input, const stwatch_error *error, stw_fault fault);
/* Of a trace in a v1 format. */
static inline stw_v1 *stw_trace_v1(const stw_trace *trace, uint32_t span)
{
	return &trace->v1[trace->spans.items[span].v1];
}
/* The input that a time is in. */
const stw_trace_input *stw_trace_input_at(const stw_trace *trace, int64_t time);

/* Whether events may be missing between two times: a generation that has part in them was read as far as it holds. After the first pass. */
bool stw_trace_is_damaged(const stw_trace *trace, int64_t from, int64_t to);

/* Whether a trace in a v1 format that has part in a time contradicts itself, so that bytes may be missing in it, or be others, without showing it.
 * After the first pass. */
bool stw_trace_contradicts_itself(const stw_trace *trace, int64_t from, int64_t to);

/* Either. */
static inline bool stw_trace_is_doubtful(const stw_trace *trace, int64_t from, int64_t to)
{
	return stw_trace_is_damaged(trace, from, to) || stw_trace_contradicts_itself(trace, from, to);
}

/* The tables of a generation; ended with stw_trace_unload. As stw_generation_load. */
stwatch_status stw_trace_load(const stw_trace *trace, uint32_t span, stw_generation *gen, stwatch_error *error);
void stw_trace_unload(const stw_trace *trace, stw_generation *gen);

/* Gets the folds in order. joint: whether a part of the trace is missing before this one. False: out of memory. */
typedef bool (*stw_fold_fn)(void *user, const stw_fold *fold, stw_joint joint);

/* The first pass: every generation folded, on as many threads as wanted, and handed on in order. What is handed on does not
 * depend on their number: each generation is read speculatively, and exactly only where that is refused.
 * STWATCH_OK also for a damaged trace (see problems); _CANCELLED after what was read until then; _MEMORY, _IO. */
stwatch_status stw_trace_fold(stw_trace *trace, const stw_run_options *options, stw_fold_fn add, void *user, stwatch_error *error);

#endif
