/* What the fuzz targets for inputs that are no traces share: bytes read by whichever readers recognise them. */
#ifndef STWATCH_TESTS_FUZZ_COMPANION_STAGE_H
#define STWATCH_TESTS_FUZZ_COMPANION_STAGE_H

#include "sources/companion.h"
#include "stage.h"

/* Reads the bytes and hands what came of them to `walk`, once the file is closed. */
static inline void companion_read(stw_mem *mem, const uint8_t *data, size_t size, void (*walk)(stw_mem *mem, const stw_companion *c))
{
	input in;
	stw_source source;
	stwatch_error error;
	stw_companion *c = NULL;
	if (input_open(&in, data, size) == 0 && stw_source_open(&source, in.path, NULL, &error) == STWATCH_OK) {
		stwatch_status status = stw_companion_read(&c, mem, in.path, 0, &source, NULL, &error);
		REQUIRE((status == STWATCH_OK) == (c != NULL));
		stw_source_close(&source);
		if (c)
			walk(mem, c);
		stw_companion_free(c);
	}
	input_close(&in);
	REQUIRE(atomic_load(&mem->used) == 0);
}

#endif
