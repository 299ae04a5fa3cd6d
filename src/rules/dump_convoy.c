/* Queues for a lock in a goroutine dump: one instant, so that a wait is known to be long only where the runtime prints its minutes. */
#include <string.h>

#include "rules/dumps.h"
#include "rules/queues.h"

enum { MOST_TOLD = 256 };

static const char *cause_of(const stw_dump *d, const stw_dump_lock *lock)
{
	if (lock->holder == STW_DUMP_NONE)
		return "unknown";
	switch (d->gs.items[lock->holder].wait) {
	case STW_DUMP_UNKNOWN:
	case STW_DUMP_SYSTEM: return "unknown";
	case STW_DUMP_RUNS: return "holder-computes";
	case STW_DUMP_SYSCALL: return "holder-in-syscall";
	case STW_DUMP_SLEEP: return "holder-asleep";
	default: return "holder-blocked";
	}
}

/* The kernel, a timer and the network let go by themselves; another goroutine may never do. */
static bool depends_on_others(stw_dump_wait wait)
{
	return stw_dump_is_lock(wait) || wait == STW_DUMP_SEND || wait == STW_DUMP_RECEIVE || wait == STW_DUMP_SELECT ||
		wait == STW_DUMP_COND || wait == STW_DUMP_GROUP || wait == STW_DUMP_FOREVER;
}

static stwatch_severity severity_of(const stw_case *c, const stw_dump *d, const stw_dump_lock *lock, int note_setting)
{
	int64_t waited = stw_dump_waited(&d->gs.items[lock->longest]);
	if (waited)
		return waited >= c->set[note_setting + 2]    ? STWATCH_ERROR
			: waited >= c->set[note_setting + 1] ? STWATCH_WARNING
							     : STWATCH_NOTE;
	bool blocked = lock->holder != STW_DUMP_NONE && lock->likely && depends_on_others((stw_dump_wait)d->gs.items[lock->holder].wait);
	return blocked ? STWATCH_WARNING : STWATCH_NOTE;
}

static void tell(stw_case *c, stw_found *f, const stw_dump *d, const stw_dump_lock *lock, const char *cause)
{
	const stw_dump_g *g = &d->gs.items[lock->longest];
	bool known = lock->holder != STW_DUMP_NONE;
	const stw_dump_g *who = known ? &d->gs.items[lock->holder] : g;
	const stw_named_stack *s = &stw_dump_stack_of(d, who)->named;
	const char *function = f->culprit.function ? f->culprit.function : "a function that is not known";
	f->f.confidence = (known && lock->likely) || g->minutes ? STWATCH_LIKELY : STWATCH_POSSIBLE;
	f->culprit.leaf = stw_leaf_function(s);
	f->culprit.root = stw_root_function(s);
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = known && who->id ? (int64_t)who->id : STWATCH_NONE;
	f->culprit.count = known;
	const char *since = g->minutes ? stw_case_printf(c, ", the longest for %u min or more", g->minutes) : "";
	f->f.title = lock->count == 1 ? stw_case_printf(c, "a goroutine waits for a lock in %s%s", function, since)
		: known               ? stw_case_printf(c, "%llu goroutines wait for a lock behind %s, which waits for %s%s",
						(unsigned long long)lock->count, function, stw_dump_waits_for((stw_dump_wait)who->wait), since)
			: stw_case_printf(c, "%llu goroutines wait for a lock in %s%s", (unsigned long long)lock->count, function, since);
	f->f.advice = known
		? stw_queue_advice(cause)
		: "whoever holds it is not to be told from the dump: look who else takes this lock, and what it does meanwhile; "
		  "a mutex profile shows who makes others wait";
	stw_dump_tell_lock(c, f, d, lock);
	if (known)
		stw_found_rules_out(c, f, "a dump does not show who holds a lock: it follows from where goroutines stand");
	else
		stw_found_rules_out(c, f, "not known: who holds the lock (the function named is where it is waited for)");
	if (!g->minutes)
		stw_found_rules_out(c, f, "not known: how long they have waited (less than a minute, or no GC ran in that time)");
}

/* True if it was told. */
static bool report(stw_case *c, const stw_dump *d, const stw_dump_lock *lock)
{
	bool queue = (int64_t)lock->count >= c->set[STW_SET_CONVOY_WAITERS], fresh;
	const char *taker = stw_dump_taker(d, lock), *function = taker, *cause = cause_of(d, lock);
	const stw_dump_g *longest = &d->gs.items[lock->longest];
	if ((!queue && !longest->minutes) || stw_dump_is_deadlock(d, lock) || stw_dump_is_told(c, longest, taker))
		return false;
	if (lock->holder != STW_DUMP_NONE) {
		const stw_named_stack *s = &stw_dump_stack_of(d, &d->gs.items[lock->holder])->named;
		const char *holds = s->frames[lock->holder_frame].function;
		function = stw_is_library(holds) ? stw_user_function(s) : holds;
	}
	if (!queue)
		cause = lock->holder != STW_DUMP_NONE ? "held-lock" : "never-released";
	int setting = queue ? STW_SET_CONVOY_NOTE : STW_SET_WAIT_NOTE;
	stw_found *f = stw_found_for(c, queue ? "lock-convoy" : "goroutine-stuck-waiting", cause, function, setting, &fresh);
	if (!f)
		return false;
	stwatch_severity severity = severity_of(c, d, lock, setting);
	if (severity > f->f.severity)
		f->f.severity = severity;
	if (fresh)
		tell(c, f, d, lock, cause);
	stw_dump_harms(c, f, d, lock);
	return true;
}

static void judge(stw_case *c)
{
	size_t next = 0;
	for (const stw_dump *d; (d = stw_next_dump(c, &next));) {
		unsigned told = 0;
		for (size_t i = 0; i < d->locks.count && told < MOST_TOLD; i++)
			told += report(c, d, &d->locks.items[i]);
	}
}

const stw_rule stw_rule_dump_convoy = {"lock-convoy", NULL, judge};
