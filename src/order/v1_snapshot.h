/* Where a merge of a v1 trace stands between two of its steps, as bytes: so that a reading can go on there. */
#ifndef STW_ORDER_V1_SNAPSHOT_H
#define STW_ORDER_V1_SNAPSHOT_H

#include "base/bytes.h"
#include "order/v1.h"

/* Whether it can be written down: not while what existed at the beginning is being told, nor of a trace that begins midway. */
static inline bool stw_v1_merge_can_be_saved(const stw_v1_merge *vm)
{
	return vm->begun && vm->telling == STW_SLOT_NONE && !vm->midway;
}

/* The state of a merge whose as_go is true. */
void stw_v1_merge_save(const stw_v1_merge *vm, stw_bytes *bytes);
/* As stw_v1_merge_open, but goes on where that one stood; as_go is set. The ends of calls must be packed. STWATCH_ERR_DAMAGED where the bytes are no such
 * state, _MEMORY, _IO. Who hands on all that is known can't go on there: it lacks what Go's reader does not look at (where goroutines began, and on which
 * thread who came back into a call's proc). */
stwatch_status stw_v1_merge_resume(
	stw_v1_merge *vm, stw_order *order, stw_v1 *v1, void *hook, stw_bytes_reader *reader, stwatch_error *error);

#endif
