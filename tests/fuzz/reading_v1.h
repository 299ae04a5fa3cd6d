/* The events of a v1 trace, counted and added up: two readings of the same come to the same. */
#ifndef STWATCH_TESTS_FUZZ_READING_V1_H
#define STWATCH_TESTS_FUZZ_READING_V1_H

#include "order/v1.h"
#include "stage.h"

typedef struct reading {
	uint64_t events, hash, faults;
	int64_t last_time;
	bool out_of_order;
	stwatch_status status;
} reading;

static inline void reading_add(reading *r, const stw_order *o, unsigned type, int64_t time, uint32_t m, uint32_t p, uint32_t g,
	uint32_t target, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t parts[] = {type, (uint64_t)time, (uint64_t)stw_order_m_id(o, m), (uint64_t)stw_order_p_id(o, p),
		(uint64_t)stw_order_g_id(o, g), target, a0, a1, a2, a3};
	REQUIRE(target >= STW_SLOT_UNKNOWN || target < o->gs.count || target < o->ps.count);
	r->out_of_order |= r->events && time <= r->last_time;
	r->events++;
	r->last_time = time;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		r->hash = mixed(r->hash, parts[i]);
}

static inline bool reading_is_same(const reading *a, const reading *b)
{
	return a->events == b->events && a->hash == b->hash && a->faults == b->faults && a->status == b->status;
}

#endif
