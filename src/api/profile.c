#include "stwatch/profile.h"

#include <string.h>

#include "analysis/state_profile.h"
#include "api/context.h"
#include "base/error.h"
#include "engine/trace.h"
#include "output/profile_write.h"

typedef struct profiling {
	stw_trace trace;
	stw_stream stream;
	stw_state_profile profile;
	stwatch_error damage; /* the first; status OK: none */
	uint64_t begin; /* where the generation that is read begins */
} profiling;

static void open_stream(profiling *x)
{
	stw_trace *t = &x->trace;
	if (t->v1)
		stw_stream_open_v1(&x->stream, t->mem, &t->inputs[0].source, t->v1, x->profile.options.type <= STWATCH_PROFILE_SYSCALL);
	else
		stw_stream_open(&x->stream, t->mem, &t->inputs[0].source, t->version);
}

/* After damage, the next generation stands on its own. False: there is none. */
static bool open_next_generation(profiling *x)
{
	stw_trace *t = &x->trace;
	uint64_t begin = x->stream.span.begin;
	if (t->v1)
		return false;
	for (size_t i = 0; i < t->spans.count; i++) {
		if (t->spans.items[i].begin <= begin)
			continue;
		stw_stream_close(&x->stream);
		stw_stream_open_at(&x->stream, t->mem, &t->inputs[0].source, t->version, t->spans.items[i].begin);
		stw_state_profile_break(&x->profile);
		return true;
	}
	return false;
}

static void tell_progress(profiling *x, const stwatch_context *context)
{
	if (!context->progress || x->stream.span.begin == x->begin)
		return;
	x->begin = x->stream.span.begin;
	context->progress(context->progress_user, x->begin, x->trace.inputs[0].source.size);
}

static stwatch_status read_events(profiling *x, const stwatch_context *context, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status;
	do {
		while ((status = stw_stream_next(&x->stream, &e, error)) == STWATCH_OK) {
			if (context->cancel && *context->cancel)
				return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
			tell_progress(x, context);
			stw_state_profile_add(&x->profile, &x->stream, e);
			if (x->profile.failed)
				return stw_fail_memory(error);
		}
		if (status == STWATCH_ERR_DAMAGED && x->damage.status == STWATCH_OK)
			x->damage = *error;
	} while (status == STWATCH_ERR_DAMAGED && open_next_generation(x));
	return status == STWATCH_ERR_DAMAGED || status == STWATCH_END ? STWATCH_OK : status;
}

static void sum_up(const stw_state_profile *p, stwatch_profile_result *out)
{
	stwatch_profile_result sum = {.size = out->size};
	for (size_t i = 0; i < p->sums.count; i++) {
		sum.stacks += p->sums.items[i].count > 0;
		sum.count += p->sums.items[i].count;
		sum.total_ns += p->sums.items[i].ns;
	}
	memcpy(out, &sum, out->size < sizeof sum ? out->size : sizeof sum);
}

static stwatch_status run(profiling *x, const stwatch_context *context, stwatch_sink_fn sink, void *user, stwatch_profile_result *result,
	stwatch_error *error)
{
	open_stream(x);
	stwatch_status status = read_events(x, context, error);
	if (status == STWATCH_OK) {
		stw_state_profile_finish(&x->profile);
		status = x->profile.failed ? stw_fail_memory(error) : stw_profile_write(&x->profile, sink, user, error);
	}
	if (status == STWATCH_OK && result)
		sum_up(&x->profile, result);
	stw_stream_close(&x->stream);
	if (status != STWATCH_OK)
		return status;
	if (x->damage.status == STWATCH_OK && x->trace.problems.count)
		stw_fail(&x->damage, STWATCH_ERR_DAMAGED, x->trace.problems.items[0].offset, "%s", x->trace.problems.items[0].what);
	*error = x->damage;
	return x->damage.status;
}

stwatch_status stwatch_profile_write(stwatch_context *context, const char *path, const stwatch_profile_options *options,
	stwatch_sink_fn sink, void *user, stwatch_profile_result *result, stwatch_error *error)
{
	stwatch_error local;
	stwatch_profile_options o = {0};
	if (!error)
		error = &local;
	*error = (stwatch_error){.offset = STWATCH_NO_OFFSET};
	if (options)
		memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
	if (o.type < STWATCH_PROFILE_SCHED || o.type > STWATCH_PROFILE_RUNNABLE)
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "no such type of profile");
	profiling *x = stw_mem_zalloc(&context->mem, sizeof *x);
	if (!x)
		return stw_fail_memory(error);
	stw_state_profile_init(&x->profile, &context->mem, &o);
	stwatch_status status = stw_trace_open(&x->trace, &context->mem, path, context->cancel, error);
	if (status == STWATCH_OK) {
		status = run(x, context, sink, user, result, error);
		stw_trace_close(&x->trace);
	}
	stw_state_profile_free(&x->profile);
	stw_mem_free(&context->mem, x, sizeof *x);
	return status;
}
