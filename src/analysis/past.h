/* A stretch of a trace's past, for looking back: the last stays of goroutines and P's before a moment, so many as there is room for.
 * Who looks further back loads the stretch before it. So memory does not grow with the trace, wherever one looks. */
#ifndef STW_ANALYSIS_PAST_H
#define STW_ANALYSIS_PAST_H

#include "engine/feed.h"
#include "engine/trace.h"

typedef enum stw_past_track {
	STW_PAST_GOROUTINE = 1, /* by: who made a waiting one ready */
	STW_PAST_PROC, /* what it executed; by: the goroutine; state: running or in a system call */
	STW_PAST_STOP, /* id 0; the world, from asking to the restart */
	STW_PAST_ASSIST, /* of a goroutine */
	STW_PAST_BIRTH, /* of a goroutine, an instant; by: who made it */
	STW_PAST_SAMPLE /* of a goroutine, an instant */
} stw_past_track;

typedef struct stw_past_stay {
	int64_t id, from, to, by;
	uint32_t stack; /* index in the generation's stacks, 0: none: where it was; of a run and a proc's: where that ended */
	uint32_t wake; /* of a wait: where who ended it was; of a birth: where it was made */
	uint32_t text; /* of a wait: why; of a stop: its kind */
	uint8_t track, state; /* STW_STATE_G_… */
	bool open_begin, open_end;
} stw_past_stay;

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
	size_t room; /* most stays that are kept */
	int64_t begin; /* from here on nothing is left out */
	bool loaded;
	STW_VEC(stw_past_stay) stays; /* by track, id, beginning */
	STW_VEC(stw_past_proc) procs;
	STW_VEC(stw_past_assist) assists;
	stw_map proc_index;
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
} stw_past;

void stw_past_init(stw_past *past, stw_mem *mem, size_t room);
void stw_past_free(stw_past *past);
/* Reads a generation (of v1, the trace) from its beginning up to a moment. Damage ends it early. STWATCH_OK, _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_past_load(
	stw_past *past, const stw_trace *trace, uint32_t span, int64_t until, const volatile int *cancel, stwatch_error *error);
/* Lets go of what is loaded; before the trace is closed. */
void stw_past_unload(stw_past *past);
/* The last stay of a track that began before a moment; NULL: none. Those before it, of the same id, are beside it in memory. */
const stw_past_stay *stw_past_find(const stw_past *past, stw_past_track track, int64_t id, int64_t before);
/* The stay of the same track and id before that one; NULL: none. */
const stw_past_stay *stw_past_before(const stw_past *past, const stw_past_stay *stay);
/* Why it waited, or the kind of a stop. */
stw_slice stw_past_text(const stw_past *past, const stw_past_stay *stay);

#endif
