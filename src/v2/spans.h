/* All generations of an input that can be found, in order of time. */
#ifndef STW_V2_SPANS_H
#define STW_V2_SPANS_H

#include "v2/scan.h"

/* How much earlier than what was read before a generation may begin that is no continuation of it; else it is the same again, or of another recording. */
enum { STW_OVERLAP_NS = 100000000 };

typedef STW_VEC(stw_span) stw_spans;

/* Adds the spans of an input, which begin at `begin` (behind the header, or where a trace without one was found), as a salvaging scan finds them; loss
 * (may be NULL) gets what it finds lost, and where tables are left over. Where generations of one recording stand in another order than they were made in,
 * as a ring of bytes leaves them, they are put in theirs, and that is told as a loss of nothing; not where one comes again, or times don't go with numbers. STWATCH_OK, _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_spans_read(stw_spans *spans, stw_mem *mem, const stw_source *source, stw_go_version version, uint64_t begin,
	stw_loss_fn loss, void *user, const volatile int *cancel, stwatch_error *error);

#endif
