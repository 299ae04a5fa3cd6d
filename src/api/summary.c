#include "api/summary.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/mmu.h"

static int64_t percentile(const stw_gather *a, double share)
{
	return stw_gather_percentile(a->latency, a->n_latency, a->latency_max, share);
}

static int by_total(const void *x, const void *y)
{
	const stwatch_stw_row *a = x, *b = y;
	return a->total_ns != b->total_ns ? (a->total_ns < b->total_ns ? 1 : -1) : strcmp(a->kind, b->kind);
}

static int by_proc(const void *x, const void *y)
{
	const stwatch_proc_row *a = x, *b = y;
	return a->proc < b->proc ? -1 : a->proc > b->proc;
}

static bool fill_stops(stwatch_summary *s, const stw_gather *a, stw_arena *arena)
{
	stwatch_stw_row *rows = stw_arena_zalloc(arena, (a->rows.count + 1) * sizeof *rows);
	if (!rows)
		return false;
	for (size_t i = 0; i < a->rows.count; i++) {
		const stw_stop_row *r = &a->rows.items[i];
		stw_slice kind = stw_intern_get(&a->names, r->kind);
		rows[i] = (stwatch_stw_row){
			.kind = stw_arena_copy(arena, kind.data, kind.length),
			.count = r->count,
			.total_ns = r->total_ns,
			.max_ns = r->max_ns,
			.stopping_max_ns = r->stopping_max_ns,
			.whose = stw_stop_class_name((stw_stop_class)r->class),
			.during_gc = r->during_gc,
			.inferred = r->inferred,
		};
		if (!rows[i].kind)
			return false;
	}
	if (a->rows.count > 1)
		qsort(rows, a->rows.count, sizeof *rows, by_total);
	s->stw = rows;
	s->n_stw = a->rows.count;
	return true;
}

static bool fill_procs(stwatch_summary *s, const stw_gather *a, stw_arena *arena)
{
	stwatch_proc_row *rows = stw_arena_zalloc(arena, (a->ps.count + 1) * sizeof *rows);
	int64_t idle = 0, all = 0, span = stw_gather_length(a);
	if (!rows)
		return false;
	for (size_t i = 0; i < a->ps.count; i++) {
		const stw_known_p *p = &a->ps.items[i];
		rows[i] = (stwatch_proc_row){
			.proc = p->id,
			.running_ns = p->total[STW_USE_USER],
			.gc_ns = p->total[STW_USE_GC] + p->total[STW_USE_GC_IDLE],
			.syscall_ns = p->total[STW_USE_SYSCALL],
			.spinning_ns = p->total[STW_USE_SPINNING],
			.idle_ns = p->total[STW_USE_IDLE],
			.stopped_ns = p->total[STW_USE_STOPPED],
			.starts = p->starts,
			.starts_per_s = span > 0 ? (double)p->starts * 1e9 / (double)span : 0,
			.polled = p->polled,
		};
		for (int u = 1; u < STW_USE_COUNT; u++)
			all += p->total[u];
		idle += p->total[STW_USE_IDLE];
	}
	if (a->ps.count > 1)
		qsort(rows, a->ps.count, sizeof *rows, by_proc);
	s->procs = rows;
	s->n_procs = a->ps.count;
	s->proc_idle_share = all > 0 ? (double)idle / (double)all : -1;
	return true;
}

static void fill_loads(stwatch_summary *s, const stw_gather *a)
{
	stw_load sum = {0};
	uint64_t n = 0;
	for (size_t i = 0; i < a->loads.count; i++)
		stw_load_add(&sum, &a->loads.items[i]);
	s->gc_mark_stopped_ns = sum.mark_stopped_ns;
	for (int i = 0; i < 3; i++)
		s->gc_worker_ns[i] = sum.worker_ns[STW_WORKER_DEDICATED + i];
	s->heap_live_last_bytes = sum.live;
	s->polled = sum.polled;
	s->polled_late = sum.polled_late;
	for (unsigned b = 0; b < STW_HISTOGRAM_SIZE; b++)
		n += a->polled_latency[b];
	if (n == 0)
		return;
	s->polled_mean_ns = a->polled_ns / (int64_t)n;
	s->polled_p50_ns = stw_gather_percentile(a->polled_latency, n, a->polled_max, 0.5);
	s->polled_p99_ns = stw_gather_percentile(a->polled_latency, n, a->polled_max, 0.99);
	s->polled_max_ns = a->polled_max;
}

static bool fill_counts(stwatch_summary *s, const stw_gather *a, stw_arena *arena)
{
	stwatch_event_count *rows = stw_arena_zalloc(arena, 256 * sizeof *rows);
	if (!rows)
		return false;
	for (unsigned type = 0; type < 256; type++)
		if (a->counts[type] && stw_event_spec_of(type)->name)
			rows[s->n_event_counts++] = (stwatch_event_count){stw_event_spec_of(type)->name, a->counts[type]};
	s->event_counts = rows;
	return true;
}

static bool fill_mmu(stwatch_summary *s, const stw_gather *a, stw_arena *arena)
{
	static const int64_t windows[] = {1000000, 10000000, 100000000, 1000000000};
	stwatch_mmu_point *points = stw_arena_zalloc(arena, sizeof windows / sizeof *windows * sizeof *points);
	if (!points)
		return false;
	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
		points[i] = (stwatch_mmu_point){windows[i], stw_mmu(a, windows[i])};
	s->mmu = points;
	s->n_mmu = sizeof windows / sizeof *windows;
	return true;
}

/* Buckets of the histogram put together to powers of two, which are their borders. */
static bool fill_latency(stwatch_summary *s, const stw_gather *a, stw_arena *arena)
{
	enum { OCTAVES = 64 };
	stwatch_latency_bucket *buckets = stw_arena_zalloc(arena, OCTAVES * sizeof *buckets);
	if (!buckets)
		return false;
	size_t first = OCTAVES, end = 0;
	for (unsigned b = 0; b < STW_HISTOGRAM_SIZE; b++) {
		int64_t value = stw_histogram_value(b);
		size_t octave = value > 0 ? 64 - (size_t)__builtin_clzll((uint64_t)value) : 0;
		buckets[octave].count += a->latency[b];
		if (a->latency[b] == 0)
			continue;
		first = octave < first ? octave : first;
		end = octave + 1;
	}
	for (size_t i = 0; i < OCTAVES - 1; i++) {
		buckets[i].from_ns = i ? (int64_t)1 << (i - 1) : 0;
		buckets[i].to_ns = (int64_t)1 << i;
	}
	s->sched_latency = buckets + (end ? first : 0);
	s->n_sched_latency = end ? end - first : 0;
	return true;
}

bool stw_summary_take_curve(stwatch_summary *s, stw_mmu_curve *curve, stw_arena *arena)
{
	stwatch_mmu_point *points = stw_arena_zalloc(arena, STW_MMU_WINDOWS * sizeof *points);
	stwatch_mmu_point *few = stw_arena_zalloc(arena, (s->n_mmu + 1) * sizeof *few);
	if (!points || !few)
		return false;
	s->n_mmu_curve = stw_mmu_curve_finish(curve, points);
	s->mmu_curve = points;
	size_t n = 0;
	for (size_t i = 0; i < s->n_mmu; i++)
		for (size_t k = 0; k < s->n_mmu_curve; k++)
			if (points[k].window_ns == s->mmu[i].window_ns)
				few[n++] = points[k];
	s->mmu_exact = n > 0;
	if (n > 0) {
		s->mmu = few;
		s->n_mmu = n;
	}
	return true;
}

bool stw_summary_fill(stwatch_summary *s, const stw_gather *a, stw_arena *arena)
{
	*s = (stwatch_summary){
		.known = true,
		.gc_cycles = a->gc_begun,
		.gc_mark_ns = a->gc_mark_ns,
		.gc_assist_ns = a->assist_ns,
		.gomaxprocs_max = a->gomaxprocs_max > stw_gather_procs(a) ? a->gomaxprocs_max : stw_gather_procs(a),
		.gomaxprocs_last = stw_gather_procs(a),
		.goroutines_seen = a->seen,
		.goroutines_created = a->created,
		.goroutines_ended = a->ended,
		.goroutines_max = a->alive_max,
		.sched_waits = a->n_latency,
		.proc_idle_share = -1,
		.runqueue_max = a->runnable_max,
		.cpu_samples = a->counts[STW_EV_CPUSample],
		.syscalls = a->counts[STW_EV_GoSyscallBegin],
		.heap_max_bytes = a->heap_max,
		.heap_goal_last_bytes = a->heap_goal < STW_NO_HEAP_GOAL ? a->heap_goal : 0,
		.heap_goal_off = a->heap_goal >= STW_NO_HEAP_GOAL,
	};
	if (a->n_latency) {
		s->sched_p50_ns = percentile(a, 0.5);
		s->sched_p90_ns = percentile(a, 0.9);
		s->sched_p99_ns = percentile(a, 0.99);
		s->sched_p999_ns = percentile(a, 0.999);
		s->sched_max_ns = a->latency_max;
	}
	fill_loads(s, a);
	return fill_stops(s, a, arena) && fill_procs(s, a, arena) && fill_counts(s, a, arena) && fill_mmu(s, a, arena) &&
		fill_latency(s, a, arena);
}
