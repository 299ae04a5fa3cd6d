/* A v1 trace whose header is missing: the rest of one, from somewhere in it on. */
#ifndef STW_V1_HEADLESS_H
#define STW_V1_HEADLESS_H

#include "v1/format.h"
#include "wire/header.h"

/* Where and how a v1 trace is entered. */
typedef struct stw_v1_entry {
	unsigned minor; /* of the header, or as its batches look */
	uint64_t begin; /* byte of its first record */
	unsigned fits; /* of one without a header: a bit for each version that its records are of */
	bool midway; /* what was before is not there: nothing is known of goroutines and procs until they show themselves */
	bool listed; /* it has (a part of) the list of what existed when tracing began */
	stwatch_error missing; /* _DAMAGED: what is wrong before `begin`; OK: nothing */
} stw_v1_entry;

/* One whose header stands at a byte. */
static inline stw_v1_entry stw_v1_entry_at(unsigned minor, uint64_t header)
{
	return (stw_v1_entry){.minor = minor, .begin = header + STW_HEADER_SIZE};
}

/* One with a header. */
static inline stw_v1_entry stw_v1_entry_of(unsigned minor)
{
	return stw_v1_entry_at(minor, 0);
}

/* Looks near the beginning of an input for batches of v1 that follow each other and whose records make sense one and all; *begin is the first one's
 * byte, *before how many values records have before their arguments (stw_v1_format). A header that stands there is not minded.
 * STWATCH_OK; STWATCH_END: there are none; _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_v1_headless_find(
	const stw_source *source, stw_mem *mem, const volatile int *cancel, uint64_t *begin, unsigned *before, stwatch_error *error);

/* The same, and tells from all records which version they are of: the one of those they fit that most versions of Go write. With a header in front of
 * them, it is the header's. What is missing, and which version was assumed, is said in entry->missing. */
stwatch_status stw_v1_headless_open(
	const stw_source *source, stw_mem *mem, const volatile int *cancel, stw_v1_entry *entry, stwatch_error *error);

/* Which version is assumed of those that records fit (as in stw_v1_entry); 0: there is none. */
unsigned stw_v1_headless_choose(unsigned fits);
/* Takes another version for granted, where the records fit it too: that of a trace of the same process. Whether it is another. */
bool stw_v1_headless_prefer(stw_v1_entry *entry, unsigned minor);

#endif
