/* Runnable goroutines that pile up and don't drain. */
#include <stdlib.h>
#include <string.h>

#include "rules/waits.h"

typedef struct stretch {
	int64_t from, to;
	int32_t most;
	int32_t last; /* length where it ends */
	bool rising; /* it was not just one burst being worked off */
} stretch;

/* The waits that overlap a stretch: how many, the oldest, and who made most of them runnable. */
typedef struct crowd {
	const stw_candidate *oldest;
	uint64_t n, created, told; /* told: by another rule (a burst of the network) */
	const char *creator; /* of half of them and more, for half of the stretch and more; NULL: nobody */
	const stw_candidate *example;
} crowd;

enum { MOST_READ = 4, MIDDLE_NS = 20000000 };

static crowd crowd_of(stw_case *c, const stretch *s)
{
	crowd k = {0};
	struct {
		const char *function;
		uint64_t n;
		const stw_candidate *one;
		int64_t from, to;
	} creators[32];
	size_t n_creators = 0, best = 0;
	for (size_t i = 0; i < c->gather->runnable_stays.count; i++) {
		const stw_candidate *w = &c->gather->runnable_stays.items[i];
		if (stw_overlap(w->from, w->to, s->from, s->to) <= 0 || w->to - w->from < c->set[STW_SET_BACKLOG_AGE])
			continue;
		k.n++;
		k.told += w->taken;
		if (!k.oldest || w->to - w->from > k.oldest->to - k.oldest->from)
			k.oldest = w;
		const char *f = w->how == STW_HOW_CREATED ? stw_user_function(stw_places_stack(&c->places, w->wake)) : NULL;
		if (!f || stw_is_library(f)) /* the runtime's timers make goroutines too */
			continue;
		k.created++;
		size_t j = 0;
		while (j < n_creators && strcmp(creators[j].function, f) != 0)
			j++;
		if (j == n_creators && n_creators < sizeof creators / sizeof *creators) {
			creators[n_creators].function = f;
			creators[n_creators].n = 0;
			creators[n_creators].from = INT64_MAX;
			creators[n_creators].to = INT64_MIN;
			creators[n_creators++].one = w;
		}
		if (j == n_creators)
			continue;
		creators[j].from = w->from < creators[j].from ? w->from : creators[j].from;
		creators[j].to = w->to > creators[j].to ? w->to : creators[j].to;
		if (++creators[j].n > creators[best].n)
			best = j;
	}
	/* Those who were there from then on, and only go round, are not a burst. */
	if (n_creators && creators[best].n * 2 >= k.n &&
		stw_overlap(creators[best].from, creators[best].to, s->from, s->to) * 2 >= s->to - s->from) {
		k.creator = creators[best].function;
		k.example = creators[best].one;
	}
	return k;
}

static stretch middle_of(const stretch *s)
{
	int64_t at = s->from + (s->to - s->from) / 2;
	return s->to - s->from <= MIDDLE_NS ? *s : (stretch){.from = at - MIDDLE_NS / 2, .to = at + MIDDLE_NS / 2};
}

/* What ran while the queue was long, rather than while the oldest waited, for that may be its beginning. */
static const char *load_of(stw_case *c, const stretch *s, const stw_candidate *oldest, const char **cause)
{
	stretch m = middle_of(s);
	stw_candidate w = {.from = m.from, .to = m.to, .window = UINT32_MAX};
	const char *culprit = stw_starved_load(c, &w, cause);
	return culprit ? culprit : stw_starved_load(c, oldest, cause);
}

static void found(stw_case *c, const stretch *s)
{
	crowd k = crowd_of(c, s);
	int64_t span = s->to - s->from;
	if (!k.oldest || k.told * 2 >= k.n || stw_overlap_outside(c, s->from, s->to) * 2 >= span)
		return;
	bool fresh, burst = k.creator != NULL;
	const char *cause = "burst", *culprit = burst ? k.creator : load_of(c, s, k.oldest, &cause);
	stw_found *f = stw_found_for(c, "runqueue-backlog", cause, culprit, -1, &fresh);
	if (!f)
		return;
	int64_t before = f->f.worst_ns;
	bool large = s->most > c->set[STW_SET_BACKLOG_LENGTH];
	stwatch_severity severity = large && span >= c->set[STW_SET_BACKLOG_ERROR] ? STWATCH_ERROR
		: large && span >= c->set[STW_SET_BACKLOG_WARN]                    ? STWATCH_WARNING
										   : STWATCH_NOTE;
	if (severity > f->f.severity)
		f->f.severity = severity;
	stw_found_occurs(c, f, s->from, s->to, STWATCH_NONE, STWATCH_NONE);
	for (size_t i = 0; i < c->gather->runnable_stays.count; i++) {
		const stw_candidate *w = &c->gather->runnable_stays.items[i];
		int64_t part = stw_overlap(w->from, w->to, s->from, s->to);
		const stw_named_stack *root = stw_places_stack(&c->places, w->root);
		const char *victim = part >= c->set[STW_SET_BACKLOG_AGE] && !stw_is_runtimes(root)
			? stw_own_function(stw_places_stack(&c->places, w->stack), root)
			: NULL;
		if (victim)
			stw_found_harms(c, f, victim, stw_root_function(root), w->g, part);
	}
	if (span <= before)
		return;
	f->evidence.count = 0;
	f->ruled_out.count = 0;
	f->f.confidence = STWATCH_CERTAIN;
	f->culprit.kind = "goroutine";
	f->f.title = stw_case_printf(c, "up to %d goroutines stood runnable at one time, for %s; the oldest for %s%s%s", s->most,
		stw_case_ms(c, span), stw_case_ms(c, k.oldest->to - k.oldest->from),
		burst             ? "; most created by "
			: culprit ? "; what ran was mostly "
				  : "",
		culprit ? culprit : "");
	f->f.advice = burst ? "start fewer at a time: a worker pool or a semaphore around the go statement"
		: strcmp(cause, "yield-spin") == 0
		? "don't poll with runtime.Gosched: wait on a channel, condition or timer"
		: "more work than the procs can do: fewer goroutines that compute at one time, or more CPUs";
	stw_found_step(c, f, s->from, "grows", "goroutine transitions", "more than %lld are runnable (%lld procs)",
		(long long)(large ? c->set[STW_SET_BACKLOG_LENGTH] : c->set[STW_SET_BACKLOG_FACTOR] * c->procs), (long long)c->procs);
	stwatch_evidence *e = stw_found_step(c, f, k.oldest->from > s->from ? k.oldest->from : s->from + 1, "oldest",
		"GoCreate, GoUnblock or GoStop", "G%lld is runnable for %s", (long long)k.oldest->g,
		stw_case_ms(c, k.oldest->to - k.oldest->from));
	e->goroutine = k.oldest->g;
	if (k.example) {
		e = stw_found_step(c, f, s->from + 2, "created", "GoCreate", "%llu of %llu that waited long were created here: %s",
			(unsigned long long)k.created, (unsigned long long)k.n,
			stw_case_site(c, stw_places_stack(&c->places, k.example->wake)));
		stw_found_stack(e, stw_places_stack(&c->places, k.example->wake));
	}
	stw_found_step(c, f, s->to, "drained", "goroutine transitions", "the queue is short again, or the trace ends (%d left)", s->last);
	stw_found_rules_out(c, f, "which of them stood in the global queue, which in a proc's own: a trace does not tell");
}

/* The next stretch from slot *at on in which the queue was long; false: there is none. */
static bool next_stretch(const stw_case *c, size_t *at, stretch *s)
{
	int64_t limit = c->set[STW_SET_BACKLOG_FACTOR] * c->procs;
	if (limit > c->set[STW_SET_BACKLOG_LENGTH])
		limit = c->set[STW_SET_BACKLOG_LENGTH];
	const stw_backlog_slot *slots = c->gather->backlog.items;
	size_t n = c->gather->doubt == INT64_MIN ? c->gather->backlog.count
						 : 0; /* where events are missing, the count is wrong from there on */
	while (*at < n) {
		size_t k = *at;
		if (slots[k].min <= limit) {
			++*at;
			continue;
		}
		*s = (stretch){.from = slots[k].slot * STW_SLOT_NS};
		for (; k < n && slots[k].min > limit; k++) {
			s->most = slots[k].max > s->most ? slots[k].max : s->most;
			s->last = slots[k].min;
			s->rising |= k > *at && slots[k].max > slots[k - 1].max;
		}
		s->to = k < n ? slots[k].slot * STW_SLOT_NS : c->gather->last_time;
		if (s->from < c->start)
			s->from = c->start;
		*at = k;
		/* One burst that is worked off at once is what run queues are for. */
		bool drains = !s->rising && s->to - s->from < c->set[STW_SET_BACKLOG_WARN];
		if ((s->to - s->from) / STW_SLOT_NS >= c->set[STW_SET_BACKLOG_ROUNDS] && !drains)
			return true;
	}
	return false;
}

void stw_backlog_want_activity(stw_case *c)
{
	stretch s;
	size_t at = 0;
	for (unsigned n = 0; n < MOST_READ && next_stretch(c, &at, &s); n++) {
		stretch m = middle_of(&s);
		if (s.to - s.from >= c->set[STW_SET_BACKLOG_WARN])
			stw_activity_want(&c->activity, m.from, m.to, STWATCH_NONE);
	}
}

static void judge(stw_case *c)
{
	stretch s;
	size_t at = 0;
	while (next_stretch(c, &at, &s))
		found(c, &s);
}

const stw_rule stw_rule_backlog = {"runqueue-backlog", NULL, judge};
