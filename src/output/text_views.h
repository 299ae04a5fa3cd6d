/* What a person reads: `diagnose` and `stat`. */
#ifndef STW_OUTPUT_TEXT_VIEWS_H
#define STW_OUTPUT_TEXT_VIEWS_H

#include "output/output.h"
#include "output/text.h"

void stw_output_diagnosis_text(const stw_output_input *in, const stwatch_print_options *options, stw_text *text);
void stw_output_finding_text(const stwatch_finding *finding, size_t number, stw_text *text);
/* The page, or what options want to be drawn instead of it. */
void stw_output_stat_text(const stw_output_input *in, const stwatch_print_options *options, stw_text *text);
/* stat_draw.c */
void stw_output_mmu_drawing(const stwatch_summary *summary, bool ascii, stw_text *text);
void stw_output_latency_drawing(const stwatch_summary *summary, bool ascii, stw_text *text);

/* A line for each input, with its problems; and what the inputs can't show. */
void stw_output_input_text(const stwatch_input *input, const stwatch_summary *summary, stw_text *text);
void stw_output_inputs_text(const stw_output_input *in, stw_text *text);
void stw_output_limits_text(const stw_output_input *in, stw_text *text);

/* Figures and tables of an input that is no trace. */
void stw_output_source_text(const stwatch_input *input, stw_text *text);

/* The source lines of a finding. */
void stw_output_listings_text(const stwatch_finding *finding, stw_text *text);

/* Labelled lines: the label in its column, the rest wrapped beside it. */
#define STW_OUTPUT_LABEL_COLUMN 16
void stw_output_label(stw_text *text, const char *label);

#endif
