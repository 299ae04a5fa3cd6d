/* Finding GODEBUG lines in a log: whatever a log puts before them, in JSON or not, of several runs of a program. */
#include <stdlib.h>

#include "sources/godebug.h"
#include "sources/godebug_scan.h"
#include "sources/lines.h"

enum { NAME_MAX_LENGTH = 1024, RUNS_LOOKED_AT = 64, MOST_RUNS_APART = 1024, MOST_PREFIX = 512 };
/* So long after other lines of one run no package of it is initialised any more. */
static const int64_t LATEST_INIT = 60000000000;
/* Collections that may be missing in a log between two lines of one run. */
static const int64_t MOST_MISSING = 1000;

void stw_godebug_init(stw_godebug *g, const stw_companion *companion)
{
	*g = (stw_godebug){.companion = companion, .mem = companion->mem};
	stw_intern_init(&g->names, g->mem);
}

void stw_godebug_free(stw_godebug *g)
{
	stw_intern_free(&g->names);
	stw_mem_free(g->mem, g->plain, g->plain ? STW_LINE_MAX + 1 : 0);
	stw_vec_free(g->mem, &g->samples);
	stw_vec_free(g->mem, &g->ps);
	stw_vec_free(g->mem, &g->reading);
	stw_vec_free(g->mem, &g->reasons);
	stw_vec_free(g->mem, &g->reading_reasons);
	stw_vec_free(g->mem, &g->stays);
	stw_vec_free(g->mem, &g->open);
	stw_vec_free(g->mem, &g->gcs);
	stw_vec_free(g->mem, &g->inits);
	stw_vec_free(g->mem, &g->runs);
}

/* ---- which run of the program ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words before a line that are the same in all lines of a process: they begin with a letter ("web_1", "app[12]:"). Times, and what has
 * very many digits, change; in what looks like a field of JSON or logfmt, digits may. */
static uint64_t stream_of(const char *text, size_t length)
{
	uint64_t h = 0xcbf29ce484222325u;
	length = length < MOST_PREFIX ? length : MOST_PREFIX;
	for (size_t at = 0, end; at < length; at = end) {
		size_t letter = 0, digits = 0;
		bool field = false;
		for (end = at; end < length && text[end] != ' ' && text[end] != '\t'; end++) {
			digits += text[end] >= '0' && text[end] <= '9';
			field |= text[end] == '"' || text[end] == '=';
			letter += letter == 0 && is_letter(text[end]) ? 1 + digits : 0;
		}
		for (size_t i = at; i < end && letter == 1 && digits < 8; i++)
			if (!field || text[i] < '0' || text[i] > '9')
				h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
		end += end < length;
	}
	return h;
}

static bool fits_sched(const stw_godebug_run *r, int64_t at)
{
	/* the first sample is taken as the program starts, so that one at 0 goes with no earlier collections */
	return r->last_sched < 0 ? r->last_gc <= at + 1000000000 : r->last_sched <= at;
}

static bool fits_gc(const stw_godebug_run *r, int64_t at, int64_t number, int64_t most_missing)
{
	if (r->last_number < 0)
		return number == 1 || r->last_sched >= 0;
	return r->last_number < number && number - r->last_number <= most_missing && r->last_gc <= at;
}

static uint32_t new_run(stw_godebug *g, uint64_t stream)
{
	stw_godebug_run *r = stw_vec_push(g->mem, &g->runs);
	if (!r)
		return UINT32_MAX;
	*r = (stw_godebug_run){.stream = stream, .last_sched = -1, .last_gc = -1, .last_number = -1, .wall_ns = INT64_MAX};
	return (uint32_t)g->runs.count - 1;
}

/* The latest run that the line may go on with. */
static uint32_t find_run(const stw_godebug *g, uint64_t stream, int64_t at, int64_t number, int64_t most_missing)
{
	const size_t n = g->runs.count;
	for (size_t i = n, tried = 0; i-- > 0 && tried < RUNS_LOOKED_AT && n - i < MOST_RUNS_APART;) {
		const stw_godebug_run *r = &g->runs.items[i];
		if (r->stream != stream)
			continue;
		tried++;
		if (number < 0 ? fits_sched(r, at) : fits_gc(r, at, number, most_missing))
			return (uint32_t)i;
	}
	return UINT32_MAX;
}

uint32_t stw_godebug_run_of(stw_godebug *g, const stw_godebug_at *where, int64_t at, int64_t number)
{
	uint32_t run = find_run(g, where->stream, at, number, 1);
	if (run == UINT32_MAX && number > 1)
		run = find_run(g, where->stream, at, number, MOST_MISSING);
	if (run == UINT32_MAX)
		run = new_run(g, where->stream);
	if (run == UINT32_MAX)
		return run;
	stw_godebug_run *r = &g->runs.items[run];
	if (number < 0)
		r->last_sched = at;
	else
		r->last_gc = at, r->last_number = number;
	if (where->wall_ns != INT64_MIN && where->wall_ns - at < r->wall_ns)
		r->wall_ns = where->wall_ns - at;
	return run;
}

/* ---- inittrace ---- */

/* "init internal/bytealg @0.008 ms, 0 ms clock, 0 bytes, 0 allocs" */
static bool init_line(stw_godebug *g, const char *s, const stw_godebug_at *where, bool *found)
{
	stw_init_line init = {.line = where->line};
	const char *at = s + strcspn(s, " "), *rest = stw_expect(at, " @");
	if (!rest || at == s || at - s > NAME_MAX_LENGTH)
		return true;
	rest = stw_expect(stw_read_time(rest, 1000000, &init.at_ns), " ms, ");
	rest = stw_expect(stw_read_time(rest, 1000000, &init.clock_ns), " ms clock, ");
	rest = stw_expect(stw_read_count(rest, &init.bytes), " bytes, ");
	rest = stw_expect(stw_read_count(rest, &init.allocations), " allocs");
	if (!rest)
		return true;
	*found = true;
	const stw_godebug_run *last = g->runs.count ? &g->runs.items[g->runs.count - 1] : NULL;
	if ((!last || last->last_sched > init.at_ns + LATEST_INIT || last->last_gc > init.at_ns + LATEST_INIT) &&
		new_run(g, where->stream) == UINT32_MAX)
		return false;
	init.run = (uint32_t)g->runs.count - 1;
	init.package = stw_intern_put(&g->names, s, (size_t)(at - s));
	stw_init_line *slot = init.package == UINT32_MAX ? NULL : stw_vec_push(g->mem, &g->inits);
	if (slot)
		*slot = init;
	return slot != NULL;
}

/* ---- wall times ---- */

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

/* Days from 1970 to a date of the Gregorian calendar. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t leap = y - (m <= 2);
	return (y - 1970) * 365 + (leap / 4 - leap / 100 + leap / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400) + before[m - 1] + d - 1;
}

/* "2026-11-29T08:01:20.123Z", "2026-11-29 08:01:20,123456+01:00": only with a part of a second and the zone it is exact enough to be
 * of use. INT64_MIN: it is not one. */
static int64_t read_wall(const char *s)
{
	int64_t y, mo, d, h, mi, sec, ns = 0, scale = 1000000000, zone_h = 0, zone_m = 0;
	s = stw_expect(read_digits(s, 4, &y), "-");
	s = stw_expect(read_digits(s, 2, &mo), "-");
	s = read_digits(s, 2, &d);
	if (!s || (*s != 'T' && *s != ' ') || y < 1970 || y > 2200 || mo < 1 || mo > 12 || d < 1 || d > 31)
		return INT64_MIN;
	s = stw_expect(read_digits(s + 1, 2, &h), ":");
	s = stw_expect(read_digits(s, 2, &mi), ":");
	s = read_digits(s, 2, &sec);
	if (!s || (*s != '.' && *s != ',') || h > 24 || mi > 59 || sec > 60)
		return INT64_MIN;
	for (s++; *s >= '0' && *s <= '9' && scale > 1; s++) {
		scale /= 10;
		ns += scale * (*s - '0');
	}
	if (scale > 1000000) /* not even milliseconds */
		return INT64_MIN;
	s += *s == ' ';
	int sign = *s == '+' ? -1 : *s == '-' ? 1 : 0;
	if (sign) {
		s = read_digits(s + 1, 2, &zone_h);
		s = s ? read_digits(s + (*s == ':'), 2, &zone_m) : NULL;
	}
	if (!s || (!sign && *s != 'Z'))
		return INT64_MIN;
	return ((days_of(y, mo, d) * 24 + h + sign * zone_h) * 3600 + (mi + sign * zone_m) * 60 + sec) * 1000000000 + ns;
}

/* The first one of a line, before or behind what the runtime printed. */
static int64_t wall_of(const char *text)
{
	for (const char *s = text; (s = strchr(s, '-')) != NULL; s++)
		if (s - text >= 4) {
			int64_t wall = read_wall(s - 4);
			if (wall != INT64_MIN)
				return wall;
		}
	return INT64_MIN;
}

/* ---- lines ---- */

typedef bool (*reader)(stw_godebug *g, const char *s, const stw_godebug_at *at, bool *found);

/* By what a line is known, wherever it stands in it. */
static const struct {
	const char *word;
	reader read;
} KINDS[] = {
	{"SCHED ", stw_godebug_sched},
	{"gc ", stw_godebug_gc},
	{"pacer: ", stw_godebug_pacer},
	{"init ", init_line},
};

static bool is_scavenger(const char *text)
{
	return (strstr(text, "scav ") && (strstr(text, " KiB work") || strstr(text, " MiB work"))) ||
		(strstr(text, "scvg") && (strstr(text, ": inuse: ") || strstr(text, " MB released")));
}

static bool read_plain(stw_godebug *g, const char *text, uint64_t line, int64_t wall)
{
	bool found = false;
	for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS && !found; k++)
		for (const char *s = text; !found && (s = strstr(s, KINDS[k].word)); s += strlen(KINDS[k].word)) {
			if (s > text && is_letter(s[-1]))
				continue; /* within another word */
			const stw_godebug_at at = {line, stream_of(text, (size_t)(s - text)), wall};
			if (!KINDS[k].read(g, s + strlen(KINDS[k].word), &at, &found))
				return false;
		}
	if (found)
		return true;
	if (is_scavenger(text)) {
		g->scavenger++;
		return true;
	}
	return stw_godebug_detail(g, text);
}

/* "\u003e" to ">", "\n" to a new line: what JSON makes of a text. Other characters than ASCII don't matter here. */
static void unescape(char *to, const char *s)
{
	static const char FROM[] = "ntr\"\\/", TO[] = "\nt\r\"\\/";
	while (*s) {
		const char *known = *s == '\\' && s[1] ? strchr(FROM, s[1]) : NULL;
		if (known) {
			*to++ = TO[known - FROM] == 't' ? '\t' : TO[known - FROM];
			s += 2;
		} else if (*s == '\\' && s[1] == 'u' && strspn(s + 2, "0123456789abcdefABCDEF") >= 4) {
			const char digits[] = {s[2], s[3], s[4], s[5], '\0'};
			unsigned long c = strtoul(digits, NULL, 16);
			*to++ = c > 0 && c < 0x80 ? (char)c : '?';
			s += 6;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* One line of the text may hold several that a program printed. */
static bool read_escaped(stw_godebug *g, const char *text, uint64_t line, int64_t wall)
{
	if (strlen(text) > STW_LINE_MAX)
		return true;
	if (!g->plain && !(g->plain = stw_mem_zalloc(g->mem, STW_LINE_MAX + 1)))
		return false;
	unescape(g->plain, text);
	for (char *s = g->plain, *end; s; s = end) {
		end = strchr(s, '\n');
		if (end)
			*end++ = '\0';
		if (!read_plain(g, s, line, wall))
			return false;
	}
	return true;
}

bool stw_godebug_line(stw_godebug *g, const char *text, uint64_t line)
{
	int64_t wall = wall_of(text);
	return strchr(text, '\\') ? read_escaped(g, text, line, wall) : read_plain(g, text, line, wall);
}

static int sample_by_run(const void *x, const void *y)
{
	const stw_sched_sample *a = x, *b = y;
	return a->run != b->run        ? (a->run < b->run ? -1 : 1)
		: a->at_ns != b->at_ns ? (a->at_ns < b->at_ns ? -1 : 1)
				       : (a->line > b->line) - (a->line < b->line);
}

static int gc_by_run(const void *x, const void *y)
{
	const stw_gc_line *a = x, *b = y;
	return a->run != b->run ? (a->run < b->run ? -1 : 1) : (a->number > b->number) - (a->number < b->number);
}

bool stw_godebug_end(stw_godebug *g)
{
	if (!stw_godebug_sched_end(g))
		return false;
	if (g->samples.count > 1)
		qsort(g->samples.items, g->samples.count, sizeof *g->samples.items, sample_by_run);
	if (g->gcs.count > 1)
		qsort(g->gcs.items, g->gcs.count, sizeof *g->gcs.items, gc_by_run);
	return true;
}
