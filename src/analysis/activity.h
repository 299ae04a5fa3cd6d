/* What ran on the procs during chosen stretches of time, by function: the generations that hold them are read once more. */
#ifndef STW_ANALYSIS_ACTIVITY_H
#define STW_ANALYSIS_ACTIVITY_H

#include "analysis/places.h"

typedef struct stw_activity_row {
	uint32_t function; /* number in the names of the places; 0: unknown */
	int64_t ns;
	uint64_t runs, yields; /* stretches of running; those that ended with a goroutine giving way by itself */
	uint32_t leaf; /* the innermost function of the program in which most of it stopped running, as far as a vote tells; 0: not known */
	int64_t leaf_ns; /* by how much it leads */
	int64_t g; /* one of its goroutines */
	bool several; /* there were others */
} stw_activity_row;

typedef struct stw_window {
	int64_t from, to;
	int64_t exclude_g; /* not this one's running */
	STW_VEC(stw_activity_row) rows; /* most time first, once read */
	int64_t total_ns;
	bool partial; /* too long to be read whole: its end was */
	bool lost; /* events of some threads are missing in it: what ran is known in part */
} stw_window;

typedef struct stw_activity {
	stw_mem *mem;
	stw_places *places;
	STW_VEC(stw_window) windows;
	stw_map started; /* goroutine → what it was started with (number in the names of the places) */
	bool failed;
} stw_activity;

void stw_activity_init(stw_activity *activity, stw_mem *mem, stw_places *places);
void stw_activity_free(stw_activity *activity);
/* Asks for a window; its index. UINT32_MAX if there are too many. */
uint32_t stw_activity_want(stw_activity *activity, int64_t from, int64_t to, int64_t exclude_g);
/* What a goroutine was started with, for where a generation does not tell it: of one that was made in an earlier one and ends at its
 * first run. */
void stw_activity_knows(stw_activity *activity, int64_t g, const char *function);
/* Reads what is needed, on as many threads as are given; the result does not depend on their number. STWATCH_ERR_MEMORY, _IO. */
stwatch_status stw_activity_read(
	stw_activity *activity, const stw_trace *trace, unsigned threads, const volatile int *cancel, stwatch_error *error);

#endif
