#include "stwatch/cut.h"

#include <string.h>
#include <sys/random.h>

#include "api/context.h"
#include "base/error.h"
#include "output/cut.h"
#include "output/cut_proof.h"
#include "v1/unnamed.h"
#include "v2/when.h"

enum { MOST_TRIES = 6 }; /* at a part that does not hold */

typedef struct cutting {
	stw_trace trace;
	stw_cut cut;
	stw_cut_proof proof;
	stwatch_cut_options options;
	stwatch_cut_result result;
	uint8_t key[STW_KEY_SIZE];
	int64_t *begins; /* by span, from the first event; one more at the end: never */
	size_t first, last; /* spans to be kept: [first, last) */
	int64_t start; /* of the trace, on its own clock */
	int64_t end; /* of the last event that is kept, from the start */
} cutting;

static stwatch_status date_generations(cutting *c, const stwatch_context *context, stwatch_error *error)
{
	stw_trace *t = &c->trace;
	stwatch_status status = STWATCH_OK;
	for (size_t i = 0; status == STWATCH_OK && i < t->spans.count; i++) {
		if (context->cancel && *context->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		status = stw_generation_when(t->mem, &t->spans.items[i], &c->begins[i], error);
		if (status == STWATCH_ERR_DAMAGED) { /* it can't be dated: it goes with the one before */
			c->begins[i] = i ? c->begins[i - 1] + c->start : 0;
			status = STWATCH_OK;
		}
		if (i == 0)
			c->start = c->begins[0];
		c->begins[i] -= c->start;
	}
	c->begins[t->spans.count] = INT64_MAX;
	return status;
}

static stwatch_status nothing(stwatch_error *error)
{
	return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "the trace has nothing in that time");
}

static stwatch_status choose(cutting *c, stwatch_error *error)
{
	const stw_trace *t = &c->trace;
	size_t n = t->spans.count;
	if (n == 0 && t->problems.count)
		return stw_fail(error, STWATCH_ERR_DAMAGED, t->problems.items[0].offset, "%s", t->problems.items[0].what);
	int64_t to = c->options.to_ns > 0 ? c->options.to_ns : INT64_MAX;
	while (c->first < n && c->begins[c->first + 1] <= c->options.from_ns)
		c->first++;
	for (c->last = c->first; c->last < n && c->begins[c->last] <= to;)
		c->last++;
	return c->first == c->last ? nothing(error) : STWATCH_OK;
}

/* ---- is it sound? ---- */

typedef struct reading {
	stw_trace part; /* the chosen generations alone */
	const stwatch_context *context;
	int64_t last_time; /* of an event before damage; STW_TIME_UNKNOWN: there was none */
	bool sound, damaged; /* something is, and something behind that */
} reading;

static bool note_end(void *user, const stw_fold *fold, stw_joint joint)
{
	reading *s = user;
	(void)joint;
	if (fold->lost_to != INT64_MIN && !s->sound) /* what can't be kept at the beginning */
		return true;
	s->sound = true;
	s->damaged |= fold->lost_to != INT64_MIN;
	if (!s->damaged || s->last_time == STW_TIME_UNKNOWN)
		s->last_time = fold->last_time;
	return true;
}

/* Called after each generation. */
static void tell_progress(void *user, uint64_t done, uint64_t total)
{
	reading *s = user;
	if (s->context->progress)
		s->context->progress(s->context->progress_user, done, total);
}

/* Reads what is chosen now as a trace of its own, as Go's reader would: what contradicts itself ends it. */
static stwatch_status read_chosen(cutting *c, reading *s, stwatch_error *error)
{
	const stw_run_options options = {s->context->threads, tell_progress, s, s->context->cancel, true};
	s->part = c->trace;
	s->part.spans.items += c->first;
	s->part.spans.count = c->last - c->first;
	memset(&s->part.begins, 0, sizeof s->part.begins);
	memset(&s->part.problems, 0, sizeof s->part.problems);
	return stw_trace_fold(&s->part, &options, note_end, s, error);
}

static void reading_free(reading *s)
{
	stw_vec_free(s->part.mem, &s->part.begins);
	stw_vec_free(s->part.mem, &s->part.problems);
}

/* Leaves out what is damaged at the beginning, which can't be part of a valid trace: whether there was any. */
static bool leave_out_damaged(cutting *c)
{
	const size_t from = c->first;
	while (c->first + 1 < c->last && c->trace.spans.items[c->first].damaged)
		c->first++;
	return c->first > from;
}

/* Keeps the first that is told of damage; where nobody has told of it, where it is. */
static void note_fault(const cutting *c, const reading *s, uint64_t offset, stwatch_error *fault)
{
	const stw_problem_note *told = s->part.problems.count ? s->part.problems.items : c->trace.problems.items;
	if (fault->status == STWATCH_OK)
		stw_fail(fault, STWATCH_ERR_DAMAGED, told ? told->offset : offset, "%s", told ? told->what : "a generation is damaged");
}

static void end_before_damage(cutting *c, const reading *s, stwatch_error *fault)
{
	for (size_t i = c->first; i < c->last; i++)
		if (c->trace.spans.items[i].damaged) {
			note_fault(c, s, c->trace.spans.items[i].begin, fault);
			c->last = i;
		}
	if (s->part.problems.count)
		note_fault(c, s, STWATCH_NO_OFFSET, fault);
}

/* Chooses of what was chosen the first part that is sound. What is left once the beginning is left out is read again, since it was judged by what stood
 * before it: what is earlier than that was not held against what it follows. Nothing but the first reading finds damage at the beginning. */
static stwatch_status check(cutting *c, const stwatch_context *context, stwatch_error *fault, stwatch_error *error)
{
	reading s = {.context = context, .last_time = STW_TIME_UNKNOWN};
	stwatch_status status = read_chosen(c, &s, error);
	if (status == STWATCH_OK && leave_out_damaged(c)) {
		note_fault(c, &s, c->trace.spans.items[c->first - 1].begin, fault);
		reading_free(&s);
		s = (reading){.context = context, .last_time = STW_TIME_UNKNOWN};
		status = read_chosen(c, &s, error);
	}
	if (status == STWATCH_OK)
		end_before_damage(c, &s, fault);
	reading_free(&s);
	c->end = s.last_time == STW_TIME_UNKNOWN ? c->begins[c->first] : s.last_time - c->start;
	if (status == STWATCH_OK && c->end < c->options.from_ns)
		status = nothing(error);
	return status;
}

/* ---- writing ---- */

/* What is no continuation (a generation is missing in between, or comes again) would contradict what came before. */
static stwatch_status fail_apart(const stw_trace *t, const stw_span *before, const stw_span *span, stwatch_error *error)
{
	for (size_t i = 0; i < t->problems.count; i++)
		if (t->problems.items[i].offset >= before->end && t->problems.items[i].offset <= span->begin)
			return stw_fail(error, STWATCH_ERR_DAMAGED, t->problems.items[i].offset, "%s", t->problems.items[i].what);
	return stw_fail(error, STWATCH_ERR_DAMAGED, span->begin, "generation %llu is no continuation of the one before it",
		(unsigned long long)span->generation);
}

static stwatch_status write_all(cutting *c, const stwatch_context *context, stwatch_error *error)
{
	const stw_trace *t = &c->trace;
	stwatch_status status = stw_cut_begin(&c->cut, &t->spans.items[c->first], error);
	c->result.generations = 0;
	c->result.start_ns = c->begins[c->first];
	c->result.end_ns = c->end;
	for (size_t i = c->first; status == STWATCH_OK && i < c->last; i++) {
		const stw_span *span = &t->spans.items[i];
		if (context->cancel && *context->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (i > c->first && span->joint != STW_JOINT_WHOLE) {
			status = fail_apart(t, span - 1, span, error);
			break;
		}
		status = stw_cut_generation(&c->cut, span, error);
		if (status != STWATCH_OK)
			break;
		c->result.generations++;
	}
	return status;
}

static stwatch_status flush(cutting *c, stwatch_status status, stwatch_error *error)
{
	if (stw_sink_flush(&c->cut.out) != STWATCH_OK && (status == STWATCH_OK || status == STWATCH_ERR_DAMAGED))
		status = stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
	return status;
}

/* What was wrong before the first generation that was kept, or after the last, is of no concern, unless all there is was to be kept. */
static stwatch_status tell_rest(const cutting *c, stwatch_error *error)
{
	const stw_trace *t = &c->trace;
	uint64_t begin = t->spans.items[c->first].begin, end = t->spans.items[c->last - 1].end;
	for (size_t i = 0; i < t->problems.count; i++)
		if ((c->last == t->spans.count && t->problems.items[i].offset >= end) ||
			(c->options.from_ns <= 0 && t->problems.items[i].offset < begin))
			return stw_fail(error, STWATCH_ERR_DAMAGED, t->problems.items[i].offset, "%s", t->problems.items[i].what);
	return STWATCH_OK;
}

/* Of a damaged trace: written, and read back, until what was written holds. */
static stwatch_status write_proved(cutting *c, const stwatch_context *context, stwatch_error *fault, stwatch_error *error)
{
	for (;;) {
		stw_cut_held held;
		stwatch_status status = stw_cut_proof_keep(&c->proof, &c->cut, error), read = STWATCH_OK;
		if (status == STWATCH_OK)
			status = write_all(c, context, error);
		if (status != STWATCH_OK && status != STWATCH_ERR_DAMAGED)
			return status;
		if (c->result.generations)
			read = stw_cut_proof_read(&c->proof, &c->cut, &held, context->cancel, status == STWATCH_OK ? error : &held.fault);
		if (read != STWATCH_OK) {
			*error = status == STWATCH_OK ? *error : held.fault;
			return read;
		}
		if (c->result.generations == 0)
			return status;
		if (held.fault.status == STWATCH_OK) {
			read = stw_cut_proof_pass(&c->proof, &c->cut, fault);
			return read == STWATCH_OK ? status : read;
		}
	}
}

static stwatch_status run(cutting *c, const stwatch_context *context, stwatch_error *error)
{
	c->begins = stw_mem_zalloc(c->trace.mem, (c->trace.spans.count + 1) * sizeof *c->begins);
	if (!c->begins)
		return stw_fail_memory(error);
	stwatch_error fault = {.status = STWATCH_OK};
	stwatch_status status = date_generations(c, context, error);
	if (status == STWATCH_OK)
		status = choose(c, error);
	if (status == STWATCH_OK)
		status = check(c, context, &fault, error);
	if (status == STWATCH_OK && c->first < c->last) {
		const bool damaged = fault.status != STWATCH_OK || c->trace.problems.count;
		status = flush(c, damaged ? write_proved(c, context, &fault, error) : write_all(c, context, error), error);
	}
	if (status == STWATCH_OK && fault.status == STWATCH_OK)
		status = tell_rest(c, error);
	if (status == STWATCH_OK && fault.status != STWATCH_OK) {
		*error = fault;
		status = fault.status;
	}
	stw_mem_free(c->trace.mem, c->begins, (c->trace.spans.count + 1) * sizeof *c->begins);
	return status;
}

/* What an index keeps of before a part of a v1 trace. */
typedef struct border {
	stw_index_part part;
	uint8_t *state; /* NULL: the trace is read from its start */
	stw_bytes_reader reader;
} border;

/* The trace is read without it. */
static stwatch_status leave_index(cutting *c, const stwatch_context *context, const stw_cut_times *times, stwatch_error *error)
{
	if (times->from > 0 || times->to != INT64_MAX)
		stw_context_tell_unused(context, c->trace.inputs[0].path, "it is damaged");
	return stw_trace_leave_index(&c->trace, context->cancel, error);
}

static stwatch_status look_into_index(
	cutting *c, const stwatch_context *context, const stw_cut_times *times, border *b, stwatch_error *error)
{
	stw_trace_input *in = &c->trace.inputs[0];
	const bool windowed = times->from > 0 || times->to != INT64_MAX;
	*b = (border){.state = NULL};
	if (in->no_index && windowed)
		stw_context_tell_unused(context, in->path, in->no_index);
	if (!in->index.mem)
		return STWATCH_OK;
	stw_index_choose_cut(&in->index, times->from, times->to, &b->part);
	bool sound = stw_index_is_sound(&in->index, &c->trace.v1[0].index.exits, &b->part);
	if (sound && b->part.from) {
		b->state = stw_index_state(&in->index, c->trace.mem, &b->part, &b->reader);
		sound = b->state != NULL;
	}
	return sound ? STWATCH_OK : leave_index(c, context, times, error);
}

/* The state may be what was written, and yet none of this trace. */
static stwatch_status cut_part(
	cutting *c, stw_v1 *v1, border *b, const stwatch_context *context, stw_cut_times *times, stwatch_error *error)
{
	stw_bytes_reader state = b->reader;
	stwatch_status status = stw_cut_part_v1(&c->cut, v1, b->state ? &state : NULL, times, context->cancel, error);
	if (status != STWATCH_END)
		return status;
	stw_index_free_state(&c->trace.inputs[0].index, c->trace.mem, &b->part, b->state);
	b->state = NULL;
	status = leave_index(c, context, times, error);
	return status == STWATCH_OK ? stw_cut_part_v1(&c->cut, v1, NULL, times, context->cancel, error) : status;
}

/* Of several that stand in one file a part is cut from one: from that in which it begins, or that which comes next. */
static uint32_t choose_v1(const cutting *c)
{
	uint32_t i = 0;
	while (i + 1 < c->trace.spans.count && stw_trace_v1(&c->trace, i)->end_ns < c->options.from_ns)
		i++;
	return i;
}

/* What stands behind it and was wanted as well. */
static stwatch_status tell_rest_v1(const cutting *c, uint32_t chosen, stwatch_error *error)
{
	const stw_trace *t = &c->trace;
	const int64_t to = c->options.to_ns;
	if (to > 0 && (chosen + 1 == t->spans.count || stw_trace_v1(t, chosen + 1)->begin_ns > to))
		return STWATCH_OK;
	for (size_t i = 0; i < t->problems.count; i++)
		if (t->problems.items[i].offset >= t->spans.items[chosen].end)
			return stw_fail(error, STWATCH_ERR_DAMAGED, t->problems.items[i].offset, "%s", t->problems.items[i].what);
	return STWATCH_OK;
}

/* Writes a part. Where something is missing, or contradicts itself, it is read back: held->fault says that it does not hold. */
static stwatch_status try_part_v1(
	cutting *c, stw_v1 *v1, border *b, stw_cut_times *times, stw_cut_held *held, const stwatch_context *context, stwatch_error *error)
{
	*held = (stw_cut_held){.fault = {.status = STWATCH_OK}};
	times->n_events = 0;
	const bool doubtful = v1->index.midway || v1->index.problems.count || times->from > 0;
	stwatch_status status = doubtful ? stw_cut_proof_keep(&c->proof, &c->cut, error) : STWATCH_OK;
	if (status == STWATCH_OK)
		status = cut_part(c, v1, b, context, times, error);
	if (!doubtful || times->n_events == 0 || (status != STWATCH_ERR_DAMAGED && !(status == STWATCH_OK && v1->index.midway)))
		return status;
	stwatch_error failure;
	if (stw_cut_proof_read(&c->proof, &c->cut, held, context->cancel, &failure) == STWATCH_OK)
		return status;
	times->n_events = 0;
	*error = failure;
	return failure.status;
}

/* The part does not hold from some time on: it is to end before that, the earlier the more often that did not help. */
static stwatch_status end_where_it_holds_v1(
	stw_cut_times *times, int64_t from, const stw_cut_held *held, unsigned tries, stwatch_error *error)
{
	const int64_t length = held->ns - (tries ? held->ns >> (2 * (MOST_TRIES - tries)) : 0);
	times->from = from;
	times->to = times->start + length - 1;
	if (tries < MOST_TRIES && length > 1 && times->to > from)
		return STWATCH_OK;
	times->n_events = 0;
	return stw_fail(error, STWATCH_ERR_DAMAGED, error->offset, "nothing can be cut out there that holds (%s)", held->fault.message);
}

/* Tries until a part holds, and only then hands it on. */
static stwatch_status write_part_v1(
	cutting *c, stw_v1 *v1, border *b, stw_cut_times *times, const stwatch_context *context, stwatch_error *error)
{
	const int64_t from = times->from;
	stw_cut_held held, fault = {.fault = {.status = STWATCH_OK}};
	stwatch_status status = try_part_v1(c, v1, b, times, &held, context, error), passed;
	for (unsigned tries = 0; held.fault.status != STWATCH_OK; tries++) {
		fault = held;
		status = end_where_it_holds_v1(times, from, &held, tries, error);
		if (status != STWATCH_OK)
			return status;
		status = try_part_v1(c, v1, b, times, &held, context, error);
	}
	if (times->n_events && (passed = stw_cut_proof_pass(&c->proof, &c->cut, error)) != STWATCH_OK)
		return passed;
	if (times->n_events && fault.fault.status != STWATCH_OK)
		return stw_fail(error, STWATCH_ERR_DAMAGED, error->offset,
			"what is cut out would not hold behind %+.3f ms: it ends there (%s)", (double)times->end / 1e6,
			fault.fault.message);
	return status;
}

/* Such a trace has no parts that stand alone: what is wanted is written anew. Names of the whole of a sound one are replaced record by record, whatever its
 * order is. */
static stwatch_status run_v1(cutting *c, const stwatch_context *context, stwatch_error *error)
{
	const uint32_t chosen = choose_v1(c);
	stw_v1 *v1 = stw_trace_v1(&c->trace, chosen);
	stw_cut_times times = {.from = c->options.from_ns, .to = c->options.to_ns > 0 ? c->options.to_ns : INT64_MAX};
	border b;
	stwatch_status status = look_into_index(c, context, &times, &b, error);
	if (status != STWATCH_OK)
		return status;
	status = STWATCH_ERR_DAMAGED;
	const bool sound = v1->index.problems.count == 0 && *v1->index.unnamed.what == 0;
	if (c->options.anonymise && times.from <= 0 && times.to == INT64_MAX && sound && !v1->index.next) {
		status = stw_cut_anonymous_v1(&c->cut, v1, &times.end, context->cancel, error);
		times.n_events = status == STWATCH_OK;
	}
	if (status == STWATCH_ERR_DAMAGED && c->cut.written == 0)
		status = write_part_v1(c, v1, &b, &times, context, error);
	stw_index_free_state(&c->trace.inputs[0].index, c->trace.mem, &b.part, b.state);
	if (status == STWATCH_OK)
		status = tell_rest_v1(c, chosen, error);
	if (status == STWATCH_OK)
		status = stw_v1_unnamed_tell(&v1->index, error);
	c->result.start_ns = times.start;
	c->result.end_ns = times.end;
	c->result.generations = times.n_events > 0;
	return flush(c, status, error);
}

static stwatch_status draw_key(cutting *c, stwatch_error *error)
{
	c->cut.key = c->key;
	if (c->options.key)
		memcpy(c->key, c->options.key, sizeof c->key);
	else if (getrandom(c->key, sizeof c->key, 0) != (ssize_t)sizeof c->key)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't draw random bytes for the pseudonyms");
	return STWATCH_OK;
}

stwatch_status stwatch_cut(stwatch_context *context, const char *path, const stwatch_cut_options *options, stwatch_sink_fn sink, void *user,
	stwatch_cut_result *result, stwatch_error *error)
{
	stwatch_error local;
	error = stw_error_begin(error, &local);
	cutting *c = stw_mem_zalloc(&context->mem, sizeof *c);
	if (!c)
		return stw_fail_memory(error);
	stw_options_take(&c->options, sizeof c->options, options);
	stwatch_status status = stw_context_open_trace(context, &c->trace, path, error);
	if (status == STWATCH_OK) {
		c->cut = (stw_cut){.mem = &context->mem};
		stw_sink_init(&c->cut.out, sink, user);
		stw_cut_proof_init(&c->proof, &c->cut);
		if (c->options.anonymise)
			status = draw_key(c, error);
		c->result.generations_in = c->trace.spans.count;
		if (status == STWATCH_OK)
			status = c->trace.v1 ? run_v1(c, context, error) : run(c, context, error);
		if (status == STWATCH_ERR_IO && c->proof.failure)
			stw_cut_proof_fail(&c->proof, error);
		c->result.bytes = c->cut.written;
		stw_cut_proof_free(&c->proof);
		stw_trace_close(&c->trace);
	}
	if (result) {
		c->result.size = result->size;
		memcpy(result, &c->result, result->size < sizeof c->result ? result->size : sizeof c->result);
	}
	stw_mem_free(&context->mem, c, sizeof *c);
	return status;
}
