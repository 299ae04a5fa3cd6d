/* Where the generations of a v2 trace lie: found by walking the heads of its batches alone. */
#ifndef STW_V2_SCAN_H
#define STW_V2_SCAN_H

#include "base/mem.h"
#include "event/spec.h"
#include "wire/source.h"

enum {
	STW_V2_MAX_BATCH = 64 << 10,
	STW_V2_MAX_STRING = 1 << 10,
	STW_V2_MAX_FRAMES = 128,
	/* Where a frequency has to be guessed at: what a clock can be. The runtime's is that of its time divided by 64, or of ticks. */
	STW_V2_MIN_FREQUENCY = 1000,
	STW_V2_MAX_FREQUENCY = 2000000000,
};

/* Bytes [from, to) of a generation that are lost. A batch that begins before `from` and would reach beyond it ends there. */
typedef struct stw_hole {
	uint64_t from, to;
	uint64_t most; /* bytes of batches that may be missing: more than lie there where bytes are gone from the file */
} stw_hole;

enum { STW_SPAN_HOLES = 16 };

/* How a generation stands to the one before it. */
typedef enum stw_joint {
	STW_JOINT_WHOLE, /* it goes on where that ended */
	STW_JOINT_DAMAGE, /* what was between them, or a part of it, can't be read; or it is of another recording */
	STW_JOINT_GAP /* nothing of what was between them is among the inputs */
} stw_joint;

/* Where a generation lies. */
typedef struct stw_span {
	const stw_source *source;
	stw_go_version version;
	bool guessed; /* the version: it has no header */
	uint32_t input; /* index of its input; free for whoever uses the span */
	uint32_t recording; /* of its input: a header within that begins another */
	uint32_t v1; /* of a trace in a v1 format: which; free for whoever uses the span */
	uint64_t generation;
	uint64_t begin, end; /* bytes of its batches: [begin, end) */
	uint64_t n_batches;
	bool lost; /* strict scan: it can't be read, `error` stands instead of it */
	stw_joint
		joint; /* GAP only in a trace from several inputs; DAMAGE also where only reading the one before it shows that, once it has been read */
	bool damaged; /* salvaging scan: something of it is missing. Where it lay is told in the holes, unless it lay before its begin */
	uint32_t n_holes;
	stw_hole holes[STW_SPAN_HOLES]; /* in order; what lies between two of more than these counts as lost */
	uint64_t time; /* of its first batch, in units */
	stwatch_error error; /* strict scan, status not OK: what ends the trace after (or, if lost, instead of) this generation */
} stw_span;

/* Bytes that a salvaging scan found lost, and why: error->offset is where they begin. False ends the scan (out of memory). */
typedef bool (*stw_loss_fn)(void *user, const stwatch_error *error, uint64_t to);

enum { STW_SCAN_RECENT = 8 };

typedef struct stw_scan {
	const stw_source *source;
	stw_go_version version;
	bool guessed; /* salvaging: the version, as there is no header */
	uint64_t offset;
	bool done;
	unsigned char window[4096];
	uint64_t window_at;
	size_t window_size;
	/* salvaging */
	bool salvage;
	stw_mem *mem;
	bool behind_loss, restart; /* what the next span will be */
	uint32_t recording;
	stw_loss_fn loss; /* may be NULL */
	void *user;
	const volatile int *cancel;
	uint64_t recent[STW_SCAN_RECENT]; /* where the last batches of the span begin */
	uint64_t since_hole; /* batches of the span behind its last hole, or its begin */
	bool has_time;
	uint64_t time; /* of the last batch, in units */
	uint64_t time_before; /* the same before the span */
} stw_scan;

void stw_scan_init(stw_scan *scan, const stw_source *source, stw_go_version version);
/* Lets the scan go on behind what it can't read: such spans have holes, or are `damaged`; none is `lost`, none has an error. */
void stw_scan_salvage(stw_scan *scan, stw_mem *mem, stw_loss_fn loss, void *user, const volatile int *cancel);
/* The next generation: STWATCH_OK; STWATCH_END after the last; a reading error, _CANCELLED, _MEMORY. A fault in the bytes is told in the span.
 * At the end the span holds what is left over: tables of a generation that never got an event (stw_generation_check_rest). */
stwatch_status stw_scan_next(stw_scan *scan, stw_span *span, stwatch_error *error);

#endif
