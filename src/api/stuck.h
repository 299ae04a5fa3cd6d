/* Every stay beyond the table of starvation (rules/starvation.def), as an event of its own: what Go's tracer never wrote. */
#ifndef STW_API_STUCK_H
#define STW_API_STUCK_H

#include "base/intern.h"
#include "engine/stream.h"
#include "model/timeline.h"
#include "stwatch/analysis.h"

/* When the time during which a P was idle changed its pace. */
typedef struct stw_idle_mark {
	int64_t at, sum; /* ns of idleness until then */
	bool idle; /* from then on */
} stw_idle_mark;

typedef void (*stw_stuck_fn)(void *user, const stwatch_event *event);

typedef struct stw_stuck {
	stw_mem *mem;
	int64_t limits[STW_STATE_COUNT]; /* INT64_MAX: none */
	int64_t factor, rounds;
	stw_timeline timeline;
	stw_intern sites;
	STW_VEC(bool) idle; /* by P */
	STW_VEC(stw_idle_mark) marks;
	int64_t procs; /* GOMAXPROCS, 0: not known */
	int64_t stops; /* in progress */
	int64_t runnable, round, least; /* now; the 10 ms at hand, and the fewest in it */
	int64_t queue_from, queue_least; /* a queue beyond its limit; queue_from INT64_MIN: none */
	int64_t first, last;
	bool begun, fresh, failed;
	uint32_t generations;
	stw_stuck_fn tell;
	void *user;
	char details[512];
} stw_stuck;

/* settings NULL: the defaults. False when out of memory; then nothing needs to be freed. */
bool stw_stuck_init(stw_stuck *stuck, stw_mem *mem, unsigned version, const stwatch_settings *settings, stw_stuck_fn tell, void *user);
void stw_stuck_free(stw_stuck *stuck);
/* Tells the stays that end with an event. False when out of memory. */
bool stw_stuck_take(stw_stuck *stuck, stw_stream *stream, const stw_stream_event *event);
/* A part of the trace is missing from here on: tells those that are open, and begins anew. */
void stw_stuck_gap(stw_stuck *stuck);
/* Tells those that are open. */
void stw_stuck_finish(stw_stuck *stuck);

#endif
