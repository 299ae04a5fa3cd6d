/* Input as bytes at offsets. Regular files are read in place; pipes, standard input and compressed files
 * are first spooled, decompressed, into an unlinked temporary file, so that everything after sees random access
 * and memory does not depend on the input's size. pread, not mmap: a file that shrinks meanwhile is an error, not a signal. */
#ifndef STW_WIRE_SOURCE_H
#define STW_WIRE_SOURCE_H

#include <stdbool.h>

#include "base/mem.h"
#include "stwatch/status.h"

typedef enum stw_packing { STW_PACKED_NOT, STW_PACKED_GZIP, STW_PACKED_ZSTD } stw_packing;

/* Why not all of an input is there. */
typedef enum stw_cut_short {
	STW_CUT_NOT,
	STW_CUT_CORRUPT, /* the compressed stream ended too early or was corrupt */
	STW_CUT_LIMIT, /* it has more bytes than the limit allows */
	STW_CUT_DISK /* than the disk of the temporary file has room for */
} stw_cut_short;

typedef struct stw_source {
	int fd;
	uint64_t size; /* of the readable (decompressed) bytes */
	uint64_t file_size; /* of the input as it is; equals size where it was not packed */
	stw_packing packing;
	bool spooled;
	stw_cut_short cut; /* what came before is readable */
	stwatch_progress_fn progress; /* as it was opened with; may be NULL */
	void *progress_user;
} stw_source;

/* How to open one. NULL in place of it: all zero. */
typedef struct stw_source_options {
	const volatile int *cancel; /* a pipe may go on for ever: ends the wait for it, with STWATCH_ERR_CANCELLED. NULL: nothing does */
	stwatch_progress_fn
		progress; /* while it is unpacked or copied, and while it is gone through before anything can be read (stw_source_tell); NULL: none */
	void *progress_user;
	uint64_t expected; /* set while it works: bytes of the input, 0: not known */
	uint64_t
		unpack_limit; /* bytes of a temporary file; 0: what the disk has room for, and of packed input 1 GiB, or 100 times its size */
} stw_source_options;

/* Opens a path ("-": standard input). On failure *error says why and nothing needs to be closed. */
stwatch_status stw_source_open(stw_source *source, const char *path, const stw_source_options *options, stwatch_error *error);
void stw_source_close(stw_source *source);
/* What to say of one that is cut. STWATCH_ERR_DAMAGED. */
stwatch_status stw_source_fail_cut(const stw_source *source, stwatch_error *error);

/* Tells the progress of who goes through it from its beginning to its end, with where that one is. */
static inline void stw_source_tell(const stw_source *source, uint64_t offset)
{
	if (source->progress)
		source->progress(source->progress_user, offset, source->size);
}

/* Reads up to size bytes at offset; *got is short only at the end of the input. Thread-safe. */
stwatch_status stw_source_read(const stw_source *source, uint64_t offset, void *buffer, size_t size, size_t *got, stwatch_error *error);

/* Bytes of a file or a pipe, for a pump (pump.h); user: a stw_fd_feed. */
typedef struct stw_fd_feed {
	int fd;
	const volatile int *cancel; /* NULL: nothing */
} stw_fd_feed;
stwatch_status stw_fd_feed_read(void *user, void *buffer, size_t size, size_t *got, stwatch_error *error);

/* write(2) until all is written; false with errno set. */
bool stw_write_all(int fd, const void *data, size_t size);

/* Makes a file of no name in TMPDIR, open for reading and writing, gone once it is closed. STWATCH_OK; _IO, and *fd is -1. */
stwatch_status stw_temporary_file(int *fd, stwatch_error *error);
/* That it can't be written, with errno. STWATCH_ERR_IO. */
stwatch_status stw_temporary_fail(stwatch_error *error);

#endif
