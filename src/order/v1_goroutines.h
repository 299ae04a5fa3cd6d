/* What happens to goroutines: that they are there, begin, run, wait, end, and are in system calls; part of v1_step.h, whose macros it shares. Each
 * function tries the cursor's event: STWATCH_OK, V1_WAIT where it can't come yet, or a failure. */

static stwatch_status v1_create(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool force)
{
	stw_order *o = vm->base.order;
	if (STW_UNLIKELY(c->a[0] == 0)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "goroutine 0 is created, which stands for none");
		return STWATCH_OK;
	}
	uint32_t slot = stw_order_find_g(o, (int64_t)c->a[0]);
	uint32_t root = v1_root(vm, c->a[1]);
	if (STW_UNLIKELY(slot != STW_MAP_NONE)) {
		if (!force)
			return (stwatch_status)V1_WAIT;
		stw_v1_merge_fault(
			vm, c, STW_FAULT_TRANSITION, "goroutine %llu is created, but it exists already", (unsigned long long)c->a[0]);
		if (v1_begin_anew(vm, slot, c->a[0], STW_G_RUNNABLE, at) == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
		return STWATCH_OK;
	}
	if (STW_UNLIKELY(c->g == 0 ? at.p != STW_SLOT_NONE && vm->ps.items[at.p].g != STW_SLOT_NONE : !v1_runs_here(vm, at)))
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "goroutine %llu is created by %llu, which does not run there",
			(unsigned long long)c->a[0], (unsigned long long)c->g);
	slot = stw_v1_merge_add_g(vm, c->a[0], STW_G_RUNNABLE);
	if (slot == STW_SLOT_NONE)
		return OUT_OF_MEMORY();
	o->gs.items[slot].seq = 1;
	vm->gs.items[slot].whole = vm->midway && vm->base.last_time >= vm->missing_to;
	vm->gs.items[slot].root = root;
	vm->gs.items[slot].at_start = !vm->begun;
	if (vm->begun)
		V1_HERE(STW_EV_GoCreate, slot, c->a[0], STW_V1_AS_GO ? c->a[1] : root, V1_STACK(vm, c), 0);
	return STWATCH_OK;
}

/* What existed when the trace began, and how it was. */
static stwatch_status v1_exists(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, uint8_t status, bool force)
{
	stw_order *o = vm->base.order;
	uint32_t slot = at.g;
	EXPECT(slot, c->g, STW_G_RUNNABLE, false);
	if (!v1_is_next(vm, slot, 1) && !force)
		return (stwatch_status)V1_WAIT;
	o->gs.items[slot].status = STW_G_WAITING; /* as the order's rules see it */
	v1_count(vm, slot, true, 1);
	vm->gs.items[slot].at_start = false;
	vm->gs.items[slot].in_call = vm->gs.items[slot].call_last = status == STW_G_SYSCALL;
	V1_HERE(STW_EV_GoStatus, slot, c->g, UINT64_MAX, status, STW_V1_AS_GO ? 0 : vm->gs.items[slot].root);
	return STWATCH_OK;
}

static void v1_emit_exit(stw_v1_merge *vm, uint32_t slot, int64_t time)
{
	uint32_t p = STW_V1_AS_GO ? stw_v1_merge_fake_p(vm, STW_V1_SYSCALL_P) : STW_SLOT_NONE;
	vm->gs.items[slot].in_call = false;
	V1_EMIT(STW_EV_GoSyscallEndBlocked, time, STW_SLOT_NONE, p, slot, slot, 0, 0, 0, 0);
}

/* The next one that was written late. One whose goroutine is in no such call (clocks that differ) comes where it is written. */
static stwatch_status v1_take_exit(stw_v1_merge *vm)
{
	uint32_t slot = stw_order_find_g(vm->base.order, (int64_t)vm->exit.g);
	if (slot != STW_MAP_NONE && vm->gs.items[slot].in_call)
		v1_emit_exit(vm, slot, v1_time(vm, vm->exit.ticks ? vm->exit.ticks : vm->last_key)); /* 0: as it was written */
	stwatch_status status = stw_v1_merge_next_exit(vm);
	stw_v1_merge_look_ahead(vm);
	return status;
}

/* The end of a call at the very instant of its goroutine's next event comes before it. */
static __attribute__((noinline)) stwatch_status v1_take_exit_of(stw_v1_merge *vm, const stw_v1_cursor *c, uint32_t slot)
{
	stwatch_status status = STWATCH_OK;
	while (status == STWATCH_OK && vm->gs.items[slot].in_call && vm->exit_key == c->key)
		status = v1_take_exit(vm);
	return status;
}

/* A log's text lives as long as its cursor stands there. A damaged trace may name that string later on. */
static void v1_forget_text(stw_v1_merge *vm)
{
	stw_string *text = &vm->v1->gen.strings.items[vm->v1->text];
	text->data = "";
	text->length = 0;
}

/* A goroutine comes out of a system call and finds the proc that it had before, although another one has gone into a system call with it
 * since: it takes it, which no event tells (exitsyscallfast_reacquired). The thread is that of its own call. */
static __attribute__((noinline)) v1_place v1_take_over(stw_v1_merge *vm, uint32_t slot, v1_place at)
{
	stw_order *o = vm->base.order;
	stw_v1_p *p = &vm->ps.items[at.p];
	uint32_t before = p->m, m = vm->gs.items[slot].call_m;
	p->in_call = false;
	if (vm->midway && !STW_SLOT_OK(m) && STW_SLOT_OK(before)) { /* its call is in what is missing: it is some other thread */
		o->ms.items[before].p = STW_SLOT_NONE;
		at.m = p->m = STW_SLOT_NONE;
	}
	if (STW_V1_AS_GO || !STW_SLOT_OK(m) || !STW_SLOT_OK(before))
		return at;
	at.m = p->m = m;
	o->ms.items[before].p = STW_SLOT_NONE;
	o->ms.items[m].p = at.p;
	V1_EMIT(STW_EV_ProcSteal, at.time, m, STW_SLOT_NONE, STW_SLOT_NONE, at.p, (uint64_t)o->ps.items[at.p].id, 1,
		(uint64_t)o->ms.items[before].id, STW_P_SYSCALL);
	V1_EMIT(STW_EV_ProcStart, at.time, m, at.p, STW_SLOT_NONE, at.p, (uint64_t)o->ps.items[at.p].id, 0, 0, 0);
	return at;
}

/* Of a trace that begins midway: a proc shows itself first by something that a running one does. */
static __attribute__((noinline)) void v1_proc_runs(stw_v1_merge *vm, v1_place at)
{
	stw_v1_p *p = &vm->ps.items[at.p];
	p->seen = p->running = true;
	vm->base.order->ps.items[at.p].status = STW_P_RUNNING;
	V1_HERE(STW_EV_ProcStatus, at.p, (uint64_t)vm->base.order->ps.items[at.p].id, STW_P_RUNNING, STW_PROC_UNDETERMINED, 0);
}

static inline __attribute__((always_inline)) stwatch_status v1_start(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool in_sequence, bool force)
{
	stw_order *o = vm->base.order;
	uint32_t slot = at.g;
	EXPECT(slot, c->g, STW_G_RUNNABLE, in_sequence);
	if (in_sequence && !v1_is_next(vm, slot, c->a[1]) && !force)
		return (stwatch_status)V1_WAIT;
	if (STW_UNLIKELY(at.p == STW_SLOT_NONE)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "goroutine %llu starts without a proc", (unsigned long long)c->g);
		return STWATCH_OK;
	}
	if (STW_UNLIKELY(vm->gs.items[slot].in_call)) {
		stwatch_status status = v1_take_exit_of(vm, c, slot);
		if (status != STWATCH_OK)
			return status;
	}
	if (STW_UNLIKELY(vm->gs.items[slot].in_call)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_ORDER, "times are out of order: goroutine %llu starts before its system call has ended",
			(unsigned long long)c->g);
		v1_emit_exit(vm, slot, at.time);
	}
	stw_v1_p *p = &vm->ps.items[at.p];
	if (STW_UNLIKELY(!p->seen) && vm->midway)
		v1_proc_runs(vm, at);
	if (STW_UNLIKELY(p->g != STW_SLOT_NONE)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "goroutine %llu starts where %lld runs", (unsigned long long)c->g,
			(long long)stw_order_g_id(o, p->g));
		uint32_t other = p->g;
		if (other != slot && v1_begin_anew(vm, other, (uint64_t)o->gs.items[other].id, STW_G_WAITING, at) == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
	}
	if (STW_UNLIKELY(p->in_call))
		at = v1_take_over(vm, slot, at);
	o->gs.items[slot].status = STW_G_RUNNING;
	v1_count(vm, slot, in_sequence, c->a[1]);
	at.g = slot;
	/* Go's reader tells the start of a collector's worker as such also before all that existed has been told. */
	const bool again = STW_V1_AS_GO && c->type == STW_V1_GoStartLabel && !vm->gs.items[slot].at_start;
	if (STW_UNLIKELY(!vm->begun && !again)) {
		vm->gs.items[slot].at_start = false;
		V1_HERE(STW_EV_GoStatus, slot, c->g, UINT64_MAX, STW_G_RUNNING, STW_V1_AS_GO ? 0 : vm->gs.items[slot].root);
	} else {
		V1_HERE(STW_EV_GoStart, slot, c->g, in_sequence ? c->a[1] : 0, 0, 0);
	}
	vm->ps.items[at.p].g = slot;
	if (STW_UNLIKELY(c->type == STW_V1_GoStartLabel)) {
		v1_forget_text(vm);
		uint32_t string = stw_generation_string(vm->base.gen, c->a[2]);
		V1_HERE(STW_EV_GoLabel, slot, c->a[2], string == STW_MAP_NONE ? 0 : string, 0, 0);
	}
	return STWATCH_OK;
}

/* Nobody knows who ran there when the trace begins midway. */
static inline bool v1_is_nobodys(const stw_v1_merge *vm, const stw_v1_cursor *c)
{
	return vm->midway && c->g == 0;
}

static __attribute__((noinline)) stwatch_status v1_make_run_here(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, uint32_t *g)
{
	if (v1_is_nobodys(vm, c))
		return STWATCH_END;
	stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "%s of goroutine %llu, which does not run there", stw_v1_event_name(c->type),
		(unsigned long long)c->g);
	if (c->g == 0 || at.p == STW_SLOT_NONE)
		return STWATCH_END; /* nobody's event: left out */
	*g = v1_begin_anew(vm, at.g, c->g, STW_G_RUNNING, at);
	return *g == STW_SLOT_NONE ? OUT_OF_MEMORY() : STWATCH_OK;
}

/* For events of a goroutine that has to be running on the proc; where it runs elsewhere, the trace contradicts itself. */
#define RUNS_HERE()                                                                                                                        \
	do {                                                                                                                               \
		if (STW_UNLIKELY(!v1_runs_here(vm, at))) {                                                                                 \
			if (!force && !v1_is_nobodys(vm, c) &&                                                                             \
				(!STW_SLOT_OK(at.g) || vm->base.order->gs.items[at.g].status != STW_G_RUNNING))                            \
				return (stwatch_status)V1_WAIT;                                                                            \
			uint32_t made_g = at.g;                                                                                            \
			stwatch_status made = v1_make_run_here(vm, c, at, &made_g);                                                        \
			at.g = made_g;                                                                                                     \
			if (made != STWATCH_OK)                                                                                            \
				return made == STWATCH_END ? STWATCH_OK : made;                                                            \
		}                                                                                                                          \
	} while (0)

static inline __attribute__((always_inline)) stwatch_status v1_block(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, unsigned word, bool force)
{
	RUNS_HERE();
	V1_HERE(STW_EV_GoBlock, at.g, vm->v1->words[word].id, V1_STACK(vm, c), vm->v1->words[word].string, 0);
	vm->base.order->gs.items[at.g].status = STW_G_WAITING;
	vm->gs.items[at.g].network = word == STW_V1_WORD_NETWORK;
	vm->gs.items[at.g].forever = word == STW_V1_WORD_FOREVER;
	vm->gs.items[at.g].call_last = false;
	vm->ps.items[at.p].g = STW_SLOT_NONE;
	return STWATCH_OK;
}

static inline __attribute__((always_inline)) stwatch_status v1_yield(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, unsigned word, bool force)
{
	RUNS_HERE();
	V1_HERE(STW_EV_GoStop, at.g, vm->v1->words[word].id, V1_STACK(vm, c), vm->v1->words[word].string, 0);
	vm->base.order->gs.items[at.g].status = STW_G_RUNNABLE;
	vm->ps.items[at.p].g = STW_SLOT_NONE;
	return STWATCH_OK;
}

static stwatch_status v1_end(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	const bool force = true; /* Go's reader has it come at its time, whatever the goroutine's status */
	RUNS_HERE();
	V1_HERE(STW_EV_GoDestroy, at.g, 0, 0, 0, 0);
	vm->ps.items[at.p].g = STW_SLOT_NONE;
	stw_order_remove_g(vm->base.order, at.g);
	return STWATCH_OK;
}

static inline __attribute__((always_inline)) stwatch_status v1_unblock(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool in_sequence, bool force)
{
	stw_order *o = vm->base.order;
	uint32_t slot = stw_order_find_g(o, (int64_t)c->a[0]);
	EXPECT_WAITING(slot, c->a[0], in_sequence);
	if (in_sequence && !v1_is_next(vm, slot, c->a[1]) && !force)
		return (stwatch_status)V1_WAIT;
	if (STW_UNLIKELY(vm->gs.items[slot].in_call)) {
		if (!v1_is_unsure(vm, slot)) /* else it is missing that it came out of the call, and ran */
			stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s of goroutine %llu, which is in a system call",
				stw_v1_event_name(c->type), (unsigned long long)c->a[0]);
		if (v1_begin_anew(vm, slot, c->a[0], STW_G_WAITING, at) == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
	}
	bool timer = vm->v1->timers.count && stw_map_get(&vm->v1->timers, c->g) != STW_MAP_NONE;
	if (STW_UNLIKELY(!timer && (at.p == STW_SLOT_NONE ? c->g != 0 : vm->ps.items[at.p].g != at.g)))
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "goroutine %llu is unblocked by %llu, which does not run there",
			(unsigned long long)c->a[0], (unsigned long long)c->g);
	o->gs.items[slot].status = STW_G_RUNNABLE;
	v1_count(vm, slot, in_sequence, c->a[1]);
	if (STW_V1_AS_GO && (timer || vm->gs.items[slot].network)) {
		at.p = stw_v1_merge_fake_p(vm, vm->gs.items[slot].network ? STW_V1_NETPOLL_P : STW_V1_TIMER_P);
		at.m = STW_SLOT_NONE;
	}
	V1_HERE(STW_EV_GoUnblock, slot, c->a[0], in_sequence ? c->a[1] : 0, V1_STACK(vm, c), 0);
	if (STW_UNLIKELY(vm->gs.items[slot].network || (at.p != STW_SLOT_NONE && vm->ps.items[at.p].ending)))
		v1_quiet(vm, c, at.p);
	vm->gs.items[slot].network = false;
	return STWATCH_OK;
}

/* A goroutine comes out of a system call whose beginning is not there, as bytes are missing. */
static bool v1_is_surprise(const stw_v1_merge *vm, uint32_t slot, uint64_t id, bool force)
{
	if (id == 0 || slot == STW_MAP_NONE)
		return id != 0 && (vm->midway || force);
	return force && !(vm->base.order->gs.items[slot].status == STW_G_WAITING && vm->gs.items[slot].call_last);
}

static __attribute__((noinline)) uint32_t v1_out_of_call(stw_v1_merge *vm, uint32_t slot, stw_v1_cursor *c, v1_place at, bool in_sequence)
{
	if (slot == STW_MAP_NONE && vm->midway) {
		slot = v1_first_seen(vm, c->a[0], STW_G_SYSCALL, in_sequence ? c->a[1] : UINT64_MAX, at);
	} else {
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s of goroutine %llu, which is not in a system call",
			stw_v1_event_name(c->type), (unsigned long long)c->a[0]);
		slot = v1_begin_anew(vm, slot == STW_MAP_NONE ? STW_SLOT_NONE : slot, c->a[0], STW_G_SYSCALL, at);
	}
	if (slot == STW_SLOT_NONE)
		return slot;
	vm->base.order->gs.items[slot].status = STW_G_WAITING; /* as the order's rules see it */
	vm->gs.items[slot].call_last = true;
	v1_emit_exit(vm, slot, at.time);
	return slot;
}

static stwatch_status v1_exit(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool in_sequence, bool force)
{
	stw_order *o = vm->base.order;
	uint32_t slot = stw_order_find_g(o, (int64_t)c->a[0]);
	if (STW_UNLIKELY(vm->v1->index.problems.count) && v1_is_surprise(vm, slot, c->a[0], force)) {
		slot = v1_out_of_call(vm, slot, c, at, in_sequence);
		if (slot == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
	}
	EXPECT_WAITING(slot, c->a[0], in_sequence);
	if (in_sequence && !v1_is_next(vm, slot, c->a[1]) && !force)
		return (stwatch_status)V1_WAIT;
	int64_t ticks = (int64_t)c->a[in_sequence ? 2 : 1];
	if (STW_UNLIKELY(!vm->gs.items[slot].call_last)) {
		slot = v1_out_of_call(vm, slot, c, at, in_sequence);
		if (slot == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
	}
	if (STW_UNLIKELY(vm->gs.items[slot].in_call && (!ticks || ticks <= c->ticks))) { /* else it comes at that time */
		stwatch_status status = v1_take_exit_of(vm, c, slot);
		if (status != STWATCH_OK)
			return status;
		if (ticks && vm->gs.items[slot].in_call)
			stw_v1_merge_fault(vm, c, STW_FAULT_ORDER,
				"times are out of order: a system call of goroutine %llu ends before it begins",
				(unsigned long long)c->a[0]);
		if (vm->gs.items[slot].in_call)
			v1_emit_exit(vm, slot, at.time);
	}
	o->gs.items[slot].status = STW_G_RUNNABLE;
	v1_count(vm, slot, in_sequence, c->a[1]);
	return STWATCH_OK;
}

/* Whether the profiler took a sample of a goroutine in a stretch of time. */
static bool v1_sampled(const stw_v1_merge *vm, uint64_t g, int64_t from, int64_t to)
{
	const stw_v1_index *x = &vm->v1->index;
	for (size_t i = vm->base.next_sample; i < x->samples.count && x->samples.items[i].ticks <= to; i++)
		if (x->samples.items[i].g == g && x->samples.items[i].ticks >= from)
			return true;
	return false;
}

/* A system call: whether it blocked is told by the goroutine's next event, to which the cursor is moved on. */
static inline __attribute__((always_inline)) stwatch_status v1_call(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	stwatch_status status = STWATCH_OK;
	if (STW_UNLIKELY(!v1_runs_here(vm, at))) {
		uint32_t made_g = at.g;
		status = v1_make_run_here(vm, c, at, &made_g);
		at.g = made_g;
		if (status != STWATCH_OK)
			return status == STWATCH_END ? V1_REFRESH(vm, c) : status;
	}
	uint32_t stack = V1_STACK(vm, c);
	uint64_t g = c->g;
	int64_t ticks = c->ticks;
	(void)ticks; /* asked for where it is read as Go does */
	status = V1_REFRESH(vm, c);
	if (status != STWATCH_OK && status != STWATCH_END)
		return status;
	const bool blocks = status == STWATCH_OK && c->type == STW_V1_GoSysBlock && c->g == g;
	V1_HERE(STW_EV_GoSyscallBegin, at.g, 0, stack, 0, 0);
	if (!blocks || (STW_V1_AS_GO && v1_sampled(vm, g, ticks, c->ticks)))
		V1_EMIT(STW_EV_GoSyscallEnd, at.time + 1, at.m, at.p, at.g, at.g, 0, 0, 0, 0);
	if (blocks)
		vm->gs.items[at.g].called = true;
	return status;
}

static stwatch_status v1_call_blocks(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool force)
{
	RUNS_HERE();
	stw_v1_g *more = &vm->gs.items[at.g];
	if (!STW_V1_AS_GO && !more->called)
		V1_HERE(STW_EV_GoSyscallBegin, at.g, 0, 0, 0, 0);
	more->called = false;
	more->in_call = more->call_last = true;
	more->call_m = at.m;
	if (STW_UNLIKELY(vm->v1->index.problems.count) && !stw_v1_merge_note_call(vm, at.m, at.g))
		return OUT_OF_MEMORY();
	vm->ps.items[at.p].in_call = true;
	vm->base.order->gs.items[at.g].status = STW_G_WAITING;
	vm->ps.items[at.p].g = STW_SLOT_NONE;
	return STWATCH_OK;
}
