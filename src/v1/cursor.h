/* One proc's stream of events in a v1 trace, decoded one at a time through a small window. */
#ifndef STW_V1_CURSOR_H
#define STW_V1_CURSOR_H

#include "v1/index.h"

enum { STW_V1_VALUES = 4 };

typedef struct stw_v1_cursor {
	/* the event at hand */
	int64_t key; /* by which events are ordered: its time in ticks; to Go 1.6 its sequence number */
	int64_t ticks;
	uint64_t g; /* the goroutine that it happened on, as it says or as its proc's last start says; 0: none */
	uint64_t a[STW_V1_VALUES]; /* its arguments */
	uint32_t stack; /* 0: none */
	uint8_t type;
	const char *text; /* of a log; valid until the cursor moves on */
	uint32_t text_length;
	/* where it came from */
	uint64_t running; /* the goroutine that runs here, as far as this stream says; 0: none */
	int64_t last_ticks, last_seq;
	const uint8_t *p, *end; /* in window, behind the event */
	uint64_t end_at; /* offset of `end` */
	uint64_t left; /* bytes of the batch behind `end` */
	uint32_t batch, batch_end; /* the next one, and behind the last */
	uint32_t window_size;
	uint8_t *window;
	char *long_text; /* a log's text that is longer than the window */
	uint32_t long_size;
} stw_v1_cursor;

/* Bytes that a proc's window needs, slack included; at most `most`, but enough for any event. */
size_t stw_v1_cursor_room(const stw_v1_index *index, uint32_t proc, size_t most);
void stw_v1_cursor_open(stw_v1_cursor *cursor, const stw_v1_index *index, uint32_t proc, uint8_t *window, size_t room);
void stw_v1_cursor_close(stw_v1_cursor *cursor, stw_mem *mem);
/* Decodes the next event. STWATCH_OK, STWATCH_END; _DAMAGED: the event makes no sense, the rest of its batch is passed over, and the
 * cursor can go on; _IO, _MEMORY. */
stwatch_status stw_v1_cursor_next(stw_v1_cursor *cursor, const stw_v1_index *index, const stw_source *source, stwatch_error *error);

static inline uint64_t stw_v1_cursor_offset(const stw_v1_cursor *c)
{
	return c->end_at - (uint64_t)(c->end - c->p);
}

#endif
