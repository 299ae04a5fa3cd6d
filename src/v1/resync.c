#include "v1/resync.h"

#include <string.h>

#include "base/error.h"
#include "wire/header.h"
#include "wire/varint.h"

enum {
	WINDOW = 64 << 10,
	LOOK = 8 << 10, /* bytes that a look ahead may need */
	HEAD = STW_V1_Batch | 1 << 6,
	ENOUGH = 16, /* records that make sense, one after the other: chance gives each less than one in three */
	ENOUGH_CUT = 3, /* up to the end of what there is */
	IN_STEP = 16, /* who has read so many is in step */
	MOST_PROCS = 1 << 20,
	FEWEST_TICKS = 1 << 16, /* since the machine was started */
	TICKS_BITS = 36, /* times of batches that follow each other lie so close together: minutes, or hours */
	WORK = 64, /* bytes that may be checked for each that is passed */
};

/* ---- one record ---- */

/* Behind a text and its length. */
static const uint8_t *pass_text(const uint8_t *p, const uint8_t *end, uint64_t least)
{
	uint64_t length;
	if (!(p = stw_varint_get(p, end, &length)) || length < least || length > STW_V1_MAX_STRING)
		return NULL;
	return length <= (uint64_t)(end - p) ? p + length : end;
}

const uint8_t *stw_v1_pass(const stw_v1_format *f, const uint8_t *p, const uint8_t *end)
{
	const unsigned type = *p & 63, n = (unsigned)(*p >> 6) + f->before;
	uint64_t v;
	if (!f->n_values[type])
		return NULL;
	p++;
	if (type == STW_V1_String)
		return (p = stw_varint_get(p, end, &v)) && v ? pass_text(p, end, 1) : NULL;
	if (n >= f->inline_values) {
		if (!(p = stw_varint_get(p, end, &v)) || v > STW_V1_MAX_EVENT)
			return NULL;
		if (v > (uint64_t)(end - p))
			return end;
		p += v;
	} else {
		if (n != f->n_values[type] && type != STW_V1_Stack)
			return NULL;
		for (unsigned i = 0; i < n; i++)
			if (!(p = stw_varint_get(p, end, &v)))
				return NULL;
	}
	return type == STW_V1_UserLog && p < end ? pass_text(p, end, 0) : p;
}

/* ---- ways of reading ---- */

stwatch_status stw_v1_in_step(const stw_source *source, const stw_v1_format *f, uint64_t at, bool *yes, stwatch_error *error)
{
	enum { NOWHERE, TO, OVER };
	uint8_t around[STW_V1_IN_STEP_BYTES + STW_V1_MAX_EVENT], leads[STW_V1_IN_STEP_BYTES];
	uint16_t steps[STW_V1_IN_STEP_BYTES];
	const size_t before = at < STW_V1_IN_STEP_BYTES ? (size_t)at : STW_V1_IN_STEP_BYTES;
	size_t got, count[3] = {0};
	stwatch_status status = stw_source_read(source, at - before, around, before + STW_V1_MAX_EVENT, &got, error);
	if (status != STWATCH_OK)
		return status;
	for (size_t i = before < got ? before : got; i-- > 0;) { /* from the last on: where the next leads to is known */
		const uint8_t *p = stw_v1_pass(f, around + i, around + got);
		const size_t next = p ? (size_t)(p - around) : 0;
		const bool within = p && next < before;
		leads[i] = !p ? NOWHERE : within ? leads[next] : next == before ? TO : OVER;
		steps[i] = (uint16_t)(1 + (within ? steps[next] : 0));
		count[leads[i]] += steps[i] >= IN_STEP;
	}
	*yes = count[TO] >= count[OVER];
	return STWATCH_OK;
}

/* ---- batches ---- */

typedef struct finder {
	const stw_v1_resync *r;
	bool near; /* only what is near in time */
	uint64_t work;
	uint8_t window[WINDOW];
} finder;

static bool fits_time(const finder *f, uint64_t ticks)
{
	bool fits = !f->near || f->r->n_near == 0;
	for (unsigned i = 0; i < f->r->n_near; i++) {
		const uint64_t other = f->r->near[i];
		fits |= (ticks > other ? ticks - other : other - ticks) >> TICKS_BITS == 0;
	}
	return fits && ticks >= FEWEST_TICKS;
}

/* Behind the head of a batch; NULL where it can be none. */
static const uint8_t *pass_head(const finder *f, const uint8_t *p, const uint8_t *end)
{
	uint64_t pid, ticks, seq;
	p = stw_varint_get(p + 1, end, &pid);
	if (!p || (pid != UINT64_MAX && pid > MOST_PROCS) || (f->r->format->minor < 7 && !(p = stw_varint_get(p, end, &seq))) ||
		!(p = stw_varint_get(p, end, &ticks)) || !fits_time(f, ticks))
		return NULL;
	return p;
}

/* Whether records follow that make sense; last: nothing is behind `end`. */
static bool makes_sense(finder *f, const uint8_t *p, const uint8_t *end, bool last)
{
	unsigned n = 0;
	for (; n < ENOUGH && p < end; n++) {
		p = *p == HEAD ? pass_head(f, p, end) : stw_v1_pass(f->r->format, p, end);
		if (!p)
			return false;
	}
	f->work += n;
	return n == ENOUGH || n >= (last ? 2 : ENOUGH_CUT);
}

/* STWATCH_END: none begins there. */
static stwatch_status try_at(finder *f, uint64_t at, uint64_t passed, const uint8_t *p, const uint8_t *end, bool last, stwatch_error *error)
{
	bool yes = false;
	if (f->work > WORK * passed + ((uint64_t)1 << 20) || !pass_head(f, p, end) || !makes_sense(f, p, end, last))
		return STWATCH_END;
	f->work += STW_V1_IN_STEP_BYTES;
	stwatch_status status = stw_v1_in_step(f->r->source, f->r->format, at, &yes, error);
	return status == STWATCH_OK && !yes ? STWATCH_END : status;
}

/* The first header that begins before `end`; NULL: none does. */
static const uint8_t *find_header(const uint8_t *p, const uint8_t *end, const uint8_t *there)
{
	unsigned minor;
	for (; (p = memchr(p, 'g', (size_t)(end - p))); p++)
		if (there - p >= STW_HEADER_SIZE && stw_header_parse(p, STW_HEADER_SIZE, &minor, NULL) == STWATCH_OK)
			return p;
	return NULL;
}

/* STWATCH_END: there is none. */
static stwatch_status find(finder *f, uint64_t from, uint64_t *found, bool *header, stwatch_error *error)
{
	const stw_v1_resync *r = f->r;
	for (uint64_t begin = from; from < r->source->size;) {
		size_t got;
		if (r->cancel && *r->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		stwatch_status status = stw_source_read(r->source, from, f->window, sizeof f->window, &got, error);
		if (status != STWATCH_OK || got == 0)
			return status == STWATCH_OK ? STWATCH_END : status;
		const bool last = got < sizeof f->window;
		const size_t n = last ? got : got - LOOK;
		const uint8_t *other = find_header(f->window, f->window + n, f->window + got), *end = other ? other : f->window + n;
		const uint8_t *p = f->window + (from == begin && end > f->window);
		for (; (p = memchr(p, HEAD, (size_t)(end - p))); p++) {
			*found = from + (uint64_t)(p - f->window);
			status = try_at(f, *found, *found - begin, p, f->window + got, last, error);
			if (status != STWATCH_END)
				return status;
		}
		if (other) {
			*header = true;
			*found = from + (uint64_t)(other - f->window);
			return STWATCH_OK;
		}
		from += n;
	}
	return STWATCH_END;
}

stwatch_status stw_v1_resync_find(const stw_v1_resync *r, uint64_t from, uint64_t *found, bool *header, stwatch_error *error)
{
	*header = false;
	finder f = {.r = r, .near = r->n_near > 0};
	stwatch_status status = find(&f, from, found, header, error);
	if (status == STWATCH_END && f.near) {
		f.near = false;
		f.work = 0;
		status = find(&f, from, found, header, error);
	}
	if (status == STWATCH_END)
		*found = r->source->size;
	return status == STWATCH_END ? STWATCH_OK : status;
}
