/* The tasks, regions and goroutines of a trace, and when each was under way: what a critical path can be asked of. Memory: names, what
 * is open, and the spans with the name that was asked for (a limited number). */
#ifndef STW_ANALYSIS_CHOICES_H
#define STW_ANALYSIS_CHOICES_H

#include "analysis/spots.h"
#include "engine/feed.h"
#include "stwatch/path.h"

enum { STW_CHOICES_GOROUTINES = 20, STW_CHOICES_SPANS = 1 << 20 };

typedef struct stw_chosen {
	int64_t begin, end, g;
	uint64_t id;
	uint32_t name; /* text */
	bool open_begin, open_end;
} stw_chosen;

/* Tasks or regions of one name; or a goroutine. */
typedef struct stw_choice {
	uint32_t subject, name; /* stwatch_path_subject; text */
	uint64_t id, count;
	int64_t total, max;
} stw_choice;

typedef struct stw_open_task {
	uint64_t id;
	int64_t begin, g;
	uint32_t name;
	bool used;
} stw_open_task;

typedef struct stw_open_region {
	int64_t begin;
	uint32_t name, outer; /* outer: 1 + index of the region around it, 0: none */
} stw_open_region;

typedef struct stw_known_goroutine {
	int64_t id, begin, since, waited, longest; /* since: STW_TIME_UNKNOWN: it does not wait */
	uint32_t root; /* text */
	uint32_t region; /* as outer above: its innermost */
	bool open_begin, used;
} stw_known_goroutine;

typedef struct stw_choices {
	stw_mem *mem;
	stw_spots *spots;
	stwatch_path_options options;
	stw_intern keys; /* of choices */
	STW_VEC(stw_choice) names; /* tasks and regions, by number of key, from 1 */
	stw_choice most[STW_CHOICES_GOROUTINES]; /* that waited most */
	unsigned n_most;
	stw_map tasks, gs; /* slots below */
	STW_VEC(stw_open_task) open_tasks;
	STW_VEC(stw_open_region) open_regions;
	STW_VEC(stw_known_goroutine) known;
	STW_VEC(uint32_t) free_tasks, free_regions, free_gs;
	STW_VEC(stw_chosen) chosen; /* what was asked for, in order of their ends */
	uint64_t left_out; /* of that, for want of room */
	int64_t procs; /* the most there were, 0: not known */
	int64_t first, last; /* times of events, the first since the last break; STW_TIME_UNKNOWN: there was none */
	bool failed;
} stw_choices;

void stw_choices_init(stw_choices *choices, stw_mem *mem, stw_spots *spots, const stwatch_path_options *options);
void stw_choices_free(stw_choices *choices);
void stw_choices_add(stw_choices *choices, stw_stream *stream, const stw_stream_event *event);
/* A part of the trace is missing from here on, or it ends: what is under way is open. */
void stw_choices_break(stw_choices *choices);

#endif
