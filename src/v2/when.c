#include "v2/when.h"

#include <string.h>

#include "base/error.h"
#include "v2/batch.h"
#include "v2/tables.h"

static bool is_clock(stw_go_version version, const stw_batch_head *h)
{
	return stw_tables_is_table(version, h) && (h->first == STW_EV_Frequency || h->first == STW_EV_Sync);
}

/* Heads of small batches share a window, as in the scan. */
static stwatch_status walk(stw_generation *clock, uint8_t *data, const stw_span *span, stwatch_error *error)
{
	uint8_t window[4096];
	uint64_t at = span->begin, window_at = 0;
	size_t window_size = 0;
	for (uint64_t n = 0; n < span->n_batches; n++) {
		stw_batch_head h;
		stwatch_status status = STWATCH_OK;
		if (at < window_at || at - window_at + STW_BATCH_HEAD_MAX > window_size) {
			status = stw_source_read(span->source, at, window, sizeof window, &window_size, error);
			window_at = at;
		}
		if (status == STWATCH_OK)
			status = stw_batch_head_parse(
				&h, window + (at - window_at), window_size - (size_t)(at - window_at), at, span->source->size, error);
		if (status == STWATCH_END)
			status = stw_fail(error, STWATCH_ERR_DAMAGED, at, "the file became shorter while it was read");
		if (status != STWATCH_OK)
			return status;
		if (!clock->has_min_time || clock->min_time == 0 || h.time < clock->min_time)
			clock->min_time = h.time;
		clock->has_min_time = true;
		at += h.head_size;
		if (is_clock(clock->version, &h)) {
			size_t got;
			status = stw_source_read(span->source, at, data, h.size, &got, error);
			if (status == STWATCH_OK && got < h.size)
				status = stw_fail(error, STWATCH_ERR_DAMAGED, at, "the file became shorter while it was read");
			if (status == STWATCH_OK)
				status = stw_tables_add(clock, &h, data, at, error);
		}
		if (status != STWATCH_OK)
			return status;
		at += h.size;
	}
	return STWATCH_OK;
}

stwatch_status stw_generation_when(stw_mem *mem, const stw_span *span, int64_t *ns, stwatch_error *error)
{
	stw_generation clock = {.mem = mem, .version = span->version, .number = span->generation};
	uint8_t *data = stw_mem_resize(mem, NULL, 0, STW_V2_MAX_BATCH);
	if (!data)
		return stw_fail_memory(error);
	stwatch_status status = walk(&clock, data, span, error);
	stw_mem_free(mem, data, STW_V2_MAX_BATCH);
	if (status == STWATCH_OK && !clock.has_frequency)
		status = stw_fail(error, STWATCH_ERR_DAMAGED, span->begin, "generation %llu has no frequency event (one was expected)",
			(unsigned long long)span->generation);
	if (status == STWATCH_OK)
		*ns = stw_generation_ns(&clock, clock.min_time);
	return status;
}
