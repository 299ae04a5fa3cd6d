/* Many goroutines queue behind one holder. */
#include <stdlib.h>
#include <string.h>

#include "rules/queues.h"
#include "rules/waits.h"

static stw_found *convoy_of(stw_case *c, const char *culprit)
{
	for (size_t i = 0; i < c->found.count; i++) {
		stw_found *f = c->found.items[i];
		if (strcmp(f->f.rule, "lock-convoy") == 0 && culprit && f->culprit.function && strcmp(f->culprit.function, culprit) == 0)
			return f;
	}
	return NULL;
}

static stwatch_severity severity_of(const stw_case *c, const stw_queue *q, const char *cause)
{
	stwatch_severity s = q->worst_ns >= c->set[STW_SET_CONVOY_ERROR] ? STWATCH_ERROR
		: q->worst_ns >= c->set[STW_SET_CONVOY_WARN]             ? STWATCH_WARNING
									 : STWATCH_NOTE;
	stwatch_severity most = STWATCH_ERROR;
	bool busy = q->did_ns[STW_DID_RUN] + q->did_ns[STW_DID_RUNNABLE] + q->did_ns[STW_DID_SHORT] > q->held_ns / 2;
	if (q->channel) /* places given to those who compute: that is what a limit is for */
		most = busy ? STWATCH_NOTE : STWATCH_WARNING;
	else if (strcmp(cause, "many-holders") == 0 || strcmp(cause, "holder-runnable") == 0)
		most = STWATCH_WARNING;
	return s < most ? s : most;
}

static void add_waits(stw_case *c, stw_found *f, const stw_queue *q)
{
	for (size_t i = 0; i < q->n_waits; i++) {
		const stw_candidate *w = q->waits[i]->wait;
		stw_found_occurs(c, f, w->from, w->to, w->g, STWATCH_NONE);
		stw_found_harms(
			c, f, q->waits[i]->site.function, stw_root_function(stw_places_stack(&c->places, w->root)), w->g, w->to - w->from);
	}
}

static void tell(stw_case *c, stw_found *f, const stw_queue *q, const char *cause)
{
	const stw_candidate *w = q->worst;
	const stw_named_stack *at = stw_places_stack(&c->places, w->stack);
	unsigned open = 0;
	for (size_t i = 0; i < q->n_waits; i++)
		open += q->waits[i]->wait->open;
	f->f.confidence = q->guessed || strcmp(cause, "unknown") == 0 ? STWATCH_POSSIBLE : STWATCH_LIKELY;
	f->f.title = stw_case_printf(c, "%u goroutines queued %s %s for up to %s%s", q->most,
		q->channel ? "for a channel that lets few in, behind" : "behind", q->culprit ? q->culprit : "a lock",
		stw_case_ms(c, w->to - w->from), open ? stw_case_printf(c, "; %u still wait when the trace ends", open) : "");
	f->f.advice = stw_queue_advice(cause);
	stwatch_evidence *e = stw_found_step(c, f, w->from, "blocked", "GoBlock", "G%lld blocks at %s, for %s", (long long)w->g,
		stw_case_site(c, at), stw_case_ms(c, w->to - w->from));
	e->goroutine = w->g;
	stw_found_stack(e, at);
	e = stw_found_step(c, f, q->most_at, "queue", "GoBlock", "%u goroutines wait in line", q->most);
	stw_found_value(c, e, "waiters", q->most);
	stw_queue_evidence(c, f, q);
	if (q->channel)
		stw_found_rules_out(
			c, f, "a queue of work: those who wake had waited at the same spot themselves, so the channel is a semaphore");
	if (q->guessed)
		stw_found_rules_out(
			c, f, "not known: who holds it; the culprit is the only one blocked further on in the function that takes it");
}

static bool is_convoy(const stw_case *c, const stw_queue *q)
{
	return q->n_holds && q->most >= c->set[STW_SET_CONVOY_WAITERS] && q->worst_ns >= c->set[STW_SET_CONVOY_NOTE];
}

/* What most of the waiting behind one function was for: its queues are views of one problem, and some tell more than others. */
static const char *cause_of(const stw_case *c, const stw_queue *q)
{
	const char *best = stw_queue_cause(c, q);
	int64_t most = strcmp(best, "unknown") == 0 ? -1 : q->waited_ns;
	for (size_t i = 0; q->culprit && i < c->queues->count; i++) {
		const stw_queue *other = &c->queues->items[i];
		if (!is_convoy(c, other) || !other->culprit || strcmp(other->culprit, q->culprit) != 0)
			continue;
		const char *cause = stw_queue_cause(c, other);
		if (strcmp(cause, "unknown") != 0 && (other->waited_ns > most || (other->waited_ns == most && strcmp(cause, best) < 0))) {
			most = other->waited_ns;
			best = cause;
		}
	}
	return best;
}

static void judge_queue(stw_case *c, stw_queue *q)
{
	const char *cause = cause_of(c, q);
	bool fresh;
	stw_found *f = stw_found_for(c, "lock-convoy", cause, q->culprit, STW_SET_CONVOY_NOTE, &fresh);
	if (!f)
		return;
	stwatch_severity severity = severity_of(c, q, cause);
	if (severity > f->f.severity)
		f->f.severity = severity;
	if (fresh) /* the worst comes first */
		tell(c, f, q, cause);
	add_waits(c, f, q);
	q->told = true;
}

static int worst_first(const void *x, const void *y)
{
	const stw_queue *a = x, *b = y;
	if (a->worst_ns != b->worst_ns)
		return a->worst_ns < b->worst_ns ? 1 : -1;
	if (a->n_waits != b->n_waits)
		return a->n_waits < b->n_waits ? 1 : -1;
	return a->waits[0]->wait->from < b->waits[0]->wait->from ? -1 : a->waits[0]->wait->from > b->waits[0]->wait->from;
}

static void judge(stw_case *c)
{
	stw_queues_build(c);
	if (!c->queues)
		return;
	stw_queues *all = c->queues;
	if (all->count > 1)
		qsort(all->items, all->count, sizeof *all->items, worst_first);
	for (size_t i = 0; i < all->count; i++)
		if (is_convoy(c, &all->items[i]))
			judge_queue(c, &all->items[i]);
	for (size_t i = 0; i < all->count; i++) { /* the same lock when fewer waited */
		stw_queue *q = &all->items[i];
		stw_found *f = q->told || !q->n_holds || q->worst_ns < c->set[STW_SET_WAIT_NOTE] ? NULL : convoy_of(c, q->culprit);
		if (f)
			add_waits(c, f, q);
		q->told |= f != NULL;
	}
}

const stw_rule stw_rule_convoy = {"lock-convoy", stw_queues_want, judge};
