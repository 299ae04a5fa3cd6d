/* Where a cursor stands, written down. */
#include "base/error.h"
#include "v1/cursor.h"

void stw_v1_cursor_save(const stw_v1_cursor *c, stw_bytes *b)
{
	stw_bytes_uint(b, c->batch_end - c->batch);
	stw_bytes_uint(b, (uint64_t)c->begun << 1 | c->after_loss);
	stw_bytes_uint(b, c->left + (uint64_t)(c->end - c->p));
	stw_bytes_uint(b, c->type);
	stw_bytes_int(b, c->last_ticks);
	stw_bytes_int(b, (int64_t)((uint64_t)c->ticks - (uint64_t)c->last_ticks));
	stw_bytes_int(b, (int64_t)((uint64_t)c->ticks_before - (uint64_t)c->ticks));
	stw_bytes_int(b, c->last_seq);
	stw_bytes_uint(b, c->running);
	stw_bytes_uint(b, c->g);
	for (unsigned i = 0; i < STW_V1_VALUES; i++)
		stw_bytes_uint(b, c->a[i]);
	stw_bytes_uint(b, c->stack);
	stw_bytes_uint(b, c->type == STW_V1_UserLog ? c->text_length : 0);
}

/* A log's text stands right before what comes next. */
static stwatch_status take_text(stw_v1_cursor *c, const stw_v1_index *x, const stw_source *source, uint64_t length, stwatch_error *error)
{
	size_t got;
	const uint64_t behind = stw_v1_cursor_offset(c);
	if (length == 0 || length > behind)
		return STWATCH_OK;
	c->long_text = stw_mem_resize(x->mem, NULL, 0, (size_t)length);
	if (!c->long_text)
		return stw_fail_memory(error);
	c->long_size = (uint32_t)length;
	stwatch_status status = stw_source_read(source, behind - length, c->long_text, (size_t)length, &got, error);
	c->text = c->long_text;
	c->text_length = (uint32_t)got;
	return status;
}

stwatch_status stw_v1_cursor_restore(
	stw_v1_cursor *c, const stw_v1_index *x, const stw_source *source, stw_bytes_reader *r, stwatch_error *error)
{
	const uint32_t first = c->batch;
	c->batch = c->batch_end - (uint32_t)stw_bytes_take_below(r, c->batch_end - first);
	const uint64_t flags = stw_bytes_take_below(r, 3);
	c->begun = flags >> 1;
	c->after_loss = flags & 1;
	const stw_v1_batch *batch = c->batch > first ? &x->batches.items[c->batch - 1] : NULL;
	r->failed |= c->begun != (batch != NULL);
	c->left = stw_bytes_take_below(r, batch ? batch->end - batch->begin : 0);
	c->end_at = batch ? batch->end - c->left : 0;
	c->most_ticks = batch ? stw_v1_cursor_bound(c, x) : INT64_MAX;
	c->type = (uint8_t)stw_bytes_take_below(r, STW_V1_TYPES - 1);
	c->last_ticks = stw_bytes_take_int(r);
	c->ticks = (int64_t)((uint64_t)c->last_ticks + (uint64_t)stw_bytes_take_int(r));
	c->ticks_before = (int64_t)((uint64_t)c->ticks + (uint64_t)stw_bytes_take_int(r));
	c->last_seq = stw_bytes_take_int(r);
	c->key = x->format.before == 2 ? c->last_seq : c->ticks;
	c->running = stw_bytes_take_uint(r);
	c->g = stw_bytes_take_uint(r);
	for (unsigned i = 0; i < STW_V1_VALUES; i++)
		c->a[i] = stw_bytes_take_uint(r);
	c->stack = (uint32_t)stw_bytes_take_below(r, UINT32_MAX);
	const uint64_t length = stw_bytes_take_below(r, STW_V1_MAX_STRING);
	if (r->failed)
		return stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "the state in the index is damaged");
	return take_text(c, x, source, length, error);
}
