/* What every command that reads the events of traces through shares: it opens them, several of one process as one timeline, and tells of them as
 * inputs. */
#ifndef STW_API_TOLD_H
#define STW_API_TOLD_H

#include "analysis/untold_stops.h"
#include "api/inputs.h"
#include "engine/walk.h"
#include "stwatch/analysis.h"

typedef struct stw_told_input {
	STW_VEC(stwatch_problem) problems;
	uint64_t events; /* other than sync points */
	int64_t first, last; /* their times; STW_TIME_UNKNOWN: there was none */
} stw_told_input;

typedef struct stw_told {
	stw_mem *mem;
	stw_arena arena;
	stw_inputs files;
	stw_trace trace;
	STW_VEC(stwatch_input) inputs; /* in the order given */
	STW_VEC(stw_told_input) seen; /* of each */
	uint32_t generations;
	int64_t first, last; /* times of events */
	uint64_t n_gaps; /* between inputs */
	int64_t gaps_ns; /* how long they are in all */
	bool begun; /* there was an event */
	bool fresh; /* a generation begins with the event at hand */
	bool pending; /* a generation has begun, with no event yet */
} stw_told;

void stw_told_init(stw_told *told, stw_mem *mem);
void stw_told_free(stw_told *told);
/* Makes a text of the caller's the told's own; NULL stays NULL. False when out of memory. */
bool stw_told_keep(stw_told *told, const char **text);
/* Opens traces, which stand in told->trace then. paths must live as long; a folder stands for the traces in it. Errors as of stw_inputs_open and
 * stw_trace_take, about a path. */
stwatch_status stw_told_open(stw_told *told, stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_error *error);
/* The same of one that is open: the source is the told's from then on, also where that fails. */
stwatch_status stw_told_take(stw_told *told, stwatch_context *context, const char *path, stw_source *source, stwatch_error *error);
/* stw_trace_walk over them, with the context's progress. */
stwatch_status stw_told_walk(stw_told *told, const stwatch_context *context, const stw_walk *walk, stwatch_error *error);
/* The stops of the world that no event tells, where there may be such; its time counts as reading. */
stwatch_status stw_told_stops(stw_told *told, const stwatch_context *context, stw_untold_stops *stops, stwatch_error *error);
/* For each event of one walk. False for sync points, which are dated by a batch's head and no events of the program's. */
bool stw_told_event(stw_told *told, const stw_stream *stream, const stw_stream_event *event);
/* For what a walk finds damaged; each problem of an input is told once. False when out of memory. */
bool stw_told_damage(stw_told *told, const stw_stream *stream, const stwatch_error *error);
/* Fills the inputs in. cancelled: they were not read to their end. False when out of memory. */
bool stw_told_conclude(stw_told *told, bool cancelled);
/* status, or where that is OK and there were problems, the first of them. */
stwatch_status stw_told_verdict(const stw_told *told, stwatch_status status, stwatch_error *error);
/* Tells people that there are gaps between the traces, where there are. */
void stw_told_note_gaps(const stw_told *told, const stwatch_context *context);
enum { STW_GAPS_ROOM = 160 };
/* That there are gaps between traces, for people. */
const char *stw_gaps_in_words(char room[static STW_GAPS_ROOM], uint64_t n_gaps, int64_t gaps_ns);
/* The same in an arena; NULL where there is none, or no memory. */
const char *stw_word_gaps(stw_arena *arena, uint64_t n_gaps, int64_t gaps_ns);

#endif
