/* The whole way from files to findings. */
#include <string.h>

#include "api/analysis.h"
#include "api/analyze.h"
#include "api/listings.h"
#include "api/draw.h"
#include "api/summary.h"
#include "api/told.h"
#include "base/error.h"
#include "engine/walk.h"
#include "output/output.h"
#include "rules/impact.h"
#include "rules/waits.h"
#include "sources/profile.h"

void stwatch_analysis_free(stwatch_analysis *a)
{
	if (!a)
		return;
	stw_mem *mem = a->mem;
	for (size_t i = 0; i < a->judged.found.count; i++) {
		stw_found *f = a->judged.found.items[i];
		stw_vec_free(mem, &f->occurrences);
		stw_vec_free(mem, &f->victims);
		stw_vec_free(mem, &f->reached);
		stw_vec_free(mem, &f->harmed);
		stw_vec_free(mem, &f->evidence);
		stw_vec_free(mem, &f->ruled_out);
	}
	stw_vec_free(mem, &a->judged.found);
	stw_activity_free(&a->judged.activity);
	stw_places_free(&a->judged.places);
	stw_source_tree_close(&a->sources);
	if (a->judged.arena.mem)
		stw_arena_free(&a->judged.arena);
	stw_gather_free(&a->gather);
	stw_trace_close(&a->trace);
	stw_inputs_close(&a->files);
	stw_vec_free(mem, &a->inputs);
	stw_vec_free(mem, &a->origins);
	stw_vec_free(mem, &a->limits);
	stw_arena_free(&a->arena);
	stw_mem_free(mem, a, sizeof *a);
}

/* ---- judging ---- */

static stwatch_status judge_trace(stw_case *c, const stw_run_options *options, stwatch_error *error)
{
	for (size_t i = 0; i < stw_rules_count; i++)
		if (stw_rules[i]->want)
			stw_rules[i]->want(c);
	stwatch_status status = stw_places_resolve(&c->places, c->trace, error);
	if (status == STWATCH_OK) {
		stw_case_learn_callees(c);
		stw_starved_want_activity(c);
		stw_backlog_want_activity(c);
		status = stw_activity_read(&c->activity, c->trace, options->threads, options->cancel, error);
	}
	for (size_t i = 0; i < stw_rules_count && status == STWATCH_OK; i++)
		stw_rules[i]->judge(c);
	if (status == STWATCH_OK)
		stw_impact_follow(c);
	return status;
}

/* A CPU profile was running: many samples, or a few all along the trace. */
static bool is_profiled(const stw_gather *g)
{
	uint64_t n = g->counts[STW_EV_CPUSample];
	return n >= 10 || (n >= 3 && (g->last_sample - g->first_sample) / 8 >= (g->last_time - g->first_time) / 10);
}

/* Any part that shows it speaks for all. */
static bool preempts(const stw_trace *t)
{
	bool any = !t->v1;
	for (uint32_t i = 0; t->v1 && i < t->spans.count; i++)
		any |= stw_v1_preempts(stw_trace_v1(t, i));
	return any;
}

static stwatch_status judge(stwatch_analysis *a, const stw_run_options *options, stwatch_error *error)
{
	stw_case *c = &a->judged;
	c->mem = a->mem;
	stw_arena_init(&c->arena, a->mem);
	stw_places_init(&c->places, a->mem);
	stw_activity_init(&c->activity, a->mem, &c->places);
	c->trace = &a->trace;
	c->gather = &a->gather;
	c->companions = &a->companions;
	c->set = a->settings.values;
	c->has_trace = a->gather.first_time != STW_TIME_UNKNOWN;
	c->start = c->has_trace ? a->gather.first_time : 0;
	c->procs = stw_gather_procs(&a->gather);
	c->has_samples = is_profiled(&a->gather);
	c->preempts = preempts(&a->trace);
	stwatch_status status = c->has_trace ? judge_trace(c, options, error) : STWATCH_OK;
	if (status != STWATCH_OK)
		return status;
	for (const stw_rule *const *rule = stw_source_rules; *rule; rule++)
		(*rule)->judge(c);
	if (!stw_case_conclude(c, &a->findings, &a->n_findings))
		return stw_fail_memory(error);
	return STWATCH_OK;
}

/* ---- reading ---- */

/* Traces among the files are read for where their generations are. */
static stwatch_status take_traces(stwatch_analysis *a, const stwatch_context *context, stwatch_error *error)
{
	const size_t n = a->files.traces.count;
	a->companions = (stw_companions){a->files.companions.items, a->files.companions.count};
	stw_symbols_init(&a->symbols, &a->companions);
	for (size_t i = 0; i < a->companions.count; i++)
		if (!stw_profile_name(a->companions.items[i], &a->companions))
			return stw_fail_memory(error);
	if (n == 0)
		return STWATCH_OK;
	stwatch_status status = stw_trace_take(&a->trace, a->mem, a->files.traces.items, n,
		stw_symbols_any(&a->symbols) ? &a->symbols.namer : NULL, context->threads, context->cancel, error);
	if (status == STWATCH_ERR_CANCELLED && !(a->unread = stw_arena_copy(&a->arena, error->message, strlen(error->message))))
		return stw_fail_memory(error);
	if (status != STWATCH_OK && error->input < n) {
		error->input = a->files.traces.items[error->input].input;
		stw_inputs_blame(&a->files, error);
	}
	return a->unread ? STWATCH_OK : status; /* nothing was read until then: it is told as what was */
}

static stwatch_status fold(stwatch_analysis *a, const stw_run_options *options, stwatch_error *error)
{
	if (a->files.traces.count == 0)
		return STWATCH_OK;
	stwatch_status status = a->unread ? STWATCH_ERR_CANCELLED : stw_trace_fold(&a->trace, options, stw_gather_add, &a->gather, error);
	if (status == STWATCH_ERR_ARGUMENT) { /* an input that does not belong to the others */
		error->input = a->files.traces.items[error->input].input;
		stw_inputs_blame(&a->files, error);
	}
	if (status != STWATCH_OK && status != STWATCH_ERR_CANCELLED)
		return status;
	stw_gather_finish(&a->gather);
	return a->gather.failed ? stw_fail_memory(error) : status;
}

/* The first problem of an input, as an error. */
static stwatch_status tell_damage(const stwatch_analysis *a, stwatch_error *error)
{
	for (size_t i = 0; i < a->inputs.count; i++) {
		const stwatch_input *input = &a->inputs.items[i];
		if (input->n_problems == 0)
			continue;
		stw_fail(error, STWATCH_ERR_DAMAGED, input->problems[0].offset, "%s", input->problems[0].what);
		error->input = a->origins.items[i];
		stw_inputs_blame(&a->files, error);
		return error->status;
	}
	return STWATCH_OK;
}

/* Of the findings that a trace shows; what was cancelled goes without. */
static stwatch_status draw(stwatch_analysis *a, const stwatch_analyze_options *o, const stwatch_context *context, stwatch_error *error)
{
	for (size_t i = 0; i < a->n_findings && i < o->timelines && a->judged.has_trace; i++) {
		stwatch_status status = stw_draw_finding(&a->findings[i], &a->judged, context->cancel, error);
		if (status == STWATCH_ERR_CANCELLED)
			break;
		if (status != STWATCH_OK)
			return status;
	}
	return STWATCH_OK;
}

static bool see_for_curve(void *user, stw_stream *stream, const stw_stream_event *e)
{
	stw_mmu_curve *curve = user;
	stw_mmu_curve_add(curve, stream, e);
	return !curve->failed;
}

static void break_curve(void *user)
{
	stw_mmu_curve_break(user);
}

/* Reads the trace once more, in order. */
static stwatch_status compute_curve(
	stwatch_analysis *a, const stwatch_context *context, const stw_run_options *options, stwatch_error *error)
{
	enum { CHANGES_KEPT = 1 << 20 };
	stw_mmu_curve curve;
	const stw_walk walk = {.event = see_for_curve, .gap = break_curve, .user = &curve};
	if (a->trace.n_inputs == 0)
		return STWATCH_OK;
	/* To Go 1.21 only stops write how many P's there are. */
	stw_mmu_curve_init(&curve, a->mem, CHANGES_KEPT, a->gather.counts[STW_EV_ProcsChange] ? 0 : stw_gather_procs(&a->gather));
	stwatch_status status = stw_trace_walk(&a->trace, options, &walk, error);
	if (status == STWATCH_OK && !stw_summary_take_curve(&a->summary, &curve, &a->arena))
		status = stw_fail_memory(error);
	stw_mmu_curve_free(&curve);
	if (status == STWATCH_OK && a->trace.n_gaps)
		stw_context_note(context, "%s", stw_gaps_in_words((char[STW_GAPS_ROOM]){0}, a->trace.n_gaps, a->trace.gaps_ns));
	return status;
}

/* What was cancelled goes without. */
static stwatch_status list_sources(stwatch_analysis *a, const char *folder, const stwatch_context *context, stwatch_error *error)
{
	bool any = false;
	stwatch_status status = stw_source_tree_open(&a->sources, a->mem, folder, error);
	if (status == STWATCH_OK)
		status = stw_listings_find(&a->sources, a->findings, a->n_findings, context->cancel, error);
	if (status == STWATCH_ERR_CANCELLED)
		return STWATCH_OK;
	for (size_t i = 0; i < a->n_findings; i++)
		any |= a->findings[i].n_listings > 0;
	bool ok = status == STWATCH_OK;
	if (ok && a->sources.too_large)
		ok = stw_analysis_limit(a, "the folder of sources has too many files: not all of it was looked through");
	if (ok && a->n_findings > 0 && !any)
		ok = stw_analysis_limit(a, "in the folder of sources is no file that a finding names");
	return ok || status != STWATCH_OK ? status : stw_fail_memory(error);
}

static stwatch_status run(stwatch_analysis *a, const stwatch_context *context, const stwatch_analyze_options *o, stwatch_error *error)
{
	stw_run_options options = {context->threads, context->progress, context->progress_user, context->cancel, !o->findings};
	stwatch_status status = fold(a, &options, error);
	bool cancelled = status == STWATCH_ERR_CANCELLED || a->interrupted;
	if (status != STWATCH_OK && !cancelled)
		return status;
	if (a->interrupted)
		stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	a->cancelled = cancelled;
	stwatch_error why = *error;
	if (!stw_analysis_describe(a))
		return stw_fail_memory(error);
	a->summary.threads = a->gather.threads;
	if (o->mmu_curve && !cancelled) {
		status = compute_curve(a, context, &options, error);
		cancelled = status == STWATCH_ERR_CANCELLED;
		if (status != STWATCH_OK && !cancelled)
			return status;
		why = *error;
	}
	if (o->findings) {
		status = judge(a, &options, error);
		if (status != STWATCH_OK)
			return status;
		stw_analysis_select(a, o);
		status = draw(a, o, context, error);
		if (status == STWATCH_OK && o->source)
			status = list_sources(a, o->source, context, error);
		if (status != STWATCH_OK)
			return status;
	}
	if (cancelled) {
		*error = why;
		return STWATCH_ERR_CANCELLED;
	}
	return tell_damage(a, error);
}

static stwatch_analysis *begin(stwatch_context *context, const stwatch_analyze_options *o)
{
	stwatch_analysis *a = stw_mem_zalloc(&context->mem, sizeof *a);
	if (!a)
		return NULL;
	a->mem = &context->mem;
	stw_arena_init(&a->arena, a->mem);
	if (o->settings)
		a->settings = *o->settings;
	else
		stwatch_settings_init(&a->settings);
	int64_t idle = a->settings.values[STW_SET_IDLE_NOTE];
	stw_gather_init(&a->gather, a->mem, a->settings.values[STW_SET_STARVED_NOTE],
		idle > STW_KEEP_RUNNABLE_NS ? idle : STW_KEEP_RUNNABLE_NS, a->settings.values[STW_SET_STW_NOTE]);
	a->gather.figures_only = !o->findings;
	return a;
}

/* opened: how opening its files went. */
static stwatch_status finish(stwatch_analysis *a, const stwatch_context *context, const stwatch_analyze_options *o, stwatch_status opened,
	stwatch_analysis **out, stwatch_error *error)
{
	stwatch_status status = opened == STWATCH_OK ? take_traces(a, context, error) : opened;
	const bool taken = status == STWATCH_OK;
	if (taken)
		status = run(a, context, o, error);
	if (taken && (status == STWATCH_OK || status == STWATCH_ERR_DAMAGED || status == STWATCH_ERR_CANCELLED))
		*out = a;
	else
		stwatch_analysis_free(a);
	return status;
}

/* ---- the public functions ---- */

stwatch_status stw_analyze_source(stwatch_context *context, const char *path, const stw_source *source, const stwatch_analyze_options *o,
	bool interrupted, stwatch_analysis **out, stwatch_error *error)
{
	stwatch_analysis *a = begin(context, o);
	*out = NULL;
	if (!a)
		return stw_fail_memory(error);
	a->interrupted = interrupted;
	return finish(a, context, o, stw_inputs_take(&a->files, context, path, source, error), out, error);
}

stwatch_status stwatch_analyze(stwatch_context *context, const char *const *paths, size_t n_paths, const stwatch_analyze_options *options,
	stwatch_analysis **out, stwatch_error *error)
{
	stwatch_error local;
	stwatch_analyze_options o = {.findings = true};
	error = stw_error_begin(error, &local);
	*out = NULL;
	stw_options_take(&o, sizeof o, options);
	if (n_paths == 0)
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "no input was given");
	if (o.follow && n_paths > 1)
		return stw_fail(
			error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "one input at a time can be followed (%zu were given)", n_paths);
	if (o.follow)
		return stw_follow(context, paths[0], &o, out, error);
	stwatch_analysis *a = begin(context, &o);
	if (!a)
		return stw_fail_memory(error);
	return finish(a, context, &o, stw_inputs_open(&a->files, context, paths, n_paths, false, error), out, error);
}

const stwatch_input *stwatch_analysis_inputs(const stwatch_analysis *a, size_t *count)
{
	*count = a->inputs.count;
	return a->inputs.items;
}

const stwatch_settings *stwatch_analysis_settings(const stwatch_analysis *a)
{
	return &a->settings;
}

const stwatch_summary *stwatch_analysis_summary(const stwatch_analysis *a)
{
	return &a->summary;
}

const stwatch_finding *stwatch_analysis_findings(const stwatch_analysis *a, size_t *count)
{
	*count = a->n_findings;
	return a->findings;
}

const char *const *stwatch_analysis_limits(const stwatch_analysis *a, size_t *count)
{
	*count = a->limits.count;
	return a->limits.items;
}

stwatch_status stwatch_analysis_print(
	const stwatch_analysis *a, stwatch_view view, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	stw_output_input in = {
		a->inputs.items, a->inputs.count, &a->settings, &a->summary, a->findings, a->n_findings, a->limits.items, a->limits.count};
	return stw_output_print(&in, view, options, sink, user);
}
