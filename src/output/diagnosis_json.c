#include "output/json_views.h"

static void who_json(int64_t goroutine, int64_t proc, int64_t thread, stw_json *json)
{
	stw_json_key_int_or_null(json, "goroutine", goroutine, STWATCH_NONE);
	stw_json_key_int_or_null(json, "proc", proc, STWATCH_NONE);
	stw_json_key_int_or_null(json, "thread", thread, STWATCH_NONE);
}

static void party_json(const stwatch_party *party, bool victim, stw_json *json)
{
	stw_json_row(json);
	stw_json_key_string(json, "function", party->function);
	stw_json_key_string(json, "leaf", party->leaf);
	stw_json_key_string(json, "root", party->root);
	who_json(party->goroutine, party->proc, party->thread, json);
	stw_json_key_string(json, "kind", party->kind);
	stw_json_key_uint(json, "count", party->count);
	if (victim) {
		stw_json_key_int(json, "delay_ns", party->delay_ns);
		stw_json_key_int(json, "delay_max_ns", party->delay_max_ns);
	}
	stw_json_object_end(json);
}

static void occurrences_json(const stwatch_finding *finding, stw_json *json)
{
	stw_json_key(json, "occurrences");
	stw_json_array(json);
	for (size_t i = 0; i < finding->n_occurrences; i++) {
		const stwatch_occurrence *occurrence = &finding->occurrences[i];
		stw_json_row(json);
		stw_json_key_int_or_null(json, "start_ns", occurrence->start_ns, STWATCH_UNKNOWN);
		stw_json_key_int(json, "duration_ns", occurrence->duration_ns);
		stw_json_key_int_or_null(json, "goroutine", occurrence->goroutine, STWATCH_NONE);
		stw_json_key_int_or_null(json, "proc", occurrence->proc, STWATCH_NONE);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void parties_json(const stwatch_finding *finding, stw_json *json)
{
	stw_json_key(json, "culprit");
	if (finding->culprit)
		party_json(finding->culprit, false, json);
	else
		stw_json_null(json);
	stw_json_key(json, "victims");
	stw_json_array(json);
	for (size_t i = 0; i < finding->n_victims; i++)
		party_json(&finding->victims[i], true, json);
	stw_json_array_end(json);
}

static void reached_json(const stwatch_finding *finding, stw_json *json)
{
	stw_json_key(json, "reached");
	stw_json_array(json);
	for (size_t i = 0; i < finding->n_reached; i++) {
		const stwatch_reached *reached = &finding->reached[i];
		stw_json_row(json);
		stw_json_key_string(json, "kind", reached->kind);
		stw_json_key_string(json, "name", reached->name);
		stw_json_key_uint(json, "count", reached->count);
		stw_json_key_int(json, "delay_ns", reached->delay_ns);
		stw_json_key_int(json, "delay_max_ns", reached->delay_max_ns);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void phases_json(const stwatch_finding *finding, stw_json *json)
{
	stw_json_key(json, "phases");
	if (!finding->has_phases) {
		stw_json_null(json);
		return;
	}
	stw_json_row(json);
	stw_json_key_int_or_null(json, "lock_ns", finding->lock_ns, -1);
	stw_json_key_int(json, "stopping_ns", finding->stopping_ns);
	stw_json_key_int(json, "standing_ns", finding->standing_ns);
	stw_json_key_bool(json, "inferred", finding->phases_inferred);
	stw_json_object_end(json);
}

static void values_json(const stwatch_evidence *evidence, stw_json *json)
{
	stw_json_key(json, "values");
	stw_json_row(json);
	for (size_t i = 0; i < evidence->n_values; i++) {
		const stwatch_value *value = &evidence->values[i];
		stw_json_key(json, value->name);
		if (value->text)
			stw_json_string(json, value->text);
		else
			stw_json_int(json, value->number);
	}
	stw_json_object_end(json);
}

static void stack_json(const stwatch_evidence *evidence, stw_json *json)
{
	stw_json_key(json, "stack");
	stw_json_array(json);
	for (size_t i = 0; i < evidence->n_stack; i++) {
		const stwatch_frame *frame = &evidence->stack[i];
		stw_json_row(json);
		stw_json_key_string(json, "function", frame->function);
		stw_json_key_string(json, "file", frame->file);
		stw_json_key_uint(json, "line", frame->line);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void evidence_json(const stwatch_evidence *evidence, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_int_or_null(json, "at_ns", evidence->at_ns, STWATCH_UNKNOWN);
	stw_json_key_string(json, "step", evidence->step);
	stw_json_key_string(json, "what", evidence->what);
	values_json(evidence, json);
	stw_json_key_string(json, "source", evidence->source);
	stw_json_key(json, "line");
	if (evidence->line)
		stw_json_uint(json, evidence->line);
	else
		stw_json_null(json); /* not of a text input */
	who_json(evidence->goroutine, evidence->proc, evidence->thread, json);
	stack_json(evidence, json);
	stw_json_object_end(json);
}

static void argument_json(const stwatch_finding *finding, stw_json *json)
{
	stw_json_key(json, "evidence");
	stw_json_array(json);
	for (size_t i = 0; i < finding->n_evidence; i++)
		evidence_json(&finding->evidence[i], json);
	stw_json_array_end(json);
	stw_json_key(json, "ruled_out");
	stw_json_array(json);
	for (size_t i = 0; i < finding->n_ruled_out; i++)
		stw_json_string(json, finding->ruled_out[i]);
	stw_json_array_end(json);
	stw_json_key_string(json, "advice", finding->advice);
}

static void finding_keys(const stwatch_finding *finding, stw_json *json)
{
	stw_json_key_string(json, "id", finding->id);
	stw_json_key_string(json, "rule", finding->rule);
	stw_json_key_string(json, "severity", stw_output_severity(finding->severity));
	stw_json_key_string(json, "cause", finding->cause ? finding->cause : "unknown");
	stw_json_key_string(json, "confidence", stw_output_confidence(finding->confidence));
	stw_json_key_string(json, "title", finding->title);
	stw_json_key_int_or_null(json, "start_ns", finding->start_ns, STWATCH_UNKNOWN);
	stw_json_key_int_or_null(json, "end_ns", finding->end_ns, STWATCH_UNKNOWN);
	stw_json_key_int(json, "duration_ns", finding->duration_ns);
	stw_json_key_uint(json, "count", finding->count);
	stw_json_key_int(json, "worst_ns", finding->worst_ns);
	stw_json_key_int(json, "harm_ns", finding->harm_ns);
	occurrences_json(finding, json);
	parties_json(finding, json);
	reached_json(finding, json);
	phases_json(finding, json);
	argument_json(finding, json);
	stw_output_listings_json(finding, json);
}

void stw_output_finding_json(const stwatch_finding *finding, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_string(json, "schema", "stwatch.finding/1");
	finding_keys(finding, json);
	stw_json_object_end(json);
}

static void finding_json(const stwatch_finding *finding, stw_json *json)
{
	stw_json_object(json);
	finding_keys(finding, json);
	stw_json_object_end(json);
}

void stw_output_diagnosis_json(const stw_output_input *in, const stwatch_print_options *options, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_string(json, "schema", "stwatch.diagnosis/1");
	stw_output_inputs_json(in, json);
	stw_output_settings_json(in->settings, json);
	stw_output_summary_json(in->summary, json);
	stw_output_limits_json(in, json);
	stw_json_key(json, "findings");
	stw_json_array(json);
	size_t shown = stw_output_shown(in, options);
	for (size_t i = 0; i < shown; i++)
		finding_json(&in->findings[i], json);
	stw_json_array_end(json);
	stw_json_object_end(json);
}
