/* The head of a batch. */
#ifndef STW_V2_BATCH_H
#define STW_V2_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stwatch/status.h"

enum { STW_BATCH_HEAD_MAX = 2 + 4 * 10 + 1 }; /* with the first byte of what it holds */

typedef struct stw_batch_head {
	bool end_of_generation;
	uint8_t experiment; /* 0: none */
	uint8_t first; /* first byte of the data, 0 if it has none: it tells strings, stacks, … */
	uint64_t generation, m, time;
	uint32_t size; /* of the data */
	uint32_t head_size; /* bytes before the data */
} stw_batch_head;

/* Parses the head at p, of which `got` bytes are there, `at` bytes into the input of `total` bytes.
 * STWATCH_END: nothing is there (got is 0, or, as Go's reader has it, just the byte of an experimental batch).
 * STWATCH_ERR_DAMAGED: not a batch, or cut. */
stwatch_status stw_batch_head_parse(stw_batch_head *head, const uint8_t *p, size_t got, uint64_t at, uint64_t total, stwatch_error *error);

#endif
