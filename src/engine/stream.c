#include "engine/stream.h"

#include <string.h>

#include "engine/pass.h"
#include "engine/stream_queue.h"
#include "engine/together.h"

#define STW_MERGE_EMIT stw_stream_queue
#define STW_MERGE_FORGET_G(mg, g) stw_stream_queue_forgotten(mg, stw_order_g_id((mg)->order, g), false)
#define STW_MERGE_FORGET_P(mg, p) stw_stream_queue_forgotten(mg, stw_order_p_id((mg)->order, p), true)
#define STW_MERGE_SALVAGE
#include "order/merge_step.h"

void stw_stream_open(stw_stream *s, stw_mem *mem, const stw_source *source, stw_go_version version)
{
	memset(s, 0, sizeof *s);
	s->mem = mem;
	s->source = source;
	s->version = version;
	stw_scan_init(&s->scan, source, version);
	stw_order_init(&s->order, mem);
}

void stw_stream_open_spans(stw_stream *s, stw_mem *mem, const stw_span *spans, size_t count)
{
	stw_stream_open(s, mem, count ? spans->source : NULL, count ? spans->version : STW_GO122);
	s->listed = s->salvage = true;
	s->list = spans;
	s->n_list = count;
}

void stw_stream_open_span(stw_stream *s, stw_mem *mem, const stw_span *span)
{
	stw_stream_open_spans(s, mem, span, 1);
	s->alone = true;
}

static bool note_lost(void *user, const stwatch_error *error, uint64_t to)
{
	stw_stream *s = user;
	(void)to;
	if (s->lost.status == STWATCH_OK)
		s->lost = *error;
	return true;
}

void stw_stream_salvage(stw_stream *s, const volatile int *cancel)
{
	s->salvage = true;
	stw_scan_salvage(&s->scan, s->mem, note_lost, s, cancel);
}

stw_border stw_stream_border(const stw_stream *s)
{
	return (stw_border){.initial = s->initial, .number = s->number, .syncs = s->syncs, .last_time = s->last_time};
}

bool stw_stream_resume(stw_stream *s, const stw_border *border, stw_bytes_reader *state)
{
	s->scan.offset = border->offset;
	s->initial = border->initial;
	s->number = border->number;
	s->syncs = border->syncs;
	s->last_time = border->last_time;
	return stw_order_restore(&s->order, state);
}

static void end_generation(stw_stream *s)
{
	if (s->v1) {
		stw_stream_v1_end(s);
		if (s->behind_gap)
			stw_order_free(&s->before_gap);
		s->behind_gap = false;
		return;
	}
	if (s->merging)
		stw_merge_close(&s->merge);
	if (s->salvaging) /* what comes next stands on its own */
		s->initial = s->number = 0;
	if (s->behind_gap)
		stw_order_free(&s->before_gap);
	s->merging = s->salvaging = s->behind_gap = false;
	stw_generation_free(&s->gen);
}

void stw_stream_close(stw_stream *s)
{
	end_generation(s);
	stw_order_free(&s->order);
	stw_bytes_free(&s->at_begin);
}

void stw_stream_queue_sync(stw_stream *s, int64_t time, bool has_generation)
{
	s->last_time = time > s->last_time ? time : s->last_time + 1;
	s->queue[s->queued++] = (stw_stream_event){
		.time = s->last_time,
		.m = STWATCH_NONE,
		.p = STWATCH_NONE,
		.g = STWATCH_NONE,
		.a = {++s->syncs},
		.target = STW_SLOT_NONE,
		.g_slot = STW_SLOT_NONE,
		.p_slot = STW_SLOT_NONE,
		.m_slot = STW_SLOT_NONE,
		.type = STW_EV_SYNC_POINT,
		.has_generation = has_generation,
	};
}

/* A fault ends the trace, after a last sync event. */
static stwatch_status fail_after_sync(stw_stream *s, const stwatch_error *failure)
{
	s->failure = *failure;
	stw_stream_queue_sync(s, s->last_time, false);
	return STWATCH_OK;
}

/* As Go's reader has it, "first" goes by number: of the first generation that had an event to order. Sequence numbers go by it too. */
static void begin_order(stw_stream *s)
{
	s->anew = !s->initial;
	if (!s->initial && s->salvage)
		stw_order_reset(&s->order);
	s->mode = !s->initial || s->gen.number == s->initial ? STW_READ_INITIAL : STW_READ_EXACT;
	s->again = s->gen.number == s->number;
	s->proved = false;
	if (s->salvage) {
		stw_bytes_free(&s->at_begin);
		s->at_begin = (stw_bytes){.mem = s->mem};
		stw_order_save(&s->order, &s->at_begin);
	}
	stw_order_begin(&s->order, s->mode);
	s->order.epoch -= s->again;
	s->number = s->gen.number;
}

/* Reads the generation at hand strictly from its beginning to its end, on the side. STWATCH_OK; _DAMAGED and why; _MEMORY, _IO. */
static stwatch_status prove(stw_stream *s, stwatch_error *fault)
{
	static const stw_run_options options = {.threads = 1, .figures_only = true};
	stw_bytes_reader state = {s->at_begin.data.items, s->at_begin.data.items + s->at_begin.data.count, false};
	stw_order order;
	stw_fold fold = {0};
	stwatch_status status = STWATCH_OK;
	stw_order_init(&order, s->mem);
	if (!s->at_begin.failed && stw_order_restore(&order, &state)) { /* else it is out of memory, and will say so elsewhere */
		stw_order_begin(&order, s->mode);
		order.epoch -= s->again;
		status = stw_pass_run(&fold, &order, &s->gen, 0, &options, fault);
		stw_fold_free(&fold);
	}
	stw_order_free(&order);
	s->proved = status == STWATCH_OK;
	return status;
}

/* Opens the generation at hand to be read as far as it holds. */
static stwatch_status open_salvaged(stw_stream *s, stwatch_error *error)
{
	stw_leftover left = {0};
	stwatch_status status = stw_generation_salvage(&s->gen, s->mem, &s->span, &left, error);
	if (status != STWATCH_OK)
		return status;
	s->initial = 0;
	begin_order(s);
	s->merging = s->salvaging = true;
	status = stw_merge_open(&s->merge, &s->order, &s->gen, s->last_time, s, error);
	s->merge.error = &s->scratch;
	return status;
}

static void told_begin(stw_stream *s)
{
	stw_stream_queue_sync(s, stw_generation_ns(&s->gen, s->gen.min_time), true);
	s->queue[s->queued - 1].anew = s->anew;
	s->begin_time = s->merge.last_time = s->last_time;
	s->told_to = INT64_MIN;
}

static void tell_left_out(stw_stream *s)
{
	stw_fail(&s->lost, STWATCH_ERR_DAMAGED, s->span.begin, "generation %llu begins before what was read until there: it is left out",
		(unsigned long long)s->gen.number);
	end_generation(s);
	s->initial = s->number = 0;
}

/* A fault ends the strict reading: the generation is read again, and what it held up to there has been handed out already. */
static stwatch_status read_rest(stw_stream *s, stwatch_error *error)
{
	int64_t told_to = s->last_time;
	s->lost = s->failure;
	s->failure = (stwatch_error){.status = STWATCH_OK};
	end_generation(s);
	stwatch_status status = open_salvaged(s, error);
	s->merge.last_time = s->begin_time;
	s->told_to = told_to;
	return status;
}

/* What has been handed out already goes. */
static void drop_told(stw_stream *s)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < s->queued; i++)
		if (s->queue[i].time > s->told_to)
			s->queue[kept++] = s->queue[i];
	s->queued = kept;
}

/* What lies before what was read already is the same again, or another recording; unless it goes on from that all the same. */
static bool leave_out(stw_stream *s)
{
	stwatch_error ignored;
	if (s->alone || !s->syncs || s->gen.threads.count == 0 ||
		stw_generation_ns(&s->gen, s->gen.min_time) >= s->last_time - STW_OVERLAP_NS ||
		(!s->anew && prove(s, &ignored) != STWATCH_ERR_DAMAGED))
		return false;
	tell_left_out(s);
	return true;
}

/* Opens the generation at hand. */
static stwatch_status open_generation(stw_stream *s, stwatch_error *error)
{
	stwatch_error fault = {0};
	stwatch_status status = s->span.damaged ? STWATCH_ERR_DAMAGED : stw_generation_load(&s->gen, s->mem, &s->span, &fault);
	if (status == STWATCH_ERR_DAMAGED && s->salvage) {
		if (s->lost.status == STWATCH_OK && !s->span.damaged)
			s->lost = fault;
		status = open_salvaged(s, error);
		if (status == STWATCH_OK && !leave_out(s))
			told_begin(s);
		return status;
	}
	if (status == STWATCH_ERR_DAMAGED)
		return fail_after_sync(s, &fault);
	if (status == STWATCH_OK) {
		begin_order(s);
		s->merging = true;
		status = stw_merge_open(&s->merge, &s->order, &s->gen, s->last_time, s, &fault);
		if (status == STWATCH_OK && !s->initial && s->merge.n_heap)
			s->initial = s->gen.number;
	}
	if (status != STWATCH_OK) {
		*error = fault;
		return status;
	}
	if (s->salvage && leave_out(s))
		return STWATCH_OK;
	told_begin(s);
	s->merge.error = &s->failure;
	return STWATCH_OK;
}

/* Of an input that grows, its next generation has to be there. */
static stwatch_status wait_for_next(stw_stream *s, stwatch_error *error)
{
	stwatch_status status = s->wait ? s->wait(s->wait_user, error) : STWATCH_OK;
	if (s->wait)
		s->scan.window_size = 0; /* there may be more behind what it holds */
	return status;
}

static stwatch_status end_all(stw_stream *s, stwatch_error *error)
{
	stwatch_error fault = {0};
	stwatch_status status = s->listed ? STWATCH_OK : stw_generation_check_rest(s->mem, &s->span, &fault);
	if (status == STWATCH_ERR_DAMAGED && !s->salvage)
		return fail_after_sync(s, &fault);
	if (status == STWATCH_ERR_DAMAGED) {
		s->lost = fault;
		status = STWATCH_OK;
	}
	s->ended = true;
	if (s->alone)
		return STWATCH_END;
	stw_stream_queue_sync(s, s->last_time, false);
	*error = fault;
	return status;
}

static void take_listed(stw_stream *s)
{
	s->span = s->list[s->at_list++];
	s->source = s->span.source;
	if (s->alone || s->span.joint != STW_JOINT_GAP)
		return;
	s->before_gap = s->order; /* what goes on behind it can't be begun there */
	s->behind_gap = true;
	stw_order_init(&s->order, s->mem);
}

static stwatch_status next_generation(stw_stream *s, stwatch_error *error)
{
	if (s->listed) {
		if (s->at_list == s->n_list)
			return end_all(s, error);
		take_listed(s);
	} else {
		if (s->span.error.status != STWATCH_OK)
			return fail_after_sync(s, &s->span.error);
		stwatch_status status = wait_for_next(s, error);
		if (status == STWATCH_OK)
			status = stw_scan_next(&s->scan, &s->span, error);
		if (status == STWATCH_END)
			return end_all(s, error);
		if (status != STWATCH_OK)
			return status;
		if (s->span.lost)
			return fail_after_sync(s, &s->span.error);
	}
	if (s->span.joint != STW_JOINT_WHOLE)
		s->initial = s->number = 0;
	return open_generation(s, error);
}

/* One thread has to wait while the others go on: in a sound trace not for long. Where it waits in vain, what the others did meanwhile would have been told
 * without what it did. */
static bool runs_ahead(const stw_stream *s)
{
	return s->salvage && !s->salvaging && !s->proved && s->merge.n_heap && s->merge.last_time > s->merge.heap[0].time &&
		(uint64_t)s->merge.last_time - (uint64_t)s->merge.heap[0].time > SALVAGE_PATIENCE;
}

/* Numbers of goroutines are never used again: one that was there before a gap is not created after it, but in another process. */
static bool is_of_one_process(const stw_stream *s, stwatch_error *error)
{
	for (unsigned i = 0; i < s->queued; i++) {
		const stw_stream_event *e = &s->queue[i];
		bool creates = e->type == STW_EV_GoCreate || e->type == STW_EV_GoCreateBlocked || e->type == STW_EV_GoCreateSyscall;
		if (creates && stw_order_find_g(&s->before_gap, (int64_t)e->a[0]) != STW_MAP_NONE) {
			stw_trace_fail_foreign(error, &s->span, (int64_t)e->a[0]);
			return false;
		}
	}
	return true;
}

static stwatch_status fill_queue(stw_stream *s, stwatch_error *error)
{
	s->queued = s->taken = 0;
	if (s->v1) {
		stwatch_status status = stw_stream_v1_fill(s, error);
		return status == STWATCH_OK && s->behind_gap && !is_of_one_process(s, error) ? error->status : status;
	}
	if (s->merging) {
		const int64_t before = s->last_time;
		stwatch_status status = s->salvaging ? merge_salvage_step(&s->merge) : merge_step(&s->merge, false);
		if (status == STWATCH_OK && __builtin_expect(runs_ahead(s), 0) && prove(s, &s->failure) == STWATCH_ERR_DAMAGED) {
			s->last_time = before; /* what has just been read comes again */
			s->queued = 0;
			return read_rest(s, error);
		}
		s->last_time = s->merge.last_time > s->told_to ? s->merge.last_time : s->told_to;
		drop_told(s);
		if (status == STWATCH_OK && __builtin_expect(s->behind_gap, 0) && !is_of_one_process(s, error))
			return error->status;
		if (status == STWATCH_OK)
			return STWATCH_OK;
		if (status == STWATCH_ERR_DAMAGED && s->salvage && !s->salvaging)
			return read_rest(s, error);
		if (status != STWATCH_END) {
			if (s->salvaging)
				s->failure = s->scratch;
			*error = s->failure;
			return status;
		}
		end_generation(s);
	}
	if (s->ended)
		return STWATCH_END;
	return next_generation(s, error);
}

stwatch_status stw_stream_next(stw_stream *s, const stw_stream_event **event, stwatch_error *error)
{
	stwatch_error local;
	if (!error)
		error = &local;
	while (s->taken == s->queued) {
		if (s->lost.status != STWATCH_OK) {
			*error = s->lost;
			s->lost = (stwatch_error){.status = STWATCH_OK};
			return STWATCH_ERR_DAMAGED;
		}
		if (s->failure.status != STWATCH_OK) {
			*error = s->failure;
			return s->failure.status;
		}
		stwatch_status status = fill_queue(s, error);
		if (status != STWATCH_OK) {
			if (status != STWATCH_END)
				s->failure = *error;
			s->queued = s->taken = 0;
			return status;
		}
	}
	*event = &s->queue[s->taken++];
	return STWATCH_OK;
}
