/* Time in a state by stack, summed over the events of a trace in order. Memory: distinct stacks and live goroutines. */
#ifndef STW_ANALYSIS_STATE_PROFILE_H
#define STW_ANALYSIS_STATE_PROFILE_H

#include "analysis/untold_stops.h"
#include "base/intern.h"
#include "base/map.h"
#include "engine/stream.h"
#include "stwatch/profile.h"

typedef struct stw_stack_sum {
	uint64_t count;
	int64_t ns;
} stw_stack_sum;

/* What frames and functions are made of; their numbers come from the interners below. */
typedef struct stw_profile_code {
	uint32_t name, file; /* in texts */
} stw_profile_code;

typedef struct stw_profile_place {
	uint32_t code; /* in codes */
	uint32_t reserved; /* 0: these bytes are a key */
	uint64_t line;
} stw_profile_place;

/* A stay that Go's tool counts only if the goroutine never runs. */
typedef struct stw_profile_stay {
	uint32_t stack;
	int64_t from, to;
	bool any;
} stw_profile_stay;

typedef struct stw_profiled_g {
	int64_t id, since; /* since STW_TIME_UNKNOWN: not in the state */
	uint32_t stack; /* to which the stay is put down */
	uint32_t own; /* its own stack, when it was last seen */
	bool ran;
	stw_profile_stay early;
} stw_profiled_g;

typedef struct stw_state_profile {
	stw_mem *mem;
	stwatch_profile_options options;
	stw_intern texts; /* names of functions and files */
	stw_intern codes; /* stw_profile_code */
	stw_intern places; /* stw_profile_place */
	stw_intern stacks; /* rows of numbers of places, innermost first */
	STW_VEC(stw_stack_sum) sums; /* by number of a stack; 0 is the empty one */
	STW_VEC(uint32_t) scratch;
	stw_map slots; /* of goroutines */
	STW_VEC(stw_profiled_g) gs;
	STW_VEC(uint32_t) free_slots;
	stw_profiled_g stop; /* the stop of the world that is under way */
	int64_t start, last; /* times of the first and the last event; STW_TIME_UNKNOWN: there was none */
	bool has_wall;
	int64_t wall_ns; /* of the first event, since 1970 */
	bool stops_known; /* they come from stw_state_profile_add_stop */
	bool failed; /* out of memory */
} stw_state_profile;

void stw_state_profile_init(stw_state_profile *profile, stw_mem *mem, const stwatch_profile_options *options);
void stw_state_profile_free(stw_state_profile *profile);
/* Takes the next event of a stream. */
void stw_state_profile_add(stw_state_profile *profile, stw_stream *stream, const stw_stream_event *event);
/* A stop of the world that is known otherwise than by its events: those then do not count. At the end of the walk. */
void stw_state_profile_add_stop(stw_state_profile *profile, stw_generation *gen, const stw_untold_stop *stop);
/* What follows is not the continuation of what came before: stays under way end as at the trace's end. */
void stw_state_profile_break(stw_state_profile *profile);
/* After the last event: stays that are still open, where they count; and the filter by function. */
void stw_state_profile_finish(stw_state_profile *profile);

#endif
