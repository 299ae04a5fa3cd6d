#include "base/intern.h"

#include <string.h>

void stw_intern_init(stw_intern *intern, stw_mem *mem)
{
	*intern = (stw_intern){0};
	stw_arena_init(&intern->arena, mem);
}

void stw_intern_free(stw_intern *intern)
{
	stw_mem *mem = intern->arena.mem;
	stw_vec_free(mem, &intern->texts);
	if (intern->table)
		stw_mem_free(mem, intern->table, ((size_t)intern->mask + 1) * sizeof *intern->table);
	stw_arena_free(&intern->arena);
	stw_intern_init(intern, mem);
}

static uint64_t hash(const char *data, size_t length)
{
	uint64_t h = 0xcbf29ce484222325u ^ length;
	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char)data[i]) * 0x100000001b3u;
	return h ^ h >> 32;
}

static bool grow(stw_intern *intern)
{
	stw_mem *mem = intern->arena.mem;
	size_t capacity = intern->table ? ((size_t)intern->mask + 1) * 2 : 64;
	uint32_t *table = capacity > UINT32_MAX / 2 ? NULL : stw_mem_zalloc(mem, capacity * sizeof *table);
	if (!table)
		return false;
	for (uint32_t n = 1; n < intern->texts.count; n++) {
		stw_slice t = intern->texts.items[n];
		size_t i = hash(t.data, t.length) & (capacity - 1);
		while (table[i])
			i = (i + 1) & (capacity - 1);
		table[i] = n;
	}
	if (intern->table)
		stw_mem_free(mem, intern->table, ((size_t)intern->mask + 1) * sizeof *intern->table);
	intern->table = table;
	intern->mask = (uint32_t)capacity - 1;
	return true;
}

uint32_t stw_intern_put(stw_intern *intern, const char *data, size_t length)
{
	if (length == 0)
		return 0;
	if (length > UINT32_MAX)
		return UINT32_MAX;
	stw_mem *mem = intern->arena.mem;
	if (intern->texts.count == 0) {
		stw_slice *empty = stw_vec_push(mem, &intern->texts);
		if (!empty)
			return UINT32_MAX;
		*empty = (stw_slice){"", 0};
	}
	if ((!intern->table || intern->texts.count * 2 > intern->mask) && !grow(intern))
		return UINT32_MAX;
	size_t i = hash(data, length) & intern->mask;
	for (; intern->table[i]; i = (i + 1) & intern->mask) {
		stw_slice t = intern->texts.items[intern->table[i]];
		if (t.length == length && memcmp(t.data, data, length) == 0)
			return intern->table[i];
	}
	char *copy = stw_arena_copy(&intern->arena, data, length);
	stw_slice *t = copy ? stw_vec_push(mem, &intern->texts) : NULL;
	if (!t)
		return UINT32_MAX;
	*t = (stw_slice){copy, (uint32_t)length};
	return intern->table[i] = (uint32_t)intern->texts.count - 1;
}
