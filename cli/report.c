/* Errors in words, and the exit codes that go with them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

int cli_worse(int a, int b)
{
	static const int ORDER[] = {CLI_INTERRUPTED, CLI_UNAVAILABLE, CLI_USAGE, CLI_INPUT, CLI_DAMAGED, CLI_FOUND};
	for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++)
		if (a == ORDER[i] || b == ORDER[i])
			return ORDER[i];
	return CLI_OK;
}

static int exit_of(stwatch_status status)
{
	switch (status) {
	case STWATCH_OK:
	case STWATCH_END: return CLI_OK;
	case STWATCH_ERR_DAMAGED: return CLI_DAMAGED;
	case STWATCH_ERR_MEMORY:
	case STWATCH_ERR_UNAVAILABLE: return CLI_UNAVAILABLE;
	case STWATCH_ERR_ARGUMENT: return CLI_USAGE;
	case STWATCH_ERR_CANCELLED: return CLI_INTERRUPTED;
	case STWATCH_ERR_IO:
	case STWATCH_ERR_FORMAT:
	case STWATCH_ERR_UNSUPPORTED: break;
	}
	return CLI_INPUT;
}

static void say_how_to_get_memory(const cli_session *session)
{
	if (session->globals.memory > 0)
		fprintf(stderr, "stwatch: memory is limited to %" PRId64 " MiB: raise --memory, or leave it out\n",
			session->globals.memory >> 20);
	else
		fprintf(stderr, "stwatch: this machine has no more memory to give: fewer --threads need less\n");
}

int cli_report(cli_session *session, const char *file, const stwatch_error *error, stwatch_status status)
{
	if (status >= STWATCH_OK)
		return CLI_OK;
	cli_progress_clear(session);
	fputs("stwatch: ", stderr);
	if (file)
		fprintf(stderr, "%s: ", strcmp(file, "-") == 0 ? "standard input" : file);
	if (error->offset != STWATCH_NO_OFFSET && status != STWATCH_ERR_MEMORY && status != STWATCH_ERR_CANCELLED)
		fprintf(stderr, "at byte %" PRIu64 ": ", error->offset);
	fprintf(stderr, "%s\n", error->message[0] ? error->message : stwatch_status_name(status));
	if (status == STWATCH_ERR_MEMORY)
		say_how_to_get_memory(session);
	return exit_of(status);
}

int cli_report_of(cli_session *session, const char *const *files, size_t n_files, const stwatch_error *error, stwatch_status status)
{
	size_t about = n_files == 1 ? 0 : error->input;
	return cli_report(session, about < n_files ? files[about] : NULL, error, status);
}

int cli_usage(const cli_command *command, const char *format, ...)
{
	va_list arguments;
	fputs("stwatch: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, " (see stwatch %s%s--help)\n", command ? command->name : "", command ? " " : "");
	return CLI_USAGE;
}
