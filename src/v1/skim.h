/* Skimming the records of a v1 trace: what index.c does from the beginning to the end, and parts.c of parts. Inside index.c, parts.c and skim*.c only. */
#ifndef STW_V1_SKIM_H
#define STW_V1_SKIM_H

#include "v1/index.h"
#include "wire/varint.h"

enum { STW_V1_SKIM_WINDOW = 256 << 10 };

typedef struct stw_v1_skimmer {
	stw_v1_index *index;
	const stw_source *source;
	const volatile int *cancel;
	stwatch_error *error;
	stw_map procs, strings, pcs, starts;
	uint8_t special[STW_V1_TYPES];
	uint8_t plain[256]; /* by an event's first byte: how it is skimmed */
	uint32_t batch; /* the open one, UINT32_MAX: none */
	bool fresh; /* no event of a stream came in it yet */
	const uint8_t *p, *end; /* in window */
	uint64_t end_at; /* offset of `end` */
	bool last; /* nothing follows the window */
	uint64_t stop_at; /* the first batch that begins here or behind is not looked at any more */
	uint64_t
		give_up_at; /* only a part of the file is skimmed: nor is anything behind this, once the window has come there, nor what belongs to a table or makes no
			      sense. UINT64_MAX: all is */
	bool stopped; /* at a batch that stop_at leaves to others */
	int64_t first_frequency;
	stwatch_error fault; /* status DAMAGED: what is wrong with the bytes at hand */
	uint8_t window[STW_V1_SKIM_WINDOW + STW_VARINT_SLACK];
} stw_v1_skimmer;

/* Begins to fill an index that is begun. Nothing is read yet. */
void stw_v1_skim_open(stw_v1_skimmer *s, stw_v1_index *index, const stw_source *source, const volatile int *cancel, stwatch_error *error);
void stw_v1_skim_close(stw_v1_skimmer *s);
static inline uint64_t stw_v1_skim_offset(const stw_v1_skimmer *s, const uint8_t *p)
{
	return s->end_at - (uint64_t)(s->end - p);
}
/* Goes on at a byte; _later: the window is filled when it is looked at. */
stwatch_status stw_v1_skim_move(stw_v1_skimmer *s, uint64_t offset);
void stw_v1_skim_move_later(stw_v1_skimmer *s, uint64_t offset);
void stw_v1_skim_close_batch(stw_v1_skimmer *s, uint64_t end, bool lost);
/* Where a proc's number stands in the index; UINT32_MAX when out of memory. */
uint32_t stw_v1_skim_proc(stw_v1_skimmer *s, uint64_t id);
/* Goes on to where it has to stop, to the end, or to what makes no sense: STWATCH_OK; STWATCH_END: it stops before there is nothing left, as stop_at and give_up_at say;
 * _DAMAGED: s->fault says of what is at hand; _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_v1_skim_on(stw_v1_skimmer *s);

/* ---- between skim.c and skim_tables.c ---- */

/* Notes in s->fault what is wrong with the record at p. STWATCH_ERR_DAMAGED. */
stwatch_status stw_v1_skim_bad(stw_v1_skimmer *s, const uint8_t *p, const char *what);
/* A value in the window; NULL, and what is wrong is noted. */
const uint8_t *stw_v1_skim_take(stw_v1_skimmer *s, const uint8_t *p, uint64_t *value);
stwatch_status stw_v1_skim_add_string(stw_v1_skimmer *s, const uint8_t *p);
/* The numbers of a stack's record stand up to `end`. */
stwatch_status stw_v1_skim_add_stack(stw_v1_skimmer *s, const uint8_t *p, const uint8_t *end);
stwatch_status stw_v1_skim_add_sample(stw_v1_skimmer *s, const uint64_t *values);
/* To Go 1.6 a creation tells the address of the new goroutine's function. */
stwatch_status stw_v1_skim_add_start(stw_v1_skimmer *s, uint64_t pc);

#endif
