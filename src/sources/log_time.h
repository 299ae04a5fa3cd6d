/* The time that stands before, or in a field of, a line of a log: whatever loggers, collectors and prefixers write there. */
#ifndef STW_SOURCES_LOG_TIME_H
#define STW_SOURCES_LOG_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a stamp doesn't say. */
enum {
	STW_STAMP_NO_ZONE = 1, /* it is of the time of day somewhere */
	STW_STAMP_NO_YEAR = 2, /* ns is of the year 2000 */
	STW_STAMP_NO_DATE = 4, /* ns is since midnight */
};

typedef struct stw_stamp {
	int64_t ns; /* since 1970, UTC as far as it says; the first instant that is written so */
	int64_t unit; /* of how many ns: a second for "08:01:20", a millisecond for "08:01:20.123" */
	uint8_t lacks;
} stw_stamp;

/* The stamp of a line whose message begins at length bytes (of one without the runtime's own output: its length); false: it has none that is known.
 * Known are, within the first 128 bytes and behind three words at most: RFC 3339 and ISO 8601 with or without a zone ("2026-11-29T08:01:20.123Z", "2026-11-29 08:01:20,123 +0100"); Go's
 * log ("2026/11/29 08:01:20.123456"); syslog, journald, ts ("Nov 29 08:01:20"); klog ("I1129 08:01:20.123456"); access logs
 * ("29/Nov/2026:08:01:20 +0100"); seconds since 1970; a time of day alone. And wherever they stand, fields named time, ts, timestamp, @timestamp, t or
 * __REALTIME_TIMESTAMP in JSON or logfmt, with such a text or a number since 1970 (in s, ms, us or ns, by its size). Of several, one with a zone
 * counts before one without. */
bool stw_stamp_of(const char *line, size_t length, stw_stamp *out);

/* The instant since 1970 (UTC) that a stamp means if it is one near `near`, in a zone so many ns ahead of UTC: it gets the year or the day that brings it nearest. */
int64_t stw_stamp_near(const stw_stamp *stamp, int64_t near, int64_t zone_ns);

#endif
