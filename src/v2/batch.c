#include "v2/batch.h"

#include "base/error.h"
#include "event/spec.h"
#include "v2/generation.h"
#include "wire/varint.h"

static stwatch_status fail_field(stwatch_error *error, uint64_t at, size_t left, const char *field)
{
	bool overflow = left >= 10;
	return stw_fail(error, STWATCH_ERR_DAMAGED, at,
		overflow ? "the %s of a batch overflows 64 bits (a varint was expected)"
			 : "the head of a batch is cut within its %s (a varint was expected)",
		field);
}

stwatch_status stw_batch_head_parse(stw_batch_head *head, const uint8_t *p, size_t got, uint64_t at, uint64_t total, stwatch_error *error)
{
	static const char *const fields[] = {"generation", "thread id", "timestamp", "size"};
	const uint8_t *start = p, *end = p + got;
	uint64_t values[4];
	*head = (stw_batch_head){0};
	if (got == 0)
		return STWATCH_END;
	uint8_t type = *p++;
	if (type == STW_EV_EndOfGeneration) {
		head->end_of_generation = true;
		head->head_size = 1;
		return STWATCH_OK;
	}
	if (type != STW_EV_EventBatch && type != STW_EV_ExperimentalBatch)
		return stw_fail(error, STWATCH_ERR_DAMAGED, at, "found event type %u where a batch was expected", type);
	if (type == STW_EV_ExperimentalBatch) {
		if (p == end)
			return STWATCH_END;
		head->experiment = *p++;
	}
	for (int i = 0; i < 4; i++) {
		const uint8_t *next = stw_varint_get(p, end, &values[i]);
		if (!next)
			return fail_field(error, at + (uint64_t)(p - start), (size_t)(end - p), fields[i]);
		p = next;
	}
	head->generation = values[0];
	head->m = values[1];
	head->time = values[2];
	head->head_size = (uint32_t)(p - start);
	if (values[3] > STW_V2_MAX_BATCH)
		return stw_fail(error, STWATCH_ERR_DAMAGED, at, "invalid batch size %llu (at most %d was expected)",
			(unsigned long long)values[3], STW_V2_MAX_BATCH);
	head->size = (uint32_t)values[3];
	uint64_t data_at = at + head->head_size;
	if (data_at + head->size > total)
		return stw_fail(error, STWATCH_ERR_DAMAGED, data_at, "the input ends within a batch: %llu bytes of its %u are there",
			(unsigned long long)(total - data_at), head->size);
	if (head->size && p < end)
		head->first = *p;
	return STWATCH_OK;
}
