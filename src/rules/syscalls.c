/* System calls that held a goroutine too long: by whom they harmed. */
#include <string.h>

#include "rules/waits.h"

enum { MOST = 2000, MOST_HARMLESS = 8, MOST_WAKES = 4 * MOST };

static void want(stw_case *c)
{
	stw_candidates_sort(&c->gather->syscalls);
	for (size_t i = 0; i < c->gather->syscalls.count && i < MOST; i++) {
		stw_places_want(&c->places, c->gather->syscalls.items[i].root);
		stw_places_want(&c->places, c->gather->syscalls.items[i].stack);
	}
	for (size_t i = 0; i < c->gather->wakes.count && i < MOST_WAKES; i++) {
		stw_places_want(&c->places, (stw_place){c->gather->wakes.items[i].generation, c->gather->wakes.items[i].root});
		stw_places_want(&c->places, (stw_place){c->gather->wakes.items[i].generation, c->gather->wakes.items[i].stack});
	}
}

static bool is_set_free(const stw_case *c, const stw_wake *k, const stw_candidate *s)
{
	return k->waker == s->g && k->held_state == STW_GO_SYSCALL && k->held_to == s->to &&
		stw_overlap(k->from, k->at, s->from, s->to) >= 1000000 &&
		stw_is_lock_wait(stw_places_stack(&c->places, (stw_place){k->generation, k->stack}));
}

static bool sets_free(const stw_case *c, const stw_candidate *s)
{
	for (size_t i = 0; i < c->gather->wakes.count && i < MOST_WAKES; i++)
		if (is_set_free(c, &c->gather->wakes.items[i], s))
			return true;
	return false;
}

/* Whom its return set free: they had waited for it. Idle waits are nobody's harm: a lock's are. */
static int64_t harm_of(stw_case *c, stw_found *f, const stw_candidate *s)
{
	int64_t worst = 0;
	for (size_t i = 0; i < c->gather->wakes.count && i < MOST_WAKES; i++) {
		const stw_wake *k = &c->gather->wakes.items[i];
		if (!is_set_free(c, k, s))
			continue;
		const stw_named_stack *at = stw_places_stack(&c->places, (stw_place){k->generation, k->stack}),
				      *root = stw_places_stack(&c->places, (stw_place){k->generation, k->root});
		int64_t part = stw_overlap(k->from, k->at, s->from, s->to);
		const char *victim = stw_user_function(at);
		stw_found_harms(c, f, victim ? victim : "unknown", stw_root_function(root), k->g, part);
		worst = part > worst ? part : worst;
	}
	return worst;
}

/* Whether it was told of that function already; the longest come first. */
static bool is_known(const stw_case *c, const char *culprit)
{
	for (size_t i = 0; i < c->found.count; i++)
		if (strcmp(c->found.items[i]->f.rule, "goroutine-stuck-syscall") == 0 &&
			strcmp(c->found.items[i]->culprit.function, culprit) == 0)
			return true;
	return false;
}

static void judge(stw_case *c)
{
	unsigned harmless = 0;
	for (size_t i = 0; i < c->gather->syscalls.count && i < MOST; i++) {
		const stw_candidate *s = &c->gather->syscalls.items[i];
		const stw_named_stack *at = stw_places_stack(&c->places, s->stack), *root = stw_places_stack(&c->places, s->root);
		if (s->to - s->from < c->set[STW_SET_SYSCALL_NOTE] || stw_is_runtimes(root))
			continue;
		const char *culprit = at->user < at->n ? stw_user_function(at) : root->user < root->n ? stw_root_function(root) : NULL;
		if (!culprit)
			continue; /* the library's own goroutines (signals, resolvers): waiting is their work */
		bool fresh;
		if (harmless >= MOST_HARMLESS && !is_known(c, culprit) && !sets_free(c, s))
			continue; /* more of what hurts nobody is noise */
		stw_found *f = stw_found_for(
			c, "goroutine-stuck-syscall", s->open && !s->cut ? "never-returned" : "blocking-call", culprit, -1, &fresh);
		if (!f)
			return;
		stw_found_occurs(c, f, s->from, s->to, s->g, s->p);
		int64_t harm = harm_of(c, f, s);
		stwatch_severity severity = harm >= c->set[STW_SET_SYSCALL_ERROR] ? STWATCH_ERROR
			: harm >= c->set[STW_SET_SYSCALL_WARN]                    ? STWATCH_WARNING
										  : STWATCH_NOTE;
		if (severity > f->f.severity)
			f->f.severity = severity;
		if (!fresh)
			continue;
		harmless += harm == 0;
		f->f.confidence = s->begun ? STWATCH_CERTAIN : STWATCH_LIKELY;
		f->culprit.leaf = stw_leaf_function(at);
		f->culprit.root = stw_root_function(root);
		f->culprit.kind = "goroutine";
		f->culprit.goroutine = s->g;
		f->culprit.count = 1;
		f->f.title = stw_case_printf(c, "%s was in a system call for %s%s", culprit, stw_case_ms(c, s->to - s->from),
			s->cut            ? ", and still is where a gap in the trace begins"
				: s->open ? ", and still is when the trace ends"
					  : "");
		f->f.advice = "a deadline, non-blocking I/O, or a goroutine of its own on which nobody waits";
		stwatch_evidence *e = stw_found_step(c, f, s->from, "call", s->begun ? "GoSyscallBegin" : "GoStatus", "G%lld %s%s",
			(long long)s->g, s->begun ? "enters the system call at " : "is in a system call when the trace begins ",
			stw_case_site(c, at));
		e->goroutine = s->g;
		e->proc = s->p;
		stw_found_stack(e, at);
		stw_found_value(c, e, "syscall_ns", s->to - s->from);
		e = stw_found_step(c, f, s->to, s->open ? "end" : "returned",
			s->cut                              ? "a gap in the trace"
				: s->open                   ? "end of the trace"
				: s->next == STW_GO_RUNNING ? "GoSyscallEnd"
							    : "GoSyscallEndBlocked",
			s->open ? "G%lld has not come back" : "G%lld comes back", (long long)s->g);
		e->goroutine = s->g;
		if (!harm)
			stw_found_rules_out(c, f, "harm to others: nobody who waited for a lock was set free by its return");
	}
}

const stw_rule stw_rule_syscall = {"goroutine-stuck-syscall", want, judge};
