/* Printing events. */
#include <string.h>

#include "api/context.h"
#include "api/reader.h"
#include "api/stuck.h"
#include "base/error.h"
#include "output/events_go.h"
#include "output/json_views.h"

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
	const stwatch_context *context;
	stwatch_reader *reader;
	bool broken; /* the event at hand, or its generation, does not go on where the one before it ended */
	uint64_t n_gaps; /* between traces */
	int64_t gaps_ns;
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

/* Keeps the first problem, which is what the whole ends with. */
static bool note_problem(printer *p, const stwatch_error *error)
{
	if (!p->reader->source)
		return stw_told_damage(&p->reader->told, &p->reader->stream, error);
	if (p->ending.status == STWATCH_OK)
		p->ending = *error;
	return true;
}

/* Goes on past damage, where the stream does. */
static stwatch_status next_event(printer *p, const stw_stream_event **e, stwatch_error *error)
{
	stwatch_status status;
	const stw_stream *s = &p->reader->stream;
	p->broken = false;
	while ((status = stw_reader_step(p->reader, e, error)) == STWATCH_ERR_DAMAGED && stw_stream_goes_on(s)) {
		if (!note_problem(p, error))
			return stw_fail_memory(error);
		p->broken = true;
	}
	if (status == STWATCH_OK && p->reader->gap) {
		p->n_gaps++;
		p->gaps_ns += p->reader->gap;
	}
	if (status == STWATCH_OK)
		p->broken |= (*e)->anew;
	return status;
}

/* What stops the printing beside the end; STWATCH_OK: nothing. */
static stwatch_status look_up(const printer *p, stwatch_error *error)
{
	const volatile int *cancel = p->context->cancel;
	if (cancel && *cancel)
		return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	return p->out.failed ? stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed") : STWATCH_OK;
}

static stwatch_status print_event(printer *p, const stw_stream_event *e, int64_t first, stwatch_error *error)
{
	stwatch_event event;
	if (p->format == STWATCH_EVENTS_GO) {
		stw_events_go_print(&p->out, &p->reader->stream, e);
		return STWATCH_OK;
	}
	if (!stw_reader_describe(p->reader, e, &event))
		return stw_fail_memory(error);
	print_one(p, &event, first);
	return STWATCH_OK;
}

static stwatch_status print_all(printer *p, const stwatch_events_filter *filter, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status;
	int64_t first = p->reader->part.first;
	bool begun = p->reader->part.on;
	while ((status = next_event(p, &e, error)) == STWATCH_OK) {
		if (!begun) {
			first = e->time;
			begun = true;
		}
		if (passes(filter, e, first))
			status = print_event(p, e, first, error);
		if (status == STWATCH_OK)
			status = look_up(p, error);
		if (status != STWATCH_OK)
			break;
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

static stwatch_status print_all_stuck(printer *p, const stwatch_events_filter *filter, stwatch_error *error)
{
	const stw_stream_event *e;
	stw_stream *stream = &p->reader->stream;
	stuck_printer s = {.p = p, .filter = filter};
	stwatch_status status;
	if (!stw_stuck_init(&s.stuck, p->reader->mem, (unsigned)stream->version, filter->settings, print_stuck, &s))
		return stw_fail_memory(error);
	while ((status = next_event(p, &e, error)) == STWATCH_OK) {
		if (p->broken)
			stw_stuck_gap(&s.stuck);
		status = stw_stuck_take(&s.stuck, stream, e) ? look_up(p, error) : stw_fail_memory(error);
		if (status != STWATCH_OK)
			break;
	}
	if (status == STWATCH_END || status == STWATCH_ERR_DAMAGED)
		stw_stuck_finish(&s.stuck);
	stw_stuck_free(&s.stuck);
	return status == STWATCH_END ? STWATCH_OK : status;
}

/* ---- all of it ---- */

static void tell_gaps(const printer *p)
{
	char room[STW_GAPS_ROOM];
	if (p->n_gaps)
		stw_context_note(p->context, "%s", stw_gaps_in_words(room, p->n_gaps, p->gaps_ns));
}

/* What Go's own tool would not print. */
static stwatch_status refuse_as_go(const stwatch_reader *r, stwatch_error *error)
{
	if (!r->source)
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
			"Go's own tool reads one trace at a time, and so does --format go: give one, or use --format text or jsonl");
	if (r->source->packing != STW_PACKED_NOT)
		return stw_fail(error, STWATCH_ERR_FORMAT, 0,
			"compressed with %s, which Go's own tool does not read: unpack it, or use --format text or jsonl",
			r->source->packing == STW_PACKED_GZIP ? "gzip" : "zstd");
	return STWATCH_OK;
}

/* What the traces end with, where nothing else went wrong. */
static stwatch_status conclude(const printer *p, stwatch_status status, stwatch_error *error)
{
	const stwatch_reader *r = p->reader;
	if (status != STWATCH_OK)
		return status;
	if (p->ending.status != STWATCH_OK) {
		*error = p->ending;
		return p->ending.status;
	}
	if (!r->source)
		return stw_told_verdict(&r->told, status, error);
	return r->source->cut ? stw_source_fail_cut(r->source, error) : STWATCH_OK;
}

static stwatch_status print_to(printer *p, stwatch_sink_fn sink, void *user, const stwatch_events_filter *f, stwatch_error *error)
{
	stwatch_reader *r = p->reader;
	stw_sink_init(&p->out, sink, user);
	stw_json_init(&p->json, false, sink, user);
	r->flush = flush;
	r->flush_user = p;
	p->ending = r->part.ending;
	if (p->ending.status == STWATCH_OK && p->format != STWATCH_EVENTS_GO)
		p->ending = r->lost;
	stwatch_status status = p->format == STWATCH_EVENTS_GO ? refuse_as_go(r, error) : STWATCH_OK;
	if (status == STWATCH_OK)
		status = f->kinds >> STWATCH_EVENT_STUCK & 1 ? print_all_stuck(p, f, error) : print_all(p, f, error);
	bool flushed = stw_sink_flush(&p->out) == STWATCH_OK,
	     finished = p->format != STWATCH_EVENTS_JSONL || stw_json_finish(&p->json) == STWATCH_OK;
	tell_gaps(p);
	status = conclude(p, status, error);
	if ((status == STWATCH_OK || status == STWATCH_ERR_DAMAGED) && (!flushed || !finished))
		status = stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
	return status;
}

stwatch_status stwatch_events_print(stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_events_format format,
	const stwatch_events_filter *filter, stwatch_sink_fn sink, void *user, stwatch_error *error)
{
	stwatch_error local;
	stwatch_events_filter f;
	stwatch_reader *r = NULL;
	error = stw_error_begin(error, &local);
	stwatch_events_filter_init(&f);
	stw_options_take(&f, sizeof f, filter);
	if (n_paths == 0 || (f.follow && n_paths > 1))
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
			n_paths ? "one input at a time can be followed (%zu were given)" : "no input was given", n_paths);
	stwatch_status status = stw_reader_open(context, paths, n_paths, &f, format != STWATCH_EVENTS_GO, &r, error);
	if (status != STWATCH_OK)
		return status;
	printer *p = stw_mem_zalloc(&context->mem, sizeof *p);
	if (p) {
		p->context = context;
		p->reader = r;
		p->format = format;
		status = print_to(p, sink, user, &f, error);
	} else {
		status = stw_fail_memory(error);
	}
	stw_mem_free(&context->mem, p, p ? sizeof *p : 0);
	stwatch_reader_free(r);
	return status;
}
