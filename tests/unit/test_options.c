/* The option parser, its values and the config file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/options.h"

typedef struct values {
	bool flag;
	int64_t duration, count;
	int choice;
	const char *string;
	cli_list list;
} values;

static const char *const COLORS[] = {"red", "green", NULL};

static const cli_option OPTIONS[] = {
	{"flag", 'f', CLI_FLAG, NULL, "", offsetof(values, flag), NULL},
	{"duration", 'd', CLI_DURATION, "D", "", offsetof(values, duration), NULL},
	{"count", 0, CLI_COUNT, "N", "", offsetof(values, count), NULL},
	{"choice", 0, CLI_CHOICE, "C", "", offsetof(values, choice), COLORS},
	{"string", 's', CLI_STRING, "S", "", offsetof(values, string), NULL},
	{"list", 'l', CLI_LIST, "L", "", offsetof(values, list), NULL},
	{0},
};

typedef struct fixture {
	values values;
	cli_group group;
	cli_parse parse;
	char *argv[16];
	int count;
} fixture;

static void prepare(fixture *f)
{
	memset(f, 0, sizeof *f);
	f->group = (cli_group){OPTIONS, &f->values};
	f->parse = (cli_parse){.groups = &f->group, .n_groups = 1};
}

/* Splits a line at blanks and parses it. */
static bool parse(fixture *f, char *line, bool stop_at_operand)
{
	int argc = 0;
	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		f->argv[argc++] = word;
	return cli_parse_args(&f->parse, f->argv, argc, stop_at_operand, &f->count);
}

static void every_form_is_read(void **state)
{
	(void)state;
	fixture f;
	char line[] = "one -f --duration 30ms two --count=7 --choice green -sx -l a --list=b -- --flag";
	prepare(&f);
	assert_true(parse(&f, line, false));
	assert_true(f.values.flag);
	assert_int_equal(f.values.duration, 30000000);
	assert_int_equal(f.values.count, 7);
	assert_int_equal(f.values.choice, 1);
	assert_string_equal(f.values.string, "x");
	assert_int_equal(f.values.list.count, 2);
	assert_string_equal(f.values.list.items[1], "b");
	assert_int_equal(f.count, 3);
	assert_string_equal(f.argv[0], "one");
	assert_string_equal(f.argv[1], "two");
	assert_string_equal(f.argv[2], "--flag");
}

static void it_can_stop_before_the_command(void **state)
{
	(void)state;
	fixture f;
	char line[] = "-f command --unknown";
	prepare(&f);
	assert_true(parse(&f, line, true));
	assert_int_equal(f.count, 2);
	assert_string_equal(f.argv[0], "command");
}

static void mistakes_name_the_option(void **state)
{
	(void)state;
	static const struct {
		const char *line, *message;
	} CASES[] = {
		{"--nope", "unknown option '--nope'"},
		{"--nope=1", "unknown option '--nope'"},
		{"-x", "unknown option '-x'"},
		{"--flag=1", "--flag takes no value"},
		{"--count", "--count needs a whole number"},
		{"--count -1", "--count: '-1' is not valid (expected a whole number)"},
		{"--count 99999999999999999999", "--count: '99999999999999999999' is not valid (expected a whole number)"},
		{"--choice blue", "--choice: 'blue' is not valid (expected red, green)"},
		{"-d 5", "--duration: '5' is not valid (expected a duration, such as 250us, 30ms or 1.5s)"},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		fixture f;
		char line[128];
		prepare(&f);
		snprintf(line, sizeof line, "%s", CASES[i].line);
		assert_false(parse(&f, line, false));
		assert_string_equal(f.parse.message, CASES[i].message);
	}
}

static void values_are_exact(void **state)
{
	(void)state;
	int64_t v;
	assert_true(cli_read_duration("1.5s", &v) && v == 1500000000);
	assert_true(cli_read_duration("250us", &v) && v == 250000);
	assert_true(cli_read_duration("0.3ms", &v) && v == 300000);
	assert_true(cli_read_duration("0", &v) && v == 0);
	assert_false(cli_read_duration("ms", &v));
	assert_false(cli_read_duration("1.ms", &v));
	assert_false(cli_read_duration("99999999999h", &v));
	assert_true(cli_read_percent("2.5%", &v) && v == 25);
	assert_true(cli_read_percent("2", &v) && v == 20);
	assert_true(cli_read_size("512M", &v) && v == 512 << 20);
	assert_true(cli_read_size("1.5GiB", &v) && v == 1536ll << 20);
	assert_false(cli_read_size("1X", &v));
	assert_false(cli_read_count("1.5", &v));
}

static void times_are_read(void **state)
{
	(void)state;
	cli_time t;
	assert_true(cli_read_time("1.25", &t) && t.kind == CLI_TIME_FROM_START && t.ns == 1250000000);
	assert_true(cli_read_time("+30ms", &t) && t.kind == CLI_TIME_FROM_START && t.ns == 30000000);
	assert_true(cli_read_time("2023-11-14T22:13:20.5Z", &t) && t.kind == CLI_TIME_WALL && t.ns == 1700000000500000000);
	assert_true(cli_read_time("2023-11-15T00:13:20+02:00", &t) && t.ns == 1700000000000000000);
	assert_false(cli_read_time("2023-11-14T22:13:20", &t));
	assert_false(cli_read_time("yesterday", &t));
}

static bool other(const char *name)
{
	return strcmp(name, "other") == 0;
}

static void the_command_line_wins_over_the_config_file(void **state)
{
	(void)state;
	fixture f;
	char line[] = "--count 3", text[] = "# comment\n\ncount = 9\n  duration=2s\r\nflag = yes\nother = 1";
	prepare(&f);
	assert_true(parse(&f, line, false));
	assert_true(cli_parse_config(&f.parse, "file", text, other));
	assert_int_equal(f.values.count, 3);
	assert_int_equal(f.values.duration, 2000000000);
	assert_true(f.values.flag);
}

static void config_mistakes_name_the_line(void **state)
{
	(void)state;
	fixture f;
	char unknown[] = "count = 1\nnope = 2", bad[] = "\ncount = x";
	prepare(&f);
	assert_false(cli_parse_config(&f.parse, "file", unknown, other));
	assert_string_equal(f.parse.message, "--config: file, line 2: unknown option 'nope'");
	assert_false(cli_parse_config(&f.parse, "file", bad, other));
	assert_string_equal(f.parse.message, "--config: file, line 2: --count: 'x' is not valid (expected a whole number)");
}

static void thresholds_are_options(void **state)
{
	(void)state;
	stwatch_settings settings = {.size = sizeof settings};
	stwatch_settings_init(&settings);
	const cli_group group = {NULL, &settings};
	for (size_t i = 0; stwatch_setting_at(i); i++) {
		cli_parse p = {.groups = &group, .n_groups = 1};
		const stwatch_setting *setting = stwatch_setting_at(i);
		const char *value = setting->unit == STWATCH_UNIT_NS ? "7ns" : setting->unit == STWATCH_UNIT_PERMILLE ? "0.7%" : "7";
		assert_int_equal(cli_parse_assign(&p, setting->option, value), CLI_ASSIGNED);
		assert_int_equal(settings.values[i], 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(it_can_stop_before_the_command),
		cmocka_unit_test(mistakes_name_the_option),
		cmocka_unit_test(values_are_exact),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(the_command_line_wins_over_the_config_file),
		cmocka_unit_test(config_mistakes_name_the_line),
		cmocka_unit_test(thresholds_are_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
