/* Where a trace is read on after damage (v2/resync.h): what a landing is, what only looks like one, and that real traces are landed on at their batches;
 * and how generations that stand in another order are put in theirs (v2/spans.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/hostile_input.h"
#include "base/mem.h"
#include "v2/resync.h"
#include "v2/spans.h"
#include "wire/varint.h"

#define TRACES STWATCH_TEST_DIR "/data/traces/"

enum { ROOM = 1 << 16, TIME = 1 << 20 };

typedef struct bytes {
	uint8_t data[ROOM];
	size_t size;
} bytes;

static void put(bytes *b, const void *data, size_t size)
{
	assert_true(b->size + size <= ROOM);
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

static void put_number(bytes *b, uint64_t value)
{
	uint8_t number[10];
	put(b, number, stw_put_varint(number, value));
}

static void put_noise(bytes *b, size_t size)
{
	while (size-- > 0)
		put(b, "\xEE", 1); /* no type of event, nor the end of a number */
}

/* A batch of `events` events of three bytes each; returns where it begins. */
static size_t put_batch(bytes *b, uint64_t generation, uint64_t time, unsigned events)
{
	static const uint8_t event[] = {STW_EV_HeapAlloc, 1, 5};
	const size_t at = b->size;
	put(b, &(uint8_t){STW_EV_EventBatch}, 1);
	put_number(b, generation);
	put_number(b, 7);
	put_number(b, time);
	put_number(b, events * sizeof event);
	for (unsigned i = 0; i < events; i++)
		put(b, event, sizeof event);
	return at;
}

static stw_landing find(const bytes *b, stw_resync r, uint64_t from)
{
	input in;
	stw_mem mem;
	stw_source source;
	stw_landing landing;
	stwatch_error error;
	stw_mem_init(&mem, NULL, NULL, 0);
	assert_int_equal(input_open(&in, b->data, b->size), 0);
	assert_int_equal(stw_source_open(&source, in.path, NULL, &error), STWATCH_OK);
	r.source = &source;
	assert_int_equal(stw_resync_find(&r, &mem, from, UINT64_MAX, &landing, &error), STWATCH_OK);
	stw_source_close(&source);
	input_close(&in);
	assert_int_equal(mem.used, 0);
	return landing;
}

static const stw_resync known = {.version = STW_GO126, .has_time = true, .time = TIME};

static void the_next_chain(void **state)
{
	bytes b = {.size = 0};
	(void)state;
	put_noise(&b, 300);
	const size_t at = put_batch(&b, 3, TIME, 8);
	put_batch(&b, 3, TIME + 50, 8);
	put_noise(&b, 300);
	stw_landing l = find(&b, known, 0);
	assert_int_equal(l.at, at);
	assert_false(l.header);
	assert_int_equal(l.head.generation, 3);
	assert_int_equal(l.head.m, 7);
	l = find(&b, known, at + 1); /* behind its first byte, the second is alone, and noise follows */
	assert_int_equal(l.at, b.size);
}

static void a_batch_alone(void **state)
{
	(void)state;
	for (unsigned events = 1; events < 120; events += 17) {
		bytes noise = {.size = 0}, end = {.size = 0};
		put_noise(&noise, 64);
		const size_t at = put_batch(&noise, 3, TIME, events);
		put_noise(&noise, 64);
		assert_int_equal(find(&noise, known, 0).at, 3 * events >= 256 ? at : noise.size); /* long enough to be no chance */
		put_noise(&end, 64);
		const size_t last = put_batch(&end, 3, TIME, events);
		assert_int_equal(find(&end, known, 0).at, last); /* it goes on to the end of the input */
	}
}

static void what_only_looks_like_a_chain(void **state)
{
	(void)state;
	static const struct {
		uint64_t generation, time, generation_2, time_2;
	} cases[] = {
		{0, TIME, 0, TIME}, /* there is no generation 0 */
		{3, (uint64_t)1 << 50, 3, (uint64_t)1 << 50}, /* days later */
		{3, 10, 3, TIME}, /* before the machine was started */
		{3, TIME, 5, TIME}, /* one is missing between them */
		{3, TIME, 2, TIME}, /* back */
		{3, TIME, 3, (uint64_t)1 << 50}, /* days between them */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bytes b = {.size = 0};
		put_noise(&b, 64);
		put_batch(&b, cases[i].generation, cases[i].time, 8);
		put_batch(&b, cases[i].generation_2, cases[i].time_2, 8);
		put_noise(&b, 64);
		assert_int_equal(find(&b, known, 0).at, b.size);
	}
}

static void a_batch_with_nonsense_in_it(void **state)
{
	bytes b = {.size = 0};
	(void)state;
	put_noise(&b, 64);
	const size_t at = put_batch(&b, 3, TIME, 8);
	const size_t second = put_batch(&b, 3, TIME, 100);
	b.data[second - 3] = 0xEE;
	put_noise(&b, 64);
	assert_int_equal(find(&b, known, 0).at, second);
	b.data[second - 3] = STW_EV_HeapAlloc;
	assert_int_equal(find(&b, known, 0).at, at);
}

static void another_header(void **state)
{
	bytes b = {.size = 0};
	(void)state;
	put_noise(&b, 64);
	put(&b, "go 1.23 trace\0\0\0", 16);
	stw_landing l = find(&b, known, 0);
	assert_int_equal(l.at, 64);
	assert_true(l.header);
	assert_int_equal(l.minor, 23);
}

/* Without anything known of the trace, more has to speak for it. */
static void an_unknown_trace(void **state)
{
	bytes b = {.size = 0};
	(void)state;
	put_noise(&b, 64);
	const size_t at = put_batch(&b, 3, TIME, 100);
	put_batch(&b, 3, TIME, 100);
	put_noise(&b, 64);
	assert_int_equal(find(&b, (stw_resync){.version = 0}, 0).at, b.size);
	b.size -= 64;
	assert_int_equal(find(&b, (stw_resync){.version = 0}, 0).at, at); /* two, up to the end */
}

static void numbers_of_which_heads_are_made(void **state)
{
	bytes b = {.size = 0};
	(void)state;
	while (b.size + 16 < ROOM) /* each place is a head whose batch makes no sense: no more than so many bytes are looked at for each */
		put(&b, (const uint8_t[]){STW_EV_EventBatch, 3, 7, 0x80, 0x80, 0x40, 0xFF, 0xFF, 3}, 9);
	assert_int_equal(find(&b, known, 0).at, b.size);
}

/* From wherever in a sound trace, the landing is where a batch begins. */
static void only_on_batches(void **state)
{
	static const char *const traces[] = {TRACES "lock_convoy-3gen-go1.22.12.trace", TRACES "lock_convoy-3gen-go1.25.0.trace",
		TRACES "lock_convoy-3gen-go1.26.8.trace", TRACES "coroutines-go1.24.0.trace", TRACES "annotations-go1.26.8.trace"};
	(void)state;
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		static bool begins[ROOM];
		stw_source source;
		stwatch_error error;
		stw_mem mem;
		stw_batch_head h;
		size_t size, landed = 0;
		uint8_t *data = file_bytes(traces[i], &size);
		assert_non_null(data);
		assert_true(size < ROOM);
		memset(begins, 0, sizeof begins);
		uint64_t time = 0;
		for (size_t at = 16; at < size; at += h.head_size + h.size) {
			assert_int_equal(stw_batch_head_parse(&h, data + at, size - at, at, size, &error), STWATCH_OK);
			begins[at] = !h.end_of_generation;
			time = h.time ? h.time : time;
		}
		stw_mem_init(&mem, NULL, NULL, 0);
		assert_int_equal(stw_source_open(&source, traces[i], NULL, &error), STWATCH_OK);
		const stw_resync r = {.source = &source,
			.version = (stw_go_version)((data[5] - '0') ? atoi((char *)data + 5) : 0),
			.has_time = true,
			.time = time};
		for (size_t from = 16; from < size; from += 41) {
			stw_landing l;
			assert_int_equal(stw_resync_find(&r, &mem, from, UINT64_MAX, &l, &error), STWATCH_OK);
			assert_true(l.at == size || begins[l.at]);
			landed += l.at < size;
		}
		assert_true(landed * 41 > size / 3);
		stw_source_close(&source);
		free(data);
	}
}

/* ---- generations in another order ---- */

static bool count_losses(void *user, const stwatch_error *loss, uint64_t to)
{
	++*(unsigned *)user;
	assert_true(loss->message[0] && loss->offset <= to);
	return true;
}

/* Generations with these numbers and times, in this order of the file; the numbers as they are read. */
static size_t read_spans(const uint64_t *numbers, const uint64_t *times, size_t n, uint64_t *read, stw_joint *joints, unsigned *losses)
{
	bytes b = {.size = 0};
	input in;
	stw_mem mem;
	stw_source source;
	stwatch_error error;
	stw_spans spans = {0};
	put(&b, "go 1.26 trace\0\0\0", 16);
	for (size_t i = 0; i < n; i++) {
		put_batch(&b, numbers[i], TIME * times[i], 100);
		put(&b, &(uint8_t){STW_EV_EndOfGeneration}, 1);
	}
	stw_mem_init(&mem, NULL, NULL, 0);
	assert_int_equal(input_open(&in, b.data, b.size), 0);
	assert_int_equal(stw_source_open(&source, in.path, NULL, &error), STWATCH_OK);
	*losses = 0;
	assert_int_equal(stw_spans_read(&spans, &mem, &source, STW_GO126, 16, count_losses, losses, NULL, &error), STWATCH_OK);
	const size_t found = spans.count;
	for (size_t i = 0; i < found; i++) {
		read[i] = spans.items[i].generation;
		joints[i] = spans.items[i].joint;
	}
	stw_vec_free(&mem, &spans);
	stw_source_close(&source);
	input_close(&in);
	assert_int_equal(mem.used, 0);
	return found;
}

static void generations_of_a_ring(void **state)
{
	uint64_t read[4];
	stw_joint joints[4];
	unsigned losses;
	(void)state;
	assert_int_equal(read_spans((uint64_t[]){1, 2, 3}, (uint64_t[]){1, 2, 3}, 3, read, joints, &losses), 3);
	assert_int_equal(losses, 0);
	assert_int_equal(read_spans((uint64_t[]){8, 9, 6, 7}, (uint64_t[]){8, 9, 6, 7}, 4, read, joints, &losses), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(read[i], 6 + i);
	assert_int_equal(joints[2], STW_JOINT_WHOLE);
	assert_int_equal(losses, 1);
	/* One is missing: what follows stands on its own. */
	assert_int_equal(read_spans((uint64_t[]){9, 6, 7}, (uint64_t[]){9, 6, 7}, 3, read, joints, &losses), 3);
	assert_int_equal(read[2], 9);
	assert_int_equal(joints[1], STW_JOINT_WHOLE);
	assert_int_equal(joints[2], STW_JOINT_DAMAGE);
	/* One comes again: as they stand. */
	assert_int_equal(read_spans((uint64_t[]){1, 2, 1, 2}, (uint64_t[]){1, 2, 1, 2}, 4, read, joints, &losses), 4);
	assert_int_equal(read[1], 2);
	/* Numbers and times go different ways: likewise. */
	assert_int_equal(read_spans((uint64_t[]){2, 1, 3}, (uint64_t[]){1, 2, 3}, 3, read, joints, &losses), 3);
	assert_int_equal(read[0], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_chain),
		cmocka_unit_test(a_batch_alone),
		cmocka_unit_test(what_only_looks_like_a_chain),
		cmocka_unit_test(a_batch_with_nonsense_in_it),
		cmocka_unit_test(another_header),
		cmocka_unit_test(an_unknown_trace),
		cmocka_unit_test(numbers_of_which_heads_are_made),
		cmocka_unit_test(only_on_batches),
		cmocka_unit_test(generations_of_a_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
