/* Every rule and cause is explained, in lines that fit, and names only options that exist. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "stwatch/analysis.h"

/* The program wraps at 96 columns: a longer line would be broken a second time. */
enum { LEAST_BYTES = 80, MOST_COLUMNS = 96 };

/* Of UTF-8: a byte that goes on with a character takes no column. */
static size_t columns(const char *line, size_t length)
{
	size_t n = 0;
	for (size_t i = 0; i < length; i++)
		n += ((unsigned char)line[i] & 0xc0) != 0x80;
	return n;
}

static void texts_fit(void **state)
{
	(void)state;
	const char *topic;
	size_t n = 0;
	for (; (topic = stwatch_explain_topic(n)) != NULL; n++) {
		const char *text = stwatch_explain(topic);
		assert_non_null(text);
		if (strlen(text) < LEAST_BYTES)
			fail_msg("%s: too short", topic);
		for (const char *line = text; *line;) {
			size_t length = strcspn(line, "\n");
			if (columns(line, length) > MOST_COLUMNS)
				fail_msg("%s: a line is too long: %.*s", topic, (int)length, line);
			if (length > 0 && (isspace((unsigned char)line[0]) || isspace((unsigned char)line[length - 1])))
				fail_msg("%s: a line begins or ends with a space: %.*s", topic, (int)length, line);
			line += length + (line[length] == '\n');
		}
	}
	assert_true(n > 0);
	assert_null(stwatch_explain_topic(n));
	assert_null(stwatch_explain_topic(SIZE_MAX));
}

static void no_topic_twice(void **state)
{
	(void)state;
	const char *a, *b;
	for (size_t i = 0; (a = stwatch_explain_topic(i)) != NULL; i++)
		for (size_t j = i + 1; (b = stwatch_explain_topic(j)) != NULL; j++)
			assert_string_not_equal(a, b);
}

static void all_are_there(void **state)
{
	(void)state;
	static const char *const NAMES[] = {
		/* rules */
		"stw-prolonged",
		"stw-frequent",
		"non-preemptible",
		"goroutine-starved",
		"runqueue-backlog",
		"proc-idle-with-backlog",
		"goroutine-stuck-waiting",
		"lock-convoy",
		"goroutine-leak",
		"deadlock",
		"goroutine-stuck-syscall",
		"proc-syscall-retake",
		"outside-program",
		"netpoll-imbalance",
		"allocation-starvation",
		"gc-mark-termination",
		"illegal-transition",
		"coupling-violation",
		/* causes */
		"no-preemption-point",
		"hot-clock",
		"stop-work",
		"world-lock",
		"unknown",
		"gc-cycles",
		"requested-stops",
		"saturation",
		"long-runner",
		"yield-spin",
		"late-wakeup",
		"late-retake",
		"stop",
		"gc-workers",
		"outside",
		"burst",
		"all-asleep",
		"lock-cycle",
		"locked-twice",
		"holder-blocked",
		"holder-asleep",
		"holder-in-syscall",
		"holder-computes",
		"holder-runnable",
		"holder-assists-gc",
		"many-holders",
		"blocked-send",
		"blocked-receive",
		"blocked-select",
		"blocked-condition",
		"blocked-forever",
		"blocked-lock",
		"unclosed-body",
		"never-ends",
		"held-lock",
		"slow-waker",
		"never-released",
		"never-woken",
		"blocking-call",
		"never-returned",
		"process-stopped",
		"cpu-taken",
		"tight-heap-goal",
		"allocation",
		"pool-misuse",
		"goroutine-churn",
		"requested-gc",
		"sweep-termination",
		"mark-termination",
		"readiness-burst",
		"stop-kinds",
		"status-mismatch",
		"broken-order",
		"coupling",
	};
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		if (!stwatch_explain(NAMES[i]))
			fail_msg("%s is not explained", NAMES[i]);
	assert_null(stwatch_explain("no-such-rule"));
	assert_null(stwatch_explain(""));
	assert_null(stwatch_explain(NULL));
}

static int is_option(const char *name, size_t length)
{
	static const char *const OTHERS[] = {"thread", "proc", "goroutine"}; /* of `events` */
	const stwatch_setting *setting;
	for (size_t i = 0; (setting = stwatch_setting_at(i)) != NULL; i++)
		if (strlen(setting->option) == length && memcmp(setting->option, name, length) == 0)
			return 1;
	for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
		if (strlen(OTHERS[i]) == length && memcmp(OTHERS[i], name, length) == 0)
			return 1;
	return 0;
}

static void options_exist(void **state)
{
	(void)state;
	const char *topic;
	for (size_t i = 0; (topic = stwatch_explain_topic(i)) != NULL; i++)
		for (const char *at = stwatch_explain(topic); (at = strstr(at, "--")) != NULL;) {
			at += 2;
			size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz-");
			if (!is_option(at, length))
				fail_msg("%s: there is no option --%.*s", topic, (int)length, at);
			at += length;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_fit),
		cmocka_unit_test(no_topic_twice),
		cmocka_unit_test(all_are_there),
		cmocka_unit_test(options_exist),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
