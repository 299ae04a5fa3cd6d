#include "cli/command.h"

static const cli_option OPTIONS[] = {{0}};

static void list_topics(cli_out *out, bool json)
{
	const char *topic;
	cli_out_put(out, json ? "{\"schema\":\"stwatch.explain/1\",\"topics\":[" : "stwatch explains, by name:\n");
	for (size_t i = 0; (topic = stwatch_explain_topic(i)) != NULL; i++) {
		if (!json) {
			cli_out_printf(out, "  %s\n", topic);
			continue;
		}
		cli_out_put(out, i > 0 ? "," : "");
		cli_out_json(out, topic);
	}
	cli_out_put(out, json ? "]}\n" : "");
}

static void explain(cli_out *out, bool json, const char *topic, const char *text)
{
	if (!json) {
		cli_out_printf(out, "%s\n\n", topic);
		cli_out_wrapped(out, 0, 0, text);
		return;
	}
	cli_out_put(out, "{\"schema\":\"stwatch.explain/1\",\"topic\":");
	cli_out_json(out, topic);
	cli_out_put(out, ",\"text\":");
	cli_out_json(out, text);
	cli_out_put(out, "}\n");
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	(void)arguments;
	bool json = session->globals.format == CLI_FORMAT_JSON;
	if (n == 0) {
		list_topics(&session->out, json);
		return cli_out_finish(&session->out);
	}
	const char *text = stwatch_explain(operands[0]);
	if (!text)
		return cli_usage(&cli_explain, "'%s' is neither a rule nor a cause: stwatch explain lists them", operands[0]);
	explain(&session->out, json, operands[0], text);
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
