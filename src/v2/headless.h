/* A trace whose header is missing: the rest of one, as a ring of bytes leaves it. */
#ifndef STW_V2_HEADLESS_H
#define STW_V2_HEADLESS_H

#include "wire/source.h"

/* Finds where batches begin in an input without a header, and of which version they are (*minor); *missing then says so, as _DAMAGED.
 * STWATCH_OK; STWATCH_ERR_FORMAT with *error as it was: there are none near its beginning; _IO, _MEMORY, _CANCELLED. */
stwatch_status stw_headless_open(const stw_source *source, stw_mem *mem, const volatile int *cancel, unsigned *minor, uint64_t *begin,
	stwatch_error *missing, stwatch_error *error);

#endif
