/* Filling in a stwatch_error. */
#ifndef STW_BASE_ERROR_H
#define STW_BASE_ERROR_H

#include "stwatch/status.h"

/* Sets *error (NULL is allowed) and returns status, so that a failing function can say `return stw_fail(…)`. */
stwatch_status stw_fail(stwatch_error *error, stwatch_status status, uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static inline stwatch_status stw_fail_memory(stwatch_error *error)
{
	stw_fail(error, STWATCH_ERR_MEMORY, STWATCH_NO_OFFSET, "out of memory (or over the memory limit that was set)");
	return STWATCH_ERR_MEMORY;
}

/* The error that a public function fills in: the caller's, or where that is NULL a local one. */
static inline stwatch_error *stw_error_begin(stwatch_error *error, stwatch_error *local)
{
	if (!error)
		error = local;
	*error = (stwatch_error){.offset = STWATCH_NO_OFFSET};
	return error;
}

#endif
