/* Any bytes as a log with GODEBUG output. What is read of it must be whole: in order, of a run that is there, within the text. */
#include "sources/godebug.h"
#include "text.h"

static void walk_samples(const stw_godebug *g)
{
	for (size_t i = 0; i < g->samples.count; i++) {
		const stw_sched_sample *s = &g->samples.items[i], *before = i ? s - 1 : NULL;
		REQUIRE(s->run < g->runs.count && s->line > 0 && s->at_ns >= 0 && s->local_max <= s->local);
		REQUIRE(!before || before->run < s->run || (before->run == s->run && before->at_ns <= s->at_ns));
		REQUIRE(s->detail.n_reasons == 0 || s->detail.first_reason + s->detail.n_reasons <= g->reasons.count);
	}
	for (size_t i = 0; i < g->stays.count; i++) {
		const stw_sched_stay *s = &g->stays.items[i];
		REQUIRE(s->run < g->runs.count && s->samples >= 2 && s->kind < STW_STAY_KINDS && s->from_ns <= s->to_ns);
	}
}

static void walk(const stw_companion *c)
{
	const stw_godebug *g = c->parts[STW_PART_GODEBUG];
	REQUIRE(stw_godebug_tells(g));
	walk_samples(g);
	for (size_t i = 0; i < g->gcs.count; i++) {
		const stw_gc_line *l = &g->gcs.items[i], *before = i ? l - 1 : NULL;
		REQUIRE(l->run < g->runs.count && l->at_ns >= 0 && l->sweep_term_ns >= 0 && l->mark_ns >= 0 && l->mark_term_ns >= 0);
		REQUIRE(!before || before->run < l->run || (before->run == l->run && before->number <= l->number));
	}
	for (size_t i = 0; i < g->inits.count; i++)
		REQUIRE(g->inits.items[i].run < g->runs.count && stw_intern_get(&g->names, g->inits.items[i].package).data);
	for (size_t i = 0; i < g->reasons.count; i++)
		REQUIRE(g->reasons.items[i].count && stw_intern_get(&g->names, g->reasons.items[i].reason).data);
	for (size_t i = 0; i < g->clocks.count; i++) {
		const stw_godebug_clock *k = &g->clocks.items[i], *before = i ? k - 1 : NULL;
		REQUIRE(k->run < g->runs.count && k->at_ns >= 0 && k->stamp.unit > 0 && (!before || before->run <= k->run));
	}
	REQUIRE(g->pacer.over <= g->pacer.cycles && g->pacer.cycles <= g->pacer.lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_text(data, size, STW_PART_GODEBUG, walk);
	return 0;
}
