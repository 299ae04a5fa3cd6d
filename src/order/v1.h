/* Merges the streams of a v1 trace's procs (Go 1.5 to 1.21) into one order, and hands on the events that v2 would have for them:
 * nothing after this knows the difference. The order is that of Go's internal/trace (order.go of Go 1.7 and later): an event comes
 * when the goroutine that it is about has the sequence number and status that it takes for granted; of those that can, the earliest.
 *
 *   - What was written late (ends of system calls) comes at its own time (v1/exits.h).
 *   - A system call is one instant; where it blocked, the time until its end is known. A fast one is handed on as 1 ns long.
 *   - A trace begins with what exists: goroutines are handed on as statuses.
 *   - To 1.6 events have a sequence number for all, which orders them.
 *
 * Where the order is broken, the earliest event is taken as it stands: what is known of its goroutine begins anew there.
 *
 * A template, as order/merge.h is, with the same STW_MERGE_EMIT: v1_step.h. */
#ifndef STW_ORDER_V1_H
#define STW_ORDER_V1_H

#include "order/merge.h"
#include "v1/cursor.h"

/* Procs that Go's own reader makes up for events that have none of their own. */
enum { STW_V1_TIMER_P = 1000001, STW_V1_NETPOLL_P, STW_V1_SYSCALL_P, STW_V1_GC_P };

/* What stands in no table of the file: the reasons and kinds that a v2 trace would name, and a log's text. */
enum {
	STW_V1_WORD_FOREVER,
	STW_V1_WORD_PREEMPTED,
	STW_V1_WORD_GOSCHED,
	STW_V1_WORD_SLEEP,
	STW_V1_WORD_SEND,
	STW_V1_WORD_RECEIVE,
	STW_V1_WORD_NETWORK,
	STW_V1_WORD_SYNC,
	STW_V1_WORD_COND,
	STW_V1_WORD_SELECT,
	STW_V1_WORD_NONE,
	STW_V1_WORD_ASSIST,
	STW_V1_WORDS
};

enum { STW_V1_STOP_KINDS = 17 };

/* A v1 trace in memory: what the first pass found, its tables as those of one generation. */
typedef struct stw_v1 {
	stw_mem *mem;
	stw_v1_index index;
	stw_generation gen; /* without batches */
	double ns_per_tick;
	int64_t begin_ns; /* when its first event is: 0, unless it stands behind others (stw_v1_place) */
	int64_t end_ns; /* when its last one is, if it stands beside others; else 0 */
	stw_map timers; /* goroutines that serve timers */
	stw_map roots; /* stacks by the address of a goroutine's function, where such addresses have names (to Go 1.6) */
	struct {
		uint64_t id;
		uint32_t string; /* index in gen.strings */
	} words[STW_V1_WORDS];
	uint64_t text_id; /* of the string that stands for the text of the log at hand */
	uint32_t text;
} stw_v1;

/* As stw_v1_index_read, and makes the tables. The source must outlive it. namer: for what the trace has no names of; NULL: nobody. */
stwatch_status stw_v1_open(stw_v1 *v1, stw_mem *mem, const stw_source *source, const stw_v1_entry *entry, const stw_namer *namer,
	unsigned threads, const volatile int *cancel, stwatch_error *error);
/* The same with what the first pass found, which is taken. STWATCH_OK, _MEMORY. */
stwatch_status stw_v1_open_read(
	stw_v1 *v1, stw_mem *mem, const stw_source *source, stw_v1_index *index, const stw_namer *namer, stwatch_error *error);
void stw_v1_close(stw_v1 *v1);
int64_t stw_v1_ns(const stw_v1 *v1, int64_t ticks);
/* Lets times count from elsewhere, with a clock that several traces share: from `ticks` on, so many ns each. last: ticks of its last event. */
void stw_v1_place(stw_v1 *v1, int64_t ticks, double ns_per_tick, int64_t last);
/* The same, of the usual without a call. */
static inline __attribute__((always_inline)) int64_t stw_v1_time(const stw_v1 *v1, int64_t ticks)
{
	const uint64_t since = (uint64_t)ticks - (uint64_t)v1->index.first_ticks;
	if (__builtin_expect(since >> 44 != 0, 0)) /* so many ticks, of at most 2^18 ns each, are no overflow */
		return stw_v1_ns(v1, ticks);
	return (int64_t)((double)(int64_t)since * v1->ns_per_tick);
}
/* A stack's index; 0 where the trace has none of that id. */
static inline uint32_t stw_v1_stack_index(const stw_v1 *v1, uint32_t id)
{
	const uint32_t index = stw_generation_stack(&v1->gen, id);
	return __builtin_expect(index == STW_MAP_NONE, 0) ? 0 : index;
}
/* A stack's id as it is; 0 where the trace has none of that id. */
static inline uint32_t stw_v1_stack_id(const stw_v1 *v1, uint32_t id)
{
	return id == 0 || __builtin_expect(stw_generation_stack(&v1->gen, id) == STW_MAP_NONE, 0) ? 0 : id;
}
/* Until when events of some procs may be missing with the file's beginning: INT64_MIN: none are, INT64_MAX: to the end. */
int64_t stw_v1_missing_to(const stw_v1 *v1);
/* Whether goroutines are preempted where they call nothing (since Go 1.14). The header go 1.11 stands for Go 1.11 to 1.18: there, a
 * stack tells, if one was taken at such a preemption. */
bool stw_v1_preempts(const stw_v1 *v1);
/* "GC mark termination", as later versions word it; "" where the format does not say. */
const char *stw_v1_stop_kind(unsigned minor, uint64_t number);

typedef struct stw_v1_g {
	uint32_t root; /* stack of where it began, as it is handed on */
	bool at_start; /* existed when the trace began, and nothing more was said of it yet */
	bool network; /* waits for the network */
	bool forever; /* waits for what never comes */
	bool whole; /* of a trace that begins midway: its last event is behind what is missing */
	bool seq_unknown; /* its first event had no sequence number: the next one that has tells it */
	bool called; /* its system call has been handed on, but not that it blocks */
	bool in_call; /* in a system call that blocked, as handed on */
	bool call_last; /* its last wait is a system call that blocked */
	uint32_t call_m; /* slot of the thread of its last call that blocked */
} stw_v1_g;

typedef struct stw_v1_p {
	uint32_t g, m; /* slots */
	bool seen, running, sweeping, stopping; /* stopping: to Go 1.9 a stop belongs to a proc */
	bool in_call; /* the goroutine that ran here is in a system call that blocked, and the proc has not stopped since */
	bool ending; /* to Go 1.9: a collection, and the world has not been seen to run again */
	/* Of the last row of events that are also written while the world stands: the time of the event before it, and of its last. In ticks. */
	int64_t quiet_before, quiet_last;
} stw_v1_p;

typedef struct stw_v1_heap_entry {
	int64_t key;
	stw_v1_cursor *cursor;
} stw_v1_heap_entry;

typedef struct stw_v1_merge {
	stw_merge base; /* order, gen, last_time, error and hook: what STW_MERGE_EMIT looks at */
	stw_v1 *v1;
	stw_v1_cursor *cursors;
	size_t n_cursors;
	struct stw_v1_ahead *ahead; /* who decodes for the cursors (v1_ahead.h); NULL: they do it themselves */
	uint8_t *windows;
	size_t windows_size;
	stw_v1_heap_entry *heap; /* behind the last entry stand two of no time */
	size_t n_heap;
	stw_v1_exit_walk walk;
	stw_v1_exit exit; /* the next */
	int64_t exit_key; /* INT64_MAX: none */
	int64_t sample_key;
	int64_t next_other; /* the earliest of these; INT64_MIN while there is something to tell that existed at the beginning */
	unsigned before; /* values before an event's arguments */
	STW_VEC(stw_v1_g) gs; /* by slot */
	STW_VEC(stw_v1_p) ps;
	STW_VEC(stw_order_task) tasks;
	STW_VEC(uint32_t) free_tasks;
	stw_map task_slots;
	int64_t last_key; /* of the event taken last: times should not go back */
	const stw_v1_cursor *last_taken; /* whose it was; NULL: none was taken */
	bool as_go; /* for STW_V1_AS_GO */
	/* Of a trace that begins midway: a goroutine that is not known yet is what its first event takes for granted, and whose the events before the first
	 * start on a proc are is not known: they are left out. */
	bool midway, gc_known; /* gc_known: a collection has begun where nothing is missing */
	STW_VEC(uint32_t) calls; /* where bytes are lost: by slot of a thread, the goroutine that made its last call that blocked, a slot */
	int64_t missing_to; /* ns: up to there what contradicts itself may come from what is missing; INT64_MIN: nowhere */
	int64_t patience; /* ticks that others' events may be later than one that has to wait for them; INT64_MAX: any */
	/* Told where events contradict themselves, or are missing; may be NULL. */
	void (*doubt)(void *hook, int64_t until, bool missing);
	bool explained; /* meanwhile: what is missing with the beginning explains it */
	uint64_t gc_number; /* the next collection's */
	int n_stopping; /* stops in flight; to Go 1.9 one a proc */
	bool collecting, stopping, begun; /* begun: what exists at the beginning has been told */
	uint32_t stop_kind; /* of the last stop, interned in order->names */
	uint32_t telling; /* what existed at the beginning and is told next, a slot; STW_SLOT_NONE: all has been */
	int64_t told_at;
	int64_t gomaxprocs; /* at the beginning, which no event is handed on for; 0: not said */
	uint32_t fake_ps[4]; /* slots of the procs that Go's reader makes up */
	/* What contradicts itself: Go's reader refuses such a trace. */
	uint64_t n_faults;
	stw_fault fault; /* of the first */
	stwatch_error first_fault;
	stwatch_error scratch;
} stw_v1_merge;

/* Begins at the start of the trace. The order must be new; v1, order and error must outlive the merge.
 * Ends with stw_v1_merge_close, also after a failure. */
stwatch_status stw_v1_merge_open(stw_v1_merge *vm, stw_order *order, stw_v1 *v1, void *hook, stwatch_error *error);
void stw_v1_merge_close(stw_v1_merge *vm);
/* What has been read, in bytes of the trace: as far as its batches tell. */
uint64_t stw_v1_merge_done(const stw_v1_merge *vm);
/* The first problem of the file, or of the order of its events so far. STWATCH_OK: there is none. */
stwatch_status stw_v1_merge_verdict(const stw_v1_merge *vm, stwatch_error *error);
/* All of it but the events: what v1_merge.c and v1_snapshot.c share. */
stwatch_status stw_v1_merge_prepare(
	stw_v1_merge *vm, stw_order *order, stw_v1 *v1, struct stw_v1_ahead *ahead, void *hook, stwatch_error *error);

/* ---- helpers that the template shares; defined in v1_merge.c ---- */

/* Notes that the trace contradicts itself at the cursor's event (NULL: at no place). */
void stw_v1_merge_fault(stw_v1_merge *vm, const stw_v1_cursor *c, stw_fault fault, const char *format, ...)
	__attribute__((format(printf, 4, 5), cold));
/* An event comes behind one that is later: what it depends on, or else its clock, says so. */
void stw_v1_merge_fault_time(stw_v1_merge *vm, const stw_v1_cursor *c, unsigned type, int64_t time) __attribute__((cold));
void stw_v1_merge_fault_frontier(stw_v1_merge *vm) __attribute__((cold));
/* After heap[i]'s time changed, to a later one; or up or down. */
void stw_v1_merge_sift_down(stw_v1_merge *vm, size_t i);
void stw_v1_merge_sift(stw_v1_merge *vm, size_t i);
void stw_v1_merge_remove(stw_v1_merge *vm, size_t i);
void stw_v1_merge_sort(stw_v1_merge *vm);
stwatch_status stw_v1_merge_refresh_slow(stw_v1_merge *vm, stw_v1_cursor *c);
/* Decodes the cursor's next event; what makes no sense is noted and passed over. STWATCH_OK, _END, _IO, _MEMORY. */
static inline __attribute__((always_inline)) stwatch_status stw_v1_merge_refresh(stw_v1_merge *vm, stw_v1_cursor *c)
{
	return __builtin_expect(stw_v1_cursor_fast(c, &vm->v1->index.format), 1) ? STWATCH_OK : stw_v1_merge_refresh_slow(vm, c);
}
/* The same of events that are decoded ahead; _block: from the next block on. */
stwatch_status stw_v1_merge_refresh_block(stw_v1_merge *vm, stw_v1_cursor *c);
static inline __attribute__((always_inline)) stwatch_status stw_v1_merge_refresh_ahead(stw_v1_merge *vm, stw_v1_cursor *c)
{
	const stw_v1_ready *e = c->ready;
	if (__builtin_expect(e == c->ready_end, 0))
		return stw_v1_merge_refresh_block(vm, c);
	c->ready = e + 1;
	c->ticks_before = c->ticks;
	c->key = e->key;
	c->ticks = e->ticks;
	c->time = e->time;
	c->g = e->g;
	c->a[0] = e->a[0];
	c->a[1] = e->a[1];
	c->a[2] = e->a[2];
	c->stack = e->stack;
	c->behind = e->behind;
	c->type = e->type;
	return STWATCH_OK;
}
stwatch_status stw_v1_merge_next_exit(stw_v1_merge *vm);
/* When the next thing happens, in ticks; false where there is none, or it belongs to the list of what existed at the beginning. */
static inline bool stw_v1_merge_next_ticks(const stw_v1_merge *vm, int64_t *ticks)
{
	const stw_v1_cursor *c = vm->n_heap ? vm->heap[0].cursor : NULL;
	if (vm->telling != STW_SLOT_NONE)
		return false;
	if (vm->next_other < (c ? c->key : INT64_MAX)) {
		bool sample = vm->sample_key <= vm->exit_key;
		*ticks = sample ? vm->sample_key : vm->exit.ticks ? vm->exit.ticks : vm->last_key;
		return true;
	}
	*ticks = c ? c->ticks : 0;
	return c != NULL;
}
/* Sets next_other. */
void stw_v1_merge_look_ahead(stw_v1_merge *vm);
/* Slots, made where there is none; STW_SLOT_NONE when out of memory. */
uint32_t stw_v1_merge_add_g(stw_v1_merge *vm, uint64_t id, uint8_t status);
uint32_t stw_v1_merge_add_p(stw_v1_merge *vm, int64_t id);
uint32_t stw_v1_merge_thread(stw_v1_merge *vm, uint64_t id);
/* Where bytes are lost: a thread's last call that blocked. False when out of memory. */
bool stw_v1_merge_note_call(stw_v1_merge *vm, uint32_t m, uint32_t g);
/* The goroutine that is still in the call of a thread, as far as is known; STW_SLOT_NONE: none is. */
uint32_t stw_v1_merge_call_of(const stw_v1_merge *vm, uint32_t m);
uint32_t stw_v1_merge_fake_p(stw_v1_merge *vm, int64_t id);
bool stw_v1_merge_task_begin(stw_v1_merge *vm, const stw_v1_cursor *c);
/* False when out of memory. parent UINT64_MAX where the task's beginning is not in the trace. */
bool stw_v1_merge_task_end(stw_v1_merge *vm, uint64_t id, uint64_t *parent, uint32_t *name);
bool stw_v1_merge_region(stw_v1_merge *vm, const stw_v1_cursor *c, uint32_t g);

#endif
