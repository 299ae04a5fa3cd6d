#include "api/told.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

void stw_told_init(stw_told *t, stw_mem *mem)
{
	memset(t, 0, sizeof *t);
	t->mem = mem;
	stw_arena_init(&t->arena, mem);
}

void stw_told_free(stw_told *t)
{
	for (size_t i = 0; i < t->seen.count; i++)
		stw_vec_free(t->mem, &t->seen.items[i].problems);
	stw_vec_free(t->mem, &t->seen);
	stw_vec_free(t->mem, &t->inputs);
	stw_trace_close(&t->trace);
	stw_inputs_close(&t->files);
	stw_arena_free(&t->arena);
}

bool stw_told_keep(stw_told *t, const char **text)
{
	const char *given = *text;
	if (given)
		*text = stw_arena_copy(&t->arena, given, strlen(given));
	return *text || !given;
}

/* ---- opening ---- */

/* An error about one of the traces becomes one about a path. */
static stwatch_status blame(const stw_told *t, stwatch_status status, stwatch_error *error)
{
	if (error->input < t->files.traces.count) {
		error->input = t->files.traces.items[error->input].input;
		stw_inputs_blame(&t->files, error);
	}
	return status;
}

/* Each problem of an input once. False when out of memory. */
static bool tell(stw_told *t, uint32_t input, uint64_t offset, const char *what)
{
	stw_told_input *in = &t->seen.items[input];
	for (size_t i = 0; i < in->problems.count; i++)
		if (in->problems.items[i].offset == offset && strcmp(in->problems.items[i].what, what) == 0)
			return true;
	const char *copy = stw_arena_copy(&t->arena, what, strlen(what));
	stwatch_problem *p = copy ? stw_vec_push(t->mem, &in->problems) : NULL;
	if (p)
		*p = (stwatch_problem){offset, copy};
	return p != NULL;
}

static bool begin_inputs(stw_told *t)
{
	const size_t n = t->trace.n_inputs;
	if (!stw_vec_reserve(t->mem, &t->seen, n) || !stw_vec_reserve(t->mem, &t->inputs, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		t->seen.items[t->seen.count++] = (stw_told_input){.first = STW_TIME_UNKNOWN, .last = STW_TIME_UNKNOWN};
		t->inputs.items[t->inputs.count++] = (stwatch_input){.kind = "go-trace"};
	}
	for (size_t i = 0; i < t->trace.problems.count; i++) {
		const stw_problem_note *p = &t->trace.problems.items[i];
		if (!tell(t, p->input, p->offset, p->what))
			return false;
	}
	return true;
}

stwatch_status stw_told_open(stw_told *t, stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_error *error)
{
	error->input = STWATCH_NO_INPUT;
	stwatch_status status = stw_inputs_open(&t->files, context, paths, n_paths, true, error);
	if (status != STWATCH_OK)
		return status;
	context->symbols.asked = false;
	status = stw_trace_take(&t->trace, t->mem, t->files.traces.items, t->files.traces.count, stw_context_namer(context),
		context->threads, context->cancel, error);
	if (status == STWATCH_OK && (status = stw_context_check_names(context, error)) != STWATCH_OK)
		error->input = 0; /* it is a trace of Go 1.5 or 1.6, and so alone */
	if (status == STWATCH_ERR_CANCELLED && !(begin_inputs(t) && stw_told_conclude(t, true)))
		return stw_fail_memory(error);
	if (status != STWATCH_OK)
		return blame(t, status, error);
	return begin_inputs(t) ? STWATCH_OK : stw_fail_memory(error);
}

stwatch_status stw_told_take(stw_told *t, stwatch_context *context, const char *path, stw_source *source, stwatch_error *error)
{
	stw_trace_file file = {.path = path, .source = *source};
	stwatch_status status = stw_trace_take(
		&t->trace, t->mem, &file, 1, stw_context_namer(context), context->threads, context->cancel, error);
	return status == STWATCH_OK && !begin_inputs(t) ? stw_fail_memory(error) : status;
}

/* ---- reading ---- */

static stw_run_options running(const stwatch_context *context)
{
	return (stw_run_options){
		.threads = 1, .progress = context->progress, .progress_user = context->progress_user, .cancel = context->cancel};
}

stwatch_status stw_told_walk(stw_told *t, const stwatch_context *context, const stw_walk *walk, stwatch_error *error)
{
	const stw_run_options options = running(context);
	return blame(t, stw_trace_walk(&t->trace, &options, walk, error), error);
}

stwatch_status stw_told_stops(stw_told *t, const stwatch_context *context, stw_untold_stops *stops, stwatch_error *error)
{
	stw_run_options options = running(context);
	options.figures_only = true;
	return blame(t, stw_untold_stops_read(stops, &t->trace, &options, error), error);
}

bool stw_told_damage(stw_told *t, const stw_stream *stream, const stwatch_error *error)
{
	return tell(t, stream->span.input, error->offset, error->message);
}

static void note_start(stwatch_input *input, const stw_generation *gen, int64_t first)
{
	input->has_start_time = gen->has_clock;
	if (gen->has_clock)
		input->start_unix_ns = gen->clock_sec * 1000000000 + gen->clock_nsec - (stw_generation_ns(gen, gen->clock_time) - first);
}

/* The first event of a generation that has any. */
static void note_generation(stw_told *t, const stw_stream *stream, int64_t at)
{
	stw_told_input *in = &t->seen.items[stream->span.input];
	if (!t->begun)
		t->first = at;
	if (t->begun && stream->span.joint == STW_JOINT_GAP) {
		t->n_gaps++;
		t->gaps_ns += at > t->last ? at - t->last : 0;
	}
	if (in->first == STW_TIME_UNKNOWN) {
		in->first = at;
		note_start(&t->inputs.items[stream->span.input], &stream->gen, at);
	}
	t->begun = true;
}

bool stw_told_event(stw_told *t, const stw_stream *stream, const stw_stream_event *e)
{
	stw_told_input *in = &t->seen.items[stream->span.input];
	if (e->type == STW_EV_SYNC_POINT) {
		t->generations += e->has_generation;
		t->inputs.items[stream->span.input].generations += e->has_generation;
		t->pending |= e->has_generation;
		return false;
	}
	if (t->pending || !t->begun)
		note_generation(t, stream, e->time);
	in->events++;
	t->fresh = t->pending;
	t->pending = false;
	t->last = in->last = e->time;
	return true;
}

/* ---- the result ---- */

/* Events as Go's reader counts them: with a sync event before each generation and one at the end. */
static bool describe(stw_told *t, uint32_t index, bool cancelled)
{
	const stw_trace_input *from = &t->trace.inputs[index];
	const stw_told_input *in = &t->seen.items[index];
	stwatch_input *out = &t->inputs.items[index];
	out->file = stw_arena_copy(&t->arena, from->path, strlen(from->path));
	out->format = stw_arena_printf(&t->arena, "go1.%d", (int)from->version);
	out->bytes = from->source.file_size;
	out->events = out->generations || !from->n_repeated ? in->events + out->generations + 1 : 0;
	out->repeated_generations = from->n_repeated;
	out->start_ns = in->first == STW_TIME_UNKNOWN ? STWATCH_UNKNOWN : in->first - t->first;
	out->duration_ns = in->first == STW_TIME_UNKNOWN ? 0 : in->last - in->first;
	out->complete = in->problems.count == 0 && !cancelled;
	out->problems = in->problems.items;
	out->n_problems = in->problems.count;
	return out->file && out->format;
}

bool stw_told_conclude(stw_told *t, bool cancelled)
{
	bool ok = true;
	for (uint32_t i = 0; i < t->trace.n_inputs; i++)
		ok = ok && describe(t, i, cancelled);
	return ok;
}

stwatch_status stw_told_verdict(const stw_told *t, stwatch_status status, stwatch_error *error)
{
	for (uint32_t i = 0; status == STWATCH_OK && i < t->seen.count; i++) {
		const stw_told_input *in = &t->seen.items[i];
		if (in->problems.count == 0)
			continue;
		error->input = i;
		status = stw_fail(error, STWATCH_ERR_DAMAGED, in->problems.items[0].offset, "%s", in->problems.items[0].what);
		return blame(t, status, error);
	}
	return status;
}

const char *stw_gaps_in_words(char room[static STW_GAPS_ROOM], uint64_t n, int64_t ns)
{
	const char *them = n == 1 ? "it" : "them";
	snprintf(room, STW_GAPS_ROOM, "%llu gap%s between the inputs, %.3f s in all: nothing is known of %s, nor concluded across %s",
		(unsigned long long)n, n == 1 ? "" : "s", (double)ns / 1e9, them, them);
	return room;
}

const char *stw_word_gaps(stw_arena *arena, uint64_t n_gaps, int64_t gaps_ns)
{
	char room[STW_GAPS_ROOM];
	return n_gaps ? stw_arena_printf(arena, "%s", stw_gaps_in_words(room, n_gaps, gaps_ns)) : NULL;
}

void stw_told_note_gaps(const stw_told *t, const stwatch_context *context)
{
	char room[STW_GAPS_ROOM];
	if (t->n_gaps)
		stw_context_note(context, "%s", stw_gaps_in_words(room, t->n_gaps, t->gaps_ns));
}
