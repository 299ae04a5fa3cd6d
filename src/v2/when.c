#include "v2/when.h"

#include <string.h>

#include "base/error.h"
#include "v2/tables.h"
#include "v2/batches.h"

static bool is_clock(stw_go_version version, const stw_batch_head *h)
{
	return stw_tables_is_table(version, h) && (h->first == STW_EV_Frequency || h->first == STW_EV_Sync);
}

static stwatch_status walk(stw_generation *clock, uint8_t *data, const stw_span *span, stwatch_error *error)
{
	stw_batches walk;
	stw_batch_at w;
	stwatch_status status;
	stw_batches_init(&walk, span);
	while ((status = stw_batches_next(&walk, &w, error)) == STWATCH_OK) {
		if (!clock->has_min_time || clock->min_time == 0 || w.head.time < clock->min_time)
			clock->min_time = w.head.time;
		clock->has_min_time = true;
		if (!is_clock(clock->version, &w.head))
			continue;
		status = stw_batches_read(&walk, &w, data, error);
		if (status == STWATCH_OK)
			status = stw_tables_add(clock, &w.head, data, w.data_at, error);
		if (status != STWATCH_OK)
			return status;
	}
	return status == STWATCH_END ? STWATCH_OK : status;
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
