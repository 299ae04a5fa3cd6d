/* Any bytes, through the whole of it: recognition, decoding, order, model, rules and both printers. Every status is a fair answer to
 * nonsense, as long as the analysis, which reads generations on several threads, and the reading of events, one by one, say the same. */

#include "whole.h"

static void print_both(const stwatch_analysis *analysis)
{
	uint64_t printed = 0;
	stwatch_print_options json = {.size = sizeof json, .format = STWATCH_FORMAT_JSON};
	stwatch_analysis_print(analysis, STWATCH_VIEW_DIAGNOSE, NULL, sink_count, &printed);
	stwatch_analysis_print(analysis, STWATCH_VIEW_STAT, NULL, sink_count, &printed);
	stwatch_analysis_print(analysis, STWATCH_VIEW_DIAGNOSE, &json, sink_count, &printed);
}

static void analyse(stwatch_context *context, const char *path)
{
	stwatch_analyze_options options = {.size = sizeof options, .findings = true};
	stwatch_analysis *analysis = NULL;
	stwatch_error error;
	uint64_t length = 0;
	stwatch_status analysed = stwatch_analyze(context, &path, 1, &options, &analysis, &error);
	if (analysis)
		print_both(analysis);
	stwatch_analysis_free(analysis);
	stwatch_status printed = stwatch_events_print(context, &path, 1, STWATCH_EVENTS_JSONL, NULL, sink_count, &length, &error);
	/* What is no trace to the events may be another kind of input. */
	if (printed != STWATCH_ERR_FORMAT && analysed != printed && analysed != STWATCH_ERR_MEMORY && printed != STWATCH_ERR_MEMORY) {
		fprintf(stderr, "status %d where the events have %d: %s\n", (int)analysed, (int)printed, error.message);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return whole_run(data, size, 2, 512u << 20, analyse);
}
