/* Run queues in lines of schedtrace: instants, so that what stands in several of them in a row is taken to have stood between them. */
#include "rules/godebug.h"

enum { MANY = 5 }; /* samples in a row that leave little to chance */

/* Samples in a row, those within stops left out. */
typedef struct streak {
	const stw_sched_sample *first, *last, *most;
	size_t n, large; /* large: with more in queues than --backlog-length */
} streak;

static uint64_t limit_of(const stw_case *c, const stw_sched_sample *s)
{
	int64_t limit = c->set[STW_SET_BACKLOG_FACTOR] * (int64_t)s->procs, length = c->set[STW_SET_BACKLOG_LENGTH];
	return (uint64_t)(limit < length ? limit : length);
}

static bool is_backlog(const stw_case *c, const stw_sched_sample *s)
{
	return stw_sched_queued(s) > limit_of(c, s);
}

static bool is_idle_beside(const stw_case *c, const stw_sched_sample *s)
{
	(void)c;
	return s->idle > 0 && s->spinning == 0 && stw_sched_queued(s) > 0;
}

/* The next streak from *at on of samples that fit. */
static bool next_streak(
	const stw_case *c, const stw_log_run *r, bool (*fits)(const stw_case *, const stw_sched_sample *), size_t *at, streak *out)
{
	*out = (streak){0};
	for (; *at < r->n_samples; (*at)++) {
		const stw_sched_sample *s = &r->samples[*at];
		if (s->detail.gc_waiting)
			continue;
		if (!fits(c, s)) {
			if (out->n)
				return true;
			continue;
		}
		out->first = out->n ? out->first : s;
		out->last = s;
		out->most = !out->most || stw_sched_queued(s) > stw_sched_queued(out->most) ? s : out->most;
		out->large += stw_sched_queued(s) > (uint64_t)c->set[STW_SET_BACKLOG_LENGTH];
		out->n++;
	}
	return out->n > 0;
}

static int64_t span(const streak *s)
{
	return s->last->at_ns - s->first->at_ns;
}

static void tell_streak(stw_case *c, stw_found *f, const stw_log_run *r, const streak *s)
{
	stw_log_sample(c, f, r, s->first, "first");
	if (s->most != s->first && s->most != s->last)
		stw_log_sample(c, f, r, s->most, "most");
	if (s->last != s->first)
		stw_log_sample(c, f, r, s->last, "last");
}

/* A finding of its rule for this streak, told anew where it is the worst; NULL: it is not. */
static stw_found *found_for(
	stw_case *c, const stw_log_run *r, const streak *s, const char *rule, const char *cause, stwatch_severity severity)
{
	bool fresh;
	if (!severity || !stw_log_may_tell(c, r, rule, severity, s->first->at_ns, s->last->at_ns))
		return NULL;
	stw_found *f = stw_found_for(c, rule, cause, NULL, -1, &fresh);
	if (!f)
		return NULL;
	bool tells = stw_log_is_worst(f, severity, s->n >= MANY ? STWATCH_LIKELY : STWATCH_POSSIBLE, span(s), f->f.worst_ns);
	stw_log_occurs(c, f, r, s->first->at_ns, s->last->at_ns, STWATCH_NONE, STWATCH_NONE);
	return tells ? f : NULL;
}

/* ---- runqueue-backlog ---- */

static stwatch_severity backlog_severity(const stw_case *c, const streak *s)
{
	size_t rounds = (size_t)c->set[STW_SET_BACKLOG_ROUNDS];
	if (s->large >= rounds && s->n >= MANY && span(s) >= c->set[STW_SET_BACKLOG_ERROR])
		return STWATCH_ERROR;
	if (s->large >= rounds && span(s) >= c->set[STW_SET_BACKLOG_WARN])
		return STWATCH_WARNING;
	bool one = s->most->global > (uint64_t)c->set[STW_SET_BACKLOG_LENGTH];
	return s->n >= rounds || one ? STWATCH_NOTE : 0;
}

static void judge_backlog(stw_case *c, const stw_log_run *r)
{
	streak s;
	for (size_t at = 0; next_streak(c, r, is_backlog, &at, &s);) {
		stw_found *f = found_for(c, r, &s, "runqueue-backlog", "saturation", backlog_severity(c, &s));
		if (!f)
			continue;
		f->f.title = s.n == 1
			? stw_case_printf(c, "%llu goroutines stood in run queues (%llu in the global one) at one sample, GOMAXPROCS %u",
				  (unsigned long long)stw_sched_queued(s.most), (unsigned long long)s.most->global, s.most->procs)
			: stw_case_printf(c,
				  "up to %llu goroutines stood in run queues (%llu in the global one), in %zu samples in a row over %s, "
				  "GOMAXPROCS %u",
				  (unsigned long long)stw_sched_queued(s.most), (unsigned long long)s.most->global, s.n,
				  stw_case_ms(c, span(&s)), s.most->procs);
		f->f.advice = "more work than the procs can do: fewer goroutines that compute at one time, or more CPUs; a trace of such a "
			      "moment "
			      "shows who made them, a goroutine dump what they are";
		tell_streak(c, f, r, &s);
		if (s.first->idle == 0 && s.last->idle == 0 && s.most->idle == 0)
			stw_found_rules_out(c, f, "idle procs beside the queues: all %u were busy at those samples", s.most->procs);
		stw_found_rules_out(c, f, "not known: which goroutines they were, and what was between two samples");
	}
}

/* ---- proc-idle-with-backlog ---- */

static stwatch_severity idle_severity(const stw_case *c, const streak *s)
{
	bool backlog = stw_sched_queued(s->first) > limit_of(c, s->first) && stw_sched_queued(s->last) > limit_of(c, s->last);
	if (s->n < (size_t)c->set[STW_SET_BACKLOG_ROUNDS])
		return s->large && s->most->spinning == 0 ? STWATCH_NOTE : 0;
	if (!backlog || span(s) < c->set[STW_SET_IDLE_WARN])
		return STWATCH_NOTE;
	return s->n >= MANY && span(s) >= c->set[STW_SET_IDLE_ERROR] ? STWATCH_ERROR : STWATCH_WARNING;
}

static void judge_idle(stw_case *c, const stw_log_run *r)
{
	streak s;
	for (size_t at = 0; next_streak(c, r, is_idle_beside, &at, &s);) {
		stw_found *f = found_for(c, r, &s, "proc-idle-with-backlog", "late-wakeup", idle_severity(c, &s));
		if (!f)
			continue;
		f->f.title = stw_case_printf(c,
			"%u of %u procs idle, no thread looking for work, and %llu goroutines in queues (%llu in the global one)%s",
			s.most->idle, s.most->procs, (unsigned long long)stw_sched_queued(s.most), (unsigned long long)s.most->global,
			s.n > 1 ? stw_case_printf(c, ": %zu samples in a row, over %s", s.n, stw_case_ms(c, span(&s))) : "");
		f->f.advice = "is the machine busy, or GOMAXPROCS above the CPUs it has (quota, cpuset)? else threads were slow to wake; "
			      "goroutines "
			      "that are locked to a thread must wait for that thread (scheddetail=1 shows lockedm); a trace shows who "
			      "waited";
		tell_streak(c, f, r, &s);
		stw_found_rules_out(c, f, "threads that were already looking for work: spinningthreads is 0");
		stw_found_rules_out(c, f, "not known: whether it was so between two samples, and whether they were locked to threads");
	}
}

static void judge(stw_case *c)
{
	stw_log_run r;
	for (stw_log_at at = {0}; stw_next_log_run(c, &at, &r) && !c->failed;) {
		judge_backlog(c, &r);
		judge_idle(c, &r);
	}
}

const stw_rule stw_rule_godebug_queues = {"GODEBUG: run queues", NULL, judge};
