/* Numbers and texts in a row of bytes, for files of our own: varints as everywhere, texts with their length before them. */
#ifndef STW_BASE_BYTES_H
#define STW_BASE_BYTES_H

#include "base/mem.h"

typedef struct stw_bytes {
	stw_mem *mem;
	STW_VEC(uint8_t) data;
	bool failed; /* out of memory */
} stw_bytes;

void stw_bytes_uint(stw_bytes *bytes, uint64_t value);
/* Also for negative numbers: small ones of either sign are short. */
void stw_bytes_int(stw_bytes *bytes, int64_t value);
void stw_bytes_text(stw_bytes *bytes, const char *text, size_t length);
void stw_bytes_free(stw_bytes *bytes);

/* Reading: a failure is remembered, and everything after it is 0. The bytes may be anything. */
typedef struct stw_bytes_reader {
	const uint8_t *p, *end;
	bool failed;
} stw_bytes_reader;

uint64_t stw_bytes_take_uint(stw_bytes_reader *reader);
/* At most max; else it fails. */
uint64_t stw_bytes_take_below(stw_bytes_reader *reader, uint64_t max);
int64_t stw_bytes_take_int(stw_bytes_reader *reader);
/* Borrowed from what is read; at most max bytes. */
const char *stw_bytes_take_text(stw_bytes_reader *reader, size_t max, size_t *length);

#endif
