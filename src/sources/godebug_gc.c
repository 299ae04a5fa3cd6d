/* gctrace and gcpacertrace. */
#include "model/fold.h"
#include "sources/godebug.h"
#include "sources/godebug_scan.h"

/* ---- gctrace ---- */

enum { MOST_SUMMANDS = STW_GCTRACE_PHASES + 4 };
/* Phases that are longer were never measured: sums of a million of them don't overflow. */
static const int64_t LONGEST_PHASE_NS = 1000000000000;

/* "0.042+0.35/0.1+0.006": numbers and what separates them, up to most; of between. */
static unsigned scan_sum(stw_reading *in, int64_t *ns, char *before, unsigned most, const char *between)
{
	for (unsigned n = 0; n < most && stw_reading_time(in, 1000000, &ns[n]);) {
		in->ok = ns[n] <= LONGEST_PHASE_NS;
		n++;
		if (!in->ok || !*in->at || !strchr(between, *in->at))
			return n;
		before[n] = *in->at++;
	}
	in->ok = false;
	return 0;
}

/* Sweep termination, mark, mark termination; in Go 1.5 there are scan, installing the write barriers (no stop) and mark between. */
static bool take_phases(stw_gc_line *gc, const int64_t *clock, unsigned n)
{
	gc->sweep_term_ns = clock[0];
	for (unsigned i = 1; i + 1 < n; i++)
		gc->mark_ns += clock[i];
	gc->mark_term_ns = n ? clock[n - 1] : 0;
	return n == 3 || n == STW_GCTRACE_PHASES;
}

/* Of the CPU times, assist/dedicated/idle stand between slashes. */
static bool take_cpu(stw_gc_line *gc, const int64_t *cpu, const char *before, unsigned n)
{
	for (unsigned i = 1; i + 1 < n; i++)
		if (before[i] == '/' && before[i + 1] == '/') {
			gc->assist_ns = cpu[i - 1];
			gc->dedicated_ns = cpu[i];
			gc->idle_ns = cpu[i + 1];
			return true;
		}
	return false;
}

/* "4->5->3 MB, 8 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)"; stacks and globals since Go 1.18. */
static void scan_heap(stw_reading *in, stw_gc_line *gc)
{
	uint64_t heap[4], skipped, procs = 0;
	for (int i = 0; i < 3; i++) {
		stw_reading_count(in, &heap[i]);
		stw_reading_text(in, i < 2 ? "->" : " MB, ");
	}
	stw_reading_count(in, &heap[3]);
	stw_reading_text(in, " MB goal, ");
	stw_reading_count(in, &procs);
	if (stw_reading_optional(in, " MB stacks, ")) {
		stw_reading_count(in, &skipped);
		stw_reading_text(in, " MB globals, ");
		stw_reading_count(in, &procs);
	}
	stw_reading_text(in, " P");
	gc->heap_start = stw_small((int64_t)heap[0]);
	gc->heap_end = stw_small((int64_t)heap[1]);
	gc->heap_live = stw_small((int64_t)heap[2]);
	gc->goal = heap[3] < STW_NO_HEAP_GOAL >> 20 ? (int64_t)stw_small((int64_t)heap[3]) : -1;
	gc->procs = stw_small((int64_t)procs);
	gc->forced = stw_reading_optional(in, " (forced)");
}

/* From behind "gc " on. Whole: in.ok; like one: it has its time. */
static stw_reading scan_line(const char *s, stw_gc_line *gc)
{
	uint64_t percent;
	int64_t clock[STW_GCTRACE_PHASES] = {0}, cpu[MOST_SUMMANDS] = {0};
	char before[MOST_SUMMANDS + 1] = {0};
	stw_reading in = {s, true};
	*gc = (stw_gc_line){0};
	stw_reading_count(&in, &gc->number);
	stw_reading_text(&in, " @");
	if (!in.ok)
		return (stw_reading){s, false};
	stw_reading_time(&in, 1000000000, &gc->at_ns);
	in.ok = in.ok && gc->at_ns <= STW_LONGEST_RUN_NS;
	stw_reading_text(&in, "s ");
	stw_reading_count(&in, &percent);
	stw_reading_text(&in, "%");
	stw_reading_optional(&in, " (checking for goroutine leaks)");
	stw_reading_text(&in, ": ");
	unsigned n = scan_sum(&in, clock, before, STW_GCTRACE_PHASES, "+");
	stw_reading_text(&in, " ms clock, ");
	in.ok = take_phases(gc, clock, n) && in.ok;
	n = scan_sum(&in, cpu, before, MOST_SUMMANDS, "+/");
	stw_reading_text(&in, " ms cpu, ");
	in.ok = take_cpu(gc, cpu, before, n) && in.ok;
	gc->percent = (int64_t)percent;
	scan_heap(&in, gc);
	return in;
}

stw_line_is stw_godebug_gc_is(const char *s, const char **stop)
{
	stw_gc_line gc;
	stw_reading in = scan_line(s, &gc);
	*stop = in.at;
	return in.ok ? STW_LINE_WHOLE : in.at > s ? STW_LINE_TORN : STW_LINE_OTHER;
}

bool stw_godebug_gc(stw_godebug *g, const char *s, const stw_godebug_at *at, bool *found)
{
	stw_gc_line gc;
	if (!scan_line(s, &gc).ok)
		return true;
	*found = true;
	gc.line = at->line;
	gc.run = stw_godebug_run_of(g, at, gc.at_ns, (int64_t)gc.number);
	stw_gc_line *slot = gc.run == UINT32_MAX ? NULL : stw_vec_push(g->mem, &g->gcs);
	if (slot)
		*slot = gc;
	return slot && stw_godebug_written(g, gc.run, stw_gc_end(&gc), at);
}

/* ---- gcpacertrace ---- */

static void add_cycle(stw_pacer *p, int64_t used, int64_t planned, int64_t beyond)
{
	p->cycles++;
	p->over += used * 5 > planned * 6;
	p->used_max = used > p->used_max ? used : p->used_max;
	p->planned = planned;
	p->beyond_goal_max = beyond > p->beyond_goal_max ? beyond : p->beyond_goal_max;
}

static bool read_float(const char *s, const char *name, int64_t *out)
{
	s = strstr(s, name);
	return s && stw_read_thousandths(s + strlen(name), out);
}

/* "H_m_prev=2236962 h_t=+8.750000e-001 H_T=… H_a=… h_g=… H_g=… u_a=+2.5e-001 u_g=+2.5e-001 W_a=… …" (Go 1.5 to 1.17) */
static bool read_design(stw_pacer *p, const char *s)
{
	int64_t used, planned, heap, goal;
	if (!stw_expect(s, "H_m_prev="))
		return false;
	if (read_float(s, " u_a=", &used) && read_float(s, " u_g=", &planned) && stw_read_key(s, " H_a=", &heap) &&
		stw_read_key(s, " H_g=", &goal))
		add_cycle(p, used, planned, heap - goal);
	return true;
}

/* "70% CPU (25 exp.) for 172456+28672+251824 B work (276400 B exp.) in 4194304 B -> 4325376 B (∆goal 49152, cons/mark …)" (since 1.18) */
static bool read_redesign(stw_pacer *p, const char *s)
{
	uint64_t used, planned, beyond = 0;
	s = stw_expect(stw_read_count(s, &used), "% CPU (");
	s = stw_expect(stw_read_count(s, &planned), " exp.) for ");
	if (!s)
		return false;
	const char *goal = strstr(s, "goal ");
	if (goal && !stw_read_count(goal + strlen("goal "), &beyond)) /* below it: negative */
		beyond = 0;
	if (used <= 100000 && planned <= 100000)
		add_cycle(p, (int64_t)used * 10, (int64_t)planned * 10, (int64_t)beyond);
	return true;
}

bool stw_godebug_pacer(stw_godebug *g, const char *s, const stw_godebug_at *at, bool *found)
{
	int64_t ratio;
	(void)at;
	const char *assist = stw_expect(s, "assist ratio=");
	*found = assist || stw_expect(s, "sweep done at heap size ") || read_design(&g->pacer, s) || read_redesign(&g->pacer, s);
	if (assist && stw_read_thousandths(assist, &ratio) && ratio > g->pacer.assist_ratio_max)
		g->pacer.assist_ratio_max = ratio;
	g->pacer.lines += *found;
	return true;
}
