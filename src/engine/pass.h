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

/* What did not fit together in a generation that was salvaged. */
typedef struct stw_salvaged {
	uint64_t left_out; /* events that could not be placed */
	uint64_t anew; /* goroutines and procs that began anew */
} stw_salvaged;

/* The same of a generation that was loaded by stw_generation_salvage, with an order begun as a trace's first. explained: something of it is
 * missing; else what contradicts itself is doubted. partial: whole batches may be. Its faults are no error. */
stwatch_status stw_pass_salvage(stw_fold *fold, stw_order *order, const stw_generation *gen, uint32_t generation, bool explained,
	bool partial, const stw_run_options *options, stw_salvaged *salvaged, stwatch_error *error);

#endif
