/* A part of a v1 trace as a trace of its own: what is known while it is cut out, beside what the merge knows. Inside cut_v1*.c only.
 *
 * The trace is read in order from its start, or from a state that its index keeps. At the border of the part the state is written as the runtime writes it when a trace begins
 * (cut_v1_border.c); then come the events as they stand, but for the numbers that order them: each goroutine's begin anew at the border, by the one
 * that the first event after it takes for granted. What is not in order, or behind a loss, ends the part. */
#ifndef STW_OUTPUT_CUT_V1_H
#define STW_OUTPUT_CUT_V1_H

#include "order/v1_past.h"
#include "output/v1_writer.h"

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
	uint64_t gc_shift, seq_shift; /* to be added to numbers of collections; to Go 1.6, to those of all events */
	size_t first_sample; /* of the part */
	uint64_t n_events; /* of the part */
} stw_v1_part;

/* Writes the state before the event at hand, whose time is `next`, and sets what numbers are shifted by. */
void stw_v1_part_begin(stw_v1_part *part, int64_t next);
/* Writes what has happened, but is told by events behind the end. */
void stw_v1_part_end(stw_v1_part *part);

#endif
