/* One proc's stream of events in a v1 trace, decoded one at a time through a small window. */
#ifndef STW_V1_CURSOR_H
#define STW_V1_CURSOR_H

#include "v1/index.h"
#include "wire/varint.h"

enum { STW_V1_VALUES = 4 };

struct stw_v1_block;

/* An event that was decoded ahead (order/v1_ahead.h). 64 bytes. */
typedef struct stw_v1_ready {
	int64_t key, ticks, time; /* time: in ns */
	uint64_t g, a[3];
	uint32_t stack; /* its index; 0: none, or one that the trace does not have */
	uint32_t type : 8, behind : 24; /* as in stw_v1_cursor */
} stw_v1_ready;

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
	uint32_t p_slot; /* its proc's place, for who merges */
	/* of events that are decoded ahead, instead of a window */
	const struct stw_v1_block *block;
	const stw_v1_ready *ready, *ready_end; /* what comes next */
	int64_t time; /* of the event at hand, in ns */
	uint32_t behind; /* bytes from end_at to behind it */
} stw_v1_cursor;

/* Bytes that a proc's window needs, slack included; at most `most`, but enough for any event. */
size_t stw_v1_cursor_room(const stw_v1_index *index, uint32_t proc, size_t most);
void stw_v1_cursor_open(stw_v1_cursor *cursor, const stw_v1_index *index, uint32_t proc, uint8_t *window, size_t room);
/* One for each proc, each with a part of the windows, whose memory is returned; NULL when out of memory. Each is to be closed. */
uint8_t *stw_v1_cursors_open(stw_v1_cursor *cursors, stw_mem *mem, const stw_v1_index *index, size_t *windows_size);
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

/* Whose an event is, by what its type says (f->whose), its first argument and who runs there; and who runs there afterwards. Without branches, as types follow
 * each other in no order that could be foreseen. */
static inline __attribute__((always_inline)) uint64_t stw_v1_whose(unsigned whose, uint64_t named, uint64_t *running)
{
	const uint64_t before = *running;
	*running = whose == STW_V1_OF_STARTING ? named : whose == STW_V1_OF_LEAVING ? 0 : before;
	return whose == STW_V1_OF_STARTING || whose == STW_V1_OF_NAMED ? named : before;
}

/* The usual: a whole event of few bytes. */
enum { STW_V1_LONGEST_PLAIN = 2 + 5 * 10 };
typedef struct stw_v1_plain {
	uint64_t dt, a[STW_V1_VALUES], last; /* last: the last value */
	unsigned type;
} stw_v1_plain;

/* Takes a value of mostly one byte. */
#define STW_V1_TAKE(value)                                                                                                                 \
	do {                                                                                                                               \
		if (*p < 0x80)                                                                                                             \
			(value) = *p++;                                                                                                    \
		else if (__builtin_expect(!(p = stw_varint_fast(p, &(value))), 0))                                                         \
			return NULL;                                                                                                       \
	} while (0)

/* Decodes one at p, where so many bytes can be read. What is behind it; NULL where it is none. */
static inline __attribute__((always_inline)) const uint8_t *stw_v1_decode_plain(const uint8_t *p, const stw_v1_format *f, stw_v1_plain *e)
{
	const uint8_t *end = NULL;
	const unsigned head = *p++, n = f->plain[head];
	e->type = head & 63;
	if (__builtin_expect(n == 0, 0))
		return NULL;
	if (head >= 0xc0) {
		if (__builtin_expect(*p > STW_V1_LONGEST_PLAIN - 2, 0))
			return NULL;
		end = p + 1 + *p;
		p++;
	}
	e->a[0] = e->a[1] = e->a[2] = e->a[3] = 0;
	STW_V1_TAKE(e->dt);
	e->last = 0;
	if (n > 1) {
		STW_V1_TAKE(e->a[0]);
		e->last = e->a[0];
		if (n > 2) {
			STW_V1_TAKE(e->a[1]);
			e->last = e->a[1];
			if (n > 3) {
				STW_V1_TAKE(e->a[2]);
				e->last = e->a[2];
				if (n > 4) {
					STW_V1_TAKE(e->a[3]);
					e->last = e->a[3];
				}
			}
		}
	}
	return __builtin_expect(end && p != end, 0) ? NULL : p;
}
#undef STW_V1_TAKE

/* As stw_v1_cursor_next where the usual follows, in the window. False where it takes more; nothing is done then. */
static inline __attribute__((always_inline)) bool stw_v1_cursor_fast(stw_v1_cursor *c, const stw_v1_format *f)
{
	stw_v1_plain e;
	const uint8_t *p = c->end - c->p < STW_V1_LONGEST_PLAIN ? NULL : stw_v1_decode_plain(c->p, f, &e);
	if (__builtin_expect(!p || c->last_ticks + (int64_t)e.dt > c->most_ticks, 0))
		return false;
	c->stack = (uint32_t)e.last & f->stack_mask[e.type];
	c->a[0] = e.a[0];
	c->a[1] = e.a[1];
	c->a[2] = e.a[2];
	c->a[3] = e.a[3];
	c->p = p;
	c->type = (uint8_t)e.type;
	c->ticks_before = c->ticks;
	c->key = c->ticks = c->last_ticks += (int64_t)e.dt;
	c->g = stw_v1_whose(f->whose[e.type], e.a[0], &c->running);
	return true;
}

static inline uint64_t stw_v1_cursor_offset(const stw_v1_cursor *c)
{
	return c->end_at - (uint64_t)(c->end - c->p) + c->behind;
}

#endif
