/* A path in the format that was asked for. */
#include "output/path_print.h"
#include "output/path_views.h"

stwatch_status stw_output_path_print(
	const stw_path_input *in, stwatch_path_format format, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	static const stwatch_print_options DEFAULTS = {.size = sizeof DEFAULTS};
	if (!options)
		options = &DEFAULTS;
	if (format == STWATCH_PATH_MERMAID)
		return stw_output_path_mermaid(in, sink, user);
	if (format == STWATCH_PATH_JSON) {
		stw_json json;
		stw_json_init(&json, true, sink, user);
		stw_output_path_json(in, &json);
		stw_json_end_line(&json);
		return stw_json_finish(&json);
	}
	stw_text text;
	stw_text_init(&text, options->width, options->color, sink, user);
	stw_output_path_text(in, &text);
	return stw_text_finish(&text);
}
