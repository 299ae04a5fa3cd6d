/* What does not fit in memory comes back from the file as it was, the last first. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/stay_store.h"

enum { NONE = -7 };

static stw_past_stay stay_of(int64_t i)
{
	return (stw_past_stay){.id = i % 5, .from = i * 10 - i % 3, .to = i * 10, .by = i, .stack = (uint32_t)i, .wake = 3, .text = 1, .track = 2, .state = 1};
}

static void come_back_from_the_end(void **state)
{
	static const size_t BLOCKS[] = {1, 3, 64, 1000};
	(void)state;
	for (size_t b = 0; b < sizeof BLOCKS / sizeof *BLOCKS; b++) {
		enum { MANY = 200 };
		stw_mem mem;
		stw_stay_store store;
		stw_past_stays got = {0};
		stwatch_error error;
		int64_t before = 0, left = MANY;
		stw_mem_init(&mem, NULL, NULL, 0);
		stw_stay_store_init(&store, &mem, BLOCKS[b]);
		assert_false(stw_stay_store_any(&store));
		for (int64_t i = 0; i < MANY; i++) {
			const stw_past_stay s = stay_of(i);
			assert_int_equal(stw_stay_store_put(&store, &s, &error), STWATCH_OK);
		}
		while (stw_stay_store_any(&store)) {
			got.count = 0;
			assert_int_equal(stw_stay_store_take(&store, &got, NONE, &before, &error), STWATCH_OK);
			assert_true(got.count > 0 && got.count <= BLOCKS[b]);
			left -= (int64_t)got.count;
			for (size_t i = 0; i < got.count; i++) {
				const stw_past_stay s = stay_of(left + (int64_t)i);
				assert_memory_equal(&got.items[i], &s, sizeof s);
			}
			assert_int_equal(before, left ? (left - 1) * 10 : NONE);
		}
		assert_int_equal(left, 0);
		stw_vec_free(&mem, &got);
		stw_stay_store_free(&store);
		assert_int_equal(mem.used, 0);
	}
}

static void may_be_filled_again(void **state)
{
	stw_mem mem;
	stw_stay_store store;
	stw_past_stays got = {0};
	stwatch_error error;
	int64_t before;
	(void)state;
	stw_mem_init(&mem, NULL, NULL, 0);
	stw_stay_store_init(&store, &mem, 4);
	for (int64_t i = 0; i < 10; i++)
		assert_int_equal(stw_stay_store_put(&store, &(stw_past_stay){.to = i}, &error), STWATCH_OK);
	assert_int_equal(stw_stay_store_take(&store, &got, NONE, &before, &error), STWATCH_OK);
	assert_int_equal(before, 7);
	assert_int_equal(stw_stay_store_put(&store, &(stw_past_stay){.to = 3}, &error), STWATCH_OK); /* it ended before one that is there */
	assert_int_equal(stw_stay_store_take(&store, &got, NONE, &before, &error), STWATCH_OK);
	assert_int_equal(got.items[got.count - 1].to, 3);
	assert_int_equal(before, 7);
	stw_stay_store_clear(&store);
	assert_false(stw_stay_store_any(&store));
	stw_vec_free(&mem, &got);
	stw_stay_store_free(&store);
	assert_int_equal(mem.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(come_back_from_the_end),
		cmocka_unit_test(may_be_filled_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
