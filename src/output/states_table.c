/* The state graph for people. */
#include "output/states_views.h"

#include <inttypes.h>
#include <string.h>

enum { CONTRADICTIONS_SHOWN = 10, FIRST = 15, WIDTH = 11, ARROW = 28, EVENT = 49, COUNT_WIDTH = 9, TIME_WIDTH = 9 };

static void heading(stw_text *text, const char *title, unsigned column)
{
	stw_text_line(text);
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_put(text, title);
	stw_text_to(text, column);
}

static void end_heading(stw_text *text)
{
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_line(text);
}

static void time_row(const stwatch_state_time *row, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	stw_text_put(text, "  ");
	stw_text_put(text, row->state);
	stw_text_to(text, FIRST);
	stw_text_right(text, stw_text_count(figure, row->stays), WIDTH);
	stw_text_right(text, stw_text_duration(figure, row->total_ns), WIDTH);
	stw_text_right(text, stw_text_share(figure, row->share), WIDTH);
	stw_text_right(text, stw_text_count(figure, row->censored), WIDTH);
	stw_text_line(text);
}

static void times(const stw_states_input *in, stwatch_resource resource, stw_text *text)
{
	static const char *const TITLES[] = {"", "goroutines", "procs", "threads"};
	static const char *const COLUMNS[] = {"stays", "time", "share", "censored"};
	heading(text, TITLES[resource], FIRST);
	for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++)
		stw_text_right(text, COLUMNS[i], WIDTH);
	end_heading(text);
	for (size_t i = 0; i < in->n_times; i++)
		if (in->times[i].resource == resource)
			time_row(&in->times[i], text);
}

static void duration_cell(stw_text *text, int64_t ns)
{
	char figure[STW_FIGURE_MAX];
	stw_text_right(text, ns < 0 ? "-" : stw_text_duration(figure, ns), TIME_WIDTH + 1);
}

static void transition_row(const stwatch_transition *row, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	if (!row->legal)
		stw_text_style(text, STW_STYLE_RED);
	stw_text_put(text, "  ");
	stw_text_put(text, row->from);
	stw_text_to(text, FIRST);
	stw_text_put(text, "→ ");
	stw_text_put(text, row->to);
	stw_text_to(text, ARROW + 1);
	stw_text_put(text, row->event);
	stw_text_to(text, EVENT);
	stw_text_right(text, stw_text_count(figure, row->count), COUNT_WIDTH);
	stw_text_right(text, stw_text_share(figure, row->share), COUNT_WIDTH);
	duration_cell(text, row->p50_ns);
	duration_cell(text, row->p99_ns);
	duration_cell(text, row->max_ns);
	if (!row->legal) {
		stw_text_put(text, "  ILLEGAL");
		stw_text_style(text, STW_STYLE_PLAIN);
	}
	stw_text_line(text);
}

static void transitions(const stw_states_input *in, stwatch_resource resource, stw_text *text)
{
	static const char *const COLUMNS[] = {"p50", "p99", "max"};
	heading(text, "  from", FIRST);
	stw_text_put(text, "→ to");
	stw_text_to(text, ARROW + 1);
	stw_text_put(text, "event");
	stw_text_to(text, EVENT);
	stw_text_right(text, "count", COUNT_WIDTH);
	stw_text_right(text, "share", COUNT_WIDTH);
	for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++)
		stw_text_right(text, COLUMNS[i], TIME_WIDTH + 1);
	end_heading(text);
	for (size_t i = 0; i < in->n_transitions; i++)
		if (in->transitions[i].resource == resource)
			transition_row(&in->transitions[i], text);
}

static bool has_any(const stw_states_input *in, stwatch_resource resource)
{
	for (size_t i = 0; i < in->n_times; i++)
		if (in->times[i].resource == resource)
			return true;
	return false;
}

static void contradictions(const stw_states_input *in, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	stw_text_line(text);
	if (in->contradictions_total == 0) {
		stw_text_put(text,
			stw_output_is_unread(&in->common)
				? "nothing was looked at"
				: "nothing illegal: every transition is the runtime's, and threads, P's and goroutines fit together");
		stw_text_line(text);
		return;
	}
	stw_text_style(text, STW_STYLE_RED);
	stw_text_printf(text, "%s contradictions", stw_text_count(figure, in->contradictions_total));
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_line(text);
	for (size_t i = 0; i < in->n_contradictions && i < CONTRADICTIONS_SHOWN; i++) {
		const stwatch_contradiction *c = &in->contradictions[i];
		stw_text_put(text, "  ");
		stw_text_put(text, stw_text_at(figure, c->at_ns));
		stw_text_to(text, STW_OUTPUT_LABEL_COLUMN);
		stw_text_put(text, c->rule);
		stw_text_put(text, ": ");
		stw_text_wrap(text, STW_OUTPUT_LABEL_COLUMN, c->what);
		stw_text_line(text);
	}
}

void stw_output_states_table(const stw_states_input *in, stw_text *text)
{
	stw_output_inputs_text(&in->common, text);
	for (int resource = STWATCH_GOROUTINE; resource <= STWATCH_THREAD; resource++) {
		if (!has_any(in, (stwatch_resource)resource))
			continue;
		times(in, (stwatch_resource)resource, text);
		transitions(in, (stwatch_resource)resource, text);
	}
	contradictions(in, text);
	stw_text_line(text);
	stw_output_limits_text(&in->common, text);
}
