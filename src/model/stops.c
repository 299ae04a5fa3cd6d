#include "model/stops.h"

#include <stddef.h>
#include <string.h>

static const struct row {
	const char *kind;
	stw_stop_class class;
} ROWS[] = {
#define STW_STOP(kind, class, what) {kind, STW_STOP_##class},
#include "model/stops.def"
};

static const struct {
	const char *function, *kind;
} ASKERS[] = {
#define STW_STOP_BY(function, kind) {function, kind},
#include "model/stops.def"
};

const char *stw_stop_kind_by(const char *function, size_t length)
{
	for (size_t i = 0; i < sizeof ASKERS / sizeof *ASKERS; i++)
		if (strlen(ASKERS[i].function) == length && memcmp(ASKERS[i].function, function, length) == 0)
			return ASKERS[i].kind;
	return NULL;
}

static bool is_unknown(const char *kind)
{
	return *kind == 0 || strcmp(kind, "unknown") == 0;
}

const char *stw_stop_kind_of(const char *kind, bool gc_begins, bool gc_ends)
{
	if (!is_unknown(kind) || gc_begins == gc_ends)
		return kind;
	return gc_begins ? "GC sweep termination" : "GC mark termination";
}

stw_stop_class stw_stop_class_of(const char *kind)
{
	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
		if (strcmp(ROWS[i].kind, kind) == 0)
			return ROWS[i].class;
	if (strncmp(kind, "GC ", 3) == 0)
		return STW_STOP_GC;
	return is_unknown(kind) ? STW_STOP_UNKNOWN : STW_STOP_REQUESTED;
}

const char *stw_stop_class_name(stw_stop_class class)
{
	static const char *const names[] = {
		[STW_STOP_UNKNOWN] = "unknown", [STW_STOP_GC] = "gc", [STW_STOP_REQUESTED] = "requested", [STW_STOP_TRACER] = "tracer"};
	return names[class];
}
