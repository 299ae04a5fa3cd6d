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

/* Gives the bytes to `run` as a file, with a context of this many threads and bytes of memory. */
static inline int whole_run(
	const uint8_t *data, size_t size, unsigned threads, uint64_t limit, void (*run)(stwatch_context *context, const char *path))
{
	input in;
	if (input_open(&in, data, size) != 0)
		return 0;
	stwatch_context_options options = {.size = sizeof options, .threads = threads, .memory_limit = limit};
	stwatch_context *context = NULL;
	if (stwatch_context_create(&options, &context) == STWATCH_OK)
		run(context, in.path);
	stwatch_context_free(context);
	input_close(&in);
	return 0;
}

#endif
