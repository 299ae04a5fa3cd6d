/* What the first pass forgets where events are missing. */
#include "model/fold.h"

void stw_fold_forget_p(stw_fold *f, uint32_t slot, int64_t at)
{
	if (slot >= f->ps.count)
		return;
	stw_fold_p *p = &f->ps.items[slot];
	p->since = at;
	p->use = STW_USE_UNKNOWN;
	p->g = STW_SLOT_NONE;
	p->use_g = p->last_g = STWATCH_NONE;
	p->last_run_from = at;
	p->last_root = p->last_before = p->last_stack = 0;
}

/* A stop whose end may be lost is left out. */
void stw_fold_forget_g(stw_fold *f, uint32_t slot, int64_t at)
{
	if (slot >= f->gs.count)
		return;
	stw_fold_g *g = &f->gs.items[slot];
	if (f->stopping && f->stop.g == f->order->gs.items[slot].id)
		f->stopping = false;
	if (STW_SLOT_OK(g->p) && g->p < f->ps.count && f->ps.items[g->p].g == slot)
		stw_fold_forget_p(f, g->p, at);
	g->state = STW_GO_UNDETERMINED;
	g->since = STW_TIME_UNKNOWN;
	g->collects = 0;
	g->how = STW_HOW_UNKNOWN;
	g->p = STW_SLOT_NONE;
	f->more.items[slot].long_to = STW_TIME_UNKNOWN;
}

void stw_fold_anew_p(stw_fold *f, uint32_t slot, int64_t at)
{
	f->counts[STW_EV_ProcStatus]--; /* none that the trace has */
	stw_fold_forget_p(f, slot, at);
}

void stw_fold_anew_g(stw_fold *f, unsigned type, uint32_t slot, int64_t at)
{
	stw_fold_g *g = &f->gs.items[slot];
	f->counts[STW_EV_GoStatus]--;
	g->since = at;
	f->started_anew = type == STW_EV_GoStart ? slot + 1 : 0;
	f->anew_at = at;
	if (!STW_SLOT_OK(g->p))
		return;
	stw_fold_p *p = &f->ps.items[g->p];
	if (p->since != STW_TIME_UNKNOWN)
		p->total[p->use] += at - p->since;
	p->since = at;
	p->use = g->state == STW_GO_SYSCALL ? STW_USE_SYSCALL : STW_USE_USER;
}

void stw_fold_settle_anew(stw_fold *f)
{
	if (!f->started_anew)
		return;
	const stw_fold_g *g = &f->gs.items[f->started_anew - 1];
	if (g->state == STW_GO_RUNNING && g->since > f->anew_at)
		f->latency[stw_histogram_bucket(g->since - f->anew_at)]--;
	f->started_anew = 0;
}
