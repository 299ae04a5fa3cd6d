/* The state graph: the exact reader's events through the timelines, folded into a row for each transition. */
#include "stwatch/states.h"

#include <string.h>

#include "analysis/members.h"
#include "api/told.h"
#include "base/error.h"
#include "engine/feed.h"
#include "output/states_print.h"

enum { CONTRADICTIONS_KEPT = 100, LIMITS_MAX = 8 };

typedef struct edge {
	uint8_t resource, from, to, event;
	uint32_t next; /* 1 + index of another of the same states, 0: none */
	uint64_t count, measured;
	int64_t max;
	uint32_t spent[STW_HISTOGRAM_SIZE];
} edge;

typedef struct stay_sum {
	uint64_t stays, censored;
	int64_t total;
} stay_sum;

struct stwatch_states {
	stw_mem *mem;
	stwatch_states_options options;
	unsigned version;
	STW_VEC(edge *) edges;
	uint32_t first_edge[STW_RES_COUNT][STW_STATE_COUNT][STW_STATE_COUNT]; /* as edge.next */
	stay_sum sums[STW_RES_COUNT][STW_STATE_COUNT];
	STW_VEC(stwatch_contradiction) contradictions;
	uint64_t n_contradictions;
	STW_VEC(stwatch_state_time) times;
	STW_VEC(stwatch_transition) transitions;
	stw_told told;
	stw_timeline timeline; /* while the events are read */
	stw_untold_stops stops;
	bool in_untold; /* the next of stops has begun */
	stw_members members; /* of options.function */
	stwatch_summary summary;
	const char *limits[LIMITS_MAX];
	size_t n_limits;
	bool failed;
};

void stwatch_states_options_init(stwatch_states_options *options)
{
	*options = (stwatch_states_options){.size = sizeof *options, .goroutine = STWATCH_NONE, .proc = STWATCH_NONE};
}

const char *stwatch_resource_name(stwatch_resource resource)
{
	return stw_resource_name((unsigned)resource - STWATCH_GOROUTINE);
}

void stwatch_states_free(stwatch_states *s)
{
	if (!s)
		return;
	stw_mem *mem = s->mem;
	for (size_t i = 0; i < s->edges.count; i++)
		stw_mem_free(mem, s->edges.items[i], sizeof **s->edges.items);
	stw_vec_free(mem, &s->edges);
	stw_vec_free(mem, &s->contradictions);
	stw_vec_free(mem, &s->times);
	stw_vec_free(mem, &s->transitions);
	stw_members_free(&s->members);
	stw_untold_stops_free(&s->stops);
	stw_told_free(&s->told);
	stw_mem_free(mem, s, sizeof *s);
}

/* ---- folding ---- */

static bool wanted(const stwatch_states *s, unsigned resource, int64_t id)
{
	const stwatch_states_options *o = &s->options;
	if (o->goroutine == STWATCH_NONE && o->proc == STWATCH_NONE && !o->function)
		return true;
	if (resource != STW_RES_G)
		return resource == STW_RES_P && id != STWATCH_NONE && id == o->proc;
	return id != STWATCH_NONE && (id == o->goroutine || (o->function && stw_members_has(&s->members, id)));
}

static bool inside(const stwatch_states *s, int64_t at)
{
	at -= s->told.first;
	return at >= s->options.from_ns && (s->options.to_ns <= 0 || at <= s->options.to_ns);
}

static edge *edge_of(stwatch_states *s, const stw_move *m)
{
	uint32_t *head = &s->first_edge[m->resource][m->from][m->to];
	for (uint32_t i = *head; i; i = s->edges.items[i - 1]->next)
		if (s->edges.items[i - 1]->event == m->event)
			return s->edges.items[i - 1];
	edge *e = stw_mem_zalloc(s->mem, sizeof *e);
	edge **slot = e ? stw_vec_push(s->mem, &s->edges) : NULL;
	if (!slot) {
		stw_mem_free(s->mem, e, e ? sizeof *e : 0);
		s->failed = true;
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

/* A place for one more; NULL when there are enough, or no memory. */
static stwatch_contradiction *contradiction(stwatch_states *s, const char *rule, int64_t at, const char *what)
{
	s->n_contradictions++;
	if (s->contradictions.count == CONTRADICTIONS_KEPT)
		return NULL;
	stwatch_contradiction *c = what ? stw_vec_push(s->mem, &s->contradictions) : NULL;
	s->failed |= !c;
	if (c)
		*c = (stwatch_contradiction){.rule = rule,
			.at_ns = at - s->told.first,
			.goroutine = STWATCH_NONE,
			.proc = STWATCH_NONE,
			.thread = STWATCH_NONE,
			.what = what};
	return c;
}

static const char *event_name(unsigned event)
{
	const char *name = stw_event_spec_of(event)->name;
	return name ? name : "the end";
}

static void tell_illegal(stwatch_states *s, const stw_move *m)
{
	const char *what = s->contradictions.count == CONTRADICTIONS_KEPT
		? NULL
		: stw_arena_printf(&s->told.arena, "%s %lld from %s to %s by %s", stw_resource_name(m->resource), (long long)m->id,
			  stw_state_name(m->from), stw_state_name(m->to), event_name(m->event));
	stwatch_contradiction *c = contradiction(s, "illegal-transition", m->at, what);
	if (c)
		*(m->resource == STW_RES_G ? &c->goroutine : m->resource == STW_RES_P ? &c->proc : &c->thread) = m->id;
}

static void on_move(void *user, const stw_move *m)
{
	stwatch_states *s = user;
	if (!wanted(s, m->resource, m->id) || !inside(s, m->at))
		return;
	edge *e = edge_of(s, m);
	if (!e)
		return;
	e->count++;
	if (m->measured) {
		e->measured++;
		e->spent[stw_histogram_bucket(m->spent)]++;
		if (m->spent > e->max)
			e->max = m->spent;
	}
	if (!m->legal)
		tell_illegal(s, m);
}

static void on_interval(void *user, const stw_interval *i)
{
	stwatch_states *s = user;
	int64_t from = s->told.first + s->options.from_ns, to = s->options.to_ns > 0 ? s->told.first + s->options.to_ns : INT64_MAX;
	if (!wanted(s, i->resource, i->id) || i->to < from || i->from > to)
		return;
	stay_sum *sum = &s->sums[i->resource][i->state];
	sum->stays++;
	sum->censored += i->open_begin || i->open_end || i->from < from || i->to > to;
	sum->total += (i->to < to ? i->to : to) - (i->from > from ? i->from : from);
}

static void on_clash(void *user, const stw_clash *c)
{
	stwatch_states *s = user;
	if (!inside(s, c->at) || !(wanted(s, STW_RES_G, c->g) || wanted(s, STW_RES_P, c->p)))
		return;
	const char *what = s->contradictions.count == CONTRADICTIONS_KEPT
		? NULL
		: stw_arena_printf(&s->told.arena, "a thread (%lld) with a P (%lld) %s and a goroutine (%lld) %s, after %s",
			  (long long)c->m, (long long)c->p, stw_state_name(c->p_state), (long long)c->g, stw_state_name(c->g_state),
			  event_name(c->event));
	stwatch_contradiction *told = contradiction(s, "coupling-violation", c->at, what);
	if (told) {
		told->goroutine = c->g;
		told->proc = c->p;
		told->thread = c->m;
	}
}

/* ---- reading ---- */

/* On the thread that its P has; without one it is no stop as it can be understood. */
static bool add_untold(stwatch_states *s, const stw_untold_stop *stop, uint8_t type, int64_t at)
{
	uint32_t p = stw_timeline_find_p(&s->timeline, stop->p);
	uint32_t m = p == STW_MAP_NONE ? STW_MAP_NONE : s->timeline.ps.items[p].m;
	const stw_timeline_event e = {
		.time = at, .m = m == STW_MAP_NONE ? STWATCH_NONE : s->timeline.ms.items[m].id, .p = stop->p, .g = stop->g, .type = type};
	return m == STW_MAP_NONE ? !s->timeline.failed : stw_timeline_add(&s->timeline, &e);
}

/* The stops that no event tells, as far as they began and ended before the event at hand. */
static bool take_untold(stwatch_states *s, int64_t before)
{
	for (; s->stops.next < s->stops.stops.count; s->stops.next++) {
		const stw_untold_stop *stop = &s->stops.stops.items[s->stops.next];
		if (!stop->inferred)
			continue;
		if (!s->in_untold && stop->from >= before)
			return true;
		if (!s->in_untold && !add_untold(s, stop, STW_EV_STWBegin, stop->from))
			return false;
		s->in_untold = true;
		if (stop->to >= before)
			return true;
		if (!add_untold(s, stop, STW_EV_STWEnd, stop->to))
			return false;
		s->in_untold = false;
	}
	return true;
}

static bool take(void *user, stw_stream *stream, const stw_stream_event *e)
{
	stwatch_states *s = user;
	if (!stw_told_event(&s->told, stream, e))
		return true;
	if (s->told.fresh)
		stw_timeline_generation(&s->timeline, e->time, s->told.generations);
	if (e->type == STW_EV_ProcsChange && (int64_t)e->a[0] > s->summary.gomaxprocs_max)
		s->summary.gomaxprocs_max = (int64_t)e->a[0];
	return take_untold(s, e->time) && stw_feed(&s->timeline, stream, e) && !s->failed;
}

/* What the strict reader refuses as a contradiction is one. */
static void tell_fault(stwatch_states *s, stw_fault fault, const char *what)
{
	bool coupling = fault == STW_FAULT_COUPLING;
	if (coupling || fault == STW_FAULT_TRANSITION || fault == STW_FAULT_ORDER)
		contradiction(s, coupling ? "coupling-violation" : "illegal-transition", s->told.last,
			stw_arena_copy(&s->told.arena, what, strlen(what)));
}

static bool on_damage(void *user, const stw_stream *stream, const stwatch_error *error)
{
	stwatch_states *s = user;
	if (!stream->salvaging || stream->order.fault != STW_FAULT_BYTES)
		tell_fault(s, stream->order.fault, error->message);
	return stw_told_damage(&s->told, stream, error) && !s->failed;
}

static void on_gap(void *user)
{
	stwatch_states *s = user;
	stw_timeline_gap(&s->timeline, s->told.last);
}

static void on_forgotten(void *user, bool proc, int64_t id, int64_t time)
{
	stwatch_states *s = user;
	stw_timeline_forget(&s->timeline, proc, id, time);
}

/* ---- the result ---- */

static int64_t percentile(const edge *e, double share)
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

static const char *why(const stwatch_states *s, const edge *e)
{
	const stw_move_row *row = stw_move_find(e->resource, e->from, e->to, e->event, s->version);
	if (row)
		return row->why;
	if (e->from == STW_STATE_UNKNOWN)
		return "what it was before is not known";
	return e->to == STW_STATE_UNKNOWN ? "the trace contradicts itself here" : "illegal: the runtime never does this";
}

static bool add_transition(stwatch_states *s, const edge *e, uint64_t all)
{
	stwatch_transition *t = stw_vec_push(s->mem, &s->transitions);
	if (!t)
		return false;
	*t = (stwatch_transition){
		.resource = (stwatch_resource)(e->resource + STWATCH_GOROUTINE),
		.from = stw_state_name(e->from),
		.to = stw_state_name(e->to),
		.event = event_name(e->event),
		.count = e->count,
		.share = (double)e->count / (double)all,
		.measured = e->measured,
		.p50_ns = e->measured ? percentile(e, 0.5) : -1,
		.p99_ns = e->measured ? percentile(e, 0.99) : -1,
		.max_ns = e->measured ? e->max : -1,
		.legal = e->from == STW_STATE_UNKNOWN || e->to == STW_STATE_UNKNOWN ||
			stw_move_find(e->resource, e->from, e->to, e->event, s->version),
		.why = why(s, e),
	};
	return true;
}

/* In the order of the tables, whatever came first in the trace. */
static bool list_transitions(stwatch_states *s, unsigned resource)
{
	uint64_t all = 0;
	for (size_t i = 0; i < s->edges.count; i++)
		if (s->edges.items[i]->resource == resource)
			all += s->edges.items[i]->count;
	for (unsigned from = 0; from < STW_STATE_COUNT; from++)
		for (unsigned to = 0; to < STW_STATE_COUNT; to++)
			for (unsigned event = 0; event < 256 && s->first_edge[resource][from][to]; event++)
				for (uint32_t i = s->first_edge[resource][from][to]; i; i = s->edges.items[i - 1]->next)
					if (s->edges.items[i - 1]->event == event && !add_transition(s, s->edges.items[i - 1], all))
						return false;
	return true;
}

static bool list_times(stwatch_states *s, unsigned resource)
{
	double whole = 0;
	for (unsigned state = 0; state < STW_STATE_COUNT; state++)
		whole += (double)s->sums[resource][state].total;
	for (unsigned state = 0; state < STW_STATE_COUNT; state++) {
		const stay_sum *sum = &s->sums[resource][state];
		stwatch_state_time *t = sum->stays ? stw_vec_push(s->mem, &s->times) : NULL;
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

static bool tell_limits(stwatch_states *s)
{
	static const char *const ALWAYS[] = {
		"_Gidle, _Gcopystack and _Gleaked are never written: their time is in the states around them",
		"when a P became _Pgcstop is inferred from the other P's; who asked for a stop keeps its P _Prunning",
		"a thread has no state of the runtime's: it follows from its P and goroutine; idle ones may not exist yet",
	};
	for (size_t i = 0; i < sizeof ALWAYS / sizeof *ALWAYS; i++)
		s->limits[s->n_limits++] = ALWAYS[i];
	if (s->stops.any)
		s->limits[s->n_limits++] = s->version < 10
			? "to Go 1.9 stops are no events: they are inferred from their ends, and so is when P's were _Pgcstop in them"
			: "to Go 1.20 stops other than the collector's are no events: they are inferred from their ends, and so is when "
			  "P's were "
			  "_Pgcstop in them";
	const char *gaps = stw_word_gaps(&s->told.arena, s->told.n_gaps, s->told.gaps_ns);
	if (gaps)
		s->limits[s->n_limits++] = gaps;
	return gaps || s->told.n_gaps == 0;
}

static bool conclude(stwatch_states *s, bool cancelled)
{
	bool ok = true;
	for (unsigned resource = 0; resource < STW_RES_COUNT; resource++)
		ok = ok && list_times(s, resource) && list_transitions(s, resource);
	return ok && stw_told_conclude(&s->told, cancelled) && tell_limits(s);
}

/* ---- the public functions ---- */

static bool see_member(void *user, stw_stream *stream, const stw_stream_event *e)
{
	stw_members *members = user;
	if (e->type != STW_EV_SYNC_POINT)
		stw_members_add(members, stream, e);
	return !members->failed;
}

static stwatch_status find_members(stwatch_states *s, const stwatch_context *context, stwatch_error *error)
{
	const stw_walk walk = {.event = see_member, .user = &s->members};
	stwatch_status status = stw_told_walk(&s->told, context, &walk, error);
	if (status == STWATCH_OK && s->members.count == 0)
		status = stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "no goroutine was started with, or seen in, \"%.200s\"",
			s->options.function);
	return status;
}

static stwatch_status read_events(stwatch_states *s, const stwatch_context *context, stwatch_error *error)
{
	const stw_timeline_hooks hooks = {on_interval, on_move, on_clash, s};
	const stw_walk walk = {.event = take, .damage = on_damage, .gap = on_gap, .forgotten = on_forgotten, .user = s};
	s->version = (unsigned)s->told.trace.version;
	if (!stw_timeline_init(&s->timeline, s->mem, s->version, &hooks))
		return stw_fail_memory(error);
	stwatch_status status = stw_told_stops(&s->told, context, &s->stops, error);
	if (status == STWATCH_OK)
		status = stw_told_walk(&s->told, context, &walk, error);
	bool cancelled = status == STWATCH_ERR_CANCELLED;
	if (status == STWATCH_OK || cancelled) {
		stw_timeline_finish(&s->timeline, s->told.last);
		if (s->failed || !conclude(s, cancelled))
			status = stw_fail_memory(error);
	}
	stw_timeline_free(&s->timeline);
	return stw_told_verdict(&s->told, status, error);
}

static stwatch_status run(stwatch_states *s, stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_error *error)
{
	stwatch_status status = stw_told_open(&s->told, context, paths, n_paths, error);
	if (status == STWATCH_OK && s->options.function)
		status = find_members(s, context, error);
	return status == STWATCH_OK ? read_events(s, context, error) : status;
}

stwatch_status stwatch_states_read(stwatch_context *context, const char *const *paths, size_t n_paths,
	const stwatch_states_options *options, stwatch_states **out, stwatch_error *error)
{
	stwatch_error local;
	error = stw_error_begin(error, &local);
	*out = NULL;
	stwatch_states *s = stw_mem_zalloc(&context->mem, sizeof *s);
	if (!s)
		return stw_fail_memory(error);
	s->mem = &context->mem;
	stw_told_init(&s->told, s->mem);
	stwatch_states_options_init(&s->options);
	stw_options_take(&s->options, sizeof s->options, options);
	bool ok = stw_told_keep(&s->told, &s->options.function);
	stw_members_init(&s->members, s->mem, s->options.function);
	stw_untold_stops_init(&s->stops, s->mem);
	stwatch_status status = ok ? run(s, context, paths, n_paths, error) : stw_fail_memory(error);
	if (status == STWATCH_OK || status == STWATCH_ERR_DAMAGED || status == STWATCH_ERR_CANCELLED)
		*out = s;
	else
		stwatch_states_free(s);
	return status;
}

const stwatch_input *stwatch_states_inputs(const stwatch_states *s, size_t *count)
{
	*count = s->told.inputs.count;
	return s->told.inputs.items;
}

const char *const *stwatch_states_limits(const stwatch_states *s, size_t *count)
{
	*count = s->n_limits;
	return s->limits;
}

const stwatch_state_time *stwatch_states_times(const stwatch_states *s, size_t *count)
{
	*count = s->times.count;
	return s->times.items;
}

const stwatch_transition *stwatch_states_transitions(const stwatch_states *s, size_t *count)
{
	*count = s->transitions.count;
	return s->transitions.items;
}

const stwatch_contradiction *stwatch_states_contradictions(const stwatch_states *s, size_t *count, uint64_t *total)
{
	*count = s->contradictions.count;
	if (total)
		*total = s->n_contradictions;
	return s->contradictions.items;
}

stwatch_status stwatch_states_print(
	const stwatch_states *s, stwatch_states_format format, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	const stw_states_input in = {
		.common = {.inputs = s->told.inputs.items,
			.n_inputs = s->told.inputs.count,
			.summary = &s->summary,
			.limits = s->limits,
			.n_limits = s->n_limits},
		.options = s->options,
		.times = s->times.items,
		.n_times = s->times.count,
		.transitions = s->transitions.items,
		.n_transitions = s->transitions.count,
		.contradictions = s->contradictions.items,
		.n_contradictions = s->contradictions.count,
		.contradictions_total = s->n_contradictions,
	};
	return stw_output_states_print(&in, format, options, sink, user);
}
