/* The first pass over a v1 trace: where each proc's batches lie, and what stands at the file's end but is needed from the start
 * (frequency, timer goroutines, strings, stacks), CPU samples, and the ends of system calls in order of their real time.
 *
 * A batch states no length, so every event is skimmed (skim.h), on several threads if wanted (parts.h). Memory: 48 bytes a batch, the tables, the samples; not the events.
 * Where the bytes make no sense, the next plausible head of a batch is looked for, and what was passed over is a problem. */
#ifndef STW_V1_INDEX_H
#define STW_V1_INDEX_H

#include "base/arena.h"
#include "base/map.h"
#include "event/namer.h"
#include "v1/exits.h"
#include "v1/format.h"
#include "v1/headless.h"
#include "wire/source.h"

typedef struct stw_v1_batch {
	uint64_t begin, end; /* bytes of its events */
	int64_t ticks; /* from which its first event counts */
	int64_t first; /* of its first event; INT64_MAX: there is none, or it is not known any more */
	int64_t seq; /* to Go 1.6, likewise */
	uint32_t proc; /* index into procs */
	bool lost; /* what follows in the file is lost: more of it, perhaps, and other batches */
} stw_v1_batch;

typedef struct stw_v1_proc {
	int64_t id; /* -1: threads without a proc */
	uint32_t first, count; /* its batches */
} stw_v1_proc;

typedef struct stw_v1_string {
	uint64_t id;
	const char *data;
	uint32_t length;
} stw_v1_string;

typedef struct stw_v1_frame {
	uint64_t pc, func, file, line; /* func, file: ids of strings, 0: none */
} stw_v1_frame;

typedef struct stw_v1_stack {
	uint32_t id;
	uint32_t first, count; /* in stack_frames */
} stw_v1_stack;

typedef struct stw_v1_sample {
	int64_t ticks, p; /* p -1: none */
	uint64_t g, stack;
} stw_v1_sample;

/* A function that a goroutine began with, where the trace only has its address (to Go 1.6). */
typedef struct stw_v1_start {
	uint64_t pc;
	uint32_t stack; /* id of a stack that is just it, 0: there is none (stw_v1_index_name makes them) */
} stw_v1_start;

typedef struct stw_v1_problem {
	uint64_t offset;
	char what[STWATCH_MESSAGE_MAX];
} stw_v1_problem;

typedef struct stw_v1_index {
	stw_mem *mem;
	stw_v1_format format;
	STW_VEC(stw_v1_batch) batches; /* by proc, then in order of the file */
	STW_VEC(stw_v1_proc) procs; /* in order of first appearance */
	stw_arena arena;
	STW_VEC(stw_v1_string) strings;
	STW_VEC(stw_v1_stack) stacks;
	STW_VEC(uint32_t) stack_frames; /* indices into frames */
	STW_VEC(stw_v1_frame) frames;
	STW_VEC(stw_v1_sample) samples; /* in order of time */
	STW_VEC(stw_v1_start) starts; /* each once */
	STW_VEC(uint64_t) timers; /* goroutines that serve timers (to Go 1.13) */
	stw_v1_exits exits;
	int64_t frequency; /* ticks a second; 0: not there */
	int64_t first_ticks; /* of the earliest event; or from where times count (stw_v1_place) */
	int64_t end_ticks; /* of the tables, which are dated when all events have been written (since Go 1.10); INT64_MIN: they are not */
	bool has_events;
	bool midway, listed; /* as in stw_v1_entry */
	int64_t whole_from; /* ticks: before, events of some procs may be missing with the file's beginning. INT64_MIN: nowhere, INT64_MAX: to the end */
	uint64_t begin, end; /* bytes of it: to the end of the input, or to where another trace begins, with a header */
	unsigned next; /* the version in that header; 0: none follows */
	STW_VEC(stw_v1_problem) problems; /* in order of the file */
	uint64_t lost_bytes; /* passed over */
	stw_v1_problem unnamed; /* stacks that events name and the table lacks: no event is missing with them; what "": none */
} stw_v1_index;

/* Reads the whole input once, from its entry on, or to the header of another trace, on so many threads: what is found is the same. STWATCH_OK also for a damaged one (see problems); _MEMORY, _IO, _CANCELLED.
 * On failure nothing needs to be freed. The progress is told in bytes of the input. */
stwatch_status stw_v1_index_read(stw_v1_index *index, stw_mem *mem, const stw_source *source, const stw_v1_entry *entry, unsigned threads,
	const volatile int *cancel, stwatch_error *error);
void stw_v1_index_free(stw_v1_index *index);
/* Of a damaged trace: what is later was never written. */
static inline int64_t stw_v1_latest(const stw_v1_index *x)
{
	return x->problems.count && x->end_ticks != INT64_MIN ? x->end_ticks : INT64_MAX;
}
/* What to say of the trace that follows; more: what becomes of it, or "". STWATCH_ERR_DAMAGED. */
stwatch_status stw_v1_fail_next(const stw_v1_index *index, const char *more, stwatch_error *error);
/* Names the frames that have none, where the namer says that they are its program's. False when out of memory. */
bool stw_v1_index_name(stw_v1_index *index, const stw_namer *namer);
/* Notes a problem; those beyond the first hundred are only counted in the last. False when out of memory. */
bool stw_v1_index_problem(stw_v1_index *index, uint64_t offset, const char *what);

#endif
