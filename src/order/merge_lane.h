/* The short way through the merge; part of merge_step.h.
 *
 * A thread's events mostly come in runs: it stays the earliest for several. Within such a run (a lane) nothing has to be
 * asked of the heap but one limit, and what is known of the thread stays in registers. In a lane, the frequent events are
 * taken if everything about them is as usual: merge_usual holds the conditions under which merge_advance would let them
 * pass, and what it would then do. Whatever is not usual is left untouched, and merge_advance has the say. */

/* Reads a varint of up to four bytes; more are left to the full rules. No look at the end: a lane keeps away from it. */
#define LANE_TAKE(v) \
	uint64_t v; \
	if (STW_UNLIKELY(!(p = stw_varint_short(p, &v)))) \
		return NULL
#define LANE_NEED(condition) \
	if (STW_UNLIKELY(!(condition))) \
		return NULL
#define LANE_STACK(id) LANE_NEED(stw_generation_stack(mg->gen, (id)) != STW_MAP_NONE)
#define LANE_EMIT(target, a0, a1, a2, a3) \
	STW_MERGE_EMIT(mg, type_is, merge_stamp(mg, time), m_slot, ctx_p, ctx_g, (target), (a0), (a1), (a2), (a3))

/* Does what the event at hand says, if it is a frequent one and as usual. Its end, or NULL: nothing was done. */
static inline __attribute__((always_inline)) const uint8_t *merge_usual(stw_merge *mg, stw_order *o, uint32_t m_slot, unsigned type, int64_t time,
                                                                       const uint8_t *p)
{
	stw_order_m *m = &o->ms.items[m_slot];
	const uint32_t ctx_p = m->p, ctx_g = m->g;
	switch (type) {
	case STW_EV_GoStart: {
		const unsigned type_is = STW_EV_GoStart;
		LANE_TAKE(id);
		LANE_TAKE(seq);
		uint32_t slot = stw_order_find_g(o, (int64_t)id);
		LANE_NEED(slot != STW_MAP_NONE && STW_SLOT_OK(ctx_p) && ctx_g == STW_SLOT_NONE);
		stw_order_g *g = &o->gs.items[slot];
		LANE_NEED(g->status == STW_G_RUNNABLE && next_in_sequence(o, g->epoch, g->seq, seq));
		g->status = STW_G_RUNNING;
		g->seq = seq;
		m->g = slot;
		LANE_EMIT(slot, id, seq, 0, 0);
		return p;
	}
	case STW_EV_GoUnblock: {
		const unsigned type_is = STW_EV_GoUnblock;
		LANE_TAKE(id);
		LANE_TAKE(seq);
		LANE_TAKE(stack);
		uint32_t slot = stw_order_find_g(o, (int64_t)id);
		LANE_NEED(slot != STW_MAP_NONE);
		LANE_STACK(stack);
		stw_order_g *g = &o->gs.items[slot];
		LANE_NEED(g->status == STW_G_WAITING && next_in_sequence(o, g->epoch, g->seq, seq));
		g->status = STW_G_RUNNABLE;
		g->seq = seq;
		LANE_EMIT(slot, id, seq, stack, 0);
		return p;
	}
	case STW_EV_GoBlock: {
		const unsigned type_is = STW_EV_GoBlock;
		LANE_TAKE(reason);
		LANE_TAKE(stack);
		uint32_t string = stw_generation_string(mg->gen, reason);
		LANE_NEED(string != STW_MAP_NONE && STW_SLOT_OK(ctx_p) && STW_SLOT_OK(ctx_g));
		LANE_STACK(stack);
		stw_order_g *g = &o->gs.items[ctx_g];
		LANE_NEED(g->status == STW_G_RUNNING);
		g->status = STW_G_WAITING;
		m->g = STW_SLOT_NONE;
		LANE_EMIT(ctx_g, reason, stack, string, 0);
		return p;
	}
	case STW_EV_GoStop: {
		const unsigned type_is = STW_EV_GoStop;
		LANE_TAKE(reason);
		LANE_TAKE(stack);
		uint32_t string = stw_generation_string(mg->gen, reason);
		LANE_NEED(string != STW_MAP_NONE && STW_SLOT_OK(ctx_p) && STW_SLOT_OK(ctx_g));
		LANE_STACK(stack);
		stw_order_g *g = &o->gs.items[ctx_g];
		LANE_NEED(g->status == STW_G_RUNNING);
		g->status = STW_G_RUNNABLE;
		m->g = STW_SLOT_NONE;
		LANE_EMIT(ctx_g, reason, stack, string, 0);
		return p;
	}
	case STW_EV_GoDestroy: {
		const unsigned type_is = STW_EV_GoDestroy;
		LANE_NEED(STW_SLOT_OK(ctx_p) && STW_SLOT_OK(ctx_g) && o->gs.items[ctx_g].status == STW_G_RUNNING);
		m->g = STW_SLOT_NONE;
		LANE_EMIT(ctx_g, 0, 0, 0, 0);
		stw_order_remove_g(o, ctx_g);
		return p;
	}
	case STW_EV_GoSyscallBegin: {
		const unsigned type_is = STW_EV_GoSyscallBegin;
		LANE_TAKE(seq);
		LANE_TAKE(stack);
		LANE_NEED(STW_SLOT_OK(ctx_p) && STW_SLOT_OK(ctx_g));
		LANE_STACK(stack);
		stw_order_g *g = &o->gs.items[ctx_g];
		stw_order_p *s = &o->ps.items[ctx_p];
		LANE_NEED(g->status == STW_G_RUNNING && next_in_sequence(o, s->epoch, s->seq, seq));
		g->status = STW_G_SYSCALL;
		s->status = STW_P_SYSCALL;
		s->seq = seq;
		LANE_EMIT(ctx_g, seq, stack, 0, 0);
		return p;
	}
	case STW_EV_GoSyscallEnd: {
		const unsigned type_is = STW_EV_GoSyscallEnd;
		LANE_NEED(STW_SLOT_OK(ctx_p) && STW_SLOT_OK(ctx_g));
		stw_order_g *g = &o->gs.items[ctx_g];
		stw_order_p *s = &o->ps.items[ctx_p];
		LANE_NEED(g->status == STW_G_SYSCALL && s->status == STW_P_SYSCALL);
		g->status = STW_G_RUNNING;
		s->status = STW_P_RUNNING;
		LANE_EMIT(ctx_g, 0, 0, 0, 0);
		return p;
	}
	case STW_EV_HeapAlloc: {
		const unsigned type_is = STW_EV_HeapAlloc;
		LANE_TAKE(value);
		LANE_NEED(STW_SLOT_OK(ctx_p));
		LANE_EMIT(STW_SLOT_NONE, value, 0, 0, 0);
		return p;
	}
	default:
		return NULL;
	}
}

/* What follows from a refreshed first cursor: its place in the heap. */
static inline stwatch_status merge_settle(stw_merge *mg, stw_cursor *c, stwatch_status refreshed)
{
	if (STW_UNLIKELY(refreshed != STWATCH_OK)) {
		if (refreshed != STWATCH_END)
			return refreshed;
		stw_merge_remove(mg, 0);
		return STWATCH_OK;
	}
	mg->heap[0].time = c->time;
	if ((mg->n_heap > 1 && mg->heap[1].time < c->time) || (mg->n_heap > 2 && mg->heap[2].time < c->time))
		stw_merge_sift_down(mg, 0);
	return STWATCH_OK;
}

/* The latest time at which the first cursor still is the earliest, and no sample comes before. */
static inline int64_t merge_limit(const stw_merge *mg)
{
	int64_t limit = mg->sample_time;
	if (mg->n_heap > 1 && mg->heap[1].time < limit)
		limit = mg->heap[1].time;
	if (mg->n_heap > 2 && mg->heap[2].time < limit)
		limit = mg->heap[2].time;
	return limit;
}

/* Event types that a lane goes on to: those of one thread's stream. The others are looked at closely. */
#define LANE_TYPES \
	((uint64_t)1 << STW_EV_GoStart | (uint64_t)1 << STW_EV_GoUnblock | (uint64_t)1 << STW_EV_GoBlock | (uint64_t)1 << STW_EV_GoStop | \
	 (uint64_t)1 << STW_EV_GoCreate | (uint64_t)1 << STW_EV_GoDestroy | (uint64_t)1 << STW_EV_GoSyscallBegin | \
	 (uint64_t)1 << STW_EV_GoSyscallEnd | (uint64_t)1 << STW_EV_HeapAlloc | (uint64_t)1 << STW_EV_GCSweepBegin | \
	 (uint64_t)1 << STW_EV_GCSweepEnd | (uint64_t)1 << STW_EV_ProcStart | (uint64_t)1 << STW_EV_ProcStop)

/* Takes the first cursor's events while they are usual and it stays the earliest, at most n. Counts them down from n.
 * *unusual: the first cursor's event at hand is for merge_advance. */
static inline __attribute__((always_inline)) stwatch_status merge_lane(stw_merge *mg, stw_cursor *c, unsigned *n, bool *unusual)
{
	stw_order *const o = mg->order;
	const int64_t limit = merge_limit(mg);
	const uint64_t factor = mg->gen->ns_factor;
	const uint8_t *p = c->p, *safe = c->end - STW_EVENT_BYTES_MAX;
	const uint32_t m_slot = c->m;
	unsigned type = c->type, left = *n;
	int64_t time = c->time;
	do {
		const uint8_t *next = merge_usual(mg, o, m_slot, type, time, p);
		if (STW_UNLIKELY(!next)) {
			*unusual = true;
			break;
		}
		uint64_t dt;
		p = next;
		left--;
		next = NULL;
		if (STW_UNLIKELY(p > safe || *p > 63 || !(LANE_TYPES >> *p & 1) || !(next = stw_varint_short(p + 1, &dt)))) {
			c->p = p;
			c->time = time;
			*n = left;
			return merge_settle(mg, c, merge_refresh(mg, c));
		}
		type = *p;
		p = next;
		time = (int64_t)((uint64_t)time + dt * factor);
	} while (time <= limit && left);
	c->p = p;
	c->type = (uint8_t)type;
	c->time = time;
	*n = left;
	return merge_settle(mg, c, STWATCH_OK);
}

/* The first cursor's event by the full rules, or another's if it has to wait. */
static __attribute__((noinline)) stwatch_status merge_first(stw_merge *mg, stw_cursor *c)
{
	int rc = merge_advance(mg, c);
	if (STW_UNLIKELY(rc != STW_ADVANCE_OK))
		return rc == STW_ADVANCE_WAIT ? merge_others(mg) : mg->error->status;
	return merge_settle(mg, c, merge_refresh(mg, c));
}

/* Hands on the next n events (or more, as one may stand for two or three). STWATCH_OK; STWATCH_END; or an error. */
static inline __attribute__((always_inline)) stwatch_status merge_steps(stw_merge *mg, unsigned n)
{
	stwatch_status status = STWATCH_OK;
	while (n && status == STWATCH_OK) {
		if (STW_UNLIKELY(mg->n_heap == 0 || mg->sample_time < mg->heap[0].time)) {
			if (mg->n_heap == 0 && mg->next_sample >= mg->gen->samples.count)
				return STWATCH_END;
			merge_sample(mg);
			n--;
			continue;
		}
		stw_cursor *c = mg->heap[0].cursor;
		bool unusual = true;
		if (c->m != STW_SLOT_NONE && c->end - c->p >= STW_EVENT_BYTES_MAX && mg->gen->ns_factor) {
			unusual = false;
			status = merge_lane(mg, c, &n, &unusual);
		}
		if (unusual) {
			status = merge_first(mg, c);
			n--;
		}
	}
	return status;
}

static inline __attribute__((always_inline)) stwatch_status merge_step(stw_merge *mg)
{
	return merge_steps(mg, 1);
}
