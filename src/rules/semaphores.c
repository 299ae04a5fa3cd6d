/* Channels that work as locks. One that takes a place by sending (or a token by receiving) and gives it back wakes the next who
 * wants it; so the wakers are those who had waited there themselves, or are of their kind, and each wakes one. Or they were started by
 * those who had waited, to do the work and give the place back (a group of goroutines with a limit): a function literal of the
 * function that waits, and each goroutine wakes one. In a queue of work the wakers are others (producers, consumers), and one that
 * hands out work among equals wakes any number. */
#include <stdlib.h>
#include <string.h>

#include "rules/queues.h"

enum { LEAST = 5 }; /* hand-overs, before anything is concluded */

static int by_site(const void *x, const void *y)
{
	const stw_queued *a = x, *b = y;
	if (a->wait->wait != b->wait->wait)
		return a->wait->wait - b->wait->wait;
	if (a->site.line != b->site.line)
		return a->site.line < b->site.line ? -1 : 1;
	int functions = strcmp(a->site.function, b->site.function);
	if (functions)
		return functions;
	if (a->wait->waker != b->wait->waker)
		return a->wait->waker < b->wait->waker ? -1 : 1;
	return a->wait->to < b->wait->to ? -1 : a->wait->to > b->wait->to;
}

static bool alike(const stw_queued *a, const stw_queued *b)
{
	return a->wait->wait == b->wait->wait && stw_site_same(a->site, b->site);
}

/* The framework lets tests wait for each other on purpose. */
static bool is_tests(const stw_named_stack *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (strncmp(s->frames[i].function, "testing.(*", 10) == 0 &&
			(strstr(s->frames[i].function, ").waitParallel") || strstr(s->frames[i].function, ").Parallel")))
			return true;
	return false;
}

static int compare_ids(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

static unsigned times_in(const int64_t *sorted, size_t n, int64_t g)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (sorted[mid] < g)
			low = mid + 1;
		else
			high = mid;
	}
	unsigned times = 0;
	for (; low < n && sorted[low] == g; low++)
		times++;
	return times;
}

/* "f.func1", "f.func1.2", of a generic function "f[...].func1": written within f. */
static bool is_literal_of(const char *function, const char *outer)
{
	size_t n = outer ? strlen(outer) : 0;
	return function && n && strncmp(function, outer, n) == 0 && strncmp(function + n, ".func", 5) == 0;
}

/* w: the waits at one spot, by waker. */
static bool is_semaphore(const stw_case *c, const stw_queued *w, size_t n, int64_t *waiters)
{
	size_t ended = 0, had_waited = 0, alike_roots = 0, own_function = 0, beyond = 0;
	if (n < LEAST || is_tests(stw_places_stack(&c->places, w->wait->stack)))
		return false;
	for (size_t i = 0; i < n; i++)
		waiters[i] = w[i].wait->g;
	qsort(waiters, n, sizeof *waiters, compare_ids);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i; next < n && w[next].wait->waker == w[i].wait->waker;)
			next++;
		if (w[i].wait->waker < 0) {
			for (size_t k = i; k < next; k++)
				ended += !w[k].wait->open;
			continue;
		}
		unsigned waited = times_in(waiters, n, w[i].wait->waker);
		if (waited == 0 && next - i == 1 &&
			is_literal_of(stw_root_function(stw_places_stack(&c->places, w[i].wait->wake)), w[i].site.function))
			waited = 1; /* he who started it had */
		beyond += next - i > waited + 1 ? next - i - waited - 1 : 0;
		for (size_t k = i; k < next; k++) {
			const stw_named_stack *wake = stw_places_stack(&c->places, w[k].wait->wake);
			const char *root = stw_root_function(stw_places_stack(&c->places, w[k].wait->root)), *by = stw_root_function(wake);
			bool roots = root && by && strcmp(root, by) == 0;
			ended++;
			had_waited += waited > 0;
			alike_roots += waited > 0 || roots;
			own_function += waited > 0 ||
				(roots && wake->user < wake->n && strcmp(wake->frames[wake->user].function, w[k].site.function) == 0);
		}
	}
	return ended >= LEAST && had_waited && alike_roots * 10 >= ended * 9 && own_function * 10 >= ended * 3 && beyond * 10 <= ended * 3;
}

size_t stw_semaphores_keep(stw_case *c, stw_queued *w, size_t n)
{
	size_t kept = 0;
	int64_t *waiters = stw_arena_alloc(&c->arena, (n + 1) * sizeof *waiters);
	if (!waiters) {
		c->failed = true;
		return 0;
	}
	if (n > 1)
		qsort(w, n, sizeof *w, by_site);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from; to < n && alike(&w[from], &w[to]);)
			to++;
		if (!is_semaphore(c, &w[from], to - from, waiters))
			continue;
		memmove(&w[kept], &w[from], (to - from) * sizeof *w);
		kept += to - from;
	}
	return kept;
}
