/* How a stop of the world is told, whoever is to blame for it: who asked, which P stopped when, how long the world stood. */
#include "rules/stop_story.h"

#include <string.h>

#include "rules/waits.h"

enum { LATE_NS = 1000000 };

const stw_stop_moment *stw_stop_moment_of(const stw_case *c, const stw_stop *s, uint32_t i)
{
	return &c->gather->moments.items[s->moments + i];
}

void stw_stop_harms(stw_case *c, stw_found *f, const stw_stop *s)
{
	for (size_t i = 0; i < c->gather->runnable_stays.count; i++) {
		const stw_candidate *v = &c->gather->runnable_stays.items[i];
		int64_t from = v->from > s->from ? v->from : s->from, to = v->to < s->to ? v->to : s->to;
		const stw_named_stack *root = stw_places_stack(&c->places, v->root);
		if (to - from < 1000000 || v->gc_worker || stw_is_runtimes(root))
			continue;
		const char *own = stw_own_function(stw_places_stack(&c->places, v->stack), root);
		if (own)
			stw_found_harms(c, f, own, stw_root_function(root), v->g, to - from);
	}
}

static const char *was(uint8_t use)
{
	switch (use) {
	case STW_USE_USER: return "ran";
	case STW_USE_GC:
	case STW_USE_GC_IDLE: return "ran a mark worker";
	case STW_USE_SYSCALL: return "was in a system call";
	case STW_USE_SPINNING: return "looked for work";
	default: return "idle";
	}
}

void stw_tell_stops(stw_case *c, stw_found *f, const stw_stop *s)
{
	for (uint32_t i = 0; i < s->n_moments && i < 24; i++) {
		const stw_stop_moment *m = stw_stop_moment_of(c, s, i);
		if (m->starts || m->p == s->p || m->at > s->stood) /* procs stop for other reasons once the world runs again */
			continue;
		const stw_named_stack *at = stw_places_stack(&c->places, (stw_place){m->generation, m->stack});
		bool last = (int32_t)i == s->last;
		const char *site = stw_case_site(c, at);
		stwatch_evidence *e = stw_found_step(c, f, m->at, "stopped", m->was == STW_USE_SYSCALL ? "ProcSteal" : "ProcStop",
			"P%lld stopped%s: %s%s%s%s", (long long)m->p, last ? ", the last one" : "",
			m->g >= 0 ? stw_case_printf(c, "G%lld ", (long long)m->g) : "it ",
			was(m->was == STW_USE_SPINNING && m->g >= 0 ? STW_USE_USER : m->was), *site ? ", at " : "", site);
		e->proc = m->p;
		e->goroutine = m->g;
		stw_found_stack(e, at);
		stw_found_value(c, e, "after_ns", m->at - s->from);
	}
}

void stw_tell_asked(stw_case *c, stw_found *f, const stw_stop *s, const char *kind)
{
	const stw_named_stack *stack = stw_places_stack(&c->places, (stw_place){s->generation, s->stack});
	const char *site = stw_case_site(c, stack);
	bool sure = s->sure_from == s->from;
	stwatch_evidence *e = stw_found_step(c, f, s->from, "asked", sure ? "STWBegin" : "inferred: no event marks it",
		"G%lld asks for the stop (%s)%s%s%s; P%lld is its own, %u other procs had to stop", (long long)s->g, kind,
		*site ? ", at " : "", site,
		sure ? "" : stw_case_printf(c, ", now or up to %s later (inferred)", stw_case_ms(c, s->sure_from - s->from)),
		(long long)s->p, s->n_running);
	e->goroutine = s->g;
	e->proc = s->p;
	stw_found_stack(e, stack);
	stw_found_value(c, e, "procs_running", s->n_running);
	if (s->stood < s->to)
		stw_found_step(c, f, s->stood, "stood", "inferred from ProcStop and ProcSteal", "the world stands, for %s (inferred)",
			stw_case_ms(c, s->to - s->stood));
	stw_found_step(c, f, s->to, "over",
		s->inferred                  ? "Gomaxprocs"
			: s->to < s->told_to ? "ProcsChange"
					     : "STWEnd",
		"the world runs again");
	if (s->told_to - s->to >= LATE_NS)
		stw_found_step(c, f, s->told_to, "told", "STWEnd",
			"its end is written only now, %s later, while the procs ran: G%lld got no CPU meanwhile, or waited",
			stw_case_ms(c, s->told_to - s->to), (long long)s->g);
}

/* A proc that was in a system call when the stop was asked for is taken as soon as the scheduler's lock is held: that bounds the wait for it. */
static int64_t lock_wait(const stw_case *c, const stw_stop *s)
{
	for (uint32_t i = 0; i < s->n_moments; i++) {
		const stw_stop_moment *m = stw_stop_moment_of(c, s, i);
		if (!m->starts && m->was == STW_USE_SYSCALL && m->at == s->first_steal && m->run_from != STW_TIME_UNKNOWN &&
			m->run_from <= s->from)
			return m->at - s->from;
	}
	return -1;
}

void stw_stop_phases(const stw_case *c, stw_found *f, const stw_stop *s)
{
	f->f.has_phases = true;
	f->f.phases_inferred = true;
	f->f.lock_ns = lock_wait(c, s);
	f->f.stopping_ns = s->stood - s->from - (f->f.lock_ns > 0 ? f->f.lock_ns : 0);
	f->f.standing_ns = s->to - s->stood;
}

bool stw_is_collectors_own(const stw_case *c, const stw_stop *s)
{
	const char *kind = stw_intern_get(&c->gather->names, s->kind).data;
	return stw_stop_class_of(kind) == STW_STOP_GC && (s->to - s->stood) * 2 >= s->to - s->from;
}

bool stw_stood_off_cpu(const stw_case *c, const stw_stop *s)
{
	if (s->to - s->stood < 30000000 || !stw_profiled(c, s->stood, s->to))
		return false;
	for (size_t i = 0; i < c->places.samples.count; i++)
		if (c->places.samples.items[i].at >= s->stood && c->places.samples.items[i].at <= s->to)
			return false;
	return true;
}
