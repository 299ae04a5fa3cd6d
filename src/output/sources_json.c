/* "sources" of `stat --format json`: the inputs that are no traces, each with its own figures and tables. */
#include "output/json_views.h"

static void cell_json(stwatch_quantity quantity, const stwatch_cell *cell, stw_json *json)
{
	char wall[STW_WALL_MAX];
	if (quantity == STWATCH_TEXT)
		stw_json_string(json, cell->text);
	else if (cell->number == STWATCH_UNKNOWN)
		stw_json_null(json);
	else if (quantity == STWATCH_WALL_NS)
		stw_json_string(json, stw_output_wall_time(wall, cell->number));
	else
		stw_json_int(json, cell->number);
}

static void table_json(const stwatch_table *table, stw_json *json)
{
	const stwatch_cell *cell = table->cells;
	stw_json_key(json, table->name);
	stw_json_array(json);
	for (size_t r = 0; r < table->n_rows; r++) {
		stw_json_row(json);
		for (size_t c = 0; c < table->n_columns; c++, cell++) {
			stw_json_key(json, table->columns[c].name);
			cell_json(table->columns[c].quantity, cell, json);
		}
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void source_json(const stwatch_input *input, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_string(json, "file", input->file);
	stw_json_key_string(json, "kind", input->kind);
	stw_json_key(json, "figures");
	stw_json_object(json);
	for (size_t i = 0; i < input->n_figures; i++) {
		stw_json_key(json, input->figures[i].what.name);
		cell_json(input->figures[i].what.quantity, &input->figures[i].value, json);
	}
	stw_json_object_end(json);
	stw_json_key(json, "tables");
	stw_json_object(json);
	for (size_t i = 0; i < input->n_tables; i++)
		table_json(&input->tables[i], json);
	stw_json_object_end(json);
	stw_json_object_end(json);
}

void stw_output_sources_json(const stw_output_input *in, stw_json *json)
{
	stw_json_key(json, "sources");
	stw_json_array(json);
	for (size_t i = 0; i < in->n_inputs; i++)
		if (!stw_output_is_trace(&in->inputs[i]))
			source_json(&in->inputs[i], json);
	stw_json_array_end(json);
}
