/* Where goroutines spent time of a kind, by stack: a trace as a profile that `go tool pprof` opens. */
#ifndef STWATCH_PROFILE_H
#define STWATCH_PROFILE_H

#include "stwatch/context.h"
#include "stwatch/events.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef enum stwatch_profile_type {
	/* As `go tool trace -pprof=TYPE` counts them, to the nanosecond: time from one transition to the next, of goroutines from their first run
	 * on, by the stack of the event that began it (where a goroutine became runnable: of who woke it). What is open at the end isn't counted. */
	STWATCH_PROFILE_SCHED,   /* runnable, until it ran */
	STWATCH_PROFILE_SYNC,    /* blocked on channels, select, locks */
	STWATCH_PROFILE_NET,     /* blocked on the network */
	STWATCH_PROFILE_SYSCALL, /* in system calls */
	/* All of it, up to the end of the trace. */
	STWATCH_PROFILE_STW,     /* stops of the world, by the stack of who asked for them; to Go 1.20 as `stat` infers them, in a reading of its own */
	STWATCH_PROFILE_RUNNING, /* running, by the stack at which each run ended */
	STWATCH_PROFILE_RUNNABLE /* runnable, by the goroutine's own stack: where it goes on, or was created */
} stwatch_profile_type;

/* Set size; the zeroed rest means all of the trace. */
typedef struct stwatch_profile_options {
	size_t size;
	stwatch_profile_type type;
	int64_t from_ns, to_ns;  /* only time within, from the trace's first event; to_ns 0: to the end */
	int64_t goroutine;       /* only this one's time; 0: all */
	const char *function;    /* only stacks with a function whose name has this in it; NULL: all */
} stwatch_profile_options;

typedef struct stwatch_profile_result {
	size_t size;     /* set by the caller */
	uint64_t stacks; /* distinct ones that have time */
	uint64_t count;  /* stays in the state */
	int64_t total_ns;
	uint64_t inferred; /* of STWATCH_PROFILE_STW to Go 1.20: stops of the trace that no event tells, and whose lengths are at most what is said */
} stwatch_profile_result;

/* Reads traces of one process (files, folders, addresses; "-" is standard input), in any order, as one timeline, and writes a gzip'd profile.proto (types "contentions" and "delay", as Go's tool has them) through the sink. options, result and error may be
 * NULL. Nothing is counted across a gap between traces, which the context's note tells. Memory grows with distinct stacks and live goroutines. STWATCH_ERR_UNAVAILABLE without the part "pprof";
 * STWATCH_ERR_DAMAGED where the trace is damaged: what could be read was written; _ARGUMENT where the
 * traces are of several processes; _IO, _FORMAT, _MEMORY, _CANCELLED. */
stwatch_status stwatch_profile_write(stwatch_context *context, const char *const *paths, size_t n_paths, const stwatch_profile_options *options,
                                     stwatch_sink_fn sink, void *user, stwatch_profile_result *result, stwatch_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
