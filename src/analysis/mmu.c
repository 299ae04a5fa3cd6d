#include "analysis/mmu.h"

enum { MOST = 20000 };

/* The collector's and the stops' share within one window. */
static double lost_in(const stw_gather *a, int64_t from, int64_t to, double procs)
{
	double lost = 0;
	for (size_t n = 0, i = a->uses.count; i-- > 0 && n < MOST && a->uses.items[i].to > from; n++)
		if (a->uses.items[i].use == STW_USE_GC)
			lost += (double)stw_overlap(a->uses.items[i].from, a->uses.items[i].to, from, to) / procs;
	for (size_t i = 0; i < a->stops.count && i < MOST; i++)
		lost += (double)stw_overlap(a->stops.items[i].from, a->stops.items[i].to, from, to);
	return lost / (double)(to - from);
}

/* The worst window begins where something begins, or ends where something ends. */
double stw_mmu(const stw_gather *a, int64_t window_ns)
{
	double worst = 0, procs = (double)stw_gather_procs(a);
	if (procs < 1 || stw_gather_length(a) < window_ns)
		return procs < 1 ? 1
				 : 1 - lost_in(a, a->first_time, a->last_time > a->first_time ? a->last_time : a->first_time + 1, procs);
	for (size_t i = 0; i < a->stops.count && i < 200; i++) {
		const stw_stop *s = &a->stops.items[i];
		double x = lost_in(a, s->from, s->from + window_ns, procs), y = lost_in(a, s->to - window_ns, s->to, procs);
		worst = x > worst ? x : worst;
		worst = y > worst ? y : worst;
	}
	unsigned tried = 0;
	for (size_t i = a->uses.count; i-- > 0 && tried < 200;) {
		if (a->uses.items[i].use != STW_USE_GC)
			continue;
		tried++;
		double x = lost_in(a, a->uses.items[i].from, a->uses.items[i].from + window_ns, procs);
		worst = x > worst ? x : worst;
	}
	return worst >= 1 ? 0 : 1 - worst;
}
