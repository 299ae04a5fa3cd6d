#include "api/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/index.h"
#include "wire/header.h"

enum { NOTES_MOST = 20 };

static stwatch_status fail_unknown(const stw_source *source, stwatch_error *error)
{
	unsigned minor;
	char others[160];
	if (source->cut && source->size == 0)
		return stw_fail(error, STWATCH_ERR_FORMAT, 0, "the compressed data is cut or corrupt before anything could be unpacked");
	stwatch_status status = stw_header_read(source, &minor, error);
	size_t used = status == STWATCH_ERR_FORMAT ? strlen(error->message) : sizeof error->message;
	if (used < sizeof error->message)
		snprintf(error->message + used, sizeof error->message - used, "; nor is it %s",
			stw_companion_expected(others, sizeof others));
	return status;
}

static stwatch_status keep_trace(stw_inputs *in, const char *path, unsigned index, const stw_source *source, stwatch_error *error)
{
	stw_trace_file *t = stw_vec_push(in->mem, &in->traces);
	if (!t)
		return stw_fail_memory(error);
	*t = (stw_trace_file){.path = path, .input = index, .source = *source};
	return STWATCH_OK;
}

static stwatch_status keep_companion(
	stw_inputs *in, const stwatch_context *context, const char *path, unsigned index, const stw_source *source, stwatch_error *error)
{
	stw_companion *c;
	stwatch_status status = stw_companion_read(&c, in->mem, path, index, source, context->cancel, error);
	if (status != STWATCH_OK)
		return status;
	stw_companion **slot = stw_vec_push(in->mem, &in->companions);
	if (!slot) {
		stw_companion_free(c);
		return stw_fail_memory(error);
	}
	*slot = c;
	return STWATCH_OK;
}

/* What would have to be said of the first text in which nothing was found. */
static void note_unknown(stw_inputs *in, unsigned index, const stw_source *source)
{
	if (stw_companion_tells(in->companions.items[in->companions.count - 1]))
		return;
	fail_unknown(source, &in->unknown);
	in->unknown.input = index;
}

/* The source is kept open. */
static stwatch_status take_trace(stw_inputs *in, const char *path, unsigned index, stw_source *source, stwatch_error *error)
{
	stwatch_status status = keep_trace(in, path, index, source, error);
	if (status == STWATCH_OK)
		source->fd = -1;
	return status;
}

static stwatch_status expect_trace(
	stw_inputs *in, const stwatch_context *context, const char *path, unsigned index, stw_source *source, stwatch_error *error)
{
	stwatch_status status = stw_inputs_expect_trace(source, in->mem, context->cancel, error);
	return status == STWATCH_OK ? take_trace(in, path, index, source, error) : status;
}

static stwatch_status sort_opened(
	stw_inputs *in, const stwatch_context *context, const char *path, unsigned index, stw_source *source, stwatch_error *error)
{
	stw_likeness like;
	stwatch_status status = stw_companion_recognise(source, in->mem, context->cancel, &like, error);
	if (status != STWATCH_OK)
		return status;
	switch (like) {
	case STW_LIKE_TRACE: return take_trace(in, path, index, source, error);
	case STW_LIKE_NOTHING: return fail_unknown(source, error);
	default: status = keep_companion(in, context, path, index, source, error);
	}
	if (status == STWATCH_OK && in->unknown.status == STWATCH_OK)
		note_unknown(in, index, source);
	return status;
}

static stwatch_status sort_one(stw_inputs *in, const stwatch_context *context, unsigned index, stwatch_error *error)
{
	stw_source source;
	const char *path = in->files.items[index].path;
	const stw_source_options opening = stw_context_opening(context);
	stwatch_status status = stw_source_open(&source, path, &opening, error);
	if (status == STWATCH_OK) {
		status = in->only_traces ? expect_trace(in, context, path, index, &source, error)
					 : sort_opened(in, context, path, index, &source, error);
		stw_source_close(&source);
	}
	return status;
}

/* ---- folders ---- */

static void note(stw_inputs *in, const stwatch_context *context, const char *path, const char *why)
{
	if (in->n_passed++ < NOTES_MOST)
		stw_context_note(context, "%s: passed over: %s", path, why);
}

static bool add_file(stw_inputs *in, const char *path, unsigned given, bool in_folder)
{
	stw_input_file *f = stw_vec_push(in->mem, &in->files);
	if (f)
		*f = (stw_input_file){path, given, in_folder};
	return f != NULL;
}

static int by_path(const void *x, const void *y)
{
	const stw_input_file *a = x, *b = y;
	return strcmp(a->path, b->path);
}

/* A folder's plain files, by name. */
static stwatch_status add_folder(stw_inputs *in, const char *folder, unsigned given, stwatch_error *error)
{
	const size_t first = in->files.count, length = strlen(folder);
	const char *slash = length && folder[length - 1] == '/' ? "" : "/";
	const struct dirent *entry;
	DIR *dir = opendir(folder);
	bool ok = true;
	if (!dir)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't open: %s", strerror(errno));
	while (ok && (entry = readdir(dir)) != NULL) {
		struct stat st;
		if (entry->d_name[0] == '.')
			continue;
		const char *path = stw_arena_printf(&in->arena, "%s%s%s", folder, slash, entry->d_name);
		ok = path != NULL;
		if (ok && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			ok = add_file(in, path, given, true);
	}
	closedir(dir);
	if (in->files.count - first > 1)
		qsort(in->files.items + first, in->files.count - first, sizeof *in->files.items, by_path);
	return ok ? STWATCH_OK : stw_fail_memory(error);
}

bool stw_inputs_is_folder(const char *path)
{
	struct stat st;
	return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static stwatch_status list_files(stw_inputs *in, const char *const *paths, size_t n_paths, stwatch_error *error)
{
	for (size_t i = 0; i < n_paths; i++) {
		stwatch_status status = STWATCH_OK;
		if (stw_inputs_is_folder(paths[i]))
			status = add_folder(in, paths[i], (unsigned)i, error);
		else if (!add_file(in, paths[i], (unsigned)i, false))
			status = stw_fail_memory(error);
		if (status != STWATCH_OK) {
			error->input = (unsigned)i;
			return status;
		}
	}
	return STWATCH_OK;
}

/* An index of ours stands beside the trace that it belongs to. */
static bool is_index(const char *path)
{
	const size_t length = strlen(path), ending = sizeof STW_INDEX_ENDING - 1;
	return length > ending && strcmp(path + length - ending, STW_INDEX_ENDING) == 0;
}

/* One that was found in a folder counts if it is something. */
static stwatch_status sort_found(stw_inputs *in, const stwatch_context *context, unsigned index, stwatch_error *error)
{
	const char *path = in->files.items[index].path;
	const size_t n = in->companions.count, n_traces = in->traces.count;
	unsigned minor;
	if (is_index(path))
		return STWATCH_OK;
	stwatch_status status = sort_one(in, context, index, error);
	if (status == STWATCH_OK && in->traces.count > n_traces) {
		stw_source *source = &in->traces.items[n_traces].source;
		status = stw_header_read(source, &minor, error);
		if (status != STWATCH_OK) {
			stw_source_close(source);
			in->traces.count = n_traces;
		}
	}
	if (status == STWATCH_OK && in->companions.count > n && !stw_companion_tells(in->companions.items[n])) {
		stw_companion_free(in->companions.items[n]);
		in->companions.count = n;
		in->unknown.status = STWATCH_OK;
		note(in, context, path, "a text without anything known in it");
		return STWATCH_OK;
	}
	if (status != STWATCH_ERR_FORMAT && status != STWATCH_ERR_UNSUPPORTED && status != STWATCH_ERR_IO &&
		status != STWATCH_ERR_UNAVAILABLE)
		return status;
	note(in, context, path, error->message);
	return STWATCH_OK;
}

void stw_inputs_blame(const stw_inputs *in, stwatch_error *error)
{
	if (error->input >= in->files.count)
		return;
	const stw_input_file *f = &in->files.items[error->input];
	error->input = f->given;
	if (!f->in_folder)
		return;
	stwatch_error copy = *error;
	const char *slash = strrchr(f->path, '/');
	snprintf(error->message, sizeof error->message, "%.90s: %.226s", slash ? slash + 1 : f->path, copy.message);
}

/* ---- a trace alone ---- */

stwatch_status stw_inputs_expect_trace(const stw_source *source, stw_mem *mem, const volatile int *cancel, stwatch_error *error)
{
	stw_likeness like;
	unsigned minor;
	stwatch_status status = stw_companion_recognise(source, mem, cancel, &like, error);
	return status != STWATCH_OK || like == STW_LIKE_TRACE ? status : stw_header_read(source, &minor, error);
}

/* ---- all ---- */

/* Inputs of which none tells anything are a mistake, not a clean bill of health. */
static bool tells_something(const stw_inputs *in)
{
	bool tells = in->traces.count > 0;
	for (size_t i = 0; i < in->companions.count && !tells; i++)
		tells = stw_companion_tells(in->companions.items[i]);
	return tells;
}

static stwatch_status fail_nothing(const stw_inputs *in, stwatch_error *error)
{
	if (in->unknown.status != STWATCH_OK) {
		*error = in->unknown;
		return error->status;
	}
	char known[160];
	error->input = 0;
	return stw_fail(error, STWATCH_ERR_FORMAT, STWATCH_NO_OFFSET,
		"no file in this folder is of use: %zu passed over (an execution trace%s%s was expected)", in->n_passed,
		in->only_traces ? "" : ", ", in->only_traces ? "" : stw_companion_expected(known, sizeof known));
}

stwatch_status stw_inputs_open(
	stw_inputs *in, stwatch_context *context, const char *const *paths, size_t n_paths, bool only_traces, stwatch_error *error)
{
	memset(in, 0, sizeof *in);
	in->only_traces = only_traces;
	in->mem = &context->mem;
	stw_arena_init(&in->arena, in->mem);
	stwatch_status status = list_files(in, paths, n_paths, error);
	if (status != STWATCH_OK)
		return status;
	for (unsigned i = 0; i < in->files.count; i++) {
		status = in->files.items[i].in_folder ? sort_found(in, context, i, error) : sort_one(in, context, i, error);
		if (status != STWATCH_OK) {
			error->input = i;
			stw_inputs_blame(in, error);
			return status;
		}
	}
	if (in->n_passed > NOTES_MOST)
		stw_context_note(context, "%zu more files passed over", in->n_passed - NOTES_MOST);
	if (tells_something(in))
		return STWATCH_OK;
	status = fail_nothing(in, error);
	if (in->unknown.status != STWATCH_OK)
		stw_inputs_blame(in, error);
	return status;
}

stwatch_status stw_inputs_take(stw_inputs *in, stwatch_context *context, const char *path, const stw_source *source, stwatch_error *error)
{
	stw_source own = *source;
	memset(in, 0, sizeof *in);
	in->mem = &context->mem;
	stw_arena_init(&in->arena, in->mem);
	own.fd = dup(source->fd);
	if (own.fd < 0)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't open: %s", strerror(errno));
	stwatch_status status = add_file(in, path, 0, false) ? sort_opened(in, context, path, 0, &own, error) : stw_fail_memory(error);
	stw_source_close(&own);
	return status != STWATCH_OK || tells_something(in) ? status : fail_nothing(in, error);
}

void stw_inputs_close(stw_inputs *in)
{
	if (!in->mem)
		return;
	for (size_t i = 0; i < in->traces.count; i++)
		stw_source_close(&in->traces.items[i].source);
	for (size_t i = 0; i < in->companions.count; i++)
		stw_companion_free(in->companions.items[i]);
	stw_vec_free(in->mem, &in->traces);
	stw_vec_free(in->mem, &in->companions);
	stw_vec_free(in->mem, &in->files);
	stw_arena_free(&in->arena);
	in->mem = NULL;
}
