/* Procs that stayed idle while a goroutine they could have taken stood runnable. */
#include "rules/waits.h"

enum { MOST = 2000 };

static int64_t idle_beside(const stw_candidate *w)
{
	int64_t ns = w->idle_beside_ns - w->stopped_ns; /* procs that a stop idles are no fault of the scheduler's */
	return ns > 0 ? ns : 0;
}

static bool idle_much(const stw_case *c, int64_t *share)
{
	int64_t idle = 0, all = 0;
	for (size_t i = 0; i < c->gather->ps.count; i++)
		for (int u = 1; u < STW_USE_COUNT; u++) {
			all += c->gather->ps.items[i].total[u];
			idle += u == STW_USE_IDLE ? c->gather->ps.items[i].total[u] : 0;
		}
	*share = all > 0 ? idle * 1000 / all : 0;
	return *share >= c->set[STW_SET_IDLE_SHARE];
}

/* One or two late wake-ups happen on any machine that is shared. */
static void loud_enough(const stw_case *c, stw_found *f)
{
	enum { OFTEN = 3 };
	unsigned warnings = 0;
	for (size_t i = 0; i < f->occurrences.count && warnings < OFTEN; i++)
		warnings += f->occurrences.items[i].duration_ns >= c->set[STW_SET_IDLE_WARN];
	f->most = warnings >= OFTEN ? STWATCH_ERROR : f->f.worst_ns >= c->set[STW_SET_IDLE_ERROR] ? STWATCH_WARNING : STWATCH_NOTE;
}

static void judge(stw_case *c)
{
	for (size_t i = 0; i < c->gather->runnable_stays.count && i < MOST; i++) {
		const stw_candidate *w = &c->gather->runnable_stays.items[i];
		const stw_named_stack *root = stw_places_stack(&c->places, w->root);
		int64_t beside = idle_beside(w), share;
		if (beside < c->set[STW_SET_IDLE_NOTE] || w->gc_worker || stw_is_runtimes(root) || !w->begun)
			continue;
		if (stw_overlap_outside(c, w->from, w->to) * 2 >= w->to - w->from)
			continue;
		if (stw_trace_is_doubtful(c->trace, w->from, w->to)) /* that a proc started may be missing */
			continue;
		bool fresh;
		stw_found *f = stw_found_for(c, "proc-idle-with-backlog", "late-wakeup", NULL, STW_SET_IDLE_NOTE, &fresh);
		if (!f)
			return;
		const stw_named_stack *own = stw_places_stack(&c->places, w->stack);
		const char *victim = stw_own_function(own, root);
		int64_t before = f->f.worst_ns;
		stw_found_occurs(c, f, w->from, w->from + beside, w->g, w->p);
		stw_found_harms(c, f, victim ? victim : "unknown", stw_root_function(root), w->g, beside);
		loud_enough(c, f);
		f->f.confidence = f->most >= STWATCH_ERROR ? STWATCH_LIKELY : STWATCH_POSSIBLE;
		if (beside <= before)
			continue;
		f->evidence.count = 0;
		f->ruled_out.count = 0;
		f->f.title = stw_case_printf(c, "a proc was idle for %s while %s stood runnable beside it", stw_case_ms(c, beside),
			victim ? victim : "a goroutine");
		f->f.advice = "is the machine busy, or GOMAXPROCS above the CPUs it has (quota, cpuset)? else a thread was slow to wake; a "
			      "goroutine locked to its thread must wait for that thread";
		const stw_named_stack *wake = stw_places_stack(&c->places, w->wake);
		stwatch_evidence *e = stw_found_step(c, f, w->from, "runnable", "GoUnblock, GoCreate or GoStop",
			"G%lld becomes runnable%s%s", (long long)w->g, wake->n ? ", by " : "", stw_case_site(c, wake));
		e->goroutine = w->g;
		stw_found_stack(e, wake);
		stw_found_step(c, f, w->from + 1, "idle", "ProcStop to ProcStart",
			"at least one proc below GOMAXPROCS is idle for %s of the %s that it waits", stw_case_ms(c, beside),
			stw_case_ms(c, w->to - w->from));
		e = stw_found_step(c, f, w->to, "started", "GoStart", "it runs on P%lld", (long long)w->p);
		e->goroutine = w->g;
		e->proc = w->p;
		if (idle_much(c, &share))
			stw_found_step(c, f, w->from + 2, "share", "all procs", "procs are idle %.1f %% of the time in this trace",
				(double)share / 10);
		stw_found_rules_out(c, f, "not known: whether the goroutine was locked to a thread");
	}
}

const stw_rule stw_rule_idle = {"proc-idle-with-backlog", NULL, judge};
