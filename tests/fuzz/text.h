/* What the fuzz targets for readers of texts share: any bytes as a text input, with whatever the readers find in it. */
#ifndef STWATCH_TESTS_FUZZ_TEXT_H
#define STWATCH_TESTS_FUZZ_TEXT_H

#include "sources/companion.h"
#include "stage.h"

/* Reads data as a companion and gives it to walk, if the part was found. */
static inline void read_text(const uint8_t *data, size_t size, stw_part part, void (*walk)(const stw_companion *c))
{
	input in;
	stw_mem mem;
	stw_source source;
	stwatch_error error;
	stw_companion *c = NULL;
	stw_mem_init(&mem, NULL, NULL, (uint64_t)256 << 20);
	if (input_open(&in, data, size) == 0 && stw_source_open(&source, in.path, NULL, &error) == STWATCH_OK) {
		stwatch_status status = stw_companion_read(&c, &mem, in.path, 0, &source, NULL, &error);
		REQUIRE((status == STWATCH_OK) == (c != NULL));
		if (c && c->parts[part])
			walk(c);
		stw_companion_free(c);
		stw_source_close(&source);
	}
	input_close(&in);
	REQUIRE(atomic_load(&mem.used) == 0);
}

#endif
