/* Goroutines that block at one spot and stay there, while more and more of them come. */
#include <stdlib.h>
#include <string.h>

#include "rules/queues.h"
#include "rules/waits.h"

enum { SLOTS = 8 };

typedef struct leaked {
	const stw_left *left;
	const char *root;
	stw_site site;
} leaked;

typedef struct group {
	const leaked *items; /* by their beginning */
	size_t n; /* that are old enough */
	stw_served served; /* those that got away from the same spot */
	uint64_t by_slot[SLOTS];
} group;

static void want(stw_case *c)
{
	for (size_t i = 0; i < c->gather->left.count; i++) {
		stw_places_want(&c->places, c->gather->left.items[i].root);
		stw_places_want(&c->places, c->gather->left.items[i].stack);
		stw_places_want(&c->places, c->gather->left.items[i].creator);
	}
}

static int compare(const leaked *a, const leaked *b)
{
	if (a->left->wait != b->left->wait)
		return a->left->wait - b->left->wait;
	if (a->site.line != b->site.line)
		return a->site.line < b->site.line ? -1 : 1;
	int functions = strcmp(a->site.function, b->site.function);
	return functions ? functions : strcmp(a->root, b->root);
}

static int by_group(const void *x, const void *y)
{
	const leaked *a = x, *b = y;
	int groups = compare(a, b);
	if (groups)
		return groups;
	if (a->left->since != b->left->since)
		return a->left->since < b->left->since ? -1 : 1;
	return a->left->g < b->left->g ? -1 : a->left->g > b->left->g;
}

/* In a queue that was reported, or holding what it waits for: that is told already. */
static bool is_told(const stw_case *c, int64_t g)
{
	for (size_t i = 0; c->queues && i < c->queues->count; i++) {
		const stw_queue *q = &c->queues->items[i];
		if (!q->told)
			continue;
		if (stw_queue_holds(q, g))
			return true;
		for (size_t k = 0; k < q->n_waits; k++)
			if (q->waits[k]->wait->open && q->waits[k]->wait->g == g)
				return true;
	}
	return false;
}

static size_t collect(stw_case *c, leaked *all)
{
	size_t n = 0;
	for (size_t i = 0; i < c->gather->left.count; i++) {
		const stw_left *l = &c->gather->left.items[i];
		const stw_named_stack *at = stw_places_stack(&c->places, l->stack), *root = stw_places_stack(&c->places, l->root);
		const char *started = stw_root_function(root);
		stw_site site = stw_site_of(at);
		if (site.function && started && !stw_is_runtimes(root))
			all[n++] = (leaked){l, started, site};
	}
	return n;
}

/* More and more, not one burst: they came in at least half of the slots of time since the first, in the later half too. */
static bool grows(const stw_case *c, group *g)
{
	int64_t age = c->set[STW_SET_LEAK_AGE], end = c->gather->last_time;
	if (g->served.longest_ns > age / 3)
		age = g->served.longest_ns < INT64_MAX / 3 ? g->served.longest_ns * 3 : INT64_MAX;
	size_t old = 0;
	while (old < g->n && end - g->items[old].left->since >= age)
		old++;
	g->n = old;
	if ((int64_t)old < c->set[STW_SET_LEAK_NOTE])
		return false;
	int64_t first = g->items[0].left->since, span = end - age - first;
	uint64_t most = 0, late = 0;
	unsigned used = 0;
	if (span < c->set[STW_SET_LEAK_AGE])
		return false;
	for (size_t i = 0; i < old; i++) {
		int64_t slot = (g->items[i].left->since - first) / (span / SLOTS + 1);
		g->by_slot[slot < SLOTS ? slot : SLOTS - 1]++;
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		used += g->by_slot[i] > 0;
		most = g->by_slot[i] > most ? g->by_slot[i] : most;
		late += i >= SLOTS / 2 ? g->by_slot[i] : 0;
	}
	return used >= SLOTS / 2 && most * 10 <= old * 6 && late * 5 >= old;
}

static const char *cause_of(uint8_t wait)
{
	switch (wait) {
	case STW_WAIT_SEND: return "blocked-send";
	case STW_WAIT_RECEIVE: return "blocked-receive";
	case STW_WAIT_SELECT: return "blocked-select";
	case STW_WAIT_COND: return "blocked-condition";
	case STW_WAIT_FOREVER: return "blocked-forever";
	default: return "blocked-lock";
	}
}

static const char *words_of(const char *cause)
{
	static const struct {
		const char *cause, *words;
	} all[] = {
		{"blocked-send", "on channel send"},
		{"blocked-receive", "on channel receive"},
		{"blocked-select", "in a select"},
		{"blocked-condition", "on a condition"},
		{"blocked-forever", "on what can never happen"},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i].cause, cause) == 0)
			return all[i].words;
	return "on a lock or wait group";
}

/* To wait for work is an idle worker's business too; to send, or to want a lock, is not. */
static bool may_be_idle(const group *g)
{
	uint8_t wait = g->items->left->wait;
	return wait == STW_WAIT_RECEIVE || wait == STW_WAIT_SELECT || wait == STW_WAIT_COND;
}

static stwatch_severity severity_of(const stw_case *c, const group *g)
{
	int64_t n = (int64_t)g->n;
	if (n < c->set[STW_SET_LEAK_WARN])
		return STWATCH_NOTE;
	if (may_be_idle(g))
		return g->served.times || strcmp(g->items->root, "net/http.(*conn).serve") == 0 ? STWATCH_NOTE : STWATCH_WARNING;
	return n < c->set[STW_SET_LEAK_ERROR] ? STWATCH_WARNING : STWATCH_ERROR;
}

static void tell_growth(stw_case *c, stw_found *f, const group *g)
{
	for (size_t quarter = 1; quarter <= 3; quarter++) {
		size_t n = g->n * quarter / 4;
		if (n == 0 || n >= g->n)
			continue;
		stwatch_evidence *e = stw_found_step(
			c, f, g->items[n - 1].left->since, "growth", "GoBlock", "%zu of them are blocked there by now", n);
		stw_found_value(c, e, "blocked", (int64_t)n);
	}
	stwatch_evidence *e = stw_found_step(c, f, c->gather->last_time, "end", "end of the trace",
		"%zu are blocked there, none for less than %s", g->n,
		stw_case_ms(c, c->gather->last_time - g->items[g->n - 1].left->since));
	stw_found_value(c, e, "blocked", (int64_t)g->n);
}

static void tell(stw_case *c, stw_found *f, const group *g, const char *cause)
{
	const leaked *first = g->items;
	const stw_named_stack *at = stw_places_stack(&c->places, first->left->stack),
			      *made = stw_places_stack(&c->places, first->left->creator);
	for (size_t i = 1; !made->n && i < g->n; i++)
		made = stw_places_stack(&c->places, g->items[i].left->creator);
	int64_t grown = g->items[g->n - 1].left->since - first->left->since;
	const char *creator = made->n ? stw_user_function(made) : NULL;
	f->f.confidence = may_be_idle(g) ? STWATCH_POSSIBLE : STWATCH_LIKELY;
	f->culprit.leaf = stw_leaf_function(at);
	f->culprit.root = first->root;
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = first->left->g;
	f->f.title = stw_case_printf(c, "%zu goroutines%s%s stay blocked %s in %s, %.0f more every second", g->n,
		creator ? " made by " : "", creator ? creator : "", words_of(cause), first->site.function,
		(double)(g->n - 1) * 1e9 / (double)(grown > 0 ? grown : 1));
	f->f.advice = may_be_idle(g)
		? "who ends them? close the channel or cancel the context when nobody will send any more; a goroutine profile "
		  "over a longer time shows whether their number goes on growing"
		: "let them end when nobody listens any more: a buffer for every answer, or a select with a context; a goroutine "
		  "profile over a longer time shows whether their number goes on growing";
	stwatch_evidence *e;
	if (made->n) {
		e = stw_found_step(c, f, first->left->since - 1, "made", "GoCreate", "they are made at %s", stw_case_site(c, made));
		stw_found_stack(e, made);
	}
	e = stw_found_step(c, f, first->left->since, "blocked", "GoBlock", "G%lld is the first to block at %s, and is not woken",
		(long long)first->left->g, stw_case_site(c, at));
	e->goroutine = first->left->g;
	stw_found_stack(e, at);
	tell_growth(c, f, g);
	if (g->served.times)
		stw_found_rules_out(c, f, "a slow queue: of %llu others that waited there the longest got away after %s",
			(unsigned long long)g->served.times, stw_case_ms(c, g->served.longest_ns));
	if (may_be_idle(g))
		stw_found_rules_out(c, f, "not known: whether they are idle and wait for work that is still to come");
}

static void judge_group(stw_case *c, group *g)
{
	size_t kept = 0;
	if ((int64_t)g->n < c->set[STW_SET_LEAK_NOTE] || is_told(c, g->items->left->g))
		return;
	g->served = stw_served_at(c->queues, g->items->site, g->items->left->wait);
	if (!grows(c, g))
		return;
	const char *cause = cause_of(g->items->left->wait);
	bool fresh;
	stw_found *f = stw_found_for(c, "goroutine-leak", cause, g->items->site.function, -1, &fresh);
	if (!f)
		return;
	stwatch_severity severity = severity_of(c, g);
	if (severity > f->f.severity)
		f->f.severity = severity;
	if (fresh)
		tell(c, f, g, cause);
	for (; kept < g->n; kept++)
		stw_found_occurs(c, f, g->items[kept].left->since, c->gather->last_time, g->items[kept].left->g, STWATCH_NONE);
	f->culprit.count += g->n;
}

bool stw_is_leak(const stw_case *c, stw_site site)
{
	for (size_t i = 0; i < c->found.count; i++) {
		const stw_found *f = c->found.items[i];
		if (strcmp(f->f.rule, "goroutine-leak") == 0 && site.function && strcmp(f->culprit.function, site.function) == 0)
			return true;
	}
	return false;
}

static void judge(stw_case *c)
{
	leaked *all = stw_arena_alloc(&c->arena, (c->gather->left.count + 1) * sizeof *all);
	if (!all) {
		c->failed = true;
		return;
	}
	size_t n = collect(c, all);
	if (n > 1)
		qsort(all, n, sizeof *all, by_group);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from; to < n && compare(&all[from], &all[to]) == 0;)
			to++;
		judge_group(c, &(group){.items = &all[from], .n = to - from});
	}
}

const stw_rule stw_rule_leak = {"goroutine-leak", want, judge};
