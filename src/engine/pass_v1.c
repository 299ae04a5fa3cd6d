#include "engine/pass_v1.h"

#include "base/error.h"
#include "engine/decoder_v1.h"
#include "engine/fold_v1.h"
#include "engine/together.h"

enum { WINDOW_EVENTS = 1 << 20, STEPS = 4096 };

typedef struct windows {
	stw_trace *trace;
	const stw_run_options *options;
	stw_fold_fn add;
	void *user;
	/* of the trace at hand, of several */
	uint32_t span;
	stw_v1 *v1;
	stw_trace_input *input;
	stw_v1_decoder decoder;
	stw_v1_merge merge;
	stw_order order;
	stw_fold fold;
	stw_order before; /* the state at the end of the one before */
	int64_t last_time; /* of the one before */
	bool behind_gap; /* there is one */
	bool first; /* its first window has not been handed on */
} windows;

static void doubt(void *hook, int64_t until, bool missing)
{
	stw_fold *f = hook;
	stw_fold_doubt(f, until, missing);
	if (missing)
		stw_fold_lost(f, f->first_time, until);
}

/* Numbers of goroutines are never used again. */
static stwatch_status check_process(const windows *w, stwatch_error *error)
{
	for (size_t i = 0; w->behind_gap && i < w->fold.tails.count; i++) {
		const stw_tail_g *g = &w->fold.tails.items[i];
		if (g->g.created && stw_order_find_g(&w->before, g->id) != STW_MAP_NONE)
			return stw_trace_fail_foreign(error, &w->trace->spans.items[w->span], g->id);
	}
	return STWATCH_OK;
}

static void note_gap(windows *w)
{
	w->trace->n_gaps++;
	w->trace->gaps_ns += w->fold.first_time - w->last_time;
}

static void note_read(windows *w, bool first)
{
	stw_trace_input *in = w->input;
	in->n_events += stw_fold_events(&w->fold);
	if (first) {
		w->trace->n_generations++;
		in->n_generations++;
	}
	if (in->first_time == STW_TIME_UNKNOWN)
		in->first_time = w->v1->begin_ns;
	in->last_time = w->fold.last_time;
}

static uint64_t bytes_before(const windows *w)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < w->span; i++)
		n += w->trace->spans.items[i].end - w->trace->spans.items[i].begin;
	return n;
}

static void tell_progress(windows *w, bool last)
{
	const stw_run_options *o = w->options;
	const stw_span *s = &w->trace->spans.items[w->span];
	w->trace->n_read = bytes_before(w) + (last && !(o->cancel && *o->cancel) ? s->end - s->begin : stw_v1_merge_done(&w->merge));
	if (o->progress)
		o->progress(o->progress_user, w->trace->n_read, w->trace->n_bytes);
}

/* Hands the window on, and begins the next with what is known. */
static stwatch_status hand_on(windows *w, bool last, stwatch_error *error)
{
	stw_fold next;
	bool ok = true, first = w->first, gap = first && w->last_time != INT64_MIN;
	w->fold.last_time = w->merge.base.last_time < w->v1->begin_ns ? w->fold.first_time : w->merge.base.last_time;
	if (first && w->merge.gomaxprocs > w->fold.gomaxprocs_max)
		w->fold.gomaxprocs_max = w->merge.gomaxprocs;
	if (first && w->fold.gomaxprocs_last == 0)
		w->fold.gomaxprocs_last = w->merge.gomaxprocs;
	if (!last)
		ok = stw_fold_continue(&next, &w->fold);
	stw_fold_finish(&w->fold);
	stwatch_status status = check_process(w, error);
	if (gap && status == STWATCH_OK)
		note_gap(w);
	stw_fold_shrink(&w->fold);
	if (status == STWATCH_OK && (!ok || w->fold.failed || !w->add(w->user, &w->fold, gap ? STW_JOINT_GAP : STW_JOINT_WHOLE)))
		status = stw_fail_memory(error);
	if (status != STWATCH_OK) {
		if (ok && !last)
			stw_fold_free(&next);
		return status;
	}
	w->first = false;
	note_read(w, first);
	stw_fold_free(&w->fold);
	if (!last)
		w->fold = next;
	tell_progress(w, last);
	return STWATCH_OK;
}

static stwatch_status run_windows(windows *w, stwatch_error *error)
{
	const volatile int *cancel = w->options->cancel;
	stwatch_status status = STWATCH_OK;
	unsigned steps = 0, window = WINDOW_EVENTS;
	while (status == STWATCH_OK) {
		status = w->merge.ahead ? stw_v1_fold_steps_ahead(&w->merge, STEPS) : stw_v1_fold_steps(&w->merge, STEPS);
		steps += STEPS;
		if (w->fold.failed)
			return stw_fail_memory(error);
		if (cancel && *cancel && status == STWATCH_OK)
			status = stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (status != STWATCH_OK || steps < window || w->fold.stopping)
			continue;
		/* Of a window's work, what is done for each goroutine alive is a small part. */
		size_t alive = w->order.gs.count;
		window = alive > WINDOW_EVENTS / 16 ? (unsigned)(alive < 1 << 26 ? alive * 16 : 1 << 30) : WINDOW_EVENTS;
		steps = 0;
		status = hand_on(w, false, error);
	}
	return status;
}

/* What the trace contradicts itself in is one problem, with the first place. */
static stwatch_status tell_faults(windows *w, stwatch_error *error)
{
	const stw_v1_merge *vm = &w->merge;
	w->input->n_faults = vm->n_faults;
	if (vm->n_faults == 0)
		return STWATCH_OK;
	*error = vm->first_fault;
	if (vm->n_faults > 1)
		stw_fail(error, STWATCH_ERR_DAMAGED, vm->first_fault.offset, "%.220s; %llu more such places follow",
			vm->first_fault.message, (unsigned long long)vm->n_faults - 1);
	/* Where bytes are lost, what follows from that is no contradiction of the runtime's. */
	stw_fault fault = vm->v1->index.problems.count ? STW_FAULT_BYTES : vm->fault;
	return stw_trace_note(w->trace, w->trace->spans.items[w->span].input, error, fault) ? STWATCH_OK : stw_fail_memory(error);
}

/* Folds the trace at hand. */
static stwatch_status fold_part(windows *w, stwatch_error *error)
{
	stw_mem *mem = w->trace->mem;
	const stw_v1_index *x = &w->v1->index;
	const unsigned minor = x->format.minor;
	const int64_t missing_to = stw_v1_missing_to(w->v1);
	stw_order_init(&w->order, mem);
	if (!stw_fold_init(&w->fold, mem, &w->v1->gen, &w->order, w->span, w->options->figures_only))
		return stw_fail_memory(error);
	const bool ahead = w->options->threads > 1 && stw_v1_decoder_open(&w->decoder, mem, w->v1);
	stwatch_status status = stw_v1_merge_open_ahead(&w->merge, &w->order, w->v1, ahead ? &w->decoder.ahead : NULL, &w->fold, error);
	w->merge.doubt = doubt;
	if (status == STWATCH_OK && (w->merge.n_heap || x->samples.count)) {
		w->fold.first_time = w->v1->begin_ns;
		if (missing_to != INT64_MIN)
			doubt(&w->fold, missing_to, true);
		w->fold.untold = minor < 10 ? STW_UNTOLD_ALL : minor < 21 ? STW_UNTOLD_REQUESTED : STW_UNTOLD_NONE;
		status = run_windows(w, error);
	}
	return status == STWATCH_END ? STWATCH_OK : status;
}

/* What is read of it, and what is wrong with it. */
static stwatch_status end_part(windows *w, stwatch_status status, stwatch_error *error)
{
	stwatch_error local;
	if (status == STWATCH_OK || status == STWATCH_ERR_CANCELLED) {
		stwatch_status handed = w->fold.first_time == STW_TIME_UNKNOWN ? STWATCH_OK : hand_on(w, true, &local);
		if (handed == STWATCH_OK)
			handed = tell_faults(w, &local);
		if (handed != STWATCH_OK) {
			*error = local;
			status = handed;
		}
	}
	if (w->behind_gap)
		stw_order_free(&w->before);
	w->behind_gap = true;
	w->before = w->order;
	w->last_time = w->input->last_time == STW_TIME_UNKNOWN ? w->last_time : w->input->last_time;
	stw_v1_merge_close(&w->merge);
	stw_v1_decoder_close(&w->decoder);
	stw_fold_free(&w->fold);
	return status;
}

stwatch_status stw_trace_fold_v1(stw_trace *t, const stw_run_options *options, stw_fold_fn add, void *user, stwatch_error *error)
{
	windows *w = stw_mem_zalloc(t->mem, sizeof *w);
	if (!w)
		return stw_fail_memory(error);
	*w = (windows){.trace = t, .options = options, .add = add, .user = user, .last_time = INT64_MIN};
	stwatch_status status = STWATCH_OK;
	for (uint32_t i = 0; i < t->spans.count && status == STWATCH_OK; i++) {
		int64_t *begin = stw_vec_push(t->mem, &t->begins);
		if (!begin) {
			status = stw_fail_memory(error);
			break;
		}
		w->span = i;
		w->first = true;
		w->v1 = stw_trace_v1(t, i);
		w->input = &t->inputs[t->spans.items[i].input];
		*begin = w->v1->index.has_events ? w->v1->begin_ns : INT64_MAX;
		status = end_part(w, fold_part(w, error), error);
	}
	if (status == STWATCH_ERR_DAMAGED) /* one that stands behind another in its input is of another process */
		status = stw_trace_note(t, t->spans.items[w->span].input, error, STW_FAULT_BYTES) ? STWATCH_OK : stw_fail_memory(error);
	if (w->behind_gap)
		stw_order_free(&w->before);
	stw_mem_free(t->mem, w, sizeof *w);
	return status;
}
