/* Of the findings, those that were asked for: by time, function, goroutine, and without the ignored. */
#include <string.h>

#include "api/analysis.h"

static bool names(const stwatch_party *p, const char *function)
{
	const char *all[] = {p->function, p->leaf, p->root};
	for (int i = 0; i < 3; i++)
		if (all[i] && strstr(all[i], function))
			return true;
	return false;
}

static bool in_focus(const stwatch_finding *f, const stwatch_analyze_options *o)
{
	bool ok = !o->focus_function || (f->culprit && names(f->culprit, o->focus_function));
	for (size_t i = 0; !ok && i < f->n_victims; i++)
		ok = names(&f->victims[i], o->focus_function);
	if (!ok || o->focus_goroutine <= 0)
		return ok;
	ok = f->culprit && f->culprit->goroutine == o->focus_goroutine;
	for (size_t i = 0; !ok && i < f->n_victims; i++)
		ok = f->victims[i].goroutine == o->focus_goroutine;
	for (size_t i = 0; !ok && i < f->n_occurrences; i++)
		ok = f->occurrences[i].goroutine == o->focus_goroutine;
	return ok;
}

static bool wanted(const stwatch_finding *f, const stwatch_analyze_options *o)
{
	for (size_t i = 0; i < o->n_ignore; i++)
		if (strcmp(f->id, o->ignore[i]) == 0)
			return false;
	bool inside = f->n_occurrences == 0;
	for (size_t i = 0; !inside && i < f->n_occurrences; i++) {
		const stwatch_occurrence *x = &f->occurrences[i];
		inside = x->start_ns == STWATCH_UNKNOWN ||
			(x->start_ns + x->duration_ns >= o->from_ns && (o->to_ns == 0 || x->start_ns <= o->to_ns));
	}
	return inside && in_focus(f, o);
}

void stw_analysis_select(stwatch_analysis *a, const stwatch_analyze_options *o)
{
	size_t kept = 0;
	for (size_t i = 0; i < a->n_findings; i++)
		if (wanted(&a->findings[i], o))
			a->findings[kept++] = a->findings[i];
	a->n_findings = kept;
}
