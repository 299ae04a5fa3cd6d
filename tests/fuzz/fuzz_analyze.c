/* Any bytes, through the whole of it: recognition, decoding, order, model, rules and both printers. Every status is a fair answer to
 * nonsense, as long as the analysis, which reads generations on several threads, and the reading of events, one by one, say the same. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stwatch/stwatch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int swallow(void *user, const char *data, size_t length)
{
	(void)user;
	(void)data;
	(void)length;
	return 0;
}

static void print_both(const stwatch_analysis *analysis)
{
	stwatch_print_options json = {.size = sizeof json, .format = STWATCH_FORMAT_JSON};
	stwatch_analysis_print(analysis, STWATCH_VIEW_DIAGNOSE, NULL, swallow, NULL);
	stwatch_analysis_print(analysis, STWATCH_VIEW_STAT, NULL, swallow, NULL);
	stwatch_analysis_print(analysis, STWATCH_VIEW_DIAGNOSE, &json, swallow, NULL);
}

static void analyse(stwatch_context *context, const char *path)
{
	stwatch_analyze_options options = {.size = sizeof options, .findings = true};
	stwatch_analysis *analysis = NULL;
	stwatch_error error;
	stwatch_status analysed = stwatch_analyze(context, &path, 1, &options, &analysis, &error);
	if (analysis)
		print_both(analysis);
	stwatch_analysis_free(analysis);
	stwatch_status printed = stwatch_events_print(context, &path, 1, STWATCH_EVENTS_JSONL, NULL, swallow, NULL, &error);
	/* What is no trace to the events may be another kind of input. */
	if (printed != STWATCH_ERR_FORMAT && analysed != printed && analysed != STWATCH_ERR_MEMORY && printed != STWATCH_ERR_MEMORY) {
		fprintf(stderr, "status %d where the events have %d: %s\n", (int)analysed, (int)printed, error.message);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The library reads files: give it one that lives in memory. */
	int fd = memfd_create("fuzz", 0);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	stwatch_context_options options = {.size = sizeof options, .threads = 2, .memory_limit = 512u << 20};
	stwatch_context *context = NULL;
	if (stwatch_context_create(&options, &context) == STWATCH_OK)
		analyse(context, path);
	stwatch_context_free(context);
	close(fd);
	return 0;
}
