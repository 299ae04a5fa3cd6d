#include "stwatch/profile.h"

#include <string.h>

#include "analysis/state_profile.h"
#include "api/context.h"
#include "base/error.h"
#include "engine/walk.h"
#include "output/profile_write.h"

typedef struct profiling {
	stw_trace trace;
	stw_state_profile profile;
	stwatch_error damage; /* the first; status OK: none */
} profiling;

static bool take(void *user, stw_stream *stream, const stw_stream_event *e)
{
	profiling *x = user;
	stw_state_profile_add(&x->profile, stream, e);
	return !x->profile.failed;
}

static bool on_damage(void *user, const stw_stream *stream, const stwatch_error *error)
{
	profiling *x = user;
	(void)stream;
	if (x->damage.status == STWATCH_OK)
		x->damage = *error;
	return true;
}

static void on_gap(void *user)
{
	stw_state_profile_break(&((profiling *)user)->profile);
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
	const stw_run_options options = {.progress = context->progress, .progress_user = context->progress_user, .cancel = context->cancel};
	const stw_walk walk = {
		.event = take, .damage = on_damage, .gap = on_gap, .user = x, .as_go = x->profile.options.type <= STWATCH_PROFILE_SYSCALL};
	stwatch_status status = stw_trace_walk(&x->trace, &options, &walk, error);
	if (status == STWATCH_OK) {
		stw_state_profile_finish(&x->profile);
		status = x->profile.failed ? stw_fail_memory(error) : stw_profile_write(&x->profile, sink, user, error);
	}
	if (status == STWATCH_OK && result)
		sum_up(&x->profile, result);
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
	stwatch_status status = stw_context_open_trace(context, &x->trace, path, error);
	if (status == STWATCH_OK) {
		status = run(x, context, sink, user, result, error);
		stw_trace_close(&x->trace);
	}
	stw_state_profile_free(&x->profile);
	stw_mem_free(&context->mem, x, sizeof *x);
	return status;
}
