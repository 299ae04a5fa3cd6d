/* Critical paths, looked for backwards: from the end of a span, through the stays of the goroutine that ended it; where it waited for
 * another, through that one's, back to when the wait began. So the stretches of a path are the span, without a gap. Waits for waits are
 * kept on a list, not on the stack. Paths of one trace are followed together, so that each part of it is read once, from the last on. */
#ifndef STW_ANALYSIS_WAY_H
#define STW_ANALYSIS_WAY_H

#include "analysis/past.h"
#include "analysis/spots.h"
#include "stwatch/path.h"

/* A goroutine that is looked at, and the wait for it. */
typedef struct stw_way_level {
	int64_t g;
	int64_t limit; /* when the wait for it began: there the one that waited goes on; INT64_MIN: earlier than what is loaded */
	int64_t floor; /* the latest of the limits up to here */
	int64_t waiter;
	uint32_t spot; /* where it was when it ended the wait */
	uint32_t waiter_spot, waiter_what;
	bool made_by_timer; /* what is before that is the timer's */
} stw_way_level;

/* A path that is being followed. Times are the trace's. */
typedef struct stw_way {
	int64_t begin, cursor;
	int64_t tail; /* up to here the next stretch goes: why it waited there only an earlier generation tells; INT64_MIN: up to the cursor */
	bool tail_ended; /* that wait was ended */
	STW_VEC(stw_way_level) levels;
	unsigned steps; /* without getting any earlier */
	bool whole; /* its segments are kept */
	int64_t kind_ns[STWATCH_PATH_KINDS];
} stw_way;

typedef struct stw_way_procs {
	int64_t running_ns, gc_ns, syscall_ns, idle_ns, function_ns;
	uint32_t function;
} stw_way_procs;

typedef struct stw_way_segment {
	int64_t from, to, g, waiter;
	uint32_t spot, what, waiter_spot, waiter_what; /* numbers in spots */
	unsigned depth;
	uint8_t kind;
	uint64_t merged;
	int64_t longest; /* of those that it stands for */
	stw_way_procs procs;
} stw_way_segment;

typedef struct stw_way_share {
	uint32_t function, root, what; /* texts */
	uint32_t own; /* 1: the subject's own goroutine */
	uint32_t kind;
	int64_t g;
	uint64_t count;
	int64_t total, max;
} stw_way_share;

typedef struct stw_way_shares {
	stw_intern keys;
	STW_VEC(stw_way_share) rows;
} stw_way_shares;

typedef struct stw_ways {
	stw_mem *mem;
	stw_spots *spots;
	stw_past past;
	int64_t procs; /* GOMAXPROCS, at least 1 */
	STW_VEC(stw_way) ways;
	STW_VEC(stw_way_segment) segments; /* of the whole one, latest first */
	int64_t least; /* neighbours that are all shorter are kept as one */
	stw_way_shares whole, all;
	bool failed;
} stw_ways;

/* room: of stw_past. */
void stw_ways_init(stw_ways *ways, stw_mem *mem, stw_spots *spots, size_t room);
void stw_ways_free(stw_ways *ways);
/* A path to follow, of a span that a goroutine ended. One may be whole. False when out of memory. */
bool stw_ways_add(stw_ways *ways, int64_t begin, int64_t end, int64_t g, bool whole);
/* Follows all of them. begins: by span of the trace, the time of its first event; INT64_MAX: it was not read. */
stwatch_status stw_ways_follow(
	stw_ways *ways, const stw_trace *trace, const int64_t *begins, const volatile int *cancel, stwatch_error *error);

#endif
