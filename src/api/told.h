/* What a command that reads one trace through tells of it as an input. */
#ifndef STW_API_TOLD_H
#define STW_API_TOLD_H

#include "base/arena.h"
#include "engine/stream.h"
#include "engine/trace.h"
#include "stwatch/analysis.h"

typedef struct stw_told {
	stw_arena arena;
	stwatch_input input;
	STW_VEC(stwatch_problem) problems;
	int64_t first, last; /* times of events */
	bool begun; /* there was an event */
	bool fresh; /* a generation begins with the event at hand */
	bool pending; /* a generation has begun, with no event yet */
} stw_told;

void stw_told_init(stw_told *told, stw_mem *mem);
void stw_told_free(stw_told *told);
/* False for sync points, which are dated by a batch's head and no events of the program's. */
bool stw_told_event(stw_told *told, const stw_stream *stream, const stw_stream_event *event);
/* Each problem once. False when out of memory. */
bool stw_told_problem(stw_told *told, uint64_t offset, const char *what);
/* Fills the input in. cancelled: it was not read to its end. False when out of memory. */
bool stw_told_conclude(stw_told *told, const stw_trace *trace, const char *path, bool cancelled);
/* status, or where that is OK and there were problems, the first of them. */
stwatch_status stw_told_verdict(const stw_told *told, stwatch_status status, stwatch_error *error);

#endif
