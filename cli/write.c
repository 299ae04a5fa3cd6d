#include "cli/write.h"

#include <stdio.h>
#include <string.h>

#include "cli/file.h"

static int to_stdout(cli_session *session, const cli_file_job *job)
{
	bool worth;
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	stwatch_status status = job->write(session, job->work, cli_out_sink, &session->out, &worth, &error);
	bool output_failed = session->out.error != 0;
	int code = cli_out_finish(&session->out);
	return output_failed ? code : cli_worse(code, cli_report_of(session, job->files, job->n_files, &error, status));
}

static int fail(cli_session *session, const cli_file *file)
{
	cli_progress_clear(session);
	fprintf(stderr, "stwatch: %s: %s\n", file->path, strerror(file->error));
	return CLI_INPUT;
}

static int to_file(cli_session *session, const char *path, const cli_file_job *job)
{
	bool worth;
	cli_file file;
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	if (!cli_file_begin(&file, path))
		return fail(session, &file);
	stwatch_status status = job->write(session, job->work, cli_file_sink, &file, &worth, &error);
	if (!worth && !file.error) {
		cli_file_drop(&file);
		return cli_report_of(session, job->files, job->n_files, &error, status);
	}
	if (!cli_file_keep(&file))
		return fail(session, &file);
	cli_progress_clear(session);
	job->tell(session, path, job->work);
	return cli_worse(cli_out_finish(&session->out), cli_report_of(session, job->files, job->n_files, &error, status));
}

int cli_write(cli_session *session, const char *output, const cli_file_job *job)
{
	return strcmp(output, "-") == 0 ? to_stdout(session, job) : to_file(session, output, job);
}
