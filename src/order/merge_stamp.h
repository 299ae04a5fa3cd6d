/* Times as they are handed on: a part of the templates merge_step.h and v1_step.h. */
#ifndef STW_ORDER_MERGE_STAMP_H
#define STW_ORDER_MERGE_STAMP_H

#include "order/merge.h"

#define STW_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define STW_LIKELY(x) __builtin_expect(!!(x), 1)

/* True for what does not come later than the event before. Who is told of gaps: also for what comes after one; one comparison finds both. */
static inline __attribute__((always_inline)) bool merge_is_odd(const stw_merge *mg, int64_t time)
{
#ifdef STW_MERGE_GAP
	return (uint64_t)time - (uint64_t)mg->last_time - 1 >= STW_MERGE_GAP_NS - 1;
#else
	return time <= mg->last_time;
#endif
}

static __attribute__((noinline)) int64_t merge_stamp_odd(stw_merge *mg, int64_t time)
{
	if (time <= mg->last_time)
		return ++mg->last_time;
#ifdef STW_MERGE_GAP
	if (mg->last_time != INT64_MIN)
		STW_MERGE_GAP(mg, mg->last_time, time);
#endif
	return mg->last_time = time;
}

/* The time of the event that is handed on next: later than that of the one before. */
static inline __attribute__((always_inline)) int64_t merge_stamp(stw_merge *mg, int64_t time)
{
	if (STW_UNLIKELY(merge_is_odd(mg, time)))
		return merge_stamp_odd(mg, time);
	return mg->last_time = time;
}

#endif
