/* What a path holds, for the files that make it: path.c looks, chooses and follows, path_result.c puts it into words. */
#ifndef STW_API_PATH_H
#define STW_API_PATH_H

#include "analysis/choices.h"
#include "analysis/way.h"
#include "api/told.h"
#include "stwatch/path.h"

enum { STW_PATH_LIMITS_MAX = 8 };

struct stwatch_path {
	stw_mem *mem;
	stw_told told;
	stwatch_path_options options;
	stw_spots spots;
	stw_choices choices;
	stw_ways ways;
	STW_VEC(int64_t) begins; /* by span: time of its first event, INT64_MAX: it has none */
	stwatch_summary summary;
	bool has_chosen;
	uint64_t nth;
	stwatch_path_span chosen;
	STW_VEC(stwatch_path_segment) segments;
	STW_VEC(stwatch_path_share) shares, all_shares;
	STW_VEC(stwatch_path_choice) listed;
	stwatch_path_summary all;
	const char *limits[STW_PATH_LIMITS_MAX];
	size_t n_limits;
};

stwatch_path_span stw_path_span_of(const stwatch_path *path, const stw_chosen *chosen);
/* Of the ways that were followed: the stretches of the chosen one, and the shares of it and of all. False when out of memory. */
bool stw_path_word(stwatch_path *path);
/* The names to choose from. False when out of memory. */
bool stw_path_list(stwatch_path *path);
/* After all else: what the result can't show. */
void stw_path_tell_limits(stwatch_path *path);

#endif
