#include <string.h>

#include "cli/analyse.h"

typedef struct states_args {
	int format;
	cli_time from, to;
	const char *window, *function;
	int64_t goroutine, proc;
} states_args;

enum { FORMAT_UNSET, FORMAT_TABLE, FORMAT_TEXT, FORMAT_MERMAID, FORMAT_DOT, FORMAT_JSON };
static const char *const FORMATS[] = {"", "table", "text", "mermaid", "dot", "json", NULL};

static const states_args DEFAULTS = {.goroutine = STWATCH_NONE, .proc = STWATCH_NONE};

static const cli_option OPTIONS[] = {
	{"format", 'f', CLI_CHOICE, "FORMAT", "table (or text), mermaid, dot, json", offsetof(states_args, format), FORMATS},
	{"goroutine", 'g', CLI_COUNT, "ID", "only this goroutine", offsetof(states_args, goroutine), NULL},
	{"proc", 'p', CLI_COUNT, "ID", "only this proc", offsetof(states_args, proc), NULL},
	{"function", 0, CLI_STRING, "NAME", "only goroutines that were started with, or seen in, a function that has this in its name",
		offsetof(states_args, function), NULL},
	{"time", 0, CLI_STRING, "FROM..TO", "only this window, such as 1.5..1.6: short for --from and --to; either side may be left out",
		offsetof(states_args, window), NULL},
	{"from", 0, CLI_TIME, "TIME", "from this time on: seconds from the start, or a wall time (RFC 3339)", offsetof(states_args, from),
		NULL},
	{"to", 0, CLI_TIME, "TIME", "up to this time", offsetof(states_args, to), NULL},
	{0},
};

static stwatch_states_format format_of(const cli_session *session, const states_args *args)
{
	switch (args->format) {
	case FORMAT_MERMAID: return STWATCH_STATES_MERMAID;
	case FORMAT_DOT: return STWATCH_STATES_DOT;
	case FORMAT_JSON: return STWATCH_STATES_JSON;
	case FORMAT_UNSET: return session->globals.format == CLI_FORMAT_JSON ? STWATCH_STATES_JSON : STWATCH_STATES_TABLE;
	default: return STWATCH_STATES_TABLE;
	}
}

static int print(
	cli_session *session, const char *const *files, size_t n, stwatch_states_format format, const stwatch_states_options *options)
{
	size_t n_inputs;
	stwatch_states *states;
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	const stwatch_print_options look = {.size = sizeof look, .color = cli_session_color(session), .width = cli_session_width()};
	stwatch_status status = stwatch_states_read(session->context, files, n, options, &states, &error);
	cli_progress_clear(session);
	if (!states)
		return cli_report_of(session, files, n, &error, status);
	stwatch_states_print(states, format, &look, cli_out_sink, &session->out);
	int code = cli_out_finish(&session->out);
	const stwatch_input *inputs = stwatch_states_inputs(states, &n_inputs);
	bool told = cli_tell_problems(session, inputs, n_inputs);
	stwatch_states_free(states);
	return cli_worse(code, status == STWATCH_ERR_DAMAGED && told ? CLI_DAMAGED : cli_report_of(session, files, n, &error, status));
}

/* Reads FROM..TO; a side that is left out stays unset. */
static bool read_window(const char *window, cli_time *from, cli_time *to)
{
	char first[64];
	const char *dots = strstr(window, "..");
	if (!dots || (size_t)(dots - window) >= sizeof first || (dots == window && !dots[2]))
		return false;
	memcpy(first, window, (size_t)(dots - window));
	first[dots - window] = '\0';
	return (!*first || cli_read_time(first, from)) && (!dots[2] || cli_read_time(dots + 2, to));
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	const states_args *args = arguments;
	stwatch_states_options options;
	stwatch_states_options_init(&options);
	options.goroutine = args->goroutine;
	options.proc = args->proc;
	options.function = args->function;
	cli_time from = args->from, to = args->to;
	if (args->window && (from.kind != CLI_TIME_UNSET || to.kind != CLI_TIME_UNSET))
		return cli_usage(&cli_states, "--time stands for --from and --to: give it, or them");
	if (args->window && !read_window(args->window, &from, &to))
		return cli_usage(&cli_states, "--time: '%.80s' is no window (FROM..TO was expected, such as 1.5..1.6)", args->window);
	int code = cli_resolve_times(session, &cli_states, operands, n, &from, &to, &options.from_ns, &options.to_ns);
	const char *const *traces;
	if (code == CLI_OK)
		code = cli_traces_of(session, operands, n, &traces, &n);
	return code == CLI_OK ? print(session, traces, n, format_of(session, args), &options) : code;
}

const cli_command cli_states = {
	.name = "states",
	.summary = "the state graph of goroutines, procs and threads",
	.operands = "TRACE… [BINARY]",
	.about = "How long they were in each of the runtime's states, which transitions they made how often, by which event, and after how "
		 "long; "
		 "what the runtime forbids is marked. Several traces of one process are one timeline.",
	.options = OPTIONS,
	.defaults = &DEFAULTS,
	.args_size = sizeof(states_args),
	.operands_min = 1,
	.operands_max = CLI_OPERANDS_MAX,
	.run = run,
};
