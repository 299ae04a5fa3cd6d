#include "analysis/gather.h"

void stw_load_add(stw_load *s, const stw_load *r)
{
	s->to = r->to;
	s->last_generation = r->last_generation;
	s->mark_ns += r->mark_ns;
	s->mark_stopped_ns += r->mark_stopped_ns;
	s->assist_ns += r->assist_ns;
	s->run_ns += r->run_ns;
	for (int i = 0; i < STW_WORKER_COUNT; i++)
		s->worker_ns[i] += r->worker_ns[i];
	if (r->fractional_max_ns > s->fractional_max_ns)
		s->fractional_max_ns = r->fractional_max_ns;
	s->gcs += r->gcs;
	if (r->gaps && (!s->gaps || r->between_min_ns < s->between_min_ns))
		s->between_min_ns = r->between_min_ns;
	s->gaps += r->gaps;
	s->between_ns += r->between_ns;
	if (!s->live_first)
		s->live_first = r->live_first;
	if (r->live)
		s->live = r->live;
	if (r->goal) {
		s->base = r->base;
		s->goal = r->goal;
		s->trigger = r->trigger;
	}
	s->created += r->created;
	s->created_late += r->created_late;
	if (r->created_max_ns > s->created_max_ns)
		s->created_max_ns = r->created_max_ns;
	s->polled += r->polled;
	s->polled_late += r->polled_late;
	s->n_sites += r->n_sites; /* rows that follow each other have sites that do */
}

static int64_t run_time(const stw_gather *a)
{
	int64_t ns = 0;
	for (size_t i = 0; i < a->ps.count; i++)
		ns += a->ps.items[i].total[STW_USE_USER];
	return ns;
}

static void add_between(stw_gather *a, stw_load *l, const stw_collect *c)
{
	l->gaps = c->cycles_timed;
	l->between_ns = c->between_ns;
	l->between_min_ns = c->between_min_ns;
	if (c->first_begin != STW_TIME_UNKNOWN && a->gc_last_end != STW_TIME_UNKNOWN) {
		int64_t between = c->first_begin - a->gc_last_end;
		if (!l->gaps || between < l->between_min_ns)
			l->between_min_ns = between;
		l->between_ns += between;
		l->gaps++;
	}
	if (c->last_end != STW_TIME_UNKNOWN)
		a->gc_last_end = c->last_end;
	else if (c->first_begin != STW_TIME_UNKNOWN)
		a->gc_last_end = STW_TIME_UNKNOWN;
}

static void add_sites(stw_gather *a, stw_load *l, const stw_fold *f)
{
	l->first_site = (uint32_t)a->sites.count;
	for (size_t i = 0; i < f->collect.sites.count; i++) {
		stw_load_site *s = stw_vec_push(a->mem, &a->sites);
		if (!s) {
			a->failed = true;
			return;
		}
		*s = (stw_load_site){f->generation, f->collect.sites.items[i]};
		l->n_sites++;
	}
}

/* Waits for a first run, as far as they were long enough to be kept. */
static void add_created(stw_load *l, const stw_fold *f)
{
	l->created = f->created;
	for (size_t i = 0; i < f->stays.count; i++) {
		const stw_stay *s = &f->stays.items[i];
		if (s->state != STW_GO_RUNNABLE || s->how != STW_HOW_CREATED || s->from == STW_TIME_UNKNOWN || s->runs)
			continue;
		l->created_late++;
		if (s->to - s->from > l->created_max_ns)
			l->created_max_ns = s->to - s->from;
	}
}

/* Waits from before the generation are known by what was carried over its border. */
static void add_alone(stw_gather *a, stw_load *l, const stw_fold *f)
{
	for (size_t i = 0; i < f->alone.count; i++) {
		const stw_alone *x = &f->alone.items[i];
		const stw_known_g *g = stw_gather_g(a, x->g);
		uint32_t p = x->p == STWATCH_NONE ? STW_MAP_NONE : stw_map_get(&a->p_slots, (uint64_t)x->p);
		if (!g || g->state != STW_GO_WAITING || g->wait != STW_WAIT_NETWORK)
			continue;
		l->polled++;
		if (p != STW_MAP_NONE)
			a->ps.items[p].polled++;
		else
			l->polled_late++;
		if (x->waited >= 0)
			stw_gather_polled(a, x->waited);
	}
}

void stw_gather_polled(stw_gather *a, int64_t waited)
{
	a->polled_latency[stw_histogram_bucket(waited)]++;
	a->polled_ns += waited;
	if (waited > a->polled_max)
		a->polled_max = waited;
}

/* How far the rows from one on go without a gap. */
static size_t end_of_part(const stw_gather *a, size_t first)
{
	size_t end = first + 1;
	while (end < a->loads.count && !a->loads.items[end].after_gap)
		end++;
	return end;
}

bool stw_gather_window(const stw_gather *a, size_t first, int64_t least, stw_load *sum)
{
	const size_t end = end_of_part(a, first);
	const int64_t last = end < a->loads.count ? a->loads.items[end - 1].to : a->last_time;
	*sum = a->loads.items[first];
	for (size_t i = first + 1; i < end; i++) {
		if (sum->to - sum->from >= least && last - sum->to >= least)
			return true;
		stw_load_add(sum, &a->loads.items[i]);
	}
	return first == 0 || a->loads.items[first].after_gap || sum->to - sum->from >= least;
}

void stw_gather_load(stw_gather *a, const stw_fold *f, bool after_gap)
{
	const stw_collect *c = &f->collect;
	int64_t ran = run_time(a);
	stw_load *l = stw_vec_push(a->mem, &a->loads);
	if (!l) {
		a->failed = true;
		return;
	}
	*l = (stw_load){
		.from = f->first_time,
		.to = f->last_time,
		.first_generation = f->generation,
		.last_generation = f->generation,
		.after_gap = after_gap,
		.mark_ns = f->gc_mark_ns,
		.mark_stopped_ns = c->mark_stopped_ns,
		.assist_ns = f->assist_ns,
		.run_ns = ran - a->run_before,
		.fractional_max_ns = c->fractional_max_ns,
		.gcs = f->gc_begun,
		.goal = c->goal,
		.trigger = c->trigger,
		.live = c->live,
		.base = c->base,
		.live_first = c->live_first,
		.polled = c->polled,
		.polled_late = c->polled_late,
	};
	a->run_before = ran;
	for (int i = 0; i < STW_WORKER_COUNT; i++)
		l->worker_ns[i] = c->worker_ns[i];
	add_between(a, l, c);
	add_created(l, f);
	add_alone(a, l, f);
	add_sites(a, l, f);
	for (unsigned i = 0; i < STW_HISTOGRAM_SIZE; i++)
		a->polled_latency[i] += f->polled_latency[i];
	a->polled_ns += f->polled_ns;
	if (f->polled_max > a->polled_max)
		a->polled_max = f->polled_max;
}

void stw_gather_load_rest(stw_gather *a)
{
	if (a->loads.count)
		a->loads.items[a->loads.count - 1].run_ns += run_time(a) - a->run_before;
}
