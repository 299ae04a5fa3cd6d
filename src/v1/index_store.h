/* What the first pass over a v1 trace found, as bytes: so that it need not be made again. */
#ifndef STW_V1_INDEX_STORE_H
#define STW_V1_INDEX_STORE_H

#include "base/bytes.h"
#include "v1/index.h"

/* All but the ends of system calls (v1/exits.h packs them), and what only a trace that begins midway has. Before stw_v1_open makes tables of it. */
void stw_v1_index_save(const stw_v1_index *index, stw_bytes *bytes);
/* Fills an index of a trace of so many bytes, without ends of system calls. False where the bytes are no such, or out of memory; nothing then needs to be
 * freed. */
bool stw_v1_index_restore(stw_v1_index *index, stw_mem *mem, unsigned minor, uint64_t trace_size, stw_bytes_reader *reader);

#endif
