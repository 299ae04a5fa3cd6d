#include "analysis/state_graph.h"

#include <string.h>

void stw_state_graph_init(stw_state_graph *s, stw_mem *mem)
{
	memset(s, 0, sizeof *s);
	s->mem = mem;
}

void stw_state_graph_free(stw_state_graph *s)
{
	for (size_t i = 0; i < s->edges.count; i++)
		stw_mem_free(s->mem, s->edges.items[i], sizeof **s->edges.items);
	stw_vec_free(s->mem, &s->edges);
}

/* ---- folding ---- */

static stw_state_edge *edge_of(stw_state_graph *s, const stw_move *m)
{
	uint32_t *head = &s->first_edge[m->resource][m->from][m->to];
	for (uint32_t i = *head; i; i = s->edges.items[i - 1]->next)
		if (s->edges.items[i - 1]->event == m->event)
			return s->edges.items[i - 1];
	stw_state_edge *e = stw_mem_zalloc(s->mem, sizeof *e);
	stw_state_edge **slot = e ? stw_vec_push(s->mem, &s->edges) : NULL;
	if (!slot) {
		stw_mem_free(s->mem, e, e ? sizeof *e : 0);
		return NULL;
	}
	*slot = e;
	e->resource = m->resource;
	e->from = m->from;
	e->to = m->to;
	e->event = m->event;
	e->next = *head;
	*head = (uint32_t)s->edges.count;
	return e;
}

bool stw_state_graph_move(stw_state_graph *s, const stw_move *m)
{
	stw_state_edge *e = edge_of(s, m);
	if (!e)
		return false;
	e->count++;
	if (!m->measured)
		return true;
	e->measured++;
	e->spent[stw_histogram_bucket(m->spent)]++;
	if (m->spent > e->max)
		e->max = m->spent;
	return true;
}

void stw_state_graph_stay(stw_state_graph *s, const stw_interval *i, int64_t ns, bool censored)
{
	stw_state_sum *sum = &s->sums[i->resource][i->state];
	sum->stays++;
	sum->censored += censored;
	sum->total += ns;
}

/* ---- the result ---- */

const char *stw_state_event_name(unsigned event)
{
	const char *name = stw_event_spec_of(event)->name;
	return name ? name : "the end";
}

static int64_t percentile(const stw_state_edge *e, double share)
{
	uint64_t rank = (uint64_t)((double)e->measured * share), seen = 0;
	if (rank >= e->measured)
		rank = e->measured - 1;
	for (unsigned b = 0; b < STW_HISTOGRAM_SIZE; b++) {
		seen += e->spent[b];
		if (seen > rank) {
			int64_t v = stw_histogram_value(b);
			return v < e->max ? v : e->max;
		}
	}
	return e->max;
}

static const char *why(const stw_state_edge *e, unsigned version)
{
	const stw_move_row *row = stw_move_find(e->resource, e->from, e->to, e->event, version);
	if (row)
		return row->why;
	if (e->from == STW_STATE_UNKNOWN)
		return "what it was before is not known";
	return e->to == STW_STATE_UNKNOWN ? "the trace contradicts itself here" : "illegal: the runtime never does this";
}

static bool add_transition(const stw_state_graph *s, const stw_state_edge *e, unsigned version, uint64_t all, stw_state_transitions *out)
{
	stwatch_transition *t = stw_vec_push(s->mem, out);
	if (!t)
		return false;
	*t = (stwatch_transition){
		.resource = (stwatch_resource)(e->resource + STWATCH_GOROUTINE),
		.from = stw_state_name(e->from),
		.to = stw_state_name(e->to),
		.event = stw_state_event_name(e->event),
		.count = e->count,
		.share = (double)e->count / (double)all,
		.measured = e->measured,
		.p50_ns = e->measured ? percentile(e, 0.5) : -1,
		.p99_ns = e->measured ? percentile(e, 0.99) : -1,
		.max_ns = e->measured ? e->max : -1,
		.legal = e->from == STW_STATE_UNKNOWN || e->to == STW_STATE_UNKNOWN ||
			stw_move_find(e->resource, e->from, e->to, e->event, version),
		.why = why(e, version),
	};
	return true;
}

bool stw_state_graph_transitions(const stw_state_graph *s, unsigned resource, unsigned version, stw_state_transitions *out)
{
	uint64_t all = 0;
	for (size_t i = 0; i < s->edges.count; i++)
		if (s->edges.items[i]->resource == resource)
			all += s->edges.items[i]->count;
	for (unsigned from = 0; from < STW_STATE_COUNT; from++)
		for (unsigned to = 0; to < STW_STATE_COUNT; to++)
			for (unsigned event = 0; event < 256 && s->first_edge[resource][from][to]; event++)
				for (uint32_t i = s->first_edge[resource][from][to]; i; i = s->edges.items[i - 1]->next)
					if (s->edges.items[i - 1]->event == event &&
						!add_transition(s, s->edges.items[i - 1], version, all, out))
						return false;
	return true;
}

bool stw_state_graph_times(const stw_state_graph *s, unsigned resource, stw_state_times *out)
{
	double whole = 0;
	for (unsigned state = 0; state < STW_STATE_COUNT; state++)
		whole += (double)s->sums[resource][state].total;
	for (unsigned state = 0; state < STW_STATE_COUNT; state++) {
		const stw_state_sum *sum = &s->sums[resource][state];
		stwatch_state_time *t = sum->stays ? stw_vec_push(s->mem, out) : NULL;
		if (sum->stays && !t)
			return false;
		if (t)
			*t = (stwatch_state_time){
				.resource = (stwatch_resource)(resource + STWATCH_GOROUTINE),
				.state = stw_state_name(state),
				.stays = sum->stays,
				.censored = sum->censored,
				.total_ns = sum->total,
				.share = whole > 0 ? (double)sum->total / whole : 0,
			};
	}
	return true;
}
