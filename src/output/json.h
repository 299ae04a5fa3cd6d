/* A streaming JSON emitter. Ours, because a document may be of any length while memory is not, because keys must keep their order, and
 * because JSON is needed with every optional part off. It can't build what isn't JSON: text is made valid UTF-8 (bad bytes become
 * U+FFFD), integers stay integers, a double that is not finite becomes null. Nothing is allocated. */
#ifndef STW_OUTPUT_JSON_H
#define STW_OUTPUT_JSON_H

#include <stdint.h>

#include "output/sink.h"

#define STW_JSON_DEPTH_MAX 32

typedef struct stw_json {
	stw_sink sink;
	bool pretty; /* indented; else all on one line */
	unsigned depth;
	unsigned inline_from; /* depth from which everything stands on one line; 0: nothing does */
	bool has_items[STW_JSON_DEPTH_MAX];
	bool after_key;
} stw_json;

void stw_json_init(stw_json *json, bool pretty, stwatch_sink_fn write, void *user);
/* Ends a document (or a line) with a newline; the emitter is ready for the next. */
void stw_json_end_line(stw_json *json);
/* Hands over what is buffered; STWATCH_ERR_IO if the sink stopped. */
stwatch_status stw_json_finish(stw_json *json);

void stw_json_object(stw_json *json); /* { */
void stw_json_object_end(stw_json *json); /* } */
void stw_json_array(stw_json *json); /* [ */
void stw_json_array_end(stw_json *json); /* ] */
/* As the above, but everything in it stays on one line in a pretty document: rows of a table. */
void stw_json_row(stw_json *json);
void stw_json_row_array(stw_json *json);

void stw_json_key(stw_json *json, const char *key);
void stw_json_text(stw_json *json, const char *text, size_t length);
void stw_json_string(stw_json *json, const char *text); /* NULL: null */
void stw_json_int(stw_json *json, int64_t value);
void stw_json_uint(stw_json *json, uint64_t value);
void stw_json_double(stw_json *json, double value);
void stw_json_bool(stw_json *json, bool value);
void stw_json_null(stw_json *json);

/* A key with its value. */
void stw_json_key_string(stw_json *json, const char *key, const char *text);
void stw_json_key_int(stw_json *json, const char *key, int64_t value);
void stw_json_key_uint(stw_json *json, const char *key, uint64_t value);
void stw_json_key_bool(stw_json *json, const char *key, bool value);
/* null where value is `none`. */
void stw_json_key_int_or_null(stw_json *json, const char *key, int64_t value, int64_t none);

#endif
