/* One generation through the first pass. */
#ifndef STW_ENGINE_PASS_H
#define STW_ENGINE_PASS_H

#include "model/fold.h"
#include "order/merge.h"

typedef struct stw_run_options {
	unsigned threads;
	stwatch_progress_fn progress;
	void *progress_user;
	const volatile int *cancel; /* NULL: nothing does */
	bool figures_only; /* see stw_fold_init */
} stw_run_options;

/* Reads, orders and folds a loaded generation, with `order` begun in the mode wanted. The fold holds what came before a fault too.
 * STWATCH_OK, or an error; a speculative reading that gave up says so in order->gave_up. */
stwatch_status stw_pass_run(stw_fold *fold, stw_order *order, const stw_generation *gen, uint32_t generation,
	const stw_run_options *options, stwatch_error *error);

#endif
