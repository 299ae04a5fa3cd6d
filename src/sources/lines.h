/* A text input line by line, in bounded memory: for readers of dumps and logs. */
#ifndef STW_SOURCES_LINES_H
#define STW_SOURCES_LINES_H

#include "wire/source.h"

enum { STW_LINE_MAX = 16 << 10 }; /* bytes of a line that are kept; the rest of a longer one is skipped */

typedef struct stw_line {
	const char *text; /* without its end (\n or \r\n), NUL-terminated; valid until the next call */
	size_t length;
	uint64_t number; /* from 1 */
	uint64_t offset; /* of its first byte */
} stw_line;

typedef struct stw_lines {
	const stw_source *source;
	const volatile int *cancel;
	uint64_t offset; /* of what is read next */
	uint64_t number;
	size_t at, filled; /* within the buffer */
	char line[STW_LINE_MAX + 1];
	char buffer[64 << 10];
} stw_lines;

/* The source must stay open; cancel may be NULL. Large: keep it on the heap or in a function that calls nothing deep. */
void stw_lines_init(stw_lines *lines, const stw_source *source, const volatile int *cancel);
/* STWATCH_OK with the next line, STWATCH_END after the last; _IO, _CANCELLED. A last line without an end counts, an empty rest doesn't. */
stwatch_status stw_lines_next(stw_lines *lines, stw_line *line, stwatch_error *error);

#endif
