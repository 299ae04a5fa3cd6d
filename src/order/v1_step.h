/* The template's body; see v1.h. Include once in a .c file, after defining STW_MERGE_EMIT as for merge_step.h.
 *
 * STW_V1_AS_GO, if defined and true (it may look at `vm`), hands on just what Go's own reader makes of such a trace (GOROOT/src/internal/trace/tracev1.go):
 * made-up procs for timers, the network, ends of system calls and the collector; no stack for what exists at the beginning; a system
 * call during which the profiler took a sample is a fast one. Else what is known is handed on: the real proc, where a
 * goroutine began, that a call blocked. */
#ifndef STW_MERGE_EMIT
#error "define STW_MERGE_EMIT first"
#endif
#ifndef STW_V1_AS_GO
#define STW_V1_AS_GO false
#endif

#include "order/merge_stamp.h"
#include "order/v1.h"

#define V1_EMIT(type, time, m, p, g, target, a0, a1, a2, a3)                                                                               \
	STW_MERGE_EMIT(&vm->base, (type), merge_stamp(&vm->base, (time)), (m), (p), (g), (target), (a0), (a1), (a2), (a3))
/* With the cursor's context. */
#define V1_HERE(type, target, a0, a1, a2, a3) V1_EMIT(type, at.time, at.m, at.p, at.g, target, a0, a1, a2, a3)
/* Of an event that no runtime with that header writes. */
#define V1_NOT_WRITTEN "unexpected event type %u (%s)"

/* Where the event at hand happened. */
typedef struct v1_place {
	int64_t time;
	uint32_t m, p, g; /* slots */
} v1_place;

static const uint8_t v1_word_of[STW_V1_TYPES] = {
	[STW_V1_GoBlockSend] = STW_V1_WORD_SEND,
	[STW_V1_GoBlockRecv] = STW_V1_WORD_RECEIVE,
	[STW_V1_GoBlockSelect] = STW_V1_WORD_SELECT,
	[STW_V1_GoBlockSync] = STW_V1_WORD_SYNC,
	[STW_V1_GoBlockCond] = STW_V1_WORD_COND,
	[STW_V1_GoBlockNet] = STW_V1_WORD_NETWORK,
	[STW_V1_GoBlockGC] = STW_V1_WORD_ASSIST,
	[STW_V1_GoSleep] = STW_V1_WORD_SLEEP,
};

static inline __attribute__((always_inline)) int64_t v1_time(const stw_v1_merge *vm, int64_t ticks)
{
	uint64_t since = (uint64_t)ticks - (uint64_t)vm->first_ticks;
	if (STW_UNLIKELY(since >> 44)) /* so many ticks, of at most 2^18 ns each, are no overflow */
		return stw_v1_ns(vm->v1, ticks);
	return (int64_t)((double)(int64_t)since * vm->ns_per_tick);
}

static inline uint32_t v1_stack(const stw_v1_merge *vm, uint32_t id)
{
	return id == 0 || STW_UNLIKELY(stw_generation_stack(vm->base.gen, id) == STW_MAP_NONE) ? 0 : id;
}

/* The stack of the function with which a goroutine begins. */
static inline uint32_t v1_root(const stw_v1_merge *vm, uint64_t argument)
{
	if (vm->v1->index.format.minor >= 7)
		return v1_stack(vm, (uint32_t)argument);
	uint32_t stack = stw_map_get(&vm->v1->roots, argument);
	return stack == STW_MAP_NONE ? 0 : stack;
}

static inline __attribute__((always_inline)) v1_place v1_place_of(const stw_v1_merge *vm, const stw_v1_cursor *c)
{
	v1_place at = {.time = v1_time(vm, c->ticks), .m = STW_SLOT_NONE, .p = vm->cursor_ps[c - vm->cursors], .g = STW_SLOT_NONE};
	const stw_order *o = vm->base.order;
	if (at.p != STW_SLOT_NONE) {
		at.m = vm->ps.items[at.p].m;
		at.g = vm->ps.items[at.p].g;
	}
	if (!STW_SLOT_OK(at.g) || (uint64_t)o->gs.items[at.g].id != c->g)
		at.g = c->g ? stw_order_find_g(o, (int64_t)c->g) : STW_SLOT_NONE;
	return at;
}

/* Who has stopped the world may still write figures of the heap, sweeping, the end of a collection, and wake-ups that a poll of the network brings. */
static inline void v1_quiet(stw_v1_merge *vm, const stw_v1_cursor *c, uint32_t p)
{
	if (p == STW_SLOT_NONE)
		return;
	stw_v1_p *s = &vm->ps.items[p];
	if (s->quiet_last != c->ticks_before)
		s->quiet_before = c->ticks_before;
	s->quiet_last = c->ticks;
}

/* Since when the proc's goroutine may have been stopping the world: it shows nothing else from then on. */
static uint64_t v1_quiet_since(const stw_v1_merge *vm, const stw_v1_cursor *c, uint32_t p)
{
	const stw_v1_p *s = p == STW_SLOT_NONE ? NULL : &vm->ps.items[p];
	return (uint64_t)v1_time(vm, s && s->quiet_last == c->ticks_before ? s->quiet_before : c->ticks_before);
}

/* An event that has to wait for another proc's. It has done nothing yet. */
enum { V1_WAIT = 100 };

/* A goroutine is not what the event takes for granted: from here on it is. What was known of it ends. */
static __attribute__((noinline)) uint32_t v1_begin_anew(stw_v1_merge *vm, uint32_t slot, uint64_t id, uint8_t status, const v1_place *at)
{
	stw_order *o = vm->base.order;
	if (slot == STW_SLOT_NONE)
		slot = stw_v1_merge_add_g(vm, id, status);
	if (slot == STW_SLOT_NONE)
		return slot;
	o->gs.items[slot].status = status;
	stw_v1_g *more = &vm->gs.items[slot];
	more->in_call = more->called = more->network = more->forever = more->at_start = false;
	for (size_t i = 0; i < vm->ps.count; i++)
		if (vm->ps.items[i].g == slot)
			vm->ps.items[i].g = STW_SLOT_NONE;
	uint32_t p = status == STW_G_RUNNING ? at->p : STW_SLOT_NONE, stack = STW_V1_AS_GO ? 0 : vm->gs.items[slot].root;
	V1_EMIT(STW_EV_GoStatus, at->time, at->m, p, slot, slot, id, UINT64_MAX, status, stack);
	if (p != STW_SLOT_NONE)
		vm->ps.items[p].g = slot;
	return slot;
}

#define OUT_OF_MEMORY() stw_fail_memory(vm->base.error)
/* What has to hold before the event can come; where it is forced to, it is made to hold. */
#define EXPECT(slot, id, wanted)                                                                                                           \
	do {                                                                                                                               \
		if (STW_UNLIKELY(!STW_SLOT_OK(slot) || o->gs.items[slot].status != (wanted))) {                                            \
			if (!force)                                                                                                        \
				return (stwatch_status)V1_WAIT;                                                                            \
			stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s of goroutine %llu, which is not %s",                           \
				stw_v1_event_name(c->type), (unsigned long long)(id), stw_go_state_name(stw_go_state_of(wanted)));         \
			if (((slot) = v1_begin_anew(vm, (slot), (id), (wanted), &at)) == STW_SLOT_NONE)                                    \
				return OUT_OF_MEMORY();                                                                                    \
		}                                                                                                                          \
	} while (0)

/* One that waits for something; where it waits for what never comes, the trace contradicts itself. */
#define EXPECT_WAITING(slot, id)                                                                                                           \
	do {                                                                                                                               \
		EXPECT(slot, id, STW_G_WAITING);                                                                                           \
		if (STW_UNLIKELY(vm->gs.items[slot].forever)) {                                                                            \
			if (!force)                                                                                                        \
				return (stwatch_status)V1_WAIT;                                                                            \
			stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s of goroutine %llu, which had stopped for ever",                \
				stw_v1_event_name(c->type), (unsigned long long)(id));                                                     \
			vm->gs.items[slot].forever = false;                                                                                \
		}                                                                                                                          \
	} while (0)

/* It runs here, or the trace contradicts itself. */
static inline __attribute__((always_inline)) bool v1_runs_here(const stw_v1_merge *vm, v1_place at)
{
	return STW_SLOT_OK(at.g) && at.p != STW_SLOT_NONE && vm->ps.items[at.p].g == at.g &&
		vm->base.order->gs.items[at.g].status == STW_G_RUNNING;
}

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
		if (v1_begin_anew(vm, slot, c->a[0], STW_G_RUNNABLE, &at) == STW_SLOT_NONE)
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
	vm->gs.items[slot].root = root;
	vm->gs.items[slot].at_start = !vm->begun;
	if (vm->begun)
		V1_HERE(STW_EV_GoCreate, slot, c->a[0], STW_V1_AS_GO ? c->a[1] : root, v1_stack(vm, c->stack), 0);
	return STWATCH_OK;
}

/* What existed when the trace began, and how it was. */
static stwatch_status v1_exists(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, uint8_t status, bool force)
{
	stw_order *o = vm->base.order;
	uint32_t slot = at.g;
	EXPECT(slot, c->g, STW_G_RUNNABLE);
	if (o->gs.items[slot].seq != 1 && !force)
		return (stwatch_status)V1_WAIT;
	o->gs.items[slot].status = STW_G_WAITING; /* as the order's rules see it */
	o->gs.items[slot].seq = 2;
	vm->gs.items[slot].at_start = false;
	vm->gs.items[slot].in_call = vm->gs.items[slot].was_in_call = status == STW_G_SYSCALL;
	V1_HERE(STW_EV_GoStatus, slot, c->g, UINT64_MAX, status, STW_V1_AS_GO ? 0 : vm->gs.items[slot].root);
	return STWATCH_OK;
}

static void v1_emit_exit(stw_v1_merge *vm, uint32_t slot, int64_t time)
{
	uint32_t p = STW_V1_AS_GO ? stw_v1_merge_fake_p(vm, STW_V1_SYSCALL_P) : STW_SLOT_NONE;
	vm->gs.items[slot].in_call = false;
	V1_EMIT(STW_EV_GoSyscallEndBlocked, time, STW_SLOT_NONE, p, slot, slot, 0, 0, 0, 0);
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
static __attribute__((noinline)) void v1_take_over(stw_v1_merge *vm, uint32_t slot, v1_place *at)
{
	stw_order *o = vm->base.order;
	stw_v1_p *p = &vm->ps.items[at->p];
	uint32_t before = p->m, m = vm->gs.items[slot].call_m;
	int64_t id = o->ps.items[at->p].id;
	p->in_call = false;
	if (STW_V1_AS_GO || !STW_SLOT_OK(m) || !STW_SLOT_OK(before))
		return;
	at->m = p->m = m;
	o->ms.items[before].p = STW_SLOT_NONE;
	o->ms.items[m].p = at->p;
	V1_EMIT(STW_EV_ProcSteal, at->time, m, STW_SLOT_NONE, STW_SLOT_NONE, at->p, (uint64_t)id, 1, (uint64_t)o->ms.items[before].id,
		STW_P_SYSCALL);
	V1_EMIT(STW_EV_ProcStart, at->time, m, at->p, STW_SLOT_NONE, at->p, (uint64_t)id, 0, 0, 0);
}

static inline __attribute__((always_inline)) stwatch_status v1_start(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool in_sequence, bool force)
{
	stw_order *o = vm->base.order;
	uint32_t slot = at.g;
	EXPECT(slot, c->g, STW_G_RUNNABLE);
	if (in_sequence && o->gs.items[slot].seq != c->a[1] && !force)
		return (stwatch_status)V1_WAIT;
	if (STW_UNLIKELY(at.p == STW_SLOT_NONE)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "goroutine %llu starts without a proc", (unsigned long long)c->g);
		return STWATCH_OK;
	}
	if (STW_UNLIKELY(vm->gs.items[slot].in_call)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_ORDER, "times are out of order: goroutine %llu starts before its system call has ended",
			(unsigned long long)c->g);
		v1_emit_exit(vm, slot, at.time);
	}
	stw_v1_p *p = &vm->ps.items[at.p];
	if (STW_UNLIKELY(p->g != STW_SLOT_NONE)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "goroutine %llu starts where %lld runs", (unsigned long long)c->g,
			(long long)stw_order_g_id(o, p->g));
		uint32_t other = p->g;
		if (other != slot && v1_begin_anew(vm, other, (uint64_t)o->gs.items[other].id, STW_G_WAITING, &at) == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
	}
	if (STW_UNLIKELY(p->in_call))
		v1_take_over(vm, slot, &at);
	o->gs.items[slot].status = STW_G_RUNNING;
	o->gs.items[slot].seq = in_sequence ? c->a[1] + 1 : o->gs.items[slot].seq + 1;
	at.g = slot;
	if (STW_UNLIKELY(!vm->begun)) {
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

static __attribute__((noinline)) stwatch_status v1_make_run_here(stw_v1_merge *vm, stw_v1_cursor *c, v1_place *at)
{
	stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "%s of goroutine %llu, which does not run there", stw_v1_event_name(c->type),
		(unsigned long long)c->g);
	if (c->g == 0 || at->p == STW_SLOT_NONE)
		return STWATCH_END; /* nobody's event: left out */
	at->g = v1_begin_anew(vm, at->g, c->g, STW_G_RUNNING, at);
	return at->g == STW_SLOT_NONE ? OUT_OF_MEMORY() : STWATCH_OK;
}

/* For events of a goroutine that has to be running on the proc; where it runs elsewhere, the trace contradicts itself. */
#define RUNS_HERE()                                                                                                                        \
	do {                                                                                                                               \
		if (STW_UNLIKELY(!v1_runs_here(vm, at))) {                                                                                 \
			if (!force && (!STW_SLOT_OK(at.g) || vm->base.order->gs.items[at.g].status != STW_G_RUNNING))                      \
				return (stwatch_status)V1_WAIT;                                                                            \
			stwatch_status made = v1_make_run_here(vm, c, &at);                                                                \
			if (made != STWATCH_OK)                                                                                            \
				return made == STWATCH_END ? STWATCH_OK : made;                                                            \
		}                                                                                                                          \
	} while (0)

static inline __attribute__((always_inline)) stwatch_status v1_block(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, unsigned word, bool force)
{
	RUNS_HERE();
	V1_HERE(STW_EV_GoBlock, at.g, vm->v1->words[word].id, v1_stack(vm, c->stack), vm->v1->words[word].string, 0);
	vm->base.order->gs.items[at.g].status = STW_G_WAITING;
	vm->gs.items[at.g].network = word == STW_V1_WORD_NETWORK;
	vm->gs.items[at.g].forever = word == STW_V1_WORD_FOREVER;
	vm->ps.items[at.p].g = STW_SLOT_NONE;
	return STWATCH_OK;
}

static inline __attribute__((always_inline)) stwatch_status v1_yield(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, unsigned word, bool force)
{
	RUNS_HERE();
	V1_HERE(STW_EV_GoStop, at.g, vm->v1->words[word].id, v1_stack(vm, c->stack), vm->v1->words[word].string, 0);
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
	EXPECT_WAITING(slot, c->a[0]);
	if (in_sequence && o->gs.items[slot].seq != c->a[1] && !force)
		return (stwatch_status)V1_WAIT;
	bool timer = vm->v1->timers.count && stw_map_get(&vm->v1->timers, c->g) != STW_MAP_NONE;
	if (STW_UNLIKELY(!timer && (at.p == STW_SLOT_NONE ? c->g != 0 : vm->ps.items[at.p].g != at.g)))
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "goroutine %llu is unblocked by %llu, which does not run there",
			(unsigned long long)c->a[0], (unsigned long long)c->g);
	o->gs.items[slot].status = STW_G_RUNNABLE;
	o->gs.items[slot].seq = in_sequence ? c->a[1] + 1 : o->gs.items[slot].seq + 1;
	if (STW_V1_AS_GO && (timer || vm->gs.items[slot].network)) {
		at.p = stw_v1_merge_fake_p(vm, vm->gs.items[slot].network ? STW_V1_NETPOLL_P : STW_V1_TIMER_P);
		at.m = STW_SLOT_NONE;
	}
	V1_HERE(STW_EV_GoUnblock, slot, c->a[0], in_sequence ? c->a[1] : 0, v1_stack(vm, c->stack), 0);
	if (STW_UNLIKELY(vm->gs.items[slot].network || (at.p != STW_SLOT_NONE && vm->ps.items[at.p].ending)))
		v1_quiet(vm, c, at.p);
	vm->gs.items[slot].network = false;
	return STWATCH_OK;
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

static stwatch_status v1_exit(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool in_sequence, bool force)
{
	stw_order *o = vm->base.order;
	uint32_t slot = stw_order_find_g(o, (int64_t)c->a[0]);
	EXPECT_WAITING(slot, c->a[0]);
	if (in_sequence && o->gs.items[slot].seq != c->a[1] && !force)
		return (stwatch_status)V1_WAIT;
	int64_t ticks = (int64_t)c->a[in_sequence ? 2 : 1];
	if (STW_UNLIKELY(ticks && !vm->gs.items[slot].was_in_call))
		stw_v1_merge_fault(vm, c, STW_FAULT_ORDER, "goroutine %llu comes out of a system call that it was not in",
			(unsigned long long)c->a[0]);
	if (STW_UNLIKELY(vm->gs.items[slot].in_call && ticks <= c->ticks)) { /* else it comes at that time */
		if (ticks)
			stw_v1_merge_fault(vm, c, STW_FAULT_ORDER,
				"times are out of order: a system call of goroutine %llu ends before it begins",
				(unsigned long long)c->a[0]);
		v1_emit_exit(vm, slot, at.time);
	}
	o->gs.items[slot].status = STW_G_RUNNABLE;
	o->gs.items[slot].seq = in_sequence ? c->a[1] + 1 : o->gs.items[slot].seq + 1;
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
static stwatch_status v1_call(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	stwatch_status status = v1_runs_here(vm, at) ? STWATCH_OK : v1_make_run_here(vm, c, &at);
	if (STW_UNLIKELY(status != STWATCH_OK))
		return status == STWATCH_END ? stw_v1_merge_refresh(vm, c) : status;
	uint32_t stack = v1_stack(vm, c->stack);
	uint64_t g = c->g;
	int64_t ticks = c->ticks;
	status = stw_v1_merge_refresh(vm, c);
	if (status != STWATCH_OK && status != STWATCH_END)
		return status;
	bool blocks = status == STWATCH_OK && c->type == STW_V1_GoSysBlock && c->g == g;
	if (STW_V1_AS_GO && blocks && v1_sampled(vm, g, ticks, c->ticks))
		blocks = false;
	V1_HERE(STW_EV_GoSyscallBegin, at.g, 0, stack, 0, 0);
	if (!blocks)
		V1_EMIT(STW_EV_GoSyscallEnd, at.time + 1, at.m, at.p, at.g, at.g, 0, 0, 0, 0);
	else
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
	more->in_call = more->was_in_call = true;
	more->call_m = at.m;
	vm->ps.items[at.p].in_call = true;
	vm->base.order->gs.items[at.g].status = STW_G_WAITING;
	vm->ps.items[at.p].g = STW_SLOT_NONE;
	return STWATCH_OK;
}

static stwatch_status v1_proc(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool starts)
{
	stw_order *o = vm->base.order;
	if (at.p == STW_SLOT_NONE) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "%s without a proc", stw_v1_event_name(c->type));
		return STWATCH_OK;
	}
	stw_v1_p *p = &vm->ps.items[at.p];
	if (starts == p->running && (p->seen || starts))
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "proc %lld %s, but it %s", (long long)o->ps.items[at.p].id,
			starts ? "starts" : "stops", starts ? "runs already" : "does not run");
	else if (!starts && !p->seen)
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "proc %lld stops, but it does not run", (long long)o->ps.items[at.p].id);
	if (!starts && p->g != STW_SLOT_NONE) {
		uint32_t other = p->g;
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "proc %lld stops while goroutine %lld runs there",
			(long long)o->ps.items[at.p].id, (long long)stw_order_g_id(o, other));
		if (v1_begin_anew(vm, other, (uint64_t)o->gs.items[other].id, STW_G_WAITING, &at) == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
		p = &vm->ps.items[at.p];
	}
	uint64_t id = (uint64_t)o->ps.items[at.p].id;
	if (starts) {
		at.m = stw_v1_merge_thread(vm, c->a[0]);
		if (at.m == STW_SLOT_NONE)
			return OUT_OF_MEMORY();
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
		V1_HERE(STW_EV_ProcsChange, STW_SLOT_NONE, c->a[0], v1_stack(vm, c->stack), v1_quiet_since(vm, c, at.p), 0);
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
		if (!vm->gs.items[slot].at_start || stw_order_find_g(o, o->gs.items[slot].id) != slot)
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
	V1_HERE(STW_EV_GCBegin, STW_SLOT_NONE, c->a[0], v1_stack(vm, c->stack), 0, 0);
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
	if (at.p == STW_SLOT_NONE || vm->ps.items[at.p].sweeping == begins)
		stw_v1_merge_fault(vm, c, STW_FAULT_TRANSITION, "%s, but such a range is %s in flight there", stw_v1_event_name(c->type),
			begins ? "already" : "not");
	if (at.p == STW_SLOT_NONE)
		return STWATCH_OK;
	vm->ps.items[at.p].sweeping = begins;
	v1_quiet(vm, c, at.p);
	if (begins)
		V1_HERE(STW_EV_GCSweepBegin, at.p, v1_stack(vm, c->stack), 0, 0, 0);
	else
		V1_HERE(STW_EV_GCSweepEnd, at.p, c->a[0], c->a[1], 0, 0);
	return STWATCH_OK;
}

static stwatch_status v1_assist(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	stw_order *o = vm->base.order;
	bool begins = c->type == STW_V1_GCMarkAssistStart;
	if (!STW_SLOT_OK(at.g)) {
		stw_v1_merge_fault(vm, c, STW_FAULT_COUPLING, "%s of no goroutine", stw_v1_event_name(c->type));
		return STWATCH_OK;
	}
	if (begins && o->gs.items[at.g].assist == STW_RANGE_ON)
		stw_v1_merge_fault(
			vm, c, STW_FAULT_TRANSITION, "%s, but such a range is already in flight there", stw_v1_event_name(c->type));
	o->gs.items[at.g].assist = begins ? STW_RANGE_ON : STW_RANGE_OFF;
	if (begins)
		V1_HERE(STW_EV_GCMarkAssistBegin, at.g, v1_stack(vm, c->stack), 0, 0, 0);
	else
		V1_HERE(STW_EV_GCMarkAssistEnd, at.g, 0, 0, 0, 0);
	return STWATCH_OK;
}

static stwatch_status v1_annotation(stw_v1_merge *vm, stw_v1_cursor *c, v1_place at)
{
	uint32_t stack = v1_stack(vm, c->stack), name;
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

static inline __attribute__((always_inline)) stwatch_status v1_dispatch(
	stw_v1_merge *vm, stw_v1_cursor *c, v1_place at, bool force, bool *moved)
{
	switch (c->type) {
	case STW_V1_GoStart:
	case STW_V1_GoStartLabel: return v1_start(vm, c, at, true, force);
	case STW_V1_GoStartLocal: return v1_start(vm, c, at, false, force);
	case STW_V1_GoUnblock: return v1_unblock(vm, c, at, true, force);
	case STW_V1_GoUnblockLocal: return v1_unblock(vm, c, at, false, force);
	case STW_V1_GoBlock: return v1_block(vm, c, at, STW_V1_WORD_NONE, force);
	case STW_V1_GoBlockSend:
	case STW_V1_GoBlockRecv:
	case STW_V1_GoBlockSelect:
	case STW_V1_GoBlockSync:
	case STW_V1_GoBlockCond:
	case STW_V1_GoBlockNet:
	case STW_V1_GoBlockGC:
	case STW_V1_GoSleep: return v1_block(vm, c, at, v1_word_of[c->type], force);
	case STW_V1_GoStop: return v1_block(vm, c, at, STW_V1_WORD_FOREVER, true);
	case STW_V1_GoSched: return v1_yield(vm, c, at, STW_V1_WORD_GOSCHED, force);
	case STW_V1_GoPreempt: return v1_yield(vm, c, at, STW_V1_WORD_PREEMPTED, force);
	case STW_V1_GoEnd: return v1_end(vm, c, at);
	case STW_V1_GoCreate: return v1_create(vm, c, at, force);
	case STW_V1_GoSysCall: *moved = true; return v1_call(vm, c, at);
	case STW_V1_GoSysBlock: return v1_call_blocks(vm, c, at, force);
	case STW_V1_GoSysExit: return v1_exit(vm, c, at, true, force);
	case STW_V1_GoSysExitLocal: return v1_exit(vm, c, at, false, force);
	case STW_V1_ProcStart: return v1_proc(vm, c, at, true);
	case STW_V1_ProcStop: return v1_proc(vm, c, at, false);
	case STW_V1_HeapAlloc:
		v1_quiet(vm, c, at.p);
		V1_HERE(STW_EV_HeapAlloc, STW_SLOT_NONE, c->a[0], 0, 0, 0);
		return STWATCH_OK;
	case STW_V1_HeapGoal:
		v1_quiet(vm, c, at.p);
		V1_HERE(STW_EV_HeapGoal, STW_SLOT_NONE, c->a[0], 0, 0, 0);
		return STWATCH_OK;
	case STW_V1_GoWaiting: return v1_exists(vm, c, at, STW_G_WAITING, force);
	case STW_V1_GoInSyscall: return v1_exists(vm, c, at, STW_G_SYSCALL, force);
	case STW_V1_Gomaxprocs: return v1_procs_change(vm, c, at);
	case STW_V1_GCStart:
	case STW_V1_GCDone: return v1_gc(vm, c, at, force);
	case STW_V1_GCSTWStart:
	case STW_V1_GCSTWDone: return v1_stop(vm, c, at);
	case STW_V1_GCSweepStart:
	case STW_V1_GCSweepDone: return v1_sweep(vm, c, at);
	case STW_V1_GCMarkAssistStart:
	case STW_V1_GCMarkAssistDone: return v1_assist(vm, c, at);
	case STW_V1_UserTaskCreate:
	case STW_V1_UserTaskEnd:
	case STW_V1_UserRegion:
	case STW_V1_UserLog: return v1_annotation(vm, c, at);
	default: /* FutileWakeup: the wake-up before it was in vain, but it was one. Only Go 1.5 wrote it; Go's reader takes it from none. */
		if (vm->v1->index.format.minor < 11)
			return STWATCH_OK;
		if (STW_V1_AS_GO)
			return stw_fail(vm->base.error, STWATCH_ERR_DAMAGED, stw_v1_cursor_offset(c), V1_NOT_WRITTEN, c->type,
				stw_v1_event_name(c->type));
		stw_v1_merge_fault(vm, c, STW_FAULT_BYTES, V1_NOT_WRITTEN, c->type, stw_v1_event_name(c->type));
		return STWATCH_OK;
	}
}

/* Takes the event at hand and brings the next one: STWATCH_OK; STWATCH_END: its proc has none; V1_WAIT: it can't come yet, unless forced
 * to; or an error. */
static inline __attribute__((always_inline)) stwatch_status v1_take(stw_v1_merge *vm, stw_v1_cursor *c, bool force)
{
	v1_place at = v1_place_of(vm, c);
	const int64_t ticks = c->ticks;
	bool moved = false;
	stwatch_status status = v1_dispatch(vm, c, at, force, &moved);
	if (STW_UNLIKELY(status != STWATCH_OK) && (int)status != STWATCH_END)
		return status;
	if (STW_UNLIKELY(ticks < vm->last_key) && vm->before == 1)
		stw_v1_merge_fault(vm, c, STW_FAULT_ORDER,
			"times are out of order: an event is %lld ns earlier than one that comes before it",
			(long long)(stw_v1_ns(vm->v1, vm->last_key) - at.time));
	else
		vm->last_key = ticks;
	return moved ? status : stw_v1_merge_refresh(vm, c);
}

static __attribute__((noinline)) stwatch_status v1_take_anyhow(stw_v1_merge *vm, stw_v1_cursor *c, bool force)
{
	return v1_take(vm, c, force);
}

static void v1_take_sample(stw_v1_merge *vm)
{
	const stw_v1_index *x = &vm->v1->index;
	const stw_cpu_sample *s = &vm->base.gen->samples.items[vm->base.next_sample++];
	vm->sample_key = vm->base.next_sample < x->samples.count ? x->samples.items[vm->base.next_sample].ticks : INT64_MAX;
	V1_EMIT(STW_EV_CPUSample, s->time, STW_SLOT_NONE, STW_SLOT_NONE, STW_SLOT_NONE, STW_SLOT_NONE, (uint64_t)s->m, (uint64_t)s->p,
		(uint64_t)s->g, s->stack);
}

/* After the event at heap[i] was taken. */
static inline __attribute__((always_inline)) stwatch_status v1_move_on(
	stw_v1_merge *vm, size_t i, const stw_v1_cursor *c, stwatch_status status)
{
	if (STW_UNLIKELY(status == STWATCH_END)) {
		uint32_t p = vm->cursor_ps[c - vm->cursors];
		stw_v1_merge_remove(vm, i);
		/* In a file that is cut, one that still runs goes on behind the cut, unseen: nothing after it is whole. */
		return vm->v1->index.frequency == 0 && p != STW_SLOT_NONE && vm->ps.items[p].running ? STWATCH_END : STWATCH_OK;
	}
	if (STW_UNLIKELY(status != STWATCH_OK))
		return status;
	vm->heap[i].key = c->key;
	if (i == 0)
		stw_v1_merge_sift_down(vm, 0);
	else
		stw_v1_merge_sift(vm, i);
	return STWATCH_OK;
}

/* The earliest event can't come yet: the first of the others, in order of time, that can; where none can, the earliest all the same. */
static __attribute__((noinline)) stwatch_status v1_take_other(stw_v1_merge *vm)
{
	stw_v1_merge_sort(vm);
	for (size_t i = 1; i < vm->n_heap; i++) {
		stw_v1_cursor *c = &vm->cursors[vm->heap[i].cursor];
		stwatch_status status = v1_take_anyhow(vm, c, false);
		if ((int)status != V1_WAIT)
			return v1_move_on(vm, i, c, status);
	}
	stw_v1_merge_fault_frontier(vm);
	stw_v1_cursor *c = &vm->cursors[vm->heap[0].cursor];
	return v1_move_on(vm, 0, c, v1_take_anyhow(vm, c, true));
}

/* Hands on what one event stands for: none to several. STWATCH_OK, STWATCH_END after the last, or an error. */
static inline __attribute__((always_inline)) stwatch_status v1_step(stw_v1_merge *vm)
{
	int64_t key = vm->n_heap ? vm->heap[0].key : INT64_MAX;
	if (STW_UNLIKELY(vm->next_other < key)) {
		if (vm->telling != STW_SLOT_NONE)
			v1_tell_rest(vm);
		else if (vm->sample_key <= vm->exit_key)
			v1_take_sample(vm);
		else
			return v1_take_exit(vm);
		stw_v1_merge_look_ahead(vm);
		return STWATCH_OK;
	}
	if (STW_UNLIKELY(vm->n_heap == 0))
		return STWATCH_END;
	stw_v1_cursor *c = &vm->cursors[vm->heap[0].cursor];
	stwatch_status status = STW_UNLIKELY(vm->before == 2) ? v1_take_anyhow(vm, c, true) : v1_take(vm, c, false);
	if (STW_UNLIKELY((int)status == V1_WAIT))
		return v1_take_other(vm);
	return v1_move_on(vm, 0, c, status);
}

#undef V1_HERE
#undef EXPECT
#undef EXPECT_WAITING
#undef RUNS_HERE
