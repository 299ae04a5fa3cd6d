/* Names for the addresses of a trace that has none (Go 1.5 and 1.6), from whoever knows the program. */
#include <string.h>

#include "base/error.h"
#include "v1/index.h"

typedef struct naming {
	stw_v1_index *x;
	const stw_namer *namer;
	stw_map strings; /* by where they stand: the same name is the same text */
	uint64_t next_string;
} naming;

/* The id of a text, 0 for an empty one; UINT64_MAX when out of memory. */
static uint64_t string_id(naming *n, const char *text)
{
	if (!*text)
		return 0;
	uint32_t known = stw_map_get(&n->strings, (uint64_t)(uintptr_t)text);
	if (known != STW_MAP_NONE)
		return n->x->strings.items[known].id;
	size_t length = strlen(text);
	char *copy = stw_arena_copy(&n->x->arena, text, length);
	stw_v1_string *s = copy ? stw_vec_push(n->x->mem, &n->x->strings) : NULL;
	if (!s || !stw_map_put(&n->strings, (uint64_t)(uintptr_t)text, (uint32_t)n->x->strings.count - 1))
		return UINT64_MAX;
	*s = (stw_v1_string){n->next_string++, copy, (uint32_t)length};
	return s->id;
}

/* address: of an instruction. */
static bool name_frame(naming *n, stw_v1_frame *f, uint64_t address)
{
	stw_code_name name;
	if (!n->namer->name(n->namer->user, address, &name))
		return true;
	f->func = string_id(n, name.function);
	f->file = string_id(n, name.file);
	f->line = name.line;
	return f->func != UINT64_MAX && f->file != UINT64_MAX;
}

/* A stack of one frame for each function that goroutines began with. Like all frames, it is known by the address after. */
static bool add_starts(naming *n)
{
	stw_v1_index *x = n->x;
	uint32_t id = 0;
	for (size_t i = 0; i < x->stacks.count; i++)
		id = x->stacks.items[i].id > id ? x->stacks.items[i].id : id;
	for (size_t i = 0; i < x->starts.count && id < UINT32_MAX; i++) {
		stw_v1_start *start = &x->starts.items[i];
		stw_v1_frame frame = {.pc = start->pc + 1};
		if (!name_frame(n, &frame, start->pc))
			return false;
		stw_v1_frame *f = stw_vec_push(x->mem, &x->frames);
		uint32_t *slot = f ? stw_vec_push(x->mem, &x->stack_frames) : NULL;
		stw_v1_stack *stack = slot ? stw_vec_push(x->mem, &x->stacks) : NULL;
		if (!stack)
			return false;
		*f = frame;
		*slot = (uint32_t)x->frames.count - 1;
		*stack = (stw_v1_stack){++id, (uint32_t)x->stack_frames.count - 1, 1};
		start->stack = id;
	}
	return true;
}

static bool name_all(naming *n)
{
	stw_v1_index *x = n->x;
	for (size_t i = 0; i < x->strings.count; i++)
		n->next_string = x->strings.items[i].id > n->next_string ? x->strings.items[i].id : n->next_string;
	if (++n->next_string == 0) /* the file has used up all ids */
		return true;
	for (size_t i = 0; i < x->frames.count; i++)
		if (x->frames.items[i].func == 0 && !name_frame(n, &x->frames.items[i], x->frames.items[i].pc - 1))
			return false;
	return add_starts(n);
}

bool stw_v1_index_name(stw_v1_index *x, const stw_namer *namer)
{
	naming n = {.x = x, .namer = namer};
	size_t size = (x->starts.count + x->frames.count + 1) * sizeof(uint64_t), n_returns = 0;
	uint64_t *starts = stw_mem_zalloc(x->mem, size);
	if (!starts)
		return false;
	uint64_t *returns = starts + x->starts.count;
	for (size_t i = 0; i < x->starts.count; i++)
		starts[i] = x->starts.items[i].pc;
	for (size_t i = 0; i < x->frames.count; i++)
		if (x->frames.items[i].func == 0 && x->frames.items[i].pc != 0)
			returns[n_returns++] = x->frames.items[i].pc;
	const stw_code_addresses all = {x->format.minor, starts, x->starts.count, returns, n_returns, false};
	bool ok = true;
	if (all.n_starts + n_returns > 0 && namer->fits(namer->user, &all)) {
		stw_map_init(&n.strings, x->mem);
		ok = name_all(&n);
		stw_map_free(&n.strings);
	}
	stw_mem_free(x->mem, starts, size);
	return ok;
}
