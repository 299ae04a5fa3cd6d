/* The state graph: the exact reader's events through the timelines, folded into a row for each transition. */
#include "stwatch/states.h"

#include <string.h>

#include "api/context.h"
#include "base/error.h"
#include "engine/stream.h"
#include "model/timeline.h"
#include "output/states_print.h"

enum { CONTRADICTIONS_KEPT = 100, EVENTS_A_PAUSE = 1 << 16 };

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
	stw_arena arena;
	stwatch_states_options options;
	unsigned version;
	STW_VEC(edge *) edges;
	uint32_t first_edge[STW_RES_COUNT][STW_STATE_COUNT][STW_STATE_COUNT]; /* as edge.next */
	stay_sum sums[STW_RES_COUNT][STW_STATE_COUNT];
	STW_VEC(stwatch_contradiction) contradictions;
	uint64_t n_contradictions;
	STW_VEC(stwatch_problem) problems;
	STW_VEC(stwatch_state_time) times;
	STW_VEC(stwatch_transition) transitions;
	stwatch_input input;
	stwatch_summary summary;
	int64_t first, last; /* times of events */
	bool begun, failed;
	bool fresh; /* a generation has begun, with no event yet */
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
	stw_vec_free(mem, &s->problems);
	stw_vec_free(mem, &s->times);
	stw_vec_free(mem, &s->transitions);
	stw_arena_free(&s->arena);
	stw_mem_free(mem, s, sizeof *s);
}

/* ---- folding ---- */

static bool wanted(const stwatch_states *s, unsigned resource, int64_t id)
{
	const stwatch_states_options *o = &s->options;
	if (o->goroutine == STWATCH_NONE && o->proc == STWATCH_NONE)
		return true;
	return resource == STW_RES_G ? id == o->goroutine : resource == STW_RES_P && id == o->proc;
}

static bool inside(const stwatch_states *s, int64_t at)
{
	at -= s->first;
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
			.at_ns = at - s->first,
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
		: stw_arena_printf(&s->arena, "%s %lld from %s to %s by %s", stw_resource_name(m->resource), (long long)m->id,
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
	int64_t from = s->first + s->options.from_ns, to = s->options.to_ns > 0 ? s->first + s->options.to_ns : INT64_MAX;
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
		: stw_arena_printf(&s->arena, "a thread (%lld) with a P (%lld) %s and a goroutine (%lld) %s, after %s", (long long)c->m,
			  (long long)c->p, stw_state_name(c->p_state), (long long)c->g, stw_state_name(c->g_state), event_name(c->event));
	stwatch_contradiction *told = contradiction(s, "coupling-violation", c->at, what);
	if (told) {
		told->goroutine = c->g;
		told->proc = c->p;
		told->thread = c->m;
	}
}

/* ---- reading ---- */

/* A reason's number, remembered beside its string for as long as the generation lasts. */
static uint32_t reason_of(stw_timeline *t, stw_stream *stream, uint64_t id)
{
	uint32_t index = stw_generation_string(&stream->gen, id);
	if (index == STW_MAP_NONE || index == 0)
		return 0;
	stw_string *text = &stream->gen.strings.items[index];
	if (!text->note)
		text->note = stw_timeline_reason(t, text->data, text->length);
	return text->note;
}

static uint64_t stack_of(const stw_stream_event *e)
{
	int index = stw_event_spec_of(e->type)->stack;
	return index >= 0 && index < 4 ? e->a[index] : 0;
}

static void note_start(stwatch_states *s, const stw_generation *gen)
{
	s->input.has_start_time = gen->has_clock;
	if (gen->has_clock)
		s->input.start_unix_ns = gen->clock_sec * 1000000000 + gen->clock_nsec -
			(stw_generation_ns(gen, gen->clock_time) - s->first);
}

static void take(stwatch_states *s, stw_timeline *t, stw_stream *stream, const stw_stream_event *e)
{
	s->input.events++;
	if (e->type == STW_EV_SYNC_POINT) { /* dated by a batch's head; what counts is the first event */
		s->input.generations += e->has_generation;
		s->fresh |= e->has_generation;
		return;
	}
	if (!s->begun) {
		s->first = e->time;
		s->begun = true;
		note_start(s, &stream->gen);
	}
	if (s->fresh)
		stw_timeline_generation(t, e->time, (uint32_t)s->input.generations);
	s->fresh = false;
	s->last = e->time;
	if (e->type == STW_EV_ProcsChange && (int64_t)e->a[0] > s->summary.gomaxprocs_max)
		s->summary.gomaxprocs_max = (int64_t)e->a[0];
	stw_timeline_event out = {
		.time = e->time, .m = e->m, .p = e->p, .g = e->g, .a = {e->a[0], e->a[1], e->a[2], e->a[3]}, .type = e->type};
	if (e->type == STW_EV_GoBlock || e->type == STW_EV_GoStop)
		out.reason = reason_of(t, stream, e->a[0]);
	out.stack = stack_of(e);
	s->failed |= !stw_timeline_add(t, &out);
}

static stwatch_status read_on(stwatch_states *s, stw_timeline *t, stw_stream *stream, const stwatch_context *context, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status;
	for (uint64_t n = 0; (status = stw_stream_next(stream, &e, error)) == STWATCH_OK; n++) {
		take(s, t, stream, e);
		if (s->failed)
			return stw_fail_memory(error);
		if (n % EVENTS_A_PAUSE)
			continue;
		if (context->cancel && *context->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (context->progress)
			context->progress(context->progress_user, stream->span.begin, stream->source->size);
	}
	return status;
}

static bool note_problem(stwatch_states *s, uint64_t offset, const char *what)
{
	for (size_t i = 0; i < s->problems.count; i++)
		if (s->problems.items[i].offset == offset && strcmp(s->problems.items[i].what, what) == 0)
			return true;
	const char *copy = stw_arena_copy(&s->arena, what, strlen(what));
	stwatch_problem *p = copy ? stw_vec_push(s->mem, &s->problems) : NULL;
	if (p)
		*p = (stwatch_problem){offset, copy};
	return p != NULL;
}

/* What the strict reader refuses as a contradiction is one. */
static void tell_fault(stwatch_states *s, stw_fault fault, const char *what)
{
	bool coupling = fault == STW_FAULT_COUPLING;
	if (coupling || fault == STW_FAULT_TRANSITION || fault == STW_FAULT_ORDER)
		contradiction(
			s, coupling ? "coupling-violation" : "illegal-transition", s->last, stw_arena_copy(&s->arena, what, strlen(what)));
}

static const stw_span *span_after(const stw_trace *trace, uint64_t offset)
{
	for (size_t i = 0; i < trace->spans.count; i++)
		if (trace->spans.items[i].begin > offset)
			return &trace->spans.items[i];
	return NULL;
}

static stwatch_status read_all(
	stwatch_states *s, stw_timeline *t, const stw_trace *trace, const stwatch_context *context, stwatch_error *error)
{
	stw_stream stream;
	if (trace->v1)
		stw_stream_open_v1(&stream, s->mem, &trace->inputs[0].source, trace->v1, false);
	else
		stw_stream_open(&stream, s->mem, &trace->inputs[0].source, trace->inputs[0].version);
	stwatch_status status;
	for (;;) {
		status = read_on(s, t, &stream, context, error);
		if (status != STWATCH_ERR_DAMAGED)
			break;
		tell_fault(s, stream.order.fault, error->message);
		const stw_span *next = span_after(trace, stream.span.begin);
		if (!note_problem(s, error->offset, error->message) || s->failed)
			status = stw_fail_memory(error);
		if (!next || status != STWATCH_ERR_DAMAGED)
			break;
		stw_timeline_gap(t, s->last);
		stw_stream_close(&stream);
		stw_stream_open_at(&stream, s->mem, &trace->inputs[0].source, trace->inputs[0].version, next->begin);
	}
	stw_stream_close(&stream);
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
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

static bool conclude(stwatch_states *s, const stw_trace *trace, const char *path)
{
	bool ok = true;
	for (unsigned resource = 0; resource < STW_RES_COUNT; resource++)
		ok = ok && list_times(s, resource) && list_transitions(s, resource);
	for (size_t i = 0; i < trace->problems.count; i++)
		ok = ok && note_problem(s, trace->problems.items[i].offset, trace->problems.items[i].what);
	s->input.file = stw_arena_copy(&s->arena, path, strlen(path));
	s->input.format = stw_arena_printf(&s->arena, "go1.%d", (int)trace->version);
	s->input.kind = "go-trace";
	s->input.bytes = trace->inputs[0].source.file_size;
	s->input.duration_ns = s->last - s->first;
	s->input.complete = s->problems.count == 0;
	s->input.problems = s->problems.items;
	s->input.n_problems = s->problems.count;
	return ok && s->input.file && s->input.format;
}

/* ---- the public functions ---- */

static stwatch_status run(stwatch_states *s, const stwatch_context *context, const char *path, stwatch_error *error)
{
	stw_trace trace;
	stw_timeline timeline;
	const stw_timeline_hooks hooks = {on_interval, on_move, on_clash, s};
	stwatch_status status = stw_trace_open(&trace, s->mem, path, context->cancel, error);
	if (status != STWATCH_OK)
		return status;
	s->version = trace.v1 ? STW_GO122 : (unsigned)trace.version; /* v1 comes in the words of v2 */
	if (!stw_timeline_init(&timeline, s->mem, s->version, &hooks)) {
		stw_trace_close(&trace);
		return stw_fail_memory(error);
	}
	status = read_all(s, &timeline, &trace, context, error);
	bool cancelled = status == STWATCH_ERR_CANCELLED;
	if (status == STWATCH_OK || cancelled) {
		stw_timeline_finish(&timeline, s->last);
		if (s->failed || !conclude(s, &trace, path))
			status = stw_fail_memory(error);
	}
	stw_timeline_free(&timeline);
	stw_trace_close(&trace);
	if (status != STWATCH_OK || s->problems.count == 0)
		return status;
	return stw_fail(error, STWATCH_ERR_DAMAGED, s->problems.items[0].offset, "%s", s->problems.items[0].what);
}

stwatch_status stwatch_states_read(
	stwatch_context *context, const char *path, const stwatch_states_options *options, stwatch_states **out, stwatch_error *error)
{
	stwatch_error local;
	if (!error)
		error = &local;
	*error = (stwatch_error){.offset = STWATCH_NO_OFFSET};
	*out = NULL;
	stwatch_states *s = stw_mem_zalloc(&context->mem, sizeof *s);
	if (!s)
		return stw_fail_memory(error);
	s->mem = &context->mem;
	stw_arena_init(&s->arena, s->mem);
	stwatch_states_options_init(&s->options);
	if (options)
		memcpy(&s->options, options, options->size < sizeof s->options ? options->size : sizeof s->options);
	stwatch_status status = run(s, context, path, error);
	if (status == STWATCH_OK || status == STWATCH_ERR_DAMAGED || status == STWATCH_ERR_CANCELLED)
		*out = s;
	else
		stwatch_states_free(s);
	return status;
}

const stwatch_input *stwatch_states_input(const stwatch_states *s)
{
	return &s->input;
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
	static const char *const LIMITS[] = {
		"_Gidle, _Gcopystack and _Gleaked are never written: their time is in the states around them",
		"when a P became _Pgcstop is inferred from the other P's; who asked for a stop keeps its P _Prunning",
		"a thread has no state of the runtime's: it follows from its P and goroutine; idle ones may not exist yet",
	};
	const stw_states_input in = {
		.common = {.inputs = &s->input,
			.n_inputs = 1,
			.summary = &s->summary,
			.limits = LIMITS,
			.n_limits = sizeof LIMITS / sizeof *LIMITS},
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
