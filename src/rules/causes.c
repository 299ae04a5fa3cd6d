#include "rules/causes.h"

#include <stdlib.h>
#include <string.h>

/* What can follow from what. */
typedef struct link {
	const char *effect, *effect_cause; /* a finding of this rule, and of this cause unless NULL */
	const char *rule; /* follows from one of this */
	bool same_culprit; /* where both have the same culprit; else at the same time is enough */
} link;

static const link links[] = {
	{"goroutine-stuck-waiting", NULL, "goroutine-stuck-syscall", true},
	{"goroutine-stuck-waiting", NULL, "non-preemptible", true},
	{"lock-convoy", NULL, "goroutine-stuck-syscall", true},
	{"lock-convoy", NULL, "non-preemptible", true},
	{"stw-prolonged", NULL, "non-preemptible", true},
	{"stw-prolonged", NULL, "goroutine-stuck-syscall", true},
	{"proc-syscall-retake", NULL, "goroutine-stuck-syscall", true},
	{"stw-frequent", "gc-cycles", "allocation-starvation", false},
	{"goroutine-starved", "late-retake", "proc-syscall-retake", false},
	{"goroutine-starved", "long-runner", "non-preemptible", true},
	{"goroutine-starved", "stop", "stw-prolonged", false},
	{"goroutine-starved", "stop", "stw-frequent", false},
	{"goroutine-starved", "gc-workers", "allocation-starvation", false},
	{"goroutine-starved", "outside", "outside-program", false},
	{"proc-idle-with-backlog", "outside", "outside-program", false},
};

static int loudest_first(const void *x, const void *y)
{
	const stwatch_finding *a = x, *b = y;
	if (a->severity != b->severity)
		return a->severity < b->severity ? 1 : -1;
	if (a->harm_ns != b->harm_ns) /* what it cost others, not how long it was */
		return a->harm_ns < b->harm_ns ? 1 : -1;
	if (a->worst_ns != b->worst_ns)
		return a->worst_ns < b->worst_ns ? 1 : -1;
	return strcmp(a->id, b->id);
}

static bool same_culprit(const stwatch_finding *a, const stwatch_finding *b)
{
	return a->culprit && b->culprit && strcmp(a->culprit->function, b->culprit->function) == 0;
}

/* How much of a's occurrences lies within b's, at least half counts. Both are in order of time; those of one finding may overlap. */
static bool mostly_within(const stwatch_finding *a, const stwatch_finding *b)
{
	int64_t all = 0, within = 0;
	for (size_t i = 0; i < a->n_occurrences; i++) {
		const stwatch_occurrence *x = &a->occurrences[i];
		if (x->start_ns == STWATCH_UNKNOWN)
			continue;
		int64_t from = x->start_ns, end = from + x->duration_ns;
		all += x->duration_ns;
		for (size_t k = 0; k < b->n_occurrences && from < end; k++) {
			const stwatch_occurrence *y = &b->occurrences[k];
			if (y->start_ns == STWATCH_UNKNOWN || y->start_ns >= end)
				continue;
			int64_t begin = y->start_ns > from ? y->start_ns : from, to = y->start_ns + y->duration_ns;
			to = to < end ? to : end;
			if (to > begin) {
				within += to - begin;
				from = to;
			}
		}
	}
	return within > 0 && within >= all / 2;
}

static bool follows_from(const stwatch_finding *effect, const stwatch_finding *cause)
{
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		const link *l = &links[i];
		if (strcmp(l->effect, effect->rule) == 0 && strcmp(l->rule, cause->rule) == 0 &&
			(!l->effect_cause || strcmp(l->effect_cause, effect->cause) == 0) &&
			(!l->same_culprit || same_culprit(effect, cause)))
			return mostly_within(effect, cause);
	}
	return false;
}

static bool speaks_first(const stwatch_finding *cause, const stwatch_finding *effect)
{
	return (cause->severity > STWATCH_NOTE || effect->severity == STWATCH_NOTE) && follows_from(effect, cause);
}

void stw_findings_order(stwatch_finding *findings, size_t count)
{
	if (count < 2)
		return;
	qsort(findings, count, sizeof *findings, loudest_first);
	for (size_t place = 0; place < count; place++) {
		/* What follows from what has no circle (links), so this ends. */
		for (size_t i = place + 1; i < count; i++) {
			const stwatch_finding cause = findings[i];
			if (!speaks_first(&cause, &findings[place]))
				continue;
			memmove(&findings[place + 1], &findings[place], (i - place) * sizeof *findings);
			findings[place] = cause;
			i = place;
		}
	}
}
