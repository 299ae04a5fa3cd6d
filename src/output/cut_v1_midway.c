/* A part of a v1 trace without its beginning. Nothing in such a trace says what exists but each thing's first event: so before anything is written, the trace
 * is gone through for what shows itself behind the border, and how it must have been there. What was known of a goroutine before the border counts where no
 * event of it can be missing since: it is what some proc's batches say from where those of all procs are there. */
#include "output/cut_v1.h"

stw_cut_shown *stw_cut_midway_find(stw_v1_part *part, uint64_t id)
{
	const uint32_t index = stw_map_get(&part->midway.by_id, id);
	return index == STW_MAP_NONE ? NULL : &part->midway.shown.items[index];
}

stw_cut_g stw_cut_midway_g(const stw_v1_part *part, uint32_t slot)
{
	return slot < part->midway.gs.count ? part->midway.gs.items[slot] : (stw_cut_g){0};
}

stw_cut_p stw_cut_midway_p(const stw_v1_part *part, uint32_t slot)
{
	return slot < part->midway.ps.count ? part->midway.ps.items[slot] : (stw_cut_p){0};
}

stw_cut_g *stw_cut_midway_g_at(stw_v1_part *part, uint32_t slot)
{
	static const stw_cut_g NEW;
	stw_cut_midway *m = &part->midway;
	const bool there = stw_vec_fill(part->past.mem, &m->gs, (size_t)slot + 1, &NEW);
	part->past.failed |= !there;
	return there ? &m->gs.items[slot] : NULL;
}

static stw_cut_p *p_at(stw_v1_part *part, uint32_t slot)
{
	static const stw_cut_p NEW;
	stw_cut_midway *m = &part->midway;
	const bool there = stw_vec_fill(part->past.mem, &m->ps, (size_t)slot + 1, &NEW);
	part->past.failed |= !there;
	return there ? &m->ps.items[slot] : NULL;
}

void stw_cut_midway_free(stw_cut_midway *m)
{
	stw_mem *mem = m->by_id.mem;
	stw_vec_free(mem, &m->shown);
	stw_vec_free(mem, &m->gs);
	stw_vec_free(mem, &m->ps);
	stw_map_free(&m->by_id);
}

void stw_cut_midway_told(stw_v1_part *part, unsigned type, uint32_t slot, uint64_t status)
{
	stw_cut_midway *m = &part->midway;
	if (type == STW_EV_ProcStatus)
		m->told_p = slot;
	if (type != STW_EV_GoStatus)
		return;
	m->told_g = slot;
	m->told_status = (uint8_t)status;
	m->told_sure = stw_cut_midway_g(part, slot).sure_of == (uint64_t)part->order.gs.items[slot].id;
}

/* That a goroutine runs is known from its proc's own batches, of which none is missing between two. */
void stw_cut_midway_begin(stw_v1_part *part)
{
	part->midway.told_g = part->midway.told_p = STW_SLOT_NONE;
	for (size_t i = 0; part->midway.on && i < part->merge.ps.count; i++) {
		const uint32_t slot = part->merge.ps.items[i].g;
		stw_cut_g *g = slot == STW_SLOT_NONE ? NULL : stw_cut_midway_g_at(part, slot);
		if (g)
			g->sure_of = (uint64_t)part->order.gs.items[slot].id;
	}
}

/* Whom an event is about. */
static uint64_t subject(const stw_v1_cursor *e)
{
	return e->type == STW_V1_GoUnblock || e->type == STW_V1_GoUnblockLocal || e->type == STW_V1_GoCreate ? e->a[0] : e->g;
}

/* Nothing is missing of it from here on. created: it has the slot of another that has ended. */
static void mark(stw_v1_part *part, uint64_t id, bool created)
{
	const stw_v1_merge *vm = &part->merge;
	const uint32_t slot = id ? stw_order_find_g(&part->order, (int64_t)id) : STW_MAP_NONE;
	stw_cut_g *g = slot == STW_MAP_NONE ? NULL : stw_cut_midway_g_at(part, slot);
	if (!g)
		return;
	if (created)
		*g = (stw_cut_g){0};
	g->created = created;
	g->sure_of = vm->base.last_time >= vm->missing_to ? id : 0;
}

/* ---- the first time ---- */

static void add(stw_v1_part *part, uint64_t id, uint8_t how)
{
	stw_cut_midway *m = &part->midway;
	stw_cut_shown *s = stw_vec_push(part->past.mem, &m->shown);
	if (!s || !stw_map_put(&m->by_id, id, (uint32_t)m->shown.count - 1)) {
		part->past.failed = true;
		return;
	}
	*s = (stw_cut_shown){.id = id, .how = how};
}

/* When a system call ended, as its event says; 0: just then. */
static int64_t exit_time(const stw_v1_cursor *e)
{
	return (int64_t)e->a[e->type == STW_V1_GoSysExit ? 2 : 1];
}

static uint8_t how_it_was(const stw_v1_part *part, const stw_v1_cursor *e)
{
	const stw_v1_merge *vm = &part->merge;
	const int64_t ended = exit_time(e);
	switch (part->midway.told_status) {
	case STW_G_RUNNABLE: return STW_CUT_READY;
	case STW_G_SYSCALL: return ended && stw_v1_ns(vm->v1, ended) < part->from ? STW_CUT_RETURNED : STW_CUT_CALLS;
	default: return STW_CUT_WAITS;
	}
}

bool stw_cut_tells_status(unsigned type)
{
	switch (type) {
	case STW_V1_GoStart:
	case STW_V1_GoStartLocal:
	case STW_V1_GoStartLabel:
	case STW_V1_GoUnblock:
	case STW_V1_GoUnblockLocal:
	case STW_V1_GoSysExit:
	case STW_V1_GoSysExitLocal: return true;
	default: return false;
	}
}

static void note(stw_v1_part *part, const stw_v1_cursor *e)
{
	stw_cut_midway *m = &part->midway;
	const uint64_t id = subject(e);
	const uint32_t slot = stw_order_find_g(&part->order, (int64_t)id);
	stw_cut_p *at = m->told_p != STW_SLOT_NONE && e->type != STW_V1_ProcStart ? p_at(part, m->told_p) : NULL;
	if (at)
		at->runs = true;
	if (!m->has_gc && (e->type == STW_V1_GCStart || e->type == STW_V1_GCDone)) {
		m->has_gc = true;
		m->collects = e->type == STW_V1_GCDone;
	}
	if (id == 0 || slot == STW_MAP_NONE || !stw_cut_tells_status(e->type) || stw_cut_midway_find(part, id))
		return;
	const bool told = m->told_g == slot;
	if (told && m->told_status == STW_G_SYSCALL && exit_time(e) > e->ticks) /* damage: it would end later than it was told */
		return;
	if (!(told ? m->told_sure : stw_cut_midway_g(part, slot).sure_of == id))
		add(part, id, told ? how_it_was(part, e) : STW_CUT_AS_KNOWN);
}

/* ---- the second time ---- */

static void meet(stw_v1_part *part, const stw_v1_cursor *e)
{
	const stw_cut_midway *m = &part->midway;
	const uint32_t slot = stw_order_find_g(&part->order, (int64_t)subject(e));
	/* C that calls Go writes GoInSyscall right behind the creation. */
	const bool created = e->type == STW_V1_GoInSyscall && m->told_g == slot && stw_cut_midway_g(part, slot).created,
		   told = m->told_g != STW_SLOT_NONE && !created;
	stw_cut_shown *s = slot == STW_MAP_NONE ? NULL : stw_cut_midway_find(part, subject(e));
	const bool first = s && !s->met;
	/* What begins anew here is not what the border said, unless just that was foreseen; nor is it what was foreseen if it is not new here: it ended, and is
	 * there again. */
	if ((told && !(first && m->told_g == slot)) || (first && told != (s->how != STW_CUT_AS_KNOWN)) ||
		(m->explained && !(told && first)) ||
		(m->told_p != STW_SLOT_NONE && e->type != STW_V1_ProcStart && !stw_cut_midway_p(part, m->told_p).runs))
		part->lost = true;
	stw_cut_g *g = first ? stw_cut_midway_g_at(part, slot) : NULL;
	stw_v1_past_g *past = g ? stw_v1_past_g_at(&part->past, slot) : NULL;
	if (!past)
		return;
	s->met = true;
	if (s->how == STW_CUT_AS_KNOWN)
		return;
	g->unsure = false;
	g->fresh = true;
	g->next = s->how == STW_CUT_READY || s->how == STW_CUT_RETURNED ? 1 : 2;
	past->returned = s->how == STW_CUT_RETURNED;
}

/* ---- either time ---- */

/* Not so for what nobody knows whose it is, and for ends of what began before the file. */
static bool belongs(const stw_v1_part *part, uint32_t p, const stw_v1_cursor *e)
{
	const stw_v1_format *f = &part->merge.v1->index.format;
	const stw_cut_midway *m = &part->midway;
	const stw_cut_p at = stw_cut_midway_p(part, p);
	switch (e->type) {
	case STW_V1_GoSysCall:
	case STW_V1_GCMarkAssistStart:
	case STW_V1_GCMarkAssistDone:
	case STW_V1_UserTaskCreate:
	case STW_V1_UserTaskEnd:
	case STW_V1_UserRegion:
	case STW_V1_UserLog: return e->g != 0;
	case STW_V1_GCDone: return m->collecting;
	case STW_V1_GCSTWDone: return f->minor < 10 && p != STW_SLOT_NONE ? at.stopping : m->standing;
	case STW_V1_GCSweepDone: return at.sweeping;
	default: return f->whose[e->type] != STW_V1_OF_LEAVING || e->g != 0;
	}
}

/* What is in flight, and on which thread. */
static void observe(stw_v1_part *part, uint32_t p, const stw_v1_cursor *e)
{
	stw_cut_midway *m = &part->midway;
	stw_cut_p none = {0}, *at = p == STW_SLOT_NONE ? &none : p_at(part, p);
	if (!at)
		return;
	switch (e->type) {
	case STW_V1_ProcStart:
		at->has_thread = true;
		m->last_thread = e->a[0] > m->last_thread ? e->a[0] : m->last_thread;
		break;
	case STW_V1_GCStart:
	case STW_V1_GCDone: m->collecting = e->type == STW_V1_GCStart; break;
	case STW_V1_GCSTWStart:
	case STW_V1_GCSTWDone: m->standing = at->stopping = e->type == STW_V1_GCSTWStart; break;
	case STW_V1_GCSweepStart:
	case STW_V1_GCSweepDone: at->sweeping = e->type == STW_V1_GCSweepStart; break;
	default: break;
	}
}

bool stw_cut_midway_take(stw_v1_part *part, uint32_t p, const stw_v1_cursor *e)
{
	stw_cut_midway *m = &part->midway;
	if (part->writing && m->scouting)
		note(part, e);
	else if (part->writing)
		meet(part, e);
	mark(part, subject(e), e->type == STW_V1_GoCreate);
	mark(part, e->g, false);
	m->told_g = m->told_p = STW_SLOT_NONE;
	m->explained = false;
	const bool fits = !m->scouting && belongs(part, p, e);
	observe(part, p, e);
	return fits;
}
