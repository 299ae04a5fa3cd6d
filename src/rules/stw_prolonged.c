/* One stop-the-world that took too long: who kept it waiting, or what ran while it stood. */
#include <stdlib.h>
#include <string.h>

#include "rules/stop_story.h"
#include "rules/waits.h"

enum { MOST_STOPS = 400, MOST_SAMPLED = 60 };

static int longest_first(const void *x, const void *y)
{
	const stw_stop *a = x, *b = y;
	int64_t la = a->to - a->sure_from, lb = b->to - b->sure_from;
	return la != lb ? (la < lb ? 1 : -1) : a->from < b->from ? -1 : a->from > b->from;
}

static size_t long_stops(stw_case *c)
{
	size_t n = 0;
	if (c->gather->stops.count > 1)
		qsort(c->gather->stops.items, c->gather->stops.count, sizeof *c->gather->stops.items, longest_first);
	while (n < c->gather->stops.count && n < MOST_STOPS &&
		c->gather->stops.items[n].to - c->gather->stops.items[n].sure_from >= c->set[STW_SET_STW_NOTE])
		n++;
	return n;
}

static void want(stw_case *c)
{
	size_t n = long_stops(c);
	for (size_t i = 0; i < n; i++) {
		const stw_stop *s = &c->gather->stops.items[i];
		stw_places_want(&c->places, (stw_place){s->generation, s->stack});
		stw_places_want(&c->places, (stw_place){s->generation, s->root});
		for (uint32_t k = 0; k < s->n_moments; k++) {
			const stw_stop_moment *m = stw_stop_moment_of(c, s, k);
			stw_places_want(&c->places, (stw_place){m->generation, m->root});
			stw_places_want(&c->places, (stw_place){m->generation, m->stack});
			stw_places_want(&c->places, (stw_place){m->generation, m->before});
		}
		if (i < MOST_SAMPLED)
			stw_places_want_samples(&c->places, s->from, s->to, s->generation);
	}
}

/* What the samples between two times show of a goroutine. */
typedef struct seen {
	unsigned on_it, clock, on_p;
	const stw_sample *first;
	const char *leaf; /* where most of them were */
	const stw_named_stack *leaf_stack;
} seen;

static bool is_clock(const char *f)
{
	static const char *const names[] = {"time.now", "time.Now", "time.Since", "runtime.nanotime", "runtime.nanotime1",
		"runtime.walltime", "time.runtimeNano", "time.runtimeNow"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], f) == 0)
			return true;
	return strncmp(f, "runtime.vdso", 12) == 0;
}

static seen look_at_samples(const stw_case *c, int64_t from, int64_t to, int64_t g, int64_t p)
{
	seen s = {0};
	unsigned best = 0;
	for (size_t i = 0; i < c->places.samples.count; i++) {
		const stw_sample *a = &c->places.samples.items[i];
		if (a->at < from || a->at > to || a->p != p)
			continue;
		s.on_p++;
		if (a->g != g)
			continue;
		s.on_it++;
		if (!s.first)
			s.first = a;
		for (uint32_t k = 0; k < a->stack.n && k < 3; k++)
			if (is_clock(a->stack.frames[k].function)) {
				s.clock++;
				break;
			}
		const char *leaf = stw_user_function(&a->stack);
		unsigned same = 0;
		for (size_t j = i; leaf && j < c->places.samples.count; j++) {
			const stw_sample *b = &c->places.samples.items[j];
			const char *other = stw_user_function(&b->stack);
			same += b->at <= to && b->g == g && other && strcmp(other, leaf) == 0;
		}
		if (same > best) {
			best = same;
			s.leaf = leaf;
			s.leaf_stack = &a->stack;
		}
	}
	return s;
}

/* The deepest frame outside the library that two stacks share, counted from their roots: the code that was there before and after. */
static const char *common_function(const stw_named_stack *a, const stw_named_stack *b)
{
	const char *common = NULL;
	for (uint32_t i = 0; i < a->n && i < b->n; i++) {
		const char *f = a->frames[a->n - 1 - i].function, *g = b->frames[b->n - 1 - i].function;
		if (strcmp(f, g) != 0)
			break;
		if (!stw_is_library(f))
			common = f;
	}
	return common;
}

static const char *culprit_of(const stw_case *c, const stw_stop_moment *m, const seen *samples)
{
	const stw_named_stack *at = stw_places_stack(&c->places, (stw_place){m->generation, m->stack});
	const stw_named_stack *before = stw_places_stack(&c->places, (stw_place){m->generation, m->before});
	const stw_named_stack *root = stw_places_stack(&c->places, (stw_place){m->generation, m->root});
	const stw_named_stack *first = samples->first ? &samples->first->stack : at;
	const char *f = first->n && at->n ? common_function(first, at) : NULL;
	if (before->n && at->n && first == at) {
		const char *both = common_function(before, at);
		f = both ? both : f;
	}
	if (!f)
		f = stw_own_function(at->n ? at : first, root);
	return f;
}

static void tell_samples(stw_case *c, stw_found *f, const stw_stop *s, const stw_stop_moment *m, const seen *samples)
{
	if (!samples->on_p) {
		if (stw_profiled(c, s->from, m->at))
			stw_found_rules_out(c, f,
				"not known: the trace has CPU samples, but none of P%lld in that time (the kernel may have taken the CPU "
				"away)",
				(long long)m->p);
		else
			stw_found_rules_out(c, f,
				"not known: what ran on P%lld meanwhile (no CPU samples in the trace), nor whether the kernel took the CPU "
				"away",
				(long long)m->p);
		return;
	}
	if (!samples->leaf)
		return;
	stwatch_evidence *e = stw_found_step(c, f, s->from + 1, "sample", "CPUSample",
		"%u of %u CPU samples on P%lld until it stopped show G%lld: mostly %s", samples->on_it, samples->on_p, (long long)m->p,
		(long long)m->g, stw_case_site(c, samples->leaf_stack));
	e->proc = m->p;
	e->goroutine = m->g;
	stw_found_stack(e, samples->leaf_stack);
	stw_found_value(c, e, "samples", samples->on_it);
	stw_found_value(c, e, "samples_on_proc", samples->on_p);
	stw_found_value(c, e, "samples_in_clock", samples->clock);
}

/* A finding is as loud as the longest of its stops that are sure. They come by that length. */
static stwatch_severity loudest(const stw_case *c, const stw_stop *s)
{
	int64_t sure = s->to - s->sure_from;
	return sure >= c->set[STW_SET_STW_ERROR] ? STWATCH_ERROR : sure >= c->set[STW_SET_STW_WARN] ? STWATCH_WARNING : STWATCH_NOTE;
}

static void limit(const stw_case *c, stw_found *f, const stw_stop *s)
{
	if (!f->most)
		f->most = loudest(c, s);
}

/* Without CPU samples, where goroutines of several functions ran on without a break: the machine gave the CPU to others, and may have kept this one
 * from it too. Who comes last again and again is more than that. */
static void doubt(stw_case *c, stw_found *f, const stw_stop *s, bool fresh)
{
	enum { OFTEN = 3 };
	if (c->has_samples || stw_run_on_functions(c) < 3)
		return;
	if (fresh) {
		f->doubted_most = loudest(c, s);
		f->doubted_confidence = f->f.confidence;
		f->f.confidence = STWATCH_POSSIBLE;
		f->most = f->most > STWATCH_WARNING ? STWATCH_WARNING : f->most;
		stw_found_rules_out(c, f,
			"not known: whether it executed: goroutines of several functions ran on in this trace, as on a machine "
			"that gives the CPU to others");
	}
	if (f->occurrences.count == OFTEN) {
		f->f.confidence = f->doubted_confidence;
		f->most = f->doubted_most;
	}
}

/* The function behind the P that came last; NULL: none of the program's is shown to have run there. */
static const char *last_of(const stw_case *c, const stw_stop *s, const seen *samples)
{
	const stw_stop_moment *m = stw_stop_moment_of(c, s, (uint32_t)s->last);
	const stw_named_stack *root = stw_places_stack(&c->places, (stw_place){m->generation, m->root});
	bool ran_on = m->g >= 0 && m->was != STW_USE_SYSCALL && m->was != STW_USE_GC && m->was != STW_USE_GC_IDLE &&
		!stw_is_runtimes(root) && m->run_from <= m->at;
	const char *culprit = ran_on ? culprit_of(c, m, samples) : NULL;
	/* not a goroutine of the runtime's own, whose beginning the trace does not show */
	return culprit && strncmp(culprit, "runtime.", 8) != 0 ? culprit : NULL;
}

static bool waited_for(const stw_case *c, const stw_stop *s)
{
	return s->last >= 0 && (stw_stop_moment_of(c, s, (uint32_t)s->last)->at - s->from) * 2 >= s->to - s->from;
}

/* Without CPU samples: many functions came last in turn, none of them often. Code that can't be preempted is one or two; whoever the
 * kernel takes the CPU from is anybody. */
static bool anybody(const stw_case *c, size_t n)
{
	enum { FUNCTIONS = 4 };
	const char *seen_last[FUNCTIONS];
	unsigned times[FUNCTIONS] = {0}, functions = 0, all = 0, most = 0;
	if (c->has_samples || !c->preempts)
		return false;
	for (size_t i = 0; i < n; i++) {
		const stw_stop *s = &c->gather->stops.items[i];
		const char *f = waited_for(c, s) ? last_of(c, s, &(seen){0}) : NULL;
		unsigned k = 0;
		if (!f)
			continue;
		all++;
		while (k < functions && strcmp(seen_last[k], f) != 0)
			k++;
		if (k == FUNCTIONS)
			continue;
		seen_last[k] = f;
		functions += k == functions;
		times[k]++;
		most = times[k] > most ? times[k] : most;
	}
	return functions == FUNCTIONS && most * 2 < all;
}

/* The stop waited for a goroutine that ran on. */
static void held_up(stw_case *c, const stw_stop *s, const char *kind, bool by_anybody)
{
	const stw_stop_moment *m = stw_stop_moment_of(c, s, (uint32_t)s->last);
	seen samples = look_at_samples(c, s->from, m->at, m->g, m->p);
	const stw_named_stack *root = stw_places_stack(&c->places, (stw_place){m->generation, m->root});
	const char *culprit = by_anybody ? NULL : last_of(c, s, &samples);
	bool clock = samples.on_it >= 4 && samples.clock * 2 >= samples.on_it;
	const char *cause = !culprit ? "unknown" : clock ? "hot-clock" : "non-preemptible";
	bool fresh;
	stw_found *f = stw_found_for(c, "stw-prolonged", cause, culprit, STW_SET_STW_NOTE, &fresh);
	if (!f)
		return;
	limit(c, f, s);
	stw_found_occurs(c, f, s->from, s->to, m->g, m->p);
	stw_stop_harms(c, f, s);
	if (!fresh) {
		if (culprit)
			doubt(c, f, s, false);
		return;
	}
	stw_stop_phases(c, f, s);
	int64_t share = m->at - (s->second > s->from ? s->second : s->from);
	bool executed = (int64_t)samples.on_it * 10000000 * 2 >= m->at - s->from; /* samples come every 10 ms of CPU time */
	bool off_cpu = stw_profiled(c, s->from, m->at) && !samples.on_p && m->at - s->from >= 50000000;
	f->f.confidence = !culprit || off_cpu                                       ? STWATCH_POSSIBLE
		: executed && share * 5 >= (s->stood - s->from) * 4 && !s->inferred ? STWATCH_CERTAIN
										    : STWATCH_LIKELY;
	if (culprit) {
		const stw_named_stack *at = stw_places_stack(&c->places, (stw_place){m->generation, m->stack});
		const char *leaf = samples.leaf ? samples.leaf : stw_user_function(at);
		f->culprit.leaf = leaf && strcmp(leaf, culprit) != 0 ? leaf : samples.leaf ? samples.leaf : NULL;
		f->culprit.root = stw_root_function(root);
		f->culprit.kind = "goroutine";
		f->culprit.goroutine = m->g;
		f->culprit.proc = m->p;
		f->culprit.count = 1;
		f->f.title = stw_case_printf(c, "%s%s%s held up the world for %s of a stop of %s (%s)",
			f->culprit.leaf ? f->culprit.leaf : "", f->culprit.leaf ? " < " : "", culprit, stw_case_ms(c, share),
			stw_case_ms(c, s->to - s->from), kind);
		f->f.advice = clock ? "it reads the clock in a hot loop: read it once per batch of work; else split the loop"
				    : "is GODEBUG=asyncpreemptoff=1 set? else split the work: a long memory clear, copy, system call "
				      "without the scheduler or assembly can't be preempted";
		stw_found_rules_out(c, f, "P%lld in a system call: it was running G%lld", (long long)m->p, (long long)m->g);
		if (m->run_from != STW_TIME_UNKNOWN && m->run_from < s->from) {
			stwatch_evidence *e = stw_found_step(c, f, m->run_from, "started", "GoStart", "G%lld %s starts on P%lld",
				(long long)m->g, culprit, (long long)m->p);
			e->goroutine = m->g;
			e->proc = m->p;
			stw_found_stack(e, stw_places_stack(&c->places, (stw_place){m->generation, m->before}));
		}
	} else {
		f->f.title = stw_case_printf(c,
			"a stop of %s (%s): P%lld came last, after %s, but nobody in the program is shown to have kept it",
			stw_case_ms(c, s->to - s->from), kind, (long long)m->p, stw_case_ms(c, m->at - s->from));
		f->f.advice = "record again with a CPU profile running; look for a busy machine or a CPU quota";
		if (by_anybody)
			stw_found_rules_out(c, f, "code that can't be preempted: many different functions came last in turn");
	}
	stw_tell_stops(c, f, s); /* before the rest: at one instant, the last proc stops and then the world stands */
	stw_tell_asked(c, f, s, kind);
	tell_samples(c, f, s, m, &samples);
	if (culprit)
		doubt(c, f, s, true);
}

/* Whether procs may have been waited for of which the trace does not tell, as events are missing. */
static bool may_have_waited(const stw_case *c, const stw_stop *s)
{
	return s->n_moments + 1 < stw_gather_procs(c->gather) && stw_trace_is_doubtful(c->trace, s->from, s->to);
}

/* The time went while the world stood, or nobody had to be waited for. */
static void stood(stw_case *c, const stw_stop *s, const char *kind)
{
	const stw_named_stack *stack = stw_places_stack(&c->places, (stw_place){s->generation, s->stack});
	const stw_named_stack *root = stw_places_stack(&c->places, (stw_place){s->generation, s->root});
	bool untold = may_have_waited(c, s);
	bool gc = strncmp(kind, "GC", 2) == 0, standing = !untold && (s->to - s->stood) * 2 >= s->to - s->from;
	const char *culprit = !gc && standing && stack->n && stack->user < stack->n ? stw_user_function(stack) : NULL;
	bool fresh;
	stw_found *f = stw_found_for(c, "stw-prolonged", standing ? "stop-work" : "unknown", culprit, STW_SET_STW_NOTE, &fresh);
	if (!f)
		return;
	limit(c, f, s);
	stw_found_occurs(c, f, s->from, s->to, s->g, s->p);
	stw_stop_harms(c, f, s);
	if (!fresh)
		return;
	stw_stop_phases(c, f, s);
	f->f.confidence = standing ? STWATCH_LIKELY : STWATCH_POSSIBLE;
	f->culprit.leaf = stw_leaf_function(stack);
	f->culprit.root = stw_root_function(root);
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = s->g;
	f->culprit.proc = s->p;
	f->culprit.count = 1;
	f->f.title = standing
		? stw_case_printf(c, "the world stood for %s of a stop of %s, for what was done in it (%s%s%s)",
			  stw_case_ms(c, s->to - s->stood), stw_case_ms(c, s->to - s->from), kind, culprit ? ", asked for by " : "",
			  culprit ? culprit : "")
		: stw_case_printf(c, "a stop of %s (%s), and no proc is shown to have kept it", stw_case_ms(c, s->to - s->from), kind);
	f->f.advice = untold ? "record again: events of this trace are missing"
		: gc         ? "see the collector's own figures (GODEBUG=gctrace=1)"
			     : "ask for this stop less often, or for something cheaper (runtime/metrics instead of ReadMemStats, fewer "
			       "goroutines in a dump)";
	stw_tell_stops(c, f, s);
	stw_tell_asked(c, f, s, kind);
	if (untold)
		stw_found_rules_out(c, f, "not known: what procs did of which events are missing");
	else
		stw_found_rules_out(c, f,
			"a goroutine that would not be preempted: all other procs had stopped %s after the stop was asked for",
			stw_case_ms(c, s->stood - s->from));
}

static void judge(stw_case *c)
{
	size_t n = long_stops(c);
	bool by_anybody = anybody(c, n);
	for (size_t i = 0; i < n; i++) {
		const stw_stop *s = &c->gather->stops.items[i];
		const char *kind = stw_intern_get(&c->gather->names, s->kind).data;
		if (waited_for(c, s))
			held_up(c, s, kind, by_anybody);
		else if (!stw_is_collectors_own(c, s) || stw_stood_off_cpu(c, s)) /* else that is gc-mark-termination */
			stood(c, s, kind);
	}
}

const stw_rule stw_rule_stw_prolonged = {"stw-prolonged", want, judge};
