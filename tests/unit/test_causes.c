/* The order of findings: by severity and harm, but a cause before what follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/causes.h"

enum { MS = 1000000 };

static const stwatch_party writer = {.function = "main.write"}, reader = {.function = "main.read"};

static stwatch_finding finding(
	const char *rule, stwatch_severity severity, int64_t harm, const stwatch_party *culprit, const stwatch_occurrence *at)
{
	return (stwatch_finding){.id = rule,
		.rule = rule,
		.cause = "unknown",
		.severity = severity,
		.harm_ns = harm,
		.worst_ns = harm,
		.culprit = culprit,
		.occurrences = at,
		.n_occurrences = 1};
}

static const stwatch_occurrence early = {.start_ns = 10 * MS, .duration_ns = 20 * MS},
				inside = {.start_ns = 12 * MS, .duration_ns = 15 * MS},
				late = {.start_ns = 90 * MS, .duration_ns = 15 * MS};

static void by_severity_and_harm(void **state)
{
	(void)state;
	stwatch_finding f[] = {finding("runqueue-backlog", STWATCH_NOTE, 900 * MS, NULL, &early),
		finding("goroutine-leak", STWATCH_ERROR, 1 * MS, NULL, &early),
		finding("netpoll-imbalance", STWATCH_ERROR, 2 * MS, NULL, &early)};
	stw_findings_order(f, 3);
	assert_string_equal(f[0].rule, "netpoll-imbalance");
	assert_string_equal(f[1].rule, "goroutine-leak");
	assert_string_equal(f[2].rule, "runqueue-backlog");
}

static void cause_first(void **state)
{
	(void)state;
	stwatch_finding f[] = {finding("lock-convoy", STWATCH_ERROR, 900 * MS, &writer, &inside),
		finding("goroutine-leak", STWATCH_ERROR, 800 * MS, NULL, &early),
		finding("goroutine-stuck-syscall", STWATCH_WARNING, 20 * MS, &writer, &early)};
	stw_findings_order(f, 3);
	assert_string_equal(f[0].rule, "goroutine-stuck-syscall");
	assert_string_equal(f[1].rule, "lock-convoy");
	assert_string_equal(f[2].rule, "goroutine-leak");
}

static void cause_of_a_cause(void **state)
{
	(void)state;
	stwatch_finding stop = finding("goroutine-starved", STWATCH_ERROR, 900 * MS, NULL, &inside);
	stop.cause = "stop";
	stwatch_finding f[] = {stop, finding("non-preemptible", STWATCH_ERROR, 20 * MS, &writer, &early),
		finding("stw-prolonged", STWATCH_ERROR, 100 * MS, &writer, &early)};
	stw_findings_order(f, 3);
	assert_string_equal(f[0].rule, "non-preemptible");
	assert_string_equal(f[1].rule, "stw-prolonged");
	assert_string_equal(f[2].rule, "goroutine-starved");
}

static void elsewhere_is_no_cause(void **state)
{
	(void)state;
	const stwatch_finding others[] = {finding("goroutine-stuck-syscall", STWATCH_ERROR, 20 * MS, &writer, &late), /* at another time */
		finding("goroutine-stuck-syscall", STWATCH_ERROR, 20 * MS, &reader, &early), /* somebody else */
		finding("goroutine-stuck-syscall", STWATCH_ERROR, 20 * MS, NULL, &early), /* nobody knows who */
		finding("goroutine-stuck-syscall", STWATCH_NOTE, 20 * MS, &writer, &early)}; /* too quiet to stand before an error */
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		stwatch_finding f[] = {others[i], finding("lock-convoy", STWATCH_ERROR, 900 * MS, &writer, &inside)};
		stw_findings_order(f, 2);
		assert_string_equal(f[0].rule, "lock-convoy");
	}
}

static void time_unknown(void **state)
{
	(void)state;
	const stwatch_occurrence never = {.start_ns = STWATCH_UNKNOWN, .duration_ns = 20 * MS};
	stwatch_finding f[] = {finding("lock-convoy", STWATCH_ERROR, 900 * MS, &writer, &never),
		finding("goroutine-stuck-syscall", STWATCH_ERROR, 20 * MS, &writer, &never)};
	stw_findings_order(f, 2);
	assert_string_equal(f[0].rule, "lock-convoy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_severity_and_harm),
		cmocka_unit_test(cause_first),
		cmocka_unit_test(cause_of_a_cause),
		cmocka_unit_test(elsewhere_is_no_cause),
		cmocka_unit_test(time_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
