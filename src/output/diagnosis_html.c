/* A diagnosis as one page that needs nothing else: no script, no network, light and dark as the reader's system has it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output/report_views.h"
#include "output/sink_text.h"
#include "output/text.h"

enum { VICTIMS_SHOWN = 8, FRAMES_SHOWN = 24, STEPS_SHOWN = 60, DRAWN_MAX = 600 << 10, FINDINGS_MAX = 300, LISTED_MAX = 20 };

static const char STYLE[] =
	":root{color-scheme:light "
	"dark;--bg:#fff;--fg:#1d2127;--dim:#667080;--line:#dfe3e8;--card:#f7f8fa;--error:#c62f2f;--warning:#b36b00;--note:#2f6db3;"
	"--run:#8fa3bd;--c:#d43d3d;--v:#e59a1c;--vt:#96590a;--gc:#8e63c7;--sys:#2a9d8f;--spin:#d5dbe3;--wait:#e6e9ee;--stop:#4a5260;--when:"
	"#d43d3d1c}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#15181d;--fg:#e2e6ec;--dim:#98a2b0;--line:#323841;--card:#1d2128;--error:#f07070;--"
	"warning:#e7a93f;--note:#78b0ee;"
	"--run:#5d718c;--c:#e8554f;--v:#e7a93f;--vt:#e7a93f;--gc:#a583dc;--sys:#35b5a6;--spin:#39414c;--wait:#2b313a;--stop:#aab3c0;--when:"
	"#e8554f26}}\n"
	"*{box-sizing:border-box}body{margin:0 auto;max-width:1180px;padding:1.2rem;background:var(--bg);color:var(--fg);font:15px/1.5 "
	"system-ui,sans-serif}\n"
	"h1{font-size:1.3rem;margin:0 0 "
	".4rem}h2{font-size:1.05rem;margin:0;overflow-wrap:anywhere}code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"
	"monospace;font-size:.92em;overflow-wrap:anywhere}\n"
	"section{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--s);border-radius:6px;padding:.9rem "
	"1.1rem;margin:1.1rem 0}\n"
	".error{--s:var(--error)}.warning{--s:var(--warning)}.note{--s:var(--note)}.badge{color:var(--s);font-weight:700;text-transform:"
	"uppercase;font-size:.8rem;letter-spacing:.04em}\n"
	".dim,.rule{color:var(--dim)}.rule{font-size:.9rem}p{margin:.3rem 0}ul,ol{margin:.2rem 0;padding-left:1.3rem}\n"
	"dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem .9rem;margin:.6rem "
	"0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}\n"
	"ol.steps{list-style:none;padding:0;margin:.5rem 0}ol.steps li{display:grid;grid-template-columns:1.6rem 8rem "
	"minmax(0,1fr);gap:.2rem;border-top:1px solid var(--line);padding:.16rem 0}\n"
	"ol.steps time{white-space:nowrap;color:var(--dim);text-align:right;padding-right:.6rem;font-variant-numeric:tabular-nums}ol.steps "
	"b{color:var(--dim);font-weight:500;text-align:right}\n"
	"details summary{cursor:pointer;color:var(--dim);font-size:.88rem}details code{display:block}\n"
	".drawn{overflow-x:auto;margin:.5rem 0;background:var(--bg);border:1px solid "
	"var(--line);border-radius:4px}svg{width:100%;min-width:760px;height:auto;"
	"display:block}\n"
	"svg text{font:11px "
	"ui-monospace,Menlo,Consolas,monospace;fill:var(--dim)}text.lane{text-anchor:end;fill:var(--fg)}text.tick{text-anchor:middle}text."
	"number{text-anchor:middle;font-size:10px}\n"
	"text.culprit{fill:var(--error);font-weight:700}text.victim{fill:var(--vt);font-weight:700}.grid,.base{stroke:var(--line);fill:"
	"none}."
	"step{stroke:var(--dim);stroke-dasharray:2 3;fill:none;opacity:.7}.when{fill:var(--when)}\n"
	".c{fill:var(--c)}.v{fill:var(--v)}.r{fill:var(--run)}.g{fill:var(--gc)}.s{fill:var(--sys)}.cs{fill:var(--sys);stroke:var(--c);"
	"stroke-width:1.5}.p{fill:var(--spin)}.q{fill:var(--v);opacity:.45}.w{fill:var(--wait)}.t{fill:var(--stop)}\n"
	"pre{overflow-x:auto;margin:.4rem 0;padding:.4rem .6rem;background:var(--bg);border:1px solid "
	"var(--line);border-radius:4px;font:13px/1.45 "
	"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}pre "
	"i{color:var(--dim);font-style:normal}mark{background:var(--when);color:inherit;"
	"font-weight:600}\n"
	".key{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.85rem;color:var(--dim)}.key "
	"i{display:inline-block;width:1.1em;height:.8em;margin-right:.35em;border-radius:2px}\n";

__attribute__((format(printf, 2, 3))) static void print(stw_sink *out, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	stw_sink_text(out, line);
}

static void row(stw_sink *out, const char *label, const char *text)
{
	print(out, "<dt>%s<dd>", label);
	stw_sink_html(out, text);
	stw_sink_text(out, "\n");
}

/* ---- the head ---- */

static void input(stw_sink *out, const stwatch_input *in)
{
	char figure[STW_FIGURE_MAX], wall[STW_WALL_MAX];
	stw_sink_text(out, "<p><strong class=\"mono\">");
	stw_sink_html(out, stw_output_input_name(in->file));
	print(out, "</strong> · %s", in->kind);
	if (in->format)
		print(out, " · %s", in->format);
	if (in->duration_ns != STWATCH_UNKNOWN)
		print(out, " · %s", stw_text_duration(figure, in->duration_ns));
	if (in->has_start_time && stw_output_wall_time(wall, in->start_unix_ns))
		print(out, " · from %s", wall);
	if (stw_output_is_trace(in))
		print(out, " · %s events in %" PRIu64 " generation%s", stw_text_count(figure, in->events), in->generations,
			in->generations == 1 ? "" : "s");
	stw_sink_text(out, in->complete ? "</p>\n" : " · not complete</p>\n<ul>");
	for (size_t i = 0; i < in->n_problems; i++) {
		stw_sink_text(out, "<li>");
		if (in->problems[i].offset != STWATCH_NO_OFFSET)
			print(out, "at byte %" PRIu64 ": ", in->problems[i].offset);
		stw_sink_html(out, in->problems[i].what);
	}
	stw_sink_text(out, in->complete ? "" : "</ul>\n");
}

static void key(stw_sink *out)
{
	static const struct {
		const char *color, *word;
	} KEY[] = {{"--c", "the culprit runs"}, {"--v", "a victim runs (paler: it is runnable)"}, {"--run", "others run"},
		{"--gc", "GC workers"}, {"--sys", "system call"}, {"--spin", "proc without a goroutine"}, {"--wait", "waiting"},
		{"--stop", "stop of the world"}, {"--when", "the occurrence"}};
	stw_sink_text(out, "<p class=\"key\">");
	for (size_t i = 0; i < sizeof KEY / sizeof *KEY; i++)
		print(out, "<span><i style=\"background:var(%s)\"></i>%s</span>", KEY[i].color, KEY[i].word);
	stw_sink_text(out, "</p>\n");
}

/* ---- a finding ---- */

static void stack(stw_sink *out, const stwatch_evidence *e)
{
	char name[STW_OUTPUT_NAME_MAX];
	if (e->n_stack == 0)
		return;
	stw_output_frame_name(name, &e->stack[0]);
	stw_sink_text(out, "<details><summary>stack: <span class=\"mono\">");
	stw_sink_html(out, name);
	stw_sink_text(out, "</span></summary>");
	for (size_t i = 0; i < e->n_stack && i < FRAMES_SHOWN; i++) {
		stw_output_frame_name(name, &e->stack[i]);
		stw_sink_text(out, "<code>");
		stw_sink_html(out, name);
		stw_sink_text(out, "</code>");
	}
	if (e->n_stack > FRAMES_SHOWN)
		print(out, "<code>… %zu more</code>", e->n_stack - FRAMES_SHOWN);
	stw_sink_text(out, "</details>");
}

static void evidence(stw_sink *out, const stwatch_finding *f)
{
	char at[STW_FIGURE_MAX];
	stw_sink_text(out, f->n_evidence ? "<ol class=\"steps\">\n" : "");
	for (size_t i = 0; i < f->n_evidence && i < STEPS_SHOWN; i++) {
		const stwatch_evidence *e = &f->evidence[i];
		print(out, "<li><b>%zu</b><time>%s</time><div>", i + 1, e->at_ns == STWATCH_UNKNOWN ? "" : stw_text_at(at, e->at_ns));
		stw_sink_html(out, e->what);
		stack(out, e);
		stw_sink_text(out, "</div>\n");
	}
	stw_sink_text(out, f->n_evidence ? "</ol>\n" : "");
	if (f->n_evidence > STEPS_SHOWN)
		print(out, "<p class=\"dim\">%zu more steps</p>\n", f->n_evidence - STEPS_SHOWN);
}

static void harmed(stw_sink *out, const stwatch_finding *f)
{
	char name[STW_OUTPUT_NAME_MAX], figure[STW_FIGURE_MAX];
	if (f->n_victims == 0)
		return;
	stw_sink_text(out, "<dt>harmed<dd>");
	for (size_t i = 0; i < f->n_victims && i < VICTIMS_SHOWN; i++) {
		stw_output_party_name(name, &f->victims[i]);
		stw_sink_text(out, i ? "; <span class=\"mono\">" : "<span class=\"mono\">");
		stw_sink_html(out, name);
		print(out, "</span> +%s", stw_text_duration(figure, f->victims[i].delay_ns));
	}
	if (f->n_victims > VICTIMS_SHOWN)
		print(out, "; %zu more", f->n_victims - VICTIMS_SHOWN);
	stw_sink_text(out, "\n");
}

/* Returns how many bytes of drawing it took. */
static size_t finding(stw_sink *out, const stwatch_finding *f, size_t number, bool draw)
{
	char count[STW_FIGURE_MAX];
	size_t drawn = 0;
	print(out, "<section class=\"%s\">\n<p><span class=\"badge\">%s</span> <span class=\"rule\">%s · %s",
		stw_output_severity(f->severity), stw_output_severity(f->severity), f->rule, stw_output_confidence(f->confidence));
	if (f->count > 1)
		print(out, " · ×%s, worst shown", stw_text_count(count, f->count));
	print(out, "</span></p>\n<h2>%zu. ", number);
	stw_sink_html(out, f->title);
	stw_sink_text(out, "</h2>\n");
	stw_sink_text(out, "<dl>\n");
	stw_output_facts(out, f, row, harmed);
	stw_sink_text(out, "</dl>\n");
	if (f->timeline && draw) {
		stw_sink_text(out, "<div class=\"drawn\" tabindex=\"0\">"); /* wider than a phone: it can be moved, also by keys */
		drawn = stw_output_timeline_svg(out, f);
		stw_sink_text(out, "</div>\n");
	} else if (f->timeline)
		stw_sink_text(out, "<p class=\"dim\">Not drawn, to keep the page small: <code>--top</code> draws fewer.</p>\n");
	evidence(out, f);
	if (number <= LISTED_MAX)
		stw_output_listings_html(out, f);
	stw_sink_text(out, "<p class=\"dim\">id <code>");
	stw_sink_html(out, f->id);
	print(out, "</code> · more: <code>stwatch explain %s</code></p>\n</section>\n", f->rule);
	return drawn;
}

static void limits(stw_sink *out, const stw_output_input *in)
{
	stw_sink_text(out, in->n_limits ? "<h2>What the input can't show</h2>\n<ul class=\"dim\">\n" : "");
	for (size_t i = 0; i < in->n_limits; i++) {
		stw_sink_text(out, "<li>");
		stw_sink_html(out, in->limits[i]);
		stw_sink_text(out, "\n");
	}
	stw_sink_text(out, in->n_limits ? "</ul>\n" : "");
}

stwatch_status stw_output_diagnosis_html(const stw_output_input *in, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	stw_sink out;
	size_t shown = stw_output_shown(in, options), drawn = 0;
	bool any = false;
	shown = shown < FINDINGS_MAX ? shown : FINDINGS_MAX;
	stw_sink_init(&out, sink, user);
	stw_sink_text(&out,
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src 'unsafe-inline'\">\n<title>stwatch: ");
	stw_sink_html(&out, in->n_inputs ? stw_output_input_name(in->inputs[0].file) : "");
	stw_sink_text(&out, "</title>\n<style>\n");
	stw_sink_put(&out, STYLE, sizeof STYLE - 1);
	stw_sink_text(&out, "</style></head><body>\n<h1>stwatch diagnosis</h1>\n");
	for (size_t i = 0; i < in->n_inputs; i++)
		input(&out, &in->inputs[i]);
	if (in->summary->gomaxprocs_max > 0)
		print(&out, "<p>GOMAXPROCS %" PRId64 "</p>\n", in->summary->gomaxprocs_max);
	if (in->n_findings == 0)
		stw_sink_text(&out, stw_output_is_unread(in) ? "<h2>Nothing was looked at</h2>\n" : "<h2>Nothing wrong found</h2>\n");
	else
		print(&out, "<p>%zu finding%s, most harmful first%s</p>\n", in->n_findings, in->n_findings == 1 ? "" : "s",
			shown < in->n_findings ? "; the worst are shown" : "");
	for (size_t i = 0; i < shown; i++)
		any |= in->findings[i].timeline != NULL;
	if (any)
		key(&out);
	for (size_t i = 0; i < shown; i++)
		drawn += finding(&out, &in->findings[i], i + 1, drawn < DRAWN_MAX);
	limits(&out, in);
	stw_sink_text(&out, "</body></html>\n");
	return stw_sink_flush(&out);
}
