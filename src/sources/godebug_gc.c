/* gctrace and gcpacertrace. */
#include "sources/godebug.h"
#include "sources/godebug_scan.h"

/* ---- gctrace ---- */

/* "0.042+0.35/0.1+0.006": numbers and what separates them, up to most. */
static const char *read_sum(const char *s, int64_t *ns, char *before, unsigned most, unsigned *n)
{
	for (*n = 0; s && *n < most;) {
		s = stw_read_time(s, 1000000, &ns[*n]);
		(*n)++;
		if (!s || (*s != '+' && *s != '/'))
			return s;
		before[*n] = *s++;
	}
	return NULL;
}

/* Sweep termination, mark, mark termination; in Go 1.5 there are scan, installing the write barriers (no stop) and mark between. */
static bool read_phases(stw_gc_line *gc, const int64_t *clock, unsigned n)
{
	gc->sweep_term_ns = clock[0];
	for (unsigned i = 1; i + 1 < n; i++)
		gc->mark_ns += clock[i];
	gc->mark_term_ns = clock[n - 1];
	return n == 3 || n == STW_GCTRACE_PHASES;
}

/* Of the CPU times, assist/dedicated/idle stand between slashes. */
static bool read_cpu(stw_gc_line *gc, const int64_t *cpu, const char *before, unsigned n)
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

/* "0 MB stacks, 0 MB globals, " (Go 1.18 and later), or nothing. */
static const char *skip_roots(const char *s)
{
	uint64_t n;
	const char *next = stw_expect(stw_read_count(s, &n), " MB stacks, ");
	s = next ? next : s;
	next = stw_expect(stw_read_count(s, &n), " MB globals, ");
	return next ? next : s;
}

bool stw_godebug_gc(stw_godebug *g, const char *s, const stw_godebug_at *at, bool *found)
{
	stw_gc_line gc = {.line = at->line};
	uint64_t percent, heap[4], procs;
	int64_t clock[STW_GCTRACE_PHASES], cpu[STW_GCTRACE_PHASES + 4];
	char before[STW_GCTRACE_PHASES + 5] = {0};
	unsigned n;
	s = stw_expect(stw_read_time(stw_expect(stw_read_count(s, &gc.number), " @"), 1000000000, &gc.at_ns), "s ");
	s = stw_expect(stw_read_count(s, &percent), "%");
	if (!s)
		return true;
	*found = true;
	s = read_sum(stw_expect(stw_optional(s, " (checking for goroutine leaks)"), ": "), clock, before, STW_GCTRACE_PHASES, &n);
	bool whole = (s = stw_expect(s, " ms clock, ")) && n >= 3 && read_phases(&gc, clock, n);
	s = whole ? read_sum(s, cpu, before, sizeof cpu / sizeof *cpu, &n) : NULL;
	whole = (s = stw_expect(s, " ms cpu, ")) && read_cpu(&gc, cpu, before, n);
	for (int i = 0; i < 3; i++)
		s = stw_expect(stw_read_count(s, &heap[i]), i < 2 ? "->" : " MB, ");
	s = stw_expect(stw_read_count(s, &heap[3]), " MB goal, ");
	s = stw_expect(stw_read_count(s ? skip_roots(s) : NULL, &procs), " P");
	if (!whole || !s) {
		g->torn++;
		return true;
	}
	gc.percent = (int64_t)percent;
	gc.heap_start = stw_small((int64_t)heap[0]);
	gc.heap_end = stw_small((int64_t)heap[1]);
	gc.heap_live = stw_small((int64_t)heap[2]);
	gc.goal = stw_small((int64_t)heap[3]);
	gc.procs = stw_small((int64_t)procs);
	gc.forced = stw_expect(s, " (forced)") != NULL;
	gc.run = stw_godebug_run_of(g, at, gc.at_ns, (int64_t)(gc.number < INT64_MAX ? gc.number : INT64_MAX));
	stw_gc_line *slot = gc.run == UINT32_MAX ? NULL : stw_vec_push(g->mem, &g->gcs);
	if (slot)
		*slot = gc;
	return slot != NULL;
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
