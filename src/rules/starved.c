/* Goroutines that stood runnable too long, and why. Waits that belong to another rule (a stop, an idle proc beside them,
 * a proc kept by a system call) are left to it. */
#include <stdlib.h>
#include <string.h>

#include "rules/case.h"
#include "rules/waits.h"

enum { MOST = 2000, MOST_READ = 16, MOST_WINDOWS = 40, NEAR_NS = 500000000, MOST_PROCS = 8, QUEUE_RUNS = 4 };

/* Why a wait was long, as far as the procs' stretches of 1 ms and more tell; saturation is what is left. */
typedef enum reason { BY_STOP, BY_IDLE, BY_SYSCALL, BY_GC, BY_OUTSIDE, BY_NO_CPU, BY_LONG_RUN, BY_LOAD } reason;

static const stw_candidate *long_run_in(stw_case *c, const stw_candidate *w, int64_t *covered)
{
	const stw_candidate *longest = NULL;
	int64_t most = 0;
	*covered = 0;
	for (size_t i = 0; i < c->gather->runs.count; i++) {
		stw_candidate *r = &c->gather->runs.items[i];
		int64_t part = stw_overlap(r->from, r->to, w->from, w->to);
		if (part <= 0 || r->g == w->g || !stw_ran_on(c, r))
			continue;
		*covered += part;
		if (part > most) {
			most = part;
			longest = r;
		}
	}
	return longest;
}

/* Without CPU samples: a machine that kept the whole process from running for longer than a run lasted may have kept that one thread, too. */
static bool may_have_been_off(const stw_case *c, const stw_candidate *run)
{
	return !c->has_samples && stw_overlap_outside(c, c->gather->first_time, c->gather->last_time) > run->to - run->from;
}

static reason reason_of(stw_case *c, const stw_candidate *w, const stw_candidate **runner)
{
	int64_t net = w->to - w->from - w->stopped_ns, user = w->use_ns[STW_USE_USER], covered;
	if (net < c->set[STW_SET_STARVED_NOTE] || w->stopped_ns * 2 >= w->to - w->from)
		return BY_STOP;
	if (stw_overlap_outside_likely(c, w->from, w->to) * 2 >= net)
		return BY_OUTSIDE;
	if (w->idle_beside_ns * 2 >= net)
		return BY_IDLE;
	if (w->use_ns[STW_USE_SYSCALL] * 2 >= w->proc_ns)
		return BY_SYSCALL;
	if (w->use_ns[STW_USE_GC] * 10 >= w->proc_ns * 4)
		return BY_GC;
	/* Who looks for work finds what is there within microseconds, if it executes. */
	if (w->use_ns[STW_USE_SPINNING] * 2 >= net)
		return BY_NO_CPU;
	*runner = long_run_in(c, w, &covered);
	if (*runner && may_have_been_off(c, *runner))
		*runner = NULL;
	/* One run after another of many goroutines is a queue: each of them may have run for long, but none of them is why. */
	if (*runner && covered * 10 >= user * 6 && stw_overlap((*runner)->from, (*runner)->to, w->from, w->to) * QUEUE_RUNS >= net)
		return BY_LONG_RUN;
	return BY_LOAD;
}

/* Where events are missing, and what most of the procs did is not known. */
static bool is_untold(const stw_case *c, const stw_candidate *w)
{
	return w->use_ns[STW_USE_UNKNOWN] * 2 >= w->proc_ns && stw_trace_is_damaged(c->trace, w->from, w->to);
}

static bool counts(const stw_case *c, const stw_candidate *w)
{
	return !w->gc_worker && w->to - w->from >= c->set[STW_SET_STARVED_NOTE] && !is_untold(c, w);
}

static void want(stw_case *c)
{
	stw_candidates_sort(&c->gather->runnable_stays);
	for (size_t i = 0; i < c->gather->runnable_stays.count; i++) /* also of those that are not judged: what ran has a name so */
		stw_places_want(&c->places, c->gather->runnable_stays.items[i].root);
	for (size_t i = 0; i < c->gather->runnable_stays.count && i < MOST; i++) {
		const stw_candidate *w = &c->gather->runnable_stays.items[i];
		stw_places_want(&c->places, w->stack);
		stw_places_want(&c->places, w->wake);
		stw_places_want_string(&c->places, w->reason_generation, w->reason);
	}
	for (size_t i = 0; i < c->gather->sites.count; i++)
		if (c->gather->sites.items[i].site.triggers)
			stw_places_want(
				&c->places, (stw_place){c->gather->sites.items[i].generation, c->gather->sites.items[i].site.stack});
	stw_candidates_sort(&c->gather->runs);
	for (size_t i = 0; i < c->gather->runs.count && i < MOST; i++) {
		stw_places_want(&c->places, c->gather->runs.items[i].root);
		stw_places_want(&c->places, c->gather->runs.items[i].stack);
	}
}

static bool is_looked_at(const stw_case *c, const stw_candidate *w)
{
	for (size_t i = 0; i < c->activity.windows.count; i++)
		if (stw_overlap(c->activity.windows.items[i].from, c->activity.windows.items[i].to, w->from, w->to) * 2 >= w->to - w->from)
			return true;
	return false;
}

static bool is_busy_wait(stw_case *c, const stw_candidate *w)
{
	const stw_candidate *runner = NULL;
	if (!counts(c, w) || stw_is_runtimes(stw_places_stack(&c->places, w->root)))
		return false;
	reason why = reason_of(c, w, &runner);
	return why == BY_LOAD || (why == BY_LONG_RUN && !c->has_samples);
}

/* The waits whose procs are looked at closely: the longest of each victim function, then those of other times. Called when names are
 * known. */
void stw_starved_want_activity(stw_case *c)
{
	unsigned asked = 0;
	const char *seen[MOST_READ];
	const stw_candidates *all = &c->gather->runnable_stays;
	for (size_t i = 0; i < all->count; i++) {
		const char *f = stw_root_function(stw_places_stack(&c->places, all->items[i].root));
		if (f)
			stw_activity_knows(&c->activity, all->items[i].g, f);
	}
	for (size_t i = 0; i < all->count && i < MOST && asked < MOST_READ; i++) {
		stw_candidate *w = &all->items[i];
		w->window = UINT32_MAX;
		if (!is_busy_wait(c, w))
			continue;
		const char *f = stw_own_function(stw_places_stack(&c->places, w->stack), stw_places_stack(&c->places, w->root));
		unsigned same = 0;
		for (unsigned k = 0; k < asked; k++)
			same += f && seen[k] && strcmp(seen[k], f) == 0;
		if (same)
			continue;
		w->window = stw_activity_want(&c->activity, w->from, w->to, w->g);
		if (w->window != UINT32_MAX)
			seen[asked++] = f;
	}
	for (size_t i = 0; i < all->count && i < MOST && c->activity.windows.count < MOST_WINDOWS; i++)
		if (!is_looked_at(c, &all->items[i]) && is_busy_wait(c, &all->items[i]))
			all->items[i].window = stw_activity_want(&c->activity, all->items[i].from, all->items[i].to, all->items[i].g);
}

static bool is_woken(uint8_t how)
{
	return how == STW_HOW_WOKEN || how == STW_HOW_POLLED || how == STW_HOW_ALONE;
}

static const char *how_word(uint8_t how)
{
	switch (how) {
	case STW_HOW_CREATED: return "created";
	case STW_HOW_WOKEN:
	case STW_HOW_POLLED:
	case STW_HOW_ALONE: return "woken";
	case STW_HOW_PREEMPTED: return "preempted";
	case STW_HOW_YIELDED: return "gave way (Gosched)";
	case STW_HOW_SYSCALL: return "back from a system call";
	default: return "runnable";
	}
}

static void tell_wait(stw_case *c, stw_found *f, const stw_candidate *w)
{
	const stw_named_stack *wake = stw_places_stack(&c->places, w->wake), *own = stw_places_stack(&c->places, w->stack);
	const char *by = w->waker >= 0
		? stw_case_printf(c, " by G%lld%s%s", (long long)w->waker, wake->n ? " at " : "", stw_case_site(c, wake))
		: "";
	if (w->begun) {
		stwatch_evidence *e = stw_found_step(c, f, w->from,
			w->how == STW_HOW_CREATED  ? "created"
				: is_woken(w->how) ? "woken"
						   : "runnable",
			w->how == STW_HOW_CREATED           ? "GoCreate"
				: is_woken(w->how)          ? "GoUnblock"
				: w->how == STW_HOW_SYSCALL ? "GoSyscallEndBlocked"
							    : "GoStop",
			"G%lld %s%s: runnable from here", (long long)w->g, how_word(w->how), by);
		e->goroutine = w->g;
		stw_found_stack(e, wake->n ? wake : own);
	} else {
		stw_found_step(c, f, w->from, "runnable", "GoStatus", "G%lld is runnable when the trace begins", (long long)w->g)
			->goroutine = w->g;
	}
	if (w->open) {
		stw_found_step(
			c, f, w->to, "end", w->cut ? "a gap in the trace" : "end of the trace", "G%lld has still not run", (long long)w->g)
			->goroutine = w->g;
	} else {
		stwatch_evidence *e = stw_found_step(c, f, w->to, "started", "GoStart", "G%lld runs at last, on P%lld, after %s",
			(long long)w->g, (long long)w->p, stw_case_ms(c, w->to - w->from));
		e->goroutine = w->g;
		e->proc = w->p;
		stw_found_value(c, e, "waited_ns", w->to - w->from);
		stw_found_value(c, e, "stopped_ns", w->stopped_ns);
	}
	static const struct {
		uint8_t use;
		const char *word;
	} uses[] = {
		{STW_USE_UNKNOWN, "not known"},
		{STW_USE_IDLE, "idle"},
		{STW_USE_SPINNING, "looking for work"},
		{STW_USE_SYSCALL, "kept by system calls"},
		{STW_USE_GC, "on mark workers"},
		{STW_USE_GC_IDLE, "on idle-time mark workers"},
		{STW_USE_STOPPED, "stopped"},
	};
	const bool damaged = stw_trace_is_damaged(c->trace, w->from, w->to);
	char line[256] = "";
	size_t n = 0;
	int64_t busy = w->proc_ns > 0 ? w->use_ns[STW_USE_USER] * 100 / w->proc_ns : 0;
	n += (size_t)snprintf(
		line, sizeof line, "the procs' time meanwhile: %s%lld %% on goroutines", damaged ? "at most " : "", (long long)busy);
	for (size_t i = 0; i < sizeof uses / sizeof *uses && n < sizeof line; i++)
		if (w->proc_ns > 0 && w->use_ns[uses[i].use] * 100 / w->proc_ns >= 1)
			n += (size_t)snprintf(line + n, sizeof line - n, ", %lld %% %s",
				(long long)(w->use_ns[uses[i].use] * 100 / w->proc_ns), uses[i].word);
	stwatch_evidence *e = stw_found_step(c, f, w->from + 1, "procs", "ProcStart, ProcStop and GoStart", "%s%s", line,
		damaged ? "; the trace is damaged there, and not all is known" : "");
	stw_found_value(c, e, "proc_ns", w->proc_ns);
	stw_found_value(c, e, "user_ns", w->use_ns[STW_USE_USER]);
	stw_found_value(c, e, "spinning_ns", w->use_ns[STW_USE_SPINNING]);
	stw_found_value(c, e, "syscall_ns", w->use_ns[STW_USE_SYSCALL]);
	stw_found_value(c, e, "gc_ns", w->use_ns[STW_USE_GC]);
	stw_found_value(c, e, "idle_beside_ns", w->idle_beside_ns);
}

/* One proc's part in a wait: its stretches of 1 ms and more, the rest being goroutines' running. */
static void tell_proc(stw_case *c, stw_found *f, const stw_candidate *w, int64_t p, int64_t at)
{
	static const char *const words[STW_USE_COUNT] = {
		[STW_USE_UNKNOWN] = "not known",
		[STW_USE_IDLE] = "idle",
		[STW_USE_SPINNING] = "looking for work",
		[STW_USE_GC] = "on a mark worker",
		[STW_USE_GC_IDLE] = "on an idle-time mark worker",
		[STW_USE_SYSCALL] = "kept by a system call",
		[STW_USE_STOPPED] = "stopped",
	};
	int64_t ns[STW_USE_COUNT] = {0}, length = w->to - w->from, other = 0;
	for (size_t i = c->gather->uses.count; i-- > 0 && c->gather->uses.items[i].to > w->from;) {
		const stw_proc_use *u = &c->gather->uses.items[i];
		if (u->p == p && u->use < STW_USE_COUNT)
			ns[u->use] += stw_overlap(u->from, u->to, w->from, w->to);
	}
	char line[200];
	for (int u = 0; u < STW_USE_COUNT; u++)
		other += words[u] ? ns[u] : 0;
	size_t n = (size_t)snprintf(line, sizeof line, "P%lld: %s%lld %% on goroutines", (long long)p,
		stw_trace_is_damaged(c->trace, w->from, w->to) ? "at most " : "", (long long)((length - other) * 100 / length));
	for (int u = 0; u < STW_USE_COUNT && n < sizeof line; u++)
		if (words[u] && ns[u] * 100 / length >= 1)
			n += (size_t)snprintf(line + n, sizeof line - n, ", %lld %% %s", (long long)(ns[u] * 100 / length), words[u]);
	stw_found_step(c, f, at, "proc", "ProcStart, ProcStop and GoStart", "%s", line)->proc = p;
}

static void tell_procs(stw_case *c, stw_found *f, const stw_candidate *w)
{
	for (int64_t p = 0; p < c->procs && p < MOST_PROCS && w->to > w->from; p++)
		tell_proc(c, f, w, p, w->from + 1);
}

static void tell_activity(stw_case *c, stw_found *f, const stw_candidate *w, const stw_window *window)
{
	for (size_t i = 0; i < window->rows.count && i < 4; i++) {
		const stw_activity_row *r = &window->rows.items[i];
		int64_t share = window->total_ns ? r->ns * 100 / window->total_ns : 0;
		const char *name = r->function ? stw_intern_get(&c->places.names, r->function).data
					       : "goroutines whose function is not known";
		if (share < 3)
			continue;
		stwatch_evidence *e = stw_found_step(c, f, w->from + 2 + (int64_t)i, "ran", "GoStart to GoStop",
			"%s ran for %s in %llu stretches (%lld %% of what ran)", name, stw_case_ms(c, r->ns), (unsigned long long)r->runs,
			(long long)share);
		stw_found_value(c, e, "ran_ns", r->ns);
		stw_found_value(c, e, "runs", (int64_t)r->runs);
	}
	if (window->partial)
		stw_found_rules_out(c, f, "only the last part of the wait was read for what ran in it");
	if (window->lost)
		stw_found_rules_out(c, f, "not known: all that ran meanwhile, as the trace is damaged there: what is left of it counts");
}

/* A quarter of some numbers of P's is no whole number: the rest is marked by a worker that shares a P with the program. */
static void tell_fractional(stw_case *c, stw_found *f, const stw_candidate *w)
{
	enum { MOST_USES = 20000 };
	const stw_proc_use *longest = NULL;
	int64_t most = 0;
	for (size_t n = 0, i = c->gather->uses.count; i-- > 0 && n < MOST_USES && c->gather->uses.items[i].to > w->from; n++) {
		const stw_proc_use *u = &c->gather->uses.items[i];
		int64_t part = u->worker == STW_WORKER_FRACTIONAL ? stw_overlap(u->from, u->to, w->from, w->to) : 0;
		if (part > most) {
			most = part;
			longest = u;
		}
	}
	if (!longest || most < c->set[STW_SET_STARVED_NOTE])
		return;
	stwatch_evidence *e = stw_found_step(c, f, w->from + 1, "worker", "GoLabel",
		"a fractional mark worker had P%lld for %s of it at a stretch: a quarter of %lld P's is no whole number",
		(long long)longest->p, stw_case_ms(c, most), (long long)c->procs);
	e->proc = longest->p;
	stw_found_value(c, e, "fractional_ns", most);
}

/* Short bursts of work, woken from outside: what users feel. */
static bool latency_sensitive(const stw_case *c, const stw_candidate *w)
{
	return w->mean_run_ns >= 0 && w->mean_run_ns <= c->set[STW_SET_BURST_RUN] && w->blocks > 0 && w->how != STW_HOW_PREEMPTED;
}

/* Whether far more goroutines than there are procs wait beside it: a storm, a herd, a fan-out. */
static bool in_a_crowd(const stw_case *c, const stw_candidate *w)
{
	enum { TIMES = 4 };
	int64_t n = 0;
	for (size_t i = 0; i < c->gather->runnable_stays.count && i < MOST && n <= TIMES * c->procs; i++) {
		const stw_candidate *other = &c->gather->runnable_stays.items[i];
		n += stw_overlap(other->from, other->to, w->from, w->to) > 0;
	}
	return n > TIMES * c->procs;
}

typedef struct verdict {
	const char *cause, *culprit, *leaf, *root, *advice;
	int64_t g;
	uint64_t count;
} verdict;

/* Who asks for most of the collections by name, if most are asked for. */
static const char *asks_for_collections(const stw_case *c)
{
	uint64_t all = 0, asked = 0;
	int64_t most = 0;
	const char *who = NULL;
	for (size_t i = 0; i < c->gather->sites.count; i++) {
		const stw_load_site *s = &c->gather->sites.items[i];
		const stw_named_stack *at = s->site.triggers ? stw_places_stack(&c->places, (stw_place){s->generation, s->site.stack})
							     : NULL;
		all += s->site.triggers;
		if (!at || !stw_asks_for_collection(at))
			continue;
		asked += s->site.triggers;
		if (s->site.triggers > most && at->user < at->n) {
			most = s->site.triggers;
			who = at->frames[at->user].function;
		}
	}
	return asked * 2 > all ? who : NULL;
}

static verdict by_collector(const stw_case *c)
{
	const char *asks = asks_for_collections(c);
	return (verdict){.cause = "gc-workers",
		.culprit = asks,
		.g = STWATCH_NONE,
		.advice = asks
			? "the collector's workers had the procs, for collections that the program asks for: don't call runtime.GC or "
			  "FreeOSMemory "
			  "in a running service"
			: "the collector's workers had the procs: allocate less, raise GOGC or set GOMEMLIMIT; is GODEBUG=gcstoptheworld "
			  "set?"};
}

static const char *name_of(const stw_case *c, uint32_t function)
{
	return stw_intern_get(&c->places.names, function).data;
}

/* Where other functions lead at other times, one that leads seldom is a passer-by: it must have a part of all that was looked at. */
static bool is_leading(const stw_case *c, uint32_t function)
{
	int64_t own = 0, all = 0;
	for (size_t i = 0; i < c->activity.windows.count; i++) {
		const stw_window *w = &c->activity.windows.items[i];
		all += w->total_ns;
		for (size_t k = 0; k < w->rows.count; k++)
			own += w->rows.items[k].function == function ? w->rows.items[k].ns : 0;
	}
	return own * 10 >= all;
}

static verdict by_load(stw_case *c, const stw_window *window)
{
	verdict v = {.cause = "saturation",
		.g = STWATCH_NONE,
		.advice = "fewer goroutines that compute at one time (a worker pool of GOMAXPROCS), or more CPUs; yield points don't help"};
	if (!window || !window->rows.count)
		return v;
	uint64_t runs = 0, yields = 0;
	const stw_activity_row *spinner = NULL;
	for (size_t i = 0; i < window->rows.count; i++) {
		const stw_activity_row *r = &window->rows.items[i];
		runs += r->runs;
		yields += r->yields;
		if (!spinner || r->yields > spinner->yields)
			spinner = r;
	}
	const stw_activity_row *top = &window->rows.items[0];
	if (strcmp(name_of(c, top->function), "runtime.gcBgMarkWorker") == 0) {
		if (top->ns * 2 >= window->total_ns)
			return by_collector(c);
		top = window->rows.count > 1 ? top + 1 : top; /* what the collector left went to these */
	}
	if (yields * 2 >= runs && runs >= 100 && spinner->ns * 2 >= window->total_ns && spinner->ns / (int64_t)spinner->runs < 1000000) {
		v.cause = "yield-spin";
		v.advice = "don't poll with runtime.Gosched: wait on a channel, condition or timer";
		top = spinner;
	}
	if (top->ns * 10 < window->total_ns * 3 || !top->function)
		return v;
	const char *name = name_of(c, top->function);
	if (strncmp(name, "runtime.", 8) != 0 && is_leading(c, top->function)) {
		v.culprit = name;
		v.leaf = top->leaf && top->leaf != top->function && top->leaf_ns * 4 >= top->ns ? name_of(c, top->leaf) : NULL;
		v.g = top->several ? STWATCH_NONE : top->g;
	}
	return v;
}

static const stw_window *window_of(const stw_case *c, const stw_candidate *w)
{
	if (w->window != UINT32_MAX && w->window < c->activity.windows.count)
		return &c->activity.windows.items[w->window];
	/* Another wait of about the same time was looked at: what ran then ran here too. */
	const stw_window *best = NULL;
	int64_t most = 0;
	for (size_t i = 0; i < c->activity.windows.count; i++) {
		const stw_window *a = &c->activity.windows.items[i];
		int64_t part = stw_overlap(a->from, a->to, w->from, w->to);
		if (part > most) {
			most = part;
			best = a;
		}
	}
	if (most * 2 >= w->to - w->from)
		return best;
	int64_t nearest = NEAR_NS;
	for (size_t i = 0; i < c->activity.windows.count; i++) {
		const stw_window *a = &c->activity.windows.items[i];
		int64_t gap = a->from > w->to ? a->from - w->to : w->from > a->to ? w->from - a->to : 0;
		if (gap < nearest) {
			nearest = gap;
			best = a;
		}
	}
	return nearest < NEAR_NS ? best : NULL;
}

const char *stw_starved_load(stw_case *c, const stw_candidate *w, const char **cause)
{
	verdict v = by_load(c, window_of(c, w));
	if (cause)
		*cause = strcmp(v.cause, "yield-spin") == 0 ? v.cause : "saturation";
	return v.culprit;
}

/* Without CPU samples, a long run of what runs shortly all the time was rather off the CPU than running on. */
static bool is_unusual(stw_case *c, const stw_window *window, const char *function, const stw_candidate *run)
{
	if (c->has_samples || !window || !function)
		return false;
	for (size_t i = 0; i < window->rows.count; i++) {
		const stw_activity_row *r = &window->rows.items[i];
		if (r->runs >= 20 && r->function && strcmp(stw_intern_get(&c->places.names, r->function).data, function) == 0)
			return r->ns / (int64_t)r->runs * 8 < run->to - run->from;
	}
	return false;
}

static void judge(stw_case *c)
{
	for (size_t i = 0; i < c->gather->runnable_stays.count && i < MOST; i++) {
		const stw_candidate *w = &c->gather->runnable_stays.items[i], *runner = NULL;
		const stw_named_stack *root = stw_places_stack(&c->places, w->root);
		if (!counts(c, w) || w->taken || stw_is_runtimes(root))
			continue;
		const char *victim = stw_own_function(stw_places_stack(&c->places, w->stack), root);
		const stw_window *window = NULL;
		verdict v = {.g = STWATCH_NONE};
		switch (reason_of(c, w, &runner)) {
		case BY_GC: v = by_collector(c); break;
		case BY_LONG_RUN: {
			const stw_named_stack *at = stw_places_stack(&c->places, runner->stack),
					      *from = stw_places_stack(&c->places, runner->root);
			v = (verdict){.cause = "long-runner",
				.culprit = stw_own_function(at, from),
				.leaf = at->user < at->n ? stw_user_function(at) : NULL,
				.root = stw_root_function(from),
				.g = runner->g,
				.count = 1,
				.advice = "split its work, or give it a thread of its own: it did not give way for far longer than the "
					  "scheduler asks (is asyncpreemptoff=1 set?)"};
			window = window_of(c, w);
			if (!is_unusual(c, window, v.culprit, runner)) {
				window = NULL;
				break;
			}
			runner = NULL;
			v = by_load(c, window);
			break;
		}
		case BY_NO_CPU:
			v = (verdict){.cause = "outside",
				.g = STWATCH_NONE,
				.advice = "look outside: other busy processes, a CPU quota or cpuset smaller than GOMAXPROCS, a busy host"};
			break;
		case BY_LOAD:
			window = window_of(c, w);
			v = by_load(c, window);
			break;
		default: continue;
		}
		bool fresh;
		stw_found *f = stw_found_for(c, "goroutine-starved", v.cause, v.culprit, STW_SET_STARVED_NOTE, &fresh);
		if (!f)
			return;
		bool fair = strcmp(v.cause, "saturation") == 0 || strcmp(v.cause, "gc-workers") == 0,
		     loud = latency_sensitive(c, w) || !fair;
		stw_found_occurs(c, f, w->from, w->to, w->g, w->p);
		stw_found_harms(c, f, victim ? victim : "unknown", stw_root_function(root), w->g, w->to - w->from - w->stopped_ns);
		int64_t net = w->to - w->from - w->stopped_ns;
		stwatch_severity severity = !loud              ? STWATCH_NOTE
			: net >= c->set[STW_SET_STARVED_ERROR] ? STWATCH_ERROR
			: net >= c->set[STW_SET_STARVED_WARN]  ? STWATCH_WARNING
							       : STWATCH_NOTE;
		/* A few of one kind that wait for each other have more to do than there are procs; and what keeps a thread from the
		 * CPU is not known. */
		bool equals = severity > STWATCH_NOTE && strcmp(v.cause, "saturation") == 0 && victim && v.culprit &&
			strcmp(victim, v.culprit) == 0 && !in_a_crowd(c, w);
		int64_t should, got;
		bool taken = strcmp(v.cause, "saturation") == 0 && stw_cpu_taken(c, &should, &got);
		if (severity > STWATCH_NOTE && (equals || taken || strcmp(v.cause, "outside") == 0))
			severity--;
		if (severity > f->f.severity)
			f->f.severity = severity;
		if (!fresh && (f->loud || !latency_sensitive(c, w)))
			continue; /* evidence is of the longest wait, but rather of one that somebody feels */
		f->loud = latency_sensitive(c, w);
		f->evidence.count = 0;
		f->ruled_out.count = 0;
		bool guessed = runner && !c->has_samples; /* it may have been off the CPU */
		f->f.confidence = !guessed && !taken && (v.culprit || strcmp(v.cause, "gc-workers") == 0) ? STWATCH_LIKELY
													  : STWATCH_POSSIBLE;
		f->f.advice = v.advice;
		f->f.title = stw_case_printf(c, "%s stood runnable for %s: %s%s%s", victim ? victim : "a goroutine",
			stw_case_ms(c, w->to - w->from),
			strcmp(v.cause, "saturation") == 0            ? "all procs were busy"
				: strcmp(v.cause, "yield-spin") == 0  ? "the procs were kept by goroutines that give way in a loop"
				: strcmp(v.cause, "long-runner") == 0 ? "a goroutine ran on and on"
				: strcmp(v.cause, "outside") == 0     ? "a thread that looked for work got no CPU"
								      : "the collector's workers had the procs",
			!v.culprit                                   ? ""
				: strcmp(v.cause, "gc-workers") == 0 ? ", for collections asked for by "
								     : ", mostly with ",
			v.culprit ? v.culprit : "");
		f->culprit.leaf = v.leaf;
		f->culprit.root = v.root;
		f->culprit.kind = "goroutine";
		f->culprit.goroutine = v.g;
		f->culprit.count = v.count;
		tell_wait(c, f, w);
		tell_procs(c, f, w);
		tell_fractional(c, f, w);
		if (window)
			tell_activity(c, f, w, window);
		if (runner) {
			stwatch_evidence *e = stw_found_step(c, f, runner->from > w->from ? runner->from : w->from + 3, "ran",
				"GoStart to GoStop", "G%lld ran on P%lld without a break for %s", (long long)runner->g,
				(long long)runner->p, stw_case_ms(c, runner->to - runner->from));
			e->goroutine = runner->g;
			e->proc = runner->p;
			stw_found_stack(e, stw_places_stack(&c->places, runner->stack));
		}
		if (taken)
			stw_found_step(c, f, w->from + 3, "cpu", "CPUSample",
				"in the whole trace procs ran goroutines for %s, of which CPU samples account for %s: the machine gave the "
				"rest to "
				"others",
				stw_case_ms(c, should), stw_case_ms(c, got));
		if (w->idle_beside_ns < 1000000)
			stw_found_rules_out(c, f, "an idle proc beside it: none for 1 ms or more");
		if (!w->stopped_ns)
			stw_found_rules_out(c, f, "a stop-the-world of 1 ms or more");
	}
}

const stw_rule stw_rule_starved = {"goroutine-starved", want, judge};
