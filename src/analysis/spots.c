#include "analysis/spots.h"

#include <string.h>

#include "analysis/places.h"

void stw_spots_init(stw_spots *s, stw_mem *mem)
{
	memset(s, 0, sizeof *s);
	s->mem = mem;
	stw_intern_init(&s->texts, mem);
	stw_intern_init(&s->spots, mem);
}

void stw_spots_free(stw_spots *s)
{
	stw_intern_free(&s->texts);
	stw_intern_free(&s->spots);
	stw_vec_free(s->mem, &s->frames);
}

static uint32_t put(stw_spots *s, stw_intern *intern, const void *data, size_t length)
{
	uint32_t n = stw_intern_put(intern, data, length);
	s->failed |= n == UINT32_MAX;
	return n == UINT32_MAX ? 0 : n;
}

uint32_t stw_spots_keep(stw_spots *s, const char *text, size_t length)
{
	return put(s, &s->texts, text, length);
}

static uint32_t keep(stw_spots *s, const char *text)
{
	return text ? stw_spots_keep(s, text, strlen(text)) : 0;
}

static bool take_frames(stw_spots *s, const stw_generation *gen, const stw_v2_stack *stack)
{
	s->frames.count = 0;
	if (!stw_vec_reserve(s->mem, &s->frames, stack->count)) {
		s->failed = true;
		return false;
	}
	for (uint32_t i = 0; i < stack->count; i++) {
		const stw_v2_frame *f = stw_generation_frame(gen, stack, i);
		if (f->pc || f->func) /* else a preemption whose place is not known */
			s->frames.items[s->frames.count++] = (stwatch_frame){
				gen->strings.items[f->func].data, gen->strings.items[f->file].data, f->line};
	}
	return s->frames.count > 0;
}

static uint32_t put_stack(stw_spots *s, const stw_generation *gen, const stw_v2_stack *stack)
{
	if (!take_frames(s, gen, stack))
		return 0;
	const stwatch_frame *frames = s->frames.items;
	const uint32_t n = (uint32_t)s->frames.count;
	const stw_named_stack named = {frames, n, stw_user_frame(frames, n)};
	const stwatch_frame *at = &frames[named.user < n ? named.user : n - 1];
	const stw_spot spot = {.function = keep(s, stw_user_function(&named)),
		.file = keep(s, at->file),
		.leaf = keep(s, stw_leaf_function(&named)),
		.root = keep(s, stw_root_function(&named)),
		.line = at->line};
	return put(s, &s->spots, &spot, sizeof spot);
}

uint32_t stw_spots_of(stw_spots *s, stw_generation *gen, uint32_t stack)
{
	if (stack == 0 || stack >= gen->stacks.count)
		return 0;
	stw_v2_stack *at = &gen->stacks.items[stack];
	if (at->note[0] == 0)
		at->note[0] = put_stack(s, gen, at) + 1;
	return at->note[0] - 1;
}

stw_spot stw_spots_get(const stw_spots *s, uint32_t number)
{
	stw_spot spot = {0};
	stw_slice bytes = stw_intern_get(&s->spots, number);
	if (bytes.length == sizeof spot)
		memcpy(&spot, bytes.data, sizeof spot);
	return spot;
}
