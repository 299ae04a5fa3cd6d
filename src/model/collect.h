/* What the collector did within a generation, who worked for it, and who allocated: gathered at rare events only. */
#ifndef STW_MODEL_COLLECT_H
#define STW_MODEL_COLLECT_H

#include "base/mem.h"

/* In which mode a mark worker works (runtime/mgc.go: gcMarkWorkerMode). */
typedef enum stw_worker {
	STW_WORKER_NONE,
	STW_WORKER_DEDICATED, /* keeps its P for the whole cycle */
	STW_WORKER_FRACTIONAL, /* a part of a P's time, where a quarter of GOMAXPROCS is no whole number */
	STW_WORKER_IDLE, /* because nothing else is there to run */
	STW_WORKER_COUNT
} stw_worker;

/* A place in the program that allocates or starts goroutines. */
typedef struct stw_alloc_site {
	uint32_t stack; /* index in the generation */
	uint32_t assists, triggers, created; /* assists, cycles and goroutines that began here */
	int64_t assist_ns; /* on the CPU */
} stw_alloc_site;

typedef struct stw_collect {
	int64_t mark_stopped_ns; /* of the mark phase: while the world was being stopped, or stood */
	int64_t worker_ns[STW_WORKER_COUNT];
	int64_t fractional_max_ns; /* one stretch */
	uint64_t cycles_timed; /* cycles whose beginning and the end of the one before are both in the generation */
	int64_t between_ns, between_min_ns; /* from one cycle's end to the next one's beginning: in all, and the least */
	int64_t first_begin, last_end; /* INT64_MIN: none */
	uint64_t heap; /* at the last HeapAlloc */
	int64_t heap_at; /* when that was */
	uint64_t live_first, live; /* what the first and the last cycle left; 0: unknown */
	uint64_t base, goal, trigger; /* when the last cycle began: what the one before had left, the heap's goal and size; 0: unknown */
	uint32_t beginner; /* slot of the goroutine that began a cycle, until its first stop; STW_SLOT_NONE */
	uint64_t polled, polled_late; /* goroutines that the network woke; those without a P: sysmon polled */
	STW_VEC(stw_alloc_site) by_stack; /* while it runs: as many as the generation has stacks, once one is needed */
	STW_VEC(stw_alloc_site) sites; /* the result: those that count most */
} stw_collect;

#endif
