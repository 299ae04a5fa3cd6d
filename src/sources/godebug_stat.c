/* GODEBUG output as a kind of input: found in any text, and what `stat` says of it. */
#include <stdlib.h>

#include "base/error.h"
#include "sources/godebug.h"
#include "sources/lines.h"
#include "sources/readers.h"

enum { MOST_ROWS = 10, MOST_PS_SHOWN = 64 };

static stwatch_status read_lines(stw_godebug *g, const stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	stw_lines *lines = stw_mem_zalloc(g->mem, sizeof *lines);
	if (!lines)
		return stw_fail_memory(error);
	stw_lines_init(lines, source, cancel);
	stw_line line;
	stwatch_status status;
	while ((status = stw_lines_next(lines, &line, error)) == STWATCH_OK)
		if (!stw_godebug_line(g, line.text, line.number)) {
			status = stw_fail_memory(error);
			break;
		}
	stw_mem_free(g->mem, lines, sizeof *lines);
	if (status == STWATCH_END)
		status = stw_godebug_end(g) ? STWATCH_OK : stw_fail_memory(error);
	return status;
}

static void release(const void *part, stw_mem *mem)
{
	stw_godebug *g = (stw_godebug *)part;
	stw_godebug_free(g);
	stw_mem_free(mem, g, sizeof *g);
}

static stwatch_status read_godebug(stw_companion *c, const stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	stw_godebug *g = stw_mem_zalloc(c->mem, sizeof *g);
	if (!g)
		return stw_fail_memory(error);
	stw_godebug_init(g, c);
	stwatch_status status = read_lines(g, source, cancel, error);
	if (status != STWATCH_OK || !stw_godebug_tells(g)) {
		release(g, c->mem);
		return status;
	}
	c->parts[STW_PART_GODEBUG] = g;
	if (!c->kind)
		c->kind = "godebug-output";
	return STWATCH_OK;
}

/* ---- figures ---- */

static bool number(stw_companion *c, const char *name, const char *label, stwatch_quantity quantity, uint64_t n)
{
	return stw_companion_number(c, name, label, quantity, (int64_t)(n < INT64_MAX ? n : INT64_MAX));
}

static bool describe_sched(stw_companion *c, const stw_godebug *g)
{
	uint64_t detailed = 0, global = 0, local = 0, all = 0, threads = 0, both = 0, waiting = 0;
	uint32_t procs = 0;
	for (size_t i = 0; i < g->samples.count; i++) {
		const stw_sched_sample *s = &g->samples.items[i];
		detailed += s->detailed;
		procs = s->procs > procs ? s->procs : procs;
		global = s->global > global ? s->global : global;
		local = s->local_max > local ? s->local_max : local;
		all = stw_sched_queued(s) > all ? stw_sched_queued(s) : all;
		threads = s->threads > threads ? s->threads : threads;
		both += s->idle > 0 && stw_sched_queued(s) > 0;
		waiting += s->detail.gc_waiting;
	}
	const stw_sched_sample *last = &g->samples.items[g->samples.count - 1];
	return number(c, "sched_lines", "SCHED lines", STWATCH_COUNT, g->samples.count) &&
		(!detailed || number(c, "sched_detailed", "with details", STWATCH_COUNT, detailed)) &&
		stw_companion_number(c, "sched_last_ns", "the last at", STWATCH_NS, last->at_ns) &&
		number(c, "gomaxprocs_max", "GOMAXPROCS, most", STWATCH_COUNT, procs) &&
		number(c, "queue_global_max", "global queue, most", STWATCH_COUNT, global) &&
		number(c, "queue_local_max", "a P's queue, most", STWATCH_COUNT, local) &&
		number(c, "queued_max", "queued in all, most", STWATCH_COUNT, all) &&
		number(c, "idle_beside_queue", "idle P and a queue", STWATCH_COUNT, both) &&
		number(c, "threads_max", "threads, most", STWATCH_COUNT, threads) &&
		number(c, "threads_last", "threads, last", STWATCH_COUNT, last->threads) &&
		(!detailed || number(c, "gc_waiting", "world stopping", STWATCH_COUNT, waiting));
}

static bool describe_gc(stw_companion *c, const stw_godebug *g)
{
	uint64_t forced = 0;
	int64_t stopped = 0, sweep = 0, term = 0, mark = 0, assist = 0, goal = -1, live = 0;
	for (size_t i = 0; i < g->gcs.count; i++) {
		const stw_gc_line *l = &g->gcs.items[i];
		forced += l->forced;
		stopped = stw_add_up(stopped, l->sweep_term_ns + l->mark_term_ns);
		sweep = l->sweep_term_ns > sweep ? l->sweep_term_ns : sweep;
		term = l->mark_term_ns > term ? l->mark_term_ns : term;
		mark = stw_add_up(mark, l->mark_ns);
		assist = stw_add_up(assist, l->assist_ns);
		goal = l->goal > goal ? l->goal : goal;
		live = l->heap_live > live ? l->heap_live : live;
	}
	return number(c, "gc_cycles", "GC cycles", STWATCH_COUNT, g->gcs.count) &&
		(!forced || number(c, "gc_forced", "forced", STWATCH_COUNT, forced)) &&
		stw_companion_number(c, "gc_stopped_ns", "stops, in all", STWATCH_NS, stopped) &&
		stw_companion_number(c, "gc_sweep_termination_max_ns", "sweep termination, most", STWATCH_NS, sweep) &&
		stw_companion_number(c, "gc_mark_termination_max_ns", "mark termination, most", STWATCH_NS, term) &&
		stw_companion_number(c, "gc_mark_ns", "marking", STWATCH_NS, mark) &&
		stw_companion_number(c, "gc_assist_cpu_ns", "assists (CPU)", STWATCH_NS, assist) &&
		stw_companion_number(c, "gc_cpu_percent_last", "GC's CPU %, last", STWATCH_COUNT, g->gcs.items[g->gcs.count - 1].percent) &&
		stw_companion_number(c, "heap_live_max_bytes", "live heap, most", STWATCH_BYTES, live << 20) &&
		stw_companion_number(c, "heap_goal_max_bytes", "heap goal, most", STWATCH_BYTES, goal < 0 ? STWATCH_UNKNOWN : goal << 20);
}

static bool describe_inits(stw_companion *c, const stw_godebug *g)
{
	int64_t all = 0;
	uint64_t bytes = 0;
	for (size_t i = 0; i < g->inits.count; i++) {
		all = stw_add_up(all, g->inits.items[i].clock_ns);
		bytes += g->inits.items[i].bytes;
	}
	return number(c, "init_packages", "packages initialised", STWATCH_COUNT, g->inits.count) &&
		stw_companion_number(c, "init_ns", "… in all", STWATCH_NS, all) &&
		number(c, "init_bytes", "… allocated", STWATCH_BYTES, bytes);
}

static bool describe_pacer(stw_companion *c, const stw_pacer *p)
{
	return number(c, "pacer_lines", "pacer lines", STWATCH_COUNT, p->lines) &&
		(!p->cycles || number(c, "pacer_cycles", "… cycles with CPU", STWATCH_COUNT, p->cycles)) &&
		(!p->cycles || number(c, "pacer_over", "… above its plan", STWATCH_COUNT, p->over)) &&
		(!p->cycles || number(c, "pacer_cpu_percent_max", "marking's CPU %, most", STWATCH_COUNT, (uint64_t)p->used_max / 10)) &&
		(!p->cycles || number(c, "pacer_cpu_percent_planned", "… planned", STWATCH_COUNT, (uint64_t)p->planned / 10)) &&
		(!p->cycles ||
			number(c, "pacer_beyond_goal_max_bytes", "beyond the goal, most", STWATCH_BYTES, (uint64_t)p->beyond_goal_max));
}

/* ---- tables ---- */

static int64_t stop_of(const stw_gc_line *l)
{
	return l->sweep_term_ns > l->mark_term_ns ? l->sweep_term_ns : l->mark_term_ns;
}

static int longest_stop_first(const void *x, const void *y)
{
	const stw_gc_line *a = *(const stw_gc_line *const *)x, *b = *(const stw_gc_line *const *)y;
	if (stop_of(a) != stop_of(b))
		return stop_of(a) < stop_of(b) ? 1 : -1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static int longest_queue_first(const void *x, const void *y)
{
	const stw_sched_sample *a = *(const stw_sched_sample *const *)x, *b = *(const stw_sched_sample *const *)y;
	if (stw_sched_queued(a) != stw_sched_queued(b))
		return stw_sched_queued(a) < stw_sched_queued(b) ? 1 : -1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static int slowest_first(const void *x, const void *y)
{
	const stw_init_line *a = *(const stw_init_line *const *)x, *b = *(const stw_init_line *const *)y;
	if (a->clock_ns != b->clock_ns)
		return a->clock_ns < b->clock_ns ? 1 : -1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* The first MOST_ROWS of items by an order; *n says how many. NULL when out of memory. */
static const void **sorted(
	stw_companion *c, const void *items, size_t count, size_t size, int (*order)(const void *, const void *), size_t *n)
{
	const void **list = stw_mem_resize(c->mem, NULL, 0, (count + 1) * sizeof *list);
	const void **top = list ? stw_arena_alloc(&c->arena, (MOST_ROWS + 1) * sizeof *top) : NULL;
	for (size_t i = 0; top && i < count; i++)
		list[i] = (const char *)items + i * size;
	if (top && count > 1)
		qsort(list, count, sizeof *list, order);
	*n = count < MOST_ROWS ? count : MOST_ROWS;
	for (size_t i = 0; top && i < *n; i++)
		top[i] = list[i];
	stw_mem_free(c->mem, list, list ? (count + 1) * sizeof *list : 0);
	return top;
}

static bool table_sched(stw_companion *c, const stw_godebug *g)
{
	static const stwatch_column columns[] = {{"at_ns", "at", STWATCH_NS}, {"global", "global", STWATCH_COUNT},
		{"local", "local", STWATCH_COUNT}, {"local_max", "longest", STWATCH_COUNT}, {"gomaxprocs", "procs", STWATCH_COUNT},
		{"idleprocs", "idle", STWATCH_COUNT}, {"threads", "threads", STWATCH_COUNT}, {"line", "line", STWATCH_COUNT}};
	enum { N = sizeof columns / sizeof *columns };
	size_t n;
	const void **rows = sorted(c, g->samples.items, g->samples.count, sizeof *g->samples.items, longest_queue_first, &n);
	stwatch_cell *cell = rows ? stw_companion_table(c, "queues", "longest run queues", columns, N, n, g->samples.count - n) : NULL;
	for (size_t i = 0; cell && i < n; i++, cell += N) {
		const stw_sched_sample *s = rows[i];
		const int64_t numbers[N] = {s->at_ns, (int64_t)s->global, (int64_t)s->local, (int64_t)s->local_max, s->procs, s->idle,
			s->threads, (int64_t)s->line};
		for (size_t k = 0; k < N; k++)
			cell[k].number = numbers[k];
	}
	return cell != NULL;
}

static bool table_gc(stw_companion *c, const stw_godebug *g)
{
	static const stwatch_column columns[] = {{"gc", "gc", STWATCH_COUNT}, {"at_ns", "at", STWATCH_NS},
		{"sweep_termination_ns", "sweep term", STWATCH_NS}, {"mark_ns", "mark", STWATCH_NS},
		{"mark_termination_ns", "mark term", STWATCH_NS}, {"assist_ns", "assists", STWATCH_NS},
		{"goal_bytes", "goal", STWATCH_BYTES}, {"line", "line", STWATCH_COUNT}};
	enum { N = sizeof columns / sizeof *columns };
	size_t n;
	const void **rows = sorted(c, g->gcs.items, g->gcs.count, sizeof *g->gcs.items, longest_stop_first, &n);
	stwatch_cell *cell = rows ? stw_companion_table(c, "gcs", "GC cycles with the longest stops", columns, N, n, g->gcs.count - n)
				  : NULL;
	for (size_t i = 0; cell && i < n; i++, cell += N) {
		const stw_gc_line *l = rows[i];
		const int64_t numbers[N] = {(int64_t)l->number, l->at_ns, l->sweep_term_ns, l->mark_ns, l->mark_term_ns, l->assist_ns,
			l->goal < 0 ? STWATCH_UNKNOWN : l->goal << 20, (int64_t)l->line};
		for (size_t k = 0; k < N; k++)
			cell[k].number = numbers[k];
	}
	return cell != NULL;
}

static bool table_inits(stw_companion *c, const stw_godebug *g)
{
	static const stwatch_column columns[] = {{"clock_ns", "took", STWATCH_NS}, {"at_ns", "at", STWATCH_NS},
		{"bytes", "allocated", STWATCH_BYTES}, {"allocations", "objects", STWATCH_COUNT}, {"line", "line", STWATCH_COUNT},
		{"package", "package", STWATCH_TEXT}};
	enum { N = sizeof columns / sizeof *columns };
	size_t n;
	const void **rows = sorted(c, g->inits.items, g->inits.count, sizeof *g->inits.items, slowest_first, &n);
	stwatch_cell *cell = rows ? stw_companion_table(c, "inits", "slowest initialisations", columns, N, n, g->inits.count - n) : NULL;
	for (size_t i = 0; cell && i < n; i++, cell += N) {
		const stw_init_line *l = rows[i];
		const int64_t numbers[N - 1] = {l->clock_ns, l->at_ns, (int64_t)l->bytes, (int64_t)l->allocations, (int64_t)l->line};
		for (size_t k = 0; k < N - 1; k++)
			cell[k].number = numbers[k];
		cell[N - 1].text = stw_intern_get(&g->names, l->package).data;
	}
	return cell != NULL;
}

static bool table_ps(stw_companion *c, const stw_godebug *g)
{
	static const stwatch_column columns[] = {{"proc", "P", STWATCH_COUNT}, {"status", "status", STWATCH_TEXT},
		{"queued", "queue", STWATCH_COUNT}, {"thread", "M", STWATCH_COUNT}, {"schedtick", "schedtick", STWATCH_COUNT},
		{"syscalltick", "syscalltick", STWATCH_COUNT}, {"timers", "timers", STWATCH_COUNT}};
	enum { N = sizeof columns / sizeof *columns };
	size_t n = g->ps.count < MOST_PS_SHOWN ? g->ps.count : MOST_PS_SHOWN;
	const char *title = stw_arena_printf(
		&c->arena, "P's of the detailed sample with the longest queues (line %llu)", (unsigned long long)g->ps_line);
	stwatch_cell *cell = title ? stw_companion_table(c, "procs", title, columns, N, n, g->ps.count - n) : NULL;
	for (size_t i = 0; cell && i < n; i++, cell += N) {
		const stw_sched_p *p = &g->ps.items[i];
		const int64_t numbers[N] = {p->id, 0, (int64_t)p->queued, p->m < 0 ? STWATCH_UNKNOWN : p->m, (int64_t)p->schedtick,
			(int64_t)p->syscalltick, (int64_t)p->timers};
		for (size_t k = 0; k < N; k++)
			cell[k].number = numbers[k];
		cell[1].text = stw_p_state_name(p->status);
	}
	return cell != NULL;
}

static const stw_sched_sample *fullest(const stw_godebug *g)
{
	for (size_t i = 0; i < g->samples.count; i++)
		if (g->samples.items[i].line == g->ps_line)
			return &g->samples.items[i];
	return NULL;
}

/* Goroutines by state in that sample. */
static bool table_gs(stw_companion *c, const stw_godebug *g)
{
	static const stwatch_column columns[] = {{"state", "state", STWATCH_TEXT}, {"goroutines", "goroutines", STWATCH_COUNT}};
	const stw_sched_sample *s = fullest(g);
	size_t n = 0;
	for (size_t i = 0; s && i < STW_G_STATES; i++)
		n += s->detail.gs[i] > 0;
	stwatch_cell *cell = stw_companion_table(c, "goroutine_states", "goroutines in it", columns, 2, n, 0);
	for (uint32_t i = 0; cell && s && i < STW_G_STATES; i++)
		if (s->detail.gs[i]) {
			cell[0].text = stw_g_state_name(i);
			cell[1].number = s->detail.gs[i];
			cell += 2;
		}
	return cell != NULL;
}

/* Why those that waited did. */
static bool table_reasons(stw_companion *c, const stw_godebug *g)
{
	static const stwatch_column columns[] = {{"reason", "waiting for", STWATCH_TEXT}, {"goroutines", "goroutines", STWATCH_COUNT}};
	const stw_sched_sample *s = fullest(g);
	const size_t n = s ? s->detail.n_reasons : 0;
	stwatch_cell *cell = stw_companion_table(c, "wait_reasons", "those that waited", columns, 2, n, 0);
	for (size_t i = 0; cell && i < n; i++, cell += 2) {
		const stw_sched_reason *r = &g->reasons.items[s->detail.first_reason + i];
		cell[0].text = stw_intern_get(&g->names, r->reason).data;
		cell[1].number = r->count;
	}
	return cell != NULL;
}

static bool describe(stw_companion *c)
{
	const stw_godebug *g = c->parts[STW_PART_GODEBUG];
	return (g->runs.count < 2 || number(c, "runs", "runs of the program", STWATCH_COUNT, g->runs.count)) &&
		(!g->samples.count || describe_sched(c, g)) && (!g->gcs.count || describe_gc(c, g)) &&
		(!g->inits.count || describe_inits(c, g)) && (!g->pacer.lines || describe_pacer(c, &g->pacer)) &&
		(!g->scavenger || number(c, "scavenger_lines", "scavenger lines", STWATCH_COUNT, g->scavenger)) &&
		(!g->joined || number(c, "joined_lines", "torn lines, put together", STWATCH_COUNT, g->joined)) &&
		(!g->torn || number(c, "torn_lines", "torn lines, left out", STWATCH_COUNT, g->torn)) &&
		(!g->samples.count || table_sched(c, g)) && (!g->ps.count || (table_ps(c, g) && table_gs(c, g) && table_reasons(c, g))) &&
		(!g->gcs.count || table_gc(c, g)) && (!g->inits.count || table_inits(c, g));
}

const stw_companion_reader stw_reader_godebug = {"GODEBUG output", STW_PART_GODEBUG, NULL, read_godebug, describe, release};
