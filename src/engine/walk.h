/* All events of a trace, one after another, past damage: each is handed on as a stream reads it. Of several inputs, those of all of them, each
 * generation once. */
#ifndef STW_ENGINE_WALK_H
#define STW_ENGINE_WALK_H

#include "engine/stream.h"
#include "engine/trace.h"

typedef struct stw_walk {
	/* Sync points too. False: out of memory. */
	bool (*event)(void *user, stw_stream *stream, const stw_stream_event *event);
	/* Something is lost, or contradicts itself, beside what the trace's problems say. May be NULL. False: out of memory. */
	bool (*damage)(void *user, const stw_stream *stream, const stwatch_error *error);
	/* What comes next is no continuation of what was: for damage, or as the span at hand (STW_JOINT_GAP) says. May be told twice of one place. May be
	 * NULL. */
	void (*gap)(void *user);
	/* Events of a goroutine or proc are missing: nothing is known of it from then on. May be NULL. */
	void (*forgotten)(void *user, bool proc, int64_t id, int64_t time);
	void *user;
	bool as_go; /* as of stw_stream_open_v1 */
} stw_walk;

/* options: progress and cancel count. STWATCH_OK also for a damaged trace; _MEMORY, _IO, _CANCELLED; _ARGUMENT where one of several inputs is of
 * another process (error->input says which). */
stwatch_status stw_trace_walk(const stw_trace *trace, const stw_run_options *options, const stw_walk *walk, stwatch_error *error);

#endif
