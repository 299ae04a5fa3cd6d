/* An index of a trace: where its generations are and in time, and what crosses the borders between them, so that a reading of a
 * part gives to the letter what a reading of the whole gives there.
 *
 * A file of our own, "stwatch index 1\n" and then: where the table stands, its length and hash; states at borders; the table. Numbers are varints
 * (base/bytes.h), except the first three, which are 8 bytes each, lowest first. States are kept where they are small beside the
 * generations that they save reading (a
 * 16th, STW_INDEX_SHARE), or the index is small anyway (STW_INDEX_SMALL). It is made beside the trace ("trace.out.stwidx") or, where that can't be written, in the
 * user's cache folder, and belongs to exactly one state of the trace: its size, times, inode and the hash of all its bytes. */
#ifndef STW_ENGINE_INDEX_H
#define STW_ENGINE_INDEX_H

#include "engine/stream.h"
#include "engine/trace.h"

enum { STW_INDEX_SHARE = 16, STW_INDEX_SMALL = 64 << 10 };

typedef struct stw_index_entry {
	stw_border border; /* as a reading begins this generation */
	uint64_t end, generation, events, goroutines; /* goroutines: alive where it begins */
	int64_t first,
		last; /* times of its events as a reading hands them out, with its sync event (and, of the last one, the trace's last) */
	uint64_t state_at, state_size, state_hash; /* size 0: no state is kept; the first needs none */
} stw_index_entry;

typedef struct stw_index {
	stw_mem *mem;
	int fd;
	STW_VEC(stw_index_entry) entries;
	uint64_t borders; /* entries with a state */
	uint64_t size; /* of the index itself, in bytes */
	stwatch_error failure; /* what a whole reading ends with; status OK: nothing */
} stw_index;

enum { STW_INDEX_PATH = 4096 };
#define STW_INDEX_ENDING ".stwidx"

/* Where the index of a trace is looked for: beside it, or in the cache. False where there is no such place, or its name is too long. */
bool stw_index_path(char out[static STW_INDEX_PATH], const char *trace, bool cache);

/* Reads the whole trace and writes its index. STWATCH_OK also where the trace is damaged: the index says so. STWATCH_ERR_DAMAGED,
 * _ARGUMENT where it has no generation; _IO
 * also where the trace changed meanwhile. To be closed after STWATCH_OK. */
stwatch_status stw_index_make(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *path,
	const stw_run_options *options, stwatch_error *error);

/* Opens the index at path, if it is one of this trace. Else false; *why is then a constant text, NULL where there is just none.
 * Reads all of the trace only where size, times and inode alone can't tell that it is the same. */
bool stw_index_open(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *path, const char **why);
void stw_index_close(stw_index *index);

/* Begins a reading at the last kept border that is not after an entry; *entry is set to where that is. STWATCH_ERR_DAMAGED where the index is
 * (the stream is then closed), _MEMORY. */
stwatch_status stw_index_seek(const stw_index *index, stw_stream *stream, stw_mem *mem, const stw_source *source, stw_go_version version,
	size_t *entry, stwatch_error *error);

#endif
