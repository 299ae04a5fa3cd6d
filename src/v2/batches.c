#include "v2/batches.h"

#include "base/error.h"

void stw_batches_init(stw_batches *walk, const stw_span *span)
{
	walk->span = span;
	walk->at = span->begin;
	walk->left = span->n_batches;
	walk->hole = 0;
	walk->window_at = 0;
	walk->window_size = 0;
}

static stwatch_status shorter(uint64_t at, stwatch_error *error)
{
	return stw_fail(error, STWATCH_ERR_DAMAGED, at, "the file became shorter while it was read");
}

/* Heads of small batches share a window, so that each is not a read of its own. */
static stwatch_status read_head(stw_batches *walk, stw_batch_head *head, stwatch_error *error)
{
	const stw_span *span = walk->span;
	if (walk->at < walk->window_at || walk->at - walk->window_at + STW_BATCH_HEAD_MAX > walk->window_size) {
		const bool far = walk->at - walk->window_at >= sizeof walk->window; /* then the next one probably is, too */
		const size_t want = far ? STW_BATCH_HEAD_MAX : sizeof walk->window;
		stwatch_status status = stw_source_read(span->source, walk->at, walk->window, want, &walk->window_size, error);
		if (status != STWATCH_OK)
			return status;
		walk->window_at = walk->at;
	}
	size_t into = (size_t)(walk->at - walk->window_at);
	/* What ends with a hole may claim more than the file has. */
	uint64_t total = span->n_holes ? UINT64_MAX : span->source->size;
	stwatch_status status = stw_batch_head_parse(head, walk->window + into, walk->window_size - into, walk->at, total, error);
	return status == STWATCH_END ? shorter(walk->at, error) : status;
}

stwatch_status stw_batches_next(stw_batches *walk, stw_batch_at *b, stwatch_error *error)
{
	const stw_span *span = walk->span;
	b->behind = b->cut = false;
	if (walk->left == 0)
		return STWATCH_END;
	for (; walk->hole < span->n_holes && walk->at >= span->holes[walk->hole].from; walk->hole++) {
		if (walk->at < span->holes[walk->hole].to)
			walk->at = span->holes[walk->hole].to;
		b->behind = true;
	}
	stwatch_status status = read_head(walk, &b->head, error);
	if (status != STWATCH_OK)
		return status;
	walk->left--;
	b->at = walk->at;
	b->data_at = walk->at + b->head.head_size;
	walk->at = b->data_at + b->head.size;
	if (walk->hole < span->n_holes && walk->at > span->holes[walk->hole].from) {
		walk->at = span->holes[walk->hole].from;
		b->head.size = walk->at > b->data_at ? (uint32_t)(walk->at - b->data_at) : 0;
		b->cut = true;
	}
	return STWATCH_OK;
}

stwatch_status stw_batches_read(const stw_batches *walk, const stw_batch_at *b, uint8_t *data, stwatch_error *error)
{
	size_t got;
	stwatch_status status = stw_source_read(walk->span->source, b->data_at, data, b->head.size, &got, error);
	return status == STWATCH_OK && got < b->head.size ? shorter(b->data_at, error) : status;
}
