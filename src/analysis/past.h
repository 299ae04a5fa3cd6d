/* A stretch of a trace's past, for looking back: the last stays of goroutines and P's before a moment, so many as there is room for; those before
 * them, as far as anybody will look, wait in a temporary file. Who looks further back loads the stretch before. So memory does not grow with the
 * trace, wherever one looks, and each event is read once. */
#ifndef STW_ANALYSIS_PAST_H
#define STW_ANALYSIS_PAST_H

#include "analysis/stay_store.h"
#include "engine/feed.h"
#include "engine/trace.h"

typedef enum stw_past_track {
	STW_PAST_GOROUTINE = 1, /* by: who made a waiting one ready */
	STW_PAST_PROC, /* what it executed; by: the goroutine; state: running or in a system call */
	STW_PAST_STOP, /* id 0; the world, from asking to the restart */
	STW_PAST_ASSIST, /* of a goroutine */
	STW_PAST_BIRTH, /* of a goroutine, an instant; by: who made it */
	STW_PAST_SAMPLE, /* of a goroutine, an instant */
	STW_PAST_TRACKS
} stw_past_track;

typedef struct stw_past_proc {
	int64_t id, since, g;
	uint8_t state; /* STW_STATE_NONE: no goroutine */
	uint32_t stack;
} stw_past_proc;

typedef struct stw_past_assist {
	int64_t g, since;
} stw_past_assist;

typedef struct stw_past {
	stw_mem *mem;
	size_t room; /* most stays that are kept in memory */
	int64_t begin; /* from here on nothing is left out */
	int64_t first; /* where the generation begins */
	int64_t earliest; /* before that nobody looks */
	uint32_t span;
	bool loaded;
	stw_past_stays stays; /* by track, id, beginning */
	stw_stay_store store; /* those before */
	size_t tracks[STW_PAST_TRACKS + 1]; /* where each begins in stays */
	stw_map run_index; /* of goroutines, in runs */
	STW_VEC(uint32_t) runs; /* where each goroutine's begin in stays, and behind the last */
	STW_VEC(stw_past_proc) procs;
	STW_VEC(stw_past_assist) assists;
	stw_map proc_index;
	stw_map homes; /* of goroutines that live at the moment that was looked at first: a stack where they began */
	const stw_trace *trace;
	stw_generation gen; /* the tables, until the next load */
	bool has_tables;
	stw_stream stream;
	stw_timeline timeline;
	/* while loading */
	const stw_stream_event *event;
	size_t oldest; /* where the next stay goes, once there is no more room */
	int64_t stop_since, stop_by;
	uint32_t stop_kind;
	int64_t last;
	bool begun, failed;
	stwatch_error failure; /* if it is another than that there is no memory; status OK: it is not */
} stw_past;

void stw_past_init(stw_past *past, stw_mem *mem, size_t room);
void stw_past_free(stw_past *past);
/* Loads the stretch before a moment of a generation (of v1, of the trace): reads it from its beginning, or where a later stretch of it was loaded last,
 * takes what that left. earliest: before that nobody will look. Damage ends it early. STWATCH_OK, _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_past_load(stw_past *past, const stw_trace *trace, uint32_t span, int64_t earliest, int64_t until,
	const volatile int *cancel, stwatch_error *error);
/* Lets go of what is loaded; before the trace is closed. */
void stw_past_unload(stw_past *past);
/* The last stay of a track that began before a moment; NULL: none. Those before it, of the same id, are beside it in memory. */
const stw_past_stay *stw_past_find(const stw_past *past, stw_past_track track, int64_t id, int64_t before);
/* The stay of the same track and id before that one; NULL: none. */
const stw_past_stay *stw_past_before(const stw_past *past, const stw_past_stay *stay);
/* Where a goroutine began, or was when the generation did; 0: that is not known, or it ended before the moment that was looked at first. */
uint32_t stw_past_home(const stw_past *past, int64_t id);
/* Why it waited, or the kind of a stop. */
stw_slice stw_past_text(const stw_past *past, const stw_past_stay *stay);

#endif
