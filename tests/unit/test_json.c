/* The JSON emitter: whatever goes in, what comes out is JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "output/json.h"

typedef struct capture {
	char text[1 << 16];
	size_t length;
	size_t calls_until_stop; /* 0: never */
} capture;

static int keep(void *user, const char *data, size_t length)
{
	capture *c = user;
	if (c->calls_until_stop && --c->calls_until_stop == 0)
		return 1;
	assert_true(c->length + length < sizeof c->text);
	memcpy(c->text + c->length, data, length);
	c->length += length;
	c->text[c->length] = '\0';
	return 0;
}

static void expect_json(const char *in, size_t length, const char *expected)
{
	capture out = {0};
	stw_json json;
	stw_json_init(&json, false, keep, &out);
	stw_json_text(&json, in, length);
	assert_int_equal(stw_json_finish(&json), STWATCH_OK);
	assert_string_equal(out.text, expected);
}

static void strings_are_escaped(void **state)
{
	(void)state;
	expect_json("", 0, "\"\"");
	expect_json("a\"b\\c\n\t\r", 8, "\"a\\\"b\\\\c\\n\\t\\r\"");
	expect_json("\x01\x1b\x7f", 3, "\"\\u0001\\u001b\\u007f\"");
	expect_json("a\0b", 3, "\"a\\u0000b\"");
	expect_json("µ€😀", 9, "\"µ€😀\"");
}

static void bad_utf8_is_replaced(void **state)
{
	(void)state;
	expect_json("a\xff"
		    "b",
		3,
		"\"a\xef\xbf\xbd"
		"b\"");
	expect_json("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* overlong */
	expect_json("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* a surrogate */
	expect_json("\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* beyond U+10FFFF */
	expect_json("\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* cut */
}

static void numbers_are_exact(void **state)
{
	(void)state;
	capture out = {0};
	stw_json json;
	stw_json_init(&json, false, keep, &out);
	stw_json_array(&json);
	stw_json_int(&json, INT64_MIN);
	stw_json_int(&json, INT64_MAX);
	stw_json_uint(&json, UINT64_MAX);
	stw_json_double(&json, 0.25);
	stw_json_double(&json, NAN);
	stw_json_double(&json, INFINITY);
	stw_json_array_end(&json);
	stw_json_finish(&json);
	assert_string_equal(out.text, "[-9223372036854775808,9223372036854775807,18446744073709551615,0.25,null,null]");
}

static void a_document(stw_json *json)
{
	stw_json_object(json);
	stw_json_key_int(json, "a", 1);
	stw_json_key(json, "rows");
	stw_json_array(json);
	stw_json_row(json);
	stw_json_key_bool(json, "b", true);
	stw_json_key_int_or_null(json, "c", -1, -1);
	stw_json_object_end(json);
	stw_json_row(json);
	stw_json_object_end(json);
	stw_json_array_end(json);
	stw_json_key(json, "empty");
	stw_json_array(json);
	stw_json_array_end(json);
	stw_json_key_string(json, "n", NULL);
	stw_json_object_end(json);
	stw_json_end_line(json);
}

static void documents_are_laid_out(void **state)
{
	(void)state;
	capture pretty = {0}, plain = {0};
	stw_json json;
	stw_json_init(&json, true, keep, &pretty);
	a_document(&json);
	stw_json_finish(&json);
	assert_string_equal(pretty.text,
		"{\n  \"a\": 1,\n  \"rows\": [\n    {\"b\": true, \"c\": null},\n    {}\n  ],\n  \"empty\": [],\n  \"n\": null\n}\n");
	stw_json_init(&json, false, keep, &plain);
	a_document(&json);
	a_document(&json);
	stw_json_finish(&json);
	assert_string_equal(plain.text,
		"{\"a\":1,\"rows\":[{\"b\":true,\"c\":null},{}],\"empty\":[],\"n\":null}\n"
		"{\"a\":1,\"rows\":[{\"b\":true,\"c\":null},{}],\"empty\":[],\"n\":null}\n");
}

static void a_stopping_sink_is_not_asked_again(void **state)
{
	(void)state;
	static char big[20000];
	capture out = {.calls_until_stop = 1};
	stw_json json;
	memset(big, 'x', sizeof big - 1);
	stw_json_init(&json, false, keep, &out);
	stw_json_array(&json);
	stw_json_string(&json, big);
	stw_json_string(&json, big);
	stw_json_array_end(&json);
	assert_int_equal(stw_json_finish(&json), STWATCH_ERR_IO);
	assert_int_equal(out.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(bad_utf8_is_replaced),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(documents_are_laid_out),
		cmocka_unit_test(a_stopping_sink_is_not_asked_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
