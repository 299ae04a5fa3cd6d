#include "rules/overdue.h"

#include <stdlib.h>

enum {
	FEWEST = 8, /* waits of a goroutine from which is known how long it usually sleeps */
	FEWEST_LATE = 3, /* two may have slept longer by chance */
	TOGETHER_NS = 5000000, /* after the silence, in which timers go off */
	AFTER_NS = 50000000, /* in which the others would end that slept longer of their own will */
	LATE_NS = 10000000,
	SLACK_NS = 1000000,
	APART_NS = 1000000, /* how far apart their beginnings are, and their lengths */
};

typedef struct nap {
	int64_t g, from, to, usual_ns;
} nap;

typedef STW_VEC(nap) naps;

static int by_goroutine_and_length(const void *x, const void *y)
{
	const nap *a = x, *b = y;
	int64_t i = a->to - a->from, k = b->to - b->from;
	return a->g != b->g ? (a->g < b->g ? -1 : 1) : i != k ? (i < k ? -1 : 1) : a->from < b->from ? -1 : a->from > b->from;
}

static int by_end(const void *x, const void *y)
{
	const nap *a = x, *b = y;
	return a->to != b->to ? (a->to < b->to ? -1 : 1) : a->g < b->g ? -1 : a->g > b->g;
}

/* Nothing but a timer wakes who sleeps, nor who is woken at a channel by no goroutine. */
static bool ends_by_timer(const stw_candidate *w)
{
	return !w->open && !w->cut && w->begun && w->next == STW_GO_RUNNABLE &&
		(w->wait == STW_WAIT_SLEEP || (w->waker < 0 && (w->wait == STW_WAIT_RECEIVE || w->wait == STW_WAIT_SELECT)));
}

static void add(stw_case *c, naps *list, const stw_candidates *from)
{
	for (size_t i = 0; i < from->count && !c->failed; i++) {
		const stw_candidate *w = &from->items[i];
		nap *n = ends_by_timer(w) ? stw_vec_push(c->mem, list) : NULL;
		if (n)
			*n = (nap){.g = w->g, .from = w->from, .to = w->to};
		else
			c->failed |= ends_by_timer(w);
	}
}

/* How long each goroutine usually sleeps: three of four times at most. Those that slept too seldom go. */
static void learn_usual(naps *list)
{
	size_t kept = 0;
	qsort(list->items, list->count, sizeof *list->items, by_goroutine_and_length);
	for (size_t first = 0, end; first < list->count; first = end) {
		for (end = first; end < list->count && list->items[end].g == list->items[first].g; end++)
			;
		if (end - first < FEWEST)
			continue;
		const nap *three_quarters = &list->items[first + (end - first - 1) * 3 / 4];
		int64_t usual = three_quarters->to - three_quarters->from;
		for (size_t i = first; i < end; i++) {
			nap n = list->items[i];
			n.usual_ns = usual;
			list->items[kept++] = n;
		}
	}
	list->count = kept;
}

/* When a nap should have ended at the latest. */
static int64_t due(const nap *n)
{
	return n->from + n->usual_ns + n->usual_ns / 2 + SLACK_NS;
}

static bool in_a_stop(const stw_gather *a, const stw_silence *s)
{
	for (size_t i = 0; i < a->stops.count; i++)
		if (stw_overlap(s->from, s->to, a->stops.items[i].from, a->stops.items[i].to) > 0)
			return true;
	return false;
}

static size_t first_from(const naps *list, int64_t time)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list->items[middle].to < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Who backs off for longer than usual sleeps for about as long as others that do, or ends at another time; who was kept from waking does neither. */
static void look_at(const stw_gather *a, const naps *list, stw_silence *s)
{
	int64_t first_begin = INT64_MAX, last_begin = INT64_MIN, shortest = INT64_MAX, longest = 0;
	uint32_t n = 0, later = 0;
	for (size_t i = first_from(list, s->to); i < list->count && list->items[i].to <= s->to + AFTER_NS; i++) {
		const nap *nap = &list->items[i];
		int64_t length = nap->to - nap->from;
		if (nap->from > s->from || due(nap) > s->to - LATE_NS)
			continue;
		if (nap->to > s->to + TOGETHER_NS) {
			later++;
			continue;
		}
		int64_t late = s->to - (due(nap) > s->from ? due(nap) : s->from);
		if (late > s->late_ns) {
			s->late_ns = late;
			s->late_g = nap->g;
			s->late_from = nap->from;
			s->late_usual_ns = nap->usual_ns;
		}
		first_begin = nap->from < first_begin ? nap->from : first_begin;
		last_begin = nap->from > last_begin ? nap->from : last_begin;
		shortest = length < shortest ? length : shortest;
		longest = length > longest ? length : longest;
		n++;
	}
	if (n >= FEWEST_LATE && later <= n && last_begin - first_begin >= APART_NS && longest - shortest >= APART_NS && !in_a_stop(a, s))
		s->n_late = n;
}

void stw_overdue_find(stw_case *c)
{
	stw_gather *a = c->gather;
	naps list = {0};
	if (a->silences.count == 0)
		return;
	add(c, &list, &a->waits);
	add(c, &list, &a->peer_waits);
	if (!c->failed && list.count) {
		learn_usual(&list);
		qsort(list.items, list.count, sizeof *list.items, by_end);
		for (size_t i = 0; i < a->silences.count; i++)
			if ((int64_t)a->silences.items[i].n_user < c->procs) /* else nobody was there to see to timers */
				look_at(a, &list, &a->silences.items[i]);
	}
	stw_vec_free(c->mem, &list);
}
