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

/* Adds an event other than a sync point; the caller tells the timeline of generations. False when out of memory. */
bool stw_feed(stw_timeline *timeline, stw_stream *stream, const stw_stream_event *event);

#endif
