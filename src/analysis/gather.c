#include "analysis/gather.h"

#include <stdlib.h>
#include <string.h>

void stw_gather_init(stw_gather *a, stw_mem *mem, int64_t min_wait_ns, int64_t min_idle_ns, int64_t long_stop_ns)
{
	memset(a, 0, sizeof *a);
	a->mem = mem;
	a->min_wait_ns = min_wait_ns;
	a->min_idle_ns = min_idle_ns;
	a->long_stop_ns = long_stop_ns;
	a->first_time = a->last_time = a->known_from = STW_TIME_UNKNOWN;
	a->doubt = INT64_MIN;
	a->first_sample = a->last_sample = STW_TIME_UNKNOWN;
	a->gc_last_end = STW_TIME_UNKNOWN;
	stw_intern_init(&a->names, mem);
	stw_map_init(&a->g_slots, mem);
	stw_map_init(&a->p_slots, mem);
}

void stw_gather_free(stw_gather *a)
{
	if (!a->mem)
		return;
	stw_intern_free(&a->names);
	stw_map_free(&a->g_slots);
	stw_map_free(&a->p_slots);
	stw_vec_free(a->mem, &a->gs);
	stw_vec_free(a->mem, &a->free_gs);
	stw_vec_free(a->mem, &a->ps);
	stw_vec_free(a->mem, &a->runnable_stays);
	stw_vec_free(a->mem, &a->syscalls);
	stw_vec_free(a->mem, &a->lock_waits);
	stw_vec_free(a->mem, &a->peer_waits);
	stw_vec_free(a->mem, &a->waits);
	stw_vec_free(a->mem, &a->left);
	stw_vec_free(a->mem, &a->runs);
	stw_vec_free(a->mem, &a->uses);
	stw_vec_free(a->mem, &a->stops);
	stw_vec_free(a->mem, &a->moments);
	stw_vec_free(a->mem, &a->recent);
	stw_vec_free(a->mem, &a->windows);
	stw_vec_free(a->mem, &a->rows);
	stw_vec_free(a->mem, &a->wakes);
	stw_vec_free(a->mem, &a->backlog);
	stw_vec_free(a->mem, &a->silences);
	stw_vec_free(a->mem, &a->cycles);
	stw_vec_free(a->mem, &a->polled);
	stw_vec_free(a->mem, &a->loads);
	stw_vec_free(a->mem, &a->sites);
}

int64_t stw_gather_procs(const stw_gather *a)
{
	if (a->gomaxprocs_last > 0)
		return a->gomaxprocs_last;
	int64_t most = 0; /* no event says it: as many as there are */
	for (size_t i = 0; i < a->ps.count; i++)
		if (a->ps.items[i].id >= most)
			most = a->ps.items[i].id + 1;
	return most;
}

/* ---- what is known of each goroutine and proc ---- */

static stw_known_g *know_g(stw_gather *a, int64_t id)
{
	stw_known_g *g = stw_gather_g(a, id);
	uint32_t slot;
	if (g)
		return g;
	if (a->free_gs.count)
		slot = a->free_gs.items[--a->free_gs.count];
	else if (stw_vec_add(a->mem, &a->gs))
		slot = (uint32_t)a->gs.count - 1;
	else
		return NULL;
	if (!stw_map_put(&a->g_slots, (uint64_t)id, slot))
		return NULL;
	g = &a->gs.items[slot];
	*g = (stw_known_g){.id = id, .since = STW_TIME_UNKNOWN, .waker = STWATCH_NONE};
	return g;
}

static stw_known_p *know_p(stw_gather *a, int64_t id)
{
	uint32_t slot = stw_map_get(&a->p_slots, (uint64_t)id);
	if (slot != STW_MAP_NONE)
		return &a->ps.items[slot];
	stw_known_p *p = stw_vec_push(a->mem, &a->ps);
	if (!p || !stw_map_put(&a->p_slots, (uint64_t)id, (uint32_t)a->ps.count - 1))
		return NULL;
	*p = (stw_known_p){.id = id, .since = STW_TIME_UNKNOWN, .g = STWATCH_NONE};
	return p;
}

static void forget_g(stw_gather *a, int64_t id)
{
	uint32_t slot = stw_map_get(&a->g_slots, (uint64_t)id);
	if (slot == STW_MAP_NONE)
		return;
	stw_map_remove(&a->g_slots, (uint64_t)id);
	uint32_t *freed = stw_vec_push(a->mem, &a->free_gs);
	if (freed)
		*freed = slot;
	else
		a->failed = true;
}

/* ---- candidates ---- */

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

/* More would not change any finding, only its count: beyond this the shorter half goes. */
enum { MOST_CANDIDATES = 16384 };

bool stw_candidates_keep(stw_mem *mem, stw_candidates *list, const stw_candidate *candidate)
{
	if (list->count >= MOST_CANDIDATES) {
		stw_candidates_sort(list);
		list->count = MOST_CANDIDATES / 2;
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

static void add_stay(stw_gather *a, const stw_stay *s)
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

/* ---- procs ---- */

/* Only waits that are still going on look back at them; beyond this the older half goes. */
enum { MOST_USES = 1 << 18 };

static void keep_use(stw_gather *a, stw_proc_use u)
{
	if (u.to - u.from < STW_KEEP_USE_NS || u.use == STW_USE_USER || (a->figures_only && u.use != STW_USE_GC))
		return;
	if (a->uses.count == MOST_USES) {
		memmove(a->uses.items, a->uses.items + MOST_USES / 2, MOST_USES / 2 * sizeof *a->uses.items);
		a->uses.count = MOST_USES / 2;
	}
	stw_proc_use *kept = stw_vec_push(a->mem, &a->uses);
	if (kept)
		*kept = u;
	else
		a->failed = true;
}

/* border: when the generation before ended, as far as is known; STW_TIME_UNKNOWN: there is none. */
static void add_uses(stw_gather *a, const stw_fold *f, int64_t border)
{
	for (size_t i = 0; i < f->uses.count; i++) {
		stw_proc_use u = f->uses.items[i];
		stw_known_p *p = know_p(a, u.p);
		if (!p) {
			a->failed = true;
			return;
		}
		if (u.from == STW_TIME_UNKNOWN) {
			/* A head: since the border's state began, or since the trace did. */
			bool same = p->since != STW_TIME_UNKNOWN &&
				(p->use == u.use || (p->use == STW_USE_STOPPED && u.use == STW_USE_IDLE));
			u.from = same ? p->since : border != STW_TIME_UNKNOWN ? border : f->first_time;
			if (same && p->use == STW_USE_SYSCALL && u.g == STWATCH_NONE)
				u.g = p->g;
			if (u.from < u.not_before)
				u.from = u.not_before < u.to ? u.not_before : u.to;
			int64_t in_trace = u.to - u.from;
			if (in_trace > 0 && u.use < STW_USE_COUNT)
				p->total[u.use] += in_trace;
		}
		if (u.from < u.not_before)
			u.from = u.not_before < u.to ? u.not_before : u.to;
		keep_use(a, u);
	}
}

static void carry_ps(stw_gather *a, const stw_fold *f)
{
	for (size_t i = 0; i < f->tail_ps.count; i++) {
		const stw_tail_p *t = &f->tail_ps.items[i];
		stw_known_p *p = know_p(a, t->id);
		if (!p) {
			a->failed = true;
			return;
		}
		for (int u = 0; u < STW_USE_COUNT; u++)
			p->total[u] += t->p.total[u];
		p->starts += t->p.starts;
		p->polled += t->p.polled;
		p->worker = t->p.worker;
		if (t->p.since != STW_TIME_UNKNOWN) {
			p->since = t->p.since;
			p->g = t->p.use_g;
		} else if (p->since == STW_TIME_UNKNOWN || p->use != t->p.use) {
			p->since = f->first_time;
			p->g = t->p.use_g;
		}
		p->use = t->p.use;
	}
}

/* ---- goroutines ---- */

static void be_born(const stw_gather *a, stw_known_g *g, const stw_fold *f, const stw_tail_g *t)
{
	const stw_known_g *maker = t->maker_by ? NULL : stw_gather_g(a, t->maker);
	g->born = t->made_at;
	g->creator = (stw_place){f->generation, t->made_by};
	g->creator_by = maker ? maker->creator : (stw_place){f->generation, t->maker_by};
}

static void carry_gs(stw_gather *a, const stw_fold *f)
{
	for (size_t i = 0; i < f->gone.count; i++)
		forget_g(a, f->gone.items[i]);
	for (size_t i = 0; i < f->tails.count; i++) {
		const stw_fold_g *t = &f->tails.items[i].g;
		stw_known_g *g = know_g(a, f->tails.items[i].id);
		if (!g) {
			a->failed = true;
			return;
		}
		g->runs += t->runs;
		g->run_ns += t->run_ns;
		g->blocks += t->blocks;
		g->gc_worker |= (t->collects & STW_MARKS) != 0;
		g->created |= t->created;
		if (t->created)
			be_born(a, g, f, &f->tails.items[i]);
		if (t->root && !g->root.stack)
			g->root = (stw_place){f->generation, t->root};
		bool moved = t->since != STW_TIME_UNKNOWN;
		if (!moved && g->state == t->state) {
			if (t->stack && !g->stack.stack)
				g->stack = (stw_place){f->generation, t->stack};
			continue; /* as it was at the border before */
		}
		g->state = t->state;
		g->since = moved ? t->since : STW_TIME_UNKNOWN;
		g->how = t->how;
		g->wait = t->wait;
		g->waker = t->waker;
		g->stack = (stw_place){f->generation, t->stack};
		g->wake = (stw_place){f->generation, t->wake_stack};
		g->reason = moved ? t->reason : 0;
		g->reason_generation = f->generation;
	}
}

/* ---- stops ---- */

enum { MOST_STOPS = 1 << 15 }; /* each with the moments of its procs */

static stw_stop_row *row_of(stw_gather *a, uint32_t kind)
{
	for (size_t i = 0; i < a->rows.count; i++)
		if (a->rows.items[i].kind == kind)
			return &a->rows.items[i];
	stw_stop_row *row = stw_vec_push(a->mem, &a->rows);
	if (row)
		*row = (stw_stop_row){.kind = kind};
	return row;
}

static void add_stop(stw_gather *a, const stw_fold *f, stw_stop s)
{
	const char *kind = stw_stop_kind_of(stw_intern_get(&f->names, s.kind).data, s.gc_begins, s.gc_ends);
	s.kind = stw_intern_put(&a->names, kind, strlen(kind));
	stw_stop_row *row = s.kind == UINT32_MAX ? NULL : row_of(a, s.kind);
	if (!row) {
		a->failed = true;
		return;
	}
	int64_t ns = s.to - s.from;
	row->class = (uint8_t)stw_stop_class_of(kind);
	row->inferred |= s.inferred;
	row->count++;
	row->during_gc += s.gc_on;
	row->total_ns += ns;
	row->lost_ns += s.lost_ns;
	if (ns > row->max_ns)
		row->max_ns = ns;
	if (s.stood - s.from > row->stopping_max_ns)
		row->stopping_max_ns = s.stood - s.from;
	stw_stop_brief brief = {s.from, s.to, s.lost_ns, s.kind, {s.generation, s.stack}, {s.generation, s.root}, .inferred = s.inferred};
	brief.apart = s.to - s.sure_from >= a->long_stop_ns;
	stw_gather_stop_window(a, &brief);
	if (ns < 1000000 || a->stops.count >= MOST_STOPS)
		return;
	uint32_t first = s.moments;
	s.moments = (uint32_t)a->moments.count;
	stw_stop *kept = stw_vec_push(a->mem, &a->stops);
	if (!kept || !stw_vec_reserve(a->mem, &a->moments, s.n_moments)) {
		a->failed = true;
		return;
	}
	*kept = s;
	for (uint32_t i = 0; i < s.n_moments; i++)
		a->moments.items[a->moments.count++] = f->stop_moments.items[first + i];
}

/* ---- putting together ---- */

static void add_figures(stw_gather *a, const stw_fold *f)
{
	if (a->first_sample == STW_TIME_UNKNOWN)
		a->first_sample = f->first_sample;
	if (f->last_sample > a->last_sample)
		a->last_sample = f->last_sample;
	if (a->first_time == STW_TIME_UNKNOWN)
		a->first_time = f->first_time;
	if (a->known_from == STW_TIME_UNKNOWN)
		a->known_from = f->first_time;
	if (f->doubt > a->doubt)
		a->doubt = f->doubt;
	if (f->lost_to > a->doubt)
		a->doubt = f->lost_to;
	for (int i = 0; i < 256; i++) {
		a->counts[i] += f->counts[i];
		a->n_events += f->counts[i];
	}
	for (int i = 0; i < STW_HISTOGRAM_SIZE; i++) {
		a->latency[i] += f->latency[i];
		a->n_latency += f->latency[i];
	}
	if (f->latency_max > a->latency_max)
		a->latency_max = f->latency_max;
	a->created += f->created;
	a->seen += f->created;
	a->ended += f->ended;
	if (f->threads > a->threads)
		a->threads = f->threads;
	a->gc_begun += f->gc_begun;
	a->gc_mark_ns += f->gc_mark_ns;
	a->assist_ns += f->assist_ns;
	if (f->gomaxprocs_last)
		a->gomaxprocs_last = f->gomaxprocs_last;
	if (f->gomaxprocs_max > a->gomaxprocs_max)
		a->gomaxprocs_max = f->gomaxprocs_max;
	if (f->heap_max > a->heap_max)
		a->heap_max = f->heap_max;
	if (f->heap_goal)
		a->heap_goal = f->heap_goal;
}

static void add_backlog(stw_gather *a, const stw_fold *f)
{
	for (size_t i = 0; i < f->slots.count; i++) {
		const stw_backlog_slot *s = &f->slots.items[i];
		int64_t max = a->runnable + s->max, min = a->runnable + s->min;
		if (max > (int64_t)a->runnable_max)
			a->runnable_max = (uint64_t)max;
		stw_backlog_slot *last = a->backlog.count ? &a->backlog.items[a->backlog.count - 1] : NULL;
		if (last && last->slot >= s->slot) { /* the border lies within a slot */
			if (max > last->max)
				last->max = (int32_t)max;
			if (min < last->min)
				last->min = (int32_t)min;
			continue;
		}
		stw_backlog_slot *kept = stw_vec_push(a->mem, &a->backlog);
		if (!kept) {
			a->failed = true;
			return;
		}
		*kept = (stw_backlog_slot){s->slot, (int32_t)(min < 0 ? 0 : min), (int32_t)(max < 0 ? 0 : max)};
	}
}

/* The end of a cycle that began in an earlier generation goes to it. */
static void add_cycles(stw_gather *a, const stw_fold *f)
{
	for (size_t i = 0; i < f->cycles.count; i++) {
		stw_cycle c = f->cycles.items[i], *last = a->cycles.count ? &a->cycles.items[a->cycles.count - 1] : NULL;
		if (c.from == STW_TIME_UNKNOWN && last && last->to == STW_TIME_UNKNOWN) {
			last->to = c.to;
			continue;
		}
		stw_cycle *slot = a->cycles.count < STW_MOST_CYCLES ? stw_vec_push(a->mem, &a->cycles) : NULL;
		if (slot)
			*slot = c;
		else
			a->failed |= a->cycles.count < STW_MOST_CYCLES;
	}
}

/* Only what a system call delayed is asked for. */
static void add_wakes(stw_gather *a, const stw_fold *f)
{
	for (size_t i = 0; i < f->wakes.count && a->wakes.count < MOST_CANDIDATES; i++) {
		const stw_wake *k = &f->wakes.items[i];
		int64_t from = k->from > k->held_from ? k->from : k->held_from, to = k->at < k->held_to ? k->at : k->held_to;
		if (k->held_state != STW_GO_SYSCALL || to - from < STW_KEEP_SYSCALL_NS)
			continue;
		stw_wake *kept = stw_vec_push(a->mem, &a->wakes);
		if (kept)
			*kept = *k;
		else
			a->failed = true;
	}
}

/* ---- where the trace ends, or a part of it ---- */

static void close_procs(stw_gather *a)
{
	for (size_t i = 0; i < a->ps.count; i++) {
		stw_known_p *p = &a->ps.items[i];
		if (p->since == STW_TIME_UNKNOWN || a->last_time <= p->since || p->since < a->doubt)
			continue;
		p->total[p->use] += a->last_time - p->since;
		keep_use(a,
			(stw_proc_use){.p = p->id,
				.from = p->since,
				.to = a->last_time,
				.g = p->g,
				.use = p->use,
				.worker = p->use == STW_USE_GC ? p->worker : STW_WORKER_NONE});
	}
}

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

/* Not those that may be long gone. */
static bool is_alive(const stw_gather *a, const stw_known_g *g)
{
	return stw_gather_g(a, g->id) == g && (a->doubt == INT64_MIN || g->since >= a->doubt);
}

static void close_goroutines(stw_gather *a, bool cut)
{
	for (size_t i = 0; i < a->gs.count && !a->figures_only; i++)
		if (is_alive(a, &a->gs.items[i]))
			close_goroutine(a, &a->gs.items[i], cut);
}

/* ---- where the trace begins anew ---- */

/* Of those that the next part finds there, how many were known before: their ids are never used again. */
static uint64_t count_known(const stw_gather *a, const stw_fold *f)
{
	uint64_t known = 0;
	for (size_t i = 0; i < f->tails.count; i++)
		known += !f->tails.items[i].g.created && stw_gather_g(a, f->tails.items[i].id);
	for (size_t i = 0; i < f->gone.count; i++)
		known += stw_gather_g(a, f->gone.items[i]) != NULL;
	return known;
}

/* No backlog lasts across it. */
static void end_backlog(stw_gather *a)
{
	stw_backlog_slot *last = a->backlog.count ? &a->backlog.items[a->backlog.count - 1] : NULL;
	stw_backlog_slot end = {.slot = a->last_time / STW_SLOT_NS + 1};
	if (!last || last->slot >= end.slot)
		return;
	last = stw_vec_push(a->mem, &a->backlog);
	if (last)
		*last = end;
	else
		a->failed = true;
}

/* What is open where a gap begins is told as far as it was seen; where damage is, not even that is sure. */
static void restart(stw_gather *a, const stw_fold *f, stw_joint joint)
{
	if (joint == STW_JOINT_GAP) {
		close_procs(a);
		close_goroutines(a, true);
		end_backlog(a);
		a->part++;
		if (f->first_time > a->last_time)
			a->missing_ns += f->first_time - a->last_time;
	}
	a->seen -= count_known(a, f);
	for (size_t i = 0; i < a->gs.count; i++)
		a->gs.items[i].since = STW_TIME_UNKNOWN;
	a->known_from = STW_TIME_UNKNOWN;
	a->doubt = INT64_MIN;
	stw_map_clear(&a->g_slots);
	a->gs.count = 0;
	a->free_gs.count = 0;
	for (size_t i = 0; i < a->ps.count; i++)
		a->ps.items[i].since = STW_TIME_UNKNOWN;
	a->gc_last_end = STW_TIME_UNKNOWN;
	if (a->cycles.count && a->cycles.items[a->cycles.count - 1].to == STW_TIME_UNKNOWN)
		a->cycles.count--; /* its end is lost */
}

/* How many goroutines stand runnable when a generation begins: those known so, and those it finds so. */
static void count_runnable(stw_gather *a)
{
	a->runnable = 0;
	for (size_t i = 0; i < a->gs.count; i++)
		if (a->gs.items[i].state == STW_GO_RUNNABLE && stw_gather_g(a, a->gs.items[i].id) == &a->gs.items[i])
			a->runnable++;
}

bool stw_gather_add(void *gather, const stw_fold *f, stw_joint joint)
{
	stw_gather *a = gather;
	if (joint != STW_JOINT_WHOLE)
		restart(a, f, joint);
	if (a->gs.count == 0) /* one in progress when the trace, or this part of it, begins */
		a->gc_begun += f->counts[STW_EV_GCActive] > 0;
	if (a->gs.count == 0)
		a->seen += f->counts[STW_EV_GoStatus] + f->counts[STW_EV_GoStatusStack];
	count_runnable(a);
	if (a->gs.count == 0) /* the first: those that it found runnable were so from its beginning */
		for (size_t i = 0; i < f->stays.count; i++)
			a->runnable += f->stays.items[i].from == STW_TIME_UNKNOWN && f->stays.items[i].state == STW_GO_RUNNABLE;
	add_figures(a, f);
	add_uses(a, f, joint == STW_JOINT_WHOLE ? a->last_time : f->first_time);
	carry_ps(a, f);
	if (a->failed) /* a proc may be half known */
		return false;
	stw_gather_load(a, f, joint == STW_JOINT_GAP);
	for (size_t i = 0; i < f->stops.count; i++)
		add_stop(a, f, f->stops.items[i]);
	if (f->last_time > a->last_time)
		a->last_time = f->last_time;
	for (size_t i = 0; i < f->stays.count; i++)
		add_stay(a, &f->stays.items[i]);
	if (f->lost_to == INT64_MIN) /* else the count is wrong */
		add_backlog(a, f);
	add_cycles(a, f);
	add_wakes(a, f);
	for (size_t i = 0; i < f->silences.count; i++) {
		stw_silence *s = stw_vec_push(a->mem, &a->silences);
		if (s)
			*s = f->silences.items[i];
		else
			a->failed = true;
	}
	carry_gs(a, f);
	uint64_t alive = a->g_slots.count;
	if (alive > a->alive_max)
		a->alive_max = alive;
	a->failed |= f->failed;
	return !a->failed;
}

static void keep_left(stw_gather *a, const stw_known_g *g)
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

void stw_gather_finish(stw_gather *a)
{
	close_procs(a);
	stw_gather_load_rest(a);
	for (size_t i = 0; i < a->gs.count && !a->figures_only; i++)
		if (is_alive(a, &a->gs.items[i]))
			keep_left(a, &a->gs.items[i]);
	close_goroutines(a, false);
}

int64_t stw_gather_percentile(const uint64_t *histogram, uint64_t n, int64_t max, double share)
{
	uint64_t want = (uint64_t)((double)n * share), seen = 0;
	for (unsigned b = 0; b < STW_HISTOGRAM_SIZE; b++) {
		seen += histogram[b];
		if (seen > want) {
			int64_t v = stw_histogram_value(b);
			return v < max ? v : max;
		}
	}
	return max;
}
