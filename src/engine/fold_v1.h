/* The folding of a v1 trace's events, compiled for each way of decoding them. */
#ifndef STW_ENGINE_FOLD_V1_H
#define STW_ENGINE_FOLD_V1_H

#include "order/v1.h"

/* Takes so many steps of a merge whose hook is a stw_fold. STWATCH_OK, STWATCH_END, or an error. Of a merge that decodes where it needs it, and of one whose events
 * are decoded ahead. */
stwatch_status stw_v1_fold_steps(stw_v1_merge *merge, unsigned steps);
stwatch_status stw_v1_fold_steps_ahead(stw_v1_merge *merge, unsigned steps);

#endif
