/* The full rules for what spans time, or says something about it: the collector, stops, assists, sweeps; tasks, regions, logs, labels; and experimental
 * events, which nothing depends on. Part of merge_step.h, as merge_rare.h is. */

static int advance_gc(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	const uint8_t *p = c->p;
	bool check_context;
	TAKE(seq);
	uint64_t stack = 0;
	if (c->type == STW_EV_GCBegin && STW_UNLIKELY(!(p = stw_varint_fast(p, &stack))))
		return stw_merge_fail(mg, c, STW_FAULT_BYTES, "an argument of GCBegin overflows (a varint was expected)");
	TAKEN();
	int rc = stw_merge_gc(mg, c, c->type, seq, &check_context);
	if (rc != STW_ADVANCE_OK)
		return rc;
	if (check_context)
		NEED_USER();
	NEED_STACK(stack);
	switch (c->type) {
	case STW_EV_GCBegin:
		STW_MERGE_EMIT(mg, STW_EV_GCBegin, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, STW_SLOT_NONE, seq, stack, 0, 0);
		break;
	case STW_EV_GCEnd:
		STW_MERGE_EMIT(mg, STW_EV_GCEnd, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, STW_SLOT_NONE, seq, 0, 0, 0);
		break;
	default: STW_MERGE_EMIT(mg, STW_EV_GCActive, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, STW_SLOT_NONE, seq, 0, 0, 0);
	}
	return DONE();
}

/* Stops, assists and sweeps. */
static int advance_range(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	stw_order *o = mg->order;
	const uint8_t *p = c->p;
	uint32_t kind, slot;
	int rc;
	switch (c->type) {
	case STW_EV_STWBegin: {
		const unsigned type = STW_EV_STWBegin;
		TAKE(id);
		TAKE(stack);
		TAKEN();
		NEED_USER();
		NEED_STRING(string, id);
		NEED_STACK(stack);
		if ((rc = stw_merge_stop_begin(mg, c, ctx_g, id, string, &kind)) != STW_ADVANCE_OK)
			return rc;
		EMIT(STW_SLOT_NONE, kind, stack, 0, 0);
		return DONE();
	}
	case STW_EV_STWEnd: {
		const unsigned type = STW_EV_STWEnd;
		NEED_USER();
		if ((rc = stw_merge_stop_end(mg, c, ctx_g, &kind)) != STW_ADVANCE_OK)
			return rc;
		EMIT(STW_SLOT_NONE, kind, 0, 0, 0);
		return DONE();
	}
	case STW_EV_GCMarkAssistBegin: {
		const unsigned type = STW_EV_GCMarkAssistBegin;
		TAKE(stack);
		TAKEN();
		NEED_USER();
		NEED_STACK(stack);
		stw_order_g *g = &o->gs.items[ctx_g];
		if ((rc = stw_merge_range(mg, c, &g->assist, STW_REQ_G_ASSIST, g->id, STW_RANGE_OFF, STW_RANGE_ON)) != STW_ADVANCE_OK)
			return rc;
		EMIT(ctx_g, stack, 0, 0, 0);
		return DONE();
	}
	case STW_EV_GCMarkAssistEnd: {
		const unsigned type = STW_EV_GCMarkAssistEnd;
		NEED_USER();
		stw_order_g *g = &o->gs.items[ctx_g];
		if ((rc = stw_merge_range(mg, c, &g->assist, STW_REQ_G_ASSIST, g->id, STW_RANGE_ON, STW_RANGE_OFF)) != STW_ADVANCE_OK)
			return rc;
		EMIT(ctx_g, 0, 0, 0, 0);
		return DONE();
	}
	case STW_EV_GCMarkAssistActive: {
		const unsigned type = STW_EV_GCMarkAssistActive;
		TAKE(id);
		TAKEN();
		if ((slot = stw_order_find_g(o, (int64_t)id)) == STW_MAP_NONE)
			return stw_merge_fail(
				mg, c, STW_FAULT_TRANSITION, "GCMarkAssistActive names goroutine %lld, which is not known", (long long)id);
		uint8_t want = o->mode == STW_READ_INITIAL ? STW_RANGE_OFF : STW_RANGE_ON;
		if ((rc = stw_merge_range(mg, c, &o->gs.items[slot].assist, STW_REQ_G_ASSIST, (int64_t)id, want, STW_RANGE_ON)) !=
			STW_ADVANCE_OK)
			return rc;
		EMIT(slot, id, 0, 0, 0);
		return DONE();
	}
	case STW_EV_GCSweepBegin: {
		const unsigned type = STW_EV_GCSweepBegin;
		TAKE(stack);
		TAKEN();
		NEED_PROC();
		NEED_STACK(stack);
		stw_order_p *s = &o->ps.items[ctx_p];
		if ((rc = stw_merge_range(mg, c, &s->sweep, STW_REQ_P_SWEEP, s->id, STW_RANGE_OFF, STW_RANGE_ON)) != STW_ADVANCE_OK)
			return rc;
		EMIT(ctx_p, stack, 0, 0, 0);
		return DONE();
	}
	case STW_EV_GCSweepEnd: {
		const unsigned type = STW_EV_GCSweepEnd;
		TAKE(swept);
		TAKE(reclaimed);
		TAKEN();
		NEED_PROC();
		stw_order_p *s = &o->ps.items[ctx_p];
		if ((rc = stw_merge_range(mg, c, &s->sweep, STW_REQ_P_SWEEP, s->id, STW_RANGE_ON, STW_RANGE_OFF)) != STW_ADVANCE_OK)
			return rc;
		EMIT(ctx_p, swept, reclaimed, 0, 0);
		return DONE();
	}
	default: {
		const unsigned type = STW_EV_GCSweepActive;
		TAKE(id);
		TAKEN();
		if ((slot = stw_order_find_p(o, (int64_t)id)) == STW_MAP_NONE)
			return stw_merge_fail(
				mg, c, STW_FAULT_TRANSITION, "GCSweepActive names proc %lld, which is not known", (long long)id);
		uint8_t want = o->mode == STW_READ_INITIAL ? STW_RANGE_OFF : STW_RANGE_ON;
		if ((rc = stw_merge_range(mg, c, &o->ps.items[slot].sweep, STW_REQ_P_SWEEP, (int64_t)id, want, STW_RANGE_ON)) !=
			STW_ADVANCE_OK)
			return rc;
		EMIT(slot, id, 0, 0, 0);
		return DONE();
	}
	}
}

/* Tasks, regions, logs, labels. */
static int advance_annotation(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	const uint8_t *p = c->p;
	int rc;
	switch (c->type) {
	case STW_EV_ProcsChange: {
		const unsigned type = STW_EV_ProcsChange;
		TAKE(procs);
		TAKE(stack);
		TAKEN();
		NEED_USER();
		NEED_STACK(stack);
		EMIT(STW_SLOT_NONE, procs, stack, 0, 0);
		return DONE();
	}
	case STW_EV_GoLabel: {
		const unsigned type = STW_EV_GoLabel;
		TAKE(label);
		TAKEN();
		NEED_USER();
		NEED_STRING(string, label);
		EMIT(ctx_g, label, string, 0, 0);
		return DONE();
	}
	case STW_EV_UserTaskBegin: {
		const unsigned type = STW_EV_UserTaskBegin;
		TAKE(task);
		TAKE(parent);
		TAKE(name);
		TAKE(stack);
		TAKEN();
		NEED_STRING(string, name);
		if (parent == 0) /* none; the background task is for regions only */
			parent = UINT64_MAX;
		if ((rc = stw_merge_task_begin(mg, c, task, parent, string)) != STW_ADVANCE_OK)
			return rc;
		NEED_USER();
		NEED_STACK(stack);
		EMIT(ctx_g, task, parent, name, stack);
		return DONE();
	}
	case STW_EV_UserTaskEnd: {
		const unsigned type = STW_EV_UserTaskEnd;
		uint64_t parent;
		uint32_t name;
		TAKE(task);
		TAKE(stack);
		TAKEN();
		if ((rc = stw_merge_task_end(mg, task, &parent, &name)) != STW_ADVANCE_OK)
			return rc;
		NEED_USER();
		NEED_STACK(stack);
		EMIT(ctx_g, task, stack, parent, name);
		return DONE();
	}
	case STW_EV_UserRegionBegin: {
		const unsigned type = STW_EV_UserRegionBegin;
		TAKE(task);
		TAKE(name);
		TAKE(stack);
		TAKEN();
		NEED_USER();
		NEED_STRING(string, name);
		NEED_STACK(stack);
		if ((rc = stw_merge_region_begin(mg, ctx_g, task, string)) != STW_ADVANCE_OK)
			return rc;
		EMIT(ctx_g, task, name, stack, 0);
		return DONE();
	}
	case STW_EV_UserRegionEnd: {
		const unsigned type = STW_EV_UserRegionEnd;
		TAKE(task);
		TAKE(name);
		TAKE(stack);
		TAKEN();
		NEED_USER();
		NEED_STRING(string, name);
		NEED_STACK(stack);
		if ((rc = stw_merge_region_end(mg, c, ctx_g, task, string)) != STW_ADVANCE_OK)
			return rc;
		EMIT(ctx_g, task, name, stack, 0);
		return DONE();
	}
	default: {
		const unsigned type = STW_EV_UserLog;
		TAKE(task);
		TAKE(key);
		TAKE(value);
		TAKE(stack);
		TAKEN();
		NEED_USER();
		NEED_STRING(key_string, key);
		NEED_STRING(value_string, value);
		NEED_STACK(stack);
		(void)key_string;
		(void)value_string;
		EMIT(ctx_g, task, key, value, stack);
		return DONE();
	}
	}
}

static int advance_experimental(stw_merge *mg, stw_cursor *c, uint32_t ctx_p, uint32_t ctx_g)
{
	const uint8_t *p = c->p;
	const stw_event_spec *spec = stw_event_spec_of(c->type);
	uint64_t a[3] = {0};
	if (!spec->name || spec->kind != STWATCH_EVENT_EXPERIMENTAL)
		return stw_merge_fail(mg, c, STW_FAULT_BYTES, "found event type %u in a thread's stream (no such event there)", c->type);
	for (unsigned i = 0; i < spec->n_args; i++)
		if (!(p = stw_varint_fast(p, &a[i])))
			return stw_merge_fail(mg, c, STW_FAULT_BYTES, "an argument of %s overflows (a varint was expected)", spec->name);
	TAKEN();
	if (c->m == STW_SLOT_NONE)
		return stw_merge_fail_context(mg, c, false);
	STW_MERGE_EMIT(mg, c->type, merge_stamp(mg, c->time), c->m, ctx_p, ctx_g, STW_SLOT_NONE, a[0], a[1], a[2], 0);
	return DONE();
}
