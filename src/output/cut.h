/* Generations of a trace, written as a trace of their own. */
#ifndef STW_OUTPUT_CUT_H
#define STW_OUTPUT_CUT_H

#include "base/bytes.h"
#include "order/v1.h"
#include "output/pseudonym.h"
#include "output/sink.h"
#include "v2/generation.h"

typedef struct stw_cut {
	stw_mem *mem;
	const uint8_t *key; /* of the pseudonyms; NULL: names stay */
	stw_sink out;
	uint64_t written; /* bytes */
} stw_cut;

/* The header, that of the input that the span is of. The cut's other fields are the caller's to fill. STWATCH_ERR_IO. */
stwatch_status stw_cut_begin(stw_cut *cut, const stw_span *span, stwatch_error *error);
/* A generation, up to and with its end. STWATCH_ERR_DAMAGED (only where names are replaced, which needs to understand it: nothing of
 * it was then written), _MEMORY, _IO. */
stwatch_status stw_cut_generation(stw_cut *cut, const stw_span *span, stwatch_error *error);
/* Bytes of the output. */
void stw_cut_put(stw_cut *cut, const void *data, size_t size);

/* As stw_cut_generation, with pseudonyms (anonymise.c). */
stwatch_status stw_cut_anonymous(stw_cut *cut, const stw_span *span, stwatch_error *error);
/* The whole of a trace of format v1, in which nothing is wrong, with pseudonyms (anonymise_v1.c). *end: when its last event was, ns from the
 * first. As above; also _CANCELLED. */
stwatch_status stw_cut_anonymous_v1(stw_cut *cut, const stw_v1 *v1, int64_t *end, const volatile int *cancel, stwatch_error *error);

/* Of a part of a v1 trace, ns from the trace's first event. */
typedef struct stw_cut_times {
	int64_t from, to; /* in: what is wanted; from 0: all from the beginning */
	int64_t start, end; /* out: of the first and the last event that were written */
	uint64_t n_events; /* out: of the part, without those that say what was before; 0: the output is worth nothing */
} stw_cut_times;

/* A part of a v1 trace as a trace (cut_v1.c), with pseudonyms if there is a key. STWATCH_ERR_DAMAGED after what stands before the damage was written;
 * _ARGUMENT where nothing lies in that time; _MEMORY, _IO, _CANCELLED. state: of an index, of what was before the part (order/v1_past.h), NULL: it is read
 * from the start; STWATCH_END where it makes no sense, and nothing was written. v1's notes are taken. */
stwatch_status stw_cut_part_v1(
	stw_cut *cut, stw_v1 *v1, stw_bytes_reader *state, stw_cut_times *times, const volatile int *cancel, stwatch_error *error);

#endif
