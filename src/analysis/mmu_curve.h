/* The minimum mutator utilisation, exactly: for each of some windows, the least share of the P's that the program had in any stretch of
 * that length. Counted as taken: stops of the collector, mark workers but idle ones, assists; as internal/trace/gc.go of Go counts
 * them (UtilSTW, UtilBackground, UtilAssist). Memory: the changes within the largest window, up to a limit, beyond which they are thinned out. */
#ifndef STW_ANALYSIS_MMU_CURVE_H
#define STW_ANALYSIS_MMU_CURVE_H

#include "base/map.h"
#include "engine/stream.h"
#include "stwatch/analysis.h"

enum { STW_MMU_WINDOWS = 19 }; /* 1, 2, 5, 10 … µs */

/* From here to the next one the share that is taken does not change. */
typedef struct stw_mmu_change {
	int64_t at;
	double taken; /* ns, since the first */
} stw_mmu_change;

typedef struct stw_mmu_curve {
	stw_mem *mem;
	STW_VEC(stw_mmu_change) changes;
	size_t most; /* changes that are kept */
	size_t next[STW_MMU_WINDOWS]; /* the first change at which a window is still to begin */
	double worst[STW_MMU_WINDOWS]; /* ns taken */
	bool fits[STW_MMU_WINDOWS]; /* a window did, in what came before a gap */
	double level; /* share that is taken since the last change */
	int64_t last;
	int64_t procs; /* GOMAXPROCS; 0: not known yet */
	unsigned stops;
	STW_VEC(int64_t) busy; /* by P: how much of the collector's it has */
	int64_t n_busy; /* P's that have any */
	stw_map assists, workers; /* goroutines; value 1 */
	bool failed;
} stw_mmu_curve;

/* most: of stw_mmu_curve.most. procs: GOMAXPROCS until an event says it, 0: begin with that event. */
void stw_mmu_curve_init(stw_mmu_curve *curve, stw_mem *mem, size_t most, int64_t procs);
void stw_mmu_curve_free(stw_mmu_curve *curve);
void stw_mmu_curve_add(stw_mmu_curve *curve, stw_stream *stream, const stw_stream_event *event);
/* A part of the trace is missing from here on: no window reaches across, and what is taken begins anew. */
void stw_mmu_curve_break(stw_mmu_curve *curve);
/* After the last event: fills STW_MMU_WINDOWS points; how many there are (windows longer than the trace are left out). */
size_t stw_mmu_curve_finish(stw_mmu_curve *curve, stwatch_mmu_point *points);

#endif
