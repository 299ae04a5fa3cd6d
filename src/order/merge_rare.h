/* The full rules for the less frequent events of goroutines and procs; part of merge_step.h, whose macros they share.
 *
 * Statuses, steals, creations, switches, cgo's goroutines: each function tries the event at hand of a cursor and returns STW_ADVANCE_*, as
 * merge_advance does. */

static int advance_proc_status(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	const unsigned type = STW_EV_ProcStatus;
	uint32_t m = c->m;
	TAKE(id);
	TAKE(raw);
	TAKEN();
	uint8_t status = (uint8_t)raw;
	if (status >= STW_P_STATUS_COUNT || raw > 255)
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "invalid status %llu for proc %lld (1 to 4 was expected)",
			(unsigned long long)raw, (long long)id);
	uint32_t slot = stw_order_find_p(o, (int64_t)id);
	unsigned before = stw_proc_state_of(status);
	uint8_t holds = status;
	bool promoted = false;
	if (slot != STW_MAP_NONE) {
		stw_order_p *s = &o->ps.items[slot];
		if (status == STW_P_ABANDONED && s->status == STW_P_SYSCALL) {
			before = STW_PROC_RUNNING; /* nothing was lost: the thread it belongs to is known */
			holds = STW_P_SYSCALL;
			promoted = true;
		} else if (s->status != status) {
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "inconsistent status for proc %lld: was %u, now %u",
				(long long)id, s->status, status);
		}
		s->seq = 0;
		s->epoch = o->epoch;
	} else if (o->mode == STW_READ_SPECULATIVE && status == STW_P_ABANDONED) {
		/* Most likely it entered the system call in an earlier generation; the steal that follows names its thread. */
		if ((slot = stw_order_add_p(o, (int64_t)id, STW_P_SYSCALL)) == STW_SLOT_NONE ||
			!stw_order_require(o, STW_REQ_P_SYSCALL, id, 0, 0))
			return stw_merge_fail_memory(mg);
		before = STW_PROC_RUNNING;
		holds = STW_P_SYSCALL;
		status = STW_P_SYSCALL;
	} else {
		if ((slot = stw_order_add_p(o, (int64_t)id, status)) == STW_SLOT_NONE)
			return stw_merge_fail_memory(mg);
		before = o->mode == STW_READ_INITIAL ? STW_PROC_UNDETERMINED : STW_PROC_NOT_EXIST;
		if (o->mode == STW_READ_SPECULATIVE && !stw_order_require(o, STW_REQ_P_STATUS, id, status, 0))
			return stw_merge_fail_memory(mg);
	}
	uint32_t new_p = status == STW_P_RUNNING || (status == STW_P_SYSCALL && holds == raw) ? slot : STW_SLOT_NONE;
	if (promoted) { /* it belongs to another thread's context than the one that says so */
		m = STW_SLOT_NONE;
		for (uint32_t i = 0; i < o->ms.count; i++)
			if (o->ms.items[i].p == slot) {
				m = i;
				ctx_p = slot;
				ctx_g = o->ms.items[i].g;
			}
		if (m == STW_SLOT_NONE)
			return stw_merge_fail(mg, c, STW_FAULT_COUPLING,
				"proc %lld is about to be taken from a thread, but no thread has it", (long long)id);
	}
	STW_MERGE_EMIT(mg, type, merge_stamp(mg, c->time), m, ctx_p, ctx_g, slot, id, holds, before, 0);
	if (STW_SLOT_OK(new_p) && c->m != STW_SLOT_NONE) /* "no proc" may be given as its number */
		o->ms.items[c->m].p = (int64_t)id == STWATCH_NONE ? STW_SLOT_NONE : new_p;
	return DONE();
}

static int advance_proc_steal(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	const unsigned type = STW_EV_ProcSteal;
	TAKE(id);
	TAKE(seq);
	TAKE(mid);
	TAKEN();
	uint32_t slot = stw_order_find_p(o, (int64_t)id);
	if (slot == STW_MAP_NONE)
		return STW_ADVANCE_WAIT;
	stw_order_p *s = &o->ps.items[slot];
	if ((s->status != STW_P_SYSCALL && s->status != STW_P_ABANDONED) || !next_in_sequence(o, s->epoch, s->seq, seq))
		return STW_ADVANCE_WAIT;
	if (c->m == STW_SLOT_NONE)
		return stw_merge_fail(mg, c, STW_FAULT_COUPLING, "expected a thread but didn't have one");
	uint8_t before = s->status;
	s->status = STW_P_IDLE;
	s->seq = seq;
	if (before == STW_P_SYSCALL) {
		uint32_t victim = stw_order_find_m(o, (int64_t)mid);
		if (victim == STW_MAP_NONE && o->mode == STW_READ_SPECULATIVE &&
			(victim = stw_order_add_m(o, (int64_t)mid)) == STW_SLOT_NONE)
			return stw_merge_fail_memory(mg);
		if (victim == STW_MAP_NONE)
			return stw_merge_fail(mg, c, STW_FAULT_COUPLING, "proc %lld is taken from thread %lld, which does not exist",
				(long long)id, (long long)mid);
		stw_order_m *from = &o->ms.items[victim];
		if (from->p == STW_SLOT_UNKNOWN)
			from->entry_p = from->p = slot;
		if (from->p != slot)
			return stw_merge_fail(mg, c, STW_FAULT_COUPLING, "proc %lld is taken from thread %lld, but that has proc %lld",
				(long long)id, (long long)mid, (long long)stw_order_p_id(o, from->p));
		if (victim == c->m)
			ctx_p = slot;
		EMIT(slot, id, seq, mid, before);
		o->ms.items[victim].p = STW_SLOT_NONE;
		return DONE();
	}
	EMIT(slot, id, seq, mid, before);
	return DONE();
}

static int advance_go_status(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	uint32_t m = c->m;
	TAKE(id);
	TAKE(mid);
	TAKE(raw);
	uint64_t stack = 0;
	if (c->type == STW_EV_GoStatusStack && STW_UNLIKELY(!(p = stw_varint_fast(p, &stack))))
		return stw_merge_fail(mg, c, STW_FAULT_BYTES, "an argument of GoStatusStack overflows (a varint was expected)");
	TAKEN();
	uint8_t status = (uint8_t)raw;
	if (status >= STW_G_STATUS_COUNT)
		return stw_merge_fail(
			mg, c, STW_FAULT_TRANSITION, "invalid status %u for goroutine %lld (1 to 4 was expected)", status, (long long)id);
	unsigned before = stw_go_state_of(status);
	uint32_t slot = stw_order_find_g(o, (int64_t)id);
	if (slot != STW_MAP_NONE) {
		stw_order_g *s = &o->gs.items[slot];
		if (s->status != status)
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "inconsistent status for goroutine %lld: was %s, now %s",
				(long long)id, stw_go_state_name(stw_go_state_of(s->status)), stw_go_state_name(before));
		s->seq = 0;
		s->epoch = o->epoch;
	} else if (o->mode == STW_READ_EXACT) {
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION,
			"the status of goroutine %lld comes after the first generation, but it was never created", (long long)id);
	} else {
		if ((slot = stw_order_add_g(o, (int64_t)id, status)) == STW_SLOT_NONE)
			return stw_merge_fail_memory(mg);
		if (o->mode == STW_READ_INITIAL)
			before = STW_GO_UNDETERMINED;
		else if (!stw_order_require(o, STW_REQ_G_STATUS, id, status, 0))
			return stw_merge_fail_memory(mg);
	}
	uint32_t new_g = STW_SLOT_NONE;
	if (status == STW_G_RUNNING) {
		new_g = slot;
	} else if (status == STW_G_SYSCALL) {
		if ((int64_t)mid == STWATCH_NONE)
			return stw_merge_fail(
				mg, c, STW_FAULT_COUPLING, "goroutine %lld is in a system call without a thread", (long long)id);
		if ((int64_t)mid == c->m_id && c->m != STW_SLOT_NONE) {
			if (ctx_g == STW_SLOT_UNKNOWN)
				o->ms.items[c->m].entry_g = slot;
			else if (o->mode != STW_READ_INITIAL && ctx_g != slot)
				return stw_merge_fail(mg, c, STW_FAULT_COUPLING,
					"inconsistent thread for goroutine %lld in a system call: its thread has goroutine %lld",
					(long long)id, (long long)stw_order_g_id(o, ctx_g));
			new_g = slot;
		} else { /* it has been sitting in its system call, on another thread, for all of this generation */
			uint32_t other = stw_order_find_m(o, (int64_t)mid);
			if (other == STW_MAP_NONE) {
				if ((other = stw_order_add_m(o, (int64_t)mid)) == STW_SLOT_NONE)
					return stw_merge_fail_memory(mg);
				stw_order_m *om = &o->ms.items[other];
				om->g = slot;
				if (o->mode == STW_READ_SPECULATIVE) {
					om->entry_g = slot;
					om->entry_if_seen = true;
				}
			} else if (o->ms.items[other].g == STW_SLOT_UNKNOWN) {
				o->ms.items[other].entry_g = o->ms.items[other].g = slot;
				ctx_g = slot;
			} else if (o->ms.items[other].g != slot) {
				return stw_merge_fail(mg, c, STW_FAULT_COUPLING,
					"inconsistent thread for goroutine %lld in a system call: thread %lld has goroutine %lld",
					(long long)id, (long long)mid, (long long)stw_order_g_id(o, o->ms.items[other].g));
			} else {
				ctx_g = slot;
			}
			m = other;
		}
	}
	NEED_STACK(stack);
	const unsigned type = STW_EV_GoStatusStack;
	if (c->type == STW_EV_GoStatusStack)
		STW_MERGE_EMIT(mg, type, merge_stamp(mg, c->time), m, ctx_p, ctx_g, slot, id, mid, (uint64_t)before << 32 | status, stack);
	else
		STW_MERGE_EMIT(
			mg, STW_EV_GoStatus, merge_stamp(mg, c->time), m, ctx_p, ctx_g, slot, id, mid, (uint64_t)before << 32 | status, 0);
	if (new_g != STW_SLOT_NONE && c->m != STW_SLOT_NONE && (int64_t)id != STWATCH_NONE)
		o->ms.items[c->m].g = new_g;
	return DONE();
}

static int advance_go_create(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	TAKE(id);
	TAKE(new_stack);
	TAKE(stack);
	TAKEN();
	NEED_PROC();
	ASSUME_NO_G();
	if (STW_SLOT_OK(ctx_g) && o->gs.items[ctx_g].status != STW_G_RUNNING)
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "%s by goroutine %lld, which is not running",
			stw_event_spec_of(c->type)->name, (long long)stw_order_g_id(o, ctx_g));
	if (stw_order_find_g(o, (int64_t)id) != STW_MAP_NONE)
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "goroutine %lld is created, but it exists already", (long long)id);
	NEED_STACK(new_stack);
	NEED_STACK(stack);
	uint32_t slot = stw_order_create_g(o, (int64_t)id, c->type == STW_EV_GoCreateBlocked ? STW_G_WAITING : STW_G_RUNNABLE);
	if (slot == STW_SLOT_NONE)
		return stw_merge_fail_memory(mg);
	if (c->type == STW_EV_GoCreate) {
		const unsigned type = STW_EV_GoCreate;
		EMIT(slot, id, new_stack, stack, 0);
	} else {
		const unsigned type = STW_EV_GoCreateBlocked;
		EMIT(slot, id, new_stack, stack, 0);
	}
	return DONE();
}

static int advance_go_switch(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	const unsigned type = STW_EV_GoSwitch; /* the two differ in what happens to the old goroutine */
	bool destroy = c->type == STW_EV_GoSwitchDestroy;
	TAKE(id);
	TAKE(seq);
	TAKEN();
	NEED_USER();
	if (o->gs.items[ctx_g].status != STW_G_RUNNING)
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "%s by goroutine %lld, which is not running",
			stw_event_spec_of(c->type)->name, (long long)stw_order_g_id(o, ctx_g));
	uint32_t next = stw_order_find_g(o, (int64_t)id);
	if (next == STW_MAP_NONE || o->gs.items[next].status != STW_G_WAITING ||
		!next_in_sequence(o, o->gs.items[next].epoch, o->gs.items[next].seq, seq))
		return STW_ADVANCE_WAIT;
	if (destroy)
		STW_MERGE_EMIT(mg, STW_EV_GoSwitchDestroy, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, next, id, seq, 0, 0);
	else
		EMIT(next, id, seq, 0, 0);
	if (destroy) {
		STW_MERGE_EMIT(mg, STW_EV_GoDestroy, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, ctx_g, 0, 0, 0, 0);
		stw_order_remove_g(o, ctx_g);
	} else {
		o->gs.items[ctx_g].status = STW_G_WAITING;
		STW_MERGE_EMIT(mg, STW_EV_GoBlock, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, ctx_g, 0, 0, 0, 0);
	}
	o->gs.items[next].status = STW_G_RUNNING;
	o->gs.items[next].seq = seq;
	o->ms.items[c->m].g = next;
	STW_MERGE_EMIT(mg, STW_EV_GoStart, merge_stamp(mg, c->time), c->m, ctx_p, STW_SLOT_NONE, next, id, seq, 0, 0);
	return DONE();
}

static int advance_go_create_syscall(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	const unsigned type = STW_EV_GoCreateSyscall;
	TAKE(id);
	TAKEN();
	if (c->m == STW_SLOT_NONE)
		return stw_merge_fail_context(mg, c, false);
	ASSUME_NO_G();
	if (ctx_g != STW_SLOT_NONE)
		return stw_merge_fail(mg, c, STW_FAULT_COUPLING, "expected no goroutine but had one");
	if (stw_order_find_g(o, (int64_t)id) != STW_MAP_NONE)
		return stw_merge_fail(
			mg, c, STW_FAULT_TRANSITION, "goroutine %lld is created in a system call, but it exists already", (long long)id);
	uint32_t slot = stw_order_create_g(o, (int64_t)id, STW_G_SYSCALL);
	if (slot == STW_SLOT_NONE)
		return stw_merge_fail_memory(mg);
	EMIT(slot, id, 0, 0, 0);
	o->ms.items[c->m].g = slot;
	return DONE();
}

static int advance_go_destroy_syscall(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	const unsigned type = STW_EV_GoDestroySyscall;
	if (c->m == STW_SLOT_NONE || !STW_SLOT_OK(ctx_g))
		return stw_merge_fail_context(mg, c, true);
	ASSUME_NO_P();
	if (o->gs.items[ctx_g].status != STW_G_SYSCALL)
		return stw_merge_fail(mg, c, STW_FAULT_TRANSITION, "GoDestroySyscall for goroutine %lld, which is not in a system call",
			(long long)stw_order_g_id(o, ctx_g));
	if (ctx_p != STW_SLOT_NONE) {
		if (o->ps.items[ctx_p].status != STW_P_SYSCALL)
			return stw_merge_fail(mg, c, STW_FAULT_TRANSITION,
				"proc %lld is in status %u during GoDestroySyscall (a system call was expected)",
				(long long)stw_order_p_id(o, ctx_p), o->ps.items[ctx_p].status);
		o->ps.items[ctx_p].status = STW_P_ABANDONED;
		STW_MERGE_EMIT(mg, STW_EV_ProcSteal, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, ctx_p,
			(uint64_t)stw_order_p_id(o, ctx_p), 0, (uint64_t)c->m_id, STW_P_SYSCALL);
	}
	EMIT(ctx_g, 0, 0, 0, 0);
	stw_order_remove_g(o, ctx_g);
	o->ms.items[c->m].g = STW_SLOT_NONE;
	o->ms.items[c->m].p = STW_SLOT_NONE;
	return DONE();
}
