/* The events of a stream, handed to a timeline. */
#ifndef STW_ENGINE_FEED_H
#define STW_ENGINE_FEED_H

#include "engine/stream.h"
#include "model/timeline.h"

/* The tables that the stream's events refer to at the moment. */
static inline stw_generation *stw_stream_tables(stw_stream *stream)
{
	return stream->v1 ? &stream->v1->gen : &stream->gen;
}

/* Before the first event: strings of a v1 trace outlive a reading, and may remember the numbers of another timeline. */
void stw_feed_begin(stw_stream *stream);
/* Adds an event other than a sync point; the caller tells the timeline of generations. False when out of memory. */
bool stw_feed(stw_timeline *timeline, stw_stream *stream, const stw_stream_event *event);

#endif
