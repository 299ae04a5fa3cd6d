/* Any bytes as a pprof profile. Whatever is read of it must be whole: every index within its table, every stack walked to its end,
 * every sum made. */
#include <string.h>

#include "sources/profile.h"
#include "stage.h"

static void walk(stw_mem *mem, const stw_profile *p)
{
	int64_t all = 0;
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

static void read_profile(stw_mem *mem, const uint8_t *data, size_t size)
{
	input in;
	stw_source source;
	stwatch_error error;
	stw_companion *c = NULL;
	if (input_open(&in, data, size) == 0 && stw_source_open(&source, in.path, NULL, &error) == STWATCH_OK) {
		stwatch_status status = stw_companion_read(&c, mem, in.path, 0, &source, NULL, &error);
		REQUIRE((status == STWATCH_OK) == (c != NULL));
		if (c && stw_companion_profile(c))
			walk(mem, stw_companion_profile(c));
		stw_companion_free(c);
		stw_source_close(&source);
	}
	input_close(&in);
	REQUIRE(atomic_load(&mem->used) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* So that most inputs are taken for a profile: the types of a CPU profile, of which the texts may be anything. */
	static const uint8_t TYPES[] = {0x0a, 4, 8, 1, 16, 2, 0x0a, 4, 8, 3, 16, 4};
	stw_mem mem;
	stw_mem_init(&mem, NULL, NULL, (uint64_t)256 << 20);
	read_profile(&mem, data, size);
	uint8_t *joined = malloc(sizeof TYPES + size);
	if (joined) {
		memcpy(joined, TYPES, sizeof TYPES);
		if (size)
			memcpy(joined + sizeof TYPES, data, size);
		read_profile(&mem, joined, sizeof TYPES + size);
	}
	free(joined);
	return 0;
}
