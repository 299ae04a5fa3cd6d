/* Any bytes as a trace of Go 1.5 to 1.21, through its first pass and the merge of its procs, with all that is known: what the first
 * pass found lies in the file and in order, times strictly increase, and a second reading gives the same.
 * Bytes that don't begin like a trace get a header of the version that their first byte chooses, so that nothing is spent on it. */
#include <string.h>

#include "reading_v1.h"

static inline void count_event(stw_merge *mg, unsigned type, int64_t time, uint32_t m, uint32_t p, uint32_t g, uint32_t target, uint64_t a0,
	uint64_t a1, uint64_t a2, uint64_t a3)
{
	reading_add(mg->hook, mg->order, type, time, m, p, g, target, a0, a1, a2, a3);
}

#define STW_MERGE_EMIT count_event
#include "order/v1_step.h"

static void check_batches(const stw_v1_index *x, uint64_t size)
{
	uint32_t next = 0;
	for (size_t i = 0; i < x->procs.count; i++) {
		const stw_v1_proc *p = &x->procs.items[i];
		REQUIRE(p->first == next && p->id >= -1);
		next += p->count;
		for (uint32_t b = p->first; b < next; b++) {
			const stw_v1_batch *batch = &x->batches.items[b];
			REQUIRE(batch->proc == i && batch->begin <= batch->end && batch->end <= size);
			REQUIRE(b == p->first || batch[-1].end <= batch->begin);
		}
	}
	REQUIRE(next == x->batches.count);
}

static void check_tables(const stw_v1_index *x, const stw_generation *gen)
{
	for (size_t i = 0; i < x->stacks.count; i++)
		REQUIRE((size_t)x->stacks.items[i].first + x->stacks.items[i].count <= x->stack_frames.count);
	for (size_t i = 0; i < x->stack_frames.count; i++)
		REQUIRE(x->stack_frames.items[i] < x->frames.count);
	for (size_t i = 1; i < x->samples.count; i++)
		REQUIRE(x->samples.items[i - 1].ticks <= x->samples.items[i].ticks);
	for (size_t i = 0; i < gen->frames.count; i++)
		REQUIRE(gen->frames.items[i].func < gen->strings.count && gen->frames.items[i].file < gen->strings.count);
	for (size_t i = 0; i < gen->stack_frames.count; i++)
		REQUIRE(gen->stack_frames.items[i] < gen->frames.count);
	for (size_t i = 0; i < x->problems.count; i++)
		REQUIRE(x->problems.items[i].what[0]);
}

static void check_exits(stage *s, const stw_v1_exits *exits)
{
	stw_v1_exit_walk walk;
	stw_v1_exit exit, before = {.key = INT64_MIN};
	stwatch_error error;
	uint64_t count = 0;
	if (stw_v1_exit_walk_open(&walk, &s->mem, exits, &error) == STWATCH_OK)
		for (; stw_v1_exit_walk_next(&walk, &exit, &error) == STWATCH_OK; before = exit, count++)
			REQUIRE(before.key <= exit.key);
	stw_v1_exit_walk_close(&walk);
	REQUIRE(count == exits->count);
}

static reading read_events(stage *s, stw_v1 *v1)
{
	reading r = {.status = STWATCH_OK};
	stw_v1_merge vm;
	stw_order order;
	stwatch_error error = {0};
	stw_order_init(&order, &s->mem);
	r.status = stw_v1_merge_open(&vm, &order, v1, &r, &error);
	vm.base.error = &error;
	while (r.status == STWATCH_OK)
		r.status = v1_step(&vm);
	r.faults = vm.n_faults;
	REQUIRE(!vm.n_faults || vm.first_fault.message[0]);
	REQUIRE(!r.out_of_order);
	stw_v1_merge_close(&vm);
	stw_order_free(&order);
	REQUIRE(r.status == STWATCH_END || (r.status == error.status && error.message[0]));
	return r;
}

static void check(stage *s, bool midway)
{
	stw_v1 v1;
	stw_v1_entry entry = stw_v1_entry_of(s->version);
	entry.midway = midway;
	stwatch_error error;
	stwatch_status status = stw_v1_open(&v1, &s->mem, &s->source, &entry, NULL, 1, NULL, &error);
	REQUIRE(status == STWATCH_OK || (status == error.status && error.message[0]));
	if (status != STWATCH_OK)
		return;
	check_batches(&v1.index, s->source.size);
	check_tables(&v1.index, &v1.gen);
	check_exits(s, &v1.index.exits);
	reading first = read_events(s, &v1), second = read_events(s, &v1);
	if (first.status != STWATCH_ERR_MEMORY && second.status != STWATCH_ERR_MEMORY)
		REQUIRE(reading_is_same(&first, &second));
	stw_v1_close(&v1);
}

static int run(const uint8_t *data, size_t size)
{
	stage s;
	if (stage_open_v1(&s, data, size)) {
		check(&s, false);
		check(&s, true);
		stage_close(&s);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned versions[] = {5, 7, 8, 9, 10, 11, 19, 21};
	if (size < 2 || data[0] == 'g' || data[0] == 0x1f || data[0] == 0x28)
		return run(data, size);
	uint8_t *whole = calloc(1, size + STW_HEADER_SIZE);
	if (!whole)
		return 0;
	snprintf((char *)whole, STW_HEADER_SIZE, "go 1.%u trace", versions[data[0] % (sizeof versions / sizeof *versions)]);
	memcpy(whole + STW_HEADER_SIZE, data + 1, size - 1);
	run(whole, size - 1 + STW_HEADER_SIZE);
	free(whole);
	return 0;
}
