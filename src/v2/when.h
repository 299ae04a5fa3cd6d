/* When a generation begins, without loading it. */
#ifndef STW_V2_WHEN_H
#define STW_V2_WHEN_H

#include "v2/generation.h"

/* The time that Go's reader gives its sync event: the earliest of its batches' times, in ns of the trace's clock. Looks at
 * the heads of its batches and at its clock only. STWATCH_ERR_DAMAGED where it has no frequency, _IO. */
stwatch_status stw_generation_when(stw_mem *mem, const stw_span *span, int64_t *ns, stwatch_error *error);

#endif
