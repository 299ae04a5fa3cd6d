/* A diagnosis as Markdown: what the text says, with a sequence diagram of each finding's evidence. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output/report_views.h"
#include "output/sink_text.h"
#include "output/text.h"

enum { FRAMES_SHOWN = 8, VICTIMS_SHOWN = 5, ACTORS = 12, STEPS_DRAWN = 24 };

__attribute__((format(printf, 2, 3))) static void print(stw_sink *out, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	stw_sink_text(out, line);
}

static void item(stw_sink *out, const char *label, const char *text)
{
	print(out, "- **%s** ", label);
	stw_sink_markdown(out, text);
	stw_sink_text(out, "\n");
}

/* ---- the diagram ---- */

typedef struct actor {
	int64_t g, p; /* a goroutine, else a proc, else the runtime */
} actor;

typedef struct cast {
	actor actors[ACTORS];
	size_t count;
} cast;

/* Its number; the last one stands for all that are too many. */
static size_t actor_of(cast *c, int64_t g, int64_t p)
{
	actor a = {g, g == STWATCH_NONE ? p : STWATCH_NONE};
	for (size_t i = 0; i < c->count; i++)
		if (c->actors[i].g == a.g && c->actors[i].p == a.p)
			return i;
	if (c->count < ACTORS)
		c->actors[c->count++] = a;
	return c->count - 1;
}

/* The function that a finding names for a goroutine. */
static const char *function_of(const stwatch_finding *f, int64_t g)
{
	if (g == STWATCH_NONE)
		return NULL;
	if (f->culprit && f->culprit->goroutine == g)
		return f->culprit->function ? f->culprit->function : f->culprit->root;
	for (size_t i = 0; i < f->n_victims; i++)
		if (f->victims[i].goroutine == g)
			return f->victims[i].function ? f->victims[i].function : f->victims[i].root;
	return NULL;
}

static void participants(stw_sink *out, const stwatch_finding *f, const cast *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const actor *a = &c->actors[i];
		const char *function = function_of(f, a->g);
		print(out, "    participant A%zu as ", i);
		if (a->g != STWATCH_NONE)
			print(out, "G%" PRId64 "%s", a->g, function ? " " : "");
		else if (a->p != STWATCH_NONE)
			print(out, "P%" PRId64, a->p);
		else
			stw_sink_text(out, "runtime");
		stw_sink_mermaid(out, function ? function : "");
		stw_sink_text(out, "\n");
	}
}

static void diagram(stw_sink *out, const stwatch_finding *f)
{
	char figure[STW_FIGURE_MAX];
	cast c = {.count = 0};
	size_t steps = f->n_evidence < STEPS_DRAWN ? f->n_evidence : STEPS_DRAWN;
	if (steps == 0)
		return;
	for (size_t i = 0; i < steps; i++)
		actor_of(&c, f->evidence[i].goroutine, f->evidence[i].proc);
	size_t culprit = f->culprit && f->culprit->goroutine != STWATCH_NONE ? actor_of(&c, f->culprit->goroutine, STWATCH_NONE) : 0;
	for (size_t i = 0; i < f->n_victims && i < VICTIMS_SHOWN && c.count < ACTORS; i++)
		if (f->victims[i].goroutine != STWATCH_NONE)
			actor_of(&c, f->victims[i].goroutine, STWATCH_NONE);
	stw_sink_text(out, "\n```mermaid\nsequenceDiagram\n");
	participants(out, f, &c);
	for (size_t i = 0; i < steps; i++) {
		const stwatch_evidence *e = &f->evidence[i];
		print(out, "    Note over A%zu: ", actor_of(&c, e->goroutine, e->proc));
		if (e->at_ns != STWATCH_UNKNOWN)
			print(out, "%s<br/>", stw_text_at(figure, e->at_ns));
		stw_sink_mermaid(out, e->what);
		stw_sink_text(out, "\n");
	}
	for (size_t i = 0; i < f->n_victims && i < VICTIMS_SHOWN; i++) {
		size_t victim = f->victims[i].goroutine == STWATCH_NONE ? culprit : actor_of(&c, f->victims[i].goroutine, STWATCH_NONE);
		if (f->culprit && f->culprit->goroutine != STWATCH_NONE && victim != culprit)
			print(out, "    A%zu-xA%zu: delayed by %s\n", culprit, victim, stw_text_duration(figure, f->victims[i].delay_ns));
	}
	stw_sink_text(out, "```\n");
}

/* ---- a finding ---- */

static void evidence(stw_sink *out, const stwatch_finding *f)
{
	char figure[STW_FIGURE_MAX], name[STW_OUTPUT_NAME_MAX];
	if (f->n_evidence)
		stw_sink_text(out, "\n| at | what |\n|---|---|\n");
	for (size_t i = 0; i < f->n_evidence; i++) {
		const stwatch_evidence *e = &f->evidence[i];
		print(out, "| %s | ", e->at_ns == STWATCH_UNKNOWN ? "" : stw_text_at(figure, e->at_ns));
		stw_sink_markdown(out, e->what);
		for (size_t k = 0; k < e->n_stack && k < FRAMES_SHOWN; k++) {
			stw_output_frame_name(name, &e->stack[k]);
			stw_sink_text(out, k ? " ← " : "<br>");
			stw_sink_markdown(out, name);
		}
		stw_sink_text(out, e->n_stack > FRAMES_SHOWN ? " ← … |\n" : " |\n");
	}
}

static void harmed(stw_sink *out, const stwatch_finding *f)
{
	char name[STW_OUTPUT_NAME_MAX], figure[STW_FIGURE_MAX];
	if (f->n_victims == 0)
		return;
	stw_sink_text(out, "- **harmed** ");
	for (size_t i = 0; i < f->n_victims && i < VICTIMS_SHOWN; i++) {
		stw_output_party_name(name, &f->victims[i]);
		stw_sink_text(out, i ? "; " : "");
		stw_sink_markdown(out, name);
		print(out, " +%s", stw_text_duration(figure, f->victims[i].delay_ns));
	}
	if (f->n_victims > VICTIMS_SHOWN)
		print(out, "; %zu more", f->n_victims - VICTIMS_SHOWN);
	stw_sink_text(out, "\n");
}

static void finding(stw_sink *out, const stwatch_finding *f, size_t number)
{
	char count[STW_FIGURE_MAX];
	print(out, "\n### %zu. %s: `%s` (%s)\n\n**", number, stw_output_severity(f->severity), f->rule,
		stw_output_confidence(f->confidence));
	stw_sink_markdown(out, f->title);
	stw_sink_text(out, "**");
	if (f->count > 1)
		print(out, " ×%s, worst shown", stw_text_count(count, f->count));
	stw_sink_text(out, "\n\n");
	stw_output_facts(out, f, item, harmed);
	print(out, "- **more** `stwatch explain %s`, id ", f->rule);
	stw_sink_markdown(out, f->id);
	stw_sink_text(out, "\n");
	evidence(out, f);
	stw_output_listings_markdown(out, f);
	stw_output_mermaid_chain(out, f);
	diagram(out, f);
}

static void input(stw_sink *out, const stwatch_input *in)
{
	char figure[STW_FIGURE_MAX];
	stw_sink_text(out, "- **");
	stw_sink_markdown(out, stw_output_input_name(in->file));
	print(out, "** %s%s%s", in->kind, in->format ? ", " : "", in->format ? in->format : "");
	if (in->duration_ns != STWATCH_UNKNOWN)
		print(out, ", %s", stw_text_duration(figure, in->duration_ns));
	stw_sink_text(out, in->complete ? "\n" : ", not complete\n");
	for (size_t i = 0; i < in->n_problems; i++) {
		stw_sink_text(out, "  - ");
		if (in->problems[i].offset != STWATCH_NO_OFFSET)
			print(out, "at byte %" PRIu64 ": ", in->problems[i].offset);
		stw_sink_markdown(out, in->problems[i].what);
		stw_sink_text(out, "\n");
	}
}

stwatch_status stw_output_diagnosis_markdown(
	const stw_output_input *in, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	stw_sink out;
	size_t shown = stw_output_shown(in, options);
	stw_sink_init(&out, sink, user);
	stw_sink_text(&out, "## stwatch diagnosis\n\n");
	for (size_t i = 0; i < in->n_inputs; i++)
		input(&out, &in->inputs[i]);
	if (in->summary->gomaxprocs_max > 0)
		print(&out, "- **GOMAXPROCS** %" PRId64 "\n", in->summary->gomaxprocs_max);
	if (in->n_findings == 0)
		stw_sink_text(&out, stw_output_is_unread(in) ? "\nNothing was looked at.\n" : "\nNothing wrong found.\n");
	else if (shown < in->n_findings && shown == 1)
		print(&out, "\n%zu findings, the worst is shown.\n", in->n_findings);
	else if (shown < in->n_findings)
		print(&out, "\n%zu findings, the worst %zu are shown.\n", in->n_findings, shown);
	for (size_t i = 0; i < shown; i++)
		finding(&out, &in->findings[i], i + 1);
	stw_sink_text(&out, in->n_limits ? "\n### What the input can't show\n\n" : "");
	for (size_t i = 0; i < in->n_limits; i++) {
		stw_sink_text(&out, "- ");
		stw_sink_markdown(&out, in->limits[i]);
		stw_sink_text(&out, "\n");
	}
	return stw_sink_flush(&out);
}
