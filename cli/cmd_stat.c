#include "cli/analyse.h"

static const cli_option OPTIONS[] = {{0}};

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	(void)arguments;
	const cli_analysis_request request = {
		.files = operands,
		.n_files = n,
		.view = STWATCH_VIEW_STAT,
		.format = session->globals.format == CLI_FORMAT_JSON ? STWATCH_FORMAT_JSON : STWATCH_FORMAT_TEXT,
		.options = {.size = sizeof request.options, .settings = &session->settings},
	};
	return cli_analyse(session, &request);
}

const cli_command cli_stat = {
	.name = "stat",
	.summary = "one page of figures",
	.operands = "FILE…",
	.about = "Format, events and which families of them are present, goroutines, stops of the world, garbage collection, scheduling "
		 "latency, "
		 "what the procs did, minimum mutator utilisation.",
	.options = OPTIONS,
	.thresholds = true,
	.operands_min = 1,
	.operands_max = CLI_OPERANDS_MAX,
	.run = run,
};
