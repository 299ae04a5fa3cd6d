/* Goroutines by function: those that were started with one, or seen in one, whose name has a word in it. Memory: 512 bytes for 4096 neighbouring
 * ids of which any is one. */
#ifndef STW_ANALYSIS_MEMBERS_H
#define STW_ANALYSIS_MEMBERS_H

#include "base/map.h"
#include "engine/stream.h"

enum { STW_MEMBERS_PAGE_BITS = 12 };

typedef struct stw_members_page {
	uint64_t bits[(1 << STW_MEMBERS_PAGE_BITS) / 64];
} stw_members_page;

typedef struct stw_members {
	stw_mem *mem;
	const char *word; /* borrowed */
	stw_map index; /* id / 4096 → page */
	STW_VEC(stw_members_page) pages;
	uint64_t count;
	bool failed; /* out of memory */
} stw_members;

void stw_members_init(stw_members *members, stw_mem *mem, const char *word);
void stw_members_free(stw_members *members);
/* Looks at an event's stacks, remembering in the second note of each what is in it. */
void stw_members_add(stw_members *members, stw_stream *stream, const stw_stream_event *event);
bool stw_members_has(const stw_members *members, int64_t goroutine);

#endif
