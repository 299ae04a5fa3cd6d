/* Stays of the past for which there is no room in memory, in a temporary file: put in as they end, taken back from the last on. Packed with zstd
 * (level 1), a block at a time; a block that has been taken is gone. */
#ifndef STW_ANALYSIS_STAY_STORE_H
#define STW_ANALYSIS_STAY_STORE_H

#include "base/mem.h"
#include "stwatch/stwatch.h"

typedef struct stw_past_stay {
	int64_t id, from, to, by;
	uint32_t stack; /* index in the generation's stacks, 0: none: where it was; of a run and a proc's: where that ended */
	uint32_t wake; /* of a wait: where who ended it was; of a birth: where it was made */
	uint32_t text; /* of a wait: why; of a stop: its kind */
	uint8_t track, state; /* STW_STATE_G_… */
	bool open_begin, open_end;
} stw_past_stay;

typedef STW_VEC(stw_past_stay) stw_past_stays;

typedef struct stw_stay_block {
	uint64_t offset;
	size_t packed, count; /* bytes in the file; stays */
	int64_t before; /* the latest end of a stay that was put in before it; INT64_MIN: there was none */
} stw_stay_block;

typedef struct stw_stay_store {
	stw_mem *mem;
	size_t block; /* stays in one */
	int fd; /* -1: there is no file yet */
	stw_past_stays last; /* those not written yet */
	int64_t before_last, latest; /* ends of stays: the latest of those before `last`, and of all */
	STW_VEC(stw_stay_block) blocks;
	void *packed; /* room for one */
	size_t packed_room;
	uint64_t size; /* of what the file holds */
} stw_stay_store;

/* block: how many stays are written and read at once, at least 1. */
void stw_stay_store_init(stw_stay_store *store, stw_mem *mem, size_t block);
/* Forgets all of it; the file is gone. */
void stw_stay_store_clear(stw_stay_store *store);
void stw_stay_store_free(stw_stay_store *store);
/* STWATCH_ERR_MEMORY, _IO. */
stwatch_status stw_stay_store_put(stw_stay_store *store, const stw_past_stay *stay, stwatch_error *error);
bool stw_stay_store_any(const stw_stay_store *store);
/* Adds the last block to `stays`, and forgets it; *before is the latest end of those that are left, `none` where there are none.
 * There must be one. STWATCH_ERR_MEMORY, _IO. */
stwatch_status stw_stay_store_take(stw_stay_store *store, stw_past_stays *stays, int64_t none, int64_t *before, stwatch_error *error);

#endif
