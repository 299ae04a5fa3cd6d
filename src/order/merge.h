/* Merges the threads' streams of one generation into one valid order, checking every transition.
 *
 *   1. The cursor with the earliest event is at hand (a heap by time).
 *   2. A CPU sample that is earlier comes first.
 *   3. The event is decoded and tried against the state: it advances, has to wait for another thread's event
 *      (its sequence number is not next), or contradicts the state, which is an error.
 *   4. If it has to wait, the other threads are tried in order of time; if none advances, the order is broken.
 *   5. An event that advances changes the state and is handed on; its thread's next one takes its place.
 *
 * Most events are of a few types, and in order: merge_lane.h takes these by a short way. Who needs no order but a valid one takes them thread by
 * thread (merge_round.h).
 *
 * This is a template: who includes it defines STW_MERGE_EMIT, an always-inlined function that takes each event
 * as it comes, and gets `static` functions that have it compiled in. So reading for figures needs neither
 * a call nor an event in memory, and reading for printing shares every line of the rules. */
#ifndef STW_ORDER_MERGE_H
#define STW_ORDER_MERGE_H

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "order/cursor.h"
#include "order/state.h"

typedef struct stw_heap_entry {
	int64_t time;
	stw_cursor *cursor;
} stw_heap_entry;

typedef struct stw_merge {
	stw_order *order;
	const stw_generation *gen;
	stw_cursor *cursors;
	uint8_t *windows;
	size_t windows_size;
	stw_heap_entry *heap; /* behind the last entry, and where it would have children, stand times that are never earlier */
	size_t n_heap;
	size_t next_sample;
	int64_t sample_time; /* of the next sample, INT64_MAX after the last */
	int64_t last_time; /* of the last event handed on: times strictly increase */
	uint64_t stamp; /* of the lanes that are good; another one after whatever may have changed what they keep at hand */
	bool in_turn; /* in rounds too (merge_round.h), one event comes after the other by time */
	stwatch_error *error;
	void *hook; /* for STW_MERGE_EMIT */
	/* of a generation that is salvaged (merge_salvage.h) */
	bool explained; /* events are missing: what contradicts itself follows from that */
	uint64_t left_out, anew; /* events that could not be placed; goroutines and procs that began anew */
} stw_merge;

/* Opens the cursors. The generation, order and error must outlive the merge. Ends with stw_merge_close, also after a failure. */
stwatch_status stw_merge_open(
	stw_merge *mg, stw_order *order, const stw_generation *gen, int64_t last_time, void *hook, stwatch_error *error);
void stw_merge_close(stw_merge *mg);

/* ---- helpers that the template shares; defined in merge.c ---- */

enum { STW_ADVANCE_FAIL = -1, STW_ADVANCE_WAIT = 0, STW_ADVANCE_OK = 1 };

int stw_merge_fail(stw_merge *mg, const stw_cursor *c, stw_fault fault, const char *format, ...)
	__attribute__((format(printf, 4, 5), cold));
int stw_merge_fail_memory(stw_merge *mg) __attribute__((cold));
/* A speculative reading that would have to guess. */
int stw_merge_give_up(stw_merge *mg) __attribute__((cold));
/* Says what is missing of thread, proc, goroutine. */
int stw_merge_fail_context(stw_merge *mg, const stw_cursor *c, bool g_needed) __attribute__((cold));
stwatch_status stw_merge_fail_frontier(stw_merge *mg) __attribute__((cold));
/* Gives a cursor its thread's slot. False when out of memory. */
bool stw_merge_know_thread(stw_merge *mg, stw_cursor *c);
void stw_merge_sift_down(stw_merge *mg, size_t i);
/* After heap[i]'s time changed, up or down. */
void stw_merge_sift(stw_merge *mg, size_t i);
void stw_merge_remove(stw_merge *mg, size_t i);
void stw_merge_sort(stw_merge *mg);
/* Where a mark assist, sweep or stop is begun, found or ended. */
int stw_merge_range(stw_merge *mg, const stw_cursor *c, uint8_t *range, uint8_t requirement, int64_t id, uint8_t want, uint8_t becomes);
int stw_merge_stop_begin(stw_merge *mg, const stw_cursor *c, uint32_t g, uint64_t kind_id, uint32_t string, uint32_t *kind);
int stw_merge_stop_end(stw_merge *mg, const stw_cursor *c, uint32_t g, uint32_t *kind);
int stw_merge_gc(stw_merge *mg, const stw_cursor *c, uint8_t type, uint64_t seq, bool *check_context);
int stw_merge_task_begin(stw_merge *mg, const stw_cursor *c, uint64_t id, uint64_t parent, uint32_t string);
int stw_merge_task_end(stw_merge *mg, uint64_t id, uint64_t *parent, uint32_t *name);
int stw_merge_region_begin(stw_merge *mg, uint32_t g, uint64_t task, uint32_t string);
int stw_merge_region_end(stw_merge *mg, const stw_cursor *c, uint32_t g, uint64_t task, uint32_t string);
/* Nothing is known of a goroutine or proc any more; the next event that is about it finds it as it takes for granted. */
void stw_merge_forget_g(stw_merge *mg, uint32_t g);
void stw_merge_forget_p(stw_merge *mg, uint32_t p);
/* True where events of the cursor's thread are lost behind the batch that it is at the end of. */
bool stw_merge_is_loss(const stw_merge *mg, const stw_cursor *c);
/* True where events may be lost before the first batch of the cursor, which it is at. */
bool stw_merge_is_late(const stw_merge *mg, const stw_cursor *c);

#endif
