#include "api/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/inputs.h"
#include "base/error.h"
#include "wire/http.h"

const char *stwatch_version(void)
{
	return STWATCH_VERSION_STRING;
}

bool stwatch_has(const char *part)
{
#ifdef STWATCH_PROTOBUF
	if (strcmp(part, "pprof") == 0)
		return true;
#endif
	return strcmp(part, "http") == 0 && stw_http_available();
}

static unsigned online_processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

stwatch_status stwatch_context_create(const stwatch_context_options *options, stwatch_context **out)
{
	stwatch_context_options o = {0};
	if (!out)
		return STWATCH_ERR_ARGUMENT;
	*out = NULL;
	if (options) {
		if (options->size < sizeof(size_t) || options->threads > 256)
			return STWATCH_ERR_ARGUMENT;
		stw_options_take(&o, sizeof o, options);
	}
	stw_mem mem;
	stw_mem_init(&mem, o.resize, o.resize_user, o.memory_limit);
	stwatch_context *c = mem.resize(mem.user, NULL, 0, sizeof *c);
	if (!c)
		return STWATCH_ERR_MEMORY;
	memset(c, 0, sizeof *c);
	stw_mem_init(&c->mem, o.resize, o.resize_user, o.memory_limit);
	c->threads = o.threads ? o.threads : online_processors();
	c->progress = o.progress;
	c->progress_user = o.progress_user;
	c->cancel = o.cancel;
	c->unpack_limit = o.unpack_limit;
	c->note = o.note;
	c->note_user = o.note_user;
	*out = c;
	return STWATCH_OK;
}

void stw_options_take(void *to, size_t room, const void *from)
{
	size_t size;
	if (!from)
		return;
	memcpy(&size, from, sizeof size);
	memcpy(to, from, size < room ? size : room);
}

void stw_context_note(const stwatch_context *c, const char *format, ...)
{
	char line[2 * STWATCH_MESSAGE_MAX];
	va_list arguments;
	if (!c->note)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	c->note(c->note_user, line);
}

void stw_context_tell_unused(const stwatch_context *c, const char *path, const char *why)
{
	stw_context_note(c, "%s: its index is not used: %s (stwatch index makes a new one)", path, why);
}

stw_source_options stw_context_opening(const stwatch_context *c)
{
	return (stw_source_options){
		.cancel = c->cancel, .progress = c->progress, .progress_user = c->progress_user, .unpack_limit = c->unpack_limit};
}

/* ---- binaries ---- */

static stwatch_status read_binary(stwatch_context *c, const char *path, const stw_source *source, stwatch_error *error)
{
	stw_likeness like;
	stw_companion *binary;
	stwatch_status status = stw_companion_recognise(source, &c->mem, c->cancel, &like, error);
	if (status != STWATCH_OK)
		return status;
	if (like != STW_LIKE_BINARY)
		return stw_fail(error, STWATCH_ERR_FORMAT, 0, "this is no Go program's binary (beside one trace, only that is expected)");
	status = stw_companion_read(&binary, &c->mem, path, 0, source, c->cancel, error);
	if (status != STWATCH_OK)
		return status;
	stw_companion **slot = stw_companion_binary(binary) ? stw_vec_push(&c->mem, &c->binaries) : NULL;
	if (slot) {
		*slot = binary;
		c->binaries_list = (stw_companions){c->binaries.items, c->binaries.count};
		stw_symbols_init(&c->symbols, &c->binaries_list);
		return STWATCH_OK;
	}
	status = stw_companion_binary(binary)
		? stw_fail_memory(error)
		: stw_fail(error, STWATCH_ERR_FORMAT, 0, "this is no Go program's binary (beside one trace, only that is expected)");
	stw_companion_free(binary);
	return status;
}

stwatch_status stwatch_context_add_binary(stwatch_context *c, const char *path, stwatch_error *error)
{
	stwatch_error local;
	stw_source source;
	const stw_source_options opening = stw_context_opening(c);
	error = stw_error_begin(error, &local);
	stwatch_status status = stw_source_open(&source, path, &opening, error);
	if (status != STWATCH_OK)
		return status;
	status = read_binary(c, path, &source, error);
	stw_source_close(&source);
	return status;
}

const stw_namer *stw_context_namer(const stwatch_context *c)
{
	return c->binaries.count ? &c->symbols.namer : NULL;
}

stwatch_status stw_context_check_names(const stwatch_context *c, stwatch_error *error)
{
	const stw_symbols *s = &c->symbols;
	if (c->binaries.count == 0 || !s->asked || s->from)
		return STWATCH_OK;
	return stw_fail(error, STWATCH_ERR_FORMAT, STWATCH_NO_OFFSET, "%s gives it no names: %s",
		c->binaries.items[c->binaries.count - 1]->name, s->fit.why_not);
}

stwatch_status stw_context_open_trace(stwatch_context *c, stw_trace *trace, const char *path, stwatch_error *error)
{
	stw_trace_file file = {.path = path, .part = true};
	const stw_source_options opening = stw_context_opening(c);
	c->symbols.asked = false;
	memset(trace, 0, sizeof *trace);
	stwatch_status status = stw_source_open(&file.source, path, &opening, error);
	if (status != STWATCH_OK)
		return status;
	status = stw_inputs_expect_trace(&file.source, &c->mem, c->cancel, error);
	if (status != STWATCH_OK) {
		stw_source_close(&file.source);
		return status;
	}
	status = stw_trace_take(trace, &c->mem, &file, 1, stw_context_namer(c), c->threads, c->cancel, error);
	if (status == STWATCH_OK)
		status = stw_context_check_names(c, error);
	if (status != STWATCH_OK)
		stw_trace_close(trace);
	return status;
}

void stwatch_context_free(stwatch_context *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->binaries.count; i++)
		stw_companion_free(c->binaries.items[i]);
	stw_vec_free(&c->mem, &c->binaries);
	c->mem.resize(c->mem.user, c, sizeof *c, 0);
}

uint64_t stwatch_context_memory_peak(const stwatch_context *c)
{
	return atomic_load(&c->mem.peak);
}
