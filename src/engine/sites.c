#include "engine/sites.h"

#include <stdlib.h>

#include "base/digest.h"

enum { LEAST_SITES = 8 }; /* with fewer nothing is said of two programs */

bool stw_sites_add(stw_sites *sites, stw_mem *mem, const stw_generation *gen)
{
	for (size_t i = 0; i < gen->frames.count; i++) {
		const stw_v2_frame *f = &gen->frames.items[i];
		const stw_string *name = &gen->strings.items[f->func];
		stw_site *s = f->pc ? stw_vec_push(mem, sites) : NULL;
		if (f->pc && !s)
			return false;
		if (s)
			*s = (stw_site){f->pc, stw_digest(name->data, name->length, 0)};
	}
	return true;
}

static int by_pc(const void *x, const void *y)
{
	const stw_site *a = x, *b = y;
	return a->pc < b->pc ? -1 : a->pc > b->pc;
}

void stw_sites_sort(stw_sites *sites)
{
	if (sites->count > 1)
		qsort(sites->items, sites->count, sizeof *sites->items, by_pc);
}

bool stw_sites_differ(const stw_sites *a, const stw_sites *b)
{
	size_t i = 0, k = 0, common = 0, equal = 0;
	while (i < a->count && k < b->count) {
		const stw_site *x = &a->items[i], *y = &b->items[k];
		if (x->pc == y->pc) {
			common++;
			equal += x->what == y->what;
		}
		i += x->pc <= y->pc;
		k += y->pc <= x->pc;
	}
	return a->count >= LEAST_SITES && b->count >= LEAST_SITES && equal * 2 <= common;
}
