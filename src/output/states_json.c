/* The state graph for scripts: docs/schema/states.json. */
#include "output/states_views.h"

static void times_json(const stw_states_input *in, stwatch_resource resource, stw_json *json)
{
	stw_json_key(json, "states");
	stw_json_array(json);
	for (size_t i = 0; i < in->n_times; i++) {
		const stwatch_state_time *row = &in->times[i];
		if (row->resource != resource)
			continue;
		stw_json_row(json);
		stw_json_key_string(json, "state", row->state);
		stw_json_key_uint(json, "stays", row->stays);
		stw_json_key_uint(json, "censored", row->censored);
		stw_json_key_int(json, "total_ns", row->total_ns);
		stw_json_key(json, "share");
		stw_json_double(json, row->share);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void transitions_json(const stw_states_input *in, stwatch_resource resource, stw_json *json)
{
	stw_json_key(json, "transitions");
	stw_json_array(json);
	for (size_t i = 0; i < in->n_transitions; i++) {
		const stwatch_transition *row = &in->transitions[i];
		if (row->resource != resource)
			continue;
		stw_json_row(json);
		stw_json_key_string(json, "from", row->from);
		stw_json_key_string(json, "to", row->to);
		stw_json_key_string(json, "event", row->event);
		stw_json_key_bool(json, "legal", row->legal);
		stw_json_key_uint(json, "count", row->count);
		stw_json_key(json, "share");
		stw_json_double(json, row->share);
		stw_json_key_uint(json, "measured", row->measured);
		stw_json_key_int_or_null(json, "p50_ns", row->p50_ns, -1);
		stw_json_key_int_or_null(json, "p99_ns", row->p99_ns, -1);
		stw_json_key_int_or_null(json, "max_ns", row->max_ns, -1);
		stw_json_key_string(json, "why", row->why);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void contradictions_json(const stw_states_input *in, stw_json *json)
{
	stw_json_key_uint(json, "contradictions_total", in->contradictions_total);
	stw_json_key(json, "contradictions");
	stw_json_array(json);
	for (size_t i = 0; i < in->n_contradictions; i++) {
		const stwatch_contradiction *c = &in->contradictions[i];
		stw_json_row(json);
		stw_json_key_string(json, "rule", c->rule);
		stw_json_key_int(json, "at_ns", c->at_ns);
		stw_json_key_int_or_null(json, "goroutine", c->goroutine, STWATCH_NONE);
		stw_json_key_int_or_null(json, "proc", c->proc, STWATCH_NONE);
		stw_json_key_int_or_null(json, "thread", c->thread, STWATCH_NONE);
		stw_json_key_string(json, "what", c->what);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

void stw_output_states_json(const stw_states_input *in, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_string(json, "schema", "stwatch.states/1");
	stw_output_inputs_json(&in->common, json);
	stw_json_key(json, "selection");
	stw_json_row(json);
	stw_json_key_int(json, "from_ns", in->options.from_ns);
	stw_json_key_int_or_null(json, "to_ns", in->options.to_ns, 0);
	stw_json_key_int_or_null(json, "goroutine", in->options.goroutine, STWATCH_NONE);
	stw_json_key_int_or_null(json, "proc", in->options.proc, STWATCH_NONE);
	stw_json_key_string(json, "function", in->options.function);
	stw_json_object_end(json);
	stw_json_key(json, "resources");
	stw_json_array(json);
	for (int resource = STWATCH_GOROUTINE; resource <= STWATCH_THREAD; resource++) {
		stw_json_object(json);
		stw_json_key_string(json, "resource", stwatch_resource_name((stwatch_resource)resource));
		times_json(in, (stwatch_resource)resource, json);
		transitions_json(in, (stwatch_resource)resource, json);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
	contradictions_json(in, json);
	stw_output_limits_json(&in->common, json);
	stw_json_object_end(json);
}
