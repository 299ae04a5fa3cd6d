/* Any bytes as a pprof profile. Whatever is read of it must be whole: every index within its table, every stack walked to its end,
 * every sum made. */
#include <string.h>

#include "companion_stage.h"
#include "sources/profile.h"

static void walk(stw_mem *mem, const stw_companion *c)
{
	const stw_profile *p = stw_companion_profile(c);
	int64_t all = 0;
	if (!p)
		return;
	REQUIRE(p->n_functions > 0 && p->weight <= p->n_types && p->count <= p->n_types);
	for (size_t i = 0; i < p->n_samples; i++) {
		stw_profile_walk at = {0};
		for (const stw_profile_frame *f; (f = stw_profile_next(p, &p->samples[i], &at)) != NULL;)
			REQUIRE(f->function < p->n_functions);
		all += p->weight < p->n_types ? p->samples[i].values[p->weight] : 0;
	}
	stw_profile_share share;
	const stw_profile_query query = {.function = p->functions[0].name};
	if (stw_profile_ask(p, mem, &query, &share))
		REQUIRE(share.all == all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* So that most inputs are taken for a profile: the types of a CPU profile, of which the texts may be anything. */
	static const uint8_t TYPES[] = {0x0a, 4, 8, 1, 16, 2, 0x0a, 4, 8, 3, 16, 4};
	stw_mem mem;
	stw_mem_init(&mem, NULL, NULL, (uint64_t)256 << 20);
	companion_read(&mem, data, size, walk);
	uint8_t *joined = malloc(sizeof TYPES + size);
	if (joined) {
		memcpy(joined, TYPES, sizeof TYPES);
		if (size)
			memcpy(joined + sizeof TYPES, data, size);
		companion_read(&mem, joined, sizeof TYPES + size, walk);
	}
	free(joined);
	return 0;
}
