#include "analysis/past.h"

#include <string.h>

#include "analysis/stay_order.h"
#include "base/error.h"
#include "model/fold.h"

enum { EVENTS_A_PAUSE = 1 << 14, BLOCK = 1 << 16 };

void stw_past_init(stw_past *p, stw_mem *mem, size_t room)
{
	memset(p, 0, sizeof *p);
	p->mem = mem;
	p->room = room;
	stw_map_init(&p->proc_index, mem);
	stw_map_init(&p->homes, mem);
	stw_map_init(&p->run_index, mem);
	stw_stay_store_init(&p->store, mem, room < BLOCK ? room : BLOCK);
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
	p->failure.status = STWATCH_OK;
	stw_stay_store_clear(&p->store);
	p->oldest = 0;
	p->stop_since = p->last = STW_TIME_UNKNOWN;
	stw_map_clear(&p->proc_index);
	stw_map_clear(&p->homes);
	stw_map_clear(&p->run_index);
	p->runs.count = 0;
	memset(p->tracks, 0, sizeof p->tracks);
}

void stw_past_free(stw_past *p)
{
	stw_past_unload(p);
	stw_vec_free(p->mem, &p->stays);
	stw_stay_store_free(&p->store);
	stw_vec_free(p->mem, &p->procs);
	stw_vec_free(p->mem, &p->assists);
	stw_map_free(&p->proc_index);
	stw_map_free(&p->homes);
	stw_map_free(&p->run_index);
	stw_vec_free(p->mem, &p->runs);
}

/* ---- keeping ---- */

/* What is open at the moment of looking is kept beyond the room: there is no more of it than goroutines. */
static void keep(stw_past *p, const stw_past_stay *stay)
{
	if (p->stays.count >= p->room && !stay->open_end) {
		stw_past_stay *gone = &p->stays.items[p->oldest];
		if (gone->to > p->begin)
			p->begin = gone->to;
		if (gone->to >= p->earliest && stw_stay_store_put(&p->store, gone, &p->failure) != STWATCH_OK)
			p->failed = true;
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
	const int8_t index = stw_event_spec_of(p->event->type)->stack;
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

/* Where a goroutine began, or was when the generation did: kept as long as it lives, for who looks at what it did long after. */
static void settle(stw_past *p, uint64_t id, uint32_t stack)
{
	if (stack && !stw_map_put(&p->homes, id, stack))
		p->failed = true;
}

/* What the timeline does not tell. */
static void see(stw_past *p, const stw_stream_event *e)
{
	switch (e->type) {
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack:
		see_status(p, e);
		settle(p, e->a[0], e->type == STW_EV_GoStatusStack ? stack_index(p, e->a[3]) : 0);
		break;
	case STW_EV_GoStart: begin_use(p, e->p, (int64_t)e->a[0], STW_STATE_G_RUNNING, e->time, 0); break;
	case STW_EV_GoSyscallBegin: begin_use(p, e->p, e->g, STW_STATE_G_SYSCALL, e->time, acting_stack(p)); break;
	case STW_EV_GoSyscallEnd: begin_use(p, e->p, e->g, STW_STATE_G_RUNNING, e->time, 0); break;
	case STW_EV_GoDestroy:
	case STW_EV_GoDestroySyscall: stw_map_remove(&p->homes, (uint64_t)e->g); __attribute__((fallthrough));
	case STW_EV_GoStop:
	case STW_EV_GoBlock: end_use(p, e->p, e->time, acting_stack(p), false); break;
	case STW_EV_ProcStop: end_use(p, e->p, e->time, 0, false); break;
	case STW_EV_ProcSteal: end_use(p, (int64_t)e->a[0], e->time, 0, false); break;
	case STW_EV_GoCreate:
	case STW_EV_GoCreateBlocked:
		see_instant(p, STW_PAST_BIRTH, (int64_t)e->a[0], e->g, stack_index(p, e->a[1]), acting_stack(p));
		settle(p, e->a[0], stack_index(p, e->a[1]));
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

static void close_all(stw_past *p, int64_t at)
{
	stw_timeline_finish(&p->timeline, at);
	for (size_t i = 0; i < p->procs.count; i++)
		end_use(p, p->procs.items[i].id, at, 0, true);
	while (p->assists.count)
		end_assist(p, p->assists.items[0].g, at, true);
	end_stop(p, at, true);
}

/* Sorts what is loaded, and notes where each track and each goroutine begins. False when out of memory. */
static bool arrange(stw_past *p)
{
	size_t n = 0;
	stw_map_clear(&p->run_index);
	p->runs.count = 0;
	if (!stw_stays_sort(p->mem, &p->stays))
		return false;
	for (unsigned track = 0; track <= STW_PAST_TRACKS; track++) {
		while (n < p->stays.count && p->stays.items[n].track < track)
			n++;
		p->tracks[track] = n;
	}
	for (n = p->tracks[STW_PAST_GOROUTINE]; n <= p->tracks[STW_PAST_GOROUTINE + 1]; n++) {
		const bool end = n == p->tracks[STW_PAST_GOROUTINE + 1];
		if (!end && n > p->tracks[STW_PAST_GOROUTINE] && p->stays.items[n].id == p->stays.items[n - 1].id)
			continue;
		uint32_t *run = stw_vec_push(p->mem, &p->runs);
		if (!run || (!end && !stw_map_put(&p->run_index, (uint64_t)p->stays.items[n].id, (uint32_t)p->runs.count - 1)))
			return false;
		*run = (uint32_t)n;
	}
	return true;
}

static void finish(stw_past *p, int64_t until)
{
	close_all(p, p->last == STW_TIME_UNKNOWN || until < p->last ? until : p->last);
	p->failed |= !arrange(p);
}

static stwatch_status fail(const stw_past *p, stwatch_error *error)
{
	if (p->failure.status == STWATCH_OK)
		return stw_fail_memory(error);
	*error = p->failure;
	return error->status;
}

/* Of what is there, that goes on before the moment at which it begins; and what stands before that. */
static stwatch_status step_back(stw_past *p, const volatile int *cancel, stwatch_error *error)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->stays.count; i++)
		if (p->stays.items[i].from < p->begin)
			p->stays.items[kept++] = p->stays.items[i];
	p->stays.count = kept;
	for (size_t n = 0; n < p->room && stw_stay_store_any(&p->store); n += p->store.block) {
		stwatch_status status = cancel && *cancel ? stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted")
							  : stw_stay_store_take(&p->store, &p->stays, p->first, &p->begin, error);
		if (status != STWATCH_OK)
			return status;
	}
	return STWATCH_OK;
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
				return fail(p, error);
			continue;
		}
		if (!p->begun) {
			p->begin = p->first = e->time;
			stw_timeline_generation(&p->timeline, e->time, 1);
		}
		p->begun = true;
		p->last = e->time;
		see(p, e);
		if (!stw_feed(&p->timeline, &p->stream, e) || p->failed)
			return fail(p, error);
	}
}

/* From the beginning of the generation. */
static stwatch_status read_anew(
	stw_past *p, const stw_trace *trace, uint32_t span, int64_t until, const volatile int *cancel, stwatch_error *error)
{
	const stw_span *s = &trace->spans.items[span];
	const stw_timeline_hooks hooks = {.interval = on_interval, .user = p};
	if (!stw_timeline_init(&p->timeline, p->mem, (unsigned)trace->version, &hooks))
		return stw_fail_memory(error);
	if (trace->v1)
		stw_stream_open_v1(&p->stream, p->mem, s, 1, trace->v1, false);
	else
		stw_stream_open_span(&p->stream, p->mem, s);
	p->stream.tells_forgotten = true;
	p->loaded = true;
	p->begin = p->first = until;
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
	return p->failed || p->timeline.failed ? fail(p, error) : STWATCH_OK;
}

stwatch_status stw_past_load(stw_past *p, const stw_trace *trace, uint32_t span, int64_t earliest, int64_t until,
	const volatile int *cancel, stwatch_error *error)
{
	if (!p->loaded || p->span != span || until > p->begin || !stw_stay_store_any(&p->store)) {
		stw_past_unload(p);
		p->span = span;
		p->earliest = earliest;
		return read_anew(p, trace, span, until, cancel, error);
	}
	while (p->begin >= until && stw_stay_store_any(&p->store)) {
		stwatch_status status = step_back(p, cancel, error);
		if (status != STWATCH_OK)
			return status;
	}
	return arrange(p) ? STWATCH_OK : stw_fail_memory(error);
}

/* ---- looking ---- */

const stw_past_stay *stw_past_find(const stw_past *p, stw_past_track track, int64_t id, int64_t before)
{
	size_t low = p->tracks[track], high = p->tracks[track + 1];
	if (track == STW_PAST_GOROUTINE) {
		const uint32_t run = stw_map_get(&p->run_index, (uint64_t)id);
		if (run == STW_MAP_NONE)
			return NULL;
		low = p->runs.items[run];
		high = p->runs.items[run + 1];
	}
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const stw_past_stay *s = &p->stays.items[mid];
		if (s->id < id || (s->id == id && s->from < before))
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

uint32_t stw_past_home(const stw_past *p, int64_t id)
{
	uint32_t stack = stw_map_get(&p->homes, (uint64_t)id);
	return stack == STW_MAP_NONE ? 0 : stack;
}

stw_slice stw_past_text(const stw_past *p, const stw_past_stay *stay)
{
	return stw_intern_get(stay->track == STW_PAST_STOP ? &p->stream.order.names : &p->timeline.reasons, stay->text);
}
