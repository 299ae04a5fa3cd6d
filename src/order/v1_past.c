#include "order/v1_past.h"

#include <string.h>

#include "order/snapshot.h"

static const stw_v1_past_g NEW_G = {.call_p = STW_SLOT_NONE};
static const stw_v1_past_p NEW_P = {.call_g = STW_SLOT_NONE};

void stw_v1_past_init(stw_v1_past *past, stw_mem *mem)
{
	memset(past, 0, sizeof *past);
	past->mem = mem;
	past->stop_p = STW_SLOT_NONE;
}

void stw_v1_past_free(stw_v1_past *past)
{
	if (!past->mem)
		return;
	stw_vec_free(past->mem, &past->gs);
	stw_vec_free(past->mem, &past->ps);
	stw_vec_free(past->mem, &past->regions);
	stw_vec_free(past->mem, &past->tasks);
	past->mem = NULL;
}

stw_v1_past_g *stw_v1_past_g_at(stw_v1_past *past, uint32_t slot)
{
	const bool there = stw_vec_fill(past->mem, &past->gs, (size_t)slot + 1, &NEW_G);
	past->failed |= !there;
	return there ? &past->gs.items[slot] : NULL;
}

stw_v1_past_p *stw_v1_past_p_at(stw_v1_past *past, uint32_t slot)
{
	const bool there = stw_vec_fill(past->mem, &past->ps, (size_t)slot + 1, &NEW_P);
	past->failed |= !there;
	return there ? &past->ps.items[slot] : NULL;
}

stw_v1_past_g *stw_v1_past_find(stw_v1_past *past, const stw_v1_merge *vm, uint64_t id)
{
	uint32_t slot = id ? stw_order_find_g(vm->base.order, (int64_t)id) : STW_MAP_NONE;
	return slot == STW_MAP_NONE ? NULL : stw_v1_past_g_at(past, slot);
}

/* ---- what is handed on ---- */

/* Only what no event of the file says by itself. */
void stw_v1_past_told(stw_v1_past *past, const stw_v1_merge *vm, unsigned type, uint32_t slot, uint64_t status)
{
	if (type != STW_EV_GoStatus && type != STW_EV_GoSyscallEndBlocked && type != STW_EV_GoDestroy)
		return;
	stw_v1_past_g *g = stw_v1_past_g_at(past, slot);
	if (!g)
		return;
	if (type == STW_EV_GoDestroy) { /* who has the slot next may be one of which no creation is seen */
		*g = NEW_G;
	} else if (type == STW_EV_GoStatus) {
		g->in_call = status == STW_G_SYSCALL;
		g->returned = false;
	} else {
		g->exit_ticks = vm->exit.ticks ? vm->exit.ticks : vm->last_key;
		g->exit_seq = vm->exit.key;
	}
}

/* ---- events ---- */

static void name(stw_v1_past *past, stw_v1_past_names *names, uint32_t index, uint64_t id)
{
	static const uint64_t none = 0;
	if (stw_vec_fill(past->mem, names, (size_t)index + 1, &none))
		names->items[index] = id;
	else
		past->failed = true;
}

static void take_goroutine(stw_v1_past *past, const stw_v1_merge *vm, uint32_t p, const stw_v1_cursor *e)
{
	const bool names_other = e->type == STW_V1_GoCreate || e->type == STW_V1_GoUnblock || e->type == STW_V1_GoUnblockLocal;
	stw_v1_past_g *g = stw_v1_past_find(past, vm, names_other ? e->a[0] : e->g);
	stw_v1_past_p *at = g && e->type == STW_V1_GoSysBlock && p != STW_SLOT_NONE ? stw_v1_past_p_at(past, p) : NULL;
	if (!g)
		return;
	switch (e->type) {
	case STW_V1_GoCreate:
		*g = NEW_G;
		g->start = e->a[1];
		break;
	case STW_V1_GoStart:
	case STW_V1_GoStartLocal:
	case STW_V1_GoStartLabel:
		g->label = e->type == STW_V1_GoStartLabel ? e->a[2] : 0;
		g->in_call = false;
		break;
	case STW_V1_GoSysCall: g->call_stack = e->stack; break;
	case STW_V1_GoSysBlock:
		g->in_call = true;
		g->call_p = p;
		if (at)
			at->call_g = stw_order_find_g(vm->base.order, (int64_t)e->g);
		break;
	case STW_V1_GCMarkAssistStart: g->assist_stack = e->stack; break;
	case STW_V1_GoBlockNet: g->net_stack = e->stack; break;
	default: g->in_call = false; /* ready to run */
	}
}

static void take_annotation(stw_v1_past *past, const stw_v1_merge *vm, const stw_v1_cursor *e)
{
	const stw_order *o = vm->base.order;
	uint32_t g = e->type == STW_V1_UserRegion && e->a[1] == 0 && e->g ? stw_order_find_g(o, (int64_t)e->g) : STW_MAP_NONE;
	uint32_t task = e->type == STW_V1_UserTaskCreate ? stw_map_get(&vm->task_slots, e->a[0]) : STW_MAP_NONE;
	if (g != STW_MAP_NONE && o->gs.items[g].region)
		name(past, &past->regions, o->gs.items[g].region - 1, e->a[2]);
	if (task != STW_MAP_NONE)
		name(past, &past->tasks, task, e->a[2]);
}

static void take_proc(stw_v1_past *past, uint32_t p, const stw_v1_cursor *e)
{
	stw_v1_past_p *at = p == STW_SLOT_NONE ? NULL : stw_v1_past_p_at(past, p);
	if (at && e->type == STW_V1_ProcStart)
		at->thread = e->a[0];
	else if (at)
		at->sweep_stack = e->stack;
}

void stw_v1_past_take(stw_v1_past *past, const stw_v1_merge *vm, size_t stream, const stw_v1_cursor *e)
{
	const uint32_t p = vm->cursors[stream].p_slot;
	switch (e->type) {
	case STW_V1_GoCreate:
	case STW_V1_GoStart:
	case STW_V1_GoStartLocal:
	case STW_V1_GoStartLabel:
	case STW_V1_GoUnblock:
	case STW_V1_GoUnblockLocal:
	case STW_V1_GoSysCall:
	case STW_V1_GoSysBlock:
	case STW_V1_GoSysExit:
	case STW_V1_GoSysExitLocal:
	case STW_V1_GoBlockNet:
	case STW_V1_GCMarkAssistStart: take_goroutine(past, vm, p, e); break;
	case STW_V1_ProcStart:
	case STW_V1_GCSweepStart: take_proc(past, p, e); break;
	case STW_V1_UserTaskCreate:
	case STW_V1_UserRegion: take_annotation(past, vm, e); break;
	case STW_V1_GCStart: past->gc_stack = e->stack; break;
	case STW_V1_GCSTWStart:
		past->stop_kind = e->a[0];
		past->stop_p = p;
		break;
	case STW_V1_Gomaxprocs: past->procs = e->a[0]; break;
	case STW_V1_HeapAlloc:
		past->heap = e->a[0];
		past->has_heap = true;
		break;
	case STW_V1_HeapGoal:
		past->goal = e->a[0];
		past->has_goal = true;
		break;
	default: break;
	}
}

/* ---- as bytes ---- */

static bool is_active(const stw_v1_merge *vm, uint32_t task)
{
	return stw_map_get(&vm->task_slots, vm->tasks.items[task].id) == task;
}

static uint64_t name_of(const stw_v1_past_names *names, uint32_t index)
{
	return index < names->count ? names->items[index] : 0;
}

static void save_g(const stw_v1_past *past, const stw_order *o, uint32_t slot, stw_bytes *b)
{
	const stw_v1_past_g *g = slot < past->gs.count ? &past->gs.items[slot] : &NEW_G;
	stw_bytes_uint(b, g->start);
	stw_bytes_uint(b, g->label);
	stw_bytes_int(b, g->exit_ticks);
	stw_bytes_int(b, (int64_t)((uint64_t)g->exit_seq - (uint64_t)g->exit_ticks));
	stw_bytes_uint(b, g->call_stack);
	stw_bytes_uint(b, g->net_stack);
	stw_bytes_uint(b, g->assist_stack);
	stw_order_save_slot(b, g->call_p);
	stw_bytes_uint(b, g->in_call);
	for (uint32_t r = o->gs.items[slot].region; r; r = o->regions.items[r - 1].outer)
		stw_bytes_uint(b, name_of(&past->regions, r - 1));
}

void stw_v1_past_save(const stw_v1_past *past, const stw_v1_merge *vm, stw_bytes *b)
{
	const stw_order *o = vm->base.order;
	for (uint32_t i = 0; i < o->gs.count; i++)
		if (stw_order_is_alive(o, i))
			save_g(past, o, i, b);
	stw_bytes_uint(b, past->ps.count);
	for (size_t i = 0; i < past->ps.count; i++) {
		stw_bytes_uint(b, past->ps.items[i].thread);
		stw_bytes_uint(b, past->ps.items[i].sweep_stack);
		stw_order_save_slot(b, past->ps.items[i].call_g);
	}
	for (uint32_t i = 0; i < vm->tasks.count; i++)
		if (is_active(vm, i))
			stw_bytes_uint(b, name_of(&past->tasks, i));
	stw_bytes_uint(b, past->heap);
	stw_bytes_uint(b, past->goal);
	stw_bytes_uint(b, past->procs);
	stw_bytes_uint(b, past->stop_kind);
	stw_order_save_slot(b, past->stop_p);
	stw_bytes_uint(b, past->gc_stack);
	stw_bytes_uint(b, (uint64_t)past->has_heap << 1 | past->has_goal);
}

static void take_g(stw_v1_past *past, const stw_v1_merge *vm, uint32_t slot, stw_bytes_reader *r)
{
	const stw_order *o = vm->base.order;
	stw_v1_past_g *g = stw_v1_past_g_at(past, slot);
	if (!g)
		return;
	g->start = stw_bytes_take_uint(r);
	g->label = stw_bytes_take_uint(r);
	g->exit_ticks = stw_bytes_take_int(r);
	g->exit_seq = (int64_t)((uint64_t)g->exit_ticks + (uint64_t)stw_bytes_take_int(r));
	g->call_stack = (uint32_t)stw_bytes_take_below(r, UINT32_MAX);
	g->net_stack = (uint32_t)stw_bytes_take_below(r, UINT32_MAX);
	g->assist_stack = (uint32_t)stw_bytes_take_below(r, UINT32_MAX);
	g->call_p = stw_order_take_slot(r, vm->ps.count);
	g->in_call = stw_bytes_take_below(r, 1) != 0;
	for (uint32_t k = o->gs.items[slot].region; k && !past->failed; k = o->regions.items[k - 1].outer)
		name(past, &past->regions, k - 1, stw_bytes_take_uint(r));
}

bool stw_v1_past_restore(stw_v1_past *past, const stw_v1_merge *vm, stw_bytes_reader *r)
{
	const stw_order *o = vm->base.order;
	for (uint32_t i = 0; i < o->gs.count && !r->failed && !past->failed; i++)
		if (stw_order_is_alive(o, i))
			take_g(past, vm, i, r);
	for (uint64_t n = stw_bytes_take_below(r, (uint64_t)(r->end - r->p)); n > 0 && !r->failed; n--) {
		stw_v1_past_p *p = stw_v1_past_p_at(past, (uint32_t)past->ps.count);
		if (!p)
			return false;
		p->thread = stw_bytes_take_uint(r);
		p->sweep_stack = (uint32_t)stw_bytes_take_below(r, UINT32_MAX);
		p->call_g = stw_order_take_slot(r, o->gs.count);
	}
	for (uint32_t i = 0; i < vm->tasks.count && !past->failed; i++)
		if (is_active(vm, i))
			name(past, &past->tasks, i, stw_bytes_take_uint(r));
	past->heap = stw_bytes_take_uint(r);
	past->goal = stw_bytes_take_uint(r);
	past->procs = stw_bytes_take_uint(r);
	past->stop_kind = stw_bytes_take_uint(r);
	past->stop_p = stw_order_take_slot(r, vm->ps.count);
	past->gc_stack = (uint32_t)stw_bytes_take_below(r, UINT32_MAX);
	const uint64_t has = stw_bytes_take_below(r, 3);
	past->has_heap = has >> 1;
	past->has_goal = has & 1;
	return !r->failed && !past->failed && r->p == r->end;
}
