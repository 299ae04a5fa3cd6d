#include <stdlib.h>
#include <string.h>

#include "api/analyze.h"
#include "api/listings.h"
#include "api/draw.h"
#include "api/summary.h"
#include "api/symbols.h"
#include "api/told.h"
#include "base/error.h"
#include "engine/walk.h"
#include "output/output.h"
#include "rules/case.h"
#include "rules/impact.h"
#include "rules/waits.h"
#include "sources/godebug.h"
#include "sources/profile.h"
#include "wire/growing.h"

struct stwatch_analysis {
	stw_mem *mem;
	stw_arena arena;
	stwatch_settings settings;
	stw_inputs files;
	stw_companions companions; /* those of files */
	stw_symbols symbols;
	STW_VEC(stwatch_input) inputs; /* in the order given */
	STW_VEC(unsigned) origins; /* of each, an index of files.files */
	bool cancelled;
	bool interrupted; /* the waiting for more was: what is there is to be read all the same */
	stwatch_summary summary;
	stwatch_finding *findings;
	size_t n_findings;
	STW_VEC(const char *) limits;
	stw_trace trace;
	stw_gather gather;
	stw_case judged;
	stw_source_tree sources;
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
	for (uint32_t i = 0; t->v1 && i < t->n_inputs; i++)
		any |= stw_v1_preempts(&t->v1[i]);
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
		inside = x->start_ns == STWATCH_UNKNOWN ||
			(x->start_ns + x->duration_ns >= o->from_ns && (o->to_ns == 0 || x->start_ns <= o->to_ns));
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
	const char **slot = text ? stw_vec_push(a->mem, &a->limits) : NULL;
	if (slot)
		*slot = text;
	return slot != NULL;
}

/* Where names come from that the trace itself does not have. */
static bool tell_names(stwatch_analysis *a)
{
	const stw_symbols *s = &a->symbols;
	if (s->from)
		return add_limit(a,
			stw_arena_printf(&a->arena,
				"to Go 1.6 a trace has no names: those of %s are used, in whose functions all its %zu addresses are",
				s->from->name, s->fit.starts + s->fit.returns));
	if (s->fit.why_not)
		return add_limit(
			a, stw_arena_printf(&a->arena, "to Go 1.6 a trace has no names, and the binary gives none: %s", s->fit.why_not));
	return add_limit(a, "to Go 1.6 a trace has no names: functions are known by address only; give the program's binary too");
}

static bool tell_v1_limits(stwatch_analysis *a)
{
	bool ok = add_limit(a, "to Go 1.21 a system call has a duration only if it blocked: the others look 1 ns long");
	if (a->trace.version < 10)
		ok = ok &&
			add_limit(a,
				"to Go 1.9 stops are no events: they are inferred from their ends, and their lengths are at most what is "
				"said");
	else if (a->trace.version < 21)
		ok = ok &&
			add_limit(a,
				"to Go 1.20 stops other than the collector's are no events: they are inferred from their ends, and their "
				"lengths are at most what is said");
	if (a->trace.version < 7)
		ok = ok && tell_names(a);
	bool in_ticks = true;
	for (uint32_t i = 0; i < a->trace.n_inputs; i++)
		in_ticks &= a->trace.v1[i].index.frequency == 0;
	if (in_ticks)
		ok = ok && add_limit(a, "the end of the file is missing, and with it the clock's frequency: times are in ticks, not in ns");
	return ok;
}

static bool tell_gaps(stwatch_analysis *a)
{
	const stw_trace *t = &a->trace;
	return t->n_gaps == 0 || add_limit(a, stw_word_gaps(&a->arena, t->n_gaps, t->gaps_ns));
}

static bool tell_interruption(stwatch_analysis *a)
{
	const stw_trace *t = &a->trace;
	const int64_t length = a->gather.first_time == STW_TIME_UNKNOWN ? 0 : stw_gather_length(&a->gather);
	if (!a->cancelled)
		return true;
	const char *text = a->interrupted
		? stw_arena_printf(&a->arena, "interrupted: this is the first %.3f s; more may have come", (double)length / 1e9)
		: stw_arena_printf(&a->arena,
			  "interrupted: this is the first %.3f s, from %.0f %% of the input; what came later was not read",
			  (double)length / 1e9, t->n_bytes ? 100 * (double)t->n_read / (double)t->n_bytes : 0.0);
	return text && add_limit(a, text);
}

/* Then what seems to be cut is only not there yet. */
static bool tell_writers(stwatch_analysis *a)
{
	bool ok = true;
	for (uint32_t i = 0; ok && i < a->trace.n_inputs && !a->interrupted; i++) {
		const stw_trace_input *in = &a->trace.inputs[i];
		const char *text = in->source.spooled || !stw_is_being_written(in->source.fd)
			? NULL
			: stw_arena_printf(&a->arena,
				  "%s is still being written: what comes later is not in this result (--follow waits for it)", in->path);
		ok = !text || add_limit(a, text);
	}
	return ok;
}

/* Samples of a log that lie within the trace tell the queues apart. */
static bool tell_queue_limit(stwatch_analysis *a)
{
	for (size_t i = 0; i < a->companions.count; i++) {
		const stw_godebug *log = a->companions.items[i]->parts[STW_PART_GODEBUG];
		for (size_t k = 0; log && k < log->samples.count; k++) {
			const stw_sched_sample *s = &log->samples.items[k];
			int64_t t = stw_godebug_in_trace(log, s->run, s->at_ns);
			if (log->runs.items[s->run].same && t >= a->gather.first_time && t <= a->gather.last_time)
				return true;
		}
	}
	return add_limit(a, "lengths of run queues follow from transitions: local and global queues can't be told apart");
}

static bool tell_limits(stwatch_analysis *a)
{
	bool ok = tell_interruption(a) && tell_writers(a) &&
		add_limit(a, "the phases of a stop are inferred from when procs stopped: no event marks them");
	if (a->gather.counts[STW_EV_CPUSample] == 0)
		ok = ok && add_limit(a, "no CPU samples in the trace: what ran between two events is known from stacks at their ends only");
	ok = ok && tell_queue_limit(a);
	ok = ok && add_limit(a, "no kernel input: whether the kernel took the CPU away can only be guessed from silence");
	ok = ok && tell_gaps(a);
	if (!a->trace.has_wall)
		ok = ok && add_limit(a, "no wall time in the trace (Go 1.25 and later write it)");
	if (a->trace.v1)
		return ok && tell_v1_limits(a);
	if (a->trace.version < STW_GO123)
		ok = ok && add_limit(a, "before Go 1.23 goroutines that ran before the trace have no stack until they block");
	return ok;
}

static bool add_input(stwatch_analysis *a, const stwatch_input *input, unsigned origin)
{
	stwatch_input *slot = stw_vec_push(a->mem, &a->inputs);
	unsigned *from = slot ? stw_vec_push(a->mem, &a->origins) : NULL;
	if (!from)
		return false;
	*slot = *input;
	*from = origin;
	return true;
}

/* A trace's problems, in the order in which they were found. */
static bool list_problems(stwatch_analysis *a, uint32_t index, stwatch_input *to)
{
	stwatch_problem *problems = stw_arena_zalloc(&a->arena, (a->trace.problems.count + 1) * sizeof *problems);
	if (!problems)
		return false;
	for (size_t i = 0; i < a->trace.problems.count; i++) {
		const stw_problem_note *p = &a->trace.problems.items[i];
		if (p->input != index)
			continue;
		const char *what = stw_arena_copy(&a->arena, p->what, strlen(p->what));
		if (!what)
			return false;
		problems[to->n_problems++] = (stwatch_problem){p->offset, what};
	}
	to->problems = problems;
	to->complete = to->n_problems == 0 && !a->cancelled;
	return true;
}

/* Events as Go's reader counts them: with a sync event before each generation and one at the end. */
static bool describe_trace(stwatch_analysis *a, uint32_t index)
{
	const stw_trace_input *in = &a->trace.inputs[index];
	stwatch_input input = {
		.file = stw_arena_copy(&a->arena, in->path, strlen(in->path)),
		.kind = "go-trace",
		.format = stw_arena_printf(&a->arena, "go1.%d", (int)in->version),
		.bytes = in->source.file_size,
		.events = in->n_generations || !in->n_repeated ? in->n_events + in->n_generations + 1 : 0,
		.generations = in->n_generations,
		.repeated_generations = in->n_repeated,
		.has_start_time = in->has_wall,
		.start_unix_ns = in->wall_ns,
		.duration_ns = in->first_time == STW_TIME_UNKNOWN ? 0 : in->last_time - in->first_time,
		.start_ns = in->first_time == STW_TIME_UNKNOWN ? STWATCH_UNKNOWN : in->first_time - a->gather.first_time,
	};
	return input.file && input.format && list_problems(a, index, &input) && add_input(a, &input, a->files.traces.items[index].input);
}

/* Where the names come from that a profile lacks. */
static bool tell_profile_names(stwatch_analysis *a, const stw_companion *c)
{
	const stw_profile *p = stw_companion_profile(c);
	if (!p || p->n_unnamed == 0)
		return true;
	if (p->named_by)
		return add_limit(a,
			stw_arena_printf(&a->arena, "%s has no names for %zu of its addresses: those of %s are used", c->name, p->n_unnamed,
				p->named_by));
	return add_limit(a,
		stw_arena_printf(&a->arena, "%s has no names for %zu of its addresses%s%s", c->name, p->n_unnamed,
			p->unnamed_why ? ", and the binary gives none: " : ": give the program's binary too",
			p->unnamed_why ? p->unnamed_why : ""));
}

/* Lines that other output has torn. */
static bool tell_torn(stwatch_analysis *a, const stw_companion *c)
{
	const stw_godebug *log = c->parts[STW_PART_GODEBUG];
	return !log || !log->torn ||
		add_limit(a,
			stw_arena_printf(&a->arena, "%s has %llu line%s of GODEBUG output torn by other output, or cut: left out", c->name,
				(unsigned long long)log->torn, log->torn == 1 ? "" : "s"));
}

static bool describe_companion(stwatch_analysis *a, const stw_companion *c)
{
	const char *file = stw_arena_copy(&a->arena, c->file, strlen(c->file));
	const stwatch_input input = {
		.file = file,
		.kind = c->kind,
		.format = c->format,
		.bytes = c->bytes,
		.has_start_time = c->has_start,
		.start_unix_ns = c->start_unix_ns,
		.duration_ns = c->duration_ns,
		.start_ns = STWATCH_UNKNOWN,
		.complete = c->problems.count == 0,
		.problems = c->problems.items,
		.n_problems = c->problems.count,
		.figures = c->figures.items,
		.n_figures = c->figures.count,
		.tables = c->tables.items,
		.n_tables = c->tables.count,
	};
	if (!file || !add_input(a, &input, c->input))
		return false;
	if (stw_companion_tells(c))
		return tell_profile_names(a, c) && tell_torn(a, c);
	char expected[160];
	const char *limit = stw_arena_printf(
		&a->arena, "%s tells nothing: it is a text without %s", c->name, stw_companion_expected(expected, sizeof expected));
	return limit && add_limit(a, limit);
}

/* Logs of the same process get their place in the trace's time, where there is just one that fits. */
static bool align_logs(stwatch_analysis *a)
{
	const stw_trace_clock clock = {&a->gather, a->trace.has_wall, a->trace.wall_ns};
	bool ok = true;
	for (size_t i = 0; i < a->companions.count && a->gather.first_time != STW_TIME_UNKNOWN && ok; i++) {
		stw_godebug *log = (stw_godebug *)a->companions.items[i]->parts[STW_PART_GODEBUG];
		if (!log || !(log->samples.count || log->gcs.count))
			continue;
		ok = stw_godebug_align(log, &clock) &&
			(!log->not_aligned ||
				add_limit(a,
					stw_arena_printf(&a->arena, "%s has no certain place in the trace's time (%s): it is judged alone",
						log->companion->name, log->not_aligned)));
	}
	return ok;
}

/* All inputs in the order in which they were given. */
static bool describe(stwatch_analysis *a)
{
	uint32_t trace = 0;
	size_t next = 0;
	if (!align_logs(a))
		return false;
	if (a->trace.n_inputs == 0 && !add_limit(a, "no trace among the inputs: what happened when, and for how long, is not known"))
		return false;
	if (a->trace.n_inputs && !(stw_summary_fill(&a->summary, &a->gather, &a->arena) && tell_limits(a)))
		return false;
	for (unsigned i = 0; next < a->companions.count || trace < a->trace.n_inputs; i++) {
		if (trace < a->trace.n_inputs && a->files.traces.items[trace].input == i) {
			if (!describe_trace(a, trace++))
				return false;
		} else if (next < a->companions.count && a->companions.items[next]->input == i) {
			if (!describe_companion(a, a->companions.items[next++]))
				return false;
		}
	}
	return true;
}

/* ---- the public functions ---- */

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
		stw_symbols_any(&a->symbols) ? &a->symbols.namer : NULL, context->cancel, error);
	if (status != STWATCH_OK && error->input < n) {
		error->input = a->files.traces.items[error->input].input;
		stw_inputs_blame(&a->files, error);
	}
	return status;
}

static stwatch_status fold(stwatch_analysis *a, const stw_run_options *options, stwatch_error *error)
{
	if (a->files.traces.count == 0)
		return STWATCH_OK;
	stwatch_status status = stw_trace_fold(&a->trace, options, stw_gather_add, &a->gather, error);
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
		ok = add_limit(a, "the folder of sources has too many files: not all of it was looked through");
	if (ok && a->n_findings > 0 && !any)
		ok = add_limit(a, "in the folder of sources is no file that a finding names");
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
	if (!describe(a))
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
		select_findings(a, o);
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
