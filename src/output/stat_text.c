/* One page of figures. */
#include "output/text_views.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = STW_OUTPUT_LABEL_COLUMN, PROCS_SHOWN = 16 };

/* Wire events by family, the first prefix that fits; families without a single event are named as absent. */
static const struct family {
	const char *prefix, *name;
} FAMILIES[] = {
	{"GoSyscall", "system calls"},
	{"GoLabel", "labels"},
	{"GCMarkAssist", "mark assists"},
	{"GCSweep", "sweeping"},
	{"GC", "GC cycles"},
	{"STW", "stops"},
	{"Heap", "heap"},
	{"CPUSample", "CPU samples"},
	{"UserTask", "tasks"},
	{"UserRegion", "regions"},
	{"UserLog", "logs"},
	{"Proc", "procs"},
	{"Go", "goroutines"},
};
enum { N_FAMILIES = sizeof FAMILIES / sizeof *FAMILIES };

static size_t family_of(const char *event)
{
	size_t i = 0;
	while (i < N_FAMILIES && strncmp(event, FAMILIES[i].prefix, strlen(FAMILIES[i].prefix)) != 0)
		i++;
	return i;
}

static void families(const stwatch_summary *summary, stw_text *text)
{
	uint64_t counts[N_FAMILIES + 1] = {0};
	char figure[STW_FIGURE_MAX];
	for (size_t i = 0; i < summary->n_event_counts; i++)
		counts[family_of(summary->event_counts[i].name)] += summary->event_counts[i].count;
	stw_output_label(text, "families");
	const char *separator = "";
	for (size_t i = 0; i <= N_FAMILIES; i++) {
		char line[128];
		if (counts[i] == 0)
			continue;
		snprintf(line, sizeof line, "%s%s %s", separator, i < N_FAMILIES ? FAMILIES[i].name : "other",
			stw_text_count(figure, counts[i]));
		stw_text_wrap(text, INDENT, line);
		separator = ", ";
	}
	stw_text_line(text);
	separator = "";
	for (size_t i = 0; i < N_FAMILIES; i++) {
		if (counts[i] > 0)
			continue;
		if (!*separator)
			stw_output_label(text, "absent");
		stw_text_wrap(text, INDENT, separator);
		stw_text_wrap(text, INDENT, FAMILIES[i].name);
		separator = ", ";
	}
	if (*separator)
		stw_text_line(text);
}

static void sizes(const stw_output_input *in, stw_text *text)
{
	char bytes[STW_FIGURE_MAX], events[STW_FIGURE_MAX];
	uint64_t all_bytes = 0, all_events = 0;
	for (size_t i = 0; i < in->n_inputs; i++) {
		if (!stw_output_is_trace(&in->inputs[i]))
			continue;
		all_bytes += in->inputs[i].bytes;
		all_events += in->inputs[i].events;
	}
	stw_output_label(text, "events");
	stw_text_printf(text, "%s in %s", stw_text_count(events, all_events), stw_text_bytes(bytes, all_bytes));
	stw_text_line(text);
}

static void population(const stwatch_summary *summary, stw_text *text)
{
	char line[256];
	stw_output_label(text, "goroutines");
	snprintf(line, sizeof line,
		"%" PRIu64 " seen, %" PRIu64 " created, %" PRIu64 " ended, %" PRIu64 " at one time; at most %" PRIu64 " runnable",
		summary->goroutines_seen, summary->goroutines_created, summary->goroutines_ended, summary->goroutines_max,
		summary->runqueue_max);
	stw_text_wrap(text, INDENT, line);
	stw_text_line(text);
	stw_output_label(text, "machine");
	snprintf(line, sizeof line,
		"GOMAXPROCS %" PRId64 " at most, %" PRId64 " last; %" PRIu64 " threads, %" PRIu64 " system calls, %" PRIu64 " CPU samples",
		summary->gomaxprocs_max, summary->gomaxprocs_last, summary->threads, summary->syscalls, summary->cpu_samples);
	stw_text_wrap(text, INDENT, line);
	stw_text_line(text);
}

static void collector(const stwatch_summary *summary, stw_text *text)
{
	char mark[STW_FIGURE_MAX], assist[STW_FIGURE_MAX], idle[STW_FIGURE_MAX], line[256];
	stw_output_label(text, "GC");
	snprintf(line, sizeof line, "%" PRIu64 " cycle%s, marking %s, assists %s", summary->gc_cycles, summary->gc_cycles == 1 ? "" : "s",
		stw_text_duration(mark, summary->gc_mark_ns), stw_text_duration(assist, summary->gc_assist_ns));
	stw_text_wrap(text, INDENT, line);
	if (summary->heap_max_bytes) {
		snprintf(line, sizeof line, "; heap %s at most", stw_text_bytes(mark, summary->heap_max_bytes));
		stw_text_wrap(text, INDENT, line);
	}
	if (summary->heap_goal_last_bytes) {
		snprintf(line, sizeof line, ", last goal %s", stw_text_bytes(mark, summary->heap_goal_last_bytes));
		stw_text_wrap(text, INDENT, line);
	} else if (summary->heap_goal_off) {
		stw_text_wrap(text, INDENT, ", last goal off (GOGC=off)");
	}
	stw_text_line(text);
	if (summary->gc_mark_ns == 0)
		return;
	stw_output_label(text, "");
	snprintf(line, sizeof line, "mark workers: dedicated %s, fractional %s, idle %s", stw_text_duration(mark, summary->gc_worker_ns[0]),
		stw_text_duration(assist, summary->gc_worker_ns[1]), stw_text_duration(idle, summary->gc_worker_ns[2]));
	stw_text_wrap(text, INDENT, line);
	if (summary->heap_live_last_bytes) {
		snprintf(line, sizeof line, "; the last cycle left %s", stw_text_bytes(mark, summary->heap_live_last_bytes));
		stw_text_wrap(text, INDENT, line);
	}
	stw_text_line(text);
}

/* How many each P's polls woke; those that woke none have no number. */
static void polled_by(const stwatch_summary *summary, stw_text *text)
{
	enum { MOST_POLLERS = 16 };
	char line[64];
	for (size_t i = 0; i < summary->n_procs && i < MOST_POLLERS; i++) {
		const stwatch_proc_row *row = &summary->procs[i];
		const char *before = i ? ", " : "; polls by ";
		if (row->polled)
			snprintf(line, sizeof line, "%sP%" PRId64 " %" PRIu64, before, row->proc, row->polled);
		else
			snprintf(line, sizeof line, "%sP%" PRId64 " none", before, row->proc);
		stw_text_wrap(text, INDENT, line);
	}
}

static void network(const stwatch_summary *summary, stw_text *text)
{
	char count[STW_FIGURE_MAX], mean[STW_FIGURE_MAX], p50[STW_FIGURE_MAX], p99[STW_FIGURE_MAX], max[STW_FIGURE_MAX], line[256];
	if (summary->polled == 0)
		return;
	stw_output_label(text, "network");
	snprintf(line, sizeof line,
		"%s wake-ups by polls (%" PRIu64 " by sysmon, without a P); until they ran mean %s, p50 %s, p99 %s, max %s",
		stw_text_count(count, summary->polled), summary->polled_late, stw_text_duration(mean, summary->polled_mean_ns),
		stw_text_duration(p50, summary->polled_p50_ns), stw_text_duration(p99, summary->polled_p99_ns),
		stw_text_duration(max, summary->polled_max_ns));
	stw_text_wrap(text, INDENT, line);
	polled_by(summary, text);
	stw_text_line(text);
}

static void latency(const stwatch_summary *summary, stw_text *text)
{
	const struct {
		const char *name;
		int64_t value;
	} points[] = {
		{"p50", summary->sched_p50_ns},
		{"p90", summary->sched_p90_ns},
		{"p99", summary->sched_p99_ns},
		{"p99.9", summary->sched_p999_ns},
		{"max", summary->sched_max_ns},
	};
	char figure[STW_FIGURE_MAX], line[128];
	stw_output_label(text, "latency");
	if (summary->sched_waits == 0) {
		stw_text_put(text, "no goroutine waited for a P");
		stw_text_line(text);
		return;
	}
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		snprintf(line, sizeof line, "%s%s %s", i > 0 ? ", " : "", points[i].name, stw_text_duration(figure, points[i].value));
		stw_text_wrap(text, INDENT, line);
	}
	snprintf(line, sizeof line, " (%s waits, runnable to running)", stw_text_count(figure, summary->sched_waits));
	stw_text_wrap(text, INDENT, line);
	stw_text_line(text);
}

static void heading(stw_text *text, const char *first, unsigned first_width, const char *const *columns, size_t n, unsigned width)
{
	stw_text_line(text);
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_put(text, first);
	stw_text_to(text, first_width);
	for (size_t i = 0; i < n; i++)
		stw_text_right(text, columns[i], width);
	stw_text_style(text, STW_STYLE_PLAIN);
	stw_text_line(text);
}

static void stops(const stwatch_summary *summary, stw_text *text)
{
	static const char *const COLUMNS[] = {"whose", "count", "in GC", "total", "longest", "stopping"};
	enum { FIRST = 32, WIDTH = 10 };
	char figure[STW_FIGURE_MAX];
	bool inferred = false;
	if (summary->n_stw == 0)
		return;
	heading(text, "stops of the world", FIRST, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, WIDTH);
	for (size_t i = 0; i < summary->n_stw; i++) {
		const stwatch_stw_row *row = &summary->stw[i];
		stw_text_printf(text, "  %.40s%s", row->kind, row->inferred ? " (inferred)" : "");
		stw_text_to(text, FIRST);
		stw_text_right(text, row->whose, WIDTH);
		stw_text_right(text, stw_text_count(figure, row->count), WIDTH);
		stw_text_right(text, stw_text_count(figure, row->during_gc), WIDTH);
		stw_text_right(text, stw_text_duration(figure, row->total_ns), WIDTH);
		stw_text_right(text, stw_text_duration(figure, row->max_ns), WIDTH);
		stw_text_right(text, row->stopping_max_ns < 0 ? "-" : stw_text_duration(figure, row->stopping_max_ns), WIDTH);
		stw_text_line(text);
		inferred |= row->inferred;
	}
	if (inferred) {
		stw_text_printf(text, "  inferred: no event marks them but for their ends; lengths are at most these");
		stw_text_line(text);
	}
}

static void proc_row(const stwatch_proc_row *row, unsigned first, unsigned width, stw_text *text)
{
	const int64_t parts[] = {row->running_ns, row->gc_ns, row->syscall_ns, row->spinning_ns, row->idle_ns, row->stopped_ns};
	char figure[STW_FIGURE_MAX];
	double whole = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		whole += (double)parts[i];
	stw_text_printf(text, "  P%" PRId64, row->proc);
	stw_text_to(text, first);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		stw_text_right(text, whole > 0 ? stw_text_share(figure, (double)parts[i] / whole) : "-", width);
	stw_text_right(text, stw_text_count(figure, row->starts), width);
	stw_text_right(text, stw_text_count(figure, (uint64_t)(row->starts_per_s + 0.5)), width);
	stw_text_line(text);
}

static void procs(const stwatch_summary *summary, stw_text *text)
{
	static const char *const COLUMNS[] = {"running", "GC", "syscall", "spinning", "idle", "stopped", "starts", "a second"};
	enum { FIRST = 7, WIDTH = 10 };
	char share[STW_FIGURE_MAX];
	if (summary->n_procs == 0)
		return;
	heading(text, "procs", FIRST, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, WIDTH);
	for (size_t i = 0; i < summary->n_procs && i < PROCS_SHOWN; i++)
		proc_row(&summary->procs[i], FIRST, WIDTH, text);
	if (summary->n_procs > PROCS_SHOWN) {
		stw_text_printf(text, "  %zu more (--format json lists them)", summary->n_procs - PROCS_SHOWN);
		stw_text_line(text);
	}
	if (summary->proc_idle_share >= 0) {
		stw_text_printf(text, "  idle in all %s", stw_text_share(share, summary->proc_idle_share));
		stw_text_line(text);
	}
}

static void mmu(const stwatch_summary *summary, stw_text *text)
{
	char window[STW_FIGURE_MAX], share[STW_FIGURE_MAX], line[128];
	if (summary->n_mmu == 0)
		return;
	stw_text_line(text);
	stw_text_style(text, STW_STYLE_BOLD);
	stw_text_put(text, "minimum mutator utilisation");
	stw_text_style(text, STW_STYLE_PLAIN);
	if (!summary->mmu_exact)
		stw_text_put(text, " (of stretches from 1 ms on; --mmu: of all)");
	stw_text_put(text, " ");
	for (size_t i = 0; i < summary->n_mmu; i++) {
		snprintf(line, sizeof line, "%s %s of any %s", i > 0 ? "," : "", stw_text_share(share, summary->mmu[i].utilisation),
			stw_text_duration(window, summary->mmu[i].window_ns));
		stw_text_wrap(text, 2, line);
	}
	stw_text_line(text);
}

static void traces(const stw_output_input *in, stw_text *text)
{
	for (size_t i = 0; i < in->n_inputs; i++)
		if (stw_output_is_trace(&in->inputs[i]))
			stw_output_input_text(&in->inputs[i], in->summary, text);
	sizes(in, text);
	families(in->summary, text);
	population(in->summary, text);
	collector(in->summary, text);
	latency(in->summary, text);
	network(in->summary, text);
	stops(in->summary, text);
	procs(in->summary, text);
	mmu(in->summary, text);
}

static void drawings(const stw_output_input *in, const stwatch_print_options *options, stw_text *text)
{
	stw_output_inputs_text(in, text);
	if (options->draw_latency)
		stw_output_latency_drawing(in->summary, options->ascii, text);
	if (options->draw_mmu)
		stw_output_mmu_drawing(in->summary, options->ascii, text);
}

void stw_output_stat_text(const stw_output_input *in, const stwatch_print_options *options, stw_text *text)
{
	if (options->draw_mmu || options->draw_latency) {
		drawings(in, options, text);
		return;
	}
	bool first = !in->summary->known;
	if (in->summary->known)
		traces(in, text);
	for (size_t i = 0; i < in->n_inputs; i++) {
		if (stw_output_is_trace(&in->inputs[i]))
			continue;
		if (!first)
			stw_text_line(text);
		first = false;
		stw_output_input_text(&in->inputs[i], in->summary, text);
		stw_output_source_text(&in->inputs[i], text);
	}
	if (in->n_limits > 0)
		stw_text_line(text);
	stw_output_limits_text(in, text);
}
