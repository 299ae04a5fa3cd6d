/* What is less frequent: procs, the collector and what spans time (stops, sweeps, assists), tasks, regions and logs; part of v1_step.h, behind
 * v1_goroutines.h. Functions as there. */

static stwatch_status v1_proc(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool starts)
{
	stw_order *o = vm->base.order;
	if (at.p == STW_SLOT_NONE) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "%s without a proc", stw_v1_event_name(c->type));
		return STWATCH_OK;
	}
	stw_v1_p *p = &vm->ps.items[at.p];
	if (!starts && !p->seen && vm->midway)
		v1_proc_runs(vm, at);
	if (starts == p->running && (p->seen || starts))
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "proc %lld %s, but it %s", (long long)o->ps.items[at.p].id,
			starts ? "starts" : "stops", starts ? "runs already" : "does not run");
	else if (!starts && !p->seen)
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "proc %lld stops, but it does not run", (long long)o->ps.items[at.p].id);
	if (!starts && p->g != STW_SLOT_NONE) {
		uint32_t other = p->g;
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "proc %lld stops while goroutine %lld runs there",
			(long long)o->ps.items[at.p].id, (long long)stw_order_g_id(o, other));
		if (v1_begin_anew(vm, other, (uint64_t)o->gs.items[other].id, STW_G_WAITING, at) == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
		p = &vm->ps.items[at.p];
	}
	uint64_t id = (uint64_t)o->ps.items[at.p].id;
	if (starts) {
		at.m = stw_v1_merge_thread(vm, c->a[0]);
		if (at.m == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
		if (stw_v1_merge_call_of(vm, at.m) != STW_SLOT_NONE) /* its end is lost */
			STW_MERGE_FORGET_G(&vm->base, stw_v1_merge_call_of(vm, at.m));
		p->m = at.m;
		o->ms.items[at.m].p = at.p;
	}
	if (!p->seen)
		V1_HERE(STW_EV_ProcStatus, at.p, id, starts ? STW_P_RUNNING : STW_P_IDLE, STW_PROC_UNDETERMINED, 0);
	else
		V1_HERE(starts ? STW_EV_ProcStart : STW_EV_ProcStop, at.p, id, 0, 0, 0);
	p->seen = true;
	p->running = starts;
	p->in_call = false;
	o->ps.items[at.p].status = starts ? STW_P_RUNNING : STW_P_IDLE;
	if (!starts) {
		if (STW_SLOT_OK(p->m))
			o->ms.items[p->m].p = STW_SLOT_NONE;
		p->m = STW_SLOT_NONE;
	}
	return STWATCH_OK;
}

/* The first says that everything that existed has been told, but for what is neither waiting, running nor in a system call:
 * v1_tell_rest does that, one at a time. */
static stwatch_status v1_procs_change(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	if (vm->begun) {
		V1_HERE(STW_EV_ProcsChange, STW_SLOT_NONE, c->a[0], V1_STACK(vm, c), v1_quiet_since(vm, c, at.p), 0);
		if (at.p != STW_SLOT_NONE)
			vm->ps.items[at.p].ending = false;
		return STWATCH_OK;
	}
	vm->begun = true;
	vm->gomaxprocs = (int64_t)c->a[0];
	vm->telling = 0;
	vm->told_at = at.time;
	stw_v1_merge_look_ahead(vm);
	return STWATCH_OK;
}

static __attribute__((noinline)) void v1_tell_rest(stw_v1_merge *vm)
{
	const stw_order *o = vm->base.order;
	while (vm->telling < vm->gs.count) {
		uint32_t slot = vm->telling++;
		if (!vm->gs.items[slot].at_start || !stw_order_is_alive(o, slot))
			continue;
		vm->gs.items[slot].at_start = false;
		V1_EMIT(STW_EV_GoStatus, vm->told_at, STW_SLOT_NONE, STW_SLOT_NONE, STW_SLOT_NONE, slot, (uint64_t)o->gs.items[slot].id,
			UINT64_MAX, STW_G_RUNNABLE, STW_V1_AS_GO ? 0 : vm->gs.items[slot].root);
		return;
	}
	vm->telling = STW_SLOT_NONE;
}

static stwatch_status v1_gc(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool force)
{
	bool begins = c->type == STW_V1_GCStart;
	if (vm->midway && !vm->gc_known) {
		if (!begins && !vm->collecting) /* it began before */
			return STWATCH_OK;
		if (begins) { /* those before it may be missing, and the end of the last */
			vm->gc_known = vm->base.last_time >= vm->missing_to;
			vm->gc_number = c->a[0];
			vm->collecting = false;
		}
	}
	if (begins && vm->gc_number != c->a[0] && !force)
		return (stwatch_status)V1_WAIT;
	if (vm->collecting == begins)
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s while a collection %s in progress", stw_v1_event_name(c->type),
			begins ? "is" : "is not");
	vm->collecting = begins;
	if (!begins) {
		v1_quiet(vm, c, at.p);
		V1_HERE(STW_EV_GCEnd, STW_SLOT_NONE, vm->gc_number, 0, 0, 0);
		return STWATCH_OK;
	}
	vm->gc_number = vm->v1->index.format.minor < 7 ? vm->gc_number + 1 : c->a[0] + 1;
	if (STW_V1_AS_GO) {
		at.p = stw_v1_merge_fake_p(vm, STW_V1_GC_P);
		at.m = STW_SLOT_NONE;
	}
	V1_HERE(STW_EV_GCBegin, STW_SLOT_NONE, c->a[0], V1_STACK(vm, c), 0, 0);
	return STWATCH_OK;
}

/* To Go 1.9 each proc that works in a mark termination says so; the world is stopped from the first of them to the last. */
static stwatch_status v1_stop(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	const unsigned minor = vm->v1->index.format.minor;
	bool begins = c->type == STW_V1_GCSTWStart;
	if (minor < 10) {
		v1_quiet(vm, c, at.p);
		if (at.p != STW_SLOT_NONE)
			vm->ps.items[at.p].ending = true;
	}
	bool *stopping = minor < 10 && at.p != STW_SLOT_NONE ? &vm->ps.items[at.p].stopping : &vm->stopping;
	if (vm->midway && !begins && !*stopping) /* it began before */
		return STWATCH_OK;
	if (*stopping == begins)
		stw_v1_merge_fault(
			vm, c, STW_FAULT_TRANSITION, "%s while a stop %s in flight", stw_v1_event_name(c->type), begins ? "is" : "is not");
	if (*stopping != begins)
		vm->n_stopping += begins ? 1 : -1;
	*stopping = begins;
	if (!STW_V1_AS_GO && vm->n_stopping != (begins ? 1 : 0))
		return STWATCH_OK;
	if (begins) {
		const char *kind = stw_v1_stop_kind(minor, c->a[0]);
		vm->stop_kind = stw_intern_put(&vm->base.order->names, kind, strlen(kind));
		if (vm->stop_kind == UINT32_MAX)
			return OUT_OF_MEMORY();
	}
	V1_HERE(begins ? STW_EV_STWBegin : STW_EV_STWEnd, at.g, vm->stop_kind, 0, 0, 0);
	return STWATCH_OK;
}

static stwatch_status v1_sweep(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	bool begins = c->type == STW_V1_GCSweepStart;
	if (vm->midway && !begins && at.p != STW_SLOT_NONE && !vm->ps.items[at.p].sweeping) /* it began before */
		return STWATCH_OK;
	if (at.p == STW_SLOT_NONE) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "%s without a proc", stw_v1_event_name(c->type));
		return STWATCH_OK;
	}
	if (vm->ps.items[at.p].sweeping == begins)
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s, but such a range is %s in flight there", stw_v1_event_name(c->type),
			begins ? "already" : "not");
	vm->ps.items[at.p].sweeping = begins;
	v1_quiet(vm, c, at.p);
	if (begins)
		V1_HERE(STW_EV_GCSweepBegin, at.p, V1_STACK(vm, c), 0, 0, 0);
	else
		V1_HERE(STW_EV_GCSweepEnd, at.p, c->a[0], c->a[1], 0, 0);
	return STWATCH_OK;
}

static stwatch_status v1_assist(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	stw_order *o = vm->base.order;
	bool begins = c->type == STW_V1_GCMarkAssistStart;
	if (v1_is_nobodys(vm, c))
		return STWATCH_OK;
	if (!STW_SLOT_OK(at.g)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "%s of no goroutine", stw_v1_event_name(c->type));
		return STWATCH_OK;
	}
	if (begins && o->gs.items[at.g].assist == STW_RANGE_ON)
		stw_v1_merge_fault(
			vm, c, STW_FAULT_TRANSITION, "%s, but such a range is already in flight there", stw_v1_event_name(c->type));
	o->gs.items[at.g].assist = begins ? STW_RANGE_ON : STW_RANGE_OFF;
	if (begins)
		V1_HERE(STW_EV_GCMarkAssistBegin, at.g, V1_STACK(vm, c), 0, 0, 0);
	else
		V1_HERE(STW_EV_GCMarkAssistEnd, at.g, 0, 0, 0, 0);
	return STWATCH_OK;
}

static stwatch_status v1_annotation(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	uint32_t stack = V1_STACK(vm, c), name;
	uint64_t parent;
	v1_forget_text(vm);
	switch (c->type) {
	case STW_V1_UserTaskCreate:
		if (!stw_v1_merge_task_begin(vm, c))
			return OUT_OF_MEMORY();
		V1_HERE(STW_EV_UserTaskBegin, at.g, c->a[0], c->a[1] ? c->a[1] : UINT64_MAX, c->a[2], stack);
		return STWATCH_OK;
	case STW_V1_UserTaskEnd:
		if (!stw_v1_merge_task_end(vm, c->a[0], &parent, &name))
			return OUT_OF_MEMORY();
		V1_HERE(STW_EV_UserTaskEnd, at.g, c->a[0], stack, parent, name);
		return STWATCH_OK;
	case STW_V1_UserRegion:
		if (c->a[1] > 1) {
			stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "a region's event has the mode %llu (0 or 1 was expected)",
				(unsigned long long)c->a[1]);
			return STWATCH_OK;
		}
		if (!stw_v1_merge_region(vm, c, at.g))
			return OUT_OF_MEMORY();
		if (c->a[1] == 0)
			V1_HERE(STW_EV_UserRegionBegin, at.g, c->a[0], c->a[2], stack, 0);
		else
			V1_HERE(STW_EV_UserRegionEnd, at.g, c->a[0], c->a[2], stack, 0);
		return STWATCH_OK;
	default: {
		stw_string *text = &vm->v1->gen.strings.items[vm->v1->text];
		text->data = c->text;
		text->length = c->text_length;
		V1_HERE(STW_EV_UserLog, at.g, c->a[0], c->a[1], vm->v1->text_id, stack);
		return STWATCH_OK;
	}
	}
}
