#include "model/collect.h"

#include <stdlib.h>
#include <string.h>

#include "model/fold.h"

/* How many are kept by each measure; a recursion makes many stacks of one function. */
enum { KEPT_BY_ASSISTS = 192, KEPT_BY_TRIGGERS = 48, KEPT_BY_CREATED = 48 };

/* The site of a stack; NULL for none, or when out of memory. */
static stw_alloc_site *site_of(stw_fold *f, uint32_t stack)
{
	stw_collect *c = &f->collect;
	size_t n = f->gen->stacks.count;
	if (stack == 0 || stack >= n)
		return NULL;
	if (c->by_stack.count < n) {
		if (!stw_vec_reserve(f->mem, &c->by_stack, n - c->by_stack.count)) {
			f->failed = true;
			return NULL;
		}
		memset(c->by_stack.items + c->by_stack.count, 0, (n - c->by_stack.count) * sizeof *c->by_stack.items);
		c->by_stack.count = n;
	}
	c->by_stack.items[stack].stack = stack;
	return &c->by_stack.items[stack];
}

void stw_fold_worked(stw_fold *f, uint32_t slot, int64_t t)
{
	stw_fold_g *g = &f->gs.items[slot];
	stw_fold_g_more *more = &f->more.items[slot];
	int64_t ns = t - more->gc_from;
	if (more->worker != STW_WORKER_NONE) {
		f->collect.worker_ns[more->worker] += ns;
		if (more->worker == STW_WORKER_FRACTIONAL && ns > f->collect.fractional_max_ns)
			f->collect.fractional_max_ns = ns;
	}
	more->gc_from = t;
	if (!(g->collects & STW_ASSISTS))
		return;
	f->assist_ns += ns;
	stw_alloc_site *site = site_of(f, more->assist_stack);
	if (site)
		site->assist_ns += ns;
}

void stw_fold_resumes(stw_fold *f, uint32_t slot, int64_t t)
{
	f->more.items[slot].gc_from = t;
	f->more.items[slot].worker = STW_WORKER_NONE; /* a label says in which mode it goes on */
}

void stw_fold_assist(stw_fold *f, uint32_t slot, int64_t t, uint32_t stack, bool begins)
{
	stw_fold_g *g = &f->gs.items[slot];
	stw_fold_g_more *more = &f->more.items[slot];
	if (g->collects & STW_ASSISTS && g->state == STW_GO_RUNNING)
		stw_fold_worked(f, slot, t);
	g->collects = (uint8_t)((g->collects & ~STW_ASSISTS) | (begins ? STW_ASSISTS : 0));
	more->gc_from = t;
	if (!begins)
		return;
	more->assist_stack = stack;
	stw_alloc_site *site = site_of(f, stack);
	if (site)
		site->assists++;
}

void stw_fold_worker(stw_fold *f, uint32_t slot, int64_t t, stw_worker mode)
{
	f->gs.items[slot].collects |= STW_MARKS;
	f->more.items[slot].gc_from = t;
	f->more.items[slot].worker = (uint8_t)mode;
}

void stw_fold_created_at(stw_fold *f, uint32_t stack)
{
	stw_alloc_site *site = site_of(f, stack);
	if (site)
		site->created++;
}

/* Begins (or, with a beginning that is not known, adds) a cycle. */
static void add_cycle(stw_fold *f, stw_cycle cycle)
{
	if (f->cycles.count >= STW_MOST_CYCLES)
		return;
	stw_cycle *slot = stw_vec_push(f->mem, &f->cycles);
	if (slot)
		*slot = cycle;
	else
		f->failed = true;
}

void stw_fold_gc_begin(stw_fold *f, int64_t t, uint32_t g, uint32_t stack)
{
	stw_collect *c = &f->collect;
	f->gc_begun++;
	f->gc_since = t;
	add_cycle(f, (stw_cycle){t, STW_TIME_UNKNOWN, STW_TIME_UNKNOWN, STWATCH_NONE, STW_TIME_UNKNOWN});
	c->beginner = g;
	if (c->first_begin == STW_TIME_UNKNOWN)
		c->first_begin = t;
	if (c->last_end != STW_TIME_UNKNOWN) {
		int64_t between = t - c->last_end;
		c->between_min_ns = c->cycles_timed && c->between_min_ns < between ? c->between_min_ns : between;
		c->between_ns += between;
		c->cycles_timed++;
	}
	c->base = c->live;
	c->goal = f->heap_goal;
	c->trigger = c->heap;
	stw_alloc_site *site = site_of(f, stack);
	if (site)
		site->triggers++;
}

static int64_t asker_since(const stw_fold *f)
{
	uint32_t slot = f->stop.g == STWATCH_NONE ? STW_SLOT_NONE : stw_order_find_g(f->order, f->stop.g);
	if (!STW_SLOT_OK(slot) || slot >= f->gs.count)
		return STW_TIME_UNKNOWN;
	return f->gs.items[slot].collects & STW_ASSISTS ? f->more.items[slot].gc_from : f->gs.items[slot].since;
}

void stw_fold_gc_end(stw_fold *f, int64_t t)
{
	stw_collect *c = &f->collect;
	if (f->gc_since != STW_TIME_UNKNOWN) {
		f->gc_mark_ns += t - f->gc_since;
		if (f->stopping)
			c->mark_stopped_ns += t - (f->stop.from > f->gc_since ? f->stop.from : f->gc_since);
	}
	f->gc_since = STW_TIME_UNKNOWN;
	f->stop.gc_ends |= f->stopping;
	stw_cycle *last = f->cycles.count ? &f->cycles.items[f->cycles.count - 1] : NULL;
	stw_cycle ended = {STW_TIME_UNKNOWN, t, STW_TIME_UNKNOWN, STWATCH_NONE, STW_TIME_UNKNOWN};
	if (f->stopping && f->untold != STW_UNTOLD_ALL) {
		ended.stopped = f->stop.from;
		ended.asker = f->stop.g;
		ended.asker_since = asker_since(f);
	}
	if (last && last->to == STW_TIME_UNKNOWN) {
		ended.from = last->from;
		*last = ended;
	} else {
		add_cycle(f, ended);
	}
	c->last_end = t;
	c->live = c->heap; /* the mark termination has just written what is left (gcController.resetLive) */
	if (!c->live_first)
		c->live_first = c->live;
}

static int by_assist(const void *x, const void *y)
{
	const stw_alloc_site *a = x, *b = y;
	return a->assist_ns != b->assist_ns ? (a->assist_ns < b->assist_ns ? 1 : -1) : a->stack < b->stack ? -1 : a->stack > b->stack;
}

static int by_triggers(const void *x, const void *y)
{
	const stw_alloc_site *a = x, *b = y;
	return a->triggers != b->triggers ? (a->triggers < b->triggers ? 1 : -1) : a->stack < b->stack ? -1 : a->stack > b->stack;
}

static int by_created(const void *x, const void *y)
{
	const stw_alloc_site *a = x, *b = y;
	return a->created != b->created ? (a->created < b->created ? 1 : -1) : a->stack < b->stack ? -1 : a->stack > b->stack;
}

/* The first by each measure, each once. */
void stw_fold_keep_sites(stw_fold *f)
{
	static const struct {
		int (*order)(const void *, const void *);
		size_t most;
	} measures[] = {{by_assist, KEPT_BY_ASSISTS}, {by_triggers, KEPT_BY_TRIGGERS}, {by_created, KEPT_BY_CREATED}};
	stw_collect *c = &f->collect;
	size_t n = 0;
	for (size_t i = 0; i < c->by_stack.count; i++)
		if (c->by_stack.items[i].stack)
			c->by_stack.items[n++] = c->by_stack.items[i];
	for (size_t o = 0; o < sizeof measures / sizeof *measures && n > 0; o++) {
		qsort(c->by_stack.items, n, sizeof *c->by_stack.items, measures[o].order);
		size_t take = n < measures[o].most ? n : measures[o].most;
		if (!stw_vec_reserve(f->mem, &c->sites, take)) {
			f->failed = true;
			break;
		}
		memcpy(c->sites.items + c->sites.count, c->by_stack.items, take * sizeof *c->sites.items);
		c->sites.count += take;
		n -= take;
		memmove(c->by_stack.items, c->by_stack.items + take, n * sizeof *c->by_stack.items);
	}
	stw_vec_free(f->mem, &c->by_stack);
}
