#include "cli/options.h"

#include <stdio.h>
#include <string.h>

/* An option that was found, wherever its row stands. */
typedef struct found {
	cli_option option;
	void *at; /* where its value goes */
	size_t index; /* in cli_parse.set */
} found;

const char *cli_expected(cli_type type)
{
	static const char *const WORDS[] = {
		[CLI_FLAG] = "no value",
		[CLI_DURATION] = "a duration, such as 250us, 30ms or 1.5s",
		[CLI_TIME] = "seconds from the start, such as 1.25, or a time such as 2026-01-31T12:00:00Z",
		[CLI_COUNT] = "a whole number",
		[CLI_SIZE] = "a size, such as 512M or 2G",
		[CLI_PERCENT] = "a percentage, such as 2.5%",
		[CLI_CHOICE] = "one of its words",
		[CLI_STRING] = "a value",
		[CLI_LIST] = "a value",
	};
	return WORDS[type];
}

cli_option cli_setting_option(const stwatch_setting *setting, size_t index)
{
	static const struct {
		cli_type type;
		const char *value;
	} UNITS[] = {
		[STWATCH_UNIT_NS] = {CLI_DURATION, "DURATION"},
		[STWATCH_UNIT_PERMILLE] = {CLI_PERCENT, "PERCENT"},
		[STWATCH_UNIT_COUNT] = {CLI_COUNT, "N"},
	};
	return (cli_option){
		.name = setting->option,
		.type = UNITS[setting->unit].type,
		.value = UNITS[setting->unit].value,
		.help = setting->help,
		.offset = offsetof(stwatch_settings, values) + index * sizeof(int64_t),
	};
}

/* The row at an index of a group; false past the last. */
static bool row_at(const cli_group *group, size_t index, cli_option *option)
{
	if (group->options) {
		*option = group->options[index];
		return option->name != NULL;
	}
	const stwatch_setting *setting = stwatch_setting_at(index);
	if (setting)
		*option = cli_setting_option(setting, index);
	return setting != NULL;
}

static bool matches(const cli_option *option, const char *name, size_t length, char letter)
{
	if (letter)
		return option->letter == letter;
	return strlen(option->name) == length && strncmp(option->name, name, length) == 0;
}

/* By name, or by letter where that is not 0. A later group's option hides an earlier one of the same name. */
static bool find(const cli_parse *parse, const char *name, size_t length, char letter, found *out)
{
	bool any = false;
	size_t index = 0;
	cli_option option;
	for (size_t g = 0; g < parse->n_groups; g++) {
		const cli_group *group = &parse->groups[g];
		for (size_t i = 0; row_at(group, i, &option) && index < CLI_SET_MAX; i++, index++) {
			if (!matches(&option, name, length, letter))
				continue;
			*out = (found){option, (char *)group->values + option.offset, index};
			any = true;
		}
	}
	return any;
}

static bool store_choice(const cli_option *option, const char *value, int *at)
{
	for (int i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], value) == 0) {
			*at = i;
			return true;
		}
	}
	return false;
}

static bool store_item(const char *value, cli_list *list)
{
	if (list->count == CLI_LIST_MAX)
		return false;
	list->items[list->count++] = value;
	return true;
}

static bool store(const found *f, const char *value)
{
	switch (f->option.type) {
	case CLI_FLAG: *(bool *)f->at = true; return true;
	case CLI_DURATION: return cli_read_duration(value, f->at);
	case CLI_TIME: return cli_read_time(value, f->at);
	case CLI_COUNT: return cli_read_count(value, f->at);
	case CLI_SIZE: return cli_read_size(value, f->at);
	case CLI_PERCENT: return cli_read_percent(value, f->at);
	case CLI_CHOICE: return store_choice(&f->option, value, f->at);
	case CLI_STRING: *(const char **)f->at = value; return true;
	case CLI_LIST: return store_item(value, f->at);
	}
	return false;
}

static void explain_bad_value(cli_parse *parse, const cli_option *option, const char *value)
{
	int used = snprintf(parse->message, sizeof parse->message, "--%s: '%.80s' is not valid (expected ", option->name, value);
	if (option->type != CLI_CHOICE) {
		snprintf(parse->message + used, sizeof parse->message - (size_t)used, "%s)", cli_expected(option->type));
		return;
	}
	for (int i = 0; option->choices[i]; i++)
		used += snprintf(parse->message + used, sizeof parse->message - (size_t)used, "%s%s", i ? ", " : "", option->choices[i]);
	snprintf(parse->message + used, sizeof parse->message - (size_t)used, ")");
}

/* What an argument says: the option, and its value where that stands in the same argument. */
typedef struct argument {
	found option;
	const char *value;
} argument;

static bool unknown(cli_parse *parse, const char *text, size_t length)
{
	snprintf(parse->message, sizeof parse->message, "unknown option '%.*s'", (int)(length > 80 ? 80 : length), text);
	return false;
}

/* "--name", "--name=value", "-x", "-xvalue" */
static bool read_argument(cli_parse *parse, const char *text, argument *out)
{
	out->value = NULL;
	if (text[1] == '-') {
		size_t length = strcspn(text + 2, "=");
		if (!find(parse, text + 2, length, 0, &out->option))
			return unknown(parse, text, length + 2);
		if (text[2 + length] == '=')
			out->value = text + 3 + length;
	} else {
		if (!find(parse, NULL, 0, text[1], &out->option))
			return unknown(parse, text, 2);
		if (text[2])
			out->value = text + 2;
	}
	if (out->option.option.type == CLI_FLAG && out->value) {
		snprintf(parse->message, sizeof parse->message, "--%s takes no value", out->option.option.name);
		return false;
	}
	return true;
}

static bool take(cli_parse *parse, const argument *arg, const char *value)
{
	if (!store(&arg->option, value)) {
		explain_bad_value(parse, &arg->option.option, value);
		return false;
	}
	parse->set[arg->option.index] = true;
	return true;
}

static bool is_option(const char *text)
{
	return text[0] == '-' && text[1] != '\0';
}

bool cli_parse_args(cli_parse *parse, char **argv, int argc, bool stop_at_operand, int *count)
{
	int operands = 0, i = 0;
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		argument arg;
		if (!is_option(argv[i])) {
			if (stop_at_operand)
				break;
			argv[operands++] = argv[i];
			continue;
		}
		if (!read_argument(parse, argv[i], &arg))
			return false;
		const char *value = arg.value;
		if (!value && arg.option.option.type != CLI_FLAG) {
			if (i + 1 == argc) {
				snprintf(parse->message, sizeof parse->message, "--%s needs %s", arg.option.option.name,
					cli_expected(arg.option.option.type));
				return false;
			}
			value = argv[++i];
		}
		if (!take(parse, &arg, value))
			return false;
	}
	if (i < argc && !stop_at_operand)
		i++; /* the "--" itself */
	while (i < argc)
		argv[operands++] = argv[i++];
	*count = operands;
	return true;
}

cli_assigned cli_parse_assign(cli_parse *parse, const char *name, const char *value)
{
	found f;
	if (!find(parse, name, strlen(name), 0, &f))
		return CLI_NO_SUCH_OPTION;
	if (parse->set[f.index])
		return CLI_ASSIGNED;
	if (f.option.type == CLI_FLAG) {
		bool yes = strcmp(value, "true") == 0 || strcmp(value, "yes") == 0 || !*value;
		if (!yes && strcmp(value, "false") != 0 && strcmp(value, "no") != 0) {
			snprintf(parse->message, sizeof parse->message, "--%s: '%.80s' is not valid (expected true or false)", name, value);
			return CLI_BAD_VALUE;
		}
		*(bool *)f.at = yes;
		return CLI_ASSIGNED;
	}
	if (store(&f, value))
		return CLI_ASSIGNED;
	explain_bad_value(parse, &f.option, value);
	return CLI_BAD_VALUE;
}
