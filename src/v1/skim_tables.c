/* What skimming keeps of a v1 trace's tables. */
#include <string.h>

#include "base/error.h"
#include "v1/skim.h"

stwatch_status stw_v1_skim_add_string(stw_v1_skimmer *s, const uint8_t *p)
{
	stw_v1_index *x = s->index;
	uint64_t id, length;
	const uint8_t *head = p++;
	if (!(p = stw_v1_skim_take(s, p, &id)) || !(p = stw_v1_skim_take(s, p, &length)))
		return STWATCH_ERR_DAMAGED;
	if (id == 0)
		return stw_v1_skim_bad(s, head, "a string has the id 0 (1 or more was expected)");
	if (length == 0 || length > STW_V1_MAX_STRING)
		return stw_v1_skim_bad(s, head, "a string has an invalid length (1 to 1000000 bytes were expected)");
	uint64_t at = stw_v1_skim_offset(s, p);
	if (length > s->source->size || at > s->source->size - length)
		return stw_v1_skim_bad(s, head, "the file ends within a string");
	char *copy = stw_arena_alloc(&x->arena, (size_t)length + 1);
	stw_v1_string *string = copy ? stw_vec_push(x->mem, &x->strings) : NULL;
	if (!string)
		return stw_fail_memory(s->error);
	size_t got;
	stwatch_status status = stw_source_read(s->source, at, copy, (size_t)length, &got, s->error);
	if (status != STWATCH_OK)
		return status;
	memset(copy + got, 0, (size_t)length + 1 - got); /* it may have become shorter under us */
	*string = (stw_v1_string){id, copy, (uint32_t)length};
	if (stw_map_get(&s->strings, id) != STW_MAP_NONE) {
		x->strings.count--;
		if (!stw_v1_index_problem(x, stw_v1_skim_offset(s, head), "two strings have the same id: the first one holds"))
			return stw_fail_memory(s->error);
	} else if (!stw_map_put(&s->strings, id, (uint32_t)x->strings.count - 1)) {
		return stw_fail_memory(s->error);
	}
	if (length <= (uint64_t)(s->end - p)) {
		s->p = p + length;
		return STWATCH_OK;
	}
	return stw_v1_skim_move(s, at + length);
}

static bool add_frame(stw_v1_skimmer *s, const uint64_t *v)
{
	stw_v1_index *x = s->index;
	uint32_t index = stw_map_get(&s->pcs, v[0]);
	if (index == STW_MAP_NONE) { /* the first description of a pc holds, as in Go's reader */
		index = (uint32_t)x->frames.count;
		stw_v1_frame *f = stw_vec_push(x->mem, &x->frames);
		if (!f || !stw_map_put(&s->pcs, v[0], index))
			return false;
		*f = (stw_v1_frame){v[0], v[1], v[2], v[3]};
	}
	uint32_t *slot = stw_vec_push(x->mem, &x->stack_frames);
	if (slot)
		*slot = index;
	return slot != NULL;
}

stwatch_status stw_v1_skim_add_stack(stw_v1_skimmer *s, const uint8_t *p, const uint8_t *end)
{
	stw_v1_index *x = s->index;
	const unsigned width = x->format.minor < 7 ? 1 : 4;
	const uint8_t *head = p;
	uint64_t id, n;
	if (!(p = stw_varint_get(p, end, &id)) || !(p = stw_varint_get(p, end, &n)) || n > STW_V1_MAX_FRAMES)
		return stw_v1_skim_bad(s, head, "a stack has no valid number of frames (at most 1000 were expected)");
	uint32_t first = (uint32_t)x->stack_frames.count;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t v[4] = {0};
		for (unsigned k = 0; k < width; k++)
			if (!(p = stw_varint_get(p, end, &v[k])))
				return stw_v1_skim_bad(s, head, "a stack has fewer frames than it says");
		if (!add_frame(s, v))
			return stw_fail_memory(s->error);
	}
	if (p != end)
		return stw_v1_skim_bad(s, head, "a stack has more values than its frames need");
	if ((uint32_t)id == 0 || n == 0)
		return STWATCH_OK;
	stw_v1_stack *stack = stw_vec_push(x->mem, &x->stacks);
	if (!stack)
		return stw_fail_memory(s->error);
	*stack = (stw_v1_stack){(uint32_t)id, first, (uint32_t)n};
	return STWATCH_OK;
}

stwatch_status stw_v1_skim_add_sample(stw_v1_skimmer *s, const uint64_t *v)
{
	stw_v1_index *x = s->index;
	stw_v1_sample *sample = stw_vec_push(x->mem, &x->samples);
	if (!sample)
		return stw_fail_memory(s->error);
	*sample = (stw_v1_sample){(int64_t)v[1], (int32_t)v[2], v[3], (uint32_t)v[4]};
	return STWATCH_OK;
}

/* To Go 1.6 a creation tells the address of the new goroutine's function. */
stwatch_status stw_v1_skim_add_start(stw_v1_skimmer *s, uint64_t pc)
{
	stw_v1_index *x = s->index;
	if (pc == 0 || stw_map_get(&s->starts, pc) != STW_MAP_NONE)
		return STWATCH_OK;
	stw_v1_start *start = stw_vec_push(x->mem, &x->starts);
	if (!start || !stw_map_put(&s->starts, pc, (uint32_t)x->starts.count - 1))
		return stw_fail_memory(s->error);
	*start = (stw_v1_start){.pc = pc};
	return STWATCH_OK;
}
