/* Finds where a damaged v1 trace makes sense again. */
#ifndef STW_V1_RESYNC_H
#define STW_V1_RESYNC_H

#include "v1/format.h"
#include "wire/source.h"

/* The first offset from `from` on at which the head of a batch stands that is followed by events that make sense: a good number of
 * them, or up to the next batch or the end. *found is the input's size where there is none. STWATCH_OK, _IO, _CANCELLED. */
stwatch_status stw_v1_resync(const stw_source *source, const stw_v1_format *format, uint64_t from, uint64_t *found,
	const volatile int *cancel, stwatch_error *error);

/* Behind the record at p, as far as it is there; NULL where it makes no sense. */
const uint8_t *stw_v1_pass(const stw_v1_format *format, const uint8_t *p, const uint8_t *end);

#endif
