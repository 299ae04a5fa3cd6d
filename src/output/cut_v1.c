#include "output/cut_v1.h"

#include <string.h>

#include "base/error.h"

static void note_told(stw_merge *mg, unsigned type, uint32_t slot, uint64_t status);
static void take(stw_v1_merge *vm, size_t stream, const stw_v1_cursor *e);
#define STW_MERGE_EMIT(mg, type, time, m, p, g, target, a0, a1, a2, a3)                                                                    \
	((void)(time), (void)(m), (void)(p), (void)(g), (void)(a0), (void)(a1), (void)(a3), note_told(mg, type, target, a2))
#define STW_V1_TAKEN(vm, stream, event) take(vm, stream, event)
#include "order/v1_step.h"

enum { STEPS = 4096 }; /* between two looks at whether to go on */

stw_cut_g *stw_cut_g_at(stw_v1_part *part, uint32_t slot)
{
	while (part->gs.count <= slot) {
		stw_cut_g *g = stw_vec_push(part->order.mem, &part->gs);
		if (!g) {
			part->writer.failed = true;
			return NULL;
		}
		*g = (stw_cut_g){.call_p = STW_SLOT_NONE};
	}
	return &part->gs.items[slot];
}

stw_cut_p *stw_cut_p_at(stw_v1_part *part, uint32_t slot)
{
	while (part->ps.count <= slot) {
		stw_cut_p *p = stw_vec_push(part->order.mem, &part->ps);
		if (!p) {
			part->writer.failed = true;
			return NULL;
		}
		*p = (stw_cut_p){.call_g = STW_SLOT_NONE};
	}
	return &part->ps.items[slot];
}

/* By id; NULL also where there is none. */
static stw_cut_g *find(stw_v1_part *part, uint64_t id)
{
	uint32_t slot = id ? stw_order_find_g(&part->order, (int64_t)id) : STW_MAP_NONE;
	return slot == STW_MAP_NONE ? NULL : stw_cut_g_at(part, slot);
}

/* Of what is handed on, only what no event of the file says by itself. */
static void note_told(stw_merge *mg, unsigned type, uint32_t slot, uint64_t status)
{
	stw_v1_part *part = mg->hook;
	const stw_v1_merge *vm = &part->merge;
	if (type != STW_EV_GoStatus && type != STW_EV_GoSyscallEndBlocked)
		return;
	stw_cut_g *g = stw_cut_g_at(part, slot);
	if (!g)
		return;
	if (type == STW_EV_GoStatus) {
		g->in_call = status == STW_G_SYSCALL;
		g->returned = false;
	} else {
		g->exit_ticks = vm->exit.ticks ? vm->exit.ticks : vm->last_key;
		g->exit_seq = vm->exit.key;
	}
}

/* ---- writing ---- */

/* An event that names a goroutine, and the number in which it comes; false where it is left out: the end of a call that the part does not have. */
static bool shift(stw_v1_part *part, stw_v1_event *e)
{
	const bool local = e->type == STW_V1_GoStartLocal || e->type == STW_V1_GoUnblockLocal || e->type == STW_V1_GoSysExitLocal,
		   starts = e->type == STW_V1_GoStart || e->type == STW_V1_GoStartLocal || e->type == STW_V1_GoStartLabel,
		   returns = e->type == STW_V1_GoSysExit || e->type == STW_V1_GoSysExitLocal;
	stw_cut_g *g = find(part, e->a[0]);
	if (!g)
		return false;
	if (returns && !g->in_call) { /* of a call that it is not in: the merge lets it pass, but who reads the part may not */
		part->lost = true;
		return false;
	}
	if (!starts && g->returned) {
		g->returned = false;
		return false;
	}
	if (!local)
		e->a[1] += part->merge.before == 2 ? part->seq_shift : g->shift;
	return true;
}

static void write_event(stw_v1_part *part, size_t stream, const stw_v1_cursor *e)
{
	stw_v1_event out = {
		.type = e->type,
		.stack = e->stack,
		.ticks = e->ticks,
		.seq = part->merge.before == 2 ? (int64_t)((uint64_t)e->key + part->seq_shift) : 0,
		.text = e->text,
		.text_length = e->text_length,
	};
	memcpy(out.a, e->a, sizeof out.a);
	switch (e->type) {
	case STW_V1_GoStart:
	case STW_V1_GoStartLocal:
	case STW_V1_GoStartLabel:
	case STW_V1_GoUnblock:
	case STW_V1_GoUnblockLocal:
	case STW_V1_GoSysExit:
	case STW_V1_GoSysExitLocal:
		if (!shift(part, &out))
			return;
		break;
	case STW_V1_GCStart: out.a[0] += part->gc_shift; break;
	default: break;
	}
	stw_v1_writer_put(&part->writer, stream, &out);
	part->n_events++;
}

/* ---- what a border may have to tell ---- */

static void name(stw_v1_part *part, stw_cut_names *names, uint32_t index, uint64_t id)
{
	while (names->count <= index) {
		uint64_t *fresh = stw_vec_push(part->order.mem, names);
		if (!fresh) {
			part->writer.failed = true;
			return;
		}
		*fresh = 0;
	}
	names->items[index] = id;
}

static void observe_goroutine(stw_v1_part *part, uint32_t p, const stw_v1_cursor *e)
{
	stw_cut_g *g = find(
		part, e->type == STW_V1_GoCreate || e->type == STW_V1_GoUnblock || e->type == STW_V1_GoUnblockLocal ? e->a[0] : e->g);
	stw_cut_p *at = g && e->type == STW_V1_GoSysBlock && p != STW_SLOT_NONE ? stw_cut_p_at(part, p) : NULL;
	if (!g)
		return;
	switch (e->type) {
	case STW_V1_GoCreate: *g = (stw_cut_g){.start = e->a[1], .call_p = STW_SLOT_NONE}; break;
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
			at->call_g = stw_order_find_g(&part->order, (int64_t)e->g);
		break;
	case STW_V1_GCMarkAssistStart: g->assist_stack = e->stack; break;
	case STW_V1_GoBlockNet: g->net_stack = e->stack; break;
	default: g->in_call = false; /* ready to run */
	}
}

static void observe_annotation(stw_v1_part *part, const stw_v1_cursor *e)
{
	uint32_t g = e->type == STW_V1_UserRegion && e->a[1] == 0 && e->g ? stw_order_find_g(&part->order, (int64_t)e->g) : STW_MAP_NONE;
	uint32_t task = e->type == STW_V1_UserTaskCreate ? stw_map_get(&part->merge.task_slots, e->a[0]) : STW_MAP_NONE;
	if (g != STW_MAP_NONE && part->order.gs.items[g].region)
		name(part, &part->regions, part->order.gs.items[g].region - 1, e->a[2]);
	if (task != STW_MAP_NONE)
		name(part, &part->tasks, task, e->a[2]);
}

static void observe_proc(stw_v1_part *part, uint32_t p, const stw_v1_cursor *e)
{
	stw_cut_p *at = p == STW_SLOT_NONE ? NULL : stw_cut_p_at(part, p);
	if (at && e->type == STW_V1_ProcStart)
		at->thread = e->a[0];
	else if (at)
		at->sweep_stack = e->stack;
}

static void observe(stw_v1_part *part, uint32_t p, const stw_v1_cursor *e)
{
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
	case STW_V1_GCMarkAssistStart: observe_goroutine(part, p, e); break;
	case STW_V1_ProcStart:
	case STW_V1_GCSweepStart: observe_proc(part, p, e); break;
	case STW_V1_UserTaskCreate:
	case STW_V1_UserRegion: observe_annotation(part, e); break;
	case STW_V1_GCStart: part->gc_stack = e->stack; break;
	case STW_V1_GCSTWStart:
		part->stop_kind = e->a[0];
		part->stop_p = p;
		break;
	case STW_V1_Gomaxprocs: part->procs = e->a[0]; break;
	case STW_V1_HeapAlloc:
		part->heap = e->a[0];
		part->has_heap = true;
		break;
	case STW_V1_HeapGoal:
		part->goal = e->a[0];
		part->has_goal = true;
		break;
	default: break;
	}
}

/* ---- going through the trace ---- */

static void take(stw_v1_merge *vm, size_t stream, const stw_v1_cursor *e)
{
	stw_v1_part *part = vm->base.hook;
	if (part->writing && !part->lost)
		write_event(part, stream, e);
	observe(part, vm->cursor_ps[stream], e);
}

static void doubt(void *hook, int64_t until, bool missing)
{
	stw_v1_part *part = hook;
	(void)until;
	(void)missing;
	part->lost |= part->writing;
}

/* When the next thing happens, in ticks; false where there is none, or it belongs to the list of what existed at the beginning. */
static bool look_ahead(const stw_v1_merge *vm, int64_t *ticks)
{
	const stw_v1_cursor *c = vm->n_heap ? &vm->cursors[vm->heap[0].cursor] : NULL;
	if (vm->telling != STW_SLOT_NONE)
		return false;
	if (vm->next_other < (c ? c->key : INT64_MAX)) {
		bool sample = vm->sample_key <= vm->exit_key;
		*ticks = sample ? vm->sample_key : vm->exit.ticks ? vm->exit.ticks : vm->last_key;
		return true;
	}
	*ticks = c ? c->ticks : 0;
	return c != NULL;
}

static stwatch_status nothing(stwatch_error *error)
{
	return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "the trace has nothing in that time");
}

/* To the end of the part. */
static stwatch_status go_through(stw_v1_part *part, const volatile int *cancel, stwatch_error *error)
{
	stw_v1_merge *vm = &part->merge;
	stwatch_status status = STWATCH_OK;
	for (unsigned steps = 0; status == STWATCH_OK && !part->lost && !part->writer.failed; steps++) {
		int64_t next;
		if (steps % STEPS == 0 && cancel && *cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (look_ahead(vm, &next)) {
			int64_t time = v1_time(vm, next);
			if (!part->writing && vm->begun && time >= part->from) {
				if (time > part->to)
					return nothing(error);
				if (stw_order_find_g(&part->order, 0) !=
					STW_MAP_NONE) /* damage has made it one: nothing can be told of it */
					return STWATCH_OK;
				stw_v1_part_begin(part, next);
			} else if (part->writing && time > part->to) {
				return STWATCH_OK;
			}
		}
		status = v1_step(vm);
	}
	return status == STWATCH_END ? STWATCH_OK : status;
}

static void write_samples(stw_v1_part *part)
{
	const stw_v1_index *x = &part->merge.v1->index;
	for (size_t i = part->first_sample; i < part->merge.base.next_sample; i++) {
		const stw_v1_sample *s = &x->samples.items[i];
		const stw_v1_event e = {
			.type = STW_V1_CPUSample,
			.stack = (uint32_t)s->stack,
			.ticks = part->writer.last_ticks > s->ticks ? part->writer.last_ticks : s->ticks,
			.a = {(uint64_t)s->ticks, (uint64_t)s->p, s->g},
		};
		stw_v1_writer_put(&part->writer, part->writer.no_proc, &e);
		part->n_events++;
	}
}

static stwatch_status run(stw_v1_part *part, const volatile int *cancel, stw_cut_times *times, stwatch_error *error)
{
	stw_v1_merge *vm = &part->merge;
	vm->doubt = doubt;
	part->start_ticks = vm->first_ticks;
	part->writing = part->from <= 0;
	part->lost = part->writing && vm->n_faults > 0;
	stwatch_status status = go_through(part, cancel, error);
	if (status == STWATCH_OK && part->writing) {
		stw_v1_part_end(part);
		write_samples(part);
		status = stw_v1_writer_finish(&part->writer, error);
	}
	if (status != STWATCH_OK)
		return status;
	times->start = stw_v1_ns(vm->v1, part->start_ticks);
	times->start = times->start > 0 ? times->start : 0;
	times->end = vm->base.last_time;
	times->n_events = part->n_events;
	status = stw_v1_merge_verdict(vm, error);
	return status == STWATCH_OK && part->n_events == 0 ? nothing(error) : status;
}

stwatch_status stw_cut_part_v1(stw_cut *cut, stw_v1 *v1, stw_cut_times *times, const volatile int *cancel, stwatch_error *error)
{
	if (v1->index.midway) /* what is there shows itself only later */
		return stw_fail(
			error, STWATCH_ERR_DAMAGED, 0, "nothing can be cut out of a trace of Go 1.21 or earlier without its beginning");
	stw_v1_part *part = stw_mem_zalloc(cut->mem, sizeof *part);
	if (!part)
		return stw_fail_memory(error);
	part->from = times->from;
	part->to = times->to;
	stw_order_init(&part->order, cut->mem);
	stwatch_status status = stw_v1_writer_open(&part->writer, cut, v1, error);
	if (status == STWATCH_OK)
		status = stw_v1_merge_open(&part->merge, &part->order, v1, part, error);
	if (status == STWATCH_OK)
		status = run(part, cancel, times, error);
	stw_v1_merge_close(&part->merge);
	stw_v1_writer_free(&part->writer);
	stw_order_free(&part->order);
	stw_vec_free(cut->mem, &part->gs);
	stw_vec_free(cut->mem, &part->ps);
	stw_vec_free(cut->mem, &part->regions);
	stw_vec_free(cut->mem, &part->tasks);
	stw_mem_free(cut->mem, part, sizeof *part);
	return status;
}
