/* Memory that lives and dies together: blocks filled from front to back, freed at once. One thread at a time. */
#ifndef STW_BASE_ARENA_H
#define STW_BASE_ARENA_H

#include "base/mem.h"

typedef struct stw_arena_block stw_arena_block;

typedef struct stw_arena {
	stw_mem *mem;
	stw_arena_block *blocks; /* newest first */
	unsigned char *next;
	size_t left;
} stw_arena;

void stw_arena_init(stw_arena *arena, stw_mem *mem);
void stw_arena_free(stw_arena *arena);
/* Room for size bytes aligned for anything, uninitialised; NULL when out of memory. */
void *stw_arena_alloc(stw_arena *arena, size_t size);
void *stw_arena_zalloc(stw_arena *arena, size_t size);
/* A NUL-terminated copy, or NULL. */
char *stw_arena_copy(stw_arena *arena, const char *text, size_t length);
/* printf into the arena, or NULL. */
char *stw_arena_printf(stw_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
