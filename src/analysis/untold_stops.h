/* The stops of the world in a trace of which not all are events (to Go 1.20), for who reads its events one after another: as the first pass has
 * them, which infers from a restart when it was asked for (model/untold.c). Memory: 48 bytes a stop. */
#ifndef STW_ANALYSIS_UNTOLD_STOPS_H
#define STW_ANALYSIS_UNTOLD_STOPS_H

#include "engine/trace.h"

typedef struct stw_untold_stop {
	int64_t from, to; /* from: the earliest that it can have been asked for; to: its end as stat has it */
	int64_t g, p; /* who asked */
	uint32_t span, stack; /* stack: index in the stacks of that span, 0: none */
	bool inferred; /* else events tell it too */
} stw_untold_stop;

typedef struct stw_untold_stops {
	stw_mem *mem;
	bool any; /* the trace is one of which not all are events; else nothing is read */
	STW_VEC(stw_untold_stop) stops; /* in order of time */
	size_t next; /* for who goes through them */
} stw_untold_stops;

void stw_untold_stops_init(stw_untold_stops *untold, stw_mem *mem);
void stw_untold_stops_free(stw_untold_stops *untold);
/* Reads the trace through once, where that is needed. STWATCH_OK, _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_untold_stops_read(stw_untold_stops *untold, stw_trace *trace, const stw_run_options *options, stwatch_error *error);

#endif
