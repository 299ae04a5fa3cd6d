/* How an input begins: with a header, or, where that is missing or stands behind other bytes, as its batches tell. */
#ifndef STW_ENGINE_BEGINNING_H
#define STW_ENGINE_BEGINNING_H

#include "v1/headless.h"

typedef struct stw_beginning {
	unsigned minor; /* of the header, or as the batches look: v1 below 22 */
	uint64_t begin; /* v2: byte of the first batch */
	stw_v1_entry v1; /* of v1, which says by itself what is missing */
	stwatch_error missing; /* of v2: _DAMAGED: what is wrong before `begin`; OK: nothing */
} stw_beginning;

/* Reads the header; headless: looks for the first batches where there is none. STWATCH_OK; _FORMAT, _UNSUPPORTED as of stw_header_read; _IO, _MEMORY,
 * _CANCELLED. */
stwatch_status stw_beginning_read(
	const stw_source *source, stw_mem *mem, bool headless, const volatile int *cancel, stw_beginning *beginning, stwatch_error *error);

/* Whether an input without a header is a trace. STWATCH_OK: it is; STWATCH_END: it is not; _IO, _MEMORY, _CANCELLED. */
stwatch_status stw_beginning_look(const stw_source *source, stw_mem *mem, const volatile int *cancel, stwatch_error *error);

#endif
