/* What is known of each goroutine and proc where one generation ends and the next begins. */
#include <string.h>

#include "analysis/gather.h"

/* ---- procs ---- */

static stw_known_p *know_p(stw_gather *a, int64_t id)
{
	uint32_t slot = stw_map_get(&a->p_slots, (uint64_t)id);
	if (slot != STW_MAP_NONE)
		return &a->ps.items[slot];
	stw_known_p *p = stw_vec_push(a->mem, &a->ps);
	if (!p || !stw_map_put(&a->p_slots, (uint64_t)id, (uint32_t)a->ps.count - 1))
		return NULL;
	*p = (stw_known_p){.id = id, .since = STW_TIME_UNKNOWN, .g = STWATCH_NONE};
	return p;
}

/* Only waits that are still going on look back at them; beyond this the older half goes. */
enum { MOST_USES = 1 << 18 };

static void keep_use(stw_gather *a, stw_proc_use u)
{
	if (u.to - u.from < STW_KEEP_USE_NS || u.use == STW_USE_USER || (a->figures_only && u.use != STW_USE_GC))
		return;
	if (a->uses.count == MOST_USES) {
		memmove(a->uses.items, a->uses.items + MOST_USES / 2, MOST_USES / 2 * sizeof *a->uses.items);
		a->uses.count = MOST_USES / 2;
	}
	stw_proc_use *kept = stw_vec_push(a->mem, &a->uses);
	if (kept)
		*kept = u;
	else
		a->failed = true;
}

void stw_gather_uses(stw_gather *a, const stw_fold *f, int64_t border)
{
	for (size_t i = 0; i < f->uses.count; i++) {
		stw_proc_use u = f->uses.items[i];
		stw_known_p *p = know_p(a, u.p);
		if (!p) {
			a->failed = true;
			return;
		}
		if (u.from == STW_TIME_UNKNOWN) {
			/* A head: since the border's state began, or since the trace did. */
			bool same = p->since != STW_TIME_UNKNOWN &&
				(p->use == u.use || (p->use == STW_USE_STOPPED && u.use == STW_USE_IDLE));
			u.from = same ? p->since : border != STW_TIME_UNKNOWN ? border : f->first_time;
			if (same && p->use == STW_USE_SYSCALL && u.g == STWATCH_NONE)
				u.g = p->g;
			if (u.from < u.not_before)
				u.from = u.not_before < u.to ? u.not_before : u.to;
			int64_t in_trace = u.to - u.from;
			if (in_trace > 0 && u.use < STW_USE_COUNT)
				p->total[u.use] += in_trace;
		}
		if (u.from < u.not_before)
			u.from = u.not_before < u.to ? u.not_before : u.to;
		keep_use(a, u);
	}
}

void stw_gather_carry_procs(stw_gather *a, const stw_fold *f)
{
	for (size_t i = 0; i < f->tail_ps.count; i++) {
		const stw_tail_p *t = &f->tail_ps.items[i];
		stw_known_p *p = know_p(a, t->id);
		if (!p) {
			a->failed = true;
			return;
		}
		for (int u = 0; u < STW_USE_COUNT; u++)
			p->total[u] += t->p.total[u];
		p->starts += t->p.starts;
		p->polled += t->p.polled;
		p->worker = t->p.worker;
		if (t->p.since != STW_TIME_UNKNOWN) {
			p->since = t->p.since;
			p->g = t->p.use_g;
		} else if (p->since == STW_TIME_UNKNOWN || p->use != t->p.use) {
			p->since = f->first_time;
			p->g = t->p.use_g;
		}
		p->use = t->p.use;
	}
}

void stw_gather_close_procs(stw_gather *a)
{
	for (size_t i = 0; i < a->ps.count; i++) {
		stw_known_p *p = &a->ps.items[i];
		if (p->since == STW_TIME_UNKNOWN || a->last_time <= p->since || p->since < a->doubt)
			continue;
		p->total[p->use] += a->last_time - p->since;
		keep_use(a,
			(stw_proc_use){.p = p->id,
				.from = p->since,
				.to = a->last_time,
				.g = p->g,
				.use = p->use,
				.worker = p->use == STW_USE_GC ? p->worker : STW_WORKER_NONE});
	}
}

/* ---- goroutines ---- */

static stw_known_g *know_g(stw_gather *a, int64_t id)
{
	stw_known_g *g = stw_gather_g(a, id);
	uint32_t slot;
	if (g)
		return g;
	if (a->free_gs.count)
		slot = a->free_gs.items[--a->free_gs.count];
	else if (stw_vec_add(a->mem, &a->gs))
		slot = (uint32_t)a->gs.count - 1;
	else
		return NULL;
	if (!stw_map_put(&a->g_slots, (uint64_t)id, slot))
		return NULL;
	g = &a->gs.items[slot];
	*g = (stw_known_g){.id = id, .since = STW_TIME_UNKNOWN, .waker = STWATCH_NONE};
	return g;
}

static void forget_g(stw_gather *a, int64_t id)
{
	uint32_t slot = stw_map_get(&a->g_slots, (uint64_t)id);
	if (slot == STW_MAP_NONE)
		return;
	stw_map_remove(&a->g_slots, (uint64_t)id);
	uint32_t *freed = stw_vec_push(a->mem, &a->free_gs);
	if (freed)
		*freed = slot;
	else
		a->failed = true;
}

static void be_born(const stw_gather *a, stw_known_g *g, const stw_fold *f, const stw_tail_g *t)
{
	const stw_known_g *maker = t->maker_by ? NULL : stw_gather_g(a, t->maker);
	g->born = t->made_at;
	g->creator = (stw_place){f->generation, t->made_by};
	g->creator_by = maker ? maker->creator : (stw_place){f->generation, t->maker_by};
}

void stw_gather_carry_goroutines(stw_gather *a, const stw_fold *f)
{
	for (size_t i = 0; i < f->gone.count; i++)
		forget_g(a, f->gone.items[i]);
	for (size_t i = 0; i < f->tails.count; i++) {
		const stw_fold_g *t = &f->tails.items[i].g;
		stw_known_g *g = know_g(a, f->tails.items[i].id);
		if (!g) {
			a->failed = true;
			return;
		}
		g->runs += t->runs;
		g->run_ns += t->run_ns;
		g->blocks += t->blocks;
		g->gc_worker |= (t->collects & STW_MARKS) != 0;
		g->created |= t->created;
		if (t->created)
			be_born(a, g, f, &f->tails.items[i]);
		if (t->root && !g->root.stack)
			g->root = (stw_place){f->generation, t->root};
		bool moved = t->since != STW_TIME_UNKNOWN;
		if (!moved && g->state == t->state) {
			if (t->stack && !g->stack.stack)
				g->stack = (stw_place){f->generation, t->stack};
			continue; /* as it was at the border before */
		}
		g->state = t->state;
		g->since = moved ? t->since : STW_TIME_UNKNOWN;
		g->how = t->how;
		g->wait = t->wait;
		g->waker = t->waker;
		g->stack = (stw_place){f->generation, t->stack};
		g->wake = (stw_place){f->generation, t->wake_stack};
		g->reason = moved ? t->reason : 0;
		g->reason_generation = f->generation;
	}
}

bool stw_gather_is_alive(const stw_gather *a, const stw_known_g *g)
{
	return stw_gather_g(a, g->id) == g && (a->doubt == INT64_MIN || g->since >= a->doubt);
}
