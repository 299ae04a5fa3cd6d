/* Finding GODEBUG lines in a log: whatever a log puts before them, in JSON or not, of several runs of a program. */
#include <stdlib.h>

#include "sources/godebug_scan.h"
#include "sources/godebug_torn.h"
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
	stw_torn_free(g);
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
	stw_vec_free(g->mem, &g->clocks);
}

/* ---- which run of the program ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words before a line that are the same in all lines of a process: they begin with a letter ("web_1", "app[12]:"). Times, and what has
 * very many digits, change; in what looks like a field of JSON or logfmt, digits may. */
uint64_t stw_godebug_stream(const char *text, size_t length)
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
	*r = (stw_godebug_run){.stream = stream, .last_sched = -1, .last_gc = -1, .last_number = -1};
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

static bool add_clock(stw_godebug *g, uint32_t run, stw_clock_how how, int64_t at_ns, const stw_stamp *stamp)
{
	stw_godebug_clock *c = stw_vec_push(g->mem, &g->clocks);
	if (c)
		*c = (stw_godebug_clock){run, (uint8_t)how, at_ns, *stamp};
	return c != NULL;
}

/* Of lines between two with stamps, the first is bounded closest by the one above, the last by the one below. */
bool stw_godebug_written(stw_godebug *g, uint32_t run, int64_t at_ns, const stw_godebug_at *at)
{
	if (at->stamp)
		return add_clock(g, run, STW_CLOCK_OWN, at_ns, at->stamp);
	g->written = true;
	g->written_run = run;
	g->written_ns = at_ns;
	if (!g->has_stamp || g->stamp_used)
		return true;
	g->stamp_used = true;
	return add_clock(g, run, STW_CLOCK_BEFORE, at_ns, &g->last_stamp);
}

/* A line of something else, with its stamp. */
static bool pass_stamp(stw_godebug *g, const stw_stamp *stamp)
{
	g->last_stamp = *stamp;
	g->has_stamp = true;
	g->stamp_used = false;
	if (!g->written)
		return true;
	g->written = false;
	return add_clock(g, g->written_run, STW_CLOCK_AFTER, g->written_ns, stamp);
}

/* ---- lines ---- */

static const stw_godebug_kind KINDS[] = {
	{"SCHED ", stw_godebug_sched, stw_godebug_sched_is, "ms: gomaxprocs=", true},
	{"gc ", stw_godebug_gc, stw_godebug_gc_is, "%", false},
	{"pacer: ", stw_godebug_pacer, NULL, NULL, false},
	{"init ", init_line, NULL, NULL, false},
};
enum { N_KINDS = sizeof KINDS / sizeof *KINDS };

static bool is_scavenger(const char *text)
{
	return (strstr(text, "scav ") && (strstr(text, " KiB work") || strstr(text, " MiB work"))) ||
		(strstr(text, "scvg") && (strstr(text, ": inuse: ") || strstr(text, " MB released")));
}

/* The first kind of line in a text, whole (then it has been read) or torn; *kind NULL: none. *from: its word; *stop: of a torn one, where it is torn, else
 * NULL. first: the text is a line from its beginning, which tells the stream. */
static bool next_kind(stw_godebug *g, const char *text, bool first, stw_godebug_at *at, const stw_godebug_kind **kind, const char **from,
	const char **stop)
{
	*kind = NULL;
	for (size_t k = 0; k < N_KINDS; k++)
		for (const char *s = text; (s = strstr(s, KINDS[k].word)); s += strlen(KINDS[k].word)) {
			const char *rest = s + strlen(KINDS[k].word);
			bool found = false;
			if (s > text && is_letter(s[-1]))
				continue; /* within another word */
			if (first)
				at->stream = stw_godebug_stream(text, (size_t)(s - text));
			if (!KINDS[k].read(g, rest, at, &found))
				return false;
			*from = s;
			*stop = NULL;
			if (!found && (!KINDS[k].is || KINDS[k].is(rest, stop) != STW_LINE_TORN))
				continue;
			*kind = &KINDS[k];
			return true;
		}
	return true;
}

/* A torn line may have a whole one behind where it is torn: the runtime's own, without an end of line between them. *found: set if it has any. */
static bool read_plain(stw_godebug *g, const char *text, uint64_t line, const stw_stamp *stamp, bool *found)
{
	enum { MOST_IN_ONE = 8 };
	const stw_godebug_kind *kind;
	const char *from, *stop;
	stw_godebug_at at = {line, 0, stamp};
	size_t prefix = 0;
	bool any;
	if (!stw_torn_join(g, text, &any))
		return false;
	const char *rest = any ? NULL : text;
	for (int i = 0; rest && i < MOST_IN_ONE; i++, rest = stop) {
		if (!next_kind(g, rest, i == 0, &at, &kind, &from, &stop))
			return false;
		if (!kind)
			break;
		any = true;
		prefix = i ? prefix : (size_t)(from - text);
		if (stop && !stw_torn_keep(g, kind, &at, prefix, from, stop))
			return false;
	}
	if (!any && is_scavenger(text)) {
		any = true;
		g->scavenger++;
	}
	*found |= any;
	return any || stw_godebug_detail(g, text);
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
static bool read_escaped(stw_godebug *g, const char *text, uint64_t line, const stw_stamp *stamp, bool *found)
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
		if (!read_plain(g, s, line, stamp, found))
			return false;
	}
	return true;
}

/* How much of a line stands before what the runtime printed. */
static size_t front_of(const char *text)
{
	const char *sched = strstr(text, KINDS[0].word), *gc = strstr(text, KINDS[1].word);
	const char *first = sched && (!gc || sched < gc) ? sched : gc;
	return first ? (size_t)(first - text) : strlen(text);
}

bool stw_godebug_line(stw_godebug *g, const char *text, uint64_t line)
{
	stw_stamp stamp;
	bool stamped = stw_stamp_of(text, front_of(text), &stamp), found = false;
	const stw_stamp *own = stamped ? &stamp : NULL;
	if (!(strchr(text, '\\') ? read_escaped(g, text, line, own, &found) : read_plain(g, text, line, own, &found)))
		return false;
	return found || !stamped || pass_stamp(g, &stamp);
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

static int clock_by_run(const void *x, const void *y)
{
	const stw_godebug_clock *a = x, *b = y;
	return a->run != b->run        ? (a->run < b->run ? -1 : 1)
		: a->at_ns != b->at_ns ? (a->at_ns < b->at_ns ? -1 : 1)
		: a->how != b->how     ? (a->how < b->how ? -1 : 1)
				       : (a->stamp.ns > b->stamp.ns) - (a->stamp.ns < b->stamp.ns);
}

bool stw_godebug_end(stw_godebug *g)
{
	stw_torn_end(g);
	if (!stw_godebug_details_end(g))
		return false;
	if (g->samples.count > 1)
		qsort(g->samples.items, g->samples.count, sizeof *g->samples.items, sample_by_run);
	if (g->gcs.count > 1)
		qsort(g->gcs.items, g->gcs.count, sizeof *g->gcs.items, gc_by_run);
	if (g->clocks.count > 1)
		qsort(g->clocks.items, g->clocks.count, sizeof *g->clocks.items, clock_by_run);
	return true;
}
