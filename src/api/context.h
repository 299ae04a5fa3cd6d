/* The inside of a context. */
#ifndef STW_API_CONTEXT_H
#define STW_API_CONTEXT_H

#include "base/mem.h"
#include "engine/trace.h"

struct stwatch_context {
	stw_mem mem;
	unsigned threads;
	stwatch_progress_fn progress;
	void *progress_user;
	const volatile int *cancel;
	uint64_t unpack_limit;
};

/* How its inputs are opened. */
stw_source_options stw_context_opening(const stwatch_context *context);

#endif
