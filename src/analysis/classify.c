/* What the procs did while a goroutine stood runnable. */
#include "analysis/gather.h"

/* The time in which at least one proc was idle is the union of their idle stretches; they come by descending end,
 * so that one sweep backwards in time joins them. */
typedef struct idle_union {
	int64_t low; /* everything from here on is counted */
	int64_t sum;
} idle_union;

static void unite(idle_union *u, int64_t from, int64_t to)
{
	if (to > u->low)
		to = u->low;
	if (to <= from)
		return;
	u->sum += to - from;
	u->low = from;
}

static void add_use(stw_candidate *c, const stw_proc_use *u, int64_t procs, idle_union *idle)
{
	if (u->p >= procs) /* beyond GOMAXPROCS: dead */
		return;
	int64_t from = u->from > c->from ? u->from : c->from, to = u->to < c->to ? u->to : c->to;
	if (to <= from)
		return;
	c->use_ns[u->use] += to - from;
	if (u->use == STW_USE_IDLE && to - from >= STW_KEEP_USE_NS)
		unite(idle, from, to);
}

/* More stretches than this within one wait: the wait's oldest part is left out of the split. */
enum { MOST_USES = 100000 };

void stw_gather_classify(stw_gather *a, stw_candidate *c)
{
	int64_t procs = stw_gather_procs(a), busy = 0;
	idle_union idle = {.low = INT64_MAX};
	for (size_t i = 0; i < a->ps.count; i++) { /* open stretches reach to the end of what is known */
		const stw_known_p *p = &a->ps.items[i];
		stw_proc_use open = {.p = p->id, .from = p->since, .to = a->last_time, .use = p->use};
		if (p->since != STW_TIME_UNKNOWN && p->use != STW_USE_USER && open.to - open.from >= STW_KEEP_USE_NS)
			add_use(c, &open, procs, &idle);
	}
	for (size_t n = 0, i = a->uses.count; i-- > 0 && n < MOST_USES && a->uses.items[i].to > c->from; n++)
		add_use(c, &a->uses.items[i], procs, &idle);
	for (size_t i = a->stops.count; i-- > 0 && a->stops.items[i].to > c->from;)
		c->stopped_ns += stw_overlap(c->from, c->to, a->stops.items[i].from, a->stops.items[i].to);
	c->idle_beside_ns = idle.sum;
	c->proc_ns = procs * (c->to - c->from);
	for (int u = 0; u < STW_USE_COUNT; u++)
		if (u != STW_USE_USER)
			busy += c->use_ns[u];
	c->use_ns[STW_USE_USER] = c->proc_ns > busy ? c->proc_ns - busy : 0;
}
