#include "cli/analyse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PROBLEMS_TOLD = 5 };

static bool tell_problems(cli_session *session, const stwatch_input *input)
{
	for (size_t i = 0; i < input->n_problems && i < PROBLEMS_TOLD; i++) {
		stwatch_error error = {.status = STWATCH_ERR_DAMAGED, .offset = input->problems[i].offset};
		snprintf(error.message, sizeof error.message, "%s", input->problems[i].what);
		cli_report(session, input->file, &error, STWATCH_ERR_DAMAGED);
	}
	if (input->n_problems > PROBLEMS_TOLD)
		fprintf(stderr, "stwatch: %s: %zu more problems\n", input->file, input->n_problems - PROBLEMS_TOLD);
	return input->n_problems > 0;
}

bool cli_tell_problems(cli_session *session, const stwatch_input *inputs, size_t n_inputs)
{
	bool told = false;
	for (size_t i = 0; i < n_inputs; i++)
		told |= tell_problems(session, &inputs[i]);
	return told;
}

static int tell_damage(cli_session *session, const stwatch_analysis *analysis, const stwatch_error *error)
{
	size_t count;
	const stwatch_input *inputs = stwatch_analysis_inputs(analysis, &count);
	bool told = cli_tell_problems(session, inputs, count);
	return told ? CLI_DAMAGED : cli_report(session, count == 1 ? inputs[0].file : NULL, error, STWATCH_ERR_DAMAGED);
}

bool cli_can_follow(const cli_command *command, const cli_follow *follow, size_t n_files, int *code)
{
	if (!follow->on && follow->silence_ns)
		*code = cli_usage(command, "--follow-timeout goes with --follow");
	else if (follow->on && n_files > 1)
		*code = cli_usage(command, "--follow takes one FILE; %zu were given", n_files);
	else
		return true;
	return false;
}

/* What can be looked into and is still there afterwards. */
static bool is_plain_file(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

int cli_traces_of(cli_session *session, const char *const *files, size_t n_files, const char *const **traces, size_t *n_traces)
{
	*traces = files;
	*n_traces = n_files;
	if (n_files == 1)
		return CLI_OK;
	const char **kept = calloc(n_files, sizeof *kept);
	if (!kept) {
		const stwatch_error error = {.offset = STWATCH_NO_OFFSET};
		return cli_report(session, NULL, &error, STWATCH_ERR_MEMORY);
	}
	session->traces = kept;
	size_t n = 0;
	for (size_t i = 0; i < n_files; i++)
		if (!is_plain_file(files[i]) || stwatch_context_add_binary(session->context, files[i], NULL) != STWATCH_OK)
			kept[n++] = files[i];
	if (n > 0) {
		*traces = kept;
		*n_traces = n;
	}
	return CLI_OK;
}

static int print(cli_session *session, const cli_analysis_request *request, const stwatch_analysis *analysis)
{
	stwatch_print_options options = {
		.size = sizeof options,
		.format = request->format,
		.color = cli_session_color(session),
		.width = cli_session_width(),
		.top = request->top,
		.one_line = request->follow.on,
		.draw_mmu = request->draw_mmu,
		.draw_latency = request->draw_latency,
		.ascii = !cli_session_unicode(),
	};
	cli_progress_clear(session);
	stwatch_analysis_print(analysis, request->view, &options, cli_out_sink, &session->out);
	return cli_out_finish(&session->out);
}

static int fail_on(const cli_analysis_request *request, const stwatch_analysis *analysis)
{
	size_t count;
	const stwatch_finding *findings = stwatch_analysis_findings(analysis, &count);
	for (size_t i = 0; i < count; i++)
		if (request->fail_on && (int)findings[i].severity >= request->fail_on)
			return CLI_FOUND;
	return CLI_OK;
}

/* `stwatch FILE…` takes what is no command for a file, so a mistyped command ends here. */
static bool is_a_word_alone(const cli_analysis_request *request)
{
	struct stat info;
	const char *file = request->files[0];
	return request->n_files == 1 && !strpbrk(file, "./-") && stat(file, &info) != 0;
}

static int report_failure(cli_session *session, const cli_analysis_request *request, const stwatch_error *error, stwatch_status status)
{
	int code = cli_report_of(session, request->files, request->n_files, error, status);
	if (status == STWATCH_ERR_IO && is_a_word_alone(request))
		fprintf(stderr, "stwatch: nor is '%s' a command: see stwatch --help\n", request->files[0]);
	return code;
}

int cli_analyse(cli_session *session, const cli_analysis_request *request)
{
	stwatch_analysis *analysis = NULL;
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	stwatch_analyze_options options = request->options;
	cli_follower *follower = NULL;
	if (request->follow.on) {
		follower = cli_follower_new(session, request);
		options.follow = true;
		options.follow_silence_ns = request->follow.silence_ns;
		options.update = follower ? cli_follower_update : NULL;
		options.update_user = follower;
	}
	stwatch_status status = stwatch_analyze(session->context, request->files, request->n_files, &options, &analysis, &error);
	cli_follower_free(follower);
	if (!analysis)
		return report_failure(session, request, &error, status);
	int code = cli_worse(print(session, request, analysis), fail_on(request, analysis));
	if (status == STWATCH_ERR_DAMAGED)
		code = cli_worse(code, tell_damage(session, analysis, &error));
	else if (status != STWATCH_OK)
		code = cli_worse(code, report_failure(session, request, &error, status));
	stwatch_analysis_free(analysis);
	return code;
}

static int start_of(cli_session *session, const cli_command *command, const char *const *files, size_t n_files, int64_t *start_unix_ns)
{
	const cli_analysis_request request = {.files = files, .n_files = n_files};
	stwatch_analyze_options options = {.size = sizeof options};
	stwatch_analysis *analysis = NULL;
	stwatch_error error = {.offset = STWATCH_NO_OFFSET};
	session->quiet_notes = true; /* they will be told when the files are really read */
	stwatch_status status = stwatch_analyze(session->context, files, n_files, &options, &analysis, &error);
	session->quiet_notes = false;
	if (!analysis)
		return report_failure(session, &request, &error, status);
	size_t count;
	const stwatch_input *inputs = stwatch_analysis_inputs(analysis, &count);
	bool known = false;
	for (size_t i = 0; i < count; i++) { /* times count from the first event of all traces */
		known |= inputs[i].start_ns == 0 && inputs[i].has_start_time;
		if (inputs[i].start_ns == 0)
			*start_unix_ns = inputs[i].start_unix_ns;
	}
	stwatch_analysis_free(analysis);
	return known ? CLI_OK : cli_usage(command, "--from, --to: %s has no wall time: give seconds from its start", files[0]);
}

static int64_t relative(const cli_time *time, int64_t start_unix_ns)
{
	return time->kind == CLI_TIME_WALL ? time->ns - start_unix_ns : time->kind == CLI_TIME_FROM_START ? time->ns : 0;
}

int cli_resolve_times(cli_session *session, const cli_command *command, const char *const *files, size_t n_files, const cli_time *from,
	const cli_time *to, int64_t *from_ns, int64_t *to_ns)
{
	int64_t start = 0;
	if (from->kind == CLI_TIME_WALL || to->kind == CLI_TIME_WALL) {
		for (size_t i = 0; i < n_files; i++)
			if (strcmp(files[i], "-") == 0 || strncmp(files[i], "http", 4) == 0)
				return cli_usage(command,
					"--from, --to: wall times need a file that can be read twice, not standard input or an address");
		int code = start_of(session, command, files, n_files, &start);
		if (code != CLI_OK)
			return code;
	}
	*from_ns = relative(from, start);
	*to_ns = relative(to, start);
	if (*from_ns < 0)
		*from_ns = 0;
	if (to->kind != CLI_TIME_UNSET && *to_ns <= *from_ns)
		return cli_usage(command, "--to must be after --from and after the start of the trace");
	return CLI_OK;
}
