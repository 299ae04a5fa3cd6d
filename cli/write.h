/* Commands that write a file: --output OUT, or - for standard output. */
#ifndef CLI_WRITE_H
#define CLI_WRITE_H

#include "cli/command.h"

typedef struct cli_file_job {
	const char *const *files; /* that are read */
	size_t n_files;
	/* Writes. worth: what was written is to be kept. */
	stwatch_status (*write)(cli_session *session, void *work, stwatch_sink_fn sink, void *user, bool *worth, stwatch_error *error);
	/* Says what the file is, on standard output. */
	void (*tell)(cli_session *session, const char *file, const void *work);
	void *work;
} cli_file_job;

/* The exit code. A file is there whole afterwards, or not at all; what is written to standard output is not told about. */
int cli_write(cli_session *session, const char *output, const cli_file_job *job);

#endif
