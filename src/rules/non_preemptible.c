/* Goroutines that ran on without reaching a preemption point while others waited, where no stop shows it (a stop's own finding says it otherwise). */
#include <string.h>

#include "rules/waits.h"

enum { MOST = 500, LATE_NS = 40000000, SAMPLED_NS = 25000000, PROMPT_MOST = 2 };

static void want(stw_case *c)
{
	/* Stacks are asked for by the starved; the samples tell running from being off the CPU. */
	for (size_t i = 0; i < c->gather->runs.count && i < 40; i++) {
		const stw_candidate *r = &c->gather->runs.items[i];
		if (r->to - r->from >= SAMPLED_NS)
			stw_places_want_samples(&c->places, r->from, r->to, r->stack.generation);
	}
}

/* The longest that a goroutine stood runnable while this one ran, with no proc idle. */
static const stw_candidate *kept_waiting(const stw_case *c, const stw_candidate *r, int64_t *ns)
{
	const stw_candidate *worst = NULL;
	*ns = 0;
	for (size_t i = 0; i < c->gather->runnable_stays.count; i++) {
		const stw_candidate *w = &c->gather->runnable_stays.items[i];
		int64_t part = stw_overlap(w->from, w->to, r->from, r->to) - w->idle_beside_ns - w->stopped_ns;
		if (part > *ns && w->g != r->g && !w->gc_worker && !stw_is_runtimes(stw_places_stack(&c->places, w->root))) {
			*ns = part;
			worst = w;
		}
	}
	return worst;
}

unsigned stw_samples_of(const stw_case *c, const stw_candidate *r)
{
	unsigned n = 0;
	for (size_t i = 0; i < c->places.samples.count; i++) {
		const stw_sample *s = &c->places.samples.items[i];
		n += s->g == r->g && s->at >= r->from && s->at <= r->to;
	}
	return n;
}

/* Who asks for a stop looks running while it waits for it. */
static int64_t waited_for_stops(const stw_case *c, const stw_candidate *r)
{
	int64_t sum = 0;
	for (size_t i = 0; i < c->gather->stops.count; i++) {
		const stw_stop *s = &c->gather->stops.items[i];
		if (s->g == r->g)
			sum += stw_overlap(r->from, r->to, s->from, s->to);
	}
	return sum;
}

static int64_t length_of(const stw_case *c, const stw_candidate *r)
{
	return r->to - r->from - waited_for_stops(c, r);
}

bool stw_is_long_run(const stw_case *c, const stw_candidate *r)
{
	if (r->to - r->from < LATE_NS)
		return false;
	int64_t length = length_of(c, r);
	return length >= LATE_NS && !r->gc_worker && !stw_is_runtimes(stw_places_stack(&c->places, r->root)) &&
		stw_overlap_outside(c, r->from, r->to) * 2 < length;
}

unsigned stw_run_on_functions(stw_case *c)
{
	const char *seen[3];
	unsigned n = 0;
	if (c->run_on_functions)
		return c->run_on_functions - 1;
	for (size_t i = 0; i < c->gather->runs.count && i < MOST && n < 3 && c->preempts && !c->has_samples; i++) {
		const stw_candidate *r = &c->gather->runs.items[i];
		const char *f = stw_own_function(stw_places_stack(&c->places, r->stack), stw_places_stack(&c->places, r->root));
		bool known = !f || !stw_is_long_run(c, r);
		for (unsigned k = 0; k < n && !known; k++)
			known = strcmp(seen[k], f) == 0;
		if (!known)
			seen[n++] = f;
	}
	for (size_t i = 0; i < c->gather->silences.count && n == 2; i++) /* two, and it was stopped from outside at other times */
		n += c->gather->silences.items[i].outside;
	c->run_on_functions = n + 1;
	return n;
}

/* Who finds that marking is done waits until every proc has looked for more, and looks running meanwhile. */
static bool waits_for_procs(const stw_case *c, const stw_candidate *r)
{
	const stw_named_stack *at = stw_places_stack(&c->places, r->stack);
	for (uint32_t i = 0; i < at->n; i++)
		if (strcmp(at->frames[i].function, "runtime.gcMarkDone") == 0)
			return true;
	return false;
}

/* Runs that ended soon, by giving way at this very place, tell that it can be preempted. */
static bool gives_way_at(const stw_case *c, const stwatch_frame *place)
{
	unsigned prompt = 0;
	for (size_t i = 0; i < c->gather->runs.count && i < MOST && prompt < PROMPT_MOST; i++) {
		const stw_candidate *r = &c->gather->runs.items[i];
		const stw_named_stack *at = stw_places_stack(&c->places, r->stack);
		prompt += r->next == STW_GO_RUNNABLE && r->to - r->from < SAMPLED_NS && at->n && at->frames[0].line == place->line &&
			strcmp(at->frames[0].function, place->function) == 0;
	}
	return prompt == PROMPT_MOST;
}

/* Inlined functions may be missing in the stack of who gives way. Below code that nobody edits (memory moves, assembly) a place says nothing. */
static bool can_give_way(const stw_case *c, const stw_named_stack *s)
{
	bool can = false;
	for (uint32_t i = 0; i < s->n && !can && (i == 0 || s->user == 0); i++)
		can = gives_way_at(c, &s->frames[i]);
	return can;
}

/* Most of what it did meanwhile can be preempted, as others show: sysmon, which asks, was late. */
static bool was_asked_late(const stw_case *c, const stw_candidate *r)
{
	unsigned all = 0, prompt = 0;
	for (size_t i = 0; i < c->places.samples.count; i++) {
		const stw_sample *s = &c->places.samples.items[i];
		if (s->g != r->g || s->at < r->from || s->at > r->to || !s->stack.n)
			continue;
		all++;
		prompt += can_give_way(c, &s->stack);
	}
	return prompt * 2 > all;
}

static bool judge_run(stw_case *c, const stw_candidate *r)
{
	int64_t length = length_of(c, r);
	if (r->gc_worker || stw_is_runtimes(stw_places_stack(&c->places, r->root)) || waits_for_procs(c, r))
		return false;
	if (c->has_samples) /* also where the profiler was not on: then it is not known, and not said */
		return length >= SAMPLED_NS && (int64_t)stw_samples_of(c, r) * 10000000 * 10 >= length * 6 && !was_asked_late(c, r);
	return stw_is_long_run(c, r) && stw_run_on_functions(c) < 3;
}

bool stw_ran_on(stw_case *c, stw_candidate *r)
{
	if (!r->ran_on)
		r->ran_on = judge_run(c, r) ? 2 : 1;
	return r->ran_on == 2;
}

static void judge(stw_case *c)
{
	for (size_t i = 0; i < c->gather->runs.count && i < MOST; i++) {
		stw_candidate *r = &c->gather->runs.items[i];
		const stw_named_stack *at = stw_places_stack(&c->places, r->stack), *root = stw_places_stack(&c->places, r->root);
		int64_t ns, ran = length_of(c, r);
		if (!stw_ran_on(c, r))
			continue;
		const stw_candidate *victim = kept_waiting(c, r, &ns);
		if (!victim || ns < c->set[STW_SET_NOPREEMPT_NOTE])
			continue;
		unsigned samples = stw_samples_of(c, r);
		const char *culprit = stw_own_function(at, root);
		bool fresh;
		stw_found *f = stw_found_for(c, "non-preemptible", "no-preemption-point", culprit, STW_SET_NOPREEMPT_NOTE, &fresh);
		if (!f)
			return;
		stw_found_occurs(c, f, r->from, r->from + ran, r->g, r->p);
		const stw_named_stack *vroot = stw_places_stack(&c->places, victim->root);
		const char *v = stw_own_function(stw_places_stack(&c->places, victim->stack), vroot);
		stw_found_harms(c, f, v ? v : "unknown", stw_root_function(vroot), victim->g, ns);
		if (!fresh)
			continue;
		f->f.confidence = samples ? STWATCH_LIKELY : STWATCH_POSSIBLE;
		if (!samples || length_of(c, r) < LATE_NS)
			f->most = STWATCH_NOTE; /* silence alone is no proof; and sysmon, which asks, may itself be late */
		f->culprit.leaf = stw_user_function(at);
		f->culprit.root = stw_root_function(root);
		f->culprit.kind = "goroutine";
		f->culprit.goroutine = r->g;
		f->culprit.proc = r->p;
		f->culprit.count = 1;
		f->f.title = stw_case_printf(c, "%s ran for %s without giving way while %s stood runnable",
			culprit ? culprit : "a goroutine", stw_case_ms(c, ran), v ? v : "another");
		f->f.advice = "is GODEBUG=asyncpreemptoff=1 set? else split the work: long memory moves, assembly and raw system calls "
			      "can't be preempted";
		stwatch_evidence *e = stw_found_step(
			c, f, r->from, "started", "GoStart", "G%lld runs on P%lld", (long long)r->g, (long long)r->p);
		e->goroutine = r->g;
		e->proc = r->p;
		stw_found_step(c, f, victim->from > r->from ? victim->from : r->from + 1, "runnable", "GoUnblock, GoCreate or GoStop",
			"G%lld stands runnable beside it for %s", (long long)victim->g, stw_case_ms(c, ns))
			->goroutine = victim->g;
		if (samples)
			stw_found_step(c, f, r->from + 2, "sample", "CPUSample", "%u CPU samples show it executing", samples);
		else
			stw_found_rules_out(c, f, "not known: whether it executed all the time (no CPU samples in the trace)");
		e = stw_found_step(c, f, r->to, "stopped", "GoStop or GoBlock", "it gives way at %s", stw_case_site(c, at));
		e->goroutine = r->g;
		stw_found_stack(e, at);
	}
}

const stw_rule stw_rule_non_preemptible = {"non-preemptible", want, judge};
