/* Which functions stand at which addresses: what tells two programs apart. */
#ifndef STW_ENGINE_SITES_H
#define STW_ENGINE_SITES_H

#include "v2/generation.h"

typedef struct stw_site {
	uint64_t pc, what; /* what: hash of its function's name */
} stw_site;

typedef STW_VEC(stw_site) stw_sites;

/* Adds those of a generation's frames; ended with stw_vec_free. False when out of memory. */
bool stw_sites_add(stw_sites *sites, stw_mem *mem, const stw_generation *gen);
/* By address; after the last was added. */
void stw_sites_sort(stw_sites *sites);
/* Whether two are of different programs: most of the addresses that they share are other functions, or none is shared. */
bool stw_sites_differ(const stw_sites *a, const stw_sites *b);

#endif
