/* A context carries settings, the allocator and its limit, progress and cancellation. The library keeps no global state. */
#ifndef STWATCH_CONTEXT_H
#define STWATCH_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "stwatch/status.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct stwatch_context stwatch_context;

/* Replaces malloc: resize(user, NULL, 0, n) allocates, resize(user, p, old, 0) frees and returns NULL, else reallocates.
 * Called from several threads at once when threads > 1. */
typedef void *(*stwatch_resize_fn)(void *user, void *block, size_t old_size, size_t new_size);

/* Called now and then while work goes on, on the thread that called the library. done and total are bytes of input. */
typedef void (*stwatch_progress_fn)(void *user, uint64_t done, uint64_t total);

/* Called on the thread that called the library, with a line for people that is neither a result nor an error: a file in a folder that was passed
 * over, an index that was not used, a gap between traces. Begins with the file that it is about, where there is one. */
typedef void (*stwatch_note_fn)(void *user, const char *line);

/* Set size to sizeof(stwatch_context_options); a zeroed rest means the defaults. */
typedef struct stwatch_context_options {
	size_t size;
	unsigned threads;             /* worker threads, 1 to 256; 0: one per online processor */
	uint64_t memory_limit;        /* bytes that may be allocated at one time; 0: no limit */
	stwatch_resize_fn resize;     /* NULL: the C library's */
	void *resize_user;
	stwatch_progress_fn progress; /* NULL: none */
	void *progress_user;
	const volatile int *cancel;   /* when it becomes non-zero, work ends soon with STWATCH_ERR_CANCELLED; NULL: never */
	uint64_t unpack_limit;        /* bytes that a pipe or a compressed input may have in its temporary file: what is beyond is left out and told as damage.
	                                 0: what the disk has room for; of compressed input, 1 GiB, or 100 times its size */
	stwatch_note_fn note;         /* NULL: nobody is told */
	void *note_user;
} stwatch_context_options;

/* Creates a context; options may be NULL. *out is owned by the caller, who ends it with stwatch_context_free.
 * STWATCH_ERR_MEMORY, STWATCH_ERR_ARGUMENT. A context may be used by one thread at a time; different contexts are independent. */
stwatch_status stwatch_context_create(const stwatch_context_options *options, stwatch_context **out);

/* Frees a context; everything made with it must be freed before. NULL is allowed. */
void stwatch_context_free(stwatch_context *context);

/* The binary of a Go program (ELF): it names what traces of Go 1.5 and 1.6 lack, in whatever is opened with this context alone by its path
 * (events, states, paths, profiles); stwatch_analyze takes binaries among its inputs. Of several the first whose functions are at a trace's
 * addresses counts; a trace with addresses that are none of theirs is then STWATCH_ERR_FORMAT. path must live as long as the context.
 * STWATCH_ERR_FORMAT: it is no such binary; _IO, _MEMORY, _UNSUPPORTED, with *error filled (error may be NULL). */
stwatch_status stwatch_context_add_binary(stwatch_context *context, const char *path, stwatch_error *error);

/* The most bytes that were allocated at one time so far. */
uint64_t stwatch_context_memory_peak(const stwatch_context *context);

/* The library's version, "0.1.0". Thread-safe. */
const char *stwatch_version(void);

/* Whether an optional part was built in and what it needs is there: "pprof" (profiles, read and written),
 * "http" (addresses as inputs; loads libcurl). False for names that are not known. Thread-safe. */
bool stwatch_has(const char *part);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
