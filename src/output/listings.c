/* Lines of source around those that the evidence names, which are marked. They may hold anything, like all text from outside. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "output/json_views.h"
#include "output/report_views.h"
#include "output/sink_text.h"
#include "output/text_views.h"

enum { INDENT = STW_OUTPUT_LABEL_COLUMN, TAB = 4, LINE_SIZE = 1200 };

/* Tabs as spaces, so that the indentation shows everywhere; returns buffer. */
static const char *without_tabs(char buffer[static LINE_SIZE], const char *text)
{
	size_t n = 0;
	for (; *text && n + TAB < LINE_SIZE; text++)
		if (*text == '\t')
			for (unsigned i = 0; i < TAB; i++)
				buffer[n++] = ' ';
		else
			buffer[n++] = *text;
	buffer[n] = '\0';
	return buffer;
}

static bool has_gap(const stwatch_listing *l, size_t i)
{
	return i > 0 && l->lines[i].number > l->lines[i - 1].number + 1;
}

void stw_output_listings_text(const stwatch_finding *f, stw_text *text)
{
	char buffer[LINE_SIZE], number[STW_FIGURE_MAX];
	for (size_t i = 0; i < f->n_listings; i++) {
		const stwatch_listing *l = &f->listings[i];
		stw_output_label(text, "source");
		stw_text_wrap(text, INDENT, l->path);
		if (l->doubt) {
			stw_text_wrap(text, INDENT, "; ");
			stw_text_wrap(text, INDENT, l->doubt);
		}
		stw_text_line(text);
		for (size_t k = 0; k < l->n_lines; k++) {
			const stwatch_source_line *line = &l->lines[k];
			if (has_gap(l, k)) {
				stw_text_right(text, "…", INDENT - 4);
				stw_text_line(text);
			}
			snprintf(number, sizeof number, "%" PRIu64, line->number);
			stw_text_right(text, number, INDENT - 4);
			stw_text_put(text, line->marked ? " >" : "  ");
			stw_text_to(text, INDENT);
			stw_text_style(text, line->marked ? STW_STYLE_BOLD : STW_STYLE_DIM);
			stw_text_put(text, without_tabs(buffer, line->text));
			stw_text_style(text, STW_STYLE_PLAIN);
			stw_text_line(text);
		}
	}
}

static void number_of(stw_sink *out, const stwatch_source_line *line)
{
	char number[STW_FIGURE_MAX];
	snprintf(number, sizeof number, "%6" PRIu64 " %c ", line->number, line->marked ? '>' : ' ');
	stw_sink_text(out, number);
}

/* Each line begins with its number, so none can end the block. */
void stw_output_listings_markdown(stw_sink *out, const stwatch_finding *f)
{
	char buffer[LINE_SIZE];
	for (size_t i = 0; i < f->n_listings; i++) {
		const stwatch_listing *l = &f->listings[i];
		stw_sink_text(out, "\n**source** ");
		stw_sink_markdown(out, l->path);
		if (l->doubt) {
			stw_sink_text(out, "; ");
			stw_sink_markdown(out, l->doubt);
		}
		stw_sink_text(out, l->n_lines ? "\n\n```\n" : "\n");
		for (size_t k = 0; k < l->n_lines; k++) {
			stw_sink_text(out, has_gap(l, k) ? "     …\n" : "");
			number_of(out, &l->lines[k]);
			stw_sink_fenced(out, without_tabs(buffer, l->lines[k].text));
			stw_sink_text(out, "\n");
		}
		stw_sink_text(out, l->n_lines ? "```\n" : "");
	}
}

void stw_output_listings_html(stw_sink *out, const stwatch_finding *f)
{
	char buffer[LINE_SIZE];
	for (size_t i = 0; i < f->n_listings; i++) {
		const stwatch_listing *l = &f->listings[i];
		stw_sink_text(out, "<p class=\"dim\">source <code>");
		stw_sink_html(out, l->path);
		stw_sink_text(out, "</code>");
		if (l->doubt) {
			stw_sink_text(out, "; ");
			stw_sink_html(out, l->doubt);
		}
		stw_sink_text(out, l->n_lines ? "</p>\n<pre>" : "</p>\n");
		for (size_t k = 0; k < l->n_lines; k++) {
			const stwatch_source_line *line = &l->lines[k];
			stw_sink_text(out, has_gap(l, k) ? "<i>     …</i>\n" : "");
			stw_sink_text(out, line->marked ? "<mark>" : "");
			stw_sink_text(out, "<i>");
			number_of(out, line);
			stw_sink_text(out, "</i>");
			stw_sink_html(out, without_tabs(buffer, line->text));
			stw_sink_text(out, line->marked ? "</mark>\n" : "\n");
		}
		stw_sink_text(out, l->n_lines ? "</pre>\n" : "");
	}
}

void stw_output_listings_json(const stwatch_finding *f, stw_json *json)
{
	stw_json_key(json, "source_lines");
	stw_json_array(json);
	for (size_t i = 0; i < f->n_listings; i++) {
		const stwatch_listing *l = &f->listings[i];
		stw_json_object(json);
		stw_json_key_string(json, "function", l->function);
		stw_json_key_string(json, "file", l->file);
		stw_json_key_string(json, "path", l->path);
		stw_json_key_string(json, "doubt", l->doubt);
		stw_json_key(json, "lines");
		stw_json_array(json);
		for (size_t k = 0; k < l->n_lines; k++) {
			stw_json_row(json);
			stw_json_key_uint(json, "line", l->lines[k].number);
			stw_json_key_string(json, "text", l->lines[k].text);
			stw_json_key_bool(json, "marked", l->lines[k].marked);
			stw_json_object_end(json);
		}
		stw_json_array_end(json);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}
