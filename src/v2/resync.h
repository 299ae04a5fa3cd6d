/* Where a trace can be read on after damage: the next place where several batches that make sense follow each other. */
#ifndef STW_V2_RESYNC_H
#define STW_V2_RESYNC_H

#include "v2/batch.h"
#include "v2/scan.h"

typedef struct stw_landing {
	uint64_t at; /* the input's size: nothing readable follows */
	bool header; /* another trace begins here, with its header */
	unsigned minor; /* the header's, or that of the batches found */
	stw_batch_head head; /* of the first batch, where it is no header */
} stw_landing;

/* What is known of the trace: it helps to tell batches from bytes that look like some. */
typedef struct stw_resync {
	const stw_source *source;
	stw_go_version version; /* 0: not known, and guessed from what is found */
	bool guessed; /* it was */
	bool has_time;
	uint64_t time; /* of a batch before, in units */
	uint64_t generation; /* the least that may come; 0: any */
	const volatile int *cancel;
} stw_resync;

/* Looks from `from` up to `limit`, in time that is linear in the bytes, whatever they are. STWATCH_OK, _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_resync_find(
	const stw_resync *resync, stw_mem *mem, uint64_t from, uint64_t limit, stw_landing *landing, stwatch_error *error);

/* Whether two batches' times, in units, can be of one recording. */
bool stw_times_near(uint64_t a, uint64_t b);

#endif
