/* What was cut out of a damaged trace is kept until it has been read back as Go's own reader would read it: what does not hold is never handed on. */
#ifndef STW_OUTPUT_CUT_PROOF_H
#define STW_OUTPUT_CUT_PROOF_H

#include "output/cut.h"
#include "wire/source.h"

typedef struct stw_cut_proof {
	stw_source kept; /* what was written; fd -1: nothing is kept */
	stwatch_sink_fn sink; /* of the caller */
	void *user;
	int failure; /* errno, where it can't be kept; 0: it can */
} stw_cut_proof;

/* How far something holds. */
typedef struct stw_cut_held {
	uint64_t generations; /* whole ones, before the fault */
	int64_t ns; /* of a v1 trace, from its first event: when the fault was met; 0: nothing of it holds */
	stwatch_error fault; /* status OK: all of it holds */
} stw_cut_held;

/* Ends with stw_cut_proof_free, also after a failure. */
void stw_cut_proof_init(stw_cut_proof *proof, stw_cut *cut);
/* The output is kept from here on; what was kept before is forgotten. STWATCH_ERR_IO. */
stwatch_status stw_cut_proof_keep(stw_cut_proof *proof, stw_cut *cut, stwatch_error *error);
/* Reads back what was kept. STWATCH_ERR_MEMORY, _IO, _CANCELLED; that it does not hold is no failure. */
stwatch_status stw_cut_proof_read(stw_cut_proof *proof, stw_cut *cut, stw_cut_held *held, const volatile int *cancel, stwatch_error *error);
/* Hands on what was kept, if anything is. STWATCH_ERR_IO. */
stwatch_status stw_cut_proof_pass(stw_cut_proof *proof, stw_cut *cut, stwatch_error *error);
/* That it could not be kept: the output was not closed. STWATCH_ERR_IO. */
stwatch_status stw_cut_proof_fail(const stw_cut_proof *proof, stwatch_error *error);
void stw_cut_proof_free(stw_cut_proof *proof);

#endif
