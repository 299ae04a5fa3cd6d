/* Every allocation fails once: the call must end with STWATCH_ERR_MEMORY (or get by without it) and leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/hostile_input.h"

/* Small, because each is read once for every allocation: three generations; a stop that something is found about; CPU samples. */
static const char *const traces[] = {
	STWATCH_TEST_DIR "/data/traces/lock_convoy-3gen-go1.26.8.trace",
	STWATCH_TEST_DIR "/data/traces/stw_nopreempt-clear-procs-go1.26.8.trace",
	STWATCH_TEST_DIR "/data/traces/runnable_starvation-go1.26.8.trace",
};
static const char *inputs[2];
static size_t n_inputs;
#define MOST_ROUNDS 1000

/* The hook: counts blocks and bytes, fails one allocation. Used with one worker thread, so plain counters do. */
typedef struct heap {
	long calls, fail_at; /* fail_at 0: never; allocations only, freeing always works */
	long blocks;
	size_t bytes;
	int wrong_size; /* a block was given back with a size it never had */
} heap;

/* Each block carries its size in front, to check what the library says it was. */
typedef union head {
	size_t size;
	max_align_t align;
} head;

static void *fresh(heap *h, size_t size)
{
	head *block = malloc(sizeof *block + size);
	if (!block)
		return NULL;
	block->size = size;
	h->blocks++;
	h->bytes += size;
	return block + 1;
}

static void give_back(heap *h, void *old, size_t old_size)
{
	head *block = (head *)old - 1;
	h->wrong_size += block->size != old_size;
	h->blocks--;
	h->bytes -= block->size;
	free(block);
}

static void *resize(void *user, void *old, size_t old_size, size_t size)
{
	heap *h = user;
	if (size == 0) {
		if (old)
			give_back(h, old, old_size);
		return NULL;
	}
	if (++h->calls == h->fail_at)
		return NULL;
	void *block = fresh(h, size);
	if (block && old) {
		memcpy(block, old, old_size < size ? old_size : size);
		give_back(h, old, old_size);
	}
	return block;
}

typedef stwatch_status work_fn(stwatch_context *context);

static stwatch_status work_print(stwatch_context *context)
{
	uint64_t printed = 0;
	stwatch_error error = {.status = STWATCH_OK};
	stwatch_status status = stwatch_events_print(
		context, inputs, n_inputs, n_inputs == 1 ? STWATCH_EVENTS_GO : STWATCH_EVENTS_TEXT, NULL, sink_count, &printed, &error);
	if (status != STWATCH_OK)
		assert_int_equal(error.status, status);
	return status;
}

static stwatch_status work_states(stwatch_context *context)
{
	stwatch_error error = {.status = STWATCH_OK};
	stwatch_states *states = NULL;
	stwatch_status status = stwatch_states_read(context, inputs, n_inputs, NULL, &states, &error);
	if (status == STWATCH_OK) {
		uint64_t printed = 0;
		assert_int_equal(stwatch_states_print(states, STWATCH_STATES_JSON, NULL, sink_count, &printed), STWATCH_OK);
	} else {
		assert_int_equal(error.status, status);
		assert_null(states);
	}
	stwatch_states_free(states);
	return status;
}

static stwatch_status work_path(stwatch_context *context)
{
	stwatch_error error = {.status = STWATCH_OK};
	stwatch_path *path = NULL;
	stwatch_path_options options;
	stwatch_path_options_init(&options);
	options.subject = STWATCH_PATH_FUNCTION;
	options.name = "main.";
	stwatch_status status = stwatch_path_read(context, inputs, n_inputs, &options, &path, &error);
	if (status == STWATCH_OK) {
		uint64_t printed = 0;
		assert_int_equal(stwatch_path_print(path, STWATCH_PATH_JSON, NULL, sink_count, &printed), STWATCH_OK);
	} else {
		assert_int_equal(error.status, status);
		assert_null(path);
	}
	stwatch_path_free(path);
	return status;
}

static stwatch_status work_analyze(stwatch_context *context)
{
	stwatch_error error = {.status = STWATCH_OK};
	stwatch_analysis *analysis = NULL;
	stwatch_analyze_options options = {.size = sizeof options, .findings = true};
	stwatch_status status = stwatch_analyze(context, inputs, n_inputs, &options, &analysis, &error);
	if (status == STWATCH_OK) {
		uint64_t printed = 0;
		stwatch_status said = stwatch_analysis_print(analysis, STWATCH_VIEW_DIAGNOSE, NULL, sink_count, &printed);
		assert_true(said == STWATCH_OK || said == STWATCH_ERR_MEMORY);
		status = said;
	} else {
		assert_int_equal(error.status, status);
		assert_null(analysis);
	}
	stwatch_analysis_free(analysis);
	return status;
}

/* One round with the fail_at'th allocation failing; how many were asked for in all. */
static long run_round(work_fn *work, long fail_at, stwatch_status *status)
{
	heap h = {.fail_at = fail_at};
	stwatch_context_options options = {.size = sizeof options, .threads = 1, .resize = resize, .resize_user = &h};
	stwatch_context *context = NULL;
	*status = stwatch_context_create(&options, &context);
	if (*status == STWATCH_OK)
		*status = work(context);
	else
		assert_null(context);
	stwatch_context_free(context);
	assert_int_equal(h.blocks, 0);
	assert_int_equal(h.bytes, 0);
	assert_int_equal(h.wrong_size, 0);
	return h.calls;
}

static void fail_each(work_fn *work)
{
	stwatch_status status;
	long calls = run_round(work, 0, &status);
	assert_int_equal(status, STWATCH_OK);
	/* All of them if they are few, else evenly spread, with every one of the first. */
	long failed = 0;
	for (long at = 1; at <= calls; at += at < MOST_ROUNDS / 2 ? 1 : 1 + calls / (MOST_ROUNDS / 2)) {
		run_round(work, at, &status);
		assert_true(status == STWATCH_ERR_MEMORY || status == STWATCH_OK);
		failed += status == STWATCH_ERR_MEMORY;
	}
	assert_true(failed > 0);
}

/* second NULL: the first alone. */
static void fail_each_of(work_fn *work, const char *first, const char *second)
{
	inputs[0] = first;
	inputs[1] = second;
	n_inputs = second ? 2 : 1;
	fail_each(work);
}

static void for_each_trace(work_fn *work)
{
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++)
		fail_each_of(work, traces[i], NULL);
}

static void while_printing(void **state)
{
	(void)state;
	for_each_trace(work_print);
}

static void while_analyzing(void **state)
{
	(void)state;
	for_each_trace(work_analyze);
}

static void while_reading_a_profile(void **state)
{
	(void)state;
	if (!stwatch_has("pprof"))
		skip();
	fail_each_of(work_analyze, STWATCH_TEST_DIR "/data/profiles/lock_convoy-go1.26.8.block.pprof", NULL);
}

static void while_naming(void **state)
{
	(void)state;
	fail_each_of(work_analyze, STWATCH_TEST_DIR "/data/binaries/oldfaults-go1.6.4.trace.gz",
		STWATCH_TEST_DIR "/data/binaries/oldfaults-go1.6.4.elf.gz");
}

static void while_following_states(void **state)
{
	(void)state;
	for_each_trace(work_states);
}

static void while_following_a_path(void **state)
{
	(void)state;
	fail_each_of(work_path, traces[0], NULL);
}

/* Two snapshots with generations in common, and two with a gap between them. */
static void while_joining(void **state)
{
#define SNAPSHOT(name) STWATCH_TEST_DIR "/data/snapshots/go1.26/" name ".trace"
	static const char *const pairs[][2] = {{SNAPSHOT("b"), SNAPSHOT("a")}, {SNAPSHOT("a"), SNAPSHOT("e")}};
	static work_fn *const works[] = {work_analyze, work_print, work_states, work_path};
	(void)state;
	for (size_t i = 0; i < sizeof works / sizeof *works; i++)
		fail_each_of(works[i], pairs[i % 2][0], pairs[i % 2][1]);
}

/* The context's own limit is the same thing, said in bytes. */
static void below_the_limit(void **state)
{
	(void)state;
	inputs[0] = traces[0];
	n_inputs = 1;
	for (uint64_t limit = 1; limit < 64u << 20; limit *= 4) {
		stwatch_context_options options = {.size = sizeof options, .threads = 1, .memory_limit = limit};
		stwatch_context *context = NULL;
		stwatch_status status = stwatch_context_create(&options, &context);
		if (status == STWATCH_OK) {
			status = work_analyze(context);
			assert_true(stwatch_context_memory_peak(context) <= limit);
		}
		assert_true(status == STWATCH_ERR_MEMORY || status == STWATCH_OK);
		stwatch_context_free(context);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(while_printing),
		cmocka_unit_test(while_analyzing),
		cmocka_unit_test(while_reading_a_profile),
		cmocka_unit_test(while_naming),
		cmocka_unit_test(while_following_states),
		cmocka_unit_test(while_following_a_path),
		cmocka_unit_test(while_joining),
		cmocka_unit_test(below_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
