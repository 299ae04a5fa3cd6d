/* The way through a generation for who takes an event when its thread wrote it, in any valid order; part of merge_step.h.
 *
 * Threads that work at the same time take turns every other event, in an order that no processor foresees: the wrong guesses
 * cost more than the events. But what threads do is bound together by sequence numbers and goroutines' states alone, not by
 * time. So in a round each thread has one lane, up to a time before which nothing but usual events stands in any thread's stream:
 *
 *   1. Each thread that has an event early enough is looked ahead at: up to where only usual events come. But for one, the leader, which goes
 *      first: where it comes to what is not usual, or has to wait, the round ends for all.
 *   2. The least of these times is the round's limit. What is not usual is so taken at a moment at which all that was
 *      written before it has been taken, and nothing that was written after it.
 *   3. Each thread's events up to there are taken. A thread that has to wait for another's event goes on after that one's turn.
 *
 * Times: an event has the time that its thread wrote, but is later than its thread's event before, and than the last event of
 * the goroutine that it starts or wakes. (Where threads' clocks disagree; the stream of events has Go's rule, by which times strictly
 * increase over all threads.)
 *
 * In a trace that contradicts itself, another order may find another fault: who wants Go's verdict reads in turn (mg->in_turn). */

enum {
	ROUND_THREADS = 32, /* at most */
	ROUND_TURNS = 4 * ROUND_THREADS, /* at most */
	LOOK_EVENTS = 64, /* at most so many ahead at a time … */
	LOOK_BYTES = 64, /* … where fewer bytes than that have been looked at */
	LEAD_BYTES = 2048, /* at most so many at a time of a thread that is not looked ahead at */
	ROUND_EVENTS = ROUND_THREADS * (LOOK_EVENTS + LOOK_BYTES / 2) +
		LEAD_BYTES / 2 /* of at least two bytes each: that a round can have */
};

/* STW_MERGE_ROUND_BEGIN(mg), _TURN(mg) and _END(mg) are called before a round of several threads, after each turn, and after the round. */

/* Behind a varint of up to four bytes; NULL where it is longer. */
static inline __attribute__((always_inline)) const uint8_t *round_skip(const uint8_t *p)
{
	if (*p++ >= 0x80 && *p++ >= 0x80 && *p++ >= 0x80 && *p++ >= 0x80)
		return NULL;
	return p;
}

/* Looks ahead in a thread's stream: all its events up to c->ahead_time are usual as far as types and lengths tell. What a thread does repeats
 * itself, so branches by types and lengths are foreseen. */
static inline void round_look(const stw_merge *mg, stw_cursor *c)
{
	const uint64_t factor = mg->gen->ns_factor;
	const uint8_t *p = c->ahead, *const safe = c->lane.safe;
	int64_t time = c->ahead_time;
	uint8_t type = c->ahead_type;
	if (p < c->p) { /* it has been taken */
		p = c->p;
		time = c->time;
		type = c->type;
	}
	if (p - c->p >= LOOK_BYTES)
		return;
	for (unsigned n = 0; n < LOOK_EVENTS; n++) {
		const uint8_t *next = p;
		switch (lane_fields[type]) {
		case 5:
			if (STW_UNLIKELY(!(next = round_skip(next))))
				goto end;
			/* fallthrough */
		case 4:
			if (STW_UNLIKELY(!(next = round_skip(next))))
				goto end;
			/* fallthrough */
		case 3:
			if (STW_UNLIKELY(!(next = round_skip(next))))
				goto end;
			/* fallthrough */
		case 2:
			if (STW_UNLIKELY(!(next = round_skip(next))))
				goto end;
			/* fallthrough */
		default: break;
		}
		if (STW_UNLIKELY(!lane_fields[*next] || next > safe))
			break;
		uint64_t units = next[1];
		const uint8_t *args = next + 2;
		if (STW_UNLIKELY(units - 1 >= 0x7f)) { /* as in a lane */
			const uint64_t more = *args++ - (uint64_t)1;
			if (units == 0 || more >= 0x7f)
				break;
			units = (units & 0x7f) | (more + 1) << 7;
		}
		type = *next;
		time += (int64_t)(units * factor);
		p = args;
	}
end:
	c->ahead = p;
	c->ahead_time = time;
	c->ahead_type = type;
}

typedef enum round_turn {
	TURN_DONE,
	TURN_WAITS, /* for another thread's event */
	TURN_OVER, /* the stream is at its end */
	TURN_FAILED
} round_turn;

/* When the last event was of what a thread's event is about, and the thread's own. */
static int64_t round_follows(const stw_merge *mg, const stw_cursor *c)
{
	int64_t since = c->told;
	if (c->type == STW_EV_GoStart || c->type == STW_EV_GoUnblock) {
		uint64_t id;
		const uint32_t slot = stw_varint_get(c->p, c->end, &id) ? stw_order_find_g(mg->order, (int64_t)id) : STW_MAP_NONE;
		if (slot != STW_MAP_NONE && STW_MERGE_SINCE(mg, slot) > since)
			since = STW_MERGE_SINCE(mg, slot);
	}
	return since;
}

/* The event at hand of a cursor by the full rules, when its thread wrote it. */
static __attribute__((noinline)) int round_tell(stw_merge *mg, stw_cursor *c, int64_t last)
{
	const int64_t high = mg->last_time, since = round_follows(mg, c);
	if (since >= last)
		return STW_ADVANCE_WAIT;
	mg->last_time = since >= c->time ? since : c->time - 1;
	const int rc = merge_tell(mg, c);
	if (mg->last_time < high)
		mg->last_time = high;
	return rc;
}

/* A thread's events up to the limit, of one that leads within so many bytes; *taken: how many lanes there were. */
static inline round_turn round_turn_of(
	stw_merge *mg, stw_cursor *c, bool leads, int64_t limit, int64_t last, size_t *taken, stwatch_status *status)
{
	const uint8_t *const stop = leads && c->end - c->p > LEAD_BYTES ? c->p + LEAD_BYTES : c->end;
	while (c->time <= limit && lane_may(mg, c) && c->p < stop && !STW_MERGE_STOPPED(mg)) {
		const int64_t before = c->told, time = c->time > before ? c->time : before + 1;
		const uint8_t *const safe = c->lane.safe < stop ? c->lane.safe : stop;
		if (STW_UNLIKELY(time > last))
			break;
		lane_end end = lane_run(mg, c, time, time == c->time ? limit : INT64_MIN, safe, status);
		*taken += c->told != before;
		if (mg->last_time < c->told)
			mg->last_time = c->told;
		if (end == LANE_STUCK) {
			const int rc = STW_UNLIKELY(STW_MERGE_STOPPED(mg)) ? STW_ADVANCE_WAIT : round_tell(mg, c, last);
			if (rc == STW_ADVANCE_WAIT)
				return TURN_WAITS;
			if (rc == STW_ADVANCE_FAIL) {
				*status = mg->error->status;
				return TURN_FAILED;
			}
			*taken += 1;
			end = lane_refresh(mg, c, status);
		}
		if (STW_UNLIKELY(end != LANE_ON))
			return end == LANE_OVER ? TURN_OVER : TURN_FAILED;
		if (leads && c->lane.stamp == 0) /* other bytes in the window */
			break;
	}
	return TURN_DONE;
}

/* Puts the cursors that were at these places of the heap, each below those before it, where they belong now. */
static void round_place(stw_merge *mg, const uint32_t *at, stw_cursor *const *cursors, size_t n, size_t n_over)
{
	for (size_t i = n; i-- > 0;) {
		mg->heap[at[i]].time = cursors[i]->time;
		stw_merge_sift_down(mg, at[i]);
	}
	for (size_t i = 0; n_over && i < mg->n_heap; i++)
		while (i < mg->n_heap && mg->heap[i].cursor->over) {
			stw_merge_remove(mg, i);
			n_over--;
			i = 0;
		}
}

/* A round of several threads. */
static __attribute__((noinline)) stwatch_status round_of(
	stw_merge *mg, const uint32_t *at, size_t n, stw_cursor *leader, int64_t limit, int64_t last, size_t *taken)
{
	stw_cursor *cursors[ROUND_THREADS], *waiting[ROUND_THREADS];
	stwatch_status status = STWATCH_OK;
	size_t n_waiting = n, n_over = 0, turns = 0, before;
	for (size_t i = 0; i < n; i++)
		waiting[i] = cursors[i] = mg->heap[at[i]].cursor;
	if (leader)
		for (size_t i = 1; i < n; i++)
			if (waiting[i] == leader) {
				waiting[i] = waiting[0];
				waiting[0] = leader;
			}
	STW_MERGE_ROUND_BEGIN(mg);
	do {
		const size_t n_now = n_waiting;
		before = *taken;
		n_waiting = 0;
		for (size_t i = 0; i < n_now; i++) {
			stw_cursor *const c = waiting[i];
			const bool leads = leader && c == leader;
			const round_turn turn = round_turn_of(mg, c, leads, limit, last, taken, &status);
			STW_MERGE_ROUND_TURN(mg);
			turns++;
			if (turn == TURN_WAITS)
				waiting[n_waiting++] = c;
			if (turn == TURN_DONE || (turn == TURN_WAITS && leads)) {
				limit = c->time < limit ? c->time : limit;
			} else if (turn == TURN_OVER) {
				c->over = true;
				n_over++;
			} else if (turn == TURN_FAILED) {
				STW_MERGE_ROUND_END(mg);
				return status;
			}
		}
	} while (n_waiting && *taken != before && turns <= ROUND_TURNS - ROUND_THREADS);
	STW_MERGE_ROUND_END(mg);
	round_place(mg, at, cursors, n, n_over);
	return STWATCH_OK;
}

/* The first thread's events while it is the earliest. */
static inline stwatch_status round_alone(stw_merge *mg, stw_cursor *c, int64_t limit, int64_t last, size_t *taken)
{
	stwatch_status status = STWATCH_OK;
	const round_turn turn = round_turn_of(mg, c, false, limit, last, taken, &status);
	if (turn == TURN_FAILED)
		return status;
	if (turn == TURN_OVER)
		stw_merge_remove(mg, 0);
	else
		merge_place(mg, c);
	return STWATCH_OK;
}

/* The first thread, and those others whose next events are usual and not later than *limit, which becomes the time up to which all of them are
 * usual: their places in the heap. */
static inline size_t round_gather(stw_merge *mg, uint32_t at[ROUND_THREADS], int64_t *limit, stw_cursor **leads)
{
	stw_heap_entry *const heap = mg->heap;
	const stw_heap_entry *const second = merge_second(heap);
	size_t n = 1;
	at[0] = 0;
	if (second->time > *limit)
		return n;
	if (mg->in_turn || !lane_may(mg, second->cursor)) {
		*limit = second->time;
		return n;
	}
	stw_cursor *leader = heap[0].cursor->ahead < heap[0].cursor->p ? heap[0].cursor : NULL;
	int64_t to = *limit;
	if (!leader) {
		round_look(mg, heap[0].cursor);
		to = heap[0].cursor->ahead_time < to ? heap[0].cursor->ahead_time : to;
	}
	for (size_t i = 0; i < n; i++)
		for (uint32_t child = 2 * at[i] + 1; child <= 2 * at[i] + 2; child++) {
			if (heap[child].time > to)
				continue;
			stw_cursor *const c = heap[child].cursor;
			if (n == ROUND_THREADS || !lane_may(mg, c)) {
				to = heap[child].time;
				continue;
			}
			at[n++] = child;
			if (!leader && c->ahead < c->p) {
				leader = c;
				continue;
			}
			round_look(mg, c);
			to = c->ahead_time < to ? c->ahead_time : to;
		}
	*limit = to;
	*leads = leader;
	return n;
}

/* Hands on the next events. STWATCH_OK; STWATCH_END; or an error. */
static inline stwatch_status merge_round(stw_merge *mg)
{
	stw_cursor *const c = mg->heap[0].cursor;
	stwatch_status status = STWATCH_OK;
	if (merge_sample_first(mg, &status))
		return status;
	const int64_t last = lane_last(mg);
	if (c->time > last || lane_is_late(mg, c->time) || !lane_may(mg, c))
		return merge_first(mg, c);
	uint32_t at[ROUND_THREADS];
	stw_cursor *leader = NULL;
	int64_t limit = c->time + LANE_STEP_END - 1 < last ? c->time + LANE_STEP_END - 1 : last;
	const size_t n = round_gather(mg, at, &limit, &leader);
	size_t taken = 0;
	status = n == 1 ? round_alone(mg, c, limit, last, &taken) : round_of(mg, at, n, leader, limit, last, &taken);
	return status == STWATCH_OK && !taken ? merge_first(mg, c) : status;
}
