/* Generations read by several threads, handed back in order on the caller's. */
#ifndef STW_ENGINE_CREW_H
#define STW_ENGINE_CREW_H

#include "engine/pass.h"

typedef struct stw_job {
	const stw_span *span;
	uint32_t index;
	stw_read_mode mode;
	bool goes_on; /* the next one has its number too, so sequence numbers go on in that */
	bool loaded; /* its tables could be read; else status says why not */
	stwatch_status status;
	stwatch_error error;
	stw_fold fold; /* mem NULL: nothing was folded */
	stw_order order;
	int64_t begin_time; /* as its tables say, before any event */
	bool has_clock;
	int64_t clock_trace_ns, clock_wall_ns;
	double ns_per_unit; /* 0: not known */
} stw_job;

/* What a job keeps of its generation, once loaded. */
void stw_job_note(stw_job *job, const stw_generation *gen);

/* Gets each job in order; false stops the crew. */
typedef bool (*stw_job_fn)(void *user, stw_job *job);

/* Reads the first generation as a trace's first, the others speculatively. At most a few generations per thread are in flight.
 * options->threads: 1 works on the caller's thread alone. */
void stw_crew_run(stw_mem *mem, const stw_span *spans, size_t n_spans, const stw_run_options *options, stw_job_fn done, void *user);

#endif
