/* The curve of mutator utilisation in little room: changes are thinned out, and the curve stays close to the exact one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/trace_file.h"

#include "analysis/mmu_curve.h"
#include "engine/walk.h"

enum { PLENTY = 1 << 20, LITTLE = 500 };
#define CLOSE 0.05

static bool take(void *user, stw_stream *stream, const stw_stream_event *e)
{
	stw_mmu_curve *c = user;
	stw_mmu_curve_add(c, stream, e);
	return !c->failed && c->changes.count <= c->most;
}

static size_t read_curve(size_t most, stwatch_mmu_point *points)
{
	stw_mem mem;
	stw_trace trace;
	stw_mmu_curve curve;
	stwatch_error error;
	const stw_run_options options = {0};
	const stw_walk walk = {.event = take, .user = &curve};
	stw_mem_init(&mem, NULL, NULL, 0);
	assert_int_equal(open_trace(&trace, &mem, STWATCH_TEST_DIR "/data/traces/gc_assist_storm-go1.22.12.trace", &error), STWATCH_OK);
	stw_mmu_curve_init(&curve, &mem, most, 0);
	assert_int_equal(stw_trace_walk(&trace, &options, &walk, &error), STWATCH_OK);
	size_t n = stw_mmu_curve_finish(&curve, points);
	stw_mmu_curve_free(&curve);
	stw_trace_close(&trace);
	assert_int_equal(mem.used, 0);
	return n;
}

static void close_in_little_room(void **state)
{
	stwatch_mmu_point exact[STW_MMU_WINDOWS], thin[STW_MMU_WINDOWS];
	(void)state;
	size_t n = read_curve(PLENTY, exact);
	assert_true(n > 10);
	assert_int_equal(read_curve(LITTLE, thin), n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(thin[i].window_ns, exact[i].window_ns);
		assert_true(i == 0 || exact[i].utilisation >= 0);
		if (exact[i].window_ns >= 10000000) /* shorter ones are shorter than what is left apart */
			assert_true(
				thin[i].utilisation - exact[i].utilisation < CLOSE && exact[i].utilisation - thin[i].utilisation < CLOSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(close_in_little_room)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
