/* A queue in order of time: who held what it waited for, how long, and what he did meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/queues.h"
#include "rules/waits.h"

enum { MOST_FUNCTIONS = 32, LOOK_BACK = 256 };

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int64_t stw_wait_charged(const stw_case *c, const stw_candidate *w)
{
	int64_t ns = w->to - w->from - stw_overlap_outside(c, w->from, w->to);
	for (size_t i = 0; i < c->gather->stops.count; i++)
		ns -= stw_overlap(w->from, w->to, c->gather->stops.items[i].from, c->gather->stops.items[i].to);
	return ns > 0 ? ns : 0;
}

/* ---- the line of holds ---- */

static int by_end(const void *x, const void *y)
{
	const stw_candidate *a = (*(stw_queued *const *)x)->wait, *b = (*(stw_queued *const *)y)->wait;
	if (a->open != b->open)
		return a->open - b->open;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return a->g < b->g ? -1 : a->g > b->g;
}

/* When the waker had got it: his own wait here, else when it was last handed on; at the latest when the first came who
 * waited for him. */
static int64_t held_from(stw_queued *const *ends, size_t i, int64_t first, bool channel)
{
	const stw_candidate *w = ends[i]->wait;
	for (size_t k = i; k-- > 0 && i - k < LOOK_BACK && channel;)
		if (ends[k]->wait->g == w->waker)
			return ends[k]->wait->to;
	if (i == 0)
		return first;
	const stw_candidate *before = ends[i - 1]->wait;
	return before->g == w->waker || before->to > first ? before->to : first;
}

/* How much was waited between two ends, and how many waited at most. */
static void count_waiting(stw_queue *q, stw_queued *const *ends, size_t n_ends, int64_t end)
{
	size_t started = 0, ended = 0;
	int64_t at = q->waits[0]->wait->from, sum = 0, told = 0;
	while (ended < n_ends || started < q->n_waits) {
		bool starts = started < q->n_waits && (ended >= n_ends || q->waits[started]->wait->from < ends[ended]->wait->to);
		int64_t next = starts ? q->waits[started]->wait->from : ends[ended]->wait->to;
		sum += (int64_t)(started - ended) * (next - at);
		at = next;
		if (starts) {
			if (++started - ended > q->most) {
				q->most = (uint32_t)(started - ended);
				q->most_at = at;
			}
			continue;
		}
		q->holds[ended++].waited_ns = sum - told;
		told = sum;
	}
	if (q->n_holds > n_ends)
		q->holds[n_ends].waited_ns = sum + (int64_t)(started - ended) * (end - at) - told;
}

/* What took most of the hold. */
static const stw_candidate *main_stay(const stw_case *c, const stw_hold *h)
{
	const stw_candidate *best = NULL;
	int64_t most = 0;
	for (size_t i = stw_stays_from(c->queues, h->g, h->from); i < c->queues->n_stays; i++) {
		const stw_candidate *s = c->queues->stays[i];
		if (s->g != h->g || s->from >= h->to)
			break;
		int64_t part = stw_overlap(s->from, s->to, h->from, h->to);
		if (part > most) {
			most = part;
			best = s;
		}
	}
	return most * 4 >= h->to - h->from ? best : NULL;
}

static bool has_function(const stw_named_stack *s, const char *function)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (strcmp(s->frames[i].function, function) == 0)
			return true;
	return false;
}

/* What the library called, where it holds the lock itself while it calls back (sync.Once): the frame within the innermost one in which
 * the holder was both times. NULL: it was the program that held it. */
static const char *called_back(const stw_named_stack *in, const stw_named_stack *wake)
{
	for (uint32_t i = 0; i < in->n; i++) {
		if (!has_function(wake, in->frames[i].function))
			continue;
		if (i == 0 || !stw_is_library(in->frames[i].function))
			return NULL;
		for (uint32_t k = i; k-- > 0;)
			if (!stw_is_library(in->frames[k].function))
				return in->frames[k].function;
		return NULL;
	}
	return NULL;
}

static bool share_a_frame(const stw_named_stack *a, const stw_named_stack *b)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (has_function(b, a->frames[i].function))
			return true;
	return a->n == 0 || b->n == 0;
}

/* Where events are missing, or others, who let go may have waited for it himself until just then: he is known to have held it all that time only by what he did in
 * most of it. Nor is it known where he held it, if nobody knows where he did that, or the two places are not of one goroutine; or that it was he, if he let go of
 * something else. */
static bool is_doubtful(
	const stw_case *c, const stw_hold *h, const stw_candidate *did, const stw_named_stack *in, const stw_named_stack *wake)
{
	if (!stw_trace_is_doubtful(c->trace, h->from, h->to))
		return false;
	const bool nowhere = in && in->n == 0, lock = stw_is_lock_wait(stw_places_stack(&c->places, h->given->stack));
	return !did || nowhere || (in && !share_a_frame(in, wake)) || (lock && wake->n && !stw_is_lock_wait(wake));
}

/* The function that a person would edit: of those that the holder was in when it let go, the innermost in which it was while
 * it did what took the time, too (and not a small one that only unlocks). */
static const char *function_of(const stw_case *c, const stw_hold *h)
{
	const stw_named_stack *wake = stw_places_stack(&c->places, h->given->wake);
	const stw_candidate *s = main_stay(c, h);
	bool placed = s && (s->state == STW_GO_WAITING || s->state == STW_GO_SYSCALL);
	const stw_named_stack *in = stw_places_stack(&c->places, placed ? s->stack : (stw_place){0});
	if (is_doubtful(c, h, s, placed ? in : NULL, wake))
		return NULL;
	const char *back = called_back(in, wake);
	if (back)
		return back;
	bool own = wake->user < wake->n;
	for (uint32_t i = stw_case_frame(wake); in->n && i < wake->n; i++)
		if ((!own || !stw_is_library(wake->frames[i].function)) && has_function(in, wake->frames[i].function))
			return wake->frames[i].function;
	return wake->n ? wake->frames[stw_case_frame(wake)].function : NULL;
}

/* Of one that still holds it: the function that others were in when they let go or asked for it, if he is in that one too. */
static const char *function_still(const stw_case *c, const stw_queue *q, size_t n_ends, const stw_candidate *open)
{
	const stw_named_stack *at = stw_places_stack(&c->places, open->stack), *root = stw_places_stack(&c->places, open->root);
	for (uint32_t i = 0; i < at->n; i++) {
		if (same(at->frames[i].function, q->waits[0]->site.function))
			return at->frames[i].function;
		for (size_t k = n_ends; k-- > 0 && n_ends - k < MOST_FUNCTIONS;)
			if (same(at->frames[i].function, q->holds[k].function))
				return at->frames[i].function;
	}
	return at->n ? stw_user_function(at) : stw_own_function(at, root);
}

static bool lay_out(stw_case *c, stw_queue *q, int64_t x, int64_t x_from)
{
	size_t n_ends = 0;
	int64_t first = INT64_MAX;
	stw_queued **ends = stw_arena_alloc(&c->arena, q->n_waits * sizeof *ends);
	q->holds = stw_arena_zalloc(&c->arena, (q->n_waits + 1) * sizeof *q->holds);
	if (!ends || !q->holds)
		return false;
	memcpy(ends, q->waits, q->n_waits * sizeof *ends);
	qsort(ends, q->n_waits, sizeof *ends, by_end);
	while (n_ends < q->n_waits && !ends[n_ends]->wait->open)
		n_ends++;
	const int64_t end = n_ends < q->n_waits ? ends[n_ends]->wait->to : c->gather->last_time;
	for (size_t i = q->n_waits; i-- > 0;) { /* who waits when the i-th is woken came at the earliest at `first` */
		const stw_candidate *w = ends[i]->wait;
		first = w->from < first ? w->from : first;
		if (i >= n_ends)
			continue;
		q->holds[i] = (stw_hold){w->waker, held_from(ends, i, first, q->channel), w->to, NULL, w, 0};
		q->holds[i].function = function_of(c, &q->holds[i]);
	}
	q->n_holds = n_ends;
	const stw_candidate *open = n_ends < q->n_waits && x != STWATCH_NONE ? stw_stay_open(c->queues, x, end) : NULL;
	if (open) {
		const char *function = function_still(c, q, n_ends, open);
		q->holds[q->n_holds++] = (stw_hold){x, x_from, end, function, NULL, 0};
	}
	count_waiting(q, ends, n_ends, end);
	return true;
}

/* ---- who is to blame ---- */

static void find_culprit(stw_queue *q)
{
	struct {
		const char *function;
		int64_t ns;
	} sums[MOST_FUNCTIONS];
	size_t n = 0, most = 0;
	for (size_t i = 0; i < q->n_holds; i++) {
		size_t k = 0;
		while (k < n && !same(sums[k].function, q->holds[i].function))
			k++;
		if (k == MOST_FUNCTIONS)
			continue;
		if (k == n) {
			sums[n].function = q->holds[i].function;
			sums[n++].ns = 0;
		}
		sums[k].ns += q->holds[i].waited_ns;
	}
	for (size_t k = 1; k < n; k++)
		most = sums[k].ns > sums[most].ns ? k : most;
	q->culprit = n ? sums[most].function : NULL;
	q->blamed_ns = n ? sums[most].ns : 0;
}

static stw_did did_of(const stw_case *c, const stw_candidate *s)
{
	switch (s->state) {
	case STW_GO_SYSCALL: return STW_DID_SYSCALL;
	case STW_GO_RUNNING: return STW_DID_RUN;
	case STW_GO_RUNNABLE: return STW_DID_RUNNABLE;
	default: break;
	}
	switch (s->wait) {
	case STW_WAIT_SYNC: return stw_is_lock_wait(stw_places_stack(&c->places, s->stack)) ? STW_DID_LOCK : STW_DID_PEER;
	case STW_WAIT_COND:
	case STW_WAIT_SEND:
	case STW_WAIT_RECEIVE:
	case STW_WAIT_SELECT:
	case STW_WAIT_FOREVER: return STW_DID_PEER;
	case STW_WAIT_SLEEP: return STW_DID_SLEEP;
	case STW_WAIT_NETWORK: return STW_DID_NETWORK;
	case STW_WAIT_GC: return STW_DID_GC;
	default: return STW_DID_OTHER;
	}
}

static void add_hold(stw_case *c, stw_queue *q, const stw_hold *h)
{
	int64_t left = h->to - h->from;
	q->held_ns += left;
	for (size_t i = stw_stays_from(c->queues, h->g, h->from); i < c->queues->n_stays; i++) {
		const stw_candidate *s = c->queues->stays[i];
		if (s->g != h->g || s->from >= h->to)
			break;
		int64_t part = stw_overlap(s->from, s->to, h->from, h->to);
		q->did_ns[did_of(c, s)] += part;
		left -= part;
	}
	q->did_ns[STW_DID_SHORT] += left > 0 ? left : 0;
}

static int compare_ids(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

static bool sum_up(stw_case *c, stw_queue *q)
{
	int64_t *holders = stw_arena_alloc(&c->arena, (q->n_holds + 1) * sizeof *holders);
	if (!holders)
		return false;
	for (size_t i = 0; i < q->n_holds; i++) {
		const stw_hold *h = &q->holds[i];
		if (!same(h->function, q->culprit))
			continue;
		add_hold(c, q, h);
		if (i > 0 && h[-1].g == h->g && h->to - h->from < STW_KEEP_WAIT_NS) /* it wakes several as it lets go */
			continue;
		holders[q->n_held++] = h->g;
		if (!q->longest || h->to - h->from > q->longest->to - q->longest->from)
			q->longest = h;
	}
	if (q->n_held)
		qsort(holders, q->n_held, sizeof *holders, compare_ids);
	for (uint32_t i = 0; i < q->n_held; i++)
		q->n_holders += i == 0 || holders[i] != holders[i - 1];
	for (size_t i = 0; i < q->n_waits; i++) {
		const stw_candidate *w = q->waits[i]->wait;
		int64_t ns = w->to - w->from;
		if (ns >= c->set[STW_SET_WAIT_NOTE] || ns >= c->set[STW_SET_CONVOY_NOTE])
			ns = stw_wait_charged(c, w);
		q->waited_ns += ns;
		if (!q->worst || ns > q->worst_ns) {
			q->worst_ns = ns;
			q->worst = w;
		}
	}
	return true;
}

void stw_queue_conclude(stw_case *c, stw_queue *q, int64_t x, int64_t x_from)
{
	if (!lay_out(c, q, x, x_from)) {
		q->n_holds = 0;
		c->failed = true;
		return;
	}
	find_culprit(q);
	if (!sum_up(c, q))
		c->failed = true;
}

bool stw_queue_holds(const stw_queue *q, int64_t g)
{
	return q->n_holds && !q->holds[q->n_holds - 1].given && q->holds[q->n_holds - 1].g == g;
}

/* ---- in words ---- */

static stw_did most_of(const stw_queue *q)
{
	stw_did most = STW_DID_SHORT;
	for (stw_did k = 0; k < STW_DID_COUNT; k++)
		if (q->did_ns[k] > q->did_ns[most])
			most = k;
	return most;
}

const char *stw_queue_cause(const stw_case *c, const stw_queue *q)
{
	static const char *const causes[STW_DID_COUNT] = {
		[STW_DID_SHORT] = "unknown",
		[STW_DID_LOCK] = "holder-blocked",
		[STW_DID_PEER] = "holder-blocked",
		[STW_DID_NETWORK] = "holder-blocked",
		[STW_DID_SLEEP] = "holder-asleep",
		[STW_DID_SYSCALL] = "holder-in-syscall",
		[STW_DID_RUN] = "holder-computes",
		[STW_DID_RUNNABLE] = "holder-runnable",
		[STW_DID_GC] = "holder-assists-gc",
		[STW_DID_OTHER] = "holder-blocked",
	};
	if (!q->longest)
		return "unknown";
	int64_t longest = q->longest->to - q->longest->from;
	if (q->n_held >= 4 && longest < c->set[STW_SET_CONVOY_NOTE] && longest * 3 < q->worst_ns)
		return "many-holders";
	stw_did did = most_of(q);
	return q->did_ns[did] * 5 >= q->held_ns * 2 ? causes[did] : "unknown";
}

const char *stw_queue_advice(const char *cause)
{
	static const struct {
		const char *cause, *advice;
	} all[] = {
		{"holder-blocked",
			"don't wait for another goroutine, the network or another lock while holding one: let go first, or "
			"make sure that it can't block (room in the channel, a select with default)"},
		{"holder-asleep", "don't sleep while holding a lock: let go first"},
		{"holder-in-syscall",
			"don't call the kernel while holding a lock: prepare outside, or leave the call to one goroutine "
			"with a queue of its own"},
		{"holder-computes", "do less while holding it: compute outside and only exchange the result, or split the lock by key"},
		{"holder-runnable", "the holder had no CPU: see what kept the procs busy (goroutine-starved), and hold locks for less"},
		{"holder-assists-gc", "the holder was made to help the collector: allocate before taking the lock"},
		{"many-holders",
			"no hold is long, there are too many: split the lock by key, take it less often (batches, atomics, a "
			"copy for readers), or let fewer goroutines ask for it"},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i].cause, cause) == 0)
			return all[i].advice;
	return "look at what the holder did in that time; a goroutine dump shows who holds what";
}

static void tell_stay(stw_case *c, stw_found *f, const stw_hold *h, const stw_candidate *s)
{
	static const char *const reasons[] = {
		[STW_WAIT_SYNC] = "blocks on a lock or wait group",
		[STW_WAIT_COND] = "waits for a condition",
		[STW_WAIT_SEND] = "blocks on channel send",
		[STW_WAIT_RECEIVE] = "blocks on channel receive",
		[STW_WAIT_SELECT] = "blocks in a select",
		[STW_WAIT_SLEEP] = "sleeps",
		[STW_WAIT_NETWORK] = "waits for the network",
		[STW_WAIT_FOREVER] = "blocks on what can never happen",
		[STW_WAIT_GC] = "waits for the collector",
		[STW_WAIT_SWITCH] = "waits",
	};
	const stw_named_stack *at = stw_places_stack(&c->places, s->stack);
	const char *what = "waits", *source = "GoBlock";
	if (s->state == STW_GO_SYSCALL)
		what = "enters a system call", source = "GoSyscallBegin";
	else if (s->state == STW_GO_RUNNING)
		what = "runs on", source = "GoStart";
	else if (s->state == STW_GO_RUNNABLE)
		what = "is ready to run, and is not run", source = "GoUnblock";
	else if (s->wait < sizeof reasons / sizeof *reasons && reasons[s->wait])
		what = reasons[s->wait];
	bool placed = at->n && s->state != STW_GO_RUNNABLE && s->state != STW_GO_RUNNING;
	int64_t from = s->from > h->from ? s->from : h->from;
	stwatch_evidence *e = stw_found_step(c, f, from, "held", source, "G%lld %s%s%s for %s%s", (long long)s->g, what, placed ? ", " : "",
		placed ? stw_case_site(c, at) : "", stw_case_ms(c, s->to - s->from),
		s->cut            ? ", and still does where a gap in the trace begins"
			: s->open ? ", and still does when the trace ends"
				  : "");
	e->goroutine = s->g;
	if (placed)
		stw_found_stack(e, at);
	const stw_named_stack *wake = stw_places_stack(&c->places, s->wake);
	if (s->state == STW_GO_WAITING && !s->open && s->waker >= 0 && wake->n) {
		e = stw_found_step(
			c, f, s->to, "woken", "GoUnblock", "G%lld lets it go on, at %s", (long long)s->waker, stw_case_site(c, wake));
		e->goroutine = s->waker;
		stw_found_stack(e, wake);
	}
}

static void tell_end(stw_case *c, stw_found *f, const stw_hold *h)
{
	if (!h->given) {
		stw_found_step(c, f, h->to, "end", "end of the trace", "G%lld has not let go of it", (long long)h->g)->goroutine = h->g;
		return;
	}
	const stw_named_stack *wake = stw_places_stack(&c->places, h->given->wake);
	stwatch_evidence *e = stw_found_step(c, f, h->to, "released", "GoUnblock", "%s wakes G%lld%s%s, after %s",
		h->g >= 0 ? stw_case_printf(c, "G%lld", (long long)h->g) : "the runtime", (long long)h->given->g, wake->n ? " at " : "",
		stw_case_site(c, wake), stw_case_ms(c, h->to - h->from));
	e->goroutine = h->g;
	stw_found_value(c, e, "held_ns", h->to - h->from);
	stw_found_stack(e, wake);
}

static void tell_hold(stw_case *c, stw_found *f, const stw_hold *h)
{
	const stw_candidate *s = main_stay(c, h);
	if (s)
		tell_stay(c, f, h, s);
	tell_end(c, f, h);
}

void stw_queue_evidence(stw_case *c, stw_found *f, const stw_queue *q)
{
	const stw_hold *h = q->longest;
	if (!h)
		return;
	const stw_candidate *s = main_stay(c, h);
	const stw_named_stack *at = stw_places_stack(&c->places, s ? s->stack : h->given ? h->given->wake : (stw_place){0});
	const stw_named_stack *root = s ? stw_places_stack(&c->places, s->root) : at;
	f->culprit.leaf = at->n ? stw_leaf_function(at) : NULL;
	f->culprit.root = stw_root_function(root);
	f->culprit.kind = "goroutine";
	f->culprit.goroutine = h->g;
	f->culprit.count = q->n_holders;
	const stw_hold *first = &q->holds[0];
	while (first < h && !same(first->function, q->culprit))
		first++;
	int64_t all = 0;
	for (size_t i = 0; i < q->n_holds; i++)
		all += q->holds[i].waited_ns;
	char often[96] = "", share[48] = "";
	if (q->n_held > 1)
		snprintf(often, sizeof often, " %u times (%u goroutine%s), %s in all, %s at most", q->n_held, q->n_holders,
			q->n_holders == 1 ? "" : "s", stw_case_ms(c, q->held_ns), stw_case_ms(c, h->to - h->from));
	else
		snprintf(often, sizeof often, " for %s", stw_case_ms(c, q->held_ns));
	if (q->blamed_ns < all - all / 50)
		snprintf(share, sizeof share, ": %.0f %% of the waiting", (double)q->blamed_ns * 100 / (double)all);
	stwatch_evidence *e = stw_found_step(c, f, first->from, "holds", "GoUnblock", "from here on %s holds it%s%s",
		q->culprit ? q->culprit : "somebody", often, share);
	stw_found_value(c, e, "holds", q->n_held);
	stw_found_value(c, e, "held_ns", q->held_ns);
	tell_hold(c, f, h);
	const stw_hold *over = NULL; /* one that nobody has let go of yet says less: the longest that is over as well */
	for (size_t i = 0; !h->given && i < q->n_holds; i++)
		if (q->holds[i].given && same(q->holds[i].function, q->culprit) &&
			(!over || q->holds[i].to - q->holds[i].from > over->to - over->from))
			over = &q->holds[i];
	if (over)
		tell_hold(c, f, over);
}
