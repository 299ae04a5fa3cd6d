/* Stays in the order in which they are looked for. */
#ifndef STW_ANALYSIS_STAY_ORDER_H
#define STW_ANALYSIS_STAY_ORDER_H

#include "analysis/stay_store.h"

/* By track, id, beginning and end, by their digits. Takes 8 bytes a stay meanwhile. False when out of memory. */
bool stw_stays_sort(stw_mem *mem, stw_past_stays *stays);

#endif
