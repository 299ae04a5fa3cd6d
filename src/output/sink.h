/* A buffer before the caller's sink: printers write bytes here in small pieces. A sink that says stop is remembered and not asked
 * again, so printers need not check each write: they ask once, at the end. */
#ifndef STW_OUTPUT_SINK_H
#define STW_OUTPUT_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "stwatch/events.h"

typedef struct stw_sink {
	stwatch_sink_fn write;
	void *user;
	bool failed;
	size_t used;
	char buffer[8192];
} stw_sink;

void stw_sink_init(stw_sink *sink, stwatch_sink_fn write, void *user);
void stw_sink_put(stw_sink *sink, const char *data, size_t length);
/* Hands over what is buffered. STWATCH_ERR_IO if the sink stopped, now or before. */
stwatch_status stw_sink_flush(stw_sink *sink);

/* One decoded character of a string that may hold anything. */
typedef struct stw_utf8 {
	size_t length; /* bytes taken, at least 1 */
	bool valid;
} stw_utf8;

/* Looks at the first character of a non-empty text: its length, and whether it is well-formed UTF-8 (RFC 3629). */
stw_utf8 stw_utf8_next(const char *text, size_t length);

#endif
