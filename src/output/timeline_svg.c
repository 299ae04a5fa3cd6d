/* A timeline as SVG: a row for the stops of the world, each proc, and each goroutine of interest. Short stays go into one path a row and kind, so
 * that a picture stays small; long ones are boxes of their own that say what they are. Colours are the page's classes. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output/report_views.h"
#include "output/sink_text.h"
#include "output/text.h"

enum { WIDTH = 1000, LEFT = 178, TOP = 30, ROW = 22, BAR = 15, BOX_DIVISOR = 120, TICKS = 8, NAME_SHOWN = 24 };

typedef struct svg {
	stw_sink *out;
	const stwatch_finding *finding;
	const stwatch_timeline *t;
	size_t written;
} svg;

__attribute__((format(printf, 2, 3))) static void print(svg *s, const char *format, ...)
{
	char line[400];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	s->written += n > 0 ? (size_t)n : 0;
	stw_sink_text(s->out, line);
}

static void text(svg *s, const char *string)
{
	stw_sink_html(s->out, string);
	for (; *string; string++)
		s->written += 2; /* about */
}

static double x_of(const svg *s, int64_t t)
{
	double share = (double)(t - s->t->from_ns) / (double)(s->t->to_ns - s->t->from_ns);
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	return LEFT + share * (WIDTH - LEFT - 6);
}

static bool is_culprit(const svg *s, int64_t g)
{
	return s->finding->culprit && g != STWATCH_NONE && s->finding->culprit->goroutine == g;
}

static bool is_victim(const svg *s, int64_t g)
{
	for (size_t i = 0; g != STWATCH_NONE && i < s->finding->n_victims; i++)
		if (s->finding->victims[i].goroutine == g)
			return true;
	return false;
}

/* Running is told apart by whose it is. */
static const char *class_of(const svg *s, const stwatch_bar *bar)
{
	switch (bar->state) {
	case STWATCH_BAR_RUNNING: return is_culprit(s, bar->goroutine) ? "c" : is_victim(s, bar->goroutine) ? "v" : "r";
	case STWATCH_BAR_GC: return "g";
	case STWATCH_BAR_SYSCALL: return is_culprit(s, bar->goroutine) ? "cs" : "s";
	case STWATCH_BAR_SPINNING: return "p";
	case STWATCH_BAR_RUNNABLE: return "q";
	case STWATCH_BAR_WAITING: return "w";
	default: return "t";
	}
}

static const char *word_of(const stwatch_bar *bar)
{
	static const char *const WORDS[] = {
		"", "running", "GC worker", "system call", "without a goroutine", "runnable", "waiting", "stop of the world"};
	return WORDS[bar->state];
}

/* ---- rows ---- */

static bool is_box(const svg *s, const stwatch_bar *bar)
{
	return (bar->to_ns - bar->from_ns) * BOX_DIVISOR >= s->t->to_ns - s->t->from_ns;
}

static void box(svg *s, const stwatch_lane *lane, const stwatch_bar *bar, double y)
{
	char from[STW_FIGURE_MAX], lasted[STW_FIGURE_MAX];
	double x = x_of(s, bar->from_ns);
	print(s, "<rect class=\"%s\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\"><title>", class_of(s, bar), x, y,
		x_of(s, bar->to_ns) - x, BAR);
	print(s, "%s, %s: %s", stw_text_at(from, bar->from_ns), stw_text_duration(lasted, bar->to_ns - bar->from_ns),
		bar->several ? "mostly " : "");
	print(s, "%s", word_of(bar));
	if (bar->goroutine != STWATCH_NONE && lane->kind != STWATCH_LANE_GOROUTINE)
		print(s, " G%" PRId64, bar->goroutine);
	print(s, "%s", *bar->what ? " " : "");
	text(s, bar->what);
	print(s, "</title></rect>");
}

static void short_ones(svg *s, const stwatch_lane *lane, double y)
{
	static const char *const CLASSES[] = {"c", "v", "r", "g", "cs", "s", "p", "q", "w", "t"};
	for (size_t k = 0; k < sizeof CLASSES / sizeof *CLASSES; k++) {
		bool begun = false;
		for (size_t i = 0; i < lane->n_bars; i++) {
			const stwatch_bar *bar = &lane->bars[i];
			if (is_box(s, bar) || strcmp(class_of(s, bar), CLASSES[k]) != 0)
				continue;
			double x = x_of(s, bar->from_ns), width = x_of(s, bar->to_ns) - x;
			if (!begun)
				print(s, "<path class=\"%s\" d=\"", CLASSES[k]);
			begun = true;
			width = width < 0.4 ? 0.4 : width;
			print(s, "M%.1f %.0fh%.1fv%dh-%.1fz", x, y, width, BAR, width);
		}
		print(s, "%s", begun ? "\"/>" : "");
	}
}

static void label(svg *s, const stwatch_lane *lane, double y)
{
	static const char *const ROLES[] = {"", " culprit", " victim"};
	char shown[NAME_SHOWN * 4 + 8];
	size_t used = 0, n = 0, length = strlen(lane->name);
	while (used < length && n < NAME_SHOWN) {
		used += stw_utf8_next(lane->name + used, length - used).length;
		n++;
	}
	snprintf(shown, sizeof shown, "%.*s%s", (int)used, lane->name, used < length ? "…" : "");
	print(s, "<text class=\"lane%s\" x=\"%d\" y=\"%.0f\">", ROLES[lane->role], LEFT - 6, y + BAR - 3);
	if (lane->kind == STWATCH_LANE_STOPS)
		print(s, "stop of the world");
	else
		print(s, "%s%" PRId64 "%s", lane->kind == STWATCH_LANE_PROC ? "P" : "G", lane->id, *shown ? " " : "");
	text(s, shown);
	if (used < length) {
		print(s, "<title>");
		text(s, lane->name);
		print(s, "</title>");
	}
	print(s, "</text>");
}

static void row(svg *s, const stwatch_lane *lane, double y)
{
	label(s, lane, y);
	print(s, "<path class=\"base\" d=\"M%d %.1fH%d\"/>", LEFT, y + BAR + 0.5, WIDTH - 6);
	short_ones(s, lane, y);
	for (size_t i = 0; i < lane->n_bars; i++)
		if (is_box(s, &lane->bars[i]))
			box(s, lane, &lane->bars[i], y);
	print(s, "\n");
}

/* ---- around them ---- */

/* The smallest step of 1, 2 or 5 times a power of ten that gives few enough ticks. */
static int64_t tick_step(int64_t span)
{
	static const int64_t FACTORS[] = {1, 2, 5};
	for (int64_t power = 1; power <= INT64_MAX / 50; power *= 10)
		for (int i = 0; i < 3; i++)
			if (span / (power * FACTORS[i]) < TICKS)
				return power * FACTORS[i];
	return INT64_MAX / 10;
}

/* "+660.000 ms" is "+660 ms" where every tick is a round one. */
static const char *tick_text(char buffer[static STW_FIGURE_MAX], int64_t at)
{
	stw_text_at(buffer, at);
	char *point = strchr(buffer, '.');
	size_t digits = point ? strspn(point + 1, "0123456789") : 0, kept = digits;
	while (kept && point[kept] == '0')
		kept--;
	if (point && kept < digits)
		memmove(point + (kept ? kept + 1 : 0), point + 1 + digits, strlen(point + 1 + digits) + 1);
	return buffer;
}

static void axis(svg *s, double bottom)
{
	char at[STW_FIGURE_MAX];
	int64_t step = tick_step(s->t->to_ns - s->t->from_ns), first = (s->t->from_ns + step - 1) / step * step;
	for (int64_t t = first; t <= s->t->to_ns; t += step) {
		double x = x_of(s, t);
		print(s, "<path class=\"grid\" d=\"M%.1f %dV%.0f\"/>", x, TOP - 4, bottom);
		if (x < WIDTH - 60)
			print(s, "<text class=\"tick\" x=\"%.1f\" y=\"%.0f\">%s</text>", x, bottom + 13, tick_text(at, t));
	}
}

/* Numbers of the steps, each above its time; those that would cover one another share a place. */
static void steps(svg *s, double bottom)
{
	double last = -100;
	for (size_t i = 0; i < s->finding->n_evidence; i++) {
		int64_t at = s->finding->evidence[i].at_ns;
		if (at < s->t->from_ns || at > s->t->to_ns)
			continue;
		double x = x_of(s, at);
		print(s, "<path class=\"step\" d=\"M%.1f %dV%.0f\"/>", x, TOP - 6, bottom);
		if (x - last < 16)
			continue;
		print(s, "<text class=\"number\" x=\"%.1f\" y=\"%d\">%zu</text>", x, TOP - 10, i + 1);
		last = x;
	}
}

size_t stw_output_timeline_svg(stw_sink *out, const stwatch_finding *finding)
{
	svg s = {.out = out, .finding = finding, .t = finding->timeline};
	if (s.t->n_lanes == 0 || s.t->to_ns <= s.t->from_ns)
		return 0;
	double bottom = TOP + (double)s.t->n_lanes * ROW;
	double from = x_of(&s, finding->start_ns), to = x_of(&s, finding->end_ns);
	print(&s, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"timeline\">\n", WIDTH, bottom + 20);
	axis(&s, bottom);
	print(&s, "<rect class=\"when\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.0f\"/>\n", from, TOP - 4,
		to - from < 1 ? 1 : to - from, bottom - TOP + 4);
	for (size_t i = 0; i < s.t->n_lanes; i++)
		row(&s, &s.t->lanes[i], TOP + (double)i * ROW);
	steps(&s, bottom);
	print(&s, "</svg>\n");
	if (s.t->procs_left_out)
		print(&s, "<p class=\"dim\">%u more procs are not drawn.</p>\n", s.t->procs_left_out);
	return s.written;
}
