/* Hash map from 64-bit ids to 32-bit slots: open addressing, linear probing, deletion by shifting back. One thread at a time. */
#ifndef STW_BASE_MAP_H
#define STW_BASE_MAP_H

#include "base/mem.h"

#define STW_MAP_NONE UINT32_MAX

typedef struct stw_map_entry {
	uint64_t key;
	uint32_t value; /* STW_MAP_NONE: the entry is free */
} stw_map_entry;

typedef struct stw_map {
	stw_mem *mem;
	stw_map_entry *entries;
	uint32_t mask; /* capacity - 1 */
	unsigned shift; /* 64 - log2(capacity) */
	uint32_t count;
} stw_map;

/* Starts empty and without memory. */
void stw_map_init(stw_map *map, stw_mem *mem);
void stw_map_free(stw_map *map);
void stw_map_clear(stw_map *map);
/* Adds or replaces; false when out of memory. value must not be STW_MAP_NONE. */
bool stw_map_put(stw_map *map, uint64_t key, uint32_t value);
void stw_map_remove(stw_map *map, uint64_t key);

static inline uint32_t stw_map_home(const stw_map *map, uint64_t key)
{
	return (uint32_t)((key * 0x9E3779B97F4A7C15u) >> map->shift);
}

/* The slot of a key, or STW_MAP_NONE. */
static inline uint32_t stw_map_get(const stw_map *map, uint64_t key)
{
	if (map->count == 0)
		return STW_MAP_NONE;
	for (uint32_t i = stw_map_home(map, key);; i = (i + 1) & map->mask) {
		const stw_map_entry *e = &map->entries[i];
		if (e->value == STW_MAP_NONE || e->key == key)
			return e->value;
	}
}

#endif
