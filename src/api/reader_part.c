/* Opening a part of a trace by its index. */
#include "api/reader.h"
#include "base/error.h"
#include "engine/index.h"
#include "v1/unnamed.h"

static bool is_windowed(const stwatch_events_filter *f)
{
	return (f->from_ns > 0 || f->to_ns > 0) && !(f->kinds >> STWATCH_EVENT_STUCK & 1);
}

/* A reading of the whole serves as well. */
static void tell_unused(const stwatch_context *context, const char *path, const stwatch_events_filter *f, const char *why)
{
	if (why && is_windowed(f))
		stw_context_tell_unused(context, path, why);
}

static bool find(stwatch_reader *r, const stwatch_context *context, const char *path, const stwatch_events_filter *f,
	stw_go_version version, stw_index *index)
{
	const char *why;
	if (r->growing || r->source->spooled)
		return false;
	bool found = stw_index_find(index, r->mem, r->source, version, path, &why);
	if (!found)
		tell_unused(context, path, f, why);
	return found;
}

static bool choose(stwatch_reader *r, const stw_index *index, const stwatch_events_filter *f, stw_index_part *part)
{
	const bool windowed = is_windowed(f), any = stw_index_choose(index, windowed ? f->from_ns : 0, windowed ? f->to_ns : 0, part);
	r->part = (stw_reader_part){
		.on = true, .left = any ? part->events : 0, .first = index->entries.items[0].first, .ending = index->failure};
	return any;
}

bool stw_reader_open_part(stwatch_reader *r, const stwatch_context *context, const char *path, const stwatch_events_filter *f,
	stw_go_version version, bool salvage)
{
	stw_index index;
	stw_index_part part;
	stwatch_error ignored;
	stwatch_status status = STWATCH_OK;
	if (!is_windowed(f) || !find(r, context, path, f, version, &index))
		return false;
	bool used = !salvage || stw_index_is_of_sound(&index); /* else more can be read than it knows of, or in another order */
	if (used && !choose(r, &index, f, &part))
		stw_stream_open(&r->stream, r->mem, r->source, version);
	else if (used)
		status = stw_index_seek(&index, &part, &r->stream, r->mem, r->source, version, &ignored);
	if (status != STWATCH_OK) {
		tell_unused(context, path, f, "it is damaged");
		r->stream.mem = NULL;
		r->part.on = used = false;
	}
	stw_index_close(&index);
	return used;
}

static void close_all(stwatch_reader *r)
{
	if (r->stream.mem)
		stw_stream_close(&r->stream);
	r->stream.mem = NULL;
	stw_v1_close(&r->v1);
	r->spans.count = 0;
	r->part.on = false;
}

static stwatch_status open_at(stwatch_reader *r, const stw_index *index, const stwatch_events_filter *f, stwatch_error *error)
{
	stw_index_part part;
	stwatch_status status = stw_reader_open_stream_v1(r, error);
	if (status != STWATCH_OK || !choose(r, index, f, &part))
		return status;
	return stw_index_seek_v1(index, &part, &r->stream, error);
}

stwatch_status stw_reader_open_part_v1(
	stwatch_reader *r, stwatch_context *context, const char *path, const stwatch_events_filter *f, unsigned minor, stwatch_error *error)
{
	stw_index index;
	if (!find(r, context, path, f, (stw_go_version)minor, &index))
		return STWATCH_END;
	context->symbols.asked = false;
	stwatch_status status = stw_v1_open_read(&r->v1, r->mem, r->source, &index.v1, stw_context_namer(context), error);
	if (status == STWATCH_OK)
		status = stw_context_check_names(context, error);
	if (status == STWATCH_OK) {
		stw_v1_unnamed_tell(&r->v1.index, &r->lost);
		status = open_at(r, &index, f, error);
		if (status == STWATCH_ERR_DAMAGED || status == STWATCH_ERR_IO) {
			tell_unused(context, path, f, "it is damaged");
			status = STWATCH_END;
		}
	}
	if (status != STWATCH_OK)
		close_all(r);
	stw_index_close(&index);
	return status;
}
