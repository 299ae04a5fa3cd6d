#include "analysis/mmu_curve.h"

#include <string.h>

#include "engine/feed.h"
#include "engine/transition.h"

enum { PROCS_MOST = 1 << 16 };

static const int64_t WINDOWS[STW_MMU_WINDOWS] = {1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000,
	10000000, 20000000, 50000000, 100000000, 200000000, 500000000, 1000000000};

void stw_mmu_curve_free(stw_mmu_curve *c)
{
	stw_vec_free(c->mem, &c->changes);
	stw_vec_free(c->mem, &c->busy);
	stw_map_free(&c->assists);
	stw_map_free(&c->workers);
}

/* ---- windows ---- */

/* What is taken up to a time that is not before the change i - 1, nor after the change i. */
static double taken_at(const stw_mmu_curve *c, size_t i, int64_t at)
{
	const stw_mmu_change *b = &c->changes.items[i], *a = i ? b - 1 : b;
	return b->at == a->at ? b->taken : a->taken + (b->taken - a->taken) * (double)(at - a->at) / (double)(b->at - a->at);
}

/* The worst window begins or ends at a change. The last change is new. */
static void look(stw_mmu_curve *c, unsigned w)
{
	const size_t n = c->changes.count;
	const stw_mmu_change *items = c->changes.items, *end = &items[n - 1];
	for (; items[c->next[w]].at + WINDOWS[w] <= end->at; c->next[w]++) {
		double taken = taken_at(c, n - 1, items[c->next[w]].at + WINDOWS[w]) - items[c->next[w]].taken;
		c->worst[w] = taken > c->worst[w] ? taken : c->worst[w];
	}
	if (c->next[w] > 0) {
		double taken = end->taken - taken_at(c, c->next[w], end->at - WINDOWS[w]);
		c->worst[w] = taken > c->worst[w] ? taken : c->worst[w];
	}
}

/* Forgets what no window reaches any more; where that is not enough, every other change, between which it is then even. */
static void make_room(stw_mmu_curve *c)
{
	size_t first = c->changes.count - 1;
	for (unsigned w = 0; w < STW_MMU_WINDOWS; w++)
		first = c->next[w] < first ? c->next[w] : first;
	first -= first > 0;
	size_t step = first >= c->changes.count / 2 ? 1 : 2, kept = 0;
	for (size_t i = first; i < c->changes.count; i += step)
		c->changes.items[kept++] = c->changes.items[i];
	if (step == 2 && (c->changes.count - 1 - first) % 2)
		c->changes.items[kept++] = c->changes.items[c->changes.count - 1];
	c->changes.count = kept;
	for (unsigned w = 0; w < STW_MMU_WINDOWS; w++)
		c->next[w] = (c->next[w] - first + step - 1) / step;
}

static void change(stw_mmu_curve *c, int64_t at)
{
	const stw_mmu_change *last = c->changes.count ? &c->changes.items[c->changes.count - 1] : NULL;
	if (last && at <= last->at)
		return;
	double taken = last ? last->taken + c->level * (double)(at - last->at) : 0;
	stw_mmu_change *slot = stw_vec_push(c->mem, &c->changes);
	if (!slot) {
		c->failed = true;
		return;
	}
	*slot = (stw_mmu_change){at, taken};
	for (unsigned w = 0; w < STW_MMU_WINDOWS; w++)
		look(c, w);
	if (c->changes.count >= c->most)
		make_room(c);
}

/* ---- what is taken ---- */

static double level_of(const stw_mmu_curve *c)
{
	return c->stops ? 1 : (double)c->n_busy / (double)c->procs;
}

static void set_procs(stw_mmu_curve *c, int64_t procs)
{
	if (procs < 1 || procs > PROCS_MOST)
		return;
	c->procs = procs;
	while ((int64_t)c->busy.count > procs)
		c->n_busy -= c->busy.items[--c->busy.count] > 0;
	while ((int64_t)c->busy.count < procs) {
		int64_t *slot = stw_vec_push(c->mem, &c->busy);
		if (!slot) {
			c->failed = true;
			return;
		}
		*slot = 0;
	}
}

void stw_mmu_curve_init(stw_mmu_curve *c, stw_mem *mem, size_t most, int64_t procs)
{
	memset(c, 0, sizeof *c);
	c->mem = mem;
	c->most = most;
	stw_map_init(&c->assists, mem);
	stw_map_init(&c->workers, mem);
	set_procs(c, procs);
}

static void take_proc(stw_mmu_curve *c, int64_t p, int64_t n)
{
	if (p < 0 || p >= (int64_t)c->busy.count || c->busy.items[p] + n < 0)
		return;
	c->n_busy -= c->busy.items[p] > 0;
	c->busy.items[p] += n;
	c->n_busy += c->busy.items[p] > 0;
}

static bool has(const stw_map *map, int64_t g)
{
	return stw_map_get(map, (uint64_t)g) != STW_MAP_NONE;
}

static void put(stw_mmu_curve *c, stw_map *map, int64_t g)
{
	c->failed |= !stw_map_put(map, (uint64_t)g, 1);
}

static bool executes(unsigned state)
{
	return state == STW_GO_RUNNING || state == STW_GO_SYSCALL;
}

static void move(stw_mmu_curve *c, const stw_stream_event *e)
{
	const stw_transition t = stw_transition_of(e);
	if (t.proc || executes(t.from) == executes(t.to))
		return;
	if (has(&c->assists, t.id) || has(&c->workers, t.id))
		take_proc(c, e->p, executes(t.to) ? 1 : -1);
	if (!executes(t.to)) /* the next time it runs, its label says anew as what */
		stw_map_remove(&c->workers, (uint64_t)t.id);
}

static void label(stw_mmu_curve *c, stw_stream *stream, const stw_stream_event *e)
{
	const stw_generation *gen = stw_stream_tables(stream);
	uint32_t index = stw_generation_string(gen, e->a[0]);
	const char *text = index == STW_MAP_NONE ? "" : gen->strings.items[index].data;
	if (strncmp(text, "GC ", 3) != 0 || strcmp(text, "GC (idle)") == 0 || has(&c->workers, e->g))
		return;
	put(c, &c->workers, e->g);
	take_proc(c, e->p, 1);
}

static bool is_gc_stop(const stw_stream *stream, const stw_stream_event *e)
{
	return strncmp(stw_intern_get(&stream->order.names, (uint32_t)e->a[0]).data, "GC ", 3) == 0;
}

static void see(stw_mmu_curve *c, stw_stream *stream, const stw_stream_event *e)
{
	switch (e->type) {
	case STW_EV_ProcsChange: set_procs(c, (int64_t)e->a[0]); return;
	case STW_EV_STWBegin: c->stops += is_gc_stop(stream, e); return;
	case STW_EV_STWEnd: c->stops -= c->stops && is_gc_stop(stream, e); return;
	case STW_EV_GCMarkAssistBegin:
		put(c, &c->assists, e->g);
		take_proc(c, e->p, 1);
		return;
	case STW_EV_GCMarkAssistActive: put(c, &c->assists, (int64_t)e->a[0]); return;
	case STW_EV_GCMarkAssistEnd:
		stw_map_remove(&c->assists, (uint64_t)e->g);
		take_proc(c, e->p, -1);
		return;
	case STW_EV_GoLabel: label(c, stream, e); return;
	default: break;
	}
	if (stw_stream_kind(e) == STWATCH_EVENT_STATE_TRANSITION)
		move(c, e);
}

void stw_mmu_curve_add(stw_mmu_curve *c, stw_stream *stream, const stw_stream_event *e)
{
	if (e->type == STW_EV_SYNC_POINT)
		return;
	const bool known = c->changes.count > 0;
	c->last = e->time;
	see(c, stream, e);
	if (c->procs == 0 || c->failed)
		return;
	double level = level_of(c);
	if (!known || level != c->level)
		change(c, e->time);
	c->level = level;
}

void stw_mmu_curve_break(stw_mmu_curve *c)
{
	if (c->changes.count)
		change(c, c->last);
	for (unsigned w = 0; w < STW_MMU_WINDOWS; w++) {
		c->fits[w] |= c->next[w] > 0;
		c->next[w] = 0;
	}
	for (size_t p = 0; p < c->busy.count; p++)
		c->busy.items[p] = 0;
	stw_map_clear(&c->assists);
	stw_map_clear(&c->workers);
	c->changes.count = c->n_busy = c->stops = 0;
}

size_t stw_mmu_curve_finish(stw_mmu_curve *c, stwatch_mmu_point *points)
{
	size_t n = 0;
	if (c->procs == 0)
		return 0;
	change(c, c->last);
	for (unsigned w = 0; w < STW_MMU_WINDOWS; w++) {
		if (c->next[w] == 0 && !c->fits[w]) /* none fits */
			break;
		double share = 1 - c->worst[w] / (double)WINDOWS[w];
		points[n++] = (stwatch_mmu_point){WINDOWS[w], share > 0 ? share : 0};
	}
	return n;
}
