/* How far an input that grows is complete. */
#ifndef STW_API_FOLLOW_H
#define STW_API_FOLLOW_H

#include "v2/generation.h"
#include "wire/growing.h"

typedef struct stw_complete {
	bool follows; /* it is a trace with generations: others are complete at their end only */
	stw_scan scan;
	uint64_t generations, end; /* that are complete, and where the last of them ends; 0: none is */
} stw_complete;

/* source must outlive it, and may grow. STWATCH_OK also for what is no such trace; _IO. */
stwatch_status stw_complete_begin(
	stw_complete *complete, const stw_source *source, stw_mem *mem, const volatile int *cancel, stwatch_error *error);
/* Whether one more generation is complete; then it counts. */
bool stw_complete_next(stw_complete *complete);

#endif
