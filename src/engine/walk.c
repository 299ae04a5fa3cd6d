#include "engine/walk.h"

#include "base/error.h"

enum { EVENTS_A_PAUSE = 1 << 16 };

static void open_stream(const stw_trace *t, const stw_walk *w, stw_stream *stream)
{
	if (t->v1)
		stw_stream_open_v1(stream, t->mem, &t->inputs[0].source, t->v1, w->as_go);
	else
		stw_stream_open(stream, t->mem, &t->inputs[0].source, t->inputs[0].version);
	if (!t->v1 && t->spans.count && t->spans.items[0].damaged) { /* what lies before its begin is told by the trace's problems */
		stream->scan.offset = t->spans.items[0].begin;
		stream->scan.behind_loss = true;
	}
}

static stwatch_status read_on(stw_stream *stream, const stw_run_options *options, const stw_walk *w, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status;
	for (uint64_t n = 0; (status = stw_stream_next(stream, &e, error)) == STWATCH_OK; n++) {
		if (!w->event(w->user, stream, e))
			return stw_fail_memory(error);
		if (n % EVENTS_A_PAUSE)
			continue;
		if (options->cancel && *options->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (options->progress)
			options->progress(options->progress_user, stream->span.begin, stream->source->size);
	}
	return status;
}

stwatch_status stw_trace_walk(const stw_trace *t, const stw_run_options *options, const stw_walk *w, stwatch_error *error)
{
	stw_stream stream;
	stwatch_status status;
	open_stream(t, w, &stream);
	if (!t->v1)
		stw_stream_salvage(&stream, options->cancel);
	while ((status = read_on(&stream, options, w, error)) == STWATCH_ERR_DAMAGED) {
		const bool goes_on = stream.salvage && stream.failure.status == STWATCH_OK;
		if (w->damage && !w->damage(w->user, &stream, error, goes_on))
			status = stw_fail_memory(error);
		if (!goes_on || status != STWATCH_ERR_DAMAGED)
			break;
	}
	stw_stream_close(&stream);
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}
