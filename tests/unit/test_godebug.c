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
	READ(&f,
		"gc 1 @0.004s 39%: 0.17+0.099+0+0.49+3.0 ms clock, 0.34+0.099+0+0/0.15/0.099+6.1 ms cpu, 4->5->4 MB, 4 MB goal, 2 P", /* go1.5.4 */
		"gc 2 @0.092s 47%: 1618+0+0+0+0.23 ms clock, 1618+0+0+0/0/0+0.23 ms cpu, 0->0->0 MB, 0 MB goal, 2 P (forced)", /* go1.5.4 */
		"gc 3 @0.152s 10%: 13+4.0+3.9 ms clock, 27+0.018/0.46/0+7.9 ms cpu, 4->4->0 MB, 5 MB goal, 2 P", /* go1.6.4 */
		"12:00 gc 4 @0.203s 26%: 0.22+3.8+0.051 ms clock, 0.44+0.042/3.6/0+0.10 ms cpu, 4->4->3 MB, 5 MB goal, 2 P", /* go1.9.7 */
		"gc 5 @0.303s 18%: 0.073+2.1+0.048 ms clock, 0.14+1.9/0.003/0+0.096 ms cpu, 4->4->3 MB, 4 MB goal, 0 MB stacks, 0 MB "
		"globals, "
		"2 P", /* go1.18.10 */
		"gc 6 @0.759s 0%: 4.0+6.0+0.20 ms clock, 8.0+0/4.9/0+0.40 ms cpu, 0->0->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P "
		"(forced)", /* go1.26.8 */
		"gc 7 @2.000s 0% (checking for goroutine leaks): 0.1+11+0.2 ms clock, 0.2+0/0.1/0+0.4 ms cpu, 7->7->1 MB, 7 MB goal, 0 MB "
		"stacks, 0 MB globals, 4 P (forced)", /* go1.26, goroutineleak profile */
		"gc 8 @2.100s 0%: 0.1+11", "gc done", "a gc 6 @ x");
	assert_int_equal(f.g.gcs.count, 7);
	assert_int_equal(f.g.torn, 1);
	assert_int_equal(f.g.runs.count, 1);
	const stw_gc_line *l = f.g.gcs.items;
	assert_int_equal(l[0].at_ns, 4000000);
	assert_int_equal(l[0].sweep_term_ns, 170000);
	assert_int_equal(l[0].mark_ns, 589000); /* installing the write barriers is no stop */
	assert_int_equal(l[0].mark_term_ns, 3000000);
	assert_int_equal(l[0].assist_ns, 0);
	assert_int_equal(l[0].dedicated_ns, 150000);
	assert_int_equal(l[0].idle_ns, 99000);
	assert_int_equal(l[1].sweep_term_ns, 1618000000);
	assert_true(l[1].forced);
	assert_int_equal(l[2].mark_term_ns, 3900000);
	assert_int_equal(l[2].percent, 10);
	assert_int_equal(l[3].line, 4);
	assert_int_equal(l[3].assist_ns, 42000);
	assert_int_equal(l[4].assist_ns, 1900000);
	assert_int_equal(l[4].procs, 2);
	assert_false(l[4].forced);
	assert_true(l[5].forced);
	assert_int_equal(l[6].heap_end, 7);
	assert_true(l[6].forced);
	done(&f);
}

static void schedtrace_of_each_version(void **state)
{
	(void)state;
	fixture f;
	READ(&f, "SCHED 0ms: gomaxprocs=2 idleprocs=1 threads=4 spinningthreads=0 idlethreads=2 runqueue=7 [3 0]",
		"app: SCHED 207ms: gomaxprocs=3 idleprocs=0 threads=4 spinningthreads=1 needspinning=1 idlethreads=0 runqueue=1 [ 1 20 5 ] "
		"schedticks=[ 99 98 97 ]",
		"SCHED 300ms: gomaxprocs=1", "SCHED up",
		"SCHED 407ms: gomaxprocs=3 idleprocs=0 threads=4 spinningthreads=0 needspinning=1 idlethreads=0 runqueue=1 [ 1 2");
	assert_int_equal(f.g.samples.count, 2);
	assert_int_equal(f.g.torn, 2);
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
	assert_int_equal(s[0].detail.ms_in_go, 0); /* it sleeps in the runtime */
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

/* What goes on from one detailed sample to the next. */
static void stays(void **state)
{
	(void)state;
	fixture f;
#define SAMPLE(ms, waiting)                                                                                                                \
	"SCHED " ms "ms: gomaxprocs=2 idleprocs=0 threads=5 spinningthreads=0 idlethreads=0 runqueue=3 gcwaiting=" waiting " nmidlelocked" \
	"=0 stopwait=0 sysmonwait=0"
	READ(&f, SAMPLE("0", "0"), "  P0: status=1 schedtick=7 syscalltick=1 m=4 runqsize=2 gfreecnt=0",
		"  P1: status=2 schedtick=9 syscalltick=4 m=-1 runqsize=0 gfreecnt=0",
		"  M4: p=0 curg=22 spinning=false blocked=false lockedg=-1", "  M3: p=1 curg=23 spinning=false blocked=false lockedg=-1",
		"  M2: p=-1 curg=5 spinning=false blocked=false lockedg=-1", "  M1: p=-1 curg=6 spinning=false blocked=true lockedg=-1",
		"  G5: status=3(timer goroutine (idle)) m=2 lockedm=-1", SAMPLE("100", "1"),
		"  P0: status=1 schedtick=7 syscalltick=1 m=4 runqsize=5 gfreecnt=0",
		"  P1: status=2 schedtick=9 syscalltick=4 m=-1 runqsize=0 gfreecnt=0",
		"  M4: p=0 curg=22 spinning=false blocked=false lockedg=-1", "  M3: p=1 curg=23 spinning=false blocked=false lockedg=-1",
		"  M2: p=-1 curg=5 spinning=false blocked=false lockedg=-1", "  G5: status=3(timer goroutine (idle)) m=2 lockedm=-1",
		SAMPLE("200", "0"), "  P0: status=1 schedtick=8 syscalltick=1 m=4 runqsize=0 gfreecnt=0",
		"  M4: p=0 curg=22 spinning=false blocked=false lockedg=-1");
#undef SAMPLE
	assert_int_equal(f.g.samples.items[0].detail.ms_in_go, 1); /* M3, of which P1 knows nothing any more */
	assert_int_equal(f.g.stays.count, 3);
	const stw_sched_stay *seen[STW_STAY_KINDS] = {0};
	for (size_t i = 0; i < f.g.stays.count; i++)
		seen[f.g.stays.items[i].kind] = &f.g.stays.items[i];
	assert_non_null(seen[STW_STAY_RUNS]);
	assert_int_equal(seen[STW_STAY_RUNS]->g, 22);
	assert_int_equal(seen[STW_STAY_RUNS]->to_ns, 100000000);
	assert_int_equal(seen[STW_STAY_RUNS]->queued, 8);
	assert_true(seen[STW_STAY_RUNS]->stopping);
	assert_non_null(seen[STW_STAY_CALL]);
	assert_int_equal(seen[STW_STAY_CALL]->p, 1);
	assert_non_null(seen[STW_STAY_IN_CALL]);
	assert_int_equal(seen[STW_STAY_IN_CALL]->g, 23);
	done(&f);
}

/* schedticks of Go 1.25 and later: a P that does not schedule where none is idle. */
static void ticks(void **state)
{
	(void)state;
	fixture f;
#define SAMPLE(ms, idle, ticks)                                                                                                            \
	"SCHED " ms "ms: gomaxprocs=2 idleprocs=" idle                                                                                     \
	" threads=5 spinningthreads=0 needspinning=1 idlethreads=0 runqueue=3 [ 1 0 ] schedticks=[ " ticks " ]"
	READ(&f, SAMPLE("0", "0", "5 70"), SAMPLE("100", "0", "5 80"), SAMPLE("200", "0", "5 90"), SAMPLE("300", "1", "5 90"),
		SAMPLE("400", "0", "5 91"));
#undef SAMPLE
	assert_int_equal(f.g.stays.count, 1);
	assert_int_equal(f.g.stays.items[0].kind, STW_STAY_TICKS);
	assert_int_equal(f.g.stays.items[0].samples, 3);
	assert_int_equal(f.g.stays.items[0].to_ns, 200000000);
	done(&f);
}

static void pacer_of_each_version(void **state)
{
	(void)state;
	fixture f;
	READ(&f, "pacer: assist ratio=+5.251083e-001 (scan 0 MB in 4->4 MB) workers=0+1", /* go1.5.4 */
		"pacer: H_m_prev=2236962 h_t=+8.750000e-001 H_T=4194304 h_a=+1.353742e+000 H_a=5265232 h_g=+1.000000e+000 H_g=4473924 "
		"u_a=+5.150836e-001 u_g=+3.000000e-001 W_a=181592 goal\xce\x94=+1.250000e-001 actual\xce\x94=+4.787423e-001 "
		"u_a/u_g=+1.0e+000", /* 1.14 */
		"pacer: sweep done at heap size 4MB; allocated 0MB during sweep; swept 595 pages at +2.690889e-004 pages/byte", /* go1.9.7 */
		"pacer: assist ratio=+4.217529e+000 (scan 0 MB in 4->4 MB) workers=0++2.500000e-001", /* go1.18.10 */
		"pacer: 70% CPU (25 exp.) for 172456+28672+251824 B work (276400 B exp.) in 4194304 B -> 4325376 B (\xe2\x88\x86goal "
		"49152, "
		"cons/mark +0.000000e+000)", /* go1.18.10 */
		"pacer: 25% CPU (25 exp.) for 252472+2608+200490 B work (380922 B exp.) in 6406504 B -> 8052984 B (\xe2\x88\x86goal "
		"-501726, "
		"cons/mark 1.849229751273478)", /* go1.26.8 */
		"pacer: assist ratio=1.0640816066576086 (scan 0 MB in 3->4 MB) workers=0+0.25", /* go1.26.8 */
		"pacer: of the running club");
	assert_int_equal(f.g.pacer.lines, 7);
	assert_int_equal(f.g.pacer.cycles, 3);
	assert_int_equal(f.g.pacer.over, 2);
	assert_int_equal(f.g.pacer.used_max, 700);
	assert_int_equal(f.g.pacer.planned, 250);
	assert_int_equal(f.g.pacer.assist_ratio_max, 4217);
	assert_int_equal(f.g.pacer.beyond_goal_max, 791308);
	done(&f);
}

static void other_lines(void **state)
{
	(void)state;
	fixture f;
	READ(&f, "init internal/bytealg @0.008 ms, 0.5 ms clock, 16 bytes, 2 allocs", "init of the log @ noon",
		"scav 1 KiB work (bg), 0 KiB work (eager), 3 KiB now, 90% util", /* go1.26.8 */
		"scav 0 0 KiB work, 3680 KiB total, 91% util", /* go1.18.10 */
		"scvg0: inuse: 3, idle: 1, sys: 4, released: 0, consumed: 4 (MB)", /* go1.9.7 */
		"scvg1: 5 MB released");
	assert_int_equal(f.g.inits.count, 1);
	assert_int_equal(f.g.inits.items[0].clock_ns, 500000);
	assert_int_equal(f.g.inits.items[0].allocations, 2);
	assert_string_equal(stw_intern_get(&f.g.names, f.g.inits.items[0].package).data, "internal/bytealg");
	assert_int_equal(f.g.scavenger, 4);
	done(&f);
	READ(&f, "nothing here", "", "init", "gc", "SCHED", "\\", "\\u12", "\\n\\n");
	assert_false(stw_godebug_tells(&f.g));
	done(&f);
}

#define GC(number, at) "gc " number " @" at "s 6%: 0.015+7.5+0.13 ms clock, 0.031+0.27/1.8/5.5+0.27 ms cpu, 7->9->8 MB, 8 MB goal, 2 P"
#define SCHED(ms) "SCHED " ms "ms: gomaxprocs=2 idleprocs=0 threads=4 spinningthreads=0 idlethreads=0 runqueue=1 [0 0]"

static void several_runs(void **state)
{
	(void)state;
	fixture f;
	READ(&f, GC("1", "0.013"), SCHED("207"), SCHED("0"), GC("1", "0.010"));
	assert_int_equal(f.g.runs.count, 2);
	assert_int_equal(f.g.samples.items[0].run, 0);
	assert_int_equal(f.g.samples.items[1].run, 1);
	assert_int_equal(f.g.gcs.items[1].run, 1);
	done(&f);
	/* Two processes at a time: by their collections, and by the words before their lines. */
	READ(&f, GC("1", "0.010"), GC("1", "0.020"), GC("2", "0.100"), GC("3", "0.300"), GC("2", "0.050"), GC("4", "0.400"),
		GC("3", "0.060"));
	assert_int_equal(f.g.runs.count, 2);
	assert_int_equal(f.g.gcs.items[2].run, 0);
	assert_int_equal(f.g.gcs.items[2].number, 3);
	assert_int_equal(f.g.gcs.items[3].run, 1);
	done(&f);
	READ(&f, "web_1  | " SCHED("0"), "web_2  | " SCHED("1"), "web_1  | " SCHED("100"), "web_2  | " SCHED("103"),
		"2026-11-29T08:00:01Z " SCHED("0"), "2026-11-29T08:00:02Z " SCHED("9"));
	assert_int_equal(f.g.runs.count, 3);
	assert_int_equal(f.g.samples.items[1].at_ns, 100000000);
	assert_int_equal(f.g.samples.items[3].at_ns, 103000000);
	done(&f);
}

/* As Docker and Go's encoder write a line; several lines in one; wall times with and without a zone. */
static void in_json(void **state)
{
	(void)state;
	fixture f;
	READ(&f,
		"{\"log\":\"gc 1 @0.013s 6%: 0.015+7.5+0.13 ms clock, 0.031+0.27/1.8/5.5+0.27 ms cpu, 7-\\u003e9-\\u003e8 MB, 8 MB goal, 2 "
		"P\\n\","
		"\"time\":\"2026-11-29T08:01:20.123456789Z\"}",
		"{\"time\":\"2026-11-29T09:01:21.2+01:00\",\"msg\":\"" SCHED("207") "\\n" SCHED("307") "\\r\\n\"}",
		"2026-11-29 08:01:22.9 " SCHED("400"), "2026-11-29 08:01:22 Z " SCHED("401"));
	assert_int_equal(f.g.gcs.count, 1);
	assert_int_equal(f.g.gcs.items[0].heap_live, 8);
	assert_int_equal(f.g.samples.count, 4);
	assert_int_equal(f.g.samples.items[1].line, 2);
	const int64_t second = 1795939280; /* date -u -d '2026-11-29 08:01:20' +%s */
	const stw_godebug_clock *clock = f.g.clocks.items;
	assert_int_equal(f.g.clocks.count, 5);
	for (size_t i = 0; i < 5; i++)
		if (clock[i].run == f.g.gcs.items[0].run && clock[i].stamp.unit == 1) {
			assert_int_equal(clock[i].stamp.ns, second * 1000000000 + 123456789);
			assert_int_equal(clock[i].at_ns, 13000000 + 15000 + 7500000 + 130000); /* at its end */
			assert_int_equal(clock[i].how, STW_CLOCK_OWN);
		}
	done(&f);
}

/* ---- times that logs write ---- */

static void stamps(void **state)
{
	(void)state;
	enum { ZONE = STW_STAMP_NO_ZONE, YEAR = STW_STAMP_NO_YEAR, DATE = STW_STAMP_NO_DATE };
	const int64_t second = 1795939280, ms = 1000000; /* 2026-11-29 08:01:20 UTC */
	static const struct {
		const char *line;
		int64_t off_ms, unit;
		int lacks;
	} cases[] = {
		{"2026-11-29T08:01:20Z x", 0, 1000000000, 0},
		{"2026-11-29T08:01:20.123Z x", 123, 1000000, 0},
		{"2026-11-29T09:01:20.123456+01:00 x", 123, 1000, 0},
		{"2026-11-29 03:01:20,123 -0500 x", 123, 1000000, 0},
		{"2026-11-29 08:01:20.123 UTC [12] x", 123, 1000000, 0},
		{"2026-11-29T08:01:20+0000 host app[12]: x", 0, 1000000000, 0}, /* journalctl -o short-iso */
		{"[2026-11-29 08:01:20,123] x", 123, 1000000, ZONE},
		{"2026-11-29 08:01:20.123 - x", 123, 1000000, ZONE},
		{"2026/11/29 08:01:20 x", 0, 1000000000, ZONE},
		{"server: 2026/11/29 08:01:20.123456 x", 123, 1000, ZONE},
		{"web_1  | 2026-11-29T08:01:20.123Z x", 123, 1000000, 0},
		{"[pod/app-5d4-x/app] 2026-11-29T08:01:20.123456789Z x", 123, 1, 0},
		{"2026-11-29T08:01:20.123456789Z stderr F x", 123, 1, 0}, /* CRI */
		{"{\"log\":\"x\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-29T08:01:20.123456789Z\"}", 123, 1, 0}, /* Docker */
		{"{\"log\":\"2026/11/29 09:01:20 x\\n\",\"time\":\"2026-11-29T08:01:20.123456789Z\"}", 123, 1, 0},
		{"{\"level\":\"info\",\"ts\":1795939280.1234567,\"msg\":\"x\"}", 123, 100, 0}, /* zap */
		{"{\"level\":\"info\",\"time\":1795939280,\"message\":\"x\"}", 0, 1000000000, 0}, /* zerolog */
		{"{\"ts\": 1795939280123}", 123, 1000000, 0},
		{"{\"__REALTIME_TIMESTAMP\":\"1795939280123456\",\"MESSAGE\":\"x\"}", 123, 1000, 0}, /* journalctl -o json */
		{"time=2026-11-29T08:01:20.123Z level=INFO msg=x", 123, 1000000, 0}, /* slog */
		{"level=info ts=2026-11-29T08:01:20.123Z msg=x", 123, 1000000, 0},
		{"1795939280.123456 x", 123, 1000, 0}, /* ts %.s */
		{"10.0.0.1 - - [29/Nov/2026:08:01:20 +0000] x", 0, 1000000000, 0},
		{"Nov 29 08:01:20 host app[12]: x", 0, 1000000000, ZONE | YEAR},
		{"<34>Nov 29 08:01:20 host x", 0, 1000000000, ZONE | YEAR},
		{"Nov 29 08:01:20.123 x", 123, 1000000, ZONE | YEAR},
		{"I1129 08:01:20.123456   12 f.go:3] x", 123, 1000, ZONE | YEAR}, /* klog */
		{"08:01:20.123 x", 123, 1000000, ZONE | DATE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		stw_stamp t;
		if (!stw_stamp_of(cases[i].line, strlen(cases[i].line), &t))
			fail_msg("no stamp: %s", cases[i].line);
		int64_t at = stw_stamp_near(&t, (second + 40000) * 1000000000, 0);
		if (at / ms != second * 1000 + cases[i].off_ms || t.unit != cases[i].unit || t.lacks != cases[i].lacks)
			fail_msg("%s: %lld, of %lld, lacks %d", cases[i].line, (long long)(at / ms - second * 1000), (long long)t.unit,
				t.lacks);
	}
}

static void no_stamps(void **state)
{
	(void)state;
	static const char *const lines[] = {"", "SCHED 10ms: gomaxprocs=2", "the certificate of the host expires 2027-01-01T00:00:00Z",
		"2026-13-29T08:01:20Z", "2026-11-29", "2026-11-29T25:01:20Z", "12345.678 x", "v1.2026-11-29 08:01:20",
		"{\"events\":1795939280,\"t\":7}", "Nov 29", "Nov 29 8:1:2", "08:01:20:30 x", "started at 108:01:20"};
	stw_stamp t;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (stw_stamp_of(lines[i], strlen(lines[i]), &t))
			fail_msg("a stamp: %s", lines[i]);
}

/* The year and the day that a stamp lacks are those nearest to the trace; its zone is what is tried. */
static void stamps_near(void **state)
{
	(void)state;
	stw_stamp t;
	const int64_t s = 1000000000, new_year = 1798761600; /* 2027-01-01 00:00:00 UTC */
	assert_true(stw_stamp_of("Dec 31 23:59:50 host x", 22, &t));
	assert_int_equal(stw_stamp_near(&t, (new_year + 5) * s, 0), (new_year - 10) * s);
	assert_true(stw_stamp_of("Jan  1 00:00:03 host x", 22, &t));
	assert_int_equal(stw_stamp_near(&t, (new_year - 5) * s, 0), (new_year + 3) * s);
	assert_int_equal(stw_stamp_near(&t, (new_year - 5) * s, 3600 * s), (new_year + 3 - 3600) * s);
	assert_true(stw_stamp_of("Feb 29 12:00:00 x", 17, &t)); /* 2028 has one */
	assert_int_equal(stw_stamp_near(&t, INT64_C(1835438400) * s, 0), INT64_C(1835438400) * s);
	assert_true(stw_stamp_of("23:59:50 x", 10, &t));
	assert_int_equal(stw_stamp_near(&t, (new_year + 5) * s, 0), (new_year - 10) * s);
	assert_true(stw_stamp_of("00:00:03 x", 10, &t));
	assert_int_equal(stw_stamp_near(&t, (new_year - 5) * s, 0), (new_year + 3) * s);
}

/* A line without a stamp stands between those of the lines around it. */
static void stamps_around(void **state)
{
	(void)state;
	fixture f;
	READ(&f, "2026-11-29T08:01:20Z a", SCHED("100"), SCHED("200"), "no time", "2026-11-29T08:01:21Z b", "2026-11-29T08:01:22Z c",
		"2026-11-29T08:01:23Z " SCHED("300"));
	assert_int_equal(f.g.clocks.count, 3);
	const stw_godebug_clock *c = f.g.clocks.items;
	assert_int_equal(c[0].how, STW_CLOCK_BEFORE);
	assert_int_equal(c[0].at_ns, 100000000);
	assert_int_equal(c[1].how, STW_CLOCK_AFTER);
	assert_int_equal(c[1].at_ns, 200000000);
	assert_int_equal(c[1].stamp.ns - c[0].stamp.ns, 1000000000);
	assert_int_equal(c[2].how, STW_CLOCK_OWN);
	done(&f);
}

/* ---- lines that other output has torn ---- */

#define REST " threads=4 spinningthreads=0 idlethreads=2 runqueue=1 [ 7 8 ] schedticks=[ 99 98 ]"

static void torn_and_joined(void **state)
{
	(void)state;
	fixture f;
	/* behind a number: a date, a word; before one; within the lists; behind the log's own words; with other lines between */
	READ(&f, "SCHED 10ms: gomaxprocs=22026/11/29 08:01:20 hello", " idleprocs=1" REST, "SCHED 20ms: gomaxprocs=2hello",
		" idleprocs=1" REST, "SCHED 30ms: gomaxprocs=2 idleprocs=2026/11/29 08:01:20 hello", "1" REST,
		"SCHED 40ms: gomaxprocs=2 idleprocs=1 threads=4 spinningthreads=0 idlethreads=2 runqueue=1 [ 708:01:20 x",
		" 8 ] schedticks=[ 99 98 ]", "2026-11-29T08:01:20Z SCHED 50ms: gomaxprocs=2 idleprocs=hello",
		"2026-11-29T08:01:20Z another line", "2026-11-29T08:01:20Z 1" REST,
		"{\"log\":\"SCHED 60ms: gomaxprocs=2panic\\n\",\"time\":\"2026-11-29T08:01:20Z\"}",
		"{\"log\":\" idleprocs=1" REST "\\n\",\"time\":\"2026-11-29T08:01:20Z\"}");
	assert_int_equal(f.g.samples.count, 6);
	assert_int_equal(f.g.joined, 6);
	assert_int_equal(f.g.torn, 0);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(f.g.samples.items[i].procs, 2);
		assert_int_equal(f.g.samples.items[i].idle, 1);
		assert_int_equal(f.g.samples.items[i].local, 15);
	}
	assert_int_equal(f.g.samples.items[0].line, 1);
	done(&f);
	READ(&f, "gc 1 @0.013s 6%: 0.015+7.52026/11/29 08:01:20 hello",
		"+0.13 ms clock, 0.031+0.27/1.8/5.5+0.27 ms cpu, 7->9->8 MB, 8 MB goal, 2 P");
	assert_int_equal(f.g.gcs.count, 1);
	assert_int_equal(f.g.gcs.items[0].mark_ns, 7500000);
	done(&f);
}

static void torn_for_good(void **state)
{
	(void)state;
	fixture f;
	/* whose digits they are can't be told; no rest; the rest of another stream; cut */
	READ(&f, "SCHED 10ms: gomaxprocs=2 idleprocs=15 items", REST, "SCHED 20ms: gomaxprocs=2hello", "nothing", SCHED("30"),
		"web_1  | SCHED 40ms: gomaxprocs=2hello", "web_2  |  idleprocs=1" REST, "gc 1 @0.013s 6%: 0.01hello",
		"SCHED 10 jobs of 12, see SCHED 5", "SCHED 50ms: gomaxprocs=2 idleprocs=1 thre");
	assert_int_equal(f.g.samples.count, 1);
	assert_int_equal(f.g.joined, 0);
	assert_int_equal(f.g.torn, 5);
	done(&f);
	/* the runtime's own line in the middle is read */
	READ(&f, "SCHED 10ms: gomaxprocs=2 idleprocs=1 threads=4 spinningthreads=0 idlethreads=2 runqueue=1 [ 7" GC("1", "0.013"),
		" 8 ] schedticks=[ 99 98 ]");
	assert_int_equal(f.g.gcs.count, 1);
	assert_int_equal(f.g.samples.count, 1);
	assert_int_equal(f.g.samples.items[0].local_max, 8);
	assert_int_equal(f.g.torn, 0);
	done(&f);
}

/* Details of a torn sample are not those of the one before; of two processes each has its own. */
static void torn_details(void **state)
{
	(void)state;
	fixture f;
#define SAMPLE(ms)                                                                                                                         \
	"SCHED " ms "ms: gomaxprocs=2 idleprocs=0 threads=5 spinningthreads=0 idlethreads=0 runqueue=3 gcwaiting=0 nmidlelocked=0 "        \
	"stopwait=0 sysmonwait=0"
#define G(id) "  G" id ": status=4(chan send) m=nil lockedm=nil"
	READ(&f, "a " SAMPLE("0"), "a " G("1"), "b " G("7"), "a " G("2"), "a   G3: status=4(chan send) m=2026/11/29 08:01:20 hello",
		"a SCHED 100ms: gomaxprocs=2 idleprocs=2026/11/29 08:01:20 hello", "a " G("1"), "a " G("2"));
#undef SAMPLE
#undef G
	assert_int_equal(f.g.samples.count, 1);
	assert_int_equal(f.g.samples.items[0].detail.gs[4], 2);
	assert_int_equal(f.g.samples.items[0].detail.n_reasons, 1);
	assert_int_equal(f.g.reasons.items[f.g.samples.items[0].detail.first_reason].count, 2);
	assert_int_equal(f.g.torn, 2);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gctrace_of_each_version),
		cmocka_unit_test(schedtrace_of_each_version),
		cmocka_unit_test(details),
		cmocka_unit_test(stays),
		cmocka_unit_test(ticks),
		cmocka_unit_test(pacer_of_each_version),
		cmocka_unit_test(other_lines),
		cmocka_unit_test(several_runs),
		cmocka_unit_test(in_json),
		cmocka_unit_test(stamps),
		cmocka_unit_test(no_stamps),
		cmocka_unit_test(stamps_near),
		cmocka_unit_test(stamps_around),
		cmocka_unit_test(torn_and_joined),
		cmocka_unit_test(torn_for_good),
		cmocka_unit_test(torn_details),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
