/* Two inputs of the same process, read together: what stands before the first line "----" is the first file, what follows the second. Every finding
 * must be whole, and printed in every form. Where both are traces that can be joined, their events are one timeline: in order of time, and those
 * that were counted; and in the other order of the files they are the same. */
#include <string.h>

#include "stage.h"
#include "stwatch/stwatch.h"

static void walk(const stwatch_analysis *a)
{
	uint64_t printed = 0;
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
		stwatch_analysis_print(a, STWATCH_VIEW_DIAGNOSE, &options, sink_count, &printed);
	}
	stwatch_analysis_print(a, STWATCH_VIEW_STAT, NULL, sink_count, &printed);
}

/* What events are printed, in order. */
typedef struct printed {
	uint64_t lines, hash;
} printed;

static int add_up(void *user, const char *data, size_t length)
{
	printed *p = user;
	for (size_t i = 0; i < length; i++) {
		p->lines += data[i] == '\n';
		p->hash = (p->hash ^ (unsigned char)data[i]) * 0x100000001b3u;
	}
	return 0;
}

static stwatch_status print_joined(stwatch_context *context, const char *first, const char *second, printed *out)
{
	const char *paths[] = {first, second};
	*out = (printed){0};
	return stwatch_events_print(context, paths, 2, STWATCH_EVENTS_JSONL, NULL, add_up, out, NULL);
}

/* Of traces in which nothing is wrong. */
static void check_sums(const stwatch_states *states, const printed *events)
{
	size_t n;
	uint64_t sum = 0, syncs = 0;
	const stwatch_input *inputs = stwatch_states_inputs(states, &n);
	REQUIRE(n == 2);
	for (size_t i = 0; i < n; i++) {
		sum += inputs[i].events;
		syncs += inputs[i].generations || !inputs[i].repeated_generations;
	}
	REQUIRE(events->lines == sum - (syncs ? syncs - 1 : 0)); /* each counts a sync event at its end; together they have one */
}

static void join(stwatch_context *context, const char *first, const char *second)
{
	const char *paths[] = {first, second};
	stwatch_path_options options;
	stwatch_states *states = NULL;
	stwatch_path *path = NULL;
	printed one, other;
	uint64_t length = 0;
	stwatch_status status = stwatch_states_read(context, paths, 2, NULL, &states, NULL), again;
	if (states)
		stwatch_states_print(states, STWATCH_STATES_JSON, NULL, sink_count, &length);
	stwatch_path_options_init(&options);
	options.subject = STWATCH_PATH_FUNCTION;
	options.name = "main.";
	stwatch_path_read(context, paths, 2, &options, &path, NULL);
	if (path)
		stwatch_path_print(path, STWATCH_PATH_JSON, NULL, sink_count, &length);
	stwatch_path_free(path);
	again = print_joined(context, first, second, &one);
	REQUIRE(status == again || status == STWATCH_ERR_MEMORY || again == STWATCH_ERR_MEMORY);
	if (status == STWATCH_OK && again == STWATCH_OK)
		check_sums(states, &one);
	if (again == STWATCH_OK && print_joined(context, second, first, &other) == STWATCH_OK)
		REQUIRE(one.lines == other.lines && one.hash == other.hash);
	stwatch_states_free(states);
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
	join(context, first, second);
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
