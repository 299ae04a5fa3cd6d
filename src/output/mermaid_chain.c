/* The chain of a system call that kept others waiting, as a graph: goroutine, function, system call, kernel, proc, and who waited. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output/report_views.h"
#include "output/sink_text.h"
#include "output/text.h"

enum { VICTIMS_SHOWN = 5 };

__attribute__((format(printf, 2, 3))) static void print(stw_sink *out, const char *format, ...)
{
	char line[256];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	stw_sink_text(out, line);
}

static const stwatch_evidence *step_of(const stwatch_finding *f, const char *step)
{
	for (size_t i = 0; i < f->n_evidence; i++)
		if (strcmp(f->evidence[i].step, step) == 0)
			return &f->evidence[i];
	return NULL;
}

static const stwatch_evidence *end_of(const stwatch_finding *f)
{
	static const char *const STEPS[] = {"returned", "retaken", "end"};
	const stwatch_evidence *e = NULL;
	for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS && !e; i++)
		e = step_of(f, STEPS[i]);
	return e;
}

/* A box with a name from the trace in it. */
static void box(stw_sink *out, const char *id, const char *before, const char *name)
{
	print(out, "    %s[\"%s", id, before);
	stw_sink_mermaid(out, name);
	stw_sink_text(out, "\"]\n");
}

static void call_chain(stw_sink *out, const stwatch_finding *f, const stwatch_evidence *call, const stwatch_evidence *end)
{
	char at[STW_FIGURE_MAX], long_as[STW_FIGURE_MAX], goroutine[STW_FIGURE_MAX] = "goroutine ";
	const char *root = f->culprit->root && strcmp(f->culprit->root, f->culprit->function) != 0 ? f->culprit->root : "";
	if (call->goroutine != STWATCH_NONE)
		snprintf(goroutine, sizeof goroutine, "G%" PRId64 "%s", call->goroutine, *root ? " " : "");
	box(out, "G", goroutine, root);
	box(out, "F", "", f->culprit->function);
	box(out, "S", "", call->stack[0].function);
	stw_sink_text(out, "    K([\"kernel\"])\n    G --> F\n");
	print(out, "    F -->|\"%s\"| S\n", stw_text_at(at, call->at_ns));
	if (end && strcmp(end->step, "retaken") != 0 && end->at_ns != STWATCH_UNKNOWN && end->at_ns >= call->at_ns)
		print(out, "    S -->|\"%s%s\"| K\n", stw_text_duration(long_as, end->at_ns - call->at_ns),
			strcmp(end->step, "end") == 0 ? ", and not back" : "");
	else
		stw_sink_text(out, "    S --> K\n");
}

static void who_waited(stw_sink *out, const stwatch_finding *f, const char *from, const char *for_what)
{
	char id[STW_FIGURE_MAX], sum[STW_FIGURE_MAX], name[STW_OUTPUT_NAME_MAX];
	for (size_t i = 0; i < f->n_victims && i < VICTIMS_SHOWN; i++) {
		snprintf(id, sizeof id, "W%zu", i);
		stw_output_party_name(name, &f->victims[i]);
		box(out, id, "", name);
		print(out, "    %s -.->|\"waited %s for %s\"| %s\n", from, stw_text_duration(sum, f->victims[i].delay_ns), for_what, id);
	}
	if (f->n_victims > VICTIMS_SHOWN)
		print(out, "    WN[\"%zu more\"]\n    %s -.-> WN\n", f->n_victims - VICTIMS_SHOWN, from);
}

bool stw_output_mermaid_chain(stw_sink *out, const stwatch_finding *f)
{
	const stwatch_evidence *call = step_of(f, "call"), *end = end_of(f);
	char at[STW_FIGURE_MAX], kept[STW_FIGURE_MAX];
	if (!call || call->n_stack == 0 || call->at_ns == STWATCH_UNKNOWN || !f->culprit || !f->culprit->function)
		return false;
	stw_sink_text(out, "\n```mermaid\nflowchart LR\n");
	call_chain(out, f, call, end);
	if (end && strcmp(end->step, "retaken") == 0 && f->culprit->proc != STWATCH_NONE) {
		print(out, "    P[\"P%" PRId64 "\"]\n    K -->|\"kept for %s, until %s\"| P\n", f->culprit->proc,
			stw_text_duration(kept, end->at_ns - call->at_ns), stw_text_at(at, end->at_ns));
		who_waited(out, f, "P", "it");
	} else {
		who_waited(out, f, "K", "its return");
	}
	stw_sink_text(out, "```\n");
	return true;
}
