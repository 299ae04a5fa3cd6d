/* A keyed hash of short strings: who does not know the key can neither compute nor guess it. */
#ifndef STW_BASE_KEYED_H
#define STW_BASE_KEYED_H

#include <stddef.h>
#include <stdint.h>

enum { STW_KEY_SIZE = 16 };

/* SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). Thread-safe. */
uint64_t stw_keyed_hash(const uint8_t key[static STW_KEY_SIZE], const void *data, size_t size);

#endif
