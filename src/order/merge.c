#include "order/merge.h"

#include <stdarg.h>
#include <stdlib.h>

int stw_merge_give_up(stw_merge *mg)
{
	mg->order->gave_up = true;
	stw_fail(mg->error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "speculation failed");
	return STW_ADVANCE_FAIL;
}

int stw_merge_fail(stw_merge *mg, const stw_cursor *c, stw_fault fault, const char *format, ...)
{
	if (mg->order->mode == STW_READ_SPECULATIVE)
		return stw_merge_give_up(mg); /* the exact reading that follows words it */
	char text[STWATCH_MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	stw_fail(mg->error, STWATCH_ERR_DAMAGED, stw_cursor_offset(c), "%s (thread %lld, generation %llu)", text, (long long)c->m_id,
		(unsigned long long)mg->gen->number);
	if (mg->error)
		mg->error->generation = mg->gen->number;
	mg->order->fault = fault;
	return STW_ADVANCE_FAIL;
}

int stw_merge_fail_memory(stw_merge *mg)
{
	stw_fail_memory(mg->error);
	return STW_ADVANCE_FAIL;
}

int stw_merge_fail_context(stw_merge *mg, const stw_cursor *c, bool g_needed)
{
	const stw_order_m *m = c->m == STW_SLOT_NONE ? NULL : &mg->order->ms.items[c->m];
	const char *missing = !m ? "thread" : !STW_SLOT_OK(m->p) ? "proc" : g_needed ? "goroutine" : "proc";
	return stw_merge_fail(
		mg, c, STW_FAULT_COUPLING, "%s: expected a %s but didn't have one", stw_event_spec_of(c->type)->name, missing);
}

stwatch_status stw_merge_fail_frontier(stw_merge *mg)
{
	if (mg->order->mode == STW_READ_SPECULATIVE) {
		stw_merge_give_up(mg);
		return STWATCH_ERR_DAMAGED;
	}
	char threads[160];
	size_t used = 0;
	threads[0] = 0;
	for (size_t i = 0; i < mg->n_heap && used < sizeof threads - 40; i++) {
		const stw_cursor *c = mg->heap[i].cursor;
		int n = snprintf(threads + used, sizeof threads - used, "%s thread %lld at %s", i ? "," : "", (long long)c->m_id,
			stw_event_spec_of(c->type)->name);
		used += n > 0 ? (size_t)n : 0;
	}
	stw_merge_fail(mg, mg->heap[0].cursor, STW_FAULT_ORDER, "no consistent order of events: none of the %zu threads can advance:%s",
		mg->n_heap, threads);
	return STWATCH_ERR_DAMAGED;
}

/* A thread's slot is made when its first event is tried, which is when Go's reader makes its state: not before,
 * or a goroutine in a system call on a thread not seen yet would be taken for a contradiction. */
bool stw_merge_know_thread(stw_merge *mg, stw_cursor *c)
{
	uint32_t slot = stw_order_find_m(mg->order, c->m_id);
	if (slot == STW_MAP_NONE)
		slot = stw_order_add_m(mg->order, c->m_id);
	c->m = slot;
	return slot != STW_SLOT_NONE;
}

/* ---- the heap of cursors, by time ---- */

void stw_merge_sift_down(stw_merge *mg, size_t i)
{
	stw_heap_entry *heap = mg->heap, e = heap[i];
	const size_t n = mg->n_heap;
	for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
		if (child + 1 < n) /* of threads that take turns, which is earlier can't be foreseen: no branch */
			child += heap[child + 1].time < heap[child].time;
		if (heap[child].time >= e.time)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = e;
}

static bool sift_up(stw_merge *mg, size_t i)
{
	stw_heap_entry e = mg->heap[i];
	size_t from = i;
	while (i > 0 && mg->heap[(i - 1) / 2].time > e.time) {
		mg->heap[i] = mg->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	mg->heap[i] = e;
	return i != from;
}

void stw_merge_sift(stw_merge *mg, size_t i)
{
	if (!sift_up(mg, i))
		stw_merge_sift_down(mg, i);
}

void stw_merge_remove(stw_merge *mg, size_t i)
{
	mg->heap[i] = mg->heap[--mg->n_heap];
	mg->heap[mg->n_heap] = (stw_heap_entry){INT64_MAX, NULL};
	if (i < mg->n_heap)
		stw_merge_sift(mg, i);
}

/* A sorted array is a heap too. Nearly sorted already: insertion. */
void stw_merge_sort(stw_merge *mg)
{
	for (size_t i = 1; i < mg->n_heap; i++) {
		stw_heap_entry e = mg->heap[i];
		size_t j = i;
		for (; j > 0 && mg->heap[j - 1].time > e.time; j--)
			mg->heap[j] = mg->heap[j - 1];
		mg->heap[j] = e;
	}
}

/* ---- ranges ---- */

int stw_merge_range(stw_merge *mg, const stw_cursor *c, uint8_t *range, uint8_t requirement, int64_t id, uint8_t want, uint8_t becomes)
{
	if (*range == STW_RANGE_UNKNOWN) {
		if (!stw_order_require(mg->order, requirement, (uint64_t)id, want, 0))
			return stw_merge_fail_memory(mg);
	} else if (*range != want) {
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "%s, but such a range is %s in flight there",
			stw_event_spec_of(c->type)->name, want == STW_RANGE_OFF ? "already" : "not");
	}
	*range = becomes;
	return STW_ADVANCE_OK;
}

static uint32_t intern_string(stw_merge *mg, uint32_t string)
{
	const stw_string *s = &mg->gen->strings.items[string];
	return stw_intern_put(&mg->order->names, s->data, s->length);
}

int stw_merge_stop_begin(stw_merge *mg, const stw_cursor *c, uint32_t g, uint64_t kind_id, uint32_t string, uint32_t *kind)
{
	stw_order *o = mg->order;
	for (size_t i = 0; i < o->stops.count; i++)
		if (o->stops.items[i].g == g && o->stops.items[i].kind_id == kind_id)
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "STWBegin, but such a stop is already in flight there");
	*kind = intern_string(mg, string);
	stw_order_stop *stop = *kind == UINT32_MAX ? NULL : stw_vec_push(o->mem, &o->stops);
	if (!stop)
		return stw_merge_fail_memory(mg);
	*stop = (stw_order_stop){g, kind_id, *kind};
	o->gs.items[g].stops++;
	return STW_ADVANCE_OK;
}

int stw_merge_stop_end(stw_merge *mg, const stw_cursor *c, uint32_t g, uint32_t *kind)
{
	stw_order *o = mg->order;
	for (size_t i = 0; i < o->stops.count; i++) {
		if (o->stops.items[i].g != g)
			continue;
		*kind = o->stops.items[i].kind;
		o->stops.items[i] = o->stops.items[--o->stops.count];
		o->gs.items[g].stops--;
		return STW_ADVANCE_OK;
	}
	return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "STWEnd, but no stop is in flight there");
}

int stw_merge_gc(stw_merge *mg, const stw_cursor *c, uint8_t type, uint64_t seq, bool *check_context)
{
	stw_order *o = mg->order;
	*check_context = true;
	if (o->gc_state == STW_GC_UNKNOWN) {
		if (!stw_order_require(o, STW_REQ_GC, seq - 1, type, 0))
			return stw_merge_fail_memory(mg);
	} else if (type == STW_EV_GCActive && o->mode == STW_READ_INITIAL) {
		if (o->gc_state != STW_GC_UNDETERMINED)
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION,
				"GCActive in the first generation, but it is not the first event of the collector");
		*check_context = false;
	} else if (type == STW_EV_GCBegin && o->gc_state == STW_GC_UNDETERMINED) {
		*check_context = false;
	} else {
		if (seq != o->gc_seq + 1)
			return STW_ADVANCE_WAIT;
		if (type == STW_EV_GCBegin ? o->gc_state == STW_GC_RUNNING : o->gc_state != STW_GC_RUNNING)
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "%s while the collector's mark phase was %s",
				stw_event_spec_of(type)->name, o->gc_state == STW_GC_RUNNING ? "in progress" : "not in progress");
	}
	o->gc_seq = seq;
	o->gc_state = type == STW_EV_GCEnd ? STW_GC_OFF : STW_GC_RUNNING;
	return STW_ADVANCE_OK;
}

/* ---- tasks and regions ---- */

static stw_order_task *find_task(stw_order *o, uint64_t id)
{
	uint32_t slot = stw_map_get(&o->task_slots, id);
	return slot == STW_MAP_NONE ? NULL : &o->tasks.items[slot];
}

static stw_order_task *add_task(stw_order *o, uint64_t id)
{
	uint32_t slot;
	if (o->free_tasks.count)
		slot = o->free_tasks.items[--o->free_tasks.count];
	else if (!stw_vec_add(o->mem, &o->tasks))
		return NULL;
	else
		slot = (uint32_t)o->tasks.count - 1;
	return stw_map_put(&o->task_slots, id, slot) ? &o->tasks.items[slot] : NULL;
}

int stw_merge_task_begin(stw_merge *mg, const stw_cursor *c, uint64_t id, uint64_t parent, uint32_t string)
{
	stw_order *o = mg->order;
	stw_order_task *t = find_task(o, id);
	if (t && t->active)
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "task %llu begins, but it is already active", (unsigned long long)id);
	if (!t && o->mode == STW_READ_SPECULATIVE && !stw_order_require(o, STW_REQ_TASK_NEW, id, 0, 0))
		return stw_merge_fail_memory(mg);
	uint32_t name = intern_string(mg, string);
	if (!t)
		t = add_task(o, id);
	if (!t || name == UINT32_MAX)
		return stw_merge_fail_memory(mg);
	*t = (stw_order_task){id, parent, name, true};
	return STW_ADVANCE_OK;
}

int stw_merge_task_end(stw_merge *mg, uint64_t id, uint64_t *parent, uint32_t *name)
{
	stw_order *o = mg->order;
	stw_order_task *t = find_task(o, id);
	*parent = t && t->active ? t->parent : UINT64_MAX;
	*name = t && t->active ? t->name : 0;
	if (o->mode == STW_READ_SPECULATIVE) {
		/* Kept as ended: at the join it ends there too. */
		if (!t && !(t = add_task(o, id)))
			return stw_merge_fail_memory(mg);
		*t = (stw_order_task){.id = id};
		return STW_ADVANCE_OK;
	}
	if (t) {
		uint32_t *freed = stw_vec_push(o->mem, &o->free_tasks);
		if (!freed)
			return stw_merge_fail_memory(mg);
		*freed = (uint32_t)(t - o->tasks.items);
		stw_map_remove(&o->task_slots, id);
	}
	return STW_ADVANCE_OK;
}

int stw_merge_region_begin(stw_merge *mg, uint32_t g, uint64_t task, uint32_t string)
{
	uint32_t name = intern_string(mg, string);
	if (name == UINT32_MAX || !stw_order_push_region(mg->order, g, task, name))
		return stw_merge_fail_memory(mg);
	return STW_ADVANCE_OK;
}

int stw_merge_region_end(stw_merge *mg, const stw_cursor *c, uint32_t g, uint64_t task, uint32_t string)
{
	stw_order *o = mg->order;
	uint32_t name = intern_string(mg, string), top = o->gs.items[g].region;
	if (name == UINT32_MAX)
		return stw_merge_fail_memory(mg);
	if (!top) { /* begun before the trace, or before this generation */
		if (o->gs.items[g].entry_regions && !stw_order_require(o, STW_REQ_REGION_POP, (uint64_t)o->gs.items[g].id, name, task))
			return stw_merge_fail_memory(mg);
		return STW_ADVANCE_OK;
	}
	const stw_order_region *r = &o->regions.items[top - 1];
	if (r->task != task || r->name != name)
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION,
			"region \"%.40s\" of task %llu ends in goroutine %lld, but the innermost open one is \"%.40s\" of task %llu",
			stw_intern_get(&o->names, name).data, (unsigned long long)task, (long long)o->gs.items[g].id,
			stw_intern_get(&o->names, r->name).data, (unsigned long long)r->task);
	stw_order_pop_region(o, g);
	return STW_ADVANCE_OK;
}

/* ---- salvaging ---- */

void stw_merge_forget_g(stw_merge *mg, uint32_t slot)
{
	stw_order *o = mg->order;
	stw_order_g *g = &o->gs.items[slot];
	for (uint32_t i = 0; i < o->ms.count; i++)
		if (o->ms.items[i].g == slot)
			o->ms.items[i].g = STW_SLOT_NONE;
	stw_order_close_g(o, slot);
	g->status = STW_G_BAD;
	g->assist = STW_RANGE_OFF;
}

void stw_merge_forget_p(stw_merge *mg, uint32_t slot)
{
	stw_order *o = mg->order;
	for (uint32_t i = 0; i < o->ms.count; i++)
		if (o->ms.items[i].p == slot)
			o->ms.items[i].p = STW_SLOT_NONE;
	o->ps.items[slot].status = STW_P_BAD;
	o->ps.items[slot].sweep = STW_RANGE_OFF;
}

/* Bytes that are missing in one place between so many holes before and after. */
static uint64_t most_missing(const stw_generation *gen, uint16_t from, uint16_t to)
{
	uint64_t most = 0;
	for (uint16_t i = from; i < to; i++)
		most = gen->most[i] > most ? gen->most[i] : most;
	return most;
}

/* The runtime writes a batch out when it is full, and what is left at the end of a generation. So behind one that is not full nothing more of its
 * thread is to be expected, and what is missing between two others, or before the first, has room for another. */
enum { FULL_BATCH = 48 << 10 };

bool stw_merge_is_loss(const stw_merge *mg, const stw_cursor *c)
{
	const stw_batch *b = &mg->gen->batches.items[c->batch - 1];
	if (b->cut)
		return true;
	if (c->batch < c->batch_end)
		return most_missing(mg->gen, b->holes, b[1].holes) >= b->size;
	return b->size >= FULL_BATCH && most_missing(mg->gen, b->holes, mg->gen->holes) > 0;
}

bool stw_merge_is_late(const stw_merge *mg, const stw_cursor *c)
{
	const stw_batch *b = &mg->gen->batches.items[c->batch - 1];
	return most_missing(mg->gen, 0, b->holes) >= FULL_BATCH;
}

/* ---- opening ---- */

/* 8 MiB of windows in all, however many threads there are; below 4 KiB each, reading would be mostly system calls. */
static uint32_t window_size(size_t threads)
{
	size_t size = ((size_t)8 << 20) / (threads ? threads : 1);
	return (uint32_t)(size > STW_V2_MAX_BATCH ? STW_V2_MAX_BATCH : size < 4096 ? 4096 : size);
}

static stwatch_status first_event(stw_merge *mg, stw_cursor *c)
{
	uint64_t dt;
	stwatch_status status = stw_cursor_fill(c, mg->gen, mg->error);
	if (status != STWATCH_OK)
		return status;
	c->type = *c->p;
	const stw_event_spec *spec = stw_event_spec_of(c->type);
	if (!spec->kind && c->type != STW_EV_ClockSnapshot) {
		stw_merge_fail(mg, c, STW_FAULT_BYTES, "found event type %u in a thread's stream (no such event there)", c->type);
		return STWATCH_ERR_DAMAGED;
	}
	const uint8_t *p = stw_varint_get(c->p + 1, c->end, &dt);
	if (!p) {
		stw_merge_fail(mg, c, STW_FAULT_BYTES, "the time of %s is cut or overflows (a varint was expected)", spec->name);
		return STWATCH_ERR_DAMAGED;
	}
	c->p = p;
	c->time = (int64_t)((uint64_t)c->time + (uint64_t)stw_generation_ns(mg->gen, dt));
	return STWATCH_OK;
}

static stwatch_status open_cursor(stw_merge *mg, size_t i, uint32_t window)
{
	const stw_batch_thread *t = &mg->gen->threads.items[i];
	stw_cursor *c = &mg->cursors[i];
	*c = (stw_cursor){
		.m = STW_SLOT_NONE,
		.m_id = t->m,
		.told = INT64_MIN,
		.batch = t->first,
		.batch_end = t->first + t->count,
		.window_size = window,
		.window = mg->windows + i * (window + STW_EVENT_BYTES_MAX + STW_VARINT_SLACK),
	};
	c->p = c->end = c->window;
	stwatch_status status = first_event(mg, c);
	if (status == STWATCH_END)
		return STWATCH_OK;
	if (status != STWATCH_OK)
		return status;
	mg->heap[mg->n_heap++] = (stw_heap_entry){c->time, c};
	sift_up(mg, mg->n_heap - 1);
	return STWATCH_OK;
}

/* Entries and their children: a look at children needs not ask whether there are any. */
static size_t heap_room(size_t threads)
{
	return 2 * threads + 1 > 7 ? 2 * threads + 1 : 7;
}

stwatch_status stw_merge_open(
	stw_merge *mg, stw_order *order, const stw_generation *gen, int64_t last_time, void *hook, stwatch_error *error)
{
	memset(mg, 0, sizeof *mg);
	mg->order = order;
	mg->gen = gen;
	mg->last_time = last_time;
	mg->stamp = 1;
	mg->hook = hook;
	mg->error = error;
	mg->sample_time = gen->samples.count ? gen->samples.items[0].time : INT64_MAX;
	size_t n = gen->threads.count;
	mg->heap = stw_mem_resize(order->mem, NULL, 0, heap_room(n) * sizeof *mg->heap);
	if (!mg->heap)
		return stw_fail_memory(error);
	for (size_t i = 0; i < heap_room(n); i++)
		mg->heap[i] = (stw_heap_entry){INT64_MAX, NULL};
	if (n == 0)
		return STWATCH_OK;
	uint32_t window = window_size(n);
	mg->windows_size = n * (window + STW_EVENT_BYTES_MAX + STW_VARINT_SLACK);
	mg->windows = stw_mem_resize(order->mem, NULL, 0, mg->windows_size);
	mg->cursors = stw_mem_zalloc(order->mem, n * sizeof *mg->cursors);
	if (!mg->windows || !mg->cursors)
		return stw_fail_memory(error);
	for (size_t i = 0; i < n; i++) {
		stwatch_status status = open_cursor(mg, i, window);
		if (status != STWATCH_OK)
			return status;
	}
	return STWATCH_OK;
}

void stw_merge_close(stw_merge *mg)
{
	if (!mg->order)
		return;
	size_t n = mg->gen->threads.count;
	stw_mem_free(mg->order->mem, mg->windows, mg->windows_size);
	stw_mem_free(mg->order->mem, mg->cursors, n * sizeof *mg->cursors);
	stw_mem_free(mg->order->mem, mg->heap, heap_room(n) * sizeof *mg->heap);
	mg->windows = NULL;
	mg->cursors = NULL;
	mg->heap = NULL;
	mg->n_heap = 0;
}
