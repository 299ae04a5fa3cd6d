/* Reading a line from left to right: each step gives what follows, or NULL once the line doesn't go on as it should. Times and numbers are bounded so
 * that sums of some of them don't overflow. */
#ifndef STW_SOURCES_GODEBUG_SCAN_H
#define STW_SOURCES_GODEBUG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline const char *stw_expect(const char *s, const char *text)
{
	size_t n = strlen(text);
	return s && strncmp(s, text, n) == 0 ? s + n : NULL;
}

static inline const char *stw_optional(const char *s, const char *text)
{
	const char *after = stw_expect(s, text);
	return after ? after : s;
}

/* A number of at most 18 digits. */
static inline const char *stw_read_count(const char *s, uint64_t *out)
{
	const char *from = s;
	*out = 0;
	if (!s)
		return NULL;
	for (; *s >= '0' && *s <= '9' && s - from < 19; s++)
		*out = *out * 10 + (uint64_t)(*s - '0');
	return s > from && s - from <= 18 ? s : NULL;
}

/* "0.042" in units of `unit` ns. */
static inline const char *stw_read_time(const char *s, int64_t unit, int64_t *ns)
{
	uint64_t whole;
	s = stw_read_count(s, &whole);
	if (!s || whole > (uint64_t)(INT64_MAX / unit / 4))
		return NULL;
	*ns = (int64_t)whole * unit;
	if (*s != '.')
		return s;
	for (s++; *s >= '0' && *s <= '9'; s++) {
		unit /= 10;
		*ns += unit * (*s - '0');
	}
	return s;
}

/* The same with how far it went: at is where what comes next is not as it should be. */
typedef struct stw_reading {
	const char *at;
	bool ok;
} stw_reading;

static inline bool stw_reading_text(stw_reading *scan, const char *text)
{
	const char *after = scan->ok ? stw_expect(scan->at, text) : NULL;
	scan->ok = after != NULL;
	scan->at = after ? after : scan->at;
	return scan->ok;
}

/* Goes on behind the text if it is there. */
static inline bool stw_reading_optional(stw_reading *scan, const char *text)
{
	const char *after = scan->ok ? stw_expect(scan->at, text) : NULL;
	scan->at = after ? after : scan->at;
	return after != NULL;
}

static inline bool stw_reading_count(stw_reading *scan, uint64_t *out)
{
	*out = 0;
	const char *after = scan->ok ? stw_read_count(scan->at, out) : NULL;
	scan->ok = after != NULL;
	scan->at = after ? after : scan->at;
	return scan->ok;
}

static inline bool stw_reading_time(stw_reading *scan, int64_t unit, int64_t *ns)
{
	*ns = 0;
	const char *after = scan->ok ? stw_read_time(scan->at, unit, ns) : NULL;
	scan->ok = after != NULL;
	scan->at = after ? after : scan->at;
	return scan->ok;
}

/* A floating-point number as the runtime prints it, "+5.251083e-001" or (since Go 1.26) "0.19", in thousandths. */
static inline const char *stw_read_thousandths(const char *s, int64_t *out)
{
	bool minus = s && *s == '-';
	int64_t digits = 0, scale = 3, exponent = 0;
	*out = 0;
	if (!s || !(s += minus || *s == '+') || *s < '0' || *s > '9')
		return NULL;
	for (bool point = false; (*s >= '0' && *s <= '9') || (*s == '.' && !point); s++) {
		if (*s == '.') {
			point = true;
		} else if (digits < INT64_MAX / 100) {
			digits = digits * 10 + (*s - '0');
			scale -= point;
		} else {
			scale += !point;
		}
	}
	if (*s == 'e') {
		bool down = s[1] == '-';
		uint64_t n;
		s = stw_read_count(s + 1 + (down || s[1] == '+'), &n);
		if (!s || n > 400)
			return NULL;
		exponent = down ? -(int64_t)n : (int64_t)n;
	}
	for (scale += exponent; scale > 0 && digits < INT64_MAX / 10; scale--)
		digits *= 10;
	for (; scale < 0 && digits; scale++)
		digits /= 10;
	*out = minus ? -digits : digits;
	return s;
}

/* The number behind " key="; -1 for nil, 1 and 0 for true and false. False if it isn't there, or something stands at its end that was never written so. */
static inline bool stw_read_key(const char *s, const char *name, int64_t *out)
{
	uint64_t n;
	s = strstr(s, name);
	if (!s)
		return false;
	s += strlen(name);
	if (stw_expect(s, "nil") || stw_expect(s, "-1"))
		*out = -1;
	else if (stw_expect(s, "true") || stw_expect(s, "false"))
		*out = *s == 't';
	else if ((s = stw_read_count(s, &n)) != NULL && (*s == '\0' || strchr(" (\"\\", *s)))
		*out = (int64_t)n;
	else
		return false;
	return true;
}

static inline uint32_t stw_small(int64_t n)
{
	return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

#endif
