/* Stops of the world that no event tells: to Go 1.20 all but the collector's, to 1.9 those too, but for a part of mark termination.
 * What is told of them is the restart: procresize writes Gomaxprocs while the world still stands, with the stack of who asked for the
 * stop. When it was asked for lies between two times.
 *
 *   - Not before the asker's last event that is no part of a stop, nor before a goroutine last started on another proc: the
 *     scheduler starts none once a stop is asked for.
 *   - Not after a proc stopped although the goroutine that it ran had just been preempted. Nor after sysmon would have had the asker
 *     preempted: it sees within 10 ms that a goroutine runs, and asks it to yield 10 ms later (5 ms are left for its being late); the
 *     functions that stop the world look for that when they are called. Who begins a collection says so right before.
 *
 * A proc that stopped in another way in between may have done so for want of work: it was not waited for. */
#include <string.h>

#include "model/fold.h"
#include "model/stops.h"

enum { PREEMPTED_WITHIN_NS = 25000000, RESTARTED_NS = 200000 };

static int64_t idle_since(const stw_fold *f, uint32_t slot)
{
	int64_t since = f->ps.items[slot].since;
	return since == STW_TIME_UNKNOWN && slot < f->stopped_at.count ? f->stopped_at.items[slot] : since;
}

int64_t stw_fold_proc_since(const stw_fold *f, uint32_t slot)
{
	return idle_since(f, slot);
}

static bool is_idle(const stw_fold_p *p)
{
	return p->use == STW_USE_IDLE || p->use == STW_USE_STOPPED;
}

/* Procs run on, or have begun to a while ago: then this is no stop as it can be understood, or clocks differ. */
static bool runs_on(const stw_fold *f, uint32_t asker, int64_t at)
{
	for (uint32_t i = 0; i < f->ps.count; i++) {
		const stw_fold_p *p = &f->ps.items[i];
		if (i != asker && p->known && !is_idle(p) && (p->since == STW_TIME_UNKNOWN || p->since < at - RESTARTED_NS))
			return true;
	}
	return false;
}

/* Whether a proc that stopped had to be waited for: its goroutine was preempted, or it was in a system call, or it worked for the collector. */
static bool was_made_to(const stw_fold *f, const stw_fold_p *p, int64_t since)
{
	if (p->stopped_as == STW_USE_SYSCALL)
		return true;
	uint32_t slot = p->last_g == STWATCH_NONE ? STW_MAP_NONE : stw_order_find_g(f->order, p->last_g);
	if (slot == STW_MAP_NONE || slot >= f->gs.count)
		return false;
	const stw_fold_g *g = &f->gs.items[slot];
	if (g->collects & STW_MARKS)
		return true;
	return g->state == STW_GO_RUNNABLE && (g->how == STW_HOW_PREEMPTED || g->how == STW_HOW_YIELDED) && g->since <= since;
}

/* In order of time; of very many, the last. */
static void add_moment(stw_fold *f, stw_stop_moment moment)
{
	stw_stop *s = &f->stop;
	uint32_t i = s->n_moments;
	s->n_running++;
	if (i == STW_STOP_MOMENTS) {
		if (moment.at <= f->moments[0].at)
			return;
		memmove(f->moments, f->moments + 1, (STW_STOP_MOMENTS - 1) * sizeof *f->moments);
		i--;
	} else {
		s->n_moments++;
	}
	for (; i > 0 && f->moments[i - 1].at > moment.at; i--)
		f->moments[i] = f->moments[i - 1];
	f->moments[i] = moment;
}

static stw_stop_moment moment_of(const stw_fold *f, uint32_t slot, int64_t at)
{
	const stw_fold_p *p = &f->ps.items[slot];
	stw_stop_moment moment = stw_fold_moment(f, at, slot, p->stopped_as);
	if (p->stopped_as == STW_USE_SYSCALL)
		stw_fold_moment_with(f, &moment, stw_order_find_g(f->order, p->use_g));
	return moment;
}

/* The procs that stopped since, and what they say of when that was asked for. */
static void look_at_procs(stw_fold *f, uint32_t asker)
{
	stw_stop *s = &f->stop;
	for (uint32_t i = 0; i < f->ps.count; i++) {
		stw_fold_p *p = &f->ps.items[i];
		int64_t since = idle_since(f, i);
		if (i == asker || !p->known || !is_idle(p) || since == STW_TIME_UNKNOWN || since <= s->from)
			continue;
		if (p->last_g != STWATCH_NONE && p->last_run_from > s->from && p->last_run_from <= since)
			s->from = p->last_run_from;
	}
	for (uint32_t i = 0; i < f->ps.count; i++) {
		stw_fold_p *p = &f->ps.items[i];
		int64_t since = idle_since(f, i);
		if (i == asker || !p->known || !is_idle(p) || since == STW_TIME_UNKNOWN || since < s->from || !was_made_to(f, p, since))
			continue;
		add_moment(f, moment_of(f, i, since));
		p->use = STW_USE_STOPPED;
		if (p->stopped_as != STW_USE_SYSCALL && since < s->sure_from)
			s->sure_from = since;
	}
}

/* The latest time at which it can have been asked for. */
static int64_t asked_by(const stw_fold *f, uint32_t g, int64_t from, int64_t to)
{
	int64_t since = from;
	if (f->stop.gc_begins)
		return from;
	if (STW_SLOT_OK(g) && g < f->gs.count) {
		if (f->gs.items[g].collects & STW_MARKS)
			return to; /* these are not preempted */
		if (f->gs.items[g].state == STW_GO_RUNNING && f->gs.items[g].since != STW_TIME_UNKNOWN && f->gs.items[g].since < from)
			since = f->gs.items[g].since;
	}
	return since < to - PREEMPTED_WITHIN_NS ? since + PREEMPTED_WITHIN_NS : to;
}

static const char *kind_of(const stw_fold *f, uint32_t stack)
{
	const stw_v2_stack *s = &f->gen->stacks.items[stack];
	for (uint32_t i = 0; i < s->count; i++) {
		const stw_v2_frame *frame = &f->gen->frames.items[f->gen->stack_frames.items[s->first + i]];
		const stw_string *name = &f->gen->strings.items[frame->func];
		const char *kind = stw_stop_kind_by(name->data, name->length);
		if (kind)
			return kind;
	}
	return "";
}

void stw_fold_stop_restart(stw_fold *f, int64_t at, uint32_t p, uint32_t g, uint32_t stack, int64_t quiet_since)
{
	bool told = f->stopping; /* to Go 1.9: that it stands */
	stw_stop before = f->stop;
	if (told && f->untold != STW_UNTOLD_ALL)
		return; /* a stop that events tell */
	if (runs_on(f, p, at) || quiet_since > at || quiet_since < f->doubt) {
		if (told)
			stw_fold_stop_end(f, at);
		return;
	}
	const char *kind = kind_of(f, stack);
	uint32_t number = stw_intern_put(&f->names, kind, strlen(kind));
	f->failed |= number == UINT32_MAX;
	f->stopping = true;
	f->restart = STW_TIME_UNKNOWN;
	f->stop_p = p;
	f->stop = (stw_stop){
		.from = quiet_since,
		.g = stw_order_g_id(f->order, g),
		.p = stw_order_p_id(f->order, p),
		.kind = told ? before.kind : number,
		.generation = f->generation,
		.stack = stack,
		.root = STW_SLOT_OK(g) && g < f->gs.count ? f->gs.items[g].root : 0,
		.last = -1,
		.gc_on = told ? before.gc_on : f->gc_since != STW_TIME_UNKNOWN,
		.gc_begins = !told && STW_SLOT_OK(g) && f->collect.beginner == g,
		.gc_ends = told && before.gc_ends,
		.inferred = !told,
	};
	f->stop.sure_from = asked_by(f, g, quiet_since, told ? before.from : at);
	if (f->stop.gc_begins)
		f->collect.beginner = STW_SLOT_NONE;
	look_at_procs(f, p);
	if (told && f->stop.n_moments == 0)
		f->stop.from = before.from;
	if (f->stop.sure_from < f->stop.from)
		f->stop.sure_from = f->stop.from;
	stw_fold_stop_end(f, at);
}
