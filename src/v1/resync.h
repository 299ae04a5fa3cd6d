/* Finds where a damaged v1 trace makes sense again. */
#ifndef STW_V1_RESYNC_H
#define STW_V1_RESYNC_H

#include "v1/format.h"
#include "wire/source.h"

typedef struct stw_v1_resync {
	const stw_source *source;
	const stw_v1_format *format;
	const volatile int *cancel; /* may be NULL */
	uint64_t near[2]; /* ticks of batches of the trace, one of which those that follow are near in time */
	unsigned n_near; /* 0: nothing is known of its times */
} stw_v1_resync;

/* Behind `from`, where a record makes no sense, the first offset at which the head of a batch stands: a time like the trace's, records behind it that make sense, a good number of them
 * or up to the end, and no reading of what stands before it that leads past it. Where there is none of that time, one of any time. *found is the input's
 * size where there is none at all. *header: a header stands at *found instead, before any batch: there another trace begins. STWATCH_OK, _IO, _CANCELLED. */
stwatch_status stw_v1_resync_find(const stw_v1_resync *resync, uint64_t from, uint64_t *found, bool *header, stwatch_error *error);

/* Behind the record at p, as far as it is there; NULL where it makes no sense. */
const uint8_t *stw_v1_pass(const stw_v1_format *format, const uint8_t *p, const uint8_t *end);

/* A value that looks like the head of a batch stands within a record: GoSysExit of goroutine 65 is written so. From wherever one begins to read, one is soon
 * in step with the records, so *yes: not more ways of reading what is before `at` lead past it than to it. STWATCH_OK, _IO. */
stwatch_status stw_v1_in_step(const stw_source *source, const stw_v1_format *format, uint64_t at, bool *yes, stwatch_error *error);

/* Bytes that stw_v1_in_step looks at. */
enum { STW_V1_IN_STEP_BYTES = 1024 };

#endif
