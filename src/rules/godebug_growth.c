/* Goroutines that detailed samples of schedtrace count, by what they wait for: more and more of them, in sample after sample. Names and
 * places are not in it, so that a service with ever more open connections looks like a leak: it is never more than possible. */
#include <string.h>

#include "rules/godebug.h"

enum { MIN_SAMPLES = 10, MIN_RECORDS = 6, PARTS = 8, MIN_PARTS = 4, MANY_SAMPLES = 20 };
static const int64_t SHORTEST_NS = 1000000000;

/* What a goroutine may wait for that has been left behind, in the words of each version (runtime/runtime2.go). */
typedef struct reason {
	const char *words, *cause;
	bool firm; /* something that one does to go on; to wait for the others is what an idle worker does too */
	bool network;
} reason;

static const reason REASONS[] = {
	{"chan send", "blocked-send", true, false},
	{"chan receive", "blocked-receive", false, false},
	{"select", "blocked-select", false, false},
	{"sync.Cond.Wait", "blocked-condition", false, false},
	{"sync.Mutex.Lock", "blocked-lock", true, false},
	{"sync.RWMutex.Lock", "blocked-lock", true, false},
	{"sync.RWMutex.RLock", "blocked-lock", true, false},
	{"sync.WaitGroup.Wait", "blocked-lock", false, false},
	{"semacquire", "blocked-lock", false, false}, /* locks and wait groups, to Go 1.17 */
	{"chan send (nil chan)", "blocked-forever", true, false},
	{"chan receive (nil chan)", "blocked-forever", true, false},
	{"select (no cases)", "blocked-forever", true, false},
	{"sleep", "never-ends", false, false},
	{"IO wait", "never-ends", false, true},
};
enum { N_REASONS = sizeof REASONS / sizeof *REASONS };

/* How the number that wait for one thing went. */
typedef struct growth {
	const reason *why;
	const stw_sched_sample *first, *middle, *last;
	uint32_t in_first, in_middle, in_last;
	uint32_t late; /* of the growth: in the last quarter */
	uint32_t fall; /* the largest fall below what it had been */
	size_t samples;
	stwatch_severity severity;
} growth;

static uint32_t waiting_for(const stw_godebug *log, const stw_sched_sample *s, const char *words)
{
	for (uint32_t i = 0; i < s->detail.n_reasons; i++) {
		const stw_sched_reason *r = &log->reasons.items[s->detail.first_reason + i];
		if (strcmp(stw_intern_get(&log->names, r->reason).data, words) == 0)
			return r->count;
	}
	return 0;
}

static int64_t alive(const stw_sched_sample *s)
{
	int64_t n = 0;
	for (int i = 1; i < STW_G_STATES; i++)
		n += i == STW_SCHED_G_DEAD || i == STW_SCHED_G_DEAD_EXTRA ? 0 : s->detail.gs[i];
	return n;
}

/* In which eighth of the time from first to last. */
static size_t part_of(const growth *w, const stw_sched_sample *s)
{
	double share = (double)(s->at_ns - w->first->at_ns) / (double)(w->last->at_ns - w->first->at_ns);
	size_t part = (size_t)(share * PARTS);
	return part < PARTS ? part : PARTS - 1;
}

/* It came all along: in half of the eighths, in the later ones as well, never most of it at one time, and nothing of it went away. */
static bool is_steady(const stw_log_run *r, growth *w)
{
	uint32_t came[PARTS] = {0}, record = w->in_first;
	size_t records = 0, parts = 0;
	for (size_t i = 0; i < r->n_samples; i++) {
		const stw_sched_sample *s = &r->samples[i];
		if (!s->detailed || s->at_ns > w->last->at_ns)
			continue;
		uint32_t n = waiting_for(r->log, s, w->why->words);
		if (n > record) {
			came[part_of(w, s)] += n - record;
			record = n;
			records++;
		}
		w->fall = record - n > w->fall ? record - n : w->fall;
		if (s->at_ns - w->first->at_ns <= (w->last->at_ns - w->first->at_ns) / 2) {
			w->middle = s;
			w->in_middle = n;
		}
	}
	uint64_t all = record - w->in_first, later = 0, most = 0;
	for (size_t i = 0; i < PARTS; i++) {
		parts += (uint64_t)came[i] * 2 * PARTS >= all;
		later += i >= PARTS / 2 ? came[i] : 0;
		w->late += i >= PARTS * 3 / 4 ? came[i] : 0;
		most = came[i] > most ? came[i] : most;
	}
	return records >= MIN_RECORDS && parts >= MIN_PARTS && later * 20 >= all * 7 && (uint64_t)w->late * 20 >= all * 3 &&
		most * 5 <= all * 3 && (w->fall <= 2 || (uint64_t)w->fall * 8 <= all);
}

static stwatch_severity severity_of(const stw_case *c, const stw_log_run *r, const growth *w)
{
	int64_t grown = (int64_t)w->in_last - w->in_first;
	if (w->why->firm)
		return grown >= c->set[STW_SET_LEAK_WARN] ? STWATCH_WARNING : STWATCH_NOTE;
	/* beside each open connection others may rightly wait */
	bool connections = (uint64_t)waiting_for(r->log, w->last, "IO wait") * 2 >= w->in_last;
	return grown >= c->set[STW_SET_LEAK_ERROR] && !connections ? STWATCH_WARNING : STWATCH_NOTE;
}

/* The last sample is left out: it may be cut. */
static bool grows(const stw_case *c, const stw_log_run *r, const reason *why, growth *w)
{
	*w = (growth){.why = why};
	const stw_sched_sample *next = NULL;
	for (size_t i = 0; i < r->n_samples; i++) {
		const stw_sched_sample *s = &r->samples[i];
		if (!s->detailed)
			continue;
		w->samples += next != NULL;
		w->last = next;
		next = s;
		w->first = w->first ? w->first : s;
	}
	if (w->samples < MIN_SAMPLES || w->last->at_ns - w->first->at_ns < SHORTEST_NS)
		return false;
	w->in_first = waiting_for(r->log, w->first, why->words);
	w->in_last = waiting_for(r->log, w->last, why->words);
	int64_t grown = (int64_t)w->in_last - w->in_first;
	if (grown < c->set[STW_SET_LEAK_NOTE] || grown * 10 < w->in_first || (alive(w->last) - alive(w->first)) * 2 < grown)
		return false;
	w->severity = is_steady(r, w) ? severity_of(c, r, w) : 0;
	return w->severity != 0;
}

static void tell_sample(
	stw_case *c, stw_found *f, const stw_log_run *r, const growth *w, const stw_sched_sample *s, uint32_t n, const char *step)
{
	stwatch_evidence *e = stw_log_step(c, f, r, s->line, s->at_ns, step, "SCHED",
		"goroutines that wait for %s: %u of %lld; that wait for the network: %u; that are runnable: %u", w->why->words, n,
		(long long)alive(s), waiting_for(r->log, s, "IO wait"), s->detail.gs[1]);
	stw_found_value(c, e, "waiting", n);
	stw_found_value(c, e, "goroutines", alive(s));
}

static void tell(stw_case *c, stw_found *f, const stw_log_run *r, const growth *w)
{
	uint32_t grown = w->in_last - w->in_first;
	int64_t length = w->last->at_ns - w->first->at_ns;
	f->f.title = stw_case_printf(c, "more and more goroutines wait for %s: %u, then %u, in %zu dumps over %s", w->why->words,
		w->in_first, w->in_last, w->samples, stw_case_ms(c, length));
	f->f.advice = w->why->network
		? "are there more and more connections? give them deadlines, and close answers' bodies; a goroutine dump shows who reads"
		: "let them end when nobody needs them any more: a buffer for every answer, a select with a context, a deadline; two "
		  "goroutine dumps "
		  "some time apart show where they stand and who made them";
	tell_sample(c, f, r, w, w->first, w->in_first, "first");
	tell_sample(c, f, r, w, w->middle, w->in_middle, "growth");
	tell_sample(c, f, r, w, w->last, w->in_last, "last");
	stw_found_rules_out(c, f, "a beginning that comes to rest: %u of the %u came in the last quarter of the time", w->late, grown);
	stw_found_rules_out(c, f, "a queue that is served: their number never fell by more than %u", w->fall);
	stw_found_rules_out(
		c, f, "not known: where they stand, who made them, and whether there is more and more to do (connections, requests)");
}

static void judge_run(stw_case *c, const stw_log_run *r)
{
	growth worst = {0}, w;
	for (size_t i = 0; i < N_REASONS; i++)
		if (grows(c, r, &REASONS[i], &w) &&
			(w.severity > worst.severity ||
				(w.severity == worst.severity && w.in_last - w.in_first > worst.in_last - worst.in_first)))
			worst = w;
	bool fresh;
	if (!worst.severity || !stw_log_may_tell(c, r, "goroutine-leak", worst.severity, worst.first->at_ns, worst.last->at_ns))
		return;
	stw_found *f = stw_found_for(c, "goroutine-leak", worst.why->cause, NULL, -1, &fresh);
	if (!f)
		return;
	bool likely = worst.why->firm && worst.samples >= MANY_SAMPLES;
	bool tells = stw_log_is_worst(
		f, worst.severity, likely ? STWATCH_LIKELY : STWATCH_POSSIBLE, worst.last->at_ns - worst.first->at_ns, f->f.worst_ns);
	stw_log_occurs(c, f, r, worst.first->at_ns, worst.last->at_ns, STWATCH_NONE, STWATCH_NONE);
	if (tells)
		tell(c, f, r, &worst);
}

static void judge(stw_case *c)
{
	stw_log_run r;
	for (stw_log_at at = {0}; stw_next_log_run(c, &at, &r) && !c->failed;)
		judge_run(c, &r);
}

const stw_rule stw_rule_godebug_growth = {"GODEBUG: more and more goroutines", NULL, judge};
