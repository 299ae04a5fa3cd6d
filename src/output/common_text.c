/* What both views for people begin and end with. */
#include "output/text_views.h"

#include <inttypes.h>
#include <string.h>

enum { PROBLEMS_SHOWN = 3 };

void stw_output_label(stw_text *text, const char *label)
{
	stw_text_put(text, "  ");
	stw_text_style(text, STW_STYLE_DIM);
	stw_text_put(text, label);
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_to(text, STW_OUTPUT_LABEL_COLUMN);
}

static void problems(const stwatch_input *input, stw_text *text)
{
	for (size_t i = 0; i < input->n_problems && i < PROBLEMS_SHOWN; i++) {
		const stwatch_problem *problem = &input->problems[i];
		stw_output_label(text, "problem");
		if (problem->offset != STWATCH_NO_OFFSET)
			stw_text_printf(text, "at byte %" PRIu64 ": ", problem->offset);
		stw_text_wrap(text, STW_OUTPUT_LABEL_COLUMN, problem->what);
		stw_text_line(text);
	}
	if (input->n_problems > PROBLEMS_SHOWN) {
		stw_output_label(text, "");
		stw_text_printf(text, "%zu more problems (--format json lists them)", input->n_problems - PROBLEMS_SHOWN);
		stw_text_line(text);
	}
}

static void extent(const stwatch_input *input, const stwatch_summary *summary, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	if (summary->gomaxprocs_max > 0) {
		stw_text_wrap(text, 2, " · GOMAXPROCS ");
		stw_text_wrap(text, 2, stw_text_count(figure, (uint64_t)summary->gomaxprocs_max));
	}
	stw_text_wrap(text, 2, " · ");
	stw_text_wrap(text, 2, stw_text_count(figure, input->generations));
	stw_text_wrap(text, 2, input->generations == 1 ? " generation," : " generations,");
	stw_text_wrap(text, 2, input->complete ? " complete" : "");
}

void stw_output_input_text(const stwatch_input *input, const stwatch_summary *summary, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_item(text, 2, stw_output_input_name(input->file));
	stw_text_style(text, STW_STYLE_PLAIN);
	if (input->format) {
		stw_text_wrap(text, 2, " · ");
		stw_text_wrap(text, 2, input->format);
	}
	if (!stw_output_is_trace(input)) {
		stw_text_wrap(text, 2, " · ");
		stw_text_wrap(text, 2, input->kind);
	}
	if (input->duration_ns != STWATCH_UNKNOWN) {
		stw_text_wrap(text, 2, " · ");
		stw_text_wrap(text, 2, stw_text_duration(figure, input->duration_ns));
	}
	if (stw_output_is_trace(input))
		extent(input, summary, text);
	else
		stw_text_wrap(text, 2, input->complete ? "" : ",");
	if (!input->complete)
		stw_text_style(text, STW_STYLE_YELLOW);
	stw_text_wrap(text, 2, input->complete ? "" : " not complete");
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_line(text);
	problems(input, text);
}
void stw_output_inputs_text(const stw_output_input *in, stw_text *text)
{
	for (size_t i = 0; i < in->n_inputs; i++)
		stw_output_input_text(&in->inputs[i], in->summary, text);
}

void stw_output_limits_text(const stw_output_input *in, stw_text *text)
{
	for (size_t i = 0; i < in->n_limits; i++) {
		stw_output_label(text, i == 0 ? "limits" : "");
		stw_text_wrap(text, STW_OUTPUT_LABEL_COLUMN, in->limits[i]);
		stw_text_line(text);
	}
}
