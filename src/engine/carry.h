/* The true state at the borders, carried over generations as a crew hands them back, in order. */
#ifndef STW_ENGINE_CARRY_H
#define STW_ENGINE_CARRY_H

#include "engine/crew.h"

typedef struct stw_carry {
	stw_mem *mem;
	const stw_run_options *options;
	stw_order state; /* after the generations so far */
	bool begun; /* state is that of a generation before; kept by the caller */
	uint64_t initial; /* number of the generation with which it begins */
	uint64_t number; /* of the last one of which state is; 0: none */
} stw_carry;

void stw_carry_init(stw_carry *carry, stw_mem *mem, const stw_run_options *options);
void stw_carry_free(stw_carry *carry);
/* Carries the state over a generation, reading it again where it was read under a wrong assumption. STWATCH_OK; else job->error says why, and the
 * state is of what came before the fault. */
stwatch_status stw_carry_over(stw_carry *carry, stw_job *job);

#endif
