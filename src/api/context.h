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
};

#endif
