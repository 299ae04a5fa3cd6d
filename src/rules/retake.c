/* Procs that a system call kept while work waited, until sysmon took them back. */
#include <string.h>

#include "rules/waits.h"

enum { MOST = 2000, MOST_USES = 20000 };

/* The system call that kept a proc longest within a wait. */
static const stw_proc_use *kept_longest(const stw_case *c, const stw_candidate *w, int64_t *ns)
{
	const stw_proc_use *longest = NULL;
	*ns = 0;
	for (size_t n = 0, i = c->gather->uses.count; i-- > 0 && n < MOST_USES; n++) {
		const stw_proc_use *u = &c->gather->uses.items[i];
		if (u->to <= w->from)
			break;
		int64_t part = u->use == STW_USE_SYSCALL ? stw_overlap(u->from, u->to, w->from, w->to) : 0;
		if (part > *ns) {
			*ns = part;
			longest = u;
		}
	}
	return longest;
}

static const stw_candidate *call_of(const stw_case *c, const stw_proc_use *u)
{
	for (size_t i = 0; i < c->gather->syscalls.count; i++) {
		const stw_candidate *s = &c->gather->syscalls.items[i];
		if (s->g == u->g && s->from <= u->to && s->to >= u->from)
			return s;
	}
	return NULL;
}

static void judge(stw_case *c)
{
	for (size_t i = 0; i < c->gather->runnable_stays.count && i < MOST; i++) {
		const stw_candidate *w = &c->gather->runnable_stays.items[i];
		const stw_named_stack *root = stw_places_stack(&c->places, w->root);
		int64_t kept;
		if (w->to - w->from < c->set[STW_SET_RETAKE_NOTE] || w->gc_worker || stw_is_runtimes(root) || w->idle_beside_ns >= 1000000)
			continue;
		const stw_proc_use *u = kept_longest(c, w, &kept);
		/* Every proc but this one was busy, so it was this one's return that was waited for. */
		if (!u || kept < c->set[STW_SET_RETAKE_NOTE] || kept * 2 < w->to - w->from)
			continue;
		const stw_candidate *call = call_of(c, u);
		const stw_named_stack *at = stw_places_stack(&c->places, call ? call->stack : (stw_place){0, 0});
		const stw_named_stack *from = stw_places_stack(&c->places, call ? call->root : (stw_place){0, 0});
		if (stw_is_runtimes(from)) /* the tracer writing down what it traced is no fault of the program's */
			continue;
		const char *culprit = at->user < at->n ? stw_user_function(at) : stw_own_function(at, from),
			   *victim = stw_own_function(stw_places_stack(&c->places, w->stack), root);
		bool fresh;
		stw_found *f = stw_found_for(c, "proc-syscall-retake", "late-retake", culprit, STW_SET_RETAKE_NOTE, &fresh);
		if (!f)
			return;
		int64_t start = u->from > w->from ? u->from : w->from;
		stw_found_occurs(c, f, start, start + kept, w->g, u->p);
		stw_found_harms(c, f, victim ? victim : "unknown", stw_root_function(root), w->g, kept);
		if (!fresh)
			continue;
		f->culprit.leaf = stw_leaf_function(at);
		f->culprit.root = stw_root_function(from);
		f->culprit.kind = "goroutine";
		f->culprit.goroutine = u->g;
		f->culprit.proc = u->p;
		f->culprit.count = 1;
		f->f.title = stw_case_printf(c, "a system call of %s kept its proc for %s while %s stood runnable",
			culprit ? culprit : "a goroutine", stw_case_ms(c, kept), victim ? victim : "work");
		f->f.advice = "sysmon sleeps up to 10 ms when nothing happens; keep blocking calls off the procs that latency depends on, "
			      "or raise GOMAXPROCS";
		stwatch_evidence *e = stw_found_step(c, f, u->from, "call", "GoSyscallBegin", "G%lld enters a system call on P%lld%s%s",
			(long long)u->g, (long long)u->p, at->n ? ", at " : "", stw_case_site(c, at));
		e->goroutine = u->g;
		e->proc = u->p;
		stw_found_stack(e, at);
		stw_found_value(c, e, "kept_ns", kept);
		stw_found_step(c, f, w->from, "runnable", "GoUnblock, GoCreate or GoStop", "G%lld is runnable, and no proc is idle",
			(long long)w->g)
			->goroutine = w->g;
		stw_found_step(c, f, u->to, "retaken", "ProcSteal or GoSyscallEnd", "P%lld is free again", (long long)u->p)->proc = u->p;
	}
}

const stw_rule stw_rule_retake = {"proc-syscall-retake", NULL, judge};
