/* Strings kept once, named by dense numbers from 1; 0 is the empty string. One thread at a time. */
#ifndef STW_BASE_INTERN_H
#define STW_BASE_INTERN_H

#include "base/arena.h"

typedef struct stw_slice {
	const char *data; /* NUL-terminated when it comes from an interner */
	uint32_t length;
} stw_slice;

typedef struct stw_intern {
	stw_arena arena;
	STW_VEC(stw_slice) texts; /* by number */
	uint32_t *table; /* numbers by hash, 0: free */
	uint32_t mask;
} stw_intern;

void stw_intern_init(stw_intern *intern, stw_mem *mem);
void stw_intern_free(stw_intern *intern);
/* The number of a text (copied at first sight); UINT32_MAX when out of memory. */
uint32_t stw_intern_put(stw_intern *intern, const char *data, size_t length);
/* The text of a number; "" for 0 and for numbers that were never given. */
static inline stw_slice stw_intern_get(const stw_intern *intern, uint32_t number)
{
	return number < intern->texts.count ? intern->texts.items[number] : (stw_slice){"", 0};
}

#endif
