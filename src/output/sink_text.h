/* Numbers and quoted strings into a sink. */
#ifndef STW_OUTPUT_SINK_TEXT_H
#define STW_OUTPUT_SINK_TEXT_H

#include <stdint.h>

#include "output/sink.h"

void stw_sink_text(stw_sink *out, const char *text);
void stw_sink_int(stw_sink *out, int64_t value);
void stw_sink_uint(stw_sink *out, uint64_t value);
void stw_sink_hex(stw_sink *out, uint64_t value);
/* Between double quotes, escaped as Go's strconv.Quote does. */
void stw_sink_quote(stw_sink *out, const char *data, size_t length);

#endif
