/* An index of a trace: where its generations are and in time, and what crosses the borders between them, so that a reading of a
 * part gives to the letter what a reading of the whole gives there. A trace of Go 1.21 or earlier has no generations: of such it holds what the first pass
 * found (v1/index.h), so that none has to be made, and the merge's state every so often.
 *
 * A file of our own, "stwatch index 5\n" and then: where the table stands, its length and hash; of a v1 trace the ends of system calls, packed
 * (v1/exits.h); states at borders; the table. Numbers are varints
 * (base/bytes.h), except the first three, which are 8 bytes each, lowest first. States are kept where they are small beside the
 * generations that they save reading (a 16th, STW_INDEX_SHARE; of v1 a 64th), or the index is small anyway (STW_INDEX_SMALL). It is made beside the trace
 * ("trace.out.stwidx") or, where that can't be written, in the
 * user's cache folder, and belongs to exactly one state of the trace: its size, times, inode and the hash of all its bytes. */
#ifndef STW_ENGINE_INDEX_H
#define STW_ENGINE_INDEX_H

#include "engine/pass.h"
#include "engine/stream.h"

enum { STW_INDEX_SHARE = 16, STW_INDEX_SMALL = 64 << 10 };

/* A generation; of a v1 trace, the events from one kept state to the next. */
typedef struct stw_index_entry {
	stw_border border; /* as a reading begins this generation */
	uint64_t end, generation, events, goroutines; /* goroutines: alive where it begins */
	int64_t first,
		last; /* times of its events as a reading hands them out, with its sync event (and, of the last one, the trace's last) */
	uint64_t state_at, state_size, state_hash; /* size 0: no state is kept; the first needs none */
	uint64_t exits; /* of a v1 trace: how many ends of system calls have been taken where it begins */
	int64_t before; /* of a v1 trace: the latest time, ns from the first event, that the merge has looked at before it begins */
} stw_index_entry;

typedef struct stw_index {
	stw_mem *mem;
	int fd;
	STW_VEC(stw_index_entry) entries;
	uint64_t borders; /* entries with a state */
	uint64_t size; /* of the index itself, in bytes */
	stwatch_error failure; /* what a whole reading ends with; status OK: nothing */
	stw_v1_index v1; /* of a v1 trace that is opened: what its first pass found, for stw_v1_open_read, which takes it */
} stw_index;

enum { STW_INDEX_PATH = 4096 };
#define STW_INDEX_ENDING ".stwidx"

/* Where the index of a trace is looked for: beside it, or in the cache. False where there is no such place, or its name is too long. */
bool stw_index_path(char out[static STW_INDEX_PATH], const char *trace, bool cache);

/* Reads the whole trace and writes its index. STWATCH_OK also where the trace is damaged: the index says so. STWATCH_ERR_DAMAGED,
 * _ARGUMENT where it has no event; _IO
 * also where the trace changed meanwhile. To be closed after STWATCH_OK. */
stwatch_status stw_index_make(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *path,
	const stw_run_options *options, stwatch_error *error);

/* Opens the index at path, if it is one of this trace. Else false; *why is then a constant text, NULL where there is just none.
 * Reads all of the trace only where size, times and inode alone can't tell that it is the same. */
bool stw_index_open(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *path, const char **why);
/* The same of the first that fits, of the places where it is looked for. */
bool stw_index_find(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *trace, const char **why);
void stw_index_close(stw_index *index);

/* Whether who reads past damage reads the trace as the index has it: nothing is wrong with it, and no generation stands behind one of a higher number,
 * as such are put in order then (v2/spans.h). */
bool stw_index_is_of_sound(const stw_index *index);

/* What is to be read for a stretch of time. */
typedef struct stw_index_part {
	size_t from, to; /* entries: from one with a state, or the first, to behind the last */
	uint64_t events; /* in them; UINT64_MAX: they go to the trace's end */
} stw_index_part;

/* ns from the trace's first event; to_ns at most 0: to the end. False: there is nothing in that time. */
bool stw_index_choose(const stw_index *index, int64_t from_ns, int64_t to_ns, stw_index_part *part);
/* The same for who cuts a part out of a v1 trace: from the last state of which it is certain that the part does not begin before it. */
void stw_index_choose_cut(const stw_index *index, int64_t from_ns, int64_t to_ns, stw_index_part *part);
/* Whether what is to be read of the index for a part of a v1 trace, beside the state, is as it was written. */
bool stw_index_is_sound(const stw_index *index, const stw_v1_exits *exits, const stw_index_part *part);
/* The state at which a part begins, which is none's that begins with the first entry; NULL where it is damaged, or out of memory. To be freed with
 * stw_index_free_state. */
uint8_t *stw_index_state(const stw_index *index, stw_mem *mem, const stw_index_part *part, stw_bytes_reader *reader);
void stw_index_free_state(const stw_index *index, stw_mem *mem, const stw_index_part *part, uint8_t *state);
/* Begins a reading at a part. STWATCH_ERR_DAMAGED where the index is (the stream is then closed), _MEMORY. */
stwatch_status stw_index_seek(const stw_index *index, const stw_index_part *part, stw_stream *stream, stw_mem *mem,
	const stw_source *source, stw_go_version version, stwatch_error *error);
/* The same of a stream that was just opened, of a v1 trace that was opened with this index. What is to be read of the index is looked through first.
 * STWATCH_ERR_DAMAGED, _MEMORY, _IO; the stream is then still to be closed. */
stwatch_status stw_index_seek_v1(const stw_index *index, const stw_index_part *part, stw_stream *stream, stwatch_error *error);

#endif
