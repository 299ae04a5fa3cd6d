#include "order/cursor.h"

#include <string.h>

#include "base/error.h"

static stwatch_status refill(stw_cursor *c, const stw_source *source, stwatch_error *error)
{
	size_t kept = (size_t)(c->end - c->p), got;
	memmove(c->window, c->p, kept);
	size_t want = c->window_size - kept < c->left ? c->window_size - kept : c->left;
	stwatch_status status = stw_source_read(source, c->offset, c->window + kept, want, &got, error);
	if (status == STWATCH_OK && got < want)
		status = stw_fail(error, STWATCH_ERR_DAMAGED, c->offset, "the file became shorter while it was read");
	if (status != STWATCH_OK)
		return status;
	c->lane.stamp = 0;
	c->p = c->ahead = c->window; /* an event's type stands before its arguments: so nothing has been looked at */
	c->end = c->window + kept + got;
	c->left -= (uint32_t)got;
	c->offset += got;
	memset(c->window + kept + got, 0, STW_VARINT_SLACK + STW_EVENT_BYTES_MAX);
	return STWATCH_OK;
}

stwatch_status stw_cursor_fill(stw_cursor *c, const stw_generation *gen, stwatch_error *error)
{
	if (c->left)
		return refill(c, gen->source, error);
	if (c->p < c->end)
		return STWATCH_OK;
	if (c->batch == c->batch_end)
		return STWATCH_END;
	const stw_batch *b = &gen->batches.items[c->batch++];
	c->time = stw_generation_ns(gen, b->time);
	c->offset = b->offset;
	c->left = b->size;
	c->p = c->end = c->window;
	return refill(c, gen->source, error);
}
