#include "analysis/members.h"

#include <string.h>

#include "engine/feed.h"
#include "engine/transition.h"

enum { UNSEEN, WITHOUT, WITH };

void stw_members_init(stw_members *m, stw_mem *mem, const char *word)
{
	memset(m, 0, sizeof *m);
	m->mem = mem;
	m->word = word;
	stw_map_init(&m->index, mem);
}

void stw_members_free(stw_members *m)
{
	stw_map_free(&m->index);
	stw_vec_free(m->mem, &m->pages);
}

static bool is_in(const stw_members *m, stw_generation *gen, uint64_t id)
{
	uint32_t index = id ? stw_generation_stack(gen, id) : STW_MAP_NONE;
	if (index == STW_MAP_NONE)
		return false;
	stw_v2_stack *stack = &gen->stacks.items[index];
	if (stack->note[1] == UNSEEN) {
		stack->note[1] = WITHOUT;
		for (uint32_t i = 0; i < stack->count; i++)
			if (strstr(gen->strings.items[stw_generation_frame(gen, stack, i)->func].data, m->word))
				stack->note[1] = WITH;
	}
	return stack->note[1] == WITH;
}

static void put(stw_members *m, int64_t g)
{
	if (g == STWATCH_NONE)
		return;
	uint64_t page = (uint64_t)g >> STW_MEMBERS_PAGE_BITS, bit = (uint64_t)g & ((1 << STW_MEMBERS_PAGE_BITS) - 1);
	uint32_t i = stw_map_get(&m->index, page);
	if (i == STW_MAP_NONE) {
		stw_members_page *fresh = stw_vec_push(m->mem, &m->pages);
		i = (uint32_t)m->pages.count - 1;
		if (!fresh || !stw_map_put(&m->index, page, i)) {
			m->failed = true;
			return;
		}
		*fresh = (stw_members_page){{0}};
	}
	uint64_t *word = &m->pages.items[i].bits[bit / 64];
	m->count += !(*word >> bit % 64 & 1);
	*word |= (uint64_t)1 << bit % 64;
}

void stw_members_add(stw_members *m, stw_stream *stream, const stw_stream_event *e)
{
	stw_generation *gen = stw_stream_tables(stream);
	uint64_t acting;
	if (stw_event_stack(e, &acting) && is_in(m, gen, acting))
		put(m, e->g);
	if (stw_stream_kind(e) != STWATCH_EVENT_STATE_TRANSITION)
		return;
	const stw_transition t = stw_transition_of(e);
	if (!t.proc && t.has_stack && is_in(m, gen, t.stack))
		put(m, t.id);
}

bool stw_members_has(const stw_members *m, int64_t g)
{
	uint32_t i = stw_map_get(&m->index, (uint64_t)g >> STW_MEMBERS_PAGE_BITS);
	uint64_t bit = (uint64_t)g & ((1 << STW_MEMBERS_PAGE_BITS) - 1);
	return i != STW_MAP_NONE && m->pages.items[i].bits[bit / 64] >> bit % 64 & 1;
}
