/* What the inputs of an analysis are, and what they can't show. */
#include <string.h>

#include "api/analysis.h"
#include "api/summary.h"
#include "api/told.h"
#include "sources/godebug.h"
#include "sources/profile.h"
#include "wire/growing.h"

bool stw_analysis_limit(stwatch_analysis *a, const char *text)
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
		return stw_analysis_limit(a,
			stw_arena_printf(&a->arena,
				"to Go 1.6 a trace has no names: those of %s are used, in whose functions all its %zu addresses are",
				s->from->name, s->fit.starts + s->fit.returns));
	if (s->fit.why_not)
		return stw_analysis_limit(
			a, stw_arena_printf(&a->arena, "to Go 1.6 a trace has no names, and the binary gives none: %s", s->fit.why_not));
	return stw_analysis_limit(a, "to Go 1.6 a trace has no names: functions are known by address only; give the program's binary too");
}

static bool tell_v1_limits(stwatch_analysis *a)
{
	bool ok = stw_analysis_limit(a, "to Go 1.21 a system call has a duration only if it blocked: the others look 1 ns long");
	if (a->trace.version < 10)
		ok = ok &&
			stw_analysis_limit(a,
				"to Go 1.9 stops are no events: they are inferred from their ends, and their lengths are at most what is "
				"said");
	else if (a->trace.version < 21)
		ok = ok &&
			stw_analysis_limit(a,
				"to Go 1.20 stops other than the collector's are no events: they are inferred from their ends, and their "
				"lengths are at most what is said");
	if (a->trace.version < 7)
		ok = ok && tell_names(a);
	bool in_ticks = true;
	for (uint32_t i = 0; i < a->trace.spans.count; i++)
		in_ticks &= stw_trace_v1(&a->trace, i)->index.frequency == 0;
	if (in_ticks)
		ok = ok &&
			stw_analysis_limit(
				a, "the end of the file is missing, and with it the clock's frequency: times are in ticks, not in ns");
	return ok;
}

static bool tell_gaps(stwatch_analysis *a)
{
	const stw_trace *t = &a->trace;
	return t->n_gaps == 0 || stw_analysis_limit(a, stw_word_gaps(&a->arena, t->n_gaps, t->gaps_ns));
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
	return text && stw_analysis_limit(a, text);
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
		ok = !text || stw_analysis_limit(a, text);
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
	return stw_analysis_limit(a, "lengths of run queues follow from transitions: local and global queues can't be told apart");
}

static bool tell_limits(stwatch_analysis *a)
{
	if (a->unread)
		return stw_analysis_limit(a, a->unread);
	bool ok = (a->gather.first_time != STW_TIME_UNKNOWN ||
			  stw_analysis_limit(a, "the trace has no events: there is nothing to look at")) &&
		tell_interruption(a) && tell_writers(a) &&
		stw_analysis_limit(a, "the phases of a stop are inferred from when procs stopped: no event marks them");
	if (a->gather.counts[STW_EV_CPUSample] == 0)
		ok = ok &&
			stw_analysis_limit(
				a, "no CPU samples in the trace: what ran between two events is known from stacks at their ends only");
	ok = ok && tell_queue_limit(a);
	ok = ok && stw_analysis_limit(a, "no kernel input: whether the kernel took the CPU away can only be guessed from silence");
	ok = ok && tell_gaps(a);
	if (!a->trace.has_wall)
		ok = ok && stw_analysis_limit(a, "no wall time in the trace (Go 1.25 and later write it)");
	if (a->trace.v1)
		return ok && tell_v1_limits(a);
	if (a->trace.version < STW_GO123)
		ok = ok && stw_analysis_limit(a, "before Go 1.23 goroutines that ran before the trace have no stack until they block");
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
		return stw_analysis_limit(a,
			stw_arena_printf(&a->arena, "%s has no names for %zu of its addresses: those of %s are used", c->name, p->n_unnamed,
				p->named_by));
	return stw_analysis_limit(a,
		stw_arena_printf(&a->arena, "%s has no names for %zu of its addresses%s%s", c->name, p->n_unnamed,
			p->unnamed_why ? ", and the binary gives none: " : ": give the program's binary too",
			p->unnamed_why ? p->unnamed_why : ""));
}

/* Lines that other output has torn. */
static bool tell_torn(stwatch_analysis *a, const stw_companion *c)
{
	const stw_godebug *log = c->parts[STW_PART_GODEBUG];
	return !log || !log->torn ||
		stw_analysis_limit(a,
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
	return limit && stw_analysis_limit(a, limit);
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
				stw_analysis_limit(a,
					stw_arena_printf(&a->arena, "%s has no certain place in the trace's time (%s): it is judged alone",
						log->companion->name, log->not_aligned)));
	}
	return ok;
}

/* All inputs in the order in which they were given. */
bool stw_analysis_describe(stwatch_analysis *a)
{
	uint32_t trace = 0;
	size_t next = 0;
	if (!align_logs(a))
		return false;
	if (a->trace.n_inputs == 0 &&
		!stw_analysis_limit(a, "no trace among the inputs: what happened when, and for how long, is not known"))
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
