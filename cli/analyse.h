/* Analysing files and printing a view: the common part of diagnose and stat. */
#ifndef CLI_ANALYSE_H
#define CLI_ANALYSE_H

#include "cli/command.h"

/* Analyses; problems of the inputs are reported after the result was printed. severity is the --fail-on bound, 0: none. */
typedef struct cli_analysis_request {
	const char *const *files;
	size_t n_files;
	stwatch_analyze_options options;
	stwatch_view view;
	unsigned top;
	stwatch_format format;
	int fail_on; /* stwatch_severity, 0: nothing fails */
} cli_analysis_request;

int cli_analyse(cli_session *session, const cli_analysis_request *request);

/* Every problem of an input as an error of its own; true if there was one. */
bool cli_tell_problems(cli_session *session, const stwatch_input *input);

/* Times of the command line as times from the first event of the inputs; wall times need a look into them. The exit code. */
int cli_resolve_times(cli_session *session, const cli_command *command, const char *const *files, size_t n_files, const cli_time *from,
	const cli_time *to, int64_t *from_ns, int64_t *to_ns);

#endif
