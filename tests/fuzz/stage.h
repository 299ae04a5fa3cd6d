/* What the fuzz targets for single stages share: an input as the stages get it, and memory that must all come back. */
#ifndef STWATCH_TESTS_FUZZ_STAGE_H
#define STWATCH_TESTS_FUZZ_STAGE_H

#include "whole.h"
#include "base/mem.h"
#include "v2/generation.h"
#include "wire/header.h"

typedef struct stage {
	input in;
	stw_mem mem;
	stw_source source;
	stw_go_version version;
} stage;

static inline void stage_close(stage *s)
{
	stw_source_close(&s->source);
	input_close(&s->in);
	REQUIRE(atomic_load(&s->mem.used) == 0);
}

/* Opens a trace of one of the formats. False: it is none, and nothing needs to be closed. */
static inline bool stage_open_format(stage *s, const uint8_t *data, size_t size, bool v1)
{
	unsigned minor = 0;
	stw_mem_init(&s->mem, NULL, NULL, (uint64_t)256 << 20);
	if (input_open(&s->in, data, size) != 0)
		return false;
	if (stw_source_open(&s->source, s->in.path, NULL, NULL) != STWATCH_OK) {
		input_close(&s->in);
		return false;
	}
	if (stw_header_read(&s->source, &minor, NULL) != STWATCH_OK || (minor < STW_GO122) != v1) {
		stage_close(s);
		return false;
	}
	s->version = (stw_go_version)minor;
	return true;
}

static inline bool stage_open(stage *s, const uint8_t *data, size_t size)
{
	return stage_open_format(s, data, size, false);
}

static inline bool stage_open_v1(stage *s, const uint8_t *data, size_t size)
{
	return stage_open_format(s, data, size, true);
}

/* Loads the next generation that can be. False after the last. */
static inline bool stage_next(stage *s, stw_scan *scan, stw_generation *gen)
{
	stw_span span;
	stwatch_error error;
	for (;;) {
		if (stw_scan_next(scan, &span, &error) != STWATCH_OK)
			return false;
		if (!span.lost && stw_generation_load(gen, &s->mem, &span, &error) == STWATCH_OK)
			return true;
	}
}

#endif
