/* Wall times of a log's lines beside those of a trace. A line's stamp is written when it passes by or later, never earlier, so that each line says of
 * time 0 that it lies before some instant; that it doesn't lie much before holds for the lines that were passed on at once, and these must be a third:
 * of what comes in blocks, because somebody buffers it, only the last line of each is.
 * A line without a stamp of its own lies between the lines around it. Their stamps were taken before they were written, some long before (their goroutine
 * had to wait for a P in between): that of the line above is a bound which holds, that of the line below one which mostly does. */
#include <stdlib.h>

#include "sources/godebug_place.h"

static const int64_t MS = 1000000, SECOND = 1000000000, QUARTER_NS = (int64_t)900 * 1000000000;
enum { MIN_LINES = 3, ENOUGH_LINES = 8, FIRST_ZONE = -48, LAST_ZONE = 56 /* quarters of an hour that local times are ahead of UTC */ };
static const int64_t DELAY_NS = 20000000; /* from a line's writing to its stamp */
static const int64_t WIDEST_NS = 1000000000;
/* The years that stamps have: a trace's own clock may say anything. */
static const int64_t EARLIEST_NS = (int64_t)631152000 * 1000000000, LATEST_NS = (int64_t)7258118400 * 1000000000;

typedef enum verdict {
	FITS,
	FEW, /* too few stamps */
	UNSURE, /* they leave too much time, or don't agree with each other */
	ELSEWHERE, /* no part of the run lies within the trace */
	CONTRADICTED, /* by collections, queues or the number of P's */
	VERDICTS
} verdict;

typedef struct search {
	const stw_trace_clock *clock;
	const stw_run_lines *lines;
	int64_t from, to; /* the trace's wall times */
	int64_t *bounds; /* room for one a stamp */
	bool zoned; /* only stamps with a zone count */
} search;

static int falling(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? 1 : -(*a > *b);
}

/* Where time 0 lies, in wall time, by the stamps that are no further from the trace than margin: of the lines' own, or of the lines around them. */
static verdict look(const search *s, bool own, int64_t zone, int64_t margin, int64_t *low, int64_t *high, size_t *n)
{
	/* a bound that holds, and many of the other side that hold but for delays; of the lines around, with the sign turned round */
	int64_t bound = INT64_MAX, unit = 0, middle = s->from + (s->to - s->from) / 2;
	size_t n_bound = 0, late = 0;
	*n = 0;
	for (size_t i = 0; i < s->lines->n_clocks; i++) {
		const stw_godebug_clock *c = &s->lines->clocks[i];
		if ((s->zoned && (c->stamp.lacks & STW_STAMP_NO_ZONE)) || (c->how == STW_CLOCK_OWN) != own)
			continue;
		int64_t wall = stw_stamp_near(&c->stamp, middle, zone), latest = wall + c->stamp.unit - c->at_ns,
			earliest = wall - c->at_ns - MS;
		if (wall < s->from - margin || wall > s->to + margin)
			continue;
		if (c->how != STW_CLOCK_BEFORE)
			s->bounds[(*n)++] = own ? earliest : -latest;
		if (c->how != STW_CLOCK_AFTER && (own ? latest : -earliest) < bound) {
			bound = own ? latest : -earliest;
			unit = c->stamp.unit;
		}
		n_bound += c->how != STW_CLOCK_AFTER;
	}
	if (*n < MIN_LINES || n_bound < MIN_LINES)
		return FEW;
	qsort(s->bounds, *n, sizeof *s->bounds, falling);
	while (late < *n && s->bounds[late] > bound + DELAY_NS)
		late++;
	if (late * 3 > *n * 2)
		return UNSURE;
	/* an eighth of the others may have been delayed by less than that; with few lines what the one line says must do */
	int64_t other = s->bounds[late + (*n - late) / 8];
	if (own && *n < ENOUGH_LINES)
		other = bound - unit - MS;
	other = (other < bound ? other : bound) - DELAY_NS;
	*low = own ? other : -bound;
	*high = own ? bound : -other;
	return FITS;
}

/* The nearest stamps that are enough: clocks are set, and stand still while a machine sleeps. */
static verdict look_around(const search *s, int64_t zone, int64_t *low, int64_t *high)
{
	static const int64_t margins[] = {2, 60, 3600, 86400};
	verdict v = FEW;
	for (int own = 1; own >= 0 && v == FEW; own--) {
		size_t n = 0;
		for (size_t i = 0; i < sizeof margins / sizeof *margins && (v == FEW || n < ENOUGH_LINES); i++)
			v = look(s, own, zone, margins[i] * SECOND, low, high, &n);
	}
	return v;
}

/* What happened narrows it down, or contradicts. */
static verdict compare(const search *s, int64_t zone, stw_run_place *p)
{
	const stw_gather *a = s->clock->gather;
	const stw_run_lines *l = s->lines;
	int64_t low, high;
	verdict v = look_around(s, zone, &low, &high);
	if (v != FITS)
		return v;
	low += a->first_time - s->clock->wall_ns;
	high += a->first_time - s->clock->wall_ns;
	if (high + l->last < a->first_time || low + l->first > a->last_time)
		return ELSEWHERE;
	if (stw_cycles_contradict(a, l, low, high) || !stw_procs_agree(a, l, low + (high - low) / 2))
		return CONTRADICTED;
	*p = stw_place_by_cycles(a, l, low, high);
	if (p->found) {
		low = p->low > low ? p->low : low;
		high = p->high < high ? p->high : high;
	}
	if (l->n_samples && l->n_samples <= STW_PLACES_TRIED && a->backlog.count && high - low <= 10 * WIDEST_NS) {
		stw_run_place q = stw_place_by_queues(a, l, low, high);
		if (!q.found)
			return CONTRADICTED;
		p->confirmed |= q.confirmed;
		if (q.confirmed) {
			low = q.low - 2 * MS;
			high = q.high + 2 * MS;
		}
	}
	p->low = low;
	p->high = high > low ? high : low;
	p->found = p->high - p->low <= WIDEST_NS;
	return p->found ? FITS : UNSURE;
}

/* The first and the last stamp as if they were of UTC; where one lacks its day, any zone may do. */
static void stretch_of(const search *s, int64_t *first, int64_t *last)
{
	*first = INT64_MAX;
	*last = INT64_MIN;
	for (size_t i = 0; i < s->lines->n_clocks; i++) {
		const stw_stamp *t = &s->lines->clocks[i].stamp;
		int64_t wall = stw_stamp_near(t, s->from, 0);
		*first = t->lacks & STW_STAMP_NO_DATE ? INT64_MIN / 2 : wall < *first ? wall : *first;
		*last = t->lacks & STW_STAMP_NO_DATE ? INT64_MAX / 2 : wall > *last ? wall : *last;
	}
}

/* Local times: the zone is known if there is just one in which what happened agrees, and says more than chance would. */
static verdict try_zones(const search *s, stw_run_place *place)
{
	verdict all = ELSEWHERE;
	size_t fits = 0;
	int64_t first, last;
	stretch_of(s, &first, &last);
	for (int64_t zone = FIRST_ZONE; zone <= LAST_ZONE; zone++) {
		stw_run_place p;
		if (first - zone * QUARTER_NS > s->to + QUARTER_NS || last - zone * QUARTER_NS < s->from - QUARTER_NS)
			continue;
		verdict v = compare(s, zone * QUARTER_NS, &p);
		if (v == FITS && p.confirmed) {
			*place = p;
			fits++;
		}
		if (v != ELSEWHERE && (all == ELSEWHERE || v < all))
			all = v;
	}
	return fits == 1 ? FITS : all == FITS ? UNSURE : all;
}

bool stw_place_by_wall(stw_mem *mem, const stw_trace_clock *clock, const stw_run_lines *l, stw_run_place *place, const char **why_not,
	bool *of_another_time)
{
	static const char *const zoned_words[VERDICTS] = {NULL, NULL, "its wall times leave more than a second, or contradict each other",
		"by its wall times it is of another time",
		"where its wall times place it, its collections, queues or procs are not the trace's"};
	static const char *const local_words[VERDICTS] = {NULL, NULL,
		"its wall times have no time zone, and what it tells doesn't say which it is",
		"its wall times have no time zone, and in none it would be of that time",
		"its wall times have no time zone, and in none its collections, queues or procs are the trace's"};
	const stw_gather *a = clock->gather;
	size_t zoned = 0;
	*place = (stw_run_place){.chance = 1};
	*why_not = NULL;
	*of_another_time = false;
	if (!clock->has_wall || clock->wall_ns < EARLIEST_NS || clock->wall_ns > LATEST_NS || a->last_time - a->first_time > LATEST_NS ||
		l->n_clocks == 0)
		return true;
	int64_t *bounds = stw_mem_resize(mem, NULL, 0, l->n_clocks * sizeof *bounds);
	if (!bounds)
		return false;
	for (size_t i = 0; i < l->n_clocks; i++)
		zoned += !(l->clocks[i].stamp.lacks & STW_STAMP_NO_ZONE);
	const search s = {clock, l, clock->wall_ns, clock->wall_ns + (a->last_time - a->first_time), bounds, zoned >= MIN_LINES};
	verdict v = s.zoned ? compare(&s, 0, place) : try_zones(&s, place);
	stw_mem_free(mem, bounds, l->n_clocks * sizeof *bounds);
	place->found = v == FITS;
	*why_not = s.zoned ? zoned_words[v] : local_words[v];
	*of_another_time = s.zoned && (v == ELSEWHERE || v == CONTRADICTED);
	return true;
}
