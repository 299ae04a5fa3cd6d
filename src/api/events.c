#include <string.h>

#include "api/context.h"
#include "api/follow.h"
#include "api/inputs.h"
#include "api/stuck.h"
#include "base/error.h"
#include "engine/index.h"
#include "output/events_go.h"
#include "output/json_views.h"
#include "v2/headless.h"
#include "wire/header.h"

struct stwatch_reader {
	stw_mem *mem;
	const stw_source *source; /* one of the following */
	stw_source own;
	stw_growing *growing; /* NULL: it is not followed */
	stw_complete complete; /* then */
	uint64_t taken; /* generations */
	bool ended; /* nothing more comes */
	bool (*flush)(void *user); /* before each wait; NULL: nothing */
	void *flush_user;
	stw_v1 v1;
	stw_spans spans; /* of a reading past damage, unless it follows */
	stw_stream stream;
	stwatch_error lost; /* the first of what is, or the header; status OK: nothing */
	STW_VEC(char) details; /* a log's text can be a million bytes long */
};

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

static stwatch_status open_old(stwatch_reader *r, stwatch_context *context, unsigned minor, stwatch_error *error)
{
	context->symbols.asked = false;
	stwatch_status status = stw_v1_open(&r->v1, r->mem, r->source, minor, stw_context_namer(context), context->cancel, error);
	if (status == STWATCH_OK && (status = stw_context_check_names(context, error)) != STWATCH_OK)
		stw_v1_close(&r->v1);
	return status;
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
	stw_stream_open_spans(&r->stream, r->mem, r->source, version, r->spans.items, r->spans.count);
	return status;
}

/* headless: also what has no header. salvage: past damage. */
static stwatch_status open_stream(stwatch_reader *r, stwatch_context *context, bool headless, bool salvage, stwatch_error *error)
{
	unsigned minor;
	uint64_t begin = STW_HEADER_SIZE;
	stwatch_status status = headless ? stw_inputs_expect_trace(context, r->source, error) : STWATCH_OK;
	if (status != STWATCH_OK)
		return status;
	status = stw_header_read(r->source, &minor, error);
	if (status == STWATCH_ERR_FORMAT && headless)
		status = stw_headless_open(r->source, r->mem, context->cancel, &minor, &begin, &r->lost, error);
	if (status == STWATCH_OK && minor < STW_GO122)
		status = open_old(r, context, minor, error);
	if (status != STWATCH_OK)
		return status;
	if (r->v1.mem)
		stw_stream_open_v1(&r->stream, r->mem, r->source, &r->v1, true);
	else if (salvage && !r->growing)
		return open_spans(r, context, (stw_go_version)minor, begin, error);
	else
		stw_stream_open(&r->stream, r->mem, r->source, (stw_go_version)minor);
	if (r->growing && !r->v1.mem) {
		r->stream.wait = wait_for_generation;
		r->stream.wait_user = r;
		if (salvage)
			stw_stream_salvage(&r->stream, context->cancel);
	}
	return STWATCH_OK;
}

/* filter NULL: nothing is followed. salvage: past damage, also where the header is missing. */
static stwatch_status open_reader(stwatch_context *context, const char *path, const stwatch_events_filter *filter, bool salvage,
	stwatch_reader **out, stwatch_error *error)
{
	stwatch_reader *r = stw_mem_zalloc(&context->mem, sizeof *r);
	if (!r)
		return stw_fail_memory(error);
	r->mem = &context->mem;
	r->own.fd = -1;
	stwatch_status status = filter && filter->follow ? open_growing(r, context, path, filter->follow_silence_ns, error)
							 : open_source(r, context, path, error);
	if (status == STWATCH_OK)
		status = open_stream(r, context, salvage && !r->growing, salvage, error);
	if (status != STWATCH_OK) {
		stwatch_reader_free(r);
		return status;
	}
	*out = r;
	return STWATCH_OK;
}

stwatch_status stwatch_reader_open(stwatch_context *context, const char *path, stwatch_reader **out, stwatch_error *error)
{
	stwatch_error local;
	if (!error)
		error = &local;
	*error = (stwatch_error){.offset = STWATCH_NO_OFFSET};
	*out = NULL;
	return open_reader(context, path, NULL, false, out, error);
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
	stw_vec_free(r->mem, &r->details);
	stw_mem_free(r->mem, r, sizeof *r);
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

/* False when out of memory. */
static bool describe(stwatch_reader *r, const stw_stream_event *e, stwatch_event *out)
{
	stw_sink sink;
	r->details.count = 0;
	stw_sink_init(&sink, keep_details, r);
	stw_events_go_details(&sink, &r->stream, e);
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
	stwatch_status status = stw_stream_next(&r->stream, &e, error);
	if (status == STWATCH_OK)
		return describe(r, e, event) ? STWATCH_OK : stw_fail_memory(error);
	return status == STWATCH_END && r->source->cut ? stw_source_fail_cut(r->source, error) : status;
}

/* ---- printing ---- */

void stwatch_events_filter_init(stwatch_events_filter *filter)
{
	*filter = (stwatch_events_filter){.size = sizeof *filter, .goroutine = STWATCH_NONE, .proc = STWATCH_NONE, .thread = STWATCH_NONE};
}

static bool changes(const stw_stream_event *e, int64_t goroutine, int64_t proc)
{
	switch (e->type) {
	case STW_EV_ProcStart:
	case STW_EV_ProcSteal:
	case STW_EV_ProcStatus:
	case STW_EV_GCSweepActive: return proc != STWATCH_NONE && (int64_t)e->a[0] == proc;
	case STW_EV_GoCreate:
	case STW_EV_GoCreateBlocked:
	case STW_EV_GoCreateSyscall:
	case STW_EV_GoStart:
	case STW_EV_GoUnblock:
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack:
	case STW_EV_GoSwitch:
	case STW_EV_GoSwitchDestroy:
	case STW_EV_GCMarkAssistActive: return goroutine != STWATCH_NONE && (int64_t)e->a[0] == goroutine;
	default: return false;
	}
}

static bool passes(const stwatch_events_filter *f, const stw_stream_event *e, int64_t first)
{
	if (e->time - first < f->from_ns || (f->to_ns > 0 && e->time - first > f->to_ns))
		return false;
	if (f->kinds && !(f->kinds >> stw_stream_kind(e) & 1))
		return false;
	if (f->goroutine != STWATCH_NONE && e->g != f->goroutine && !changes(e, f->goroutine, STWATCH_NONE))
		return false;
	if (f->proc != STWATCH_NONE && e->p != f->proc && !changes(e, STWATCH_NONE, f->proc))
		return false;
	return f->thread == STWATCH_NONE || e->m == f->thread;
}

static void print_text(stw_sink *out, const stwatch_event *e, int64_t first)
{
	static const char *const labels[] = {" M", " P", " G"};
	int64_t ids[] = {e->thread, e->proc, e->goroutine}, t = e->time_ns - first;
	char digits[16];
	stw_sink_text(out, "+");
	stw_sink_int(out, t / 1000000);
	for (int64_t i = 0, rest = t % 1000000 < 0 ? 0 : t % 1000000; i < 6; i++, rest /= 10)
		digits[5 - i] = (char)('0' + rest % 10);
	stw_sink_text(out, ".");
	stw_sink_put(out, digits, 6);
	for (int i = 0; i < 3; i++) {
		stw_sink_text(out, labels[i]);
		if (ids[i] == STWATCH_NONE)
			stw_sink_text(out, "-");
		else
			stw_sink_int(out, ids[i]);
	}
	stw_sink_text(out, " ");
	stw_sink_text(out, e->name);
	stw_sink_text(out, e->details_length ? " " : "");
	stw_sink_put(out, e->details, e->details_length);
	stw_sink_text(out, "\n");
}

typedef struct printer {
	stwatch_reader *reader;
	bool part; /* only a part is read, by an index */
	uint64_t after; /* then: number of the sync event at which it ends */
	int64_t first; /* then: time of the trace's first event */
	stwatch_error ending; /* what the whole trace ends with; status OK: nothing */
	stwatch_events_format format;
	stw_sink out;
	stw_json json;
} printer;

static bool flush(void *user)
{
	printer *p = user;
	return stw_sink_flush(&p->out) == STWATCH_OK && stw_json_finish(&p->json) == STWATCH_OK;
}

static void print_one(printer *p, const stwatch_event *event, int64_t first)
{
	if (p->format == STWATCH_EVENTS_TEXT) {
		print_text(&p->out, event, first);
		return;
	}
	stw_output_event_json(event, first, &p->json);
	stw_json_end_line(&p->json);
}

/* Goes on past damage, where the stream does: the first is what the whole ends with. */
static stwatch_status next_event(printer *p, const stw_stream_event **e, stwatch_error *error)
{
	stwatch_status status;
	while ((status = stw_stream_next(&p->reader->stream, e, error)) == STWATCH_ERR_DAMAGED && stw_stream_goes_on(&p->reader->stream))
		if (p->ending.status == STWATCH_OK)
			p->ending = *error;
	return status;
}

static stwatch_status print_all(printer *p, const stwatch_context *context, const stwatch_events_filter *filter, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_event event;
	stwatch_status status;
	int64_t first = p->first;
	bool begun = p->part;
	while ((status = next_event(p, &e, error)) == STWATCH_OK) {
		if (context->cancel && *context->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (p->part && e->type == STW_EV_SYNC_POINT && e->a[0] == p->after && e->has_generation)
			break;
		if (!begun) {
			first = e->time;
			begun = true;
		}
		if (!passes(filter, e, first))
			continue;
		if (p->format == STWATCH_EVENTS_GO) {
			stw_events_go_print(&p->out, &p->reader->stream, e);
		} else {
			if (!describe(p->reader, e, &event))
				return stw_fail_memory(error);
			print_one(p, &event, first);
		}
		if (p->out.failed)
			return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
	}
	if ((status == STWATCH_OK || status == STWATCH_END) && p->ending.status != STWATCH_OK) {
		*error = p->ending;
		return p->ending.status;
	}
	return status == STWATCH_END ? STWATCH_OK : status;
}

/* ---- stays beyond the table of starvation ---- */

typedef struct stuck_printer {
	printer *p;
	const stwatch_events_filter *filter;
	stw_stuck stuck;
} stuck_printer;

static void print_stuck(void *user, const stwatch_event *event)
{
	const stuck_printer *s = user;
	const stwatch_events_filter *f = s->filter;
	int64_t at = event->time_ns - s->stuck.first;
	if (at < f->from_ns || (f->to_ns > 0 && at > f->to_ns) || (f->goroutine != STWATCH_NONE && event->goroutine != f->goroutine))
		return;
	print_one(s->p, event, s->stuck.first);
}

static stwatch_status print_all_stuck(printer *p, const stwatch_context *context, const stwatch_events_filter *filter, stwatch_error *error)
{
	const stw_stream_event *e;
	stw_stream *stream = &p->reader->stream;
	stuck_printer s = {.p = p, .filter = filter};
	stwatch_status status;
	if (!stw_stuck_init(&s.stuck, p->reader->mem, (unsigned)stream->version, filter->settings, print_stuck, &s))
		return stw_fail_memory(error);
	while ((status = next_event(p, &e, error)) == STWATCH_OK) {
		if (context->cancel && *context->cancel)
			status = stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		else if (!stw_stuck_take(&s.stuck, stream, e))
			status = stw_fail_memory(error);
		else if (p->out.failed)
			status = stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
		if (status != STWATCH_OK)
			break;
	}
	if (status == STWATCH_END || status == STWATCH_ERR_DAMAGED)
		stw_stuck_finish(&s.stuck);
	stw_stuck_free(&s.stuck);
	if (status == STWATCH_END && p->ending.status != STWATCH_OK) {
		*error = p->ending;
		return p->ending.status;
	}
	return status == STWATCH_END ? STWATCH_OK : status;
}

/* ---- a part, by an index ---- */

/* Which of the index's entries have any of the time; false: none. */
static bool find_part(const stw_index *index, const stwatch_events_filter *f, size_t *from, size_t *to)
{
	const stw_index_entry *e = index->entries.items;
	int64_t first = e[0].first;
	size_t n = index->entries.count;
	for (*from = 0; *from < n && e[*from].last - first < f->from_ns;)
		++*from;
	for (*to = *from; *to < n && (f->to_ns <= 0 || e[*to].first - first <= f->to_ns);)
		++*to;
	return *from < *to;
}

/* Lets the reading begin where the part does; a reading of the whole serves as well, so what fails is only noted. */
static void use_index(printer *p, const stw_index *index, const stwatch_events_filter *f, bool *nothing, const char **why)
{
	stwatch_reader *r = p->reader;
	stw_stream part;
	stwatch_error ignored;
	size_t from, to;
	*nothing = !find_part(index, f, &from, &to);
	if (!*nothing) {
		if (stw_index_seek(index, &part, r->mem, r->source, r->stream.version, &from, &ignored) != STWATCH_OK) {
			*why = "it is damaged";
			return;
		}
		stw_stream_close(&r->stream);
		r->stream = part;
	}
	p->part = true;
	p->after = to + 1; /* they are counted from 1 */
	p->first = index->entries.items[0].first;
	p->ending = index->failure;
}

static void look_for_index(printer *p, const char *path, const stwatch_events_filter *f, bool *nothing)
{
	char place[STW_INDEX_PATH];
	const char *why = NULL;
	stw_index index;
	if ((f->from_ns <= 0 && f->to_ns <= 0) || p->reader->growing || p->reader->source->spooled || p->reader->v1.mem)
		return;
	for (int cache = 0; cache < 2 && !p->part; cache++) {
		const char *this_why = NULL;
		if (!stw_index_path(place, path, cache) ||
			!stw_index_open(&index, p->reader->mem, p->reader->source, p->reader->stream.version, place, &this_why)) {
			why = this_why ? this_why : why;
			continue;
		}
		if (!p->reader->stream.salvage || index.failure.status == STWATCH_OK) /* else more can be read than it knows of */
			use_index(p, &index, f, nothing, &why);
		stw_index_close(&index);
	}
	if (why && !p->part && f->note)
		snprintf(f->note, f->note_size, "its index is not used: %s (stwatch index makes a new one)", why);
}

stwatch_status stwatch_events_print(stwatch_context *context, const char *path, stwatch_events_format format,
	const stwatch_events_filter *filter, stwatch_sink_fn sink, void *user, stwatch_error *error)
{
	stwatch_error local;
	stwatch_events_filter f;
	stwatch_reader *r = NULL;
	if (!error)
		error = &local;
	*error = (stwatch_error){.offset = STWATCH_NO_OFFSET};
	stwatch_events_filter_init(&f);
	if (filter)
		memcpy(&f, filter, filter->size < sizeof f ? filter->size : sizeof f);
	if (f.note && f.note_size)
		f.note[0] = '\0';
	stwatch_status status = open_reader(context, path, &f, format != STWATCH_EVENTS_GO, &r, error);
	if (status != STWATCH_OK)
		return status;
	printer *p = stw_mem_zalloc(&context->mem, sizeof *p);
	if (!p) {
		stwatch_reader_free(r);
		return stw_fail_memory(error);
	}
	p->reader = r;
	p->format = format;
	stw_sink_init(&p->out, sink, user);
	stw_json_init(&p->json, false, sink, user);
	r->flush = flush;
	r->flush_user = p;
	if (format != STWATCH_EVENTS_GO)
		p->ending = r->lost;
	if (format == STWATCH_EVENTS_GO && r->source->packing != STW_PACKED_NOT)
		status = stw_fail(error, STWATCH_ERR_FORMAT, 0,
			"compressed with %s, which Go's own tool does not read: unpack it, or use --format text or jsonl",
			r->source->packing == STW_PACKED_GZIP ? "gzip" : "zstd");
	else if (f.kinds >> STWATCH_EVENT_STUCK & 1)
		status = print_all_stuck(p, context, &f, error);
	else {
		bool nothing = false;
		look_for_index(p, path, &f, &nothing);
		status = nothing ? p->ending.status : print_all(p, context, &f, error);
		if (nothing && status != STWATCH_OK)
			*error = p->ending;
	}
	bool flushed = stw_sink_flush(&p->out) == STWATCH_OK,
	     finished = format != STWATCH_EVENTS_JSONL || stw_json_finish(&p->json) == STWATCH_OK;
	if (status == STWATCH_OK && r->source->cut)
		status = stw_source_fail_cut(r->source, error);
	if ((status == STWATCH_OK || status == STWATCH_ERR_DAMAGED) && (!flushed || !finished))
		status = stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
	stw_mem_free(&context->mem, p, sizeof *p);
	stwatch_reader_free(r);
	return status;
}
