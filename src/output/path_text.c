/* A critical path for people. */
#include "output/path_views.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	SHARES_SHOWN = 12,
	SHARES_ALWAYS = 2,
	SHARE_DIVISOR = 500,
	SEGMENTS_SHOWN = 40,
	CHOICES_SHOWN = 20,
	LEAST_PERMILLE = 5,
	KIND = 14,
	WIDTH = 12,
	AT = 16,
	WHAT = 30
};

static void title(stw_text *text, const char *words)
{
	stw_text_line(text);
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_put(text, words);
	stw_text_style(text, STW_STYLE_PLAIN);
}

static const char *share_of(char figure[static STW_FIGURE_MAX], int64_t part, int64_t whole)
{
	return stw_text_share(figure, whole > 0 ? (double)part / (double)whole : 0);
}

/* ---- what there is ---- */

static void choice_row(const stwatch_path_choice *c, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	stw_text_put(text, "  ");
	if (c->subject == STWATCH_PATH_GOROUTINE)
		stw_text_printf(text, "%" PRIu64, c->id);
	else
		stw_text_right(text, stw_text_count(figure, c->count), 9);
	stw_text_to(text, 12);
	stw_text_right(text, stw_text_duration(figure, c->total_ns), WIDTH);
	stw_text_right(text, stw_text_duration(figure, c->max_ns), WIDTH);
	stw_text_put(text, "  ");
	stw_text_item(text, 38, *c->name ? c->name : "(not known)");
	stw_text_line(text);
}

static void choices(const stw_path_input *in, stwatch_path_subject subject, const char *words, stw_text *text)
{
	size_t n = 0;
	for (size_t i = 0; i < in->n_choices; i++) {
		if (in->choices[i].subject != subject)
			continue;
		if (n == 0) {
			title(text, words);
			stw_text_line(text);
		}
		if (n++ < CHOICES_SHOWN)
			choice_row(&in->choices[i], text);
	}
	if (n > CHOICES_SHOWN) {
		stw_text_printf(text, "  %zu more (--format json lists them)", n - CHOICES_SHOWN);
		stw_text_line(text);
	}
}

static void all_choices(const stw_path_input *in, stw_text *text)
{
	choices(in, STWATCH_PATH_TASK, "tasks        count    in all     longest   --task NAME", text);
	choices(in, STWATCH_PATH_REGION, "regions      count    in all     longest   --region NAME", text);
	choices(in, STWATCH_PATH_GOROUTINE, "goroutines            waited     longest   --goroutine ID, --function NAME", text);
	if (in->n_choices == 0) {
		stw_text_put(text, "nothing to choose from: no tasks, no regions, no goroutine that waited");
		stw_text_line(text);
	}
}

/* ---- the chosen one ---- */

static void headline(const stw_path_input *in, stw_text *text)
{
	char figure[STW_FIGURE_MAX], line[128];
	const stwatch_path_span *s = in->chosen;
	stw_text_line(text);
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_wrap(text, 2, in->subject == STWATCH_PATH_FUNCTION ? "goroutine" : stwatch_path_subject_name(in->subject));
	if (in->subject != STWATCH_PATH_REGION) {
		snprintf(line, sizeof line, " %" PRIu64, s->id);
		stw_text_wrap(text, 2, line);
	}
	stw_text_wrap(text, 2, " ");
	stw_text_item(text, 2, s->name);
	stw_text_wrap(text, 2, ": ");
	stw_text_wrap(text, 2, stw_text_duration(figure, s->to_ns - s->from_ns));
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_wrap(text, 2, " from ");
	stw_text_wrap(text, 2, stw_text_at(figure, s->from_ns));
	stw_text_wrap(text, 2, s->open_begin ? " (begun before the trace) to " : " to ");
	stw_text_wrap(text, 2, stw_text_at(figure, s->to_ns));
	snprintf(line, sizeof line, "%s, %s G%" PRId64, s->open_end ? " (not ended)" : "", s->open_end ? "of" : "ended by", s->goroutine);
	stw_text_wrap(text, 2, line);
	stw_text_line(text);
	if (in->all->count < 2)
		return;
	snprintf(line, sizeof line, "  number %s", stw_text_count(figure, in->nth));
	stw_text_wrap(text, 2, line);
	snprintf(line, sizeof line, " of %s from the longest on: p50 ", stw_text_count(figure, in->all->count));
	stw_text_wrap(text, 2, line);
	stw_text_wrap(text, 2, stw_text_duration(figure, in->all->p50_ns));
	stw_text_wrap(text, 2, ", p99 ");
	stw_text_wrap(text, 2, stw_text_duration(figure, in->all->p99_ns));
	stw_text_wrap(text, 2, ", max ");
	stw_text_wrap(text, 2, stw_text_duration(figure, in->all->max_ns));
	stw_text_line(text);
}

static int64_t whole_of(const int64_t *kind_ns)
{
	int64_t whole = 0;
	for (unsigned kind = 0; kind < STWATCH_PATH_KINDS; kind++)
		whole += kind_ns[kind];
	return whole;
}

static void kinds(const stw_path_input *in, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	bool several = in->all->followed > 1;
	int64_t own = whole_of(in->kind_ns), all = whole_of(in->all->kind_ns);
	title(text, "kind");
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_to(text, KIND);
	stw_text_right(text, "time", WIDTH);
	stw_text_right(text, "share", WIDTH);
	if (several) {
		stw_text_right(text, "of all", WIDTH + 4);
		stw_text_right(text, "share", WIDTH);
	}
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_line(text);
	for (unsigned kind = 1; kind < STWATCH_PATH_KINDS; kind++) {
		if (in->kind_ns[kind] == 0 && in->all->kind_ns[kind] == 0)
			continue;
		stw_text_put(text, "  ");
		stw_text_put(text, stwatch_path_kind_name((stwatch_path_kind)kind));
		stw_text_to(text, KIND);
		stw_text_right(text, stw_text_duration(figure, in->kind_ns[kind]), WIDTH);
		stw_text_right(text, share_of(figure, in->kind_ns[kind], own), WIDTH);
		if (several) {
			stw_text_right(text, stw_text_duration(figure, in->all->kind_ns[kind]), WIDTH + 4);
			stw_text_right(text, share_of(figure, in->all->kind_ns[kind], all), WIDTH);
		}
		stw_text_line(text);
	}
}

static void share_row(const stwatch_path_share *s, int64_t whole, stw_text *text)
{
	char figure[STW_FIGURE_MAX], line[STW_PATH_PLACE_MAX], who[64];
	stw_text_right(text, stw_text_duration(figure, s->total_ns), KIND);
	stw_text_right(text, share_of(figure, s->total_ns, whole), 9);
	stw_text_right(text, "×", 3);
	stw_text_put(text, stw_text_count(figure, s->count));
	stw_text_to(text, WHAT);
	const char *kind = stwatch_path_kind_name(s->kind);
	stw_text_wrap(text, WHAT, kind);
	if (*s->what && strcmp(s->what, kind) != 0) {
		snprintf(line, sizeof line, " (%s%.200s)", s->kind == STWATCH_PATH_RUNNABLE ? "P's with " : "", s->what);
		stw_text_wrap(text, WHAT, line);
	}
	if (s->goroutine != STWATCH_NONE)
		snprintf(who, sizeof who, " G%" PRId64 " ", s->goroutine);
	else
		snprintf(who, sizeof who, " ");
	stw_text_wrap(text, WHAT, who);
	stw_text_item(text, WHAT, s->function);
	if (*s->root && strcmp(s->root, s->function) != 0) {
		stw_text_wrap(text, WHAT, " < ");
		stw_text_item(text, WHAT, s->root);
	}
	if (!s->own)
		stw_text_wrap(text, WHAT, " (waited for)");
	stw_text_line(text);
}

static void shares(const stw_path_input *in, stw_text *text)
{
	title(text, "where it went");
	stw_text_line(text);
	int64_t whole = whole_of(in->kind_ns), left_out = 0;
	size_t n = 0;
	while (n < in->n_shares && n < SHARES_SHOWN && (n < SHARES_ALWAYS || in->shares[n].total_ns >= whole / SHARE_DIVISOR))
		share_row(&in->shares[n++], whole, text);
	for (size_t i = n; i < in->n_shares; i++)
		left_out += in->shares[i].total_ns;
	if (n < in->n_shares) {
		char figure[STW_FIGURE_MAX];
		stw_text_right(text, stw_text_duration(figure, left_out), KIND);
		stw_text_right(text, share_of(figure, left_out, whole), 9);
		stw_text_to(text, WHAT);
		stw_text_printf(text, "%zu more (--format json lists them)", in->n_shares - n);
		stw_text_line(text);
	}
}

static void segment_row(const stwatch_path_segment *s, stw_text *text)
{
	char figure[STW_FIGURE_MAX], line[STW_PATH_PLACE_MAX], place[STW_PATH_PLACE_MAX];
	stw_text_right(text, stw_text_at(figure, s->from_ns), AT);
	stw_text_right(text, stw_text_duration(figure, s->to_ns - s->from_ns), WIDTH);
	stw_text_to(text, WHAT);
	stw_text_wrap(text, WHAT, stw_output_path_what(line, s));
	snprintf(line, sizeof line, " G%" PRId64 " ", s->goroutine);
	stw_text_wrap(text, WHAT, line);
	stw_text_wrap(text, WHAT, stw_output_path_place(place, s->function, s->root, s->file, s->line));
	if (s->merged) {
		snprintf(line, sizeof line, ", and %" PRIu64 " short ones beside it", s->merged - 1);
		stw_text_wrap(text, WHAT, line);
	}
	if (s->waiter != STWATCH_NONE) {
		snprintf(line, sizeof line, ", for which G%" PRId64 " waits", s->waiter);
		stw_text_style(text, STW_STYLE_DIM);
		stw_text_wrap(text, WHAT, line);
		if (*s->waiter_what) {
			snprintf(line, sizeof line, " (%.200s)", s->waiter_what);
			stw_text_wrap(text, WHAT, line);
		}
		if (*s->waiter_function) {
			stw_text_wrap(text, WHAT, " in ");
			stw_text_item(text, WHAT, s->waiter_function);
		}
		stw_text_style(text, STW_STYLE_PLAIN);
	}
	stw_text_line(text);
}

static void left_out(size_t n, int64_t ns, stw_text *text)
{
	char figure[STW_FIGURE_MAX];
	if (n == 0)
		return;
	stw_text_style(text, STW_STYLE_DIM);
	stw_text_right(text, "…", AT);
	stw_text_right(text, stw_text_duration(figure, ns), WIDTH);
	stw_text_to(text, WHAT);
	stw_text_printf(text, "in %s short %s", stw_text_count(figure, n), n == 1 ? "stretch" : "stretches");
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_line(text);
}

/* From how long on they are shown, so that there are not too many rows. */
static int64_t least_shown(const stw_path_input *in)
{
	int64_t least = (in->chosen->to_ns - in->chosen->from_ns) * LEAST_PERMILLE / 1000;
	for (;; least = least ? 2 * least : 1) {
		size_t n = 0;
		for (size_t i = 0; i < in->n_segments; i++)
			n += in->segments[i].to_ns - in->segments[i].from_ns >= least;
		if (n <= SEGMENTS_SHOWN)
			return least;
	}
}

static void segments(const stw_path_input *in, stw_text *text)
{
	title(text, "in order of time");
	stw_text_line(text);
	int64_t least = least_shown(in), ns = 0;
	size_t n = 0;
	for (size_t i = 0; i < in->n_segments; i++) {
		const stwatch_path_segment *s = &in->segments[i];
		if (s->to_ns - s->from_ns < least) {
			ns += s->to_ns - s->from_ns;
			n++;
			continue;
		}
		left_out(n, ns, text);
		ns = 0;
		n = 0;
		segment_row(s, text);
	}
	left_out(n, ns, text);
}

void stw_output_path_text(const stw_path_input *in, stw_text *text)
{
	stw_output_inputs_text(&in->common, text);
	if (!in->chosen) {
		all_choices(in, text);
	} else {
		headline(in, text);
		kinds(in, text);
		shares(in, text);
		segments(in, text);
	}
	if (in->common.n_limits > 0)
		stw_text_line(text);
	stw_output_limits_text(&in->common, text);
}
