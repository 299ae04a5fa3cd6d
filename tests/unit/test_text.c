/* Figures and wrapping of the text for people. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "output/text.h"

static int append(void *user, const char *data, size_t length)
{
	strncat(user, data, length);
	return 0;
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		int64_t ns;
		const char *words;
	} CASES[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{12345, "12.3 µs"},
		{1234567, "1.23 ms"},
		{125234567, "125.2 ms"},
		{1520000000, "1.52 s"},
		{192000000000, "3 min 12 s"},
		{-5, "0 ns"},
	};
	char buffer[STW_FIGURE_MAX];
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		assert_string_equal(stw_text_duration(buffer, CASES[i].ns), CASES[i].words);
}

static void other_figures(void **state)
{
	(void)state;
	char buffer[STW_FIGURE_MAX];
	assert_string_equal(stw_text_at(buffer, 666693123), "+666.693 ms");
	assert_string_equal(stw_text_at(buffer, 12345678000), "+12.345678 s");
	assert_string_equal(stw_text_at(buffer, -1500000), "-1.500 ms");
	assert_string_equal(stw_text_count(buffer, 1234567), "1,234,567");
	assert_string_equal(stw_text_count(buffer, 999), "999");
	assert_string_equal(stw_text_bytes(buffer, 1023), "1023 bytes");
	assert_string_equal(stw_text_bytes(buffer, 1536), "1.5 KiB");
	assert_string_equal(stw_text_share(buffer, 0.1234), "12.3 %");
	assert_string_equal(stw_text_share(buffer, -1), "0.0 %");
}

static void long_lines_wrap(void **state)
{
	(void)state;
	char out[512] = "";
	stw_text text;
	stw_text_init(&text, 40, false, append, out);
	stw_text_put(&text, "label");
	stw_text_to(&text, 8);
	stw_text_wrap(&text, 8, "one two three four five six seven eight; ");
	stw_text_wrap(&text, 8, "nine");
	stw_text_line(&text);
	stw_text_wrap(&text, 4, "0123456789012345678901234567890123456789-longer-than-a-line");
	stw_text_line(&text);
	stw_text_finish(&text);
	assert_string_equal(out,
		"label   one two three four five six\n        seven eight; nine\n"
		"0123456789012345678901234567890123456789\n    -longer-than-a-line\n");
}

static void terminals_are_safe(void **state)
{
	(void)state;
	char out[128] = "";
	stw_text text;
	stw_text_init(&text, 0, false, append, out);
	stw_text_style(&text, STW_STYLE_RED);
	stw_text_put(&text, "a\x1b[31m\xc2\x9b\xff");
	stw_text_finish(&text);
	assert_string_equal(out, "a\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(other_figures),
		cmocka_unit_test(long_lines_wrap),
		cmocka_unit_test(terminals_are_safe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
