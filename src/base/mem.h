/* The one hook through which all memory comes, with its limit. Knows nothing of traces. */
#ifndef STW_BASE_MEM_H
#define STW_BASE_MEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stwatch/context.h"

typedef struct stw_mem {
	stwatch_resize_fn resize;
	void *user;
	uint64_t limit; /* 0: none */
	_Atomic uint64_t used, peak;
} stw_mem;

/* resize and user may be NULL: the C library's allocator. */
void stw_mem_init(stw_mem *mem, stwatch_resize_fn resize, void *user, uint64_t limit);

/* Like realloc with the old size given; new_size 0 frees and returns NULL. NULL when out of memory or over the limit:
 * the old block is then untouched. Thread-safe if the hook is. */
void *stw_mem_resize(stw_mem *mem, void *block, size_t old_size, size_t new_size);
void *stw_mem_zalloc(stw_mem *mem, size_t size);
void stw_mem_free(stw_mem *mem, void *block, size_t size);

/* A growable array of plain items: STW_VEC(int) numbers = {0}; */
#define STW_VEC(T)                                                                                                                         \
	struct {                                                                                                                           \
		T *items;                                                                                                                  \
		size_t count, capacity;                                                                                                    \
	}

bool stw_vec_grow(stw_mem *mem, void **items, size_t *capacity, size_t need, size_t item_size);
bool stw_vec_extend(stw_mem *mem, void **items, size_t *count, size_t *capacity, size_t n, const void *fresh, size_t item_size);

/* Makes room for n more items; false when out of memory. */
#define stw_vec_reserve(mem, vec, n)                                                                                                       \
	((vec)->count + (n) <= (vec)->capacity ||                                                                                          \
		stw_vec_grow((mem), (void **)(void *)&(vec)->items, &(vec)->capacity, (vec)->count + (n), sizeof *(vec)->items))
/* A pointer to a new, uninitialised last item, or NULL. */
#define stw_vec_push(mem, vec) (stw_vec_reserve((mem), (vec), 1) ? &(vec)->items[(vec)->count++] : NULL)
/* Adds an uninitialised last item; false when out of memory. */
#define stw_vec_add(mem, vec) (stw_vec_reserve((mem), (vec), 1) && ++(vec)->count)
/* Makes it at least n items long; each new one is as *fresh, of its items' type. False when out of memory. */
#define stw_vec_fill(mem, vec, n, fresh)                                                                                                   \
	((vec)->count >= (n) ||                                                                                                            \
		stw_vec_extend((mem), (void **)(void *)&(vec)->items, &(vec)->count, &(vec)->capacity, (n), 1 ? (fresh) : (vec)->items,    \
			sizeof *(vec)->items))
#define stw_vec_free(mem, vec)                                                                                                             \
	(stw_mem_free((mem), (vec)->items, (vec)->capacity * sizeof *(vec)->items), (vec)->items = NULL, (vec)->count = 0,                 \
		(vec)->capacity = 0)

#endif
