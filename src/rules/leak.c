/* Goroutines that block at one spot and stay there, while more and more of them come; and those that are woken now and then, by
 * a timer or the network, but never end. */
#include <stdlib.h>
#include <string.h>

#include "rules/queues.h"
#include "rules/waits.h"

enum { SLOTS = 8 };

typedef struct leaked {
	const stw_left *left;
	const char *root;
	stw_site site; /* where it is blocked; of those that never end: where it was made */
	int64_t since;
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
		stw_places_want(&c->places, c->gather->left.items[i].creator_by);
		stw_places_want(&c->places, c->gather->left.items[i].wake);
	}
	for (size_t i = 0; i < c->gather->sites.count && c->gather->left.count >= (size_t)c->set[STW_SET_LEAK_NOTE]; i++) {
		const stw_load_site *s = &c->gather->sites.items[i];
		if (s->site.created)
			stw_places_want(&c->places, (stw_place){s->generation, s->site.stack});
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
	if (a->since != b->since)
		return a->since < b->since ? -1 : 1;
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

static bool waits_for_another(const stw_left *l)
{
	return l->wait == STW_WAIT_SYNC || l->wait == STW_WAIT_COND || l->wait == STW_WAIT_SEND || l->wait == STW_WAIT_RECEIVE ||
		l->wait == STW_WAIT_SELECT || l->wait == STW_WAIT_FOREVER;
}

/* An idle connection of a client waits in this one too; its other half shows whether an answer is still being read. */
static bool is_idle_half(const char *root)
{
	return strcmp(root, "net/http.(*persistConn).writeLoop") == 0;
}

static size_t collect(stw_case *c, leaked *all)
{
	size_t n = 0;
	for (size_t i = 0; i < c->gather->left.count; i++) {
		const stw_left *l = &c->gather->left.items[i];
		const stw_named_stack *at = stw_places_stack(&c->places, l->stack), *root = stw_places_stack(&c->places, l->root);
		const char *started = stw_root_function(root);
		stw_site site = stw_site_of(at);
		if (waits_for_another(l) && site.function && started && !stw_is_runtimes(root) && !is_idle_half(started))
			all[n++] = (leaked){l, started, site, l->since};
	}
	return n;
}

/* The program's frame that had it made: its maker's, or where that was the library, the maker's maker's. */
static const stw_named_stack *made_by(const stw_case *c, const stw_left *l)
{
	const stw_named_stack *made = stw_places_stack(&c->places, l->creator), *before = stw_places_stack(&c->places, l->creator_by);
	return made->user >= made->n && before->user < before->n ? before : made;
}

/* More and more, not one burst: they came in at least half of the slots of time since the first, in the later half too. */
static bool grows(const stw_case *c, group *g)
{
	int64_t age = c->set[STW_SET_LEAK_AGE], end = c->gather->last_time;
	if (g->served.longest_ns > age / 3)
		age = g->served.longest_ns < INT64_MAX / 3 ? g->served.longest_ns * 3 : INT64_MAX;
	size_t old = 0;
	while (old < g->n && end - g->items[old].since >= age)
		old++;
	g->n = old;
	if ((int64_t)old < c->set[STW_SET_LEAK_NOTE])
		return false;
	int64_t first = g->items[0].since, span = end - age - first;
	uint64_t most = 0, late = 0;
	unsigned used = 0;
	if (span < c->set[STW_SET_LEAK_AGE])
		return false;
	for (size_t i = 0; i < old; i++) {
		int64_t slot = (g->items[i].since - first) / (span / SLOTS + 1);
		g->by_slot[slot < SLOTS ? slot : SLOTS - 1]++;
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		used += g->by_slot[i] > 0;
		most = g->by_slot[i] > most ? g->by_slot[i] : most;
		late += i >= SLOTS / 2 ? g->by_slot[i] : 0;
	}
	return used >= SLOTS / 2 && most * 10 <= old * 6 && late * 5 >= old;
}

static bool is_unread_body(const char *root)
{
	return strcmp(root, "net/http.(*persistConn).readLoop") == 0;
}

static const char *cause_of(const group *g)
{
	if (is_unread_body(g->items->root))
		return "unclosed-body";
	switch (g->items->left->wait) {
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
		{"unclosed-body", "for an answer's body to be read or closed"},
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

/* The culprit: where they are blocked, if that is the program's own code; else who had them made. */
static const char *culprit_of(const stw_case *c, const group *g)
{
	const stw_named_stack *made = made_by(c, g->items->left);
	return stw_is_library(g->items->site.function) && made->user < made->n ? made->frames[made->user].function
									       : g->items->site.function;
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
			c, f, g->items[n - 1].since, "growth", "GoBlock", "%zu of them are blocked there by now", n);
		stw_found_value(c, e, "blocked", (int64_t)n);
	}
	stwatch_evidence *e = stw_found_step(c, f, c->gather->last_time, "end", "end of the trace",
		"%zu are blocked there, none for less than %s", g->n, stw_case_ms(c, c->gather->last_time - g->items[g->n - 1].since));
	stw_found_value(c, e, "blocked", (int64_t)g->n);
}

static void tell(stw_case *c, stw_found *f, const group *g, const char *cause)
{
	const leaked *first = g->items;
	const stw_named_stack *at = stw_places_stack(&c->places, first->left->stack), *made = made_by(c, first->left);
	for (size_t i = 1; !made->n && i < g->n; i++)
		made = made_by(c, g->items[i].left);
	int64_t grown = g->items[g->n - 1].since - first->since;
	const char *creator = made->n ? stw_user_function(made) : NULL;
	f->f.confidence = may_be_idle(g) ? STWATCH_POSSIBLE : STWATCH_LIKELY;
	f->culprit.leaf = stw_leaf_function(at);
	f->culprit.root = first->root;
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = first->left->g;
	f->f.title = stw_case_printf(c, "%zu goroutines%s%s stay blocked %s in %s, %.0f more every second", g->n,
		creator ? " made by " : "", creator ? creator : "", words_of(cause), first->site.function,
		(double)(g->n - 1) * 1e9 / (double)(grown > 0 ? grown : 1));
	f->f.advice = is_unread_body(first->root)
		? "read each answer's body to its end and close it on every path (defer resp.Body.Close()), even if it is of no interest"
		: may_be_idle(g)
		? "who ends them? close the channel or cancel the context when nobody will send any more; a goroutine profile "
		  "over a longer time shows whether their number goes on growing"
		: "let them end when nobody listens any more: a buffer for every answer, or a select with a context; a goroutine "
		  "profile over a longer time shows whether their number goes on growing";
	stwatch_evidence *e;
	if (made->n) {
		e = stw_found_step(c, f, first->since - 1, "made", "GoCreate", "they are made at %s", stw_case_site(c, made));
		stw_found_stack(e, made);
	}
	e = stw_found_step(c, f, first->since, "blocked", "GoBlock", "G%lld is the first to block at %s, and is not woken",
		(long long)first->left->g, stw_case_site(c, at));
	e->goroutine = first->left->g;
	stw_found_stack(e, at);
	tell_growth(c, f, g);
	if (g->served.times)
		stw_found_rules_out(c, f, "a slow queue: of %llu others that waited there the longest got away after %s",
			(unsigned long long)g->served.times, stw_case_ms(c, g->served.longest_ns));
	if (may_be_idle(g) && !is_unread_body(first->root))
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
	const char *cause = cause_of(g);
	bool fresh;
	stw_found *f = stw_found_for(c, "goroutine-leak", cause, culprit_of(c, g), -1, &fresh);
	stw_told_leak *told = stw_arena_alloc(&c->arena, sizeof *told);
	if (!f || !told)
		return;
	*told = (stw_told_leak){g->items->site, c->queues->leaks};
	c->queues->leaks = told;
	stwatch_severity severity = severity_of(c, g);
	if (severity > f->f.severity)
		f->f.severity = severity;
	if (fresh)
		tell(c, f, g, cause);
	for (; kept < g->n; kept++)
		stw_found_occurs(c, f, g->items[kept].since, c->gather->last_time, g->items[kept].left->g, STWATCH_NONE);
	f->culprit.count += g->n;
}

bool stw_is_leak(const stw_case *c, stw_site site)
{
	for (const stw_told_leak *l = c->queues ? c->queues->leaks : NULL; l; l = l->next)
		if (stw_site_same(l->site, site))
			return true;
	return false;
}

/* ---- those that never end ---- */

/* Woken by the clock or the network only, if at all: a worker that is given work is woken by who gives it. */
static bool lives_alone(const stw_case *c, const stw_left *l)
{
	const stw_named_stack *wake = stw_places_stack(&c->places, l->wake);
	if (l->wait == STW_WAIT_SLEEP || l->wait == STW_WAIT_NETWORK)
		return true;
	if (l->wait != STW_WAIT_RECEIVE && l->wait != STW_WAIT_SELECT)
		return false;
	return l->since > l->born && (l->waker < 0 || strcmp(wake->n ? stw_root_function(wake) : "", "runtime.timerproc") == 0);
}

static size_t collect_endless(stw_case *c, leaked *all)
{
	size_t n = 0;
	for (size_t i = 0; i < c->gather->left.count; i++) {
		const stw_left *l = &c->gather->left.items[i];
		const stw_named_stack *at = stw_places_stack(&c->places, l->stack), *root = stw_places_stack(&c->places, l->root),
				      *made = made_by(c, l);
		const char *function = stw_own_function(at, root);
		if (lives_alone(c, l) && function && !stw_is_library(function) && made->user < made->n && !stw_is_leak(c, stw_site_of(at)))
			all[n++] = (leaked){l, function, {made->frames[made->user].function, made->frames[made->user].line}, l->born};
	}
	return n;
}

/* How many goroutines were made at a spot in all, as far as that was counted. */
static uint64_t made_at(const stw_case *c, stw_site site)
{
	uint64_t n = 0;
	for (size_t i = 0; i < c->gather->sites.count; i++) {
		const stw_load_site *s = &c->gather->sites.items[i];
		const stw_named_stack *at = s->site.created ? stw_places_stack(&c->places, (stw_place){s->generation, s->site.stack})
							    : NULL;
		if (at && at->user < at->n && at->frames[at->user].line == site.line &&
			strcmp(at->frames[at->user].function, site.function) == 0)
			n += s->site.created;
	}
	return n;
}

static void tell_endless(stw_case *c, stw_found *f, const group *g, uint64_t made)
{
	const leaked *first = g->items;
	const stw_named_stack *at = stw_places_stack(&c->places, first->left->stack), *by = made_by(c, first->left);
	int64_t grown = g->items[g->n - 1].since - first->since;
	f->f.confidence = STWATCH_POSSIBLE;
	f->culprit.leaf = stw_leaf_function(at);
	f->culprit.root = first->root;
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = first->left->g;
	f->f.title = stw_case_printf(c, "%zu goroutines made by %s run %s and do not end, %.0f more every second", g->n,
		first->site.function, first->root, (double)(g->n - 1) * 1e9 / (double)(grown > 0 ? grown : 1));
	f->f.advice = "who ends them? stop the ticker and return when the work is over (a context, a closed channel), give reads a "
		      "deadline; a "
		      "goroutine profile over a longer time shows whether their number goes on growing";
	stwatch_evidence *e = stw_found_step(c, f, first->since, "made", "GoCreate", "G%lld is the first of them, made at %s",
		(long long)first->left->g, stw_case_site(c, by));
	e->goroutine = first->left->g;
	stw_found_stack(e, by);
	tell_growth(c, f, g);
	e = stw_found_step(c, f, c->gather->last_time, "waits", "GoBlock", "most stand like G%lld, at %s; only clock and network wake them",
		(long long)first->left->g, stw_case_site(c, at));
	stw_found_stack(e, at);
	if (made)
		stw_found_rules_out(c, f, "that they come and go: of %llu made there %zu live on", (unsigned long long)made, g->n);
	stw_found_rules_out(c, f, "not known: whether they are meant to stay (one for each client, say)");
}

static void judge_endless(stw_case *c, group *g)
{
	if ((int64_t)g->n < c->set[STW_SET_LEAK_NOTE] || !grows(c, g))
		return;
	uint64_t made = made_at(c, g->items->site);
	if (made && g->n * 10 < made * 6)
		return;
	bool fresh;
	stw_found *f = stw_found_for(c, "goroutine-leak", "never-ends", g->items->root, -1, &fresh);
	if (!f)
		return;
	/* A peer that says nothing is an idle connection. */
	bool loud = (int64_t)g->n >= c->set[STW_SET_LEAK_WARN] && g->items->left->wait != STW_WAIT_NETWORK;
	stwatch_severity severity = loud ? STWATCH_WARNING : STWATCH_NOTE;
	if (severity > f->f.severity)
		f->f.severity = severity;
	if (fresh)
		tell_endless(c, f, g, made);
	for (size_t i = 0; i < g->n; i++)
		stw_found_occurs(c, f, g->items[i].since, c->gather->last_time, g->items[i].left->g, STWATCH_NONE);
	f->culprit.count += g->n;
}

static void judge_groups(stw_case *c, leaked *all, size_t n, void (*judge_one)(stw_case *, group *))
{
	if (n > 1)
		qsort(all, n, sizeof *all, by_group);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from; to < n && compare(&all[from], &all[to]) == 0;)
			to++;
		judge_one(c, &(group){.items = &all[from], .n = to - from});
	}
}

static void judge(stw_case *c)
{
	leaked *all = stw_arena_alloc(&c->arena, (c->gather->left.count + 1) * sizeof *all);
	if (!all || !c->queues) {
		c->failed = true;
		return;
	}
	judge_groups(c, all, collect(c, all), judge_group);
	judge_groups(c, all, collect_endless(c, all), judge_endless);
}

const stw_rule stw_rule_leak = {"goroutine-leak", want, judge};
