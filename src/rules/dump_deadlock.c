/* Goroutines that wait for each other, by what their stacks show; and programs of which the runtime itself says so. */
#include <string.h>

#include "rules/dumps.h"

enum { MOST_TOLD = 4 };

static const char
	ORDER[] = "take locks in one order everywhere; let go of one before taking the next; call nothing unknown while holding one";

static stw_found *report(stw_case *c, const stw_dump *d, const stw_dump_g *g, const char *cause, const char *function, bool *fresh)
{
	const stw_named_stack *s = &stw_dump_stack_of(d, g)->named;
	stw_found *f = stw_found_for(c, "deadlock", cause, function, -1, fresh);
	if (!f)
		return NULL;
	f->f.severity = STWATCH_ERROR;
	if (*fresh) {
		f->culprit.leaf = stw_leaf_function(s);
		f->culprit.root = stw_root_function(s);
		f->culprit.kind = "goroutine";
		f->culprit.goroutine = g->id ? (int64_t)g->id : STWATCH_NONE;
		f->culprit.count = 1;
	}
	return f;
}

static void tell_reason(stw_case *c, stw_found *f, const stw_dump *d, const stw_dump_shot *shot)
{
	stw_found_step_from(c, f, d->companion, shot->reason_line, STWATCH_UNKNOWN, "asleep", "the runtime", "%s", shot->reason);
}

/* A circle of locks, told once, from its first lock on. */
static void circle(stw_case *c, const stw_dump *d, uint32_t first)
{
	const stw_dump_lock *locks = d->locks.items, *lock = &locks[first];
	const stw_dump_g *holder = &d->gs.items[lock->holder];
	bool twice = lock->next == first, fresh;
	const stw_dump_shot *shot = stw_dump_last(d);
	unsigned n = 0, told = 0;
	uint32_t at = first;
	bool likely = true;
	do {
		n++;
		likely &= locks[at].likely;
		at = locks[at].next;
	} while (at != first);
	const char *function = stw_dump_stack_of(d, holder)->named.frames[lock->holder_frame].function;
	stw_found *f = report(c, d, holder, twice ? "locked-twice" : "lock-cycle", function, &fresh);
	if (!f)
		return;
	if (fresh && shot->asleep)
		tell_reason(c, f, d, shot);
	do {
		stw_dump_harms(c, f, d, &locks[at]);
		if (fresh && told++ < MOST_TOLD)
			stw_dump_tell_lock(c, f, d, &locks[at]);
		at = locks[at].next;
	} while (at != first);
	if (!fresh)
		return;
	f->f.confidence = shot->asleep ? STWATCH_CERTAIN : likely ? STWATCH_LIKELY : STWATCH_POSSIBLE;
	f->f.title = twice ? stw_case_printf(c, "%s waits for a lock that it holds itself", function)
			   : stw_case_printf(c, "%u goroutines wait for each other's locks, among them %s", n, function);
	f->f.advice = twice
		? "a mutex of Go can't be taken twice by one goroutine: split the inner function into one that locks and one that "
		  "expects the lock to be held"
		: ORDER;
	stw_found_rules_out(c, f, "a dump does not show who holds a lock: it follows from where goroutines stand");
}

/* Of all who sleep the one that says most: not who waits for others to finish, rather who wants a lock or a partner. */
static const stw_dump_g *most_telling(const stw_dump *d, const stw_dump_shot *shot)
{
	const stw_dump_g *best = NULL;
	unsigned best_rank = 0;
	for (uint32_t i = shot->first; i < shot->first + shot->n; i++) {
		const stw_dump_g *g = &d->gs.items[i];
		const stw_named_stack *s = &stw_dump_stack_of(d, g)->named;
		unsigned rank = s->user == s->n                    ? 1
			: stw_dump_is_lock((stw_dump_wait)g->wait) ? 6
			: g->wait == STW_DUMP_FOREVER              ? 5
			: g->wait == STW_DUMP_SEND                 ? 4
			: g->wait == STW_DUMP_GROUP                ? 2
								   : 3;
		if (rank > best_rank) {
			best = g;
			best_rank = rank;
		}
	}
	return best;
}

static void asleep(stw_case *c, const stw_dump *d, const stw_dump_shot *shot)
{
	const stw_dump_g *g = most_telling(d, shot);
	if (!g)
		return;
	const stw_named_stack *s = &stw_dump_stack_of(d, g)->named;
	const char *function = stw_user_function(s);
	bool fresh;
	stw_found *f = report(c, d, g, "all-asleep", function, &fresh);
	if (!f)
		return;
	for (uint32_t i = shot->first; i < shot->first + shot->n && !c->failed; i++)
		stw_dump_occurs(c, f, &d->gs.items[i]);
	if (!fresh)
		return;
	f->f.confidence = STWATCH_CERTAIN;
	f->f.title = stw_case_printf(c, "no goroutine could go on: %llu sleep for good, among them %s, which waits for %s",
		(unsigned long long)shot->goroutines, function ? function : "one", stw_dump_waits_for((stw_dump_wait)g->wait));
	f->f.advice = stw_dump_is_lock((stw_dump_wait)g->wait) ? ORDER
							       : "who was to wake it? a sender that never came, a receiver that ended "
								 "early, a channel that is never closed, a Done that is missing";
	tell_reason(c, f, d, shot);
	size_t told = 0;
	for (; told < d->locks.count && told < MOST_TOLD; told++)
		stw_dump_tell_lock(c, f, d, &d->locks.items[told]);
	for (size_t i = 0; i < d->groups.count && told < MOST_TOLD; i++) {
		const stw_dump_g *one = &d->gs.items[d->groups.items[i].first];
		if (stw_dump_is_lock((stw_dump_wait)one->wait))
			continue;
		stw_dump_step(c, f, d, one, "waits", "waits for %s, at %s: %s (%llu alike)", stw_dump_waits_for((stw_dump_wait)one->wait),
			stw_case_site(c, &stw_dump_stack_of(d, one)->named), stw_dump_words(c, d, one),
			(unsigned long long)d->groups.items[i].count);
		told++;
	}
	stw_found_rules_out(c, f, "the runtime looks only when all sleep: an earlier deadlock of a few goes unseen");
}

static void judge(stw_case *c)
{
	size_t next = 0;
	for (const stw_dump *d; (d = stw_next_dump(c, &next));) {
		bool circles = false;
		for (uint32_t i = 0; i < d->locks.count; i++) {
			const stw_dump_lock *lock = &d->locks.items[i];
			bool first = lock->circle && stw_dump_is_deadlock(d, lock);
			for (uint32_t k = lock->next; first && k != i; k = d->locks.items[k].next)
				first = k > i;
			if (first)
				circle(c, d, i);
			circles |= first;
		}
		const stw_dump_shot *last = stw_dump_last(d);
		if (last->asleep && !circles)
			asleep(c, d, last);
	}
}

const stw_rule stw_rule_dump_deadlock = {"deadlock", NULL, judge};
