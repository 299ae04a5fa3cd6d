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
	uint32_t m_slot, p_slot; /* the proc: only the unusual changes it */
	uint32_t g; /* slot of the thread's goroutine, as in m->g */
	uint32_t epoch;
} stw_lane;

/* Reads a varint of up to four bytes; more are left to the full rules. No look at the end: a lane keeps away from it. */
#define LANE_TAKE(v)                                                                                                                       \
	uint64_t v;                                                                                                                        \
	if (STW_UNLIKELY(!(p = stw_varint_short(p, &v))))                                                                                  \
	return NULL
#define LANE_NEED(condition)                                                                                                               \
	if (STW_UNLIKELY(!(condition)))                                                                                                    \
	return NULL
#define LANE_STACK(index, id)                                                                                                              \
	uint32_t index = stw_generation_stack(mg->gen, (id));                                                                              \
	LANE_NEED(index != STW_MAP_NONE)
#define LANE_NEXT(of, seq_) LANE_NEED((of)->epoch == l->epoch && (seq_) == (of)->seq + 1)
#define LANE_EMIT(type, target, a0, a1, a2, a3)                                                                                            \
	STW_MERGE_EMIT_LANE(mg, (type), merge_stamp(mg, time), l->m_slot, l->p_slot, ctx_g, (target), (a0), (a1), (a2), (a3))

/* Who also defines STW_MERGE_EMIT_LANE gets a lane's events by it, with the indices of stacks instead of their ids. It may
 * take for granted that STW_MERGE_STOPPED does not hold: a lane ends where it comes to hold with what needed room. */
#ifdef STW_MERGE_EMIT_LANE
#define LANE_STACK_ARG(id, index) (index)
#else
#define STW_MERGE_EMIT_LANE STW_MERGE_EMIT
#define LANE_STACK_ARG(id, index) (id)
#endif

static inline __attribute__((always_inline)) void lane_set_g(stw_lane *l, uint32_t slot)
{
	l->g = l->m->g = slot;
}

static inline __attribute__((always_inline)) const uint8_t *lane_start(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t *p)
{
	const uint32_t ctx_g = l->g;
	LANE_TAKE(id);
	LANE_TAKE(seq);
	uint32_t slot = stw_order_find_g(l->o, (int64_t)id);
	LANE_NEED(slot != STW_MAP_NONE && ctx_g == STW_SLOT_NONE);
	stw_order_g *g = &l->o->gs.items[slot];
	LANE_NEED(g->status == STW_G_RUNNABLE);
	LANE_NEXT(g, seq);
	g->status = STW_G_RUNNING;
	g->seq = seq;
	lane_set_g(l, slot);
	LANE_EMIT(STW_EV_GoStart, slot, id, seq, 0, 0);
	return p;
}

static inline __attribute__((always_inline)) const uint8_t *lane_unblock(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t *p)
{
	const uint32_t ctx_g = l->g;
	LANE_TAKE(id);
	LANE_TAKE(seq);
	LANE_TAKE(stack);
	uint32_t slot = stw_order_find_g(l->o, (int64_t)id);
	LANE_NEED(slot != STW_MAP_NONE);
	LANE_STACK(stack_index, stack);
	stw_order_g *g = &l->o->gs.items[slot];
	LANE_NEED(g->status == STW_G_WAITING);
	LANE_NEXT(g, seq);
	g->status = STW_G_RUNNABLE;
	g->seq = seq;
	LANE_EMIT(STW_EV_GoUnblock, slot, id, seq, LANE_STACK_ARG(stack, stack_index), 0);
	return p;
}

/* GoBlock, GoStop. */
static inline __attribute__((always_inline)) const uint8_t *lane_stop(
	stw_merge *mg, stw_lane *l, unsigned type, uint8_t becomes, int64_t time, const uint8_t *p)
{
	const uint32_t ctx_g = l->g;
	LANE_TAKE(reason);
	LANE_TAKE(stack);
	uint32_t string = stw_generation_string(mg->gen, reason);
	LANE_NEED(string != STW_MAP_NONE && STW_SLOT_OK(ctx_g));
	LANE_STACK(stack_index, stack);
	stw_order_g *g = &l->o->gs.items[ctx_g];
	LANE_NEED(g->status == STW_G_RUNNING);
	g->status = becomes;
	lane_set_g(l, STW_SLOT_NONE);
	LANE_EMIT(type, ctx_g, reason, LANE_STACK_ARG(stack, stack_index), string, 0);
	return p;
}

static inline __attribute__((always_inline)) const uint8_t *lane_create(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t *p)
{
	const uint32_t ctx_g = l->g;
	stw_order *o = l->o;
	LANE_TAKE(id);
	LANE_TAKE(new_stack);
	LANE_TAKE(stack);
	LANE_NEED(STW_SLOT_OK(ctx_g) && o->gs.items[ctx_g].status == STW_G_RUNNING);
	LANE_STACK(new_index, new_stack);
	LANE_STACK(stack_index, stack);
	LANE_NEED(stw_order_find_g(o, (int64_t)id) == STW_MAP_NONE);
	uint32_t slot = stw_order_create_g_fast(o, (int64_t)id, STW_G_RUNNABLE);
	LANE_NEED(slot != STW_SLOT_NONE);
	LANE_EMIT(STW_EV_GoCreate, slot, id, LANE_STACK_ARG(new_stack, new_index), LANE_STACK_ARG(stack, stack_index), 0);
	LANE_NEED(!STW_MERGE_STOPPED(mg));
	return p;
}

static inline __attribute__((always_inline)) const uint8_t *lane_destroy(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t *p)
{
	const uint32_t ctx_g = l->g;
	LANE_NEED(STW_SLOT_OK(ctx_g) && l->o->gs.items[ctx_g].status == STW_G_RUNNING);
	lane_set_g(l, STW_SLOT_NONE);
	LANE_EMIT(STW_EV_GoDestroy, ctx_g, 0, 0, 0, 0);
	stw_order_remove_g_fast(l->o, ctx_g);
	return p;
}

static inline __attribute__((always_inline)) const uint8_t *lane_syscall_begin(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t *p)
{
	const uint32_t ctx_g = l->g;
	LANE_TAKE(seq);
	LANE_TAKE(stack);
	LANE_NEED(STW_SLOT_OK(ctx_g));
	LANE_STACK(stack_index, stack);
	stw_order_g *g = &l->o->gs.items[ctx_g];
	LANE_NEED(g->status == STW_G_RUNNING);
	stw_order_p *s = &l->o->ps.items[l->p_slot];
	LANE_NEXT(s, seq);
	g->status = STW_G_SYSCALL;
	s->status = STW_P_SYSCALL;
	s->seq = seq;
	LANE_EMIT(STW_EV_GoSyscallBegin, ctx_g, seq, LANE_STACK_ARG(stack, stack_index), 0, 0);
	return p;
}

static inline __attribute__((always_inline)) const uint8_t *lane_syscall_end(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t *p)
{
	const uint32_t ctx_g = l->g;
	LANE_NEED(STW_SLOT_OK(ctx_g));
	stw_order_g *g = &l->o->gs.items[ctx_g];
	stw_order_p *s = &l->o->ps.items[l->p_slot];
	LANE_NEED(g->status == STW_G_SYSCALL && s->status == STW_P_SYSCALL);
	g->status = STW_G_RUNNING;
	s->status = STW_P_RUNNING;
	LANE_EMIT(STW_EV_GoSyscallEnd, ctx_g, 0, 0, 0, 0);
	return p;
}

static inline __attribute__((always_inline)) const uint8_t *lane_heap(stw_merge *mg, stw_lane *l, int64_t time, const uint8_t *p)
{
	const uint32_t ctx_g = l->g;
	LANE_TAKE(value);
	LANE_EMIT(STW_EV_HeapAlloc, STW_SLOT_NONE, value, 0, 0, 0);
	return p;
}

/* Does what the event at hand says, if it is a frequent one and as usual. Its end, or NULL: nothing was done. */
static inline __attribute__((always_inline)) const uint8_t *merge_usual(
	stw_merge *mg, stw_lane *l, unsigned type, int64_t time, const uint8_t *p)
{
	switch (type) {
	case STW_EV_GoStart: return lane_start(mg, l, time, p);
	case STW_EV_GoUnblock: return lane_unblock(mg, l, time, p);
	case STW_EV_GoBlock: return lane_stop(mg, l, STW_EV_GoBlock, STW_G_WAITING, time, p);
	case STW_EV_GoStop: return lane_stop(mg, l, STW_EV_GoStop, STW_G_RUNNABLE, time, p);
	case STW_EV_GoCreate: return lane_create(mg, l, time, p);
	case STW_EV_GoDestroy: return lane_destroy(mg, l, time, p);
	case STW_EV_GoSyscallBegin: return lane_syscall_begin(mg, l, time, p);
	case STW_EV_GoSyscallEnd: return lane_syscall_end(mg, l, time, p);
	case STW_EV_HeapAlloc: return lane_heap(mg, l, time, p);
	default: return NULL;
	}
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

/* The latest time at which the first cursor still is the earliest, and no sample comes before. */
static inline __attribute__((always_inline)) int64_t merge_limit(const stw_merge *mg)
{
	int64_t limit = mg->heap[1].time < mg->heap[2].time ? mg->heap[1].time : mg->heap[2].time;
	return mg->sample_time < limit ? mg->sample_time : limit;
}

/* Event types of which a lane is sure that they belong into a thread's stream. */
#define LANE_TYPES                                                                                                                         \
	((uint64_t)1 << STW_EV_GoStart | (uint64_t)1 << STW_EV_GoUnblock | (uint64_t)1 << STW_EV_GoBlock | (uint64_t)1 << STW_EV_GoStop |  \
		(uint64_t)1 << STW_EV_GoCreate | (uint64_t)1 << STW_EV_GoDestroy | (uint64_t)1 << STW_EV_GoSyscallBegin |                  \
		(uint64_t)1 << STW_EV_GoSyscallEnd | (uint64_t)1 << STW_EV_HeapAlloc | (uint64_t)1 << STW_EV_GCSweepBegin |                \
		(uint64_t)1 << STW_EV_GCSweepEnd | (uint64_t)1 << STW_EV_ProcStart | (uint64_t)1 << STW_EV_ProcStop)
#define LANE_KNOWS(type) ((type) < 64 && (LANE_TYPES >> (type)&1))

/* True where a lane may be tried: there is a whole event in the window, and a thread with a proc. */
static inline __attribute__((always_inline)) bool lane_fits(const stw_merge *mg, const stw_cursor *c)
{
	return c->m != STW_SLOT_NONE && c->end - c->p >= STW_EVENT_BYTES_MAX && STW_SLOT_OK(mg->order->ms.items[c->m].p);
}

/* Takes the first cursor's events (just one if `single`) while they are usual and it stays the earliest.
 * *unusual: the event at hand is for merge_advance. */
static inline __attribute__((always_inline)) stwatch_status merge_lane(stw_merge *mg, stw_cursor *c, bool single, bool *unusual)
{
	stw_order *o = mg->order;
	stw_order_m *m = &o->ms.items[c->m];
	stw_lane lane = {.o = o, .m = m, .m_slot = c->m, .p_slot = m->p, .g = m->g, .epoch = o->epoch};
	const int64_t limit = merge_limit(mg);
	const uint64_t factor = mg->gen->ns_factor;
	const uint8_t *p = c->p, *safe = c->end - STW_EVENT_BYTES_MAX, *event = NULL;
	uint8_t type = c->type; /* not kept after it has been looked at: it is to be had at `event` */
	int64_t time = c->time;
	uint64_t dt = 0;
	for (;;) {
		const uint8_t *next = merge_usual(mg, &lane, type, time, p);
		if (STW_UNLIKELY(!next))
			break;
		event = next;
		if (STW_UNLIKELY(event > safe || !(p = stw_varint_short(event + 1, &dt)))) {
			dt = 0;
			goto refresh;
		}
		type = *event;
		time = (int64_t)((uint64_t)time + dt * factor);
		if (single || time > limit) {
			if (STW_UNLIKELY(!LANE_KNOWS(type)))
				goto refresh;
			c->p = p;
			c->type = type;
			c->time = time;
			merge_place(mg, c, time);
			return STWATCH_OK;
		}
	}
	if (event) {
		if (!LANE_KNOWS(*event))
			goto refresh; /* whether it belongs here has not been looked at */
		c->p = p;
		c->type = *event;
		c->time = time;
	}
	*unusual = true;
	return STWATCH_OK;
refresh: /* from the event's beginning, with all checks */
	c->p = event;
	c->time = (int64_t)((uint64_t)time - dt * factor);
	return merge_settle(mg, c, merge_refresh(mg, c));
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

/* Hands on the next event or, if not `single`, up to so many times the earliest thread's next ones, its lane. An event may
 * stand for two or three. STWATCH_OK; STWATCH_END; or an error. */
static inline __attribute__((always_inline)) stwatch_status merge_lanes(stw_merge *mg, bool single, unsigned lanes)
{
	const bool whole_ns = mg->gen->ns_factor != 0;
	for (;;) {
		stw_cursor *c = mg->heap[0].cursor;
		bool unusual = false;
		stwatch_status status;
		if (STW_UNLIKELY(mg->sample_time < mg->heap[0].time || !c)) {
			if (!c && mg->next_sample >= mg->gen->samples.count)
				return STWATCH_END;
			merge_sample(mg);
			return STWATCH_OK;
		}
		if (STW_UNLIKELY(!lane_fits(mg, c) || !whole_ns))
			return merge_first(mg, c);
		status = merge_lane(mg, c, single, &unusual);
		if (STW_UNLIKELY(unusual))
			return merge_first(mg, c);
		if (status != STWATCH_OK || single || --lanes == 0)
			return status;
	}
}

/* One event, or one thread's next ones. */
static inline __attribute__((always_inline)) stwatch_status merge_run(stw_merge *mg, bool single)
{
	return merge_lanes(mg, single, 1);
}

static inline __attribute__((always_inline)) stwatch_status merge_step(stw_merge *mg)
{
	return merge_lanes(mg, true, 1);
}
