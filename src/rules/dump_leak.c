/* Goroutines of a dump that stay blocked at one spot. One dump shows their number and, in minutes, their age, not their growth. */
#include <string.h>

#include "rules/dumps.h"

enum { MOST_TOLD = 64 }; /* groups, the largest first */

typedef struct spot {
	const stw_dump *d;
	const stw_dump_group *group;
	const stw_dump_g *first;
	const stw_named_stack *at;
	uint64_t count; /* of those that count */
	bool certain; /* they can't ever go on */
	bool idle; /* workers without work would look the same */
} spot;

static const char *cause_of(uint8_t wait)
{
	switch (wait) {
	case STW_DUMP_SEND: return "blocked-send";
	case STW_DUMP_RECEIVE: return "blocked-receive";
	case STW_DUMP_SELECT: return "blocked-select";
	case STW_DUMP_COND: return "blocked-condition";
	case STW_DUMP_FOREVER: return "blocked-forever";
	case STW_DUMP_UNKNOWN: return "unknown";
	default: return "blocked-lock";
	}
}

static bool may_leak(uint8_t wait)
{
	return wait == STW_DUMP_SEND || wait == STW_DUMP_RECEIVE || wait == STW_DUMP_SELECT || wait == STW_DUMP_COND ||
		wait == STW_DUMP_GROUP || wait == STW_DUMP_FOREVER || wait == STW_DUMP_UNKNOWN;
}

/* Goroutines that wait for the network: beside each open connection others may rightly wait. */
static uint64_t connections(const stw_dump *d)
{
	uint64_t n = 0;
	for (size_t i = 0; i < d->groups.count; i++)
		if (d->gs.items[d->groups.items[i].first].wait == STW_DUMP_IO)
			n += d->groups.items[i].count;
	return n;
}

static stwatch_severity severity_of(const stw_case *c, const spot *s)
{
	int64_t n = (int64_t)s->count;
	if (s->idle)
		return n >= c->set[STW_SET_LEAK_ERROR] && connections(s->d) * 2 < s->count ? STWATCH_WARNING : STWATCH_NOTE;
	if (!s->certain && !s->first->minutes)
		return STWATCH_NOTE;
	return n >= c->set[STW_SET_LEAK_ERROR] ? STWATCH_ERROR : n >= c->set[STW_SET_LEAK_WARN] ? STWATCH_WARNING : STWATCH_NOTE;
}

static bool is_worth_telling(const stw_case *c, const spot *s)
{
	if (s->at->user == s->at->n || !may_leak(s->first->wait) || s->first->id == 1)
		return false;
	if (s->first->leaked)
		return true;
	if (s->certain)
		return (int64_t)s->count >= c->set[STW_SET_LEAK_NOTE];
	if (s->idle || !s->first->minutes)
		return (int64_t)s->count >= c->set[STW_SET_LEAK_WARN];
	return (int64_t)s->count >= c->set[STW_SET_LEAK_NOTE];
}

static void tell(stw_case *c, stw_found *f, const spot *s)
{
	const stw_dump_stack *stack = stw_dump_stack_of(s->d, s->first);
	unsigned long long n = s->count;
	f->f.confidence = s->certain ? STWATCH_CERTAIN : s->idle || !s->first->minutes ? STWATCH_POSSIBLE : STWATCH_LIKELY;
	f->culprit.leaf = stw_leaf_function(s->at);
	f->culprit.root = stw_root_function(s->at);
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = s->first->id ? (int64_t)s->first->id : STWATCH_NONE;
	const char *made = *stack->created.function ? stw_case_printf(c, ", made by %s", stack->created.function) : "";
	const char *since = s->group->minutes_max ? stw_case_printf(c, ", for up to %u min", s->group->minutes_max) : "";
	const char *verb = n == 1 ? "" : "s";
	f->f.title = s->first->wait == STW_DUMP_UNKNOWN
		? stw_case_printf(c, "%llu goroutine%s stand%s in %s%s", n, verb, n == 1 ? "s" : "", f->culprit.function, made)
		: stw_case_printf(c, "%llu goroutine%s in %s wait%s for %s%s%s", n, verb, f->culprit.function, n == 1 ? "s" : "",
			  stw_dump_waits_for((stw_dump_wait)s->first->wait), since, made);
	f->f.advice = s->idle ? "who ends them? close the channel or cancel the context when nobody will send any more; a second dump some "
				"time later shows whether their number grows"
			      : "let them end when nobody listens any more: a buffer for every answer, or a select with a context";
	stwatch_evidence *e = stw_dump_step(c, f, s->d, s->first, "blocked", "and %llu more stand at %s: %s", n - 1,
		stw_case_site(c, s->at),
		s->first->leaked ? "leaked, says the garbage collector: nothing that runs can reach what they wait for"
				 : stw_dump_words(c, s->d, s->first));
	stw_found_value(c, e, "blocked", (int64_t)s->count);
	if (*stack->created.function)
		stw_found_step_from(c, f, s->d->companion, s->first->line, STWATCH_UNKNOWN, "made", "created by", "they are made at %s",
			stw_dump_place(c, &stack->created));
	if (s->group->minutes_max > 2 * s->group->minutes_min + 1)
		stw_found_step_from(c, f, s->d->companion, s->first->line, STWATCH_UNKNOWN, "growth", "minutes",
			"the latest has waited for %u min, the first for %u: they came one after another", s->group->minutes_min,
			s->group->minutes_max);
	if (s->idle)
		stw_found_rules_out(c, f, "not known: whether they are idle and wait for work that is still to come");
	if (!s->certain && !s->first->minutes)
		stw_found_rules_out(c, f, "not known: how long they have been there (the dump tells no minutes)");
}

/* True if it was told. */
static bool report(stw_case *c, const stw_dump *d, const stw_dump_group *group)
{
	const stw_dump_g *first = &d->gs.items[group->first];
	spot s = {.d = d, .group = group, .first = first, .at = &stw_dump_stack_of(d, first)->named};
	s.certain = first->leaked || first->wait == STW_DUMP_FOREVER;
	s.idle = !s.certain && first->wait != STW_DUMP_SEND;
	s.count = group->count - (first->minutes ? group->young : 0);
	if (!is_worth_telling(c, &s))
		return false;
	bool fresh;
	const char *function = s.at->frames[s.at->user].function, *cause = cause_of(first->wait);
	if (stw_dump_is_told(c, first, function))
		return false;
	stw_found *f = stw_found_for(c, "goroutine-leak", cause, function, -1, &fresh);
	if (!f)
		return false;
	stwatch_severity severity = severity_of(c, &s);
	if (severity > f->f.severity)
		f->f.severity = severity;
	if (fresh)
		tell(c, f, &s);
	f->culprit.count += s.count;
	for (uint32_t i = stw_dump_last(d)->first, n = 0; n < group->n && !c->failed; i++) {
		const stw_dump_g *g = &d->gs.items[i];
		if (g->stack != group->stack || g->state != group->state)
			continue;
		n++;
		if (!first->minutes || g->minutes)
			stw_dump_occurs(c, f, g);
	}
	return true;
}

static void judge(stw_case *c)
{
	size_t next = 0;
	for (const stw_dump *d; (d = stw_next_dump(c, &next));) {
		unsigned told = 0;
		for (size_t i = 0; !stw_dump_last(d)->asleep && i < d->groups.count && told < MOST_TOLD; i++)
			told += report(c, d, &d->groups.items[i]);
	}
}

const stw_rule stw_rule_dump_leak = {"goroutine-leak", NULL, judge};
