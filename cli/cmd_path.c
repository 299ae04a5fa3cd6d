#include "cli/analyse.h"

typedef struct path_args {
	int format;
	const char *task, *region, *function;
	int64_t goroutine, nth;
	cli_time at;
} path_args;

enum { FORMAT_UNSET, FORMAT_TEXT, FORMAT_MERMAID, FORMAT_JSON };
static const char *const FORMATS[] = {"", "text", "mermaid", "json", NULL};

static const path_args DEFAULTS = {.goroutine = STWATCH_NONE};

static const cli_option OPTIONS[] = {
	{"task", 0, CLI_STRING, "NAME|ID", "of a task (runtime/trace.NewTask)", offsetof(path_args, task), NULL},
	{"region", 0, CLI_STRING, "NAME", "of a region (runtime/trace.StartRegion)", offsetof(path_args, region), NULL},
	{"goroutine", 'g', CLI_COUNT, "ID", "of a goroutine, from its beginning to its end", offsetof(path_args, goroutine), NULL},
	{"function", 0, CLI_STRING, "NAME", "of goroutines that were started with a function that has this in its name",
		offsetof(path_args, function), NULL},
	{"nth", 'n', CLI_COUNT, "N", "of several, the Nth from the longest on (1: the longest)", offsetof(path_args, nth), NULL},
	{"at", 0, CLI_TIME, "TIME", "of several, the one under way then: seconds from the start, or a wall time (RFC 3339)",
		offsetof(path_args, at), NULL},
	{"format", 'f', CLI_CHOICE, "FORMAT", "text, mermaid (a sequence diagram), json", offsetof(path_args, format), FORMATS},
	{0},
};

static stwatch_path_format format_of(const cli_session *session, const path_args *args)
{
	if (args->format == FORMAT_UNSET)
		return session->globals.format == CLI_FORMAT_JSON ? STWATCH_PATH_JSON : STWATCH_PATH_TEXT;
	return args->format == FORMAT_JSON ? STWATCH_PATH_JSON : args->format == FORMAT_MERMAID ? STWATCH_PATH_MERMAID : STWATCH_PATH_TEXT;
}

static int print(cli_session *session, const char *const *files, size_t n, stwatch_path_format format, const stwatch_path_options *options)
{
	size_t n_inputs;
	stwatch_path *path;
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	const stwatch_print_options look = {.size = sizeof look, .color = cli_session_color(session), .width = cli_session_width()};
	stwatch_status status = stwatch_path_read(session->context, files, n, options, &path, &error);
	cli_progress_clear(session);
	if (!path)
		return cli_report_of(session, files, n, &error, status);
	stwatch_path_print(path, format, &look, cli_out_sink, &session->out);
	int code = cli_out_finish(&session->out);
	const stwatch_input *inputs = stwatch_path_inputs(path, &n_inputs);
	bool told = cli_tell_problems(session, inputs, n_inputs);
	stwatch_path_free(path);
	return cli_worse(code, status == STWATCH_ERR_DAMAGED && told ? CLI_DAMAGED : cli_report_of(session, files, n, &error, status));
}

/* How many subjects were given; the last one counts. */
static unsigned subjects(const path_args *args, stwatch_path_options *options)
{
	const struct {
		const char *name;
		stwatch_path_subject subject;
	} named[] = {
		{args->task, STWATCH_PATH_TASK},
		{args->region, STWATCH_PATH_REGION},
		{args->function, STWATCH_PATH_FUNCTION},
	};
	unsigned n = 0;
	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		if (!named[i].name)
			continue;
		options->subject = named[i].subject;
		options->name = named[i].name;
		n++;
	}
	if (args->goroutine != STWATCH_NONE) {
		options->subject = STWATCH_PATH_GOROUTINE;
		options->goroutine = args->goroutine;
		n++;
	}
	return n;
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	const path_args *args = arguments;
	const cli_time no_time = {.kind = CLI_TIME_UNSET};
	stwatch_path_options options;
	stwatch_path_options_init(&options);
	unsigned given = subjects(args, &options);
	int64_t at = 0, none;
	if (given > 1)
		return cli_usage(&cli_path, "--task, --region, --goroutine and --function: give one of them");
	if (given == 0 && (args->nth || args->at.kind != CLI_TIME_UNSET || args->format == FORMAT_MERMAID))
		return cli_usage(&cli_path, "the path of what? (--task, --region, --goroutine or --function was expected)");
	options.nth = (uint64_t)args->nth;
	int code = cli_resolve_times(session, &cli_path, operands, n, &args->at, &no_time, &at, &none);
	const char *const *traces;
	if (code == CLI_OK)
		code = cli_traces_of(session, operands, n, &traces, &n);
	if (code != CLI_OK)
		return code;
	options.at_ns = args->at.kind == CLI_TIME_UNSET ? STWATCH_UNKNOWN : at;
	return print(session, traces, n, format_of(session, args), &options);
}

const cli_command cli_path = {
	.name = "path",
	.summary = "the critical path of a task, a region or a goroutine",
	.operands = "TRACE… [BINARY]",
	.about = "Where the time of a task, a region or a goroutine went, followed backwards across the goroutines that it waited for: "
		 "running, "
		 "runnable, in system calls, waiting for the network or a timer, stopped, or working for the collector. Without a choice, "
		 "the "
		 "tasks, regions and most waiting goroutines are listed.",
	.options = OPTIONS,
	.defaults = &DEFAULTS,
	.args_size = sizeof(path_args),
	.operands_min = 1,
	.operands_max = CLI_OPERANDS_MAX,
	.run = run,
};
