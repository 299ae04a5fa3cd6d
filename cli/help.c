/* Help from the tables: there is no second list to keep in step. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

enum { COLUMN = 34 };

static void option_line(cli_out *out, const cli_option *option)
{
	char head[80];
	int used = option->letter ? snprintf(head, sizeof head, "  -%c, --%s", option->letter, option->name)
				  : snprintf(head, sizeof head, "      --%s", option->name);
	if (option->value)
		snprintf(head + used, sizeof head - (size_t)used, " %s", option->value);
	if (strlen(head) < COLUMN)
		cli_out_printf(out, "%-*s ", COLUMN - 1, head);
	else
		cli_out_printf(out, "%s\n%*s", head, COLUMN, "");
	cli_out_wrapped(out, COLUMN, COLUMN, option->help);
}

/* Without those that `hiding` (NULL: none) has under the same name. */
static void option_lines(cli_out *out, const char *title, const cli_option *options, const cli_option *hiding)
{
	if (!options->name)
		return;
	cli_out_printf(out, "\n%s:\n", title);
	for (; options->name; options++)
		if (!hiding || !cli_options_have(hiding, options->name))
			option_line(out, options);
}

/* The default as it would be given. */
static void default_text(char buffer[static 32], const stwatch_setting *setting)
{
	double value = (double)setting->value;
	if (setting->unit == STWATCH_UNIT_PERMILLE)
		snprintf(buffer, 32, "%g%%", value / 10);
	else if (setting->unit == STWATCH_UNIT_COUNT)
		snprintf(buffer, 32, "%g", value);
	else if (setting->value >= 1000000000)
		snprintf(buffer, 32, "%gs", value / 1e9);
	else if (setting->value >= 1000000)
		snprintf(buffer, 32, "%gms", value / 1e6);
	else
		snprintf(buffer, 32, "%gus", value / 1e3);
}

static void threshold_lines(cli_out *out)
{
	const stwatch_setting *setting;
	cli_out_put(out, "\nThresholds:\n");
	for (size_t i = 0; (setting = stwatch_setting_at(i)) != NULL; i++) {
		char help[256], standard[32];
		cli_option option = cli_setting_option(setting, i);
		default_text(standard, setting);
		snprintf(help, sizeof help, "%s (%s)", setting->help, standard);
		option.help = help;
		option_line(out, &option);
	}
}

void cli_help_command(cli_out *out, const cli_command *command)
{
	cli_out_printf(out, "usage: stwatch %s [OPTIONS]%s%s\n\n%s.\n", command->name, *command->operands ? " " : "", command->operands,
		command->summary);
	cli_out_wrapped(out, 0, 0, command->about);
	option_lines(out, "Options", command->options, NULL);
	option_lines(out, "Options of every command", cli_global_options, command->options);
	if (command->thresholds)
		threshold_lines(out);
}

void cli_help_overview(cli_out *out)
{
	cli_out_put(out,
		"usage: stwatch [OPTIONS] COMMAND [OPTIONS] FILE…\n"
		"       stwatch FILE…   (the same as stwatch diagnose FILE…)\n\n"
		"Diagnoses Go execution traces.\n\nCommands:\n");
	for (const cli_command *const *command = cli_commands; *command; command++)
		cli_out_printf(out, "  %-12s%s\n", (*command)->name, (*command)->summary);
	option_lines(out, "Options", cli_global_options, NULL);
	cli_out_put(out,
		"\nstwatch COMMAND --help says more. Exit codes: 0 done, 1 a finding reached --fail-on, 2 wrong usage,\n"
		"3 unreadable input, 4 damaged input (what was readable is reported), 5 not available here, 130 interrupted.\n");
}
