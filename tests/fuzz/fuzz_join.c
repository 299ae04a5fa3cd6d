/* Speculate, check, replay is exact: where the join takes a generation that was read speculatively, an exact reading of it
 * succeeds too, has the same events, and leaves the same state behind. */
#include "order/join.h"
#include "reading.h"

#include <string.h>

static bool same_name(const stw_order *a, uint32_t x, const stw_order *b, uint32_t y)
{
	stw_slice s = stw_intern_get(&a->names, x), t = stw_intern_get(&b->names, y);
	return s.length == t.length && memcmp(s.data, t.data, s.length) == 0;
}

static void require_same_regions(const stw_order *a, uint32_t x, const stw_order *b, uint32_t y)
{
	while (x && y) {
		const stw_order_region *r = &a->regions.items[x - 1], *s = &b->regions.items[y - 1];
		REQUIRE(r->task == s->task && same_name(a, r->name, b, s->name));
		x = r->outer;
		y = s->outer;
	}
	REQUIRE(x == y);
}

static void require_same_stops(const stw_order *a, const stw_order *b)
{
	REQUIRE(a->stops.count == b->stops.count);
	for (size_t i = 0; i < a->stops.count; i++) {
		const stw_order_stop *s = &a->stops.items[i];
		bool found = false;
		for (size_t j = 0; j < b->stops.count; j++) {
			const stw_order_stop *t = &b->stops.items[j];
			found |= stw_order_g_id(a, s->g) == stw_order_g_id(b, t->g) && s->kind_id == t->kind_id &&
				same_name(a, s->kind, b, t->kind);
		}
		REQUIRE(found);
	}
}

/* What a holds, b holds too. */
static void require_holds(const stw_order *a, const stw_order *b)
{
	for (uint32_t i = 0; i < a->gs.count; i++) {
		const stw_order_g *g = &a->gs.items[i];
		if (stw_order_find_g(a, g->id) != i)
			continue;
		uint32_t slot = stw_order_find_g(b, g->id);
		REQUIRE(slot != STW_MAP_NONE);
		const stw_order_g *h = &b->gs.items[slot];
		REQUIRE(h->id == g->id);
		REQUIRE(h->status == g->status);
		REQUIRE(h->assist == g->assist);
		REQUIRE(h->stops == g->stops);
		require_same_regions(a, g->region, b, h->region);
	}
	for (uint32_t i = 0; i < a->ps.count; i++) {
		uint32_t slot = stw_order_find_p(b, a->ps.items[i].id);
		REQUIRE(slot != STW_MAP_NONE);
		REQUIRE(b->ps.items[slot].status == a->ps.items[i].status);
		REQUIRE(b->ps.items[slot].sweep == a->ps.items[i].sweep);
	}
	for (uint32_t i = 0; i < a->ms.count; i++) {
		const stw_order_m *m = &a->ms.items[i];
		uint32_t slot = stw_order_find_m(b, m->id);
		REQUIRE(slot != STW_MAP_NONE);
		REQUIRE(stw_order_g_id(b, b->ms.items[slot].g) == stw_order_g_id(a, m->g));
		REQUIRE(stw_order_p_id(b, b->ms.items[slot].p) == stw_order_p_id(a, m->p));
	}
	for (uint32_t i = 0; i < a->tasks.count; i++) {
		const stw_order_task *t = &a->tasks.items[i];
		if (stw_map_get(&a->task_slots, t->id) != i)
			continue;
		uint32_t slot = stw_map_get(&b->task_slots, t->id);
		REQUIRE(slot != STW_MAP_NONE);
		REQUIRE(b->tasks.items[slot].parent == t->parent && same_name(a, t->name, b, b->tasks.items[slot].name));
	}
	REQUIRE(a->gc_state == b->gc_state);
	REQUIRE(a->gc_state == STW_GC_UNDETERMINED || a->gc_seq == b->gc_seq);
	require_same_stops(a, b);
}

/* Reads one more generation both ways. False where the trace does not go on, or memory has run out. */
static bool compare(stage *s, const stw_generation *gen, stw_order *joined, stw_order *exact)
{
	stw_order speculative;
	stw_order_init(&speculative, &s->mem);
	reading guess = read_generation(&speculative, gen, STW_READ_SPECULATIVE, READ_IN_RUNS);
	REQUIRE(guess.status == STWATCH_END || guess.status == STWATCH_ERR_MEMORY || speculative.gave_up);
	stw_joined answer = STW_JOIN_NO_MEMORY;
	if (guess.status != STWATCH_ERR_MEMORY)
		answer = stw_order_join(joined, &speculative);
	stw_order_free(&speculative);
	if (answer == STW_JOIN_NO_MEMORY)
		return false;
	reading truth = read_generation(exact, gen, STW_READ_EXACT, READ_IN_RUNS);
	if (truth.status == STWATCH_ERR_MEMORY)
		return false;
	if (answer == STW_JOINED) {
		REQUIRE(truth.status == STWATCH_END);
		REQUIRE(truth.events == guess.events && truth.outline == guess.outline);
	} else {
		/* Refused: the state must be as before. */
		reading again = read_generation(joined, gen, STW_READ_EXACT, READ_IN_RUNS);
		if (again.status == STWATCH_ERR_MEMORY)
			return false;
		REQUIRE(again.status == truth.status && again.events == truth.events && again.whole == truth.whole);
	}
	if (truth.status != STWATCH_END)
		return false;
	require_holds(joined, exact);
	require_holds(exact, joined);
	return true;
}

static void read_all(stage *s)
{
	stw_order joined, exact;
	stw_generation gen;
	stw_scan scan;
	bool begun = false, go_on = true;
	stw_order_init(&joined, &s->mem);
	stw_order_init(&exact, &s->mem);
	stw_scan_init(&scan, &s->source, s->version);
	while (go_on && stage_next(s, &scan, &gen)) {
		if (begun)
			go_on = compare(s, &gen, &joined, &exact);
		else
			go_on = read_generation(&joined, &gen, STW_READ_INITIAL, READ_IN_RUNS).status == STWATCH_END &&
				read_generation(&exact, &gen, STW_READ_INITIAL, READ_IN_RUNS).status == STWATCH_END;
		begun = true;
		stw_generation_free(&gen);
	}
	stw_order_free(&joined);
	stw_order_free(&exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stage s;
	if (stage_open(&s, data, size)) {
		read_all(&s);
		stage_close(&s);
	}
	return 0;
}
