/* Of a trace that stands behind another in one input. */
#include "base/error.h"
#include "v1/index.h"

stwatch_status stw_v1_fail_next(const stw_v1_index *x, const char *more, stwatch_error *error)
{
	return stw_fail(error, STWATCH_ERR_DAMAGED, x->end, "another trace begins here, with its header (go 1.%u)%s%s", x->next,
		*more ? ": " : "", more);
}
