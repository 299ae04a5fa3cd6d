/* Threads and what detailed samples of schedtrace say of single P's and goroutines: more and more threads in system calls, P's that
 * a system call kept, goroutines that ran on without being preempted. */
#include "rules/godebug.h"

enum { MANY = 5, ROUNDS = 3, FEW_CALLS = 3, MOST_TOLD = 8, MOST_LOOKED_AT = 1024 };
/* A goroutine has 10 ms before it is preempted, and sysmon looks every 10 ms (forcePreemptNS, sysmon in runtime/proc.go). */
static const int64_t SLICES_NS = 30000000;

/* ---- threads in system calls ---- */

typedef struct calls {
	const stw_sched_sample *low, *peak, *last;
	size_t records; /* samples with more than all since the lowest one before the peak */
	uint32_t in_low, in_peak, in_last;
} calls;

/* The largest growth from an earlier sample to a later one. */
static calls growth_of(const stw_log_run *r)
{
	calls best = {0};
	const stw_sched_sample *low = NULL;
	uint32_t in_low = 0, record = 0;
	size_t records = 0;
	for (size_t i = 0; i < r->n_samples; i++) {
		const stw_sched_sample *s = &r->samples[i];
		uint32_t n = stw_sched_in_calls(s);
		if (!low || n <= in_low) {
			low = s;
			in_low = record = n;
			records = 0;
		} else if (n > record) {
			record = n;
			records++;
		}
		if (n - in_low > best.in_peak - best.in_low || !best.peak)
			best = (calls){.low = low, .peak = s, .records = records, .in_low = in_low, .in_peak = n};
		best.last = s;
		best.in_last = n;
	}
	return best;
}

static stwatch_severity growth_severity(const stw_case *c, const calls *k)
{
	int64_t grown = (int64_t)k->in_peak - k->in_low;
	bool stay = k->in_last * 5 >= k->in_peak * 4, beyond = k->in_peak > 2 * k->peak->procs;
	if (k->records < ROUNDS || grown < c->set[STW_SET_CALLS_NOTE])
		return 0;
	if (!stay || !beyond || grown < c->set[STW_SET_CALLS_WARN])
		return STWATCH_NOTE;
	return grown >= c->set[STW_SET_CALLS_ERROR] ? STWATCH_ERROR : STWATCH_WARNING;
}

static void tell_calls(stw_case *c, stw_found *f, const stw_log_run *r, const stw_sched_sample *s, const char *step)
{
	stwatch_evidence *e = stw_log_step(c, f, r, s->line, s->at_ns, step, "SCHED",
		"%u threads: %u in system calls or C%s, %u idle; %u of %u procs idle, %llu goroutines in queues", s->threads,
		stw_sched_in_calls(s), s->detailed ? "" : " (those without a proc that are not idle, less the runtime's monitor)",
		s->idle_threads, s->idle, s->procs, (unsigned long long)stw_sched_queued(s));
	stw_found_value(c, e, "threads", s->threads);
	stw_found_value(c, e, "threads_in_calls", stw_sched_in_calls(s));
	stw_found_value(c, e, "threads_locked", s->detail.ms_locked);
}

static const char *const CALLS_ADVICE = "what blocks there: files, pipes and devices that are not polled, name lookups through C, locks in "
					"C code? bound how many do it at one "
					"time; a goroutine dump shows who stands in \"syscall\", the runtime gives up at 10000 threads";

static bool judge_growth(stw_case *c, const stw_log_run *r)
{
	calls k = growth_of(r);
	stwatch_severity severity = k.peak ? growth_severity(c, &k) : 0;
	bool fresh;
	if (!severity || !stw_log_may_tell(c, r, "goroutine-stuck-syscall", severity, k.low->at_ns, k.last->at_ns))
		return false;
	stw_found *f = stw_found_for(c, "goroutine-stuck-syscall", "thread-growth", NULL, -1, &fresh);
	if (!f)
		return false;
	bool tells = stw_log_is_worst(
		f, severity, k.records >= MANY ? STWATCH_LIKELY : STWATCH_POSSIBLE, k.last->at_ns - k.low->at_ns, f->f.worst_ns);
	stw_log_occurs(c, f, r, k.low->at_ns, k.last->at_ns, STWATCH_NONE, STWATCH_NONE);
	if (!tells)
		return true;
	f->f.title = stw_case_printf(c, "more and more threads in system calls or C: %u, then %u of %u, within %s", k.in_low, k.in_peak,
		k.peak->threads, stw_case_ms(c, k.peak->at_ns - k.low->at_ns));
	f->f.advice = CALLS_ADVICE;
	tell_calls(c, f, r, k.low, "first");
	tell_calls(c, f, r, k.peak, "most");
	if (k.last != k.peak)
		tell_calls(c, f, r, k.last, "last");
	stw_found_rules_out(c, f, "not known: which goroutines they are, and in which calls");
	return true;
}

static const int64_t LONG_CALL_NS = 100000000;

static bool is_held(const stw_log_run *r, const stw_sched_stay *s)
{
	return s->run == r->run && s->kind == STW_STAY_IN_CALL && s->samples >= 2 && s->to_ns - s->from_ns >= LONG_CALL_NS;
}

/* How many others are so at the time when this one is seen last. */
static size_t beside(const stw_log_run *r, const stw_sched_stay *s)
{
	size_t n = 0;
	for (size_t i = 0; i < r->log->stays.count; i++) {
		const stw_sched_stay *o = &r->log->stays.items[i];
		n += o != s && is_held(r, o) && o->from_ns < s->to_ns && o->to_ns >= s->to_ns;
	}
	return n;
}

/* Goroutines in system calls on one thread from sample to sample: several at one time, as one reader or waiter is common. */
static void judge_held(stw_case *c, const stw_log_run *r)
{
	const stw_sched_stay *longest = NULL;
	size_t n = 0, looked_at = 0;
	for (size_t i = 0; i < r->log->stays.count && looked_at < MOST_LOOKED_AT; i++) {
		const stw_sched_stay *s = &r->log->stays.items[i];
		if (!is_held(r, s))
			continue;
		looked_at++;
		size_t at_once = 1 + beside(r, s);
		n = at_once > n ? at_once : n;
		longest = longest && longest->to_ns - longest->from_ns >= s->to_ns - s->from_ns ? longest : s;
	}
	bool fresh;
	if (n < FEW_CALLS || !stw_log_may_tell(c, r, "goroutine-stuck-syscall", STWATCH_NOTE, longest->from_ns, longest->to_ns))
		return;
	stw_found *f = stw_found_for(c, "goroutine-stuck-syscall", "blocking-call", NULL, -1, &fresh);
	if (!f)
		return;
	bool tells = stw_log_is_worst(f, STWATCH_NOTE, STWATCH_POSSIBLE, longest->to_ns - longest->from_ns, f->f.worst_ns);
	for (size_t i = 0, told = 0; i < r->log->stays.count && !c->failed; i++) {
		const stw_sched_stay *s = &r->log->stays.items[i];
		if (!is_held(r, s))
			continue;
		stw_log_occurs(c, f, r, s->from_ns, s->to_ns, s->g, STWATCH_NONE);
		if (!tells || told++ >= MOST_TOLD)
			continue;
		stwatch_evidence *e = stw_log_step(c, f, r, s->from_line, s->from_ns, "in-call", "SCHED",
			"G%lld is in a system call or C on M%lld, and in %u sample%s after it, for %s", (long long)s->g, (long long)s->m,
			s->samples - 1, s->samples > 2 ? "s" : "", stw_case_ms(c, s->to_ns - s->from_ns));
		e->goroutine = s->g;
		e->thread = s->m;
	}
	if (!tells)
		return;
	f->f.title = stw_case_printf(c,
		"%zu goroutines stood in system calls or C at one time, each on one thread from sample to sample, for %s at most", n,
		stw_case_ms(c, longest->to_ns - longest->from_ns));
	f->f.advice = CALLS_ADVICE;
	stw_found_rules_out(c, f, "not known: whether each was one call or many, and whether anybody waited for them");
}

/* The same where samples have no details: never fewer than a few in many samples in a row. */
static void judge_steady(stw_case *c, const stw_log_run *r)
{
	const stw_sched_sample *from = NULL, *best_from = NULL, *best_to = NULL;
	size_t n = 0, best = 0;
	uint32_t least = 0, best_least = 0;
	for (size_t i = 0; i < r->n_samples; i++) {
		const stw_sched_sample *s = &r->samples[i];
		uint32_t in = s->detailed ? 0 : stw_sched_in_calls(s);
		if (in <= FEW_CALLS) {
			n = 0;
			continue;
		}
		from = n ? from : s;
		least = n && least < in ? least : in;
		n++;
		if (n > best) {
			best = n;
			best_from = from;
			best_to = s;
			best_least = least;
		}
	}
	bool fresh;
	if (best < ROUNDS || best_to->at_ns - best_from->at_ns < LONG_CALL_NS ||
		!stw_log_may_tell(c, r, "goroutine-stuck-syscall", STWATCH_NOTE, best_from->at_ns, best_to->at_ns))
		return;
	stw_found *f = stw_found_for(c, "goroutine-stuck-syscall", "blocking-call", NULL, -1, &fresh);
	if (!f)
		return;
	bool tells = stw_log_is_worst(f, STWATCH_NOTE, STWATCH_POSSIBLE, best_to->at_ns - best_from->at_ns, f->f.worst_ns);
	stw_log_occurs(c, f, r, best_from->at_ns, best_to->at_ns, STWATCH_NONE, STWATCH_NONE);
	if (!tells)
		return;
	f->f.title = stw_case_printf(c, "never fewer than %u threads in system calls or C in %zu samples in a row, over %s", best_least,
		best, stw_case_ms(c, best_to->at_ns - best_from->at_ns));
	f->f.advice = CALLS_ADVICE;
	tell_calls(c, f, r, best_from, "first");
	tell_calls(c, f, r, best_to, "last");
	stw_found_rules_out(
		c, f, "not known: which goroutines they are, in which calls, and whether these were the same (scheddetail=1 would tell)");
}

/* ---- P's ---- */

static stwatch_severity by_level(const stw_case *c, int64_t size, int note)
{
	return size >= c->set[note + 2]    ? STWATCH_ERROR
		: size >= c->set[note + 1] ? STWATCH_WARNING
		: size >= c->set[note]     ? STWATCH_NOTE
					   : 0;
}

static bool is_marking(const stw_log_run *r, const stw_sched_stay *s)
{
	int64_t most = 0;
	for (size_t i = 0; i < r->n_gcs; i++) {
		const stw_gc_line *l = &r->gcs[i];
		most = stw_add_up(most, stw_overlap(s->from_ns, s->to_ns, l->at_ns, stw_gc_end(l)));
	}
	return most >= (s->to_ns - s->from_ns) / 2;
}

/* A mark worker keeps its P, by design: where goroutines are not named, one must be ruled out by other lines. */
static bool runs_on(const stw_log_run *r, const stw_sched_stay *s)
{
	if (s->run != r->run || s->collector || s->to_ns - s->from_ns < SLICES_NS)
		return false;
	return s->kind == STW_STAY_RUNS || (s->kind == STW_STAY_TICKS && r->n_gcs && !is_marking(r, s));
}

static stwatch_severity runs_severity(const stw_case *c, const stw_sched_stay *s)
{
	stwatch_severity severity = s->queued || s->stopping ? by_level(c, s->to_ns - s->from_ns, STW_SET_NOPREEMPT_NOTE) : STWATCH_NOTE;
	return s->kind == STW_STAY_TICKS && severity > STWATCH_WARNING ? STWATCH_WARNING : severity;
}

static void tell_runs(stw_case *c, stw_found *f, const stw_log_run *r, const stw_sched_stay *s)
{
	bool known = s->kind == STW_STAY_RUNS;
	const char *who = known ? stw_case_printf(c, "G%lld", (long long)s->g) : "what ran there";
	f->f.title = stw_case_printf(c, "P%lld did not schedule once in %s, while %s%s", (long long)s->p,
		stw_case_ms(c, s->to_ns - s->from_ns), known ? stw_case_printf(c, "G%lld ran on it", (long long)s->g) : "no proc was idle",
		s->stopping         ? " and the world was to be stopped"
			: s->queued ? " and others stood in queues"
				    : "");
	f->f.advice = "before Go 1.14 a loop without calls can't be preempted; since then a long memory clear or copy, assembly, or "
		      "GODEBUG="
		      "asyncpreemptoff=1; a CPU profile of such a moment, or a goroutine dump, shows which";
	stwatch_evidence *e = stw_log_step(c, f, r, s->from_line, s->from_ns, "runs", "SCHED", "schedtick of P%lld is %llu%s",
		(long long)s->p, (unsigned long long)s->schedtick,
		known ? stw_case_printf(c, ", G%lld runs there, on M%lld", (long long)s->g, (long long)s->m) : "");
	e->proc = s->p;
	e->goroutine = known ? s->g : STWATCH_NONE;
	e->thread = known ? s->m : STWATCH_NONE;
	e = stw_log_step(c, f, r, s->line, s->to_ns, "still", "SCHED",
		"it is the same in %u samples in a row; up to %llu goroutines stood in queues%s", s->samples, (unsigned long long)s->queued,
		s->stopping ? ", and the world was being stopped (gcwaiting)" : "");
	e->proc = s->p;
	stw_found_value(c, e, "samples", s->samples);
	stw_found_rules_out(c, f, "that %s was preempted and went on: each start counts in schedtick", who);
	if (known)
		stw_found_rules_out(c, f, "a mark worker, which keeps its P by design: its last wait was none of the collector's");
	stw_found_rules_out(c, f, "not known: whether the kernel took the CPU away from that thread");
}

static void judge_runs(stw_case *c, const stw_log_run *r)
{
	for (size_t i = 0; i < r->log->stays.count && !c->failed; i++) {
		const stw_sched_stay *s = &r->log->stays.items[i];
		stwatch_severity severity = runs_on(r, s) ? runs_severity(c, s) : 0;
		bool fresh;
		if (!severity || !stw_log_may_tell(c, r, "non-preemptible", severity, s->from_ns, s->to_ns))
			continue;
		stw_found *f = stw_found_for(c, "non-preemptible", "no-preemption-point", NULL, -1, &fresh);
		if (!f)
			return;
		bool tells = stw_log_is_worst(f, severity, STWATCH_POSSIBLE, s->to_ns - s->from_ns, f->f.worst_ns);
		stw_log_occurs(c, f, r, s->from_ns, s->to_ns, s->g >= 0 ? s->g : STWATCH_NONE, s->p);
		if (tells)
			tell_runs(c, f, r, s);
	}
}

static void judge_calls(stw_case *c, const stw_log_run *r)
{
	for (size_t i = 0; i < r->log->stays.count && !c->failed; i++) {
		const stw_sched_stay *s = &r->log->stays.items[i];
		stwatch_severity severity = s->queued ? by_level(c, s->to_ns - s->from_ns, STW_SET_RETAKE_NOTE) : 0;
		bool fresh;
		if (s->run != r->run || s->kind != STW_STAY_CALL || !severity ||
			!stw_log_may_tell(c, r, "proc-syscall-retake", severity, s->from_ns, s->to_ns))
			continue;
		stw_found *f = stw_found_for(c, "proc-syscall-retake", "late-retake", NULL, STW_SET_RETAKE_NOTE, &fresh);
		if (!f)
			return;
		bool tells = stw_log_is_worst(f, severity, STWATCH_LIKELY, s->to_ns - s->from_ns, f->f.worst_ns);
		stw_log_occurs(c, f, r, s->from_ns, s->to_ns, STWATCH_NONE, s->p);
		if (!tells)
			continue;
		f->f.title = stw_case_printf(c,
			"P%lld stood in one system call for %s and was not taken back, while up to %llu goroutines stood in queues",
			(long long)s->p, stw_case_ms(c, s->to_ns - s->from_ns), (unsigned long long)s->queued);
		f->f.advice = "the runtime's monitor takes such a P back within 10 ms unless it does not get to run: is the machine "
			      "overloaded or "
			      "throttled?";
		stwatch_evidence *e = stw_log_step(c, f, r, s->from_line, s->from_ns, "in-call", "SCHED",
			"P%lld is in a system call (status 2), syscalltick %llu", (long long)s->p, (unsigned long long)s->syscalltick);
		e->proc = s->p;
		e = stw_log_step(c, f, r, s->line, s->to_ns, "still", "SCHED", "it is in the same one in %u samples in a row", s->samples);
		e->proc = s->p;
		stw_found_rules_out(c, f, "several calls one after the other: each counts in syscalltick");
	}
}

static void judge(stw_case *c)
{
	stw_log_run r;
	for (stw_log_at at = {0}; stw_next_log_run(c, &at, &r) && !c->failed;) {
		if (!judge_growth(c, &r)) {
			judge_held(c, &r);
			judge_steady(c, &r);
		}
		judge_runs(c, &r);
		judge_calls(c, &r);
	}
}

const stw_rule stw_rule_godebug_threads = {"GODEBUG: threads and procs", NULL, judge};
