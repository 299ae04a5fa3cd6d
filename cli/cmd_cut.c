#include <inttypes.h>

#include "cli/analyse.h"
#include "cli/write.h"

typedef struct cut_args {
	cli_time from, to;
	const char *output;
	bool anonymise;
} cut_args;

typedef struct cut_job {
	const char *trace;
	stwatch_cut_options options;
	stwatch_cut_result result;
} cut_job;

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

static void tell(cli_session *session, const char *file, const void *work)
{
	const cut_job *job = work;
	if (session->globals.format == CLI_FORMAT_JSON)
		tell_json(&session->out, file, &job->result);
	else
		tell_text(&session->out, file, &job->result);
}

static stwatch_status write_cut(cli_session *session, void *work, stwatch_sink_fn sink, void *user, bool *worth, stwatch_error *error)
{
	cut_job *job = work;
	job->result.size = sizeof job->result;
	stwatch_status status = stwatch_cut(session->context, job->trace, &job->options, sink, user, &job->result, error);
	*worth = status == STWATCH_OK || (status == STWATCH_ERR_DAMAGED && job->result.generations > 0);
	return status;
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	const cut_args *args = arguments;
	cut_job job = {.trace = operands[0], .options = {.size = sizeof job.options, .anonymise = args->anonymise}};
	if (!args->output)
		return cli_usage(&cli_cut, "--output: where to? (a file, or - for standard output)");
	int code = cli_resolve_times(session, &cli_cut, operands, n, &args->from, &args->to, &job.options.from_ns, &job.options.to_ns);
	const cli_file_job writing = {operands, n, write_cut, tell, &job};
	return code == CLI_OK ? cli_write(session, args->output, &writing) : code;
}

const cli_command cli_cut = {
	.name = "cut",
	.summary = "a part of a trace as a trace of its own, anonymous if wanted",
	.operands = "TRACE",
	.about = "Writes every generation (about a second) that has any of the time wanted, as a trace that Go's own tools open. Of a "
		 "trace of Go "
		 "1.21 or earlier, which has no such parts, just the events of that time, with the state that they begin in.",
	.options = OPTIONS,
	.defaults = &DEFAULTS,
	.args_size = sizeof(cut_args),
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
