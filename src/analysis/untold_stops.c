#include "analysis/untold_stops.h"

#include <stdlib.h>
#include <string.h>

void stw_untold_stops_init(stw_untold_stops *u, stw_mem *mem)
{
	memset(u, 0, sizeof *u);
	u->mem = mem;
}

void stw_untold_stops_free(stw_untold_stops *u)
{
	stw_vec_free(u->mem, &u->stops);
}

static bool take(void *user, const stw_fold *fold, stw_joint joint)
{
	stw_untold_stops *u = user;
	(void)joint;
	if (!stw_vec_reserve(u->mem, &u->stops, u->stops.count + fold->stops.count))
		return false;
	for (size_t i = 0; i < fold->stops.count; i++) {
		const stw_stop *s = &fold->stops.items[i];
		u->stops.items[u->stops.count++] = (stw_untold_stop){
			s->from, s->told_to, s->g, s->p, fold->generation, s->stack, s->inferred};
	}
	return true;
}

static int by_time(const void *x, const void *y)
{
	const stw_untold_stop *a = x, *b = y;
	return a->from != b->from ? (a->from > b->from) - (a->from < b->from) : (a->to > b->to) - (a->to < b->to);
}

stwatch_status stw_untold_stops_read(stw_untold_stops *u, stw_trace *trace, const stw_run_options *options, stwatch_error *error)
{
	u->any = trace->v1 && trace->version < 21;
	if (!u->any)
		return STWATCH_OK;
	stwatch_status status = stw_trace_fold(trace, options, take, u, error);
	if (u->stops.count > 1)
		qsort(u->stops.items, u->stops.count, sizeof *u->stops.items, by_time);
	return status;
}
