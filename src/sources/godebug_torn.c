/* Lines that other output has torn. The runtime writes a line in many pieces (each word and each number by itself), so that what the program or another
 * process writes meanwhile stands in the middle of it, mostly up to an end of line, and the rest comes lines later:
 *     SCHED 10ms: gomaxprocs=2 idleprocs=2026/11/29 08:01:20 hello
 *     1 threads=5 spinningthreads=0 …
 * The two are put together where that can be done in just one way, whole and with nothing left; else the line is passed over. */
#include "sources/godebug_torn.h"

#include "sources/godebug_scan.h"

enum { MOST_LINES = 16, HEAD_MAX = 4096, JOINED_MAX = 8192, AFTER_MAX = 24 };

/* The beginning of a line whose rest has not come yet. */
struct stw_torn {
	bool waits;
	const stw_godebug_kind *kind;
	uint64_t line, stream;
	size_t prefix; /* bytes of the log's own before it */
	unsigned lines; /* that have passed by since */
	size_t length; /* of head */
	char head[HEAD_MAX + 1]; /* from the kind's word on, as far as it is as it should be */
	char after[AFTER_MAX]; /* what stands behind it */
	char joined[JOINED_MAX + 1];
};

void stw_torn_free(stw_godebug *g)
{
	stw_mem_free(g->mem, g->tear, g->tear ? sizeof *g->tear : 0);
}

/* It is not one of many lines that begin with the same word by chance. */
static bool is_one(const stw_torn *t)
{
	return strstr(t->head, t->kind->sign) != NULL;
}

static void give_up(stw_godebug *g)
{
	if (g->tear && g->tear->waits) {
		g->torn += is_one(g->tear);
		g->tear->waits = false;
	}
}

void stw_torn_end(stw_godebug *g)
{
	give_up(g);
}

bool stw_torn_keep(
	stw_godebug *g, const stw_godebug_kind *kind, const stw_godebug_at *at, size_t prefix, const char *from, const char *stop)
{
	size_t length = (size_t)(stop - from), rest = strlen(stop);
	give_up(g);
	if (!g->tear && !(g->tear = stw_mem_zalloc(g->mem, sizeof *g->tear)))
		return false;
	if (length > HEAD_MAX) {
		g->torn++;
		return true;
	}
	stw_torn *t = g->tear;
	t->waits = true;
	t->kind = kind;
	t->line = at->line;
	t->stream = at->stream;
	t->prefix = prefix;
	t->lines = 0;
	t->length = length;
	memcpy(t->head, from, length);
	t->head[length] = '\0';
	memset(t->after, 0, sizeof t->after);
	memcpy(t->after, stop, rest < AFTER_MAX ? rest : AFTER_MAX - 1);
	/* details that follow are of this sample, not of the one before */
	return !kind->has_details || !is_one(t) || stw_godebug_sample_over(g);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_pair(const char *s, char before)
{
	return s[0] == before && is_digit(s[1]) && is_digit(s[2]);
}

/* How many of the digits at the head's end belong to what was written in between: four to a date, two to a time, none to a word. -1: that can't be told. */
static int foreign_digits(const stw_torn *t)
{
	const char *s = t->after;
	if ((is_pair(s, '-') && is_pair(s + 3, '-')) || (is_pair(s, '/') && is_pair(s + 3, '/')))
		return 4;
	if (is_pair(s, ':') && is_pair(s + 3, ':'))
		return 2;
	return (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s && strchr("[{(<\"'", *s)) ? 0 : -1;
}

/* The head less its last n bytes, and then the rest; NULL: too long. */
static const char *join(stw_torn *t, size_t less, const char *rest)
{
	size_t head = t->length - less, n = strlen(rest);
	if (head + n > JOINED_MAX)
		return NULL;
	memcpy(t->joined, t->head, head);
	memcpy(t->joined + head, rest, n + 1);
	return t->joined;
}

/* No number is written in two pieces, and what is joined must be whole. */
static bool fits(stw_torn *t, size_t less, const char *rest)
{
	size_t head = t->length - less;
	if (head == 0 || (is_digit(t->head[head - 1]) && is_digit(*rest)))
		return false;
	const char *joined = join(t, less, rest), *stop;
	return joined && t->kind->is(joined + strlen(t->kind->word), &stop) == STW_LINE_WHOLE;
}

bool stw_torn_join(stw_godebug *g, const char *text, bool *joined)
{
	stw_torn *t = g->tear;
	*joined = false;
	if (!t || !t->waits)
		return true;
	if (++t->lines > MOST_LINES) {
		give_up(g);
		return true;
	}
	size_t digits = 0, ways = 0, way = 0;
	if (strlen(text) <= t->prefix || stw_godebug_stream(text, t->prefix) != t->stream)
		return true;
	while (digits < t->length && is_digit(t->head[t->length - 1 - digits]))
		digits++;
	for (size_t less = 0; less <= digits && less <= 20; less++)
		if (fits(t, less, text + t->prefix)) {
			ways++;
			way = less;
		}
	int foreign = ways > 1 ? foreign_digits(t) : 0;
	if (ways == 0 || foreign < 0)
		return true;
	if (ways > 1 && !fits(t, way = (size_t)foreign, text + t->prefix))
		return true;
	const stw_godebug_at at = {t->line, t->stream, NULL};
	t->waits = false;
	g->joined++;
	return t->kind->read(g, join(t, way, text + t->prefix) + strlen(t->kind->word), &at, joined);
}
