/* A part of a trace as a trace of its own. */
#ifndef STWATCH_CUT_H
#define STWATCH_CUT_H

#include "stwatch/context.h"
#include "stwatch/events.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Set size; the zeroed rest means all of the trace, as it is. */
typedef struct stwatch_cut_options {
	size_t size;
	int64_t from_ns, to_ns;   /* from the trace's first event; generations (to Go 1.21: events) of that time are kept. to_ns 0: to the end */
	bool anonymise;           /* replace the program's own names and texts; those of the runtime and the standard library stay */
	const unsigned char *key; /* 16 bytes that pseudonyms follow from: the same key and name give the same one; NULL: bytes drawn at random */
} stwatch_cut_options;

typedef struct stwatch_cut_result {
	size_t size;              /* set by the caller */
	uint64_t generations;     /* that were written */
	uint64_t generations_in;  /* that the trace has */
	uint64_t bytes;           /* that were written */
	int64_t start_ns, end_ns; /* first and last time of what was written, from the trace's first event */
} stwatch_cut_result;

/* Writes whole generations of a trace (the smallest part that can be read alone, about a second of time) through the sink, as a trace that
 * Go's own tools open. options, result and error may be NULL; "-" is standard input.
 * Traces of Go 1.21 and earlier have no such parts: just the events of that time are written, counted as one generation. Before them stands what was there
 * by then, as in any such trace: goroutines and what they were doing, procs, and what is in flight, each dated up to some ns before from_ns
 * (start_ns says when). docs/format-v1.md says what that can't tell.
 * STWATCH_ERR_ARGUMENT where nothing lies in that time; STWATCH_ERR_DAMAGED where the trace is damaged within it: the first part of it that
 * is sound was written (generations is 0 where that is nothing); _IO, _FORMAT, _MEMORY, _CANCELLED. */
stwatch_status stwatch_cut(stwatch_context *context, const char *path, const stwatch_cut_options *options, stwatch_sink_fn sink, void *user,
                           stwatch_cut_result *result, stwatch_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
