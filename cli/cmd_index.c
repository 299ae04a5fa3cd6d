#include <inttypes.h>

#include "cli/analyse.h"

typedef struct index_args {
	bool cache;
} index_args;

static const index_args DEFAULTS;

static const cli_option OPTIONS[] = {
	{"cache", 0, CLI_FLAG, NULL, "put it into the cache folder ($XDG_CACHE_HOME/stwatch), not beside the trace",
		offsetof(index_args, cache), NULL},
	{0},
};

static int tell(cli_session *session, const stwatch_index_result *r)
{
	cli_progress_clear(session);
	if (session->globals.format == CLI_FORMAT_JSON) {
		cli_out_put(&session->out, "{ \"schema\": \"stwatch.index/1\", \"output\": ");
		cli_out_json(&session->out, r->path);
		cli_out_printf(&session->out,
			", \"bytes\": %" PRIu64 ", \"events\": %" PRIu64 ", \"generations\": %" PRIu64 ", \"borders\": %" PRIu64
			", \"duration_ns\": %" PRId64 " }\n",
			r->bytes, r->events, r->generations, r->borders, r->duration_ns);
	} else {
		cli_out_printf(&session->out,
			"%s: %" PRIu64 " events in %" PRIu64 " generation%s, a reading can begin at %" PRIu64 " place%s; %" PRIu64
			" bytes\n",
			r->path, r->events, r->generations, r->generations == 1 ? "" : "s", r->borders + 1, r->borders ? "s" : "",
			r->bytes);
	}
	return cli_out_finish(&session->out);
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	(void)n;
	const index_args *args = arguments;
	const stwatch_index_options options = {.size = sizeof options, .cache = args->cache};
	stwatch_index_result result = {.size = sizeof result};
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	stwatch_status status = stwatch_index_make(session->context, operands[0], &options, &result, &error);
	int code = *result.path ? tell(session, &result) : CLI_OK;
	return cli_worse(code, cli_report(session, operands[0], &error, status));
}

const cli_command cli_index = {
	.name = "index",
	.summary = "a small file with which a part of a trace can be read at the cost of that part",
	.operands = "TRACE",
	.about = "Writes TRACE.stwidx, or a file in the cache folder: where the generations are, in the file and in time, and what crosses "
		 "the "
		 "borders between them; of a trace of Go 1.21 or earlier, where its batches are, its tables, and states every so often. "
		 "events --from and --to use it for as long as the trace stays the same; of such an older trace, cut and the rest do too.",
	.options = OPTIONS,
	.defaults = &DEFAULTS,
	.args_size = sizeof(index_args),
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
