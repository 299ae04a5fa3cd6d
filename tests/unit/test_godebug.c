/* GODEBUG lines: the wording of each Go version, within a log, torn ones, several runs of a program in one log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sources/godebug.h"

typedef struct fixture {
	stw_mem mem;
	stw_companion companion;
	stw_godebug g;
} fixture;

static void begin(fixture *f)
{
	memset(f, 0, sizeof *f);
	stw_mem_init(&f->mem, NULL, NULL, 0);
	f->companion.mem = &f->mem;
	stw_godebug_init(&f->g, &f->companion);
}

static void read_lines(fixture *f, const char *const *lines, size_t n)
{
	begin(f);
	for (size_t i = 0; i < n; i++)
		assert_true(stw_godebug_line(&f->g, lines[i], i + 1));
	assert_true(stw_godebug_end(&f->g));
}
#define READ(f, ...)                                                                                                                       \
	do {                                                                                                                               \
		static const char *const lines[] = {__VA_ARGS__};                                                                          \
		read_lines(f, lines, sizeof lines / sizeof *lines);                                                                        \
	} while (0)

static void done(fixture *f)
{
	stw_godebug_free(&f->g);
	assert_int_equal(f->mem.used, 0);
}

static void gctrace_of_each_version(void **state)
{
	(void)state;
	fixture f;
	READ(&f, "gc 1 @0.003s 2%: 0.5+0.25+0.125+1+0.75 ms clock, 1+0.25+0.125+3+2/4/5+1.5 ms cpu, 4->5->3 MB, 6 MB goal, 2 P",
		"gc 2 @0.013s 6%: 0.015+7.5+0.13 ms clock, 0.031+0.27/1.8/5.5+0.27 ms cpu, 7->9->8 MB, 8 MB goal, 2 P (forced)",
		"12:00 app gc 3 @1.303s 0%: 0.17+0.71+0.003 ms clock, 0.34+0/0.19/0.17+0.007 ms cpu, 7->7->1 MB, 7 MB goal, 0 MB stacks, 1 "
		"MB "
		"globals, 4 P",
		"gc 4 @2.000s 0% (checking for goroutine leaks): 0.1+11+0.2 ms clock, 0.2+0/0.1/0+0.4 ms cpu, 7->7->1 MB, 7 MB goal, 0 MB "
		"stacks, 0 MB globals, 4 P (forced)",
		"gc 5 @2.100s 0%: 0.1+11", "gc done", "a gc 6 @ x");
	assert_int_equal(f.g.gcs.count, 4);
	assert_int_equal(f.g.torn, 1);
	assert_int_equal(f.g.runs, 1);
	const stw_gc_line *l = f.g.gcs.items;
	assert_int_equal(l[0].at_ns, 3000000);
	assert_int_equal(l[0].sweep_term_ns, 500000);
	assert_int_equal(l[0].mark_ns, 1250000);
	assert_int_equal(l[0].barrier_ns, 125000);
	assert_int_equal(l[0].mark_term_ns, 750000);
	assert_int_equal(l[0].assist_ns, 2000000);
	assert_int_equal(l[0].dedicated_ns, 4000000);
	assert_int_equal(l[0].idle_ns, 5000000);
	assert_int_equal(l[1].mark_ns, 7500000);
	assert_int_equal(l[1].assist_ns, 270000);
	assert_int_equal(l[1].heap_end, 9);
	assert_true(l[1].forced);
	assert_int_equal(l[2].procs, 4);
	assert_false(l[2].forced);
	assert_int_equal(l[2].at_ns, 1303000000);
	assert_int_equal(l[2].line, 3);
	assert_true(l[3].forced);
	done(&f);
}

static void schedtrace_of_each_version(void **state)
{
	(void)state;
	fixture f;
	READ(&f, "SCHED 0ms: gomaxprocs=2 idleprocs=1 threads=4 spinningthreads=0 idlethreads=2 runqueue=7 [3 0]",
		"app: SCHED 207ms: gomaxprocs=3 idleprocs=0 threads=4 spinningthreads=1 needspinning=1 idlethreads=0 runqueue=1 [ 1 20 5 ] "
		"schedticks=[ 99 98 97 ]",
		"SCHED 300ms: gomaxprocs=1", "SCHED up");
	assert_int_equal(f.g.samples.count, 2);
	assert_int_equal(f.g.torn, 1);
	const stw_sched_sample *s = f.g.samples.items;
	assert_int_equal(s[0].global, 7);
	assert_int_equal(s[0].local, 3);
	assert_int_equal(s[0].idle, 1);
	assert_int_equal(s[1].at_ns, 207000000);
	assert_int_equal(s[1].local, 26);
	assert_int_equal(s[1].local_max, 20);
	assert_int_equal(s[1].procs, 3);
	done(&f);
}

static void details(void **state)
{
	(void)state;
	fixture f;
	READ(&f,
		"SCHED 274ms: gomaxprocs=2 idleprocs=0 threads=5 spinningthreads=0 needspinning=1 idlethreads=1 runqueue=8 gcwaiting=false "
		"nmidlelocked=0 stopwait=0 sysmonwait=false",
		"  P0: status=1 schedtick=28283 syscalltick=29 m=4 runqsize=2 gfreecnt=0 timerslen=0",
		"  P1: status=3 schedtick=20 syscalltick=16 m=nil runqsize=191 gfreecnt=0 timerslen=3",
		"  M4: p=0 curg=22 mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning=false blocked=false lockedg=nil",
		"  M3: p=-1 curg=18 mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning=1 blocked=1 lockedg=-1",
		"  G1: status=4(chan receive) m=nil lockedm=0", "  G2: status=4097() m=nil lockedm=nil",
		"  G3: status=77() m=nil lockedm=nil", "EXP1: status=1 of something else",
		"SCHED 300ms: gomaxprocs=2 idleprocs=0 threads=5 spinningthreads=0 idlethreads=1 runqueue=0 gcwaiting=1 nmidlelocked=0 "
		"stopwait=0 sysmonwait=0",
		"  P0: status=0 schedtick=1 syscalltick=29 m=-1 runqsize=0 gfreecnt=0");
	assert_int_equal(f.g.samples.count, 2);
	const stw_sched_sample *s = f.g.samples.items;
	assert_true(s[0].detailed);
	assert_int_equal(s[0].local, 193);
	assert_int_equal(s[0].detail.ps[1], 1);
	assert_int_equal(s[0].detail.ps[3], 1);
	assert_int_equal(s[0].detail.ms, 2);
	assert_int_equal(s[0].detail.ms_with_p, 1);
	assert_int_equal(s[0].detail.ms_in_go, 1);
	assert_int_equal(s[0].detail.ms_blocked, 1);
	assert_int_equal(s[0].detail.gs[4], 1);
	assert_int_equal(s[0].detail.gs[1], 1); /* less the scan bit */
	assert_int_equal(s[0].detail.gs[STW_G_STATES - 1], 1);
	assert_false(s[0].detail.gc_waiting);
	assert_true(s[1].detail.gc_waiting);
	assert_int_equal(f.g.ps.count, 2);
	assert_int_equal(f.g.ps_line, 1);
	assert_int_equal(f.g.ps.items[1].queued, 191);
	assert_int_equal(f.g.ps.items[1].m, -1);
	done(&f);
}

static void other_lines(void **state)
{
	(void)state;
	fixture f;
	READ(&f, "init internal/bytealg @0.008 ms, 0.5 ms clock, 16 bytes, 2 allocs", "init of the log @ noon",
		"pacer: assist ratio=+1.2 (scan 1 MB in 4->5 MB) workers=1+0", "pacer: 25% CPU (25 exp.) for 1+2+3 B work",
		"scav 1 KiB work (bg), 0 KiB work (eager), 3 KiB now, 90% util");
	assert_int_equal(f.g.inits.count, 1);
	assert_int_equal(f.g.inits.items[0].clock_ns, 500000);
	assert_int_equal(f.g.inits.items[0].allocations, 2);
	assert_string_equal(stw_intern_get(&f.g.names, f.g.inits.items[0].package).data, "internal/bytealg");
	assert_int_equal(f.g.pacer, 2);
	assert_int_equal(f.g.scavenger, 1);
	done(&f);
	READ(&f, "nothing here", "", "init", "gc", "SCHED");
	assert_false(stw_godebug_tells(&f.g));
	done(&f);
}

static void several_runs(void **state)
{
	(void)state;
	fixture f;
	READ(&f, "gc 1 @0.013s 6%: 0.015+7.5+0.13 ms clock, 0.031+0.27/1.8/5.5+0.27 ms cpu, 7->9->8 MB, 8 MB goal, 2 P",
		"SCHED 207ms: gomaxprocs=2 idleprocs=0 threads=4 spinningthreads=0 idlethreads=0 runqueue=1 [0 0]",
		"SCHED 0ms: gomaxprocs=2 idleprocs=0 threads=4 spinningthreads=0 idlethreads=0 runqueue=1 [0 0]",
		"gc 1 @0.010s 6%: 0.015+7.5+0.13 ms clock, 0.031+0.27/1.8/5.5+0.27 ms cpu, 7->9->8 MB, 8 MB goal, 2 P");
	assert_int_equal(f.g.runs, 2);
	assert_int_equal(f.g.samples.items[0].run, 0);
	assert_int_equal(f.g.samples.items[1].run, 1);
	assert_int_equal(f.g.gcs.items[1].run, 1);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gctrace_of_each_version),
		cmocka_unit_test(schedtrace_of_each_version),
		cmocka_unit_test(details),
		cmocka_unit_test(other_lines),
		cmocka_unit_test(several_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
