/* The inside of a reader: events of one trace, which may still be written, or of several as one timeline. */
#ifndef STW_API_READER_H
#define STW_API_READER_H

#include "api/told.h"
#include "wire/growing.h"
#include "engine/beginning.h"
#include "api/follow.h"

/* What is read by an index (reader_part.c). */
typedef struct stw_reader_part {
	bool on; /* there is one */
	uint64_t left; /* so many events are still to be read; UINT64_MAX: to the trace's end */
	int64_t first; /* time of the trace's first event */
	stwatch_error ending; /* what the whole trace ends with; status OK: nothing */
} stw_reader_part;

struct stwatch_reader {
	stw_mem *mem;
	const stw_source *source; /* one of the following; NULL: several traces are read */
	stw_source own;
	stw_growing *growing; /* NULL: it is not followed */
	stw_complete complete; /* then */
	uint64_t taken; /* generations */
	bool ended; /* nothing more comes */
	bool (*flush)(void *user); /* before each wait; NULL: nothing */
	void *flush_user;
	stw_told told; /* of several traces */
	stw_v1 v1;
	stw_stream stream;
	stw_spans spans; /* of one that is read past damage, unless it is followed */
	stw_reader_part part;
	stwatch_error lost; /* of one: the first of what is, or the header; status OK: nothing */
	int64_t last; /* time of the event before the one at hand */
	int64_t gap; /* of the sync event at hand: how much of the time before it no trace has; 0: none */
	STW_VEC(char) details;
};

/* filter: whether and how it is followed, and which time is wanted: with an index no more may be read. salvage: past damage, also where the header is missing. Several paths, or a folder, are joined. *reader ends with
 * stwatch_reader_free. */
stwatch_status stw_reader_open(stwatch_context *context, const char *const *paths, size_t n_paths, const stwatch_events_filter *filter,
	bool salvage, stwatch_reader **reader, stwatch_error *error);
/* The stream of a v1 trace. STWATCH_OK, _MEMORY. */
stwatch_status stw_reader_open_stream_v1(stwatch_reader *reader, stwatch_error *error);
/* Opens what is wanted of one trace by its index. False: that has to be done without, and nothing is open. */
bool stw_reader_open_part(stwatch_reader *reader, const stwatch_context *context, const char *path, const stwatch_events_filter *filter,
	stw_go_version version, bool salvage);
/* The same of a trace in a v1 format, also where all of it is wanted. STWATCH_OK; STWATCH_END: that has to be done without, and nothing is open; or a
 * failure. */
stwatch_status stw_reader_open_part_v1(stwatch_reader *reader, stwatch_context *context, const char *path,
	const stwatch_events_filter *filter, unsigned minor, stwatch_error *error);
/* The next of the stream's events; _DAMAGED as of stw_stream_next, and the next call may go on. */
stwatch_status stw_reader_step(stwatch_reader *reader, const stw_stream_event **event, stwatch_error *error);
/* In words; valid until the next call. False when out of memory. */
bool stw_reader_describe(stwatch_reader *reader, const stw_stream_event *event, stwatch_event *out);

#endif
