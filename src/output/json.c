#include "output/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void stw_json_init(stw_json *json, bool pretty, stwatch_sink_fn write, void *user)
{
	stw_sink_init(&json->sink, write, user);
	json->pretty = pretty;
	json->depth = 0;
	json->inline_from = 0;
	json->has_items[0] = false;
	json->after_key = false;
}

void stw_json_end_line(stw_json *json)
{
	assert(json->depth == 0);
	stw_sink_put(&json->sink, "\n", 1);
	json->has_items[0] = false;
}

stwatch_status stw_json_finish(stw_json *json)
{
	return stw_sink_flush(&json->sink);
}

static void put(stw_json *json, const char *text)
{
	stw_sink_put(&json->sink, text, strlen(text));
}

static bool on_one_line(const stw_json *json)
{
	return !json->pretty || (json->inline_from && json->depth >= json->inline_from);
}

static void new_line(stw_json *json)
{
	put(json, "\n");
	for (unsigned i = 0; i < json->depth; i++)
		put(json, "  ");
}

/* Before each key and each value that has none: the comma and the place. */
static void separate(stw_json *json)
{
	bool first = !json->has_items[json->depth];
	json->has_items[json->depth] = true;
	if (!first)
		put(json, ",");
	if (json->depth == 0)
		return;
	if (!on_one_line(json))
		new_line(json);
	else if (!first && json->pretty)
		put(json, " ");
}

static void before_value(stw_json *json)
{
	if (!json->after_key)
		separate(json);
	json->after_key = false;
}

static void open(stw_json *json, const char *bracket)
{
	before_value(json);
	put(json, bracket);
	json->depth++;
	assert(json->depth < STW_JSON_DEPTH_MAX);
	json->has_items[json->depth] = false;
}

static void shut(stw_json *json, const char *bracket)
{
	assert(json->depth > 0 && !json->after_key);
	bool had_items = json->has_items[json->depth];
	bool one_line = on_one_line(json);
	if (json->inline_from == json->depth)
		json->inline_from = 0;
	json->depth--;
	if (had_items && !one_line)
		new_line(json);
	put(json, bracket);
}

static void inline_from_here(stw_json *json)
{
	if (!json->inline_from)
		json->inline_from = json->depth;
}

void stw_json_object(stw_json *json)
{
	open(json, "{");
}

void stw_json_object_end(stw_json *json)
{
	shut(json, "}");
}

void stw_json_array(stw_json *json)
{
	open(json, "[");
}

void stw_json_array_end(stw_json *json)
{
	shut(json, "]");
}

void stw_json_row(stw_json *json)
{
	open(json, "{");
	inline_from_here(json);
}

void stw_json_row_array(stw_json *json)
{
	open(json, "[");
	inline_from_here(json);
}

static const char *short_escape(unsigned char byte)
{
	switch (byte) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\n': return "\\n";
	case '\r': return "\\r";
	case '\t': return "\\t";
	default: return NULL;
	}
}

/* What a character is written as where it can't stand for itself, else NULL. */
static const char *escape(const char *text, stw_utf8 character, char buffer[static 8])
{
	unsigned char byte = (unsigned char)*text;
	if (!character.valid)
		return "\xef\xbf\xbd";
	if (short_escape(byte))
		return short_escape(byte);
	if (byte >= 0x20 && byte != 0x7f)
		return NULL;
	snprintf(buffer, 8, "\\u%04x", byte);
	return buffer;
}

static void quoted(stw_json *json, const char *text, size_t length)
{
	put(json, "\"");
	size_t plain = 0; /* start of the stretch that needs no escape */
	for (size_t at = 0; at < length;) {
		stw_utf8 character = stw_utf8_next(text + at, length - at);
		char buffer[8];
		const char *instead = escape(text + at, character, buffer);
		if (instead) {
			stw_sink_put(&json->sink, text + plain, at - plain);
			put(json, instead);
			plain = at + character.length;
		}
		at += character.length;
	}
	stw_sink_put(&json->sink, text + plain, length - plain);
	put(json, "\"");
}

void stw_json_key(stw_json *json, const char *key)
{
	assert(!json->after_key);
	separate(json);
	quoted(json, key, strlen(key));
	put(json, json->pretty ? ": " : ":");
	json->after_key = true;
}

void stw_json_text(stw_json *json, const char *text, size_t length)
{
	before_value(json);
	quoted(json, text, length);
}

void stw_json_string(stw_json *json, const char *text)
{
	if (text)
		stw_json_text(json, text, strlen(text));
	else
		stw_json_null(json);
}

void stw_json_int(stw_json *json, int64_t value)
{
	char digits[24];
	snprintf(digits, sizeof digits, "%" PRId64, value);
	before_value(json);
	put(json, digits);
}

void stw_json_uint(stw_json *json, uint64_t value)
{
	char digits[24];
	snprintf(digits, sizeof digits, "%" PRIu64, value);
	before_value(json);
	put(json, digits);
}

void stw_json_double(stw_json *json, double value)
{
	if (!isfinite(value)) {
		stw_json_null(json);
		return;
	}
	char digits[40];
	snprintf(digits, sizeof digits, "%.9g", value);
	/* The caller's locale may have another decimal point; JSON doesn't. */
	char *point = digits + strspn(digits, "-0123456789");
	if (*point && *point != 'e')
		*point = '.';
	before_value(json);
	put(json, digits);
}

void stw_json_bool(stw_json *json, bool value)
{
	before_value(json);
	put(json, value ? "true" : "false");
}

void stw_json_null(stw_json *json)
{
	before_value(json);
	put(json, "null");
}

void stw_json_key_string(stw_json *json, const char *key, const char *text)
{
	stw_json_key(json, key);
	stw_json_string(json, text);
}

void stw_json_key_int(stw_json *json, const char *key, int64_t value)
{
	stw_json_key(json, key);
	stw_json_int(json, value);
}

void stw_json_key_uint(stw_json *json, const char *key, uint64_t value)
{
	stw_json_key(json, key);
	stw_json_uint(json, value);
}

void stw_json_key_bool(stw_json *json, const char *key, bool value)
{
	stw_json_key(json, key);
	stw_json_bool(json, value);
}

void stw_json_key_int_or_null(stw_json *json, const char *key, int64_t value, int64_t none)
{
	stw_json_key(json, key);
	if (value == none)
		stw_json_null(json);
	else
		stw_json_int(json, value);
}
