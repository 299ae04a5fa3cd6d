/* What lines of gctrace say of single stops. Each of the two stops of a cycle is timed from the moment when it was asked for, so that
 * what kept it and what was done in it can't be told apart. */
#include <stdlib.h>

#include "rules/godebug.h"

enum { FEW_CYCLES = 5 };

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
	bool tells = stw_log_is_worst(f, severity, STWATCH_LIKELY, worst.ns, f->f.worst_ns);
	for (size_t i = 0; i < 2 * r->n_gcs && !c->failed; i++) {
		stop s = stop_of(&r->gcs[i / 2], i % 2);
		if (s.ns >= c->set[STW_SET_STW_NOTE] && !(s.ends && s.ns < 4 * typical))
			stw_log_occurs(c, f, r, s.from, s.from + s.ns, STWATCH_NONE, STWATCH_NONE);
	}
	if (!tells)
		return;
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
	if (!worst.gc || !stw_log_may_tell(c, r, "gc-mark-termination", severity, worst.from, worst.from + worst.ns))
		return;
	stw_found *f = stw_found_for(c, "gc-mark-termination", "mark-termination", NULL, -1, &fresh);
	if (!f)
		return;
	bool tells = stw_log_is_worst(f, severity, STWATCH_POSSIBLE, worst.ns, f->f.worst_ns);
	for (size_t i = 0; i < r->n_gcs && !c->failed; i++) {
		stop s = stop_of(&r->gcs[i], true);
		if (s.ns >= least)
			stw_log_occurs(c, f, r, s.from, s.from + s.ns, STWATCH_NONE, STWATCH_NONE);
	}
	if (!tells)
		return;
	f->f.title = stw_case_printf(c,
		"the mark termination takes %s in the middle of %zu collections (%s at most), the sweep termination far less",
		stw_case_ms(c, typical), r->n_gcs, stw_case_ms(c, worst.ns));
	f->f.advice = "is GODEBUG=gccheckmark or gcstoptheworld set? very many procs, threads or spans make it longer, up to Go 1.7 stacks "
		      "are scanned "
		      "again in it; a trace with CPU samples shows what is done";
	tell_stop(c, f, r, &worst);
	stw_found_rules_out(c, f, "a program that is slow to stop: the sweep termination, a stop of the same program, takes far less");
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
	}
}

const stw_rule stw_rule_godebug_collector = {"GODEBUG: stops of collections", NULL, judge};
