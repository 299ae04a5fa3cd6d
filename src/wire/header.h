/* The first bytes of an input: which format it is. */
#ifndef STW_WIRE_HEADER_H
#define STW_WIRE_HEADER_H

#include "wire/source.h"

enum { STW_HEADER_SIZE = 16 };

/* Takes "go 1.N trace\0\0\0", of which `got` bytes (up to 16) are there (Go's internal/trace/version). *minor is N; a version outside of what is known, a cut header
 * or other content is an error that says what the file seems to be. Versions up to 1.21 are v1, from 1.22 v2. */
stwatch_status stw_header_parse(const uint8_t *head, size_t got, unsigned *minor, stwatch_error *error);
/* The same at the beginning of an input. */
stwatch_status stw_header_read(const stw_source *source, unsigned *minor, stwatch_error *error);

#endif
