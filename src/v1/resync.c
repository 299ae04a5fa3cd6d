#include "v1/resync.h"

#include <string.h>

#include "base/error.h"
#include "wire/varint.h"

enum {
	WINDOW = 64 << 10,
	LOOK = 8 << 10, /* bytes that a look ahead may need */
	ENOUGH = 32, /* events that make sense, one after the other: chance gives each less than one in five */
	MOST_PROCS = 1 << 20,
};

const uint8_t *stw_v1_pass(const stw_v1_format *f, const uint8_t *p, const uint8_t *end)
{
	unsigned type = *p & 63, n = (unsigned)(*p >> 6) + f->before;
	uint64_t v;
	if (!f->n_values[type])
		return NULL;
	p++;
	if (type == STW_V1_String) {
		if (!(p = stw_varint_get(p, end, &v)) || v == 0 || !(p = stw_varint_get(p, end, &v)) || v == 0 || v > STW_V1_MAX_STRING)
			return NULL;
		return v <= (uint64_t)(end - p) ? p + v : end;
	}
	if (n >= f->inline_values) {
		if (!(p = stw_varint_get(p, end, &v)) || v > STW_V1_MAX_EVENT)
			return NULL;
		return v <= (uint64_t)(end - p) ? p + v : end;
	}
	if (n != f->n_values[type] && type != STW_V1_Stack)
		return NULL;
	for (unsigned i = 0; i < n; i++)
		if (!(p = stw_varint_get(p, end, &v)))
			return NULL;
	return p;
}

static bool plausible(const stw_v1_format *f, const uint8_t *p, const uint8_t *end, bool last)
{
	uint64_t pid, ticks, seq;
	const uint8_t *at = stw_varint_get(p + 1, end, &pid);
	if (!at || (pid != UINT64_MAX && pid > MOST_PROCS) || (f->minor < 7 && !(at = stw_varint_get(at, end, &seq))) ||
		!(at = stw_varint_get(at, end, &ticks)) || ticks < 1 << 16)
		return false;
	for (unsigned i = 0; i < ENOUGH; i++) {
		if (at >= end)
			return !last || i > 0;
		if (*at == *p && i > 0) /* the next batch */
			return true;
		if (!(at = stw_v1_pass(f, at, end)))
			return false;
	}
	return true;
}

stwatch_status stw_v1_resync(
	const stw_source *source, const stw_v1_format *f, uint64_t from, uint64_t *found, const volatile int *cancel, stwatch_error *error)
{
	const uint8_t head = STW_V1_Batch | 1 << 6;
	uint8_t window[WINDOW];
	*found = source->size;
	while (from < source->size) {
		size_t got;
		if (cancel && *cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		stwatch_status status = stw_source_read(source, from, window, sizeof window, &got, error);
		if (status != STWATCH_OK)
			return status;
		if (got == 0)
			return STWATCH_OK;
		bool last = got < sizeof window;
		size_t n = last ? got : got - LOOK;
		for (const uint8_t *p = window; (p = memchr(p, head, (size_t)(window + n - p))); p++)
			if (plausible(f, p, window + got, last)) {
				*found = from + (uint64_t)(p - window);
				return STWATCH_OK;
			}
		from += n;
	}
	return STWATCH_OK;
}
