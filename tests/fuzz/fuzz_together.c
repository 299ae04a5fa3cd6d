/* A trace and another input of the same process, diagnosed together: what stands before the first line "----" is the first file, what
 * follows the second. Every finding must be whole, and printed in every form. */
#include <string.h>

#include "stage.h"
#include "stwatch/stwatch.h"

static int swallow(void *user, const char *data, size_t length)
{
	(void)user;
	(void)data;
	(void)length;
	return 0;
}

static void walk(const stwatch_analysis *a)
{
	static const stwatch_format FORMATS[] = {STWATCH_FORMAT_TEXT, STWATCH_FORMAT_JSON, STWATCH_FORMAT_MARKDOWN, STWATCH_FORMAT_HTML};
	size_t n;
	const stwatch_finding *f = stwatch_analysis_findings(a, &n);
	for (size_t i = 0; i < n; i++) {
		REQUIRE(f[i].id && f[i].rule && f[i].cause && f[i].title && f[i].advice && f[i].severity && f[i].confidence);
		REQUIRE(stwatch_explain(f[i].rule) && stwatch_explain(f[i].cause));
		for (size_t k = 0; k < f[i].n_evidence; k++)
			REQUIRE(f[i].evidence[k].step && f[i].evidence[k].what && f[i].evidence[k].source);
	}
	for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
		const stwatch_print_options options = {.size = sizeof options, .format = FORMATS[i]};
		stwatch_analysis_print(a, STWATCH_VIEW_DIAGNOSE, &options, swallow, NULL);
	}
	stwatch_analysis_print(a, STWATCH_VIEW_STAT, NULL, swallow, NULL);
}

static void analyse(const char *first, const char *second)
{
	const char *paths[] = {first, second};
	stwatch_context_options options = {.size = sizeof options, .threads = 1, .memory_limit = 512u << 20};
	stwatch_context *context = NULL;
	if (stwatch_context_create(&options, &context) != STWATCH_OK)
		return;
	stwatch_analyze_options what = {.size = sizeof what, .findings = true};
	stwatch_analysis *analysis = NULL;
	stwatch_error error;
	stwatch_analyze(context, paths, 2, &what, &analysis, &error);
	if (analysis)
		walk(analysis);
	stwatch_analysis_free(analysis);
	stwatch_context_free(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char BETWEEN[] = "\n----\n";
	const uint8_t *at = size ? memmem(data, size, BETWEEN, sizeof BETWEEN - 1) : NULL;
	input first, second;
	if (!at)
		return 0;
	const uint8_t *rest = at + sizeof BETWEEN - 1;
	bool one = input_open(&first, data, (size_t)(at - data)) == 0, two = input_open(&second, rest, size - (size_t)(rest - data)) == 0;
	if (one && two)
		analyse(first.path, second.path);
	if (one)
		input_close(&first);
	if (two)
		input_close(&second);
	return 0;
}
