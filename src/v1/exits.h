/* Ends of system calls in order of when they really were. The runtime writes such an event when the goroutine runs again, with the
 * time at which the call had ended: any time before. So they are collected by the first pass over a trace, sorted, and merged into
 * its order by the second. Beyond a few megabytes, sorted runs of them go to a temporary file.
 *
 * An index of the trace (engine/index.h) keeps them packed: blocks of so many each, in order, read when a walk comes to them. */
#ifndef STW_V1_EXITS_H
#define STW_V1_EXITS_H

#include "base/bytes.h"
#include "stwatch/status.h"

typedef struct stw_v1_exit {
	int64_t key; /* by which events are ordered: ticks; to Go 1.6 the sequence number */
	int64_t ticks;
	uint64_t g;
} stw_v1_exit;

/* Of a file that keeps them packed. */
typedef struct stw_v1_exit_block {
	uint64_t at, hash;
	uint32_t size; /* in bytes */
} stw_v1_exit_block;

enum { STW_V1_EXIT_BLOCK = 2048 }; /* exits in a block, but for the last */

typedef struct stw_v1_exits {
	stw_mem *mem;
	STW_VEC(stw_v1_exit) items; /* the last run */
	STW_VEC(uint64_t) runs; /* where each run in the file ends, in entries */
	STW_VEC(stw_v1_exit_block) blocks; /* of those that are kept packed: then there are no runs */
	int fd; /* of the file; -1: none */
	uint64_t count;
} stw_v1_exits;

void stw_v1_exits_init(stw_v1_exits *exits, stw_mem *mem);
void stw_v1_exits_free(stw_v1_exits *exits);
/* STWATCH_OK, _MEMORY, _IO. */
stwatch_status stw_v1_exits_add(stw_v1_exits *exits, stw_v1_exit exit, stwatch_error *error);
/* After the last. */
stwatch_status stw_v1_exits_finish(stw_v1_exits *exits, stwatch_error *error);

/* Writes them packed to the end of a file, behind `*at` bytes, which grow; the blocks are those of `packed`, which is begun and stays empty else.
 * STWATCH_OK, _MEMORY, _IO. */
stwatch_status stw_v1_exits_pack(const stw_v1_exits *exits, stw_v1_exits *packed, int fd, uint64_t *at, stwatch_error *error);
/* Where the blocks lie, as bytes; and back, of a file of so many bytes, whose descriptor is taken. False where that can't be (to be freed all the same). */
void stw_v1_exits_save(const stw_v1_exits *packed, stw_bytes *bytes);
bool stw_v1_exits_restore(stw_v1_exits *exits, stw_mem *mem, int fd, uint64_t file_size, stw_bytes_reader *reader);
/* Whether packed ones are as they were written, from one to another, by number. */
bool stw_v1_exits_are_sound(const stw_v1_exits *exits, uint64_t from, uint64_t to);

/* One run as it is read. */
typedef struct stw_v1_run {
	stw_v1_exit *room;
	uint32_t at, count; /* in room */
	uint64_t next, end; /* in the file, in entries */
} stw_v1_run;

/* A walk over all of them; several may go on at once. */
typedef struct stw_v1_exit_walk {
	const stw_v1_exits *exits;
	stw_mem *mem;
	stw_v1_run *runs; /* of the file */
	size_t n_runs, in_memory;
	stw_v1_exit *room;
	uint64_t taken; /* so many have been handed out */
	uint64_t block; /* of packed ones, the one that is in room; UINT64_MAX: none yet */
} stw_v1_exit_walk;

stwatch_status stw_v1_exit_walk_open(stw_v1_exit_walk *walk, stw_mem *mem, const stw_v1_exits *exits, stwatch_error *error);
void stw_v1_exit_walk_close(stw_v1_exit_walk *walk);
/* Of packed ones: lets the walk go on as if so many had been handed out. */
void stw_v1_exit_walk_seek(stw_v1_exit_walk *walk, uint64_t taken);
/* STWATCH_OK, STWATCH_END, _IO; _DAMAGED of packed ones that are not as they were written. */
stwatch_status stw_v1_exit_walk_next(stw_v1_exit_walk *walk, stw_v1_exit *exit, stwatch_error *error);

#endif
