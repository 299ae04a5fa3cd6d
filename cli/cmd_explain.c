#include <stdio.h>

#include "cli/command.h"

static const cli_option OPTIONS[] = {{0}};

enum { COLUMN = 27 };

/* The first sentence of a text. */
static void sentence(cli_out *out, const char *text)
{
	char line[300];
	size_t length = 0;
	while (length < sizeof line - 1 && text[length] && !(text[length] == '.' && (text[length + 1] == '\n' || text[length + 1] == ' ')))
		length++;
	for (size_t i = 0; i < length; i++)
		line[i] = text[i];
	for (char *at = line; at < line + length; at++)
		*at = *at == '\n' ? ' ' : *at;
	line[length] = '\0';
	cli_out_wrapped(out, COLUMN, COLUMN, line);
}

static void list_topics(cli_out *out)
{
	const char *topic;
	cli_out_put(out, "stwatch explains, by name, the rules and their causes:\n\n");
	for (size_t i = 0; (topic = stwatch_explain_topic(i)) != NULL; i++) {
		cli_out_printf(out, "  %-*s", COLUMN - 2, topic);
		sentence(out, stwatch_explain(topic));
	}
}

static void list_topics_json(cli_out *out)
{
	const char *topic;
	cli_out_put(out, "{\"schema\":\"stwatch.explain/1\",\"topics\":[");
	for (size_t i = 0; (topic = stwatch_explain_topic(i)) != NULL; i++) {
		cli_out_put(out, i > 0 ? "," : "");
		cli_out_json(out, topic);
	}
	cli_out_put(out, "]}\n");
}

static void explain(cli_out *out, const char *topic, const char *text)
{
	const stwatch_since *since;
	cli_out_printf(out, "%s\n\n", topic);
	cli_out_wrapped(out, 0, 0, text);
	for (size_t i = 0; (since = stwatch_explain_since(topic, i)) != NULL; i++) {
		char line[400];
		snprintf(line, sizeof line, "since %s %s%s%s%s", since->version, since->text, *since->function ? " (" : "", since->function,
			*since->function ? ")" : "");
		cli_out_put(out, i > 0 ? "" : "\nBetter in newer versions:\n");
		cli_out_put(out, "  ");
		cli_out_wrapped(out, 2, 4, line);
	}
}

static void explain_json(cli_out *out, const char *topic, const char *text)
{
	const stwatch_since *since;
	cli_out_put(out, "{\"schema\":\"stwatch.explain/1\",\"topic\":");
	cli_out_json(out, topic);
	cli_out_put(out, ",\"text\":");
	cli_out_json(out, text);
	cli_out_put(out, ",\"since\":[");
	for (size_t i = 0; (since = stwatch_explain_since(topic, i)) != NULL; i++) {
		const struct {
			const char *before, *value;
		} keys[] = {{"{\"version\":", since->version}, {",\"rule\":", since->rule}, {",\"cause\":", since->cause},
			{",\"function\":", since->function}, {",\"text\":", since->text}};
		cli_out_put(out, i > 0 ? "," : "");
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
			cli_out_put(out, keys[k].before);
			if (*keys[k].value)
				cli_out_json(out, keys[k].value);
			else
				cli_out_put(out, "null");
		}
		cli_out_put(out, "}");
	}
	cli_out_put(out, "]}\n");
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	(void)arguments;
	bool json = session->globals.format == CLI_FORMAT_JSON;
	if (n == 0) {
		(json ? list_topics_json : list_topics)(&session->out);
		return cli_out_finish(&session->out);
	}
	const char *text = stwatch_explain(operands[0]);
	if (!text)
		return cli_usage(&cli_explain, "'%s' is neither a rule nor a cause: stwatch explain lists them", operands[0]);
	(json ? explain_json : explain)(&session->out, operands[0], text);
	return cli_out_finish(&session->out);
}

const cli_command cli_explain = {
	.name = "explain",
	.summary = "what a rule or a cause means, how it is measured, how to fix it",
	.operands = "[RULE|CAUSE]",
	.about = "Without a name, lists what can be explained.",
	.options = OPTIONS,
	.operands_min = 0,
	.operands_max = 1,
	.run = run,
};
