/* What crosses a border between generations, as bytes: so that a reading can begin there. */
#ifndef STW_ORDER_SNAPSHOT_H
#define STW_ORDER_SNAPSHOT_H

#include "base/bytes.h"
#include "order/state.h"

/* Writes the state before a generation begins; it must come of an exact reading. */
void stw_order_save(const stw_order *order, stw_bytes *bytes);
/* Fills a fresh order. False where the bytes are no such state, or out of memory. */
bool stw_order_restore(stw_order *order, stw_bytes_reader *reader);

/* ---- helpers that v1_snapshot.c and v1_past.c share ---- */

/* A slot, or none. */
void stw_order_save_slot(stw_bytes *bytes, uint32_t slot);
/* One of so many, or none. */
uint32_t stw_order_take_slot(stw_bytes_reader *reader, uint64_t n);

void stw_order_save_name(const stw_order *order, stw_bytes *bytes, uint32_t name);
uint32_t stw_order_take_name(stw_order *order, stw_bytes_reader *reader);
/* A goroutine's open regions, from the innermost on. */
void stw_order_save_regions(const stw_order *order, stw_bytes *bytes, uint32_t region);
void stw_order_take_regions(stw_order *order, stw_bytes_reader *reader, uint32_t g);

#endif
