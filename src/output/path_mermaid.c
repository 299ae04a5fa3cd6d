/* A critical path as a sequence: who went on when whom it waited for had let it. */
#include "output/path_views.h"

#include <inttypes.h>
#include <stdio.h>

#include "output/report_views.h"
#include "output/sink_text.h"

enum { GOROUTINES_SHOWN = 10, SEGMENTS_SHOWN = 24 };

typedef struct cast {
	int64_t ids[GOROUTINES_SHOWN];
	unsigned n;
	bool full;
} cast;

static bool is_in(const cast *c, int64_t g)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->ids[i] == g)
			return true;
	return false;
}

static bool join(cast *c, int64_t g)
{
	if (is_in(c, g))
		return true;
	if (c->n == GOROUTINES_SHOWN) {
		c->full = true;
		return false;
	}
	c->ids[c->n++] = g;
	return true;
}

static void put_id(stw_sink *out, int64_t g)
{
	stw_sink_text(out, "G");
	stw_sink_int(out, g);
}

/* From how long on they are shown. */
static int64_t least_shown(const stw_path_input *in)
{
	for (int64_t least = 1;; least *= 2) {
		size_t n = 0;
		for (size_t i = 0; i < in->n_segments; i++)
			n += in->segments[i].to_ns - in->segments[i].from_ns >= least;
		if (n <= SEGMENTS_SHOWN)
			return least;
	}
}

static void participants(const stw_path_input *in, int64_t least, cast *c, stw_sink *out)
{
	for (size_t i = 0; i < in->n_segments; i++) {
		const stwatch_path_segment *s = &in->segments[i];
		if (s->to_ns - s->from_ns < least || is_in(c, s->goroutine) || !join(c, s->goroutine))
			continue;
		stw_sink_text(out, "    participant ");
		put_id(out, s->goroutine);
		stw_sink_text(out, " as ");
		put_id(out, s->goroutine);
		stw_sink_text(out, " ");
		stw_sink_mermaid(out, *s->root ? s->root : s->function);
		stw_sink_text(out, "\n");
	}
}

static void note(const stwatch_path_segment *s, stw_sink *out)
{
	char figure[STW_FIGURE_MAX], words[STW_PATH_PLACE_MAX];
	stw_sink_text(out, "    Note over ");
	put_id(out, s->goroutine);
	stw_sink_text(out, ": ");
	stw_sink_text(out, stw_text_at(figure, s->from_ns));
	stw_sink_text(out, "<br/>");
	stw_sink_text(out, stw_text_duration(figure, s->to_ns - s->from_ns));
	stw_sink_text(out, " ");
	stw_sink_mermaid(out, stw_output_path_what(words, s));
	if (*s->function) {
		stw_sink_text(out, "<br/>");
		stw_sink_mermaid(out, stw_output_path_place(words, s->function, s->root, s->file, s->line));
	}
	stw_sink_text(out, "\n");
}

/* What led from one shown stretch to the next. */
static void arrow(const stwatch_path_segment *from, const stwatch_path_segment *to, stw_sink *out)
{
	if (from->goroutine == to->goroutine)
		return;
	bool woke = from->waiter == to->goroutine;
	stw_sink_text(out, "    ");
	put_id(out, from->goroutine);
	stw_sink_text(out, woke ? "->>" : "-->>");
	put_id(out, to->goroutine);
	stw_sink_text(out, woke ? ": wakes it" : ": then");
	if (woke && *from->waiter_what) {
		stw_sink_text(out, " (");
		stw_sink_mermaid(out, from->waiter_what);
		stw_sink_text(out, ")");
	}
	stw_sink_text(out, "\n");
}

static void sequence(const stw_path_input *in, stw_sink *out)
{
	cast c = {.n = 0};
	int64_t least = least_shown(in), left_out = 0;
	const stwatch_path_segment *last = NULL;
	char figure[STW_FIGURE_MAX];
	participants(in, least, &c, out);
	for (size_t i = 0; i < in->n_segments; i++) {
		const stwatch_path_segment *s = &in->segments[i];
		if (s->to_ns - s->from_ns < least || !is_in(&c, s->goroutine)) {
			left_out += s->to_ns - s->from_ns;
			continue;
		}
		if (last)
			arrow(last, s, out);
		note(s, out);
		last = s;
	}
	if (left_out && c.n) {
		stw_sink_text(out, "    Note over ");
		put_id(out, c.ids[0]);
		stw_sink_text(out, ": shorter ones, not shown: ");
		stw_sink_text(out, stw_text_duration(figure, left_out));
		stw_sink_text(out, "\n");
	}
}

stwatch_status stw_output_path_mermaid(const stw_path_input *in, stwatch_sink_fn sink, void *user)
{
	stw_sink out;
	char figure[STW_FIGURE_MAX];
	stw_sink_init(&out, sink, user);
	if (!in->chosen)
		return stw_sink_flush(&out);
	stw_sink_text(&out, "```mermaid\nsequenceDiagram\n    title ");
	stw_sink_text(&out, in->subject == STWATCH_PATH_FUNCTION ? "goroutine" : stwatch_path_subject_name(in->subject));
	stw_sink_text(&out, " ");
	stw_sink_mermaid(&out, in->chosen->name);
	stw_sink_text(&out, ", ");
	stw_sink_text(&out, stw_text_duration(figure, in->chosen->to_ns - in->chosen->from_ns));
	stw_sink_text(&out, "\n");
	sequence(in, &out);
	stw_sink_text(&out, "```\n");
	return stw_sink_flush(&out);
}
