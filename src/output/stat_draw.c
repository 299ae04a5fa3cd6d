/* Figures of a trace drawn with characters: the curve of mutator utilisation, the histogram of scheduling latency. */
#include "output/text_views.h"

#include <stdio.h>

enum { LABEL = 12, COUNT = 12, SHARE = 10, BAR_MAX = 100, BAR_MIN = 10 };

/* A bar of up to `columns`; what is more than nothing can be seen. */
static void bar(stw_text *text, double share, unsigned columns, bool ascii, stw_style style)
{
	static const char *const EIGHTHS[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	unsigned eighths = (unsigned)(share * columns * 8 + 0.5);
	if (eighths > columns * 8)
		eighths = columns * 8;
	if (share > 0 && eighths == 0)
		eighths = 1;
	stw_text_style(text, style);
	for (unsigned i = 0; i < eighths / 8; i++)
		stw_text_put(text, ascii ? "#" : "█");
	if (eighths % 8)
		stw_text_put(text, ascii ? (eighths >= 4 ? "#" : ".") : EIGHTHS[eighths % 8]);
	stw_text_style(text, STW_STYLE_PLAIN);
}

static unsigned columns_left(const stw_text *text, unsigned column)
{
	unsigned left = text->width > column + BAR_MIN ? text->width - column : BAR_MIN;
	return left > BAR_MAX ? BAR_MAX : left;
}

static void title(stw_text *text, const char *words)
{
	stw_text_line(text);
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_wrap(text, 2, words);
	stw_text_style(text, STW_STYLE_PLAIN);
}

void stw_output_mmu_drawing(const stwatch_summary *summary, bool ascii, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	title(text, "minimum mutator utilisation");
	stw_text_wrap(text, 2, ": the least share of the procs that the program had in any window of a length");
	stw_text_line(text);
	if (summary->n_mmu_curve == 0) {
		stw_text_put(text, "  nothing to draw: there is no such curve of this input");
		stw_text_line(text);
		return;
	}
	stw_text_right(text, "window", LABEL);
	stw_text_right(text, "share", SHARE);
	stw_text_line(text);
	for (size_t i = 0; i < summary->n_mmu_curve; i++) {
		const stwatch_mmu_point *p = &summary->mmu_curve[i];
		stw_text_right(text, stw_text_duration(figure, p->window_ns), LABEL);
		stw_text_right(text, stw_text_share(figure, p->utilisation), SHARE);
		stw_text_put(text, "  ");
		bar(text, p->utilisation, columns_left(text, LABEL + SHARE + 2), ascii,
			p->utilisation < 0.25           ? STW_STYLE_RED
				: p->utilisation < 0.75 ? STW_STYLE_YELLOW
							: STW_STYLE_GREEN);
		stw_text_line(text);
	}
}

static void percentiles(const stwatch_summary *s, stw_text *text)
{
	const struct {
		const char *name;
		int64_t ns;
	} points[] = {{"p50", s->sched_p50_ns}, {"p90", s->sched_p90_ns}, {"p99", s->sched_p99_ns}, {"p99.9", s->sched_p999_ns},
		{"max", s->sched_max_ns}};
	char figure[STW_FIGURE_MAX], word[STW_FIGURE_MAX + 16];
	stw_text_put(text, "  ");
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		snprintf(word, sizeof word, "%s%s %s", i ? ", " : "", points[i].name, stw_text_duration(figure, points[i].ns));
		stw_text_wrap(text, 2, word);
	}
	stw_text_line(text);
}

void stw_output_latency_drawing(const stwatch_summary *summary, bool ascii, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	uint64_t most = 0;
	title(text, "scheduling latency");
	stw_text_wrap(text, 2, ": how long goroutines were runnable until they ran");
	stw_text_line(text);
	if (summary->n_sched_latency == 0) {
		stw_text_put(text, "  no goroutine waited for a P");
		stw_text_line(text);
		return;
	}
	for (size_t i = 0; i < summary->n_sched_latency; i++)
		most = summary->sched_latency[i].count > most ? summary->sched_latency[i].count : most;
	stw_text_right(text, "below", LABEL);
	stw_text_right(text, "waits", COUNT);
	stw_text_right(text, "share", SHARE);
	stw_text_line(text);
	for (size_t i = 0; i < summary->n_sched_latency; i++) {
		const stwatch_latency_bucket *b = &summary->sched_latency[i];
		stw_text_right(text, stw_text_duration(figure, b->to_ns), LABEL);
		stw_text_right(text, stw_text_count(figure, b->count), COUNT);
		stw_text_right(text, stw_text_share(figure, (double)b->count / (double)summary->sched_waits), SHARE);
		stw_text_put(text, "  ");
		bar(text, (double)b->count / (double)most, columns_left(text, LABEL + COUNT + SHARE + 2), ascii, STW_STYLE_CYAN);
		stw_text_line(text);
	}
	percentiles(summary, text);
}
