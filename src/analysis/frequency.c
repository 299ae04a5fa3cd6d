/* How much of the procs' time stops take, by the second. */
#include <string.h>

#include "analysis/gather.h"
#include "model/stops.h"

enum { WINDOW_NS = 1000000000, KEEP_COUNT = 50, KEEP_PERMILLE = 5, LONG_NS = 1000000, FEW = 4 };

/* The kind of stop that cost most among the recent ones. */
static void name_worst(const stw_gather *a, stw_stop_window *w)
{
	int64_t most = -1;
	for (size_t r = 0; r < a->rows.count; r++) {
		int64_t lost = 0;
		uint64_t count = 0;
		const stw_stop_brief *longest = NULL;
		for (size_t i = a->recent_first; i < a->recent.count; i++) {
			const stw_stop_brief *b = &a->recent.items[i];
			if (b->kind != a->rows.items[r].kind || b->apart)
				continue;
			lost += b->to - b->from;
			count++;
			if (!longest || b->to - b->from > longest->to - longest->from)
				longest = b;
		}
		if (longest && lost > most) {
			most = lost;
			w->worst = *longest;
			w->worst_count = count;
		}
	}
}

/* Stops of the collector's that are long, where less than a quarter of their kind are: what they cost is no matter of how many there are. */
static void find_odd(const stw_gather *a, stw_stop_window *w)
{
	for (size_t r = 0; r < a->rows.count; r++) {
		uint64_t count = 0, odd = 0;
		int64_t lost = 0;
		for (size_t i = a->recent_first; i < a->recent.count; i++) {
			const stw_stop_brief *b = &a->recent.items[i];
			if (b->kind != a->rows.items[r].kind || b->apart)
				continue;
			count++;
			if (b->to - b->from < LONG_NS)
				continue;
			odd++;
			lost += b->lost_ns;
		}
		if (a->rows.items[r].class == STW_STOP_GC && odd * FEW < count) {
			w->odd += odd;
			w->odd_ns += lost;
		}
	}
}

void stw_gather_stop_window(stw_gather *a, const stw_stop_brief *stop)
{
	while (a->recent_first < a->recent.count && a->recent.items[a->recent_first].from < stop->to - WINDOW_NS)
		a->recent_first++;
	if (a->recent_first > 4096 && a->recent_first > a->recent.count / 2) {
		a->recent.count -= a->recent_first;
		memmove(a->recent.items, a->recent.items + a->recent_first, a->recent.count * sizeof *a->recent.items);
		a->recent_first = 0;
	}
	stw_stop_brief *b = stw_vec_push(a->mem, &a->recent);
	if (!b) {
		a->failed = true;
		return;
	}
	*b = *stop;
	stw_stop_window w = {
		.from = a->recent.items[a->recent_first].from, .to = stop->to, .proc_ns = stw_gather_procs(a) * (int64_t)WINDOW_NS};
	w.count = a->recent.count - a->recent_first;
	for (size_t i = a->recent_first; i < a->recent.count; i++)
		if (!a->recent.items[i].apart)
			w.lost_ns += a->recent.items[i].lost_ns;
	if (w.count < KEEP_COUNT && w.lost_ns * 1000 < w.proc_ns * KEEP_PERMILLE)
		return;
	stw_stop_window *last = a->windows.count ? &a->windows.items[a->windows.count - 1] : NULL;
	if (last && w.from < last->from + WINDOW_NS) { /* the same second, moved on: the worse of the two stands */
		if (w.lost_ns <= last->lost_ns)
			return;
	} else if (!(last = stw_vec_push(a->mem, &a->windows))) {
		a->failed = true;
		return;
	}
	name_worst(a, &w);
	find_odd(a, &w);
	*last = w;
}
