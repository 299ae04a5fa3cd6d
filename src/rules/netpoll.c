/* Goroutines that a poll of the network woke and that had to wait long for a P: many connections become ready at once, one poll
 * hands them all out, and they queue behind each other. Where something else kept the P's, that is another rule's.
 * The kernel's readiness is not in a trace, and one poller at a time is how the runtime works: imbalance alone is no fault. */
#include <stdio.h>
#include <string.h>

#include "rules/waits.h"

enum { MOST = 4096, FEWEST = 50, FEWEST_LATE = 5, MOST_NAMES = 8, MOST_PROCS = 16, MOST_TOLD = 5 };
static const int64_t WINDOW_NS = 1000000000, BATCH_NS = 1000000;

/* A second (or the whole trace) in which wake-ups came too late. */
typedef struct second {
	stw_load load;
	int64_t p99; /* of the wake-ups in it, as far as it is 1 ms or more */
	stwatch_severity severity;
} second;

static void want(stw_case *c)
{
	stw_candidates_sort(&c->gather->polled);
	for (size_t i = 0; i < c->gather->polled.count && i < MOST; i++) {
		stw_places_want(&c->places, c->gather->polled.items[i].root);
		stw_places_want(&c->places, c->gather->polled.items[i].stack);
	}
}

static const char *own_function(const stw_case *c, const stw_candidate *w)
{
	return stw_own_function(stw_places_stack(&c->places, w->stack), stw_places_stack(&c->places, w->root));
}

/* The part of a wait that is nobody else's: no stop, no idle P beside it, not the whole process silent. */
static int64_t own_delay(const stw_case *c, const stw_candidate *w)
{
	int64_t ns = w->to - w->from - w->stopped_ns;
	if (w->idle_beside_ns * 2 >= ns || stw_overlap_outside(c, w->from, w->to) * 2 >= ns)
		return 0;
	return ns;
}

/* True where other things than such goroutines had the P's. */
static bool kept_by_others(stw_case *c, const stw_candidate *w, const char *const *names, size_t n)
{
	const char *load = stw_starved_load(c, w, NULL);
	bool ours = load == NULL;
	for (size_t i = 0; i < n && !ours; i++)
		ours = strcmp(load, names[i]) == 0;
	return !ours || w->use_ns[STW_USE_GC] * 10 >= w->proc_ns * 4 || w->use_ns[STW_USE_SYSCALL] * 2 >= w->proc_ns;
}

/* The functions that stand behind late wake-ups. */
static size_t name_late(const stw_case *c, const char **names)
{
	size_t n = 0;
	for (size_t i = 0; i < c->gather->polled.count && i < MOST && n < MOST_NAMES; i++) {
		const char *f = own_function(c, &c->gather->polled.items[i]);
		bool there = !f;
		for (size_t k = 0; k < n; k++)
			there |= strcmp(names[k], f ? f : "") == 0;
		if (!there)
			names[n++] = f;
	}
	return n;
}

static bool is_in(const stw_candidate *w, const stw_load *l)
{
	return w->from >= l->from && w->from <= l->to;
}

/* 0 where the 99th percentile is below the note. The list is in order of length, delays nearly so: a count tells the percentile. */
static stwatch_severity severity_of(const stw_case *c, second *s)
{
	static const int settings[] = {STW_SET_NETPOLL_NOTE, STW_SET_NETPOLL_WARN, STW_SET_NETPOLL_ERROR};
	static const stwatch_severity severities[] = {STWATCH_NOTE, STWATCH_WARNING, STWATCH_ERROR};
	uint64_t late[3] = {0}, least = s->load.polled / 100 + 1, seen = 0;
	for (size_t i = 0; i < c->gather->polled.count && i < MOST; i++) {
		const stw_candidate *w = &c->gather->polled.items[i];
		int64_t delay = is_in(w, &s->load) ? own_delay(c, w) : 0;
		for (int k = 0; k < 3; k++)
			late[k] += delay >= c->set[settings[k]];
		if (delay > 0 && ++seen == least)
			s->p99 = delay;
	}
	stwatch_severity severity = 0;
	for (int k = 0; k < 3 && s->load.polled >= FEWEST; k++)
		if (late[k] >= least && late[k] >= FEWEST_LATE)
			severity = severities[k];
	return severity;
}

/* The second that begins with a row; false where the trace has not enough left for one. */
static bool second_at(const stw_case *c, size_t first, second *s)
{
	*s = (second){0};
	if (!stw_gather_window(c->gather, first, WINDOW_NS, &s->load))
		return false;
	s->severity = s->load.polled >= FEWEST ? severity_of(c, s) : 0;
	return true;
}

/* How many were woken within a millisecond of one wake-up. */
static unsigned batch_of(const stw_case *c, const stw_candidate *w)
{
	unsigned n = 0;
	for (size_t i = 0; i < c->gather->polled.count && i < MOST; i++) {
		int64_t apart = c->gather->polled.items[i].from - w->from;
		n += apart > -BATCH_NS && apart < BATCH_NS;
	}
	return n;
}

static void tell_polls(stw_case *c, stw_found *f, const second *s)
{
	const stw_gather *a = c->gather;
	char line[400];
	size_t used = 0;
	uint64_t all = 0;
	line[0] = 0;
	for (size_t i = 0; i < a->loads.count; i++)
		all += a->loads.items[i].polled;
	for (int64_t p = 0; p < c->procs && p < MOST_PROCS && used + 40 < sizeof line; p++) {
		uint64_t n = 0;
		for (size_t i = 0; i < a->ps.count; i++)
			if (a->ps.items[i].id == p)
				n = a->ps.items[i].polled;
		used += (size_t)snprintf(line + used, sizeof line - used, n ? "%sP%lld %llu" : "%sP%lld none", used ? ", " : "",
			(long long)p, (unsigned long long)n);
	}
	uint64_t late = 0;
	for (size_t i = 0; i < a->loads.count; i++)
		late += a->loads.items[i].polled_late;
	int64_t median = stw_gather_percentile(a->polled_latency, all, a->polled_max, 0.5);
	stwatch_evidence *e = stw_found_step(c, f, s->load.from, "polls", "GoUnblock",
		"%llu waits for the network were handed out in the trace: by %s; by sysmon, where no P had polled for 10 ms, %llu",
		(unsigned long long)all, line, (unsigned long long)late);
	stw_found_value(c, e, "by_sysmon", (int64_t)late);
	e = stw_found_step(c, f, s->load.from, "delays", "GoUnblock to GoStart",
		"until they ran: %s in the mean, half within %s, %s at most; %s in the 99th percentile of this second",
		stw_case_ms(c, all ? a->polled_ns / (int64_t)all : 0), stw_case_ms(c, median), stw_case_ms(c, a->polled_max),
		stw_case_ms(c, s->p99));
	stw_found_value(c, e, "p50_ns", median);
	stw_found_value(c, e, "p99_ns", s->p99);
	stw_found_value(c, e, "max_ns", a->polled_max);
}

static void tell_worst(stw_case *c, stw_found *f, const second *s, const stw_candidate *worst)
{
	const stw_named_stack *at = stw_places_stack(&c->places, worst->stack);
	stwatch_evidence *e = stw_found_step(c, f, worst->from, "woken", "GoUnblock",
		"G%lld is woken by a poll, at %s; %u are within a millisecond", (long long)worst->g, stw_case_site(c, at),
		batch_of(c, worst));
	e->goroutine = worst->g;
	stw_found_stack(e, at);
	e = stw_found_step(c, f, worst->to, "runs", "GoStart", "G%lld runs at last, on P%lld, after %s", (long long)worst->g,
		(long long)worst->p, stw_case_ms(c, worst->to - worst->from));
	e->goroutine = worst->g;
	e->proc = worst->p;
	unsigned told = 1;
	for (size_t i = 0; i < c->gather->polled.count && i < MOST && told < MOST_TOLD; i++) {
		const stw_candidate *w = &c->gather->polled.items[i];
		if (w == worst || !is_in(w, &s->load) || own_delay(c, w) < c->set[STW_SET_NETPOLL_NOTE])
			continue;
		e = stw_found_step(c, f, w->to, "runs", "GoStart", "G%lld, woken at +%.3f ms, runs after %s", (long long)w->g,
			(double)(w->from - c->start) / 1e6, stw_case_ms(c, w->to - w->from));
		e->goroutine = w->g;
		told++;
	}
}

/* Waits that are told here are not told again as starvation; nor are those beside them of which it is not known what they were for. */
static void take_over(stw_case *c, const stw_load *l, const char *const *names, size_t n)
{
	for (size_t i = 0; i < c->gather->runnable_stays.count; i++) {
		stw_candidate *w = &c->gather->runnable_stays.items[i];
		if ((w->how == STW_HOW_POLLED || w->how == STW_HOW_ALONE) && is_in(w, l) && own_delay(c, w) > 0 &&
			!kept_by_others(c, w, names, n))
			w->taken = true;
	}
}

/* The late ones of a second that are the network's own. */
static const stw_candidate *add_late(stw_case *c, const second *s, const char *const *names, size_t n, stw_found **found)
{
	const stw_candidate *worst = NULL;
	bool fresh;
	for (size_t i = 0; i < c->gather->polled.count && i < MOST; i++) {
		const stw_candidate *w = &c->gather->polled.items[i];
		const char *own = own_function(c, w);
		if (!is_in(w, &s->load) || own_delay(c, w) < c->set[STW_SET_NETPOLL_NOTE] || kept_by_others(c, w, names, n))
			continue;
		if (!*found &&
			!(*found = stw_found_for(c, "netpoll-imbalance", "readiness-burst", stw_starved_load(c, w, NULL), -1, &fresh)))
			return NULL;
		if (!worst)
			worst = w;
		stw_found_occurs(c, *found, w->from, w->to, w->g, w->p);
		stw_found_harms(
			c, *found, own ? own : "unknown", stw_root_function(stw_places_stack(&c->places, w->root)), w->g, own_delay(c, w));
	}
	return worst;
}

static bool mostly_ours(stw_case *c, const stw_load *l, const char *const *names, size_t n)
{
	size_t ours = 0, all = 0;
	for (size_t i = 0; i < c->gather->polled.count && i < MOST; i++) {
		const stw_candidate *w = &c->gather->polled.items[i];
		if (!is_in(w, l) || own_delay(c, w) < c->set[STW_SET_NETPOLL_NOTE])
			continue;
		all++;
		ours += !kept_by_others(c, w, names, n);
	}
	return ours * 2 >= all;
}

static void judge(stw_case *c)
{
	const char *names[MOST_NAMES];
	size_t n = name_late(c, names);
	stw_found *f = NULL;
	second s, worst_second = {0};
	const stw_candidate *worst = NULL;
	int64_t told_to = STW_TIME_UNKNOWN;
	if (c->gather->polled.count < FEWEST_LATE)
		return;
	for (size_t i = 0; i < c->gather->loads.count && second_at(c, i, &s); i++) {
		if (!s.severity || s.load.from < told_to || !mostly_ours(c, &s.load, names, n))
			continue;
		const stw_candidate *w = add_late(c, &s, names, n, &f);
		if (!w)
			continue;
		told_to = s.load.to;
		take_over(c, &s.load, names, n);
		if (!worst || s.severity > worst_second.severity || (s.severity == worst_second.severity && s.p99 > worst_second.p99)) {
			worst = w;
			worst_second = s;
		}
	}
	if (!worst)
		return;
	const char *who = own_function(c, worst);
	f->f.severity = worst_second.severity;
	f->f.confidence = STWATCH_LIKELY;
	f->culprit.kind = "goroutine";
	f->culprit.root = stw_root_function(stw_places_stack(&c->places, worst->root));
	f->f.title = stw_case_printf(c,
		"%s, woken by the network with %u others at one time, ran %s later (99th percentile of %llu wake-ups in a second: %s)",
		who ? who : "a goroutine", batch_of(c, worst) - 1, stw_case_ms(c, worst->to - worst->from),
		(unsigned long long)worst_second.load.polled, stw_case_ms(c, worst_second.p99));
	f->f.advice = "what one wake-up costs, times how many come at once, is what the last one waits: make the work per message cheaper "
		      "or batch it, "
		      "spread the senders, give the process more CPUs";
	tell_polls(c, f, &worst_second);
	tell_worst(c, f, &worst_second, worst);
	stw_found_rules_out(c, f, "one P that polls for all: that is how it works, and costs nothing by itself");
	stw_found_rules_out(c, f, "not known: for how long the connections had been ready in the kernel before a poll found them");
}

const stw_rule stw_rule_netpoll = {"netpoll-imbalance", want, judge};
