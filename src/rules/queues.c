/* Linking waits into queues, and finding who holds what nobody has let go of when the trace ends. */
#include "rules/queues.h"

#include <stdlib.h>
#include <string.h>

#include "rules/waits.h"

enum { REWAIT_NS = 1000000 }; /* a woken waiter that finds the lock taken again waits on within this */

static const stw_candidates *lists_of(const stw_case *c, unsigned i)
{
	const stw_gather *a = c->gather;
	const stw_candidates *all[] = {&a->lock_waits, &a->peer_waits, &a->waits, &a->syscalls, &a->runs, &a->runnable_stays};
	return i < sizeof all / sizeof *all ? all[i] : NULL;
}

void stw_queues_want(stw_case *c)
{
	const stw_candidates *list;
	for (unsigned i = 0; (list = lists_of(c, i)) != NULL; i++) {
		bool waits = i < 3;
		for (size_t k = 0; k < list->count; k++) {
			const stw_candidate *w = &list->items[k];
			if (list == &c->gather->waits && !w->open && w->to - w->from < c->set[STW_SET_CONVOY_NOTE] / 2)
				continue;
			stw_places_want(&c->places, w->root);
			stw_places_want(&c->places, w->stack);
			if (waits)
				stw_places_want(&c->places, w->wake);
			if (waits)
				stw_places_want_string(&c->places, w->reason_generation, w->reason);
		}
	}
}

/* ---- sites ---- */

stw_site stw_site_of(const stw_named_stack *s)
{
	uint32_t at = stw_case_frame(s);
	return at < s->n ? (stw_site){s->frames[at].function, s->frames[at].line} : (stw_site){0};
}

bool stw_site_same(stw_site a, stw_site b)
{
	return a.line == b.line && a.function && b.function && strcmp(a.function, b.function) == 0;
}

static int compare_sites(stw_site a, stw_site b)
{
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return strcmp(a.function ? a.function : "", b.function ? b.function : "");
}

/* ---- everything that is known of a goroutine ---- */

static int by_goroutine(const void *x, const void *y)
{
	const stw_candidate *a = *(const stw_candidate *const *)x, *b = *(const stw_candidate *const *)y;
	if (a->g != b->g)
		return a->g < b->g ? -1 : 1;
	return a->from < b->from ? -1 : a->from > b->from;
}

static bool collect_stays(stw_case *c, stw_queues *q)
{
	const stw_candidates *list;
	size_t n = 0;
	for (unsigned i = 0; (list = lists_of(c, i)) != NULL; i++)
		n += list->count;
	q->stays = stw_arena_alloc(&c->arena, (n + 1) * sizeof *q->stays);
	if (!q->stays)
		return false;
	for (unsigned i = 0; (list = lists_of(c, i)) != NULL; i++)
		for (size_t k = 0; k < list->count; k++)
			q->stays[q->n_stays++] = &list->items[k];
	if (n > 1)
		qsort(q->stays, n, sizeof *q->stays, by_goroutine);
	return true;
}

/* Index of the first stay of a goroutine, or of the one after it. */
static size_t first_stay(const stw_queues *q, int64_t g, int64_t from)
{
	size_t low = 0, high = q->n_stays;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const stw_candidate *s = q->stays[mid];
		if (s->g < g || (s->g == g && s->from < from))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t stw_stays_from(const stw_queues *q, int64_t g, int64_t from)
{
	size_t i = first_stay(q, g, from);
	if (i > 0 && q->stays[i - 1]->g == g && q->stays[i - 1]->to > from) /* stays of one goroutine follow each other */
		i--;
	return i;
}

const stw_candidate *stw_stay_open(const stw_queues *q, int64_t g, int64_t at)
{
	size_t i = first_stay(q, g, at);
	return i > 0 && q->stays[i - 1]->g == g && q->stays[i - 1]->open && q->stays[i - 1]->to == at ? q->stays[i - 1] : NULL;
}

/* ---- which waits are for locks ---- */

static bool is_lock(const stw_case *c, const stw_candidate *w)
{
	const stw_named_stack *at = stw_places_stack(&c->places, w->stack), *root = stw_places_stack(&c->places, w->root);
	return !w->gc_worker && !stw_is_runtimes(root) && stw_is_lock_wait(at);
}

static bool add(stw_case *c, stw_queues *q, const stw_candidate *w, bool channel)
{
	stw_site site = stw_site_of(stw_places_stack(&c->places, w->stack));
	if (!site.function)
		return false;
	q->all[q->n_all] = (stw_queued){.wait = w, .site = site, .queue = (uint32_t)q->n_all, .channel = channel};
	q->n_all++;
	return true;
}

static bool collect_waits(stw_case *c, stw_queues *q)
{
	const stw_gather *a = c->gather;
	q->all = stw_arena_alloc(&c->arena, (a->lock_waits.count + a->peer_waits.count + a->waits.count + 1) * sizeof *q->all);
	if (!q->all)
		return false;
	for (size_t i = 0; i < a->lock_waits.count; i++)
		if (is_lock(c, &a->lock_waits.items[i]))
			add(c, q, &a->lock_waits.items[i], false);
	for (size_t i = 0; i < a->waits.count; i++) /* since before the trace: only the stack tells */
		if (a->waits.items[i].wait == STW_WAIT_UNKNOWN && is_lock(c, &a->waits.items[i]))
			add(c, q, &a->waits.items[i], false);
	size_t locks = q->n_all;
	for (size_t i = 0; i < a->peer_waits.count; i++) {
		const stw_candidate *w = &a->peer_waits.items[i];
		if (w->wait != STW_WAIT_FOREVER && !w->gc_worker && !stw_is_runtimes(stw_places_stack(&c->places, w->root)))
			add(c, q, w, true);
	}
	q->n_all = locks + stw_semaphores_keep(c, q->all + locks, q->n_all - locks);
	for (size_t i = locks; i < q->n_all; i++)
		q->all[i].queue = (uint32_t)i;
	return true;
}

/* ---- who got away from where ---- */

static int by_spot(const void *x, const void *y)
{
	const stw_served *a = x, *b = y;
	return a->wait != b->wait ? a->wait - b->wait : compare_sites(a->site, b->site);
}

static bool collect_served(stw_case *c, stw_queues *q)
{
	const stw_gather *a = c->gather;
	size_t n = 0, kept = 0;
	q->served = stw_arena_alloc(&c->arena, (a->peer_waits.count + a->lock_waits.count + 1) * sizeof *q->served);
	if (!q->served)
		return false;
	for (size_t i = 0; i < a->peer_waits.count + a->lock_waits.count; i++) {
		const stw_candidate *w = i < a->peer_waits.count ? &a->peer_waits.items[i] : &a->lock_waits.items[i - a->peer_waits.count];
		if (!w->open)
			q->served[n++] = (stw_served){stw_site_of(stw_places_stack(&c->places, w->stack)), w->wait, 1, w->to - w->from};
	}
	if (n > 1)
		qsort(q->served, n, sizeof *q->served, by_spot);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || by_spot(&q->served[kept - 1], &q->served[i]) != 0) {
			q->served[kept++] = q->served[i];
			continue;
		}
		q->served[kept - 1].times++;
		if (q->served[i].longest_ns > q->served[kept - 1].longest_ns)
			q->served[kept - 1].longest_ns = q->served[i].longest_ns;
	}
	q->n_served = kept;
	return true;
}

stw_served stw_served_at(const stw_queues *q, stw_site site, uint8_t wait)
{
	const stw_served key = {.site = site, .wait = wait};
	const stw_served *found = q && q->n_served ? bsearch(&key, q->served, q->n_served, sizeof key, by_spot) : NULL;
	return found ? *found : key;
}

/* ---- linking ---- */

static uint32_t first_of(stw_queues *q, uint32_t i)
{
	while (q->all[i].queue != i)
		i = q->all[i].queue = q->all[q->all[i].queue].queue;
	return i;
}

static void link_waits(stw_queues *q, const stw_queued *x, const stw_queued *y)
{
	uint32_t a = first_of(q, (uint32_t)(x - q->all)), b = first_of(q, (uint32_t)(y - q->all));
	if (a < b)
		q->all[b].queue = a;
	else
		q->all[a].queue = b;
}

static int by_waiter(const void *x, const void *y)
{
	const stw_queued *a = *(stw_queued *const *)x, *b = *(stw_queued *const *)y;
	if (a->wait->g != b->wait->g)
		return a->wait->g < b->wait->g ? -1 : 1;
	return a->wait->to < b->wait->to ? -1 : a->wait->to > b->wait->to;
}

static int by_waker(const void *x, const void *y)
{
	const stw_queued *a = *(stw_queued *const *)x, *b = *(stw_queued *const *)y;
	if (a->wait->waker != b->wait->waker)
		return a->wait->waker < b->wait->waker ? -1 : 1;
	int sites = compare_sites(a->site, b->site);
	if (sites)
		return sites;
	return a->wait->to < b->wait->to ? -1 : a->wait->to > b->wait->to;
}

/* One that waited in the meantime and then woke this one has handed it on, if it had come first or waited at the same spot.
 * (What it waited for later and elsewhere was another lock.) */
static bool handed_on(const stw_queued *a, const stw_queued *b)
{
	if (a->channel != b->channel)
		return false;
	return stw_site_same(a->site, b->site) || (!a->channel && a->wait->from <= b->wait->from);
}

/* The wait by which the waker of b had come to hold what b waited for, if it ended while b waited. */
static stw_queued *wait_of_waker(stw_queued **sorted, size_t n, const stw_queued *b)
{
	int64_t g = b->wait->waker, by = b->wait->to;
	size_t low = 0, high = n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const stw_candidate *w = sorted[mid]->wait;
		if (w->g < g || (w->g == g && w->to <= by))
			low = mid + 1;
		else
			high = mid;
	}
	for (; low > 0; low--) {
		stw_queued *a = sorted[low - 1];
		if (a->wait->g != g || a->wait->to <= b->wait->from)
			break;
		if (a != b && !a->wait->open && handed_on(a, b))
			return a;
	}
	return NULL;
}

static void link_ended(stw_queues *q, stw_queued **sorted)
{
	qsort(sorted, q->n_all, sizeof *sorted, by_waiter);
	for (size_t i = 0; i < q->n_all; i++) {
		stw_queued *b = sorted[i];
		if (i > 0 && sorted[i - 1]->wait->g == b->wait->g && stw_site_same(sorted[i - 1]->site, b->site) &&
			b->wait->from - sorted[i - 1]->wait->to < REWAIT_NS)
			link_waits(q, sorted[i - 1], b);
		stw_queued *a = b->wait->open || b->wait->waker < 0 ? NULL : wait_of_waker(sorted, q->n_all, b);
		if (a)
			link_waits(q, a, b);
	}
	qsort(sorted, q->n_all, sizeof *sorted, by_waker); /* two that one goroutine woke, while both waited */
	for (size_t i = 1; i < q->n_all; i++) {
		const stw_queued *a = sorted[i - 1], *b = sorted[i];
		if (!a->wait->open && !b->wait->open && a->wait->waker >= 0 && a->wait->waker == b->wait->waker &&
			stw_site_same(a->site, b->site) && b->wait->from < a->wait->to)
			link_waits(q, a, b);
	}
}

/* Several may hold places of one channel, so that hand-overs alone leave several lines. Who waits for a channel is served in the
 * order of coming: where that holds for all who wait at a spot, it is one channel. */
static void link_channel(stw_queues *q, stw_queued **sorted, size_t from, size_t to)
{
	size_t pairs = 0, in_order = 0;
	for (int pass = 0; pass < 2; pass++) {
		const stw_queued *longest = sorted[from];
		for (size_t i = from + 1; i < to; i++) {
			if (sorted[i]->wait->from >= longest->wait->to) {
				longest = sorted[i];
				continue;
			}
			if (pass == 1)
				link_waits(q, longest, sorted[i]);
			pairs++;
			in_order += sorted[i]->wait->to >= longest->wait->to;
			if (sorted[i]->wait->to > longest->wait->to)
				longest = sorted[i];
		}
		if (in_order * 10 < pairs * 9)
			return;
	}
}

/* ---- those that still wait when the trace ends ---- */

typedef struct stw_holder {
	int64_t g, since;
	bool guessed;
} stw_holder;

/* Whether a goroutine is past the place where others of its function wait for the lock. */
static bool stands_behind(const stw_case *c, const stw_candidate *s, stw_site site)
{
	const stw_named_stack *at = stw_places_stack(&c->places, s->stack);
	for (uint32_t i = 0; i < at->n; i++)
		if (strcmp(at->frames[i].function, site.function) == 0 && at->frames[i].line > site.line)
			return true;
	return false;
}

/* No hand-over shows who has it. If just one goroutine is blocked further on in the function that takes the lock, since before
 * the first of them came, it may be that one. */
static stw_holder guess_holder(const stw_case *c, const stw_queues *q, stw_site site, int64_t first, int64_t end)
{
	stw_holder found = {.g = STWATCH_NONE};
	for (size_t i = 0; i < q->n_stays; i++) {
		const stw_candidate *s = q->stays[i];
		if (!s->open || s->to != end || s->state == STW_GO_RUNNABLE || s->from > first || !stands_behind(c, s, site))
			continue;
		if (found.g != STWATCH_NONE)
			return (stw_holder){.g = STWATCH_NONE};
		found = (stw_holder){s->g, s->from, true};
	}
	return found;
}

/* Who got it last, if that one has not waited for it again. */
static stw_holder last_holder(const stw_queues *q, const stw_queued *last, int64_t end)
{
	const stw_candidate *now = stw_stay_open(q, last->wait->g, end);
	if (!now || now->from < last->wait->to)
		return (stw_holder){.g = STWATCH_NONE};
	for (size_t i = 0; i < q->n_all; i++)
		if (q->all[i].wait == now && stw_site_same(q->all[i].site, last->site))
			return (stw_holder){.g = STWATCH_NONE};
	return (stw_holder){last->wait->g, last->wait->to, false};
}

/* The open waits at one spot, [from, to) of sorted. Those that were there when it was last handed on belong to that queue. */
static stw_holder link_open(stw_case *c, stw_queues *q, stw_queued **sorted, size_t from, size_t to)
{
	const stw_queued *last = NULL, *open = NULL;
	int64_t first = INT64_MAX, end = INT64_MIN; /* of the trace, or its part */
	for (size_t i = from; i < to; i++) {
		const stw_queued *x = sorted[i];
		if (x->wait->open && x->wait->from < first)
			first = x->wait->from;
		if (x->wait->open)
			end = x->wait->to;
		if (!x->wait->open && (!last || x->wait->to > last->wait->to))
			last = x;
	}
	stw_holder holder = last ? last_holder(q, last, end) : (stw_holder){.g = STWATCH_NONE};
	if (holder.g == STWATCH_NONE && first != INT64_MAX && !sorted[from]->channel) {
		holder = guess_holder(c, q, sorted[from]->site, first, end);
		last = holder.g != STWATCH_NONE ? NULL : last;
	}
	for (size_t i = from; i < to; i++) {
		const stw_queued *x = sorted[i];
		if (!x->wait->open)
			continue;
		if (last && (x->wait->from < last->wait->to || holder.g != STWATCH_NONE))
			link_waits(q, last, x);
		else if (open && holder.g != STWATCH_NONE)
			link_waits(q, open, x);
		open = x;
	}
	return first == INT64_MAX ? (stw_holder){.g = STWATCH_NONE} : holder;
}

static int by_site(const void *x, const void *y)
{
	const stw_queued *a = *(stw_queued *const *)x, *b = *(stw_queued *const *)y;
	int sites = compare_sites(a->site, b->site);
	if (sites || a->channel != b->channel)
		return sites ? sites : a->channel - b->channel;
	if (a->wait->part != b->wait->part)
		return a->wait->part < b->wait->part ? -1 : 1;
	return a->wait->from < b->wait->from ? -1 : a->wait->from > b->wait->from;
}

/* ---- queues ---- */

static int by_queue(const void *x, const void *y)
{
	const stw_queued *a = *(stw_queued *const *)x, *b = *(stw_queued *const *)y;
	if (a->queue != b->queue)
		return a->queue < b->queue ? -1 : 1;
	if (a->wait->from != b->wait->from)
		return a->wait->from < b->wait->from ? -1 : 1;
	return a->wait->g < b->wait->g ? -1 : a->wait->g > b->wait->g;
}

static bool cut_queues(stw_case *c, stw_queues *q, stw_queued **sorted)
{
	for (size_t i = 0; i < q->n_all; i++) /* each points at its first: a stable number */
		q->all[i].queue = first_of(q, (uint32_t)i);
	qsort(sorted, q->n_all, sizeof *sorted, by_queue);
	for (size_t i = 0; i < q->n_all; i++)
		q->count += i == 0 || sorted[i]->queue != sorted[i - 1]->queue;
	q->items = stw_arena_zalloc(&c->arena, (q->count + 1) * sizeof *q->items);
	if (!q->items)
		return false;
	stw_queue *now = q->items - 1;
	for (size_t i = 0; i < q->n_all; i++) {
		if (i == 0 || sorted[i]->queue != sorted[i - 1]->queue)
			*++now = (stw_queue){.waits = sorted + i, .channel = sorted[i]->channel};
		now->n_waits++;
	}
	return true;
}

static bool same_spot(const stw_queued *a, const stw_queued *b)
{
	return stw_site_same(a->site, b->site) && a->channel == b->channel && a->wait->part == b->wait->part;
}

/* Who holds what a queue waits for at the end, found spot by spot. */
static stw_holder holder_of(const stw_queue *queue, stw_queued *const *spots, const stw_holder *holders, size_t n)
{
	for (size_t i = queue->n_waits; i-- > 0;)
		for (size_t k = 0; queue->waits[i]->wait->open && k < n; k++)
			if (same_spot(spots[k], queue->waits[i]))
				return holders[k];
	return (stw_holder){.g = STWATCH_NONE};
}

static bool link_all(stw_case *c, stw_queues *q)
{
	size_t n_spots = 0;
	stw_queued **sorted = stw_arena_alloc(&c->arena, (q->n_all + 1) * sizeof *sorted);
	stw_queued **spots = stw_arena_alloc(&c->arena, (q->n_all + 1) * sizeof *spots);
	stw_holder *holders = stw_arena_alloc(&c->arena, (q->n_all + 1) * sizeof *holders);
	if (!sorted || !spots || !holders)
		return false;
	for (size_t i = 0; i < q->n_all; i++)
		sorted[i] = &q->all[i];
	link_ended(q, sorted);
	qsort(sorted, q->n_all, sizeof *sorted, by_site);
	for (size_t from = 0, to; from < q->n_all; from = to) {
		bool open = false;
		for (to = from; to < q->n_all && same_spot(sorted[from], sorted[to]); to++)
			open |= sorted[to]->wait->open;
		if (sorted[from]->channel)
			link_channel(q, sorted, from, to);
		if (!open)
			continue;
		spots[n_spots] = sorted[from];
		holders[n_spots++] = link_open(c, q, sorted, from, to);
	}
	if (!cut_queues(c, q, sorted))
		return false;
	for (size_t i = 0; i < q->count; i++) {
		stw_holder x = holder_of(&q->items[i], spots, holders, n_spots);
		q->items[i].guessed = x.guessed;
		stw_queue_conclude(c, &q->items[i], x.g, x.since);
	}
	return true;
}

void stw_queues_build(stw_case *c)
{
	stw_queues *q = stw_arena_zalloc(&c->arena, sizeof *q);
	c->queues = q;
	if (q && collect_stays(c, q) && collect_served(c, q) && collect_waits(c, q) && (q->n_all == 0 || link_all(c, q)))
		return;
	c->failed = true;
	if (q)
		q->count = 0;
}
