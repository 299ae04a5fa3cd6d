#include "engine/beginning.h"

#include "base/error.h"
#include "v2/headless.h"
#include "wire/header.h"

/* STWATCH_ERR_FORMAT with *error as it was: there are no batches of either kind. */
static stwatch_status infer(const stw_source *source, stw_mem *mem, const volatile int *cancel, stw_beginning *b, stwatch_error *error)
{
	stwatch_error failure = {.status = STWATCH_OK};
	stwatch_status status = stw_headless_open(source, mem, cancel, &b->minor, &b->begin, &b->missing, error);
	if (status != STWATCH_ERR_FORMAT)
		return status;
	status = stw_v1_headless_open(source, mem, cancel, &b->v1, &failure);
	b->minor = b->v1.minor;
	if (status == STWATCH_END)
		return STWATCH_ERR_FORMAT;
	if (status != STWATCH_OK)
		*error = failure;
	return status;
}

stwatch_status stw_beginning_read(
	const stw_source *source, stw_mem *mem, bool headless, const volatile int *cancel, stw_beginning *b, stwatch_error *error)
{
	*b = (stw_beginning){.begin = STW_HEADER_SIZE};
	stwatch_status status = stw_header_read(source, &b->minor, error);
	if (status == STWATCH_OK)
		b->v1 = stw_v1_entry_of(b->minor);
	return status == STWATCH_ERR_FORMAT && headless ? infer(source, mem, cancel, b, error) : status;
}

stwatch_status stw_beginning_look(const stw_source *source, stw_mem *mem, const volatile int *cancel, stwatch_error *error)
{
	unsigned minor, before;
	uint64_t begin;
	stwatch_error missing;
	stwatch_status status = stw_headless_open(source, mem, cancel, &minor, &begin, &missing, error);
	return status == STWATCH_ERR_FORMAT ? stw_v1_headless_find(source, mem, cancel, &begin, &before, error) : status;
}
