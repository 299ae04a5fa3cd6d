#include "engine/pass_v1.h"

#include "base/error.h"
#include "model/fold_emit.h"
#define STW_MERGE_EMIT fold_event
#define STW_MERGE_GAP fold_gap
#define STW_MERGE_GAP_NS STW_KEEP_SILENCE_NS
#include "order/v1_step.h"

enum { WINDOW_EVENTS = 1 << 20, STEPS = 4096 };

typedef struct windows {
	stw_trace *trace;
	const stw_run_options *options;
	stw_fold_fn add;
	void *user;
	stw_v1_merge merge;
	stw_order order;
	stw_fold fold;
	bool any; /* an event came */
} windows;

static __attribute__((hot, noinline)) stwatch_status run(stw_v1_merge *vm, unsigned steps)
{
	stwatch_status status = STWATCH_OK;
	while (steps-- > 0 && (status = v1_step(vm)) == STWATCH_OK)
		;
	return status;
}

static void doubt(void *hook, int64_t until, bool missing)
{
	stw_fold_doubt(hook, until, missing);
}

/* What has been read, in bytes of the input. */
static uint64_t done(const stw_v1_merge *vm)
{
	const stw_v1_index *x = &vm->v1->index;
	uint64_t batches = 0;
	for (size_t i = 0; i < vm->n_cursors; i++)
		batches += vm->cursors[i].batch - x->procs.items[i].first;
	return x->batches.count ? (uint64_t)((double)vm->base.gen->source->size * (double)batches / (double)x->batches.count) : 0;
}

/* Hands the window on, and begins the next with what is known. */
static stwatch_status hand_on(windows *w, bool last, stwatch_error *error)
{
	stw_trace *t = w->trace;
	stw_fold next;
	bool ok = true;
	w->fold.last_time = w->merge.base.last_time < 0 ? w->fold.first_time : w->merge.base.last_time;
	if (t->n_generations == 0 && w->merge.gomaxprocs > w->fold.gomaxprocs_max)
		w->fold.gomaxprocs_max = w->merge.gomaxprocs;
	if (t->n_generations == 0 && w->fold.gomaxprocs_last == 0)
		w->fold.gomaxprocs_last = w->merge.gomaxprocs;
	if (!last)
		ok = stw_fold_continue(&next, &w->fold);
	stw_fold_finish(&w->fold);
	stw_fold_shrink(&w->fold);
	if (!ok || w->fold.failed || !w->add(w->user, &w->fold, STW_JOINT_WHOLE)) {
		if (ok && !last)
			stw_fold_free(&next);
		return stw_fail_memory(error);
	}
	stw_trace_input *in = &t->inputs[0];
	for (size_t i = 0; i < sizeof w->fold.counts / sizeof *w->fold.counts; i++)
		in->n_events += w->fold.counts[i];
	in->n_generations = t->n_generations = 1;
	in->first_time = 0;
	in->last_time = w->fold.last_time;
	stw_fold_free(&w->fold);
	if (!last)
		w->fold = next;
	const volatile int *cancel = w->options->cancel;
	t->n_read = last && !(cancel && *cancel) ? t->n_bytes : done(&w->merge);
	if (w->options->progress)
		w->options->progress(w->options->progress_user, t->n_read, t->n_bytes);
	return STWATCH_OK;
}

static stwatch_status run_windows(windows *w, stwatch_error *error)
{
	const volatile int *cancel = w->options->cancel;
	stwatch_status status = STWATCH_OK;
	unsigned steps = 0, window = WINDOW_EVENTS;
	while (status == STWATCH_OK) {
		status = run(&w->merge, STEPS);
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
	if (vm->n_faults == 0)
		return STWATCH_OK;
	*error = vm->first_fault;
	if (vm->n_faults > 1)
		stw_fail(error, STWATCH_ERR_DAMAGED, vm->first_fault.offset, "%.220s; %llu more such places follow",
			vm->first_fault.message, (unsigned long long)vm->n_faults - 1);
	/* Where bytes are lost, what follows from that is no contradiction of the runtime's. */
	stw_fault fault = vm->v1->index.problems.count ? STW_FAULT_BYTES : vm->fault;
	return stw_trace_note(w->trace, 0, error, fault) ? STWATCH_OK : stw_fail_memory(error);
}

stwatch_status stw_trace_fold_v1(stw_trace *t, const stw_run_options *options, stw_fold_fn add, void *user, stwatch_error *error)
{
	windows *w = stw_mem_zalloc(t->mem, sizeof *w);
	int64_t *begin = stw_vec_push(t->mem, &t->begins);
	if (!w || !begin) {
		stw_mem_free(t->mem, w, sizeof *w);
		return stw_fail_memory(error);
	}
	*begin = t->v1->index.has_events ? 0 : INT64_MAX;
	w->trace = t;
	w->options = options;
	w->add = add;
	w->user = user;
	stw_order_init(&w->order, t->mem);
	stwatch_status status = STWATCH_ERR_MEMORY;
	if (!stw_fold_init(&w->fold, t->mem, &t->v1->gen, &w->order, 0, options->figures_only))
		stw_fail_memory(error);
	else
		status = stw_v1_merge_open(&w->merge, &w->order, t->v1, &w->fold, error);
	w->merge.doubt = doubt;
	if (status == STWATCH_OK && (w->merge.n_heap || t->v1->index.samples.count)) {
		const unsigned minor = t->v1->index.format.minor;
		w->fold.first_time = 0;
		w->fold.untold = minor < 10 ? STW_UNTOLD_ALL : minor < 21 ? STW_UNTOLD_REQUESTED : STW_UNTOLD_NONE;
		status = run_windows(w, error);
	}
	if (status == STWATCH_END)
		status = STWATCH_OK;
	if (status == STWATCH_OK || status == STWATCH_ERR_CANCELLED) {
		stwatch_error local;
		stwatch_status handed = w->fold.first_time == STW_TIME_UNKNOWN ? STWATCH_OK : hand_on(w, true, &local);
		if (handed == STWATCH_OK)
			handed = tell_faults(w, &local);
		if (handed != STWATCH_OK) {
			*error = local;
			status = handed;
		}
	}
	stw_v1_merge_close(&w->merge);
	stw_fold_free(&w->fold);
	stw_order_free(&w->order);
	stw_mem_free(t->mem, w, sizeof *w);
	return status;
}
