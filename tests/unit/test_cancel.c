/* What was interrupted is not complete, and says how far it got. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "stwatch/stwatch.h"

#define SNAPSHOTS STWATCH_TEST_DIR "/data/snapshots/go1.26/"

typedef struct stopper {
	volatile int cancel;
	uint64_t after; /* bytes */
} stopper;

static void stop(void *user, uint64_t done, uint64_t total)
{
	stopper *s = user;
	(void)total;
	s->cancel = done >= s->after;
}

static stwatch_context *interrupted_by(stopper *s)
{
	const stwatch_context_options options = {
		.size = sizeof options, .threads = 1, .progress = stop, .progress_user = s, .cancel = &s->cancel};
	stwatch_context *context;
	assert_int_equal(stwatch_context_create(&options, &context), STWATCH_OK);
	return context;
}

static bool says(const char *const *lines, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(lines[i], word))
			return true;
	return false;
}

/* Interrupted after its first generation, which has the fault that was planted. */
static void test_diagnosis(void **state)
{
	(void)state;
	static const char *const paths[] = {SNAPSHOTS "c.trace"};
	stopper stopper = {.after = 1};
	stwatch_analyze_options what = {.size = sizeof what, .findings = true};
	stwatch_context *context = interrupted_by(&stopper);
	stwatch_analysis *analysis;
	stwatch_error error;
	size_t n;
	assert_int_equal(stwatch_analyze(context, paths, 1, &what, &analysis, &error), STWATCH_ERR_CANCELLED);
	assert_non_null(analysis);
	const stwatch_input *input = stwatch_analysis_inputs(analysis, &n);
	assert_int_equal(n, 1);
	assert_false(input->complete);
	assert_true(input->generations >= 1 && input->generations < 3);
	const char *const *limits = stwatch_analysis_limits(analysis, &n);
	assert_true(says(limits, n, "interrupted: this is the first "));
	stwatch_analysis_free(analysis);
	stwatch_context_free(context);
}

static void test_states(void **state)
{
	(void)state;
	stopper stopper = {.after = 0};
	stwatch_context *context = interrupted_by(&stopper);
	stwatch_states *states;
	stwatch_error error;
	const char *path = SNAPSHOTS "a.trace";
	size_t n;
	stopper.cancel = 1;
	assert_int_equal(stwatch_states_read(context, &path, 1, NULL, &states, &error), STWATCH_ERR_CANCELLED);
	assert_false(stwatch_states_inputs(states, &n)->complete);
	stwatch_states_free(states);
	stwatch_context_free(context);
}

static int keep(void *user, const char *data, size_t length)
{
	char *text = user;
	const size_t used = strlen(text);
	assert_true(used + length < 4096);
	memcpy(text + used, data, length);
	text[used + length] = 0;
	return 0;
}

/* A batch of an old trace that is longer than what is looked at between two looks at whether to go on, in a file; its path. */
static void write_old(char path[static 64])
{
	static const unsigned char head[] = "go 1.21 trace\0\0\0\x41\0\x64", alloc[] = {33 | 1 << 6, 1, 1};
	strcpy(path, "/tmp/stwatch-test-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(head, 1, sizeof head - 1, file), sizeof head - 1);
	for (unsigned i = 0; i < 1 << 18; i++)
		assert_int_equal(fwrite(alloc, 1, sizeof alloc, file), sizeof alloc);
	assert_int_equal(fclose(file), 0);
}

/* Interrupted in the first pass over an old trace, when nothing is known of what happened: it says how far it got, and that is the result. */
static void test_first_pass(void **state)
{
	(void)state;
	stopper stopper = {.after = 1};
	stwatch_analyze_options what = {.size = sizeof what, .findings = true};
	stwatch_context *context = interrupted_by(&stopper);
	stwatch_analysis *analysis;
	stwatch_states *states;
	stwatch_error error;
	char path[64];
	size_t n;
	write_old(path);
	const char *paths = path;
	assert_int_equal(stwatch_analyze(context, &paths, 1, &what, &analysis, &error), STWATCH_ERR_CANCELLED);
	assert_non_null(strstr(error.message, " of 786451 (66 %)"));
	assert_non_null(analysis);
	const stwatch_input *input = stwatch_analysis_inputs(analysis, &n);
	assert_int_equal(n, 1);
	assert_string_equal(input->format, "go1.21");
	assert_false(input->complete);
	assert_int_equal(input->generations, 0);
	const char *const *limits = stwatch_analysis_limits(analysis, &n);
	assert_int_equal(n, 1);
	assert_true(says(limits, n, "interrupted in the first of two passes"));
	char text[4096] = "";
	assert_int_equal(stwatch_analysis_print(analysis, STWATCH_VIEW_DIAGNOSE, NULL, keep, text), STWATCH_OK);
	assert_non_null(strstr(text, "nothing was looked at"));
	assert_null(strstr(text, "nothing wrong"));
	stwatch_analysis_free(analysis);
	stopper.cancel = 0;
	assert_int_equal(stwatch_states_read(context, &paths, 1, NULL, &states, &error), STWATCH_ERR_CANCELLED);
	assert_non_null(strstr(error.message, "interrupted in the first of two passes"));
	assert_false(stwatch_states_inputs(states, &n)->complete);
	assert_int_equal(n, 1);
	stwatch_states_free(states);
	stwatch_context_free(context);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diagnosis), cmocka_unit_test(test_states), cmocka_unit_test(test_first_pass)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
