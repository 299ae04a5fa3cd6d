/* The table batches of a generation: strings, stacks, CPU samples, clock. */
#ifndef STW_V2_TABLES_H
#define STW_V2_TABLES_H

#include "v2/batch.h"
#include "v2/generation.h"

/* Adds a table batch (by its first byte) to the generation; `at` is the offset of data. STWATCH_ERR_DAMAGED, _MEMORY. */
stwatch_status stw_tables_add(stw_generation *gen, const stw_batch_head *head, const uint8_t *data, uint64_t at, stwatch_error *error);
/* True where a batch is a table, not events. */
bool stw_tables_is_table(stw_go_version version, const stw_batch_head *head);
/* When all are in: resolves references, checks them, sorts samples. */
stwatch_status stw_tables_finish(stw_generation *gen, stwatch_error *error);

#endif
