/* Completion for shells, from the same tables as parsing and help. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static const cli_option OPTIONS[] = {{0}};

/* ---- what there is to complete ---- */

/* A word that a command takes where others take a file; NULL past the last. */
static const char *operand_word(const cli_command *command, size_t index)
{
	static const char *const SHELLS[] = {"bash", "zsh", "fish"};
	if (command == &cli_explain)
		return stwatch_explain_topic(index);
	return command == &cli_completion && index < 3 ? SHELLS[index] : NULL;
}

static bool takes_file(const cli_option *option)
{
	static const char *const FILES[] = {"FILE", "OUT", "DIR"};
	for (size_t i = 0; option->type == CLI_STRING && i < sizeof FILES / sizeof *FILES; i++)
		if (strcmp(option->value, FILES[i]) == 0)
			return true;
	return false;
}

static void put_words(cli_out *out, const char *const *words)
{
	/* A word that stands for "not given" is empty. */
	for (bool first = true; *words; words++)
		if (**words) {
			cli_out_printf(out, "%s%s", first ? "" : " ", *words);
			first = false;
		}
}

static void put_operands(cli_out *out, const cli_command *command)
{
	const char *word;
	for (size_t i = 0; (word = operand_word(command, i)) != NULL; i++)
		cli_out_printf(out, "%s%s", i ? " " : "", word);
}

static void put_commands(cli_out *out, const char *between)
{
	for (const cli_command *const *command = cli_commands; *command; command++)
		cli_out_printf(out, "%s%s", (*command)->name, between);
	cli_out_put(out, "help");
}

/* The beginning of a help text, up to what explains it; each byte of `special` escaped, for a text in single quotes. */
static void put_help(cli_out *out, const char *help, const char *special, const char *quote)
{
	for (; *help && !strchr(";:", *help); help++) {
		if (*help == '\'')
			cli_out_put(out, quote);
		else
			cli_out_printf(out, "%s%c", strchr(special, *help) ? "\\" : "", *help);
	}
}

/* ---- bash ---- */

static void bash_values(cli_out *out, const cli_command *command)
{
	cli_option o;
	for (size_t i = 0; cli_option_at(command, i, &o); i++) {
		if (o.type == CLI_FLAG || takes_file(&o))
			continue;
		cli_out_printf(out, "\t%s:--%s", command->name, o.name);
		if (o.letter)
			cli_out_printf(out, "|%s:-%c", command->name, o.letter);
		cli_out_put(out, ") words='");
		if (o.choices)
			put_words(out, o.choices);
		cli_out_put(out, "' ;;\n");
	}
}

static void bash_options(cli_out *out, const cli_command *command)
{
	cli_option o;
	cli_out_printf(out, "\t\t%s) words='", command->name);
	for (size_t i = 0; cli_option_at(command, i, &o); i++) {
		cli_out_printf(out, "%s--%s", i ? " " : "", o.name);
		if (o.letter)
			cli_out_printf(out, " -%c", o.letter);
	}
	cli_out_put(out, "' ;;\n");
}

static void bash_operands(cli_out *out, const cli_command *command)
{
	if (!operand_word(command, 0))
		return;
	cli_out_printf(out, "\t\t%s) words='", command->name);
	put_operands(out, command);
	cli_out_put(out, "' ;;\n");
}

static void each(cli_out *out, void (*what)(cli_out *out, const cli_command *command))
{
	for (const cli_command *const *command = cli_commands; *command; command++)
		what(out, *command);
}

static void bash(cli_out *out)
{
	cli_out_put(out,
		"# bash completion of stwatch, written by: stwatch completion bash\n"
		"_stwatch()\n{\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=diagnose named= words=none i\n"
		"\tCOMPREPLY=()\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase ${COMP_WORDS[i]} in\n\t\t");
	put_commands(out, "|");
	cli_out_put(out,
		") command=${COMP_WORDS[i]} named=1; break ;;\n"
		"\t\t-*|=) ;;\n"
		"\t\tesac\n\tdone\n"
		"\t# --option=value comes in three words\n"
		"\tif [[ $cur == '=' ]]; then cur=; elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
		"\tcase $command:$prev in\n");
	each(out, bash_values);
	cli_out_put(out,
		"\tesac\n"
		"\tif [[ $words != none ]]; then\n"
		"\t\t:\n"
		"\telif [[ $cur == -* ]]; then\n"
		"\t\tcase $command in\n");
	each(out, bash_options);
	cli_out_put(out,
		"\t\tesac\n"
		"\telif [[ -z $named ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		"\t\tcompopt -o filenames 2>/dev/null\n"
		"\t\twords='");
	put_commands(out, " ");
	cli_out_put(out,
		"'\n\telse\n"
		"\t\tcase $command in\n");
	each(out, bash_operands);
	cli_out_put(out, "\t\thelp) words='");
	put_commands(out, " ");
	cli_out_put(out,
		"' ;;\n"
		"\t\tesac\n"
		"\tfi\n"
		"\t# Where nothing is known, the shell offers files.\n"
		"\tif [[ $words != none ]]; then COMPREPLY+=($(compgen -W \"$words\" -- \"$cur\")); fi\n"
		"}\n"
		"complete -o default -F _stwatch stwatch\n");
}

/* ---- zsh ---- */

static void zsh_option(cli_out *out, const cli_option *o)
{
	cli_out_put(out, o->type == CLI_LIST ? "\t\t'*'" : "\t\t");
	const char *equals = o->type == CLI_FLAG ? "" : "=";
	if (o->letter)
		cli_out_printf(
			out, "%s'(-%c --%s)'{-%c%s,--%s%s}'[", "", o->letter, o->name, o->letter, *equals ? "+" : "", o->name, equals);
	else
		cli_out_printf(out, "'--%s%s[", o->name, equals);
	put_help(out, o->help, "[]", "'\\''");
	cli_out_put(out, "]");
	if (o->type != CLI_FLAG)
		cli_out_printf(out, ":%s:", o->value);
	if (o->choices) {
		cli_out_put(out, "(");
		put_words(out, o->choices);
		cli_out_put(out, ")");
	} else if (takes_file(o)) {
		cli_out_put(out, "_files");
	}
	cli_out_put(out, "'\n");
}

static void zsh_command(cli_out *out, const cli_command *command)
{
	cli_option o;
	cli_out_printf(out, "\t%s) specs=(\n", command->name);
	for (size_t i = 0; cli_option_at(command, i, &o); i++)
		zsh_option(out, &o);
	if (operand_word(command, 0)) {
		cli_out_put(out, "\t\t'1:name:(");
		put_operands(out, command);
		cli_out_put(out, ")'\n");
	} else if (command->operands_max > 0) {
		cli_out_put(out, "\t\t'*:file:_files'\n");
	}
	cli_out_put(out, "\t) ;;\n");
}

static void zsh_summary(cli_out *out, const cli_command *command)
{
	cli_out_printf(out, "\t\t'%s:", command->name);
	put_help(out, command->summary, "", "'\\''");
	cli_out_put(out, "'\n");
}

static void zsh(cli_out *out)
{
	cli_out_put(out,
		"#compdef stwatch\n"
		"# zsh completion of stwatch, written by: stwatch completion zsh\n"
		"_stwatch_specs() {\n\tcase $1 in\n");
	each(out, zsh_command);
	cli_out_put(out, "\thelp) specs=('1:command:(");
	put_commands(out, " ");
	cli_out_put(out,
		")') ;;\n\tesac\n}\n\n"
		"_stwatch() {\n"
		"\tlocal curcontext=$curcontext state state_descr line\n"
		"\tlocal -a specs commands\n"
		"\ttypeset -A opt_args\n"
		"\tcommands=(\n");
	each(out, zsh_summary);
	cli_out_put(out,
		"\t\t'help:the same as --help'\n"
		"\t)\n"
		"\t_stwatch_specs diagnose\n"
		"\t_arguments -C -s \"${(@)specs:#\\*:file:*}\" '1: :->first' '*:: :->rest'\n"
		"\tcase $state in\n"
		"\tfirst)\n"
		"\t\t_describe -t commands command commands\n"
		"\t\t_files\n"
		"\t\t;;\n"
		"\trest)\n"
		"\t\tif (( ${commands[(I)$line[1]:*]} )); then _stwatch_specs $line[1]; fi\n"
		"\t\t_arguments -s \"${specs[@]}\"\n"
		"\t\t;;\n"
		"\tesac\n"
		"}\n\n"
		"if [[ $funcstack[1] == _stwatch ]]; then _stwatch \"$@\"; else compdef _stwatch stwatch; fi\n");
}

/* ---- fish ---- */

static void fish_option(cli_out *out, const char *when, const cli_option *o)
{
	cli_out_printf(out, "complete -c stwatch -n '%s'", when);
	if (o->letter)
		cli_out_printf(out, " -s %c", o->letter);
	cli_out_printf(out, " -l %s", o->name);
	if (takes_file(o))
		cli_out_put(out, " -r -F");
	else if (o->type != CLI_FLAG)
		cli_out_put(out, " -x");
	if (o->choices) {
		cli_out_put(out, " -a '");
		put_words(out, o->choices);
		cli_out_put(out, "'");
	}
	cli_out_put(out, " -d '");
	put_help(out, o->help, "\\", "\\'");
	cli_out_put(out, "'\n");
}

static void fish_command(cli_out *out, const cli_command *command)
{
	char when[80];
	cli_option o;
	snprintf(when, sizeof when, "__fish_seen_subcommand_from %s", command->name);
	cli_out_printf(out, "complete -c stwatch -n __fish_use_subcommand -a %s -d '", command->name);
	put_help(out, command->summary, "\\", "\\'");
	cli_out_put(out, "'\n");
	for (size_t i = 0; cli_option_at(command, i, &o); i++)
		fish_option(out, when, &o);
	if (operand_word(command, 0)) {
		cli_out_printf(out, "complete -c stwatch -n '%s' -f -a '", when);
		put_operands(out, command);
		cli_out_put(out, "'\n");
	}
}

static void fish(cli_out *out)
{
	cli_option o;
	cli_out_put(out, "# fish completion of stwatch, written by: stwatch completion fish\n");
	for (size_t i = 0; cli_option_at(&cli_diagnose, i, &o); i++)
		fish_option(out, "__fish_use_subcommand", &o); /* without a command, diagnose is meant */
	each(out, fish_command);
	cli_out_put(out,
		"complete -c stwatch -n __fish_use_subcommand -a help -d 'the same as --help'\n"
		"complete -c stwatch -n '__fish_seen_subcommand_from help' -f -a '");
	put_commands(out, " ");
	cli_out_put(out, "'\n");
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	static void (*const WRITERS[])(cli_out * out) = {bash, zsh, fish};
	const char *shell;
	(void)arguments;
	(void)n;
	for (size_t i = 0; (shell = operand_word(&cli_completion, i)) != NULL; i++) {
		if (strcmp(shell, operands[0]) == 0) {
			WRITERS[i](&session->out);
			return cli_out_finish(&session->out);
		}
	}
	return cli_usage(&cli_completion, "'%.80s' is not a shell that is known here (bash, zsh or fish was expected)", operands[0]);
}

const cli_command cli_completion = {
	.name = "completion",
	.summary = "what a shell needs to complete stwatch's commands and options",
	.operands = "SHELL",
	.about = "Prints a script for bash, zsh or fish; make install puts it where they look for it. For one session: "
		 "source <(stwatch completion bash).",
	.options = OPTIONS,
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
