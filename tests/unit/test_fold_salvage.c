/* What the first pass forgets where events are missing (model/fold_salvage.c): whose time, state and stop do not go on, and what is not counted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "model/fold.h"

enum { SECOND = 1000000000 };

typedef struct bench {
	stw_mem mem;
	stw_generation gen;
	stw_order order;
	stw_fold fold;
	uint32_t g, other, p, free_p; /* slots: g runs on p */
} bench;

static void begin(bench *b)
{
	memset(b, 0, sizeof *b);
	stw_mem_init(&b->mem, NULL, NULL, 0);
	b->gen.mem = &b->mem;
	stw_string *none = stw_vec_push(&b->mem, &b->gen.strings);
	assert_non_null(none);
	*none = (stw_string){"", 0, 0};
	stw_order_init(&b->order, &b->mem);
	stw_order_begin(&b->order, STW_READ_INITIAL);
	b->g = stw_order_add_g(&b->order, 7, STW_G_RUNNING);
	b->other = stw_order_add_g(&b->order, 8, STW_G_WAITING);
	b->p = stw_order_add_p(&b->order, 0, STW_P_RUNNING);
	b->free_p = stw_order_add_p(&b->order, 1, STW_P_IDLE);
	assert_true(stw_fold_init(&b->fold, &b->mem, &b->gen, &b->order, 0, false));
	b->fold.gs.items[b->g] = (stw_fold_g){.state = STW_GO_RUNNING, .since = 100, .p = b->p, .waker = STWATCH_NONE};
	b->fold.gs.items[b->other] = (stw_fold_g){.state = STW_GO_WAITING, .since = 50, .p = STW_SLOT_NONE, .waker = STWATCH_NONE};
	b->fold.ps.items[b->p] = (stw_fold_p){
		.since = 100, .use = STW_USE_USER, .g = b->g, .use_g = 7, .known = true, .last_g = 8, .last_stack = 3};
	b->fold.ps.items[b->free_p] = (stw_fold_p){.since = 20, .use = STW_USE_IDLE, .g = STW_SLOT_NONE, .known = true};
}

static void end(bench *b)
{
	stw_fold_free(&b->fold);
	stw_order_free(&b->order);
	stw_vec_free(&b->mem, &b->gen.strings);
	assert_int_equal(b->mem.used, 0);
}

static void a_proc(void **state)
{
	(void)state;
	bench b;
	begin(&b);
	stw_fold_forget_p(&b.fold, b.p, 400);
	const stw_fold_p *p = &b.fold.ps.items[b.p];
	assert_int_equal(p->use, STW_USE_UNKNOWN);
	assert_int_equal(p->since, 400);
	assert_int_equal(p->g, STW_SLOT_NONE);
	assert_int_equal(p->use_g, STWATCH_NONE);
	assert_int_equal(p->last_g, STWATCH_NONE); /* who ran there last may have been another one */
	assert_int_equal(p->last_stack, 0);
	assert_int_equal(p->total[STW_USE_USER], 0); /* up to when it went on is not known */
	assert_true(p->known);
	assert_int_equal(b.fold.ps.items[b.free_p].use, STW_USE_IDLE);
	stw_fold_forget_p(&b.fold, 99, 400); /* one that has no place yet */
	end(&b);
}

static void a_goroutine_that_runs(void **state)
{
	(void)state;
	bench b;
	begin(&b);
	b.fold.more.items[b.g].long_to = 90;
	b.fold.gs.items[b.g].how = STW_HOW_WOKEN;
	stw_fold_forget_g(&b.fold, b.g, 400);
	const stw_fold_g *g = &b.fold.gs.items[b.g];
	assert_int_equal(g->state, STW_GO_UNDETERMINED);
	assert_int_equal(g->since, STW_TIME_UNKNOWN);
	assert_int_equal(g->how, STW_HOW_UNKNOWN);
	assert_int_equal(b.fold.more.items[b.g].long_to, STW_TIME_UNKNOWN); /* it delays nobody */
	assert_int_equal(b.fold.ps.items[b.p].use, STW_USE_UNKNOWN); /* nor is known what its proc does now */
	assert_int_equal(b.fold.ps.items[b.p].since, 400);
	assert_int_equal(b.fold.gs.items[b.other].state, STW_GO_WAITING);
	stw_fold_forget_g(&b.fold, 99, 400);
	end(&b);
}

/* A proc on which another one runs by now stays as it is. */
static void a_goroutine_that_has_left(void **state)
{
	(void)state;
	bench b;
	begin(&b);
	b.fold.gs.items[b.other].p = b.p;
	stw_fold_forget_g(&b.fold, b.other, 400);
	assert_int_equal(b.fold.gs.items[b.other].state, STW_GO_UNDETERMINED);
	assert_int_equal(b.fold.ps.items[b.p].use, STW_USE_USER);
	assert_int_equal(b.fold.ps.items[b.p].since, 100);
	end(&b);
}

static void a_stop(void **state)
{
	(void)state;
	bench b;
	begin(&b);
	b.fold.stopping = true;
	b.fold.stop.g = 7;
	stw_fold_forget_g(&b.fold, b.other, 400);
	assert_true(b.fold.stopping); /* another one has asked for it */
	stw_fold_forget_g(&b.fold, b.g, 400);
	assert_false(b.fold.stopping); /* its end may be among what is lost */
	assert_int_equal(b.fold.stops.count, 0);
	end(&b);
}

/* A status that is made up is no event of the trace, and what it says holds from now on, not since the generation's beginning. */
static void a_goroutine_anew(void **state)
{
	(void)state;
	bench b;
	begin(&b);
	b.fold.counts[STW_EV_GoStatus] = 3;
	b.fold.gs.items[b.g].since = STW_TIME_UNKNOWN;
	stw_fold_anew_g(&b.fold, STW_EV_GoBlock, b.g, 600);
	assert_int_equal(b.fold.counts[STW_EV_GoStatus], 2);
	assert_int_equal(b.fold.gs.items[b.g].since, 600);
	assert_int_equal(b.fold.ps.items[b.p].total[STW_USE_USER], 500);
	assert_int_equal(b.fold.ps.items[b.p].since, 600);
	assert_int_equal(b.fold.ps.items[b.p].use, STW_USE_USER);
	b.fold.gs.items[b.g].state = STW_GO_SYSCALL;
	stw_fold_anew_g(&b.fold, STW_EV_GoSyscallEnd, b.g, 700);
	assert_int_equal(b.fold.ps.items[b.p].use, STW_USE_SYSCALL);
	assert_int_equal(b.fold.started_anew, 0);
	/* One that has no proc leaves the procs alone; a proc whose time is not known gets none. */
	stw_fold_anew_g(&b.fold, STW_EV_GoUnblock, b.other, 800);
	assert_int_equal(b.fold.gs.items[b.other].since, 800);
	b.fold.ps.items[b.p].since = STW_TIME_UNKNOWN;
	stw_fold_anew_g(&b.fold, STW_EV_GoBlock, b.g, 900);
	assert_int_equal(b.fold.ps.items[b.p].total[STW_USE_USER], 600);
	assert_int_equal(b.fold.ps.items[b.p].since, 900);
	end(&b);
}

static void a_proc_anew(void **state)
{
	(void)state;
	bench b;
	begin(&b);
	b.fold.counts[STW_EV_ProcStatus] = 2;
	stw_fold_anew_p(&b.fold, b.p, 300);
	assert_int_equal(b.fold.counts[STW_EV_ProcStatus], 1);
	assert_int_equal(b.fold.ps.items[b.p].use, STW_USE_UNKNOWN);
	assert_int_equal(b.fold.ps.items[b.p].since, 300);
	end(&b);
}

/* How long one had been waiting that begins anew with its start is not known: it is taken out of the latencies again. */
static void a_start_anew(void **state)
{
	(void)state;
	bench b;
	begin(&b);
	const unsigned bucket = stw_histogram_bucket(50);
	b.fold.gs.items[b.other].state = STW_GO_RUNNABLE;
	stw_fold_anew_g(&b.fold, STW_EV_GoStart, b.other, SECOND);
	b.fold.latency[bucket] = 5; /* with its own, which its start has just counted */
	b.fold.gs.items[b.other].state = STW_GO_RUNNING;
	b.fold.gs.items[b.other].since = SECOND + 50;
	stw_fold_settle_anew(&b.fold);
	assert_int_equal(b.fold.latency[bucket], 4);
	stw_fold_settle_anew(&b.fold); /* once */
	assert_int_equal(b.fold.latency[bucket], 4);
	/* One that was not let start after all has counted nothing. */
	b.fold.gs.items[b.other].state = STW_GO_RUNNABLE;
	stw_fold_anew_g(&b.fold, STW_EV_GoStart, b.other, 2 * (int64_t)SECOND);
	stw_fold_settle_anew(&b.fold);
	assert_int_equal(b.fold.latency[bucket], 4);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proc),
		cmocka_unit_test(a_goroutine_that_runs),
		cmocka_unit_test(a_goroutine_that_has_left),
		cmocka_unit_test(a_stop),
		cmocka_unit_test(a_goroutine_anew),
		cmocka_unit_test(a_proc_anew),
		cmocka_unit_test(a_start_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
