/* The state graph: the exact reader's events through the timelines, folded into a row for each transition. */
#include "stwatch/states.h"

#include <string.h>

#include "analysis/members.h"
#include "analysis/state_graph.h"
#include "api/told.h"
#include "base/error.h"
#include "engine/feed.h"
#include "output/states_print.h"

enum { CONTRADICTIONS_KEPT = 100, LIMITS_MAX = 8 };

struct stwatch_states {
	stw_mem *mem;
	stwatch_states_options options;
	unsigned version;
	stw_state_graph graph;
	STW_VEC(stwatch_contradiction) contradictions;
	uint64_t n_contradictions;
	stw_state_times times;
	stw_state_transitions transitions;
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
	stw_state_graph_free(&s->graph);
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

static void tell_illegal(stwatch_states *s, const stw_move *m)
{
	const char *what = s->contradictions.count == CONTRADICTIONS_KEPT
		? NULL
		: stw_arena_printf(&s->told.arena, "%s %lld from %s to %s by %s", stw_resource_name(m->resource), (long long)m->id,
			  stw_state_name(m->from), stw_state_name(m->to), stw_state_event_name(m->event));
	stwatch_contradiction *c = contradiction(s, "illegal-transition", m->at, what);
	if (c)
		*(m->resource == STW_RES_G ? &c->goroutine : m->resource == STW_RES_P ? &c->proc : &c->thread) = m->id;
}

static void on_move(void *user, const stw_move *m)
{
	stwatch_states *s = user;
	if (!wanted(s, m->resource, m->id) || !inside(s, m->at))
		return;
	s->failed |= !stw_state_graph_move(&s->graph, m);
	if (!m->legal)
		tell_illegal(s, m);
}

static void on_interval(void *user, const stw_interval *i)
{
	stwatch_states *s = user;
	int64_t from = s->told.first + s->options.from_ns, to = s->options.to_ns > 0 ? s->told.first + s->options.to_ns : INT64_MAX;
	if (!wanted(s, i->resource, i->id) || i->to < from || i->from > to)
		return;
	const int64_t length = (i->to < to ? i->to : to) - (i->from > from ? i->from : from);
	stw_state_graph_stay(&s->graph, i, length, i->open_begin || i->open_end || i->from < from || i->to > to);
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
			  stw_state_event_name(c->event));
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
	s->timeline.lossy = stream->v1 ? stream->v1->index.problems.count > 0 : stream->salvaging && stream->span.damaged;
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
		ok = ok && stw_state_graph_times(&s->graph, resource, &s->times) &&
			stw_state_graph_transitions(&s->graph, resource, s->version, &s->transitions);
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
	stw_state_graph_init(&s->graph, s->mem);
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
