/* A generation's events, read in one of three ways that must come to the same: one by one, in runs, or by the full rules alone. */
#ifndef STWATCH_TESTS_FUZZ_READING_H
#define STWATCH_TESTS_FUZZ_READING_H

#include "order/merge.h"
#include "stage.h"

typedef struct reading {
	uint64_t events;
	uint64_t whole; /* a hash of everything about every event */
	uint64_t outline; /* of what a speculative reading knows too */
	int64_t last_time;
	bool out_of_order;
	stwatch_status status;
	stwatch_error error;
} reading;

typedef enum reading_way { READ_SINGLY, READ_IN_RUNS, READ_BY_FULL_RULES } reading_way;

static inline void count_event(stw_merge *mg, unsigned type, int64_t time, uint32_t m, uint32_t p, uint32_t g, uint32_t target, uint64_t a0,
	uint64_t a1, uint64_t a2, uint64_t a3)
{
	reading *r = mg->hook;
	const stw_order *o = mg->order;
	bool proc = type == STW_EV_ProcStart || type == STW_EV_ProcStop || type == STW_EV_ProcSteal || type == STW_EV_ProcStatus;
	REQUIRE(target >= STW_SLOT_UNKNOWN || target < o->gs.count || target < o->ps.count);
	r->out_of_order |= r->events && time <= r->last_time;
	r->events++;
	r->last_time = time;
	r->outline = mixed(mixed(r->outline, type), (uint64_t)time);
	uint64_t parts[] = {type, (uint64_t)time, (uint64_t)stw_order_m_id(o, m), (uint64_t)stw_order_p_id(o, p),
		(uint64_t)stw_order_g_id(o, g), a0, a1, a2, a3};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		r->whole = mixed(r->whole, parts[i]);
	if (proc && target < o->ps.count)
		r->whole = mixed(r->whole, (uint64_t)o->ps.items[target].id);
}

#define STW_MERGE_EMIT count_event
#include "order/merge_step.h"

static inline stwatch_status read_by_full_rules(stw_merge *mg)
{
	if (mg->n_heap == 0 || mg->sample_time < mg->heap[0].time)
		return merge_step(mg, false);
	return merge_first(mg, mg->heap[0].cursor);
}

static inline reading read_generation(stw_order *order, const stw_generation *gen, stw_read_mode mode, reading_way way)
{
	reading r = {.status = STWATCH_OK};
	stw_merge mg;
	stw_order_begin(order, mode);
	r.status = stw_merge_open(&mg, order, gen, INT64_MIN, &r, &r.error);
	while (r.status == STWATCH_OK)
		r.status = way == READ_BY_FULL_RULES ? read_by_full_rules(&mg) : merge_step(&mg, way != READ_SINGLY);
	stw_merge_close(&mg);
	REQUIRE(!r.out_of_order);
	REQUIRE(r.status == STWATCH_END || (r.status == r.error.status && r.error.message[0]));
	return r;
}

#endif
