/* The template's body; see merge.h. Include once in a .c file, after defining
 *
 *   static inline void STW_MERGE_EMIT(stw_merge *mg, unsigned type, int64_t time, uint32_t m, uint32_t p, uint32_t g,
 *                                     uint32_t target, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
 *
 * m, p, g are slots before the event; target the slot of the goroutine or proc that it names. a0… are the wire's arguments, but:
 *   ProcStatus   a1 the status that holds, a2 the state before (STW_PROC_*)
 *   GoStatus…    a2 the status, a3 stack; the state before is in the upper half of a2
 *   ProcSteal    a3 the status before
 *   STWBegin/End a0 the kind, interned in order->names
 *   UserTaskEnd  a2 parent, a3 name, interned in order->names
 *   stacks       the id as on the wire (checked to exist)
 *
 * There is then merge_step, by which each event is handed on in Go's order; or merge_round, for who takes lanes (merge_lane.h).
 *
 * Who defines STW_MERGE_SALVAGE also gets merge_salvage_step (merge_salvage.h); with STW_MERGE_SALVAGE_ONLY nothing else.
 *
 * Who wants to be told of gaps between events also defines STW_MERGE_GAP_NS and STW_MERGE_GAP(mg, from, to), called before
 * the event at `to`. */
#ifndef STW_MERGE_EMIT
#error "define STW_MERGE_EMIT first"
#endif

/* True once STW_MERGE_EMIT is out of memory: it gets no further event that may need what it could not make room for. */
#ifndef STW_MERGE_STOPPED
#define STW_MERGE_STOPPED(mg) false
#endif

#include "order/merge_stamp.h"

/* Takes the next argument of the event at hand; the end is looked at once, when all are taken. */
#define TAKE(v)                                                                                                                            \
	uint64_t v;                                                                                                                        \
	if (STW_UNLIKELY(!(p = stw_varint_fast(p, &v))))                                                                                   \
	return stw_merge_fail(                                                                                                             \
		mg, c, STW_FAULT_BYTES, "an argument of %s overflows (a varint was expected)", stw_event_spec_of(c->type)->name)
#define TAKEN()                                                                                                                            \
	do {                                                                                                                               \
		if (STW_UNLIKELY(p > c->end))                                                                                              \
			return stw_merge_fail(                                                                                             \
				mg, c, STW_FAULT_BYTES, "%s is cut by the end of its batch", stw_event_spec_of(c->type)->name);            \
	} while (0)
#define NEED_STACK(id)                                                                                                                     \
	do {                                                                                                                               \
		if (STW_UNLIKELY(stw_generation_stack(mg->gen, (id)) == STW_MAP_NONE))                                                     \
			return stw_merge_fail(mg, c, STW_FAULT_BYTES, "%s names the stack %llu, which the generation does not have",       \
				stw_event_spec_of(c->type)->name, (unsigned long long)(id));                                               \
	} while (0)
#define NEED_STRING(index, id)                                                                                                             \
	uint32_t index = stw_generation_string(mg->gen, (id));                                                                             \
	if (STW_UNLIKELY(index == STW_MAP_NONE))                                                                                           \
	return stw_merge_fail(mg, c, STW_FAULT_BYTES, "%s names the string %llu, which the generation does not have",                      \
		stw_event_spec_of(c->type)->name, (unsigned long long)(id))
#define NEED_USER()                                                                                                                        \
	do {                                                                                                                               \
		if (STW_UNLIKELY(!STW_SLOT_OK(ctx_p) || !STW_SLOT_OK(ctx_g)))                                                              \
			return stw_merge_fail_context(mg, c, true);                                                                        \
	} while (0)
#define NEED_PROC()                                                                                                                        \
	do {                                                                                                                               \
		if (STW_UNLIKELY(!STW_SLOT_OK(ctx_p)))                                                                                     \
			return stw_merge_fail_context(mg, c, false);                                                                       \
	} while (0)
/* A speculative reading takes an unknown proc or goroutine for none, and says so. */
#define ASSUME_NO_P()                                                                                                                      \
	do {                                                                                                                               \
		if (STW_UNLIKELY(ctx_p == STW_SLOT_UNKNOWN)) {                                                                             \
			o->ms.items[c->m].p = ctx_p = STW_SLOT_NONE;                                                                       \
			o->ms.items[c->m].entry_p = STW_SLOT_NONE;                                                                         \
		}                                                                                                                          \
	} while (0)
#define ASSUME_NO_G()                                                                                                                      \
	do {                                                                                                                               \
		if (STW_UNLIKELY(ctx_g == STW_SLOT_UNKNOWN)) {                                                                             \
			o->ms.items[c->m].g = ctx_g = STW_SLOT_NONE;                                                                       \
			o->ms.items[c->m].entry_g = STW_SLOT_NONE;                                                                         \
		}                                                                                                                          \
	} while (0)
#define DONE() (c->p = p, STW_ADVANCE_OK)
#define EMIT(target, a0, a1, a2, a3)                                                                                                       \
	STW_MERGE_EMIT(mg, type, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, (target), (a0), (a1), (a2), (a3))

static inline bool next_in_sequence(const stw_order *o, uint32_t epoch, uint64_t last, uint64_t seq)
{
	return epoch == o->epoch && seq == last + 1;
}

#include "order/merge_rare.h"

#include "order/merge_ranges.h"

/* Tries the event at hand of a cursor, by the full rules. */
static int merge_advance(stw_merge *mg, stw_cursor *c)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	uint32_t ctx_p = STW_SLOT_NONE, ctx_g = STW_SLOT_NONE;
	if (STW_UNLIKELY(c->m == STW_SLOT_NONE) && c->m_id != STWATCH_NONE && !stw_merge_know_thread(mg, c))
		return stw_merge_fail_memory(mg);
	if (c->m != STW_SLOT_NONE) {
		ctx_p = o->ms.items[c->m].p;
		ctx_g = o->ms.items[c->m].g;
	}
	switch (c->type) {
	case STW_EV_GoStart: {
		const unsigned type = STW_EV_GoStart;
		TAKE(id);
		TAKE(seq);
		TAKEN();
		uint32_t slot = stw_order_find_g(o, (int64_t)id);
		if (slot == STW_MAP_NONE)
			return STW_ADVANCE_WAIT;
		stw_order_g *g = &o->gs.items[slot];
		if (g->status != STW_G_RUNNABLE || !next_in_sequence(o, g->epoch, g->seq, seq))
			return STW_ADVANCE_WAIT;
		NEED_PROC();
		ASSUME_NO_G();
		if (STW_UNLIKELY(ctx_g != STW_SLOT_NONE))
			return stw_merge_fail(mg, c, STW_FAULT_COUPLING,
				"expected no goroutine but had one: goroutine %lld starts where %lld runs", (long long)id,
				(long long)stw_order_g_id(o, ctx_g));
		g->status = STW_G_RUNNING;
		g->seq = seq;
		EMIT(slot, id, seq, 0, 0);
		o->ms.items[c->m].g = slot;
		return DONE();
	}
	case STW_EV_GoUnblock: {
		const unsigned type = STW_EV_GoUnblock;
		TAKE(id);
		TAKE(seq);
		TAKE(stack);
		TAKEN();
		uint32_t slot = stw_order_find_g(o, (int64_t)id);
		if (slot == STW_MAP_NONE)
			return STW_ADVANCE_WAIT;
		stw_order_g *g = &o->gs.items[slot];
		if (g->status != STW_G_WAITING || !next_in_sequence(o, g->epoch, g->seq, seq))
			return STW_ADVANCE_WAIT;
		NEED_STACK(stack);
		g->status = STW_G_RUNNABLE;
		g->seq = seq;
		EMIT(slot, id, seq, stack, 0);
		return DONE();
	}
	case STW_EV_GoBlock:
	case STW_EV_GoStop: {
		TAKE(reason);
		TAKE(stack);
		TAKEN();
		NEED_USER();
		stw_order_g *g = &o->gs.items[ctx_g];
		if (STW_UNLIKELY(g->status != STW_G_RUNNING))
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "%s for goroutine %lld, which is not running",
				stw_event_spec_of(c->type)->name, (long long)g->id);
		NEED_STRING(string, reason);
		NEED_STACK(stack);
		if (c->type == STW_EV_GoBlock) {
			const unsigned type = STW_EV_GoBlock;
			g->status = STW_G_WAITING;
			EMIT(ctx_g, reason, stack, string, 0);
		} else {
			const unsigned type = STW_EV_GoStop;
			g->status = STW_G_RUNNABLE;
			EMIT(ctx_g, reason, stack, string, 0);
		}
		o->ms.items[c->m].g = STW_SLOT_NONE;
		return DONE();
	}
	case STW_EV_GoDestroy: {
		const unsigned type = STW_EV_GoDestroy;
		NEED_USER();
		if (STW_UNLIKELY(o->gs.items[ctx_g].status != STW_G_RUNNING))
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "GoDestroy for goroutine %lld, which is not running",
				(long long)stw_order_g_id(o, ctx_g));
		EMIT(ctx_g, 0, 0, 0, 0);
		stw_order_remove_g(o, ctx_g);
		o->ms.items[c->m].g = STW_SLOT_NONE;
		return DONE();
	}
	case STW_EV_GoSyscallBegin: {
		const unsigned type = STW_EV_GoSyscallBegin;
		TAKE(seq);
		TAKE(stack);
		TAKEN();
		NEED_USER();
		stw_order_g *g = &o->gs.items[ctx_g];
		stw_order_p *s = &o->ps.items[ctx_p];
		if (STW_UNLIKELY(g->status != STW_G_RUNNING))
			return stw_merge_fail(
				mg, c, STW_FAULT_TRANSITION, "GoSyscallBegin for goroutine %lld, which is not running", (long long)g->id);
		if (STW_UNLIKELY(!next_in_sequence(o, s->epoch, s->seq, seq)))
			return stw_merge_fail(mg, c, STW_FAULT_ORDER,
				"GoSyscallBegin can't follow: proc %lld has the sequence number %llu, the event %llu", (long long)s->id,
				(unsigned long long)s->seq, (unsigned long long)seq);
		NEED_STACK(stack);
		g->status = STW_G_SYSCALL;
		s->status = STW_P_SYSCALL;
		s->seq = seq;
		EMIT(ctx_g, seq, stack, 0, 0);
		return DONE();
	}
	case STW_EV_GoSyscallEnd: {
		const unsigned type = STW_EV_GoSyscallEnd;
		NEED_USER();
		stw_order_g *g = &o->gs.items[ctx_g];
		stw_order_p *s = &o->ps.items[ctx_p];
		if (STW_UNLIKELY(g->status != STW_G_SYSCALL))
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "GoSyscallEnd for goroutine %lld, which is not in a system call",
				(long long)g->id);
		if (STW_UNLIKELY(s->status != STW_P_SYSCALL))
			return stw_merge_fail(
				mg, c, STW_FAULT_TRANSITION, "GoSyscallEnd on proc %lld, which is not in a system call", (long long)s->id);
		g->status = STW_G_RUNNING;
		s->status = STW_P_RUNNING;
		EMIT(ctx_g, 0, 0, 0, 0);
		return DONE();
	}
	case STW_EV_GoSyscallEndBlocked: {
		const unsigned type = STW_EV_GoSyscallEndBlocked;
		ASSUME_NO_P();
		/* While it has a proc in a system call, that proc's loss must come first. */
		if (ctx_p != STW_SLOT_NONE && o->ps.items[ctx_p].status == STW_P_SYSCALL)
			return STW_ADVANCE_WAIT;
		if (STW_UNLIKELY(c->m == STW_SLOT_NONE || !STW_SLOT_OK(ctx_g)))
			return stw_merge_fail_context(mg, c, true);
		if (STW_UNLIKELY(o->gs.items[ctx_g].status != STW_G_SYSCALL))
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION,
				"GoSyscallEndBlocked for goroutine %lld, which is not in a system call",
				(long long)stw_order_g_id(o, ctx_g));
		o->gs.items[ctx_g].status = STW_G_RUNNABLE;
		EMIT(ctx_g, 0, 0, 0, 0);
		o->ms.items[c->m].g = STW_SLOT_NONE;
		return DONE();
	}
	case STW_EV_ProcStart: {
		const unsigned type = STW_EV_ProcStart;
		TAKE(id);
		TAKE(seq);
		TAKEN();
		uint32_t slot = stw_order_find_p(o, (int64_t)id);
		if (slot == STW_MAP_NONE)
			return STW_ADVANCE_WAIT;
		stw_order_p *s = &o->ps.items[slot];
		if (s->status != STW_P_IDLE || !next_in_sequence(o, s->epoch, s->seq, seq))
			return STW_ADVANCE_WAIT;
		ASSUME_NO_P();
		if (ctx_p != STW_SLOT_NONE)
			return STW_ADVANCE_WAIT;
		if (STW_UNLIKELY(c->m == STW_SLOT_NONE))
			return stw_merge_fail_context(mg, c, false);
		s->status = STW_P_RUNNING;
		s->seq = seq;
		EMIT(slot, id, seq, 0, 0);
		o->ms.items[c->m].p = (int64_t)id == STWATCH_NONE ? STW_SLOT_NONE : slot;
		return DONE();
	}
	case STW_EV_ProcStop: {
		const unsigned type = STW_EV_ProcStop;
		NEED_PROC();
		stw_order_p *s = &o->ps.items[ctx_p];
		if (STW_UNLIKELY(s->status != STW_P_RUNNING && s->status != STW_P_SYSCALL))
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION,
				"ProcStop for proc %lld, which is neither running nor in a system call", (long long)s->id);
		s->status = STW_P_IDLE;
		EMIT(ctx_p, 0, 0, 0, 0);
		o->ms.items[c->m].p = STW_SLOT_NONE;
		return DONE();
	}
	case STW_EV_HeapAlloc:
	case STW_EV_HeapGoal: {
		TAKE(value);
		TAKEN();
		NEED_PROC();
		if (c->type == STW_EV_HeapAlloc) {
			const unsigned type = STW_EV_HeapAlloc;
			EMIT(STW_SLOT_NONE, value, 0, 0, 0);
		} else {
			const unsigned type = STW_EV_HeapGoal;
			EMIT(STW_SLOT_NONE, value, 0, 0, 0);
		}
		return DONE();
	}
	case STW_EV_ProcSteal: return advance_proc_steal(mg, c, ctx_p, ctx_g);
	case STW_EV_ProcStatus: return advance_proc_status(mg, c, ctx_p, ctx_g);
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack: return advance_go_status(mg, c, ctx_p, ctx_g);
	case STW_EV_GoCreate:
	case STW_EV_GoCreateBlocked: return advance_go_create(mg, c, ctx_p, ctx_g);
	case STW_EV_GoSwitch:
	case STW_EV_GoSwitchDestroy: return advance_go_switch(mg, c, ctx_p, ctx_g);
	case STW_EV_GoCreateSyscall: return advance_go_create_syscall(mg, c, ctx_p, ctx_g);
	case STW_EV_GoDestroySyscall: return advance_go_destroy_syscall(mg, c, ctx_p, ctx_g);
	case STW_EV_GCActive:
	case STW_EV_GCBegin:
	case STW_EV_GCEnd: return advance_gc(mg, c, ctx_p, ctx_g);
	case STW_EV_STWBegin:
	case STW_EV_STWEnd:
	case STW_EV_GCSweepActive:
	case STW_EV_GCSweepBegin:
	case STW_EV_GCSweepEnd:
	case STW_EV_GCMarkAssistActive:
	case STW_EV_GCMarkAssistBegin:
	case STW_EV_GCMarkAssistEnd: return advance_range(mg, c, ctx_p, ctx_g);
	case STW_EV_ProcsChange:
	case STW_EV_GoLabel:
	case STW_EV_UserTaskBegin:
	case STW_EV_UserTaskEnd:
	case STW_EV_UserRegionBegin:
	case STW_EV_UserRegionEnd:
	case STW_EV_UserLog: return advance_annotation(mg, c, ctx_p, ctx_g);
	default: return advance_experimental(mg, c, ctx_p, ctx_g);
	}
}

/* True for what may stand in a thread's stream. */
static inline bool merge_belongs(uint8_t type)
{
	return stw_event_spec_of(type)->kind || type == STW_EV_ClockSnapshot;
}

static stwatch_status merge_fail_stranger(stw_merge *mg, const stw_cursor *c)
{
	stw_merge_fail(mg, c, STW_FAULT_BYTES, "found event type %u in a thread's stream (no such event there)", c->type);
	return STWATCH_ERR_DAMAGED;
}

/* Brings the cursor's next event to hand: its type and time. STWATCH_OK, STWATCH_END or an error. */
static stwatch_status merge_refresh(stw_merge *mg, stw_cursor *c)
{
	uint64_t dt;
	if (STW_UNLIKELY(c->end - c->p < STW_EVENT_BYTES_MAX)) {
		stwatch_status status = stw_cursor_fill(c, mg->gen, mg->error);
		if (status != STWATCH_OK)
			return status;
	}
	const uint8_t *p = c->p;
	c->type = *p++;
	if (STW_UNLIKELY(!merge_belongs(c->type)))
		return merge_fail_stranger(mg, c);
	p = stw_varint_fast(p, &dt);
	if (STW_UNLIKELY(!p || p > c->end)) {
		stw_merge_fail(mg, c, STW_FAULT_BYTES, "the time of %s is cut or overflows (a varint was expected)",
			stw_event_spec_of(c->type)->name);
		return STWATCH_ERR_DAMAGED;
	}
	c->p = p;
	uint64_t ns = dt < (uint64_t)1 << 40 && mg->gen->ns_factor ? dt * mg->gen->ns_factor : (uint64_t)stw_generation_ns(mg->gen, dt);
	c->time = (int64_t)((uint64_t)c->time + ns);
	return STWATCH_OK;
}

static inline __attribute__((always_inline)) void merge_sample(stw_merge *mg)
{
	const stw_cpu_sample *s = &mg->gen->samples.items[mg->next_sample++];
	mg->sample_time = mg->next_sample < mg->gen->samples.count ? mg->gen->samples.items[mg->next_sample].time : INT64_MAX;
	STW_MERGE_EMIT(mg, STW_EV_CPUSample, merge_stamp(mg, s->time), STW_SLOT_NONE, STW_SLOT_NONE, STW_SLOT_NONE, STW_SLOT_NONE,
		(uint64_t)s->m, (uint64_t)s->p, (uint64_t)s->g, s->stack);
}

#ifdef STW_MERGE_SALVAGE
#include "order/merge_salvage.h"
#endif
#ifndef STW_MERGE_SALVAGE_ONLY

/* What is about a thread's goroutine alone, and leaves all that lanes have at hand as it is. */
static inline bool merge_is_aside(uint8_t type)
{
	return type == STW_EV_GCMarkAssistBegin || type == STW_EV_GCMarkAssistEnd || type == STW_EV_GoLabel ||
		type == STW_EV_UserRegionBegin || type == STW_EV_UserRegionEnd || type == STW_EV_UserLog;
}

/* The event at hand of a cursor, by the full rules. */
static int merge_tell(stw_merge *mg, stw_cursor *c)
{
	const int64_t before = mg->last_time;
	if (!merge_is_aside(c->type))
		mg->stamp++;
	const int rc = merge_advance(mg, c);
	if (rc == STW_ADVANCE_OK && mg->last_time != before)
		c->told = mg->last_time;
	return rc;
}

/* The earliest event can't go yet: the first of the others, in order of time, that can. */
static stwatch_status merge_others(stw_merge *mg)
{
	stw_merge_sort(mg);
	for (size_t i = 1; i < mg->n_heap; i++) {
		stw_cursor *c = mg->heap[i].cursor;
		int rc = merge_tell(mg, c);
		if (rc == STW_ADVANCE_WAIT)
			continue;
		if (rc == STW_ADVANCE_FAIL)
			return mg->error->status;
		stwatch_status status = merge_refresh(mg, c);
		if (status == STWATCH_OK) {
			mg->heap[i].time = c->time;
			stw_merge_sift(mg, i);
		} else if (status == STWATCH_END) {
			stw_merge_remove(mg, i);
			status = STWATCH_OK;
		}
		return status;
	}
	return stw_merge_fail_frontier(mg);
}

#include "order/merge_lane.h"
#ifdef STW_MERGE_EMIT_LANE
#include "order/merge_round.h"
#else

/* Hands on the next event, which may stand for two or three; with `several` also its thread's next ones that come before any other thread's.
 * STWATCH_OK; STWATCH_END; or an error. */
static inline stwatch_status merge_step(stw_merge *mg, bool several)
{
	stw_cursor *const c = mg->heap[0].cursor;
	stwatch_status status = STWATCH_OK;
	if (merge_sample_first(mg, &status))
		return status;
	const int64_t time = c->time > mg->last_time ? c->time : mg->last_time + 1, last = lane_last(mg),
		      next = merge_second(mg->heap)->time;
	const int64_t limit = !several || time > c->time ? INT64_MIN : next < last ? next : last;
	if (time > last || !lane_may(mg, c))
		return merge_first(mg, c);
	const lane_end end = lane_run(mg, c, time, limit, c->lane.safe, &status);
	if (c->told > mg->last_time)
		mg->last_time = c->told;
	switch (end) {
	case LANE_STUCK: return merge_first(mg, c);
	case LANE_ON: merge_place(mg, c); break;
	case LANE_OVER: stw_merge_remove(mg, 0); return STWATCH_OK;
	case LANE_FAILED: break;
	}
	return status;
}
#endif

#endif
