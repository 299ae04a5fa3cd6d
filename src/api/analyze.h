/* The inside of stwatch_analyze, for those who call it in their own way. */
#ifndef STW_API_ANALYZE_H
#define STW_API_ANALYZE_H

#include "api/inputs.h"

/* As stwatch_analyze, of one input that is open already: an own copy of `source` is read, which stays as it is. interrupted: it is to be told as what
 * was read until somebody interrupted it (STWATCH_ERR_CANCELLED). */
stwatch_status stw_analyze_source(stwatch_context *context, const char *path, const stw_source *source,
	const stwatch_analyze_options *options, bool interrupted, stwatch_analysis **out, stwatch_error *error);

/* stwatch_analyze with options->follow (follow.c). */
stwatch_status stw_follow(
	stwatch_context *context, const char *path, const stwatch_analyze_options *options, stwatch_analysis **out, stwatch_error *error);

#endif
