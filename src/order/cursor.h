/* One thread's stream of events within a generation, read through a small window: memory stays bounded
 * by the number of threads, whatever the size of the generation. */
#ifndef STW_ORDER_CURSOR_H
#define STW_ORDER_CURSOR_H

#include "order/state.h"
#include "v2/generation.h"
#include "wire/varint.h"

/* The longest event: a type and five varints. */
enum { STW_EVENT_BYTES_MAX = 1 + 5 * 10 };

/* What the merge keeps at hand of a thread (merge_lane.h): good as long as its stamp is the merge's. */
typedef struct stw_lane {
	uint64_t stamp; /* 0: not good */
	const uint8_t *safe; /* an event that begins here or before is whole in the cursor's window */
	stw_order_m *m;
	stw_order_p *p; /* its proc */
	stw_order_g *g; /* the goroutine in m->g; order->nobody where there is none, or none that is known */
	uint32_t m_slot, p_slot;
	void *place_p, *place_g; /* what is known of that proc and goroutine by who takes the events */
} stw_lane;

typedef struct stw_cursor {
	int64_t time; /* of the event at hand, ns */
	const uint8_t *p; /* behind its type and time difference, then (once it has been advanced) behind it */
	const uint8_t *end; /* of the bytes in the window; STW_VARINT_SLACK readable bytes follow */
	uint32_t m; /* the thread's slot, STW_SLOT_NONE if the stream has no thread */
	uint8_t type;
	bool over; /* of one whose stream is at its end, until it is out of the heap */
	uint8_t ahead_type; /* of the event at `ahead` */
	int64_t told; /* the time that its last event was handed on with */
	const uint8_t *ahead; /* as p, of an event that may come later: up to which has been looked ahead (merge_round.h); before p: none */
	int64_t ahead_time; /* of that event */
	uint32_t batch, batch_end; /* the batch at hand and behind the last, in gen->batches */
	uint32_t window_size;
	uint32_t left; /* bytes of the batch that are not in the window yet */
	uint64_t offset; /* in the input, of `end` */
	uint8_t *window;
	int64_t m_id;
	stw_lane lane;
} stw_cursor;

/* Where in the input the cursor reads. */
static inline uint64_t stw_cursor_offset(const stw_cursor *c)
{
	return c->offset - (uint64_t)(c->end - c->p);
}

/* Makes at least one whole event stand at c->p, from the window, the batch's rest or the next batch.
 * STWATCH_OK; STWATCH_END when the stream is at its end; STWATCH_ERR_IO, _DAMAGED. */
stwatch_status stw_cursor_fill(stw_cursor *c, const stw_generation *gen, stwatch_error *error);

#endif
