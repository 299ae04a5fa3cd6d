#include "rules/godebug.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const int64_t EXACT_NS = 10000000; /* a place in the trace's time that is known to less is not worth a word */

bool stw_next_log_run(const stw_case *c, stw_log_at *at, stw_log_run *out)
{
	for (; at->input < c->companions->count; at->input++, at->sample = at->gc = 0, at->run = 0) {
		const stw_godebug *log = c->companions->items[at->input]->parts[STW_PART_GODEBUG];
		if (!log || at->run >= log->runs.count)
			continue;
		*out = (stw_log_run){.log = log, .run = at->run++};
		out->samples = at->sample < log->samples.count ? &log->samples.items[at->sample] : NULL;
		out->gcs = at->gc < log->gcs.count ? &log->gcs.items[at->gc] : NULL;
		while (at->sample < log->samples.count && log->samples.items[at->sample].run == out->run)
			at->sample++, out->n_samples++;
		while (at->gc < log->gcs.count && log->gcs.items[at->gc].run == out->run)
			at->gc++, out->n_gcs++;
		return true;
	}
	return false;
}

static bool told_by_trace(const stw_case *c, const char *rule)
{
	for (size_t i = 0; i < c->found.count; i++)
		if (!c->found.items[i]->of_log && strcmp(c->found.items[i]->f.rule, rule) == 0)
			return true;
	return false;
}

bool stw_log_may_tell(const stw_case *c, const stw_log_run *r, const char *rule, stwatch_severity severity, int64_t from, int64_t to)
{
	if (!c->has_trace)
		return true;
	if (told_by_trace(c, rule))
		return false;
	int64_t first = stw_godebug_in_trace(r->log, r->run, from), last = stw_godebug_in_trace(r->log, r->run, to);
	if (first == STW_TIME_UNKNOWN || !r->log->runs.items[r->run].same) /* of another time or process, as far as is known */
		return severity >= STWATCH_WARNING;
	return first < c->gather->first_time || last > c->gather->last_time;
}

void stw_log_occurs(stw_case *c, stw_found *f, const stw_log_run *r, int64_t from, int64_t to, int64_t g, int64_t p)
{
	int64_t at = stw_godebug_in_trace(r->log, r->run, from);
	f->of_log = true;
	if (at != STW_TIME_UNKNOWN) {
		stw_found_occurs(c, f, at, at + (to - from), g, p);
		return;
	}
	stw_found_occurs(c, f, STWATCH_UNKNOWN, STWATCH_UNKNOWN, g, p);
	if (c->failed)
		return;
	f->occurrences.items[f->occurrences.count - 1].duration_ns = to - from;
	if (to - from > f->f.worst_ns) {
		f->f.worst_ns = f->f.duration_ns = to - from;
		f->f.start_ns = f->f.end_ns = STWATCH_UNKNOWN;
	}
}

bool stw_log_is_worst(stw_found *f, stwatch_severity severity, stwatch_confidence confidence, int64_t size, int64_t so_far)
{
	if (severity < f->f.severity || (severity == f->f.severity && size <= so_far))
		return false;
	f->f.severity = severity;
	f->f.confidence = confidence;
	f->evidence.count = f->ruled_out.count = 0;
	return true;
}

const char *stw_log_since(stw_case *c, int64_t at)
{
	return stw_case_printf(c, "%lld.%03lld s", (long long)(at / 1000000000), (long long)(at / 1000000 % 1000));
}

stwatch_evidence *stw_log_step(stw_case *c, stw_found *f, const stw_log_run *r, uint64_t line, int64_t at, const char *step,
	const char *part, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	int64_t in_trace = stw_godebug_in_trace(r->log, r->run, at);
	int64_t slack = in_trace == STW_TIME_UNKNOWN ? 0 : r->log->runs.items[r->run].slack_ns;
	stwatch_evidence *e = stw_found_step_from(c, f, r->log->companion, line, in_trace == STW_TIME_UNKNOWN ? STWATCH_UNKNOWN : in_trace,
		step, part, "at %s of the program%s: %s", stw_log_since(c, at),
		slack > EXACT_NS ? stw_case_printf(c, " (in the trace to within %s)", stw_case_ms(c, slack)) : "", text);
	stw_found_value(c, e, "since_start_ns", at);
	if (slack)
		stw_found_value(c, e, "slack_ns", slack);
	return e;
}

stwatch_evidence *stw_log_sample(stw_case *c, stw_found *f, const stw_log_run *r, const stw_sched_sample *s, const char *step)
{
	stwatch_evidence *e = stw_log_step(c, f, r, s->line, s->at_ns, step, "SCHED",
		"%llu in the global queue, %llu in those of the procs (%llu in the longest); %u of %u procs idle, %u threads",
		(unsigned long long)s->global, (unsigned long long)s->local, (unsigned long long)s->local_max, s->idle, s->procs,
		s->threads);
	stw_found_value(c, e, "queue_global", (int64_t)s->global);
	stw_found_value(c, e, "queue_local", (int64_t)s->local);
	stw_found_value(c, e, "queue_local_max", (int64_t)s->local_max);
	stw_found_value(c, e, "procs_idle", s->idle);
	stw_found_value(c, e, "gomaxprocs", s->procs);
	return e;
}
