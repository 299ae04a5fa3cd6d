/* What all fuzz targets share: promises, and for those of the whole library an input as a file and a context that ends with it. */
#ifndef STWATCH_TESTS_FUZZ_WHOLE_H
#define STWATCH_TESTS_FUZZ_WHOLE_H

#include <stdlib.h>

#include "../support/hostile_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of what is at hand. */
#define REQUIRE(holds)                                                                                                                     \
	do {                                                                                                                               \
		if (!(holds)) {                                                                                                            \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds);                                                \
			abort();                                                                                                           \
		}                                                                                                                          \
	} while (0)

/* For hashes of what two readings must agree in. */
static inline uint64_t mixed(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
	return hash ^ hash >> 29;
}

/* Ever new numbers from a state that is not 0. */
static inline uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Changes a bit; size is not 0. */
static inline void spoil(uint8_t *data, size_t size, uint64_t *state)
{
	data[draw(state) % size] ^= (uint8_t)(1u << draw(state) % 8);
}

/* Gives a file to `run`, with a context of this many threads and bytes of memory. */
static inline void whole_run_path(
	const char *path, unsigned threads, uint64_t limit, void (*run)(stwatch_context *context, const char *path))
{
	stwatch_context_options options = {.size = sizeof options, .threads = threads, .memory_limit = limit};
	stwatch_context *context = NULL;
	if (stwatch_context_create(&options, &context) == STWATCH_OK)
		run(context, path);
	stwatch_context_free(context);
}

/* The same with these bytes as a file. */
static inline int whole_run(
	const uint8_t *data, size_t size, unsigned threads, uint64_t limit, void (*run)(stwatch_context *context, const char *path))
{
	input in;
	if (input_open(&in, data, size) != 0)
		return 0;
	whole_run_path(in.path, threads, limit, run);
	input_close(&in);
	return 0;
}

#endif
