#include "stwatch/profile.h"

#include <string.h>

#include "analysis/state_profile.h"
#include "api/told.h"
#include "base/error.h"
#include "output/profile_write.h"

typedef struct profiling {
	stw_told told;
	stw_state_profile profile;
	stw_untold_stops stops;
	uint64_t inferred; /* of them */
} profiling;

static bool take(void *user, stw_stream *stream, const stw_stream_event *e)
{
	profiling *x = user;
	stw_told_event(&x->told, stream, e);
	stw_state_profile_add(&x->profile, stream, e);
	return !x->profile.failed;
}

static bool on_damage(void *user, const stw_stream *stream, const stwatch_error *error)
{
	profiling *x = user;
	return stw_told_damage(&x->told, stream, error);
}

static void on_gap(void *user)
{
	profiling *x = user;
	stw_state_profile_break(&x->profile);
}

static void sum_up(const profiling *x, stwatch_profile_result *out)
{
	const stw_state_profile *p = &x->profile;
	stwatch_profile_result sum = {.size = out->size};
	for (size_t i = 0; i < p->sums.count; i++) {
		sum.stacks += p->sums.items[i].count > 0;
		sum.count += p->sums.items[i].count;
		sum.total_ns += p->sums.items[i].ns;
	}
	sum.inferred = x->inferred;
	memcpy(out, &sum, out->size < sizeof sum ? out->size : sizeof sum);
}

/* Stops of which not all are events. */
static stwatch_status find_stops(profiling *x, const stwatch_context *context, stwatch_error *error)
{
	if (x->profile.options.type != STWATCH_PROFILE_STW)
		return STWATCH_OK;
	stwatch_status status = stw_told_stops(&x->told, context, &x->stops, error);
	x->profile.stops_known = x->stops.any;
	return status;
}

static void add_stops(profiling *x)
{
	for (size_t i = 0; i < x->stops.stops.count; i++) {
		const stw_untold_stop *s = &x->stops.stops.items[i];
		stw_state_profile_add_stop(&x->profile, &stw_trace_v1(&x->told.trace, s->span)->gen, s);
		x->inferred += s->inferred;
	}
}

static stwatch_status run(profiling *x, const stwatch_context *context, stwatch_sink_fn sink, void *user, stwatch_profile_result *result,
	stwatch_error *error)
{
	const stw_walk walk = {
		.event = take, .damage = on_damage, .gap = on_gap, .user = x, .as_go = x->profile.options.type <= STWATCH_PROFILE_SYSCALL};
	stwatch_status status = find_stops(x, context, error);
	if (status == STWATCH_OK)
		status = stw_told_walk(&x->told, context, &walk, error);
	if (status == STWATCH_OK) {
		add_stops(x);
		stw_state_profile_finish(&x->profile);
		status = x->profile.failed ? stw_fail_memory(error) : stw_profile_write(&x->profile, sink, user, error);
	}
	if (status != STWATCH_OK)
		return status;
	if (result)
		sum_up(x, result);
	stw_told_note_gaps(&x->told, context);
	return stw_told_verdict(&x->told, status, error);
}

stwatch_status stwatch_profile_write(stwatch_context *context, const char *const *paths, size_t n_paths,
	const stwatch_profile_options *options, stwatch_sink_fn sink, void *user, stwatch_profile_result *result, stwatch_error *error)
{
	stwatch_error local;
	stwatch_profile_options o = {0};
	error = stw_error_begin(error, &local);
	stw_options_take(&o, sizeof o, options);
	if (o.type < STWATCH_PROFILE_SCHED || o.type > STWATCH_PROFILE_RUNNABLE)
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "no such type of profile");
	profiling *x = stw_mem_zalloc(&context->mem, sizeof *x);
	if (!x)
		return stw_fail_memory(error);
	stw_told_init(&x->told, &context->mem);
	stw_untold_stops_init(&x->stops, &context->mem);
	stw_state_profile_init(&x->profile, &context->mem, &o);
	stwatch_status status = stw_told_open(&x->told, context, paths, n_paths, error);
	if (status == STWATCH_OK)
		status = run(x, context, sink, user, result, error);
	stw_state_profile_free(&x->profile);
	stw_untold_stops_free(&x->stops);
	stw_told_free(&x->told);
	stw_mem_free(&context->mem, x, sizeof *x);
	return status;
}
