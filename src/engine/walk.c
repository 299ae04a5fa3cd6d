#include "engine/walk.h"

#include "base/error.h"

enum { EVENTS_A_PAUSE = 1 << 16 };

static void open_stream(const stw_trace *t, const stw_walk *w, stw_stream *stream)
{
	if (t->v1)
		stw_stream_open_v1(stream, t->mem, &t->inputs[0].source, t->v1, w->as_go);
	else
		stw_stream_open_spans(stream, t->mem, &t->inputs[0].source, t->inputs[0].version, t->spans.items, t->spans.count);
	stream->tells_forgotten = w->forgotten != NULL;
}

static stwatch_status read_on(stw_stream *stream, const stw_run_options *options, const stw_walk *w, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status;
	for (uint64_t n = 0; (status = stw_stream_next(stream, &e, error)) == STWATCH_OK; n++) {
		if (e->type == STW_EV_FORGOTTEN) {
			w->forgotten(w->user, e->a[1] != 0, (int64_t)e->a[0], e->time);
			continue;
		}
		if (e->anew && w->gap)
			w->gap(w->user);
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
	while ((status = read_on(&stream, options, w, error)) == STWATCH_ERR_DAMAGED) {
		if (w->damage && !w->damage(w->user, &stream, error))
			status = stw_fail_memory(error);
		if (!stw_stream_goes_on(&stream) || status != STWATCH_ERR_DAMAGED)
			break;
		if (w->gap)
			w->gap(w->user);
	}
	stw_stream_close(&stream);
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}
