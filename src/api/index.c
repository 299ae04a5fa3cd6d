#include "stwatch/index.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/context.h"
#include "base/error.h"
#include "engine/index.h"
#include "v1/unnamed.h"
#include "wire/header.h"

/* The cache folder of a path, and the one above it. */
static void make_folders(const char *path)
{
	char folder[STW_INDEX_PATH];
	size_t ends[2] = {0, 0};
	for (size_t i = 1; path[i]; i++)
		if (path[i] == '/') {
			ends[0] = ends[1];
			ends[1] = i;
		}
	for (int i = 0; i < 2; i++) {
		memcpy(folder, path, ends[i]);
		folder[ends[i]] = '\0';
		if (ends[i])
			mkdir(folder, 0700); /* what it can't do shows when the file is made */
	}
}

static bool can_write_beside(const char *trace)
{
	char folder[STW_INDEX_PATH] = ".";
	const char *slash = strrchr(trace, '/');
	size_t length = slash ? (size_t)(slash - trace) + 1 : 0;
	if (length >= sizeof folder)
		return false;
	if (length) {
		memcpy(folder, trace, length);
		folder[length] = '\0';
	}
	return access(folder, W_OK) == 0;
}

static void describe(const stw_index *index, bool v1, const char *path, stwatch_index_result *out)
{
	stwatch_index_result r = {
		.size = out->size, .bytes = index->size, .generations = v1 ? 1 : index->entries.count, .borders = index->borders};
	for (size_t i = 0; i < index->entries.count; i++)
		r.events += index->entries.items[i].events;
	if (index->entries.count)
		r.duration_ns = index->entries.items[index->entries.count - 1].last - index->entries.items[0].first;
	memcpy(r.path, path, strlen(path));
	memcpy(out, &r, out->size < sizeof r ? out->size : sizeof r);
}

static stwatch_status make(stwatch_context *context, const stw_source *source, stw_go_version version, const char *trace, bool cache,
	stwatch_index_result *result, stwatch_error *error)
{
	const stw_run_options options = {context->threads, context->progress, context->progress_user, context->cancel, false};
	char path[STW_INDEX_PATH];
	stw_index index = {.mem = NULL};
	cache = cache || !can_write_beside(trace);
	if (!stw_index_path(path, trace, cache))
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "there is no place for an index (set XDG_CACHE_HOME or HOME)");
	if (cache)
		make_folders(path);
	stwatch_status status = stw_index_make(&index, &context->mem, source, version, path, &options, error);
	if (status != STWATCH_OK)
		return status;
	if (result)
		describe(&index, version < STW_GO122, path, result);
	if (index.failure.status != STWATCH_OK)
		*error = index.failure;
	status = index.failure.status == STWATCH_OK ? stw_v1_unnamed_tell(&index.v1, error) : index.failure.status;
	stw_index_close(&index);
	return status;
}

stwatch_status stwatch_index_make(stwatch_context *context, const char *path, const stwatch_index_options *options,
	stwatch_index_result *result, stwatch_error *error)
{
	stwatch_error local;
	stwatch_index_options o = {.size = sizeof o};
	stw_source source;
	unsigned minor = 0;
	error = stw_error_begin(error, &local);
	stw_options_take(&o, sizeof o, options);
	const stw_source_options opening = stw_context_opening(context);
	stwatch_status status = stw_source_open(&source, path, &opening, error);
	if (status != STWATCH_OK)
		return status;
	status = stw_header_read(&source, &minor, error);
	if (status == STWATCH_OK)
		status = make(context, &source, (stw_go_version)minor, path, o.cache, result, error);
	stw_source_close(&source);
	return status;
}
