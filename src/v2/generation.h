/* One generation of a v2 trace: its tables in memory, its event batches as places in the input.
 * Format: golang/proposal 60773, runtime/trace*.go; checked as Go's internal/trace/generation.go and batch.go check. */
#ifndef STW_V2_GENERATION_H
#define STW_V2_GENERATION_H

#include "base/arena.h"
#include "base/map.h"
#include "v2/scan.h"

/* Stands for a string that is lost. */
#define STW_UNKNOWN_STRING "(unknown)"

/* A batch of events of one thread. */
typedef struct stw_batch {
	uint64_t offset; /* of its first event */
	uint64_t time; /* timestamp that its first event counts from */
	uint32_t size;
	uint32_t thread; /* index into threads */
	/* of a generation that is salvaged: */
	uint16_t holes; /* how many lie before it */
	bool cut; /* its end is lost */
} stw_batch;

typedef struct stw_batch_thread {
	int64_t m;
	uint32_t first, count; /* its batches, in file order */
} stw_batch_thread;

typedef struct stw_string {
	const char *data;
	uint32_t length;
	uint32_t note; /* free for whoever uses the generation; starts at 0 */
} stw_string;

typedef struct stw_v2_frame {
	uint64_t pc, line;
	uint64_t func_id, file_id; /* as on the wire */
	uint32_t func, file; /* indices into strings; 0 is the empty string */
} stw_v2_frame;

typedef struct stw_v2_stack {
	uint32_t first, count; /* in stack_frames */
	uint32_t note[2]; /* free for whoever uses the generation; start at 0 */
} stw_v2_stack;

typedef struct stw_cpu_sample {
	int64_t time;
	int64_t m, p, g;
	uint64_t stack;
} stw_cpu_sample;

/* Ids to indices; index 0 belongs to id 0. An array serves where few ids are missing, else the map. Items are then in order
 * of their ids, so that up to the first one missing, which of the runtime's own is mostly none, an id is an index. */
typedef struct stw_ids {
	stw_map map;
	uint32_t *dense;
	uint64_t n_dense;
	uint64_t n_same; /* ids below are their own indices */
	uint32_t unknown; /* of a generation that is salvaged: 1 + the index that stands for those that it does not have; else 0 */
} stw_ids;

typedef struct stw_generation {
	stw_mem *mem;
	const stw_source *source;
	stw_go_version version;
	uint64_t number;
	double ns_per_unit;
	uint64_t ns_factor; /* ns_per_unit where it is a small whole number, else 0 */
	bool has_frequency, has_clock, has_min_time;
	uint64_t min_time; /* smallest batch timestamp, in units */
	uint64_t clock_time; /* of the clock snapshot, in units */
	uint64_t clock_mono;
	int64_t clock_sec, clock_nsec;
	stw_arena arena;
	STW_VEC(stw_string) strings;
	STW_VEC(stw_v2_stack) stacks;
	STW_VEC(uint32_t) stack_frames; /* indices into frames */
	STW_VEC(stw_v2_frame) frames;
	STW_VEC(stw_cpu_sample) samples; /* in order of time */
	STW_VEC(stw_batch) batches; /* grouped by thread */
	STW_VEC(stw_batch_thread) threads; /* in order of first appearance */
	uint64_t experimental_batches;
	stw_ids string_ids, stack_ids;
	stw_map pcs;
	bool salvaged;
	bool guessed; /* the version */
	uint16_t holes; /* in its span */
	uint64_t most[STW_SPAN_HOLES]; /* bytes of batches that may be missing at each */
	bool guessed_clock; /* salvaged, and its frequency is not its own */
} stw_generation;

/* What could not be read of a generation that is salvaged. */
typedef struct stw_leftover {
	double ns_per_unit; /* in: of another generation of the trace, 0: none is known */
	uint64_t bytes; /* of batches, that make no sense; what its span's holes hold is not counted */
	bool events; /* some of them are of events */
	bool batches; /* nothing is left of some batch of events: all that its thread wrote may be missing */
	stwatch_error first; /* the first place; status OK: none */
} stw_leftover;

/* Loads the tables of a generation and the places of its batches; the span's source must outlive it. On failure nothing needs to be freed.
 * STWATCH_ERR_DAMAGED with the offset and what was expected. */
stwatch_status stw_generation_load(stw_generation *gen, stw_mem *mem, const stw_span *span, stwatch_error *error);
/* Loads what is readable of it: entries of tables and events that make sense up to the first in their batch that does not. For strings and stacks
 * that are missing an unknown one stands. Never _DAMAGED but where the file has changed. */
stwatch_status stw_generation_salvage(stw_generation *gen, stw_mem *mem, const stw_span *span, stw_leftover *left, stwatch_error *error);
void stw_generation_free(stw_generation *gen);
/* The tables that stw_scan_next found at the end: of no use to anybody, but if damaged they make the trace damaged.
 * STWATCH_OK, also where there are none; else as above. */
stwatch_status stw_generation_check_rest(stw_mem *mem, const stw_span *rest, stwatch_error *error);

/* Timestamp units to ns, as Go's reader computes it (a float64 product, truncated). */
int64_t stw_generation_ns(const stw_generation *gen, uint64_t units);

uint32_t stw_ids_find_other(const stw_ids *ids, uint64_t id);
/* Once all ids are in the map: makes the array, where they are dense. False when out of memory. */
bool stw_ids_index(stw_mem *mem, stw_ids *ids);

static inline __attribute__((always_inline)) uint32_t stw_ids_find(const stw_ids *ids, uint64_t id)
{
	return __builtin_expect(id < ids->n_same, 1) ? (uint32_t)id : stw_ids_find_other(ids, id);
}

/* The index of a string or stack id, STW_MAP_NONE where the table has none. Id 0 is index 0: the empty one. */
static inline uint32_t stw_generation_string(const stw_generation *gen, uint64_t id)
{
	return stw_ids_find(&gen->string_ids, id);
}

static inline uint32_t stw_generation_stack(const stw_generation *gen, uint64_t id)
{
	return stw_ids_find(&gen->stack_ids, id);
}

static inline const stw_v2_frame *stw_generation_frame(const stw_generation *gen, const stw_v2_stack *stack, uint32_t i)
{
	return &gen->frames.items[gen->stack_frames.items[stack->first + i]];
}

#endif
