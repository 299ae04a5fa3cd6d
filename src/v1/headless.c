#include "v1/headless.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "v1/records.h"
#include "v1/resync.h"
#include "wire/varint.h"

enum {
	WINDOW = 64 << 10,
	LOOK = 1 << 20, /* bytes from the input's beginning in which a batch must begin: each is at most 64 KiB long */
	HEAD = 32, /* bytes that the head of a batch may need */
	MOST_BATCH = (64 << 10) + STW_V1_MAX_EVENT,
	MOST_PROCS = 1 << 20,
	FEWEST_TICKS = 1 << 20, /* since the machine was started */
	TICKS_BITS = 44, /* times of one recording lie so close together: days */
	ID_BITS = 40,
	/* Where nothing else is known of the input, so much has to make sense, one record after the other: chance gives each less than one in five. */
	ENOUGH_HEADS = 2,
	ENOUGH_EVENTS = 64,
	ENOUGH_BYTES = 512,
	ENOUGH_RUNS = 4, /* from a goroutine's start to its stop on one proc; what only looks like records has none */
	MOST_SEEN = 1024, /* procs, of more nothing is concluded */
	MANY_HEADS = 4, /* no more are looked at */
	WORK = 8, /* bytes that may be checked for each that is passed */
};

/* What headers say, oldest first. */
static const uint8_t MINORS[] = {5, 7, 8, 9, 10, 11, 19, 21};
enum { N_MINORS = sizeof MINORS / sizeof *MINORS, ALL = (1 << N_MINORS) - 1, OF_5 = 1, OF_21 = 1 << (N_MINORS - 1) };

typedef struct finder {
	const stw_source *source;
	const volatile int *cancel;
	stw_v1_format formats[N_MINORS];
	uint64_t work, passed; /* bytes checked, bytes passed */
	stw_v1_records records;
	uint8_t window[WINDOW];
} finder;

/* Records that follow each other. */
typedef struct chain {
	unsigned fits; /* a bit for each of MINORS whose records they can be */
	unsigned heads, events, runs, odd; /* odd: goroutines that stop where none runs, or start where one does */
	uint64_t bytes, begin, batch; /* batch: bytes since its head, without tables */
	uint64_t ticks; /* of the first batch */
	bool running, known; /* a goroutine on the batch's proc; known: that is */
	bool waiting, listed, named_first; /* the list of what existed: some of it, up to its end, and from its first entry on */
	bool torn; /* the first that there is of a proc is no beginning */
	uint64_t first_proc, proc; /* of the first batch, and of the one at hand */
	unsigned of_first; /* batches of that one */
	uint64_t seen[MOST_SEEN / 64]; /* procs, a bit each */
} chain;

static stw_v1_format *format_of(finder *f, unsigned fits)
{
	return &f->formats[fits & OF_5 ? 0 : N_MINORS - 1];
}

/* How many values a record has, -1 where one is written longer than need be, which no runtime does. */
static int count_values(const stw_v1_records *r)
{
	const uint8_t *p = r->bytes + 1, *end = r->bytes + r->size;
	const unsigned n = (unsigned)(r->bytes[0] >> 6) + r->format->before;
	int count = 0;
	if (r->type != STW_V1_String &&
		n >= r->format->inline_values) /* the length, for which the runtime may leave more room than it needs */
		while (p < end && *p++ >= 0x80)
			;
	for (bool more = false; p < end; p++) {
		if (more && *p == 0)
			return -1;
		more = *p >= 0x80;
		count += !more;
	}
	return count;
}

/* The versions in which a record of that type has so many values. */
static unsigned fitting(const finder *f, unsigned fits, unsigned type, int count)
{
	unsigned out = 0;
	for (unsigned i = 0; i < N_MINORS; i++)
		if ((fits >> i & 1) && f->formats[i].n_values[type] && (type == STW_V1_Stack || f->formats[i].n_values[type] == count))
			out |= 1u << i;
	return out;
}

static bool stack_fits(const stw_v1_records *r, int count)
{
	const unsigned width = r->format->minor < 7 ? 1 : 4;
	return count >= 2 && r->values[0] >> 32 == 0 && r->values[1] <= STW_V1_MAX_FRAMES && (uint64_t)count == 2 + r->values[1] * width;
}

static bool near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) >> TICKS_BITS == 0;
}

static bool take_head(chain *c, const stw_v1_records *r)
{
	uint64_t pid = r->values[0], ticks = r->values[r->n_values - 1];
	if ((pid != UINT64_MAX && pid > MOST_PROCS) || ticks < FEWEST_TICKS || ticks >> 62 || (c->heads && !near(ticks, c->ticks)))
		return false;
	if (c->heads++ == 0) {
		c->ticks = ticks;
		c->first_proc = pid;
	}
	c->of_first += pid == c->first_proc;
	c->proc = pid;
	c->batch = 0;
	c->known = c->running = false;
	return true;
}

/* A proc runs one goroutine after another. */
static void take_run(chain *c, const stw_v1_format *f, unsigned type)
{
	if (f->whose[type] == STW_V1_OF_STARTING) {
		c->odd += c->known && c->running;
		c->known = c->running = true;
	} else if (f->whose[type] == STW_V1_OF_LEAVING) {
		c->odd += c->known && !c->running;
		c->runs += c->known && c->running;
		c->known = true;
		c->running = false;
	}
}

static bool has_seen(const chain *c, uint64_t proc)
{
	return c->seen[proc / 64] >> proc % 64 & 1;
}

/* The first of a proc is its start, or the list of what existed. */
static void take_first(chain *c, const stw_v1_records *r, unsigned before)
{
	const bool first_named = r->type == STW_V1_GoCreate && r->values[before] == 1;
	if (c->batch || c->proc >= MOST_SEEN || has_seen(c, c->proc))
		return;
	c->seen[c->proc / 64] |= (uint64_t)1 << c->proc % 64;
	c->torn |= r->type != STW_V1_ProcStart && !first_named;
}

/* Whether it begins with the first batch that was written: that one or its proc may be full later than others', but what there is of each proc begins with
 * its beginning. What was left in buffers at the end is written by proc: none may be missing before the first one. */
static bool is_whole(const chain *c)
{
	bool whole = c->listed && c->named_first && !c->torn && c->first_proc < MOST_SEEN;
	for (uint64_t p = 0; whole && c->of_first == 1 && p < c->first_proc; p++)
		whole = has_seen(c, p);
	return whole;
}

/* What an event's values say beside their number. */
static void take_hints(chain *c, const stw_v1_records *r, unsigned before)
{
	const uint64_t first = r->n_values > before ? r->values[before] : 0;
	switch (r->type) {
	case STW_V1_GoCreate: c->named_first |= c->batch == 0 && first == 1; break;
	case STW_V1_GoWaiting: c->waiting = true; break; /* GoInSyscall is also written where C calls Go on a new thread */
	case STW_V1_Gomaxprocs: c->listed |= c->waiting; break;
	case STW_V1_GCSTWStart: /* to Go 1.20 0 and 1 are the ends of a collection, in 1.21 they are 1 and 2, of a list that goes on */
		if (r->n_values > before && first != 1)
			c->fits &= first == 0 ? ~(unsigned)OF_21 : (unsigned)OF_21;
		break;
	default: break;
	}
}

static bool take_event(chain *c, const stw_v1_records *r, const stw_v1_format *f)
{
	const unsigned before = f->before;
	for (unsigned i = 0; i < before; i++)
		if (r->values[i] >> TICKS_BITS)
			return false;
	if (f->stack[r->type] && r->values[r->n_values - 1] >> 32)
		return false;
	if (f->whose[r->type] != STW_V1_OF_RUNNING && r->n_values > before + f->stack[r->type] && r->values[before] >> ID_BITS)
		return false;
	take_hints(c, r, before);
	take_first(c, r, before);
	take_run(c, f, r->type);
	c->events++;
	c->batch += r->size;
	return c->batch <= MOST_BATCH;
}

/* Whether the record at hand can follow. */
static bool follows(finder *f, chain *c)
{
	const stw_v1_records *r = &f->records;
	const int count = count_values(r);
	const unsigned fits = count < 0 ? 0 : fitting(f, c->fits, r->type, count);
	if (!fits)
		return false;
	c->fits = fits;
	c->bytes += r->size + r->text_size;
	switch (r->type) {
	case STW_V1_Batch: return r->bytes[0] >> 6 == 1 && take_head(c, r);
	case STW_V1_Frequency: return r->values[0] >= 100000 && r->values[0] <= 10000000000;
	case STW_V1_Stack: return stack_fits(r, count);
	case STW_V1_String: return r->values[0] > 0 && r->text_size > 0;
	case STW_V1_TimerGoroutine: return r->values[0] >> ID_BITS == 0;
	default: return take_event(c, r, r->format);
	}
}

static bool convinces(const chain *c)
{
	return c->heads >= ENOUGH_HEADS && c->events >= ENOUGH_EVENTS && c->bytes >= ENOUGH_BYTES && c->runs >= ENOUGH_RUNS &&
		c->odd <= c->runs / 16;
}

/* Follows records from `at` on while they make sense; enough: no further than it takes to be convinced. */
static stwatch_status follow(finder *f, uint64_t at, unsigned fits, bool enough, chain *c, stwatch_error *error)
{
	stw_v1_records *r = &f->records;
	stwatch_status status;
	*c = (chain){.fits = fits, .begin = at};
	stw_v1_records_init(r, f->source, format_of(f, fits), f->cancel);
	r->at = r->window_at = at;
	while ((status = stw_v1_records_next(r, error)) == STWATCH_OK && follows(f, c))
		if (enough && c->heads >= MANY_HEADS && convinces(c))
			break;
	f->work += c->bytes;
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}

/* Whether the head of a batch can stand there, and an event behind it. */
static bool may_begin(const finder *f, unsigned fits, const uint8_t *p, const uint8_t *end)
{
	uint64_t pid, v = 0, ticks;
	const uint8_t *at = stw_varint_get(p + 1, end, &pid);
	if (!at || (pid != UINT64_MAX && pid > MOST_PROCS) || (fits == OF_5 && !(at = stw_varint_get(at, end, &v))) ||
		!(at = stw_varint_get(at, end, &ticks)))
		return false;
	return ticks >= FEWEST_TICKS && ticks >> 62 == 0 && at < end && f->formats[fits == OF_5 ? 0 : N_MINORS - 1].n_values[*at & 63];
}

/* A header right before the first batch. */
static bool header_before(const stw_source *source, uint64_t begin, unsigned *minor)
{
	uint8_t head[STW_HEADER_SIZE];
	size_t got;
	stwatch_error ignored;
	return begin >= STW_HEADER_SIZE &&
		stw_source_read(source, begin - STW_HEADER_SIZE, head, sizeof head, &got, &ignored) == STWATCH_OK && got == sizeof head &&
		stw_header_parse(head, got, minor, NULL) == STWATCH_OK && *minor <= 21;
}

static stwatch_status try_at(finder *f, uint64_t at, const uint8_t *p, const uint8_t *end, unsigned *fits, stwatch_error *error)
{
	static const unsigned families[] = {ALL & ~(unsigned)OF_5, OF_5};
	for (unsigned i = 0; i < 2; i++) {
		chain c;
		if (!may_begin(f, families[i], p, end) || f->work > WORK * f->passed + ((uint64_t)1 << 20))
			continue;
		stwatch_status status = follow(f, at, families[i], true, &c, error);
		if (status != STWATCH_OK)
			return status;
		unsigned minor;
		bool yes = convinces(&c);
		if (yes && !header_before(f->source, at, &minor)) {
			f->work += STW_V1_IN_STEP_BYTES;
			status = stw_v1_in_step(f->source, format_of(f, families[i]), at, &yes, error);
			if (status != STWATCH_OK)
				return status;
		}
		*fits = families[i];
		if (yes)
			return STWATCH_OK;
	}
	return STWATCH_END;
}

static stwatch_status find(finder *f, uint64_t *begin, unsigned *fits, stwatch_error *error)
{
	const uint8_t head = STW_V1_Batch | 1 << 6;
	for (uint64_t from = 0; from < LOOK;) {
		size_t got;
		stwatch_status status = stw_source_read(f->source, from, f->window, sizeof f->window, &got, error);
		if (status != STWATCH_OK || got == 0)
			return status == STWATCH_OK ? STWATCH_END : status;
		if (f->cancel && *f->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		size_t n = got < sizeof f->window ? got : got - HEAD;
		for (const uint8_t *p = f->window, *end = f->window + n; (p = memchr(p, head, (size_t)(end - p))); p++) {
			f->passed = from + (uint64_t)(p - f->window);
			status = try_at(f, f->passed, p, f->window + got, fits, error);
			*begin = f->passed;
			if (status != STWATCH_END)
				return status;
		}
		from += n;
	}
	return STWATCH_END;
}

static finder *make(const stw_source *source, stw_mem *mem, const volatile int *cancel, stwatch_error *error)
{
	finder *f = stw_mem_zalloc(mem, sizeof *f);
	if (!f) {
		stw_fail_memory(error);
		return NULL;
	}
	f->source = source;
	f->cancel = cancel;
	for (unsigned i = 0; i < N_MINORS; i++)
		stw_v1_format_init(&f->formats[i], MINORS[i]);
	return f;
}

stwatch_status stw_v1_headless_find(
	const stw_source *source, stw_mem *mem, const volatile int *cancel, uint64_t *begin, unsigned *before, stwatch_error *error)
{
	unsigned fits = 0;
	finder *f = make(source, mem, cancel, error);
	if (!f)
		return STWATCH_ERR_MEMORY;
	stwatch_status status = find(f, begin, &fits, error);
	if (status == STWATCH_OK)
		*before = format_of(f, fits)->before;
	stw_mem_free(mem, f, sizeof *f);
	return status;
}

/* ---- the version ---- */

static const char *writers_of(unsigned minor)
{
	switch (minor) {
	case 5: return "Go 1.5 or 1.6";
	case 11: return "Go 1.11 to 1.18";
	case 19: return "Go 1.19 or 1.20";
	default: return NULL; /* its own */
	}
}

/* Of several, the one that most versions of Go write; else the newest that need not have shown by something of its own. */
unsigned stw_v1_headless_choose(unsigned fits)
{
	unsigned newest = 0, oldest_of_new = 0;
	for (unsigned i = N_MINORS; i-- > 0;) {
		if (!(fits >> i & 1))
			continue;
		if (MINORS[i] == 11)
			return 11;
		newest = newest ? newest : MINORS[i];
		oldest_of_new = MINORS[i] > 11 ? MINORS[i] : oldest_of_new;
	}
	return oldest_of_new ? oldest_of_new : newest;
}

static void tell(stw_v1_entry *e, bool preferred)
{
	char others[128] = "", go[24];
	size_t used = 0;
	for (unsigned i = 0; i < N_MINORS && used < sizeof others - 48; i++)
		if ((e->fits >> i & 1) && MINORS[i] != e->minor)
			used += (size_t)snprintf(
				others + used, sizeof others - used, "%s 1.%u", used ? "" : "; nothing in it tells it from", MINORS[i]);
	snprintf(go, sizeof go, "Go 1.%u", e->minor);
	stw_fail(&e->missing, STWATCH_ERR_DAMAGED, 0, "the header is missing: %s at byte %llu and which is read as go 1.%u (%s)%s",
		e->midway ? "the file begins in the middle of a trace, whose first batch is" : "it is a trace whose first batch is",
		(unsigned long long)e->begin, e->minor, writers_of(e->minor) ? writers_of(e->minor) : go,
		preferred ? ", as the trace that is read with it" : others);
}

bool stw_v1_headless_prefer(stw_v1_entry *e, unsigned minor)
{
	for (unsigned i = 0; i < N_MINORS; i++)
		if (MINORS[i] == minor && minor != e->minor && (e->fits >> i & 1)) {
			e->minor = minor;
			tell(e, true);
			return true;
		}
	return false;
}

static stwatch_status learn(finder *f, stw_v1_entry *e, unsigned fits, stwatch_error *error)
{
	chain c;
	stwatch_status status = follow(f, e->begin, fits, false, &c, error);
	if (status != STWATCH_OK)
		return status;
	e->listed = c.listed;
	if (header_before(f->source, e->begin, &e->minor)) {
		stw_fail(&e->missing, STWATCH_ERR_DAMAGED, 0, "%llu bytes stand before the header of the trace (go 1.%u)",
			(unsigned long long)e->begin - STW_HEADER_SIZE, e->minor);
		return STWATCH_OK;
	}
	e->fits = c.fits;
	e->minor = stw_v1_headless_choose(c.fits);
	e->midway = !is_whole(&c) || e->begin > STW_HEADER_SIZE;
	tell(e, false);
	return STWATCH_OK;
}

stwatch_status stw_v1_headless_open(
	const stw_source *source, stw_mem *mem, const volatile int *cancel, stw_v1_entry *e, stwatch_error *error)
{
	unsigned fits = 0;
	finder *f = make(source, mem, cancel, error);
	*e = (stw_v1_entry){0};
	if (!f)
		return STWATCH_ERR_MEMORY;
	stwatch_status status = find(f, &e->begin, &fits, error);
	if (status == STWATCH_OK)
		status = learn(f, e, fits, error);
	stw_mem_free(mem, f, sizeof *f);
	return status;
}
