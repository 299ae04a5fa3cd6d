/* The state graph in its formats. */
#ifndef STW_OUTPUT_STATES_VIEWS_H
#define STW_OUTPUT_STATES_VIEWS_H

#include "output/json_views.h"
#include "output/states_print.h"
#include "output/text_views.h"

void stw_output_states_table(const stw_states_input *in, stw_text *text);
void stw_output_states_json(const stw_states_input *in, stw_json *json);
stwatch_status stw_output_states_mermaid(const stw_states_input *in, stwatch_sink_fn sink, void *user);
stwatch_status stw_output_states_dot(const stw_states_input *in, stwatch_sink_fn sink, void *user);

#endif
