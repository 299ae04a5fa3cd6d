#include "order/snapshot.h"

/* Strings of a trace are at most this long (v1/format.h; v2's are shorter), and so are names. */
enum { NAME_MAX_LENGTH = 1000000 };

void stw_order_save_slot(stw_bytes *b, uint32_t slot)
{
	stw_bytes_uint(b, STW_SLOT_OK(slot) ? (uint64_t)slot + 1 : 0);
}

uint32_t stw_order_take_slot(stw_bytes_reader *r, uint64_t n)
{
	const uint64_t slot = stw_bytes_take_below(r, n);
	return slot ? (uint32_t)(slot - 1) : STW_SLOT_NONE;
}

void stw_order_save_name(const stw_order *o, stw_bytes *b, uint32_t name)
{
	stw_slice text = stw_intern_get(&o->names, name);
	stw_bytes_text(b, text.data, text.length);
}

void stw_order_save_regions(const stw_order *o, stw_bytes *b, uint32_t region)
{
	uint64_t depth = 0;
	for (uint32_t r = region; r; r = o->regions.items[r - 1].outer)
		depth++;
	stw_bytes_uint(b, depth);
	for (uint32_t r = region; r; r = o->regions.items[r - 1].outer) {
		stw_bytes_uint(b, o->regions.items[r - 1].task);
		stw_order_save_name(o, b, o->regions.items[r - 1].name);
	}
}

static void save_gs(const stw_order *o, stw_bytes *b)
{
	uint64_t alive = 0;
	int64_t last = 0;
	for (uint32_t i = 0; i < o->gs.count; i++)
		alive += stw_order_is_alive(o, (uint32_t)i);
	stw_bytes_uint(b, alive);
	for (uint32_t i = 0; i < o->gs.count; i++) {
		const stw_order_g *g = &o->gs.items[i];
		if (stw_order_find_g(o, g->id) != i)
			continue;
		stw_bytes_int(b, (int64_t)((uint64_t)g->id - (uint64_t)last));
		stw_bytes_uint(b, (uint64_t)g->status << 2 | (uint64_t)(g->region != 0) << 1 | g->assist);
		if (g->region)
			stw_order_save_regions(o, b, g->region);
		last = g->id;
	}
}

void stw_order_save(const stw_order *o, stw_bytes *b)
{
	save_gs(o, b);
	stw_bytes_uint(b, o->ps.count);
	for (size_t i = 0; i < o->ps.count; i++) {
		stw_bytes_int(b, o->ps.items[i].id);
		stw_bytes_uint(b, (uint64_t)o->ps.items[i].status << 1 | o->ps.items[i].sweep);
	}
	stw_bytes_uint(b, o->ms.count);
	for (size_t i = 0; i < o->ms.count; i++) {
		const stw_order_m *m = &o->ms.items[i];
		stw_bytes_int(b, m->id);
		stw_bytes_uint(b, (uint64_t)STW_SLOT_OK(m->g) << 1 | STW_SLOT_OK(m->p));
		if (STW_SLOT_OK(m->g))
			stw_bytes_int(b, stw_order_g_id(o, m->g));
		if (STW_SLOT_OK(m->p))
			stw_bytes_int(b, stw_order_p_id(o, m->p));
	}
	uint64_t active = 0;
	for (uint32_t i = 0; i < o->tasks.count; i++)
		active += stw_map_get(&o->task_slots, o->tasks.items[i].id) == i;
	stw_bytes_uint(b, active);
	for (uint32_t i = 0; i < o->tasks.count; i++) {
		const stw_order_task *t = &o->tasks.items[i];
		if (stw_map_get(&o->task_slots, t->id) != i)
			continue;
		stw_bytes_uint(b, t->id);
		stw_bytes_uint(b, t->parent);
		stw_order_save_name(o, b, t->name);
	}
	stw_bytes_uint(b, o->stops.count);
	for (size_t i = 0; i < o->stops.count; i++) {
		stw_bytes_int(b, stw_order_g_id(o, o->stops.items[i].g));
		stw_bytes_uint(b, o->stops.items[i].kind_id);
		stw_order_save_name(o, b, o->stops.items[i].kind);
	}
	stw_bytes_uint(b, o->gc_state);
	stw_bytes_uint(b, o->gc_seq);
}

uint32_t stw_order_take_name(stw_order *o, stw_bytes_reader *r)
{
	size_t length;
	const char *text = stw_bytes_take_text(r, NAME_MAX_LENGTH, &length);
	uint32_t name = stw_intern_put(&o->names, text, length);
	r->failed |= name == UINT32_MAX;
	return name;
}

/* Innermost first, as they were saved: each goes below those before it. */
void stw_order_take_regions(stw_order *o, stw_bytes_reader *r, uint32_t g)
{
	uint32_t *below = NULL, index = 0;
	for (uint64_t n = stw_bytes_take_uint(r); n > 0 && !r->failed; n--) {
		uint64_t task = stw_bytes_take_uint(r);
		uint32_t name = stw_order_take_name(o, r);
		if (r->failed || o->regions.count >= UINT32_MAX - 1 || !stw_vec_add(o->mem, &o->regions)) {
			r->failed = true;
			return;
		}
		below = index ? &o->regions.items[index - 1].outer : &o->gs.items[g].region;
		index = (uint32_t)o->regions.count;
		*below = index;
		o->regions.items[index - 1] = (stw_order_region){task, name, 0};
	}
}

static void take_gs(stw_order *o, stw_bytes_reader *r)
{
	int64_t id = 0;
	for (uint64_t n = stw_bytes_take_uint(r); n > 0 && !r->failed; n--) {
		id = (int64_t)((uint64_t)id + (uint64_t)stw_bytes_take_int(r));
		uint64_t flags = stw_bytes_take_below(r, (STW_G_STATUS_COUNT - 1) << 2 | 3);
		uint32_t slot = r->failed || stw_order_find_g(o, id) != STW_MAP_NONE ? STW_SLOT_NONE
										     : stw_order_add_g(o, id, (uint8_t)(flags >> 2));
		r->failed |= slot == STW_SLOT_NONE;
		if (r->failed)
			return;
		o->gs.items[slot].assist = flags & 1;
		if (flags & 2)
			stw_order_take_regions(o, r, slot);
	}
}

static void take_ps(stw_order *o, stw_bytes_reader *r)
{
	for (uint64_t n = stw_bytes_take_uint(r); n > 0 && !r->failed; n--) {
		int64_t id = stw_bytes_take_int(r);
		uint64_t flags = stw_bytes_take_below(r, (STW_P_STATUS_COUNT - 1) << 1 | 1);
		uint32_t slot = r->failed || stw_order_find_p(o, id) != STW_MAP_NONE ? STW_SLOT_NONE
										     : stw_order_add_p(o, id, (uint8_t)(flags >> 1));
		r->failed |= slot == STW_SLOT_NONE;
		if (!r->failed)
			o->ps.items[slot].sweep = flags & 1;
	}
}

static uint32_t known(stw_bytes_reader *r, uint32_t slot)
{
	r->failed |= slot == STW_MAP_NONE;
	return slot;
}

static void take_ms(stw_order *o, stw_bytes_reader *r)
{
	for (uint64_t n = stw_bytes_take_uint(r); n > 0 && !r->failed; n--) {
		int64_t id = stw_bytes_take_int(r);
		uint64_t flags = stw_bytes_take_below(r, 3);
		uint32_t g = flags & 2 ? known(r, stw_order_find_g(o, stw_bytes_take_int(r))) : STW_SLOT_NONE;
		uint32_t p = flags & 1 ? known(r, stw_order_find_p(o, stw_bytes_take_int(r))) : STW_SLOT_NONE;
		uint32_t slot = r->failed || stw_order_find_m(o, id) != STW_MAP_NONE ? STW_SLOT_NONE : stw_order_add_m(o, id);
		r->failed |= slot == STW_SLOT_NONE;
		if (r->failed)
			return;
		o->ms.items[slot].g = g;
		o->ms.items[slot].p = p;
	}
}

static void take_tasks(stw_order *o, stw_bytes_reader *r)
{
	for (uint64_t n = stw_bytes_take_uint(r); n > 0 && !r->failed; n--) {
		stw_order_task t = {.id = stw_bytes_take_uint(r), .active = true};
		t.parent = stw_bytes_take_uint(r);
		t.name = stw_order_take_name(o, r);
		stw_order_task *slot = r->failed || stw_map_get(&o->task_slots, t.id) != STW_MAP_NONE ? NULL
												      : stw_vec_push(o->mem, &o->tasks);
		r->failed |= !slot || !stw_map_put(&o->task_slots, t.id, (uint32_t)o->tasks.count - 1);
		if (slot)
			*slot = t;
	}
}

static void take_stops(stw_order *o, stw_bytes_reader *r)
{
	for (uint64_t n = stw_bytes_take_uint(r); n > 0 && !r->failed; n--) {
		uint32_t g = known(r, stw_order_find_g(o, stw_bytes_take_int(r)));
		uint64_t kind_id = stw_bytes_take_uint(r);
		uint32_t name = stw_order_take_name(o, r);
		stw_order_stop *stop = r->failed || o->gs.items[g].stops == UINT8_MAX ? NULL : stw_vec_push(o->mem, &o->stops);
		r->failed |= !stop;
		if (!stop)
			return;
		*stop = (stw_order_stop){g, kind_id, name};
		o->gs.items[g].stops++;
	}
}

bool stw_order_restore(stw_order *o, stw_bytes_reader *r)
{
	take_gs(o, r);
	take_ps(o, r);
	take_ms(o, r);
	take_tasks(o, r);
	take_stops(o, r);
	o->gc_state = (uint8_t)stw_bytes_take_below(r, STW_GC_RUNNING);
	o->gc_seq = stw_bytes_take_uint(r);
	return !r->failed;
}
