/* The short way through the merge; part of merge_step.h.
 *
 * A thread's events mostly come in runs: it stays the earliest for several. Within such a run (a lane) nothing has to be
 * asked of the heap but one limit, and what is known of the thread stays in registers. In a lane, the frequent events are
 * taken if everything about them is as usual: merge_usual holds the conditions under which merge_advance would let them
 * pass, and what it would then do. Whatever is not usual is left untouched, and merge_advance has the say. */

/* What a lane keeps at hand. */
typedef struct stw_lane {
	stw_order *o;
	stw_order_m *m;
	stw_order_p *p; /* the proc: only the unusual changes it */
	stw_order_g *g; /* the goroutine in m->g; o->nobody where there is none, or none that is known */
	uint32_t m_slot, p_slot;
	uint32_t epoch;
#ifdef STW_MERGE_LANE
	STW_MERGE_LANE emit; /* what STW_MERGE_EMIT_LANE keeps at hand */
#endif
} stw_lane;

/* Reads a varint of up to four bytes; more are left to the full rules. No look at the end: a lane keeps away from it. */
#define LANE_TAKE(v)                                                                                                                       \
	uint64_t v;                                                                                                                        \
	if (STW_UNLIKELY(!(p = stw_varint_short(p, &v))))                                                                                  \
	return false
#define LANE_NEED(condition)                                                                                                               \
	if (STW_UNLIKELY(!(condition)))                                                                                                    \
	return false
/* The index of a string or stack. */
#define LANE_INDEX(index, ids, id)                                                                                                         \
	uint32_t index = (uint32_t)(id);                                                                                                   \
	if (STW_UNLIKELY((id) >= mg->gen->ids.n_same))                                                                                     \
	LANE_NEED((index = stw_ids_find_other(&mg->gen->ids, (id))) != STW_MAP_NONE)
#define LANE_NEXT(of, seq_) LANE_NEED((of)->epoch == l->epoch && (seq_) == (of)->seq + 1)

/* Who defines STW_MERGE_LANE, a type, gets a lane's events by STW_MERGE_EMIT_LANE(mg, STW_MERGE_LANE *, type, ...), with the indices of
 * stacks instead of their ids, and with the id of the thread's goroutine as a3. Each lane begins with STW_MERGE_LANE_OPEN(mg, p, g), g
 * only where it is known, and has no event at STW_MERGE_LANE_END(mg) or later. It may be taken for granted that STW_MERGE_STOPPED
 * does not hold: a lane ends where it comes to hold with what needed room. */
#ifdef STW_MERGE_LANE
#define LANE_EMIT(type, target, a0, a1, a2)                                                                                                \
	STW_MERGE_EMIT_LANE(mg, &l->emit, (type), time, l->m_slot, l->p_slot, l->m->g, (target), (a0), (a1), (a2), (uint64_t)l->g->id)
#define LANE_STACK_ARG(id, index) (index)
#else
#define STW_MERGE_LANE_END(mg) ((void)(mg), LANE_TIME_END)
#define LANE_EMIT(type, target, a0, a1, a2) STW_MERGE_EMIT(mg, (type), time, l->m_slot, l->p_slot, l->m->g, (target), (a0), (a1), (a2), 0)
#define LANE_STACK_ARG(id, index) (id)
#endif

/* Each takes the arguments at *at, and moves on behind them. False: not as usual; nothing has been done. */

static inline __attribute__((always_inline)) stw_order_g *lane_goroutine(stw_order *o, uint32_t slot)
{
	return STW_SLOT_OK(slot) ? &o->gs.items[slot] : &o->nobody;
}

static inline __attribute__((always_inline)) void lane_set_g(stw_lane *l, uint32_t slot, stw_order_g *g)
{
	l->m->g = slot;
	l->g = g;
}

static inline __attribute__((always_inline)) bool lane_start(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	LANE_TAKE(id);
	LANE_TAKE(seq);
	uint32_t slot = stw_order_find_g(l->o, (int64_t)id);
	LANE_NEED(slot != STW_MAP_NONE);
	LANE_NEED(l->m->g == STW_SLOT_NONE);
	stw_order_g *g = &l->o->gs.items[slot];
	LANE_NEED(g->status == STW_G_RUNNABLE);
	LANE_NEXT(g, seq);
	g->status = STW_G_RUNNING;
	g->seq = seq;
	LANE_EMIT(STW_EV_GoStart, slot, id, seq, 0);
	lane_set_g(l, slot, g);
	*at = p;
	return true;
}

static inline __attribute__((always_inline)) bool lane_unblock(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	LANE_TAKE(id);
	LANE_TAKE(seq);
	LANE_TAKE(stack);
	uint32_t slot = stw_order_find_g(l->o, (int64_t)id);
	LANE_NEED(slot != STW_MAP_NONE);
	LANE_INDEX(stack_index, stack_ids, stack);
	stw_order_g *g = &l->o->gs.items[slot];
	LANE_NEED(g->status == STW_G_WAITING);
	LANE_NEXT(g, seq);
	g->status = STW_G_RUNNABLE;
	g->seq = seq;
	LANE_EMIT(STW_EV_GoUnblock, slot, id, seq, LANE_STACK_ARG(stack, stack_index));
	*at = p;
	return true;
}

/* GoBlock, GoStop. */
static inline __attribute__((always_inline)) bool lane_stop(
	stw_merge *mg, stw_lane *l, unsigned type, uint8_t becomes, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	LANE_TAKE(reason);
	LANE_TAKE(stack);
	LANE_NEED(l->g->status == STW_G_RUNNING);
	LANE_INDEX(string, string_ids, reason);
	LANE_INDEX(stack_index, stack_ids, stack);
	l->g->status = becomes;
	LANE_EMIT(type, l->m->g, reason, LANE_STACK_ARG(stack, stack_index), string);
	lane_set_g(l, STW_SLOT_NONE, &l->o->nobody);
	*at = p;
	return true;
}

static inline __attribute__((always_inline)) bool lane_create(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	stw_order *o = l->o;
	LANE_TAKE(id);
	LANE_TAKE(new_stack);
	LANE_TAKE(stack);
	LANE_NEED(l->g->status == STW_G_RUNNING || l->m->g == STW_SLOT_NONE);
	LANE_INDEX(new_index, stack_ids, new_stack);
	LANE_INDEX(stack_index, stack_ids, stack);
	LANE_NEED(stw_order_find_g(o, (int64_t)id) == STW_MAP_NONE);
	uint32_t slot = stw_order_create_g_fast(o, (int64_t)id, STW_G_RUNNABLE);
	LANE_NEED(slot != STW_SLOT_NONE);
	l->g = lane_goroutine(o, l->m->g); /* it may have moved, as room was made */
	LANE_EMIT(STW_EV_GoCreate, slot, id, LANE_STACK_ARG(new_stack, new_index), LANE_STACK_ARG(stack, stack_index));
	LANE_NEED(!STW_MERGE_STOPPED(mg));
	*at = p;
	return true;
}

static inline __attribute__((always_inline)) bool lane_destroy(stw_merge *mg, stw_lane *l, int64_t time)
{
	const uint32_t slot = l->m->g;
	LANE_NEED(l->g->status == STW_G_RUNNING);
	LANE_EMIT(STW_EV_GoDestroy, slot, 0, 0, 0);
	stw_order_remove_g_fast(l->o, slot);
	lane_set_g(l, STW_SLOT_NONE, &l->o->nobody);
	return true;
}

static inline __attribute__((always_inline)) bool lane_syscall_begin(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	LANE_TAKE(seq);
	LANE_TAKE(stack);
	LANE_INDEX(stack_index, stack_ids, stack);
	LANE_NEED(l->g->status == STW_G_RUNNING);
	LANE_NEXT(l->p, seq);
	l->g->status = STW_G_SYSCALL;
	l->p->status = STW_P_SYSCALL;
	l->p->seq = seq;
	LANE_EMIT(STW_EV_GoSyscallBegin, l->m->g, seq, LANE_STACK_ARG(stack, stack_index), 0);
	*at = p;
	return true;
}

static inline __attribute__((always_inline)) bool lane_syscall_end(stw_merge *mg, stw_lane *l, int64_t time)
{
	LANE_NEED(l->g->status == STW_G_SYSCALL && l->p->status == STW_P_SYSCALL);
	l->g->status = STW_G_RUNNING;
	l->p->status = STW_P_RUNNING;
	LANE_EMIT(STW_EV_GoSyscallEnd, l->m->g, 0, 0, 0);
	return true;
}

static inline __attribute__((always_inline)) bool lane_heap(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	LANE_TAKE(value);
	LANE_EMIT(STW_EV_HeapAlloc, STW_SLOT_NONE, value, 0, 0);
	*at = p;
	return true;
}

static inline __attribute__((always_inline)) bool lane_sweep_begin(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	LANE_TAKE(stack);
	LANE_INDEX(stack_index, stack_ids, stack);
	LANE_NEED(l->p->sweep == STW_RANGE_OFF);
	l->p->sweep = STW_RANGE_ON;
	LANE_EMIT(STW_EV_GCSweepBegin, l->p_slot, LANE_STACK_ARG(stack, stack_index), 0, 0);
	*at = p;
	return true;
}

static inline __attribute__((always_inline)) bool lane_sweep_end(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	LANE_TAKE(swept);
	LANE_TAKE(reclaimed);
	LANE_NEED(l->p->sweep == STW_RANGE_ON);
	l->p->sweep = STW_RANGE_OFF;
	LANE_EMIT(STW_EV_GCSweepEnd, l->p_slot, swept, reclaimed, 0);
	*at = p;
	return true;
}

/* Puts the first cursor, whose next event comes at `time`, in its place in the heap. Mostly two threads take turns: it then
 * goes one level down. Which child is the earlier can't be foreseen: no branch. */
static inline __attribute__((always_inline)) void merge_place(stw_merge *mg, stw_cursor *c, int64_t time)
{
	stw_heap_entry *heap = mg->heap;
	size_t i = 1 + (heap[2].time < heap[1].time);
	heap[0].time = time;
	if (heap[i].time >= time)
		return;
	heap[0] = heap[i];
	heap[i] = (stw_heap_entry){time, c};
	size_t child = 2 * i + 1;
	if (STW_UNLIKELY(heap[child].time < time || heap[child + 1].time < time))
		stw_merge_sift_down(mg, i);
}

/* What follows from a refreshed first cursor. */
static inline stwatch_status merge_settle(stw_merge *mg, stw_cursor *c, stwatch_status refreshed)
{
	if (STW_UNLIKELY(refreshed != STWATCH_OK)) {
		if (refreshed != STWATCH_END)
			return refreshed;
		stw_merge_remove(mg, 0);
		return STWATCH_OK;
	}
	merge_place(mg, c, c->time);
	return STWATCH_OK;
}

/* Event types of which a lane is sure that they belong into a thread's stream. */
#define LANE_TYPES                                                                                                                         \
	((uint64_t)1 << STW_EV_GoStart | (uint64_t)1 << STW_EV_GoUnblock | (uint64_t)1 << STW_EV_GoBlock | (uint64_t)1 << STW_EV_GoStop |  \
		(uint64_t)1 << STW_EV_GoCreate | (uint64_t)1 << STW_EV_GoDestroy | (uint64_t)1 << STW_EV_GoSyscallBegin |                  \
		(uint64_t)1 << STW_EV_GoSyscallEnd | (uint64_t)1 << STW_EV_HeapAlloc | (uint64_t)1 << STW_EV_GCSweepBegin |                \
		(uint64_t)1 << STW_EV_GCSweepEnd | (uint64_t)1 << STW_EV_ProcStart | (uint64_t)1 << STW_EV_ProcStop)
#define LANE_KNOWS(type) ((type) < 64 && (LANE_TYPES >> (type)&1))

/* In a lane, time differences have one or two bytes, and are then neither nothing nor a gap. */
#ifdef STW_MERGE_GAP
#define LANE_STEP_END STW_MERGE_GAP_NS
#else
#define LANE_STEP_END (1 << 26)
#endif
#define LANE_FACTOR_MAX ((uint64_t)LANE_STEP_END >> 14)
/* A lane keeps so far away from the end of all time that it needs not look for an overflow. */
#define LANE_TIME_END (INT64_MAX - LANE_STEP_END)

static inline __attribute__((always_inline)) int64_t lane_end(const stw_merge *mg)
{
	const int64_t end = STW_MERGE_LANE_END(mg);
	return end < LANE_TIME_END ? end : LANE_TIME_END;
}

/* True where a lane may be tried: there is a whole event in the window, a thread with a proc, and a time that needs no second look. */
static inline __attribute__((always_inline)) bool lane_fits(const stw_merge *mg, const stw_cursor *c)
{
	return c->m != STW_SLOT_NONE && c->end - c->p >= STW_EVENT_BYTES_MAX && STW_SLOT_OK(mg->order->ms.items[c->m].p) &&
		!merge_is_odd(mg, c->time) && c->time < lane_end(mg) && mg->gen->ns_factor - 1 < LANE_FACTOR_MAX;
}

static inline __attribute__((always_inline)) stw_lane lane_open(const stw_merge *mg, const stw_cursor *c)
{
	stw_order *o = mg->order;
	stw_order_m *m = &o->ms.items[c->m];
	return (stw_lane){
		.o = o,
		.m = m,
		.p = &o->ps.items[m->p],
		.g = lane_goroutine(o, m->g),
		.m_slot = c->m,
		.p_slot = m->p,
		.epoch = o->epoch,
#ifdef STW_MERGE_LANE
		.emit = STW_MERGE_LANE_OPEN(mg, m->p, m->g),
#endif
	};
}

/* The latest time at which the first cursor still is the earliest, no sample comes before, and the lane need not end. */
static inline __attribute__((always_inline)) int64_t lane_limit(const stw_merge *mg)
{
	int64_t limit = mg->heap[1].time < mg->heap[2].time ? mg->heap[1].time : mg->heap[2].time;
	limit = mg->sample_time < limit ? mg->sample_time : limit;
	return lane_end(mg) <= limit ? lane_end(mg) - 1 : limit;
}

/* The first cursor's event by the full rules, or another's if it has to wait. */
static __attribute__((noinline)) stwatch_status merge_first(stw_merge *mg, stw_cursor *c)
{
	if (STW_MERGE_STOPPED(mg))
		return stw_fail_memory(mg->error);
	int rc = merge_advance(mg, c);
	if (STW_UNLIKELY(rc != STW_ADVANCE_OK))
		return rc == STW_ADVANCE_WAIT ? merge_others(mg) : mg->error->status;
	return merge_settle(mg, c, merge_refresh(mg, c));
}

/* Hands on the next event or, if not `single`, up to so many times the earliest thread's next ones, its lane: those that are usual while
 * it stays the earliest. An event may stand for two or three. STWATCH_OK; STWATCH_END; or an error.
 * Threaded code: a way does its event, and the next one's goes on from there. */
static __attribute__((hot, noinline)) stwatch_status merge_lanes(stw_merge *mg, bool single, unsigned lanes)
{
	static const void *const ways[256] = {
		[0 ... STW_EV_GoCreate - 1] = &&unusual,
		[STW_EV_GoCreate] = &&create,
		[STW_EV_GoCreateSyscall] = &&unusual,
		[STW_EV_GoStart] = &&start,
		[STW_EV_GoDestroy] = &&destroy,
		[STW_EV_GoDestroySyscall] = &&unusual,
		[STW_EV_GoStop] = &&stop,
		[STW_EV_GoBlock] = &&block,
		[STW_EV_GoUnblock] = &&unblock,
		[STW_EV_GoSyscallBegin] = &&syscall_begin,
		[STW_EV_GoSyscallEnd] = &&syscall_end,
		[STW_EV_GoSyscallEndBlocked... STW_EV_GCSweepBegin - 1] = &&unusual,
		[STW_EV_GCSweepBegin] = &&sweep_begin,
		[STW_EV_GCSweepEnd] = &&sweep_end,
		[STW_EV_GCSweepEnd + 1 ... STW_EV_HeapAlloc - 1] = &&unusual,
		[STW_EV_HeapAlloc] = &&heap,
		[STW_EV_HeapAlloc + 1 ... 255] = &&unusual,
	};
	const uint64_t factor = mg->gen->ns_factor;
	const uint8_t *p, *safe, *event;
	stw_cursor *c;
	stw_lane lane, *const l = &lane;
	int64_t time, limit;
	unsigned units;

next_lane:
	c = mg->heap[0].cursor;
	if (STW_UNLIKELY(mg->sample_time < mg->heap[0].time || !c)) {
		if (!c && mg->next_sample >= mg->gen->samples.count)
			return STWATCH_END;
		merge_sample(mg);
		return STWATCH_OK;
	}
	if (STW_UNLIKELY(!lane_fits(mg, c)))
		return merge_first(mg, c);
	lane = lane_open(mg, c);
	limit = single ? INT64_MIN : lane_limit(mg);
	p = c->p;
	safe = c->end - STW_EVENT_BYTES_MAX;
	event = NULL;
	time = c->time;
	goto *ways[c->type];

	/* clang-format off */
start:         if (lane_start(mg, l, time, &p)) goto taken; else goto unusual;
unblock:       if (lane_unblock(mg, l, time, &p)) goto taken; else goto unusual;
block:         if (lane_stop(mg, l, STW_EV_GoBlock, STW_G_WAITING, time, &p)) goto taken; else goto unusual;
stop:          if (lane_stop(mg, l, STW_EV_GoStop, STW_G_RUNNABLE, time, &p)) goto taken; else goto unusual;
create:        if (lane_create(mg, l, time, &p)) goto taken; else goto unusual;
destroy:       if (lane_destroy(mg, l, time)) goto taken; else goto unusual;
syscall_begin: if (lane_syscall_begin(mg, l, time, &p)) goto taken; else goto unusual;
syscall_end:   if (lane_syscall_end(mg, l, time)) goto taken; else goto unusual;
heap:          if (lane_heap(mg, l, time, &p)) goto taken; else goto unusual;
sweep_begin:   if (lane_sweep_begin(mg, l, time, &p)) goto taken; else goto unusual;
sweep_end:     if (lane_sweep_end(mg, l, time, &p)) goto taken; else goto unusual;
	/* clang-format on */

taken:
	mg->last_time = time;
	event = p;
	if (STW_UNLIKELY(event > safe))
		goto refresh;
	units = event[1];
	p = event + 2;
	if (STW_UNLIKELY(units - 1 >= 0x7f)) {
		const unsigned more = event[2] - 1u; /* neither a third byte nor nothing: 1 to 127 */
		if (STW_UNLIKELY(units == 0 || more >= 0x7f))
			goto refresh;
		units = (units & 0x7f) | event[2] << 7;
		p = event + 3;
	}
	time = (int64_t)((uint64_t)time + units * factor);
	if (time <= limit)
		goto *ways[*event];
	if (STW_UNLIKELY(!LANE_KNOWS(*event)))
		goto refresh;
	c->p = p;
	c->type = *event;
	c->time = time;
	merge_place(mg, c, time);
	if (!single && --lanes)
		goto next_lane;
	return STWATCH_OK;

unusual:
	if (!event) /* it is the first */
		return merge_first(mg, c);
	if (LANE_KNOWS(*event)) {
		c->p = p;
		c->type = *event;
		c->time = time;
		return merge_first(mg, c);
	}
	/* Whether it belongs here has not been looked at. */
refresh: /* from the event's beginning, with all checks */
	c->p = event;
	c->time = mg->last_time;
	return merge_settle(mg, c, merge_refresh(mg, c));
}

/* One event, or one thread's next ones. */
static inline stwatch_status merge_run(stw_merge *mg, bool single)
{
	return merge_lanes(mg, single, 1);
}

static inline stwatch_status merge_step(stw_merge *mg)
{
	return merge_lanes(mg, true, 1);
}
