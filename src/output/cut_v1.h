/* A part of a v1 trace as a trace of its own: what is known while it is cut out, beside what the merge knows. Inside cut_v1*.c only.
 *
 * The trace is read in order from its start, or from a state that its index keeps. At the border of the part the state is written as the runtime writes it when a trace begins
 * (cut_v1_border.c); then come the events as they stand, but for the numbers that order them: each goroutine's begin anew at the border, by the one
 * that the first event after it takes for granted. What is not in order, or behind a loss, ends the part.
 *
 * In a trace without its beginning, what exists shows itself only by its first event. So such a trace is gone through once before, to the end of the part, for
 * how everything must have been at the border (cut_v1_midway.c); nor does a part begin before the events of all procs are there. */
#ifndef STW_OUTPUT_CUT_V1_H
#define STW_OUTPUT_CUT_V1_H

#include "order/v1_past.h"
#include "output/v1_writer.h"

/* How a goroutine is at the border: as is known of it; or else by its first event behind it. */
enum { STW_CUT_AS_KNOWN, STW_CUT_READY, STW_CUT_WAITS, STW_CUT_CALLS, STW_CUT_RETURNED /* from a call, before the border */ };

typedef struct stw_cut_shown {
	uint64_t id;
	uint8_t how; /* STW_CUT_… */
	bool met; /* that event has come */
} stw_cut_shown;

/* Of a goroutine of a trace that begins midway, by its slot. */
typedef struct stw_cut_g {
	uint64_t sure_of; /* the goroutine if what is known of it is not from where events may be missing, else 0 */
	bool created; /* by the last event of it */
	bool unsure; /* at the border it was not as is known: as its first event behind it says, or nobody knows how */
	bool fresh; /* no number of its own has been met: its next event that has one comes as number `next` of the part */
	uint64_t next;
} stw_cut_g;

/* Of a proc, likewise. */
typedef struct stw_cut_p {
	bool has_thread;
	bool runs; /* behind the border it shows itself as running */
	bool sweeping, stopping; /* since an event that is there */
} stw_cut_p;

typedef struct stw_cut_midway {
	bool on; /* the trace begins midway */
	bool scouting; /* it is gone through for what shows itself, nothing is written */
	STW_VEC(stw_cut_shown) shown;
	stw_map by_id; /* index in shown */
	STW_VEC(stw_cut_g) gs;
	STW_VEC(stw_cut_p) ps;
	uint64_t last_thread; /* the highest number that a thread has */
	bool has_gc, collects; /* behind the border a collection begins or ends; the first of it is an end */
	bool collecting, standing; /* a collection, a stop of the whole: since an event that is there */
	/* Of the event at hand. */
	uint32_t told_g, told_p; /* whose status it told, slots; STW_SLOT_NONE: nobody's */
	uint8_t told_status;
	bool told_sure; /* how it had been was sure */
	bool explained; /* it contradicts what is known, as what is missing explains */
} stw_cut_midway;

typedef struct stw_v1_part {
	stw_v1_merge merge;
	stw_order order;
	stw_v1_writer writer;
	int64_t from, to; /* ns from the first event */
	int64_t start_ticks; /* of the first event that is written */
	stw_v1_past past;
	int64_t last; /* ns, of the last thing that happened */
	bool writing; /* the border is behind */
	bool lost; /* events are missing from here on, or contradict what was before */
	stw_cut_midway midway;
	uint64_t gc_shift, seq_shift; /* to be added to numbers of collections; to Go 1.6, to those of all events */
	bool has_gc_shift; /* or else the number of the next collection is still to be taken from it */
	size_t first_sample; /* of the part */
	uint64_t n_events; /* of the part */
} stw_v1_part;

/* An event that takes for granted how its goroutine was, and is numbered among those of it. */
bool stw_cut_tells_status(unsigned type);
/* At the border, of any trace: what comes from here on counts. */
void stw_cut_midway_begin(stw_v1_part *part);
/* What is handed on: its type, target and third argument. */
void stw_cut_midway_told(stw_v1_part *part, unsigned type, uint32_t slot, uint64_t status);
/* Takes the event at hand, before it is written: notes what it shows, or finds that it is what was noted. False where it belongs into no part: nobody knows
 * whose it is, or what it ends has begun before the file. */
bool stw_cut_midway_take(stw_v1_part *part, uint32_t p, const stw_v1_cursor *event);
/* How a goroutine is at the border; NULL: it does not show itself behind it. */
stw_cut_shown *stw_cut_midway_find(stw_v1_part *part, uint64_t id);
/* Of a trace that begins otherwise as well: what is known of each holds there. Copies; all zero where nothing is known. */
stw_cut_g stw_cut_midway_g(const stw_v1_part *part, uint32_t slot);
stw_cut_p stw_cut_midway_p(const stw_v1_part *part, uint32_t slot);
/* Made where it is new; NULL when out of memory, which fails the past. */
stw_cut_g *stw_cut_midway_g_at(stw_v1_part *part, uint32_t slot);
void stw_cut_midway_free(stw_cut_midway *midway);
/* Writes the state before the event at hand, whose time is `next`, and sets what numbers are shifted by. */
void stw_v1_part_begin(stw_v1_part *part, int64_t next);
/* Writes what has happened, but is told by events behind the end. */
void stw_v1_part_end(stw_v1_part *part);

#endif
