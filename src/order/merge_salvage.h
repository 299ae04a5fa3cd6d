/* The way through a generation in which events are missing, or contradict themselves; part of merge_step.h.
 *
 * The rules are those of merge_advance. Where they let no event pass, the earliest is taken as it stands: what it takes for granted of its
 * goroutine or proc is made to hold, which begins anew there; what was known of it ends. An event of which it is not known whose
 * it is is left out. So what goes on from one event to another is true: sequence numbers bind what happens to a goroutine or
 * proc together, and a thread's own events do the rest, as it forgets what it was at where some of them are lost.
 *
 * Who includes it may define
 *   STW_MERGE_ANEW_G(mg, type, g)  a goroutine begins anew with the event of that type, just after its status was handed on
 *   STW_MERGE_ANEW_P(mg, p)        a proc does
 *   STW_MERGE_FORGET_G(mg, g), STW_MERGE_FORGET_P(mg, p)  nothing is known of it from now on
 *   STW_MERGE_LOST(mg, from, to)   some thread's events between these times are lost; to INT64_MAX: all that follow
 *   STW_MERGE_DOUBT(mg)            the trace contradicts itself, and nothing explains it */
#ifndef STW_MERGE_ANEW_G
#define STW_MERGE_ANEW_G(mg, type, g) ((void)0)
#define STW_MERGE_ANEW_P(mg, p) ((void)0)
#define STW_MERGE_LOST(mg, from, to) ((void)(from))
#define STW_MERGE_DOUBT(mg) ((void)0)
#endif
#ifndef STW_MERGE_FORGET_G
#define STW_MERGE_FORGET_G(mg, g) ((void)0)
#define STW_MERGE_FORGET_P(mg, p) ((void)0)
#endif

/* An event that has to wait for one of another thread does so until that is this much later, ns: what it waits for may be lost. */
enum { SALVAGE_PATIENCE = 1000000 };

enum { SALVAGE_ARGS = 5 };

static void salvage_forget_g(stw_merge *mg, uint32_t slot)
{
	STW_MERGE_FORGET_G(mg, slot);
	stw_merge_forget_g(mg, slot);
}

static void salvage_forget_p(stw_merge *mg, uint32_t slot)
{
	STW_MERGE_FORGET_P(mg, slot);
	stw_merge_forget_p(mg, slot);
}

/* A goroutine is in a status, with `seq` next: it begins anew. False when out of memory. */
static bool salvage_g(stw_merge *mg, const stw_cursor *c, uint64_t id, uint8_t status, uint64_t seq)
{
	stw_order *o = mg->order;
	uint32_t slot = stw_order_find_g(o, (int64_t)id);
	if (slot == STW_MAP_NONE)
		slot = stw_order_add_g(o, (int64_t)id, status);
	else
		salvage_forget_g(mg, slot);
	if (slot == STW_SLOT_NONE)
		return false;
	stw_order_g *g = &o->gs.items[slot];
	g->status = status;
	g->seq = seq - 1;
	g->epoch = o->epoch;
	bool here = c->m != STW_SLOT_NONE && (status == STW_G_RUNNING || status == STW_G_SYSCALL);
	STW_MERGE_EMIT(mg, STW_EV_GoStatus, merge_stamp(mg, c->time), c->m, here ? o->ms.items[c->m].p : STW_SLOT_NONE, STW_SLOT_NONE, slot,
		id, (uint64_t)STWATCH_NONE, (uint64_t)STW_GO_UNDETERMINED << 32 | status, 0);
	STW_MERGE_ANEW_G(mg, c->type, slot);
	if (here)
		o->ms.items[c->m].g = slot;
	mg->anew++;
	return true;
}

static bool salvage_p(stw_merge *mg, const stw_cursor *c, uint64_t id, uint8_t status, uint64_t seq)
{
	stw_order *o = mg->order;
	uint32_t slot = stw_order_find_p(o, (int64_t)id);
	if (slot == STW_MAP_NONE)
		slot = stw_order_add_p(o, (int64_t)id, status);
	else
		salvage_forget_p(mg, slot);
	if (slot == STW_SLOT_NONE)
		return false;
	stw_order_p *p = &o->ps.items[slot];
	p->status = status;
	p->seq = seq - 1;
	p->epoch = o->epoch;
	STW_MERGE_EMIT(mg, STW_EV_ProcStatus, merge_stamp(mg, c->time), c->m, STW_SLOT_NONE, STW_SLOT_NONE, slot, id, status,
		STW_PROC_UNDETERMINED, 0);
	STW_MERGE_ANEW_P(mg, slot);
	mg->anew++;
	return true;
}

/* The arguments of the event at hand; NULL where they make no sense. */
static const uint8_t *salvage_args(const stw_cursor *c, uint64_t a[SALVAGE_ARGS])
{
	const stw_event_spec *spec = stw_event_spec_of(c->type);
	const uint8_t *p = c->p;
	for (unsigned i = 0; p && i < spec->n_args && i < SALVAGE_ARGS; i++)
		p = stw_varint_get(p, c->end, &a[i]);
	return p;
}

/* What an event may come upon on its thread. */
typedef struct salvage_context {
	stw_order_m *m;
	stw_order_g *g; /* NULL: none, or not known */
	stw_order_p *p;
} salvage_context;

static salvage_context salvage_context_of(const stw_merge *mg, const stw_cursor *c)
{
	stw_order *o = mg->order;
	salvage_context x = {0};
	if (c->m == STW_SLOT_NONE)
		return x;
	x.m = &o->ms.items[c->m];
	x.g = STW_SLOT_OK(x.m->g) ? &o->gs.items[x.m->g] : NULL;
	x.p = STW_SLOT_OK(x.m->p) ? &o->ps.items[x.m->p] : NULL;
	return x;
}

/* The goroutine of the thread is in another status than its event takes for granted: there it begins anew. */
static bool salvage_own_g(stw_merge *mg, const stw_cursor *c, const salvage_context *x, uint8_t status)
{
	return !x->g || x->g->status == status || salvage_g(mg, c, (uint64_t)x->g->id, status, x->g->seq + 1);
}

static void salvage_drop_g(stw_merge *mg, const salvage_context *x)
{
	if (x->g)
		salvage_forget_g(mg, x->m->g);
}

/* Goroutines: what the event takes for granted. False when out of memory. */
static bool salvage_go(stw_merge *mg, const stw_cursor *c, const uint64_t *a)
{
	stw_order *o = mg->order;
	const salvage_context x = salvage_context_of(mg, c);
	uint32_t slot;
	switch (c->type) {
	case STW_EV_GoStart:
		if (!x.p)
			return true;
		salvage_drop_g(mg, &x);
		return salvage_g(mg, c, a[0], STW_G_RUNNABLE, a[1]);
	case STW_EV_GoUnblock: return salvage_g(mg, c, a[0], STW_G_WAITING, a[1]);
	case STW_EV_GoBlock:
	case STW_EV_GoStop:
	case STW_EV_GoDestroy: return salvage_own_g(mg, c, &x, STW_G_RUNNING);
	case STW_EV_GoSyscallBegin:
		if (x.p && !next_in_sequence(o, x.p->epoch, x.p->seq, a[0])) {
			x.p->epoch = o->epoch;
			x.p->seq = a[0] - 1;
		}
		return salvage_own_g(mg, c, &x, STW_G_RUNNING);
	case STW_EV_GoSyscallEnd:
		if (x.p)
			x.p->status = STW_P_SYSCALL;
		return salvage_own_g(mg, c, &x, STW_G_SYSCALL);
	case STW_EV_GoSyscallEndBlocked:
	case STW_EV_GoDestroySyscall:
		if (x.p)
			salvage_forget_p(mg, x.m->p);
		return salvage_own_g(mg, c, &x, STW_G_SYSCALL);
	case STW_EV_GoSwitch:
	case STW_EV_GoSwitchDestroy:
		if (!x.g || !x.p)
			return true;
		slot = x.m->g;
		return salvage_own_g(mg, c, &x, STW_G_RUNNING) &&
			(stw_order_find_g(o, (int64_t)a[0]) == slot || salvage_g(mg, c, a[0], STW_G_WAITING, a[1]));
	case STW_EV_GoCreate:
	case STW_EV_GoCreateBlocked:
	case STW_EV_GoCreateSyscall:
		if (x.g && (c->type == STW_EV_GoCreateSyscall || x.g->status != STW_G_RUNNING))
			salvage_forget_g(mg, x.m->g);
		if (!x.p && c->type != STW_EV_GoCreateSyscall)
			return salvage_g(mg, c, a[0], c->type == STW_EV_GoCreate ? STW_G_RUNNABLE : STW_G_WAITING, 1);
		slot = stw_order_find_g(o, (int64_t)a[0]);
		if (slot != STW_MAP_NONE) {
			salvage_forget_g(mg, slot);
			stw_order_remove_g(o, slot);
		}
		return true;
	default: /* a status */
		slot = stw_order_find_g(o, (int64_t)a[0]);
		if (slot == STW_MAP_NONE || a[2] == STW_G_BAD || a[2] >= STW_G_STATUS_COUNT)
			return true;
		salvage_forget_g(mg, slot);
		o->gs.items[slot].status = (uint8_t)a[2];
		slot = stw_order_find_m(o, (int64_t)a[1]);
		if (a[2] == STW_G_SYSCALL && slot != STW_MAP_NONE) {
			if (STW_SLOT_OK(o->ms.items[slot].g))
				salvage_forget_g(mg, o->ms.items[slot].g);
			o->ms.items[slot].g = stw_order_find_g(o, (int64_t)a[0]);
		}
		return true;
	}
}

static bool salvage_proc(stw_merge *mg, const stw_cursor *c, const uint64_t *a)
{
	const salvage_context x = salvage_context_of(mg, c);
	uint32_t slot;
	switch (c->type) {
	case STW_EV_ProcStart:
		if (x.p)
			salvage_forget_p(mg, x.m->p);
		return salvage_p(mg, c, a[0], STW_P_IDLE, a[1]);
	case STW_EV_ProcStop:
		if (x.p)
			x.p->status = STW_P_RUNNING;
		return true;
	case STW_EV_ProcSteal: return salvage_p(mg, c, a[0], STW_P_ABANDONED, a[1]);
	default: /* a status */
		slot = stw_order_find_p(mg->order, (int64_t)a[0]);
		if (slot == STW_MAP_NONE || a[1] == STW_P_BAD || a[1] >= STW_P_STATUS_COUNT)
			return true;
		salvage_forget_p(mg, slot);
		mg->order->ps.items[slot].status = (uint8_t)a[1];
		return true;
	}
}

/* Ranges, tasks, regions, the collector. */
static void salvage_rest(stw_merge *mg, const stw_cursor *c, const uint64_t *a)
{
	stw_order *o = mg->order;
	const salvage_context x = salvage_context_of(mg, c);
	uint32_t slot;
	switch (c->type) {
	case STW_EV_GCActive:
	case STW_EV_GCBegin:
	case STW_EV_GCEnd:
		o->gc_state = c->type == STW_EV_GCActive ? STW_GC_UNDETERMINED : c->type == STW_EV_GCBegin ? STW_GC_OFF : STW_GC_RUNNING;
		o->gc_seq = a[0] - 1;
		break;
	case STW_EV_STWBegin:
		for (size_t i = o->stops.count; x.g && i-- > 0;)
			if (o->stops.items[i].g == x.m->g) {
				o->stops.items[i] = o->stops.items[--o->stops.count];
				x.g->stops--;
			}
		break;
	case STW_EV_GCMarkAssistBegin:
	case STW_EV_GCMarkAssistEnd:
		if (x.g)
			x.g->assist = c->type == STW_EV_GCMarkAssistBegin ? STW_RANGE_OFF : STW_RANGE_ON;
		break;
	case STW_EV_GCMarkAssistActive:
		if ((slot = stw_order_find_g(o, (int64_t)a[0])) != STW_MAP_NONE)
			o->gs.items[slot].assist = STW_RANGE_OFF;
		break;
	case STW_EV_GCSweepBegin:
	case STW_EV_GCSweepEnd:
		if (x.p)
			x.p->sweep = c->type == STW_EV_GCSweepBegin ? STW_RANGE_OFF : STW_RANGE_ON;
		break;
	case STW_EV_GCSweepActive:
		if ((slot = stw_order_find_p(o, (int64_t)a[0])) != STW_MAP_NONE)
			o->ps.items[slot].sweep = STW_RANGE_OFF;
		break;
	case STW_EV_UserTaskBegin: {
		uint64_t parent;
		uint32_t name;
		stw_merge_task_end(mg, a[0], &parent, &name);
		break;
	}
	case STW_EV_UserRegionEnd:
		while (x.g && x.g->region)
			stw_order_pop_region(o, x.m->g);
		break;
	default: break;
	}
}

/* What the thread is at after an event that could not be placed. */
static void salvage_leave_out(stw_merge *mg, stw_cursor *c, const uint8_t *end)
{
	const salvage_context x = salvage_context_of(mg, c);
	mg->left_out++;
	c->p = end ? end : c->end;
	switch (c->type) {
	case STW_EV_GoStart:
	case STW_EV_GoBlock:
	case STW_EV_GoStop:
	case STW_EV_GoDestroy:
	case STW_EV_GoSyscallBegin:
	case STW_EV_GoSyscallEnd:
	case STW_EV_GoSyscallEndBlocked:
	case STW_EV_GoDestroySyscall:
	case STW_EV_GoSwitch:
	case STW_EV_GoSwitchDestroy: salvage_drop_g(mg, &x); break;
	case STW_EV_ProcStop:
		if (x.p)
			salvage_forget_p(mg, x.m->p);
		break;
	default: break;
	}
}

/* Takes the event at hand as it stands, or leaves it out. */
static stwatch_status salvage_force(stw_merge *mg, stw_cursor *c)
{
	uint64_t a[SALVAGE_ARGS] = {0};
	const uint8_t *end = salvage_args(c, a);
	bool room = true;
	if (!mg->explained)
		STW_MERGE_DOUBT(mg);
	if (end) {
		switch (c->type) {
		case STW_EV_ProcStart:
		case STW_EV_ProcStop:
		case STW_EV_ProcSteal:
		case STW_EV_ProcStatus: room = salvage_proc(mg, c, a); break;
		case STW_EV_GoStatus:
		case STW_EV_GoStatusStack:
		case STW_EV_GoCreate:
		case STW_EV_GoCreateBlocked:
		case STW_EV_GoCreateSyscall:
		case STW_EV_GoStart:
		case STW_EV_GoUnblock:
		case STW_EV_GoBlock:
		case STW_EV_GoStop:
		case STW_EV_GoDestroy:
		case STW_EV_GoDestroySyscall:
		case STW_EV_GoSyscallBegin:
		case STW_EV_GoSyscallEnd:
		case STW_EV_GoSyscallEndBlocked:
		case STW_EV_GoSwitch:
		case STW_EV_GoSwitchDestroy: room = salvage_go(mg, c, a); break;
		default: salvage_rest(mg, c, a);
		}
		if (!room)
			return stw_fail_memory(mg->error);
		if (merge_advance(mg, c) == STW_ADVANCE_OK)
			return STWATCH_OK;
		if (mg->error->status == STWATCH_ERR_MEMORY)
			return STWATCH_ERR_MEMORY;
	}
	salvage_leave_out(mg, c, end);
	return STWATCH_OK;
}

/* Brings the next event to hand. Where some are lost before it, the thread forgets what it was at. */
static stwatch_status salvage_refresh(stw_merge *mg, size_t i)
{
	stw_cursor *c = mg->heap[i].cursor;
	bool lost = c->p >= c->end && c->left == 0 && stw_merge_is_loss(mg, c);
	int64_t before = c->time;
	if (lost && c->m != STW_SLOT_NONE) {
		const salvage_context x = salvage_context_of(mg, c);
		if (x.p)
			STW_MERGE_FORGET_P(mg, x.m->p);
		salvage_drop_g(mg, &x);
	}
	stwatch_status status = merge_refresh(mg, c);
	if (lost)
		STW_MERGE_LOST(mg, before, status == STWATCH_OK ? c->time : INT64_MAX);
	if (status == STWATCH_END) {
		stw_merge_remove(mg, i);
		return STWATCH_OK;
	}
	if (status != STWATCH_OK)
		return status;
	mg->heap[i].time = c->time;
	stw_merge_sift(mg, i);
	return STWATCH_OK;
}

/* The first that can go of those that are not much later than the earliest, which can't; 0 if none can. */
static size_t salvage_others(stw_merge *mg)
{
	stw_merge_sort(mg);
	for (size_t i = 1; i < mg->n_heap && (uint64_t)mg->heap[i].time - (uint64_t)mg->heap[0].time <= SALVAGE_PATIENCE; i++)
		if (merge_advance(mg, mg->heap[i].cursor) == STW_ADVANCE_OK)
			return i;
	return 0;
}

/* Hands on the next event, if it can be placed. STWATCH_OK; STWATCH_END; an error, never _DAMAGED unless the file has changed. */
static stwatch_status merge_salvage_step(stw_merge *mg)
{
	stw_cursor *c = mg->heap[0].cursor;
	size_t i = 0;
	if (mg->sample_time < mg->heap[0].time || !c) {
		if (!c && mg->next_sample >= mg->gen->samples.count)
			return STWATCH_END;
		merge_sample(mg);
		return STWATCH_OK;
	}
	mg->error->status = STWATCH_OK;
	if (merge_advance(mg, c) != STW_ADVANCE_OK && (i = salvage_others(mg)) == 0) {
		stwatch_status status = salvage_force(mg, mg->heap[0].cursor);
		if (status != STWATCH_OK)
			return status;
	}
	if (mg->error->status == STWATCH_ERR_MEMORY)
		return STWATCH_ERR_MEMORY;
	return salvage_refresh(mg, i);
}
