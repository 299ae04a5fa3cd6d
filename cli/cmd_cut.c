#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/analyse.h"
#include "cli/file.h"

typedef struct cut_args {
	cli_time from, to;
	const char *output;
	bool anonymise;
} cut_args;

static const cut_args DEFAULTS;

static const cli_option OPTIONS[] = {
	{"output", 'o', CLI_STRING, "OUT", "the file to write; - is standard output", offsetof(cut_args, output), NULL},
	{"from", 0, CLI_TIME, "TIME", "from this time on: seconds from the start, or a wall time (RFC 3339)", offsetof(cut_args, from),
		NULL},
	{"to", 0, CLI_TIME, "TIME", "up to this time", offsetof(cut_args, to), NULL},
	{"anonymise", 0, CLI_FLAG, NULL,
		"replace the program's own names (functions, files, tasks, regions, logs): the same name has the same pseudonym within one "
		"run; "
		"names of the runtime and the standard library stay",
		offsetof(cut_args, anonymise), NULL},
	{0},
};

static void tell_json(cli_out *out, const char *file, const stwatch_cut_result *r)
{
	cli_out_put(out, "{ \"schema\": \"stwatch.cut/1\", \"output\": ");
	cli_out_json(out, file);
	cli_out_printf(out,
		", \"bytes\": %" PRIu64 ", \"generations\": %" PRIu64 ", \"generations_in\": %" PRIu64 ", \"start_ns\": %" PRId64, r->bytes,
		r->generations, r->generations_in, r->start_ns);
	cli_out_printf(out, ", \"end_ns\": %" PRId64 " }\n", r->end_ns);
}

static void tell_text(cli_out *out, const char *file, const stwatch_cut_result *r)
{
	cli_out_printf(out, "%s: %" PRIu64 " of %" PRIu64 " generation%s, from +%.3f s to +%.3f s, %" PRIu64 " bytes\n", file,
		r->generations, r->generations_in, r->generations_in == 1 ? "" : "s", (double)r->start_ns / 1e9, (double)r->end_ns / 1e9,
		r->bytes);
}

static int tell(cli_session *session, const char *file, const stwatch_cut_result *result)
{
	cli_progress_clear(session);
	if (session->globals.format == CLI_FORMAT_JSON)
		tell_json(&session->out, file, result);
	else
		tell_text(&session->out, file, result);
	return cli_out_finish(&session->out);
}

static int to_stdout(cli_session *session, const char *trace, const stwatch_cut_options *options)
{
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	stwatch_status status = stwatch_cut(session->context, trace, options, cli_out_sink, &session->out, NULL, &error);
	bool output_failed = session->out.error != 0;
	int code = cli_out_finish(&session->out);
	return output_failed ? code : cli_worse(code, cli_report(session, trace, &error, status));
}

static int to_file(cli_session *session, const char *trace, const char *path, const stwatch_cut_options *options)
{
	cli_file file;
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	stwatch_cut_result result = {.size = sizeof result};
	if (!cli_file_begin(&file, path)) {
		fprintf(stderr, "stwatch: %s: %s\n", path, strerror(file.error));
		return CLI_INPUT;
	}
	stwatch_status status = stwatch_cut(session->context, trace, options, cli_file_sink, &file, &result, &error);
	bool worth = status == STWATCH_OK || (status == STWATCH_ERR_DAMAGED && result.generations > 0);
	if (!worth && !file.error) {
		cli_file_drop(&file);
		return cli_report(session, trace, &error, status);
	}
	if (!cli_file_keep(&file)) {
		cli_progress_clear(session);
		fprintf(stderr, "stwatch: %s: %s\n", path, strerror(file.error));
		return CLI_INPUT;
	}
	int code = tell(session, path, &result);
	return cli_worse(code, cli_report(session, trace, &error, status));
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	const cut_args *args = arguments;
	stwatch_cut_options options = {.size = sizeof options, .anonymise = args->anonymise};
	if (!args->output)
		return cli_usage(&cli_cut, "--output: where to? (a file, or - for standard output)");
	int code = cli_resolve_times(session, &cli_cut, operands, n, &args->from, &args->to, &options.from_ns, &options.to_ns);
	if (code != CLI_OK)
		return code;
	return strcmp(args->output, "-") == 0 ? to_stdout(session, operands[0], &options)
					      : to_file(session, operands[0], args->output, &options);
}

const cli_command cli_cut = {
	.name = "cut",
	.summary = "a part of a trace as a trace of its own, anonymous if wanted",
	.operands = "TRACE",
	.about = "Writes every generation (about a second) that has any of the time wanted, as a trace that Go's own tools open. Traces of "
		 "Go "
		 "1.21 and earlier have no such parts: the whole of one can be anonymised.",
	.options = OPTIONS,
	.defaults = &DEFAULTS,
	.args_size = sizeof(cut_args),
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
