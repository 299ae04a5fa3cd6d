#include "output/cut_v1.h"

#include <string.h>

#include "base/error.h"
#include "order/v1_snapshot.h"

static void note_told(stw_merge *mg, unsigned type, uint32_t slot, uint64_t status);
static void take(stw_v1_merge *vm, size_t stream, const stw_v1_cursor *e);
#define STW_MERGE_EMIT(mg, type, time, m, p, g, target, a0, a1, a2, a3)                                                                    \
	((void)(time), (void)(m), (void)(p), (void)(g), (void)(a0), (void)(a1), (void)(a3), note_told(mg, type, target, a2))
#define STW_V1_TAKEN(vm, stream, event) take(vm, stream, event)
#include "order/v1_step.h"

enum { STEPS = 4096 }; /* between two looks at whether to go on */

static void note_told(stw_merge *mg, unsigned type, uint32_t slot, uint64_t status)
{
	stw_v1_part *part = mg->hook;
	if (part->midway.on)
		stw_cut_midway_told(part, type, slot, status);
	stw_v1_past_told(&part->past, &part->merge, type, slot, status);
}

/* ---- writing ---- */

/* Of a trace that begins midway: the first event that has a number tells how they go on. */
static void count(stw_v1_part *part, const stw_v1_event *e, stw_v1_past_g *g, bool local, bool left_out)
{
	stw_cut_g *more = stw_cut_midway_g_at(part, stw_order_find_g(&part->order, (int64_t)e->a[0]));
	if (!more)
		return;
	if (more->fresh && !local) {
		g->shift = more->next - e->a[1] - left_out;
		more->fresh = false;
	}
	more->next += !left_out;
}

/* An event that names a goroutine, and the number in which it comes; false where it is left out: the end of a call that the part does not have. */
static bool shift(stw_v1_part *part, stw_v1_event *e)
{
	const bool local = e->type == STW_V1_GoStartLocal || e->type == STW_V1_GoUnblockLocal || e->type == STW_V1_GoSysExitLocal,
		   starts = e->type == STW_V1_GoStart || e->type == STW_V1_GoStartLocal || e->type == STW_V1_GoStartLabel,
		   returns = e->type == STW_V1_GoSysExit || e->type == STW_V1_GoSysExitLocal;
	stw_v1_past_g *g = stw_v1_past_find(&part->past, &part->merge, e->a[0]);
	if (!g)
		return false;
	if (returns && !g->in_call) { /* of a call that it is not in: the merge lets it pass, but who reads the part may not */
		part->lost = true;
		return false;
	}
	const bool left_out = !starts && g->returned;
	if (part->midway.on)
		count(part, e, g, local, left_out);
	if (left_out) {
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
	if (stw_cut_tells_status(e->type) && !shift(part, &out))
		return;
	if (e->type == STW_V1_GCStart) {
		if (!part->has_gc_shift)
			part->gc_shift -= e->a[0];
		part->has_gc_shift = true;
		out.a[0] += part->gc_shift;
	}
	stw_v1_writer_put(&part->writer, stream, &out);
	part->n_events++;
}

/* ---- going through the trace ---- */

static void take(stw_v1_merge *vm, size_t stream, const stw_v1_cursor *e)
{
	stw_v1_part *part = vm->base.hook;
	const bool fits = !part->midway.on || stw_cut_midway_take(part, vm->cursors[stream].p_slot, e);
	if (part->writing && fits && !part->lost)
		write_event(part, stream, e);
	stw_v1_past_take(&part->past, vm, stream, e);
}

static void doubt(void *hook, int64_t until, bool missing)
{
	stw_v1_part *part = hook;
	(void)until;
	(void)missing;
	if (part->merge.explained)
		part->midway.explained = true;
	else
		part->lost |= part->writing;
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
	for (unsigned steps = 0; status == STWATCH_OK && !part->lost && !part->writer.failed && !part->past.failed; steps++) {
		int64_t next;
		if (steps % STEPS == 0 && cancel && *cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (stw_v1_merge_next_ticks(vm, &next)) {
			int64_t time = v1_time(vm, next);
			if (!part->writing && vm->begun && time >= part->from) {
				if (time > part->to)
					return nothing(error);
				if (stw_order_find_g(&part->order, 0) !=
					STW_MAP_NONE) /* damage has made it one: nothing can be told of it */
					return STWATCH_OK;
				stw_cut_midway_begin(part);
				if (part->midway.scouting)
					part->writing = true;
				else
					stw_v1_part_begin(part, next);
			} else if (part->writing && time > part->to) {
				return STWATCH_OK;
			}
			part->last = time > part->last ? time : part->last;
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
	part->start_ticks = vm->v1->index.first_ticks;
	part->writing = part->has_gc_shift = part->from <= 0 && !part->midway.on;
	part->lost = part->writing && vm->n_faults > 0;
	stwatch_status status = go_through(part, cancel, error);
	if (status == STWATCH_OK && part->past.failed)
		status = stw_fail_memory(error);
	if (status == STWATCH_OK && part->writing) {
		stw_v1_part_end(part);
		write_samples(part);
		status = stw_v1_writer_finish(&part->writer, error);
	}
	if (status != STWATCH_OK)
		return status;
	times->start = stw_v1_ns(vm->v1, part->start_ticks);
	times->start = times->start > 0 ? times->start : 0;
	times->end = part->last;
	times->n_events = part->n_events;
	status = stw_v1_merge_verdict(vm, error);
	return status == STWATCH_OK && part->n_events == 0 ? nothing(error) : status;
}

/* From the start, or from a state. */
static stwatch_status open_part(stw_v1_part *part, stw_v1 *v1, stw_bytes_reader *state, stwatch_error *error)
{
	if (!state)
		return stw_v1_merge_open(&part->merge, &part->order, v1, part, error);
	stwatch_status status = stw_v1_merge_resume(&part->merge, &part->order, v1, part, state, error);
	if (status == STWATCH_OK && !stw_v1_past_restore(&part->past, &part->merge, state))
		status = part->past.failed ? stw_fail_memory(error) : STWATCH_ERR_DAMAGED;
	return status == STWATCH_ERR_DAMAGED ? STWATCH_END : status;
}

/* Of a trace that begins midway: to the end of the part, for how everything is at its border. */
static stwatch_status scout(stw_v1_part *part, stw_v1 *v1, stw_mem *mem, const volatile int *cancel, stwatch_error *error)
{
	const int64_t whole_from = stw_v1_missing_to(v1);
	if (whole_from == INT64_MAX)
		return stw_fail(error, STWATCH_ERR_DAMAGED, 0,
			"nothing can be cut out: events of some procs may be missing all along, with the beginning of the file");
	if (whole_from > part->to)
		return stw_fail(error, STWATCH_ERR_DAMAGED, 0,
			"nothing can be cut out up to %+.3f ms: events of some procs may be missing, with the beginning of the file",
			(double)whole_from / 1e6);
	stw_v1_part *s = stw_mem_zalloc(mem, sizeof *s);
	if (!s)
		return stw_fail_memory(error);
	part->from = part->from > whole_from ? part->from : whole_from;
	s->from = part->from;
	s->to = part->to;
	s->midway.on = s->midway.scouting = true;
	s->midway.told_g = s->midway.told_p = STW_SLOT_NONE;
	stw_map_init(&s->midway.by_id, mem);
	stw_v1_past_init(&s->past, mem);
	stw_order_init(&s->order, mem);
	stwatch_status status = stw_v1_merge_open(&s->merge, &s->order, v1, s, error);
	s->merge.doubt = doubt;
	if (status == STWATCH_OK)
		status = go_through(s, cancel, error);
	if (status == STWATCH_OK && s->past.failed)
		status = stw_fail_memory(error);
	stw_v1_merge_close(&s->merge);
	stw_order_free(&s->order);
	stw_v1_past_free(&s->past);
	stw_vec_free(mem, &s->midway.gs); /* the slots are others the next time */
	part->midway = s->midway;
	part->midway.scouting = part->midway.collecting = part->midway.standing = false;
	for (size_t i = 0; i < part->midway.ps.count; i++)
		part->midway.ps.items[i] = (stw_cut_p){.runs = part->midway.ps.items[i].runs};
	stw_mem_free(mem, s, sizeof *s);
	return status;
}

stwatch_status stw_cut_part_v1(
	stw_cut *cut, stw_v1 *v1, stw_bytes_reader *state, stw_cut_times *times, const volatile int *cancel, stwatch_error *error)
{
	const bool midway = v1->index.midway;
	stw_v1_part *part = stw_mem_zalloc(cut->mem, sizeof *part);
	if (!part)
		return stw_fail_memory(error);
	part->from = times->from;
	part->to = times->to;
	stw_map_init(&part->midway.by_id, cut->mem);
	stw_order_init(&part->order, cut->mem);
	stw_v1_past_init(&part->past, cut->mem);
	stwatch_status status = midway ? scout(part, v1, cut->mem, cancel, error) : STWATCH_OK;
	if (status == STWATCH_OK) /* of such a trace no state says what may be missing of what it knows */
		status = open_part(part, v1, midway ? NULL : state, error);
	if (status == STWATCH_OK)
		status = stw_v1_writer_open(&part->writer, cut, v1, error);
	if (status == STWATCH_OK)
		status = run(part, cancel, times, error);
	stw_v1_merge_close(&part->merge);
	stw_v1_writer_free(&part->writer);
	stw_order_free(&part->order);
	stw_v1_past_free(&part->past);
	stw_cut_midway_free(&part->midway);
	stw_mem_free(cut->mem, part, sizeof *part);
	return status;
}
