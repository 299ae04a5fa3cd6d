/* What lines of gctrace say of single stops, and of the collector's share. Each of the two stops of a cycle is timed from the moment
 * when it was asked for, so that what kept it and what was done in it can't be told apart. */
#include <stdlib.h>

#include "rules/godebug.h"

enum { FEW_CYCLES = 5, MIN_CYCLES = 3, GROWTH_CYCLES = 3, HEAP_MINIMUM_MIB = 4 };
static const int64_t WINDOW_NS = 5000000000, LEAST_NS = 250000000, BACK_TO_BACK = 500;

/* ---- stops ---- */

typedef struct stop {
	const stw_gc_line *gc;
	int64_t from, ns; /* in the program's time */
	bool ends; /* mark termination */
} stop;

static stop stop_of(const stw_gc_line *l, bool ends)
{
	return ends ? (stop){l, l->at_ns + l->sweep_term_ns + l->mark_ns, l->mark_term_ns, true}
		    : (stop){l, l->at_ns, l->sweep_term_ns, false};
}

static int by_size(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

/* Of one of the two stops, over all cycles; all -1: too few of them, or no memory. */
typedef struct spread {
	int64_t low, median; /* a quarter is shorter than low */
} spread;

static spread spread_of(stw_case *c, const stw_log_run *r, bool ends)
{
	int64_t *all = r->n_gcs >= FEW_CYCLES ? stw_arena_alloc(&c->arena, r->n_gcs * sizeof *all) : NULL;
	if (!all)
		return (spread){-1, -1};
	for (size_t i = 0; i < r->n_gcs; i++)
		all[i] = stop_of(&r->gcs[i], ends).ns;
	qsort(all, r->n_gcs, sizeof *all, by_size);
	return (spread){all[r->n_gcs / 4], all[r->n_gcs / 2]};
}

static void tell_stop(stw_case *c, stw_found *f, const stw_log_run *r, const stop *s)
{
	const stw_gc_line *l = s->gc;
	stwatch_evidence *e = stw_log_step(c, f, r, l->line, s->from, "stopped",
		stw_case_printf(c, "gc %llu", (unsigned long long)l->number),
		"the %s took %s (the other stop of this cycle %s, marking %s, %u procs%s)",
		s->ends ? "mark termination" : "sweep termination", stw_case_ms(c, s->ns),
		stw_case_ms(c, s->ends ? l->sweep_term_ns : l->mark_term_ns), stw_case_ms(c, l->mark_ns), l->procs,
		l->forced ? ", asked for by the program" : "");
	stw_found_value(c, e, "gc", (int64_t)l->number);
	stw_found_value(c, e, "sweep_termination_ns", l->sweep_term_ns);
	stw_found_value(c, e, "mark_ns", l->mark_ns);
	stw_found_value(c, e, "mark_termination_ns", l->mark_term_ns);
}

/* What detailed samples within the stop say of who ran on. */
static void tell_runner(stw_case *c, stw_found *f, const stw_log_run *r, const stop *s)
{
	for (size_t i = 0; i < r->log->stays.count; i++) {
		const stw_sched_stay *x = &r->log->stays.items[i];
		if (x->run != r->run || x->kind != STW_STAY_RUNS || !x->stopping || x->collector ||
			stw_overlap(x->from_ns, x->to_ns, s->from, s->from + s->ns) * 2 < x->to_ns - x->from_ns)
			continue;
		stwatch_evidence *e = stw_log_step(c, f, r, x->line, x->to_ns, "runs", "SCHED",
			"G%lld has run on P%lld for %s, while the world was being stopped", (long long)x->g, (long long)x->p,
			stw_case_ms(c, x->to_ns - x->from_ns));
		e->goroutine = x->g;
		e->proc = x->p;
		e->thread = x->m;
		return;
	}
}

/* One long stop may be the kernel's doing, and nobody's fault: what shows again counts, or what is far too long. */
static stwatch_severity stop_severity(const stw_case *c, int64_t worst, int64_t second)
{
	int64_t error = c->set[STW_SET_STW_ERROR];
	if (second >= error || worst >= 4 * error)
		return STWATCH_ERROR;
	return second >= c->set[STW_SET_STW_WARN] || worst >= 2 * error ? STWATCH_WARNING : STWATCH_NOTE;
}

/* typical: of mark terminations that are the collector's own doing, which another rule tells: only what goes far beyond counts here. */
static void judge_stops(stw_case *c, const stw_log_run *r, int64_t typical)
{
	stop worst = {0};
	int64_t second = 0;
	bool fresh;
	for (size_t i = 0; i < 2 * r->n_gcs; i++) {
		stop s = stop_of(&r->gcs[i / 2], i % 2);
		if (s.ns < c->set[STW_SET_STW_NOTE] || (s.ends && s.ns < 4 * typical))
			continue;
		second = s.ns > worst.ns ? worst.ns : s.ns > second ? s.ns : second;
		worst = s.ns > worst.ns ? s : worst;
	}
	stwatch_severity severity = worst.gc ? stop_severity(c, worst.ns, second) : 0;
	if (!severity || !stw_log_may_tell(c, r, "stw-prolonged", severity, worst.from, worst.from + worst.ns))
		return;
	stw_found *f = stw_found_for(c, "stw-prolonged", "unknown", NULL, STW_SET_STW_NOTE, &fresh);
	if (!f)
		return;
	int64_t before = f->f.worst_ns;
	for (size_t i = 0; i < 2 * r->n_gcs && !c->failed; i++) {
		stop s = stop_of(&r->gcs[i / 2], i % 2);
		if (s.ns >= c->set[STW_SET_STW_NOTE] && !(s.ends && s.ns < 4 * typical))
			stw_log_occurs(c, f, r, s.from, s.from + s.ns, STWATCH_NONE, STWATCH_NONE);
	}
	if (severity < f->f.severity || f->f.worst_ns <= before)
		return;
	f->f.severity = severity;
	f->f.confidence = STWATCH_LIKELY;
	f->evidence.count = f->ruled_out.count = 0;
	f->f.title = stw_case_printf(c, "the world was stopped for %s (GC %s, with the time that it took to stop)",
		stw_case_ms(c, worst.ns), worst.ends ? "mark termination" : "sweep termination");
	f->f.advice = "a trace of such a stop shows which goroutine came last (GODEBUG=schedtrace with scheddetail=1 shows who ran "
		      "meanwhile); before Go 1.14 "
		      "look for loops without calls, since then for long copies, assembly and a machine that takes the CPU away";
	tell_stop(c, f, r, &worst);
	tell_runner(c, f, r, &worst);
	stw_found_rules_out(c, f, "not known: who kept the world waiting, and how much of it was work in the stop");
}

/* The mark termination takes long in most cycles, and about as long each time, while the program stops at once for the sweep
 * termination: so it is what is done in it that takes that long. */
static bool is_own(const stw_case *c, spread begins, spread ends)
{
	return ends.median >= c->set[STW_SET_GCTERM_NOTE] && ends.low * 2 >= ends.median && begins.median * 4 <= ends.median;
}

static void judge_own(stw_case *c, const stw_log_run *r, int64_t typical)
{
	stop worst = {0};
	int64_t least = typical / 2 > c->set[STW_SET_GCTERM_NOTE] ? typical / 2 : c->set[STW_SET_GCTERM_NOTE];
	stwatch_severity severity = typical >= c->set[STW_SET_GCTERM_ERROR] ? STWATCH_ERROR
		: typical >= c->set[STW_SET_GCTERM_WARN]                    ? STWATCH_WARNING
									    : STWATCH_NOTE;
	bool fresh;
	for (size_t i = 0; i < r->n_gcs; i++)
		if (stop_of(&r->gcs[i], true).ns > worst.ns)
			worst = stop_of(&r->gcs[i], true);
	if (!stw_log_may_tell(c, r, "gc-mark-termination", severity, worst.from, worst.from + worst.ns))
		return;
	stw_found *f = stw_found_for(c, "gc-mark-termination", "mark-termination", NULL, -1, &fresh);
	if (!f)
		return;
	int64_t before = f->f.worst_ns;
	for (size_t i = 0; i < r->n_gcs && !c->failed; i++) {
		stop s = stop_of(&r->gcs[i], true);
		if (s.ns >= least)
			stw_log_occurs(c, f, r, s.from, s.from + s.ns, STWATCH_NONE, STWATCH_NONE);
	}
	if (severity < f->f.severity || f->f.worst_ns <= before)
		return;
	f->f.severity = severity;
	f->f.confidence = STWATCH_POSSIBLE;
	f->evidence.count = f->ruled_out.count = 0;
	f->f.title = stw_case_printf(c,
		"the mark termination takes %s in the middle of %zu collections (%s at most), the sweep termination far less",
		stw_case_ms(c, typical), r->n_gcs, stw_case_ms(c, worst.ns));
	f->f.advice = "is GODEBUG=gccheckmark or gcstoptheworld set? very many procs, threads or spans make it longer, up to Go 1.7 stacks "
		      "are scanned "
		      "again in it; a trace with CPU samples shows what is done";
	tell_stop(c, f, r, &worst);
	stw_found_rules_out(c, f, "a program that is slow to stop: the sweep termination, a stop of the same program, takes far less");
}

/* ---- the collector's share ---- */

typedef struct window {
	size_t first, n;
	int64_t from, to, mark_ns, assist_ns, busy_ns; /* busy: time of the procs that were not idle, at most */
	size_t forced;
	stwatch_severity severity;
} window;

static int64_t end_of(const stw_gc_line *l)
{
	return l->at_ns + l->sweep_term_ns + l->mark_ns + l->mark_term_ns;
}

static int64_t permille(int64_t part, int64_t whole)
{
	return whole > 0 ? (int64_t)((double)part * 1000 / (double)whole) : 0;
}

/* The procs' time less what samples say that they were idle. */
static int64_t busy_time(const stw_log_run *r, const window *w)
{
	int64_t idle = 0, all = 0;
	for (size_t i = 0; i < r->n_samples; i++) {
		const stw_sched_sample *s = &r->samples[i];
		if (s->at_ns < w->from || s->at_ns > w->to)
			continue;
		idle += s->idle < s->procs ? s->idle : s->procs;
		all += s->procs;
	}
	double share = all >= 3 * (int64_t)r->gcs[w->first].procs ? 1 - (double)idle / (double)all : 1;
	return (int64_t)((double)(w->to - w->from) * r->gcs[w->first].procs * share);
}

/* A heap that fills up for good collects each time that it has grown by GOGC percent, whatever the program does. */
static bool fills_up(const stw_log_run *r, const window *w)
{
	int64_t first = r->gcs[w->first].heap_live, last = r->gcs[w->first + w->n - 1].heap_live;
	size_t most = GROWTH_CYCLES;
	for (int64_t live = first ? first : 1; live <= last / 2; live *= 2)
		most += 2;
	return last / 2 >= first && w->n <= most;
}

static stwatch_severity share_severity(const stw_case *c, const stw_log_run *r, const window *w)
{
	int64_t mark = permille(w->mark_ns, w->to - w->from), assist = permille(w->assist_ns, w->busy_ns);
	bool busy = mark >= c->set[STW_SET_ALLOC_MARK_WARN] && assist >= c->set[STW_SET_ALLOC_ASSIST_WARN],
	     debt = assist >= c->set[STW_SET_ALLOC_DEBT_WARN] && mark >= c->set[STW_SET_ALLOC_DEBT_MARK];
	if (w->n < MIN_CYCLES || w->to - w->from < LEAST_NS || fills_up(r, w))
		return 0;
	if ((mark >= c->set[STW_SET_ALLOC_MARK_ERROR] && assist >= c->set[STW_SET_ALLOC_ASSIST_ERROR]) ||
		(debt && assist >= c->set[STW_SET_ALLOC_DEBT_ERROR]))
		return STWATCH_ERROR;
	if (busy || debt)
		return STWATCH_WARNING;
	bool many = (double)w->n * 1e9 >= (double)c->set[STW_SET_ALLOC_CYCLES] * (double)(w->to - w->from);
	bool taken = r->gcs[w->first + w->n - 1].percent * 10 >= c->set[STW_SET_ALLOC_MARK_WARN];
	return w->n >= FEW_CYCLES && (mark >= BACK_TO_BACK || (many && taken)) ? STWATCH_NOTE : 0;
}

/* WINDOW_NS from a cycle's beginning on; where the log has less, all of it, from the start of the program if it has the first one. */
static window window_at(const stw_case *c, const stw_log_run *r, size_t first)
{
	const stw_gc_line *l = &r->gcs[first];
	int64_t last = end_of(&r->gcs[r->n_gcs - 1]);
	if (r->n_samples && r->samples[r->n_samples - 1].at_ns > last)
		last = r->samples[r->n_samples - 1].at_ns;
	window w = {.first = first, .from = first == 0 && l->number == 1 ? 0 : l->at_ns};
	for (size_t i = first; i < r->n_gcs && (i == first || end_of(&r->gcs[i]) - w.from <= WINDOW_NS); i++) {
		w.n++;
		w.mark_ns += r->gcs[i].mark_ns;
		w.assist_ns += r->gcs[i].assist_ns;
		w.forced += r->gcs[i].forced;
	}
	bool rest = first + w.n == r->n_gcs;
	w.to = rest ? (last - w.from < WINDOW_NS ? last : w.from + WINDOW_NS) : r->gcs[first + w.n].at_ns;
	w.busy_ns = busy_time(r, &w);
	if (rest && first > 0 && last - w.from < WINDOW_NS) /* too little left */
		return w;
	w.severity = share_severity(c, r, &w);
	return w;
}

static bool is_worse(const window *a, const window *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	return permille(a->mark_ns, a->to - a->from) + permille(a->assist_ns, a->busy_ns) >
		permille(b->mark_ns, b->to - b->from) + permille(b->assist_ns, b->busy_ns);
}

static const char *cause_of(const stw_log_run *r, const window *w)
{
	const stw_gc_line *last = &r->gcs[w->first + w->n - 1];
	if (w->forced * 2 > w->n)
		return "requested-gc";
	if (last->heap_live >= HEAP_MINIMUM_MIB && last->goal < last->heap_live + last->heap_live / 3)
		return "tight-heap-goal";
	return "allocation";
}

static const char *advice_for(const char *cause)
{
	if (*cause == 'r')
		return "don't call runtime.GC or FreeOSMemory in a running service";
	if (*cause == 't')
		return "raise GOGC (or give GOMEMLIMIT, since Go 1.19, room above the live heap): the goal decides how often it collects";
	return "allocate less (reuse, preallocate, avoid pointers), raise GOGC, set GOMEMLIMIT (since Go 1.19); a heap profile shows what "
	       "is allocated, "
	       "a trace who assists";
}

static void tell_share(stw_case *c, stw_found *f, const stw_log_run *r, const window *w)
{
	const stw_gc_line *first = &r->gcs[w->first], *last = &r->gcs[w->first + w->n - 1];
	int64_t between = 0;
	for (size_t i = w->first + 1; i < w->first + w->n; i++)
		between += r->gcs[i].at_ns - end_of(&r->gcs[i - 1]);
	stwatch_evidence *e = stw_log_step(c, f, r, first->line, first->at_ns, "collections",
		stw_case_printf(c, "gc %llu", (unsigned long long)first->number),
		"%zu collections in %s from here on (%zu asked for by the program); marking took %.1f %% of the time", w->n,
		stw_case_ms(c, w->to - w->from), w->forced, (double)permille(w->mark_ns, w->to - w->from) / 10);
	stw_found_value(c, e, "collections", (int64_t)w->n);
	stw_found_value(c, e, "marking_ns", w->mark_ns);
	e = stw_log_step(c, f, r, first->line, first->at_ns, "assists", stw_case_printf(c, "gc %llu", (unsigned long long)first->number),
		"goroutines had to mark for %s of CPU time, %.1f %% of what %u procs%s could run", stw_case_ms(c, w->assist_ns),
		(double)permille(w->assist_ns, w->busy_ns) / 10, first->procs, r->n_samples ? ", less those seen idle," : "");
	stw_found_value(c, e, "assist_ns", w->assist_ns);
	e = stw_log_step(c, f, r, last->line, last->at_ns, "heap", stw_case_printf(c, "gc %llu", (unsigned long long)last->number),
		"the last of them left %lld MiB live, its goal was %lld MiB; the collector has taken %lld %% of the CPU since the start%s",
		(long long)last->heap_live, (long long)last->goal, (long long)last->percent,
		w->n > 1 ? stw_case_printf(c, "; the next one began %s after the last ended, in the mean",
				   stw_case_ms(c, between > 0 ? between / (int64_t)(w->n - 1) : 0))
			 : "");
	stw_found_value(c, e, "gc_cpu_percent", last->percent);
	if (r->log->pacer.over * 2 > r->log->pacer.cycles)
		stw_log_step(c, f, r, last->line, last->at_ns, "pacer", "pacer",
			"in %llu of %llu cycles marking took more CPU than planned (%lld %%), %lld %% at most: assists",
			(unsigned long long)r->log->pacer.over, (unsigned long long)r->log->pacer.cycles,
			(long long)r->log->pacer.planned / 10, (long long)r->log->pacer.used_max / 10);
}

static void judge_share(stw_case *c, const stw_log_run *r)
{
	window worst = {0};
	bool fresh;
	for (size_t i = 0, step = r->n_gcs / 4096 + 1; i < r->n_gcs; i += step) {
		window w = window_at(c, r, i);
		if (w.severity && (!worst.severity || is_worse(&w, &worst)))
			worst = w;
	}
	if (!worst.severity || !stw_log_may_tell(c, r, "allocation-starvation", worst.severity, worst.from, worst.to))
		return;
	const char *cause = cause_of(r, &worst);
	stw_found *f = stw_found_for(c, "allocation-starvation", cause, NULL, -1, &fresh);
	if (!f)
		return;
	int64_t before = f->f.harm_ns;
	stw_log_occurs(c, f, r, worst.from, worst.to, STWATCH_NONE, STWATCH_NONE);
	f->f.harm_ns = worst.assist_ns > before ? worst.assist_ns : before;
	if (!fresh && (worst.severity < f->f.severity || worst.assist_ns <= before))
		return;
	f->f.severity = worst.severity;
	f->f.confidence = worst.severity == STWATCH_NOTE ? STWATCH_POSSIBLE : STWATCH_LIKELY;
	f->evidence.count = f->ruled_out.count = 0;
	f->f.title = stw_case_printf(c,
		"%.0f collections a second, marking %.1f %% of the time, assists at least %.1f %% of what goroutines could run",
		(double)worst.n * 1e9 / (double)(worst.to - worst.from), (double)permille(worst.mark_ns, worst.to - worst.from) / 10,
		(double)permille(worst.assist_ns, worst.busy_ns) / 10);
	f->f.advice = advice_for(cause);
	tell_share(c, f, r, &worst);
	stw_found_rules_out(c, f, "a heap that only fills up: %lld MiB live after the first collection, %lld MiB after the last",
		(long long)r->gcs[worst.first].heap_live, (long long)r->gcs[worst.first + worst.n - 1].heap_live);
	stw_found_rules_out(c, f, "not known: who allocates");
}

static void judge(stw_case *c)
{
	stw_log_run r;
	for (stw_log_at at = {0}; stw_next_log_run(c, &at, &r) && !c->failed;) {
		spread begins = spread_of(c, &r, false), ends = spread_of(c, &r, true);
		int64_t typical = is_own(c, begins, ends) ? ends.median : 0;
		if (typical)
			judge_own(c, &r, typical);
		judge_stops(c, &r, typical);
		judge_share(c, &r);
	}
}

const stw_rule stw_rule_godebug_collector = {"GODEBUG: collector", NULL, judge};
