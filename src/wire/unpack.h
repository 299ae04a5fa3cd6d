/* Decompression of whole inputs: gzip (RFC 1952, also several members) and zstd (RFC 8878). */
#ifndef STW_WIRE_UNPACK_H
#define STW_WIRE_UNPACK_H

#include "wire/source.h"

/* Unpacks the source into the file out. A stream that is cut or corrupt keeps what came out of it and sets *cut.
 * cancel (NULL: nothing) ends it with STWATCH_ERR_CANCELLED. */
stwatch_status stw_unpack(
	const stw_source *source, int out, uint64_t *size, bool *cut, const volatile int *cancel, stwatch_error *error);

/* write(2) until all is written; false with errno set. */
bool stw_write_all(int fd, const void *data, size_t size);

#endif
