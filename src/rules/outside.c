/* Time that the kernel, a signal or a neighbour took: stretches in which no thread wrote anything although procs were running. */
#include <string.h>

#include "rules/overdue.h"
#include "rules/waits.h"

enum { LONG_RUN_NS = 30000000, MANY_RUNNERS = 4, SHOWN = 2 };
/* A quota's period as the kernel and container runtimes have it by default (Documentation/scheduler/sched-bwc.rst). */
enum { PERIOD_NS = 100000000, PERIOD_SLACK_NS = 3000000, FEWEST_PERIODS = 4, MOST_COMPARED = 1000 };

/* The profiler was on all the time, as far as samples before and after show. */
bool stw_profiled(const stw_case *c, int64_t from, int64_t to)
{
	return c->has_samples && c->gather->first_sample <= from && to <= c->gather->last_sample;
}

/* Who ends a collection waits, before, until every proc has looked for more to mark, and looks running meanwhile. A mark worker is not counted. */
static bool awaits_end_of_marking(const stw_case *c, const stw_silence *s, const stw_cycle *cycle)
{
	if (!stw_ends_marking(cycle, s->from, s->to))
		return false;
	for (size_t i = 0; i < c->gather->runs.count; i++) {
		const stw_candidate *r = &c->gather->runs.items[i];
		if (r->g == cycle->asker && r->from <= s->from && r->to >= s->to)
			return !r->gc_worker;
	}
	return false;
}

static unsigned running(const stw_case *c, const stw_silence *s)
{
	for (size_t i = 0; i < c->gather->stops.count; i++) /* who asks for a stop looks running while it waits for it */
		if (stw_overlap(s->from, s->to, c->gather->stops.items[i].from, c->gather->stops.items[i].to) > 0)
			return s->n_user ? s->n_user - 1 : 0;
	for (size_t i = 0; i < c->gather->cycles.count && s->n_user; i++)
		if (awaits_end_of_marking(c, s, &c->gather->cycles.items[i]))
			return s->n_user - 1;
	return s->n_user;
}

/* One that ran on for long before or after the silence too needs no help from outside to be silent. */
static bool explained(const stw_case *c, const stw_silence *s)
{
	for (size_t i = 0; i < c->gather->runs.count; i++) {
		const stw_candidate *r = &c->gather->runs.items[i];
		if (r->from <= s->from && r->to >= s->to && (r->to - r->from) - (s->to - s->from) >= 25000000)
			return true;
	}
	return false;
}

/* Timers that are overdue tell by themselves. Where goroutines run on several procs, sysmon asks each to give way after 10 ms and they do within another 10: if all are
 * silent for longer, sysmon was too. On one proc that can't be told from code that can't be preempted, unless CPU samples,
 * which do not stop for that, are silent as well. */
static bool judge_silence(const stw_case *c, const stw_silence *s)
{
	unsigned n = running(c, s);
	if (s->to - s->from < 25000000 || stw_trace_contradicts_itself(c->trace, s->from, s->to))
		return false;
	if (s->n_late)
		return true;
	if (n == 0)
		return false;
	if (!c->preempts && !c->has_samples) /* code that calls nothing is silent by itself, on all procs at once */
		return false;
	if (stw_profiled(c, s->from, s->to))
		return s->to - s->from >= 40000000 || n > 1;
	return n > 1 && !explained(c, s);
}

/* What is outside, and where not only silence says so: where CPU samples or timers show that nothing executed, or did at several other times. */
static void want(stw_case *c)
{
	stw_gather *a = c->gather;
	unsigned shown = 0;
	stw_overdue_find(c);
	for (size_t i = 0; i < a->silences.count; i++) {
		stw_silence *s = &a->silences.items[i];
		s->outside = judge_silence(c, s);
		s->likely = s->outside && (stw_profiled(c, s->from, s->to) || s->n_late);
		shown += s->likely;
	}
	/* What is the program's own goes: each wait is held against those that are left. */
	size_t kept = 0;
	for (size_t i = 0; i < a->silences.count; i++) {
		stw_silence s = a->silences.items[i];
		s.likely |= shown >= SHOWN;
		if (s.outside)
			a->silences.items[kept++] = s;
	}
	a->silences.count = kept;
}

static int64_t overlap(const stw_case *c, int64_t from, int64_t to, bool likely)
{
	int64_t sum = 0;
	for (size_t i = 0; i < c->gather->silences.count; i++) {
		const stw_silence *s = &c->gather->silences.items[i];
		if (likely ? s->likely : s->outside)
			sum += stw_overlap(s->from, s->to, from, to);
	}
	return sum;
}

int64_t stw_overlap_outside(const stw_case *c, int64_t from, int64_t to)
{
	return overlap(c, from, to, false);
}

int64_t stw_overlap_outside_likely(const stw_case *c, int64_t from, int64_t to)
{
	return overlap(c, from, to, true);
}

static void add_victims(stw_case *c, stw_found *f, const stw_silence *s)
{
	for (size_t i = 0; i < c->gather->runnable_stays.count; i++) {
		const stw_candidate *w = &c->gather->runnable_stays.items[i];
		const stw_named_stack *root = stw_places_stack(&c->places, w->root);
		int64_t part = stw_overlap(w->from, w->to, s->from, s->to);
		const char *victim = part >= 1000000 && !stw_is_runtimes(root)
			? stw_own_function(stw_places_stack(&c->places, w->stack), root)
			: NULL;
		if (victim)
			stw_found_harms(c, f, victim, stw_root_function(root), w->g, part);
	}
}

static void tell_late(stw_case *c, stw_found *f, const stw_silence *s)
{
	stwatch_evidence *e = stw_found_step(c, f, s->late_from, "asleep", "GoBlock",
		"G%lld begins to wait for a timer; three of four times it does so for %s at most", (long long)s->late_g,
		stw_case_ms(c, s->late_usual_ns));
	e->goroutine = s->late_g;
	stw_found_value(c, e, "usual_ns", s->late_usual_ns);
	e = stw_found_step(c, f, s->to, "late", "GoUnblock", "it wakes %s late, with %u others that are overdue too",
		stw_case_ms(c, s->late_ns), s->n_late - 1);
	e->goroutine = s->late_g;
	stw_found_value(c, e, "late_ns", s->late_ns);
}

static bool is_within_a_period(const stw_silence *s)
{
	return s->outside && s->to - s->from < PERIOD_NS;
}

/* A quota that is used up stops the process until the next period begins: most silences end at one point of it. How many do; 0: too few. */
static unsigned end_with_a_period(const stw_gather *a)
{
	unsigned all = 0, most = 0;
	size_t n = a->silences.count < MOST_COMPARED ? a->silences.count : MOST_COMPARED;
	for (size_t i = 0; i < n; i++) {
		unsigned here = 0;
		all += is_within_a_period(&a->silences.items[i]);
		for (size_t k = 0; k < n && is_within_a_period(&a->silences.items[i]); k++) {
			int64_t apart = (a->silences.items[k].to - a->silences.items[i].to) % PERIOD_NS;
			apart = apart < 0 ? apart + PERIOD_NS : apart;
			here += is_within_a_period(&a->silences.items[k]) &&
				(apart <= PERIOD_SLACK_NS || apart >= PERIOD_NS - PERIOD_SLACK_NS);
		}
		most = here > most ? here : most;
	}
	return most >= FEWEST_PERIODS && most * 10 >= all * 8 ? most : 0;
}

static void tell_period(stw_case *c, stw_found *f, int64_t at)
{
	unsigned n = end_with_a_period(c->gather);
	if (!n)
		return;
	stwatch_evidence *e = stw_found_step(c, f, at, "period", "the next event",
		"%u silences end at one point of a period of 100 ms: so a CPU quota gives the CPU back", n);
	stw_found_value(c, e, "silences", n);
	f->f.advice = "a CPU quota (cgroup cpu.max, a container's CPU limit) is used up before its period ends: raise it, need less CPU, "
		      "or set GOMAXPROCS "
		      "to it, so that it is used up more evenly";
}

static void stopped(stw_case *c)
{
	stw_found *f = NULL;
	int64_t worst_end = 0;
	for (size_t i = 0; i < c->gather->silences.count; i++) {
		const stw_silence *s = &c->gather->silences.items[i];
		bool fresh;
		if (!s->outside)
			continue;
		f = stw_found_for(c, "outside-program", "process-stopped", NULL, STW_SET_OUTSIDE_NOTE, &fresh);
		if (!f)
			return;
		int64_t before = f->f.worst_ns;
		if (fresh) {
			f->f.confidence = STWATCH_POSSIBLE;
			f->most = STWATCH_WARNING;
		}
		if (s->likely) {
			f->f.confidence = STWATCH_LIKELY;
			f->most = 0;
		}
		stw_found_occurs(c, f, s->from, s->to, STWATCH_NONE, STWATCH_NONE);
		f->f.harm_ns += s->to - s->from;
		add_victims(c, f, s);
		if (s->to - s->from <= before)
			continue;
		worst_end = s->to;
		f->evidence.count = 0;
		f->ruled_out.count = 0;
		bool profiled = stw_profiled(c, s->from, s->to);
		f->f.title = s->n_late ? stw_case_printf(c, "the whole process was silent for %s, and %u goroutines' timers went off late",
						 stw_case_ms(c, s->to - s->from), s->n_late)
				       : stw_case_printf(c, "the whole process was silent for %s while %u proc%s ran goroutines",
						 stw_case_ms(c, s->to - s->from), s->n_user, s->n_user == 1 ? "" : "s");
		f->f.advice = "look outside: a stopped process (SIGSTOP, debugger, snapshot of the machine), a CPU quota, a busy or paused "
			      "host";
		stw_found_step(c, f, s->from, "silent", "the last event of all threads",
			"no thread writes any event from here on; %u proc%s running goroutines", s->n_user,
			s->n_user == 1 ? " is" : "s are");
		if (s->n_late)
			tell_late(c, f, s);
		if (profiled)
			stw_found_step(c, f, s->from + 1, "sample", "CPUSample",
				"nor is there a CPU sample, though the profiler was on in this trace");
		stw_found_step(c, f, s->to, "back", "the next event", "everything goes on");
		if (s->n_user > 1)
			stw_found_rules_out(c, f, "one goroutine that can't be preempted: the other procs would have been heard of");
		if (s->n_late)
			stw_found_rules_out(c, f, "nothing to do: timers wake a proc that is idle");
		if (!profiled && s->n_user)
			stw_found_rules_out(c, f, "not known: whether the procs executed (no CPU samples in the trace)");
	}
	if (f)
		tell_period(c, f, worst_end);
}

/* How many goroutines ran on for long although no CPU sample shows them, up to MANY_RUNNERS: those are not all in raw system calls. */
static unsigned long_runners(const stw_case *c)
{
	int64_t seen[MANY_RUNNERS];
	unsigned n = 0;
	for (size_t i = 0; i < c->gather->runs.count && n < MANY_RUNNERS; i++) {
		const stw_candidate *r = &c->gather->runs.items[i];
		bool known = r->gc_worker || r->to - r->from < LONG_RUN_NS;
		for (unsigned k = 0; k < n; k++)
			known |= seen[k] == r->g;
		if (!known)
			seen[n++] = r->g;
	}
	return n;
}

/* With a CPU profile running all along, samples times their period is the CPU time that the program got. */
static void count_cpu(stw_case *c)
{
	const stw_gather *a = c->gather;
	int64_t ran = 0, long_runs = 0;
	for (size_t i = 0; i < a->ps.count; i++)
		ran += a->ps.items[i].total[STW_USE_USER] + a->ps.items[i].total[STW_USE_GC];
	if (long_runners(c) < MANY_RUNNERS) /* raw system calls and the like look like running */
		for (size_t i = 0; i < a->runs.count; i++)
			long_runs += a->runs.items[i].to - a->runs.items[i].from >= LONG_RUN_NS
				? a->runs.items[i].to - a->runs.items[i].from
				: 0;
	for (size_t i = 0; i < a->silences.count; i++)
		if (a->silences.items[i].outside)
			long_runs += (a->silences.items[i].to - a->silences.items[i].from) * a->silences.items[i].n_user;
	c->cpu_got = (int64_t)a->counts[STW_EV_CPUSample] * 10000000;
	c->cpu_should = ran - long_runs;
	c->cpu_taken = c->cpu_should >= 500000000 && c->cpu_got * 100 < c->cpu_should * 60 &&
		(a->last_sample - a->first_sample) * 10 >= (a->last_time - a->first_time) * 8;
	c->cpu_counted = true;
}

bool stw_cpu_taken(stw_case *c, int64_t *should, int64_t *got)
{
	if (!c->cpu_counted)
		count_cpu(c);
	*should = c->cpu_should;
	*got = c->cpu_got;
	return c->cpu_taken;
}

static void squeezed(stw_case *c)
{
	const stw_gather *a = c->gather;
	int64_t should, got;
	bool fresh;
	if (!stw_cpu_taken(c, &should, &got))
		return;
	stw_found *f = stw_found_for(c, "outside-program", "cpu-taken", NULL, -1, &fresh);
	if (!f)
		return;
	f->f.severity = got * 100 < should * 40 && should >= 1000000000 ? STWATCH_WARNING : STWATCH_NOTE;
	f->f.confidence = STWATCH_POSSIBLE;
	stw_found_occurs(c, f, c->start, a->last_time, STWATCH_NONE, STWATCH_NONE);
	f->f.harm_ns += should - got;
	f->f.title = stw_case_printf(c,
		"procs ran goroutines for %s, but CPU samples account for %s only: the machine gave the rest to others",
		stw_case_ms(c, should), stw_case_ms(c, got));
	f->f.advice = "look at the host: other busy processes, a CPU quota or cpuset smaller than GOMAXPROCS, steal time";
	stw_found_step(c, f, c->start, "ran", "GoStart to GoStop", "procs ran goroutines for %s (long stretches without a break left out)",
		stw_case_ms(c, should));
	stw_found_step(c, f, c->start + 1, "sample", "CPUSample", "%llu CPU samples, at the profiler's usual 100 a second of CPU time",
		(unsigned long long)a->counts[STW_EV_CPUSample]);
	stw_found_rules_out(c, f, "not known: whether the profiler ran from the first event to the last, at its usual rate");
}

/* Without a profile: several functions seem to run on and on. */
static void crowded(stw_case *c)
{
	const stw_candidate *worst = NULL;
	uint64_t n = 0;
	bool fresh;
	for (size_t i = 0; i < c->gather->runs.count && stw_run_on_functions(c) >= 3; i++) {
		const stw_candidate *r = &c->gather->runs.items[i];
		if (!stw_is_long_run(c, r))
			continue;
		n++;
		worst = !worst || r->to - r->from > worst->to - worst->from ? r : worst;
	}
	stw_found *f = worst ? stw_found_for(c, "outside-program", "cpu-taken", NULL, -1, &fresh) : NULL;
	if (!f)
		return;
	f->f.severity = STWATCH_NOTE;
	f->f.confidence = STWATCH_POSSIBLE;
	for (size_t i = 0; i < c->gather->runs.count; i++)
		if (stw_is_long_run(c, &c->gather->runs.items[i]))
			stw_found_occurs(c, f, c->gather->runs.items[i].from, c->gather->runs.items[i].to, c->gather->runs.items[i].g,
				c->gather->runs.items[i].p);
	f->f.title = stw_case_printf(c,
		"goroutines of several functions did not give way for up to %s, %llu times: the machine gave the CPU to others meanwhile",
		stw_case_ms(c, worst->to - worst->from), (unsigned long long)n);
	f->f.advice = "look at the host: other busy processes, a CPU quota or cpuset smaller than GOMAXPROCS, steal time; a recording with "
		      "a CPU "
		      "profile running shows what executed";
	stwatch_evidence *e = stw_found_step(c, f, worst->from, "ran", "GoStart to GoStop",
		"G%lld ran on P%lld without a break for %s, in %s", (long long)worst->g, (long long)worst->p,
		stw_case_ms(c, worst->to - worst->from), stw_case_site(c, stw_places_stack(&c->places, worst->stack)));
	e->goroutine = worst->g;
	e->proc = worst->p;
	stw_found_rules_out(c, f, "code that can't be preempted: that would be one function, or two");
	stw_found_rules_out(c, f, "not known: whether the procs executed (no CPU samples in the trace)");
}

static void judge(stw_case *c)
{
	stopped(c);
	if (c->has_samples)
		squeezed(c);
	else
		crowded(c);
}

const stw_rule stw_rule_outside = {"outside-program", want, judge};
