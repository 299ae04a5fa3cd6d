#include "base/keyed.h"

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void mix(uint64_t v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

/* Up to eight bytes, lowest first. */
static uint64_t word(const uint8_t *p, size_t n)
{
	uint64_t w = 0;
	while (n-- > 0)
		w = w << 8 | p[n];
	return w;
}

uint64_t stw_keyed_hash(const uint8_t key[static STW_KEY_SIZE], const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t k0 = word(key, 8), k1 = word(key + 8, 8);
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
	for (size_t left = size; left >= 8; left -= 8, p += 8) {
		uint64_t m = word(p, 8);
		v[3] ^= m;
		mix(v, 2);
		v[0] ^= m;
	}
	uint64_t last = (uint64_t)size << 56 | word(p, size % 8);
	v[3] ^= last;
	mix(v, 2);
	v[0] ^= last;
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
