/* A hash of contents: tells whether bytes are the same as before. Not for secrets. */
#ifndef STW_BASE_DIGEST_H
#define STW_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 as its specification describes it (Yann Collet, xxHash fast digest algorithm, version 0.1.1). A long input is hashed piece by
 * piece, each with the hash of the one before as its seed. Thread-safe. */
uint64_t stw_digest(const void *data, size_t size, uint64_t seed);

#endif
