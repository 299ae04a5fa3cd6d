#include "analysis/gather.h"

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
	int64_t ns = s.told_to - s.from;
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
	if (s.to - s.from < 1000000 || a->stops.count >= MOST_STOPS)
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
			c.from = last->from;
			*last = c;
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
	for (size_t i = 0; i < f->wakes.count && a->wakes.count < STW_MOST_CANDIDATES; i++) {
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
		stw_gather_close_procs(a);
		stw_gather_close_goroutines(a, true);
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

/* Those that the first generation found runnable were so from its beginning, whether they ran in it or not. */
static void count_found_runnable(stw_gather *a, const stw_fold *f)
{
	for (size_t i = 0; i < f->stays.count; i++)
		a->runnable += f->stays.items[i].from == STW_TIME_UNKNOWN && f->stays.items[i].state == STW_GO_RUNNABLE;
	for (size_t i = 0; i < f->tails.count; i++)
		a->runnable += f->tails.items[i].g.since == STW_TIME_UNKNOWN && f->tails.items[i].g.state == STW_GO_RUNNABLE;
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
	if (a->gs.count == 0)
		count_found_runnable(a, f);
	add_figures(a, f);
	stw_gather_uses(a, f, joint == STW_JOINT_WHOLE ? a->last_time : f->first_time);
	stw_gather_carry_procs(a, f);
	if (a->failed) /* a proc may be half known */
		return false;
	stw_gather_load(a, f, joint == STW_JOINT_GAP);
	for (size_t i = 0; i < f->stops.count; i++)
		add_stop(a, f, f->stops.items[i]);
	if (f->last_time > a->last_time)
		a->last_time = f->last_time;
	for (size_t i = 0; i < f->stays.count; i++)
		stw_gather_stay(a, &f->stays.items[i]);
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
	stw_gather_carry_goroutines(a, f);
	uint64_t alive = a->g_slots.count;
	if (alive > a->alive_max)
		a->alive_max = alive;
	a->failed |= f->failed;
	return !a->failed;
}

void stw_gather_finish(stw_gather *a)
{
	stw_gather_close_procs(a);
	stw_gather_load_rest(a);
	for (size_t i = 0; i < a->gs.count && !a->figures_only; i++)
		if (stw_gather_is_alive(a, &a->gs.items[i]))
			stw_gather_keep_left(a, &a->gs.items[i]);
	stw_gather_close_goroutines(a, false);
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
