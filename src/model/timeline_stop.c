/* P's and stops of the world: who is _Pgcstop, from when, until when; who is _Pdead. */
#include "model/timeline.h"

/* procresize creates them all; a file may name any number. */
enum { PROCS_CREATED = 1024, PENDING_MAX = 4096 };

static void p_leave(stw_timeline *t, const stw_timeline_p *p, stw_line *line, unsigned to, unsigned event, int64_t at)
{
	stw_timeline_leave(t, STW_RES_P, p->id, line, to, event, at, STWATCH_NONE);
}

static bool has_thread(unsigned state)
{
	return state == STW_STATE_P_RUNNING || state == STW_STATE_P_SYSCALL;
}

static bool beyond(const stw_timeline *t, int64_t id)
{
	return t->procs >= 0 && id >= t->procs;
}

/* ---- GOMAXPROCS ---- */

/* P's that a change brings, as far as nobody has named them yet. */
static void create(stw_timeline *t, int64_t old, int64_t at)
{
	for (int64_t id = old < 0 ? 0 : old; id < t->procs && id < PROCS_CREATED; id++) {
		size_t known = t->ps.count;
		uint32_t p = stw_timeline_find_p(t, id);
		if (p == STW_MAP_NONE)
			return;
		if (old >= 0 && t->ps.count > known)
			t->ps.items[p].line = (stw_line){.since = at, .state = t->stop.on ? STW_STATE_P_GCSTOP : STW_STATE_P_IDLE};
	}
}

static void resize(stw_timeline *t, int64_t at)
{
	for (size_t i = 0; i < t->ps.count; i++) {
		stw_timeline_p *p = &t->ps.items[i];
		unsigned state = p->line.state;
		if (beyond(t, p->id) ? state == STW_STATE_P_IDLE || state == STW_STATE_P_GCSTOP : state == STW_STATE_P_DEAD)
			p_leave(t, p, &p->line, beyond(t, p->id) ? STW_STATE_P_DEAD : STW_STATE_P_IDLE, STW_EV_ProcsChange, at);
	}
}

void stw_timeline_procs(stw_timeline *t, int64_t procs, int64_t at)
{
	int64_t old = t->procs;
	t->procs = procs;
	if (t->stop.on && !t->stop.restarted) {
		t->stop.restarted = true;
		t->stop.restart = at;
	} else if (old != procs) {
		resize(t, at);
	}
	create(t, old, at);
}

/* ---- the course of a stop ---- */

void stw_timeline_stop_begin(stw_timeline *t, const stw_timeline_event *e, uint32_t m)
{
	stw_timeline_stop *s = &t->stop;
	if (s->on) /* there is one at a time: the end of the last one was not seen yet */
		stw_timeline_stop_end(t, e->time, true);
	s->on = true;
	s->restarted = false;
	s->begin = e->time;
	s->g = e->g;
	s->m = m;
	s->pending.count = 0;
	for (size_t i = 0; i < t->ps.count; i++) {
		t->ps.items[i].mark = 0;
		t->ps.items[i].stopped_as = STW_STATE_UNKNOWN;
		t->ps.items[i].held = false;
	}
}

/* ---- its end ---- */

typedef struct stand {
	bool stood;
	int64_t from, to; /* to INT64_MAX: it has not been seen to end */
	uint8_t event; /* that ends it */
} stand;

static bool all_stopped(const stw_timeline *t)
{
	for (size_t i = 0; i < t->ps.count; i++)
		if (has_thread(t->ps.items[i].line.state) && t->ps.items[i].m != t->stop.m)
			return false;
	return true;
}

/* When the world stood. At procresize it does, or the runtime throws; without its ProcsChange it must show at the end. */
static stand when_stood(const stw_timeline *t, int64_t end, bool seen)
{
	const stw_timeline_stop *s = &t->stop;
	stand w = {.from = s->begin,
		.to = s->restarted ? s->restart
			: seen     ? end
				   : INT64_MAX,
		.event = s->restarted ? STW_EV_ProcsChange : STW_EV_STWEnd};
	w.stood = s->restarted || all_stopped(t);
	for (size_t i = 0; i < s->pending.count; i++)
		if (s->pending.items[i].kind == STW_P_STOPS && !s->pending.items[i].own && s->pending.items[i].at <= w.to)
			w.from = s->pending.items[i].at;
	return w;
}

/* Which stops last until the restart. */
static void mark(stw_timeline *t, const stand *w)
{
	for (size_t i = 0; i < t->stop.pending.count && t->stop.pending.items[i].at <= w->to; i++) {
		const stw_timeline_pending *held = &t->stop.pending.items[i];
		t->ps.items[held->p].mark = held->kind == STW_P_STOPS ? (uint32_t)i + 1 : 0;
	}
}

/* What a P without a thread went through until then. */
static void pass(stw_timeline *t, const stw_timeline_p *p, stw_line *line, const stand *w, int64_t until)
{
	if (line->state == STW_STATE_P_IDLE && w->stood && line->since <= w->from && until > w->from)
		p_leave(t, p, line, STW_STATE_P_GCSTOP, STW_EV_STWBegin, w->from);
	if (until <= w->to)
		return;
	if (beyond(t, p->id)) {
		if (line->state == STW_STATE_P_GCSTOP || line->state == STW_STATE_P_IDLE)
			p_leave(t, p, line, STW_STATE_P_DEAD, STW_EV_ProcsChange, w->to > line->since ? w->to : line->since);
		return;
	}
	if (line->state == STW_STATE_P_DEAD && line->since < w->to)
		p_leave(t, p, line, STW_STATE_P_GCSTOP, STW_EV_ProcsChange, w->to);
	if (line->state == STW_STATE_P_GCSTOP)
		p_leave(t, p, line, STW_STATE_P_IDLE, w->event, w->to > line->since ? w->to : line->since);
}

static void release(stw_timeline *t, const stand *w, uint32_t index)
{
	const stw_timeline_pending *held = &t->stop.pending.items[index];
	stw_timeline_p *p = &t->ps.items[held->p];
	stw_line line = held->line;
	if (held->kind == STW_P_USED) {
		p_leave(t, p, &line, held->to, held->event, held->at);
		return;
	}
	if (held->kind == STW_P_STARTS) {
		if (p->stopped_as != STW_STATE_UNKNOWN && line.state == STW_STATE_P_IDLE)
			line.state = p->stopped_as;
		if (!has_thread(line.state))
			pass(t, p, &line, w, held->at);
		p_leave(t, p, &line, STW_STATE_P_RUNNING, held->event, held->at);
		return;
	}
	bool after = w->stood && held->at > w->to;
	unsigned to = after && beyond(t, p->id) ? STW_STATE_P_DEAD : p->mark == index + 1 ? STW_STATE_P_GCSTOP : STW_STATE_P_IDLE;
	p->stopped_as = (uint8_t)to;
	p_leave(t, p, &line, to, held->event, held->at);
}

static void release_all(stw_timeline *t, const stand *w, int64_t until)
{
	mark(t, w);
	for (uint32_t i = 0; i < t->stop.pending.count; i++)
		release(t, w, i);
	for (size_t i = 0; i < t->ps.count; i++) {
		stw_timeline_p *p = &t->ps.items[i];
		if (p->line.state == STW_STATE_UNKNOWN && p->m == STW_MAP_NONE && w->stood && !beyond(t, p->id))
			p->line.state = STW_STATE_P_IDLE; /* not one event: it had no thread when the world stood, nor before */
		if (p->held && p->stopped_as != STW_STATE_UNKNOWN && p->line.state == STW_STATE_P_IDLE)
			p->line.state = p->stopped_as;
		if (p->line.state != STW_STATE_UNKNOWN && !has_thread(p->line.state))
			pass(t, p, &p->line, w, until);
		p->held = false;
		p->mark = 0;
	}
	t->stop.pending.count = 0;
}

void stw_timeline_stop_end(stw_timeline *t, int64_t at, bool seen)
{
	stand w = when_stood(t, at, seen);
	release_all(t, &w, seen ? INT64_MAX : at);
	t->stop.on = false;
	if (w.stood)
		t->known_from = at;
}

/* ---- starts and stops of P's ---- */

/* More of them than any stop has: after the restart they are none of its business, before it they were not for it. */
static void overflow(stw_timeline *t, int64_t at)
{
	const stand never = {.to = INT64_MIN, .event = STW_EV_STWEnd};
	if (t->stop.restarted)
		stw_timeline_stop_end(t, at, true);
	else
		release_all(t, &never, at);
}

void stw_timeline_p_moves(stw_timeline *t, uint32_t index, unsigned kind, unsigned to, const stw_timeline_event *e, uint32_t m)
{
	stw_timeline_p *p = &t->ps.items[index];
	if (t->stop.on && t->stop.pending.count >= PENDING_MAX)
		overflow(t, e->time);
	if (!t->stop.on && kind == STW_P_STOPS && beyond(t, p->id))
		to = STW_STATE_P_DEAD;
	if (!t->stop.on || (kind == STW_P_USED && !p->held)) {
		p_leave(t, p, &p->line, to, e->type, e->time);
		return;
	}
	stw_timeline_pending *held = stw_vec_push(t->mem, &t->stop.pending);
	if (!held) {
		t->failed = true;
		return;
	}
	*held = (stw_timeline_pending){.line = p->line,
		.at = e->time,
		.p = index,
		.event = e->type,
		.kind = (uint8_t)kind,
		.to = (uint8_t)to,
		.own = m == t->stop.m};
	p->held = true;
	p->line = (stw_line){.since = e->time, .state = (uint8_t)to, .generation = t->generation};
}
