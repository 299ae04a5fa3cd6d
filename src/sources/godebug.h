/* What GODEBUG makes the runtime print, picked out of any log: schedtrace and scheddetail (schedtrace in runtime/proc.go), gctrace
 * (runtime/mgc.go; five phases in Go 1.5, three since), gcpacertrace (runtime/mgc.go, since 1.16 mgcpacer.go; in terms of the
 * design document up to 1.17, of the redesign since), inittrace (doInit1); lines of the scavenger are counted. Times count from
 * the start of the program: to the millisecond, except those of inittrace. */
#ifndef STW_SOURCES_GODEBUG_H
#define STW_SOURCES_GODEBUG_H

#include "base/intern.h"
#include "sources/companion.h"
#include "sources/log_time.h"

enum {
	STW_GCTRACE_PHASES = 5,
	STW_P_STATES = 6, /* idle, running, syscall, gcstop, dead, others */
	STW_G_STATES = 13, /* as runtime2.go numbers them, others */
};
/* No program runs longer: such times are none. */
#define STW_LONGEST_RUN_NS 1000000000000000000
/* Numbers of states (runtime2.go). */
enum { STW_SCHED_P_RUNNING = 1, STW_SCHED_P_SYSCALL = 2, STW_SCHED_G_WAITING = 4, STW_SCHED_G_DEAD = 6, STW_SCHED_G_DEAD_EXTRA = 11 };

/* What scheddetail adds to a line of schedtrace. */
typedef struct stw_sched_detail {
	uint32_t ps[STW_P_STATES], gs[STW_G_STATES];
	uint32_t ms, ms_blocked, ms_spinning, ms_with_p; /* threads */
	uint32_t ms_in_go; /* threads without a P that have a goroutine and don't sleep in the runtime: in system calls or C */
	uint32_t ms_locked; /* with a goroutine that is locked to them */
	bool gc_waiting; /* the world is being stopped */
	uint32_t n_reasons; /* why goroutines waited */
	size_t first_reason; /* of them, in stw_godebug.reasons */
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

/* What detailed samples say that follow each other. */
typedef enum stw_sched_stay_kind {
	STW_STAY_RUNS, /* a P ran the same goroutine, without scheduling once */
	STW_STAY_TICKS, /* a P was not idle and did not schedule once: whether it ran is not told */
	STW_STAY_CALL, /* a P stood in the same system call */
	STW_STAY_IN_CALL, /* a goroutine stood in a system call, on one thread that had no P */
	STW_STAY_KINDS
} stw_sched_stay_kind;

/* The same in two or more samples of one run, one after the other. */
typedef struct stw_sched_stay {
	uint8_t kind;
	bool stopping; /* the world was being stopped in one of the samples */
	bool collector; /* the goroutine is one of the collector's */
	uint32_t run, samples;
	int64_t p, g, m; /* -1: none, or not told */
	uint64_t schedtick, syscalltick; /* of the P */
	int64_t from_ns, to_ns;
	uint64_t from_line, line; /* of the first sample and of the last one */
	uint64_t queued; /* most goroutines that stood in queues meanwhile */
} stw_sched_stay;

/* One P of the detailed sample with the longest queues. */
typedef struct stw_sched_p {
	int64_t id, m; /* m: -1: none */
	uint32_t status;
	uint64_t schedtick, syscalltick, queued, timers;
} stw_sched_p;

/* Goroutines of a detailed sample that waited for one thing. */
typedef struct stw_sched_reason {
	uint32_t reason; /* in names */
	uint32_t count;
} stw_sched_reason;

typedef struct stw_gc_line {
	uint64_t number, line;
	uint32_t run;
	int64_t at_ns; /* of its beginning, to the millisecond */
	int64_t percent; /* of the CPU that the collector took since the start */
	int64_t sweep_term_ns, mark_ns, mark_term_ns; /* by the clock; each stop includes the time to reach it; mark: all between them */
	int64_t assist_ns, dedicated_ns, idle_ns; /* CPU */
	int64_t heap_start, heap_end, heap_live, goal; /* MiB; goal -1: none, GOGC=off */
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

/* What lines of gcpacertrace say together. */
typedef struct stw_pacer {
	uint64_t lines, cycles; /* cycles: those that tell how much CPU marking took */
	uint64_t over; /* of cycles: took more than a fifth beyond what was planned */
	int64_t used_max, planned; /* thousandths of the CPU */
	int64_t assist_ratio_max; /* thousandths of a unit of work for a byte */
	int64_t beyond_goal_max; /* bytes that the heap grew beyond its goal */
} stw_pacer;

/* One run of a program, as far as its lines tell them apart. */
typedef struct stw_godebug_run {
	uint64_t stream; /* what stands before its lines, less what changes from line to line */
	int64_t last_sched, last_gc, last_number; /* -1: none yet */
	uint8_t aligned; /* a stw_aligned: how its place in the trace's time is known */
	bool same; /* and what happened says that it is of the trace's process: by wall times alone it may be of another one */
	int64_t zero_ns; /* then: where its time 0 lies, to within slack_ns */
	int64_t slack_ns;
} stw_godebug_run;

/* What tells where a run's time lies in that of a trace. */
typedef enum stw_aligned {
	STW_ALIGNED_NOT,
	STW_ALIGNED_BY_CYCLES, /* collections of the same lengths at the same distances */
	STW_ALIGNED_BY_WALL, /* wall times in the log's lines and in the trace */
	STW_ALIGNED_BY_QUEUES, /* as many goroutines in queues as are runnable in the trace, at every sample */
	STW_ALIGNED_WAYS
} stw_aligned;

/* Whose stamp tells when a line was written. */
typedef enum stw_clock_how {
	STW_CLOCK_OWN, /* its own: it was written then, or a little before */
	STW_CLOCK_BEFORE, /* that of a line above: not before that */
	STW_CLOCK_AFTER, /* that of a line below: not after that */
} stw_clock_how;

typedef struct stw_godebug_clock {
	uint32_t run;
	uint8_t how; /* stw_clock_how */
	int64_t at_ns; /* the time of the run at which the line was written */
	stw_stamp stamp;
} stw_godebug_clock;

typedef struct stw_torn stw_torn;

typedef struct stw_godebug {
	const stw_companion *companion;
	stw_mem *mem;
	char *plain; /* a line without its escapes; NULL: none had any */
	stw_intern names;
	STW_VEC(stw_sched_sample) samples; /* in the end by run */
	STW_VEC(stw_sched_p) ps, reading; /* of the worst detailed sample, and of the one that is being read */
	STW_VEC(stw_sched_reason)
	reasons, reading_reasons; /* of all detailed samples, one after the other; of the one that is being read */
	STW_VEC(stw_sched_stay) stays, open; /* over, and going on */
	size_t next_open; /* where the next one that goes on is likely to stand */
	STW_VEC(stw_gc_line) gcs; /* in the end by run */
	STW_VEC(stw_init_line) inits;
	STW_VEC(stw_godebug_run) runs;
	STW_VEC(stw_godebug_clock) clocks; /* in the end by run */
	stw_stamp last_stamp; /* of the last line that has one and is none of these */
	bool has_stamp, stamp_used; /* there is one; a line below it has got it already */
	bool written; /* the last of these lines, which has no stamp of its own, has got none of a line below yet: */
	uint32_t written_run;
	int64_t written_ns;
	uint64_t ps_line, ps_queued, ps_goroutines; /* of that sample */
	stw_pacer pacer;
	const char *not_aligned; /* why no run has one; NULL: one has, or there is no trace */
	stw_torn *tear; /* the last line that other output has torn, in case it goes on (godebug_torn.c); NULL: there was none */
	bool reading_details; /* what follows are details of the last sample, */
	uint64_t details_stream; /* where this stands before them */
	uint64_t scavenger, torn,
		joined; /* lines; torn: begin like one of these, and don't go on so; joined: of such, put together again */
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
	return g->samples.count || g->gcs.count || g->inits.count || g->pacer.lines || g->scavenger;
}
/* Goroutines in all queues. */
static inline uint64_t stw_sched_queued(const stw_sched_sample *s)
{
	return s->global + s->local;
}
/* Threads without a P that are neither idle nor the runtime's monitor: in system calls or C, as far as the line tells. */
uint32_t stw_sched_in_calls(const stw_sched_sample *sample);
/* What a trace tells for laying a log beside it (godebug_align.c). */
typedef struct stw_gather stw_gather;
typedef struct stw_trace_clock {
	const stw_gather *gather;
	bool has_wall;
	int64_t wall_ns; /* of the trace's first event, since 1970 */
} stw_trace_clock;
/* Finds the place of each run in the trace's time, where it is certain; and the one run that is of the same process. False when out of memory. */
bool stw_godebug_align(stw_godebug *godebug, const stw_trace_clock *clock);

/* A line of gctrace is written at the end of its cycle. */
static inline int64_t stw_gc_end(const stw_gc_line *l)
{
	return l->at_ns + l->sweep_term_ns + l->mark_ns + l->mark_term_ns;
}

/* A sum that stays at the greatest number: a log may say anything. */
static inline int64_t stw_add_up(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* A time of a run in that of the trace; INT64_MIN (STW_TIME_UNKNOWN): not known. */
static inline int64_t stw_godebug_in_trace(const stw_godebug *g, uint32_t run, int64_t at)
{
	const stw_godebug_run *r = &g->runs.items[run];
	return r->aligned ? r->zero_ns + at : INT64_MIN;
}
const char *stw_p_state_name(uint32_t status);
const char *stw_g_state_name(uint32_t status);

/* ---- the kinds of lines; s is behind the word by which one is known (godebug_read.c) ---- */

/* A line where it was found: number, what stands before it, its stamp (NULL: none). */
typedef struct stw_godebug_at {
	uint64_t line, stream;
	const stw_stamp *stamp;
} stw_godebug_at;

/* *found: it is a whole one of this kind. False when out of memory. */
bool stw_godebug_sched(stw_godebug *godebug, const char *s, const stw_godebug_at *at, bool *found);
bool stw_godebug_gc(stw_godebug *godebug, const char *s, const stw_godebug_at *at, bool *found);
bool stw_godebug_pacer(stw_godebug *godebug, const char *s, const stw_godebug_at *at, bool *found);
/* The words before a line that are the same in all lines of a process, as a number. */
uint64_t stw_godebug_stream(const char *text, size_t length);
/* What a line is; of a torn one *stop is where what doesn't belong to it begins. */
typedef enum stw_line_is { STW_LINE_OTHER, STW_LINE_TORN, STW_LINE_WHOLE } stw_line_is;
stw_line_is stw_godebug_sched_is(const char *s, const char **stop);
stw_line_is stw_godebug_gc_is(const char *s, const char **stop);
/* Details (godebug_detail.c). A line of P, M or G where some are being read; what they say of one sample is over; all of them. */
bool stw_godebug_detail(stw_godebug *godebug, const char *text);
bool stw_godebug_sample_over(stw_godebug *godebug);
bool stw_godebug_details_end(stw_godebug *godebug);
/* What a sample says goes on from the one before, or begins. */
bool stw_godebug_stays(stw_godebug *godebug, stw_sched_stay now, const stw_sched_sample *sample);
/* A P's queue of a sample. */
void stw_sched_queue(stw_sched_sample *sample, uint64_t length);
/* A line was written at a time of a run. False when out of memory. */
bool stw_godebug_written(stw_godebug *godebug, uint32_t run, int64_t at_ns, const stw_godebug_at *at);
/* The run to which a line of schedtrace or gctrace belongs (number -1: schedtrace). UINT32_MAX when out of memory. */
uint32_t stw_godebug_run_of(stw_godebug *godebug, const stw_godebug_at *where, int64_t at, int64_t number);

#endif
