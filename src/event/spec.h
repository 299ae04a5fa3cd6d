/* The table of event specifications, and the words for states. */
#ifndef STW_EVENT_SPEC_H
#define STW_EVENT_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "stwatch/events.h"

/* STW_EV_GoStart and so on; the wire's own numbers. */
enum {
#define STW_EVENT(number, name, kind, n, args, stack, stack2, string, string2) STW_EV_##name = number,
#include "event/events.def"
#undef STW_EVENT
	STW_EV_COUNT = 137, /* one more than the highest */
	STW_EV_FORGOTTEN = 254, /* made by the reader where events are missing: of a goroutine or proc nothing is known from there on */
	STW_EV_SYNC_POINT = 255 /* made by the reader where a generation begins and at the end; not on the wire */
};

enum { STW_EXPERIMENT_ALLOC_FREE = 1 };

typedef struct stw_event_spec {
	const char *name; /* NULL: no such event */
	const char *args; /* names, by space */
	uint8_t kind; /* stwatch_event_kind, 0: structural */
	uint8_t n_args; /* after the time difference */
	int8_t stack, stack2, string, string2; /* indices into the arguments, -1: none */
} stw_event_spec;

/* The specification of an event type; all zero where there is none. Never NULL. */
const stw_event_spec *stw_event_spec_of(unsigned type);

/* Trace headers that exist: the minor version of "go 1.N trace". */
typedef enum stw_go_version { STW_GO122 = 22, STW_GO123 = 23, STW_GO125 = 25, STW_GO126 = 26 } stw_go_version;

/* Whether traces of a version have events of a type in a thread's stream. */
bool stw_event_is_of(unsigned type, stw_go_version version);

/* Statuses as the wire has them (runtime/tracestatus.go). */
enum { STW_G_BAD, STW_G_RUNNABLE, STW_G_RUNNING, STW_G_SYSCALL, STW_G_WAITING, STW_G_STATUS_COUNT };
enum { STW_P_BAD, STW_P_RUNNING, STW_P_IDLE, STW_P_SYSCALL, STW_P_ABANDONED, STW_P_STATUS_COUNT };

/* Statuses as Go's reader words them in transitions. */
enum { STW_GO_UNDETERMINED, STW_GO_NOT_EXIST, STW_GO_RUNNABLE, STW_GO_RUNNING, STW_GO_WAITING, STW_GO_SYSCALL };
enum { STW_PROC_UNDETERMINED, STW_PROC_NOT_EXIST, STW_PROC_RUNNING, STW_PROC_IDLE };

const char *stw_go_state_name(unsigned state);
const char *stw_proc_state_name(unsigned state);
/* Wire status to state; the status must be below the count. STW_G_BAD is "undetermined". */
unsigned stw_go_state_of(unsigned status);
unsigned stw_proc_state_of(unsigned status);
const char *stw_event_kind_name(unsigned kind);

#endif
