/* The batches of a span, one after the other, over its holes. */
#ifndef STW_V2_BATCHES_H
#define STW_V2_BATCHES_H

#include "v2/batch.h"
#include "v2/scan.h"

typedef struct stw_batches {
	const stw_span *span;
	uint64_t at; /* of the next head */
	uint64_t left; /* batches */
	uint32_t hole; /* the next */
	unsigned char window[1024];
	uint64_t window_at;
	size_t window_size;
} stw_batches;

typedef struct stw_batch_at {
	stw_batch_head head; /* its size is that of what is there */
	uint64_t at; /* of its head */
	uint64_t data_at;
	bool behind; /* a hole lies before it */
	bool cut; /* a hole begins within it */
} stw_batch_at;

void stw_batches_init(stw_batches *walk, const stw_span *span);
/* STWATCH_OK; STWATCH_END after the last; STWATCH_ERR_DAMAGED where the file has changed since the scan, _IO. */
stwatch_status stw_batches_next(stw_batches *walk, stw_batch_at *batch, stwatch_error *error);
/* Reads a batch's data. As above. */
stwatch_status stw_batches_read(const stw_batches *walk, const stw_batch_at *batch, uint8_t *data, stwatch_error *error);

#endif
