/* The JSON documents of docs/schema: diagnosis, stat, event lines. */
#ifndef STW_OUTPUT_JSON_VIEWS_H
#define STW_OUTPUT_JSON_VIEWS_H

#include "output/json.h"
#include "output/output.h"

void stw_output_diagnosis_json(const stw_output_input *in, const stwatch_print_options *options, stw_json *json);
void stw_output_stat_json(const stw_output_input *in, stw_json *json);

/* One finding as an object of its own. */
void stw_output_finding_json(const stwatch_finding *finding, stw_json *json);

/* The parts that both documents have: "inputs", "settings", "summary", "limits", each with its key. */
void stw_output_inputs_json(const stw_output_input *in, stw_json *json);
void stw_output_settings_json(const stwatch_settings *settings, stw_json *json);
void stw_output_summary_json(const stwatch_summary *summary, stw_json *json);
void stw_output_sources_json(const stw_output_input *in, stw_json *json);
void stw_output_limits_json(const stw_output_input *in, stw_json *json);

/* "source_lines" of a finding, with its key. */
void stw_output_listings_json(const stwatch_finding *finding, stw_json *json);

/* One event as an object (docs/schema/event.json); the line's end is the caller's. Times are relative to first_ns. */
void stw_output_event_json(const stwatch_event *event, int64_t first_ns, stw_json *json);

#endif
