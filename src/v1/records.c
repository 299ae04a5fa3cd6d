#include "v1/records.h"

#include "base/error.h"
#include "wire/header.h"
#include "wire/varint.h"

enum { MARGIN = STW_V1_MAX_EVENT + 64 };

void stw_v1_records_init(stw_v1_records *r, const stw_source *source, const stw_v1_format *format, const volatile int *cancel)
{
	r->source = source;
	r->format = format;
	r->cancel = cancel;
	r->at = r->window_at = STW_HEADER_SIZE;
	r->window_size = 0;
}

static stwatch_status look_at(stw_v1_records *r, stwatch_error *error)
{
	if (r->cancel && *r->cancel)
		return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	r->window_at = r->at;
	return stw_source_read(r->source, r->at, r->window, sizeof r->window, &r->window_size, error);
}

static stwatch_status bad(const stw_v1_records *r, stwatch_error *error)
{
	return stw_fail(error, STWATCH_ERR_DAMAGED, r->offset, "no whole record of the format (one was expected)");
}

/* NULL where it is not whole, or is none. */
static const uint8_t *take(stw_v1_records *r, const uint8_t *p, const uint8_t *end)
{
	const stw_v1_format *f = r->format;
	unsigned n = (unsigned)(*p >> 6) + f->before;
	uint64_t length;
	r->type = *p++ & 63;
	r->n_values = 0;
	if (r->type == STW_V1_String) {
		r->n_values = 1;
		return stw_varint_get(p, end, &r->values[0]);
	}
	if (n >= f->inline_values) {
		if (!(p = stw_varint_get(p, end, &length)) || length > (uint64_t)(end - p))
			return NULL;
		end = p + length;
	}
	for (unsigned i = 0; p && (n >= f->inline_values ? p < end : i < n); i++) {
		uint64_t value = 0;
		p = stw_varint_get(p, end, &value);
		if (i < STW_V1_RECORD_VALUES)
			r->values[r->n_values++] = value;
	}
	return p;
}

stwatch_status stw_v1_records_next(stw_v1_records *r, stwatch_error *error)
{
	if (r->at >= r->source->size)
		return STWATCH_END;
	if (r->at - r->window_at + MARGIN > r->window_size && r->window_at + r->window_size < r->source->size) {
		stwatch_status status = look_at(r, error);
		if (status != STWATCH_OK)
			return status;
	}
	const uint8_t *begin = r->window + (r->at - r->window_at), *end = r->window + r->window_size, *p;
	r->offset = r->at;
	r->text_size = 0;
	if (begin >= end || !(p = take(r, begin, end)))
		return bad(r, error);
	r->bytes = begin;
	r->size = (size_t)(p - begin);
	if ((r->type == STW_V1_String || r->type == STW_V1_UserLog) && !(p = stw_varint_get(p, end, &r->text_size)))
		return bad(r, error);
	r->text = r->window_at + (uint64_t)(p - r->window);
	if (r->text_size > STW_V1_MAX_STRING || r->text_size > r->source->size - r->text)
		return bad(r, error);
	r->at = r->text + r->text_size;
	if (r->at > r->window_at + r->window_size)
		r->window_size = 0;
	return STWATCH_OK;
}
