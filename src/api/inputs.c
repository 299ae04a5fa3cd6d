#include "api/inputs.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "wire/header.h"

static stwatch_status fail_unknown(const stw_source *source, stwatch_error *error)
{
	unsigned minor;
	char others[160];
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

static stwatch_status sort_one(stw_inputs *in, const stwatch_context *context, const char *path, unsigned index, stwatch_error *error)
{
	stw_source source;
	unsigned char head[STW_HEAD_SIZE];
	size_t got = 0;
	stwatch_status status = stw_source_open(&source, path, context->cancel, error);
	if (status != STWATCH_OK)
		return status;
	status = stw_source_read(&source, 0, head, sizeof head, &got, error);
	stw_likeness like = stw_companion_likeness(head, got);
	if (status == STWATCH_OK && like == STW_LIKE_TRACE) {
		status = keep_trace(in, path, index, &source, error);
		if (status == STWATCH_OK)
			return status;
	} else if (status == STWATCH_OK && like == STW_LIKE_NOTHING) {
		status = fail_unknown(&source, error);
	} else if (status == STWATCH_OK) {
		status = keep_companion(in, context, path, index, &source, error);
		if (status == STWATCH_OK && in->unknown.status == STWATCH_OK)
			note_unknown(in, index, &source);
	}
	stw_source_close(&source);
	return status;
}

/* Inputs of which none tells anything are a mistake, not a clean bill of health. */
static bool tells_something(const stw_inputs *in)
{
	bool tells = in->traces.count > 0;
	for (size_t i = 0; i < in->companions.count && !tells; i++)
		tells = stw_companion_tells(in->companions.items[i]);
	return tells;
}

stwatch_status stw_inputs_open(stw_inputs *in, stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_error *error)
{
	memset(in, 0, sizeof *in);
	in->mem = &context->mem;
	for (size_t i = 0; i < n_paths; i++) {
		stwatch_status status = sort_one(in, context, paths[i], (unsigned)i, error);
		if (status != STWATCH_OK) {
			error->input = (unsigned)i;
			return status;
		}
	}
	if (tells_something(in))
		return STWATCH_OK;
	*error = in->unknown;
	return error->status;
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
	in->mem = NULL;
}
