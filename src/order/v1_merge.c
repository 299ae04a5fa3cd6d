#include <stdarg.h>
#include <string.h>

#include "order/v1_ahead.h"

static __attribute__((format(printf, 4, 0))) void note(stw_v1_merge *vm, uint64_t offset, stw_fault fault, const char *format, va_list args)
{
	char text[STWATCH_MESSAGE_MAX];
	if (vm->doubt)
		vm->doubt(vm->base.hook, vm->base.last_time + 1, vm->v1->index.problems.count > 0);
	if (vm->n_faults++)
		return;
	vsnprintf(text, sizeof text, format, args);
	vm->fault = fault;
	stw_fail(&vm->first_fault, STWATCH_ERR_DAMAGED, offset, "%s", text);
}

/* Whom an event is about. */
static uint64_t subject(const stw_v1_cursor *c)
{
	return c->type == STW_V1_GoUnblock || c->type == STW_V1_GoUnblockLocal || c->type == STW_V1_GoCreate ? c->a[0] : c->g;
}

/* Of a trace that begins midway: what happened to a goroutine in what is missing explains that its next event does not go on from its last. */
static bool is_explained(const stw_v1_merge *vm, const stw_v1_cursor *c)
{
	if (!vm->midway)
		return false;
	const uint32_t slot = c ? stw_order_find_g(vm->base.order, (int64_t)subject(c)) : STW_MAP_NONE;
	return vm->base.last_time < vm->missing_to || (slot != STW_MAP_NONE && !vm->gs.items[slot].whole);
}

void stw_v1_merge_fault(stw_v1_merge *vm, const stw_v1_cursor *c, stw_fault fault, const char *format, ...)
{
	va_list args;
	if (is_explained(vm, c)) {
		vm->explained = true;
		if (vm->doubt)
			vm->doubt(vm->base.hook, vm->base.last_time + 1, true);
		vm->explained = false;
		return;
	}
	va_start(args, format);
	note(vm, c ? stw_v1_cursor_offset(c) : STWATCH_NO_OFFSET, fault, format, args);
	va_end(args);
}

static const char *name_proc(const stw_v1_merge *vm, const stw_v1_cursor *c, char *out, size_t size)
{
	const int64_t id = vm->v1->index.procs.items[c - vm->cursors].id;
	snprintf(out, size, id == STWATCH_NONE ? "no proc" : "proc %lld", (long long)id);
	return out;
}

void stw_v1_merge_fault_time(stw_v1_merge *vm, const stw_v1_cursor *c, unsigned type, int64_t time)
{
	char here[32], there[32];
	stw_v1_merge_fault(vm, c, STW_FAULT_ORDER,
		"times are out of order: %s of goroutine %llu on %s is %lld ns earlier than what has to come before it on %s",
		stw_v1_event_name(type), (unsigned long long)subject(c), name_proc(vm, c, here, sizeof here),
		(long long)(stw_v1_ns(vm->v1, vm->last_key) - time), name_proc(vm, vm->last_taken, there, sizeof there));
}

void stw_v1_merge_fault_frontier(stw_v1_merge *vm)
{
	char procs[160];
	size_t used = 0;
	procs[0] = 0;
	for (size_t i = 0; i < vm->n_heap && used < sizeof procs - 40; i++) {
		const stw_v1_cursor *c = vm->heap[i].cursor;
		int n = snprintf(procs + used, sizeof procs - used, "%s proc %lld at %s of goroutine %llu", i ? "," : "",
			(long long)vm->v1->index.procs.items[c - vm->cursors].id, stw_v1_event_name(c->type),
			(unsigned long long)subject(c));
		used += n > 0 ? (size_t)n : 0;
	}
	stw_v1_merge_fault(vm, vm->heap[0].cursor, STW_FAULT_ORDER, "no consistent order of events: none of the %zu procs can advance:%s",
		vm->n_heap, procs);
}

/* ---- the heap of cursors ---- */

/* Behind the last entry, where it would have children, stand times that are never earlier: only of those that are as late it has to be asked whether they
 * are there. */
enum { HEAP_BEHIND = 2 };

static size_t heap_size(size_t n_cursors)
{
	return (n_cursors + HEAP_BEHIND) * sizeof(stw_v1_heap_entry);
}

void stw_v1_merge_sift_down(stw_v1_merge *vm, size_t i)
{
	stw_v1_heap_entry *heap = vm->heap, e = heap[i];
	const size_t n = vm->n_heap;
	for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
		child += heap[child + 1].key < heap[child].key;
		if (heap[child].key > e.key) /* of two at one time, the one that has been waiting comes first, as in Go's reader */
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = e;
}

static bool sift_up(stw_v1_merge *vm, size_t i)
{
	stw_v1_heap_entry e = vm->heap[i];
	size_t from = i;
	while (i > 0 && vm->heap[(i - 1) / 2].key > e.key) {
		vm->heap[i] = vm->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	vm->heap[i] = e;
	return i != from;
}

void stw_v1_merge_sift(stw_v1_merge *vm, size_t i)
{
	if (!sift_up(vm, i))
		stw_v1_merge_sift_down(vm, i);
}

void stw_v1_merge_remove(stw_v1_merge *vm, size_t i)
{
	vm->heap[i] = vm->heap[--vm->n_heap];
	vm->heap[vm->n_heap].key = INT64_MAX;
	if (i < vm->n_heap)
		stw_v1_merge_sift(vm, i);
}

/* A sorted array is a heap too. Nearly sorted already: insertion. */
void stw_v1_merge_sort(stw_v1_merge *vm)
{
	for (size_t i = 1; i < vm->n_heap; i++) {
		stw_v1_heap_entry e = vm->heap[i];
		size_t j = i;
		for (; j > 0 && vm->heap[j - 1].key > e.key; j--)
			vm->heap[j] = vm->heap[j - 1];
		vm->heap[j] = e;
	}
}

stwatch_status stw_v1_merge_refresh_slow(stw_v1_merge *vm, stw_v1_cursor *c)
{
	for (;;) {
		stwatch_status status = stw_v1_cursor_next(c, &vm->v1->index, vm->base.gen->source, &vm->scratch);
		if (status == STWATCH_ERR_DAMAGED) {
			stw_v1_merge_fault(vm, c, STW_FAULT_BYTES, "%s", vm->scratch.message);
			continue;
		}
		if (status != STWATCH_OK && status != STWATCH_END)
			*vm->base.error = vm->scratch;
		if (c->after_loss && vm->doubt)
			vm->doubt(vm->base.hook, status == STWATCH_OK ? stw_v1_ns(vm->v1, c->ticks) : INT64_MAX, true);
		c->after_loss = false;
		return status;
	}
}

void stw_v1_merge_look_ahead(stw_v1_merge *vm)
{
	vm->next_other = vm->telling != STW_SLOT_NONE ? INT64_MIN : vm->sample_key < vm->exit_key ? vm->sample_key : vm->exit_key;
}

stwatch_status stw_v1_merge_next_exit(stw_v1_merge *vm)
{
	stwatch_status status = stw_v1_exit_walk_next(&vm->walk, &vm->exit, vm->base.error);
	vm->exit_key = status == STWATCH_OK && vm->exit.ticks <= stw_v1_latest(&vm->v1->index) ? vm->exit.key : INT64_MAX;
	return status == STWATCH_END ? STWATCH_OK : status;
}

/* ---- goroutines, procs, threads ---- */

uint32_t stw_v1_merge_add_g(stw_v1_merge *vm, uint64_t id, uint8_t status)
{
	stw_order *o = vm->base.order;
	uint32_t slot = stw_order_create_g(o, (int64_t)id, status);
	if (slot == STW_SLOT_NONE)
		return slot;
	while (vm->gs.count < o->gs.count)
		if (!stw_vec_add(o->mem, &vm->gs))
			return STW_SLOT_NONE;
	vm->gs.items[slot] = (stw_v1_g){.call_m = STW_SLOT_NONE};
	return slot;
}

uint32_t stw_v1_merge_add_p(stw_v1_merge *vm, int64_t id)
{
	stw_order *o = vm->base.order;
	uint32_t slot = stw_order_find_p(o, id);
	if (slot == STW_MAP_NONE)
		slot = stw_order_add_p(o, id, STW_P_IDLE);
	while (slot != STW_SLOT_NONE && vm->ps.count < o->ps.count) {
		stw_v1_p *p = stw_vec_push(o->mem, &vm->ps);
		if (!p)
			return STW_SLOT_NONE;
		*p = (stw_v1_p){.g = STW_SLOT_NONE, .m = STW_SLOT_NONE};
	}
	return slot;
}

uint32_t stw_v1_merge_thread(stw_v1_merge *vm, uint64_t id)
{
	uint32_t slot = stw_order_find_m(vm->base.order, (int64_t)id);
	return slot == STW_MAP_NONE ? stw_order_add_m(vm->base.order, (int64_t)id) : slot;
}

bool stw_v1_merge_note_call(stw_v1_merge *vm, uint32_t m, uint32_t g)
{
	while (STW_SLOT_OK(m) && vm->calls.count <= m) {
		uint32_t *slot = stw_vec_push(vm->base.order->mem, &vm->calls);
		if (!slot)
			return false;
		*slot = STW_SLOT_NONE;
	}
	if (STW_SLOT_OK(m))
		vm->calls.items[m] = g;
	return true;
}

uint32_t stw_v1_merge_call_of(const stw_v1_merge *vm, uint32_t m)
{
	const uint32_t g = m < vm->calls.count ? vm->calls.items[m] : STW_SLOT_NONE;
	return STW_SLOT_OK(g) && vm->gs.items[g].in_call && vm->gs.items[g].call_m == m ? g : STW_SLOT_NONE;
}

uint32_t stw_v1_merge_fake_p(stw_v1_merge *vm, int64_t id)
{
	uint32_t *slot = &vm->fake_ps[id - STW_V1_TIMER_P];
	if (*slot == STW_SLOT_NONE)
		*slot = stw_v1_merge_add_p(vm, id);
	return *slot;
}

/* ---- tasks and regions ---- */

static uint32_t intern_string(stw_v1_merge *vm, uint64_t id)
{
	uint32_t index = stw_generation_string(vm->base.gen, id);
	const stw_string *s = &vm->base.gen->strings.items[index == STW_MAP_NONE ? 0 : index];
	return stw_intern_put(&vm->base.order->names, s->data, s->length);
}

bool stw_v1_merge_task_begin(stw_v1_merge *vm, const stw_v1_cursor *c)
{
	stw_mem *mem = vm->base.order->mem;
	uint32_t slot = stw_map_get(&vm->task_slots, c->a[0]), name = intern_string(vm, c->a[2]);
	if (slot != STW_MAP_NONE)
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "task %llu begins, but it is already active", (unsigned long long)c->a[0]);
	else if (vm->free_tasks.count)
		slot = vm->free_tasks.items[--vm->free_tasks.count];
	else if (stw_vec_add(mem, &vm->tasks))
		slot = (uint32_t)vm->tasks.count - 1;
	if (slot == STW_MAP_NONE || name == UINT32_MAX || !stw_map_put(&vm->task_slots, c->a[0], slot))
		return false;
	vm->tasks.items[slot] = (stw_order_task){c->a[0], c->a[1], name, true};
	return true;
}

bool stw_v1_merge_task_end(stw_v1_merge *vm, uint64_t id, uint64_t *parent, uint32_t *name)
{
	uint32_t slot = stw_map_get(&vm->task_slots, id);
	*parent = UINT64_MAX;
	*name = 0;
	if (slot == STW_MAP_NONE)
		return true;
	*parent = vm->tasks.items[slot].parent;
	*name = vm->tasks.items[slot].name;
	stw_map_remove(&vm->task_slots, id);
	uint32_t *freed = stw_vec_push(vm->base.order->mem, &vm->free_tasks);
	if (freed)
		*freed = slot;
	return freed != NULL;
}

bool stw_v1_merge_region(stw_v1_merge *vm, const stw_v1_cursor *c, uint32_t g)
{
	stw_order *o = vm->base.order;
	uint32_t name = intern_string(vm, c->a[2]);
	if (name == UINT32_MAX)
		return false;
	if (!STW_SLOT_OK(g))
		return true;
	if (c->a[1] == 0)
		return stw_order_push_region(o, g, c->a[0], name);
	uint32_t top = o->gs.items[g].region;
	if (!top)
		return true;
	const stw_order_region *r = &o->regions.items[top - 1];
	if (r->task != c->a[0] || r->name != name)
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION,
			"region \"%.40s\" of task %llu ends in goroutine %llu, but the innermost open one is \"%.40s\" of task %llu",
			stw_intern_get(&o->names, name).data, (unsigned long long)c->a[0], (unsigned long long)c->g,
			stw_intern_get(&o->names, r->name).data, (unsigned long long)r->task);
	stw_order_pop_region(o, g);
	return true;
}

/* ---- opening ---- */

enum { PATIENCE_NS = 1000000 /* where bytes are lost, what an event waits for may be */ };

static stwatch_status make_cursors(stw_v1_merge *vm, stwatch_error *error)
{
	const stw_v1_index *x = &vm->v1->index;
	stw_mem *mem = vm->base.order->mem;
	const size_t n = x->procs.count;
	vm->n_cursors = n;
	vm->cursors = stw_mem_zalloc(mem, n * sizeof *vm->cursors);
	vm->heap = stw_mem_resize(mem, NULL, 0, heap_size(n));
	if (!vm->cursors || !vm->heap)
		return stw_fail_memory(error);
	for (size_t i = 0; i < n + HEAP_BEHIND; i++)
		vm->heap[i] = (stw_v1_heap_entry){INT64_MAX, NULL};
	if (vm->ahead)
		return STWATCH_OK;
	vm->windows = stw_v1_cursors_open(vm->cursors, mem, x, &vm->windows_size);
	return vm->windows ? STWATCH_OK : stw_fail_memory(error);
}

static stwatch_status begin_cursors(stw_v1_merge *vm, stwatch_error *error)
{
	for (uint32_t i = 0; i < vm->n_cursors; i++) {
		stw_v1_cursor *c = &vm->cursors[i];
		int64_t id = vm->v1->index.procs.items[i].id;
		c->p_slot = id == STWATCH_NONE ? STW_SLOT_NONE : stw_v1_merge_add_p(vm, id);
		if (id != STWATCH_NONE && c->p_slot == STW_SLOT_NONE)
			return stw_fail_memory(error);
		stwatch_status status = vm->ahead ? stw_v1_merge_refresh_ahead(vm, c) : stw_v1_merge_refresh(vm, c);
		if (status == STWATCH_END)
			continue;
		if (status != STWATCH_OK)
			return status;
		vm->heap[vm->n_heap++] = (stw_v1_heap_entry){c->key, c};
		sift_up(vm, vm->n_heap - 1);
	}
	return STWATCH_OK;
}

stwatch_status stw_v1_merge_prepare(stw_v1_merge *vm, stw_order *order, stw_v1 *v1, stw_v1_ahead *ahead, void *hook, stwatch_error *error)
{
	memset(vm, 0, sizeof *vm);
	vm->ahead = ahead;
	vm->base.order = order;
	vm->base.gen = &v1->gen;
	vm->base.last_time = v1->begin_ns - 1;
	vm->base.hook = hook;
	vm->base.error = error;
	vm->v1 = v1;
	vm->last_key = INT64_MIN;
	vm->telling = STW_SLOT_NONE;
	vm->sample_key = v1->index.samples.count ? v1->index.samples.items[0].ticks : INT64_MAX;
	vm->before = v1->index.format.before;
	vm->midway = v1->index.midway;
	vm->begun = vm->midway && !v1->index.listed;
	vm->missing_to = stw_v1_missing_to(v1);
	vm->patience = v1->index.problems.count ? (int64_t)(PATIENCE_NS / v1->ns_per_tick) : INT64_MAX;
	for (int i = 0; i < 4; i++)
		vm->fake_ps[i] = STW_SLOT_NONE;
	stw_map_init(&vm->task_slots, order->mem);
	stw_order_begin(order, STW_READ_EXACT);
	stwatch_status status = stw_v1_exit_walk_open(&vm->walk, order->mem, &v1->index.exits, error);
	return status == STWATCH_OK && v1->index.procs.count ? make_cursors(vm, error) : status;
}

stwatch_status stw_v1_merge_open_ahead(
	stw_v1_merge *vm, stw_order *order, stw_v1 *v1, stw_v1_ahead *ahead, void *hook, stwatch_error *error)
{
	stwatch_status status = stw_v1_merge_prepare(vm, order, v1, ahead, hook, error);
	if (status == STWATCH_OK)
		status = stw_v1_merge_next_exit(vm);
	stw_v1_merge_look_ahead(vm);
	return status == STWATCH_OK ? begin_cursors(vm, error) : status;
}

stwatch_status stw_v1_merge_open(stw_v1_merge *vm, stw_order *order, stw_v1 *v1, void *hook, stwatch_error *error)
{
	return stw_v1_merge_open_ahead(vm, order, v1, NULL, hook, error);
}

void stw_v1_merge_close(stw_v1_merge *vm)
{
	if (!vm->base.order)
		return;
	stw_mem *mem = vm->base.order->mem;
	for (size_t i = 0; vm->cursors && i < vm->n_cursors; i++)
		stw_v1_cursor_close(&vm->cursors[i], vm->v1->index.mem);
	stw_mem_free(mem, vm->windows, vm->windows ? vm->windows_size : 0);
	stw_mem_free(mem, vm->cursors, vm->n_cursors * sizeof *vm->cursors);
	stw_mem_free(mem, vm->heap, vm->heap ? heap_size(vm->n_cursors) : 0);
	stw_v1_exit_walk_close(&vm->walk);
	stw_vec_free(mem, &vm->gs);
	stw_vec_free(mem, &vm->ps);
	stw_vec_free(mem, &vm->calls);
	stw_vec_free(mem, &vm->tasks);
	stw_vec_free(mem, &vm->free_tasks);
	stw_map_free(&vm->task_slots);
	vm->base.order = NULL;
}

uint64_t stw_v1_merge_done(const stw_v1_merge *vm)
{
	const stw_v1_index *x = &vm->v1->index;
	uint64_t batches = 0;
	for (size_t i = 0; i < vm->n_cursors; i++)
		batches += vm->cursors[i].batch - x->procs.items[i].first;
	return x->batches.count ? (uint64_t)((double)(x->end - x->begin) * (double)batches / (double)x->batches.count) : 0;
}

stwatch_status stw_v1_merge_verdict(const stw_v1_merge *vm, stwatch_error *error)
{
	const stw_v1_index *x = &vm->v1->index;
	if (x->problems.count)
		return stw_fail(error, STWATCH_ERR_DAMAGED, x->problems.items[0].offset, "%s", x->problems.items[0].what);
	if (vm->n_faults == 0)
		return STWATCH_OK;
	*error = vm->first_fault;
	return error->status;
}
