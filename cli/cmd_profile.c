#include <inttypes.h>
#include <stdio.h>

#include "cli/analyse.h"
#include "cli/write.h"

typedef struct profile_args {
	cli_time from, to;
	const char *output, *function;
	int64_t goroutine;
	int type; /* a stwatch_profile_type; -1: not given */
} profile_args;

typedef struct profile_job {
	const char *const *files;
	size_t n_files;
	stwatch_profile_options options;
	stwatch_profile_result result;
} profile_job;

static const profile_args DEFAULTS = {.type = -1};

/* As stwatch_profile_type counts them. */
static const char *const TYPES[] = {"sched", "sync", "net", "syscall", "stw", "running", "runnable", NULL};

static const cli_option OPTIONS[] = {
	{"type", 't', CLI_CHOICE, "TYPE",
		"which time: sched (runnable), sync, net, syscall: as go tool trace -pprof=TYPE counts it; stw, running, runnable",
		offsetof(profile_args, type), TYPES},
	{"output", 'o', CLI_STRING, "OUT", "the file to write, such as sched.pb.gz; - is standard output", offsetof(profile_args, output),
		NULL},
	{"from", 0, CLI_TIME, "TIME", "only time from then on: seconds from the start, or a wall time (RFC 3339)",
		offsetof(profile_args, from), NULL},
	{"to", 0, CLI_TIME, "TIME", "only time up to then", offsetof(profile_args, to), NULL},
	{"goroutine", 'g', CLI_COUNT, "ID", "only this goroutine's time", offsetof(profile_args, goroutine), NULL},
	{"function", 0, CLI_STRING, "NAME", "only stacks with a function that has this in its name", offsetof(profile_args, function),
		NULL},
	{0},
};

static void tell(cli_session *session, const char *file, const void *work)
{
	const profile_job *job = work;
	const stwatch_profile_result *r = &job->result;
	const char *type = TYPES[job->options.type];
	cli_out *out = &session->out;
	if (r->inferred)
		fprintf(stderr,
			"stwatch: %" PRIu64
			" of the stops inferred: to Go 1.20 no event tells them, and they are at most as long as is said\n",
			r->inferred);
	if (session->globals.format == CLI_FORMAT_JSON) {
		cli_out_put(out, "{ \"schema\": \"stwatch.profile/1\", \"output\": ");
		cli_out_json(out, file);
		cli_out_put(out, ", \"type\": ");
		cli_out_json(out, type);
		cli_out_printf(out,
			", \"stacks\": %" PRIu64 ", \"count\": %" PRIu64 ", \"total_ns\": %" PRId64 ", \"inferred\": %" PRIu64 " }\n",
			r->stacks, r->count, r->total_ns, r->inferred);
	} else {
		cli_out_printf(out, "%s: %.6f s of %s time in %" PRIu64 " stays, %" PRIu64 " stacks; see go tool pprof -top %s\n", file,
			(double)r->total_ns / 1e9, type, r->count, r->stacks, file);
	}
}

static stwatch_status write_profile(cli_session *session, void *work, stwatch_sink_fn sink, void *user, bool *worth, stwatch_error *error)
{
	profile_job *job = work;
	job->result.size = sizeof job->result;
	stwatch_status status = stwatch_profile_write(
		session->context, job->files, job->n_files, &job->options, sink, user, &job->result, error);
	*worth = status == STWATCH_OK || status == STWATCH_ERR_DAMAGED;
	return status;
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	const profile_args *args = arguments;
	profile_job job = {.files = operands,
		.n_files = n,
		.options = {
			.size = sizeof job.options,
			.type = (stwatch_profile_type)args->type,
			.goroutine = args->goroutine,
			.function = args->function,
		}};
	if (args->type < 0)
		return cli_usage(&cli_profile, "--type: which time? (sched, sync, net, syscall, stw, running or runnable)");
	if (!args->output)
		return cli_usage(&cli_profile, "--output: where to? (a file, or - for standard output)");
	int code = cli_resolve_times(session, &cli_profile, operands, n, &args->from, &args->to, &job.options.from_ns, &job.options.to_ns);
	if (code == CLI_OK)
		code = cli_traces_of(session, operands, n, &job.files, &job.n_files);
	const cli_file_job writing = {job.files, job.n_files, write_profile, tell, &job};
	return code == CLI_OK ? cli_write(session, args->output, &writing) : code;
}

const cli_command cli_profile = {
	.name = "profile",
	.summary = "a trace's time of one kind, by stack, as a profile for go tool pprof",
	.operands = "TRACE… [BINARY]",
	.about = "Writes a pprof profile of the time that goroutines spent runnable, blocked, in system calls or running, or of stops of "
		 "the world, by stack. sched, sync, net and syscall are what go tool trace -pprof=TYPE says, to the nanosecond: of "
		 "goroutines "
		 "from their first run on, by the stack of what began the stay. stw, running and runnable are all of that time: by who "
		 "asked "
		 "for the stop, where each run ended, where the goroutine goes on.",
	.options = OPTIONS,
	.defaults = &DEFAULTS,
	.args_size = sizeof(profile_args),
	.operands_min = 1,
	.operands_max = CLI_OPERANDS_MAX,
	.run = run,
};
