#include "output/output.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "output/json_views.h"
#include "output/report_views.h"
#include "output/text_views.h"

static void print_json(const stw_output_input *in, stwatch_view view, const stwatch_print_options *options, stw_json *json)
{
	if (view == STWATCH_VIEW_STAT)
		stw_output_stat_json(in, json);
	else
		stw_output_diagnosis_json(in, options, json);
	stw_json_end_line(json);
}

static void print_text(const stw_output_input *in, stwatch_view view, const stwatch_print_options *options, stw_text *text)
{
	if (view == STWATCH_VIEW_STAT)
		stw_output_stat_text(in, options, text);
	else
		stw_output_diagnosis_text(in, options, text);
}

stwatch_status stw_output_print(
	const stw_output_input *in, stwatch_view view, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	static const stwatch_print_options DEFAULTS = {.size = sizeof DEFAULTS};
	if (!options)
		options = &DEFAULTS;
	if (options->format == STWATCH_FORMAT_MARKDOWN && view == STWATCH_VIEW_DIAGNOSE)
		return stw_output_diagnosis_markdown(in, options, sink, user);
	if (options->format == STWATCH_FORMAT_HTML && view == STWATCH_VIEW_DIAGNOSE)
		return stw_output_diagnosis_html(in, options, sink, user);
	if (options->format == STWATCH_FORMAT_JSON) {
		stw_json json;
		stw_json_init(&json, !options->one_line, sink, user);
		print_json(in, view, options, &json);
		return stw_json_finish(&json);
	}
	stw_text text;
	stw_text_init(&text, options->width, options->color, sink, user);
	print_text(in, view, options, &text);
	return stw_text_finish(&text);
}

stwatch_status stwatch_finding_print(
	const stwatch_finding *finding, size_t number, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	static const stwatch_print_options DEFAULTS = {.size = sizeof DEFAULTS};
	if (!options)
		options = &DEFAULTS;
	if (options->format == STWATCH_FORMAT_JSON) {
		stw_json json;
		stw_json_init(&json, false, sink, user);
		stw_output_finding_json(finding, &json);
		stw_json_end_line(&json);
		return stw_json_finish(&json);
	}
	stw_text text;
	stw_text_init(&text, options->width, options->color, sink, user);
	stw_output_finding_text(finding, number, &text);
	return stw_text_finish(&text);
}

const char *stw_output_severity(stwatch_severity severity)
{
	static const char *const WORDS[] = {"note", "note", "warning", "error"};
	return WORDS[severity >= STWATCH_NOTE && severity <= STWATCH_ERROR ? severity : 0];
}

const char *stw_output_confidence(stwatch_confidence confidence)
{
	static const char *const WORDS[] = {"possible", "possible", "likely", "certain"};
	return WORDS[confidence >= STWATCH_POSSIBLE && confidence <= STWATCH_CERTAIN ? confidence : 0];
}

bool stw_output_is_trace(const stwatch_input *input)
{
	return strcmp(input->kind, "go-trace") == 0;
}

const char *stw_output_wall_time(char buffer[static STW_WALL_MAX], int64_t unix_ns)
{
	int64_t seconds = unix_ns / 1000000000, nanoseconds = unix_ns % 1000000000;
	if (nanoseconds < 0) {
		nanoseconds += 1000000000;
		seconds--;
	}
	time_t time = (time_t)seconds;
	struct tm parts;
	char date[40];
	/* A year of five digits is not RFC 3339, and comes only from nonsense. */
	if (!gmtime_r(&time, &parts) || parts.tm_year > 8099 || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		return NULL;
	snprintf(buffer, STW_WALL_MAX, "%s.%09dZ", date, (int)nanoseconds);
	return buffer;
}

size_t stw_output_shown(const stw_output_input *in, const stwatch_print_options *options)
{
	return options->top && options->top < in->n_findings ? options->top : in->n_findings;
}

bool stw_output_is_unread(const stw_output_input *in)
{
	bool unread = false;
	for (size_t i = 0; i < in->n_inputs; i++) {
		const stwatch_input *input = &in->inputs[i];
		if (strcmp(input->kind, "go-trace") != 0)
			continue;
		if (input->complete || input->n_problems || input->generations || input->repeated_generations)
			return false;
		unread = true;
	}
	return unread;
}
