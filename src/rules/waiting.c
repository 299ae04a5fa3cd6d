/* Waits for a lock that took far too long, and waits that never ended. */
#include <string.h>

#include "rules/queues.h"
#include "rules/waits.h"

enum { MOST = 2000, MOST_OPEN = 6 };

bool stw_is_lock_wait(const stw_named_stack *s)
{
	static const char *const locks[] = {"sync.(*Mutex).", "internal/sync.(*Mutex).", "sync.(*RWMutex).", "internal/poll.(*fdMutex)."};
	for (uint32_t i = 0; i < s->n && i < 6; i++) {
		if (strcmp(s->frames[i].function, "sync.(*WaitGroup).Wait") == 0)
			return false; /* the same semaphore, but to wait for others' work is its purpose */
		for (size_t k = 0; k < sizeof locks / sizeof *locks; k++)
			if (strncmp(s->frames[i].function, locks[k], strlen(locks[k])) == 0)
				return true;
	}
	return false;
}

/* A lock came free late, or not at all: fewer waited for it than a convoy takes. */
static void held(stw_case *c, stw_queue *q)
{
	const stw_candidate *w = q->worst;
	const stw_named_stack *at = stw_places_stack(&c->places, w->stack);
	const char *victim = stw_site_of(at).function;
	bool fresh;
	stw_found *f = stw_found_for(c, "goroutine-stuck-waiting", "held-lock", q->culprit, STW_SET_WAIT_NOTE, &fresh);
	if (!f)
		return;
	q->told = true;
	for (size_t i = 0; i < q->n_waits; i++) {
		const stw_candidate *x = q->waits[i]->wait;
		if (x->to - x->from < c->set[STW_SET_WAIT_NOTE])
			continue;
		stw_found_occurs(c, f, x->from, x->to, x->g, STWATCH_NONE);
		stw_found_harms(
			c, f, q->waits[i]->site.function, stw_root_function(stw_places_stack(&c->places, x->root)), x->g, x->to - x->from);
	}
	if (!fresh)
		return;
	if (strcmp(stw_queue_cause(c, q), "holder-runnable") == 0)
		f->most = STWATCH_WARNING; /* as in a convoy: what kept it from running is the fault */
	f->f.confidence = q->guessed ? STWATCH_POSSIBLE : STWATCH_LIKELY;
	f->f.title = stw_case_printf(c, "%s waited %s for a lock%s%s", victim ? victim : "a goroutine", stw_case_ms(c, w->to - w->from),
		q->culprit ? " that was held in " : "", q->culprit ? q->culprit : "");
	f->f.advice = stw_queue_advice(stw_queue_cause(c, q));
	stwatch_evidence *e = stw_found_step(
		c, f, w->from, "blocked", "GoBlock", "G%lld blocks at %s", (long long)w->g, stw_case_site(c, at));
	e->goroutine = w->g;
	stw_found_stack(e, at);
	stw_queue_evidence(c, f, q);
	if (!w->open && (!q->longest || q->longest->given != w)) {
		const stw_named_stack *wake = stw_places_stack(&c->places, w->wake);
		e = stw_found_step(c, f, w->to, "woken", "GoUnblock", "%s wakes G%lld%s%s, after %s",
			w->waker >= 0 ? stw_case_printf(c, "G%lld", (long long)w->waker) : "the runtime", (long long)w->g,
			wake->n ? " at " : "", stw_case_site(c, wake), stw_case_ms(c, w->to - w->from));
		e->goroutine = w->waker;
		stw_found_stack(e, wake);
	}
}

/* A lock that was still waited for when the trace ended: its holder is not known, so the waiter stands for itself. */
static void never_free(stw_case *c, const stw_candidate *w, const stw_named_stack *at, const stw_named_stack *root)
{
	const char *function = stw_user_function(at);
	bool fresh;
	stw_found *f = stw_found_for(c, "goroutine-stuck-waiting", "never-released", function, STW_SET_WAIT_NOTE, &fresh);
	if (!f)
		return;
	stw_found_occurs(c, f, w->from, w->to, w->g, STWATCH_NONE);
	stw_found_harms(c, f, function ? function : "unknown", stw_root_function(root), w->g, w->to - w->from);
	if (!fresh)
		return;
	f->f.confidence = STWATCH_LIKELY;
	f->culprit.root = stw_root_function(root);
	f->culprit.leaf = stw_leaf_function(at);
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = w->g;
	f->f.title = stw_case_printf(c, "%s has waited %s for a lock that never came free before the trace ended",
		function ? function : "a goroutine", stw_case_ms(c, w->to - w->from));
	f->f.advice = "a deadlock, or a holder that is itself stuck: a goroutine dump shows who holds what; take locks in one order "
		      "everywhere";
	stwatch_evidence *e = stw_found_step(
		c, f, w->from, "blocked", "GoBlock", "G%lld blocks at %s", (long long)w->g, stw_case_site(c, at));
	e->goroutine = w->g;
	stw_found_stack(e, at);
	stw_found_step(c, f, w->to, "end", "end of the trace", "G%lld still waits", (long long)w->g)->goroutine = w->g;
	stw_found_rules_out(c, f, "not known: who holds the lock (nobody was seen to release it)");
}

/* Blocked once, early, and never seen again: an orphan, or a worker that has nothing to do. */
static void never_woken(
	stw_case *c, const stw_candidate *w, const stw_named_stack *at, const stw_named_stack *root, stw_wait kind, unsigned *made)
{
	const char *function = at->n ? stw_user_function(at) : stw_own_function(at, root);
	bool fresh;
	if (!function || stw_is_library(function))
		return;
	if (*made >= MOST_OPEN) /* the longest have been told; more would be noise */
		return;
	stw_found *f = stw_found_for(c, "goroutine-stuck-waiting", "never-woken", function, -1, &fresh);
	if (!f)
		return;
	f->f.severity = STWATCH_NOTE;
	stw_found_occurs(c, f, w->from, w->to, w->g, STWATCH_NONE);
	if (!fresh)
		return;
	(*made)++;
	static const char *const words[] = {
		[STW_WAIT_SYNC] = "a lock",
		[STW_WAIT_COND] = "a condition",
		[STW_WAIT_SEND] = "a receiver",
		[STW_WAIT_RECEIVE] = "a sender",
		[STW_WAIT_SELECT] = "any case of a select",
		[STW_WAIT_FOREVER] = "nothing that can ever happen",
	};
	f->f.confidence = kind == STW_WAIT_FOREVER ? STWATCH_CERTAIN : STWATCH_POSSIBLE;
	f->culprit.root = stw_root_function(root);
	f->culprit.leaf = stw_leaf_function(at);
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = w->g;
	f->f.title = stw_case_printf(c, "%s has waited for %s for %s when the trace ends, and was never woken", function, words[kind],
		stw_case_ms(c, w->to - w->from));
	f->f.advice = "an orphan and an idle worker look alike: is anybody left who could wake it? a goroutine dump shows more";
	stwatch_evidence *e = stw_found_step(c, f, w->from, "blocked", "GoBlock", "G%lld blocks at %s, and nothing more is heard of it",
		(long long)w->g, stw_case_site(c, at));
	e->goroutine = w->g;
	stw_found_stack(e, at);
}

static bool may_be_stuck(const stw_case *c, const stw_candidate *w, stw_wait kind)
{
	int64_t span = stw_gather_length(c->gather);
	if (!w->open || w->cut || !w->begun || w->to - w->from < c->set[STW_SET_STUCK_OPEN] || (w->to - w->from) * 4 < span)
		return false;
	if (w->blocks > 3) /* it had been woken before: its next time may just be later */
		return false;
	return kind == STW_WAIT_SYNC || kind == STW_WAIT_SEND || kind == STW_WAIT_RECEIVE || kind == STW_WAIT_SELECT ||
		kind == STW_WAIT_FOREVER || kind == STW_WAIT_COND;
}

static bool waits_for_others(const stw_named_stack *s)
{
	for (uint32_t i = 0; i < s->n && i < 4; i++)
		if (strcmp(s->frames[i].function, "sync.(*WaitGroup).Wait") == 0)
			return true;
	return false;
}

/* One of those who are served in turn: others got away from the same spot, after not much less. */
static bool is_served(const stw_case *c, const stw_candidate *w, const stw_named_stack *at)
{
	stw_served others = stw_served_at(c->queues, stw_site_of(at), w->wait);
	return others.times > 0 && others.longest_ns > (w->to - w->from) / 3;
}

/* Part of what another rule has told: it piles up with its like, or others wait for what it holds. */
static bool is_told(const stw_case *c, const stw_candidate *w, const stw_named_stack *at)
{
	for (size_t i = 0; c->queues && i < c->queues->count; i++)
		if (c->queues->items[i].told && stw_queue_holds(&c->queues->items[i], w->g))
			return true;
	return stw_is_leak(c, stw_site_of(at));
}

static bool is_finalizer(const stw_named_stack *at)
{
	const char *f = stw_root_function(at);
	return f &&
		(strncmp(f, "runtime.runFinal", 16) == 0 || strcmp(f, "runtime.runfinq") == 0 ||
			strncmp(f, "runtime.runCleanups", 19) == 0);
}

static void judge_list(stw_case *c, const stw_candidates *list, unsigned *made)
{
	for (size_t i = 0; i < list->count && i < MOST; i++) {
		const stw_candidate *w = &list->items[i];
		const stw_named_stack *at = stw_places_stack(&c->places, w->stack), *root = stw_places_stack(&c->places, w->root);
		if (!w->gc_worker && !stw_is_runtimes(root) && !is_finalizer(at) && may_be_stuck(c, w, w->wait) && !stw_is_lock_wait(at) &&
			!waits_for_others(at) && !is_served(c, w, at) && !is_told(c, w, at))
			never_woken(c, w, at, root, w->wait, made);
	}
}

/* A finalizer that waits keeps all others from running, for one goroutine runs them in turn. */
static void judge_finalizers(stw_case *c, const stw_candidates *list)
{
	for (size_t i = 0; i < list->count && i < MOST; i++) {
		const stw_candidate *w = &list->items[i];
		const stw_named_stack *at = stw_places_stack(&c->places, w->stack);
		if (w->to - w->from < c->set[STW_SET_WAIT_WARN] || at->user >= at->n || !is_finalizer(at))
			continue;
		const char *function = stw_own_function(at, at);
		bool fresh;
		stw_found *f = stw_found_for(c, "goroutine-stuck-waiting", "blocked-finalizer", function, -1, &fresh);
		if (!f)
			return;
		f->f.severity = STWATCH_NOTE;
		stw_found_occurs(c, f, w->from, w->to, w->g, STWATCH_NONE);
		if (!fresh)
			continue;
		f->f.confidence = STWATCH_LIKELY;
		f->culprit.root = stw_root_function(at);
		f->culprit.leaf = stw_leaf_function(at);
		f->culprit.kind = "goroutine";
		f->culprit.goroutine = w->g;
		f->f.title = stw_case_printf(c, "%s, which a finalizer or cleanup runs, waited %s: all that are due stood behind it",
			function, stw_case_ms(c, w->to - w->from));
		f->f.advice = "a finalizer must not wait: let it start a goroutine for what takes long, or close the resource by name";
		stwatch_evidence *e = stw_found_step(c, f, w->from, "blocked", "GoBlock", "G%lld, which runs finalizers, blocks at %s",
			(long long)w->g, stw_case_site(c, at));
		e->goroutine = w->g;
		stw_found_stack(e, at);
	}
}

static void judge_queue(stw_case *c, stw_queue *q)
{
	if (q->told || q->channel)
		return;
	if (q->n_holds && q->worst_ns >= c->set[STW_SET_WAIT_NOTE]) {
		held(c, q);
		return;
	}
	for (size_t i = 0; i < q->n_waits; i++) {
		const stw_candidate *w = q->waits[i]->wait;
		if (w->open && w->begun && w->to - w->from >= c->set[STW_SET_WAIT_WARN])
			never_free(c, w, stw_places_stack(&c->places, w->stack), stw_places_stack(&c->places, w->root));
	}
}

static void want(stw_case *c)
{
	stw_candidates_sort(&c->gather->lock_waits);
	stw_candidates_sort(&c->gather->peer_waits);
}

static void judge(stw_case *c)
{
	unsigned made = 0;
	for (size_t i = 0; c->queues && i < c->queues->count; i++)
		judge_queue(c, &c->queues->items[i]);
	judge_list(c, &c->gather->peer_waits, &made);
	judge_list(c, &c->gather->lock_waits, &made);
	judge_finalizers(c, &c->gather->lock_waits);
	judge_finalizers(c, &c->gather->peer_waits);
	judge_finalizers(c, &c->gather->waits);
}

const stw_rule stw_rule_waiting = {"goroutine-stuck-waiting", want, judge};
