/* The first pass over a v1 trace. */
#ifndef STW_ENGINE_PASS_V1_H
#define STW_ENGINE_PASS_V1_H

#include "engine/trace.h"

/* As stw_trace_fold, on the caller's thread: a v1 trace has one order from its beginning to its end, and several stand one behind the other. Each is handed on in windows of
 * about a million events, each with what was known at its beginning; so memory does not grow with the trace. */
stwatch_status stw_trace_fold_v1(stw_trace *trace, const stw_run_options *options, stw_fold_fn add, void *user, stwatch_error *error);

#endif
