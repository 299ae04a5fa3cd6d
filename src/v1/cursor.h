/* One proc's stream of events in a v1 trace, decoded one at a time through a small window. */
#ifndef STW_V1_CURSOR_H
#define STW_V1_CURSOR_H

#include "v1/index.h"
#include "wire/varint.h"

enum { STW_V1_VALUES = 4 };

typedef struct stw_v1_cursor {
	/* the event at hand */
	int64_t key; /* by which events are ordered: its time in ticks; to Go 1.6 its sequence number */
	int64_t ticks;
	int64_t ticks_before; /* of the event before it in this stream */
	uint64_t g; /* the goroutine that it happened on, as it says or as its proc's last start says; 0: none */
	uint64_t a[STW_V1_VALUES]; /* its arguments */
	uint32_t stack; /* 0: none */
	uint8_t type;
	const char *text; /* of a log; valid until the cursor moves on */
	uint32_t text_length;
	/* where it came from */
	uint64_t running; /* the goroutine that runs here, as far as this stream says; 0: none */
	int64_t last_ticks, last_seq;
	int64_t most_ticks; /* none of the batch's events can be later */
	const uint8_t *p, *end; /* in window, behind the event */
	uint64_t end_at; /* offset of `end` */
	uint64_t left; /* bytes of the batch behind `end` */
	uint32_t batch, batch_end; /* the next one, and behind the last */
	bool begun; /* a batch was read */
	uint32_t window_size;
	uint8_t *window;
	bool after_loss; /* events of this stream are missing before the one at hand, or at its end; whoever reads it resets this */
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

/* Where it stands, between two calls, as bytes; and back, of one that was just opened. STWATCH_OK; _DAMAGED: the bytes are no such; _IO, _MEMORY. */
void stw_v1_cursor_save(const stw_v1_cursor *cursor, stw_bytes *bytes);
stwatch_status stw_v1_cursor_restore(
	stw_v1_cursor *cursor, const stw_v1_index *index, const stw_source *source, stw_bytes_reader *reader, stwatch_error *error);

/* Up to when the events of a batch that was just begun can be: of one with damage in it, what can't be its own is told by the time of its proc's next one, or
 * of the end. */
static inline int64_t stw_v1_cursor_bound(const stw_v1_cursor *c, const stw_v1_index *x)
{
	const stw_v1_batch *b = &x->batches.items[c->batch - 1];
	if (b->lost && c->batch < c->batch_end)
		return x->batches.items[c->batch].ticks;
	return b->lost && x->end_ticks >= b->ticks ? x->end_ticks : INT64_MAX;
}

/* Whose event the one at hand is, and who runs here afterwards. */
static inline __attribute__((always_inline)) void stw_v1_cursor_place(stw_v1_cursor *c, const stw_v1_format *f)
{
	c->g = c->running;
	switch (f->whose[c->type]) {
	case STW_V1_OF_STARTING: c->g = c->running = c->a[0]; break;
	case STW_V1_OF_LEAVING: c->running = 0; break;
	case STW_V1_OF_NAMED: c->g = c->a[0]; break;
	default: break;
	}
}

/* Takes a value of mostly one byte. */
#define STW_V1_TAKE(value)                                                                                                                 \
	do {                                                                                                                               \
		if (*p < 0x80)                                                                                                             \
			(value) = *p++;                                                                                                    \
		else if (__builtin_expect(!(p = stw_varint_fast(p, &(value))), 0))                                                         \
			return false;                                                                                                      \
	} while (0)

/* As stw_v1_cursor_next for the usual: a whole event of few bytes, in the window. False where it takes more; nothing is done then. */
static inline __attribute__((always_inline)) bool stw_v1_cursor_fast(stw_v1_cursor *c, const stw_v1_format *f)
{
	enum { LONGEST = 2 + 5 * 10 };
	const uint8_t *p = c->p, *end = NULL;
	uint64_t dt, a0 = 0, a1 = 0, a2 = 0, a3 = 0;
	if (__builtin_expect(c->end - p < LONGEST, 0))
		return false;
	const unsigned head = *p++, type = head & 63, n = f->fast[type];
	if (head >= 0xc0) {
		if (__builtin_expect(n == 0 || *p > LONGEST - 2, 0))
			return false;
		end = p + 1 + *p;
		p++;
	} else if (__builtin_expect(n != (head >> 6) + 1, 0)) {
		return false;
	}
	STW_V1_TAKE(dt);
	if (n > 1) {
		STW_V1_TAKE(a0);
		if (n > 2) {
			STW_V1_TAKE(a1);
			if (n > 3) {
				STW_V1_TAKE(a2);
				if (n > 4)
					STW_V1_TAKE(a3);
			}
		}
	}
	if (__builtin_expect(end && p != end, 0))
		return false;
	c->stack = f->stack[type] ? (uint32_t)(n == 2 ? a0 : n == 3 ? a1 : n == 4 ? a2 : a3) : 0;
	c->a[0] = a0;
	c->a[1] = a1;
	c->a[2] = a2;
	c->a[3] = a3;
	if (__builtin_expect(c->last_ticks + (int64_t)dt > c->most_ticks, 0))
		return false;
	c->p = p;
	c->type = (uint8_t)type;
	c->ticks_before = c->ticks;
	c->key = c->ticks = c->last_ticks += (int64_t)dt;
	stw_v1_cursor_place(c, f);
	return true;
}
#undef STW_V1_TAKE

static inline uint64_t stw_v1_cursor_offset(const stw_v1_cursor *c)
{
	return c->end_at - (uint64_t)(c->end - c->p);
}

#endif
