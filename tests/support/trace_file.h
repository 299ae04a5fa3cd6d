/* A trace out of a file, for tests of the stages behind its opening. */
#ifndef STWATCH_TESTS_TRACE_FILE_H
#define STWATCH_TESTS_TRACE_FILE_H

#include "engine/trace.h"

static inline stwatch_status open_trace(stw_trace *trace, stw_mem *mem, const char *path, stwatch_error *error)
{
	stw_trace_file file = {.path = path};
	stwatch_status status = stw_source_open(&file.source, path, NULL, error);
	return status == STWATCH_OK ? stw_trace_take(trace, mem, &file, 1, NULL, 1, NULL, error) : status;
}

#endif
