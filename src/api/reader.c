/* Opening and reading: from paths to events in words. */
#include "api/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "output/events_go.h"
#include "v1/unnamed.h"

static stwatch_status wait_for_more(stwatch_reader *r, stwatch_error *error)
{
	if (r->flush && !r->flush(r->flush_user))
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
	stwatch_status status = stw_growing_wait(r->growing, INT64_MAX, error);
	r->ended = status == STWATCH_END;
	return r->ended ? STWATCH_OK : status;
}

/* The wait of a stream. */
static stwatch_status wait_for_generation(void *user, stwatch_error *error)
{
	stwatch_reader *r = user;
	stwatch_status status = STWATCH_OK;
	while (status == STWATCH_OK && !r->ended && r->complete.generations <= r->taken)
		if (!stw_complete_next(&r->complete))
			status = wait_for_more(r, error);
	r->taken++;
	return status;
}

static stwatch_status open_source(stwatch_reader *r, const stwatch_context *context, const char *path, stwatch_error *error)
{
	const stw_source_options opening = stw_context_opening(context);
	r->source = &r->own;
	return stw_source_open(&r->own, path, &opening, error);
}

static stwatch_status open_growing(
	stwatch_reader *r, const stwatch_context *context, const char *path, int64_t silence_ns, stwatch_error *error)
{
	const stw_source_options opening = {.cancel = context->cancel, .unpack_limit = context->unpack_limit};
	r->growing = stw_mem_zalloc(r->mem, sizeof *r->growing);
	if (!r->growing)
		return stw_fail_memory(error);
	r->source = &r->growing->source;
	stwatch_status status = stw_growing_open(r->growing, path, &opening, silence_ns, error);
	if (status == STWATCH_OK)
		status = stw_complete_begin(&r->complete, r->source, r->mem, context->cancel, error);
	while (status == STWATCH_OK && !r->complete.follows && !r->ended) /* all of it, then */
		status = wait_for_more(r, error);
	return status;
}

static void close_source(stwatch_reader *r)
{
	stw_source_close(&r->own);
	if (r->growing)
		stw_growing_close(r->growing);
	stw_mem_free(r->mem, r->growing, sizeof *r->growing);
}

stwatch_status stw_reader_open_stream_v1(stwatch_reader *r, stwatch_error *error)
{
	stw_span *span = stw_vec_push(r->mem, &r->spans);
	if (!span)
		return stw_fail_memory(error);
	*span = (stw_span){.source = r->source, .generation = 1, .end = r->source->size};
	stw_stream_open_v1(&r->stream, r->mem, r->spans.items, 1, &r->v1, true);
	return STWATCH_OK;
}

/* Another trace stands behind it: as several inputs are read, but this one is open. */
static stwatch_status open_joined(stwatch_reader *r, stwatch_context *context, const char *path, stwatch_error *error)
{
	const stw_trace *t = &r->told.trace;
	stw_source source = *r->source;
	stw_v1_close(&r->v1);
	source.fd = fcntl(source.fd, F_DUPFD_CLOEXEC, 0);
	if (source.fd < 0)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't open it again: %s", strerror(errno));
	stwatch_status status = stw_told_take(&r->told, context, path, &source, error);
	if (status != STWATCH_OK)
		return status;
	r->source = NULL;
	stw_stream_open_v1(&r->stream, r->mem, t->spans.items, t->spans.count, t->v1, true);
	return STWATCH_OK;
}

/* To Go's reader it is no trace any more where another one begins. */
static stwatch_status end_at_next(stwatch_reader *r, stwatch_error *error)
{
	stwatch_error next;
	stw_v1_fail_next(&r->v1.index, "", &next);
	return stw_v1_index_problem(&r->v1.index, next.offset, next.message) ? STWATCH_OK : stw_fail_memory(error);
}

static stwatch_status open_old(stwatch_reader *r, stwatch_context *context, const char *path, const stwatch_events_filter *f,
	const stw_v1_entry *entry, bool salvage, stwatch_error *error)
{
	stwatch_status status = STWATCH_END;
	if (entry->missing.status == STWATCH_OK)
		status = stw_reader_open_part_v1(r, context, path, f, entry->minor, error);
	if (status != STWATCH_END)
		return status;
	context->symbols.asked = false;
	status = stw_v1_open(&r->v1, r->mem, r->source, entry, stw_context_namer(context), context->threads, context->cancel, error);
	if (status == STWATCH_OK && (status = stw_context_check_names(context, error)) != STWATCH_OK)
		stw_v1_close(&r->v1);
	if (status == STWATCH_OK && r->v1.index.next) {
		if (salvage)
			return open_joined(r, context, path, error);
		status = end_at_next(r, error);
	}
	if (status == STWATCH_OK)
		stw_v1_unnamed_tell(&r->v1.index, &r->lost);
	return status == STWATCH_OK ? stw_reader_open_stream_v1(r, error) : status;
}

static bool note_lost(void *user, const stwatch_error *loss, uint64_t to)
{
	stwatch_reader *r = user;
	(void)to;
	if (r->lost.status == STWATCH_OK)
		r->lost = *loss;
	return true;
}

/* Past damage: all of its generations are found first. */
static stwatch_status open_spans(
	stwatch_reader *r, const stwatch_context *context, stw_go_version version, uint64_t begin, stwatch_error *error)
{
	stwatch_status status = stw_spans_read(&r->spans, r->mem, r->source, version, begin, note_lost, r, context->cancel, error);
	stw_stream_open_spans(&r->stream, r->mem, r->spans.items, r->spans.count);
	return status;
}

/* Generation by generation. What can't be, as it is of format v1 or its header is missing, is all there when it is opened. */
static bool follows(const stwatch_reader *r)
{
	return r->growing && r->complete.follows;
}

/* headless: also what has no header. salvage: past damage. */
static stwatch_status open_stream(stwatch_reader *r, stwatch_context *context, const char *path, const stwatch_events_filter *f,
	bool headless, bool salvage, stwatch_error *error)
{
	stw_beginning b;
	stwatch_status status = headless ? stw_inputs_expect_trace(r->source, r->mem, context->cancel, error) : STWATCH_OK;
	if (status != STWATCH_OK)
		return status;
	status = stw_beginning_read(r->source, r->mem, headless, context->cancel, &b, error);
	if (status != STWATCH_OK)
		return status;
	if (b.minor < STW_GO122)
		return open_old(r, context, path, f, &b.v1, salvage, error);
	const stw_go_version version = (stw_go_version)b.minor;
	if (b.missing.status != STWATCH_OK)
		r->lost = b.missing;
	else if (stw_reader_open_part(r, context, path, f, version, salvage))
		return STWATCH_OK;
	if (salvage && !follows(r))
		return open_spans(r, context, version, b.begin, error);
	stw_stream_open(&r->stream, r->mem, r->source, version);
	if (r->growing) {
		r->stream.wait = wait_for_generation;
		r->stream.wait_user = r;
		if (salvage)
			stw_stream_salvage(&r->stream, context->cancel);
	}
	return STWATCH_OK;
}

static stwatch_status open_one(
	stwatch_reader *r, stwatch_context *context, const char *path, const stwatch_events_filter *f, bool salvage, stwatch_error *error)
{
	stwatch_status status = f->follow ? open_growing(r, context, path, f->follow_silence_ns, error)
					  : open_source(r, context, path, error);
	return status == STWATCH_OK ? open_stream(r, context, path, f, salvage && !follows(r), salvage, error) : status;
}

static stwatch_status open_several(
	stwatch_reader *r, stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_error *error)
{
	const stw_trace *t = &r->told.trace;
	stwatch_status status = stw_told_open(&r->told, context, paths, n_paths, error);
	if (status != STWATCH_OK)
		return status;
	if (t->v1)
		stw_stream_open_v1(&r->stream, r->mem, t->spans.items, t->spans.count, t->v1, true);
	else
		stw_stream_open_spans(&r->stream, r->mem, t->spans.items, t->spans.count);
	return STWATCH_OK;
}

stwatch_status stw_reader_open(stwatch_context *context, const char *const *paths, size_t n_paths, const stwatch_events_filter *filter,
	bool salvage, stwatch_reader **out, stwatch_error *error)
{
	stwatch_reader *r = stw_mem_zalloc(&context->mem, sizeof *r);
	if (!r)
		return stw_fail_memory(error);
	r->mem = &context->mem;
	r->own.fd = -1;
	r->last = INT64_MIN;
	stw_told_init(&r->told, r->mem);
	stwatch_status status = n_paths == 1 && (filter->follow || !stw_inputs_is_folder(paths[0]))
		? open_one(r, context, paths[0], filter, salvage, error)
		: open_several(r, context, paths, n_paths, error);
	if (status != STWATCH_OK)
		stwatch_reader_free(r);
	else
		*out = r;
	return status;
}

stwatch_status stwatch_reader_open(stwatch_context *context, const char *path, stwatch_reader **out, stwatch_error *error)
{
	stwatch_error local;
	stwatch_events_filter filter;
	error = stw_error_begin(error, &local);
	stwatch_events_filter_init(&filter);
	*out = NULL;
	return stw_reader_open(context, &path, 1, &filter, false, out, error);
}

void stwatch_reader_free(stwatch_reader *r)
{
	if (!r)
		return;
	if (r->stream.mem)
		stw_stream_close(&r->stream);
	stw_vec_free(r->mem, &r->spans);
	stw_v1_close(&r->v1);
	close_source(r);
	stw_told_free(&r->told);
	stw_vec_free(r->mem, &r->details);
	stw_mem_free(r->mem, r, sizeof *r);
}

stwatch_status stw_reader_step(stwatch_reader *r, const stw_stream_event **e, stwatch_error *error)
{
	if (r->part.on && r->part.left == 0)
		return STWATCH_END;
	stwatch_status status = stw_stream_next(&r->stream, e, error);
	if (r->part.on && status == STWATCH_OK && r->part.left != UINT64_MAX)
		r->part.left--;
	if (status != STWATCH_OK)
		return status;
	bool gap = (*e)->type == STW_EV_SYNC_POINT && (*e)->has_generation && r->stream.span.joint == STW_JOINT_GAP;
	r->gap = gap && r->last < (*e)->time ? (*e)->time - r->last : 0;
	r->last = (*e)->time;
	return STWATCH_OK;
}

static int keep_details(void *user, const char *data, size_t length)
{
	stwatch_reader *r = user;
	if (!stw_vec_reserve(r->mem, &r->details, r->details.count + length))
		return -1;
	memcpy(r->details.items + r->details.count, data, length);
	r->details.count += length;
	return 0;
}

bool stw_reader_describe(stwatch_reader *r, const stw_stream_event *e, stwatch_event *out)
{
	stw_sink sink;
	r->details.count = 0;
	stw_sink_init(&sink, keep_details, r);
	stw_events_go_details(&sink, &r->stream, e);
	if (r->gap) {
		stw_sink_text(&sink, " Gap=");
		stw_sink_int(&sink, r->gap);
	}
	bool ok = stw_sink_flush(&sink) == STWATCH_OK;
	size_t skip = r->details.count && r->details.items[0] == ' ';
	*out = (stwatch_event){
		.time_ns = e->time,
		.kind = (stwatch_event_kind)stw_stream_kind(e),
		.name = e->type == STW_EV_SYNC_POINT ? "Sync" : stw_event_spec_of(e->type)->name,
		.goroutine = e->g,
		.proc = e->p,
		.thread = e->m,
		.details = r->details.count ? r->details.items + skip : "",
		.details_length = r->details.count - skip,
	};
	return ok;
}

stwatch_status stwatch_reader_next(stwatch_reader *r, stwatch_event *event, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status = stw_reader_step(r, &e, error);
	if (status == STWATCH_OK)
		return stw_reader_describe(r, e, event) ? STWATCH_OK : stw_fail_memory(error);
	return status == STWATCH_END && r->source->cut ? stw_source_fail_cut(r->source, error) : status;
}
