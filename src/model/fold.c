#include "model/fold.h"

#include <stdlib.h>
#include <string.h>

/* The index of a string, UINT32_MAX where the generation has none such. */
static uint32_t find_string(const stw_generation *gen, const char *text)
{
	size_t length = strlen(text);
	for (uint32_t i = 0; i < gen->strings.count; i++)
		if (gen->strings.items[i].length == length && memcmp(gen->strings.items[i].data, text, length) == 0)
			return i;
	return UINT32_MAX;
}

bool stw_fold_init(stw_fold *f, stw_mem *mem, const stw_generation *gen, const stw_order *order, uint32_t generation, bool figures_only)
{
	memset(f, 0, sizeof *f);
	f->mem = mem;
	f->gen = gen;
	f->order = order;
	f->generation = generation;
	f->figures_only = figures_only;
	f->slot_end = INT64_MIN;
	f->slot.slot = INT64_MIN;
	f->gc_since = STW_TIME_UNKNOWN;
	f->doubt = f->missing = f->lost_from = f->lost_to = INT64_MIN;
	f->collect.first_begin = f->collect.last_end = f->collect.heap_at = STW_TIME_UNKNOWN;
	f->collect.beginner = STW_SLOT_NONE;
	f->network = find_string(gen, "network");
	f->preempted = find_string(gen, "preempted");
	if (f->preempted == UINT32_MAX &&
		gen->string_ids.unknown) /* the word is lost: whoever stopped did not ask for it, as far as is known */
		f->preempted = gen->string_ids.unknown - 1;
	f->first_time = f->last_time = STW_TIME_UNKNOWN;
	f->first_sample = gen->samples.count ? gen->samples.items[0].time : STW_TIME_UNKNOWN;
	f->last_sample = gen->samples.count ? gen->samples.items[gen->samples.count - 1].time : STW_TIME_UNKNOWN;
	stw_intern_init(&f->names, mem);
	return stw_fold_grow(f);
}

static void let_go(stw_fold *f)
{
	stw_vec_free(f->mem, &f->gs);
	stw_vec_free(f->mem, &f->more);
	stw_vec_free(f->mem, &f->ps);
	stw_vec_free(f->mem, &f->collect.by_stack);
}

void stw_fold_free(stw_fold *f)
{
	if (!f->mem)
		return;
	let_go(f);
	stw_intern_free(&f->names);
	stw_vec_free(f->mem, &f->stays);
	stw_vec_free(f->mem, &f->uses);
	stw_vec_free(f->mem, &f->stops);
	stw_vec_free(f->mem, &f->stop_moments);
	stw_vec_free(f->mem, &f->wakes);
	stw_vec_free(f->mem, &f->slots);
	stw_vec_free(f->mem, &f->silences);
	stw_vec_free(f->mem, &f->cycles);
	stw_vec_free(f->mem, &f->alone);
	stw_vec_free(f->mem, &f->tails);
	stw_vec_free(f->mem, &f->tail_ps);
	stw_vec_free(f->mem, &f->gone);
	stw_vec_free(f->mem, &f->stopped_at);
	stw_vec_free(f->mem, &f->collect.sites);
	f->mem = NULL;
}

void stw_fold_shrink(stw_fold *f)
{
	let_go(f);
	f->gen = NULL;
	f->order = NULL;
}

/* New slots know nothing: an event can only reach them after a status or creation, except for goroutines that an exact
 * reading knows from before the generation, which then count as heads. */
bool stw_fold_grow(stw_fold *f)
{
	size_t n_gs = f->order->gs.count, n_ps = f->order->ps.count;
	if (!stw_vec_reserve(f->mem, &f->gs, n_gs - f->gs.count) || !stw_vec_reserve(f->mem, &f->more, n_gs - f->more.count) ||
		!stw_vec_reserve(f->mem, &f->ps, n_ps - f->ps.count)) {
		f->failed = true;
		return false;
	}
	for (size_t i = f->gs.count; i < n_gs; i++) {
		f->gs.items[i] = (stw_fold_g){.since = STW_TIME_UNKNOWN, .waker = STWATCH_NONE, .p = STW_SLOT_NONE};
		f->more.items[i] = (stw_fold_g_more){.long_to = STW_TIME_UNKNOWN};
	}
	for (size_t i = f->ps.count; i < n_ps; i++)
		f->ps.items[i] = (stw_fold_p){.since = STW_TIME_UNKNOWN, .g = STW_SLOT_NONE, .last_g = STWATCH_NONE, .use_g = STWATCH_NONE};
	f->gs.count = f->more.count = n_gs;
	f->ps.count = n_ps;
	return true;
}

bool stw_fold_continue(stw_fold *f, stw_fold *before)
{
	if (!stw_fold_init(f, before->mem, before->gen, before->order, before->generation, before->figures_only) ||
		!stw_fold_grow(before)) {
		stw_fold_free(f);
		return false;
	}
	f->first_time = before->last_time;
	f->doubt = before->doubt;
	f->missing = before->missing;
	f->lost_from = before->lost_from;
	f->lost_to = before->lost_to;
	f->slot_end = INT64_MIN;
	f->untold = before->untold;
	if (f->untold && !stw_vec_reserve(f->mem, &f->stopped_at, f->ps.count)) {
		stw_fold_free(f);
		return false;
	}
	for (size_t i = 0; f->untold && i < f->ps.count; i++)
		f->stopped_at.items[f->stopped_at.count++] = stw_fold_proc_since(before, (uint32_t)i);
	for (size_t i = 0; i < f->gs.count; i++) {
		stw_fold_g *g = &f->gs.items[i];
		*g = before->gs.items[i];
		g->since = STW_TIME_UNKNOWN;
		g->run_ns = 0;
		g->runs = g->blocks = 0;
		g->created = false;
		if (g->how == STW_HOW_ALONE) /* the list that it stands in stays behind */
			g->how = STW_HOW_WOKEN;
		f->more.items[i] = before->more.items[i];
		f->more.items[i].gc_from = before->last_time;
	}
	for (size_t i = 0; i < f->ps.count; i++) {
		stw_fold_p *p = &f->ps.items[i];
		*p = before->ps.items[i];
		p->since = STW_TIME_UNKNOWN;
		p->starts = 0;
		p->polled = 0;
		memset(p->total, 0, sizeof p->total);
	}
	if (before->gc_since != STW_TIME_UNKNOWN)
		f->gc_since = before->last_time;
	f->heap_goal = before->heap_goal;
	f->collect.heap = before->collect.heap;
	f->collect.live = before->collect.live;
	f->collect.beginner = before->collect.beginner;
	return true;
}

int64_t stw_histogram_value(unsigned bucket)
{
	if (bucket < STW_HISTOGRAM_STEPS)
		return bucket;
	unsigned top = bucket / STW_HISTOGRAM_STEPS + 3;
	int64_t step = (int64_t)1 << (top - 4);
	return ((int64_t)1 << top) + (bucket % STW_HISTOGRAM_STEPS) * step + step / 2;
}

/* What a wait is for; that of a head stands in an earlier generation. */
static uint8_t wait_of(const stw_fold *f, const stw_fold_g *g)
{
	if (g->state != STW_GO_WAITING || g->since == STW_TIME_UNKNOWN)
		return STW_WAIT_UNKNOWN;
	const stw_string *s = &f->gen->strings.items[g->reason];
	return (uint8_t)stw_wait_of(s->data, s->length);
}

/* Runnable by itself: nobody's stack stands for it. */
static bool is_by_itself(uint8_t state, uint8_t how)
{
	return state == STW_GO_RUNNABLE && (how == STW_HOW_PREEMPTED || how == STW_HOW_YIELDED || how == STW_HOW_SYSCALL);
}

void stw_fold_keep_stay(stw_fold *f, uint32_t slot, int64_t to, uint8_t next)
{
	stw_fold_g *g = &f->gs.items[slot];
	if (f->figures_only && g->since != STW_TIME_UNKNOWN)
		return;
	if (g->state == STW_GO_WAITING || g->state == STW_GO_SYSCALL) {
		f->more.items[slot].long_from = g->since;
		f->more.items[slot].long_to = to;
		f->more.items[slot].long_state = g->state;
	}
	stw_stay *s = stw_vec_push(f->mem, &f->stays);
	if (!s) {
		f->failed = true;
		return;
	}
	*s = (stw_stay){
		.g = f->order->gs.items[slot].id,
		.from = g->since,
		.to = to,
		/* A wait that ends as it should, in sequence, was one; who stood runnable may have run unseen. */
		.not_before = g->state == STW_GO_RUNNABLE ? f->doubt : f->missing,
		.p = STW_SLOT_OK(g->p) ? stw_order_p_id(f->order, g->p) : STWATCH_NONE,
		.waker = g->waker,
		.run_ns = g->run_ns,
		.runs = g->runs,
		.blocks = g->blocks,
		.generation = f->generation,
		.root = g->root,
		.stack = g->stack,
		.wake_stack = is_by_itself(g->state, g->how) ? 0 : g->wake_stack,
		.reason = g->reason,
		.state = g->state,
		.how = g->how,
		.wait = wait_of(f, g),
		.next = next,
		.gc_worker = g->collects & STW_MARKS,
	};
}

void stw_fold_keep_use(stw_fold *f, uint32_t slot, int64_t to)
{
	stw_fold_p *p = &f->ps.items[slot];
	if (p->since != STW_TIME_UNKNOWN)
		p->total[p->use] += to - p->since;
	if (p->since != STW_TIME_UNKNOWN && p->use == STW_USE_USER)
		return;
	stw_proc_use *u = stw_vec_push(f->mem, &f->uses);
	if (!u) {
		f->failed = true;
		return;
	}
	*u = (stw_proc_use){.p = f->order->ps.items[slot].id,
		.from = p->since,
		.to = to,
		.not_before = f->doubt,
		.g = p->use == STW_USE_SYSCALL ? p->use_g : STWATCH_NONE,
		.use = p->use,
		.worker = p->use == STW_USE_GC ? p->worker : STW_WORKER_NONE};
}

/* Who is woken late by one that was itself held up has been delayed by it. */
void stw_fold_keep_wake(stw_fold *f, uint32_t slot, uint32_t waker, int64_t at)
{
	const stw_fold_g *g = &f->gs.items[slot];
	const stw_fold_g_more *w = &f->more.items[waker];
	if (f->figures_only || w->long_to == STW_TIME_UNKNOWN || g->since == STW_TIME_UNKNOWN || w->long_to <= g->since ||
		(w->long_from < g->since ? w->long_from : g->since) < f->doubt)
		return;
	stw_wake *k = stw_vec_push(f->mem, &f->wakes);
	if (!k) {
		f->failed = true;
		return;
	}
	*k = (stw_wake){
		.at = at,
		.waker = f->order->gs.items[waker].id,
		.g = f->order->gs.items[slot].id,
		.from = g->since,
		.held_from = w->long_from,
		.held_to = w->long_to,
		.generation = f->generation,
		.root = g->root,
		.stack = g->stack,
		.held_state = w->long_state,
	};
}

void stw_fold_keep_silence(stw_fold *f, int64_t from, int64_t to)
{
	stw_silence s = {.from = from, .to = to, .g = STWATCH_NONE, .p = STWATCH_NONE, .generation = f->generation};
	for (size_t i = 0; i < f->ps.count; i++) {
		const stw_fold_p *p = &f->ps.items[i];
		/* A mark worker that goes on after a preemption, without saying in which mode, is about to end the collection. */
		if (!p->known || p->use != STW_USE_USER || !STW_SLOT_OK(p->g) || f->gs.items[p->g].collects & STW_MARKS)
			continue;
		s.n_user++;
		s.g = f->order->gs.items[p->g].id;
		s.p = f->order->ps.items[i].id;
		s.root = f->gs.items[p->g].root;
	}
	if ((!s.n_user && (f->figures_only || to - from < STW_KEEP_IDLE_SILENCE_NS)) || from < f->doubt || from < f->lost_to || f->partial)
		return;
	stw_silence *kept = stw_vec_push(f->mem, &f->silences);
	if (kept)
		*kept = s;
	else
		f->failed = true;
}

/* Only a wait from before the generation has no reason here. */
void stw_fold_woken_alone(stw_fold *f, uint32_t slot, uint32_t p)
{
	stw_fold_g *g = &f->gs.items[slot];
	if (g->since == STW_TIME_UNKNOWN && !g->reason) {
		stw_alone *a = stw_vec_push(f->mem, &f->alone);
		if (!a) {
			f->failed = true;
			return;
		}
		*a = (stw_alone){f->order->gs.items[slot].id, stw_order_p_id(f->order, p), -1};
		f->more.items[slot].alone = (uint32_t)f->alone.count - 1;
		g->how = STW_HOW_ALONE;
		return;
	}
	if (g->reason != f->network)
		return;
	g->how = STW_HOW_POLLED;
	f->collect.polled++;
	if (STW_SLOT_OK(p))
		f->ps.items[p].polled++;
	else
		f->collect.polled_late++;
}

void stw_fold_alone_runs(stw_fold *f, uint32_t slot, int64_t waited)
{
	if (waited < 0)
		return;
	if (f->gs.items[slot].how == STW_HOW_ALONE) {
		f->alone.items[f->more.items[slot].alone].waited = waited;
		return;
	}
	f->polled_latency[stw_histogram_bucket(waited)]++;
	f->polled_ns += waited;
	if (waited > f->polled_max)
		f->polled_max = waited;
}

void stw_fold_next_slot(stw_fold *f, int64_t at)
{
	if (f->slot.slot != INT64_MIN) {
		stw_backlog_slot *s = stw_vec_push(f->mem, &f->slots);
		if (s)
			*s = f->slot;
		else
			f->failed = true;
	}
	int64_t slot = at / STW_SLOT_NS;
	f->slot = (stw_backlog_slot){slot, f->backlog, f->backlog};
	f->slot_end = slot < INT64_MAX / STW_SLOT_NS ? (slot + 1) * STW_SLOT_NS : INT64_MAX;
}

void stw_fold_merge_round(stw_fold *f)
{
	const stw_backlog_round *r = &f->round;
	uint32_t next[STW_ROUND_TURNS], end[STW_ROUND_TURNS], n = 0, begin = 0;
	for (uint32_t i = 0; i < r->n_turns; begin = r->ends[i++])
		if (r->ends[i] > begin) {
			next[n] = begin;
			end[n++] = r->ends[i];
		}
	int32_t backlog = r->before, most = f->slot.max, least = f->slot.min;
	for (uint32_t first = 0; n; first = 0) {
		uint64_t until = UINT64_MAX; /* the earliest of the others: up to there it is the first one's turn */
		for (uint32_t i = 1; i < n; i++) {
			const uint64_t time = r->changes[next[i]] >> 1, earliest = r->changes[next[first]] >> 1;
			if (time < earliest)
				first = i;
			const uint64_t other = time < earliest ? earliest : time;
			until = other < until ? other : until;
		}
		uint32_t at = next[first];
		for (const uint32_t to = end[first]; at < to && r->changes[at] >> 1 <= until; at++) {
			backlog += (int32_t)(r->changes[at] & 1) * 2 - 1;
			most = backlog > most ? backlog : most;
			least = backlog < least ? backlog : least;
		}
		next[first] = at;
		if (at == end[first]) {
			next[first] = next[--n];
			end[first] = end[n];
		}
	}
	f->slot.max = most;
	f->slot.min = least;
}

static void hand_over_gs(stw_fold *f)
{
	for (uint32_t slot = 0; slot < f->gs.count && slot < f->order->gs.count; slot++) {
		int64_t id = f->order->gs.items[slot].id;
		if (f->gs.items[slot].state == STW_GO_UNDETERMINED || f->gs.items[slot].state == STW_GO_NOT_EXIST ||
			!stw_order_is_alive(f->order, slot))
			continue;
		stw_tail_g *t = stw_vec_push(f->mem, &f->tails);
		if (!t) {
			f->failed = true;
			return;
		}
		const stw_fold_g_more *more = &f->more.items[slot];
		*t = (stw_tail_g){id, more->made_at, more->maker, more->made_by, more->maker_by, f->gs.items[slot]};
		t->g.wait = wait_of(f, &f->gs.items[slot]);
		if (t->g.state == STW_GO_RUNNING && t->g.collects && f->last_time > f->more.items[slot].gc_from)
			stw_fold_worked(f, slot, f->last_time);
	}
}

static void hand_over_ps(stw_fold *f)
{
	for (uint32_t slot = 0; slot < f->ps.count; slot++) {
		if (!f->ps.items[slot].known)
			continue;
		stw_tail_p *t = stw_vec_push(f->mem, &f->tail_ps);
		if (!t) {
			f->failed = true;
			return;
		}
		*t = (stw_tail_p){f->order->ps.items[slot].id, f->ps.items[slot], stw_order_g_id(f->order, f->ps.items[slot].g)};
		if (f->lost_to == INT64_MAX) { /* what it did last may not be what it did at the end */
			t->p.since = STW_TIME_UNKNOWN;
			t->p.use = STW_USE_UNKNOWN;
		}
	}
}

static int by_time(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_stays_end(const void *a, const void *b)
{
	return by_time(((const stw_stay *)a)->to, ((const stw_stay *)b)->to);
}

static int by_uses_end(const void *a, const void *b)
{
	return by_time(((const stw_proc_use *)a)->to, ((const stw_proc_use *)b)->to);
}

static int by_moment(const void *a, const void *b)
{
	return by_time(((const stw_wake *)a)->at, ((const stw_wake *)b)->at);
}

/* Threads' turns leave lists nearly in order of time. */
static void put_in_order(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	const char *item = items;
	for (size_t i = 1; i < count; i++, item += size)
		if (compare(item, item + size) > 0) {
			qsort(items, count, size, compare);
			return;
		}
}

void stw_fold_finish(stw_fold *f)
{
	put_in_order(f->stays.items, f->stays.count, sizeof *f->stays.items, by_stays_end);
	put_in_order(f->uses.items, f->uses.count, sizeof *f->uses.items, by_uses_end);
	put_in_order(f->wakes.items, f->wakes.count, sizeof *f->wakes.items, by_moment);
	if (f->slot.slot != INT64_MIN)
		stw_fold_next_slot(f, f->last_time);
	if (f->gc_since != STW_TIME_UNKNOWN && f->last_time > f->gc_since)
		f->gc_mark_ns += f->last_time - f->gc_since;
	f->threads = f->order->ms.count;
	hand_over_gs(f);
	hand_over_ps(f);
	stw_fold_keep_sites(f);
}

stw_wait stw_wait_of(const char *reason, size_t length)
{
	/* runtime/traceruntime.go: traceBlockReasonStrings, and the wait reasons that later versions use. */
	static const struct {
		const char *reason;
		stw_wait wait;
	} known[] = {
		{"", STW_WAIT_SWITCH},
		{STW_UNKNOWN_STRING, STW_WAIT_UNKNOWN},
		{"sync", STW_WAIT_SYNC},
		{"sync.(*Cond).Wait", STW_WAIT_COND},
		{"chan send", STW_WAIT_SEND},
		{"chan receive", STW_WAIT_RECEIVE},
		{"select", STW_WAIT_SELECT},
		{"sleep", STW_WAIT_SLEEP},
		{"network", STW_WAIT_NETWORK},
		{"forever", STW_WAIT_FOREVER},
		{"preempted", STW_WAIT_PREEMPTED},
		{"wait until GC ends", STW_WAIT_GC},
		{"synctest", STW_WAIT_RUNTIME},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i].reason) == length && memcmp(known[i].reason, reason, length) == 0)
			return known[i].wait;
	if (length >= 2 && memcmp(reason, "GC", 2) == 0)
		return STW_WAIT_GC;
	return STW_WAIT_RUNTIME;
}
