/* What follows for the batches of a v1 trace once all are known. */
#ifndef STW_V1_BATCHES_H
#define STW_V1_BATCHES_H

#include "v1/index.h"

/* Takes the batches in file order, with the losses marked where they are: marks each proc's that something may be missing behind, groups them by proc, and
 * finds from when on nothing is missing where the beginning is (whole_from). STWATCH_OK, _MEMORY. */
stwatch_status stw_v1_batches_settle(stw_v1_index *index, stwatch_error *error);

#endif
