/* Any bytes as a trace, through the critical path of what there is to choose from. Besides crashes it holds what a path promises: its
 * stretches follow each other without a gap and are the span, and the sums of kinds are its length. */
#include "whole.h"

enum { FOLLOWED = 6 };

static void check(const stwatch_path *path)
{
	size_t n;
	const stwatch_path_span *span = stwatch_path_chosen(path);
	const stwatch_path_segment *s = stwatch_path_segments(path, &n);
	if (!span)
		return;
	int64_t at = span->from_ns;
	for (size_t i = 0; i < n; i++) {
		REQUIRE(s[i].from_ns == at && s[i].to_ns >= at);
		REQUIRE(s[i].kind > 0 && s[i].kind < STWATCH_PATH_KINDS && s[i].function && s[i].root && s[i].what);
		at = s[i].to_ns;
	}
	REQUIRE(at == span->to_ns);
	const int64_t *kinds = stwatch_path_kinds(path);
	int64_t sum = 0;
	for (unsigned kind = 0; kind < STWATCH_PATH_KINDS; kind++)
		sum += kinds[kind];
	REQUIRE(sum == span->to_ns - span->from_ns);
}

static void print_all(const stwatch_path *path)
{
	static const stwatch_path_format FORMATS[] = {STWATCH_PATH_TEXT, STWATCH_PATH_JSON, STWATCH_PATH_MERMAID};
	for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
		uint64_t printed = 0;
		stwatch_path_print(path, FORMATS[i], NULL, sink_count, &printed);
	}
}

static void follow(stwatch_context *context, const char *file, const stwatch_path_choice *choice)
{
	stwatch_path_options options;
	stwatch_path *path = NULL;
	stwatch_path_options_init(&options);
	options.subject = choice->subject;
	options.name = choice->name;
	options.goroutine = (int64_t)choice->id;
	stwatch_path_read(context, &file, 1, &options, &path, NULL);
	if (!path)
		return;
	check(path);
	print_all(path);
	stwatch_path_free(path);
}

static void look(stwatch_context *context, const char *file)
{
	stwatch_path *path = NULL;
	size_t n;
	stwatch_path_read(context, &file, 1, NULL, &path, NULL);
	if (!path)
		return;
	const stwatch_path_choice *choices = stwatch_path_choices(path, &n);
	print_all(path);
	for (size_t i = 0, step = n / FOLLOWED + 1; i < n; i += step)
		follow(context, file, &choices[i]);
	stwatch_path_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return whole_run(data, size, 1, 256u << 20, look);
}
