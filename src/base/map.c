#include "base/map.h"

#include <string.h>

void stw_map_init(stw_map *map, stw_mem *mem)
{
	*map = (stw_map){.mem = mem};
}

void stw_map_free(stw_map *map)
{
	if (map->entries)
		stw_mem_free(map->mem, map->entries, ((size_t)map->mask + 1) * sizeof *map->entries);
	*map = (stw_map){.mem = map->mem};
}

void stw_map_clear(stw_map *map)
{
	if (map->entries)
		memset(map->entries, 0xff, ((size_t)map->mask + 1) * sizeof *map->entries);
	map->count = 0;
}

static void insert(stw_map *map, uint64_t key, uint32_t value)
{
	uint32_t i = stw_map_home(map, key);
	while (map->entries[i].value != STW_MAP_NONE)
		i = (i + 1) & map->mask;
	map->entries[i] = (stw_map_entry){key, value};
}

static bool grow(stw_map *map)
{
	size_t capacity = map->entries ? ((size_t)map->mask + 1) * 2 : 64;
	if (capacity > UINT32_MAX / 2)
		return false;
	stw_map old = *map;
	stw_map_entry *entries = stw_mem_resize(map->mem, NULL, 0, capacity * sizeof *entries);
	if (!entries)
		return false;
	memset(entries, 0xff, capacity * sizeof *entries);
	map->entries = entries;
	map->mask = (uint32_t)capacity - 1;
	map->shift = 64 - (unsigned)__builtin_ctzll(capacity);
	if (old.entries) {
		for (size_t i = 0; i <= old.mask; i++)
			if (old.entries[i].value != STW_MAP_NONE)
				insert(map, old.entries[i].key, old.entries[i].value);
		stw_mem_free(map->mem, old.entries, ((size_t)old.mask + 1) * sizeof *old.entries);
	}
	return true;
}

bool stw_map_put(stw_map *map, uint64_t key, uint32_t value)
{
	if (map->count) {
		for (uint32_t i = stw_map_home(map, key); map->entries[i].value != STW_MAP_NONE; i = (i + 1) & map->mask)
			if (map->entries[i].key == key) {
				map->entries[i].value = value;
				return true;
			}
	}
	/* At most half full: probes stay short, and there is always a free entry to end them. */
	if ((!map->entries || (size_t)(map->count + 1) * 2 > map->mask) && !grow(map))
		return false;
	insert(map, key, value);
	map->count++;
	return true;
}

void stw_map_remove(stw_map *map, uint64_t key)
{
	if (map->count == 0)
		return;
	uint32_t i = stw_map_home(map, key);
	while (map->entries[i].value != STW_MAP_NONE && map->entries[i].key != key)
		i = (i + 1) & map->mask;
	if (map->entries[i].value == STW_MAP_NONE)
		return;
	for (uint32_t j = (i + 1) & map->mask; map->entries[j].value != STW_MAP_NONE; j = (j + 1) & map->mask) {
		uint32_t home = stw_map_home(map, map->entries[j].key);
		if (((j - home) & map->mask) >= ((j - i) & map->mask)) {
			map->entries[i] = map->entries[j];
			i = j;
		}
	}
	map->entries[i].value = STW_MAP_NONE;
	map->count--;
}
