#include <stdio.h>
#include <string.h>

#include "cli/analyse.h"

typedef struct events_args {
	int format;
	cli_time from, to;
	const char *kind;
	int64_t goroutine, proc, thread;
	cli_follow follow;
} events_args;

enum { FORMAT_UNSET, FORMAT_TEXT, FORMAT_JSONL, FORMAT_JSON, FORMAT_GO };
static const char *const FORMATS[] = {"", "text", "jsonl", "json", "go", NULL};

static const events_args DEFAULTS = {.goroutine = STWATCH_NONE, .proc = STWATCH_NONE, .thread = STWATCH_NONE};

static const cli_option OPTIONS[] = {
	{"format", 'f', CLI_CHOICE, "FORMAT", "text, jsonl (or json: a JSON object a line), go (as `go tool trace -d=parsed`)",
		offsetof(events_args, format), FORMATS},
	{"from", 0, CLI_TIME, "TIME", "from this time on: seconds from the start, or a wall time (RFC 3339)", offsetof(events_args, from),
		NULL},
	{"to", 0, CLI_TIME, "TIME", "up to this time", offsetof(events_args, to), NULL},
	{"kind", 'k', CLI_STRING, "KINDS",
		"only these, a comma list: Sync, Metric, Label, StackSample, RangeBegin, RangeActive, RangeEnd, TaskBegin, TaskEnd, "
		"RegionBegin, RegionEnd, Log, StateTransition, Experimental; or stuck, alone: every stay beyond the thresholds of "
		"starvation",
		offsetof(events_args, kind), NULL},
	{"goroutine", 'g', CLI_COUNT, "ID", "only events that run on this goroutine or change it", offsetof(events_args, goroutine), NULL},
	{"proc", 'p', CLI_COUNT, "ID", "only events of this proc", offsetof(events_args, proc), NULL},
	{"thread", 'm', CLI_COUNT, "ID", "only events of this thread", offsetof(events_args, thread), NULL},
	CLI_FOLLOW_OPTIONS(events_args),
	{0},
};

static const struct kind {
	const char *name;
	stwatch_event_kind kind;
} KINDS[] = {
	{"Sync", STWATCH_EVENT_SYNC},
	{"Metric", STWATCH_EVENT_METRIC},
	{"Label", STWATCH_EVENT_LABEL},
	{"StackSample", STWATCH_EVENT_STACK_SAMPLE},
	{"RangeBegin", STWATCH_EVENT_RANGE_BEGIN},
	{"RangeActive", STWATCH_EVENT_RANGE_ACTIVE},
	{"RangeEnd", STWATCH_EVENT_RANGE_END},
	{"TaskBegin", STWATCH_EVENT_TASK_BEGIN},
	{"TaskEnd", STWATCH_EVENT_TASK_END},
	{"RegionBegin", STWATCH_EVENT_REGION_BEGIN},
	{"RegionEnd", STWATCH_EVENT_REGION_END},
	{"Log", STWATCH_EVENT_LOG},
	{"StateTransition", STWATCH_EVENT_STATE_TRANSITION},
	{"Experimental", STWATCH_EVENT_EXPERIMENTAL},
	{"stuck", STWATCH_EVENT_STUCK},
};

static uint32_t kind_bit(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
		if (strlen(KINDS[i].name) == length && strncmp(KINDS[i].name, name, length) == 0)
			return 1u << KINDS[i].kind;
	return 0;
}

/* A comma list of kinds; false, with the culprit in *bad, at a word that is none. */
static bool read_kinds(const char *list, uint32_t *kinds, const char **bad)
{
	while (list && *list) {
		size_t length = strcspn(list, ",");
		uint32_t bit = kind_bit(list, length);
		if (!bit) {
			*bad = list;
			return false;
		}
		*kinds |= bit;
		list += length + (list[length] == ',');
	}
	return true;
}

static stwatch_events_format format_of(const cli_session *session, const events_args *args)
{
	int format = args->format;
	if (format == FORMAT_UNSET)
		format = session->globals.format == CLI_FORMAT_JSON ? FORMAT_JSON : FORMAT_TEXT;
	return format == FORMAT_TEXT ? STWATCH_EVENTS_TEXT : format == FORMAT_GO ? STWATCH_EVENTS_GO : STWATCH_EVENTS_JSONL;
}

static int print(
	cli_session *session, const char *const *files, size_t n, stwatch_events_format format, const stwatch_events_filter *filter)
{
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	stwatch_status status = stwatch_events_print(
		session->context, files, n, format, filter, filter->follow ? cli_out_sink_now : cli_out_sink, &session->out, &error);
	cli_progress_clear(session);
	bool output_failed = session->out.error != 0;
	int code = cli_out_finish(&session->out);
	/* Then the library only says that the sink stopped it. */
	return output_failed ? code : cli_worse(code, cli_report_of(session, files, n, &error, status));
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	const events_args *args = arguments;
	stwatch_events_filter filter;
	const char *bad;
	stwatch_events_filter_init(&filter);
	filter.goroutine = args->goroutine;
	filter.proc = args->proc;
	filter.thread = args->thread;
	int code;
	if (!cli_can_follow(&cli_events, &args->follow, n, &code))
		return code;
	filter.follow = args->follow.on;
	filter.follow_silence_ns = args->follow.silence_ns;
	if (!read_kinds(args->kind, &filter.kinds, &bad))
		return cli_usage(&cli_events, "--kind: '%.*s' is not a kind of event", (int)strcspn(bad, ","), bad);
	if (filter.kinds >> STWATCH_EVENT_STUCK & 1) {
		if (filter.kinds != 1u << STWATCH_EVENT_STUCK || format_of(session, args) == STWATCH_EVENTS_GO ||
			args->proc != STWATCH_NONE || args->thread != STWATCH_NONE)
			return cli_usage(
				&cli_events, "--kind stuck stands alone, and goes with neither --format go nor --proc nor --thread");
		filter.settings = &session->settings;
	}
	code = cli_resolve_times(session, &cli_events, operands, n, &args->from, &args->to, &filter.from_ns, &filter.to_ns);
	const char *const *traces;
	if (code == CLI_OK)
		code = cli_traces_of(session, operands, n, &traces, &n);
	return code == CLI_OK ? print(session, traces, n, format_of(session, args), &filter) : code;
}

const cli_command cli_events = {
	.name = "events",
	.summary = "the events of a trace in order, one line each",
	.operands = "TRACE… [BINARY]",
	.about = "Prints the events in a valid order, as strictly checked as by Go's own reader; of several traces of one process as one "
		 "timeline, "
		 "what they have in common once. Traces of Go 1.5 and 1.6 get their names from the program's binary.",
	.options = OPTIONS,
	.defaults = &DEFAULTS,
	.args_size = sizeof(events_args),
	.thresholds = true,
	.operands_min = 1,
	.operands_max = CLI_OPERANDS_MAX,
	.run = run,
};
