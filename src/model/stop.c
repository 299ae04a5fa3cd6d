/* A stop-the-world as it goes by: when each proc stopped, who was last, how long the world then stood.
 * No event says that it stands; the criteria are those of docs/runtime.md. */
#include <string.h>

#include "model/fold.h"

enum { KEEP_MOMENTS_NS = 1000000 };

static bool busy(uint8_t use)
{
	return use != STW_USE_IDLE && use != STW_USE_STOPPED && use != STW_USE_UNKNOWN;
}

void stw_fold_stop_begin(stw_fold *f, int64_t at, uint32_t m, uint32_t p, uint32_t g, uint32_t kind, uint64_t stack)
{
	if (f->stopping) /* one within another: the outer one's figures are what counts */
		return;
	uint32_t index = stw_generation_stack(f->gen, stack);
	stw_slice name = stw_intern_get(&f->order->names, kind);
	uint32_t number = stw_intern_put(&f->names, name.data, name.length);
	f->failed |= number == UINT32_MAX;
	f->stopping = true;
	f->restart = STW_TIME_UNKNOWN;
	f->stop_p = p;
	f->stop_m = m;
	f->stop = (stw_stop){
		.from = at,
		.sure_from = at,
		.g = stw_order_g_id(f->order, g),
		.p = stw_order_p_id(f->order, p),
		.kind = number,
		.generation = f->generation,
		.stack = index == STW_MAP_NONE ? 0 : index,
		.root = STW_SLOT_OK(g) && g < f->gs.count ? f->gs.items[g].root : 0,
		.last = -1,
		.gc_on = f->gc_since != STW_TIME_UNKNOWN,
		.gc_begins = STW_SLOT_OK(g) && f->collect.beginner == g,
	};
	if (f->stop.gc_begins)
		f->collect.beginner = STW_SLOT_NONE;
	for (uint32_t i = 0; i < f->ps.count; i++)
		f->stop.n_running += i != p && f->ps.items[i].known && busy(f->ps.items[i].use);
}

stw_stop_moment stw_fold_moment(const stw_fold *f, int64_t at, uint32_t slot, uint8_t was)
{
	const stw_fold_p *p = &f->ps.items[slot];
	return (stw_stop_moment){.at = at,
		.p = f->order->ps.items[slot].id,
		.g = p->last_g,
		.run_from = p->last_run_from,
		.generation = f->generation,
		.root = p->last_root,
		.stack = p->last_stack,
		.before = p->last_before,
		.was = was};
}

void stw_fold_moment_with(const stw_fold *f, stw_stop_moment *moment, uint32_t g)
{
	if (!STW_SLOT_OK(g) || g >= f->gs.count)
		return;
	moment->g = f->order->gs.items[g].id;
	moment->root = f->gs.items[g].root;
	moment->stack = f->gs.items[g].stack;
	moment->run_from = f->gs.items[g].since;
}

void stw_fold_stop_moment(stw_fold *f, int64_t at, uint32_t slot, uint32_t m, bool starts, bool stolen)
{
	stw_stop *s = &f->stop;
	const stw_fold_p *p = &f->ps.items[slot];
	if (f->restart != STW_TIME_UNKNOWN)
		return;
	if (stolen && m == f->stop_m && !s->first_steal)
		s->first_steal = at;
	if (s->n_moments == STW_STOP_MOMENTS) { /* very many procs: the later half is what matters */
		memmove(f->moments, f->moments + STW_STOP_MOMENTS / 2, sizeof f->moments / 2);
		s->n_moments = STW_STOP_MOMENTS / 2;
	}
	stw_stop_moment *mo = &f->moments[s->n_moments++];
	*mo = stw_fold_moment(f, at, slot, p->use);
	mo->starts = starts;
	if (p->use == STW_USE_SYSCALL || (STW_SLOT_OK(p->g) && p->use == STW_USE_USER))
		stw_fold_moment_with(f, mo, STW_SLOT_OK(p->g) ? p->g : stw_order_find_g(f->order, p->use_g));
}

void stw_fold_stop_lets_go(stw_fold *f, int64_t at, uint32_t p)
{
	if (f->stopping && f->restart == STW_TIME_UNKNOWN && p == f->stop_p)
		f->restart = at;
}

/* How long procs run in [from, to) by the moments from `first` on. */
static int64_t longest_run_after(const stw_fold *f, uint32_t first, int64_t to)
{
	int64_t longest = 0;
	for (uint32_t a = first; a < f->stop.n_moments; a++) {
		if (!f->moments[a].starts || f->moments[a].p == f->stop.p)
			continue;
		int64_t end = to;
		for (uint32_t b = a + 1; b < f->stop.n_moments; b++)
			if (f->moments[b].p == f->moments[a].p) {
				end = f->moments[b].at;
				break;
			}
		if (end - f->moments[a].at > longest)
			longest = end - f->moments[a].at;
	}
	return longest;
}

static void find_stood(stw_fold *f, int64_t to)
{
	stw_stop *s = &f->stop;
	int running = (int)s->n_running;
	int64_t previous = s->from, limit = (to - s->from) / 10;
	if (limit < 200000 && to - s->from > 400000)
		limit = 200000; /* without the restart: procs run for up to 0.2 ms before the end is written */
	s->stood = running == 0 && longest_run_after(f, 0, to) <= limit ? s->from : to;
	if (s->stood == s->from)
		return;
	for (uint32_t i = 0; i < s->n_moments; i++) {
		const stw_stop_moment *mo = &f->moments[i];
		if (mo->p == s->p)
			continue;
		running += mo->starts ? 1 : -1;
		if (!mo->starts && running <= 0 && longest_run_after(f, i + 1, to) <= limit) {
			s->stood = mo->at;
			s->last = (int32_t)i;
			s->second = previous;
			return;
		}
		if (!mo->starts)
			previous = mo->at;
	}
	/* Never all stopped, as far as the events show: the last that stopped is all there is to go by. */
	for (uint32_t i = s->n_moments; i-- > 0 && s->last < 0;)
		if (!f->moments[i].starts && f->moments[i].p != s->p) {
			s->last = (int32_t)i;
			s->stood = f->moments[i].at;
			s->second = s->from;
		}
}

static int64_t lost_time(const stw_fold *f, int64_t to)
{
	int64_t lost = 0;
	for (uint32_t i = 0; i < f->stop.n_moments; i++) {
		const stw_stop_moment *mo = &f->moments[i];
		if (!mo->starts && mo->p != f->stop.p)
			lost += to - (mo->at > f->stop.sure_from ? mo->at : f->stop.sure_from);
	}
	return lost;
}

/* Whether it is known of each proc what it does. */
static bool knows_all_ps(const stw_fold *f)
{
	int64_t most = f->gomaxprocs_last - 1;
	size_t n = 0;
	for (size_t i = 0; i < f->ps.count; i++) {
		n += f->ps.items[i].known && f->ps.items[i].use != STW_USE_UNKNOWN;
		most = f->order->ps.items[i].id > most ? f->order->ps.items[i].id : most;
	}
	return (int64_t)n == most + 1;
}

void stw_fold_stop_end(stw_fold *f, int64_t at)
{
	stw_stop *s = &f->stop;
	if (!f->stopping)
		return;
	f->stopping = false;
	s->told_to = at;
	if (f->restart != STW_TIME_UNKNOWN && f->restart < at)
		at = f->restart;
	s->to = at;
	if (f->gc_since != STW_TIME_UNKNOWN)
		f->collect.mark_stopped_ns += at - (s->from > f->gc_since ? s->from : f->gc_since);
	find_stood(f, at);
	s->lost_ns = lost_time(f, at);
	s->moments = (uint32_t)f->stop_moments.count;
	if (at - s->from >= KEEP_MOMENTS_NS) {
		if (!stw_vec_reserve(f->mem, &f->stop_moments, s->n_moments)) {
			f->failed = true;
			s->n_moments = 0;
		}
		if (s->n_moments)
			memcpy(f->stop_moments.items + f->stop_moments.count, f->moments, s->n_moments * sizeof *f->moments);
		f->stop_moments.count += s->n_moments;
	} else {
		s->n_moments = 0;
		s->last = -1;
	}
	if (at - s->from >= KEEP_MOMENTS_NS && (s->from < f->lost_to || (f->partial && !knows_all_ps(f))))
		return; /* who was waited for may not have been heard */
	stw_stop *kept = stw_vec_push(f->mem, &f->stops);
	if (kept)
		*kept = *s;
	else
		f->failed = true;
}
