/* A part of a v1 trace as a trace of its own: what is known while it is cut out, beside what the merge knows. Inside cut_v1*.c only.
 *
 * The trace is read in order from its start. At the border of the part the state is written as the runtime writes it when a trace begins
 * (cut_v1_border.c); then come the events as they stand, but for the numbers that order them: each goroutine's begin anew at the border, by the one
 * that the first event after it takes for granted. What is not in order, or behind a loss, ends the part. */
#ifndef STW_OUTPUT_CUT_V1_H
#define STW_OUTPUT_CUT_V1_H

#include "output/v1_writer.h"

/* Of a goroutine, by its slot. */
typedef struct stw_cut_g {
	uint64_t start; /* what it began with, as its creation has it */
	uint64_t shift; /* to be added to its sequence numbers */
	uint64_t label; /* that it was last started with, 0: none */
	int64_t exit_ticks, exit_seq; /* of the end of its call that was told last */
	uint32_t call_stack, net_stack, assist_stack; /* of its last call, wait for the network, assist */
	uint32_t call_p; /* slot: where its last call blocked */
	bool in_call; /* in a call that blocked: no event has said yet that it is ready to run */
	bool returned; /* the call had ended before the border, so that event is left out */
} stw_cut_g;

/* Of a proc, by its slot. */
typedef struct stw_cut_p {
	uint64_t thread; /* that it started on last */
	uint32_t sweep_stack;
	uint32_t call_g; /* slot: whose call blocked here last */
} stw_cut_p;

/* The file's numbers of names, by the index that the order or the merge has for the thing that is called so. */
typedef STW_VEC(uint64_t) stw_cut_names;

typedef struct stw_v1_part {
	stw_v1_merge merge;
	stw_order order;
	stw_v1_writer writer;
	int64_t from, to; /* ns from the first event */
	int64_t start_ticks; /* of the first event that is written */
	STW_VEC(stw_cut_g) gs;
	STW_VEC(stw_cut_p) ps;
	stw_cut_names regions, tasks;
	uint64_t heap, goal, procs; /* the last figures */
	uint64_t stop_kind; /* of the last stop */
	uint32_t stop_p; /* slot: that it was begun on */
	uint32_t gc_stack; /* of the last collection's begin */
	bool has_heap, has_goal;
	bool writing; /* the border is behind */
	bool lost; /* events are missing from here on, or contradict what was before */
	uint64_t gc_shift, seq_shift; /* to be added to numbers of collections; to Go 1.6, to those of all events */
	size_t first_sample; /* of the part */
	uint64_t n_events; /* of the part */
} stw_v1_part;

/* A goroutine or proc, made where it is new; NULL when out of memory, which fails the writer. */
stw_cut_g *stw_cut_g_at(stw_v1_part *part, uint32_t slot);
stw_cut_p *stw_cut_p_at(stw_v1_part *part, uint32_t slot);
/* Writes the state before the event at hand, whose time is `next`, and sets what numbers are shifted by. */
void stw_v1_part_begin(stw_v1_part *part, int64_t next);
/* Writes what has happened, but is told by events behind the end. */
void stw_v1_part_end(stw_v1_part *part);

#endif
