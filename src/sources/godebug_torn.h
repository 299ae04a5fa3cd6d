/* Kinds of lines that GODEBUG makes the runtime print, and those of them that other output has torn (godebug_torn.c). */
#ifndef STW_SOURCES_GODEBUG_TORN_H
#define STW_SOURCES_GODEBUG_TORN_H

#include "sources/godebug.h"

typedef struct stw_godebug_kind {
	const char *word; /* by which a line is known, wherever it stands in it */
	bool (*read)(stw_godebug *godebug, const char *s, const stw_godebug_at *at, bool *found);
	stw_line_is (*is)(const char *s, const char **stop); /* NULL: torn ones are not looked for */
	const char *sign; /* what a torn one must have to count as such */
	bool has_details; /* in the lines that follow */
} stw_godebug_kind;

/* A line that is as it should be from `from` (the kind's word) to `stop`, and then goes on as something else: its rest is waited for. prefix: bytes of
 * the log's own before such lines. False: out of memory. */
bool stw_torn_keep(
	stw_godebug *godebug, const stw_godebug_kind *kind, const stw_godebug_at *at, size_t prefix, const char *from, const char *stop);
/* Whether a line is the rest of the one that is waited for; then it has been read. False: out of memory. */
bool stw_torn_join(stw_godebug *godebug, const char *text, bool *joined);
/* After the last line. */
void stw_torn_end(stw_godebug *godebug);
void stw_torn_free(stw_godebug *godebug);

#endif
