/* A diagnosis to be passed on: Markdown for an issue, a page for a ticket. */
#ifndef STW_OUTPUT_REPORT_VIEWS_H
#define STW_OUTPUT_REPORT_VIEWS_H

#include "output/output.h"
#include "output/sink.h"

stwatch_status stw_output_diagnosis_markdown(
	const stw_output_input *in, const stwatch_print_options *options, stwatch_sink_fn sink, void *user);
stwatch_status stw_output_diagnosis_html(
	const stw_output_input *in, const stwatch_print_options *options, stwatch_sink_fn sink, void *user);

/* A drawn timeline as SVG, with the occurrence [from, to) marked and a tick for each step of evidence. Returns its size in bytes. */
size_t stw_output_timeline_svg(stw_sink *out, const stwatch_finding *finding);

/* The chain behind a system call (goroutine, function, call, kernel, proc, who waited; with times) as a fenced Mermaid graph. False, and nothing is
 * written, for a finding that shows no system call. */
bool stw_output_mermaid_chain(stw_sink *out, const stwatch_finding *finding);

/* A line of what a report says of a finding. */
typedef void stw_output_fact_fn(stw_sink *out, const char *label, const char *text);
/* Cause, phases, culprit, whom it harmed (in the report's own way), what is ruled out (a line each), what to do. */
void stw_output_facts(stw_sink *out, const stwatch_finding *finding, stw_output_fact_fn *fact,
	void (*harmed)(stw_sink *out, const stwatch_finding *finding));

/* The source lines of a finding. */
void stw_output_listings_markdown(stw_sink *out, const stwatch_finding *finding);
void stw_output_listings_html(stw_sink *out, const stwatch_finding *finding);

/* ---- text from a trace, made harmless for where it goes ---- */

/* For HTML and SVG, between tags and in quoted attributes. Control characters and what is no UTF-8 become U+FFFD. */
void stw_sink_html(stw_sink *out, const char *text);
/* For a line of Markdown: nothing in it has a meaning, names nobody and refers to no issue. */
void stw_sink_markdown(stw_sink *out, const char *text);
/* For a line within a fenced block. */
void stw_sink_fenced(stw_sink *out, const char *text);
/* For a label in Mermaid, within a fenced block. */
void stw_sink_mermaid(stw_sink *out, const char *text);

#endif
