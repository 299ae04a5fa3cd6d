/* Where a trace of Go 1.5 to 1.21 is read on after damage (v1/resync.h): what a landing is, what only looks like one, and that real traces are landed on at
 * their batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/hostile_input.h"
#include "base/mem.h"
#include "v1/resync.h"
#include "wire/header.h"
#include "wire/varint.h"

#define TRACES STWATCH_TEST_DIR "/data/v1/"

enum { ROOM = 1 << 20, TICKS = 1 << 30, HEAD = STW_V1_Batch | 1 << 6 };

typedef struct bytes {
	uint8_t data[ROOM];
	size_t size;
} bytes;

static bytes b; /* of the test at hand */

static void put(uint64_t first, const uint64_t *values, unsigned n)
{
	b.data[b.size++] = (uint8_t)first;
	for (unsigned i = 0; i < n; i++)
		b.size += stw_put_varint(b.data + b.size, values[i]);
	assert_true(b.size + 64 < ROOM);
}

static void put_noise(size_t size)
{
	memset(b.data + b.size, 0xEE, size); /* no type of event, nor the end of a number */
	b.size += size;
}

/* The head of a batch; returns where it is. */
static size_t put_head(uint64_t proc, uint64_t ticks)
{
	const size_t at = b.size;
	put(HEAD, (const uint64_t[]){proc, ticks}, 2);
	return at;
}

static void put_events(unsigned n)
{
	while (n-- > 0)
		put(STW_V1_HeapAlloc | 1 << 6, (const uint64_t[]){3, 4096 + n}, 2);
}

/* Which stands in the file as a head of a batch does, from its goroutine on. */
static void put_return_of_65(uint64_t seq, uint64_t ticks)
{
	uint8_t values[40];
	size_t n = stw_put_varint(values, 5);
	n += stw_put_varint(values + n, HEAD);
	n += stw_put_varint(values + n, seq);
	n += stw_put_varint(values + n, ticks);
	put(STW_V1_GoSysExit | 3 << 6, (const uint64_t[]){n}, 1);
	memcpy(b.data + b.size, values, n);
	b.size += n;
}

static bool header; /* was found */

/* near: ticks of a batch of the trace; 0: none is known. */
static uint64_t find(uint64_t from, uint64_t near)
{
	input in;
	stw_source source;
	stw_v1_format format;
	stwatch_error error;
	uint64_t found;
	stw_v1_format_init(&format, 11);
	assert_int_equal(input_open(&in, b.data, b.size), 0);
	assert_int_equal(stw_source_open(&source, in.path, NULL, &error), STWATCH_OK);
	const stw_v1_resync r = {.source = &source, .format = &format, .near = {near, near}, .n_near = near ? 2 : 0};
	assert_int_equal(stw_v1_resync_find(&r, from, &found, &header, &error), STWATCH_OK);
	stw_source_close(&source);
	input_close(&in);
	return found;
}

static int begin(void **state)
{
	(void)state;
	b.size = 0;
	return 0;
}

static void the_next_batch(void **state)
{
	(void)state;
	put_noise(300);
	const size_t at = put_head(3, TICKS);
	put_events(40);
	put_noise(300);
	assert_int_equal(find(0, TICKS), at);
	assert_int_equal(find(0, 0), at);
	assert_int_equal(find(at + 1, TICKS), b.size);
	assert_int_equal(find(at, TICKS), b.size); /* what makes no sense there is no head */
}

static void another_header(void **state)
{
	(void)state;
	put_noise(300);
	memcpy(b.data + b.size, "go 1.9 trace\0\0\0\0", STW_HEADER_SIZE);
	b.size += STW_HEADER_SIZE;
	const size_t at = put_head(3, TICKS);
	put_events(40);
	assert_int_equal(find(0, TICKS), at - STW_HEADER_SIZE);
	assert_true(header);
	assert_int_equal(find(at - STW_HEADER_SIZE, TICKS), at - STW_HEADER_SIZE);
	assert_true(header);
	assert_int_equal(find(at - STW_HEADER_SIZE + 1, TICKS), at);
	assert_false(header);
}

static void short_batches(void **state)
{
	(void)state;
	put_noise(300);
	const size_t at = put_head(3, TICKS);
	for (unsigned i = 0; i < 12; i++) {
		put_events(2);
		put_head(i, TICKS + i);
	}
	put_events(1);
	assert_int_equal(find(0, TICKS), at);
	put_noise(1); /* a few records and nonsense are no trace */
	b.size = at;
	put_head(3, TICKS);
	put_events(2);
	put_head(1, TICKS);
	put_events(3);
	put_noise(300);
	assert_int_equal(find(0, TICKS), b.size);
}

static void the_end_of_a_file(void **state)
{
	(void)state;
	put_noise(300);
	const size_t at = put_head(3, TICKS);
	put_events(1);
	assert_int_equal(find(0, TICKS), at);
	b.size = at;
	put_head(3, TICKS); /* nothing is in it */
	assert_int_equal(find(0, TICKS), b.size);
}

static void the_return_of_goroutine_65(void **state)
{
	(void)state;
	put_events(100);
	put_return_of_65(2, TICKS + 9);
	put_events(100);
	put_return_of_65(4, TICKS + 99);
	put_events(100);
	const size_t at = put_head(1, TICKS + 500);
	put_events(100);
	for (size_t from = 0; from < at; from++)
		assert_int_equal(find(from, TICKS), at);
}

/* Each is looked at, and none is a landing: no more than so many bytes are looked at for each that is passed. */
static void nothing_but_returns_of_goroutine_65(void **state)
{
	(void)state;
	while (b.size + 128 < ROOM)
		put_return_of_65(b.size & 127, TICKS + b.size);
	assert_int_equal(find(200, TICKS), b.size);
}

static void another_time(void **state)
{
	(void)state;
	const uint64_t days = (uint64_t)1 << 46;
	put_noise(300);
	const size_t far = put_head(3, TICKS + days);
	put_events(40);
	put_noise(300);
	const size_t near = put_head(3, TICKS);
	put_events(40);
	assert_int_equal(find(0, TICKS), near);
	assert_int_equal(find(0, TICKS + days), far);
	b.size = near; /* where there is no other, it is a trace of another time, or the time that is known is none */
	assert_int_equal(find(0, TICKS), far);
}

static void texts_of_logs(void **state)
{
	(void)state;
	put_noise(300);
	const size_t at = put_head(3, TICKS);
	for (unsigned i = 0; i < 20; i++) {
		put(STW_V1_UserLog | 3 << 6, (const uint64_t[]){4, 1, 1, 7, 0}, 5);
		put(100, NULL, 0); /* its length */
		put_noise(100);
	}
	put_events(30);
	assert_int_equal(find(0, TICKS), at);
}

/* ---- real traces ---- */

/* Bytes of a whole trace, and where its batches begin. */
static size_t load(const char *path, uint8_t *data, bool *begins, unsigned *minor)
{
	stw_source source;
	stwatch_error error;
	stw_v1_format format;
	size_t size;
	assert_int_equal(stw_source_open(&source, path, NULL, &error), STWATCH_OK);
	assert_int_equal(stw_source_read(&source, 0, data, ROOM, &size, &error), STWATCH_OK);
	assert_int_equal(size, source.size);
	stw_source_close(&source);
	assert_int_equal(stw_header_parse(data, size, minor, &error), STWATCH_OK);
	stw_v1_format_init(&format, *minor);
	memset(begins, 0, ROOM * sizeof *begins);
	for (const uint8_t *p = data + STW_HEADER_SIZE; p < data + size;) {
		begins[p - data] = *p == HEAD;
		p = stw_v1_pass(&format, p, data + size);
		assert_non_null(p);
	}
	return size;
}

/* From wherever in a sound trace, the landing is where a batch begins. */
static void only_on_batches(void **state)
{
	static const char *const traces[] = {TRACES "everything-p8-go1.11.13.trace.gz", TRACES "everything-p2-go1.21.13.trace.gz",
		TRACES "everything-p2-go1.9.7.trace.gz", TRACES "everything-p2-go1.7.6.trace.gz", TRACES "everything-p8-go1.6.4.trace.gz",
		TRACES "annotations-go1.21.13.trace.gz", TRACES "serve-stopped-go1.21.13.trace.gz"};
	static bool begins[ROOM];
	(void)state;
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		stw_source source;
		stwatch_error error;
		stw_v1_format format;
		unsigned minor;
		uint64_t landed = 0;
		const size_t size = load(traces[i], b.data, begins, &minor);
		stw_v1_format_init(&format, minor);
		assert_int_equal(stw_source_open(&source, traces[i], NULL, &error), STWATCH_OK);
		const stw_v1_resync r = {.source = &source, .format = &format};
		for (uint64_t from = STW_HEADER_SIZE; from < size; from += 17) {
			uint64_t found, next = from;
			while (next < size && !begins[next])
				next++;
			assert_int_equal(stw_v1_resync_find(&r, from, &found, &header, &error), STWATCH_OK);
			assert_true(found == size || begins[found]);
			landed += found == next;
		}
		assert_true(landed * 17 > size - size / 16); /* nearly always the next one */
		stw_source_close(&source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_next_batch, begin),
		cmocka_unit_test_setup(another_header, begin),
		cmocka_unit_test_setup(short_batches, begin),
		cmocka_unit_test_setup(the_end_of_a_file, begin),
		cmocka_unit_test_setup(the_return_of_goroutine_65, begin),
		cmocka_unit_test_setup(nothing_but_returns_of_goroutine_65, begin),
		cmocka_unit_test_setup(another_time, begin),
		cmocka_unit_test_setup(texts_of_logs, begin),
		cmocka_unit_test_setup(only_on_batches, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
