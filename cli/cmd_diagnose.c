#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/analyse.h"

typedef struct diagnose_args {
	cli_time from, to;
	const char *focus;
	const char *source;
	int64_t top;
	cli_list ignore;
	int fail_on;
	int format;
	cli_follow follow;
} diagnose_args;

enum { FORMAT_UNSET, FORMAT_TEXT, FORMAT_JSON, FORMAT_MARKDOWN, FORMAT_HTML };
static const char *const FORMATS[] = {"", "text", "json", "markdown", "html", NULL};
enum { TIMELINES = 20 }; /* in a page */

static const char *const SEVERITIES[] = {"never", "note", "warning", "error", NULL};

static const diagnose_args DEFAULTS = {0};

static const cli_option OPTIONS[] = {
	{"format", 'f', CLI_CHOICE, "FORMAT",
		"text for people, json for scripts, markdown to paste into an issue, html: one page with drawn timelines",
		offsetof(diagnose_args, format), FORMATS},
	{"from", 0, CLI_TIME, "TIME", "leave out what ended before: seconds from the start, or a wall time (RFC 3339)",
		offsetof(diagnose_args, from), NULL},
	{"to", 0, CLI_TIME, "TIME", "leave out what began after", offsetof(diagnose_args, to), NULL},
	{"focus", 0, CLI_STRING, "WHOM", "only findings that name this function, or 'goroutine N'", offsetof(diagnose_args, focus), NULL},
	{"top", 'n', CLI_COUNT, "N", "print only the N most harmful findings (0: all)", offsetof(diagnose_args, top), NULL},
	{"source", 0, CLI_STRING, "DIR", "show the culprit's lines of source, from this folder", offsetof(diagnose_args, source), NULL},
	{"ignore", 0, CLI_LIST, "ID", "leave out the finding of this id; may be repeated", offsetof(diagnose_args, ignore), NULL},
	{"fail-on", 0, CLI_CHOICE, "SEVERITY", "exit with 1 if a finding is at least a note, a warning or an error",
		offsetof(diagnose_args, fail_on), SEVERITIES},
	CLI_FOLLOW_OPTIONS(diagnose_args),
	{0},
};

/* 'goroutine N' is a goroutine, all else a function. */
static bool read_focus(const char *focus, stwatch_analyze_options *options)
{
	static const char PREFIX[] = "goroutine ";
	if (!focus)
		return true;
	if (strncmp(focus, PREFIX, sizeof PREFIX - 1) != 0) {
		options->focus_function = focus;
		return true;
	}
	return cli_read_count(focus + sizeof PREFIX - 1, &options->focus_goroutine) && options->focus_goroutine > 0;
}

static bool is_folder(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static stwatch_format format_of(const cli_session *session, const diagnose_args *args)
{
	switch (args->format) {
	case FORMAT_JSON: return STWATCH_FORMAT_JSON;
	case FORMAT_MARKDOWN: return STWATCH_FORMAT_MARKDOWN;
	case FORMAT_HTML: return STWATCH_FORMAT_HTML;
	case FORMAT_UNSET: return session->globals.format == CLI_FORMAT_JSON ? STWATCH_FORMAT_JSON : STWATCH_FORMAT_TEXT;
	default: return STWATCH_FORMAT_TEXT;
	}
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	const diagnose_args *args = arguments;
	cli_analysis_request request = {
		.files = operands,
		.n_files = n,
		.view = STWATCH_VIEW_DIAGNOSE,
		.top = args->top > UINT16_MAX ? UINT16_MAX : (unsigned)args->top,
		.fail_on = args->fail_on,
		.format = format_of(session, args),
		.follow = args->follow,
		.options =
			{
				.size = sizeof request.options,
				.settings = &session->settings,
				.findings = true,
				.source = args->source,
				.ignore = args->ignore.items,
				.n_ignore = args->ignore.count,
			},
	};
	if (request.format == STWATCH_FORMAT_HTML)
		request.options.timelines = request.top && request.top < TIMELINES ? request.top : TIMELINES;
	if (!read_focus(args->focus, &request.options))
		return cli_usage(&cli_diagnose, "--focus: '%s' is not valid (expected a function, or 'goroutine N')", args->focus);
	if (args->source && !is_folder(args->source))
		return cli_usage(&cli_diagnose, "--source: '%s' is no folder", args->source);
	int code;
	if (!cli_can_follow(&cli_diagnose, &args->follow, n, &code))
		return code;
	code = cli_resolve_times(
		session, &cli_diagnose, operands, n, &args->from, &args->to, &request.options.from_ns, &request.options.to_ns);
	return code == CLI_OK ? cli_analyse(session, &request) : code;
}

const cli_command cli_diagnose = {
	.name = "diagnose",
	.summary = "find what went wrong, most harmful first, with its evidence",
	.operands = "FILE…",
	.about = "Reads execution traces, recognised by their content, compressed or not, - for standard input, and says what kept the "
		 "program from running: who caused it, who was harmed, the chain of evidence, what to do.",
	.options = OPTIONS,
	.defaults = &DEFAULTS,
	.args_size = sizeof(diagnose_args),
	.thresholds = true,
	.operands_min = 1,
	.operands_max = CLI_OPERANDS_MAX,
	.run = run,
};
