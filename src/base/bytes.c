#include "base/bytes.h"

#include <string.h>

void stw_bytes_uint(stw_bytes *b, uint64_t value)
{
	if (!stw_vec_reserve(b->mem, &b->data, 10)) {
		b->failed = true;
		return;
	}
	for (; value >= 0x80; value >>= 7)
		b->data.items[b->data.count++] = (uint8_t)(value | 0x80);
	b->data.items[b->data.count++] = (uint8_t)value;
}

void stw_bytes_int(stw_bytes *b, int64_t value)
{
	stw_bytes_uint(b, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void stw_bytes_text(stw_bytes *b, const char *text, size_t length)
{
	stw_bytes_uint(b, length);
	if (b->failed || !stw_vec_reserve(b->mem, &b->data, length)) {
		b->failed = true;
		return;
	}
	if (length)
		memcpy(b->data.items + b->data.count, text, length);
	b->data.count += length;
}

void stw_bytes_free(stw_bytes *b)
{
	stw_vec_free(b->mem, &b->data);
}

uint64_t stw_bytes_take_uint(stw_bytes_reader *r)
{
	uint64_t value = 0;
	for (unsigned shift = 0; !r->failed && r->p < r->end && shift < 70; shift += 7) {
		uint8_t byte = *r->p++;
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	r->failed = true;
	return 0;
}

uint64_t stw_bytes_take_below(stw_bytes_reader *r, uint64_t max)
{
	uint64_t value = stw_bytes_take_uint(r);
	r->failed |= value > max;
	return r->failed ? 0 : value;
}

int64_t stw_bytes_take_int(stw_bytes_reader *r)
{
	uint64_t value = stw_bytes_take_uint(r);
	return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

const char *stw_bytes_take_text(stw_bytes_reader *r, size_t max, size_t *length)
{
	*length = (size_t)stw_bytes_take_below(r, max);
	if (*length > (size_t)(r->end - r->p))
		r->failed = true;
	if (r->failed) {
		*length = 0;
		return "";
	}
	const char *text = (const char *)r->p;
	r->p += *length;
	return text;
}
