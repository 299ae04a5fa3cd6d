/* The template's body; see v1.h. Include once in a .c file, after defining STW_MERGE_EMIT as for merge_step.h.
 *
 * STW_MERGE_FORGET_G, if defined, is told of a goroutine of which events are missing, as in merge_salvage.h.
 *
 * STW_V1_AS_GO, if defined and true (it may look at `vm`), hands on just what Go's own reader makes of such a trace (GOROOT/src/internal/trace/tracev1.go):
 * made-up procs for timers, the network, ends of system calls and the collector; no stack for what exists at the beginning; a system
 * call during which the profiler took a sample is a fast one. Else what is known is handed on: the real proc, where a
 * goroutine began, that a call blocked.
 *
 * STW_V1_STACKS_BY_INDEX, if defined and true: stacks are handed on by index, not by id.
 *
 * STW_V1_AHEAD, if defined: for merges that were opened with events that are decoded ahead (v1_ahead.h), and only for these. Stacks are handed on by index.
 *
 * STW_V1_TAKEN(vm, stream, event), if defined, gets each event of the file in the order in which they are taken, as a cursor of that index that stands at
 * it, after what was handed on for it, and before the next one is looked at (but for GoSysCall). */
#ifndef STW_MERGE_EMIT
#error "define STW_MERGE_EMIT first"
#endif
#ifndef STW_V1_AS_GO
#define STW_V1_AS_GO false
#endif

#ifndef STW_V1_STACKS_BY_INDEX
#define STW_V1_STACKS_BY_INDEX false
#endif

#ifndef STW_MERGE_FORGET_G
#define STW_MERGE_FORGET_G(mg, g) ((void)0)
#endif

#include "order/merge_stamp.h"
#include "order/v1.h"

#define V1_EMIT(type, time, m, p, g, target, a0, a1, a2, a3)                                                                               \
	STW_MERGE_EMIT(&vm->base, (type), merge_stamp(&vm->base, (time)), (m), (p), (g), (target), (a0), (a1), (a2), (a3))
/* With the cursor's context. */
#define V1_HERE(type, target, a0, a1, a2, a3) V1_EMIT(type, at.time, at.m, at.p, at.g, target, a0, a1, a2, a3)
/* Of an event that no runtime with that header writes. */
#define V1_NOT_WRITTEN "unexpected event type %u (%s)"

/* Where the event at hand happened. Handed around by value: a frequent event's is never in memory. */
typedef struct v1_place {
	int64_t time;
	uint32_t m, p, g; /* slots */
} v1_place;

static const uint8_t v1_word_of[STW_V1_TYPES] = {
	[STW_V1_GoBlockSend] = STW_V1_WORD_SEND,
	[STW_V1_GoBlockRecv] = STW_V1_WORD_RECEIVE,
	[STW_V1_GoBlockSelect] = STW_V1_WORD_SELECT,
	[STW_V1_GoBlockSync] = STW_V1_WORD_SYNC,
	[STW_V1_GoBlockCond] = STW_V1_WORD_COND,
	[STW_V1_GoBlockNet] = STW_V1_WORD_NETWORK,
	[STW_V1_GoBlockGC] = STW_V1_WORD_ASSIST,
	[STW_V1_GoSleep] = STW_V1_WORD_SLEEP,
};

static inline __attribute__((always_inline)) int64_t v1_time(const stw_v1_merge *vm, int64_t ticks)
{
	return stw_v1_time(vm->v1, ticks);
}

#ifdef STW_V1_AHEAD
#define V1_REFRESH(vm, c) stw_v1_merge_refresh_ahead(vm, c)
#define V1_TIME(vm, c) ((c)->time)
#define V1_STACK(vm, c) ((c)->stack)
#define V1_STACK_OF(vm, id) stw_v1_stack_index((vm)->v1, (id))
#else
#define V1_REFRESH(vm, c) stw_v1_merge_refresh(vm, c)
#define V1_TIME(vm, c) v1_time(vm, (c)->ticks)
#define V1_STACK_OF(vm, id) (STW_V1_STACKS_BY_INDEX ? stw_v1_stack_index((vm)->v1, (id)) : stw_v1_stack_id((vm)->v1, (id)))
#define V1_STACK(vm, c) V1_STACK_OF(vm, (c)->stack)
#endif

/* The stack of the function with which a goroutine begins. */
static inline uint32_t v1_root(const stw_v1_merge *vm, uint64_t argument)
{
	if (vm->v1->index.format.minor >= 7)
		return V1_STACK_OF(vm, (uint32_t)argument);
	uint32_t stack = stw_map_get(&vm->v1->roots, argument);
	return stack == STW_MAP_NONE ? 0 : V1_STACK_OF(vm, stack);
}

static inline __attribute__((always_inline)) v1_place v1_place_of(const stw_v1_merge *vm, const stw_v1_cursor *c)
{
	v1_place at = {.time = V1_TIME(vm, c), .m = STW_SLOT_NONE, .p = c->p_slot, .g = STW_SLOT_NONE};
	const stw_order *o = vm->base.order;
	if (at.p != STW_SLOT_NONE) {
		at.m = vm->ps.items[at.p].m;
		at.g = vm->ps.items[at.p].g;
	}
	if (!STW_SLOT_OK(at.g) || (uint64_t)o->gs.items[at.g].id != c->g)
		at.g = c->g ? stw_order_find_g(o, (int64_t)c->g) : STW_SLOT_NONE;
	return at;
}

/* Who has stopped the world may still write figures of the heap, sweeping, the end of a collection, and wake-ups that a poll of the network brings. */
static inline void v1_quiet(stw_v1_merge *vm, const stw_v1_cursor *c, uint32_t p)
{
	if (p == STW_SLOT_NONE)
		return;
	stw_v1_p *s = &vm->ps.items[p];
	if (s->quiet_last != c->ticks_before)
		s->quiet_before = c->ticks_before;
	s->quiet_last = c->ticks;
}

/* Since when the proc's goroutine may have been stopping the world: it shows nothing else from then on. */
static uint64_t v1_quiet_since(const stw_v1_merge *vm, const stw_v1_cursor *c, uint32_t p)
{
	const stw_v1_p *s = p == STW_SLOT_NONE ? NULL : &vm->ps.items[p];
	return (uint64_t)v1_time(vm, s && s->quiet_last == c->ticks_before ? s->quiet_before : c->ticks_before);
}

/* An event that has to wait for another proc's. It has done nothing yet. */
enum { V1_WAIT = 100 };

/* A goroutine is not what the event takes for granted: from here on it is. What was known of it ends. */
static __attribute__((noinline)) uint32_t v1_begin_anew(stw_v1_merge *vm, uint32_t slot, uint64_t id, uint8_t status, v1_place at)
{
	stw_order *o = vm->base.order;
	if (slot != STW_SLOT_NONE && vm->v1->index.problems.count) /* what is missing explains it */
		STW_MERGE_FORGET_G(&vm->base, slot);
	if (slot == STW_SLOT_NONE)
		slot = stw_v1_merge_add_g(vm, id, status);
	if (slot == STW_SLOT_NONE)
		return slot;
	o->gs.items[slot].status = status;
	stw_v1_g *more = &vm->gs.items[slot];
	more->in_call = more->called = more->network = more->forever = more->at_start = false;
	for (size_t i = 0; i < vm->ps.count; i++)
		if (vm->ps.items[i].g == slot)
			vm->ps.items[i].g = STW_SLOT_NONE;
	uint32_t p = status == STW_G_RUNNING ? at.p : STW_SLOT_NONE, stack = STW_V1_AS_GO ? 0 : vm->gs.items[slot].root;
	V1_EMIT(STW_EV_GoStatus, at.time, at.m, p, slot, slot, id, UINT64_MAX, status, stack);
	if (p != STW_SLOT_NONE)
		vm->ps.items[p].g = slot;
	return slot;
}

/* Of a trace that begins midway: what a goroutine's first event takes for granted was so. seq: that event's number, UINT64_MAX: it has none. */
static __attribute__((noinline)) uint32_t v1_first_seen(stw_v1_merge *vm, uint64_t id, uint8_t status, uint64_t seq, v1_place at)
{
	uint32_t slot = v1_begin_anew(vm, STW_SLOT_NONE, id, status, at);
	if (slot == STW_SLOT_NONE)
		return slot;
	vm->gs.items[slot].seq_unknown = seq == UINT64_MAX;
	vm->base.order->gs.items[slot].seq = seq;
	return slot;
}

/* Of a trace that begins midway: what an event of a goroutine seems to wait for may be missing, so it does not. */
static inline bool v1_is_unsure(const stw_v1_merge *vm, uint32_t slot)
{
	return vm->midway && STW_SLOT_OK(slot) && !vm->gs.items[slot].whole;
}

#define OUT_OF_MEMORY() stw_fail_memory(vm->base.error)
/* What has to hold before the event can come; where it is forced to, it is made to hold. */
#define EXPECT(slot, id, wanted, in_sequence)                                                                                              \
	do {                                                                                                                               \
		if (STW_UNLIKELY(!STW_SLOT_OK(slot)) && vm->midway && (id)) {                                                              \
			(slot) = v1_first_seen(vm, (id), (wanted), (in_sequence) ? c->a[1] : UINT64_MAX, at);                              \
			if ((slot) == STW_SLOT_NONE)                                                                                       \
				return OUT_OF_MEMORY();                                                                                    \
		} else if (STW_UNLIKELY(!STW_SLOT_OK(slot) || o->gs.items[slot].status != (wanted))) {                                     \
			if (!force && !v1_is_unsure(vm, slot))                                                                             \
				return (stwatch_status)V1_WAIT;                                                                            \
			stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s of goroutine %llu, which is not %s",                           \
				stw_v1_event_name(c->type), (unsigned long long)(id), stw_go_state_name(stw_go_state_of(wanted)));         \
			if (((slot) = v1_begin_anew(vm, (slot), (id), (wanted), at)) == STW_SLOT_NONE)                                     \
				return OUT_OF_MEMORY();                                                                                    \
		}                                                                                                                          \
	} while (0)

/* One that waits for something; where it waits for what never comes, the trace contradicts itself. */
#define EXPECT_WAITING(slot, id, in_sequence)                                                                                              \
	do {                                                                                                                               \
		EXPECT(slot, id, STW_G_WAITING, in_sequence);                                                                              \
		if (STW_UNLIKELY(vm->gs.items[slot].forever)) {                                                                            \
			if (!force && !v1_is_unsure(vm, slot))                                                                             \
				return (stwatch_status)V1_WAIT;                                                                            \
			stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s of goroutine %llu, which had stopped for ever",                \
				stw_v1_event_name(c->type), (unsigned long long)(id));                                                     \
			vm->gs.items[slot].forever = false;                                                                                \
		}                                                                                                                          \
	} while (0)

/* Whether its sequence number says that an event comes next of its goroutine. */
static inline __attribute__((always_inline)) bool v1_is_next(const stw_v1_merge *vm, uint32_t slot, uint64_t seq)
{
	return vm->base.order->gs.items[slot].seq == seq || STW_UNLIKELY(vm->gs.items[slot].seq_unknown || v1_is_unsure(vm, slot));
}

/* The number of its next event, after one. */
static inline __attribute__((always_inline)) void v1_count(stw_v1_merge *vm, uint32_t slot, bool in_sequence, uint64_t seq)
{
	stw_order_g *g = &vm->base.order->gs.items[slot];
	g->seq = in_sequence ? seq + 1 : g->seq + 1;
	if (in_sequence)
		vm->gs.items[slot].seq_unknown = false;
	if (STW_UNLIKELY(vm->midway)) {
		vm->gs.items[slot].seq_unknown |= !in_sequence && !vm->gs.items[slot].whole;
		vm->gs.items[slot].whole = vm->base.last_time >= vm->missing_to;
	}
}

/* It runs here, or the trace contradicts itself. */
static inline __attribute__((always_inline)) bool v1_runs_here(const stw_v1_merge *vm, v1_place at)
{
	return STW_SLOT_OK(at.g) && at.p != STW_SLOT_NONE && vm->ps.items[at.p].g == at.g &&
		vm->base.order->gs.items[at.g].status == STW_G_RUNNING;
}

#include "order/v1_goroutines.h"

#include "order/v1_rare.h"

static inline __attribute__((always_inline)) stwatch_status v1_dispatch(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool force, bool *moved)
{
	switch (c->type & (STW_V1_TYPES - 1)) { /* so that no other has to be thought of */
	case STW_V1_GoStart:
	case STW_V1_GoStartLabel: return v1_start(vm, c, at, true, force);
	case STW_V1_GoStartLocal: return v1_start(vm, c, at, false, force);
	case STW_V1_GoUnblock: return v1_unblock(vm, c, at, true, force);
	case STW_V1_GoUnblockLocal: return v1_unblock(vm, c, at, false, force);
	case STW_V1_GoBlock: return v1_block(vm, c, at, STW_V1_WORD_NONE, force);
	case STW_V1_GoBlockSend:
	case STW_V1_GoBlockRecv:
	case STW_V1_GoBlockSelect:
	case STW_V1_GoBlockSync:
	case STW_V1_GoBlockCond:
	case STW_V1_GoBlockNet:
	case STW_V1_GoBlockGC:
	case STW_V1_GoSleep: return v1_block(vm, c, at, v1_word_of[c->type], force);
	case STW_V1_GoStop: return v1_block(vm, c, at, STW_V1_WORD_FOREVER, true);
	case STW_V1_GoSched: return v1_yield(vm, c, at, STW_V1_WORD_GOSCHED, force);
	case STW_V1_GoPreempt: return v1_yield(vm, c, at, STW_V1_WORD_PREEMPTED, force);
	case STW_V1_GoEnd: return v1_end(vm, c, at);
	case STW_V1_GoCreate: return v1_create(vm, c, at, force);
	case STW_V1_GoSysCall: *moved = true; return v1_call(vm, c, at);
	case STW_V1_GoSysBlock: return v1_call_blocks(vm, c, at, force);
	case STW_V1_GoSysExit: return v1_exit(vm, c, at, true, force);
	case STW_V1_GoSysExitLocal: return v1_exit(vm, c, at, false, force);
	case STW_V1_ProcStart: return v1_proc(vm, c, at, true);
	case STW_V1_ProcStop: return v1_proc(vm, c, at, false);
	case STW_V1_HeapAlloc:
		v1_quiet(vm, c, at.p);
		V1_HERE(STW_EV_HeapAlloc, STW_SLOT_NONE, c->a[0], 0, 0, 0);
		return STWATCH_OK;
	case STW_V1_HeapGoal:
		v1_quiet(vm, c, at.p);
		V1_HERE(STW_EV_HeapGoal, STW_SLOT_NONE, c->a[0], 0, 0, 0);
		return STWATCH_OK;
	case STW_V1_GoWaiting: return v1_exists(vm, c, at, STW_G_WAITING, force);
	case STW_V1_GoInSyscall: return v1_exists(vm, c, at, STW_G_SYSCALL, force);
	case STW_V1_Gomaxprocs: return v1_procs_change(vm, c, at);
	case STW_V1_GCStart:
	case STW_V1_GCDone: return v1_gc(vm, c, at, force);
	case STW_V1_GCSTWStart:
	case STW_V1_GCSTWDone: return v1_stop(vm, c, at);
	case STW_V1_GCSweepStart:
	case STW_V1_GCSweepDone: return v1_sweep(vm, c, at);
	case STW_V1_GCMarkAssistStart:
	case STW_V1_GCMarkAssistDone: return v1_assist(vm, c, at);
	case STW_V1_UserTaskCreate:
	case STW_V1_UserTaskEnd:
	case STW_V1_UserRegion:
	case STW_V1_UserLog: return v1_annotation(vm, c, at);
	default: /* FutileWakeup: the wake-up before it was in vain, but it was one. Only Go 1.5 wrote it; Go's reader takes it from none. */
		if (vm->v1->index.format.minor < 11)
			return STWATCH_OK;
		if (STW_V1_AS_GO)
			return stw_fail(vm->base.error, STWATCH_ERR_DAMAGED, stw_v1_cursor_offset(c), V1_NOT_WRITTEN, c->type,
				stw_v1_event_name(c->type));
		stw_v1_merge_fault(vm, c, STW_FAULT_BYTES, V1_NOT_WRITTEN, c->type, stw_v1_event_name(c->type));
		return STWATCH_OK;
	}
}

/* Takes the event at hand and brings the next one: STWATCH_OK; STWATCH_END: its proc has none; V1_WAIT: it can't come yet, unless forced
 * to; or an error. */
static inline __attribute__((always_inline)) stwatch_status v1_take(stw_v1_merge *vm, stw_v1_cursor *c, bool force)
{
	v1_place at = v1_place_of(vm, c);
	const int64_t ticks = c->ticks;
	bool moved = false;
#ifdef STW_V1_TAKEN
	const stw_v1_cursor event = *c;
#endif
	stwatch_status status = v1_dispatch(vm, c, at, force, &moved);
	if (STW_UNLIKELY(status != STWATCH_OK) && (int)status != STWATCH_END)
		return status;
	if (STW_UNLIKELY(ticks < vm->last_key) && vm->before == 1) {
		stw_v1_merge_fault_time(vm, c, moved ? STW_V1_GoSysCall : c->type, at.time);
	} else {
		vm->last_key = ticks;
		vm->last_taken = c;
	}
#ifdef STW_V1_TAKEN
	STW_V1_TAKEN(vm, (size_t)(c - vm->cursors), &event);
#endif
	return moved ? status : V1_REFRESH(vm, c);
}

static __attribute__((noinline)) stwatch_status v1_take_anyhow(stw_v1_merge *vm, stw_v1_cursor *c, bool force)
{
	return v1_take(vm, c, force);
}

static void v1_take_sample(stw_v1_merge *vm)
{
	const stw_v1_index *x = &vm->v1->index;
	const stw_cpu_sample *s = &vm->base.gen->samples.items[vm->base.next_sample++];
	vm->sample_key = vm->base.next_sample < x->samples.count ? x->samples.items[vm->base.next_sample].ticks : INT64_MAX;
	V1_EMIT(STW_EV_CPUSample, s->time, STW_SLOT_NONE, STW_SLOT_NONE, STW_SLOT_NONE, STW_SLOT_NONE, (uint64_t)s->m, (uint64_t)s->p,
		(uint64_t)s->g, s->stack);
}

/* After the event at heap[i] was taken. */
static inline __attribute__((always_inline)) stwatch_status v1_move_on(
	stw_v1_merge *vm, size_t i, const stw_v1_cursor *c, stwatch_status status)
{
	if (STW_UNLIKELY(status == STWATCH_END)) {
		uint32_t p = c->p_slot;
		stw_v1_merge_remove(vm, i);
		/* In a file that is cut, one that still runs goes on behind the cut, unseen: nothing after it is whole. */
		return vm->v1->index.frequency == 0 && p != STW_SLOT_NONE && vm->ps.items[p].running ? STWATCH_END : STWATCH_OK;
	}
	if (STW_UNLIKELY(status != STWATCH_OK))
		return status;
	vm->heap[i].key = c->key;
	if (i == 0) {
		if (vm->heap[1].key <= c->key || vm->heap[2].key <= c->key)
			stw_v1_merge_sift_down(vm, 0);
	} else
		stw_v1_merge_sift(vm, i);
	return STWATCH_OK;
}

/* The earliest event can't come yet: the first of the others, in order of time, that can; where none can, the earliest all the same. */
static __attribute__((noinline)) stwatch_status v1_take_other(stw_v1_merge *vm)
{
	stw_v1_merge_sort(vm);
	for (size_t i = 1; i < vm->n_heap && (uint64_t)vm->heap[i].key - (uint64_t)vm->heap[0].key <= (uint64_t)vm->patience; i++) {
		stw_v1_cursor *c = vm->heap[i].cursor;
		stwatch_status status = v1_take_anyhow(vm, c, false);
		if ((int)status != V1_WAIT)
			return v1_move_on(vm, i, c, status);
	}
	stw_v1_merge_fault_frontier(vm);
	stw_v1_cursor *c = vm->heap[0].cursor;
	return v1_move_on(vm, 0, c, v1_take_anyhow(vm, c, true));
}

/* Hands on what one event stands for: none to several. STWATCH_OK, STWATCH_END after the last, or an error. */
static inline __attribute__((always_inline)) stwatch_status v1_step(stw_v1_merge *vm)
{
	int64_t key = vm->n_heap ? vm->heap[0].key : INT64_MAX;
	if (STW_UNLIKELY(vm->next_other < key)) {
		if (vm->telling != STW_SLOT_NONE)
			v1_tell_rest(vm);
		else if (vm->sample_key <= vm->exit_key)
			v1_take_sample(vm);
		else
			return v1_take_exit(vm);
		stw_v1_merge_look_ahead(vm);
		return STWATCH_OK;
	}
	if (STW_UNLIKELY(vm->n_heap == 0)) {
		if (vm->base.next_sample == vm->v1->index.samples.count)
			return STWATCH_END;
		v1_take_sample(vm); /* of the last time that there is */
		return STWATCH_OK;
	}
	stw_v1_cursor *c = vm->heap[0].cursor;
	stwatch_status status = STW_UNLIKELY(vm->before == 2) ? v1_take_anyhow(vm, c, true) : v1_take(vm, c, false);
	if (STW_UNLIKELY((int)status == V1_WAIT))
		return v1_take_other(vm);
	return v1_move_on(vm, 0, c, status);
}

#undef V1_HERE
#undef V1_REFRESH
#undef V1_TIME
#undef V1_STACK
#undef V1_STACK_OF
#undef EXPECT
#undef EXPECT_WAITING
#undef RUNS_HERE
