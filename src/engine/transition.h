/* Which change of state an event of a stream stands for, in the words of Go's reader (internal/trace/event.go). */
#ifndef STW_ENGINE_TRANSITION_H
#define STW_ENGINE_TRANSITION_H

#include "engine/stream.h"

typedef struct stw_transition {
	bool proc; /* of a proc, else of a goroutine */
	int64_t id;
	unsigned from, to; /* STW_PROC_… or STW_GO_… */
	bool has_reason, has_stack;
	uint64_t reason, stack; /* ids as on the wire; the stack is that of the goroutine it is about */
} stw_transition;

/* For events of the kind STWATCH_EVENT_STATE_TRANSITION only. */
stw_transition stw_transition_of(const stw_stream_event *event);

/* The stack of the event's own context: of who did it, not of whom it is about; false if it has none. */
bool stw_event_stack(const stw_stream_event *event, uint64_t *id);

#endif
