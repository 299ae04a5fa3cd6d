#include "order/state.h"

#include <string.h>

/* Stands for the places until there are any: nobody's, and of an id that no goroutine has. */
static stw_g_place nowhere = {INT64_MIN, STW_MAP_NONE};

void stw_order_init(stw_order *o, stw_mem *mem)
{
	memset(o, 0, sizeof *o);
	o->mem = mem;
	o->g_places = &nowhere;
	o->nobody = (stw_order_g){.id = STWATCH_NONE, .status = STW_G_BAD};
	stw_map_init(&o->g_slots, mem);
	stw_map_init(&o->p_slots, mem);
	stw_map_init(&o->m_slots, mem);
	stw_map_init(&o->task_slots, mem);
	stw_intern_init(&o->names, mem);
}

void stw_order_free(stw_order *o)
{
	if (!o->mem)
		return;
	stw_vec_free(o->mem, &o->gs);
	stw_vec_free(o->mem, &o->ps);
	stw_vec_free(o->mem, &o->ms);
	stw_vec_free(o->mem, &o->free_gs);
	stw_vec_free(o->mem, &o->regions);
	stw_vec_free(o->mem, &o->tasks);
	stw_vec_free(o->mem, &o->free_tasks);
	stw_vec_free(o->mem, &o->stops);
	stw_vec_free(o->mem, &o->requirements);
	stw_vec_free(o->mem, &o->new_gs);
	if (o->g_mask)
		stw_mem_free(o->mem, o->g_places, STW_G_PLACES * sizeof *o->g_places);
	o->g_places = &nowhere;
	o->g_mask = 0;
	stw_map_free(&o->g_slots);
	stw_map_free(&o->p_slots);
	stw_map_free(&o->m_slots);
	stw_map_free(&o->task_slots);
	stw_intern_free(&o->names);
}

void stw_order_reset(stw_order *o)
{
	stw_mem *mem = o->mem;
	stw_order_free(o);
	stw_order_init(o, mem);
}

void stw_order_begin(stw_order *o, stw_read_mode mode)
{
	o->mode = mode;
	o->epoch++;
	o->gave_up = false;
	o->fault = STW_FAULT_NONE;
	o->requirements.count = 0;
	o->new_gs.count = 0;
	if (mode == STW_READ_SPECULATIVE)
		o->gc_state = STW_GC_UNKNOWN;
}

static bool make_places(stw_order *o)
{
	stw_g_place *places = stw_mem_resize(o->mem, NULL, 0, STW_G_PLACES * sizeof *places);
	if (!places)
		return false;
	for (int64_t i = 0; i < STW_G_PLACES; i++)
		places[i] = (stw_g_place){i ^ 1, STW_MAP_NONE};
	o->g_places = places;
	o->g_mask = STW_G_PLACES - 1;
	return true;
}

static bool put_g(stw_order *o, int64_t id, uint32_t slot)
{
	if (!o->g_mask && !make_places(o))
		return false;
	stw_g_place *place = stw_order_place_of(o, id);
	if (place->slot != STW_MAP_NONE)
		return stw_map_put(&o->g_slots, (uint64_t)id, slot);
	*place = (stw_g_place){id, slot};
	return true;
}

static void remove_id(stw_order *o, int64_t id)
{
	stw_g_place *place = stw_order_place_of(o, id);
	if (place->id == id && place->slot != STW_MAP_NONE)
		*place = (stw_g_place){id ^ 1, STW_MAP_NONE};
	else
		stw_map_remove(&o->g_slots, (uint64_t)id);
}

uint32_t stw_order_find_g_other(const stw_order *o, int64_t id)
{
	return stw_map_get(&o->g_slots, (uint64_t)id);
}

/* A slot that nobody has; STW_SLOT_NONE when out of memory. */
static uint32_t free_slot(stw_order *o)
{
	if (o->free_gs.count)
		return o->free_gs.items[--o->free_gs.count];
	if (o->gs.count >= STW_SLOT_UNKNOWN - 1 || !stw_vec_add(o->mem, &o->gs))
		return STW_SLOT_NONE;
	return (uint32_t)o->gs.count - 1;
}

static bool note_new(stw_order *o, int64_t id)
{
	if (stw_order_note_new_fast(o, id))
		return true;
	uint64_t base = (uint64_t)id / 64;
	stw_new_gs *ids = o->new_gs.count < UINT32_MAX ? stw_vec_push(o->mem, &o->new_gs) : NULL;
	if (!ids)
		return false;
	*ids = (stw_new_gs){base, (uint64_t)1 << ((uint64_t)id % 64)};
	o->new_recent[base % STW_NEW_RECENT] = (uint32_t)o->new_gs.count - 1;
	return true;
}

uint32_t stw_order_create_g(stw_order *o, int64_t id, uint8_t status)
{
	if (o->mode == STW_READ_SPECULATIVE && !note_new(o, id))
		return STW_SLOT_NONE;
	uint32_t slot = free_slot(o);
	if (slot == STW_SLOT_NONE || !put_g(o, id, slot))
		return STW_SLOT_NONE;
	o->gs.items[slot] = (stw_order_g){.id = id, .epoch = o->epoch, .status = status, .assist = STW_RANGE_OFF};
	return slot;
}

bool stw_order_restore_g(stw_order *o, bool alive, int64_t id)
{
	if ((alive && stw_order_find_g(o, id) != STW_MAP_NONE) || !stw_vec_add(o->mem, &o->gs))
		return false;
	o->gs.items[o->gs.count - 1] = o->nobody;
	return !alive || put_g(o, id, (uint32_t)o->gs.count - 1);
}

uint32_t stw_order_add_g(stw_order *o, int64_t id, uint8_t status)
{
	bool speculative = o->mode == STW_READ_SPECULATIVE;
	uint32_t slot = free_slot(o);
	if (slot == STW_SLOT_NONE || !put_g(o, id, slot))
		return STW_SLOT_NONE;
	o->gs.items[slot] = (stw_order_g){
		.id = id,
		.epoch = o->epoch,
		.status = status,
		.assist = speculative ? STW_RANGE_UNKNOWN : STW_RANGE_OFF,
		.entry_regions = speculative,
	};
	return slot;
}

uint32_t stw_order_add_p(stw_order *o, int64_t id, uint8_t status)
{
	stw_order_p *p = stw_vec_push(o->mem, &o->ps);
	if (!p || !stw_map_put(&o->p_slots, (uint64_t)id, (uint32_t)o->ps.count - 1))
		return STW_SLOT_NONE;
	*p = (stw_order_p){
		.id = id,
		.epoch = o->epoch,
		.status = status,
		.sweep = o->mode == STW_READ_SPECULATIVE ? STW_RANGE_UNKNOWN : STW_RANGE_OFF,
	};
	return (uint32_t)o->ps.count - 1;
}

uint32_t stw_order_add_m(stw_order *o, int64_t id)
{
	uint32_t unknown = o->mode == STW_READ_SPECULATIVE ? STW_SLOT_UNKNOWN : STW_SLOT_NONE;
	stw_order_m *m = stw_vec_push(o->mem, &o->ms);
	if (!m || !stw_map_put(&o->m_slots, (uint64_t)id, (uint32_t)o->ms.count - 1))
		return STW_SLOT_NONE;
	*m = (stw_order_m){.id = id, .g = unknown, .p = unknown, .entry_g = STW_SLOT_UNKNOWN, .entry_p = STW_SLOT_UNKNOWN};
	return (uint32_t)o->ms.count - 1;
}

void stw_order_pop_region(stw_order *o, uint32_t g)
{
	uint32_t r = o->gs.items[g].region;
	o->gs.items[g].region = o->regions.items[r - 1].outer;
	o->regions.items[r - 1].outer = o->free_region;
	o->free_region = r;
}

void stw_order_close_g(stw_order *o, uint32_t slot)
{
	stw_order_g *g = &o->gs.items[slot];
	while (g->region)
		stw_order_pop_region(o, slot);
	for (size_t i = o->stops.count; g->stops && i-- > 0;)
		if (o->stops.items[i].g == slot) {
			o->stops.items[i] = o->stops.items[--o->stops.count];
			g->stops--;
		}
}

void stw_order_remove_g(stw_order *o, uint32_t slot)
{
	stw_order_close_g(o, slot);
	remove_id(o, o->gs.items[slot].id);
	uint32_t *freed = stw_vec_push(o->mem, &o->free_gs);
	if (freed) /* out of memory here just means that the slot stays unused */
		*freed = slot;
}

bool stw_order_require(stw_order *o, uint8_t kind, uint64_t id, uint32_t a, uint64_t b)
{
	stw_requirement *r = stw_vec_push(o->mem, &o->requirements);
	if (!r)
		return false;
	*r = (stw_requirement){id, b, a, kind};
	return true;
}

bool stw_order_push_region(stw_order *o, uint32_t g, uint64_t task, uint32_t name)
{
	uint32_t r = o->free_region;
	if (r) {
		o->free_region = o->regions.items[r - 1].outer;
	} else {
		if (o->regions.count >= UINT32_MAX - 1 || !stw_vec_add(o->mem, &o->regions))
			return false;
		r = (uint32_t)o->regions.count;
	}
	o->regions.items[r - 1] = (stw_order_region){task, name, o->gs.items[g].region};
	o->gs.items[g].region = r;
	return true;
}
