#include "output/cut.h"

#include <stdio.h>

#include "base/error.h"
#include "wire/header.h"

void stw_cut_put(stw_cut *cut, const void *data, size_t size)
{
	stw_sink_put(&cut->out, data, size);
	cut->written += size;
}

static stwatch_status copy(stw_cut *cut, const stw_source *source, uint64_t from, uint64_t to, stwatch_error *error)
{
	char buffer[32 << 10];
	while (from < to) {
		size_t want = to - from < sizeof buffer ? (size_t)(to - from) : sizeof buffer, got;
		stwatch_status status = stw_source_read(source, from, buffer, want, &got, error);
		if (status != STWATCH_OK)
			return status;
		if (got < want)
			return stw_fail(error, STWATCH_ERR_IO, from + got, "the file became shorter while it was read");
		stw_cut_put(cut, buffer, got);
		from += got;
	}
	return STWATCH_OK;
}

stwatch_status stw_cut_begin(stw_cut *cut, const stw_span *span, stwatch_error *error)
{
	char header[STW_HEADER_SIZE] = {0};
	(void)error;
	snprintf(header, sizeof header, "go 1.%d trace", (int)span->version); /* what it was read from may have none, or several */
	stw_cut_put(cut, header, sizeof header);
	return STWATCH_OK;
}

stwatch_status stw_cut_generation(stw_cut *cut, const stw_span *span, stwatch_error *error)
{
	static const uint8_t end = STW_EV_EndOfGeneration;
	stwatch_status status = cut->key ? stw_cut_anonymous(cut, span, error) : copy(cut, span->source, span->begin, span->end, error);
	if (status == STWATCH_OK && span->version >= STW_GO126)
		stw_cut_put(cut, &end, 1);
	if (status == STWATCH_OK && cut->out.failed)
		status = stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
	return status;
}
