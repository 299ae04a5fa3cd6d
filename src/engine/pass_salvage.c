/* The first pass over a generation that can't be read strictly. */
#include "base/error.h"
#include "engine/pass.h"
#include "model/fold_emit.h"
#define STW_MERGE_EMIT fold_event
#define STW_MERGE_GAP fold_gap
#define STW_MERGE_GAP_NS STW_KEEP_SILENCE_NS
#define STW_MERGE_SALVAGE
#define STW_MERGE_SALVAGE_ONLY
#define STW_MERGE_ANEW_G(mg, type, g) stw_fold_anew_g((mg)->hook, type, g, (mg)->last_time)
#define STW_MERGE_ANEW_P(mg, p) stw_fold_anew_p((mg)->hook, p, (mg)->last_time)
#define STW_MERGE_FORGET_G(mg, g) stw_fold_forget_g((mg)->hook, g, (mg)->last_time)
#define STW_MERGE_FORGET_P(mg, p) stw_fold_forget_p((mg)->hook, p, (mg)->last_time)
#define STW_MERGE_LOST(mg, from, to) stw_fold_lost((mg)->hook, from, to)
#define STW_MERGE_DOUBT(mg) stw_fold_doubt((mg)->hook, (mg)->last_time + 1, true)
#include "order/merge_step.h"

enum { STEPS = 4096 };

static stwatch_status run(stw_merge *mg, stw_fold *fold, const volatile int *cancel)
{
	for (;;) {
		for (unsigned i = 0; i < STEPS; i++) {
			/* An event that is refused may have made a place for what it names. */
			if (fold->failed || !fold_room(fold))
				return stw_fail_memory(mg->error);
			stwatch_status status = merge_salvage_step(mg);
			stw_fold_settle_anew(fold);
			if (status != STWATCH_OK)
				return status;
		}
		if (cancel && *cancel)
			return stw_fail(mg->error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	}
}

/* Of a thread that is first heard of behind a hole, there may have been more before. */
static void note_late_threads(const stw_merge *mg, stw_fold *fold)
{
	for (size_t i = 0; i < mg->n_heap; i++) {
		const stw_cursor *c = mg->heap[i].cursor;
		if (stw_merge_is_late(mg, c) && c->time > fold->first_time)
			stw_fold_lost(fold, fold->first_time, c->time);
	}
}

stwatch_status stw_pass_salvage(stw_fold *fold, stw_order *order, const stw_generation *gen, uint32_t generation, bool explained,
	bool partial, const stw_run_options *options, stw_salvaged *salvaged, stwatch_error *error)
{
	stw_merge mg;
	*salvaged = (stw_salvaged){0};
	if (!stw_fold_init(fold, order->mem, gen, order, generation, options->figures_only))
		return stw_fail_memory(error);
	stwatch_status status = stw_merge_open(&mg, order, gen, INT64_MIN, fold, error);
	if (status == STWATCH_OK) {
		mg.explained = explained;
		fold->partial = partial;
		if (mg.n_heap)
			fold->first_time = mg.sample_time < mg.heap[0].time ? mg.sample_time : mg.heap[0].time;
		note_late_threads(&mg, fold);
		status = run(&mg, fold, options->cancel);
		fold->last_time = mg.last_time == INT64_MIN ? fold->first_time : mg.last_time;
		*salvaged = (stw_salvaged){mg.left_out, mg.anew};
		if (mg.left_out) /* what could not be placed may have been what a silence lacks, and when others were woken is not sure */
			fold->silences.count = 0;
	}
	stw_fold_lost(fold, fold->last_time, INT64_MAX); /* how it stands at the end is not known */
	stw_merge_close(&mg);
	stw_fold_finish(fold);
	if (fold->failed)
		status = stw_fail_memory(error);
	return status == STWATCH_END ? STWATCH_OK : status;
}
