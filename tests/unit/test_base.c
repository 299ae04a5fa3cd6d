/* The small containers, against simple models; varints and histograms by their properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/intern.h"
#include "base/map.h"
#include "model/fold.h"
#include "rules/settings.h"
#include "wire/varint.h"

/* xorshift: the same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void map_agrees_with_an_array(void **unused)
{
	enum { KEYS = 300, STEPS = 50000 };
	(void)unused;
	uint32_t model[KEYS];
	uint64_t random = 7;
	stw_mem mem;
	stw_map map;
	stw_mem_init(&mem, NULL, NULL, 0);
	stw_map_init(&map, &mem);
	memset(model, 0xff, sizeof model);
	for (int i = 0; i < STEPS; i++) {
		uint64_t key = next_random(&random) % KEYS;
		uint64_t wide = key * 0x100000001u; /* keys that collide in their low bits */
		if (next_random(&random) % 3) {
			model[key] = (uint32_t)i;
			assert_true(stw_map_put(&map, wide, (uint32_t)i));
		} else {
			model[key] = STW_MAP_NONE;
			stw_map_remove(&map, wide);
		}
		uint64_t other = next_random(&random) % KEYS;
		assert_int_equal(stw_map_get(&map, other * 0x100000001u), model[other]);
	}
	uint32_t live = 0;
	for (int k = 0; k < KEYS; k++)
		live += model[k] != STW_MAP_NONE;
	assert_int_equal(map.count, live);
	stw_map_free(&map);
	assert_int_equal(mem.used, 0);
}

static void intern_gives_one_number_a_text(void **unused)
{
	(void)unused;
	stw_mem mem;
	stw_intern intern;
	char text[16];
	uint32_t numbers[2000];
	stw_mem_init(&mem, NULL, NULL, 0);
	stw_intern_init(&intern, &mem);
	assert_int_equal(stw_intern_put(&intern, "", 0), 0);
	for (int i = 0; i < 2000; i++)
		numbers[i] = stw_intern_put(&intern, text, (size_t)snprintf(text, sizeof text, "f%d", i));
	for (int i = 0; i < 2000; i++) {
		size_t n = (size_t)snprintf(text, sizeof text, "f%d", i);
		assert_int_equal(stw_intern_put(&intern, text, n), numbers[i]);
		assert_string_equal(stw_intern_get(&intern, numbers[i]).data, text);
	}
	/* A zero byte is part of a text like any other. */
	assert_int_not_equal(stw_intern_put(&intern, "a\0b", 3), stw_intern_put(&intern, "a", 1));
	stw_intern_free(&intern);
	assert_int_equal(mem.used, 0);
}

static void memory_limit_holds(void **unused)
{
	(void)unused;
	stw_mem mem;
	stw_mem_init(&mem, NULL, NULL, 1000);
	void *a = stw_mem_zalloc(&mem, 600);
	assert_non_null(a);
	assert_null(stw_mem_zalloc(&mem, 600));
	assert_int_equal(mem.used, 600);
	assert_null(stw_mem_resize(&mem, a, 600, 1001));
	a = stw_mem_resize(&mem, a, 600, 1000);
	assert_non_null(a);
	stw_mem_free(&mem, a, 1000);
	assert_int_equal(mem.used, 0);
	assert_int_equal(mem.peak, 1000);
}

static void arena_blocks_do_not_overlap(void **unused)
{
	(void)unused;
	stw_mem mem;
	stw_arena arena;
	unsigned char *blocks[500];
	size_t sizes[500];
	uint64_t random = 3;
	stw_mem_init(&mem, NULL, NULL, 0);
	stw_arena_init(&arena, &mem);
	for (int i = 0; i < 500; i++) {
		sizes[i] = next_random(&random) % (i % 50 == 0 ? 60000 : 300);
		blocks[i] = stw_arena_alloc(&arena, sizes[i]);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		memset(blocks[i], i, sizes[i]);
	}
	for (int i = 0; i < 500; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(blocks[i][k], (unsigned char)i);
	stw_arena_free(&arena);
	assert_int_equal(mem.used, 0);
}

static size_t put_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;
	for (; value >= 0x80; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

static void both_varint_readers_agree(void **unused)
{
	(void)unused;
	uint64_t random = 11;
	for (int i = 0; i < 20000; i++) {
		uint64_t value = next_random(&random) >> (next_random(&random) % 64), slow = 0, fast = 0;
		uint8_t bytes[10 + STW_VARINT_SLACK] = {0};
		size_t n = put_varint(bytes, value);
		assert_ptr_equal(stw_varint_get(bytes, bytes + n, &slow), bytes + n);
		assert_ptr_equal(stw_varint_fast(bytes, &fast), bytes + n);
		assert_true(slow == value && fast == value);
		assert_null(stw_varint_get(bytes, bytes + n - 1, &slow)); /* cut */
	}
}

static void varints_beyond_64_bits_are_refused(void **unused)
{
	(void)unused;
	uint64_t value;
	uint8_t bytes[10 + STW_VARINT_SLACK];
	memset(bytes, 0xff, sizeof bytes);
	assert_null(stw_varint_get(bytes, bytes + 10, &value));
	assert_null(stw_varint_fast(bytes, &value));
	bytes[9] = 2; /* a tenth byte may be 1 at most */
	assert_null(stw_varint_get(bytes, bytes + 10, &value));
	assert_null(stw_varint_fast(bytes, &value));
	bytes[9] = 1;
	assert_ptr_equal(stw_varint_fast(bytes, &value), bytes + 10);
	assert_true(value == UINT64_MAX);
}

static void histogram_errs_below_a_sixteenth(void **unused)
{
	(void)unused;
	unsigned last = 0;
	for (int64_t v = 0; v < (int64_t)1 << 45; v += v / 37 + 1) {
		unsigned b = stw_histogram_bucket(v);
		int64_t middle = stw_histogram_value(b), off = middle > v ? middle - v : v - middle;
		assert_true(b < STW_HISTOGRAM_SIZE);
		assert_true(b >= last);
		assert_true(off * 16 <= v || off <= 1);
		last = b;
	}
	assert_true(stw_histogram_bucket(INT64_MAX) < STW_HISTOGRAM_SIZE + STW_HISTOGRAM_STEPS);
}

static void settings_are_distinct_and_ordered(void **unused)
{
	(void)unused;
	stwatch_settings settings;
	stwatch_settings_init(&settings);
	for (size_t i = 0; i < STW_SET_COUNT; i++) {
		const stwatch_setting *s = stwatch_setting_at(i);
		assert_non_null(s);
		assert_int_equal(settings.values[i], s->value);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(stwatch_setting_at(k)->option, s->option);
	}
	assert_null(stwatch_setting_at(STW_SET_COUNT));
	assert_true(settings.values[STW_SET_STW_NOTE] < settings.values[STW_SET_STW_WARN] &&
		settings.values[STW_SET_STW_WARN] < settings.values[STW_SET_STW_ERROR]);
}

static void wait_reasons_are_known(void **unused)
{
	(void)unused;
	assert_int_equal(stw_wait_of("sync", 4), STW_WAIT_SYNC);
	assert_int_equal(stw_wait_of("chan receive", 12), STW_WAIT_RECEIVE);
	assert_int_equal(stw_wait_of("GC background sweeper wait", 26), STW_WAIT_GC);
	assert_int_equal(stw_wait_of("something new", 13), STW_WAIT_RUNTIME);
	assert_int_equal(stw_wait_of("", 0), STW_WAIT_SWITCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_agrees_with_an_array),
		cmocka_unit_test(intern_gives_one_number_a_text),
		cmocka_unit_test(memory_limit_holds),
		cmocka_unit_test(arena_blocks_do_not_overlap),
		cmocka_unit_test(both_varint_readers_agree),
		cmocka_unit_test(varints_beyond_64_bits_are_refused),
		cmocka_unit_test(histogram_errs_below_a_sixteenth),
		cmocka_unit_test(settings_are_distinct_and_ordered),
		cmocka_unit_test(wait_reasons_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
