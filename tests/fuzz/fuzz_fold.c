/* The first pass over each generation, as a trace's first one and speculatively: figures and candidates without nonsense, and of the events that a
 * reading one by one finds, with the same fault at the same place. */
#include "engine/pass.h"
#include "reading.h"

#include <string.h>

static void check(const stw_fold *f, const stw_generation *gen)
{
	for (size_t i = 0; i < f->stays.count; i++) {
		const stw_stay *s = &f->stays.items[i];
		REQUIRE(s->from == STW_TIME_UNKNOWN || s->from <= s->to);
		REQUIRE(s->root < gen->stacks.count && s->stack < gen->stacks.count && s->wake_stack < gen->stacks.count);
		REQUIRE(s->reason < gen->strings.count);
	}
	for (size_t i = 0; i < f->uses.count; i++) {
		REQUIRE(f->uses.items[i].from == STW_TIME_UNKNOWN || f->uses.items[i].from <= f->uses.items[i].to);
		REQUIRE(i == 0 || f->uses.items[i - 1].to <= f->uses.items[i].to);
	}
	for (size_t i = 0; i < f->stops.count; i++) {
		const stw_stop *s = &f->stops.items[i];
		REQUIRE(s->from <= s->to && s->from <= s->stood && s->stood <= s->to);
		REQUIRE((size_t)s->moments + s->n_moments <= f->stop_moments.count || s->n_moments == 0);
	}
	for (size_t i = 0; i < f->silences.count; i++)
		REQUIRE(f->silences.items[i].from <= f->silences.items[i].to);
	REQUIRE(f->first_time == STW_TIME_UNKNOWN || f->first_time <= f->last_time);
}

/* Threads' turns come to what their events come to in order. */
static void require_same(
	stage *s, const stw_fold *f, const stw_generation *gen, stw_read_mode mode, stwatch_status status, const stwatch_error *error)
{
	stw_order order;
	stw_order_init(&order, &s->mem);
	const reading r = read_generation(&order, gen, mode, READ_SINGLY);
	const bool gave_up = order.gave_up;
	stw_order_free(&order);
	if (r.status == STWATCH_ERR_MEMORY || status == STWATCH_ERR_MEMORY)
		return;
	REQUIRE((r.status == STWATCH_END) == (status == STWATCH_OK));
	if (gave_up)
		return;
	REQUIRE(stw_fold_events(f) == r.events);
	REQUIRE(status == STWATCH_OK ||
		(r.status == status && r.error.offset == error->offset && strcmp(r.error.message, error->message) == 0));
}

static void fold(stage *s, const stw_generation *gen, stw_read_mode mode)
{
	stw_order order;
	stw_fold f = {0};
	stwatch_error error = {0};
	const stw_run_options options = {.threads = 1};
	stw_order_init(&order, &s->mem);
	stw_order_begin(&order, mode);
	stwatch_status status = stw_pass_run(&f, &order, gen, 0, &options, &error);
	REQUIRE(status == STWATCH_OK || (status == error.status && error.message[0]));
	if (status != STWATCH_ERR_MEMORY)
		check(&f, gen);
	require_same(s, &f, gen, mode, status, &error);
	stw_fold_shrink(&f);
	stw_fold_free(&f);
	stw_order_free(&order);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stage s;
	stw_scan scan;
	stw_generation gen;
	if (!stage_open(&s, data, size))
		return 0;
	stw_scan_init(&scan, &s.source, s.version);
	while (stage_next(&s, &scan, &gen)) {
		fold(&s, &gen, STW_READ_INITIAL);
		fold(&s, &gen, STW_READ_SPECULATIVE);
		stw_generation_free(&gen);
	}
	stage_close(&s);
	return 0;
}
