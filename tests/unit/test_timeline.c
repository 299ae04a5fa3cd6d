/* Timelines: planted contradictions are told with the right words, stops are placed where they were, and over every bundled trace
 * nothing is illegal and each resource's intervals follow each other without a gap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../support/trace_file.h"

#include "engine/stream.h"
#include "engine/trace.h"
#include "model/timeline.h"

enum { MOVES_KEPT = 256, CLASHES_KEPT = 16 };

typedef struct book {
	stw_mem mem;
	stw_timeline timeline;
	stw_move moves[MOVES_KEPT];
	size_t n_moves, illegal;
	stw_clash clashes[CLASHES_KEPT];
	size_t n_clashes;
	/* intervals: where each resource's last one ended */
	stw_map ends[STW_RES_COUNT];
	STW_VEC(int64_t) times;
	STW_VEC(stw_interval) intervals;
	uint64_t gaps, unknown;
} book;

static void note_move(void *user, const stw_move *m)
{
	book *b = user;
	if (b->n_moves < MOVES_KEPT)
		b->moves[b->n_moves] = *m;
	b->n_moves++;
	b->illegal += !m->legal;
}

static void note_clash(void *user, const stw_clash *c)
{
	book *b = user;
	if (b->n_clashes < CLASHES_KEPT)
		b->clashes[b->n_clashes] = *c;
	b->n_clashes++;
}

static void note_interval(void *user, const stw_interval *i)
{
	book *b = user;
	uint32_t at = stw_map_get(&b->ends[i->resource], (uint64_t)i->id);
	b->unknown += i->state == STW_STATE_UNKNOWN;
	if (at == STW_MAP_NONE) {
		int64_t *end = stw_vec_push(&b->mem, &b->times);
		assert_non_null(end);
		at = (uint32_t)b->times.count - 1;
		assert_true(stw_map_put(&b->ends[i->resource], (uint64_t)i->id, at));
	} else {
		b->gaps += b->times.items[at] != i->from;
	}
	b->gaps += i->to < i->from;
	b->times.items[at] = i->to;
	if (b->intervals.count < 4096) {
		stw_interval *kept = stw_vec_push(&b->mem, &b->intervals);
		assert_non_null(kept);
		*kept = *i;
	}
	if (i->resource == STW_RES_G && (i->next == STW_STATE_G_DEAD || i->next == STW_STATE_G_DEADEXTRA))
		stw_map_remove(&b->ends[STW_RES_G], (uint64_t)i->id);
}

static void open_book(book *b, unsigned version)
{
	memset(b, 0, sizeof *b);
	stw_mem_init(&b->mem, NULL, NULL, 0);
	for (int i = 0; i < STW_RES_COUNT; i++)
		stw_map_init(&b->ends[i], &b->mem);
	const stw_timeline_hooks hooks = {note_interval, note_move, note_clash, b};
	assert_true(stw_timeline_init(&b->timeline, &b->mem, version, &hooks));
}

static void close_book(book *b)
{
	stw_timeline_free(&b->timeline);
	for (int i = 0; i < STW_RES_COUNT; i++)
		stw_map_free(&b->ends[i]);
	stw_vec_free(&b->mem, &b->times);
	stw_vec_free(&b->mem, &b->intervals);
	assert_int_equal(atomic_load(&b->mem.used), 0);
}

/* ---- constructed events ---- */

typedef struct line {
	int64_t time;
	unsigned type;
	int64_t m, p, g;
	uint64_t a[4];
} line;

static void feed(book *b, const line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const line *l = &lines[i];
		stw_timeline_event e = {.time = l->time, .m = l->m, .p = l->p, .g = l->g, .type = (uint8_t)l->type};
		memcpy(e.a, l->a, sizeof e.a);
		assert_true(stw_timeline_add(&b->timeline, &e));
	}
}

#define FEED(b, ...) feed(b, (const line[]){__VA_ARGS__}, sizeof((const line[]){__VA_ARGS__}) / sizeof(line))
#define NOBODY STWATCH_NONE

/* P0 with G1 on M1, P1 idle, G2 waiting. */
#define SCENE                                                                                                                              \
	{10, STW_EV_ProcStatus, 1, NOBODY, NOBODY, {0, STW_P_RUNNING, 0, 0}},                                                              \
		{11, STW_EV_GoStatus, 1, 0, NOBODY, {1, 1, STW_G_RUNNING, 0}}, {12, STW_EV_ProcsChange, 1, 0, 1, {2, 0, 0, 0}},            \
		{13, STW_EV_ProcStatus, 1, 0, 1, {1, STW_P_IDLE, 0, 0}},                                                                   \
	{                                                                                                                                  \
		14, STW_EV_GoStatus, 1, 0, 1,                                                                                              \
		{                                                                                                                          \
			2, UINT64_MAX, STW_G_WAITING, 0                                                                                    \
		}                                                                                                                          \
	}

static const stw_move *illegal_move(const book *b)
{
	for (size_t i = 0; i < b->n_moves; i++)
		if (!b->moves[i].legal)
			return &b->moves[i];
	return NULL;
}

static void waiting_to_running(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {20, STW_EV_GoBlock, 1, 0, 1, {0}}, {30, STW_EV_GoStart, 1, 0, NOBODY, {2, 1, 0, 0}});
	const stw_move *m = illegal_move(&b);
	assert_non_null(m);
	assert_int_equal(m->resource, STW_RES_G);
	assert_int_equal(m->id, 2);
	assert_int_equal(m->from, STW_STATE_G_WAITING);
	assert_int_equal(m->to, STW_STATE_G_RUNNING);
	assert_int_equal(m->event, STW_EV_GoStart);
	assert_int_equal(m->at, 30);
	assert_int_equal(b.illegal, 1);
	assert_int_equal(b.n_clashes, 0); /* as a coupling it is fine */
	close_book(&b);
}

static void a_switch_is_no_contradiction(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {20, STW_EV_GoSwitch, 1, 0, 1, {2, 1, 0, 0}}, {21, STW_EV_GoBlock, 1, 0, 1, {0}},
		{22, STW_EV_GoStart, 1, 0, NOBODY, {2, 1, 0, 0}}, {30, STW_EV_GoSwitchDestroy, 1, 0, 2, {1, 1, 0, 0}},
		{31, STW_EV_GoDestroy, 1, 0, 2, {0}}, {32, STW_EV_GoStart, 1, 0, NOBODY, {1, 1, 0, 0}});
	stw_timeline_finish(&b.timeline, 100);
	assert_int_equal(b.illegal, 0);
	assert_int_equal(b.n_clashes, 0);
	assert_int_equal(b.gaps, 0);
	close_book(&b);
}

static void preempted_is_told_by_its_reason(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE);
	const stw_timeline_event block = {
		.time = 20, .m = 1, .p = 0, .g = 1, .reason = stw_timeline_reason(&b.timeline, "preempted", 9), .type = STW_EV_GoBlock};
	assert_true(stw_timeline_add(&b.timeline, &block));
	FEED(&b, {25, STW_EV_GoStatus, 1, 0, NOBODY, {1, UINT64_MAX, STW_G_WAITING, 0}},
		{30, STW_EV_GoUnblock, 1, 0, NOBODY, {1, 1, 0, 0}});
	assert_int_equal(b.illegal, 0);
	const stw_move *m = &b.moves[b.n_moves - 1];
	assert_int_equal(m->from, STW_STATE_G_PREEMPTED);
	assert_int_equal(m->spent, 10);
	assert_true(m->measured);
	close_book(&b);
}

static void a_running_goroutine_loses_its_proc(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {20, STW_EV_GoUnblock, 1, 0, 1, {2, 1, 0, 0}}, {30, STW_EV_ProcStop, 1, 0, 1, {0}},
		{40, STW_EV_GoStop, 1, NOBODY, 1, {0}});
	assert_int_equal(b.n_clashes, 1);
	assert_int_equal(b.clashes[0].at, 30);
	assert_int_equal(b.clashes[0].m, 1);
	assert_int_equal(b.clashes[0].p, NOBODY);
	assert_int_equal(b.clashes[0].g, 1);
	assert_int_equal(b.clashes[0].g_state, STW_STATE_G_RUNNING);
	assert_int_equal(b.clashes[0].event, STW_EV_ProcStop);
	assert_int_equal(b.illegal, 0);
	close_book(&b);
}

static void a_proc_runs_without_a_thread(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {20, STW_EV_ProcStart, NOBODY, NOBODY, NOBODY, {1, 1, 0, 0}});
	assert_int_equal(b.n_clashes, 1);
	assert_int_equal(b.clashes[0].p, 1);
	assert_int_equal(b.clashes[0].m, NOBODY);
	assert_int_equal(b.clashes[0].p_state, STW_STATE_P_RUNNING);
	close_book(&b);
}

/* Another thread takes a P that one has already: who has lost it is at odds. */
static void a_proc_on_two_threads(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {15, STW_EV_GoUnblock, 1, 0, 1, {2, 1, 0, 0}}, {20, STW_EV_ProcStart, 2, NOBODY, NOBODY, {0, 1, 0, 0}});
	assert_int_equal(b.illegal, 1);
	assert_int_equal(illegal_move(&b)->from, STW_STATE_P_RUNNING);
	assert_int_equal(b.n_clashes, 1);
	assert_int_equal(b.clashes[0].m, 1);
	close_book(&b);
}

/* ---- stops ---- */

static bool has_interval(const book *b, unsigned resource, int64_t id, unsigned state, int64_t from, int64_t to)
{
	for (size_t i = 0; i < b->intervals.count; i++) {
		const stw_interval *v = &b->intervals.items[i];
		if (v->resource == resource && v->id == id && v->state == state && v->from == from && v->to == to)
			return true;
	}
	return false;
}

static bool proc_was(const book *b, int64_t id, unsigned state, int64_t from, int64_t to)
{
	return has_interval(b, STW_RES_P, id, state, from, to);
}

/* P1 runs until 110; P2 is idle all along; the restart is at 150, P1 starts again at 155, the end is written at 160. */
static void a_stop(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {20, STW_EV_ProcsChange, 1, 0, 1, {3, 0, 0, 0}}, {30, STW_EV_ProcStart, 2, NOBODY, NOBODY, {1, 1, 0, 0}},
		{100, STW_EV_STWBegin, 1, 0, 1, {0}}, {110, STW_EV_ProcStop, 2, 1, NOBODY, {0}},
		{150, STW_EV_ProcsChange, 1, 0, 1, {3, 0, 0, 0}}, {155, STW_EV_ProcStart, 2, NOBODY, NOBODY, {1, 2, 0, 0}},
		{160, STW_EV_STWEnd, 1, 0, 1, {0}});
	stw_timeline_finish(&b.timeline, 200);
	assert_true(proc_was(&b, 0, STW_STATE_P_RUNNING, 10, 200));
	assert_true(proc_was(&b, 1, STW_STATE_P_RUNNING, 30, 110));
	assert_true(proc_was(&b, 1, STW_STATE_P_GCSTOP, 110, 150));
	assert_true(proc_was(&b, 1, STW_STATE_P_IDLE, 150, 155));
	assert_true(proc_was(&b, 2, STW_STATE_P_IDLE, 20, 110));
	assert_true(proc_was(&b, 2, STW_STATE_P_GCSTOP, 110, 150));
	assert_true(proc_was(&b, 2, STW_STATE_P_IDLE, 150, 200));
	assert_int_equal(b.illegal + b.n_clashes + b.gaps, 0);
	close_book(&b);
}

/* A P that stops and starts again before the last one has stopped was idle: the scheduler's lock was not taken yet. */
static void idle_while_a_stop_is_asked_for(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {30, STW_EV_ProcStart, 2, NOBODY, NOBODY, {1, 1, 0, 0}}, {100, STW_EV_STWBegin, 1, 0, 1, {0}},
		{102, STW_EV_ProcStop, 2, 1, NOBODY, {0}}, {104, STW_EV_ProcStart, 2, NOBODY, NOBODY, {1, 2, 0, 0}},
		{110, STW_EV_ProcStop, 2, 1, NOBODY, {0}}, {150, STW_EV_ProcsChange, 1, 0, 1, {2, 0, 0, 0}},
		{160, STW_EV_STWEnd, 1, 0, 1, {0}});
	stw_timeline_finish(&b.timeline, 200);
	assert_true(proc_was(&b, 1, STW_STATE_P_IDLE, 102, 104));
	assert_true(proc_was(&b, 1, STW_STATE_P_GCSTOP, 110, 150));
	assert_int_equal(b.illegal + b.n_clashes + b.gaps, 0);
	close_book(&b);
}

/* GOMAXPROCS from 2 to 1 and back, asked for from the P that goes: it moves to P0. */
static void dead_and_back(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, {10, STW_EV_ProcStatus, 1, NOBODY, NOBODY, {1, STW_P_RUNNING, 0, 0}},
		{11, STW_EV_GoStatus, 1, 1, NOBODY, {1, 1, STW_G_RUNNING, 0}}, {12, STW_EV_ProcsChange, 1, 1, 1, {2, 0, 0, 0}},
		{100, STW_EV_STWBegin, 1, 1, 1, {0}}, {110, STW_EV_ProcsChange, 1, 1, 1, {1, 0, 0, 0}}, {111, STW_EV_GoStop, 1, 1, 1, {0}},
		{112, STW_EV_ProcStop, 1, 1, NOBODY, {0}}, {113, STW_EV_ProcStatus, 1, NOBODY, NOBODY, {0, STW_P_IDLE, 0, 0}},
		{114, STW_EV_ProcStart, 1, NOBODY, NOBODY, {0, 1, 0, 0}}, {115, STW_EV_GoStart, 1, 0, NOBODY, {1, 1, 0, 0}},
		{120, STW_EV_STWEnd, 1, 0, 1, {0}}, {200, STW_EV_STWBegin, 1, 0, 1, {0}}, {210, STW_EV_ProcsChange, 1, 0, 1, {2, 0, 0, 0}},
		{220, STW_EV_STWEnd, 1, 0, 1, {0}});
	stw_timeline_finish(&b.timeline, 300);
	assert_true(proc_was(&b, 1, STW_STATE_P_RUNNING, 10, 112));
	assert_true(proc_was(&b, 1, STW_STATE_P_DEAD, 112, 210));
	assert_true(proc_was(&b, 1, STW_STATE_P_IDLE, 210, 300));
	assert_true(proc_was(&b, 0, STW_STATE_P_GCSTOP, 100, 110));
	assert_true(proc_was(&b, 0, STW_STATE_P_RUNNING, 114, 300));
	assert_int_equal(b.illegal + b.n_clashes + b.gaps, 0);
	close_book(&b);
}

static void a_dead_proc_runs(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {20, STW_EV_STWBegin, 1, 0, 1, {0}}, {30, STW_EV_ProcsChange, 1, 0, 1, {1, 0, 0, 0}},
		{40, STW_EV_STWEnd, 1, 0, 1, {0}}, {50, STW_EV_ProcStart, 2, NOBODY, NOBODY, {1, 1, 0, 0}});
	assert_int_equal(b.illegal, 1);
	assert_int_equal(illegal_move(&b)->from, STW_STATE_P_DEAD);
	assert_int_equal(illegal_move(&b)->to, STW_STATE_P_RUNNING);
	close_book(&b);
}

/* Never the end of a stop, and starts without number: what is held back stays bounded, and nothing is lost. */
static void an_endless_stop(void **state)
{
	(void)state;
	enum { TIMES = 20000 };
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE, {20, STW_EV_STWBegin, 1, 0, 1, {0}});
	for (int64_t i = 0; i < TIMES; i++)
		FEED(&b, {30 + 2 * i, STW_EV_ProcStart, 2, NOBODY, NOBODY, {1, 1, 0, 0}}, {31 + 2 * i, STW_EV_ProcStop, 2, 1, NOBODY, {0}});
	stw_timeline_finish(&b.timeline, 30 + 2 * TIMES);
	assert_int_equal(b.illegal + b.n_clashes + b.gaps, 0);
	assert_true(atomic_load(&b.mem.peak) < 4 << 20);
	close_book(&b);
}

static void a_gap_begins_anew(void **state)
{
	(void)state;
	book b;
	open_book(&b, STW_GO126);
	FEED(&b, SCENE);
	stw_timeline_gap(&b.timeline, 50);
	FEED(&b, {60, STW_EV_ProcStatus, 1, NOBODY, NOBODY, {0, STW_P_IDLE, 0, 0}},
		{61, STW_EV_GoStatus, 1, NOBODY, NOBODY, {1, UINT64_MAX, STW_G_WAITING, 0}});
	stw_timeline_finish(&b.timeline, 70);
	assert_int_equal(b.illegal + b.n_clashes, 0);
	assert_true(has_interval(&b, STW_RES_G, 1, STW_STATE_G_RUNNING, 10, 50));
	assert_true(has_interval(&b, STW_RES_G, 1, STW_STATE_G_WAITING, 60, 70));
	close_book(&b);
}

/* ---- bundled traces ---- */

static void read_trace(book *b, const char *path)
{
	stw_trace trace;
	stw_stream stream;
	stwatch_error error = {0};
	const stw_stream_event *e;
	int64_t last = 0;
	uint32_t generations = 0;
	stw_mem mem;
	stw_mem_init(&mem, NULL, NULL, 0);
	assert_int_equal(open_trace(&trace, &mem, path, &error), STWATCH_OK);
	open_book(b, (unsigned)trace.version);
	stw_stream_open(&stream, &mem, &trace.inputs[0].source, trace.version);
	while (stw_stream_next(&stream, &e, &error) == STWATCH_OK) {
		stw_timeline_event out = {.time = e->time, .m = e->m, .p = e->p, .g = e->g, .type = e->type};
		memcpy(out.a, e->a, sizeof out.a);
		last = e->time;
		if (e->type == STW_EV_SYNC_POINT)
			stw_timeline_generation(&b->timeline, e->time, generations++);
		else
			assert_true(stw_timeline_add(&b->timeline, &out));
	}
	assert_int_equal(error.status, STWATCH_OK);
	stw_timeline_finish(&b->timeline, last);
	for (int r = 0; r < STW_RES_COUNT; r++)
		for (uint32_t i = 0; b->ends[r].count && i <= b->ends[r].mask; i++)
			if (b->ends[r].entries[i].value != STW_MAP_NONE)
				b->gaps += b->times.items[b->ends[r].entries[i].value] != last;
	stw_stream_close(&stream);
	stw_trace_close(&trace);
}

/* Whoever is alive at the end has intervals up to it; within, each begins where the one before ended: they add up to its life. */
static void bundled_traces(void **state)
{
	(void)state;
	static const char *const PATTERNS[] = {STWATCH_TEST_DIR "/data/traces/*.trace", STWATCH_SOURCE_DIR "/examples/traces/*.trace"};
	glob_t files = {0};
	for (size_t i = 0; i < sizeof PATTERNS / sizeof *PATTERNS; i++)
		glob(PATTERNS[i], i ? GLOB_APPEND : 0, NULL, &files);
	assert_true(files.gl_pathc > 10);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		book b;
		read_trace(&b, files.gl_pathv[i]);
		if (b.illegal || b.n_clashes || b.gaps || b.unknown)
			print_error("%s: %zu illegal, %zu clashes, %llu gaps, %llu unknown\n", files.gl_pathv[i], b.illegal, b.n_clashes,
				(unsigned long long)b.gaps, (unsigned long long)b.unknown);
		assert_int_equal(b.illegal + b.n_clashes + b.gaps + b.unknown, 0);
		close_book(&b);
	}
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_to_running),
		cmocka_unit_test(a_switch_is_no_contradiction),
		cmocka_unit_test(preempted_is_told_by_its_reason),
		cmocka_unit_test(a_running_goroutine_loses_its_proc),
		cmocka_unit_test(a_proc_runs_without_a_thread),
		cmocka_unit_test(a_proc_on_two_threads),
		cmocka_unit_test(a_stop),
		cmocka_unit_test(idle_while_a_stop_is_asked_for),
		cmocka_unit_test(dead_and_back),
		cmocka_unit_test(a_dead_proc_runs),
		cmocka_unit_test(an_endless_stop),
		cmocka_unit_test(a_gap_begins_anew),
		cmocka_unit_test(bundled_traces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
