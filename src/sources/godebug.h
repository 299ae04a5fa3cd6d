/* What GODEBUG makes the runtime print, picked out of any log: schedtrace and scheddetail (schedtrace in runtime/proc.go), gctrace
 * (runtime/mgc.go; five phases in Go 1.5, three since), inittrace (doInit1), and that gcpacertrace and scavtrace lines are there.
 * Times count from the start of the program. */
#ifndef STW_SOURCES_GODEBUG_H
#define STW_SOURCES_GODEBUG_H

#include "base/intern.h"
#include "sources/companion.h"

enum {
	STW_GCTRACE_PHASES = 5,
	STW_P_STATES = 6, /* idle, running, syscall, gcstop, dead, others */
	STW_G_STATES = 13, /* as runtime2.go numbers them, others */
};

/* What scheddetail adds to a line of schedtrace. */
typedef struct stw_sched_detail {
	uint32_t ps[STW_P_STATES], gs[STW_G_STATES];
	uint32_t ms, ms_blocked, ms_spinning, ms_with_p; /* threads */
	uint32_t ms_in_go; /* threads without a P that have a goroutine: in system calls or C, or locked */
	bool gc_waiting; /* the world is being stopped */
} stw_sched_detail;

typedef struct stw_sched_sample {
	int64_t at_ns; /* to the millisecond */
	uint64_t line;
	uint32_t run; /* of the program: several may write one log */
	uint32_t procs, idle, threads, spinning, idle_threads;
	uint64_t global, local, local_max; /* goroutines in the global queue, in those of the P's together, in the longest of these */
	bool detailed;
	stw_sched_detail detail;
} stw_sched_sample;

/* One P of the detailed sample with the longest queues. */
typedef struct stw_sched_p {
	int64_t id, m; /* m: -1: none */
	uint32_t status;
	uint64_t schedtick, syscalltick, queued, timers;
} stw_sched_p;

typedef struct stw_gc_line {
	uint64_t number, line;
	uint32_t run;
	int64_t at_ns; /* of its beginning, to the millisecond */
	int64_t percent; /* of the CPU that the collector took since the start */
	int64_t sweep_term_ns, mark_ns,
		mark_term_ns; /* by the clock; mark: scan and mark in Go 1.5; each stop includes the time to reach it */
	int64_t barrier_ns; /* the third stop of Go 1.5; 0 since */
	int64_t assist_ns, dedicated_ns, idle_ns; /* CPU */
	int64_t heap_start, heap_end, heap_live, goal; /* MiB */
	uint32_t procs;
	bool forced;
} stw_gc_line;

typedef struct stw_init_line {
	uint32_t package; /* in names */
	uint32_t run;
	uint64_t line;
	int64_t at_ns, clock_ns;
	uint64_t bytes, allocations;
} stw_init_line;

typedef struct stw_godebug {
	const stw_companion *companion;
	stw_mem *mem;
	stw_intern names;
	STW_VEC(stw_sched_sample) samples;
	STW_VEC(stw_sched_p) ps, reading; /* of the worst detailed sample, and of the one that is being read */
	uint64_t ps_line; /* of that sample */
	uint64_t ps_queued;
	STW_VEC(stw_gc_line) gcs;
	STW_VEC(stw_init_line) inits;
	uint64_t pacer, scavenger, torn; /* lines; torn: begin like one of these, and don't go on so */
	uint32_t runs;
	int64_t last_sched, last_gc, last_number; /* of this run; -1: none yet */
} stw_godebug;

void stw_godebug_init(stw_godebug *godebug, const stw_companion *companion);
void stw_godebug_free(stw_godebug *godebug);
/* The next line of the text. False when out of memory. */
bool stw_godebug_line(stw_godebug *godebug, const char *text, uint64_t number);
/* After the last. False when out of memory. */
bool stw_godebug_end(stw_godebug *godebug);
/* Whether anything was found. */
static inline bool stw_godebug_tells(const stw_godebug *g)
{
	return g->samples.count || g->gcs.count || g->inits.count || g->pacer || g->scavenger;
}
/* Goroutines in all queues. */
static inline uint64_t stw_sched_queued(const stw_sched_sample *s)
{
	return s->global + s->local;
}
const char *stw_p_state_name(uint32_t status);
const char *stw_g_state_name(uint32_t status);

#endif
