/* The join of generations that were read speculatively: checks what a reading took for granted against the true state
 * at its entry, and carries the true state over it. */
#ifndef STW_ORDER_JOIN_H
#define STW_ORDER_JOIN_H

#include "order/state.h"

typedef enum stw_joined { STW_JOINED, STW_JOIN_REFUSED, STW_JOIN_NO_MEMORY } stw_joined;

/* STW_JOINED: an exact reading would have given the same; `state` is now what holds after the generation.
 * STW_JOIN_REFUSED: it took something for granted that does not hold; `state` is as before, read the generation exactly.
 * STW_JOIN_NO_MEMORY: `state` is of no use any more. */
stw_joined stw_order_join(stw_order *state, const stw_order *reading);

#endif
