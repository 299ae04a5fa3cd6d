/* Whose a stop is; windows of the collector's figures. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "analysis/gather.h"

static void stops_by_kind(void **state)
{
	(void)state;
	assert_int_equal(stw_stop_class_of("GC sweep termination"), STW_STOP_GC);
	assert_int_equal(stw_stop_class_of("GC mark termination"), STW_STOP_GC);
	assert_int_equal(stw_stop_class_of("GC something new"), STW_STOP_GC);
	assert_int_equal(stw_stop_class_of("read mem stats"), STW_STOP_REQUESTED);
	assert_int_equal(stw_stop_class_of("a kind of a later Go"), STW_STOP_REQUESTED);
	assert_int_equal(stw_stop_class_of("start trace"), STW_STOP_TRACER);
	assert_int_equal(stw_stop_class_of("unknown"), STW_STOP_UNKNOWN);
	assert_int_equal(stw_stop_class_of(""), STW_STOP_UNKNOWN);
}

static void stops_by_neighbours(void **state)
{
	(void)state;
	assert_string_equal(stw_stop_kind_of("", true, false), "GC sweep termination");
	assert_string_equal(stw_stop_kind_of("unknown", false, true), "GC mark termination");
	assert_string_equal(stw_stop_kind_of("unknown", false, false), "unknown");
	assert_string_equal(stw_stop_kind_of("", true, true), ""); /* the whole collection in one: neither */
	assert_string_equal(stw_stop_kind_of("read mem stats", true, false), "read mem stats"); /* what it says goes before */
}

static void add_row(stw_gather *a, int64_t from, int64_t to, uint64_t gcs, uint64_t live)
{
	stw_load *l = stw_vec_push(a->mem, &a->loads);
	assert_non_null(l);
	*l = (stw_load){.from = from, .to = to, .gcs = gcs, .live = live, .live_first = live, .first_generation = (uint32_t)a->loads.count};
	a->last_time = to;
}

static void windows(void **state)
{
	(void)state;
	stw_mem mem;
	stw_gather a;
	stw_load sum;
	stw_mem_init(&mem, NULL, NULL, 0);
	stw_gather_init(&a, &mem, 1, 1, 1);
	add_row(&a, 0, 400, 3, 10);
	assert_true(stw_gather_window(&a, 0, 1000, &sum)); /* a short trace is looked at as a whole */
	assert_int_equal(sum.gcs, 3);
	add_row(&a, 400, 1000, 4, 0);
	add_row(&a, 1000, 2000, 5, 40);
	add_row(&a, 2000, 2400, 6, 80);
	assert_true(stw_gather_window(&a, 0, 1000, &sum));
	assert_int_equal(sum.to, 1000);
	assert_int_equal(sum.gcs, 7);
	assert_int_equal(sum.live, 10); /* a row without a collection changes nothing */
	assert_true(stw_gather_window(&a, 2, 1000, &sum));
	assert_int_equal(sum.to, 2400); /* what is left is too little for a window of its own */
	assert_int_equal(sum.gcs, 11);
	assert_int_equal(sum.live_first, 40);
	assert_int_equal(sum.live, 80);
	assert_false(stw_gather_window(&a, 3, 1000, &sum));
	stw_gather_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops_by_kind), cmocka_unit_test(stops_by_neighbours), cmocka_unit_test(windows)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
