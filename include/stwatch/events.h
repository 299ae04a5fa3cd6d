/* Iteration over the events of a trace in a valid order. */
#ifndef STWATCH_EVENTS_H
#define STWATCH_EVENTS_H

#include "stwatch/context.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define STWATCH_NONE (-1) /* no goroutine, proc or thread */

/* Kinds as Go's own reader names them. */
typedef enum stwatch_event_kind {
	STWATCH_EVENT_SYNC = 1,
	STWATCH_EVENT_METRIC,
	STWATCH_EVENT_LABEL,
	STWATCH_EVENT_STACK_SAMPLE,
	STWATCH_EVENT_RANGE_BEGIN,
	STWATCH_EVENT_RANGE_ACTIVE,
	STWATCH_EVENT_RANGE_END,
	STWATCH_EVENT_TASK_BEGIN,
	STWATCH_EVENT_TASK_END,
	STWATCH_EVENT_REGION_BEGIN,
	STWATCH_EVENT_REGION_END,
	STWATCH_EVENT_LOG,
	STWATCH_EVENT_STATE_TRANSITION,
	STWATCH_EVENT_EXPERIMENTAL,
	STWATCH_EVENT_STUCK /* not in a trace: a stay beyond the table of starvation, when it ends; only where it is asked for */
} stwatch_event_kind;

/* One event. Pointers are borrowed from the reader and valid until its next call. */
typedef struct stwatch_event {
	int64_t time_ns;          /* the trace's own clock */
	stwatch_event_kind kind;
	const char *name;         /* the wire event's name ("GoBlock"), NUL-terminated */
	int64_t goroutine, proc, thread; /* context before the event, or STWATCH_NONE */
	const char *details;      /* the kind's own fields in text ("GoID=7 Running->Waiting Reason=\"sleep\"") */
	size_t details_length;
} stwatch_event;

typedef struct stwatch_reader stwatch_reader;

/* Opens a trace ("-" is standard input). STWATCH_ERR_IO, _FORMAT, _UNSUPPORTED, _DAMAGED, _MEMORY, with *error filled (error may be NULL).
 * *out is owned by the caller, who ends it with stwatch_reader_free. One thread at a time. */
stwatch_status stwatch_reader_open(stwatch_context *context, const char *path, stwatch_reader **out, stwatch_error *error);

/* The next event: STWATCH_OK, STWATCH_END after the last, or an error as above. Events before an error are valid.
 * The order is checked as strictly as by Go's own reader (design document 60773). */
stwatch_status stwatch_reader_next(stwatch_reader *reader, stwatch_event *event, stwatch_error *error);

void stwatch_reader_free(stwatch_reader *reader);

/* How stwatch_events_print words an event. */
typedef enum stwatch_events_format {
	STWATCH_EVENTS_TEXT = 0, /* one line an event */
	STWATCH_EVENTS_JSONL,    /* one JSON object a line (docs/schema/event.json) */
	STWATCH_EVENTS_GO        /* as `go tool trace -d=parsed` prints them */
} stwatch_events_format;

/* Which events are wanted. Set size; zeroed fields (and STWATCH_NONE ids after stwatch_events_filter_init) do not filter. */
typedef struct stwatch_events_filter {
	size_t size;
	int64_t from_ns, to_ns;   /* from the trace's first event; to_ns 0: to the end */
	uint32_t kinds;           /* bits 1u << stwatch_event_kind; 0: all but STWATCH_EVENT_STUCK, which comes alone if its bit is set */
	int64_t goroutine, proc, thread; /* STWATCH_NONE: any; an event matches if it runs on or changes it */
	const struct stwatch_settings *settings; /* thresholds for STWATCH_EVENT_STUCK; NULL: the defaults */
	bool follow;              /* it is still being written: reads on, generation by generation, until its writer has closed it */
	int64_t follow_silence_ns; /* or until so long nothing has come; 0: however long that takes */
} stwatch_events_filter;

void stwatch_events_filter_init(stwatch_events_filter *filter);

/* Receives output; returns 0, or anything else to stop. */
typedef int (*stwatch_sink_fn)(void *user, const char *data, size_t length);

/* Prints the events of a trace; or of several traces of one process, and of folders of them, in any order, as one timeline: what two of them have
 * is printed once, where there is a gap the sync event behind it says how long ("Gap=", ns), and the context's note says how many there are.
 * STWATCH_EVENTS_GO prints one trace only. Where a time is given and one trace has an index (stwatch/index.h), only that part is read.
 * STWATCH_ERR_IO if the sink stopped it; _ARGUMENT where the traces are of several processes; else as stwatch_reader_next. filter and error may be
 * NULL. */
stwatch_status stwatch_events_print(stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_events_format format,
                                    const stwatch_events_filter *filter, stwatch_sink_fn sink, void *user, stwatch_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
