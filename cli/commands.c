/* The registry: a command is a file and a row here. */
#include <string.h>

#include "cli/command.h"

const cli_command *const cli_commands[] = {&cli_diagnose, &cli_stat, &cli_events, &cli_states, &cli_path, &cli_cut, &cli_profile,
	&cli_index, &cli_explain, &cli_doctor, &cli_completion, NULL};

static const char *const COLORS[] = {"auto", "always", "never", NULL};
static const char *const FORMATS[] = {"text", "json", NULL};

const cli_option cli_global_options[] = {
	{"format", 0, CLI_CHOICE, "FORMAT", "text for people, json for scripts", offsetof(cli_globals, format), FORMATS},
	{"threads", 'j', CLI_COUNT, "N", "worker threads (0: one per processor)", offsetof(cli_globals, threads), NULL},
	{"memory", 0, CLI_SIZE, "LIMIT", "use no more memory than this, such as 512M (0: no limit)", offsetof(cli_globals, memory), NULL},
	{"unpack-limit", 0, CLI_SIZE, "LIMIT",
		"read no more of a pipe or of what is compressed than this, unpacked, such as 8G (0: what the disk has room for; of "
		"compressed input, "
		"1G or 100 times its size)",
		offsetof(cli_globals, unpack_limit), NULL},
	{"color", 0, CLI_CHOICE, "WHEN", "auto (on a terminal, unless NO_COLOR is set), always or never", offsetof(cli_globals, color),
		COLORS},
	{"config", 0, CLI_STRING, "FILE", "read options from a file of `option = value` lines; the command line wins",
		offsetof(cli_globals, config), NULL},
	{"quiet", 'q', CLI_FLAG, NULL, "no progress bar", offsetof(cli_globals, quiet), NULL},
	{"help", 'h', CLI_FLAG, NULL, "what can be given, and stop", offsetof(cli_globals, help), NULL},
	{"version", 0, CLI_FLAG, NULL, "the version and what is built in, and stop", offsetof(cli_globals, version), NULL},
	{0},
};

const cli_command *cli_command_find(const char *name)
{
	for (const cli_command *const *command = cli_commands; *command; command++)
		if (strcmp((*command)->name, name) == 0)
			return *command;
	return NULL;
}

bool cli_options_have(const cli_option *options, const char *name)
{
	for (; options->name; options++)
		if (strcmp(options->name, name) == 0)
			return true;
	return false;
}

bool cli_option_at(const cli_command *command, size_t index, cli_option *option)
{
	const stwatch_setting *setting;
	for (const cli_option *o = command->options; o->name; o++)
		if (index-- == 0) {
			*option = *o;
			return true;
		}
	for (const cli_option *o = cli_global_options; o->name; o++)
		if (!cli_options_have(command->options, o->name) && index-- == 0) {
			*option = *o;
			return true;
		}
	if (!command->thresholds || !(setting = stwatch_setting_at(index)))
		return false;
	*option = cli_setting_option(setting, index);
	return true;
}
