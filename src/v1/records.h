/* The records of a v1 trace one after the other, as they stand in the file: for who writes it anew. The trace must be sound (stw_v1_index_read finds
 * no problem in it). */
#ifndef STW_V1_RECORDS_H
#define STW_V1_RECORDS_H

#include "v1/format.h"
#include "wire/source.h"

enum { STW_V1_RECORD_VALUES = 6, STW_V1_RECORDS_WINDOW = 64 << 10 };

typedef struct stw_v1_records {
	const stw_source *source;
	const stw_v1_format *format;
	const volatile int *cancel;
	/* the record at hand */
	uint8_t type;
	uint64_t offset;
	const uint8_t *bytes; /* without its text; valid until the next */
	size_t size;
	uint64_t values[STW_V1_RECORD_VALUES]; /* of others than stacks; of a String its id */
	unsigned n_values;
	uint64_t text, text_size; /* offset of what follows a String or UserLog */
	/* where it reads */
	uint64_t at, window_at;
	size_t window_size;
	uint8_t window[STW_V1_RECORDS_WINDOW];
} stw_v1_records;

void stw_v1_records_init(stw_v1_records *records, const stw_source *source, const stw_v1_format *format, const volatile int *cancel);
/* STWATCH_OK; _END; _DAMAGED, _IO, _CANCELLED. */
stwatch_status stw_v1_records_next(stw_v1_records *records, stwatch_error *error);

#endif
