/* Ends of system calls in order of when they really were. The runtime writes such an event when the goroutine runs again, with the
 * time at which the call had ended: any time before. So they are collected by the first pass over a trace, sorted, and merged into
 * its order by the second. Beyond a few megabytes, sorted runs of them go to a temporary file. */
#ifndef STW_V1_EXITS_H
#define STW_V1_EXITS_H

#include "base/mem.h"

typedef struct stw_v1_exit {
	int64_t key; /* by which events are ordered: ticks; to Go 1.6 the sequence number */
	int64_t ticks;
	uint64_t g;
} stw_v1_exit;

typedef struct stw_v1_exits {
	stw_mem *mem;
	STW_VEC(stw_v1_exit) items; /* the last run */
	STW_VEC(uint64_t) runs; /* where each run in the file ends, in entries */
	int fd; /* of the file; -1: none */
	uint64_t count;
} stw_v1_exits;

void stw_v1_exits_init(stw_v1_exits *exits, stw_mem *mem);
void stw_v1_exits_free(stw_v1_exits *exits);
/* STWATCH_OK, _MEMORY, _IO. */
stwatch_status stw_v1_exits_add(stw_v1_exits *exits, stw_v1_exit exit, stwatch_error *error);
/* After the last. */
stwatch_status stw_v1_exits_finish(stw_v1_exits *exits, stwatch_error *error);

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
} stw_v1_exit_walk;

stwatch_status stw_v1_exit_walk_open(stw_v1_exit_walk *walk, stw_mem *mem, const stw_v1_exits *exits, stwatch_error *error);
void stw_v1_exit_walk_close(stw_v1_exit_walk *walk);
/* STWATCH_OK, STWATCH_END, _IO. */
stwatch_status stw_v1_exit_walk_next(stw_v1_exit_walk *walk, stw_v1_exit *exit, stwatch_error *error);

#endif
