/* What is shown while an input is followed: of a diagnosis each finding once it is settled, and a line when there is more of it; of figures, on a
 * terminal, the page as it is now. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/analyse.h"

enum { SEEN_MAX = 4096, ID_MAX = 96 };

typedef struct seen {
	char id[ID_MAX];
	bool printed;
	stwatch_severity severity;
	uint64_t count;
} seen;

struct cli_follower {
	cli_session *session;
	const cli_analysis_request *request;
	seen *items;
	size_t count, printed;
};

cli_follower *cli_follower_new(cli_session *session, const cli_analysis_request *request)
{
	cli_follower *f = calloc(1, sizeof *f);
	if (f) {
		f->session = session;
		f->request = request;
		f->items = calloc(SEEN_MAX, sizeof *f->items);
	}
	return f;
}

void cli_follower_free(cli_follower *f)
{
	if (f)
		free(f->items);
	free(f);
}

/* NULL: there are too many to remember. *fresh: it was not there before. */
static seen *find(cli_follower *f, const char *id, bool *fresh)
{
	*fresh = false;
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->items[i].id, id) == 0)
			return &f->items[i];
	if (!f->items || f->count == SEEN_MAX)
		return NULL;
	*fresh = true;
	snprintf(f->items[f->count].id, ID_MAX, "%s", id);
	return &f->items[f->count++];
}

static void print_finding(cli_follower *f, const stwatch_finding *finding)
{
	const stwatch_print_options options = {
		.size = sizeof options, .format = f->request->format, .color = cli_session_color(f->session), .width = cli_session_width()};
	stwatch_finding_print(finding, ++f->printed, &options, cli_out_sink, &f->session->out);
}

static void print_more(cli_follower *f, const stwatch_finding *finding, uint64_t before)
{
	static const char *const WORDS[] = {[STWATCH_NOTE] = "NOTE", [STWATCH_WARNING] = "WARNING", [STWATCH_ERROR] = "ERROR"};
	if (f->request->format == STWATCH_FORMAT_JSON)
		print_finding(f, finding);
	else
		cli_out_printf(&f->session->out, "\n+ %" PRIu64 " × %s %s: %s\n", finding->count - before, WORDS[finding->severity],
			finding->rule, finding->title);
}

/* One that reaches to the end of what is there may still change: it is told when it is still there the next time. */
static void look_at(cli_follower *f, const stwatch_finding *finding, int64_t end)
{
	bool fresh;
	seen *s = find(f, finding->id, &fresh);
	if (!s)
		return;
	const bool settled = finding->end_ns == STWATCH_UNKNOWN || finding->end_ns < end;
	if (!s->printed && fresh && !settled)
		return;
	if (!s->printed || finding->severity > s->severity)
		print_finding(f, finding);
	else if (finding->count > s->count)
		print_more(f, finding, s->count);
	s->printed = true;
	s->severity = finding->severity > s->severity ? finding->severity : s->severity;
	s->count = finding->count > s->count ? finding->count : s->count;
}

static void update_findings(cli_follower *f, const stwatch_analysis *analysis)
{
	size_t n, n_inputs;
	const stwatch_finding *findings = stwatch_analysis_findings(analysis, &n);
	const stwatch_input *inputs = stwatch_analysis_inputs(analysis, &n_inputs);
	for (size_t i = 0; i < n; i++)
		look_at(f, &findings[i], n_inputs ? inputs[0].duration_ns : 0);
}

/* Over the page before; of JSON a line each time. */
static void update_figures(cli_follower *f, const stwatch_analysis *analysis)
{
	const bool json = f->request->format == STWATCH_FORMAT_JSON;
	const stwatch_print_options options = {.size = sizeof options,
		.format = f->request->format,
		.color = cli_session_color(f->session),
		.width = cli_session_width(),
		.one_line = true};
	if (!json && !isatty(STDOUT_FILENO))
		return;
	if (!json)
		cli_out_put(&f->session->out, "\x1b[H\x1b[2J");
	stwatch_analysis_print(analysis, f->request->view, &options, cli_out_sink, &f->session->out);
}

void cli_follower_update(void *user, const stwatch_analysis *so_far)
{
	cli_follower *f = user;
	if (f->request->view == STWATCH_VIEW_STAT)
		update_figures(f, so_far);
	else if (f->request->format == STWATCH_FORMAT_TEXT || f->request->format == STWATCH_FORMAT_JSON)
		update_findings(f, so_far);
	fflush(stdout); /* what fails shows at the end */
}
