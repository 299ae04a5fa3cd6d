/* Text gathered in a fixed buffer and handed to a sink when it is full: no allocation, output of any length. */
#ifndef STW_OUTPUT_TEXTBUF_H
#define STW_OUTPUT_TEXTBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stwatch/events.h"

typedef struct stw_textbuf {
	stwatch_sink_fn sink; /* NULL: what does not fit is dropped */
	void *user;
	bool failed;          /* the sink stopped */
	size_t length;
	char data[16 << 10];
} stw_textbuf;

void stw_textbuf_init(stw_textbuf *out, stwatch_sink_fn sink, void *user);
/* Hands the rest to the sink; false if it ever stopped. */
bool stw_textbuf_flush(stw_textbuf *out);
void stw_textbuf_put(stw_textbuf *out, const char *data, size_t length);
void stw_textbuf_text(stw_textbuf *out, const char *text);
void stw_textbuf_int(stw_textbuf *out, int64_t value);
void stw_textbuf_uint(stw_textbuf *out, uint64_t value);
void stw_textbuf_hex(stw_textbuf *out, uint64_t value);
/* Between double quotes, escaped as Go's strconv.Quote does. */
void stw_textbuf_quote(stw_textbuf *out, const char *data, size_t length);

#endif
