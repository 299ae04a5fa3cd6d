/* How a stream takes the events that a merge hands on. Inside the engine only. */
#ifndef STW_ENGINE_STREAM_QUEUE_H
#define STW_ENGINE_STREAM_QUEUE_H

#include <assert.h>

#include "engine/stream.h"

void stw_stream_queue_sync(stw_stream *stream, int64_t time, bool has_generation);
/* stream_v1.c */
stwatch_status stw_stream_v1_fill(stw_stream *stream, stwatch_error *error);
void stw_stream_v1_end(stw_stream *stream);
void stw_stream_v1_keep_text(stw_stream *stream);

/* As STW_MERGE_EMIT. */
static inline void stw_stream_queue(stw_merge *mg, unsigned type, int64_t time, uint32_t m, uint32_t p, uint32_t g, uint32_t target,
	uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	stw_stream *s = mg->hook;
	const stw_order *o = mg->order;
	assert(s->queued < STW_STREAM_QUEUE);
	stw_stream_event *e = &s->queue[s->queued++];
	*e = (stw_stream_event){
		.time = time,
		.m = stw_order_m_id(o, m),
		.p = stw_order_p_id(o, p),
		.g = stw_order_g_id(o, g),
		.a = {a0, a1, a2, a3},
		.target = target,
		.g_slot = g,
		.p_slot = p,
		.m_slot = m,
		.type = (uint8_t)type,
		.has_generation = true,
	};
	if (type == STW_EV_UserLog && s->v1)
		stw_stream_v1_keep_text(s);
	if (type == STW_EV_CPUSample) { /* its context is its own */
		e->m = (int64_t)a0;
		e->p = (int64_t)a1;
		e->g = (int64_t)a2;
		e->a[0] = a3;
	}
}

/* As STW_MERGE_FORGET_G and _P. */
static inline void stw_stream_queue_forgotten(stw_merge *mg, int64_t id, bool proc)
{
	stw_stream *s = mg->hook;
	if (!s->tells_forgotten)
		return;
	assert(s->queued < STW_STREAM_QUEUE);
	s->queue[s->queued++] = (stw_stream_event){
		.time = mg->last_time,
		.m = STWATCH_NONE,
		.p = STWATCH_NONE,
		.g = STWATCH_NONE,
		.a = {(uint64_t)id, proc},
		.target = STW_SLOT_NONE,
		.g_slot = STW_SLOT_NONE,
		.p_slot = STW_SLOT_NONE,
		.m_slot = STW_SLOT_NONE,
		.type = STW_EV_FORGOTTEN,
		.has_generation = true,
	};
}

#endif
