#include "cli/analyse.h"

typedef struct stat_args {
	cli_follow follow;
	bool mmu, latency;
} stat_args;

static const stat_args DEFAULTS = {0};

static const cli_option OPTIONS[] = {
	CLI_FOLLOW_OPTIONS(stat_args),
	{"mmu", 0, CLI_FLAG, NULL, "draw the curve of minimum mutator utilisation instead, exactly: the trace is read once more for it",
		offsetof(stat_args, mmu), NULL},
	{"latency", 0, CLI_FLAG, NULL, "draw the histogram of scheduling latency instead", offsetof(stat_args, latency), NULL},
	{0},
};

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	const stat_args *args = arguments;
	int code;
	if (args->follow.on && (args->mmu || args->latency))
		return cli_usage(&cli_stat,
			"--follow: what is still being written is not drawn (the page was expected, without --mmu and --latency)");
	if (!cli_can_follow(&cli_stat, &args->follow, n, &code))
		return code;
	const cli_analysis_request request = {
		.files = operands,
		.n_files = n,
		.view = STWATCH_VIEW_STAT,
		.format = session->globals.format == CLI_FORMAT_JSON ? STWATCH_FORMAT_JSON : STWATCH_FORMAT_TEXT,
		.follow = args->follow,
		.options = {.size = sizeof request.options, .settings = &session->settings, .mmu_curve = args->mmu},
		.draw_mmu = args->mmu,
		.draw_latency = args->latency,
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
	.defaults = &DEFAULTS,
	.args_size = sizeof(stat_args),
	.thresholds = true,
	.operands_min = 1,
	.operands_max = CLI_OPERANDS_MAX,
	.run = run,
};
