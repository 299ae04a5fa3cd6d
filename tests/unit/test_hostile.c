/* Damaged traces through the public API: cut at every byte of the first 4 KiB and at random places, bits flipped, other files. Every
 * call must come back, with a status that fits and words to go with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/hostile_input.h"

#define TRACES STWATCH_TEST_DIR "/data/traces/"
#define BAD STWATCH_TEST_DIR "/data/bad/"

/* One for each header. */
static const char *const traces[] = {
	TRACES "lock_convoy-3gen-go1.22.12.trace",
	TRACES "lock_convoy-go1.24.0.trace",
	TRACES "lock_convoy-3gen-go1.25.0.trace",
	TRACES "lock_convoy-3gen-go1.26.8.trace",
};

static stwatch_context *context;

static int set_up(void **state)
{
	(void)state;
	stwatch_context_options options = {.size = sizeof options, .threads = 1, .memory_limit = 256u << 20};
	return stwatch_context_create(&options, &context) == STWATCH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	stwatch_context_free(context);
	return 0;
}

static void assert_fair(stwatch_status status, const stwatch_error *error)
{
	assert_true(
		status == STWATCH_OK || status == STWATCH_ERR_FORMAT || status == STWATCH_ERR_DAMAGED || status == STWATCH_ERR_UNSUPPORTED);
	if (status == STWATCH_OK)
		return;
	assert_int_equal(error->status, status);
	assert_true(error->message[0] != '\0');
	assert_non_null(memchr(error->message, '\0', sizeof error->message));
	assert_null(strchr(error->message, '\n'));
}

static stwatch_status print_events(const void *data, size_t size)
{
	input in;
	uint64_t printed = 0;
	stwatch_error error = {.status = STWATCH_OK};
	assert_int_equal(input_open(&in, data, size), 0);
	const char *path = in.path;
	stwatch_status status = stwatch_events_print(context, &path, 1, STWATCH_EVENTS_GO, NULL, sink_count, &printed, &error);
	input_close(&in);
	assert_fair(status, &error);
	return status;
}

static stwatch_status analyze(const void *data, size_t size)
{
	input in;
	stwatch_error error = {.status = STWATCH_OK};
	stwatch_analysis *analysis = NULL;
	stwatch_analyze_options options = {.size = sizeof options, .findings = true};
	assert_int_equal(input_open(&in, data, size), 0);
	const char *path = in.path;
	stwatch_status status = stwatch_analyze(context, &path, 1, &options, &analysis, &error);
	input_close(&in);
	assert_fair(status, &error);
	assert_int_equal(analysis != NULL, status == STWATCH_OK || status == STWATCH_ERR_DAMAGED);
	if (analysis) {
		uint64_t printed = 0;
		assert_int_equal(stwatch_analysis_print(analysis, STWATCH_VIEW_DIAGNOSE, NULL, sink_count, &printed), STWATCH_OK);
		assert_true(printed > 0);
	}
	stwatch_analysis_free(analysis);
	return status;
}

/* A small generator of our own: the same damage everywhere, whatever the C library. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void cut_everywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		size_t size;
		uint8_t *data = file_bytes(traces[i], &size);
		assert_non_null(data);
		uint64_t random = 88172645463325252u + i;
		for (size_t at = 0; at < 4096 && at < size; at++)
			print_events(data, at);
		for (int n = 0; n < 200; n++)
			analyze(data, next_random(&random) % size);
		assert_int_equal(print_events(data, size), STWATCH_OK);
		assert_int_equal(analyze(data, size), STWATCH_OK);
		free(data);
	}
}

/* A cut in the middle of a batch is damage, and what was before it is still reported. */
static void cut_is_damage(void **state)
{
	(void)state;
	size_t size;
	uint8_t *data = file_bytes(traces[3], &size);
	assert_non_null(data);
	assert_int_equal(analyze(data, size * 2 / 3), STWATCH_ERR_DAMAGED);
	free(data);
}

static void flipped_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		size_t size;
		uint8_t *data = file_bytes(traces[i], &size);
		assert_non_null(data);
		uint64_t random = 2463534242u + i;
		for (int n = 0; n < 500; n++) {
			size_t bit = next_random(&random) % (size * 8);
			data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (n % 4)
				print_events(data, size);
			else
				analyze(data, size);
			if (n % 3) /* else the damage adds up */
				data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		free(data);
	}
}

static void assert_no_trace(const void *data, size_t size)
{
	assert_int_equal(print_events(data, size), STWATCH_ERR_FORMAT);
	assert_int_equal(analyze(data, size), STWATCH_ERR_FORMAT);
}

static void no_trace_at_all(void **state)
{
	(void)state;
	static const char elf[64] = "\177ELF\2\1\1";
	static const char zeros[5000];
	assert_no_trace("", 0);
	assert_no_trace("go 1.", 5);
	assert_no_trace("hello, world\n", 13);
	assert_no_trace("{\"traceEvents\":[]}", 18);
	assert_no_trace(elf, sizeof elf);
	assert_no_trace(zeros, sizeof zeros);
}

static void bundled_damage(void **state)
{
	(void)state;
	static const char *const names[] = {"batch-too-big", "trailing-garbage", "twice", "v2-flip40", "v2-zeros", "varint-overlong"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[512];
		size_t size;
		snprintf(path, sizeof path, BAD "%s.trace", names[i]);
		uint8_t *data = file_bytes(path, &size);
		assert_non_null(data);
		assert_int_equal(print_events(data, size), STWATCH_ERR_DAMAGED);
		assert_int_equal(analyze(data, size), STWATCH_ERR_DAMAGED);
		free(data);
	}
}

/* A sink that says stop is obeyed, and said to have stopped it. */
static int sink_stop(void *user, const char *data, size_t length)
{
	(void)data;
	(void)length;
	return --*(int *)user < 0;
}

static void sink_stops(void **state)
{
	(void)state;
	for (int after = 0; after < 3; after++) {
		int left = after;
		stwatch_error error;
		assert_int_equal(
			stwatch_events_print(context, traces, 1, STWATCH_EVENTS_JSONL, NULL, sink_stop, &left, &error), STWATCH_ERR_IO);
		assert_int_equal(left, -1);
	}
}

static void missing_file(void **state)
{
	(void)state;
	stwatch_error error;
	stwatch_analysis *analysis = NULL;
	const char *path = STWATCH_TEST_DIR "/data/no such file";
	assert_int_equal(stwatch_analyze(context, &path, 1, NULL, &analysis, &error), STWATCH_ERR_IO);
	assert_null(analysis);
	assert_true(error.message[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cut_everywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cut_is_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(flipped_bits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_trace_at_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bundled_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sink_stops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_file, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
