/* Unsigned LEB128 varints as Go's encoding/binary writes them: at most 10 bytes, the tenth at most 1. */
#ifndef STW_WIRE_VARINT_H
#define STW_WIRE_VARINT_H

#include <stdint.h>
#include <string.h>

/* Every buffer that stw_varint_fast reads has this many readable bytes behind its end. */
#define STW_VARINT_SLACK 16

/* Reads one at p, not beyond end; NULL when it is cut or overflows 64 bits. */
static inline const uint8_t *stw_varint_get(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
	uint64_t v = 0;
	for (unsigned shift = 0; p < end && shift < 70; shift += 7) {
		uint8_t b = *p++;
		if (shift == 63 && b > 1)
			return NULL;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*value = v;
			return p;
		}
	}
	return NULL;
}

/* The 9- and 10-byte forms, out of the way of the fast path. */
static inline const uint8_t *stw_varint_long(const uint8_t *p, uint64_t *value)
{
	return stw_varint_get(p, p + 10, value);
}

/* Reads one at p without looking at the end, up to 10 bytes: the caller checks afterwards how far it came.
 * NULL only when it overflows. Events are mostly 1 to 3 bytes a field, in no predictable order,
 * so one 8-byte load and three folds beat a branch a byte. */
static inline const uint8_t *stw_varint_fast(const uint8_t *p, uint64_t *value)
{
	uint64_t w;
	if (p[0] < 0x80) {
		*value = p[0];
		return p + 1;
	}
	memcpy(&w, p, sizeof w);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	uint64_t stop = ~w & 0x8080808080808080u;
	if (stop == 0)
		return stw_varint_long(p, value);
	unsigned bits = (unsigned)__builtin_ctzll(stop) + 1; /* 8 to 64 */
	w &= UINT64_MAX >> (64 - bits);
	w = (w & 0x007f007f007f007fu) | (w & 0x7f007f007f007f00u) >> 1;
	w = (w & 0x00003fff00003fffu) | (w & 0x3fff00003fff0000u) >> 2;
	w = (w & 0x000000000fffffffu) | (w & 0x0fffffff00000000u) >> 4;
	*value = w;
	return p + bits / 8;
}

/* Reads one of up to four bytes at p without looking at the end; NULL where it is longer. */
static inline __attribute__((always_inline)) const uint8_t *stw_varint_short(const uint8_t *p, uint64_t *value)
{
	uint32_t v = p[0];
	if (__builtin_expect(v < 0x80, 1)) {
		*value = v;
		return p + 1;
	}
	uint32_t b = p[1];
	v = (v & 0x7f) | b << 7;
	if (__builtin_expect(b < 0x80, 1)) {
		*value = v;
		return p + 2;
	}
	b = p[2];
	v = (v & 0x3fff) | b << 14;
	if (__builtin_expect(b < 0x80, 1)) {
		*value = v;
		return p + 3;
	}
	b = p[3];
	*value = (v & 0x1fffff) | b << 21;
	return b < 0x80 ? p + 4 : NULL;
}

/* Writes one, of at most ten bytes; how many. */
static inline size_t stw_put_varint(uint8_t *p, uint64_t value)
{
	size_t n = 0;
	for (; value >= 0x80; value >>= 7)
		p[n++] = (uint8_t)(value | 0x80);
	p[n++] = (uint8_t)value;
	return n;
}

#endif
