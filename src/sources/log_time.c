#include "sources/log_time.h"

#include <string.h>

#include "sources/godebug_scan.h"

enum { FURTHEST = 128, MOST_WORDS = 3 }; /* bytes of a line in which its stamp begins, and words before it */
static const int64_t SECOND = 1000000000, DAY = 86400 * (int64_t)1000000000;

/* ---- the calendar ---- */

/* Days from 1970 to a date of the Gregorian calendar; m from 1. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t leap = y - (m <= 2);
	return (y - 1970) * 365 + (leap / 4 - leap / 100 + leap / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400) + before[m - 1] + d - 1;
}

static int64_t year_of(int64_t days)
{
	int64_t y = 1970 + days / 366;
	while (days_of(y + 1, 1, 1) <= days)
		y++;
	return y;
}

/* ---- pieces of a stamp: each step gives what follows, or NULL ---- */

static const char *read_digits(const char *s, int n, int64_t *out)
{
	*out = 0;
	for (; s && n > 0; n--, s++) {
		if (*s < '0' || *s > '9')
			return NULL;
		*out = *out * 10 + (*s - '0');
	}
	return s;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ".123", ",123456" or nothing; more than nine digits are passed over. */
static const char *read_fraction(const char *s, stw_stamp *t)
{
	t->unit = SECOND;
	if (!s || (*s != '.' && *s != ',') || !is_digit(s[1]))
		return s;
	for (s++; is_digit(*s); s++)
		if (t->unit > 1) {
			t->unit /= 10;
			t->ns += t->unit * (*s - '0');
		}
	return s;
}

/* "08:01:20.123", added to ns. */
static const char *read_clock(const char *s, stw_stamp *t)
{
	int64_t h, m, sec;
	s = stw_expect(read_digits(s, 2, &h), ":");
	s = stw_expect(read_digits(s, 2, &m), ":");
	s = read_digits(s, 2, &sec);
	if (!s || h > 23 || m > 59 || sec > 60)
		return NULL;
	t->ns += ((h * 60 + m) * 60 + sec) * SECOND;
	s = read_fraction(s, t);
	return is_digit(*s) || *s == ':' ? NULL : s;
}

/* "Z", " +0100", "+01:00", " UTC", " GMT", or nothing. */
static const char *read_zone(const char *s, stw_stamp *t)
{
	const char *from = s + (*s == ' ');
	int64_t h, m = 0;
	t->lacks |= STW_STAMP_NO_ZONE;
	if (*s == 'Z' && !is_letter(s[1]) && !is_digit(s[1])) {
		t->lacks &= (uint8_t)~STW_STAMP_NO_ZONE;
		return s + 1;
	}
	if ((stw_expect(from, "UTC") || stw_expect(from, "GMT")) && !is_letter(from[3]) && !is_digit(from[3]) && from[3] != '+' &&
		from[3] != '-') {
		t->lacks &= (uint8_t)~STW_STAMP_NO_ZONE;
		return from + 3;
	}
	if (*from != '+' && *from != '-')
		return s;
	const char *end = read_digits(from + 1, 2, &h);
	const char *minutes = end ? read_digits(end + (*end == ':'), 2, &m) : NULL;
	end = minutes ? minutes : end;
	if (!end || is_digit(*end) || is_letter(*end) || h > 14 || m > 59 || (!minutes && from > s))
		return s;
	t->ns -= (*from == '-' ? -1 : 1) * (h * 60 + m) * 60 * SECOND;
	t->lacks &= (uint8_t)~STW_STAMP_NO_ZONE;
	return end;
}

static bool set_date(stw_stamp *t, int64_t y, int64_t m, int64_t d)
{
	if (y < 1990 || y > 2200 || m < 1 || m > 12 || d < 1 || d > 31)
		return false;
	*t = (stw_stamp){.ns = days_of(y, m, d) * DAY};
	return true;
}

/* ---- whole stamps: false, or what is there ---- */

/* "2026-11-29T08:01:20.123Z", "2026/11/29 08:01:20" */
static bool read_numbers(const char *s, stw_stamp *t)
{
	int64_t y, m, d;
	s = read_digits(s, 4, &y);
	if (!s || (*s != '-' && *s != '/'))
		return false;
	char between = *s;
	s = read_digits(s + 1, 2, &m);
	if (!s || *s != between)
		return false;
	s = read_digits(s + 1, 2, &d);
	if (!s || (*s != 'T' && *s != ' ') || !set_date(t, y, m, d))
		return false;
	s = read_clock(s + 1, t);
	return s && read_zone(s, t);
}

static int64_t read_month(const char *s)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (int64_t i = 0; i < 12; i++)
		if (strncmp(s, names + 3 * i, 3) == 0)
			return i + 1;
	return 0;
}

/* "Nov 29 08:01:20", "Nov  9 08:01:20.123" */
static bool read_words(const char *s, stw_stamp *t)
{
	int64_t m = read_month(s), d;
	if (!m || s[3] != ' ')
		return false;
	s = s[4] == ' ' ? read_digits(s + 5, 1, &d) : read_digits(s + 4, 2, &d);
	if (!s || *s != ' ' || !set_date(t, 2000, m, d))
		return false;
	s = read_clock(s + 1, t);
	if (!s)
		return false;
	t->lacks = STW_STAMP_NO_ZONE | STW_STAMP_NO_YEAR;
	return true;
}

/* "I1129 08:01:20.123456" */
static bool read_klog(const char *s, stw_stamp *t)
{
	int64_t m, d;
	if (*s != 'I' && *s != 'W' && *s != 'E' && *s != 'F')
		return false;
	s = read_digits(read_digits(s + 1, 2, &m), 2, &d);
	if (!s || *s != ' ' || !set_date(t, 2000, m, d) || !read_clock(s + 1, t))
		return false;
	t->lacks = STW_STAMP_NO_ZONE | STW_STAMP_NO_YEAR;
	return t->unit < SECOND;
}

/* "29/Nov/2026:08:01:20 +0100" */
static bool read_access(const char *s, stw_stamp *t)
{
	int64_t d, y;
	s = stw_expect(read_digits(s, 2, &d), "/");
	int64_t m = s ? read_month(s) : 0;
	s = m ? stw_expect(read_digits(stw_expect(s + 3, "/"), 4, &y), ":") : NULL;
	if (!s || !set_date(t, y, m, d) || !(s = read_clock(s, t)))
		return false;
	return read_zone(s, t) && !(t->lacks & STW_STAMP_NO_ZONE);
}

/* Since 1970, in a unit that follows from the size: these years are 1990 to 2200. */
static bool read_epoch(const char *s, stw_stamp *t)
{
	uint64_t n;
	const char *end = stw_read_count(s, &n);
	if (!end)
		return false;
	*t = (stw_stamp){.unit = 1};
	for (int64_t unit = SECOND; unit >= 1; unit /= 1000) {
		uint64_t per = (uint64_t)(SECOND / unit);
		if (n / per < 631152000 || n / per > 7258118400)
			continue;
		t->ns = (int64_t)n * unit;
		t->unit = unit;
		if (unit == SECOND)
			end = read_fraction(end, t);
		return !is_digit(*end) && !is_letter(*end);
	}
	return false;
}

/* "08:01:20.123" */
static bool read_day_time(const char *s, stw_stamp *t)
{
	*t = (stw_stamp){.lacks = STW_STAMP_NO_ZONE | STW_STAMP_NO_DATE};
	return read_clock(s, t) != NULL;
}

/* ---- where it stands ---- */

static bool is_better(const stw_stamp *a, const stw_stamp *b)
{
	return (a->lacks & STW_STAMP_NO_ZONE) != (b->lacks & STW_STAMP_NO_ZONE) ? !(a->lacks & STW_STAMP_NO_ZONE) : a->unit < b->unit;
}

/* Within the first bytes, at the beginning of a word. */
static bool in_front(const char *line, size_t length, stw_stamp *out)
{
	static bool (*const kinds[])(const char *, stw_stamp *) = {read_numbers, read_words, read_klog, read_access};
	stw_stamp t;
	int words = 0;
	for (size_t at = 0; at < length && at < FURTHEST && words <= MOST_WORDS; at++) {
		char before = at ? line[at - 1] : ' ';
		words += before != ' ' && line[at] == ' ';
		if (!strchr(" \t[(|>\"'", before))
			continue;
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
			if (kinds[k](line + at, &t)) {
				*out = t;
				return true;
			}
		/* those that could be anything else only at the very beginning: `ts %.s`, journald's short-unix; a time of day */
		if ((at == 0 && read_epoch(line, &t) && t.unit < SECOND) || (words == 0 && read_day_time(line + at, &t))) {
			*out = t;
			return true;
		}
	}
	return false;
}

static bool read_value(const char *s, stw_stamp *t)
{
	bool quoted = *s == '"';
	s += quoted;
	return read_numbers(s, t) || read_epoch(s, t);
}

/* "time":"…", "ts":1795939280.12, time=… */
static bool in_field(const char *line, stw_stamp *out)
{
	static const char *const names[] = {"time", "ts", "timestamp", "@timestamp", "t", "__REALTIME_TIMESTAMP"};
	bool found = false;
	stw_stamp t;
	for (const char *s = line; (s = strpbrk(s, ":=")) != NULL; s++) {
		const char *end = s - (s > line && s[-1] == '"');
		bool json = *s == ':';
		if (json && (end == s || end == line))
			continue;
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			size_t n = strlen(names[i]);
			if ((size_t)(end - line) < n || strncmp(end - n, names[i], n) != 0)
				continue;
			char before = end - n > line ? end[-(ptrdiff_t)n - 1] : ' ';
			if (json ? before != '"' : before != ' ' && before != '\t')
				continue;
			if (read_value(s + 1 + (json ? strspn(s + 1, " ") : 0), &t) && (!found || is_better(&t, out))) {
				*out = t;
				found = true;
			}
		}
	}
	return found;
}

bool stw_stamp_of(const char *line, size_t length, stw_stamp *out)
{
	stw_stamp field = {0};
	bool front = in_front(line, length, out);
	if (!in_field(line, &field) || (front && !is_better(&field, out)))
		return front;
	*out = field;
	return true;
}

int64_t stw_stamp_near(const stw_stamp *t, int64_t near, int64_t zone_ns)
{
	int64_t at = t->ns - (t->lacks & STW_STAMP_NO_ZONE ? zone_ns : 0);
	if (t->lacks & STW_STAMP_NO_DATE) {
		int64_t days = (near - at) / DAY;
		at += days * DAY;
		return near - at > DAY / 2 ? at + DAY : at - near > DAY / 2 ? at - DAY : at;
	}
	if (!(t->lacks & STW_STAMP_NO_YEAR))
		return at;
	int64_t days = t->ns / DAY - days_of(2000, 1, 1), rest = at - t->ns + t->ns % DAY, best = INT64_MAX; /* days: within 2000 */
	int64_t m = 1, y = year_of(near / DAY);
	while (m < 12 && days_of(2000, m + 1, 1) - days_of(2000, 1, 1) <= days)
		m++;
	int64_t d = days - (days_of(2000, m, 1) - days_of(2000, 1, 1)) + 1;
	for (int64_t i = y - 1; i <= y + 1; i++) {
		int64_t then = days_of(i, m, d) * DAY + rest, off = then > near ? then - near : near - then;
		if (best == INT64_MAX || off < (best > near ? best - near : near - best))
			best = then;
	}
	return best;
}
