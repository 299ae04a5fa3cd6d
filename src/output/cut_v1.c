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
	stw_v1_past_told(&part->past, &part->merge, type, slot, status);
}

/* ---- writing ---- */

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

/* ---- going through the trace ---- */

static void take(stw_v1_merge *vm, size_t stream, const stw_v1_cursor *e)
{
	stw_v1_part *part = vm->base.hook;
	if (part->writing && !part->lost)
		write_event(part, stream, e);
	stw_v1_past_take(&part->past, vm, stream, e);
}

static void doubt(void *hook, int64_t until, bool missing)
{
	stw_v1_part *part = hook;
	(void)until;
	(void)missing;
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
	part->start_ticks = vm->first_ticks;
	part->writing = part->from <= 0;
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
static stwatch_status open(stw_v1_part *part, stw_v1 *v1, stw_bytes_reader *state, stwatch_error *error)
{
	if (!state)
		return stw_v1_merge_open(&part->merge, &part->order, v1, part, error);
	stwatch_status status = stw_v1_merge_resume(&part->merge, &part->order, v1, part, state, error);
	if (status == STWATCH_OK && !stw_v1_past_restore(&part->past, &part->merge, state))
		status = part->past.failed
			? stw_fail_memory(error)
			: stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "the index is damaged (stwatch index makes a new one)");
	return status;
}

stwatch_status stw_cut_part_v1(
	stw_cut *cut, stw_v1 *v1, stw_bytes_reader *state, stw_cut_times *times, const volatile int *cancel, stwatch_error *error)
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
	stw_v1_past_init(&part->past, cut->mem);
	stwatch_status status = stw_v1_writer_open(&part->writer, cut, v1, error);
	if (status == STWATCH_OK)
		status = open(part, v1, state, error);
	if (status == STWATCH_OK)
		status = run(part, cancel, times, error);
	stw_v1_merge_close(&part->merge);
	stw_v1_writer_free(&part->writer);
	stw_order_free(&part->order);
	stw_v1_past_free(&part->past);
	stw_mem_free(cut->mem, part, sizeof *part);
	return status;
}
