#include "order/v1_snapshot.h"

#include <string.h>

#include "base/error.h"
#include "order/snapshot.h"

enum {
	G_AT_START = 1,
	G_NETWORK = 2,
	G_FOREVER = 4,
	G_CALLED = 8,
	G_IN_CALL = 16,
	G_CALL_LAST = 32,
	G_ASSIST = 64,
	G_REGION = 128,
	G_FLAGS = 255,
	P_SEEN = 1,
	P_RUNNING = 2,
	P_SWEEPING = 4,
	P_STOPPING = 8,
	P_IN_CALL = 16,
	P_ENDING = 32,
	P_FLAGS = 63,
	M_COLLECTING = 1,
	M_STOPPING = 2,
	M_FLAGS = 3,
};

/* ---- saving ---- */

static void save_slots(stw_bytes *b, const uint32_t *slots, size_t n)
{
	stw_bytes_uint(b, n);
	for (size_t i = 0; i < n; i++)
		stw_order_save_slot(b, slots[i]);
}

static void save_g(const stw_v1_merge *vm, stw_bytes *b, uint32_t slot)
{
	const stw_order_g *g = &vm->base.order->gs.items[slot];
	const stw_v1_g *more = &vm->gs.items[slot];
	const unsigned flags = (more->at_start ? G_AT_START : 0) | (more->network ? G_NETWORK : 0) | (more->forever ? G_FOREVER : 0) |
		(more->called ? G_CALLED : 0) | (more->in_call ? G_IN_CALL : 0) | (more->call_last ? G_CALL_LAST : 0) |
		(g->assist == STW_RANGE_ON ? G_ASSIST : 0) | (g->region ? G_REGION : 0);
	stw_bytes_uint(b, g->status);
	stw_bytes_uint(b, flags);
	stw_bytes_uint(b, g->seq);
	stw_order_save_slot(b, more->call_m);
	if (g->region)
		stw_order_save_regions(vm->base.order, b, g->region);
}

/* Slots stay what they are: in the order of them a part is told of what exists, and the free ones are taken in their order. */
static void save_gs(const stw_v1_merge *vm, stw_bytes *b)
{
	const stw_order *o = vm->base.order;
	int64_t last = 0;
	stw_bytes_uint(b, o->gs.count);
	for (uint32_t i = 0; i < o->gs.count; i++) {
		const int64_t id = o->gs.items[i].id;
		const bool alive = stw_order_is_alive(o, i);
		stw_bytes_uint(b, alive);
		if (!alive)
			continue;
		stw_bytes_int(b, (int64_t)((uint64_t)id - (uint64_t)last));
		save_g(vm, b, i);
		last = id;
	}
	save_slots(b, o->free_gs.items, o->free_gs.count);
}

static void save_ps(const stw_v1_merge *vm, stw_bytes *b)
{
	const stw_order *o = vm->base.order;
	stw_bytes_uint(b, o->ps.count);
	for (size_t i = 0; i < o->ps.count; i++) {
		const stw_v1_p *p = &vm->ps.items[i];
		stw_bytes_int(b, o->ps.items[i].id);
		stw_bytes_uint(b, o->ps.items[i].status);
		stw_bytes_uint(b,
			(p->seen ? P_SEEN : 0) | (p->running ? P_RUNNING : 0) | (p->sweeping ? P_SWEEPING : 0) |
				(p->stopping ? P_STOPPING : 0) | (p->in_call ? P_IN_CALL : 0) | (p->ending ? P_ENDING : 0));
		stw_order_save_slot(b, p->g);
		stw_order_save_slot(b, p->m);
		stw_bytes_int(b, p->quiet_before);
		stw_bytes_int(b, p->quiet_last);
	}
	for (unsigned i = 0; i < 4; i++)
		stw_order_save_slot(b, vm->fake_ps[i]);
	stw_bytes_uint(b, o->ms.count);
	for (size_t i = 0; i < o->ms.count; i++) {
		stw_bytes_int(b, o->ms.items[i].id);
		stw_order_save_slot(b, o->ms.items[i].p);
	}
	save_slots(b, vm->calls.items, vm->calls.count);
}

static void save_tasks(const stw_v1_merge *vm, stw_bytes *b)
{
	stw_bytes_uint(b, vm->tasks.count);
	for (uint32_t i = 0; i < vm->tasks.count; i++) {
		const stw_order_task *t = &vm->tasks.items[i];
		const bool active = stw_map_get(&vm->task_slots, t->id) == i;
		stw_bytes_uint(b, active);
		if (!active)
			continue;
		stw_bytes_uint(b, t->id);
		stw_bytes_uint(b, t->parent);
		stw_order_save_name(vm->base.order, b, t->name);
	}
	save_slots(b, vm->free_tasks.items, vm->free_tasks.count);
}

static void save_cursors(const stw_v1_merge *vm, stw_bytes *b)
{
	for (size_t i = 0; i < vm->n_cursors; i++)
		stw_v1_cursor_save(&vm->cursors[i], b);
	stw_bytes_uint(b, vm->n_heap);
	for (size_t i = 0; i < vm->n_heap; i++)
		stw_bytes_uint(b, (uint64_t)(vm->heap[i].cursor - vm->cursors));
	stw_order_save_slot(b, vm->last_taken ? (uint32_t)(vm->last_taken - vm->cursors) : STW_SLOT_NONE);
	stw_bytes_uint(b, vm->walk.taken);
	stw_bytes_uint(b, vm->exit_key == INT64_MAX);
	stw_bytes_uint(b, vm->base.next_sample);
}

void stw_v1_merge_save(const stw_v1_merge *vm, stw_bytes *b)
{
	save_gs(vm, b);
	save_ps(vm, b);
	save_tasks(vm, b);
	save_cursors(vm, b);
	stw_bytes_int(b, vm->base.last_time);
	stw_bytes_int(b, vm->last_key);
	stw_bytes_uint(b, vm->gc_number);
	stw_bytes_int(b, vm->n_stopping);
	stw_bytes_uint(b, (vm->collecting ? M_COLLECTING : 0) | (vm->stopping ? M_STOPPING : 0));
	stw_order_save_name(vm->base.order, b, vm->stop_kind);
	stw_bytes_int(b, vm->gomaxprocs);
	stw_bytes_uint(b, vm->n_faults);
	if (vm->n_faults == 0)
		return;
	stw_bytes_uint(b, vm->fault);
	stw_bytes_uint(b, vm->first_fault.offset);
	stw_bytes_text(b, vm->first_fault.message, strlen(vm->first_fault.message));
}

/* ---- restoring ---- */

static uint64_t take_count(stw_bytes_reader *r)
{
	return stw_bytes_take_below(r, (uint64_t)(r->end - r->p));
}

/* n: of how many they are. Each at most once where they are free ones. */
#define TAKE_SLOTS(mem, vec, r, n)                                                                                                         \
	do {                                                                                                                               \
		for (uint64_t left = take_count(r); left > 0 && !(r)->failed; left--) {                                                    \
			uint32_t *slot = stw_vec_push((mem), (vec));                                                                       \
			if (slot)                                                                                                          \
				*slot = stw_order_take_slot((r), (n));                                                                     \
			(r)->failed |= !slot;                                                                                              \
		}                                                                                                                          \
	} while (0)

/* A free slot is one that nobody has, and free once. False: one is not. */
static bool are_free(stw_mem *mem, const uint32_t *slots, size_t n, const uint8_t *taken, size_t n_taken)
{
	bool ok = n == 0 || (taken && n <= n_taken);
	uint8_t *seen = ok && n ? stw_mem_zalloc(mem, n_taken) : NULL;
	for (size_t i = 0; ok && i < n; i++) {
		ok = seen && slots[i] < n_taken && !taken[slots[i]] && !seen[slots[i]];
		if (ok)
			seen[slots[i]] = 1;
	}
	stw_mem_free(mem, seen, seen ? n_taken : 0);
	return ok;
}

static void take_g(stw_v1_merge *vm, stw_bytes_reader *r, uint32_t slot, int64_t id)
{
	stw_order *o = vm->base.order;
	stw_order_g *g = &o->gs.items[slot];
	stw_v1_g *more = &vm->gs.items[slot];
	const uint8_t status = (uint8_t)stw_bytes_take_below(r, STW_G_STATUS_COUNT - 1);
	const unsigned flags = (unsigned)stw_bytes_take_below(r, G_FLAGS);
	*g = (stw_order_g){.id = id, .seq = stw_bytes_take_uint(r), .epoch = o->epoch, .status = status};
	g->assist = flags & G_ASSIST ? STW_RANGE_ON : STW_RANGE_OFF;
	*more = (stw_v1_g){
		.at_start = flags & G_AT_START,
		.network = flags & G_NETWORK,
		.forever = flags & G_FOREVER,
		.called = flags & G_CALLED,
		.in_call = flags & G_IN_CALL,
		.call_last = flags & G_CALL_LAST,
		.call_m = stw_order_take_slot(r, STW_SLOT_UNKNOWN),
	};
	if (flags & G_REGION)
		stw_order_take_regions(o, r, slot);
}

static void take_gs(stw_v1_merge *vm, stw_bytes_reader *r)
{
	stw_order *o = vm->base.order;
	const uint64_t n = take_count(r);
	int64_t id = 0;
	uint8_t *alive = n ? stw_mem_zalloc(o->mem, n) : NULL;
	r->failed |= n >= STW_SLOT_UNKNOWN || (n && !alive);
	for (uint64_t i = 0; i < n && !r->failed; i++) {
		stw_v1_g *more = stw_vec_push(o->mem, &vm->gs);
		if (more)
			*more = (stw_v1_g){.call_m = STW_SLOT_NONE};
		alive[i] = stw_bytes_take_below(r, 1) != 0;
		id = alive[i] ? (int64_t)((uint64_t)id + (uint64_t)stw_bytes_take_int(r)) : id;
		r->failed |= !more || !stw_order_restore_g(o, alive[i], id);
		if (alive[i] && !r->failed)
			take_g(vm, r, (uint32_t)i, id);
	}
	TAKE_SLOTS(o->mem, &o->free_gs, r, n);
	r->failed = r->failed || !are_free(o->mem, o->free_gs.items, o->free_gs.count, alive, n);
	stw_mem_free(o->mem, alive, alive ? n : 0);
}

static void take_p(stw_v1_merge *vm, stw_bytes_reader *r)
{
	stw_order *o = vm->base.order;
	const int64_t id = stw_bytes_take_int(r);
	const uint32_t slot = r->failed || stw_order_find_p(o, id) != STW_MAP_NONE ? STW_SLOT_NONE : stw_v1_merge_add_p(vm, id);
	r->failed |= slot == STW_SLOT_NONE;
	if (r->failed)
		return;
	o->ps.items[slot].status = (uint8_t)stw_bytes_take_below(r, STW_P_STATUS_COUNT - 1);
	const unsigned flags = (unsigned)stw_bytes_take_below(r, P_FLAGS);
	vm->ps.items[slot] = (stw_v1_p){
		.seen = flags & P_SEEN,
		.running = flags & P_RUNNING,
		.sweeping = flags & P_SWEEPING,
		.stopping = flags & P_STOPPING,
		.in_call = flags & P_IN_CALL,
		.ending = flags & P_ENDING,
		.g = stw_order_take_slot(r, o->gs.count),
		.m = stw_order_take_slot(r, STW_SLOT_UNKNOWN),
	};
	vm->ps.items[slot].quiet_before = stw_bytes_take_int(r);
	vm->ps.items[slot].quiet_last = stw_bytes_take_int(r);
}

/* Threads come behind who names them. */
static void check_threads(const stw_v1_merge *vm, stw_bytes_reader *r)
{
	const size_t n = vm->base.order->ms.count;
	for (size_t i = 0; i < vm->ps.count; i++)
		r->failed |= STW_SLOT_OK(vm->ps.items[i].m) && vm->ps.items[i].m >= n;
	for (size_t i = 0; i < vm->gs.count; i++)
		r->failed |= STW_SLOT_OK(vm->gs.items[i].call_m) && vm->gs.items[i].call_m >= n;
}

static void take_ps(stw_v1_merge *vm, stw_bytes_reader *r)
{
	stw_order *o = vm->base.order;
	for (uint64_t n = take_count(r); n > 0 && !r->failed; n--)
		take_p(vm, r);
	for (unsigned i = 0; i < 4; i++)
		vm->fake_ps[i] = stw_order_take_slot(r, o->ps.count);
	for (uint64_t n = take_count(r); n > 0 && !r->failed; n--) {
		const int64_t id = stw_bytes_take_int(r);
		const uint32_t slot = r->failed || stw_order_find_m(o, id) != STW_MAP_NONE ? STW_SLOT_NONE : stw_order_add_m(o, id);
		r->failed |= slot == STW_SLOT_NONE;
		if (!r->failed)
			o->ms.items[slot].p = stw_order_take_slot(r, o->ps.count);
	}
	TAKE_SLOTS(o->mem, &vm->calls, r, o->gs.count);
	check_threads(vm, r);
}

static void take_tasks(stw_v1_merge *vm, stw_bytes_reader *r)
{
	stw_order *o = vm->base.order;
	const uint64_t n = take_count(r);
	uint8_t *active = n ? stw_mem_zalloc(o->mem, n) : NULL;
	r->failed |= n >= STW_SLOT_UNKNOWN || (n && !active);
	for (uint64_t i = 0; i < n && !r->failed; i++) {
		stw_order_task *t = stw_vec_push(o->mem, &vm->tasks);
		active[i] = stw_bytes_take_below(r, 1) != 0;
		r->failed |= !t;
		if (!t)
			break;
		*t = (stw_order_task){.active = active[i]};
		if (!active[i])
			continue;
		t->id = stw_bytes_take_uint(r);
		t->parent = stw_bytes_take_uint(r);
		t->name = stw_order_take_name(o, r);
		r->failed = r->failed || stw_map_get(&vm->task_slots, t->id) != STW_MAP_NONE ||
			!stw_map_put(&vm->task_slots, t->id, (uint32_t)i);
	}
	TAKE_SLOTS(o->mem, &vm->free_tasks, r, n);
	r->failed = r->failed || !are_free(o->mem, vm->free_tasks.items, vm->free_tasks.count, active, n);
	stw_mem_free(o->mem, active, active ? n : 0);
}

static void take_heap(stw_v1_merge *vm, stw_bytes_reader *r)
{
	uint8_t *in = vm->n_cursors ? stw_mem_zalloc(vm->base.order->mem, vm->n_cursors) : NULL;
	const uint64_t n = stw_bytes_take_below(r, in ? vm->n_cursors : 0);
	for (uint64_t i = 0; in && i < n && !r->failed; i++) {
		const uint64_t cursor = stw_bytes_take_below(r, vm->n_cursors - 1);
		r->failed |= in[cursor] || vm->v1->index.format.n_values[vm->cursors[cursor].type] == 0;
		in[cursor] = 1;
		vm->heap[vm->n_heap++] = (stw_v1_heap_entry){vm->cursors[cursor].key, &vm->cursors[cursor]};
	}
	r->failed |= vm->n_cursors && !in;
	stw_mem_free(vm->base.order->mem, in, in ? vm->n_cursors : 0);
}

static stwatch_status take_exit(stw_v1_merge *vm, stw_bytes_reader *r)
{
	const uint64_t taken = stw_bytes_take_below(r, vm->v1->index.exits.count), ended = stw_bytes_take_below(r, 1);
	stwatch_status status = STWATCH_OK;
	if (taken) {
		stw_v1_exit_walk_seek(&vm->walk, taken - 1);
		status = stw_v1_merge_next_exit(vm);
	}
	if (ended || taken == 0)
		vm->exit_key = INT64_MAX;
	return status;
}

static stwatch_status take_cursors(stw_v1_merge *vm, stw_bytes_reader *r, stwatch_error *error)
{
	const stw_v1_index *x = &vm->v1->index;
	stwatch_status status = STWATCH_OK;
	for (uint32_t i = 0; i < vm->n_cursors && status == STWATCH_OK; i++) {
		const int64_t id = x->procs.items[i].id;
		vm->cursors[i].p_slot = id == STWATCH_NONE ? STW_SLOT_NONE : stw_order_find_p(vm->base.order, id);
		r->failed |= id != STWATCH_NONE && vm->cursors[i].p_slot == STW_MAP_NONE;
		status = stw_v1_cursor_restore(&vm->cursors[i], x, vm->base.gen->source, r, error);
	}
	if (status != STWATCH_OK)
		return status;
	take_heap(vm, r);
	const uint32_t last = stw_order_take_slot(r, vm->n_cursors);
	vm->last_taken = last == STW_SLOT_NONE ? NULL : &vm->cursors[last];
	status = take_exit(vm, r);
	vm->base.next_sample = (size_t)stw_bytes_take_below(r, x->samples.count);
	vm->sample_key = vm->base.next_sample < x->samples.count ? x->samples.items[vm->base.next_sample].ticks : INT64_MAX;
	return status;
}

static void take_faults(stw_v1_merge *vm, stw_bytes_reader *r)
{
	char message[STWATCH_MESSAGE_MAX];
	size_t length;
	vm->n_faults = stw_bytes_take_uint(r);
	if (vm->n_faults == 0)
		return;
	vm->fault = (stw_fault)stw_bytes_take_below(r, STW_FAULT_COUPLING);
	const uint64_t offset = stw_bytes_take_uint(r);
	const char *text = stw_bytes_take_text(r, sizeof message - 1, &length);
	memcpy(message, text, length);
	message[length] = 0;
	stw_fail(&vm->first_fault, STWATCH_ERR_DAMAGED, offset, "%s", message);
}

static void take_rest(stw_v1_merge *vm, stw_bytes_reader *r)
{
	vm->base.last_time = stw_bytes_take_int(r);
	vm->last_key = stw_bytes_take_int(r);
	r->failed |= !vm->last_taken && vm->last_key != INT64_MIN; /* it is that one's */
	vm->gc_number = stw_bytes_take_uint(r);
	vm->n_stopping = (int)stw_bytes_take_int(r);
	const unsigned flags = (unsigned)stw_bytes_take_below(r, M_FLAGS);
	vm->collecting = flags & M_COLLECTING;
	vm->stopping = flags & M_STOPPING;
	vm->stop_kind = stw_order_take_name(vm->base.order, r);
	vm->gomaxprocs = stw_bytes_take_int(r);
	take_faults(vm, r);
}

stwatch_status stw_v1_merge_resume(stw_v1_merge *vm, stw_order *order, stw_v1 *v1, void *hook, stw_bytes_reader *r, stwatch_error *error)
{
	stwatch_status status = stw_v1_merge_prepare(vm, order, v1, NULL, hook, error);
	vm->as_go = vm->begun = true;
	if (status != STWATCH_OK)
		return status;
	take_gs(vm, r);
	take_ps(vm, r);
	take_tasks(vm, r);
	status = take_cursors(vm, r, error);
	take_rest(vm, r);
	stw_v1_merge_look_ahead(vm);
	return status == STWATCH_OK && r->failed
		? stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "the state in the index is damaged")
		: status;
}
