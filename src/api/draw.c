#include "api/draw.h"

#include "analysis/picture.h"
#include "base/error.h"

/* Room before and after the occurrence, as a share of it. */
enum { MARGIN_DIVISOR = 6 };
#define LEAST_MARGIN_NS ((int64_t)500000)

static void want_g(stw_picture_wish *w, int64_t g, stwatch_role role)
{
	if (g == STWATCH_NONE)
		return;
	for (unsigned i = 0; i < w->n_gs; i++)
		if (w->gs[i] == g)
			return;
	if (w->n_gs == STW_PICTURE_GS)
		return;
	w->gs[w->n_gs] = g;
	w->g_roles[w->n_gs++] = (uint8_t)role;
}

static void want_p(stw_picture_wish *w, int64_t p, stwatch_role role)
{
	if (p == STWATCH_NONE)
		return;
	for (unsigned i = 0; i < w->n_ps; i++)
		if (w->ps[i] == p)
			return;
	if (w->n_ps == STW_PICTURE_PROCS)
		return;
	w->ps[w->n_ps] = p;
	w->p_roles[w->n_ps++] = (uint8_t)role;
}

/* The worst occurrence names a goroutine even where the culprit or victims are many. */
static void want_occurrence(stw_picture_wish *w, const stwatch_finding *f)
{
	for (size_t i = 0; i < f->n_occurrences; i++) {
		const stwatch_occurrence *o = &f->occurrences[i];
		if (o->start_ns != f->start_ns || o->duration_ns != f->duration_ns)
			continue;
		want_g(w, o->goroutine, STWATCH_BYSTANDER);
		want_p(w, o->proc, STWATCH_BYSTANDER);
	}
}

static void want_all(stw_picture_wish *w, const stwatch_finding *f)
{
	if (f->culprit) {
		want_g(w, f->culprit->goroutine, STWATCH_CULPRIT);
		want_p(w, f->culprit->proc, STWATCH_CULPRIT);
	}
	for (size_t i = 0; i < f->n_victims && w->n_gs < STW_PICTURE_GS - 2; i++)
		want_g(w, f->victims[i].goroutine, STWATCH_VICTIM);
	want_occurrence(w, f);
	for (size_t i = 0; i < f->n_evidence; i++) {
		want_g(w, f->evidence[i].goroutine, STWATCH_BYSTANDER);
		want_p(w, f->evidence[i].proc, STWATCH_BYSTANDER);
	}
}

stwatch_status stw_draw_finding(stwatch_finding *f, stw_case *c, const volatile int *cancel, stwatch_error *error)
{
	stw_picture_wish w = {.start = c->start};
	if (f->start_ns == STWATCH_UNKNOWN || f->end_ns < f->start_ns)
		return STWATCH_OK;
	int64_t last = c->gather->last_time, margin = (f->end_ns - f->start_ns) / MARGIN_DIVISOR;
	margin = margin > LEAST_MARGIN_NS ? margin : LEAST_MARGIN_NS;
	w.from = f->start_ns - margin < 0 ? c->start : c->start + f->start_ns - margin;
	w.to = c->start + f->end_ns + margin > last ? last : c->start + f->end_ns + margin;
	if (w.to - w.from > STW_PICTURE_LONGEST_NS)
		w.from = w.to - STW_PICTURE_LONGEST_NS;
	if (w.from >= w.to)
		return STWATCH_OK;
	want_all(&w, f);
	stwatch_timeline *timeline = stw_arena_zalloc(&c->arena, sizeof *timeline);
	if (!timeline)
		return stw_fail_memory(error);
	stwatch_status status = stw_picture_read(timeline, &w, c->mem, &c->arena, c->trace, cancel, error);
	if (status == STWATCH_OK)
		f->timeline = timeline;
	return status;
}
