/* A pprof profile in memory: where CPU time went, what waited for locks, what is on the heap. Samples have no times of their own:
 * only shares by stack can be told from them. */
#ifndef STW_SOURCES_PROFILE_H
#define STW_SOURCES_PROFILE_H

#include "base/intern.h"
#include "sources/companion.h"

typedef enum stw_profile_kind {
	STW_PROFILE_OTHER,
	STW_PROFILE_CPU,
	STW_PROFILE_CONTENTION, /* mutex or block, and too few samples to tell which */
	STW_PROFILE_MUTEX, /* waits charged to who released the lock */
	STW_PROFILE_BLOCK, /* waits charged to who waited */
	STW_PROFILE_GOROUTINE,
	STW_PROFILE_HEAP,
	STW_PROFILE_THREADS
} stw_profile_kind;

enum { STW_PROFILE_TYPES_MAX = 16 };

typedef struct stw_profile_type {
	const char *type, *unit; /* "cpu", "nanoseconds" */
} stw_profile_type;

typedef struct stw_profile_function {
	const char *name, *file; /* "" where unknown */
} stw_profile_function;

typedef struct stw_profile_frame {
	uint32_t function; /* index into functions */
	int64_t line;
} stw_profile_frame;

typedef struct stw_profile_location {
	uint32_t first, n; /* its frames, innermost first */
} stw_profile_location;

typedef struct stw_profile_sample {
	uint32_t first, n; /* its locations (indices) within stacks, leaf first */
	const int64_t *values; /* one a type */
} stw_profile_sample;

/* Where an address was loaded from: its file is there from `offset` on. */
typedef struct stw_profile_mapping {
	uint64_t start, offset;
} stw_profile_mapping;

/* Immutable once read, but for the names that a binary gives; lives in its companion's arena. */
typedef struct stw_profile {
	stw_profile_kind kind;
	const char *words; /* "CPU profile" */
	stw_profile_type types[STW_PROFILE_TYPES_MAX];
	size_t n_types;
	size_t count; /* which type counts samples or events; n_types: none does */
	size_t weight; /* which type weighs them: CPU time, delay, bytes; without one, count */
	stw_profile_type period_type;
	int64_t period; /* 0: not told */
	int64_t time_unix_ns; /* CPU: of its start; else of when it was taken; 0: not told */
	int64_t duration_ns; /* 0: not told */
	const stw_profile_function *functions; /* by name and file; each once */
	size_t n_functions;
	const stw_profile_frame *frames;
	size_t n_frames;
	const stw_profile_location *locations;
	size_t n_locations;
	const uint64_t
		*places; /* by location: the offset in the program's file of one without names, UINT64_MAX: it has names, or is elsewhere */
	size_t n_unnamed; /* of these */
	const char *named_by, *unnamed_why; /* whose names they were given; why nobody's; NULL: neither was asked for */
	const uint32_t *stacks;
	const stw_profile_sample *samples;
	size_t n_samples;
} stw_profile;

/* The profile in a companion, NULL: there is none. */
static inline const stw_profile *stw_companion_profile(const stw_companion *c)
{
	return c->parts[STW_PART_PROFILE];
}

/* The first profile of a kind among the inputs, and (NULL: not wanted) which file it is; NULL: there is none. */
const stw_profile *stw_profile_among(const stw_companions *all, stw_profile_kind kind, const stw_companion **from);

/* Walks over the frames of a sample, leaf first: start with {0}; NULL at the end. */
typedef struct stw_profile_walk {
	uint32_t location, frame;
} stw_profile_walk;
const stw_profile_frame *stw_profile_next(const stw_profile *p, const stw_profile_sample *s, stw_profile_walk *walk);

/* What is asked of a profile: the samples in whose stacks a function stands. */
typedef struct stw_profile_query {
	const char *function;
	int64_t line; /* and stands there at this line; 0: any */
	const char *root; /* and in whose stacks this function stands too; NULL: any */
	bool (*passed_over)(const char *function); /* of leaves: the innermost frame of which this is false; NULL: the innermost */
} stw_profile_query;

/* What the profile answers. Shares are of `all`, the whole profile's weight. */
typedef struct stw_profile_share {
	int64_t count, weight; /* of those samples: contentions and delay, samples and CPU time */
	int64_t all, all_count; /* of the whole profile */
	const char *leaf; /* among these the leaf with the most weight; NULL: there are none */
	int64_t leaf_weight;
	const char *call; /* the system call in which most of that weight was; NULL: in none */
	int64_t call_weight; /* of all that were in one */
} stw_profile_share;

/* Sums up. False: out of memory. Thread-safe. */
bool stw_profile_ask(const stw_profile *p, stw_mem *mem, const stw_profile_query *query, stw_profile_share *share);

/* ---- the two halves of the reader ---- */

/* Reads the wire format into what a companion keeps; problems are noted there. NULL with status STWATCH_OK: it is not readable at all. */
stwatch_status stw_profile_read(
	stw_companion *c, const stw_source *source, const volatile int *cancel, stw_profile **out, stwatch_error *error);

/* Gives names to what has only addresses in the program (n_unnamed), from the first of the binaries among the inputs that fits: what stands before
 * the addresses is calls, as in binary_fit.c. False: out of memory. */
bool stw_profile_name(stw_companion *c, const stw_companions *all);

/* Adds what `stat` says of it. False: out of memory. */
bool stw_profile_describe(stw_companion *c);

#endif
