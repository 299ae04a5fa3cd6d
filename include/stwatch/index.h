/* The index of a trace, with which a part of it can be read at the cost of that part. */
#ifndef STWATCH_INDEX_H
#define STWATCH_INDEX_H

#include "stwatch/context.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct stwatch_index_options {
	size_t size;
	bool cache; /* in the user's cache folder ($XDG_CACHE_HOME/stwatch, else ~/.cache/stwatch), not beside the trace */
} stwatch_index_options;

typedef struct stwatch_index_result {
	size_t size;            /* set by the caller */
	char path[4096];        /* where it is */
	uint64_t bytes;         /* of the index */
	uint64_t events, generations; /* generations: 1 of a trace of Go 1.21 or earlier */
	uint64_t borders;       /* at which a reading can begin, beside the start */
	int64_t duration_ns;
} stwatch_index_result;

/* Reads a whole trace and writes its index beside it, as TRACE.stwidx, or where that folder can't be written in the user's cache folder.
 * stwatch_events_print uses it from then on where a time is given, for as long as the trace stays the same.
 * STWATCH_ERR_DAMAGED where the trace is: the index was written, and tells of it, unless there is no sound generation, or no event; STWATCH_ERR_ARGUMENT for what is no plain file (a
 * pipe, compressed); _IO, _FORMAT, _UNSUPPORTED, _MEMORY, _CANCELLED. options, result and error may be NULL. */
stwatch_status stwatch_index_make(stwatch_context *context, const char *path, const stwatch_index_options *options,
                                  stwatch_index_result *result, stwatch_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
