/* A trace's generations and their tables, without their events: where they lie, and that whatever is named in them is there. */
#include "stage.h"

static void check_tables(const stw_generation *gen)
{
	for (size_t i = 0; i < gen->frames.count; i++)
		REQUIRE(gen->frames.items[i].func < gen->strings.count && gen->frames.items[i].file < gen->strings.count);
	for (size_t i = 0; i < gen->stack_frames.count; i++)
		REQUIRE(gen->stack_frames.items[i] < gen->frames.count);
	for (size_t i = 0; i < gen->stacks.count; i++)
		REQUIRE((size_t)gen->stacks.items[i].first + gen->stacks.items[i].count <= gen->stack_frames.count);
	for (size_t i = 0; i < gen->strings.count; i++)
		REQUIRE(gen->strings.items[i].data[gen->strings.items[i].length] == 0);
	for (size_t i = 1; i < gen->samples.count; i++)
		REQUIRE(gen->samples.items[i - 1].time <= gen->samples.items[i].time);
}

/* As many ids lead to something as there are things, and each to one of its own. */
static void check_ids(const stw_generation *gen)
{
	size_t strings = 0, stacks = 0;
	uint64_t sum = 0, all = 0;
	for (uint64_t id = 1; id < 70000; id++) {
		uint32_t string = stw_generation_string(gen, id), stack = stw_generation_stack(gen, id);
		REQUIRE(string == STW_MAP_NONE || (string && string < gen->strings.count));
		REQUIRE(stack == STW_MAP_NONE || (stack && stack < gen->stacks.count));
		strings += string != STW_MAP_NONE;
		stacks += stack != STW_MAP_NONE;
		sum += string != STW_MAP_NONE ? string : 0;
	}
	REQUIRE(strings < gen->strings.count && stacks < gen->stacks.count);
	for (size_t i = 1; i < gen->strings.count; i++)
		all += i;
	REQUIRE(strings + 1 < gen->strings.count || sum == all);
	REQUIRE(stw_generation_string(gen, 0) == 0 && stw_generation_stack(gen, 0) == 0);
	REQUIRE(gen->strings.items[0].length == 0 && gen->stacks.items[0].count == 0);
}

static void check_batches(const stw_generation *gen, const stw_span *span)
{
	uint32_t next = 0;
	for (size_t t = 0; t < gen->threads.count; t++) {
		const stw_batch_thread *thread = &gen->threads.items[t];
		REQUIRE(thread->first == next && thread->count);
		for (uint32_t i = next; i < next + thread->count; i++) {
			const stw_batch *b = &gen->batches.items[i];
			REQUIRE(b->thread == t && b->offset > span->begin && b->offset + b->size <= span->end);
			REQUIRE(i == next || b->offset > b[-1].offset);
		}
		next += thread->count;
	}
	REQUIRE(next == gen->batches.count && next <= span->n_batches);
}

static void check_all(stage *s)
{
	stw_scan scan;
	stw_span span;
	stwatch_error error;
	stwatch_status status;
	uint64_t end = STW_HEADER_SIZE;
	stw_scan_init(&scan, &s->source, s->version);
	while ((status = stw_scan_next(&scan, &span, &error)) == STWATCH_OK) {
		REQUIRE(span.begin >= end && span.end >= span.begin && span.end <= s->source.size);
		end = span.end;
		stw_generation gen;
		if (span.lost) {
			REQUIRE(span.error.status == STWATCH_ERR_DAMAGED);
			continue;
		}
		status = stw_generation_load(&gen, &s->mem, &span, &error);
		if (status != STWATCH_OK) {
			REQUIRE(status == error.status && error.message[0]);
			continue;
		}
		check_tables(&gen);
		check_ids(&gen);
		check_batches(&gen, &span);
		stw_generation_free(&gen);
	}
	REQUIRE(status == STWATCH_END);
	stw_generation_check_rest(&s->mem, &span, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stage s;
	if (stage_open(&s, data, size)) {
		check_all(&s);
		stage_close(&s);
	}
	return 0;
}
