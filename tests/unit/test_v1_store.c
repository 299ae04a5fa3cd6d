/* What an index keeps of a v1 trace: ends of system calls come back in their order, from wherever one begins; of what is cut or spoilt nothing is taken, and
 * no memory is lost. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "order/v1_snapshot.h"
#include "v1/index_store.h"

#define STW_MERGE_EMIT(mg, type, time, m, p, g, target, a0, a1, a2, a3)                                                                    \
	((void)(time), (void)(m), (void)(p), (void)(g), (void)(target), (void)(a0), (void)(a1), (void)(a2), (void)(a3))
#define STW_V1_AS_GO true
#include "order/v1_step.h"

enum { MANY = 3 * STW_V1_EXIT_BLOCK + 17 };
#define TRACE STWATCH_SOURCE_DIR "/tests/data/v1/everything-p2-go1.21.13.trace.gz"

static stw_v1_exit exit_of(uint64_t i)
{
	return (stw_v1_exit){.key = (int64_t)(i * 7 / 3) - 100, .ticks = i % 5 ? (int64_t)(i * 7 / 3) - 100 : 0, .g = i * i};
}

/* So many of them, packed into a temporary file. */
static void pack(stw_mem *mem, stw_v1_exits *packed, uint64_t n)
{
	stw_v1_exits exits;
	stwatch_error error;
	uint64_t at = 0;
	stw_v1_exits_init(&exits, mem);
	stw_v1_exits_init(packed, mem);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(stw_v1_exits_add(&exits, exit_of(i), &error), STWATCH_OK);
	assert_int_equal(stw_v1_exits_finish(&exits, &error), STWATCH_OK);
	assert_int_equal(stw_temporary_file(&packed->fd, &error), STWATCH_OK);
	assert_true(packed->fd >= 0);
	assert_int_equal(stw_v1_exits_pack(&exits, packed, packed->fd, &at, &error), STWATCH_OK);
	assert_int_equal(packed->count, n);
	stw_v1_exits_free(&exits);
}

static void exits_come_back_from_anywhere(void **state)
{
	static const uint64_t COUNTS[] = {0, 1, STW_V1_EXIT_BLOCK, MANY};
	(void)state;
	for (size_t k = 0; k < sizeof COUNTS / sizeof *COUNTS; k++) {
		stw_mem mem;
		stw_v1_exits packed;
		stw_v1_exit_walk walk;
		stw_v1_exit got;
		stwatch_error error;
		stw_mem_init(&mem, NULL, NULL, 0);
		pack(&mem, &packed, COUNTS[k]);
		assert_true(stw_v1_exits_are_sound(&packed, 0, COUNTS[k]));
		for (uint64_t from = 0; from <= COUNTS[k]; from += from < 3 ? 1 : 977) {
			assert_int_equal(stw_v1_exit_walk_open(&walk, &mem, &packed, &error), STWATCH_OK);
			if (from)
				stw_v1_exit_walk_seek(&walk, from);
			for (uint64_t i = from; i < COUNTS[k]; i++) {
				const stw_v1_exit want = exit_of(i);
				assert_int_equal(stw_v1_exit_walk_next(&walk, &got, &error), STWATCH_OK);
				assert_true(got.key == want.key && got.ticks == want.ticks && got.g == want.g);
			}
			assert_int_equal(stw_v1_exit_walk_next(&walk, &got, &error), STWATCH_END);
			stw_v1_exit_walk_close(&walk);
		}
		stw_v1_exits_free(&packed);
		assert_int_equal(mem.used, 0);
	}
}

static void a_spoilt_block_is_told(void **state)
{
	stw_mem mem;
	stw_v1_exits packed;
	stw_v1_exit_walk walk;
	stw_v1_exit got;
	stwatch_error error;
	(void)state;
	stw_mem_init(&mem, NULL, NULL, 0);
	pack(&mem, &packed, MANY);
	assert_int_equal(pwrite(packed.fd, "x", 1, (off_t)packed.blocks.items[1].at + 5), 1);
	assert_true(stw_v1_exits_are_sound(&packed, 0, STW_V1_EXIT_BLOCK - 1));
	assert_false(stw_v1_exits_are_sound(&packed, 0, STW_V1_EXIT_BLOCK));
	assert_true(stw_v1_exits_are_sound(&packed, 2 * STW_V1_EXIT_BLOCK, MANY));
	assert_int_equal(stw_v1_exit_walk_open(&walk, &mem, &packed, &error), STWATCH_OK);
	for (uint64_t i = 0; i < STW_V1_EXIT_BLOCK; i++)
		assert_int_equal(stw_v1_exit_walk_next(&walk, &got, &error), STWATCH_OK);
	assert_int_equal(stw_v1_exit_walk_next(&walk, &got, &error), STWATCH_ERR_DAMAGED);
	stw_v1_exit_walk_close(&walk);
	stw_v1_exits_free(&packed);
	assert_int_equal(mem.used, 0);
}

/* ---- of a trace ---- */

typedef struct opened {
	stw_mem mem;
	stw_source source;
	unsigned minor;
	stw_v1_index found;
	uint64_t done, total; /* told last */
} opened;

static void hear(void *user, uint64_t done, uint64_t total)
{
	opened *t = user;
	t->done = done;
	t->total = total;
}

static void open_trace(opened *t)
{
	stwatch_error error;
	stw_mem_init(&t->mem, NULL, NULL, 0);
	const stw_source_options options = {.progress = hear, .progress_user = t};
	t->done = t->total = 0;
	assert_int_equal(stw_source_open(&t->source, TRACE, &options, &error), STWATCH_OK);
	assert_int_equal(stw_header_read(&t->source, &t->minor, &error), STWATCH_OK);
	const stw_v1_entry entry = stw_v1_entry_of(t->minor);
	assert_int_equal(stw_v1_index_read(&t->found, &t->mem, &t->source, &entry, 1, NULL, &error), STWATCH_OK);
}

static void close_trace(opened *t)
{
	stw_source_close(&t->source);
	assert_int_equal(t->mem.used, 0);
}

static void the_first_pass_tells_how_far_it_is(void **state)
{
	(void)state;
	opened t;
	open_trace(&t);
	assert_int_equal(t.total, t.source.size);
	assert_int_equal(t.done, t.source.size);
	stw_v1_index_free(&t.found);
	close_trace(&t);
}

static void a_cut_first_pass_is_refused(void **state)
{
	opened t;
	(void)state;
	open_trace(&t);
	stw_bytes b = {.mem = &t.mem};
	stw_v1_index x;
	stw_v1_index_save(&t.found, &b);
	for (size_t n = 0; n < b.data.count; n += 1 + n / 50) {
		stw_bytes_reader cut = {.p = b.data.items, .end = b.data.items + n};
		assert_false(stw_v1_index_restore(&x, &t.mem, t.minor, t.source.size, &cut));
	}
	stw_bytes_reader whole = {.p = b.data.items, .end = b.data.items + b.data.count}, of_less = whole;
	assert_true(stw_v1_index_restore(&x, &t.mem, t.minor, t.source.size, &whole));
	assert_true(whole.p == whole.end);
	assert_int_equal(x.batches.count, t.found.batches.count);
	assert_int_equal(x.stacks.count, t.found.stacks.count);
	assert_int_equal(x.samples.count, t.found.samples.count);
	stw_v1_index_free(&x);
	/* batches that would lie behind the end of the trace */
	assert_false(stw_v1_index_restore(&x, &t.mem, t.minor, t.found.batches.items[0].end, &of_less));
	stw_bytes_free(&b);
	stw_v1_index_free(&t.found);
	close_trace(&t);
}

/* The state after so many steps. */
static void save_at(opened *t, stw_v1 *v1, unsigned steps, stw_bytes *b)
{
	stw_v1_merge vm;
	stw_order order;
	stwatch_error error;
	stw_order_init(&order, &t->mem);
	assert_int_equal(stw_v1_merge_open(&vm, &order, v1, NULL, &error), STWATCH_OK);
	while (steps-- > 0 || !stw_v1_merge_can_be_saved(&vm))
		assert_int_equal(v1_step(&vm), STWATCH_OK);
	stw_v1_merge_save(&vm, b);
	stw_v1_merge_close(&vm);
	stw_order_free(&order);
}

static void a_cut_state_is_refused(void **state)
{
	opened t;
	stw_v1 v1;
	stwatch_error error;
	(void)state;
	open_trace(&t);
	t.found.exits.count = 0; /* not packed: the state is to have none of them */
	t.found.exits.items.count = 0;
	assert_int_equal(stw_v1_open_read(&v1, &t.mem, &t.source, &t.found, NULL, &error), STWATCH_OK);
	stw_bytes b = {.mem = &t.mem};
	save_at(&t, &v1, 20000, &b);
	for (size_t n = 0; n <= b.data.count; n++) {
		stw_v1_merge vm;
		stw_order order;
		stw_bytes_reader r = {.p = b.data.items, .end = b.data.items + n};
		stw_order_init(&order, &t.mem);
		stwatch_status status = stw_v1_merge_resume(&vm, &order, &v1, NULL, &r, &error);
		assert_int_equal(status, n < b.data.count ? STWATCH_ERR_DAMAGED : STWATCH_OK);
		if (n == b.data.count) {
			stw_bytes again = {.mem = &t.mem};
			stw_v1_merge_save(&vm, &again);
			assert_int_equal(again.data.count, b.data.count);
			assert_memory_equal(again.data.items, b.data.items, b.data.count);
			stw_bytes_free(&again);
		}
		stw_v1_merge_close(&vm);
		stw_order_free(&order);
	}
	stw_bytes_free(&b);
	stw_v1_close(&v1);
	close_trace(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_come_back_from_anywhere),
		cmocka_unit_test(a_spoilt_block_is_told),
		cmocka_unit_test(the_first_pass_tells_how_far_it_is),
		cmocka_unit_test(a_cut_first_pass_is_refused),
		cmocka_unit_test(a_cut_state_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
