/* Samples of schedtrace within what a trace shows of queues: how many stood in the global queue, how many in the P's own, is then known
 * at those instants, where a trace only tells their sum. */
#include <string.h>

#include "rules/godebug.h"

/* The samples of one log that lie within an occurrence for sure: the one with the longest global queue, the first and the last. */
typedef struct within {
	const stw_sched_sample *most, *first, *last;
	size_t n;
} within;

static void look(const stw_case *c, const stw_log_run *r, const stwatch_occurrence *o, within *w)
{
	const stw_godebug_run *run = &r->log->runs.items[r->run];
	int64_t from = c->start + o->start_ns + run->slack_ns, to = c->start + o->start_ns + o->duration_ns - run->slack_ns;
	for (size_t i = 0; i < r->n_samples; i++) {
		const stw_sched_sample *s = &r->samples[i];
		int64_t t = run->zero_ns + s->at_ns;
		if (t < from || t > to || s->detail.gc_waiting)
			continue;
		w->first = w->first && w->first->at_ns <= s->at_ns ? w->first : s;
		w->last = w->last && w->last->at_ns >= s->at_ns ? w->last : s;
		bool more = !w->most || s->global > w->most->global || (s->global == w->most->global && s->local > w->most->local);
		w->most = more ? s : w->most;
		w->n++;
	}
}

static void forget_doubt(stw_found *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->ruled_out.count; i++)
		if (strncmp(f->ruled_out.items[i], "which of them stood in the global queue", 39) != 0)
			f->ruled_out.items[n++] = f->ruled_out.items[i];
	f->ruled_out.count = n;
}

static void add_samples(stw_case *c, stw_found *f, const stw_log_run *r)
{
	within w = {0};
	for (size_t i = 0; i < f->occurrences.count; i++)
		if (f->occurrences.items[i].start_ns != STWATCH_UNKNOWN)
			look(c, r, &f->occurrences.items[i], &w);
	if (w.n == 0)
		return;
	stw_log_sample(c, f, r, w.most, "queues");
	if (w.first != w.most)
		stw_log_sample(c, f, r, w.first, "queues");
	if (w.last != w.most && w.last != w.first)
		stw_log_sample(c, f, r, w.last, "queues");
	forget_doubt(f);
}

static void judge(stw_case *c)
{
	stw_log_run r;
	for (stw_log_at at = {0}; c->has_trace && stw_next_log_run(c, &at, &r) && !c->failed;) {
		if (!r.log->runs.items[r.run].same)
			continue;
		for (size_t i = 0; i < c->found.count && !c->failed; i++) {
			stw_found *f = c->found.items[i];
			if (strcmp(f->f.rule, "runqueue-backlog") == 0 || strcmp(f->f.rule, "proc-idle-with-backlog") == 0)
				add_samples(c, f, &r);
		}
	}
}

const stw_rule stw_rule_godebug_evidence = {"GODEBUG beside a trace", NULL, judge};
