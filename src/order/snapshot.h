/* What crosses a border between generations, as bytes: so that a reading can begin there. */
#ifndef STW_ORDER_SNAPSHOT_H
#define STW_ORDER_SNAPSHOT_H

#include "base/bytes.h"
#include "order/state.h"

/* Writes the state before a generation begins; it must come of an exact reading. */
void stw_order_save(const stw_order *order, stw_bytes *bytes);
/* Fills a fresh order. False where the bytes are no such state, or out of memory. */
bool stw_order_restore(stw_order *order, stw_bytes_reader *reader);

#endif
