/* The page of `stat` for inputs that are no traces. */
#include "output/text_views.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = STW_OUTPUT_LABEL_COLUMN, NUMBER_WIDTH = 13, TEXT_MIN = 20, COLUMNS_MAX = 16 };

static const char *cell_text(char buffer[static STW_WALL_MAX], stwatch_quantity quantity, const stwatch_cell *cell)
{
	if (quantity == STWATCH_TEXT)
		return cell->text ? cell->text : "-";
	if (cell->number == STWATCH_UNKNOWN)
		return "-";
	if (quantity == STWATCH_NS)
		return stw_text_duration(buffer, cell->number);
	if (quantity == STWATCH_PERMILLE)
		return stw_text_share(buffer, (double)cell->number / 1000);
	if (quantity == STWATCH_WALL_NS) {
		const char *wall = stw_output_wall_time(buffer, cell->number);
		return wall ? wall : "-";
	}
	uint64_t number = cell->number < 0 ? 0 : (uint64_t)cell->number;
	return quantity == STWATCH_BYTES ? stw_text_bytes(buffer, number) : stw_text_count(buffer, number);
}

static void figures(const stwatch_input *input, stw_text *text)
{
	char buffer[STW_WALL_MAX];
	for (size_t i = 0; i < input->n_figures; i++) {
		const stwatch_figure *figure = &input->figures[i];
		stw_output_label(text, figure->what.label);
		stw_text_wrap(text, INDENT, cell_text(buffer, figure->what.quantity, &figure->value));
		stw_text_line(text);
	}
}

/* Characters, as columns count them. */
static unsigned columns_of(const char *string)
{
	unsigned n = 0;
	for (size_t left = strlen(string); left > 0; n++) {
		size_t length = stw_utf8_next(string, left).length;
		string += length;
		left -= length;
	}
	return n;
}

/* Numbers stand in columns of one width at the left, then the texts, of which the last may be of any length. */
static void widths_of(const stwatch_table *table, unsigned *widths)
{
	for (size_t c = 0; c < table->n_columns; c++) {
		widths[c] = NUMBER_WIDTH;
		if (table->columns[c].quantity != STWATCH_TEXT)
			continue;
		widths[c] = columns_of(table->columns[c].label);
		for (size_t r = 0; r < table->n_rows; r++) {
			const char *cell = table->cells[r * table->n_columns + c].text;
			unsigned width = cell ? columns_of(cell) : 1;
			widths[c] = width > widths[c] ? width : widths[c];
		}
		widths[c] = widths[c] > 2 * TEXT_MIN ? 2 * TEXT_MIN : widths[c];
	}
}

static void put_cells(const stwatch_table *table, const unsigned *widths, const stwatch_cell *cells, stw_text *text)
{
	char buffer[STW_WALL_MAX];
	unsigned at = 0;
	for (size_t c = 0; c < table->n_columns; c++)
		if (table->columns[c].quantity != STWATCH_TEXT) {
			const char *label = table->columns[c].label;
			stw_text_right(text, cells ? cell_text(buffer, table->columns[c].quantity, &cells[c]) : label, widths[c]);
			at += widths[c];
		}
	for (size_t c = 0; c < table->n_columns; c++)
		if (table->columns[c].quantity == STWATCH_TEXT) {
			stw_text_to(text, at + 2);
			stw_text_item(text, at + 2, cells ? cell_text(buffer, STWATCH_TEXT, &cells[c]) : table->columns[c].label);
			at += 2 + widths[c];
		}
	stw_text_line(text);
}

static void table(const stwatch_table *t, stw_text *text)
{
	unsigned widths[COLUMNS_MAX];
	char figure[STW_FIGURE_MAX];
	if (t->n_rows == 0 || t->n_columns > COLUMNS_MAX)
		return;
	widths_of(t, widths);
	stw_text_line(text);
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_put(text, t->title);
	stw_text_line(text);
	put_cells(t, widths, NULL, text);
	stw_text_style(text, STW_STYLE_PLAIN);
	for (size_t r = 0; r < t->n_rows; r++)
		put_cells(t, widths, &t->cells[r * t->n_columns], text);
	if (t->more) {
		stw_text_printf(text, "  %s more", stw_text_count(figure, t->more));
		stw_text_line(text);
	}
}

void stw_output_source_text(const stwatch_input *input, stw_text *text)
{
	figures(input, text);
	for (size_t i = 0; i < input->n_tables; i++)
		table(&input->tables[i], text);
}
