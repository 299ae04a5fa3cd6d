/* The program: finds the command, parses by its table, runs it. */
#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

/* What the design has and this version hasn't: better said than "no such file". */
static const struct absent {
	const char *name, *instead;
} ABSENT[] = {
	{"record", "go test -trace FILE, runtime/trace, or /debug/pprof/trace of net/http/pprof record traces"},
	{"inspect", "a recorded trace shows the scheduler over time: stwatch diagnose FILE"},
	{"watch", "stwatch diagnose --fail-on SEVERITY in a loop over recorded traces"},
	{"view", "go tool trace shows a timeline in a browser"},
	{"query", "stwatch events --format jsonl feeds tools that query"},
	{"export", "stwatch events --format jsonl, or stwatch diagnose --format json"},
	{"compare", "stwatch diagnose --format json of both; a finding's id is stable across recordings"},
	{"model", "stwatch diagnose checks Go's own state machines"},
	{NULL, NULL},
};

static bool known_to_any_command(const char *name)
{
	for (const cli_command *const *command = cli_commands; *command; command++)
		if (cli_options_have((*command)->options, name))
			return true;
	const stwatch_setting *setting;
	for (size_t i = 0; (setting = stwatch_setting_at(i)) != NULL; i++)
		if (strcmp(setting->option, name) == 0)
			return true;
	return false;
}

/* The whole file, NUL-terminated, owned by the caller; NULL with errno set. */
static char *read_text(const char *path)
{
	enum { CONFIG_MAX = 1 << 20 };
	FILE *file = fopen(path, "r");
	char *text = file ? malloc(CONFIG_MAX) : NULL;
	if (text) {
		size_t length = fread(text, 1, CONFIG_MAX - 1, file);
		text[length] = '\0';
	}
	if (text && ferror(file)) {
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

static int apply_config(cli_session *session, const cli_command *command, cli_parse *parse, char **text)
{
	const char *path = session->globals.config;
	if (!path)
		return CLI_OK;
	*text = read_text(path);
	if (!*text)
		return cli_usage(command, "--config: %s: %s", path, strerror(errno));
	return cli_parse_config(parse, path, *text, known_to_any_command) ? CLI_OK : cli_usage(command, "%s", parse->message);
}

static int check_operands(const cli_command *command, int n)
{
	if (n < command->operands_min)
		return cli_usage(command, "%s needs %s", command->name, command->operands);
	if (n > command->operands_max)
		return cli_usage(
			command, "%s takes %s; %d were given", command->name, *command->operands ? command->operands : "no FILE", n);
	return CLI_OK;
}

static int check_globals(const cli_command *command, const cli_globals *globals)
{
	enum { THREADS_MAX = 256 };
	if (globals->threads > THREADS_MAX)
		return cli_usage(command, "--threads: %lld is too many (expected 0 to %d)", (long long)globals->threads, THREADS_MAX);
	return CLI_OK;
}

static int run_with(cli_session *session, const cli_command *command, const void *args, char **operands, int n)
{
	int code = check_operands(command, n);
	if (code == CLI_OK)
		code = check_globals(command, &session->globals);
	if (code == CLI_OK)
		code = cli_session_begin(session);
	if (code == CLI_OK)
		code = command->run(session, args, (const char *const *)operands, (size_t)n);
	cli_session_end(session);
	return code;
}

static int run_command(cli_session *session, const cli_command *command, char **argv, int argc)
{
	alignas(max_align_t) char args[CLI_ARGS_MAX];
	if (command->args_size > 0)
		memcpy(args, command->defaults, command->args_size);
	/* The global ones come first, as they do before the command, so that their places in `set` are the same. */
	const cli_group groups[] = {{cli_global_options, &session->globals}, {command->options, args}, {NULL, &session->settings}};
	cli_parse parse = session->parsed;
	parse.groups = groups;
	parse.n_groups = command->thresholds ? 3 : 2;
	int operands;
	if (!cli_parse_args(&parse, argv, argc, false, &operands))
		return cli_usage(command, "%s", parse.message);
	if (session->globals.help) {
		cli_help_command(&session->out, command);
		return cli_out_finish(&session->out);
	}
	char *config = NULL;
	int code = apply_config(session, command, &parse, &config);
	if (code == CLI_OK)
		code = run_with(session, command, args, argv, operands);
	free(config);
	return code;
}

static int print_version(cli_out *out)
{
	cli_out_printf(out, "stwatch %s\nbuilt in: Go execution traces from 1.5 on, gzip, zstd, threads%s%s\n", stwatch_version(),
		stwatch_has("pprof") ? ", pprof profiles" : "", stwatch_has("http") ? ", http addresses" : "");
	return cli_out_finish(out);
}

static int help(cli_session *session, const char *topic)
{
	const cli_command *command = topic ? cli_command_find(topic) : NULL;
	if (topic && !command)
		return cli_usage(NULL, "help: there is no command '%s'", topic);
	if (command)
		cli_help_command(&session->out, command);
	else
		cli_help_overview(&session->out);
	return cli_out_finish(&session->out);
}

static int unavailable(const struct absent *absent)
{
	fprintf(stderr, "stwatch: %s is not available in this version: %s\n", absent->name, absent->instead);
	return CLI_UNAVAILABLE;
}

/* By the first operand: a command, help, one that is not there yet; else it is a file to diagnose. */
static int dispatch(cli_session *session, char **argv, int argc)
{
	const cli_command *command = cli_command_find(argv[0]);
	if (command)
		return run_command(session, command, argv + 1, argc - 1);
	if (strcmp(argv[0], "help") == 0)
		return help(session, argc > 1 ? argv[1] : NULL);
	for (const struct absent *absent = ABSENT; absent->name; absent++)
		if (strcmp(argv[0], absent->name) == 0)
			return unavailable(absent);
	return run_command(session, &cli_diagnose, argv, argc);
}

int main(int argc, char **argv)
{
	cli_session session = {.settings = {.size = sizeof session.settings}};
	const cli_group global = {cli_global_options, &session.globals};
	int rest;
	session.parsed = (cli_parse){.groups = &global, .n_groups = 1};
	stwatch_settings_init(&session.settings);
	cli_out_init(&session.out);
	/* What is no global option belongs to diagnose, which then says what is wrong with it. */
	if (!cli_parse_args(&session.parsed, argv + 1, argc - 1, true, &rest))
		return run_command(&session, &cli_diagnose, argv + 1, argc - 1);
	if (session.globals.version)
		return print_version(&session.out);
	if (session.globals.help)
		return help(&session, rest > 0 ? argv[1] : NULL);
	if (rest == 0)
		return cli_usage(NULL, "a command or a FILE is needed");
	return dispatch(&session, argv + 1, rest);
}
