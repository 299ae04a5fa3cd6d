/* The critical path of a task, a region or a goroutine: where its time went, across the goroutines that it waited for. */
#ifndef STWATCH_PATH_H
#define STWATCH_PATH_H

#include "stwatch/analysis.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef enum stwatch_path_subject {
	STWATCH_PATH_ANY,       /* none: what there is to choose from is listed */
	STWATCH_PATH_TASK,      /* runtime/trace.NewTask, by name or id */
	STWATCH_PATH_REGION,    /* runtime/trace.StartRegion and WithRegion, by name */
	STWATCH_PATH_GOROUTINE, /* by id, from its beginning to its end */
	STWATCH_PATH_FUNCTION   /* goroutines that were started with a function whose name has this in it */
} stwatch_path_subject;

/* "task", "region", "goroutine", "function"; "" for ANY. Never NULL. Thread-safe. */
const char *stwatch_path_subject_name(stwatch_path_subject subject);

/* What a stretch of the path went to. */
typedef enum stwatch_path_kind {
	STWATCH_PATH_RUNNING = 1,
	STWATCH_PATH_ASSIST,   /* working for the collector, or waiting for its workers, because it allocates */
	STWATCH_PATH_RUNNABLE, /* waiting for a P */
	STWATCH_PATH_STOPPED,  /* the same, while the world was being stopped, or stood */
	STWATCH_PATH_SYSCALL,  /* in a system call or in C code */
	STWATCH_PATH_NETWORK,  /* waiting for the network */
	STWATCH_PATH_TIMER,    /* sleeping, or woken by a timer */
	STWATCH_PATH_GC,       /* waiting for the collector otherwise */
	STWATCH_PATH_WAITING,  /* a wait that nobody in the trace ended, or that is not followed any deeper */
	STWATCH_PATH_UNKNOWN,  /* the trace does not tell */
	STWATCH_PATH_KINDS
} stwatch_path_kind;

/* "running", "gc-assist", "runnable", "stopped", "syscall", "network", "timer", "gc", "waiting", "unknown". Never NULL. Thread-safe. */
const char *stwatch_path_kind_name(stwatch_path_kind kind);

/* Why there was no P: what they did meanwhile. */
typedef struct stwatch_path_procs {
	const char *cause;      /* "busy", "gc-workers", "system-calls", "proc-idle"; NULL: not a stretch that waits for a P */
	int64_t running_ns, gc_ns, syscall_ns, idle_ns; /* of all P's */
	const char *function;   /* the goroutines that had most of it: what they are started with; NULL: unknown */
	int64_t function_ns;
} stwatch_path_procs;

/* A stretch of the path. Together they are the span, without gaps. */
typedef struct stwatch_path_segment {
	int64_t from_ns, to_ns; /* from the first event */
	stwatch_path_kind kind;
	int64_t goroutine;      /* whose time it is */
	const char *function, *file; uint64_t line; /* where it was; "" where unknown */
	const char *leaf, *root; /* innermost and outermost function; "" where unknown */
	const char *what;       /* why it waited, the kind of a stop; "" where there is nothing to say */
	unsigned depth;         /* how many waits of others it stands for; 0: the goroutine's own time */
	int64_t waiter;         /* the goroutine that waited for this one; STWATCH_NONE: none */
	const char *waiter_function, *waiter_what; /* where and why */
	stwatch_path_procs procs;
	uint64_t merged;        /* shorter stretches that it stands for, itself the longest of them; 0: just this one */
} stwatch_path_segment;

/* What the path went to, by kind and place. */
typedef struct stwatch_path_share {
	stwatch_path_kind kind;
	const char *function, *root, *what; /* as in a segment */
	int64_t goroutine;      /* STWATCH_NONE: several */
	bool own;               /* the subject's own goroutine's time, not that of those it waited for */
	uint64_t count;         /* stretches */
	int64_t total_ns, max_ns;
} stwatch_path_share;

/* A task, region or goroutine. */
typedef struct stwatch_path_span {
	const char *name;       /* of a goroutine: what it was started with */
	uint64_t id;            /* of a task or goroutine; of a region its goroutine's */
	int64_t from_ns, to_ns; /* from the first event */
	int64_t goroutine;      /* that ended it; where it did not end, that began it */
	bool open_begin, open_end; /* it began before, or went on after, what the trace shows */
} stwatch_path_span;

/* All with the name that was asked for. */
typedef struct stwatch_path_summary {
	uint64_t count;
	int64_t p50_ns, p99_ns, max_ns, total_ns; /* of their spans */
	uint64_t followed;      /* so many of them had their path followed; the figures below are theirs */
	int64_t kind_ns[STWATCH_PATH_KINDS];
	const stwatch_path_share *shares; size_t n_shares; /* most first */
} stwatch_path_summary;

/* What there is to choose from. */
typedef struct stwatch_path_choice {
	stwatch_path_subject subject;
	const char *name;
	uint64_t id;            /* of a goroutine */
	uint64_t count;
	int64_t total_ns, max_ns; /* of a goroutine: how long it waited in all, and the longest wait */
} stwatch_path_choice;

/* Set by stwatch_path_options_init, then changed as wanted. */
typedef struct stwatch_path_options {
	size_t size;
	stwatch_path_subject subject;
	const char *name;       /* of a task, region or function; digits alone may also be a task's id */
	int64_t goroutine;      /* for STWATCH_PATH_GOROUTINE */
	uint64_t nth;           /* the how manieth, from the longest on; 0 and 1: the longest */
	int64_t at_ns;          /* the one that was under way then, from the first event; STWATCH_UNKNOWN: no matter */
} stwatch_path_options;

void stwatch_path_options_init(stwatch_path_options *options);

typedef struct stwatch_path stwatch_path;

/* Reads traces of one process (files, folders, addresses; "-" is standard input), in any order, as one timeline: once, and those of its generations again that the path goes through. On STWATCH_OK,
 * _ERR_DAMAGED and _ERR_CANCELLED *out is set, owned by the caller, who ends it with stwatch_path_free; on damage it holds everything that
 * was readable and *error says the first problem. STWATCH_ERR_ARGUMENT where they have nothing of that name, or are of several processes; _IO, _FORMAT, _MEMORY.
 * options and error may be NULL. */
stwatch_status stwatch_path_read(stwatch_context *context, const char *const *paths, size_t n_paths, const stwatch_path_options *options,
                                 stwatch_path **out, stwatch_error *error);
void stwatch_path_free(stwatch_path *path);

/* What follows is borrowed, and lives as long as the path. */
const stwatch_input *stwatch_path_inputs(const stwatch_path *path, size_t *count);
const char *const *stwatch_path_limits(const stwatch_path *path, size_t *count);
/* NULL where nothing was asked for (then there are only choices), or the reading was interrupted. */
const stwatch_path_span *stwatch_path_chosen(const stwatch_path *path);
const stwatch_path_segment *stwatch_path_segments(const stwatch_path *path, size_t *count); /* in order of time */
const stwatch_path_share *stwatch_path_shares(const stwatch_path *path, size_t *count);     /* of the chosen one, most first */
const int64_t *stwatch_path_kinds(const stwatch_path *path); /* of the chosen one, ns by stwatch_path_kind */
const stwatch_path_summary *stwatch_path_all(const stwatch_path *path);
const stwatch_path_choice *stwatch_path_choices(const stwatch_path *path, size_t *count); /* by subject, most time first */

typedef enum stwatch_path_format {
	STWATCH_PATH_TEXT,
	STWATCH_PATH_MERMAID, /* a sequence of who woke whom, in a fenced block */
	STWATCH_PATH_JSON     /* docs/schema/path.json */
} stwatch_path_format;

/* options: color and width count, for text; may be NULL. STWATCH_ERR_IO if the sink stopped it. */
stwatch_status stwatch_path_print(const stwatch_path *path, stwatch_path_format format, const stwatch_print_options *options,
                                  stwatch_sink_fn sink, void *user);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
