/* The short way through the merge; part of merge_step.h.
 *
 * Several events of one thread in a row (a lane) need nothing of the heap but one limit. In a lane, the frequent events are
 * taken if everything about them is as usual: each lane_… below holds the conditions under which merge_advance would let an
 * event pass, and what it would then do. Whatever is not usual is left untouched, and merge_advance has the say.
 *
 * What a lane has at hand of its thread (stw_lane) outlasts it, while other threads' lanes go between: nothing usual changes
 * what another thread's lane has at hand. */

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
/* The slot of a goroutine. */
#define LANE_FIND(slot, id)                                                                                                                \
	const stw_g_place *place = stw_order_place_of(mg->order, (int64_t)(id));                                                           \
	uint32_t slot = place->slot;                                                                                                       \
	if (STW_UNLIKELY(place->id != (int64_t)(id)))                                                                                      \
	LANE_NEED((slot = stw_order_find_g_other(mg->order, (int64_t)(id))) != STW_MAP_NONE)
#define LANE_NEXT(of, seq_) LANE_NEED((of)->epoch == mg->order->epoch && (seq_)-1 == (of)->seq)

/* Who defines STW_MERGE_EMIT_LANE(mg, lane, type, ...) gets a lane's events by it, with the indices of stacks instead of their ids, and with
 * the id of the thread's goroutine as a3. STW_MERGE_LANE_OPEN(mg, lane) finds what is to be at hand of the thread's proc and goroutine (only
 * where that is known): lane->place_p and place_g. A lane has no event at STW_MERGE_LANE_END(mg) or later. It may be taken for granted that
 * STW_MERGE_STOPPED does not hold, as a lane ends where it comes to hold with what needed room; and there is room for a new goroutine.
 * STW_MERGE_SINCE(mg, slot) says when the last event of a goroutine was. */
#ifdef STW_MERGE_EMIT_LANE
#define LANE_EMIT(type, target, a0, a1, a2)                                                                                                \
	STW_MERGE_EMIT_LANE(mg, l, (type), time, l->m_slot, l->p_slot, l->m->g, (target), (a0), (a1), (a2), (uint64_t)l->g->id)
#define LANE_STACK_ARG(id, index) (index)
#else
#define STW_MERGE_LANE_OPEN(mg, lane) ((void)(mg), (void)(lane))
#define STW_MERGE_LANE_END(mg) ((void)(mg), LANE_TIME_END)
#define STW_MERGE_SINCE(mg, slot) INT64_MIN
#define LANE_EMIT(type, target, a0, a1, a2) STW_MERGE_EMIT(mg, (type), time, l->m_slot, l->p_slot, l->m->g, (target), (a0), (a1), (a2), 0)
#define LANE_STACK_ARG(id, index) (id)
#endif

/* Of the types that lanes may have: one more than they have arguments. Those that merge_is_aside holds for are then taken by the full rules. */
static const uint8_t lane_fields[256] = {
	[STW_EV_GoCreate] = 4,
	[STW_EV_GoStart] = 3,
	[STW_EV_GoDestroy] = 1,
	[STW_EV_GoStop] = 3,
	[STW_EV_GoBlock] = 3,
	[STW_EV_GoUnblock] = 4,
	[STW_EV_GoSyscallBegin] = 3,
	[STW_EV_GoSyscallEnd] = 1,
	[STW_EV_GCSweepBegin] = 2,
	[STW_EV_GCSweepEnd] = 3,
	[STW_EV_HeapAlloc] = 2,
	[STW_EV_GCMarkAssistBegin] = 2,
	[STW_EV_GCMarkAssistEnd] = 1,
	[STW_EV_GoLabel] = 2,
	[STW_EV_UserRegionBegin] = 4,
	[STW_EV_UserRegionEnd] = 4,
	[STW_EV_UserLog] = 5,
};

/* Each takes the arguments at *at, and moves on behind them. False: not as usual; nothing has been done. */

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
	LANE_FIND(slot, id);
	LANE_NEED(l->m->g == STW_SLOT_NONE);
	stw_order_g *g = &mg->order->gs.items[slot];
	LANE_NEED(g->status == STW_G_RUNNABLE);
	LANE_NEXT(g, seq);
	LANE_NEED(time > STW_MERGE_SINCE(mg, slot));
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
	LANE_FIND(slot, id);
	LANE_INDEX(stack_index, stack_ids, stack);
	stw_order_g *g = &mg->order->gs.items[slot];
	LANE_NEED(g->status == STW_G_WAITING);
	LANE_NEXT(g, seq);
	LANE_NEED(time > STW_MERGE_SINCE(mg, slot));
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
	lane_set_g(l, STW_SLOT_NONE, &mg->order->nobody);
	*at = p;
	return true;
}

static inline __attribute__((always_inline)) bool lane_create(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t **at)
{
	const uint8_t *p = *at;
	stw_order *o = mg->order;
	LANE_TAKE(id);
	LANE_TAKE(new_stack);
	LANE_TAKE(stack);
	LANE_NEED(l->g->status == STW_G_RUNNING || l->m->g == STW_SLOT_NONE);
	LANE_INDEX(new_index, stack_ids, new_stack);
	LANE_INDEX(stack_index, stack_ids, stack);
	LANE_NEED(o->free_gs.count); /* or it would need room, and what lanes have at hand might move */
	LANE_NEED(stw_order_find_g(o, (int64_t)id) == STW_MAP_NONE);
	uint32_t slot = stw_order_create_g_fast(o, (int64_t)id, STW_G_RUNNABLE);
	LANE_NEED(slot != STW_SLOT_NONE);
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
	stw_order_remove_g_fast(mg->order, slot);
	lane_set_g(l, STW_SLOT_NONE, &mg->order->nobody);
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

/* The earliest but the first. Which child is the earlier can't be foreseen: no branch. */
static inline __attribute__((always_inline)) stw_heap_entry *merge_second(stw_heap_entry *heap)
{
	return heap + 1 + (heap[2].time < heap[1].time);
}

/* Puts the first cursor in its place in the heap. */
static inline void merge_place(stw_merge *mg, stw_cursor *c)
{
	mg->heap[0].time = c->time;
	if (merge_second(mg->heap)->time < c->time)
		stw_merge_sift_down(mg, 0);
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
	merge_place(mg, c);
	return STWATCH_OK;
}

/* In a lane, time differences have one or two bytes, and are then neither nothing nor a gap. */
#ifdef STW_MERGE_GAP
#define LANE_STEP_END STW_MERGE_GAP_NS
#else
#define LANE_STEP_END (1 << 26)
#endif
#define LANE_FACTOR_MAX ((uint64_t)LANE_STEP_END >> 14)
/* A lane keeps so far away from the end of all time that it needs not look for an overflow. */
#define LANE_TIME_END (INT64_MAX - LANE_STEP_END)

/* The latest time of an event before which neither a sample comes nor the lanes' end. */
static inline __attribute__((always_inline)) int64_t lane_last(const stw_merge *mg)
{
	int64_t end = STW_MERGE_LANE_END(mg);
	end = end < LANE_TIME_END ? end : LANE_TIME_END;
	return mg->sample_time < end ? mg->sample_time : end > INT64_MIN ? end - 1 : INT64_MIN;
}

/* True for what comes so late after the event before that it needs a second look. */
static inline __attribute__((always_inline)) bool lane_is_late(const stw_merge *mg, int64_t time)
{
	return time > mg->last_time && (uint64_t)time - (uint64_t)mg->last_time >= (uint64_t)LANE_STEP_END;
}

/* Finds what is at hand of a cursor's thread. False where it has no lane: without a thread or proc, with times that need a second look, or
 * close to the end of the window. */
static bool lane_open(const stw_merge *mg, stw_cursor *c)
{
	stw_order *o = mg->order;
	stw_lane *l = &c->lane;
	const uint8_t *safe = c->end - STW_EVENT_BYTES_MAX;
	if (c->p > safe || c->m == STW_SLOT_NONE || mg->gen->ns_factor - 1 >= LANE_FACTOR_MAX || !STW_SLOT_OK(o->ms.items[c->m].p))
		return false;
	l->safe = safe;
	l->m_slot = c->m;
	l->m = &o->ms.items[c->m];
	l->p_slot = l->m->p;
	l->p = &o->ps.items[l->m->p];
	l->g = STW_SLOT_OK(l->m->g) ? &o->gs.items[l->m->g] : &o->nobody;
	STW_MERGE_LANE_OPEN(mg, l);
	l->stamp = mg->stamp;
	return true;
}

static inline __attribute__((always_inline)) bool lane_at_hand(const stw_merge *mg, stw_cursor *c)
{
	return (STW_LIKELY(c->lane.stamp == mg->stamp) && STW_LIKELY(c->p <= c->lane.safe)) || lane_open(mg, c);
}

/* Whether a thread's next event may be taken in a lane. */
static inline __attribute__((always_inline)) bool lane_may(const stw_merge *mg, stw_cursor *c)
{
	return lane_fields[c->type] && lane_at_hand(mg, c);
}

/* Hands on a CPU sample that comes before every thread's next event: *status is then STWATCH_OK; or STWATCH_END if there is neither. False: an event is next. */
static inline __attribute__((always_inline)) bool merge_sample_first(stw_merge *mg, stwatch_status *status)
{
	if (STW_LIKELY(mg->sample_time >= mg->heap[0].time && mg->heap[0].cursor))
		return false;
	*status = mg->heap[0].cursor || mg->next_sample < mg->gen->samples.count ? STWATCH_OK : STWATCH_END;
	if (*status == STWATCH_OK)
		merge_sample(mg);
	return true;
}

/* The first cursor's event by the full rules, or another's if it has to wait. */
static __attribute__((noinline)) stwatch_status merge_first(stw_merge *mg, stw_cursor *c)
{
	if (STW_MERGE_STOPPED(mg))
		return stw_fail_memory(mg->error);
	int rc = merge_tell(mg, c);
	if (STW_UNLIKELY(rc != STW_ADVANCE_OK))
		return rc == STW_ADVANCE_WAIT ? merge_others(mg) : mg->error->status;
	return merge_settle(mg, c, merge_refresh(mg, c));
}

typedef enum lane_end {
	LANE_ON, /* the next event is at hand, and none of this lane: later, or not usual */
	LANE_STUCK, /* the event at hand is not as usual */
	LANE_OVER, /* the stream is at its end */
	LANE_FAILED
} lane_end;

/* Brings a cursor's next event to hand, with all checks. */
static inline lane_end lane_refresh(stw_merge *mg, stw_cursor *c, stwatch_status *status)
{
	*status = merge_refresh(mg, c);
	return *status == STWATCH_OK ? LANE_ON : *status == STWATCH_END ? LANE_OVER : LANE_FAILED;
}

/* A lane: hands on the event at hand at `time`, and those after it that are not later than `limit`. Threaded code: a way does
 * its event, and the next one's goes on from there. */
static __attribute__((hot, noinline)) lane_end lane_run(
	stw_merge *mg, stw_cursor *c, int64_t time, int64_t limit, const uint8_t *safe, stwatch_status *status)
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
	const uint8_t *p = c->p, *event = NULL;
	uint64_t units;
	goto *ways[c->type];

	/* clang-format off */
start:         if (lane_start(mg, &c->lane, time, &p)) goto taken; else goto unusual;
unblock:       if (lane_unblock(mg, &c->lane, time, &p)) goto taken; else goto unusual;
block:         if (lane_stop(mg, &c->lane, STW_EV_GoBlock, STW_G_WAITING, time, &p)) goto taken; else goto unusual;
stop:          if (lane_stop(mg, &c->lane, STW_EV_GoStop, STW_G_RUNNABLE, time, &p)) goto taken; else goto unusual;
create:        if (lane_create(mg, &c->lane, time, &p)) goto taken; else goto unusual;
destroy:       if (lane_destroy(mg, &c->lane, time)) goto taken; else goto unusual;
syscall_begin: if (lane_syscall_begin(mg, &c->lane, time, &p)) goto taken; else goto unusual;
syscall_end:   if (lane_syscall_end(mg, &c->lane, time)) goto taken; else goto unusual;
heap:          if (lane_heap(mg, &c->lane, time, &p)) goto taken; else goto unusual;
sweep_begin:   if (lane_sweep_begin(mg, &c->lane, time, &p)) goto taken; else goto unusual;
sweep_end:     if (lane_sweep_end(mg, &c->lane, time, &p)) goto taken; else goto unusual;
	/* clang-format on */

taken:
	c->told = time;
	event = p;
	if (STW_UNLIKELY(event > safe))
		goto refresh;
	units = event[1];
	p = event + 2;
	if (STW_UNLIKELY(units - 1 >= 0x7f))
		goto two_bytes;
timed: /* from its thread's event before, whatever time that was handed on with */
	time = c->time += (int64_t)(units * factor);
	if (time <= limit)
		goto *ways[*event];
	c->p = p;
	c->type = *event;
	if (!lane_fields[*event] && !merge_belongs(*event))
		goto stranger;
	return LANE_ON;

two_bytes : {
	const uint64_t more = event[2] - (uint64_t)1; /* neither a third byte nor nothing: 1 to 127 */
	if (units == 0 || more >= 0x7f)
		goto refresh;
	units = (units & 0x7f) | (more + 1) << 7;
	p = event + 3;
	goto timed;
}

unusual:
	if (event) {
		c->p = p;
		c->type = *event;
		if (!merge_belongs(*event))
			goto stranger;
	}
	return LANE_STUCK;

refresh: /* from the event's beginning, with all checks */
	c->p = event;
	return lane_refresh(mg, c, status);

stranger:
	c->p = event;
	*status = merge_fail_stranger(mg, c);
	return LANE_FAILED;
}
