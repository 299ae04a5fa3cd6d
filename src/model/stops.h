/* Whose a stop-the-world is: the collector's, the tracer's, or asked for by the program. */
#ifndef STW_MODEL_STOPS_H
#define STW_MODEL_STOPS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum stw_stop_class { STW_STOP_UNKNOWN, STW_STOP_GC, STW_STOP_REQUESTED, STW_STOP_TRACER } stw_stop_class;

/* A kind as the runtime words it. A stop without one ("", "unknown") that a collection begins or ends in is told by that. */
const char *stw_stop_kind_of(const char *kind, bool gc_begins, bool gc_ends);
/* The kind of stop that a function of the runtime asks for; NULL: none. */
const char *stw_stop_kind_by(const char *function, size_t length);
stw_stop_class stw_stop_class_of(const char *kind);
/* "gc", "requested", "tracer", "unknown". */
const char *stw_stop_class_name(stw_stop_class class);

#endif
