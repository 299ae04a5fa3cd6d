/* A finding as an argument: the claim, the chain of evidence in order of time, what it rules out, whom it harmed, what to do. */
#include "output/text_views.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = STW_OUTPUT_LABEL_COLUMN, VICTIMS_SHOWN = 3 };

static void claim(const stwatch_finding *finding, size_t number, stw_text *text)
{
	static const struct {
		const char *word;
		stw_style style;
	} SEVERITIES[] = {
		[STWATCH_NOTE] = {"NOTE", STW_STYLE_CYAN},
		[STWATCH_WARNING] = {"WARNING", STW_STYLE_YELLOW},
		[STWATCH_ERROR] = {"ERROR", STW_STYLE_RED},
	};
	char count[STW_FIGURE_MAX], times[STW_FIGURE_MAX + 32];
	stw_text_printf(text, "%zu ", number);
	stw_text_style(text, SEVERITIES[finding->severity].style);
	stw_text_put(text, SEVERITIES[finding->severity].word);
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_printf(text, " %s", finding->rule);
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_printf(text, " (%s)  ", stw_output_confidence(finding->confidence));
	stw_text_wrap(text, 4, finding->title);
	if (finding->count > 1) {
		snprintf(times, sizeof times, "  ×%s, worst shown", stw_text_count(count, finding->count));
		stw_text_wrap(text, 4, times);
	}
	stw_text_line(text);
}

static void phases(const stwatch_finding *finding, stw_text *text)
{
	char lock[STW_FIGURE_MAX], stopping[STW_FIGURE_MAX], standing[STW_FIGURE_MAX];
	if (!finding->has_phases)
		return;
	stw_output_label(text, "phases");
	if (finding->lock_ns < 0)
		stw_text_put(text, "lock wait and ");
	else
		stw_text_printf(text, "lock wait %s, ", stw_text_duration(lock, finding->lock_ns));
	stw_text_printf(text, "stopping %s, standing %s%s", stw_text_duration(stopping, finding->stopping_ns),
		stw_text_duration(standing, finding->standing_ns), finding->phases_inferred ? " (inferred)" : "");
	stw_text_line(text);
}

static void cause(const stwatch_finding *finding, stw_text *text)
{
	stw_output_label(text, "cause");
	if (!finding->cause || strcmp(finding->cause, "unknown") == 0)
		stw_text_put(text, "not known from this input");
	else
		stw_text_put(text, finding->cause);
	stw_text_line(text);
}

static bool differs(const char *name, const char *from)
{
	return name && *name && !(from && strcmp(name, from) == 0);
}

static void culprit(const stwatch_finding *finding, stw_text *text)
{
	char name[STW_OUTPUT_NAME_MAX];
	const stwatch_party *party = finding->culprit;
	if (!party)
		return;
	stw_output_label(text, "culprit");
	stw_output_party_name(name, party);
	stw_text_wrap(text, INDENT, name);
	if (differs(party->leaf, party->function)) {
		stw_text_wrap(text, INDENT, ", in ");
		stw_text_wrap(text, INDENT, party->leaf);
	}
	if (differs(party->root, party->function)) {
		stw_text_wrap(text, INDENT, ", started as ");
		stw_text_wrap(text, INDENT, party->root);
	}
	stw_text_line(text);
}

/* One line of the stack, leaf first, as far as it fits; left out where the step's own words name the leaf. */
static void stack(const stwatch_evidence *evidence, stw_text *text)
{
	char name[STW_OUTPUT_NAME_MAX];
	if (evidence->n_stack == 0 || strstr(evidence->what, evidence->stack[0].function))
		return;
	stw_text_to(text, INDENT);
	stw_text_style(text, STW_STYLE_DIM);
	for (size_t i = 0; i < evidence->n_stack; i++) {
		stw_output_frame_name(name, &evidence->stack[i]);
		if (i > 0 && text->column + strlen(name) + 7 > text->width) {
			stw_text_put(text, " < …");
			break;
		}
		stw_text_put(text, i > 0 ? " < " : "");
		stw_text_item(text, INDENT, name);
	}
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_line(text);
}

static void evidence_lines(const stwatch_finding *finding, stw_text *text)
{
	char at[STW_FIGURE_MAX];
	for (size_t i = 0; i < finding->n_evidence; i++) {
		const stwatch_evidence *evidence = &finding->evidence[i];
		stw_text_put(text, "  ");
		stw_text_style(text, STW_STYLE_CYAN);
		if (evidence->at_ns != STWATCH_UNKNOWN)
			stw_text_put(text, stw_text_at(at, evidence->at_ns));
		else if (evidence->line)
			stw_text_printf(text, "line %" PRIu64, evidence->line);
		stw_text_style(text, STW_STYLE_PLAIN);
		stw_text_to(text, INDENT);
		stw_text_wrap(text, INDENT, evidence->what);
		stw_text_line(text);
		stack(evidence, text);
	}
}

static void harmed(const stwatch_finding *finding, stw_text *text)
{
	char name[STW_OUTPUT_NAME_MAX], figure[STW_FIGURE_MAX], delay[STW_FIGURE_MAX + 16];
	if (finding->n_victims == 0)
		return;
	stw_output_label(text, "harmed");
	for (size_t i = 0; i < finding->n_victims && i < VICTIMS_SHOWN; i++) {
		const stwatch_party *victim = &finding->victims[i];
		if (i > 0)
			stw_text_wrap(text, INDENT, "; ");
		stw_output_party_name(name, victim);
		stw_text_wrap(text, INDENT, name);
		if (victim->delay_ns == 0) /* not known: a text without times names it */
			continue;
		snprintf(delay, sizeof delay, " +%s", stw_text_duration(figure, victim->delay_ns));
		stw_text_wrap(text, INDENT, delay);
		if (victim->count > 1) {
			snprintf(delay, sizeof delay, " (%s at most)", stw_text_duration(figure, victim->delay_max_ns));
			stw_text_wrap(text, INDENT, delay);
		}
	}
	if (finding->n_victims > VICTIMS_SHOWN)
		stw_text_printf(text, "; %zu more", finding->n_victims - VICTIMS_SHOWN);
	stw_text_line(text);
}

/* "12 × request main.lookup +0.93 s (80.9 ms at most)" */
static void reached(const stwatch_finding *finding, stw_text *text)
{
	char name[STW_OUTPUT_NAME_MAX], figure[STW_FIGURE_MAX], most[STW_FIGURE_MAX];
	if (finding->n_reached == 0)
		return;
	stw_output_label(text, "reached");
	for (size_t i = 0; i < finding->n_reached && i < VICTIMS_SHOWN; i++) {
		const stwatch_reached *unit = &finding->reached[i];
		if (i > 0)
			stw_text_wrap(text, INDENT, "; ");
		if (unit->count > 1)
			snprintf(name, sizeof name, "%" PRIu64 " × %s %.300s +%s (%s at most)", unit->count, unit->kind, unit->name,
				stw_text_duration(figure, unit->delay_ns), stw_text_duration(most, unit->delay_max_ns));
		else
			snprintf(name, sizeof name, "%s %.300s +%s", unit->kind, unit->name, stw_text_duration(figure, unit->delay_ns));
		stw_text_wrap(text, INDENT, name);
	}
	if (finding->n_reached > VICTIMS_SHOWN)
		stw_text_printf(text, "; %zu more", finding->n_reached - VICTIMS_SHOWN);
	stw_text_line(text);
}

static void ruled_out(const stwatch_finding *finding, stw_text *text)
{
	if (finding->n_ruled_out == 0)
		return;
	stw_output_label(text, "ruled out");
	for (size_t i = 0; i < finding->n_ruled_out; i++) {
		stw_text_wrap(text, INDENT, i > 0 ? "; " : "");
		stw_text_wrap(text, INDENT, finding->ruled_out[i]);
	}
	stw_text_line(text);
}

static void advice(const stwatch_finding *finding, stw_text *text)
{
	stw_output_label(text, "do");
	stw_text_wrap(text, INDENT, finding->advice ? finding->advice : "look at the evidence above");
	stw_text_line(text);
	stw_output_label(text, "more");
	stw_text_printf(text, "stwatch explain %s", finding->rule);
	stw_text_line(text);
}

void stw_output_finding_text(const stwatch_finding *finding, size_t number, stw_text *text)
{
	stw_text_line(text);
	claim(finding, number, text);
	phases(finding, text);
	cause(finding, text);
	culprit(finding, text);
	evidence_lines(finding, text);
	stw_output_listings_text(finding, text);
	ruled_out(finding, text);
	harmed(finding, text);
	reached(finding, text);
	advice(finding, text);
}

static void tally(const stw_output_input *in, size_t shown, stw_text *text)
{
	static const char *const WORDS[] = {[STWATCH_NOTE] = "note", [STWATCH_WARNING] = "warning", [STWATCH_ERROR] = "error"};
	size_t counts[STWATCH_ERROR + 1] = {0};
	for (size_t i = 0; i < in->n_findings; i++)
		counts[in->findings[i].severity]++;
	stw_text_printf(text, "%zu finding%s:", in->n_findings, in->n_findings == 1 ? "" : "s");
	const char *separator = " ";
	for (int severity = STWATCH_ERROR; severity >= STWATCH_NOTE; severity--) {
		if (counts[severity] == 0)
			continue;
		stw_text_printf(text, "%s%zu %s%s", separator, counts[severity], WORDS[severity], counts[severity] == 1 ? "" : "s");
		separator = ", ";
	}
	if (shown < in->n_findings && shown == 1)
		stw_text_put(text, "; the worst is shown (--top 0 shows all)");
	else if (shown < in->n_findings)
		stw_text_printf(text, "; the worst %zu are shown (--top 0 shows all)", shown);
	stw_text_line(text);
}

static void checked(const stwatch_summary *summary, stw_text *text)
{
	char figure[STW_FIGURE_MAX], line[256];
	uint64_t stops = 0;
	int64_t longest = 0;
	for (size_t i = 0; i < summary->n_stw; i++) {
		stops += summary->stw[i].count;
		longest = summary->stw[i].max_ns > longest ? summary->stw[i].max_ns : longest;
	}
	stw_output_label(text, "checked");
	snprintf(line, sizeof line, "%" PRIu64 " stop%s of the world (longest %s), %" PRIu64 " GC cycle%s,", stops, stops == 1 ? "" : "s",
		stw_text_duration(figure, longest), summary->gc_cycles, summary->gc_cycles == 1 ? "" : "s");
	stw_text_wrap(text, INDENT, line);
	snprintf(line, sizeof line, " %" PRIu64 " waits for a P (longest %s),", summary->sched_waits,
		stw_text_duration(figure, summary->sched_max_ns));
	stw_text_wrap(text, INDENT, line);
	snprintf(line, sizeof line, " %" PRIu64 " goroutines, at most %" PRIu64 " runnable at one time", summary->goroutines_seen,
		summary->runqueue_max);
	stw_text_wrap(text, INDENT, line);
	stw_text_line(text);
}

/* "10.0 ms" was given as "10ms": zeros behind the point say nothing in a bound. */
static void drop_zeros(char *figure)
{
	char *point = strchr(figure, '.');
	size_t zeros = point ? strspn(point + 1, "0") : 0;
	if (zeros > 0 && point[1 + zeros] == ' ')
		memmove(point, point + 1 + zeros, strlen(point + 1 + zeros) + 1);
}

static void value_text(char buffer[static STW_FIGURE_MAX], const stwatch_setting *setting, int64_t value)
{
	if (setting->unit == STWATCH_UNIT_NS)
		stw_text_duration(buffer, value);
	else if (setting->unit == STWATCH_UNIT_PERMILLE)
		stw_text_share(buffer, (double)value / 1000);
	else
		stw_text_count(buffer, value < 0 ? 0 : (uint64_t)value);
	drop_zeros(buffer);
}

static void against(const stwatch_settings *settings, stw_text *text)
{
	char value[STW_FIGURE_MAX], line[160];
	const stwatch_setting *setting;
	stw_output_label(text, "against");
	for (size_t i = 0; (setting = stwatch_setting_at(i)) != NULL; i++) {
		value_text(value, setting, settings->values[i]);
		snprintf(line, sizeof line, "%s%s %s", i > 0 ? ", " : "", setting->option, value);
		stw_text_wrap(text, INDENT, line);
	}
	stw_text_line(text);
}

static void nothing_wrong(const stw_output_input *in, stw_text *text)
{
	if (stw_output_is_unread(in)) {
		stw_text_put(text, "nothing was looked at");
		stw_text_line(text);
		return;
	}
	stw_text_style(text, STW_STYLE_GREEN);
	stw_text_put(text, "nothing wrong found");
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_line(text);
	if (in->summary->known)
		checked(in->summary, text);
	against(in->settings, text);
}

void stw_output_diagnosis_text(const stw_output_input *in, const stwatch_print_options *options, stw_text *text)
{
	size_t shown = stw_output_shown(in, options);
	stw_output_inputs_text(in, text);
	if (in->n_findings == 0)
		nothing_wrong(in, text);
	else
		tally(in, shown, text);
	for (size_t i = 0; i < shown; i++)
		stw_output_finding_text(&in->findings[i], i + 1, text);
	if (in->n_findings > 0 && in->n_limits > 0)
		stw_text_line(text);
	stw_output_limits_text(in, text);
}
