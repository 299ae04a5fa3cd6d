/* A collection's own stops (sweep termination at its begin, mark termination at its end) that lasted because of what the
 * collector did in them. Where somebody kept the world waiting, it is stw-prolonged. */
#include <string.h>

#include "rules/stop_story.h"
#include "rules/waits.h"

enum { MOST_STOPS = 400, MOST_SAMPLED = 40 };

static int64_t standing(const stw_stop *s)
{
	return s->to - s->stood;
}

static bool counts(const stw_case *c, const stw_stop *s)
{
	return stw_is_collectors_own(c, s) && standing(s) >= c->set[STW_SET_GCTERM_NOTE];
}

static void want(stw_case *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->gather->stops.count && n < MOST_STOPS; i++) {
		const stw_stop *s = &c->gather->stops.items[i];
		if (!counts(c, s))
			continue;
		n++;
		stw_places_want(&c->places, (stw_place){s->generation, s->stack});
		stw_places_want(&c->places, (stw_place){s->generation, s->root});
		for (uint32_t k = 0; k < s->n_moments; k++)
			stw_places_want(&c->places, (stw_place){s->generation, stw_stop_moment_of(c, s, k)->stack});
		if (n <= MOST_SAMPLED && standing(s) >= 10000000)
			stw_places_want_samples(&c->places, s->from, s->to, s->generation);
	}
}

typedef struct seen {
	unsigned samples;
	const stw_named_stack *stack; /* of the last */
} seen;

/* CPU samples of who stopped the world, while it stood: only he works then. */
static seen look_at_samples(const stw_case *c, const stw_stop *s)
{
	seen r = {0};
	for (size_t i = 0; i < c->places.samples.count; i++) {
		const stw_sample *x = &c->places.samples.items[i];
		if (x->at < s->stood || x->at > s->to || (x->g != s->g && x->p != s->p))
			continue;
		r.samples++;
		r.stack = &x->stack;
	}
	return r;
}

/* A few long stops among many may be the kernel's doing; the collector's own slowness shows in a quarter of them (in two at least),
 * or in CPU samples. */
static stwatch_severity severity_of(stw_case *c, int64_t worst, int64_t usual, int64_t whole, bool executed)
{
	int64_t sure = executed ? worst : usual, should, got;
	if (!executed && stw_cpu_taken(c, &should, &got))
		return STWATCH_NOTE;
	if (sure >= c->set[STW_SET_GCTERM_ERROR])
		return STWATCH_ERROR;
	if (sure >= c->set[STW_SET_GCTERM_WARN] || whole >= c->set[STW_SET_STW_WARN])
		return STWATCH_WARNING;
	return STWATCH_NOTE;
}

static void tell(stw_case *c, stw_found *f, const stw_stop *s, const char *kind, bool begins, const seen *r)
{
	const stw_named_stack *stack = stw_places_stack(&c->places, (stw_place){s->generation, s->stack});
	bool worker = false;
	for (uint32_t i = 0; i < stack->n; i++)
		worker |= strcmp(stack->frames[i].function, "runtime.gcBgMarkWorker") == 0;
	stw_tell_stops(c, f, s);
	stw_tell_asked(c, f, s, kind);
	stw_found_step(c, f, s->stood, "worked", "STWBegin", "%s worked alone: G%lld on P%lld, %s",
		begins ? "who begins the collection" : "who ends the collection", (long long)s->g, (long long)s->p,
		worker                  ? "a mark worker"
			: stack->n == 0 ? "doing what is not known"
			: begins        ? "in an allocation or a call of runtime.GC"
					: "in an assist");
	if (r->samples) {
		stwatch_evidence *e = stw_found_step(c, f, s->stood + 1, "sample", "CPUSample",
			"%u CPU samples while the world stood, the last at %s", r->samples,
			r->stack->n ? r->stack->frames[0].function : "an unknown place");
		stw_found_stack(e, r->stack);
	}
	if (c->gather->heap_max)
		stw_found_step(c, f, s->stood + 2, "heap", "HeapAlloc",
			"the heap had %.1f MiB at most, %llu goroutines were there at one time, %lld procs",
			(double)c->gather->heap_max / (1 << 20), (unsigned long long)c->gather->alive_max, (long long)c->procs);
}

static const char *advice(bool begins)
{
	if (begins)
		return "what the last collection left unswept is swept here, and every sync.Pool is emptied: collections that follow each "
		       "other at "
		       "once (runtime.GC, a tight GOGC) leave more to sweep; is GODEBUG=gccheckmark or gcstoptheworld set?";
	return "is GODEBUG=gccheckmark set (it marks all again)? very many procs, threads or spans make it longer; GODEBUG=gctrace=1 has "
	       "its "
	       "share; see whether the machine took the CPU away";
}

static bool is_of(const char *kind, bool begins)
{
	return stw_stop_class_of(kind) == STW_STOP_GC && (strstr(kind, "sweep") != NULL) == begins;
}

static uint64_t stops_of(const stw_case *c, bool begins)
{
	uint64_t n = 0;
	for (size_t i = 0; i < c->gather->rows.count; i++)
		n += is_of(stw_intern_get(&c->gather->names, c->gather->rows.items[i].kind).data, begins) ? c->gather->rows.items[i].count
													  : 0;
	return n;
}

/* How long a quarter of the stops stood at least, two at the least. */
static int64_t usual_of(const stw_found *f, uint64_t stops)
{
	uint64_t least = stops / 4 > 2 ? stops / 4 : 2;
	int64_t low = 0, high = INT64_MAX;
	while (low < high) { /* the list is short, and in no order */
		int64_t mid = low + (high - low) / 2 + 1;
		uint64_t n = 0;
		for (size_t i = 0; i < f->occurrences.count; i++)
			n += f->occurrences.items[i].duration_ns >= mid;
		if (n >= least)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

static void judge_kind(stw_case *c, bool begins)
{
	const stw_stop *worst = NULL;
	bool fresh;
	stw_found *f = NULL;
	for (size_t i = 0; i < c->gather->stops.count; i++) {
		const stw_stop *s = &c->gather->stops.items[i];
		const char *kind = stw_intern_get(&c->gather->names, s->kind).data;
		if (!counts(c, s) || stw_stood_off_cpu(c, s) || !is_of(kind, begins))
			continue;
		if (!f &&
			!(f = stw_found_for(c, "gc-mark-termination", begins ? "sweep-termination" : "mark-termination", NULL, -1, &fresh)))
			return;
		stw_found_occurs(c, f, s->stood, s->to, s->g, s->p);
		stw_stop_harms(c, f, s);
		if (!worst || standing(s) > standing(worst))
			worst = s;
	}
	if (!worst)
		return;
	const char *kind = stw_intern_get(&c->gather->names, worst->kind).data;
	seen r = look_at_samples(c, worst);
	bool executed = (int64_t)r.samples * 10000000 * 2 >= standing(worst) && r.samples > 0;
	f->f.severity = severity_of(c, standing(worst), usual_of(f, stops_of(c, begins)), worst->to - worst->from, executed);
	f->f.confidence = executed ? STWATCH_LIKELY : STWATCH_POSSIBLE;
	stw_stop_phases(c, f, worst);
	f->f.title = stw_case_printf(c, "the world stood for %s of a stop of %s (%s), for the collector's own work",
		stw_case_ms(c, standing(worst)), stw_case_ms(c, worst->to - worst->from), kind);
	f->f.advice = advice(begins);
	tell(c, f, worst, kind, begins, &r);
	stw_found_rules_out(c, f, "a goroutine that would not be preempted: all other procs had stopped %s after the stop was asked for",
		stw_case_ms(c, worst->stood - worst->from));
	if (!executed)
		stw_found_rules_out(c, f, "not known: whether the kernel took the CPU away meanwhile (too few CPU samples to tell)");
}

/* ---- who was late for the end of marking ---- */

/* When no mark worker is left at work, every proc has to pass a safe point before the world is stopped (gcMarkDone: forEachP); before that, the
 * stacks of all goroutines must have been scanned, and each has to stop for it (suspendG). For neither there is an event. But the stop follows
 * at once on who came last: one that ran on past all patience, and gave way just before. */
enum { MOST_RUNS = 500 };

static const stw_candidate *last_before(stw_case *c, const stw_cycle *cycle)
{
	const stw_candidate *last = NULL;
	for (size_t i = 0; i < c->gather->runs.count && i < MOST_RUNS; i++) {
		stw_candidate *r = &c->gather->runs.items[i];
		if (stw_ends_marking(cycle, r->from, r->to) && r->g != cycle->asker && (!last || r->to > last->to) && stw_ran_on(c, r))
			last = r;
	}
	return last;
}

bool stw_ends_marking(const stw_cycle *cycle, int64_t from, int64_t to)
{
	enum { AT_ONCE_NS = 2000000, SHARE = 64 };
	return cycle->stopped != STW_TIME_UNKNOWN && to <= cycle->stopped && cycle->stopped - to <= AT_ONCE_NS + (to - from) / SHARE;
}

/* Since when who ended the collection was at it. He is often preempted just after he has waited. */
static int64_t asker_since(const stw_case *c, const stw_cycle *cycle, const stw_candidate *r)
{
	for (size_t i = 0; i < c->gather->runs.count; i++) {
		const stw_candidate *own = &c->gather->runs.items[i];
		if (own->g == cycle->asker && own->from <= r->to && own->to >= r->to)
			return own->from;
	}
	return cycle->asker_since == STW_TIME_UNKNOWN || cycle->asker_since > r->to ? r->to : cycle->asker_since;
}

/* The earliest that it can have been waited for: when who ended the collection began to work, and another worker was last at work. */
static int64_t waited_since(const stw_case *c, const stw_cycle *cycle, const stw_candidate *r)
{
	int64_t since = r->from > cycle->from ? r->from : cycle->from, asker = asker_since(c, cycle, r);
	if (asker > since)
		since = asker;
	for (size_t i = c->gather->uses.count; i-- > 0 && c->gather->uses.items[i].to > since;) {
		const stw_proc_use *u = &c->gather->uses.items[i];
		if ((u->use == STW_USE_GC || u->use == STW_USE_GC_IDLE) && u->to <= r->to)
			since = u->to;
	}
	return since;
}

/* Who assists and finds no work waits for the end of marking, as does who asked for the collection. The longest of it. */
static int64_t harm(stw_case *c, stw_found *f, int64_t from, int64_t to)
{
	int64_t most = 0;
	for (size_t i = 0; i < c->gather->waits.count; i++) {
		const stw_candidate *w = &c->gather->waits.items[i];
		const stw_named_stack *root = stw_places_stack(&c->places, w->root);
		int64_t part = w->wait == STW_WAIT_GC && !w->gc_worker ? stw_overlap(w->from, w->to, from, to) : 0;
		const char *own = part >= 1000000 && !stw_is_runtimes(root) ? stw_own_function(stw_places_stack(&c->places, w->stack), root)
									    : NULL;
		if (!own)
			continue;
		stw_found_harms(c, f, own, stw_root_function(root), w->g, part);
		most = part > most ? part : most;
	}
	return most;
}

static void judge_late(stw_case *c, const stw_cycle *cycle)
{
	const stw_candidate *r = last_before(c, cycle);
	int64_t since = r ? waited_since(c, cycle, r) : 0;
	if (!r || r->to - since < c->set[STW_SET_GCTERM_WARN])
		return;
	const stw_named_stack *at = stw_places_stack(&c->places, r->stack), *root = stw_places_stack(&c->places, r->root);
	const char *culprit = stw_own_function(at, root);
	bool fresh;
	stw_found *f = stw_found_for(c, "gc-mark-termination", "late-goroutine", culprit, -1, &fresh);
	if (!f)
		return;
	int64_t before = f->f.worst_ns, most = harm(c, f, since, r->to);
	stw_found_occurs(c, f, since, r->to, r->g, r->p);
	stwatch_severity severity = most >= c->set[STW_SET_GCTERM_ERROR] ? STWATCH_ERROR
		: most >= c->set[STW_SET_GCTERM_WARN]                    ? STWATCH_WARNING
									 : STWATCH_NOTE;
	if (severity > f->f.severity)
		f->f.severity = severity;
	if (!fresh && r->to - since <= before)
		return;
	f->evidence.count = 0;
	f->ruled_out.count = 0;
	unsigned samples = stw_samples_of(c, r);
	f->f.confidence = samples ? STWATCH_LIKELY : STWATCH_POSSIBLE;
	if (!samples)
		f->most = STWATCH_WARNING; /* the kernel may have kept it */
	f->culprit.leaf = stw_user_function(at);
	f->culprit.root = stw_root_function(root);
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = r->g;
	f->culprit.proc = r->p;
	f->culprit.count = 1;
	f->f.title = stw_case_printf(c, "a collection could not end for up to %s, until %s gave way", stw_case_ms(c, r->to - since),
		culprit ? culprit : "a goroutine");
	f->f.advice = "is GODEBUG=asyncpreemptoff=1 set? else split the work: long memory moves, assembly and raw system calls can't be "
		      "preempted";
	stwatch_evidence *e = stw_found_step(c, f, r->from, "started", "GoStart", "G%lld runs on P%lld", (long long)r->g, (long long)r->p);
	e->goroutine = r->g;
	e->proc = r->p;
	stw_found_step(c, f, since, "alone", "inferred from GoStart, GoLabel and GCMarkAssistBegin",
		"from here on no other worker than G%lld, which ends the collection, was at work for 1 ms or more", (long long)cycle->asker)
		->goroutine = cycle->asker;
	if (samples)
		stw_found_step(c, f, r->from + 1, "sample", "CPUSample", "%u CPU samples show G%lld executing", samples, (long long)r->g);
	e = stw_found_step(c, f, r->to, "stopped", "GoStop, GoBlock or GoSyscallBegin", "it gives way, after %s, at %s",
		stw_case_ms(c, r->to - r->from), stw_case_site(c, at));
	e->goroutine = r->g;
	stw_found_stack(e, at);
	stw_found_step(c, f, cycle->stopped, "asked", "STWBegin", "G%lld asks for the mark termination, %s later", (long long)cycle->asker,
		stw_case_ms(c, cycle->stopped - r->to));
	stw_found_rules_out(c, f,
		"not known: whether its stack had still to be scanned, or it came last to the barrier before mark termination (no event "
		"tells)");
}

static void judge(stw_case *c)
{
	judge_kind(c, true);
	judge_kind(c, false);
	for (size_t i = 0; i < c->gather->cycles.count; i++)
		if (c->gather->cycles.items[i].stopped != STW_TIME_UNKNOWN && c->gather->cycles.items[i].from != STW_TIME_UNKNOWN)
			judge_late(c, &c->gather->cycles.items[i]);
}

const stw_rule stw_rule_mark_termination = {"gc-mark-termination", want, judge};
