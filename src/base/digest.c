#include "base/digest.h"

#include <string.h>

static const uint64_t P1 = 0x9E3779B185EBCA87u, P2 = 0xC2B2AE3D27D4EB4Fu, P3 = 0x165667B19E3779F9u, P4 = 0x85EBCA77C2B2AE63u,
		      P5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t word64(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof w);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

static uint64_t word32(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

static uint64_t round_of(uint64_t lane, uint64_t input)
{
	return rotate(lane + input * P2, 31) * P1;
}

uint64_t stw_digest(const void *data, size_t size, uint64_t seed)
{
	const uint8_t *p = data, *end = p + size;
	uint64_t h = seed + P5;
	if (size >= 32) {
		uint64_t lanes[4] = {seed + P1 + P2, seed + P2, seed, seed - P1};
		for (; end - p >= 32; p += 32)
			for (int i = 0; i < 4; i++)
				lanes[i] = round_of(lanes[i], word64(p + (ptrdiff_t)8 * i));
		h = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
		for (int i = 0; i < 4; i++)
			h = (h ^ round_of(0, lanes[i])) * P1 + P4;
	}
	h += size;
	for (; end - p >= 8; p += 8)
		h = rotate(h ^ round_of(0, word64(p)), 27) * P1 + P4;
	if (end - p >= 4) {
		h = rotate(h ^ word32(p) * P1, 23) * P2 + P3;
		p += 4;
	}
	for (; p < end; p++)
		h = rotate(h ^ *p * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}
