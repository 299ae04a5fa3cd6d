#include "analysis/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/fold.h"

enum { EVENTS_A_PAUSE = 1 << 14 };

void stw_past_init(stw_past *p, stw_mem *mem, size_t room)
{
	memset(p, 0, sizeof *p);
	p->mem = mem;
	p->room = room;
	stw_map_init(&p->proc_index, mem);
}

void stw_past_unload(stw_past *p)
{
	if (p->loaded) {
		stw_timeline_free(&p->timeline);
		stw_stream_close(&p->stream);
	}
	if (p->has_tables)
		stw_trace_unload(p->trace, &p->gen);
	p->has_tables = false;
	p->loaded = p->begun = p->failed = false;
	p->stays.count = p->procs.count = p->assists.count = 0;
	p->oldest = 0;
	p->stop_since = p->last = STW_TIME_UNKNOWN;
	stw_map_clear(&p->proc_index);
}

void stw_past_free(stw_past *p)
{
	stw_past_unload(p);
	stw_vec_free(p->mem, &p->stays);
	stw_vec_free(p->mem, &p->procs);
	stw_vec_free(p->mem, &p->assists);
	stw_map_free(&p->proc_index);
}

/* ---- keeping ---- */

/* What is open at the moment of looking is kept beyond the room: there is no more of it than goroutines. */
static void keep(stw_past *p, const stw_past_stay *stay)
{
	if (p->stays.count >= p->room && !stay->open_end) {
		stw_past_stay *gone = &p->stays.items[p->oldest];
		if (gone->to > p->begin)
			p->begin = gone->to;
		*gone = *stay;
		p->oldest = (p->oldest + 1) % p->room;
		return;
	}
	stw_past_stay *slot = stw_vec_push(p->mem, &p->stays);
	if (slot)
		*slot = *stay;
	else
		p->failed = true;
}

static uint32_t stack_index(stw_past *p, uint64_t id)
{
	uint32_t index = id ? stw_generation_stack(stw_stream_tables(&p->stream), id) : 0;
	return index == STW_MAP_NONE ? 0 : index;
}

/* Where whoever did the event at hand was. */
static uint32_t acting_stack(stw_past *p)
{
	int index = stw_event_spec_of(p->event->type)->stack;
	return index >= 0 && index < 4 ? stack_index(p, p->event->a[index]) : 0;
}

static void on_interval(void *user, const stw_interval *i)
{
	stw_past *p = user;
	if (i->resource != STW_RES_G)
		return;
	stw_past_stay stay = {.id = i->id,
		.from = i->from,
		.to = i->to,
		.by = i->by,
		.stack = i->state == STW_STATE_G_RUNNABLE ? 0 : stack_index(p, i->stack), /* that would be its waker's */
		.text = i->reason,
		.track = STW_PAST_GOROUTINE,
		.state = i->state,
		.open_begin = i->open_begin,
		.open_end = i->open_end};
	if (!i->open_end && i->state == STW_STATE_G_RUNNING && p->event->g == i->id)
		stay.stack = acting_stack(p);
	if (i->by != STWATCH_NONE)
		stay.wake = acting_stack(p);
	keep(p, &stay);
}

static stw_past_proc *proc_of(stw_past *p, int64_t id)
{
	uint32_t i = id == STWATCH_NONE ? STW_MAP_NONE : stw_map_get(&p->proc_index, (uint64_t)id);
	if (i == STW_MAP_NONE && id != STWATCH_NONE) {
		if (!stw_vec_add(p->mem, &p->procs) || !stw_map_put(&p->proc_index, (uint64_t)id, (uint32_t)p->procs.count - 1)) {
			p->failed = true;
			return NULL;
		}
		i = (uint32_t)p->procs.count - 1;
		p->procs.items[i] = (stw_past_proc){.id = id, .state = STW_STATE_NONE};
	}
	return i == STW_MAP_NONE ? NULL : &p->procs.items[i];
}

static void end_use(stw_past *p, int64_t id, int64_t at, uint32_t stack, bool open_end)
{
	stw_past_proc *proc = proc_of(p, id);
	if (!proc || proc->state == STW_STATE_NONE)
		return;
	const stw_past_stay stay = {.id = id,
		.from = proc->since,
		.to = at,
		.by = proc->g,
		.stack = proc->state == STW_STATE_G_SYSCALL ? proc->stack : stack,
		.track = STW_PAST_PROC,
		.state = proc->state,
		.open_end = open_end};
	proc->state = STW_STATE_NONE;
	keep(p, &stay);
}

static void begin_use(stw_past *p, int64_t id, int64_t g, unsigned state, int64_t at, uint32_t stack)
{
	stw_past_proc *proc = proc_of(p, id);
	end_use(p, id, at, stack, false);
	if (proc)
		*proc = (stw_past_proc){.id = id, .since = at, .g = g, .state = (uint8_t)state, .stack = stack};
}

static void see_status(stw_past *p, const stw_stream_event *e)
{
	unsigned status = (unsigned)e->a[2] & 7;
	const stw_past_proc *proc = proc_of(p, e->p);
	if ((status != STW_G_RUNNING && status != STW_G_SYSCALL) || (int64_t)e->a[1] != e->m || !proc || proc->state != STW_STATE_NONE)
		return;
	begin_use(p, e->p, (int64_t)e->a[0], status == STW_G_RUNNING ? STW_STATE_G_RUNNING : STW_STATE_G_SYSCALL,
		p->stream.salvaging ? e->time : p->begin, 0); /* it may begin anew there */
}

static void end_assist(stw_past *p, int64_t g, int64_t at, bool open_end)
{
	for (size_t i = 0; i < p->assists.count; i++) {
		if (p->assists.items[i].g != g)
			continue;
		const stw_past_stay stay = {
			.id = g, .from = p->assists.items[i].since, .to = at, .by = g, .track = STW_PAST_ASSIST, .open_end = open_end};
		p->assists.items[i] = p->assists.items[--p->assists.count];
		keep(p, &stay);
		return;
	}
}

static void begin_assist(stw_past *p, int64_t g, int64_t at)
{
	stw_past_assist *assist = stw_vec_push(p->mem, &p->assists);
	if (assist)
		*assist = (stw_past_assist){g, at};
	else
		p->failed = true;
}

static void end_stop(stw_past *p, int64_t at, bool open_end)
{
	const stw_past_stay stay = {
		.from = p->stop_since, .to = at, .by = p->stop_by, .text = p->stop_kind, .track = STW_PAST_STOP, .open_end = open_end};
	if (p->stop_since != STW_TIME_UNKNOWN)
		keep(p, &stay);
	p->stop_since = STW_TIME_UNKNOWN;
}

static void see_instant(stw_past *p, stw_past_track track, int64_t id, int64_t by, uint32_t stack, uint32_t wake)
{
	const stw_past_stay stay = {
		.id = id, .from = p->event->time, .to = p->event->time, .by = by, .stack = stack, .wake = wake, .track = (uint8_t)track};
	keep(p, &stay);
}

/* What the timeline does not tell. */
static void see(stw_past *p, const stw_stream_event *e)
{
	switch (e->type) {
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack: see_status(p, e); break;
	case STW_EV_GoStart: begin_use(p, e->p, (int64_t)e->a[0], STW_STATE_G_RUNNING, e->time, 0); break;
	case STW_EV_GoSyscallBegin: begin_use(p, e->p, e->g, STW_STATE_G_SYSCALL, e->time, acting_stack(p)); break;
	case STW_EV_GoSyscallEnd: begin_use(p, e->p, e->g, STW_STATE_G_RUNNING, e->time, 0); break;
	case STW_EV_GoStop:
	case STW_EV_GoBlock:
	case STW_EV_GoDestroy:
	case STW_EV_GoDestroySyscall: end_use(p, e->p, e->time, acting_stack(p), false); break;
	case STW_EV_ProcStop: end_use(p, e->p, e->time, 0, false); break;
	case STW_EV_ProcSteal: end_use(p, (int64_t)e->a[0], e->time, 0, false); break;
	case STW_EV_GoCreate:
	case STW_EV_GoCreateBlocked:
		see_instant(p, STW_PAST_BIRTH, (int64_t)e->a[0], e->g, stack_index(p, e->a[1]), acting_stack(p));
		break;
	case STW_EV_GCMarkAssistBegin: begin_assist(p, e->g, e->time); break;
	case STW_EV_GCMarkAssistActive: begin_assist(p, (int64_t)e->a[0], p->begin); break;
	case STW_EV_GCMarkAssistEnd: end_assist(p, e->g, e->time, false); break;
	case STW_EV_STWBegin:
		p->stop_since = e->time;
		p->stop_by = e->g;
		p->stop_kind = (uint32_t)e->a[0];
		break;
	case STW_EV_STWEnd: end_stop(p, e->time, false); break;
	case STW_EV_CPUSample: see_instant(p, STW_PAST_SAMPLE, e->g, STWATCH_NONE, stack_index(p, e->a[0]), 0); break;
	default: break;
	}
}

/* ---- loading ---- */

static int in_order(const void *x, const void *y)
{
	const stw_past_stay *a = x, *b = y;
	if (a->track != b->track)
		return a->track < b->track ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->to > b->to) - (a->to < b->to);
}

static void close_all(stw_past *p, int64_t at)
{
	stw_timeline_finish(&p->timeline, at);
	for (size_t i = 0; i < p->procs.count; i++)
		end_use(p, p->procs.items[i].id, at, 0, true);
	while (p->assists.count)
		end_assist(p, p->assists.items[0].g, at, true);
	end_stop(p, at, true);
}

static void finish(stw_past *p, int64_t until)
{
	close_all(p, p->last == STW_TIME_UNKNOWN || until < p->last ? until : p->last);
	if (p->stays.count > 1)
		qsort(p->stays.items, p->stays.count, sizeof *p->stays.items, in_order);
}

/* What a generation first tells of a goroutine has held since its beginning, however late it is told. */
static bool look_ahead(stw_past *p, int64_t until)
{
	stw_stream_event e = *p->event;
	if ((e.type != STW_EV_GoStatus && e.type != STW_EV_GoStatusStack) || stw_map_get(&p->timeline.g_index, e.a[0]) != STW_MAP_NONE)
		return true;
	e.time = until;
	if (e.p != STWATCH_NONE && stw_map_get(&p->proc_index, (uint64_t)e.p) == STW_MAP_NONE)
		see_status(p, &e);
	return stw_feed(&p->timeline, &p->stream, &e);
}

/* Behind a fault everything begins anew. */
static void go_on(stw_past *p)
{
	if (!p->begun)
		return;
	close_all(p, p->last);
	stw_timeline_gap(&p->timeline, p->last);
	stw_timeline_generation(&p->timeline, p->last, 1);
}

static void forget(stw_past *p, const stw_stream_event *e)
{
	const bool proc = e->a[1] != 0;
	if (!p->begun)
		return;
	stw_timeline_forget(&p->timeline, proc, (int64_t)e->a[0], p->last);
	if (proc)
		end_use(p, (int64_t)e->a[0], p->last, 0, true);
	for (size_t i = 0; !proc && i < p->procs.count; i++)
		if (p->procs.items[i].g == (int64_t)e->a[0])
			end_use(p, p->procs.items[i].id, p->last, 0, true);
	if (!proc)
		end_assist(p, (int64_t)e->a[0], p->last, true);
}

static stwatch_status read_on(stw_past *p, int64_t until, const volatile int *cancel, stwatch_error *error)
{
	stwatch_status status;
	for (uint64_t n = 0;; n++) {
		status = stw_stream_next(&p->stream, &p->event, error);
		if (status == STWATCH_ERR_DAMAGED && stw_stream_goes_on(&p->stream)) {
			go_on(p);
			continue;
		}
		if (status != STWATCH_OK)
			return status;
		const stw_stream_event *e = p->event;
		if (e->type == STW_EV_FORGOTTEN) {
			forget(p, e);
			continue;
		}
		if (n % EVENTS_A_PAUSE == 0 && cancel && *cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (e->type == STW_EV_SYNC_POINT) {
			if (!p->begun || p->stream.v1)
				continue;
			p->last = until; /* the next generation goes on with what was */
			return STWATCH_END;
		}
		if (e->time > until) {
			p->last = until;
			if (p->stream.v1) /* which tells that at its beginning */
				return STWATCH_END;
			if (!look_ahead(p, until) || p->failed)
				return stw_fail_memory(error);
			continue;
		}
		if (!p->begun) {
			p->begin = e->time;
			stw_timeline_generation(&p->timeline, e->time, 1);
		}
		p->begun = true;
		p->last = e->time;
		see(p, e);
		if (!stw_feed(&p->timeline, &p->stream, e) || p->failed)
			return stw_fail_memory(error);
	}
}

stwatch_status stw_past_load(
	stw_past *p, const stw_trace *trace, uint32_t span, int64_t until, const volatile int *cancel, stwatch_error *error)
{
	const stw_span *s = &trace->spans.items[span];
	const stw_timeline_hooks hooks = {.interval = on_interval, .user = p};
	stw_past_unload(p);
	if (!stw_timeline_init(&p->timeline, p->mem, (unsigned)trace->version, &hooks))
		return stw_fail_memory(error);
	if (trace->v1)
		stw_stream_open_v1(&p->stream, p->mem, s, 1, trace->v1, false);
	else
		stw_stream_open_span(&p->stream, p->mem, s);
	p->stream.tells_forgotten = true;
	p->loaded = true;
	p->begin = until;
	stwatch_status status = read_on(p, until, cancel, error);
	if (status != STWATCH_END && status != STWATCH_ERR_DAMAGED)
		return status;
	finish(p, until);
	/* The stream has gone on to the next generation's. */
	status = stw_trace_load(trace, span, &p->gen, error);
	if (status != STWATCH_OK)
		return status;
	p->trace = trace;
	p->has_tables = true;
	return p->failed || p->timeline.failed ? stw_fail_memory(error) : STWATCH_OK;
}

/* ---- looking ---- */

static bool is_before(const stw_past_stay *s, stw_past_track track, int64_t id, int64_t before)
{
	if (s->track != track)
		return s->track < track;
	return s->id != id ? s->id < id : s->from < before;
}

const stw_past_stay *stw_past_find(const stw_past *p, stw_past_track track, int64_t id, int64_t before)
{
	size_t low = 0, high = p->stays.count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (is_before(&p->stays.items[mid], track, id, before))
			low = mid + 1;
		else
			high = mid;
	}
	const stw_past_stay *s = low ? &p->stays.items[low - 1] : NULL;
	return s && s->track == track && s->id == id ? s : NULL;
}

const stw_past_stay *stw_past_before(const stw_past *p, const stw_past_stay *stay)
{
	const stw_past_stay *s = stay > p->stays.items ? stay - 1 : NULL;
	return s && s->track == stay->track && s->id == stay->id ? s : NULL;
}

stw_slice stw_past_text(const stw_past *p, const stw_past_stay *stay)
{
	return stw_intern_get(stay->track == STW_PAST_STOP ? &p->stream.order.names : &p->timeline.reasons, stay->text);
}
