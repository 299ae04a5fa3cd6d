/* Stops that are short, but so many that they cost too much together. */
#include <string.h>

#include "rules/waits.h"

static void want(stw_case *c)
{
	for (size_t i = 0; i < c->gather->windows.count; i++) {
		stw_places_want(&c->places, c->gather->windows.items[i].worst.stack);
		stw_places_want(&c->places, c->gather->windows.items[i].worst.root);
	}
}

static int64_t permille(const stw_stop_window *w)
{
	return w->proc_ns > 0 ? w->lost_ns * 1000 / w->proc_ns : 0;
}

static stwatch_severity severity_of(const stw_case *c, const stw_stop_window *w)
{
	int64_t share = w->proc_ns > 0 ? (w->lost_ns - w->odd_ns) * 1000 / w->proc_ns : 0;
	return share >= c->set[STW_SET_FREQ_ERROR] ? STWATCH_ERROR : share >= c->set[STW_SET_FREQ_WARN] ? STWATCH_WARNING : STWATCH_NOTE;
}

static bool calls_collector(const stw_named_stack *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (strcmp(s->frames[i].function, "runtime.GC") == 0 || strcmp(s->frames[i].function, "runtime/debug.FreeOSMemory") == 0)
			return true;
	return false;
}

static void judge(stw_case *c)
{
	for (size_t i = 0; i < c->gather->windows.count; i++) {
		const stw_stop_window *w = &c->gather->windows.items[i];
		if (permille(w) < c->set[STW_SET_FREQ_NOTE] && w->count < (uint64_t)c->set[STW_SET_FREQ_RATE])
			continue;
		const char *kind = stw_intern_get(&c->gather->names, w->worst.kind).data;
		const stw_named_stack *stack = stw_places_stack(&c->places, w->worst.stack);
		bool gc = strncmp(kind, "GC", 2) == 0, asked = !gc || calls_collector(stack);
		const char *culprit = asked && stack->user < stack->n ? stw_user_function(stack) : NULL;
		bool fresh;
		stw_found *f = stw_found_for(c, "stw-frequent", gc ? "gc-cycles" : "requested-stops", culprit, -1, &fresh);
		if (!f)
			return;
		stw_found_occurs(c, f, w->from, w->to, STWATCH_NONE, STWATCH_NONE);
		f->f.harm_ns += w->lost_ns;
		stwatch_severity severity = severity_of(c, w);
		int64_t should, got;
		if (gc && severity > STWATCH_NOTE && stw_cpu_taken(c, &should, &got)) /* most of a stop may be threads that got no CPU */
			severity--;
		if (!fresh && severity <= f->f.severity)
			continue;
		f->f.severity = severity;
		f->f.confidence = w->worst.inferred ? STWATCH_LIKELY : STWATCH_CERTAIN;
		f->f.title = stw_case_printf(c, "%llu stops in one second took %.1f %% of the procs' time; %llu of them %s%s%s",
			(unsigned long long)w->count, (double)permille(w) / 10, (unsigned long long)w->worst_count, kind,
			culprit ? ", asked for by " : "", culprit ? culprit : "");
		f->f.advice = gc ? "fewer collections: raise GOGC or set GOMEMLIMIT, allocate less, don't call runtime.GC"
				 : "ask less often: runtime/metrics reads most figures without stopping the world";
		f->culprit.kind = "goroutine";
		f->culprit.leaf = stw_leaf_function(stack);
		f->culprit.root = stw_root_function(stw_places_stack(&c->places, w->worst.root));
		f->evidence.count = 0;
		stwatch_evidence *e = stw_found_step(c, f, w->worst.from, "asked",
			w->worst.inferred ? "inferred from Gomaxprocs" : "STWBegin", "the longest of them: %s, %s%s", kind,
			stw_case_ms(c, w->worst.to - w->worst.from),
			stack->n ? stw_case_printf(c, ", asked for at %s", stw_case_site(c, stack)) : "");
		stw_found_stack(e, stack);
		if (w->odd)
			stw_found_step(c, f, w->to, "odd", "STWBegin, STWEnd",
				"%llu of them, of 1 ms and more each, took %.1f %% of the procs' time: few of their kind take so long, "
				"which is no matter of how often they come",
				(unsigned long long)w->odd, (double)w->odd_ns * 100 / (double)w->proc_ns);
	}
}

const stw_rule stw_rule_stw_frequent = {"stw-frequent", want, judge};
