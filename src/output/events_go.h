/* Events worded as `go tool trace -d=parsed` words them (Go's internal/trace, (Event).String). */
#ifndef STW_OUTPUT_EVENTS_GO_H
#define STW_OUTPUT_EVENTS_GO_H

#include "engine/stream.h"
#include "output/sink_text.h"

void stw_events_go_print(stw_sink *out, const stw_stream *stream, const stw_stream_event *event);
/* The part after the context and time: what the kind has to say, without stacks. */
void stw_events_go_details(stw_sink *out, const stw_stream *stream, const stw_stream_event *event);

#endif
