#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct stw_arena_block {
	stw_arena_block *older;
	size_t size;
};

enum { BLOCK_SIZE = 32 << 10, ALIGN = 16 };

void stw_arena_init(stw_arena *arena, stw_mem *mem)
{
	*arena = (stw_arena){.mem = mem};
}

void stw_arena_free(stw_arena *arena)
{
	for (stw_arena_block *b = arena->blocks, *older; b; b = older) {
		older = b->older;
		stw_mem_free(arena->mem, b, b->size);
	}
	arena->blocks = NULL;
	arena->next = NULL;
	arena->left = 0;
}

void *stw_arena_alloc(stw_arena *arena, size_t size)
{
	if (size > SIZE_MAX - BLOCK_SIZE)
		return NULL;
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > arena->left) {
		size_t head = (sizeof(stw_arena_block) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
		size_t total = head + (size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE - head);
		stw_arena_block *b = stw_mem_resize(arena->mem, NULL, 0, total);
		if (!b)
			return NULL;
		b->size = total;
		b->older = arena->blocks;
		arena->blocks = b;
		if (size > BLOCK_SIZE / 4) /* a big one gets a block of its own; the open block stays open */
			return (unsigned char *)b + head;
		arena->next = (unsigned char *)b + head;
		arena->left = total - head;
	}
	void *out = arena->next;
	arena->next += size;
	arena->left -= size;
	return out;
}

void *stw_arena_zalloc(stw_arena *arena, size_t size)
{
	void *out = stw_arena_alloc(arena, size);
	if (out)
		memset(out, 0, size);
	return out;
}

char *stw_arena_copy(stw_arena *arena, const char *text, size_t length)
{
	char *out = stw_arena_alloc(arena, length + 1);
	if (out) {
		if (length)
			memcpy(out, text, length);
		out[length] = 0;
	}
	return out;
}

char *stw_arena_printf(stw_arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	char *out = length < 0 ? NULL : stw_arena_alloc(arena, (size_t)length + 1);
	if (out)
		vsnprintf(out, (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	return out;
}
