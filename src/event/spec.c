#include "event/spec.h"

static const stw_event_spec specs[256] = {
#define STW_EVENT(number, name, kind, n, args, stack, stack2, string, string2)                                                             \
	[number] = {#name, args, kind, n, stack, stack2, string, string2},
#include "event/events.def"
#undef STW_EVENT
};

const stw_event_spec *stw_event_spec_of(unsigned type)
{
	return &specs[type & 255];
}

/* Go 1.23 added those behind UserLog (internal/trace/version). Readers take them whatever the header says. */
bool stw_event_is_of(unsigned type, stw_go_version version)
{
	return specs[type & 255].kind && (type <= STW_EV_UserLog || version >= STW_GO123);
}

const char *stw_go_state_name(unsigned state)
{
	static const char *const names[] = {"Undetermined", "NotExist", "Runnable", "Running", "Waiting", "Syscall"};
	return state < sizeof names / sizeof *names ? names[state] : "Bad";
}

const char *stw_proc_state_name(unsigned state)
{
	static const char *const names[] = {"Undetermined", "NotExist", "Running", "Idle"};
	return state < sizeof names / sizeof *names ? names[state] : "Bad";
}

unsigned stw_go_state_of(unsigned status)
{
	static const uint8_t states[STW_G_STATUS_COUNT] = {
		STW_GO_UNDETERMINED,
		STW_GO_RUNNABLE,
		STW_GO_RUNNING,
		STW_GO_SYSCALL,
		STW_GO_WAITING,
	};
	return states[status];
}

unsigned stw_proc_state_of(unsigned status)
{
	static const uint8_t states[STW_P_STATUS_COUNT] = {
		STW_PROC_UNDETERMINED,
		STW_PROC_RUNNING,
		STW_PROC_IDLE,
		STW_PROC_RUNNING,
		STW_PROC_IDLE,
	};
	return states[status];
}

const char *stw_event_kind_name(unsigned kind)
{
	static const char *const names[] = {
		"Bad",
		"Sync",
		"Metric",
		"Label",
		"StackSample",
		"RangeBegin",
		"RangeActive",
		"RangeEnd",
		"TaskBegin",
		"TaskEnd",
		"RegionBegin",
		"RegionEnd",
		"Log",
		"StateTransition",
		"Experimental",
		"Stuck",
	};
	return kind < sizeof names / sizeof *names ? names[kind] : names[0];
}
