/* Stays that were long enough to matter: candidates for the rules. */
#include <stdlib.h>

#include "analysis/gather.h"

static int64_t length_of(const stw_candidate *c)
{
	return c->to - c->from;
}

static int longest_first(const void *x, const void *y)
{
	const stw_candidate *a = x, *b = y;
	if (length_of(a) != length_of(b))
		return length_of(a) < length_of(b) ? 1 : -1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->g < b->g ? -1 : a->g > b->g;
}

void stw_candidates_sort(stw_candidates *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof *list->items, longest_first);
}

bool stw_candidates_keep(stw_mem *mem, stw_candidates *list, const stw_candidate *candidate)
{
	if (list->count >= STW_MOST_CANDIDATES) {
		stw_candidates_sort(list);
		list->count = STW_MOST_CANDIDATES / 2;
	}
	stw_candidate *c = stw_vec_push(mem, list);
	if (!c)
		return false;
	*c = *candidate;
	return true;
}

static stw_candidate as_told(const stw_gather *a, const stw_stay *s)
{
	stw_candidate c = {
		.g = s->g,
		.from = s->from,
		.to = s->to,
		.p = s->p,
		.waker = s->waker,
		.blocks = s->blocks,
		.root = {s->generation, s->root},
		.stack = {s->generation, s->stack},
		.wake = {s->generation, s->wake_stack},
		.reason_generation = s->generation,
		.reason = s->reason,
		.state = s->state,
		.how = s->how,
		.wait = s->wait,
		.next = s->next,
		.gc_worker = s->gc_worker,
		.begun = true,
		.part = a->part,
		.window = UINT32_MAX,
	};
	const stw_known_g *known = stw_gather_g(a, s->g);
	uint64_t runs = s->runs;
	int64_t run_ns = s->run_ns;
	if (!c.root.stack) /* before Go 1.23 a status has no stack: the one it blocked with ends in its function too */
		c.root = c.stack;
	if (known) {
		runs += known->runs;
		run_ns += known->run_ns;
		c.blocks += known->blocks;
		if (!s->root)
			c.root = known->root.stack ? known->root : known->stack.stack ? known->stack : c.root;
		c.gc_worker |= known->gc_worker;
	}
	if (c.how == STW_HOW_ALONE && known && known->state == STW_GO_WAITING && known->wait == STW_WAIT_NETWORK)
		c.how = STW_HOW_POLLED;
	c.mean_run_ns = runs ? run_ns / (int64_t)runs : -1;
	if (s->from != STW_TIME_UNKNOWN)
		return c;
	if (!known || known->state != s->state || known->since == STW_TIME_UNKNOWN) {
		c.from = a->known_from; /* since before the trace, or before a gap in it */
		c.begun = false;
		return c;
	}
	c.from = known->since;
	c.how = known->how;
	c.wait = known->wait;
	if (s->state == STW_GO_RUNNABLE)
		c.waker = known->waker;
	if (!c.stack.stack)
		c.stack = known->stack;
	if (s->state == STW_GO_RUNNABLE)
		c.wake = known->wake;
	c.reason = known->reason;
	c.reason_generation = known->reason_generation;
	return c;
}

/* What went on while events are missing is not known: it counts from there. */
static stw_candidate whole(const stw_gather *a, const stw_stay *s)
{
	stw_candidate c = as_told(a, s);
	if (c.from < s->not_before) {
		c.from = s->not_before < c.to ? s->not_before : c.to;
		c.begun = false;
	}
	return c;
}

/* Each kind of wait has a list of its own: the many that are idle do not displace those that somebody needs. */
static stw_candidates *waits_of(stw_gather *a, const stw_candidate *c)
{
	switch (c->wait) {
	case STW_WAIT_SYNC: return &a->lock_waits;
	case STW_WAIT_COND:
	case STW_WAIT_SEND:
	case STW_WAIT_RECEIVE:
	case STW_WAIT_SELECT:
	case STW_WAIT_FOREVER: return &a->peer_waits;
	default: return &a->waits;
	}
}

static void count_latency(stw_gather *a, const stw_candidate *c)
{
	int64_t ns = length_of(c);
	a->latency[stw_histogram_bucket(ns)]++;
	a->n_latency++;
	if (ns > a->latency_max)
		a->latency_max = ns;
	if (c->how == STW_HOW_POLLED)
		stw_gather_polled(a, ns);
}

/* A runnable stay from before its generation is seen in whole only here: the fold has counted the others. */
static bool ends_late(const stw_stay *s)
{
	return s->state == STW_GO_RUNNABLE && s->from == STW_TIME_UNKNOWN && s->next == STW_GO_RUNNING;
}

void stw_gather_stay(stw_gather *a, const stw_stay *s)
{
	if (a->figures_only && !ends_late(s))
		return;
	stw_candidate c = whole(a, s);
	int64_t ns = length_of(&c);
	stw_candidates *list = NULL;
	switch (s->state) {
	case STW_GO_RUNNABLE:
		if (ends_late(s) && c.begun)
			count_latency(a, &c);
		if (a->figures_only)
			return;
		if (ns < a->min_idle_ns && ns < a->min_wait_ns && c.how != STW_HOW_POLLED)
			return;
		stw_gather_classify(a, &c);
		if (c.how == STW_HOW_POLLED && c.begun && !stw_candidates_keep(a->mem, &a->polled, &c))
			a->failed = true;
		if (ns >= a->min_wait_ns || c.idle_beside_ns >= a->min_idle_ns)
			list = &a->runnable_stays;
		break;
	case STW_GO_SYSCALL: list = ns >= STW_KEEP_SYSCALL_NS ? &a->syscalls : NULL; break;
	case STW_GO_WAITING: list = ns >= STW_KEEP_WAIT_NS ? waits_of(a, &c) : NULL; break;
	case STW_GO_RUNNING: list = ns >= STW_KEEP_RUN_NS ? &a->runs : NULL; break;
	default: break;
	}
	if (list && !stw_candidates_keep(a->mem, list, &c))
		a->failed = true;
}

/* ---- where the trace ends, or a part of it ---- */

static stw_candidates *list_of_open(stw_gather *a, const stw_candidate *c)
{
	int64_t ns = length_of(c);
	switch (c->state) {
	case STW_GO_RUNNABLE: return ns >= a->min_idle_ns ? &a->runnable_stays : NULL;
	case STW_GO_SYSCALL: return ns >= STW_KEEP_SYSCALL_NS ? &a->syscalls : NULL;
	case STW_GO_WAITING: return ns >= STW_KEEP_WAIT_NS ? waits_of(a, c) : NULL;
	case STW_GO_RUNNING: return ns >= STW_KEEP_RUN_NS ? &a->runs : NULL;
	default: return NULL;
	}
}

/* What a goroutine does at the end is a candidate too. cut: it is not the end of all. */
static void close_goroutine(stw_gather *a, const stw_known_g *g, bool cut)
{
	stw_candidate c = {
		.g = g->id,
		.from = g->since,
		.to = a->last_time,
		.p = STWATCH_NONE,
		.waker = g->waker,
		.blocks = g->blocks,
		.root = g->root,
		.stack = g->stack,
		.wake = g->wake,
		.reason_generation = g->reason_generation,
		.reason = g->reason,
		.state = g->state,
		.how = g->how,
		.wait = g->wait,
		.next = STW_GO_UNDETERMINED,
		.gc_worker = g->gc_worker,
		.open = true,
		.cut = cut,
		.part = a->part,
		.begun = g->since != STW_TIME_UNKNOWN,
		.window = UINT32_MAX,
		.mean_run_ns = g->runs ? g->run_ns / (int64_t)g->runs : -1,
	};
	if (!c.begun)
		c.from = a->known_from;
	if (!c.root.stack)
		c.root = c.stack;
	if (c.state == STW_GO_RUNNABLE)
		stw_gather_classify(a, &c);
	stw_candidates *list = list_of_open(a, &c);
	if (list && !stw_candidates_keep(a->mem, list, &c))
		a->failed = true;
}

void stw_gather_close_goroutines(stw_gather *a, bool cut)
{
	for (size_t i = 0; i < a->gs.count && !a->figures_only; i++)
		if (stw_gather_is_alive(a, &a->gs.items[i]))
			close_goroutine(a, &a->gs.items[i], cut);
}

void stw_gather_keep_left(stw_gather *a, const stw_known_g *g)
{
	if (g->state != STW_GO_WAITING || !g->created || g->since == STW_TIME_UNKNOWN || g->since < a->doubt || g->gc_worker)
		return;
	stw_left *l = stw_vec_push(a->mem, &a->left);
	if (l)
		*l = (stw_left){g->id, g->born, g->since, g->waker, g->root.stack ? g->root : g->stack, g->stack, g->creator, g->creator_by,
			g->wake, g->wait};
	else
		a->failed = true;
}
