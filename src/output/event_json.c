#include "output/json_views.h"

#include "event/spec.h"

void stw_output_event_json(const stwatch_event *event, int64_t first_ns, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_int(json, "at_ns", event->time_ns - first_ns);
	stw_json_key_string(json, "kind", stw_event_kind_name(event->kind));
	stw_json_key_string(json, "name", event->name);
	stw_json_key_int_or_null(json, "goroutine", event->goroutine, STWATCH_NONE);
	stw_json_key_int_or_null(json, "proc", event->proc, STWATCH_NONE);
	stw_json_key_int_or_null(json, "thread", event->thread, STWATCH_NONE);
	stw_json_key(json, "details");
	stw_json_text(json, event->details ? event->details : "", event->details ? event->details_length : 0);
	stw_json_object_end(json);
}
