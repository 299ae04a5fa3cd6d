/* The collector's share of the time, as lines of gctrace tell it; and collections that the program asks for one after another. */
#include "rules/godebug.h"

enum { FEW_CYCLES = 5, MIN_CYCLES = 3, GROWTH_CYCLES = 3, HEAP_MINIMUM_MIB = 4 };
static const int64_t WINDOW_NS = 5000000000, LEAST_NS = 250000000, BACK_TO_BACK = 500;

/* ---- over five seconds ---- */

typedef struct window {
	size_t first, n;
	int64_t from, to, mark_ns, assist_ns, busy_ns; /* busy: time of the procs that were not idle, at most */
	size_t forced;
	stwatch_severity severity;
} window;

static int64_t permille(int64_t part, int64_t whole)
{
	return whole > 0 ? (int64_t)((double)part * 1000 / (double)whole) : 0;
}

/* The procs' time less what samples say that they were idle. */
static int64_t busy_time(const stw_log_run *r, const window *w)
{
	int64_t idle = 0, all = 0;
	for (size_t i = 0; i < r->n_samples; i++) {
		const stw_sched_sample *s = &r->samples[i];
		if (s->at_ns < w->from || s->at_ns > w->to)
			continue;
		idle += s->idle < s->procs ? s->idle : s->procs;
		all += s->procs;
	}
	double share = all > 0 && all >= 3 * (int64_t)r->gcs[w->first].procs ? 1 - (double)idle / (double)all : 1;
	return (int64_t)((double)(w->to - w->from) * r->gcs[w->first].procs * share);
}

/* A heap that fills up for good collects each time that it has grown by GOGC percent, whatever the program does. */
static bool fills_up(const stw_log_run *r, const window *w)
{
	int64_t first = r->gcs[w->first].heap_live, last = r->gcs[w->first + w->n - 1].heap_live;
	size_t most = GROWTH_CYCLES;
	for (int64_t live = first ? first : 1; live <= last / 2; live *= 2)
		most += 2;
	return last / 2 >= first && w->n <= most;
}

static stwatch_severity share_severity(const stw_case *c, const stw_log_run *r, const window *w)
{
	int64_t mark = permille(w->mark_ns, w->to - w->from), assist = permille(w->assist_ns, w->busy_ns);
	bool busy = mark >= c->set[STW_SET_ALLOC_MARK_WARN] && assist >= c->set[STW_SET_ALLOC_ASSIST_WARN],
	     debt = assist >= c->set[STW_SET_ALLOC_DEBT_WARN] && mark >= c->set[STW_SET_ALLOC_DEBT_MARK];
	if (w->n < MIN_CYCLES || w->to - w->from < LEAST_NS || fills_up(r, w))
		return 0;
	if ((mark >= c->set[STW_SET_ALLOC_MARK_ERROR] && assist >= c->set[STW_SET_ALLOC_ASSIST_ERROR]) ||
		(debt && assist >= c->set[STW_SET_ALLOC_DEBT_ERROR]))
		return STWATCH_ERROR;
	if (busy || debt)
		return STWATCH_WARNING;
	bool many = (double)w->n * 1e9 >= (double)c->set[STW_SET_ALLOC_CYCLES] * (double)(w->to - w->from);
	bool taken = r->gcs[w->first + w->n - 1].percent * 10 >= c->set[STW_SET_ALLOC_MARK_WARN];
	return w->n >= FEW_CYCLES && (mark >= BACK_TO_BACK || (many && taken)) ? STWATCH_NOTE : 0;
}

/* WINDOW_NS from a cycle's beginning on; where the log has less, all of it, from the start of the program if it has the first one. */
static window window_at(const stw_case *c, const stw_log_run *r, size_t first)
{
	const stw_gc_line *l = &r->gcs[first];
	int64_t last = stw_gc_end(&r->gcs[r->n_gcs - 1]);
	if (r->n_samples && r->samples[r->n_samples - 1].at_ns > last)
		last = r->samples[r->n_samples - 1].at_ns;
	window w = {.first = first, .from = first == 0 && l->number == 1 ? 0 : l->at_ns};
	for (size_t i = first; i < r->n_gcs && (i == first || stw_gc_end(&r->gcs[i]) - w.from <= WINDOW_NS); i++) {
		w.n++;
		w.mark_ns += r->gcs[i].mark_ns;
		w.assist_ns += r->gcs[i].assist_ns;
		w.forced += r->gcs[i].forced;
	}
	bool rest = first + w.n == r->n_gcs;
	w.to = rest ? (last - w.from < WINDOW_NS ? last : w.from + WINDOW_NS) : r->gcs[first + w.n].at_ns;
	w.busy_ns = busy_time(r, &w);
	if (rest && first > 0 && last - w.from < WINDOW_NS) /* too little left */
		return w;
	w.severity = share_severity(c, r, &w);
	return w;
}

static bool is_worse(const window *a, const window *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	return permille(a->mark_ns, a->to - a->from) + permille(a->assist_ns, a->busy_ns) >
		permille(b->mark_ns, b->to - b->from) + permille(b->assist_ns, b->busy_ns);
}

static const char *cause_of(const stw_log_run *r, const window *w)
{
	const stw_gc_line *last = &r->gcs[w->first + w->n - 1];
	if (w->forced * 2 > w->n)
		return "requested-gc";
	if (last->heap_live >= HEAP_MINIMUM_MIB && last->goal >= 0 && last->goal < last->heap_live + last->heap_live / 3)
		return "tight-heap-goal";
	return "allocation";
}

static const char *advice_for(const char *cause)
{
	if (*cause == 'r')
		return "don't call runtime.GC or FreeOSMemory in a running service";
	if (*cause == 't')
		return "raise GOGC (or give GOMEMLIMIT, since Go 1.19, room above the live heap): the goal decides how often it collects";
	return "allocate less (reuse, preallocate, avoid pointers), raise GOGC, set GOMEMLIMIT (since Go 1.19); a heap profile shows what "
	       "is allocated, "
	       "a trace who assists";
}

static const char *goal_of(stw_case *c, const stw_gc_line *l)
{
	return l->goal < 0 ? "without a goal (GOGC=off)" : stw_case_printf(c, "its goal was %lld MiB", (long long)l->goal);
}

static void tell_share(stw_case *c, stw_found *f, const stw_log_run *r, const window *w)
{
	const stw_gc_line *first = &r->gcs[w->first], *last = &r->gcs[w->first + w->n - 1];
	int64_t between = 0;
	for (size_t i = w->first + 1; i < w->first + w->n; i++)
		between += r->gcs[i].at_ns - stw_gc_end(&r->gcs[i - 1]);
	stwatch_evidence *e = stw_log_step(c, f, r, first->line, first->at_ns, "collections",
		stw_case_printf(c, "gc %llu", (unsigned long long)first->number),
		"%zu collections in %s from here on (%zu asked for by the program); marking took %.1f %% of the time", w->n,
		stw_case_ms(c, w->to - w->from), w->forced, (double)permille(w->mark_ns, w->to - w->from) / 10);
	stw_found_value(c, e, "collections", (int64_t)w->n);
	stw_found_value(c, e, "marking_ns", w->mark_ns);
	e = stw_log_step(c, f, r, first->line, first->at_ns, "assists", stw_case_printf(c, "gc %llu", (unsigned long long)first->number),
		"goroutines had to mark for %s of CPU time, %.1f %% of what %u procs%s could run", stw_case_ms(c, w->assist_ns),
		(double)permille(w->assist_ns, w->busy_ns) / 10, first->procs, r->n_samples ? ", less those seen idle," : "");
	stw_found_value(c, e, "assist_ns", w->assist_ns);
	e = stw_log_step(c, f, r, last->line, last->at_ns, "heap", stw_case_printf(c, "gc %llu", (unsigned long long)last->number),
		"the last of them left %lld MiB live, %s; the collector has taken %lld %% of the CPU since the start%s",
		(long long)last->heap_live, goal_of(c, last), (long long)last->percent,
		w->n > 1 ? stw_case_printf(c, "; the next one began %s after the last ended, in the mean",
				   stw_case_ms(c, between > 0 ? between / (int64_t)(w->n - 1) : 0))
			 : "");
	stw_found_value(c, e, "gc_cpu_percent", last->percent);
	if (r->log->pacer.over * 2 > r->log->pacer.cycles)
		stw_log_step(c, f, r, last->line, last->at_ns, "pacer", "pacer",
			"in %llu of %llu cycles marking took more CPU than planned (%lld %%), %lld %% at most: assists",
			(unsigned long long)r->log->pacer.over, (unsigned long long)r->log->pacer.cycles,
			(long long)r->log->pacer.planned / 10, (long long)r->log->pacer.used_max / 10);
}

/* requested: of the severity with which this run's row of requested collections is told already; 0: it is not. */
static void judge_share(stw_case *c, const stw_log_run *r, stwatch_severity requested)
{
	window worst = {0};
	bool fresh;
	for (size_t i = 0, step = r->n_gcs / 4096 + 1; i < r->n_gcs; i += step) {
		window w = window_at(c, r, i);
		if (w.severity && (!worst.severity || is_worse(&w, &worst)))
			worst = w;
	}
	if (!worst.severity || !stw_log_may_tell(c, r, "allocation-starvation", worst.severity, worst.from, worst.to))
		return;
	const char *cause = cause_of(r, &worst);
	if (*cause == 'r' && requested >= worst.severity)
		return;
	stw_found *f = stw_found_for(c, "allocation-starvation", cause, NULL, -1, &fresh);
	if (!f)
		return;
	bool tells = stw_log_is_worst(
		f, worst.severity, worst.severity == STWATCH_NOTE ? STWATCH_POSSIBLE : STWATCH_LIKELY, worst.assist_ns, f->f.harm_ns);
	stw_log_occurs(c, f, r, worst.from, worst.to, STWATCH_NONE, STWATCH_NONE);
	f->f.harm_ns = worst.assist_ns > f->f.harm_ns ? worst.assist_ns : f->f.harm_ns;
	if (!tells)
		return;
	f->f.title = stw_case_printf(c,
		"%.0f collections a second, marking %.1f %% of the time, assists at least %.1f %% of what goroutines could run",
		(double)worst.n * 1e9 / (double)(worst.to - worst.from), (double)permille(worst.mark_ns, worst.to - worst.from) / 10,
		(double)permille(worst.assist_ns, worst.busy_ns) / 10);
	f->f.advice = advice_for(cause);
	tell_share(c, f, r, &worst);
	stw_found_rules_out(c, f, "a heap that only fills up: %lld MiB live after the first collection, %lld MiB after the last",
		(long long)r->gcs[worst.first].heap_live, (long long)r->gcs[worst.first + worst.n - 1].heap_live);
	stw_found_rules_out(c, f, "not known: who allocates");
}

/* ---- asked for, one after another ---- */

enum { MIN_ROW = 10 };
/* A benchmark asks for collections before each of its runs, of a second or so; a test for some in a row. */
static const int64_t LONGEST_PAUSE_NS = 500000000, SHORTEST_ROW_NS = 1000000000, NOTED_PERMILLE = 50;

/* Requested collections, each begun at most LONGEST_PAUSE_NS after the one before had ended. */
typedef struct row {
	const stw_gc_line *first, *last;
	size_t forced, others; /* others: those between them that the collector began by itself */
	int64_t forced_ns, cpu_ns, pause_max_ns; /* by the clock; CPU time of marking and assists; from one to the next */
} row;

/* The next row from *at on. False: no more. */
static bool next_row(const stw_log_run *r, size_t *at, row *out)
{
	*out = (row){0};
	size_t others = 0;
	for (; *at < r->n_gcs; (*at)++) {
		const stw_gc_line *l = &r->gcs[*at];
		int64_t pause = out->last ? l->at_ns - stw_gc_end(out->last) : 0;
		if (out->last && pause > LONGEST_PAUSE_NS)
			return true;
		if (!l->forced) {
			others += out->last != NULL;
			continue;
		}
		out->first = out->first ? out->first : l;
		out->last = l;
		out->forced++;
		out->others += others;
		others = 0;
		out->forced_ns += stw_gc_end(l) - l->at_ns;
		out->cpu_ns += l->dedicated_ns + l->assist_ns;
		out->pause_max_ns = pause > out->pause_max_ns ? pause : out->pause_max_ns;
	}
	return out->last != NULL;
}

static int64_t length_of(const row *w)
{
	return stw_gc_end(w->last) - w->first->at_ns;
}

static stwatch_severity row_severity(const stw_case *c, const row *w)
{
	int64_t share = permille(w->forced_ns, length_of(w));
	if (w->forced < MIN_ROW || w->others >= w->forced || length_of(w) < SHORTEST_ROW_NS)
		return 0;
	if (share >= c->set[STW_SET_ALLOC_MARK_WARN])
		return STWATCH_WARNING;
	bool many = (double)w->forced * 1e9 >= (double)c->set[STW_SET_ALLOC_CYCLES] * (double)length_of(w);
	return many || share >= NOTED_PERMILLE ? STWATCH_NOTE : 0;
}

static void tell_row(stw_case *c, stw_found *f, const stw_log_run *r, const row *w)
{
	const char *part = stw_case_printf(c, "gc %llu", (unsigned long long)w->first->number);
	int64_t length = length_of(w), procs = w->first->procs;
	double rate = (double)w->forced * 1e9 / (double)length;
	f->f.title = stw_case_printf(c, "the program asks for %.*f collections a second over %s: %.1f %% of the time", rate < 10, rate,
		stw_case_ms(c, length), (double)permille(w->forced_ns, length) / 10);
	f->f.advice = "don't call runtime.GC or debug.FreeOSMemory in a running service: the collector knows when to begin; GOMEMLIMIT "
		      "(since Go 1.19) "
		      "keeps memory down; a trace has the stack of who asks";
	stwatch_evidence *e = stw_log_step(c, f, r, w->first->line, w->first->at_ns, "collections", part,
		"the first of %zu forced collections in a row (runtime.GC, debug.FreeOSMemory); they took %s of %s", w->forced,
		stw_case_ms(c, w->forced_ns), stw_case_ms(c, length));
	stw_found_value(c, e, "collections", (int64_t)w->forced);
	stw_found_value(c, e, "collecting_ns", w->forced_ns);
	e = stw_log_step(c, f, r, w->last->line, w->last->at_ns, "heap", stw_case_printf(c, "gc %llu", (unsigned long long)w->last->number),
		"the last of them began at %lld MiB and left %lld MiB live, %s", (long long)w->last->heap_start,
		(long long)w->last->heap_live, goal_of(c, w->last));
	stw_log_step(c, f, r, w->last->line, w->last->at_ns, "cpu", stw_case_printf(c, "gc %llu", (unsigned long long)w->last->number),
		"marking for them took %s of CPU time, %.1f %% of what %lld procs could run (idle ones that helped not counted)",
		stw_case_ms(c, w->cpu_ns), (double)permille(w->cpu_ns, length * (procs ? procs : 1)) / 10, (long long)procs);
	stw_found_value(c, e, "marking_cpu_ns", w->cpu_ns);
	stw_found_rules_out(c, f, "the collector's own pace: %zu of the collections meanwhile %s not asked for", w->others,
		w->others == 1 ? "was" : "were");
	stw_found_rules_out(c, f,
		"a few before the runs of a benchmark, or one every few minutes: the next began %s after the last at most",
		stw_case_ms(c, w->pause_max_ns));
	stw_found_rules_out(c, f, "not known: who asks for them");
}

/* The severity with which the run's rows are told; 0: there is none to tell. */
static stwatch_severity judge_rows(stw_case *c, const stw_log_run *r)
{
	stwatch_severity most = 0;
	row w;
	for (size_t at = 0; next_row(r, &at, &w) && !c->failed;) {
		stwatch_severity severity = row_severity(c, &w);
		bool fresh;
		int64_t from = w.first->at_ns, to = stw_gc_end(w.last);
		if (!severity || !stw_log_may_tell(c, r, "allocation-starvation", severity, from, to))
			continue;
		stw_found *f = stw_found_for(c, "allocation-starvation", "requested-gc", NULL, -1, &fresh);
		if (!f)
			break;
		bool tells = stw_log_is_worst(f, severity, STWATCH_LIKELY, to - from, f->f.worst_ns);
		stw_log_occurs(c, f, r, from, to, STWATCH_NONE, STWATCH_NONE);
		most = severity > most ? severity : most;
		if (tells)
			tell_row(c, f, r, &w);
	}
	return most;
}

static void judge(stw_case *c)
{
	stw_log_run r;
	for (stw_log_at at = {0}; stw_next_log_run(c, &at, &r) && !c->failed;)
		judge_share(c, &r, judge_rows(c, &r));
}

const stw_rule stw_rule_godebug_share = {"GODEBUG: the collector's share", NULL, judge};
