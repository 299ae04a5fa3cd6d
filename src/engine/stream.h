/* The events of a whole trace, one after another, read exactly and strictly: what Go's own reader would say,
 * with its sync events and up to its first error. Figures come by another way (fold.h); this one serves printing,
 * iteration, and the second pass over a part of a trace. */
#ifndef STW_ENGINE_STREAM_H
#define STW_ENGINE_STREAM_H

#include "order/snapshot.h"
#include "order/v1.h"
#include "v2/spans.h"

typedef struct stw_stream_event {
	int64_t time;
	int64_t m, p, g; /* ids before the event, STWATCH_NONE */
	uint64_t a[4]; /* see order/merge_step.h */
	uint32_t target; /* slot of the goroutine or proc that it names */
	uint32_t g_slot, p_slot, m_slot;
	uint8_t type; /* STW_EV_…; STW_EV_SYNC_POINT, whose a[0] is its number; STW_EV_FORGOTTEN, whose a[0] is an id and a[1] whether it is a proc's */
	bool has_generation; /* false: the last sync event, which belongs to none */
	bool anew; /* of a sync event: what comes is no continuation of what was, and what it states is believed */
} stw_stream_event;

/* Its stwatch_event_kind, also of those that the wire has in no thread's stream. */
static inline unsigned stw_stream_kind(const stw_stream_event *e)
{
	return e->type == STW_EV_SYNC_POINT   ? STWATCH_EVENT_SYNC
		: e->type == STW_EV_CPUSample ? STWATCH_EVENT_STACK_SAMPLE
					      : stw_event_spec_of(e->type)->kind;
}

enum { STW_STREAM_QUEUE = 32 }; /* no event stands for more, with all that is forgotten at it */

typedef struct stw_stream {
	stw_mem *mem;
	const stw_source *source;
	stw_go_version version;
	stw_scan scan;
	stw_span span;
	stw_order order;
	stw_generation gen; /* that of the last event handed out, unless it says otherwise */
	stw_merge merge;
	bool merging, ended;
	uint64_t initial; /* number of the generation in which the first event was ordered, 0: none was yet */
	uint64_t number; /* of the last generation, 0: none */
	uint64_t syncs;
	int64_t last_time;
	stwatch_error failure; /* to be reported next; status OK: none */
	/* Of an input that grows: comes back when the next generation is complete, or nothing more comes. NULL: it does not grow. */
	stwatch_status (*wait)(void *user, stwatch_error *error);
	void *wait_user;
	/* Of a stream that salvages (stw_stream_salvage). */
	bool salvage;
	bool salvaging; /* the generation at hand is read as far as it holds */
	bool anew; /* it stands on its own */
	bool listed; /* these are read, in order; else those that the scan finds */
	const stw_span *list;
	size_t n_list, at_list;
	stw_order before_gap; /* the state before the gap (STW_JOINT_GAP) behind which the generation at hand lies */
	bool behind_gap;
	bool alone; /* there is no sync event behind them */
	stw_bytes at_begin; /* the state before the generation at hand */
	stw_read_mode mode; /* in which it is read */
	bool again; /* it has the number of the one before */
	bool proved; /* it can be read strictly to its end */
	stwatch_error lost; /* to be told next; status OK: nothing */
	int64_t begin_time; /* of the sync event of the generation */
	int64_t told_to; /* salvaging: what comes up to this time has been handed out already */
	stwatch_error scratch;
	bool tells_forgotten; /* set by who wants to know what is: STW_EV_FORGOTTEN is handed out */
	stw_stream_event queue[STW_STREAM_QUEUE];
	unsigned queued, taken;
	stw_v1 *v1; /* of the trace in a v1 format at hand, else NULL */
	stw_v1 *v1s; /* as the spans say */
	bool part_ended; /* the trace at hand has, and another one follows */
	bool as_go;
	stw_v1_merge v1_merge;
	char *text; /* of the log event at hand */
	uint32_t text_size;
} stw_stream;

void stw_stream_open(stw_stream *stream, stw_mem *mem, const stw_source *source, stw_go_version version);
/* Reads these generations, as stw_spans_read and stw_trace_take give them, borrowed: each on its own where it is joint to nothing before, past what is
 * wrong within them, as after stw_stream_salvage; what a scan found damaged is not told again. One that is no continuation, and earlier than what was
 * read, is left out. STWATCH_ERR_ARGUMENT where what comes behind a gap is of another process. */
void stw_stream_open_spans(stw_stream *stream, stw_mem *mem, const stw_span *spans, size_t count);
/* The index of the span at hand, then. */
static inline size_t stw_stream_at(const stw_stream *stream)
{
	return stream->at_list ? stream->at_list - 1 : 0;
}
/* Reads a generation on its own, as if it were a trace, and past what is wrong in it, as after stw_stream_salvage. There is no sync event behind it. */
void stw_stream_open_span(stw_stream *stream, stw_mem *mem, const stw_span *span);
/* Before the first event: lets the stream go on past damage. stw_stream_next then returns STWATCH_ERR_DAMAGED where something is lost or
 * contradicts what was before, and the next call goes on behind it. What it hands out up to the first such place is what it would hand out else. */
void stw_stream_salvage(stw_stream *stream, const volatile int *cancel);
/* The events of v1 traces, one after another, each a span, which says by index which it is: as Go's reader makes them, or with all that is known (order/v1_step.h). What
 * contradicts itself in one is told at its end: until there, it goes on. STWATCH_ERR_ARGUMENT where what comes behind a gap is of another process. */
void stw_stream_open_v1(stw_stream *stream, stw_mem *mem, const stw_span *spans, size_t count, stw_v1 *v1, bool as_go);
/* What a reading knows between two events beside its order: where it can go on. */
typedef struct stw_border {
	uint64_t offset; /* of a generation */
	uint64_t initial, number, syncs; /* as in stw_stream */
	int64_t last_time;
} stw_border;

/* The offset is not set: it is that of the generation that begins next. */
stw_border stw_stream_border(const stw_stream *stream);
/* Lets a stream that was just opened go on at a border, with the state that stw_order_save wrote there. False where it is no such state. */
bool stw_stream_resume(stw_stream *stream, const stw_border *border, stw_bytes_reader *state);
/* The same of a stream of one v1 trace, as Go's reader makes its events, whose ends of calls are packed: with the state that stw_v1_merge_save wrote.
 * STWATCH_ERR_DAMAGED where it is no such state, _MEMORY, _IO. */
stwatch_status stw_stream_resume_v1(stw_stream *stream, stw_bytes_reader *state, stwatch_error *error);
void stw_stream_close(stw_stream *stream);
/* *event is valid until the next call. STWATCH_OK, STWATCH_END, or an error, which stays unless the stream salvages. */
stwatch_status stw_stream_next(stw_stream *stream, const stw_stream_event **event, stwatch_error *error);
/* Whether a stream that has just returned STWATCH_ERR_DAMAGED goes on behind that. */
static inline bool stw_stream_goes_on(const stw_stream *stream)
{
	return stream->salvage && stream->failure.status == STWATCH_OK;
}

#endif
