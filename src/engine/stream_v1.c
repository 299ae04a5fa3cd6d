#include <string.h>

#include "base/error.h"
#include "engine/stream_queue.h"
#include "order/v1_snapshot.h"

#define STW_MERGE_EMIT stw_stream_queue
#define STW_MERGE_FORGET_G(mg, g) stw_stream_queue_forgotten(mg, stw_order_g_id((mg)->order, g), false)
#define STW_V1_AS_GO (vm->as_go)
#include "order/v1_step.h"

static void begin_part(stw_stream *s)
{
	s->span = s->list[s->at_list++];
	s->source = s->span.source;
	s->v1 = &s->v1s[s->span.v1];
	s->gen = s->v1->gen; /* borrowed */
	for (size_t i = 0; i < s->gen.strings.count; i++) /* of who read it before */
		s->gen.strings.items[i].note = 0;
}

void stw_stream_open_v1(stw_stream *s, stw_mem *mem, const stw_span *spans, size_t count, stw_v1 *v1, bool as_go)
{
	memset(s, 0, sizeof *s);
	s->mem = mem;
	s->list = spans;
	s->n_list = count;
	s->salvage = count > 1;
	s->v1s = v1;
	s->as_go = as_go;
	s->number = 1;
	begin_part(s);
	s->version = (stw_go_version)s->v1->index.format.minor;
	stw_order_init(&s->order, mem);
}

void stw_stream_v1_end(stw_stream *s)
{
	if (s->merging)
		stw_v1_merge_close(&s->v1_merge);
	s->merging = false;
	stw_mem_free(s->mem, s->text, s->text_size);
	s->text = NULL;
	s->text_size = 0;
}

/* The cursor moves on before the event is looked at. */
void stw_stream_v1_keep_text(stw_stream *s)
{
	stw_string *text = &s->v1->gen.strings.items[s->v1->text];
	if (text->length > s->text_size) {
		char *room = stw_mem_resize(s->mem, s->text, s->text_size, text->length);
		if (!room) { /* a log without its text is better than none */
			text->length = 0;
			return;
		}
		s->text = room;
		s->text_size = text->length;
	}
	if (text->length)
		memcpy(s->text, text->data, text->length);
	text->data = s->text;
}

static stwatch_status open(stw_stream *s, stwatch_error *error)
{
	stwatch_status status = stw_v1_merge_open(&s->v1_merge, &s->order, s->v1, s, error);
	s->merging = true;
	s->v1_merge.as_go = s->as_go;
	if (s->at_list == 1)
		s->last_time = s->v1->begin_ns - 2;
	if (status == STWATCH_OK && (s->v1->index.has_events || s->v1->index.samples.count)) {
		stw_stream_queue_sync(s, s->v1->begin_ns - 1, true);
		s->queue[s->queued - 1].anew = s->at_list > 1;
	}
	return status;
}

stwatch_status stw_stream_resume_v1(stw_stream *s, stw_bytes_reader *state, stwatch_error *error)
{
	s->merging = true;
	s->syncs = 1;
	stwatch_status status = stw_v1_merge_resume(&s->v1_merge, &s->order, s->v1, s, state, error);
	s->last_time = s->v1_merge.base.last_time;
	return status;
}

static stwatch_status end_part(stw_stream *s)
{
	if (s->at_list == s->n_list) {
		s->ended = true;
		stw_v1_merge_verdict(&s->v1_merge, &s->failure);
		stw_stream_queue_sync(s, s->last_time, false);
		return STWATCH_OK;
	}
	stw_v1_merge_verdict(&s->v1_merge, &s->lost);
	stw_stream_v1_end(s);
	s->part_ended = true; /* what is lost is told of it before the next begins */
	return STWATCH_OK;
}

static void next_part(stw_stream *s)
{
	s->part_ended = false;
	if (s->behind_gap)
		stw_order_free(&s->before_gap);
	s->before_gap = s->order; /* what goes on behind it can't be begun there */
	s->behind_gap = true;
	stw_order_init(&s->order, s->mem);
	begin_part(s);
}

stwatch_status stw_stream_v1_fill(stw_stream *s, stwatch_error *error)
{
	if (s->ended)
		return STWATCH_END;
	if (s->part_ended)
		next_part(s);
	if (!s->merging)
		return open(s, error);
	s->v1_merge.base.error = error;
	stwatch_status status = v1_step(&s->v1_merge);
	s->last_time = s->v1_merge.base.last_time;
	return status == STWATCH_END ? end_part(s) : status;
}
