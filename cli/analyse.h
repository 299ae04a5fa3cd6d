/* Analysing files and printing a view: the common part of diagnose and stat. */
#ifndef CLI_ANALYSE_H
#define CLI_ANALYSE_H

#include "cli/command.h"

/* An input that is still being written. */
typedef struct cli_follow {
	bool on;
	int64_t silence_ns; /* ends it; 0: nothing but its writer does */
} cli_follow;

/* The options of it, for tables of commands: with `offset`, where the command's arguments have their cli_follow. */
#define CLI_FOLLOW_OPTIONS(ARGS)                                                                                                           \
	{"follow", 0, CLI_FLAG, NULL, "read on while FILE is still being written, until its writer has closed it (or Ctrl-C)",             \
		offsetof(ARGS, follow.on), NULL},                                                                                          \
	{                                                                                                                                  \
		"follow-timeout", 0, CLI_DURATION, "DURATION", "with --follow: also end when nothing has come for so long",                \
			offsetof(ARGS, follow.silence_ns), NULL                                                                            \
	}

/* Analyses; problems of the inputs are reported after the result was printed. severity is the --fail-on bound, 0: none. */
typedef struct cli_analysis_request {
	const char *const *files;
	size_t n_files;
	stwatch_analyze_options options;
	stwatch_view view;
	unsigned top;
	stwatch_format format;
	bool draw_mmu, draw_latency; /* as stwatch_print_options has them */
	int fail_on; /* stwatch_severity, 0: nothing fails */
	cli_follow follow;
} cli_analysis_request;

int cli_analyse(cli_session *session, const cli_analysis_request *request);

/* False, and said, where more than one file, or a folder, is to be followed. */
bool cli_can_follow(const cli_command *command, const cli_follow *follow, size_t n_files, int *code);

/* Prints what is new while an input is followed (follow.c). */
typedef struct cli_follower cli_follower;
cli_follower *cli_follower_new(cli_session *session, const cli_analysis_request *request);
/* As the update of stwatch_analyze_options. */
void cli_follower_update(void *follower, const stwatch_analysis *so_far);
void cli_follower_free(cli_follower *follower);

/* Which of the operands of a command that reads traces are traces: if there are several, one may be the program's binary, from which the context then
 * takes names. *traces lives as long as the session. The exit code. */
int cli_traces_of(cli_session *session, const char *const *files, size_t n_files, const char *const **traces, size_t *n_traces);

/* Every problem of the inputs as an error of its own; true if there was one. */
bool cli_tell_problems(cli_session *session, const stwatch_input *inputs, size_t n_inputs);

/* Times of the command line as times from the first event of the inputs; wall times need a look into them. The exit code. */
int cli_resolve_times(cli_session *session, const cli_command *command, const char *const *files, size_t n_files, const cli_time *from,
	const cli_time *to, int64_t *from_ns, int64_t *to_ns);

#endif
