#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *libc_resize(void *user, void *block, size_t old_size, size_t new_size)
{
	(void)user;
	(void)old_size;
	if (new_size == 0) {
		free(block);
		return NULL;
	}
	return realloc(block, new_size);
}

void stw_mem_init(stw_mem *mem, stwatch_resize_fn resize, void *user, uint64_t limit)
{
	mem->resize = resize ? resize : libc_resize;
	mem->user = user;
	mem->limit = limit;
	atomic_init(&mem->used, 0);
	atomic_init(&mem->peak, 0);
}

static bool charge(stw_mem *mem, size_t old_size, size_t new_size)
{
	if (new_size <= old_size) {
		atomic_fetch_sub_explicit(&mem->used, old_size - new_size, memory_order_relaxed);
		return true;
	}
	uint64_t more = new_size - old_size;
	uint64_t now = atomic_fetch_add_explicit(&mem->used, more, memory_order_relaxed) + more;
	if (mem->limit && now > mem->limit) {
		atomic_fetch_sub_explicit(&mem->used, more, memory_order_relaxed);
		return false;
	}
	uint64_t peak = atomic_load_explicit(&mem->peak, memory_order_relaxed);
	while (now > peak && !atomic_compare_exchange_weak_explicit(&mem->peak, &peak, now, memory_order_relaxed, memory_order_relaxed))
		;
	return true;
}

void *stw_mem_resize(stw_mem *mem, void *block, size_t old_size, size_t new_size)
{
	if (new_size == 0 && block == NULL)
		return NULL;
	if (!charge(mem, old_size, new_size))
		return NULL;
	void *moved = mem->resize(mem->user, block, old_size, new_size);
	if (moved == NULL && new_size != 0)
		charge(mem, new_size, old_size); /* gives back what was charged; never over the limit when the old block stays */
	return moved;
}

void *stw_mem_zalloc(stw_mem *mem, size_t size)
{
	void *block = stw_mem_resize(mem, NULL, 0, size);
	if (block)
		memset(block, 0, size);
	return block;
}

void stw_mem_free(stw_mem *mem, void *block, size_t size)
{
	if (block)
		stw_mem_resize(mem, block, size, 0);
}

bool stw_vec_grow(stw_mem *mem, void **items, size_t *capacity, size_t need, size_t item_size)
{
	size_t want = *capacity ? *capacity : 16;
	while (want < need) {
		if (want > SIZE_MAX / 2 / item_size)
			return false;
		want *= 2;
	}
	void *moved = stw_mem_resize(mem, *items, *capacity * item_size, want * item_size);
	if (!moved)
		return false;
	*items = moved;
	*capacity = want;
	return true;
}

bool stw_vec_extend(stw_mem *mem, void **items, size_t *count, size_t *capacity, size_t n, const void *fresh, size_t item_size)
{
	if (n > *capacity && !stw_vec_grow(mem, items, capacity, n, item_size))
		return false;
	for (; *count < n; ++*count)
		memcpy((char *)*items + *count * item_size, fresh, item_size);
	return true;
}
