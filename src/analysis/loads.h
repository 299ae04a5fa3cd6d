/* The collector's, allocation's and the network's figures, a row a generation (about a second): rules look at windows of them. */
#ifndef STW_ANALYSIS_LOADS_H
#define STW_ANALYSIS_LOADS_H

#include "model/fold.h"

/* One generation, or several in a row added up. Times in ns. */
typedef struct stw_load {
	int64_t from, to;
	uint32_t first_generation, last_generation; /* indices */
	bool after_gap; /* what was before is not in the trace */
	int64_t mark_ns, mark_stopped_ns; /* in the mark phase; of it, stopping the world or stopped */
	int64_t assist_ns, run_ns; /* on the CPU: assisting; goroutines of the program in all */
	int64_t worker_ns[STW_WORKER_COUNT], fractional_max_ns;
	uint64_t gcs; /* that began */
	uint64_t gaps;
	int64_t between_ns, between_min_ns; /* from one cycle's end to the next one's beginning; of `gaps` of them */
	uint64_t live_first, live; /* what the first and the last cycle left; 0: unknown */
	uint64_t base, goal, trigger; /* see stw_collect */
	uint64_t created, created_late; /* goroutines; those that had to wait 1 ms or more for their first run */
	int64_t created_max_ns;
	uint64_t polled, polled_late; /* see stw_collect */
	uint32_t first_site, n_sites; /* in stw_gather.sites */
} stw_load;

/* A site with its generation. */
typedef struct stw_load_site {
	uint32_t generation;
	stw_alloc_site site;
} stw_load_site;

/* Adds the row that follows. */
void stw_load_add(stw_load *sum, const stw_load *row);

#endif
