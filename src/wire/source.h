/* Input as bytes at offsets. Regular files are read in place; pipes, standard input and compressed files
 * are first spooled, decompressed, into an unlinked temporary file, so that everything after sees random access
 * and memory does not depend on the input's size. pread, not mmap: a file that shrinks meanwhile is an error, not a signal. */
#ifndef STW_WIRE_SOURCE_H
#define STW_WIRE_SOURCE_H

#include <stdbool.h>

#include "base/mem.h"
#include "stwatch/status.h"

typedef enum stw_packing { STW_PACKED_NOT, STW_PACKED_GZIP, STW_PACKED_ZSTD } stw_packing;

typedef struct stw_source {
	int fd;
	uint64_t size; /* of the readable (decompressed) bytes */
	uint64_t file_size; /* of the input as it is; equals size where it was not packed */
	stw_packing packing;
	bool spooled;
	bool cut; /* the compressed stream ended too early or was corrupt: what came before is readable */
} stw_source;

/* Opens a path ("-": standard input). On failure *error says why and nothing needs to be closed.
 * A pipe may go on for ever: cancel (NULL: nothing) ends the wait for it, with STWATCH_ERR_CANCELLED. */
stwatch_status stw_source_open(stw_source *source, const char *path, const volatile int *cancel, stwatch_error *error);
void stw_source_close(stw_source *source);

/* Reads up to size bytes at offset; *got is short only at the end of the input. Thread-safe. */
stwatch_status stw_source_read(const stw_source *source, uint64_t offset, void *buffer, size_t size, size_t *got, stwatch_error *error);

/* A file of no name in TMPDIR, open for reading and writing, gone once it is closed; -1 and errno. */
int stw_temporary_file(void);

#endif
