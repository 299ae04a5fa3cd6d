/* What procs and goroutines did around an occurrence, for drawing: a part of the trace is read once more. */
#ifndef STW_ANALYSIS_PICTURE_H
#define STW_ANALYSIS_PICTURE_H

#include "base/arena.h"
#include "engine/trace.h"
#include "stwatch/analysis.h"

enum {
	STW_PICTURE_PROCS = 10, /* lanes at most */
	STW_PICTURE_GS = 8,
	STW_PICTURE_STEPS = 300, /* stays shorter than such a part of the picture are drawn as one */
};

#define STW_PICTURE_LONGEST_NS ((int64_t)5000000000) /* of what is longer the end is drawn */

typedef struct stw_picture_wish {
	int64_t from, to; /* on the trace's clock */
	int64_t start; /* what the picture's times count from */
	int64_t gs[STW_PICTURE_GS], ps[STW_PICTURE_PROCS];
	uint8_t g_roles[STW_PICTURE_GS], p_roles[STW_PICTURE_PROCS]; /* stwatch_role */
	unsigned n_gs, n_ps; /* these first; other procs fill up */
} stw_picture_wish;

/* Draws; everything in *out is in the arena. A damaged part is left empty. STWATCH_ERR_MEMORY, _IO, _CANCELLED. */
stwatch_status stw_picture_read(stwatch_timeline *out, const stw_picture_wish *wish, stw_mem *mem, stw_arena *arena, const stw_trace *trace,
	const volatile int *cancel, stwatch_error *error);

#endif
