/* Looking for the place of a run's time 0 in a trace's time: three ways (godebug_by_…c), of which godebug_align.c makes one answer. */
#ifndef STW_SOURCES_GODEBUG_PLACE_H
#define STW_SOURCES_GODEBUG_PLACE_H

#include "analysis/gather.h"
#include "sources/godebug.h"

/* A run's lines. */
typedef struct stw_run_lines {
	const stw_sched_sample *samples; /* by time */
	size_t n_samples;
	const stw_gc_line *gcs; /* by number */
	size_t n_gcs;
	const stw_godebug_clock *clocks;
	size_t n_clocks;
	int64_t first, last; /* times */
	int64_t period; /* of samples, the longest */
} stw_run_lines;

/* From where to where a run's time 0 may lie. */
typedef struct stw_run_place {
	int64_t low, high;
	bool found;
	bool confirmed; /* by what happened: it is the same process */
	double chance; /* how many places would agree as well if it were another process; 1 and more: nothing is known */
} stw_run_place;

enum {
	STW_PLACES_TRIED = 20000,
	STW_TELLING_SAMPLES = 3, /* that have more in queues than chance gives */
};
/* A line tells a cycle's beginning to the millisecond, and threads may be held up between taking the time and writing an event. */
static const int64_t STW_CYCLE_SLACK_NS = 5000000;
/* Agreement that chance gives less often than so is taken for the truth. */
static const double STW_CHANCE = 0.01;

/* By collections: the same ones are in both, so that distances between them and their lengths agree, and none is in one only. At any place between
 * two, and only if there is just one. */
stw_run_place stw_place_by_cycles(const stw_gather *gather, const stw_run_lines *lines, int64_t low, int64_t high);
/* Whether a log that tells of collections and a trace of some can't be of one process if time 0 lies there: all are in one of them only. */
bool stw_cycles_contradict(const stw_gather *gather, const stw_run_lines *lines, int64_t low, int64_t high);
/* By queues: at every sample as many goroutines are queued as the trace shows runnable. From the least to the greatest place between two where that is
 * so; not found: nowhere, or there are too many samples. Confirmed: some samples tell. */
stw_run_place stw_place_by_queues(const stw_gather *gather, const stw_run_lines *lines, int64_t low, int64_t high);
/* By wall times. NULL, and the place; or why not: for good (*of_another_time: it is no log of this time) or for want of knowing. False: out of memory. */
bool stw_place_by_wall(stw_mem *mem, const stw_trace_clock *clock, const stw_run_lines *lines, stw_run_place *place, const char **why_not,
	bool *of_another_time);
/* Whether its samples have as many P's as the trace, as far as that is known. */
bool stw_procs_agree(const stw_gather *gather, const stw_run_lines *lines, int64_t zero);

#endif
