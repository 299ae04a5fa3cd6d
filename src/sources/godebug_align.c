/* Laying logs beside a trace of the same process. Times in a log count from the start of the program, which no trace tells; so collections, wall times
 * and queues are compared (godebug_place.h), and where it isn't certain that log and trace are of one process, at one place, none is taken.
 * Times of schedtrace begin with its first line, those of gctrace a moment later in the same function (runtime.main): no difference is
 * made between them. */
#include "sources/godebug_place.h"

static const int64_t MS = 1000000;
enum { MOST_RUNS = 64 };
/* Queues that are as long for longer say nothing of the place. */
static const int64_t WIDEST_NS = 100000000;
/* Collections that agree as well as so by chance are believed against wall times too: clocks of two machines may differ. */
static const double SURE = 1e-6;

static stw_run_lines lines_of(const stw_godebug *g, uint32_t run)
{
	stw_run_lines l = {.first = INT64_MAX, .last = -1};
	for (size_t i = 0; i < g->samples.count; i++) {
		const stw_sched_sample *s = &g->samples.items[i];
		if (s->run != run)
			continue;
		l.samples = l.n_samples++ ? l.samples : s;
		l.first = s->at_ns < l.first ? s->at_ns : l.first;
		l.period = l.n_samples > 1 && s->at_ns - s[-1].at_ns > l.period ? s->at_ns - s[-1].at_ns : l.period;
		l.last = s->at_ns > l.last ? s->at_ns : l.last;
	}
	for (size_t i = 0; i < g->gcs.count; i++) {
		const stw_gc_line *gc = &g->gcs.items[i];
		if (gc->run != run)
			continue;
		l.gcs = l.n_gcs++ ? l.gcs : gc;
		l.first = gc->at_ns < l.first ? gc->at_ns : l.first;
		l.last = stw_gc_end(gc) > l.last ? stw_gc_end(gc) : l.last;
	}
	for (size_t i = 0; i < g->clocks.count; i++)
		if (g->clocks.items[i].run == run)
			l.clocks = l.n_clocks++ ? l.clocks : &g->clocks.items[i];
	return l;
}

bool stw_procs_agree(const stw_gather *a, const stw_run_lines *l, int64_t zero)
{
	const int64_t last = a->gomaxprocs_last, most = a->gomaxprocs_max > last ? a->gomaxprocs_max : last;
	for (size_t i = 0; i < l->n_samples && last > 0; i++) {
		const stw_sched_sample *s = &l->samples[i];
		if (zero + s->at_ns < a->first_time || zero + s->at_ns > a->last_time)
			continue;
		if (s->procs > most || (most == last && s->procs != last))
			return false;
	}
	return true;
}

/* Every place is tried at which the trace lies within the log, which goes on to the end of the program. */
static stw_run_place by_queues(const stw_gather *a, const stw_run_lines *l)
{
	int64_t low = a->last_time - l->last - l->period - l->period / 2, high = a->first_time - l->first;
	stw_run_place p = stw_place_by_queues(a, l, low, high);
	p.found = p.confirmed && p.high - p.low <= WIDEST_NS && !stw_cycles_contradict(a, l, p.low, p.high) &&
		stw_procs_agree(a, l, p.low + (p.high - p.low) / 2);
	p.low -= 2 * MS;
	p.high += 2 * MS;
	return p;
}

typedef struct answer {
	stw_run_place place;
	stw_aligned way;
	const char *why_not;
} answer;

/* False: out of memory. */
static bool find_place(stw_mem *mem, const stw_run_lines *l, const stw_trace_clock *clock, answer *out)
{
	const stw_gather *a = clock->gather;
	bool of_another_time;
	stw_run_place cycles = stw_place_by_cycles(a, l, a->first_time - l->last, a->last_time - l->first), wall;
	if (!stw_place_by_wall(mem, clock, l, &wall, &out->why_not, &of_another_time))
		return false;
	bool disagree = of_another_time || (wall.found && (cycles.high < wall.low || cycles.low > wall.high));
	if (cycles.confirmed && stw_procs_agree(a, l, cycles.low) && (!disagree || cycles.chance < SURE)) {
		out->place = cycles;
		out->way = STW_ALIGNED_BY_CYCLES;
	} else if (wall.found) {
		out->place = wall;
		out->way = STW_ALIGNED_BY_WALL;
	} else if (!of_another_time) {
		out->place = by_queues(a, l);
		out->way = STW_ALIGNED_BY_QUEUES;
	}
	if (!out->place.found && !out->why_not)
		out->why_not = l->n_gcs && a->cycles.count
			? "its collections and queues don't say for sure at which place they would be the trace's"
			: "nothing in it says for sure at which place it would be the trace's";
	return true;
}

static bool describe(stw_godebug *g, const stw_trace_clock *clock, const stw_godebug_run *r)
{
	static const char *const ways[STW_ALIGNED_WAYS] = {"", "by collections", "by wall times", "by queue lengths"};
	stw_companion *c = (stw_companion *)g->companion;
	const stw_gather *a = clock->gather;
	uint64_t n = 0, global = 0, local = 0;
	for (size_t i = 0; i < g->samples.count; i++) {
		const stw_sched_sample *s = &g->samples.items[i];
		int64_t t = r->zero_ns + s->at_ns;
		if (&g->runs.items[s->run] != r || t < a->first_time || t > a->last_time)
			continue;
		n++;
		global = s->global > global ? s->global : global;
		local = s->local > local ? s->local : local;
	}
	return stw_companion_text(c, "trace_time", "in the trace's time",
		       r->same ? ways[r->aligned] : "by wall times alone: it may be another process") &&
		stw_companion_number(c, "trace_begins_ns", "… which begins at", STWATCH_NS, a->first_time - r->zero_ns) &&
		stw_companion_number(c, "trace_slack_ns", "… to within", STWATCH_NS, r->slack_ns) &&
		stw_companion_number(c, "trace_samples", "samples in the trace", STWATCH_COUNT, (int64_t)n) &&
		stw_companion_number(c, "trace_queue_global_max", "… global queue, most", STWATCH_COUNT, (int64_t)global) &&
		stw_companion_number(c, "trace_queue_local_max", "… P's queues, most", STWATCH_COUNT, (int64_t)local);
}

static bool refuse(stw_godebug *g, const char *why)
{
	for (size_t i = 0; i < g->runs.count; i++) {
		g->runs.items[i].aligned = STW_ALIGNED_NOT;
		g->runs.items[i].same = false;
	}
	g->not_aligned = why;
	return true;
}

bool stw_godebug_align(stw_godebug *g, const stw_trace_clock *clock)
{
	size_t same = 0;
	const char *why_not = NULL;
	const stw_godebug_run *shown = NULL;
	if (g->runs.count > MOST_RUNS)
		return refuse(g, "there are too many runs of programs in it");
	for (uint32_t i = 0; i < g->runs.count; i++) {
		const stw_run_lines l = lines_of(g, i);
		stw_godebug_run *r = &g->runs.items[i];
		answer found = {0};
		if (l.last < 0)
			continue;
		if (!find_place(g->mem, &l, clock, &found))
			return false;
		if (!found.place.found) {
			why_not = why_not ? why_not : found.why_not;
			continue;
		}
		r->zero_ns = found.place.low + (found.place.high - found.place.low) / 2;
		r->slack_ns = (found.place.high - found.place.low) / 2;
		r->aligned = (uint8_t)found.way;
		r->same = found.place.confirmed;
		same += r->same;
		shown = !shown || r->same ? r : shown;
	}
	if (same > 1)
		return refuse(g, "several runs of a program in it would fit");
	return shown ? describe(g, clock, shown) : refuse(g, why_not ? why_not : "it tells no times");
}
