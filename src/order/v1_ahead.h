/* A v1 trace's events decoded some way ahead of who orders them: of each proc's stream a block of events at a time. A loop that does nothing but decode
 * is quicker than decoding an event here and an event there, and it may be another thread's. */
#ifndef STW_ORDER_V1_AHEAD_H
#define STW_ORDER_V1_AHEAD_H

#include "order/v1.h"

/* Where a stream is behind a block's last event, if it can't go on there just so. */
typedef struct stw_v1_halt {
	stwatch_error error;
	stw_v1_cursor at; /* for what it says of its place */
} stw_v1_halt;

typedef struct stw_v1_block {
	stw_v1_ready *events;
	uint32_t count;
	uint32_t batch; /* as in stw_v1_cursor */
	uint64_t base; /* offset from which `behind` counts */
	bool loss; /* events are missing before the first; without one, at the end */
	stwatch_status status; /* what came behind the last: STWATCH_OK: the next block tells; as of stw_v1_cursor_next else */
	stw_v1_halt *halt; /* NULL unless one was needed */
	char *text; /* of a log, which is the last event of its block */
	uint32_t text_length, text_size;
} stw_v1_block;

typedef struct stw_v1_stream {
	stw_v1_cursor *wire;
	bool pending; /* the event at hand there belongs to the next block */
	uint32_t most; /* events in a block */
	stw_v1_block *blocks; /* n_blocks, used in turn */
} stw_v1_stream;

struct stw_v1_ahead;
/* Gives a stream's next block, whose turn it is, filled; the one before it is no longer used. Not called after one that did not end in STWATCH_OK or
 * STWATCH_ERR_DAMAGED. */
typedef const stw_v1_block *(*stw_v1_next_fn)(struct stw_v1_ahead *ahead, uint32_t stream);

typedef struct stw_v1_ahead {
	stw_v1 *v1;
	stw_mem *mem;
	size_t n_streams;
	unsigned n_blocks; /* of each */
	stw_v1_stream *streams; /* one for each proc */
	stw_v1_cursor *wires;
	uint8_t *windows;
	size_t windows_size;
	stw_v1_block *blocks;
	stw_v1_ready *events;
	size_t n_events;
	stw_v1_next_fn next;
} stw_v1_ahead;

/* With so many blocks of each stream, of so many events, less where there are many streams. False when out of memory, or where there are too many: then nothing needs to be closed. */
bool stw_v1_ahead_open(stw_v1_ahead *ahead, stw_mem *mem, stw_v1 *v1, unsigned n_blocks, uint32_t n_events, stw_v1_next_fn next);
void stw_v1_ahead_close(stw_v1_ahead *ahead);
/* Decodes what follows in a stream. Different streams at once, if wanted. */
void stw_v1_ahead_fill(const stw_v1_ahead *ahead, uint32_t stream, stw_v1_block *block);

/* As stw_v1_merge_open, of events that are decoded ahead; for who defines STW_V1_AHEAD before v1_step.h. Such a merge can't be saved. */
stwatch_status stw_v1_merge_open_ahead(
	stw_v1_merge *vm, stw_order *order, stw_v1 *v1, stw_v1_ahead *ahead, void *hook, stwatch_error *error);

#endif
