/* The state graph as a graph: Mermaid and DOT; an edge a transition, with its count and the time before it. */
#include "output/states_views.h"

#include <string.h>

#include "output/sink_text.h"

/* How a label is broken into lines, and what stands in it where no line may end. */
typedef struct label_form {
	const char *first, *second, *space;
} label_form;

static void figure(stw_sink *out, const label_form *form, const char *name, int64_t ns)
{
	char buffer[STW_FIGURE_MAX];
	stw_sink_text(out, name);
	stw_sink_text(out, form->space);
	for (const char *at = stw_text_duration(buffer, ns); *at; at++) {
		if (*at == ' ')
			stw_sink_text(out, form->space);
		else
			stw_sink_put(out, at, 1);
	}
}

/* An edge's label, the same in both; without anything that either would have to escape. */
static void label(stw_sink *out, const stwatch_transition *t, const label_form *form)
{
	char count[STW_FIGURE_MAX];
	stw_sink_text(out, t->legal ? "" : "ILLEGAL ");
	stw_sink_text(out, t->event);
	stw_sink_text(out, " ×");
	stw_sink_text(out, stw_text_count(count, t->count));
	if (t->measured == 0)
		return;
	stw_sink_text(out, form->first);
	figure(out, form, "p50", t->p50_ns);
	stw_sink_text(out, ", ");
	figure(out, form, "p99", t->p99_ns);
	stw_sink_text(out, form->second);
	figure(out, form, "max", t->max_ns);
}

static bool has_state(const stw_states_input *in, stwatch_resource resource, const char *state, size_t before)
{
	for (size_t i = 0; i < before; i++) {
		const stwatch_transition *t = &in->transitions[i];
		if (t->resource == resource && (strcmp(t->from, state) == 0 || strcmp(t->to, state) == 0))
			return true;
	}
	return false;
}

typedef void name_fn(stw_sink *out, stwatch_resource resource, const char *state);

/* Each state that an edge names, once. */
static void name_states(const stw_states_input *in, stwatch_resource resource, stw_sink *out, name_fn *name)
{
	for (size_t i = 0; i < in->n_transitions; i++) {
		const stwatch_transition *t = &in->transitions[i];
		if (t->resource != resource)
			continue;
		if (!has_state(in, resource, t->from, i))
			name(out, resource, t->from);
		if (strcmp(t->to, t->from) != 0 && !has_state(in, resource, t->to, i))
			name(out, resource, t->to);
	}
}

/* ---- Mermaid ---- */

/* A name without the underscore, which Mermaid's identifiers may not begin with in all versions. */
static const char *identifier(const char *state)
{
	return state[0] == '_' ? state + 1 : state;
}

static void mermaid_state(stw_sink *out, stwatch_resource resource, const char *state)
{
	(void)resource;
	if (state[0] != '_')
		return;
	stw_sink_text(out, "    state \"");
	stw_sink_text(out, state);
	stw_sink_text(out, "\" as ");
	stw_sink_text(out, identifier(state));
	stw_sink_text(out, "\n");
}

/* From left to right, and with lines that are not broken anywhere else, labels don't cover each other. */
static const label_form MERMAID = {"<br/>", "<br/>", "\u00a0"};

static void mermaid_resource(const stw_states_input *in, stwatch_resource resource, stw_sink *out)
{
	stw_sink_text(out, "```mermaid\n---\ntitle: ");
	stw_sink_text(out, stwatch_resource_name(resource));
	stw_sink_text(out, "s\nconfig:\n  state:\n    nodeSpacing: 90\n    rankSpacing: 90\n---\nstateDiagram-v2\n    direction LR\n");
	name_states(in, resource, out, mermaid_state);
	for (size_t i = 0; i < in->n_transitions; i++) {
		const stwatch_transition *t = &in->transitions[i];
		if (t->resource != resource)
			continue;
		stw_sink_text(out, "    ");
		stw_sink_text(out, identifier(t->from));
		stw_sink_text(out, " --> ");
		stw_sink_text(out, identifier(t->to));
		stw_sink_text(out, " : ");
		label(out, t, &MERMAID);
		stw_sink_text(out, "\n");
	}
	stw_sink_text(out, "```\n");
}

static bool has_edges(const stw_states_input *in, stwatch_resource resource)
{
	for (size_t i = 0; i < in->n_transitions; i++)
		if (in->transitions[i].resource == resource)
			return true;
	return false;
}

stwatch_status stw_output_states_mermaid(const stw_states_input *in, stwatch_sink_fn sink, void *user)
{
	stw_sink out;
	stw_sink_init(&out, sink, user);
	const char *gap = "";
	for (int resource = STWATCH_GOROUTINE; resource <= STWATCH_THREAD; resource++) {
		if (!has_edges(in, (stwatch_resource)resource))
			continue;
		stw_sink_text(&out, gap);
		mermaid_resource(in, (stwatch_resource)resource, &out);
		gap = "\n";
	}
	return stw_sink_flush(&out);
}

/* ---- DOT ---- */

static void dot_node(stw_sink *out, stwatch_resource resource, const char *state)
{
	stw_sink_text(out, "\"");
	stw_sink_text(out, stwatch_resource_name(resource));
	stw_sink_text(out, " ");
	stw_sink_text(out, state);
	stw_sink_text(out, "\"");
}

static void dot_state(stw_sink *out, stwatch_resource resource, const char *state)
{
	stw_sink_text(out, "\t\t");
	dot_node(out, resource, state);
	stw_sink_text(out, " [label=\"");
	stw_sink_text(out, state);
	stw_sink_text(out, "\"];\n");
}

static const label_form DOT = {"\\n", ", ", " "};

static void dot_edge(stw_sink *out, const stwatch_transition *t)
{
	stw_sink_text(out, "\t\t");
	dot_node(out, t->resource, t->from);
	stw_sink_text(out, " -> ");
	dot_node(out, t->resource, t->to);
	stw_sink_text(out, " [label=\"");
	label(out, t, &DOT);
	stw_sink_text(out, t->legal ? "\"];\n" : "\", color=red, fontcolor=red, penwidth=2];\n");
}

static void dot_resource(const stw_states_input *in, stwatch_resource resource, stw_sink *out)
{
	const char *name = stwatch_resource_name(resource);
	stw_sink_text(out, "\tsubgraph cluster_");
	stw_sink_text(out, name);
	stw_sink_text(out, " {\n\t\tlabel=\"");
	stw_sink_text(out, name);
	stw_sink_text(out, "s\";\n");
	name_states(in, resource, out, dot_state);
	for (size_t i = 0; i < in->n_transitions; i++)
		if (in->transitions[i].resource == resource)
			dot_edge(out, &in->transitions[i]);
	stw_sink_text(out, "\t}\n");
}

stwatch_status stw_output_states_dot(const stw_states_input *in, stwatch_sink_fn sink, void *user)
{
	stw_sink out;
	stw_sink_init(&out, sink, user);
	stw_sink_text(&out,
		"digraph states {\n\tnode [shape=box, style=rounded, fontname=\"sans-serif\"];\n\tedge [fontname=\"sans-serif\", "
		"fontsize=10];\n");
	for (int resource = STWATCH_GOROUTINE; resource <= STWATCH_THREAD; resource++)
		if (has_edges(in, (stwatch_resource)resource))
			dot_resource(in, (stwatch_resource)resource, &out);
	stw_sink_text(&out, "}\n");
	return stw_sink_flush(&out);
}

/* ---- any ---- */

stwatch_status stw_output_states_print(
	const stw_states_input *in, stwatch_states_format format, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	static const stwatch_print_options DEFAULTS = {.size = sizeof DEFAULTS};
	stw_json json;
	stw_text text;
	if (!options)
		options = &DEFAULTS;
	switch (format) {
	case STWATCH_STATES_MERMAID: return stw_output_states_mermaid(in, sink, user);
	case STWATCH_STATES_DOT: return stw_output_states_dot(in, sink, user);
	case STWATCH_STATES_JSON:
		stw_json_init(&json, true, sink, user);
		stw_output_states_json(in, &json);
		stw_json_end_line(&json);
		return stw_json_finish(&json);
	case STWATCH_STATES_TABLE: break;
	}
	stw_text_init(&text, options->width, options->color, sink, user);
	stw_output_states_table(in, &text);
	return stw_text_finish(&text);
}
