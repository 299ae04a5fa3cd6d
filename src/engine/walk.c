#include "engine/walk.h"

#include "base/error.h"

enum { EVENTS_A_PAUSE = 1 << 16 };

typedef struct walking {
	const stw_trace *trace;
	const stw_walk *walk;
	const stw_run_options *options;
	stw_stream stream;
	uint64_t done; /* bytes of the spans before the one at hand */
	bool begun; /* a generation has */
} walking;

/* Said where a generation does not go on where the one before it ended. */
static void note_generation(walking *w, bool anew)
{
	if (w->begun && anew && w->walk->gap)
		w->walk->gap(w->walk->user);
	w->begun = true;
}

static stwatch_status pause(walking *w, stwatch_error *error)
{
	const stw_run_options *o = w->options;
	if (o->cancel && *o->cancel)
		return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	if (o->progress)
		o->progress(o->progress_user, w->done, w->trace->n_bytes);
	return STWATCH_OK;
}

static stwatch_status read_on(walking *w, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status;
	size_t at = stw_stream_at(&w->stream);
	for (uint64_t n = 0; (status = stw_stream_next(&w->stream, &e, error)) == STWATCH_OK; n++) {
		if (e->type == STW_EV_FORGOTTEN) {
			w->walk->forgotten(w->walk->user, e->a[1] != 0, (int64_t)e->a[0], e->time);
			continue;
		}
		if (e->type == STW_EV_SYNC_POINT && e->has_generation) {
			for (; at < stw_stream_at(&w->stream); at++)
				w->done += w->trace->spans.items[at].end - w->trace->spans.items[at].begin;
			note_generation(w, e->anew);
		}
		if (!w->walk->event(w->walk->user, &w->stream, e))
			return stw_fail_memory(error);
		if (n % EVENTS_A_PAUSE == 0 && (status = pause(w, error)) != STWATCH_OK)
			return status;
	}
	return status;
}

/* Tells of damage. False when out of memory. */
static bool tell(walking *w, const stwatch_error *error, bool goes_on)
{
	if (w->walk->damage && !w->walk->damage(w->walk->user, &w->stream, error))
		return false;
	if (goes_on && w->walk->gap)
		w->walk->gap(w->walk->user);
	return true;
}

stwatch_status stw_trace_walk(const stw_trace *t, const stw_run_options *options, const stw_walk *walk, stwatch_error *error)
{
	walking w = {.trace = t, .walk = walk, .options = options};
	stwatch_status status;
	if (t->v1)
		stw_stream_open_v1(&w.stream, t->mem, t->spans.items, t->spans.count, t->v1, walk->as_go);
	else
		stw_stream_open_spans(&w.stream, t->mem, t->spans.items, t->spans.count);
	w.stream.tells_forgotten = walk->forgotten != NULL;
	while ((status = read_on(&w, error)) == STWATCH_ERR_DAMAGED) {
		const bool goes_on = stw_stream_goes_on(&w.stream);
		if (!tell(&w, error, goes_on))
			status = stw_fail_memory(error);
		if (!goes_on || status != STWATCH_ERR_DAMAGED)
			break;
	}
	stw_stream_close(&w.stream);
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}
