#include "order/join.h"

static bool gc_holds(const stw_order *state, const stw_requirement *r)
{
	if (r->a == STW_EV_GCBegin)
		return state->gc_state == STW_GC_UNDETERMINED || (state->gc_state == STW_GC_OFF && state->gc_seq == r->id);
	return state->gc_state == STW_GC_RUNNING && state->gc_seq == r->id;
}

/* The region that would be popped after `pops` others have been, 0 if none is left. */
static uint32_t region_after(const stw_order *state, uint32_t g)
{
	uint32_t region = state->gs.items[g].region;
	for (uint32_t n = state->gs.items[g].pops; n && region; n--)
		region = state->regions.items[region - 1].outer;
	return region;
}

static bool pop_holds(stw_order *state, const stw_order *reading, const stw_requirement *r)
{
	uint32_t g = stw_order_find_g(state, (int64_t)r->id);
	if (g == STW_MAP_NONE)
		return false;
	uint32_t region = region_after(state, g);
	if (!region)
		return true;
	const stw_order_region *open = &state->regions.items[region - 1];
	stw_slice a = stw_intern_get(&state->names, open->name), b = stw_intern_get(&reading->names, r->a);
	if (open->task != r->b || a.length != b.length)
		return false;
	for (uint32_t i = 0; i < a.length; i++)
		if (a.data[i] != b.data[i])
			return false;
	state->gs.items[g].pops++;
	return true;
}

static bool holds(stw_order *state, const stw_order *reading, const stw_requirement *r)
{
	uint32_t slot;
	switch (r->kind) {
	case STW_REQ_G_STATUS:
		slot = stw_order_find_g(state, (int64_t)r->id);
		return slot != STW_MAP_NONE && state->gs.items[slot].status == r->a;
	case STW_REQ_G_ASSIST:
		slot = stw_order_find_g(state, (int64_t)r->id);
		return slot != STW_MAP_NONE && state->gs.items[slot].assist == r->a;
	case STW_REQ_P_STATUS:
		slot = stw_order_find_p(state, (int64_t)r->id);
		return slot == STW_MAP_NONE || state->ps.items[slot].status == r->a;
	case STW_REQ_P_SYSCALL:
		slot = stw_order_find_p(state, (int64_t)r->id);
		if (slot == STW_MAP_NONE || state->ps.items[slot].status != STW_P_SYSCALL)
			return false;
		for (uint32_t m = 0; m < state->ms.count; m++)
			if (state->ms.items[m].p == slot)
				return true;
		return false;
	case STW_REQ_P_SWEEP:
		slot = stw_order_find_p(state, (int64_t)r->id);
		return (slot == STW_MAP_NONE ? STW_RANGE_OFF : state->ps.items[slot].sweep) == r->a;
	case STW_REQ_GC: return gc_holds(state, r);
	case STW_REQ_TASK_NEW: return stw_map_get(&state->task_slots, r->id) == STW_MAP_NONE;
	default: return pop_holds(state, reading, r);
	}
}

/* The goroutines created did not exist before: mostly because their ids are beyond all that did. */
static bool new_hold(const stw_order *state, const stw_order *reading)
{
	uint64_t max = 0;
	for (uint32_t i = 0; i < state->gs.count; i++)
		if ((uint64_t)state->gs.items[i].id > max)
			max = (uint64_t)state->gs.items[i].id;
	for (size_t i = 0; i < reading->new_gs.count; i++) {
		const stw_new_gs *n = &reading->new_gs.items[i];
		for (uint64_t ids = n->base > max / 64 ? 0 : n->ids; ids; ids &= ids - 1)
			if (stw_order_find_g(state, (int64_t)(n->base * 64 + (unsigned)__builtin_ctzll(ids))) != STW_MAP_NONE)
				return false;
	}
	return true;
}

static bool thread_holds(const stw_order *state, const stw_order *reading, const stw_order_m *m)
{
	uint32_t slot = stw_order_find_m(state, m->id);
	int64_t g = slot == STW_MAP_NONE ? STWATCH_NONE : stw_order_g_id(state, state->ms.items[slot].g);
	int64_t p = slot == STW_MAP_NONE ? STWATCH_NONE : stw_order_p_id(state, state->ms.items[slot].p);
	if (m->entry_p != STW_SLOT_UNKNOWN && p != stw_order_p_id(reading, m->entry_p))
		return false;
	if (m->entry_g == STW_SLOT_UNKNOWN || (m->entry_if_seen && slot == STW_MAP_NONE))
		return true;
	return g == stw_order_g_id(reading, m->entry_g);
}

static bool all_hold(stw_order *state, const stw_order *reading)
{
	bool ok = state->stops.count == 0; /* a stop that crosses the border is rare enough to be read exactly */
	ok = ok && new_hold(state, reading);
	for (size_t i = 0; ok && i < reading->requirements.count; i++)
		ok = holds(state, reading, &reading->requirements.items[i]);
	for (size_t i = 0; ok && i < reading->ms.count; i++)
		ok = thread_holds(state, reading, &reading->ms.items[i]);
	return ok;
}

static void forget_pops(stw_order *state, const stw_order *reading, bool pop)
{
	for (size_t i = 0; i < reading->requirements.count; i++) {
		const stw_requirement *r = &reading->requirements.items[i];
		uint32_t g = r->kind == STW_REQ_REGION_POP ? stw_order_find_g(state, (int64_t)r->id) : STW_MAP_NONE;
		if (g == STW_MAP_NONE)
			continue;
		for (; state->gs.items[g].pops; state->gs.items[g].pops--)
			if (pop && state->gs.items[g].region)
				stw_order_pop_region(state, g);
	}
}

static bool push_regions(stw_order *state, const stw_order *reading, uint32_t to, uint32_t region)
{
	STW_VEC(uint32_t) chain = {0};
	bool ok = true;
	for (; ok && region; region = reading->regions.items[region - 1].outer) {
		uint32_t *slot = stw_vec_push(state->mem, &chain);
		ok = slot != NULL;
		if (ok)
			*slot = region;
	}
	for (size_t i = chain.count; ok && i-- > 0;) {
		const stw_order_region *r = &reading->regions.items[chain.items[i] - 1];
		stw_slice name = stw_intern_get(&reading->names, r->name);
		uint32_t number = stw_intern_put(&state->names, name.data, name.length);
		ok = number != UINT32_MAX && stw_order_push_region(state, to, r->task, number);
	}
	stw_vec_free(state->mem, &chain);
	return ok;
}

/* Goroutines that were there at entry and are not any more. */
static void remove_ended(stw_order *state, const stw_order *reading)
{
	for (size_t i = 0; i < reading->requirements.count; i++) {
		const stw_requirement *r = &reading->requirements.items[i];
		if (r->kind != STW_REQ_G_STATUS || stw_order_find_g(reading, (int64_t)r->id) != STW_MAP_NONE)
			continue;
		uint32_t slot = stw_order_find_g(state, (int64_t)r->id);
		if (slot != STW_MAP_NONE)
			stw_order_remove_g(state, slot);
	}
}

static bool carry_gs(stw_order *state, const stw_order *reading)
{
	for (uint32_t i = 0; i < reading->gs.count; i++) {
		const stw_order_g *g = &reading->gs.items[i];
		if (stw_order_find_g(reading, g->id) != i)
			continue;
		uint32_t slot = stw_order_find_g(state, g->id);
		if (slot == STW_MAP_NONE && (slot = stw_order_add_g(state, g->id, g->status)) == STW_SLOT_NONE)
			return false;
		state->gs.items[slot].status = g->status;
		if (g->assist != STW_RANGE_UNKNOWN)
			state->gs.items[slot].assist = g->assist;
		if (g->region && !push_regions(state, reading, slot, g->region))
			return false;
	}
	for (size_t i = 0; i < reading->stops.count; i++) {
		const stw_order_stop *s = &reading->stops.items[i];
		stw_slice name = stw_intern_get(&reading->names, s->kind);
		uint32_t number = stw_intern_put(&state->names, name.data, name.length);
		uint32_t g = stw_order_find_g(state, stw_order_g_id(reading, s->g));
		stw_order_stop *copy = number == UINT32_MAX || g == STW_MAP_NONE ? NULL : stw_vec_push(state->mem, &state->stops);
		if (!copy)
			return false;
		*copy = (stw_order_stop){g, s->kind_id, number};
		state->gs.items[g].stops++;
	}
	return true;
}

static bool carry_ps(stw_order *state, const stw_order *reading)
{
	for (size_t i = 0; i < reading->ps.count; i++) {
		const stw_order_p *p = &reading->ps.items[i];
		uint32_t slot = stw_order_find_p(state, p->id);
		if (slot == STW_MAP_NONE && (slot = stw_order_add_p(state, p->id, p->status)) == STW_SLOT_NONE)
			return false;
		state->ps.items[slot].status = p->status;
		if (p->sweep != STW_RANGE_UNKNOWN)
			state->ps.items[slot].sweep = p->sweep;
	}
	return true;
}

static bool carry_ms(stw_order *state, const stw_order *reading)
{
	for (size_t i = 0; i < reading->ms.count; i++) {
		const stw_order_m *m = &reading->ms.items[i];
		uint32_t slot = stw_order_find_m(state, m->id);
		if (slot == STW_MAP_NONE && (slot = stw_order_add_m(state, m->id)) == STW_SLOT_NONE)
			return false;
		stw_order_m *to = &state->ms.items[slot];
		if (m->g != STW_SLOT_UNKNOWN)
			to->g = STW_SLOT_OK(m->g) ? stw_order_find_g(state, stw_order_g_id(reading, m->g)) : STW_SLOT_NONE;
		if (m->p != STW_SLOT_UNKNOWN)
			to->p = STW_SLOT_OK(m->p) ? stw_order_find_p(state, stw_order_p_id(reading, m->p)) : STW_SLOT_NONE;
	}
	return true;
}

static bool carry_tasks(stw_order *state, const stw_order *reading)
{
	for (size_t i = 0; i < reading->tasks.count; i++) {
		const stw_order_task *t = &reading->tasks.items[i];
		uint32_t slot = stw_map_get(&state->task_slots, t->id);
		if (slot != STW_MAP_NONE) {
			uint32_t *freed = stw_vec_push(state->mem, &state->free_tasks);
			if (!freed)
				return false;
			*freed = slot;
			stw_map_remove(&state->task_slots, t->id);
		}
		if (!t->active)
			continue;
		stw_slice name = stw_intern_get(&reading->names, t->name);
		uint32_t number = stw_intern_put(&state->names, name.data, name.length);
		if (state->free_tasks.count)
			slot = state->free_tasks.items[--state->free_tasks.count];
		else if (stw_vec_add(state->mem, &state->tasks))
			slot = (uint32_t)state->tasks.count - 1;
		else
			return false;
		if (number == UINT32_MAX || !stw_map_put(&state->task_slots, t->id, slot))
			return false;
		state->tasks.items[slot] = (stw_order_task){t->id, t->parent, number, true};
	}
	return true;
}

stw_joined stw_order_join(stw_order *state, const stw_order *reading)
{
	bool ok = !reading->gave_up && all_hold(state, reading);
	forget_pops(state, reading, ok);
	if (!ok)
		return STW_JOIN_REFUSED;
	stw_order_begin(state, STW_READ_EXACT);
	remove_ended(state, reading);
	if (!carry_gs(state, reading) || !carry_ps(state, reading) || !carry_ms(state, reading) || !carry_tasks(state, reading))
		return STW_JOIN_NO_MEMORY;
	if (reading->gc_state != STW_GC_UNKNOWN) {
		state->gc_state = reading->gc_state;
		state->gc_seq = reading->gc_seq;
	}
	return STW_JOINED;
}
