/* Goroutine dumps: each wording since Go 1.5, what a log puts around and between the lines, and who may hold a lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sources/dump_read.h"

typedef struct fixture {
	stw_mem mem;
	stw_companion companion;
	stw_dump dump;
} fixture;

static void read_text(fixture *f, const char *text)
{
	memset(f, 0, sizeof *f);
	stw_mem_init(&f->mem, NULL, NULL, 0);
	f->companion.mem = &f->mem;
	stw_dump_init(&f->dump, &f->companion);
	stw_dump_reader *r = stw_dump_reader_new(&f->dump);
	assert_non_null(r);
	stw_line line = {0};
	for (const char *at = text; *at;) {
		char copy[1024];
		const char *end = strchr(at, '\n');
		size_t n = end ? (size_t)(end - at) : strlen(at);
		assert_true(n < sizeof copy);
		memcpy(copy, at, n);
		copy[n] = '\0';
		line = (stw_line){copy, n, line.number + 1, (uint64_t)(at - text)};
		assert_true(stw_dump_reader_line(r, &line));
		at += n + (end != NULL);
	}
	assert_true(stw_dump_reader_end(r));
	stw_dump_reader_free(r);
}

static void done(fixture *f)
{
	stw_dump_free(&f->dump);
	assert_int_equal(f->mem.used, 0);
}

static void test_headers(void **state)
{
	(void)state;
	static const struct {
		const char *header, *name;
		stw_dump_wait wait;
		unsigned minutes, bubble;
		bool locked, leaked;
	} cases[] = {
		{"goroutine 7 [running]:", "running", STW_DUMP_RUNS, 0, 0, false, false},
		{"goroutine 7 [running, locked to thread]:", "running", STW_DUMP_RUNS, 0, 0, true, false},
		{"goroutine 7 [chan receive, 5 minutes, locked to thread]:", "chan receive", STW_DUMP_RECEIVE, 5, 0, true, false},
		{"goroutine 7 [chan receive (nil chan), 1203 minutes]:", "chan receive (nil chan)", STW_DUMP_FOREVER, 1203, 0, false,
			false},
		{"goroutine 7 [select (no cases)]:", "select (no cases)", STW_DUMP_FOREVER, 0, 0, false, false},
		{"goroutine 7 [runnable (scan)]:", "runnable", STW_DUMP_RUNS, 0, 0, false, false},
		{"goroutine 7 [chan send (leaked) (scan)]:", "chan send", STW_DUMP_SEND, 0, 0, false, true},
		{"goroutine 7 gp=0xc000002380 m=0 mp=0x5f5600 [runnable]:", "runnable", STW_DUMP_RUNS, 0, 0, false, false},
		{"goroutine 7 gp=0xc000002380 m=nil [select (durable), 2 minutes, synctest bubble 12]:", "select", STW_DUMP_SELECT, 2, 12,
			false, false},
		{"goroutine 7 [chan send, synctest group 3]:", "chan send", STW_DUMP_SEND, 0, 3, false, false},
		{"goroutine 7 [select, 3 minutes labels:{\"a\": \"b, 9 minutes]:\"}]:", "select", STW_DUMP_SELECT, 3, 0, false, false},
		{"goroutine 7 [GC worker (idle)]:", "GC worker (idle)", STW_DUMP_SYSTEM, 0, 0, false, false},
		{"goroutine 7 [???]:", "???", STW_DUMP_SYSTEM, 0, 0, false, false},
		{"Nov 23 host app[12]: goroutine 7 [sync.Mutex.Lock]:  ", "sync.Mutex.Lock", STW_DUMP_MUTEX, 0, 0, false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fixture f;
		read_text(&f, cases[i].header);
		const stw_dump_g *g = stw_dump_find(&f.dump, 7);
		assert_non_null(g);
		assert_string_equal(stw_dump_state(&f.dump, g), cases[i].name);
		assert_int_equal(g->wait, cases[i].wait);
		assert_int_equal(g->minutes, cases[i].minutes);
		assert_int_equal(g->bubble, cases[i].bubble);
		assert_int_equal(g->locked, cases[i].locked);
		assert_int_equal(g->leaked, cases[i].leaked);
		assert_int_equal(g->line, 1);
		done(&f);
	}
}

static void test_no_headers(void **state)
{
	(void)state;
	static const char *const lines[] = {"goroutine 7 [running]", "goroutine [running]:", "goroutine 7: [running]:",
		"goroutine 7 running]:", "goroutine 99999999999999999999 [running]:", "a goroutine 7 [x] y", "goroutine 7", "goroutine ",
		"goroutine profile: total x", "created by main.f in goroutine 7",
		"[originating from goroutine 7]:", "goroutine 7 gp=0x1 m=0 [running]"};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		fixture f;
		read_text(&f, lines[i]);
		assert_int_equal(f.dump.gs.count, 0);
		assert_int_equal(f.dump.shots.count, 0);
		done(&f);
	}
}

static void test_frames(void **state)
{
	(void)state;
	fixture f;
	read_text(&f,
		"starting\n"
		"goroutine 7 [chan send]:\n"
		"runtime.chansend1(0xc000012345, 0x1?)\n"
		"\t/usr/lib/go/src/runtime/chan.go:161 +0x1d fp=0xc000042f60 sp=0xc000042f30 pc=0x409864\n"
		"a line of the log (in between)\n"
		"main.(*T[...]).f(...)\n"
		"another one\n"
		"\t/a path/with blanks/t.go:12\n"
		"main.g({0xc000aaaaaa, 0x4}, 0xc000bbbbbb?, 0xc000cccccc, ...)\n"
		"        C:/src/g.go:34 +0x7d\n"
		"...additional frames elided...\n"
		"created by main.main.func1 in goroutine 3\n"
		"\t/src/main.go:99 +0x30\n"
		"\n"
		"goroutine 8 [select]:\n"
		"main.h()\n"
		"\t/src/h.go:1\n"
		"created by main.main\n"
		"\t/src/main.go:5\n"
		"rax    0x0\n");
	const stw_dump_g *g = stw_dump_find(&f.dump, 7);
	assert_non_null(g);
	const stw_dump_stack *s = stw_dump_stack_of(&f.dump, g);
	assert_int_equal(s->named.n, 3);
	assert_int_equal(s->named.user, 1);
	assert_true(s->elided);
	assert_string_equal(s->named.frames[0].function, "runtime.chansend1");
	assert_int_equal(s->named.frames[0].line, 161);
	assert_string_equal(s->named.frames[1].function, "main.(*T[...]).f");
	assert_string_equal(s->named.frames[1].file, "/a path/with blanks/t.go");
	assert_string_equal(s->named.frames[2].file, "C:/src/g.go");
	assert_string_equal(s->created.function, "main.main.func1");
	assert_int_equal(s->created.line, 99);
	assert_int_equal(g->parent, 3);
	assert_int_equal(g->object, 0xc000012345);
	/* of main.g: the first argument is sure, the one with a question mark is not */
	assert_int_equal(g->n_words, 2);
	assert_int_equal(stw_dump_receiver(&f.dump, g, 2), 0xc000aaaaaa);
	assert_int_equal(f.dump.words.items[g->words + 1].value, 0xc000cccccc);
	g = stw_dump_find(&f.dump, 8);
	assert_non_null(g);
	assert_int_equal(g->parent, 0);
	assert_int_equal(stw_dump_stack_of(&f.dump, g)->named.n, 1);
	assert_int_equal(f.dump.shots.count, 1);
	done(&f);
}

static void test_record(void **state)
{
	(void)state;
	fixture f;
	read_text(&f,
		"goroutine profile: total 42\n"
		"40 @ 0x47db6e 0x45f432 0x4da070\n"
		"# labels: {\"k\":\"v\"}\n"
		"#\t0x45f431\tsync.runtime_SemacquireMutex+0x24\t\t/usr/lib/go/src/runtime/sema.go:95\n"
		"#\t0x45f431\tsync.(*Mutex).Lock+0x4f\t/usr/lib/go/src/sync/mutex.go:46\n"
		"#\t0x4da06f\tmain.f+0x4f\t\t\t/src/f.go:20\n"
		"\n"
		"2 @ 0x442931\n"
		"#\t0x442931\n"
		"\n"
		"and so on\n"
		"9 @ 0x442931\n");
	assert_int_equal(f.dump.gs.count, 2);
	assert_int_equal(stw_dump_last(&f.dump)->goroutines, 42);
	assert_true(stw_dump_last(&f.dump)->record);
	const stw_dump_g *g = &f.dump.gs.items[0];
	assert_int_equal(g->count, 40);
	assert_int_equal(g->wait, STW_DUMP_MUTEX);
	assert_string_equal(stw_dump_stack_of(&f.dump, g)->named.frames[2].function, "main.f");
	assert_int_equal(f.dump.gs.items[1].wait, STW_DUMP_UNKNOWN);
	assert_int_equal(f.dump.locks.count, 1);
	assert_int_equal(f.dump.locks.items[0].count, 40);
	done(&f);
}

static void test_several(void **state)
{
	(void)state;
	fixture f;
	read_text(&f,
		"goroutine 1 [running]:\nmain.a()\n\t/a.go:1\n\ngoroutine 2 [select]:\nmain.b()\n\t/b.go:1\n\n"
		"goroutine 1 [select]:\nmain.c()\n\t/c.go:1\n\n"
		"later\nSIGQUIT: quit\nPC=0x1 m=0 sigcode=0\n\n"
		"goroutine 0 [idle]:\nruntime.futex()\n\t/f.s:1\n\n"
		"goroutine 9 [select]:\nmain.d()\n\t/d.go:1\n\n"
		"-----\n\nSIGQUIT: quit\nPC=0x2 m=3 sigcode=0\n\n"
		"goroutine 0 [idle]:\nruntime.futex()\n\t/f.s:1\n\n"
		"goroutine 9 [running]:\nmain.x()\n\t/x.go:1\n\n");
	assert_int_equal(f.dump.shots.count, 3);
	assert_int_equal(f.dump.gs.count, 4);
	assert_int_equal(f.dump.threads, 2);
	assert_null(f.dump.shots.items[1].reason);
	assert_string_equal(stw_dump_last(&f.dump)->reason, "SIGQUIT: quit");
	assert_false(stw_dump_last(&f.dump)->asleep);
	assert_string_equal(stw_dump_state(&f.dump, stw_dump_find(&f.dump, 9)), "select");
	assert_string_equal(stw_dump_state(&f.dump, stw_dump_find(&f.dump, 1)), "select");
	assert_int_equal(f.dump.groups.count, 1);
	done(&f);
}

#define LOCK(address)                                                                                                                      \
	"sync.(*Mutex).lockSlow(" address ")\n\t/go/src/sync/mutex.go:149 +0x15d\n"                                                        \
	"sync.(*Mutex).Lock(...)\n\t/go/src/sync/mutex.go:46\n"

static void test_holder(void **state)
{
	(void)state;
	fixture f;
	read_text(&f,
		"goroutine 2 [sync.Mutex.Lock, 2 minutes]:\n" LOCK(
			"0xc000010008") "main.(*S).put(0xc000010000)\n\t/s.go:20\n\n"
					"goroutine 3 [sync.Mutex.Lock]:\n" LOCK("0xc000010008") "main.(*S).put(0xc000010000)\n\t/"
												"s.go:20\n\n"
												"goroutine 4 [chan "
												"send]:\nmain.(*S).put(0xc000020000)\n\t/"
												"s.go:30\n\n" /* another object's */
												"goroutine 5 [chan "
												"send]:\nmain.(*S).put(0xc000010000)\n\t/"
												"s.go:10\n\n" /* not there yet */
												"goroutine 6 [chan "
												"send]:\nmain.(*S).put(0xc000010000)\n\t/"
												"s.go:30\n\n"
												"goroutine 7 [chan "
												"send]:\nmain.(*S).get(0xc000010000)\n\t/"
												"s.go:50\n\n" /* a weaker sign */
												"goroutine 8 [sync.Mutex.Lock]:\n" LOCK(
													"0xc000030008") "main.(*S).put("
															"0xc000030000)\n\t/"
															"s.go:20\n\n");
	assert_int_equal(f.dump.locks.count, 2);
	const stw_dump_lock *lock = &f.dump.locks.items[0];
	assert_int_equal(lock->count, 2);
	assert_int_equal(lock->object, 0xc000010008);
	assert_int_equal(lock->owner, 0xc000010000);
	assert_int_equal(lock->minutes, 2);
	assert_int_not_equal(lock->holder, STW_DUMP_NONE);
	assert_int_equal(f.dump.gs.items[lock->holder].id, 6);
	assert_int_equal(lock->sign, STW_DUMP_PAST_LOCK);
	assert_true(lock->likely);
	assert_false(lock->circle);
	assert_int_equal(f.dump.locks.items[1].holder, STW_DUMP_NONE);
	assert_ptr_equal(stw_dump_lock_of(&f.dump, stw_dump_find(&f.dump, 8)), &f.dump.locks.items[1]);
	done(&f);
}

/* Two with the same sign: nobody is named. One in a wait in which goroutines spend their lives: possible, not likely. */
static void test_no_holder(void **state)
{
	(void)state;
	fixture f;
	read_text(&f,
		"goroutine 2 [sync.Mutex.Lock]:\n" LOCK(
			"0x10008") "main.put(0x1)\n\t/s.go:20\n\n"
				   "goroutine 3 [chan send]:\nmain.put(0x1)\n\t/s.go:30\n\n"
				   "goroutine 4 [chan send]:\nmain.put(0x1)\n\t/s.go:30\n\n"
				   "goroutine 5 [sync.Mutex.Lock]:\n" LOCK(
					   "0x20008") "main.get(0x1)\n\t/s.go:50\n\n"
						      "goroutine 6 [chan receive]:\nmain.get(0x1)\n\t/s.go:60\n\n");
	assert_int_equal(f.dump.locks.count, 2);
	assert_int_equal(f.dump.locks.items[0].holder, STW_DUMP_NONE);
	assert_int_not_equal(f.dump.locks.items[1].holder, STW_DUMP_NONE);
	assert_false(f.dump.locks.items[1].likely);
	done(&f);
}

static void test_circle(void **state)
{
	(void)state;
	fixture f;
	read_text(&f,
		"goroutine 2 [sync.Mutex.Lock, 2 minutes]:\n" LOCK(
			"0xc000010000") "main.move(0xc000020000, 0xc000010000)\n\t/s.go:20\n\n"
					"goroutine 3 [sync.Mutex.Lock, 2 minutes]:\n" LOCK(
						"0xc000020000") "main.move(0xc000010000, 0xc000020000)\n\t/s.go:20\n\n"
								"goroutine 4 [sync.Mutex.Lock, 1 minutes]:\n" LOCK(
									"0xc000010000") "main.look(0xc000010000)\n\t/s.go:40\n\n");
	assert_int_equal(f.dump.locks.count, 2);
	assert_true(f.dump.locks.items[0].circle && f.dump.locks.items[1].circle);
	assert_int_equal(f.dump.gs.items[f.dump.locks.items[0].holder].id, 3);
	assert_int_equal(f.dump.locks.items[0].count, 2);
	done(&f);
	/* two locks of one object: who waits for one has not the other in its hands for that */
	read_text(&f,
		"goroutine 2 [sync.Mutex.Lock]:\n" LOCK(
			"0xc000010000") "main.(*S).a(0xc000010000)\n\t/s.go:20\n\n"
					"goroutine 3 [sync.Mutex.Lock]:\n" LOCK(
						"0xc000010010") "main.(*S).b(0xc000010000)\n\t/s.go:40\n\n");
	assert_int_equal(f.dump.locks.count, 2);
	assert_false(f.dump.locks.items[0].circle || f.dump.locks.items[1].circle);
	assert_int_equal(f.dump.locks.items[0].holder, STW_DUMP_NONE);
	done(&f);
}

static void test_folding(void **state)
{
	(void)state;
	static char text[200000];
	size_t n = 0;
	for (unsigned i = 1; i <= 1000; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "goroutine %u [select, %u minutes]:\nmain.f(0x%x)\n\t/f.go:%u +0x1\n\n", i,
			i % 90, i, i % 2);
	fixture f;
	read_text(&f, text);
	assert_int_equal(f.dump.gs.count, 1000);
	assert_int_equal(f.dump.stacks.count, 2);
	assert_int_equal(f.dump.groups.count, 2);
	assert_int_equal(f.dump.groups.items[0].count, 500);
	assert_int_equal(f.dump.groups.items[0].minutes_max, 88);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_no_headers),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_holder),
		cmocka_unit_test(test_no_holder),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_folding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
