#include "engine/pass.h"

#include "model/fold_emit.h"
#define STW_MERGE_EMIT fold_event
#define STW_MERGE_LANE_OPEN fold_lane_open
#define STW_MERGE_LANE_END fold_lane_end
#define STW_MERGE_EMIT_LANE fold_lane_event
#define STW_MERGE_SINCE fold_since
#define STW_MERGE_ROUND_BEGIN fold_round_begin
#define STW_MERGE_ROUND_TURN fold_round_turn
#define STW_MERGE_ROUND_END fold_round_end
#define STW_MERGE_STOPPED(mg) (((const stw_fold *)(mg)->hook)->failed)
#define STW_MERGE_GAP fold_gap
#define STW_MERGE_GAP_NS STW_KEEP_SILENCE_NS
#include "order/merge_step.h"

_Static_assert((int)ROUND_EVENTS <= (int)STW_ROUND_CHANGES && (int)ROUND_TURNS <= (int)STW_ROUND_TURNS, "a round's changes have room");

/* How many rounds go between two looks at the cancel flag. */
enum { ROUNDS = 64 };

static stwatch_status run(stw_merge *mg, const volatile int *cancel)
{
	for (;;) {
		for (unsigned i = 0; i < ROUNDS; i++) {
			stwatch_status status = merge_round(mg);
			if (__builtin_expect(status != STWATCH_OK, 0))
				return status;
			if (__builtin_expect(STW_MERGE_STOPPED(mg), 0))
				return stw_fail_memory(mg->error);
		}
		if (cancel && *cancel)
			return stw_fail(mg->error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	}
}

static stwatch_status pass(stw_fold *fold, stw_order *order, const stw_generation *gen, uint32_t generation, bool in_turn,
	const stw_run_options *options, stwatch_error *error)
{
	stw_merge mg;
	if (!stw_fold_init(fold, order->mem, gen, order, generation, options->figures_only))
		return stw_fail_memory(error);
	stwatch_status status = stw_merge_open(&mg, order, gen, INT64_MIN, fold, error);
	if (status == STWATCH_OK) {
		mg.in_turn = in_turn;
		if (mg.n_heap)
			fold->first_time = mg.sample_time < mg.heap[0].time ? mg.sample_time : mg.heap[0].time;
		status = run(&mg, options->cancel);
		fold->last_time = mg.last_time == INT64_MIN ? fold->first_time : mg.last_time; /* even its first may be at fault */
	}
	stw_merge_close(&mg);
	stw_fold_finish(fold);
	if (fold->failed)
		status = stw_fail_memory(error);
	return status == STWATCH_END ? STWATCH_OK : status;
}

stwatch_status stw_pass_run(stw_fold *fold, stw_order *order, const stw_generation *gen, uint32_t generation,
	const stw_run_options *options, stwatch_error *error)
{
	/* What contradicts itself is read once more, in turn: an exact reading follows one that is speculative anyway. */
	const bool first = order->mode == STW_READ_INITIAL && !order->gs.count && !order->ps.count && !order->ms.count;
	stwatch_status status = pass(fold, order, gen, generation, !first && order->mode != STW_READ_SPECULATIVE, options, error);
	if (!first || status != STWATCH_ERR_DAMAGED)
		return status;
	stw_fold_free(fold);
	stw_order_reset(order);
	stw_order_begin(order, STW_READ_INITIAL);
	*error = (stwatch_error){0};
	return pass(fold, order, gen, generation, true, options, error);
}
