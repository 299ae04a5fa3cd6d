/* Laying a log beside a trace of the same process. Times in the log count from the start of the program, which no trace tells. Three
 * ways, the surest first; each must leave just one place:
 * - collections: the same ones are in both, so distances between them and their lengths must agree, and none may be in one only;
 * - wall times, where the log's lines and the trace (Go 1.25 and later) have them;
 * - queues: at every sample as many goroutines must be queued as the trace shows runnable then.
 * Times of schedtrace begin with its first line, those of gctrace a moment later in the same function (runtime.main): no difference is
 * made between them. */
#include "analysis/gather.h"
#include "sources/godebug.h"

static const int64_t MS = 1000000;
enum { MOST_PLACES = 20000, FEW = 3, MOST_LOG_CYCLES = 100000 };
/* A line tells a cycle's beginning to the millisecond, and threads may be held up between taking the time and writing an event. */
static const int64_t CYCLE_SLACK_NS = 5000000, WALL_SLACK_NS = 20000000, WIDEST_NS = 500000000;

/* A run's lines. */
typedef struct lines {
	const stw_sched_sample *samples;
	size_t n_samples;
	const stw_gc_line *gcs;
	size_t n_gcs;
	int64_t first, last; /* times */
	int64_t period; /* of samples, the longest */
} lines;

/* Where a run's time 0 may lie: the middle, and how far it may be off. */
typedef struct place {
	int64_t zero, slack;
	bool found;
} place;

static int64_t end_of(const stw_gc_line *l)
{
	return l->at_ns + l->sweep_term_ns + l->mark_ns + l->mark_term_ns;
}

static lines lines_of(const stw_godebug *g, uint32_t run)
{
	lines l = {.first = INT64_MAX, .last = -1};
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
		l.last = end_of(gc) > l.last ? end_of(gc) : l.last;
	}
	return l;
}

/* ---- collections ---- */

/* What a cycle in both says of the place of time 0: it was asked for before its event, by no more than the stop took. */
static place zero_from(const stw_cycle *t, const stw_gc_line *l)
{
	int64_t latest = t->from - l->at_ns, earliest = latest - l->sweep_term_ns - MS;
	return (place){earliest + (latest - earliest) / 2, (latest - earliest) / 2 + CYCLE_SLACK_NS, true};
}

/* The mark phase, as far as event and line can agree: events stand somewhere in the stops. */
static bool same_length(const stw_cycle *t, const stw_gc_line *l)
{
	int64_t length = t->to - t->from, low = l->mark_ns, high = l->mark_ns + l->sweep_term_ns + l->mark_term_ns;
	int64_t slack = MS / 2 + high / 50; /* lines have two or three digits */
	return length >= low - slack && length <= high + slack + CYCLE_SLACK_NS / 5;
}

/* How many cycles agree with a place; and how many of either side have no counterpart, those at the trace's borders left out. */
static size_t agree(const stw_gather *a, const lines *l, int64_t zero, place *sum, size_t *alone)
{
	size_t n = 0, next = 0, inside = 0, whole = 0;
	*sum = (place){INT64_MIN, INT64_MAX, true}; /* here: from, to */
	for (size_t i = 0; i < a->cycles.count; i++) {
		const stw_cycle *t = &a->cycles.items[i];
		if (t->from == STW_TIME_UNKNOWN || t->to == STW_TIME_UNKNOWN)
			continue;
		whole++;
		while (next < l->n_gcs && zero + l->gcs[next].at_ns < t->from - l->gcs[next].sweep_term_ns - CYCLE_SLACK_NS - MS)
			next++;
		if (next == l->n_gcs || !same_length(t, &l->gcs[next]))
			continue;
		place z = zero_from(t, &l->gcs[next]);
		if (zero < z.zero - z.slack || zero > z.zero + z.slack)
			continue;
		sum->zero = z.zero - z.slack > sum->zero ? z.zero - z.slack : sum->zero;
		sum->slack = z.zero + z.slack < sum->slack ? z.zero + z.slack : sum->slack;
		n++;
		next++;
	}
	for (size_t i = 0; i < l->n_gcs; i++)
		inside += zero + l->gcs[i].at_ns > a->first_time + 2 * CYCLE_SLACK_NS &&
			zero + end_of(&l->gcs[i]) < a->last_time - 2 * CYCLE_SLACK_NS;
	*alone = whole - n + (inside > n ? inside - n : 0);
	return n;
}

/* The first whole cycle of the trace is tried against each line. */
static place by_cycles(const stw_gather *a, const lines *l)
{
	place best = {0}, sum;
	size_t best_n = 0, others = 0, first = 0, alone;
	while (first < a->cycles.count &&
		(a->cycles.items[first].from == STW_TIME_UNKNOWN || a->cycles.items[first].to == STW_TIME_UNKNOWN))
		first++;
	if (first == a->cycles.count || l->n_gcs > MOST_LOG_CYCLES / (a->cycles.count + 1))
		return best;
	for (size_t i = 0; i < l->n_gcs; i++) {
		place z = zero_from(&a->cycles.items[first], &l->gcs[i]);
		size_t n = agree(a, l, z.zero, &sum, &alone);
		if (n == 0 || alone * 5 > n)
			continue;
		if (best.found && sum.zero <= best.zero + best.slack && sum.slack >= best.zero - best.slack)
			continue; /* the same place once more */
		if (n > best_n) {
			others += best.found;
			best = (place){sum.zero / 2 + sum.slack / 2, (sum.slack - sum.zero) / 2, true};
			best_n = n;
		} else {
			others++;
		}
	}
	/* one or two cycles may agree by chance: then no other line may be like them */
	best.found = best.found && others == 0;
	return best;
}

/* ---- wall times ---- */

static place by_wall(const stw_trace_clock *clock, const stw_godebug_run *r, const lines *l)
{
	const stw_gather *a = clock->gather;
	if (!clock->has_wall || r->wall_ns == INT64_MAX)
		return (place){0};
	int64_t zero = a->first_time + (r->wall_ns - clock->wall_ns);
	bool overlap = zero + l->first <= a->last_time && zero + l->last >= a->first_time;
	return (place){zero - WALL_SLACK_NS / 2, WALL_SLACK_NS, overlap}; /* a logger is late, never early */
}

/* ---- queues ---- */

/* The least and the most that were runnable in the 10 ms around a time. */
static bool runnable_at(const stw_gather *a, int64_t t, int64_t *least, int64_t *most)
{
	int64_t from = (t - STW_SLOT_NS) / STW_SLOT_NS, to = (t + STW_SLOT_NS) / STW_SLOT_NS;
	size_t low = 0, high = a->backlog.count;
	while (low < high) { /* the first slot after from */
		size_t mid = low + (high - low) / 2;
		if (a->backlog.items[mid].slot <= from)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return false;
	*least = a->backlog.items[low - 1].min;
	*most = a->backlog.items[low - 1].max;
	for (; low < a->backlog.count && a->backlog.items[low].slot <= to; low++) {
		*least = a->backlog.items[low].min < *least ? a->backlog.items[low].min : *least;
		*most = a->backlog.items[low].max > *most ? a->backlog.items[low].max : *most;
	}
	return true;
}

/* Whether all samples within the trace agree; how many of these tell something: more is queued than chance gives. The one that each P
 * runs next stands in no queue (runnext). */
static bool queues_agree(const stw_gather *a, const lines *l, int64_t zero, size_t *telling)
{
	*telling = 0;
	for (size_t i = 0; i < l->n_samples; i++) {
		const stw_sched_sample *s = &l->samples[i];
		int64_t t = zero + s->at_ns, least, most, n = (int64_t)stw_sched_queued(s), slack = (int64_t)s->procs + 2;
		if (t < a->first_time + 2 * STW_SLOT_NS || t > a->last_time - 2 * STW_SLOT_NS || s->detail.gc_waiting)
			continue;
		if (!runnable_at(a, t, &least, &most) || n < least - slack || n > most + slack)
			return false;
		*telling += n > 2 * slack;
	}
	for (size_t i = 0; i < l->n_gcs && a->cycles.count == 0; i++) /* a collection that the trace doesn't have */
		if (zero + l->gcs[i].at_ns > a->first_time + 4 * CYCLE_SLACK_NS &&
			zero + end_of(&l->gcs[i]) < a->last_time - 4 * CYCLE_SLACK_NS)
			return false;
	return true;
}

/* Every place is tried at which the trace lies within the log, which goes on to the end of the program. */
static place by_queues(const stw_gather *a, const lines *l)
{
	int64_t earliest = a->last_time - l->last - l->period - l->period / 2, latest = a->first_time - l->first;
	int64_t step = (latest - earliest) / MOST_PLACES > MS ? (latest - earliest) / MOST_PLACES : MS;
	int64_t from = INT64_MAX, to = INT64_MIN;
	size_t least = SIZE_MAX, telling;
	if (l->n_samples < FEW || a->backlog.count == 0 || latest < earliest || step > STW_SLOT_NS / 2 || l->n_samples > MOST_PLACES)
		return (place){0};
	for (int64_t zero = earliest; zero <= latest; zero += step) {
		if (!queues_agree(a, l, zero, &telling))
			continue;
		from = zero < from ? zero : from;
		to = zero;
		least = telling < least ? telling : least;
	}
	bool found = from <= to && to - from <= WIDEST_NS && least >= FEW;
	return (place){from + (to - from) / 2, (to - from) / 2 + 2 * MS, found};
}

/* ---- all ways ---- */

static place find_place(const stw_godebug *g, uint32_t run, const stw_trace_clock *clock, stw_aligned *way)
{
	lines l = lines_of(g, run);
	place p = by_cycles(clock->gather, &l);
	*way = STW_ALIGNED_BY_CYCLES;
	if (!p.found) {
		p = by_wall(clock, &g->runs.items[run], &l);
		*way = STW_ALIGNED_BY_WALL;
	}
	if (!p.found) {
		p = by_queues(clock->gather, &l);
		*way = STW_ALIGNED_BY_QUEUES;
	}
	return p;
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
	return stw_companion_text(c, "trace_time", "in the trace's time", ways[r->aligned]) &&
		stw_companion_number(c, "trace_begins_ns", "… which begins at", STWATCH_NS, a->first_time - r->zero_ns) &&
		stw_companion_number(c, "trace_slack_ns", "… to within", STWATCH_NS, r->slack_ns) &&
		stw_companion_number(c, "trace_samples", "samples in the trace", STWATCH_COUNT, (int64_t)n) &&
		stw_companion_number(c, "trace_queue_global_max", "… global queue, most", STWATCH_COUNT, (int64_t)global) &&
		stw_companion_number(c, "trace_queue_local_max", "… P's queues, most", STWATCH_COUNT, (int64_t)local);
}

enum { MOST_RUNS = 64 };

bool stw_godebug_align(stw_godebug *g, const stw_trace_clock *clock)
{
	stw_godebug_run *only = NULL;
	size_t n = 0;
	for (uint32_t i = 0; i < g->runs.count && g->runs.count <= MOST_RUNS; i++) {
		stw_aligned way;
		place p = find_place(g, i, clock, &way);
		if (!p.found)
			continue;
		only = &g->runs.items[i];
		only->aligned = (uint8_t)way;
		only->zero_ns = p.zero;
		only->slack_ns = p.slack;
		n++;
	}
	if (n == 1)
		return describe(g, clock, only);
	for (size_t i = 0; i < g->runs.count; i++)
		g->runs.items[i].aligned = STW_ALIGNED_NOT;
	g->not_aligned = n ? "several runs of a program in it would fit" : "neither its collections nor its queues fit at just one place";
	return true;
}
