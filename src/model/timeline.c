#include "model/timeline.h"

#include <string.h>

enum { NOT = STW_MAP_NONE };

/* ---- records ---- */

bool stw_timeline_init(stw_timeline *t, stw_mem *mem, unsigned version, const stw_timeline_hooks *hooks)
{
	memset(t, 0, sizeof *t);
	t->mem = mem;
	t->version = version;
	t->hooks = *hooks;
	t->first = true;
	t->procs = -1;
	stw_state_rules_init(&t->rules, version);
	stw_intern_init(&t->reasons, mem);
	stw_map_init(&t->g_index, mem);
	stw_map_init(&t->p_index, mem);
	stw_map_init(&t->m_index, mem);
	if (stw_intern_put(&t->reasons, "preempted", 9) == STW_REASON_PREEMPTED)
		return true;
	stw_timeline_free(t);
	return false;
}

static void forget(stw_timeline *t)
{
	t->gs.count = t->ps.count = t->ms.count = t->free_gs.count = 0;
	stw_map_clear(&t->g_index);
	stw_map_clear(&t->p_index);
	stw_map_clear(&t->m_index);
	t->stop.on = false;
	t->stop.pending.count = 0;
	t->switching = 0;
	t->procs = -1;
}

void stw_timeline_free(stw_timeline *t)
{
	stw_intern_free(&t->reasons);
	stw_vec_free(t->mem, &t->gs);
	stw_vec_free(t->mem, &t->ps);
	stw_vec_free(t->mem, &t->ms);
	stw_vec_free(t->mem, &t->free_gs);
	stw_vec_free(t->mem, &t->stop.pending);
	stw_map_free(&t->g_index);
	stw_map_free(&t->p_index);
	stw_map_free(&t->m_index);
}

uint32_t stw_timeline_reason(stw_timeline *t, const char *data, size_t length)
{
	uint32_t number = stw_intern_put(&t->reasons, data, length);
	t->failed |= number == UINT32_MAX;
	return number == UINT32_MAX ? 0 : number;
}

/* A line whose state nobody knows yet. In the first generation whatever it turns out to be has held since the beginning. */
static stw_line unknown_line(const stw_timeline *t, int64_t at)
{
	return (stw_line){.since = t->first ? t->begin : at, .generation = t->generation, .state = STW_STATE_UNKNOWN, .open_begin = true};
}

/* STW_MAP_NONE when out of memory, or for no id. */
static uint32_t g_of(stw_timeline *t, int64_t id, int64_t at)
{
	uint32_t i = id == STWATCH_NONE ? NOT : stw_map_get(&t->g_index, (uint64_t)id);
	if (i != NOT || id == STWATCH_NONE)
		return i;
	if (t->free_gs.count)
		i = t->free_gs.items[--t->free_gs.count];
	else if (stw_vec_add(t->mem, &t->gs) && stw_vec_reserve(t->mem, &t->free_gs, t->gs.count - t->free_gs.count))
		i = (uint32_t)t->gs.count - 1;
	if (i == NOT || !stw_map_put(&t->g_index, (uint64_t)id, i)) {
		t->failed = true;
		return NOT;
	}
	t->gs.items[i] = (stw_timeline_g){.id = id, .m = NOT, .line = unknown_line(t, at)};
	return i;
}

uint32_t stw_timeline_find_p(stw_timeline *t, int64_t id)
{
	uint32_t i = id == STWATCH_NONE ? NOT : stw_map_get(&t->p_index, (uint64_t)id);
	if (i != NOT || id == STWATCH_NONE)
		return i;
	if (!stw_vec_add(t->mem, &t->ps) || !stw_map_put(&t->p_index, (uint64_t)id, (uint32_t)t->ps.count - 1)) {
		t->failed = true;
		return NOT;
	}
	i = (uint32_t)t->ps.count - 1;
	/* What it did before the last stop is not known: it may have been part of it. */
	t->ps.items[i] = (stw_timeline_p){
		.id = id,
		.m = NOT,
		.line = {.since = t->known_from, .generation = t->generation, .state = STW_STATE_UNKNOWN, .open_begin = true},
	};
	return i;
}

static uint32_t m_of(stw_timeline *t, int64_t id, int64_t at)
{
	uint32_t i = id == STWATCH_NONE ? NOT : stw_map_get(&t->m_index, (uint64_t)id);
	if (i != NOT || id == STWATCH_NONE)
		return i;
	if (!stw_vec_add(t->mem, &t->ms) || !stw_map_put(&t->m_index, (uint64_t)id, (uint32_t)t->ms.count - 1)) {
		t->failed = true;
		return NOT;
	}
	i = (uint32_t)t->ms.count - 1;
	t->ms.items[i] = (stw_timeline_m){.id = id, .p = NOT, .g = NOT, .line = unknown_line(t, at)};
	return i;
}

/* ---- telling ---- */

static void tell_interval(
	const stw_timeline *t, unsigned resource, int64_t id, const stw_line *line, unsigned next, unsigned event, int64_t at, int64_t by)
{
	const stw_interval interval = {
		.resource = (uint8_t)resource,
		.state = line->state,
		.next = (uint8_t)next,
		.event = (uint8_t)event,
		.open_begin = line->open_begin,
		.open_end = event == STW_EV_None,
		.id = id,
		.from = line->since,
		.to = at,
		.by = by,
		.stack = line->stack,
		.generation = line->generation,
		.reason = line->reason,
	};
	if (t->hooks.interval)
		t->hooks.interval(t->hooks.user, &interval);
}

static bool is_dead(unsigned state)
{
	return state == STW_STATE_G_DEAD || state == STW_STATE_G_DEADEXTRA;
}

void stw_timeline_leave(stw_timeline *t, unsigned resource, int64_t id, stw_line *line, unsigned to, unsigned event, int64_t at, int64_t by)
{
	if (t->lossy && !stw_move_legal(&t->rules, line->state, to, event)) {
		if (!is_dead(line->state))
			tell_interval(t, resource, id, line, STW_STATE_UNKNOWN, STW_EV_None, at, by);
		*line = (stw_line){.since = at, .generation = t->generation, .state = STW_STATE_UNKNOWN, .open_begin = true};
	}
	if (!is_dead(line->state) && (line->state != STW_STATE_UNKNOWN || at > line->since))
		tell_interval(t, resource, id, line, to, event, at, by);
	const stw_move move = {
		.resource = (uint8_t)resource,
		.from = line->state,
		.to = (uint8_t)to,
		.event = (uint8_t)event,
		.legal = stw_move_legal(&t->rules, line->state, to, event),
		.measured = !line->open_begin && line->state != STW_STATE_UNKNOWN && !is_dead(line->state),
		.id = id,
		.at = at,
		.spent = at - line->since,
	};
	if (t->hooks.move)
		t->hooks.move(t->hooks.user, &move);
	*line = (stw_line){.since = at, .generation = t->generation, .state = (uint8_t)to};
}

static void tell_clash(
	const stw_timeline *t, int64_t m, int64_t p, int64_t g, unsigned p_state, unsigned g_state, const stw_timeline_event *e)
{
	if (t->lossy)
		return;
	const stw_clash clash = {
		.at = e->time, .m = m, .p = p, .g = g, .p_state = (uint8_t)p_state, .g_state = (uint8_t)g_state, .event = e->type};
	if (t->hooks.clash)
		t->hooks.clash(t->hooks.user, &clash);
}

/* ---- who has whom ---- */

static void touch(stw_touched *touched, uint32_t item)
{
	for (unsigned i = 0; i < touched->count; i++)
		if (touched->items[i] == item)
			return;
	if (item != NOT && touched->count < STW_TOUCHED)
		touched->items[touched->count++] = item;
}

static void unlink_p(stw_timeline *t, uint32_t p)
{
	uint32_t m = t->ps.items[p].m;
	if (m == NOT)
		return;
	t->ms.items[m].p = NOT;
	t->ps.items[p].m = NOT;
	touch(&t->touched_m, m);
}

static void unlink_g(stw_timeline *t, uint32_t g)
{
	uint32_t m = t->gs.items[g].m;
	if (m == NOT)
		return;
	t->ms.items[m].g = NOT;
	t->gs.items[g].m = NOT;
	touch(&t->touched_m, m);
}

/* Whoever had them before loses them, and is looked at. */
static void link_p(stw_timeline *t, uint32_t m, uint32_t p)
{
	if (t->ps.items[p].m == m)
		return;
	unlink_p(t, p);
	if (m == NOT)
		return;
	if (t->ms.items[m].p != NOT) {
		touch(&t->touched_p, t->ms.items[m].p);
		unlink_p(t, t->ms.items[m].p);
	}
	t->ms.items[m].p = p;
	t->ps.items[p].m = m;
}

static void link_g(stw_timeline *t, uint32_t m, uint32_t g)
{
	if (t->gs.items[g].m == m)
		return;
	unlink_g(t, g);
	if (m == NOT)
		return;
	if (t->ms.items[m].g != NOT) {
		touch(&t->touched_g, t->ms.items[m].g);
		unlink_g(t, t->ms.items[m].g);
	}
	t->ms.items[m].g = g;
	t->gs.items[g].m = m;
}

/* ---- threads, and how it all fits ---- */

static unsigned p_state(const stw_timeline *t, uint32_t p)
{
	return p == NOT ? STW_STATE_NONE : t->ps.items[p].line.state;
}

static unsigned g_state(const stw_timeline *t, uint32_t g)
{
	return g == NOT ? STW_STATE_NONE : t->gs.items[g].line.state;
}

/* A thread's state by its P and goroutine; UNKNOWN also where they do not fit. */
static unsigned derived(const stw_timeline *t, const stw_timeline_m *m, bool *fits)
{
	unsigned p = p_state(t, m->p), g = g_state(t, m->g);
	*fits = true;
	if (p == STW_STATE_UNKNOWN || g == STW_STATE_UNKNOWN)
		return STW_STATE_UNKNOWN;
	unsigned state = t->rules.thread[p][g];
	*fits = state != STW_STATE_NONE;
	return *fits ? state : STW_STATE_UNKNOWN;
}

/* Before a thread's first event of its own: what its statuses say has held since the beginning. An idle one may not have existed. */
static void settle(stw_timeline *t, uint32_t index, int64_t at)
{
	bool fits;
	stw_timeline_m *m = &t->ms.items[index];
	unsigned state = derived(t, m, &fits);
	m->settled = true;
	if (state == STW_STATE_UNKNOWN || state == STW_STATE_M_IDLE)
		m->line.since = at;
	else
		m->line.state = (uint8_t)state;
}

static void check_m(stw_timeline *t, uint32_t index, const stw_timeline_event *e)
{
	bool fits;
	stw_timeline_m *m = &t->ms.items[index];
	if (!m->settled)
		return;
	unsigned state = derived(t, m, &fits);
	if (!fits && !m->at_odds)
		tell_clash(t, m->id, m->p == NOT ? STWATCH_NONE : t->ps.items[m->p].id, m->g == NOT ? STWATCH_NONE : t->gs.items[m->g].id,
			p_state(t, m->p), g_state(t, m->g), e);
	m->at_odds = !fits;
	if (state != m->line.state)
		stw_timeline_leave(t, STW_RES_M, m->id, &m->line, state, e->type, e->time, STWATCH_NONE);
}

static void check_p(const stw_timeline *t, uint32_t index, const stw_timeline_event *e)
{
	const stw_timeline_p *p = &t->ps.items[index];
	if (p->m == NOT && p->line.state != STW_STATE_UNKNOWN && !stw_couple_find(false, p->line.state, STW_STATE_NONE))
		tell_clash(t, STWATCH_NONE, p->id, STWATCH_NONE, p->line.state, STW_STATE_NONE, e);
}

static void check_g(const stw_timeline *t, uint32_t index, const stw_timeline_event *e)
{
	const stw_timeline_g *g = &t->gs.items[index];
	if (t->version < STW_GO122 && g->line.state == STW_STATE_G_SYSCALL) /* its thread is not always told */
		return;
	if (g->m == NOT && g->id != STWATCH_NONE && g->line.state != STW_STATE_UNKNOWN &&
		!stw_couple_find(false, STW_STATE_NONE, g->line.state))
		tell_clash(t, STWATCH_NONE, STWATCH_NONE, g->id, STW_STATE_NONE, g->line.state, e);
}

static void check_touched(stw_timeline *t, const stw_timeline_event *e)
{
	for (unsigned i = 0; i < t->touched_m.count; i++)
		check_m(t, t->touched_m.items[i], e);
	for (unsigned i = 0; i < t->touched_p.count; i++)
		check_p(t, t->touched_p.items[i], e);
	for (unsigned i = 0; i < t->touched_g.count; i++)
		check_g(t, t->touched_g.items[i], e);
}

/* ---- goroutines ---- */

static stw_timeline_g *g_moves(stw_timeline *t, uint32_t index, unsigned to, const stw_timeline_event *e, int64_t by)
{
	stw_timeline_g *g = &t->gs.items[index];
	stw_timeline_leave(t, STW_RES_G, g->id, &g->line, to, e->type, e->time, by);
	g->line.stack = e->stack;
	g->line.reason = e->reason;
	touch(&t->touched_g, index);
	return g;
}

static void g_begins(stw_timeline *t, unsigned to, const stw_timeline_event *e, uint32_t m)
{
	bool fresh = stw_map_get(&t->g_index, e->a[0]) == NOT;
	uint32_t g = g_of(t, (int64_t)e->a[0], e->time);
	if (g == NOT)
		return;
	bool extra = e->type == STW_EV_GoCreateSyscall && t->version >= STW_GO126;
	if (fresh)
		t->gs.items[g].line = (stw_line){.since = e->time, .state = extra ? STW_STATE_G_DEADEXTRA : STW_STATE_G_DEAD};
	g_moves(t, g, to, e, STWATCH_NONE);
	if (to == STW_STATE_G_SYSCALL)
		link_g(t, m, g);
}

static void g_ends(stw_timeline *t, unsigned to, uint32_t g, const stw_timeline_event *e)
{
	if (g == NOT)
		return;
	g_moves(t, g, to, e, STWATCH_NONE);
	unlink_g(t, g);
	stw_map_remove(&t->g_index, (uint64_t)t->gs.items[g].id);
	t->gs.items[g].id = STWATCH_NONE;
	t->free_gs.items[t->free_gs.count++] = g; /* there is room for all, see g_of */
}

static void g_stays_on(stw_timeline *t, unsigned to, uint32_t g, uint32_t m, const stw_timeline_event *e, int64_t by)
{
	if (g == NOT)
		return;
	g_moves(t, g, to, e, by);
	link_g(t, m, g);
}

static void g_leaves(stw_timeline *t, unsigned to, uint32_t g, const stw_timeline_event *e, int64_t by)
{
	if (g == NOT)
		return;
	g_moves(t, g, to, e, by);
	unlink_g(t, g);
}

/* The tracer writes _Gpreempted, where it restates it, as waiting. */
static bool g_agrees(unsigned state, unsigned stated)
{
	return state == stated || (state == STW_STATE_G_PREEMPTED && stated == STW_STATE_G_WAITING);
}

static void g_stated(stw_timeline *t, const stw_timeline_event *e, uint32_t m)
{
	static const uint8_t states[STW_G_STATUS_COUNT] = {
		STW_STATE_UNKNOWN,
		STW_STATE_G_RUNNABLE,
		STW_STATE_G_RUNNING,
		STW_STATE_G_SYSCALL,
		STW_STATE_G_WAITING,
	};
	unsigned status = (unsigned)(e->a[2] & 7), stated = status < STW_G_STATUS_COUNT ? states[status] : STW_STATE_UNKNOWN;
	uint32_t g = g_of(t, (int64_t)e->a[0], e->time);
	if (g == NOT)
		return;
	stw_line *line = &t->gs.items[g].line;
	if (line->state == STW_STATE_UNKNOWN) {
		line->state = (uint8_t)stated;
		line->stack = e->stack;
		line->generation = t->generation;
	} else if (!g_agrees(line->state, stated)) {
		g_moves(t, g, stated, e, STWATCH_NONE);
	}
	if (stated == STW_STATE_G_RUNNING)
		link_g(t, m, g);
	if (stated != STW_STATE_G_SYSCALL)
		return;
	uint32_t its = m_of(t, (int64_t)e->a[1], e->time);
	link_g(t, its, g);
	if (its != NOT && its != m && !t->ms.items[its].settled) /* it may have no event of its own */
		settle(t, its, e->time);
}

/* ---- P's ---- */

/* Stopped, dead and idle are all written as idle. */
static bool p_agrees(unsigned state, unsigned stated)
{
	return state == stated || (stated == STW_STATE_P_IDLE && (state == STW_STATE_P_GCSTOP || state == STW_STATE_P_DEAD));
}

static void p_stated(stw_timeline *t, const stw_timeline_event *e, uint32_t m)
{
	static const uint8_t states[STW_P_STATUS_COUNT] = {
		STW_STATE_UNKNOWN,
		STW_STATE_P_RUNNING,
		STW_STATE_P_IDLE,
		STW_STATE_P_SYSCALL,
		STW_STATE_P_SYSCALL,
	};
	unsigned stated = e->a[1] < STW_P_STATUS_COUNT ? states[e->a[1]] : STW_STATE_UNKNOWN;
	uint32_t p = stw_timeline_find_p(t, (int64_t)e->a[0]);
	if (p == NOT)
		return;
	stw_line *line = &t->ps.items[p].line;
	if (line->state == STW_STATE_UNKNOWN)
		line->state = (uint8_t)stated;
	else if (!p_agrees(line->state, stated))
		stw_timeline_p_moves(t, p, STW_P_USED, stated, e, m);
	if (e->a[1] == STW_P_RUNNING || e->a[1] == STW_P_SYSCALL)
		link_p(t, m, p);
	if (t->version < STW_GO122) /* a P's first start */
		touch(&t->touched_m, m);
}

static void p_uses(stw_timeline *t, unsigned to, uint32_t p, const stw_timeline_event *e)
{
	if (p == NOT)
		return;
	stw_timeline_p_moves(t, p, STW_P_USED, to, e, NOT);
	touch(&t->touched_p, p);
}

static void p_starts(stw_timeline *t, const stw_timeline_event *e, uint32_t m)
{
	uint32_t p = stw_timeline_find_p(t, (int64_t)e->a[0]);
	if (p == NOT)
		return;
	stw_timeline_p_moves(t, p, STW_P_STARTS, STW_STATE_P_RUNNING, e, m);
	link_p(t, m, p);
	touch(&t->touched_p, p);
}

static void p_stops(stw_timeline *t, uint32_t p, const stw_timeline_event *e, uint32_t m)
{
	if (p == NOT)
		return;
	stw_timeline_p_moves(t, p, STW_P_STOPS, STW_STATE_P_IDLE, e, m);
	unlink_p(t, p);
	touch(&t->touched_p, p);
}

static void p_stolen(stw_timeline *t, const stw_timeline_event *e, uint32_t m)
{
	uint32_t p = stw_timeline_find_p(t, (int64_t)e->a[0]);
	/* Without a sequence number it is made up by the reader, where a thread of C's ends: it leaves its P behind, which is
	 * in _Psyscall until somebody finds it. */
	if (p != NOT && e->a[1] == 0 && e->a[3] == STW_P_SYSCALL)
		unlink_p(t, p);
	else
		p_stops(t, p, e, m);
}

/* ---- events ---- */

/* The two parts come behind it, and are passed over. */
static void switches(stw_timeline *t, const stw_timeline_event *e, uint32_t g, uint32_t m)
{
	bool ends = e->type == STW_EV_GoSwitchDestroy;
	t->switching = 2;
	t->switch_from = e->g;
	t->switch_to = (int64_t)e->a[0];
	if (ends)
		g_ends(t, STW_STATE_G_DEAD, g, e);
	else
		g_leaves(t, STW_STATE_G_WAITING, g, e, STWATCH_NONE);
	g_stays_on(t, STW_STATE_G_RUNNING, g_of(t, (int64_t)e->a[0], e->time), m, e, e->g);
}

static bool is_part_of_switch(stw_timeline *t, const stw_timeline_event *e)
{
	if (!t->switching)
		return false;
	bool part = t->switching == 2 ? (e->type == STW_EV_GoBlock || e->type == STW_EV_GoDestroy) && e->g == t->switch_from
				      : e->type == STW_EV_GoStart && (int64_t)e->a[0] == t->switch_to;
	t->switching = part ? t->switching - 1 : 0;
	return part;
}

static bool matters(unsigned type)
{
	return stw_event_spec_of(type)->kind == STWATCH_EVENT_STATE_TRANSITION || type == STW_EV_STWBegin || type == STW_EV_STWEnd ||
		type == STW_EV_ProcsChange;
}

static bool is_status(unsigned type)
{
	return type == STW_EV_ProcStatus || type == STW_EV_GoStatus || type == STW_EV_GoStatusStack;
}

/* What an event says of its context is believed where nothing is known. */
static void adopt(stw_timeline *t, uint32_t m, uint32_t p, uint32_t g, int64_t at)
{
	const stw_timeline_m *thread = &t->ms.items[m];
	if (p != NOT && thread->p == NOT && t->ps.items[p].m == NOT && t->ps.items[p].line.state == STW_STATE_UNKNOWN)
		link_p(t, m, p);
	if (g != NOT && thread->g == NOT && t->gs.items[g].m == NOT && t->gs.items[g].line.state == STW_STATE_UNKNOWN)
		link_g(t, m, g);
	settle(t, m, at);
}

static void apply(stw_timeline *t, const stw_timeline_event *e, uint32_t m, uint32_t p, uint32_t g)
{
	switch (e->type) {
	case STW_EV_GoCreate: g_begins(t, STW_STATE_G_RUNNABLE, e, m); break;
	case STW_EV_GoCreateBlocked: g_begins(t, STW_STATE_G_WAITING, e, m); break;
	case STW_EV_GoCreateSyscall: g_begins(t, STW_STATE_G_SYSCALL, e, m); break;
	case STW_EV_GoStart: g_stays_on(t, STW_STATE_G_RUNNING, g_of(t, (int64_t)e->a[0], e->time), m, e, STWATCH_NONE); break;
	case STW_EV_GoStop: g_leaves(t, STW_STATE_G_RUNNABLE, g, e, STWATCH_NONE); break;
	case STW_EV_GoBlock:
		g_leaves(t, e->reason == STW_REASON_PREEMPTED ? STW_STATE_G_PREEMPTED : STW_STATE_G_WAITING, g, e, STWATCH_NONE);
		break;
	case STW_EV_GoUnblock: g_leaves(t, STW_STATE_G_RUNNABLE, g_of(t, (int64_t)e->a[0], e->time), e, e->g); break;
	case STW_EV_GoSyscallBegin:
		g_stays_on(t, STW_STATE_G_SYSCALL, g, m, e, STWATCH_NONE);
		p_uses(t, STW_STATE_P_SYSCALL, p, e);
		break;
	case STW_EV_GoSyscallEnd:
		g_stays_on(t, STW_STATE_G_RUNNING, g, m, e, STWATCH_NONE);
		p_uses(t, STW_STATE_P_RUNNING, p, e);
		break;
	case STW_EV_GoSyscallEndBlocked: g_leaves(t, STW_STATE_G_RUNNABLE, g, e, STWATCH_NONE); break;
	case STW_EV_GoDestroy: g_ends(t, STW_STATE_G_DEAD, g, e); break;
	case STW_EV_GoDestroySyscall: g_ends(t, t->version >= STW_GO126 ? STW_STATE_G_DEADEXTRA : STW_STATE_G_DEAD, g, e); break;
	case STW_EV_GoSwitch:
	case STW_EV_GoSwitchDestroy: switches(t, e, g, m); break;
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack: g_stated(t, e, m); break;
	case STW_EV_ProcStatus: p_stated(t, e, m); break;
	case STW_EV_ProcStart: p_starts(t, e, m); break;
	case STW_EV_ProcStop: p_stops(t, p, e, m); break;
	case STW_EV_ProcSteal: p_stolen(t, e, m); break;
	case STW_EV_STWBegin: stw_timeline_stop_begin(t, e, m); break;
	case STW_EV_STWEnd:
		if (t->stop.on && t->stop.g == e->g)
			stw_timeline_stop_end(t, e->time, true);
		break;
	default: stw_timeline_procs(t, (int64_t)e->a[0], e->time);
	}
}

bool stw_timeline_add(stw_timeline *t, const stw_timeline_event *e)
{
	if (!matters(e->type) || is_part_of_switch(t, e))
		return !t->failed;
	if (!t->begun)
		stw_timeline_generation(t, e->time, 0);
	t->touched_m.count = t->touched_p.count = t->touched_g.count = 0;
	bool status = is_status(e->type);
	uint32_t m = m_of(t, e->m, e->time), p = status ? NOT : stw_timeline_find_p(t, e->p), g = status ? NOT : g_of(t, e->g, e->time);
	if (t->failed)
		return false;
	if (m != NOT && !status) {
		if (!t->ms.items[m].settled)
			adopt(t, m, p, g, e->time);
		touch(&t->touched_m, m);
	}
	apply(t, e, m, p, g);
	check_touched(t, e);
	return !t->failed;
}

/* ---- beginnings and ends ---- */

void stw_timeline_generation(stw_timeline *t, int64_t at, uint32_t number)
{
	t->generation = number;
	if (!t->begun)
		t->begin = t->known_from = at;
	else
		t->first = false;
	t->begun = true;
	if (t->known_from < at && !t->first)
		t->known_from = at; /* whoever is named first from here on may have begun in the last generation */
}

static void close_line(const stw_timeline *t, unsigned resource, int64_t id, const stw_line *line, int64_t at)
{
	if (at > line->since || line->state != STW_STATE_UNKNOWN)
		tell_interval(t, resource, id, line, STW_STATE_NONE, STW_EV_None, at > line->since ? at : line->since, STWATCH_NONE);
}

void stw_timeline_finish(stw_timeline *t, int64_t at)
{
	if (t->stop.on)
		stw_timeline_stop_end(t, at, false);
	for (size_t i = 0; i < t->gs.count; i++)
		if (t->gs.items[i].id != STWATCH_NONE)
			close_line(t, STW_RES_G, t->gs.items[i].id, &t->gs.items[i].line, at);
	for (size_t i = 0; i < t->ps.count; i++)
		close_line(t, STW_RES_P, t->ps.items[i].id, &t->ps.items[i].line, at);
	for (size_t i = 0; i < t->ms.count; i++)
		if (t->ms.items[i].settled)
			close_line(t, STW_RES_M, t->ms.items[i].id, &t->ms.items[i].line, at);
	forget(t);
}

static void forget_line(const stw_timeline *t, unsigned resource, int64_t id, stw_line *line, int64_t at)
{
	close_line(t, resource, id, line, at);
	*line = (stw_line){.since = at, .generation = t->generation, .state = STW_STATE_UNKNOWN, .open_begin = true};
}

void stw_timeline_forget(stw_timeline *t, bool proc, int64_t id, int64_t at)
{
	uint32_t i = stw_map_get(proc ? &t->p_index : &t->g_index, (uint64_t)id);
	if (i == NOT)
		return;
	uint32_t m = proc ? t->ps.items[i].m : t->gs.items[i].m;
	if (t->stop.on && (proc || t->stop.g == id)) /* what its procs' stops mean can't be told any more */
		stw_timeline_stop_end(t, at, false);
	if (proc) {
		forget_line(t, STW_RES_P, id, &t->ps.items[i].line, at);
		unlink_p(t, i);
	} else {
		forget_line(t, STW_RES_G, id, &t->gs.items[i].line, at);
		unlink_g(t, i);
	}
	if (m != NOT && t->ms.items[m].settled) { /* nor of its thread */
		forget_line(t, STW_RES_M, t->ms.items[m].id, &t->ms.items[m].line, at);
		t->ms.items[m].settled = false;
	}
}

void stw_timeline_gap(stw_timeline *t, int64_t at)
{
	stw_timeline_finish(t, at);
	t->first = true;
	t->begun = false;
}
