#include "api/context.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
#ifdef STWATCH_CURL
	if (strcmp(part, "http") == 0)
		return true;
#endif
	(void)part;
	return false;
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
		memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
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
	*out = c;
	return STWATCH_OK;
}

stw_source_options stw_context_opening(const stwatch_context *c)
{
	return (stw_source_options){
		.cancel = c->cancel, .progress = c->progress, .progress_user = c->progress_user, .unpack_limit = c->unpack_limit};
}

void stwatch_context_free(stwatch_context *c)
{
	if (c)
		c->mem.resize(c->mem.user, c, sizeof *c, 0);
}

uint64_t stwatch_context_memory_peak(const stwatch_context *c)
{
	return atomic_load(&c->mem.peak);
}
