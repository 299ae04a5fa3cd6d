#include <stdlib.h>
#include <string.h>

#include "api/context.h"
#include "api/summary.h"
#include "base/error.h"
#include "output/output.h"
#include "rules/case.h"
#include "rules/waits.h"

struct stwatch_analysis {
	stw_mem *mem;
	stw_arena arena;
	stwatch_settings settings;
	stwatch_input input;
	stwatch_summary summary;
	stwatch_finding *findings;
	size_t n_findings;
	STW_VEC(const char *) limits;
	stw_trace trace;
	stw_gather gather;
	stw_case judged;
};

void stwatch_analysis_free(stwatch_analysis *a)
{
	if (!a)
		return;
	stw_mem *mem = a->mem;
	for (size_t i = 0; i < a->judged.found.count; i++) {
		stw_found *f = a->judged.found.items[i];
		stw_vec_free(mem, &f->occurrences);
		stw_vec_free(mem, &f->victims);
		stw_vec_free(mem, &f->harmed);
		stw_vec_free(mem, &f->evidence);
		stw_vec_free(mem, &f->ruled_out);
	}
	stw_vec_free(mem, &a->judged.found);
	stw_activity_free(&a->judged.activity);
	stw_places_free(&a->judged.places);
	if (a->judged.arena.mem)
		stw_arena_free(&a->judged.arena);
	stw_gather_free(&a->gather);
	stw_trace_close(&a->trace);
	stw_vec_free(mem, &a->limits);
	stw_arena_free(&a->arena);
	stw_mem_free(mem, a, sizeof *a);
}

/* ---- judging ---- */

static stwatch_status judge(stwatch_analysis *a, const stw_run_options *options, const char *path, stwatch_error *error)
{
	stw_case *c = &a->judged;
	c->mem = a->mem;
	stw_arena_init(&c->arena, a->mem);
	stw_places_init(&c->places, a->mem);
	stw_activity_init(&c->activity, a->mem, &c->places);
	c->trace = &a->trace;
	c->gather = &a->gather;
	c->set = a->settings.values;
	const char *slash = strrchr(path, '/');
	c->file = slash && slash[1] ? slash + 1 : path;
	c->start = a->gather.first_time;
	c->procs = stw_gather_procs(&a->gather);
	c->has_samples = a->gather.counts[STW_EV_CPUSample] >= 10;
	for (size_t i = 0; i < stw_rules_count; i++)
		if (stw_rules[i]->want)
			stw_rules[i]->want(c);
	stwatch_status status = stw_places_resolve(&c->places, &a->trace, error);
	if (status == STWATCH_OK) {
		stw_starved_want_activity(c);
		status = stw_activity_read(&c->activity, &a->trace, options->threads, options->cancel, error);
	}
	if (status != STWATCH_OK)
		return status;
	for (size_t i = 0; i < stw_rules_count; i++)
		stw_rules[i]->judge(c);
	if (!stw_case_conclude(c, &a->findings, &a->n_findings))
		return stw_fail_memory(error);
	return STWATCH_OK;
}

/* ---- what was asked for ---- */

static bool names(const stwatch_party *p, const char *function)
{
	const char *all[] = {p->function, p->leaf, p->root};
	for (int i = 0; i < 3; i++)
		if (all[i] && strstr(all[i], function))
			return true;
	return false;
}

static bool in_focus(const stwatch_finding *f, const stwatch_analyze_options *o)
{
	bool ok = !o->focus_function || (f->culprit && names(f->culprit, o->focus_function));
	for (size_t i = 0; !ok && i < f->n_victims; i++)
		ok = names(&f->victims[i], o->focus_function);
	if (!ok || o->focus_goroutine <= 0)
		return ok;
	ok = f->culprit && f->culprit->goroutine == o->focus_goroutine;
	for (size_t i = 0; !ok && i < f->n_victims; i++)
		ok = f->victims[i].goroutine == o->focus_goroutine;
	for (size_t i = 0; !ok && i < f->n_occurrences; i++)
		ok = f->occurrences[i].goroutine == o->focus_goroutine;
	return ok;
}

static bool wanted(const stwatch_finding *f, const stwatch_analyze_options *o)
{
	for (size_t i = 0; i < o->n_ignore; i++)
		if (strcmp(f->id, o->ignore[i]) == 0)
			return false;
	bool inside = f->n_occurrences == 0;
	for (size_t i = 0; !inside && i < f->n_occurrences; i++) {
		const stwatch_occurrence *x = &f->occurrences[i];
		inside = x->start_ns + x->duration_ns >= o->from_ns && (o->to_ns == 0 || x->start_ns <= o->to_ns);
	}
	return inside && in_focus(f, o);
}

static void select_findings(stwatch_analysis *a, const stwatch_analyze_options *o)
{
	size_t kept = 0;
	for (size_t i = 0; i < a->n_findings; i++)
		if (wanted(&a->findings[i], o))
			a->findings[kept++] = a->findings[i];
	a->n_findings = kept;
}

/* ---- what the input is, and can't show ---- */

static bool add_limit(stwatch_analysis *a, const char *text)
{
	const char **slot = stw_vec_push(a->mem, &a->limits);
	if (slot)
		*slot = text;
	return slot != NULL;
}

static bool tell_limits(stwatch_analysis *a)
{
	bool ok = add_limit(a, "the phases of a stop are inferred from when procs stopped: no event marks them");
	if (a->gather.counts[STW_EV_CPUSample] == 0)
		ok = ok && add_limit(a, "no CPU samples in the trace: what ran between two events is known from stacks at their ends only");
	ok = ok && add_limit(a, "lengths of run queues follow from transitions: local and global queues can't be told apart");
	ok = ok && add_limit(a, "no kernel input: whether the kernel took the CPU away can only be guessed from silence");
	if (!a->trace.has_wall)
		ok = ok && add_limit(a, "no wall time in the trace (Go 1.25 and later write it)");
	if (a->trace.version < STW_GO123)
		ok = ok && add_limit(a, "before Go 1.23 goroutines that ran before the trace have no stack until they block");
	return ok;
}

/* Events as Go's reader counts them: with a sync event before each generation and one at the end. */
static bool describe(stwatch_analysis *a, const char *path)
{
	const stw_gather *g = &a->gather;
	stwatch_problem *problems = stw_arena_zalloc(&a->arena, (a->trace.problems.count + 1) * sizeof *problems);
	const char *file = stw_arena_copy(&a->arena, path, strlen(path));
	const char *format = stw_arena_printf(&a->arena, "go1.%d", (int)a->trace.version);
	if (!problems || !file || !format)
		return false;
	for (size_t i = 0; i < a->trace.problems.count; i++) {
		const stw_problem_note *p = &a->trace.problems.items[i];
		problems[i] = (stwatch_problem){p->offset, stw_arena_copy(&a->arena, p->what, strlen(p->what))};
		if (!problems[i].what)
			return false;
	}
	a->input = (stwatch_input){
		.file = file,
		.kind = "go-trace",
		.format = format,
		.bytes = a->trace.source.file_size,
		.events = g->n_events + a->trace.n_generations + 1,
		.generations = a->trace.n_generations,
		.has_start_time = a->trace.has_wall,
		.start_unix_ns = a->trace.wall_ns,
		.duration_ns = g->first_time == STW_TIME_UNKNOWN ? 0 : g->last_time - g->first_time,
		.complete = a->trace.problems.count == 0,
		.problems = problems,
		.n_problems = a->trace.problems.count,
	};
	return stw_summary_fill(&a->summary, g, &a->arena) && tell_limits(a);
}

/* ---- the public functions ---- */

static stwatch_status run(
	stwatch_analysis *a, const stwatch_context *context, const char *path, const stwatch_analyze_options *o, stwatch_error *error)
{
	stw_run_options options = {context->threads, context->progress, context->progress_user, context->cancel};
	stwatch_status status = stw_trace_fold(&a->trace, &options, stw_gather_add, &a->gather, error);
	bool cancelled = status == STWATCH_ERR_CANCELLED;
	if (status != STWATCH_OK && !cancelled)
		return status;
	stwatch_error why = *error;
	stw_gather_finish(&a->gather);
	if (a->gather.failed || !describe(a, path))
		return stw_fail_memory(error);
	a->summary.threads = a->gather.threads;
	if (o->findings && a->gather.first_time != STW_TIME_UNKNOWN) {
		status = judge(a, &options, path, error);
		if (status != STWATCH_OK)
			return status;
		select_findings(a, o);
	}
	if (cancelled) {
		*error = why;
		return STWATCH_ERR_CANCELLED;
	}
	if (a->trace.problems.count == 0)
		return STWATCH_OK;
	return stw_fail(error, STWATCH_ERR_DAMAGED, a->trace.problems.items[0].offset, "%s", a->trace.problems.items[0].what);
}

stwatch_status stwatch_analyze(stwatch_context *context, const char *const *paths, size_t n_paths, const stwatch_analyze_options *options,
	stwatch_analysis **out, stwatch_error *error)
{
	stwatch_error local;
	stwatch_analyze_options o = {.findings = true};
	if (!error)
		error = &local;
	*error = (stwatch_error){.offset = STWATCH_NO_OFFSET};
	*out = NULL;
	if (options)
		memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
	if (n_paths != 1)
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
			"this version analyses one trace at a time (%zu files were given)", n_paths);
	stwatch_analysis *a = stw_mem_zalloc(&context->mem, sizeof *a);
	if (!a)
		return stw_fail_memory(error);
	a->mem = &context->mem;
	stw_arena_init(&a->arena, a->mem);
	if (o.settings)
		a->settings = *o.settings;
	else
		stwatch_settings_init(&a->settings);
	int64_t idle = a->settings.values[STW_SET_IDLE_NOTE];
	stw_gather_init(&a->gather, a->mem, a->settings.values[STW_SET_STARVED_NOTE],
		idle > STW_KEEP_RUNNABLE_NS ? idle : STW_KEEP_RUNNABLE_NS, a->settings.values[STW_SET_STW_NOTE]);
	stwatch_status status = stw_trace_open(&a->trace, a->mem, paths[0], context->cancel, error);
	const bool opened = status == STWATCH_OK;
	if (opened)
		status = run(a, context, paths[0], &o, error);
	if (opened && (status == STWATCH_OK || status == STWATCH_ERR_DAMAGED || status == STWATCH_ERR_CANCELLED))
		*out = a;
	else
		stwatch_analysis_free(a);
	return status;
}

const stwatch_input *stwatch_analysis_inputs(const stwatch_analysis *a, size_t *count)
{
	*count = 1;
	return &a->input;
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
	stw_output_input in = {&a->input, 1, &a->settings, &a->summary, a->findings, a->n_findings, a->limits.items, a->limits.count};
	return stw_output_print(&in, view, options, sink, user);
}
