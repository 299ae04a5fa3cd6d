/* The config file: `option = value` lines, as the options are named on the command line. */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static char *trim(char *text)
{
	text += strspn(text, " \t\r");
	size_t length = strlen(text);
	while (length > 0 && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* Splits "name = value" in place; the value is empty where there is no '='. */
static char *split(char *line, char **value)
{
	char *equals = strchr(line, '=');
	*value = equals ? equals + 1 : line + strlen(line);
	if (equals)
		*equals = '\0';
	*value = trim(*value);
	char *name = trim(line);
	return strncmp(name, "--", 2) == 0 ? name + 2 : name;
}

static bool complain(cli_parse *parse, const char *file, int line, const char *what)
{
	char reason[CLI_MESSAGE_MAX];
	snprintf(reason, sizeof reason, "%s", what);
	snprintf(parse->message, sizeof parse->message, "--config: %.120s, line %d: %.240s", file, line, reason);
	return false;
}

static bool read_line(cli_parse *parse, const char *file, int number, char *line, bool (*known_elsewhere)(const char *name))
{
	char *value, unknown[128];
	if (!*line || *line == '#')
		return true;
	char *name = split(line, &value);
	switch (cli_parse_assign(parse, name, value)) {
	case CLI_ASSIGNED: return true;
	case CLI_BAD_VALUE: return complain(parse, file, number, parse->message);
	case CLI_NO_SUCH_OPTION: break;
	}
	if (known_elsewhere(name))
		return true;
	snprintf(unknown, sizeof unknown, "unknown option '%.80s'", name);
	return complain(parse, file, number, unknown);
}

bool cli_parse_config(cli_parse *parse, const char *file, char *text, bool (*known_elsewhere)(const char *name))
{
	for (int number = 1; text; number++) {
		char *end = strchr(text, '\n');
		if (end)
			*end = '\0';
		if (!read_line(parse, file, number, trim(text), known_elsewhere))
			return false;
		text = end ? end + 1 : NULL;
	}
	return true;
}
