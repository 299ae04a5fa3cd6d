/* Minimum mutator utilisation: the least share of the procs' time that the program had in any window of a length. */
#ifndef STW_ANALYSIS_MMU_H
#define STW_ANALYSIS_MMU_H

#include "analysis/gather.h"

/* From stops and mark workers' stretches of 1 ms and more; shorter ones and assists are not in it. 1 where there are none. */
double stw_mmu(const stw_gather *gather, int64_t window_ns);

#endif
