/* The state graph of a trace: which states of the runtime its goroutines, P's and threads were in, for how long, and by which
 * transitions they went from one to the other. */
#ifndef STWATCH_STATES_H
#define STWATCH_STATES_H

#include "stwatch/analysis.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef enum stwatch_resource { STWATCH_GOROUTINE = 1, STWATCH_PROC, STWATCH_THREAD } stwatch_resource;

/* "goroutine", "proc", "thread". Never NULL. Thread-safe. */
const char *stwatch_resource_name(stwatch_resource resource);

/* Time in one state. */
typedef struct stwatch_state_time {
	stwatch_resource resource;
	const char *state;    /* "_Grunnable"; threads: "idle", "scheduling", "running", "syscall"; "unknown" */
	uint64_t stays;
	uint64_t censored;    /* of these, how many began before or ended after what was looked at */
	int64_t total_ns;
	double share;         /* of the time of all of the resource's states, 0 to 1 */
} stwatch_state_time;

/* One edge of the graph. */
typedef struct stwatch_transition {
	stwatch_resource resource;
	const char *from, *to;
	const char *event;    /* the trace's event that caused it: "GoUnblock" */
	uint64_t count;
	double share;         /* of all transitions of the resource, 0 to 1 */
	uint64_t measured;    /* how many stays in `from` with a known beginning stand behind the times; 0: they are -1 */
	int64_t p50_ns, p99_ns, max_ns; /* of these stays; p50 and p99 to within 1/16 */
	bool legal;
	const char *why;      /* what makes the runtime do it; where it is illegal: that it is */
} stwatch_transition;

/* What the trace shows and the runtime forbids. */
typedef struct stwatch_contradiction {
	const char *rule;     /* "illegal-transition" or "coupling-violation" */
	int64_t at_ns;        /* from the first event */
	int64_t goroutine, proc, thread; /* STWATCH_NONE: none */
	const char *what;     /* one line */
} stwatch_contradiction;

typedef struct stwatch_states stwatch_states;

/* Set by stwatch_states_options_init, then changed as wanted. */
typedef struct stwatch_states_options {
	size_t size;
	int64_t from_ns, to_ns;  /* from the first event; to_ns 0: to the end */
	int64_t goroutine, proc; /* only of these; STWATCH_NONE: all. With any choice, other resources are left out */
	const char *function;    /* only goroutines that were started with, or seen in, a function whose name has this in it (the trace is then read
	                          * twice); NULL: all */
} stwatch_states_options;

void stwatch_states_options_init(stwatch_states_options *options);

/* Reads traces of one process (files, folders, addresses; "-" is standard input), in any order, as one timeline, event by event, as strictly as
 * stwatch_reader_next, and goes on after damage. On STWATCH_OK,
 * _ERR_DAMAGED and _ERR_CANCELLED *out is set, owned by the caller, who ends it with stwatch_states_free; on damage it holds everything
 * that was readable and *error says the first problem. STWATCH_ERR_ARGUMENT where no goroutine is one of options->function, or the
 * traces are of several processes.
 * options and error may be NULL. */
stwatch_status stwatch_states_read(stwatch_context *context, const char *const *paths, size_t n_paths, const stwatch_states_options *options,
                                   stwatch_states **out, stwatch_error *error);
void stwatch_states_free(stwatch_states *states);

/* What follows is borrowed, and lives as long as the states. */
const stwatch_input *stwatch_states_inputs(const stwatch_states *states, size_t *count);
const char *const *stwatch_states_limits(const stwatch_states *states, size_t *count);
const stwatch_state_time *stwatch_states_times(const stwatch_states *states, size_t *count);
const stwatch_transition *stwatch_states_transitions(const stwatch_states *states, size_t *count); /* by resource, then as the runtime lists states */
/* The first 100; *total (NULL is allowed) says how many there are. */
const stwatch_contradiction *stwatch_states_contradictions(const stwatch_states *states, size_t *count, uint64_t *total);

typedef enum stwatch_states_format {
	STWATCH_STATES_TABLE,
	STWATCH_STATES_MERMAID, /* state diagrams, one a resource, in fenced blocks */
	STWATCH_STATES_DOT,     /* one graph, a cluster a resource */
	STWATCH_STATES_JSON     /* docs/schema/states.json */
} stwatch_states_format;

/* options: color and width count, for tables; may be NULL. STWATCH_ERR_IO if the sink stopped it. */
stwatch_status stwatch_states_print(const stwatch_states *states, stwatch_states_format format, const stwatch_print_options *options,
                                    stwatch_sink_fn sink, void *user);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
