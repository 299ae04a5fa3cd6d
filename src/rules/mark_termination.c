/* A collection's own stops (sweep termination at its begin, mark termination at its end) that lasted because of what the
 * collector did in them. Where somebody kept the world waiting, it is stw-prolonged. */
#include <string.h>

#include "rules/stop_story.h"

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

/* CPU samples while the world stood: then only who stopped it runs. */
static seen look_at_samples(const stw_case *c, const stw_stop *s)
{
	seen r = {0};
	for (size_t i = 0; i < c->places.samples.count; i++) {
		const stw_sample *x = &c->places.samples.items[i];
		if (x->at < s->stood || x->at > s->to)
			continue;
		r.samples++;
		r.stack = &x->stack;
	}
	return r;
}

/* A few long stops among many may be the kernel's doing; the collector's own slowness shows in a quarter of them (in two at least),
 * or in CPU samples. */
static stwatch_severity severity_of(const stw_case *c, int64_t worst, int64_t usual, int64_t whole, bool executed)
{
	int64_t sure = executed ? worst : usual;
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

static void judge(stw_case *c)
{
	judge_kind(c, true);
	judge_kind(c, false);
}

const stw_rule stw_rule_mark_termination = {"gc-mark-termination", want, judge};
