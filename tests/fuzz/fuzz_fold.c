/* The first pass over each generation, as a trace's first one and speculatively: figures and candidates without nonsense. */
#include "engine/pass.h"
#include "stage.h"

static void check(const stw_fold *f, const stw_generation *gen)
{
	for (size_t i = 0; i < f->stays.count; i++) {
		const stw_stay *s = &f->stays.items[i];
		REQUIRE(s->from == STW_TIME_UNKNOWN || s->from <= s->to);
		REQUIRE(s->root < gen->stacks.count && s->stack < gen->stacks.count && s->wake_stack < gen->stacks.count);
		REQUIRE(s->reason < gen->strings.count);
	}
	for (size_t i = 0; i < f->uses.count; i++)
		REQUIRE(f->uses.items[i].from == STW_TIME_UNKNOWN || f->uses.items[i].from <= f->uses.items[i].to);
	for (size_t i = 0; i < f->stops.count; i++) {
		const stw_stop *s = &f->stops.items[i];
		REQUIRE(s->from <= s->to && s->from <= s->stood && s->stood <= s->to);
		REQUIRE((size_t)s->moments + s->n_moments <= f->stop_moments.count || s->n_moments == 0);
	}
	for (size_t i = 0; i < f->silences.count; i++)
		REQUIRE(f->silences.items[i].from <= f->silences.items[i].to);
	REQUIRE(f->first_time == STW_TIME_UNKNOWN || f->first_time <= f->last_time);
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
