#include "sources/godebug_place.h"

static const int64_t MS = 1000000, LONGEST_STOP_NS = 60000000000;
enum { MOST_LOG_CYCLES = 100000 };

/* What a cycle in both says of the place of time 0: it was asked for before its event, by no more than the stop took. */
static stw_run_place zero_from(const stw_cycle *t, const stw_gc_line *l)
{
	int64_t latest = t->from - l->at_ns, earliest = latest - l->sweep_term_ns - MS;
	return (stw_run_place){.low = earliest - STW_CYCLE_SLACK_NS, .high = latest + STW_CYCLE_SLACK_NS};
}

/* The mark phase, as far as event and line can agree: events stand somewhere in the stops. */
static bool same_length(const stw_cycle *t, const stw_gc_line *l)
{
	int64_t length = t->to - t->from, low = l->mark_ns, high = l->mark_ns + l->sweep_term_ns + l->mark_term_ns;
	int64_t slack = MS / 2 + high / 50; /* lines have two or three digits */
	return length >= low - slack && length <= high + slack + STW_CYCLE_SLACK_NS / 5;
}

static bool is_whole(const stw_cycle *t)
{
	return t->from != STW_TIME_UNKNOWN && t->to != STW_TIME_UNKNOWN;
}

/* The first one that begins at a time or later. */
static size_t cycle_from(const stw_run_lines *l, int64_t at)
{
	size_t low = 0, high = l->n_gcs;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (l->gcs[mid].at_ns < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Cycles of the log within the trace, those at its borders left out. */
static size_t inside(const stw_gather *a, const stw_run_lines *l, int64_t zero)
{
	int64_t until = a->last_time - 2 * STW_CYCLE_SLACK_NS - zero;
	size_t from = cycle_from(l, a->first_time + 2 * STW_CYCLE_SLACK_NS - zero), to = cycle_from(l, until);
	while (to > from && stw_gc_end(&l->gcs[to - 1]) >= until)
		to--;
	return to > from ? to - from : 0;
}

/* How well a place fits. */
typedef struct fit {
	size_t n; /* cycles that agree */
	size_t alone; /* of either side, that have no counterpart */
	int64_t low, high; /* where time 0 may lie by them */
	int64_t earliest, latest; /* the latest beginning and the earliest end of where each says without any slack */
} fit;

static bool is_good(const fit *f)
{
	return f->n > 0 && f->alone * 5 <= f->n;
}

static double share_of_length(const stw_run_lines *l, const stw_cycle *t)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n_gcs; i++)
		n += same_length(t, &l->gcs[i]);
	return (double)n / (double)l->n_gcs;
}

/* What chance each cycle leaves, of a log in which they come at random as often as in this one and with the same lengths. */
typedef struct odds {
	double rate;
	int64_t apart; /* what cycles say of the place differs by this */
	double all, widest;
} odds;

static void add_odds(odds *o, const stw_run_lines *l, const stw_cycle *t, const stw_gc_line *gc)
{
	double here = o->rate * (double)(gc->sweep_term_ns + MS + 2 * o->apart);
	here = here < 1 ? here : 1;
	o->all *= here * share_of_length(l, t);
	o->widest = here > o->widest ? here : o->widest;
}

/* o: NULL, or what chance leaves is wanted too. */
static fit fit_at(const stw_gather *a, const stw_run_lines *l, int64_t zero, odds *o)
{
	fit f = {.low = INT64_MIN, .high = INT64_MAX, .earliest = INT64_MIN, .latest = INT64_MAX};
	size_t whole = 0, next = cycle_from(l, a->first_time - zero - LONGEST_STOP_NS);
	for (size_t i = 0; i < a->cycles.count; i++) {
		const stw_cycle *t = &a->cycles.items[i];
		if (!is_whole(t))
			continue;
		whole++;
		while (next < l->n_gcs && zero + l->gcs[next].at_ns < t->from - l->gcs[next].sweep_term_ns - STW_CYCLE_SLACK_NS - MS)
			next++;
		if (next == l->n_gcs || !same_length(t, &l->gcs[next]))
			continue;
		stw_run_place z = zero_from(t, &l->gcs[next]);
		if (zero < z.low || zero > z.high)
			continue;
		f.low = z.low > f.low ? z.low : f.low;
		f.high = z.high < f.high ? z.high : f.high;
		f.earliest = z.low + STW_CYCLE_SLACK_NS > f.earliest ? z.low + STW_CYCLE_SLACK_NS : f.earliest;
		f.latest = z.high - STW_CYCLE_SLACK_NS < f.latest ? z.high - STW_CYCLE_SLACK_NS : f.latest;
		if (o)
			add_odds(o, l, t, &l->gcs[next]);
		f.n++;
		next++;
	}
	size_t in_log = inside(a, l, zero);
	f.alone = whole - f.n + (in_log > f.n ? in_log - f.n : 0);
	return f;
}

/* How often as many cycles would agree as closely by chance somewhere in a stretch: one anywhere, the others where that one says. */
static double chance_of(const stw_gather *a, const stw_run_lines *l, int64_t stretch, const fit *f, int64_t zero)
{
	odds o = {.rate = l->last > l->first ? (double)l->n_gcs / (double)(l->last - l->first) : 1,
		.apart = f->earliest > f->latest ? f->earliest - f->latest : 0,
		.all = 1};
	double first = o.rate * (double)(stretch < l->last - l->first ? stretch : l->last - l->first);
	fit_at(a, l, zero, &o);
	return o.widest > 0 ? first * o.all / o.widest : 1;
}

stw_run_place stw_place_by_cycles(const stw_gather *a, const stw_run_lines *l, int64_t low, int64_t high)
{
	fit best = {0};
	int64_t best_zero = 0;
	size_t others = 0, first = 0;
	while (first < a->cycles.count && !is_whole(&a->cycles.items[first]))
		first++;
	if (first == a->cycles.count || l->n_gcs > MOST_LOG_CYCLES / (a->cycles.count + 1))
		return (stw_run_place){.chance = 1};
	for (size_t i = 0; i < l->n_gcs; i++) { /* the first whole cycle of the trace against each line */
		stw_run_place z = zero_from(&a->cycles.items[first], &l->gcs[i]);
		if (z.high < low || z.low > high)
			continue;
		fit f = fit_at(a, l, z.low + (z.high - z.low) / 2, NULL);
		if (!is_good(&f) || (best.n && f.low <= best.high && f.high >= best.low)) /* the same place once more */
			continue;
		others += best.n > 0;
		if (f.n > best.n) {
			best = f;
			best_zero = z.low + (z.high - z.low) / 2;
		}
	}
	if (best.n == 0 || others)
		return (stw_run_place){.chance = 1};
	double chance = chance_of(a, l, high - low + 2 * STW_CYCLE_SLACK_NS, &best, best_zero);
	return (stw_run_place){.low = best.low, .high = best.high, .found = true, .confirmed = chance < STW_CHANCE, .chance = chance};
}

bool stw_cycles_contradict(const stw_gather *a, const stw_run_lines *l, int64_t low, int64_t high)
{
	size_t first = 0;
	while (first < a->cycles.count && !is_whole(&a->cycles.items[first]))
		first++;
	if (l->n_gcs == 0 || l->n_gcs > MOST_LOG_CYCLES / (a->cycles.count + 1))
		return false;
	if (first == a->cycles.count) /* then none of the log's may lie in the trace wherever time 0 is */
		return inside(a, l, low) > 0 && inside(a, l, high) > 0;
	for (size_t i = 0; i < l->n_gcs; i++) {
		stw_run_place z = zero_from(&a->cycles.items[first], &l->gcs[i]);
		fit f = z.high < low || z.low > high ? (fit){0} : fit_at(a, l, z.low + (z.high - z.low) / 2, NULL);
		if (is_good(&f))
			return false;
	}
	return true;
}
