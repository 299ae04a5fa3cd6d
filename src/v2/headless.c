#include "v2/headless.h"

#include "base/error.h"
#include "v2/resync.h"

enum { LOOK = 1 << 20, MOST_BATCHES = 1 << 16 };

/* The first generation that ends in sight tells how generations end. */
static stwatch_status refine(const stw_source *source, const stw_landing *l, unsigned *minor, stwatch_error *error)
{
	uint64_t at = l->at;
	*minor = l->minor;
	for (unsigned i = 0; i < MOST_BATCHES; i++) {
		uint8_t bytes[STW_BATCH_HEAD_MAX];
		size_t got;
		stw_batch_head h;
		stwatch_status status = stw_source_read(source, at, bytes, sizeof bytes, &got, error);
		if (status != STWATCH_OK)
			return status;
		if (stw_batch_head_parse(&h, bytes, got, at, source->size, NULL) != STWATCH_OK)
			return STWATCH_OK;
		if (h.end_of_generation)
			*minor = STW_GO126;
		if (h.end_of_generation || h.generation != l->head.generation)
			return STWATCH_OK;
		if (h.first == STW_EV_Sync && *minor < STW_GO125)
			*minor = STW_GO125;
		if ((h.first == STW_EV_GoStatusStack || h.experiment) && *minor < STW_GO123)
			*minor = STW_GO123;
		at += (uint64_t)h.head_size + h.size;
	}
	return STWATCH_OK;
}

stwatch_status stw_headless_open(const stw_source *source, stw_mem *mem, const volatile int *cancel, unsigned *minor, uint64_t *begin,
	stwatch_error *missing, stwatch_error *error)
{
	const stw_resync r = {.source = source, .cancel = cancel};
	stw_landing l;
	stwatch_error failure = {.status = STWATCH_OK};
	stwatch_status status = stw_resync_find(&r, mem, 0, LOOK, &l, &failure);
	if (status == STWATCH_OK && l.at < source->size && !l.header)
		status = refine(source, &l, minor, &failure);
	if (status != STWATCH_OK) {
		*error = failure;
		return status;
	}
	if (l.at == source->size || (l.header && l.minor < STW_GO122))
		return STWATCH_ERR_FORMAT;
	*begin = l.at;
	if (l.header) {
		*minor = l.minor;
		*begin += 16;
	}
	stw_fail(missing, STWATCH_ERR_DAMAGED, 0,
		l.header ? "%llu bytes stand before the header of the trace (go 1.%u)"
			 : "the header is missing: the file begins in the middle of a trace, whose first batch is at byte %llu and which "
			   "is read as go 1.%u",
		(unsigned long long)l.at, *minor);
	return STWATCH_OK;
}
