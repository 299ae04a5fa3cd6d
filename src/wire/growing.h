/* An input that is still being written: a file that somebody appends to, or a pipe. What is there can be read at offsets like any source; more
 * comes by waiting. */
#ifndef STW_WIRE_GROWING_H
#define STW_WIRE_GROWING_H

#include "wire/pump.h"

typedef struct stw_growing {
	stw_source source; /* what is there; it grows in stw_growing_wait only */
	stw_source_options options;
	int64_t silence_ns; /* after so much of it nothing more is expected; 0: never */
	int64_t heard_ns; /* when there was more last, CLOCK_MONOTONIC */
	int in; /* the file or pipe */
	bool plain; /* a regular file: it ends for now, not for good */
	bool written; /* nobody writes it any more */
	bool pumped; /* into a temporary file */
	int watch; /* of inotify, -1: there is none */
	stw_fd_feed feed;
	struct stw_http *http; /* an address in place of a file; NULL: it is none */
	stw_pump pump;
} stw_growing;

/* Opens a path ("-": standard input) and waits until its first bytes are there. On failure too, stw_growing_close ends it. As stw_source_open. */
stwatch_status stw_growing_open(
	stw_growing *g, const char *path, const stw_source_options *options, int64_t silence_ns, stwatch_error *error);
/* Waits for more. STWATCH_OK: source.size has grown, or it is `until` (CLOCK_MONOTONIC; INT64_MAX: for ever); STWATCH_END: nothing more comes, because the pipe's or file's last writer has closed it, or
 * it was silent for too long (source.cut is set by then, where that applies). _CANCELLED; _IO, also where the file became shorter. */
stwatch_status stw_growing_wait(stw_growing *g, int64_t until, stwatch_error *error);
void stw_growing_close(stw_growing *g);

/* Whether somebody has an open regular file open for writing, as far as the system tells. */
bool stw_is_being_written(int fd);

#endif
