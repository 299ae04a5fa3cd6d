/* Stacks that events name and the table at a v1 trace's end lacks, as where the file is cut between two of them. */
#ifndef STW_V1_UNNAMED_H
#define STW_V1_UNNAMED_H

#include "v1/index.h"

/* Looks for them, once batches are settled and samples are there, and notes them in index->unnamed. The runtime numbers stacks from 1 on and writes all of them:
 * events are only read where numbers are missing. STWATCH_OK; _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_v1_unnamed_find(stw_v1_index *index, const stw_source *source, const volatile int *cancel, stwatch_error *error);

/* What to say of them. STWATCH_OK: there are none; _DAMAGED. */
stwatch_status stw_v1_unnamed_tell(const stw_v1_index *index, stwatch_error *error);

#endif
