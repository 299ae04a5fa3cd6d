/* A trace that is still being written. What is there, up to the last generation that is complete, is analysed again and again, each time as a
 * trace of its own: so what is told on the way is what would be told at that point, and the last result that of the whole. */
#include <time.h>
#include <unistd.h>

#include "api/analyze.h"
#include "api/follow.h"
#include "base/error.h"
#include "wire/header.h"

/* An analysis of n bytes takes a time t; the next one begins t × SHARE later at the earliest, and not within PAUSE_NS. */
enum { SHARE = 4, PAUSE_NS = 1000000000 };

typedef struct following {
	stwatch_context *context; /* without a bar meanwhile */
	const char *path;
	const stwatch_analyze_options *options;
	stw_growing growing;
	stw_complete complete;
	int64_t next; /* time of the next analysis, CLOCK_MONOTONIC */
	uint64_t told; /* bytes that the last one had */
	stwatch_error *error;
} following;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- how far it is complete ---- */

stwatch_status stw_complete_begin(stw_complete *c, const stw_source *source, stw_mem *mem, const volatile int *cancel, stwatch_error *error)
{
	unsigned minor;
	*c = (stw_complete){0};
	stwatch_status status = stw_header_read(source, &minor, error);
	c->follows = status == STWATCH_OK && minor >= STW_GO122;
	if (c->follows) {
		stw_scan_init(&c->scan, source, (stw_go_version)minor);
		stw_scan_salvage(&c->scan, mem, NULL, NULL, cancel);
	}
	return status == STWATCH_ERR_IO ? status : STWATCH_OK;
}

/* To Go 1.25 a generation ends where the next begins, since 1.26 with an event of its own; or it is cut off by damage, behind which another goes on. What
 * looks like damage up to the end of what is there may just not be there yet. */
bool stw_complete_next(stw_complete *c)
{
	stw_span span;
	stwatch_error ignored;
	if (!c->follows)
		return false;
	stw_scan ahead = c->scan;
	ahead.window_size = 0; /* what it holds may end earlier than the input does by now */
	if (stw_scan_next(&ahead, &span, &ignored) != STWATCH_OK || ahead.done)
		return false;
	c->scan = ahead;
	c->end = ahead.offset;
	c->generations++;
	return true;
}

/* ---- analyses on the way ---- */

static stwatch_status tell(following *f)
{
	stwatch_analysis *analysis = NULL;
	stw_source part = f->growing.source;
	const int64_t begun = now();
	part.size = part.file_size = f->told = f->complete.end;
	stwatch_status status = stw_analyze_source(f->context, f->path, &part, f->options, false, &analysis, f->error);
	if (analysis && status != STWATCH_ERR_CANCELLED)
		f->options->update(f->options->update_user, analysis);
	stwatch_analysis_free(analysis);
	const int64_t pause = (now() - begun) * SHARE;
	f->next = now() + (pause > PAUSE_NS ? pause : PAUSE_NS);
	return status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}

static stwatch_status follow(following *f)
{
	stwatch_status status = stw_complete_begin(&f->complete, &f->growing.source, &f->context->mem, f->context->cancel, f->error);
	while (status == STWATCH_OK) {
		while (stw_complete_next(&f->complete))
			;
		const bool news = f->options->update && f->complete.end > f->told;
		if (news && now() >= f->next)
			status = tell(f);
		if (status == STWATCH_OK)
			status = stw_growing_wait(&f->growing, news && f->complete.end > f->told ? f->next : INT64_MAX, f->error);
	}
	return status;
}

/* Of everything; or, interrupted, of what is complete, if anything is. */
static stwatch_status conclude(following *f, bool interrupted, stwatch_analysis **out)
{
	stw_source source = f->growing.source;
	if (interrupted && f->complete.end)
		source.size = source.file_size = f->complete.end;
	const volatile int *cancel = f->context->cancel;
	if (interrupted)
		f->context->cancel = NULL;
	stwatch_status status = stw_analyze_source(f->context, f->path, &source, f->options, interrupted, out, f->error);
	f->context->cancel = cancel;
	return status;
}

stwatch_status stw_follow(
	stwatch_context *context, const char *path, const stwatch_analyze_options *options, stwatch_analysis **out, stwatch_error *error)
{
	const stw_source_options opening = {.cancel = context->cancel, .unpack_limit = context->unpack_limit};
	following *f = stw_mem_zalloc(&context->mem, sizeof *f);
	if (!f)
		return stw_fail_memory(error);
	f->context = context;
	f->path = path;
	f->options = options;
	f->error = error;
	stwatch_status status = stw_growing_open(&f->growing, path, &opening, options->follow_silence_ns, error);
	if (status == STWATCH_OK) {
		const stwatch_progress_fn progress = context->progress;
		context->progress = NULL;
		status = follow(f);
		if (status == STWATCH_END || (status == STWATCH_ERR_CANCELLED && f->growing.source.size))
			status = conclude(f, status == STWATCH_ERR_CANCELLED, out);
		context->progress = progress;
	}
	stw_growing_close(&f->growing);
	stw_mem_free(&context->mem, f, sizeof *f);
	return status;
}
