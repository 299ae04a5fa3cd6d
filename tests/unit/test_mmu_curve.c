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

typedef struct reading {
	stw_mmu_curve curve;
	uint64_t n, break_at, from, to; /* events: a gap before that one, 0: none; only these count, to 0: all */
} reading;

static bool take(void *user, stw_stream *stream, const stw_stream_event *e)
{
	reading *r = user;
	if (r->break_at && r->n == r->break_at)
		stw_mmu_curve_break(&r->curve);
	if (r->n >= r->from && (r->to == 0 || r->n < r->to))
		stw_mmu_curve_add(&r->curve, stream, e);
	r->n++;
	return !r->curve.failed && r->curve.changes.count <= r->curve.most;
}

static size_t read_with(size_t most, reading r, stwatch_mmu_point *points)
{
	stw_mem mem;
	stw_trace trace;
	stwatch_error error;
	const stw_run_options options = {0};
	const stw_walk walk = {.event = take, .user = &r};
	stw_mem_init(&mem, NULL, NULL, 0);
	assert_int_equal(open_trace(&trace, &mem, STWATCH_TEST_DIR "/data/traces/gc_assist_storm-go1.22.12.trace", &error), STWATCH_OK);
	stw_mmu_curve_init(&r.curve, &mem, most, 2); /* it ran with two P's */
	assert_int_equal(stw_trace_walk(&trace, &options, &walk, &error), STWATCH_OK);
	size_t n = stw_mmu_curve_finish(&r.curve, points);
	stw_mmu_curve_free(&r.curve);
	stw_trace_close(&trace);
	assert_int_equal(mem.used, 0);
	return n;
}

static size_t read_curve(size_t most, stwatch_mmu_point *points)
{
	return read_with(most, (reading){0}, points);
}

/* What is read with a gap is the least of what lies before and behind it. */
static void across_no_gap(void **state)
{
	enum { AT = 7000 };
	stwatch_mmu_point both[STW_MMU_WINDOWS], before[STW_MMU_WINDOWS], behind[STW_MMU_WINDOWS];
	(void)state;
	size_t n = read_with(PLENTY, (reading){.break_at = AT}, both), n_before = read_with(PLENTY, (reading){.to = AT}, before),
	       n_behind = read_with(PLENTY, (reading){.from = AT}, behind);
	bool differ = false;
	assert_true(n_before > 10 && n_behind > 10);
	assert_int_equal(n, n_before > n_behind ? n_before : n_behind);
	for (size_t i = 0; i < n; i++) {
		double a = i < n_before ? before[i].utilisation : 1, b = i < n_behind ? behind[i].utilisation : 1;
		assert_true(both[i].utilisation == (a < b ? a : b));
		differ |= a != b;
	}
	assert_true(differ);
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(close_in_little_room), cmocka_unit_test(across_no_gap)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
