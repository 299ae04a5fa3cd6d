/* A critical path in its formats. */
#ifndef STW_OUTPUT_PATH_VIEWS_H
#define STW_OUTPUT_PATH_VIEWS_H

#include "output/json_views.h"
#include "output/path_print.h"
#include "output/text_views.h"

void stw_output_path_text(const stw_path_input *in, stw_text *text);
void stw_output_path_json(const stw_path_input *in, stw_json *json);
stwatch_status stw_output_path_mermaid(const stw_path_input *in, stwatch_sink_fn sink, void *user);

enum { STW_PATH_PLACE_MAX = 460 };
/* "main.hold lock.go:30"; the root where nothing else is known. */
const char *stw_output_path_place(
	char buffer[static STW_PATH_PLACE_MAX], const char *function, const char *root, const char *file, uint64_t line);
/* The kind and what it was: "timer (sleep)", "runnable (all procs busy, most with main.hog)". */
const char *stw_output_path_what(char buffer[static STW_PATH_PLACE_MAX], const stwatch_path_segment *segment);

#endif
