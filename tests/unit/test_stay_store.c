/* Stays of the past: what does not fit in memory comes back from the file as it was, the last first; what is loaded stands in order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/stay_order.h"

enum { NONE = -7 };

static stw_past_stay stay_of(int64_t i)
{
	return (stw_past_stay){.id = i % 5,
		.from = i * 10 - i % 3,
		.to = i * 10,
		.by = i,
		.stack = (uint32_t)i,
		.wake = 3,
		.text = 1,
		.track = 2,
		.state = 1};
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

/* By comparing each pair, which the sort itself does not. */
static void stand_in_order(void **state)
{
	static const size_t COUNTS[] = {0, 1, 2, 17, 5000};
	static const int64_t IDS[] = {1, 3, 100, INT64_MAX};
	(void)state;
	srand(7);
	for (size_t c = 0; c < sizeof COUNTS / sizeof *COUNTS; c++)
		for (size_t k = 0; k < sizeof IDS / sizeof *IDS; k++) {
			stw_mem mem;
			stw_past_stays all = {0};
			uint64_t sum = 0, again = 0;
			stw_mem_init(&mem, NULL, NULL, 0);
			for (size_t i = 0; i < COUNTS[c]; i++) {
				stw_past_stay *s = stw_vec_push(&mem, &all);
				const int64_t big = (int64_t)rand() << 31 | rand();
				assert_non_null(s);
				*s = (stw_past_stay){.id = big % IDS[k] - (i % 7 == 0),
					.from = rand() % 5000 - 2500,
					.track = (uint8_t)(rand() % 6),
					.wake = (uint32_t)i};
				s->to = s->from + rand() % 3;
				sum += i;
			}
			assert_true(stw_stays_sort(&mem, &all));
			for (size_t i = 0; i < all.count; i++) {
				const stw_past_stay *b = &all.items[i], *a = i ? b - 1 : NULL;
				again += b->wake;
				assert_true(!a || a->track < b->track || (a->track == b->track && a->id < b->id) ||
					(a->track == b->track && a->id == b->id &&
						(a->from < b->from || (a->from == b->from && a->to <= b->to))));
			}
			assert_int_equal(sum, again); /* none is lost, none twice */
			stw_vec_free(&mem, &all);
			assert_int_equal(mem.used, 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(come_back_from_the_end),
		cmocka_unit_test(may_be_filled_again),
		cmocka_unit_test(stand_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
