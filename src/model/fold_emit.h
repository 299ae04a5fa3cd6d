/* What the first pass does with each event; compiled into the merge (order/merge_step.h). Include once in a .c file. STW_FOLD_BY_INDEX, if defined and
 * true: events give stacks by index, not by id. */
#ifndef STW_MODEL_FOLD_EMIT_H
#define STW_MODEL_FOLD_EMIT_H

#include "model/fold.h"
#include "order/merge.h"

#ifndef STW_FOLD_BY_INDEX
#define STW_FOLD_BY_INDEX false
#endif

#define STW_RARE(x) __builtin_expect(!!(x), 0)

/* A proc's time goes to something else from now on. */
static inline __attribute__((always_inline)) void fold_use(stw_fold *f, stw_fold_p *p, int64_t t, uint8_t use)
{
	const uint64_t ns = (uint64_t)t - (uint64_t)p->since; /* of a beginning not known: very many */
	if (STW_RARE(ns >= STW_KEEP_USE_NS))
		stw_fold_keep_use(f, (uint32_t)(p - f->ps.items), t);
	else
		p->total[p->use] += (int64_t)ns;
	p->since = t;
	p->use = use;
}

/* Lanes end where a slot of time does: there it need not be asked for. */
static inline __attribute__((always_inline)) void fold_backlog(stw_fold *f, bool in_lane, int64_t t, int32_t change)
{
	if (!in_lane && STW_RARE(t >= f->slot_end))
		stw_fold_next_slot(f, t);
	if (f->round.on)
		f->round.changes[f->round.n++ % STW_ROUND_CHANGES] = (uint64_t)t << 1 | (change > 0);
	f->backlog += change;
	if (change > 0 && f->backlog > f->slot.max)
		f->slot.max = f->backlog;
	if (change < 0 && f->backlog < f->slot.min)
		f->slot.min = f->backlog;
}

static inline __attribute__((always_inline)) void fold_latency(stw_fold *f, unsigned bucket, int64_t waited)
{
	f->latency[bucket]++;
	if (STW_RARE(waited > f->latency_max))
		f->latency_max = waited;
}

static inline __attribute__((always_inline)) void fold_enter(stw_fold_g *g, uint8_t state, int64_t t, uint32_t stack)
{
	g->state = state;
	g->since = t;
	g->stack = stack;
}

/* A running goroutine leaves its proc, or goes into a system call on it. */
static inline __attribute__((always_inline)) void fold_stop_running(stw_fold *f, stw_fold_g *g, uint32_t slot, int64_t t, uint8_t next)
{
	uint64_t ran = (uint64_t)t - (uint64_t)g->since;
	if (STW_RARE(ran >= STW_KEEP_RUN_NS)) {
		stw_fold_keep_stay(f, slot, t, next);
		if (g->since == STW_TIME_UNKNOWN)
			ran = 0;
	}
	g->run_ns += (int64_t)ran;
	g->runs++;
	if (STW_RARE(g->collects))
		stw_fold_worked(f, slot, t);
}

static inline __attribute__((always_inline)) void fold_leave_proc(
	stw_fold *f, stw_fold_p *p, int64_t id, const stw_fold_g *g, uint32_t stack, int64_t t)
{
	p->last_run_from = g->since;
	p->last_root = g->root;
	p->last_before = g->stack;
	p->last_g = id;
	p->last_stack = stack;
	p->g = STW_SLOT_NONE;
	fold_use(f, p, t, STW_USE_SPINNING);
}

static inline __attribute__((always_inline)) uint32_t fold_stack(const stw_fold *f, uint64_t id)
{
	uint32_t i = stw_generation_stack(f->gen, id);
	return i == STW_MAP_NONE ? 0 : i;
}

static inline stw_fold_g *fold_g_at(const stw_fold *f, uint32_t slot)
{
	return STW_SLOT_OK(slot) && slot < f->gs.count ? &f->gs.items[slot] : NULL;
}

static inline stw_fold_p *fold_p_at(const stw_fold *f, uint32_t slot)
{
	return STW_SLOT_OK(slot) && slot < f->ps.count ? &f->ps.items[slot] : NULL;
}

/* Slots beyond what is there come with statuses and creations only. */
static inline bool fold_has_room(const stw_fold *f)
{
	return f->order->gs.count <= f->gs.count && f->order->ps.count <= f->ps.count;
}

static inline bool fold_room(stw_fold *f)
{
	return !STW_RARE(!fold_has_room(f)) || stw_fold_grow(f);
}

static void fold_go_status(stw_fold *f, uint32_t p, uint32_t target, uint8_t status, uint32_t index)
{
	stw_fold_g *g = &f->gs.items[target];
	*g = (stw_fold_g){
		.since = STW_TIME_UNKNOWN,
		.waker = STWATCH_NONE,
		.state = (uint8_t)stw_go_state_of(status),
		.root = index,
		.stack = index,
		.p = STW_SLOT_NONE,
	};
	f->more.items[target].long_to = STW_TIME_UNKNOWN;
	if (status != STW_G_RUNNING && status != STW_G_SYSCALL)
		return;
	if (!STW_SLOT_OK(p))
		return;
	g->p = p;
	stw_fold_p *s = &f->ps.items[p];
	s->g = target;
	s->use_g = f->order->gs.items[target].id;
	if (status == STW_G_RUNNING && s->since == STW_TIME_UNKNOWN)
		s->use = STW_USE_USER;
}

static void fold_proc_status(stw_fold *f, uint32_t target, uint64_t status)
{
	stw_fold_p *s = &f->ps.items[target];
	if (s->known)
		return;
	*s = (stw_fold_p){
		.since = STW_TIME_UNKNOWN,
		.g = STW_SLOT_NONE,
		.last_g = STWATCH_NONE,
		.use_g = STWATCH_NONE,
		.known = true,
		.use = status == STW_P_RUNNING    ? STW_USE_SPINNING
			: status == STW_P_SYSCALL ? STW_USE_SYSCALL
						  : STW_USE_IDLE,
	};
}

static inline __attribute__((always_inline)) void fold_go_create(stw_fold *f, bool in_lane, uint32_t maker, int64_t creator,
	uint32_t target, int64_t t, uint32_t root, uint32_t stack, uint8_t state)
{
	f->gs.items[target] = (stw_fold_g){
		.since = t,
		.waker = creator,
		.state = state,
		.root = root,
		.stack = root,
		.how = STW_HOW_CREATED,
		.p = STW_SLOT_NONE,
		.wake_stack = stack,
		.created = true,
	};
	stw_fold_g_more *more = &f->more.items[target];
	more->long_to = STW_TIME_UNKNOWN;
	more->made_at = t;
	more->maker = creator;
	more->made_by = stack;
	more->maker_by = STW_SLOT_OK(maker) && f->gs.items[maker].created ? f->more.items[maker].made_by : 0;
	f->created++;
	stw_fold_created_at(f, stack);
	if (state == STW_GO_RUNNABLE)
		fold_backlog(f, in_lane, t, 1);
}

/* A mark worker says in which mode it works. */
static void fold_label(stw_fold *f, stw_fold_p *p, uint32_t g, int64_t t, uint32_t string)
{
	static const char *const modes[] = {
		[STW_WORKER_DEDICATED] = "GC (dedicated)", [STW_WORKER_FRACTIONAL] = "GC (fractional)", [STW_WORKER_IDLE] = "GC (idle)"};
	const stw_string *s = &f->gen->strings.items[string];
	if (s->length < 4 || memcmp(s->data, "GC (", 4) != 0 || !p || !STW_SLOT_OK(g))
		return;
	stw_worker mode = STW_WORKER_DEDICATED;
	for (unsigned i = STW_WORKER_FRACTIONAL; i < STW_WORKER_COUNT; i++)
		if (strlen(modes[i]) == s->length && memcmp(modes[i], s->data, s->length) == 0)
			mode = (stw_worker)i;
	stw_fold_worker(f, g, t, mode);
	fold_use(f, p, t, mode == STW_WORKER_IDLE ? STW_USE_GC_IDLE : STW_USE_GC);
	p->worker = (uint8_t)mode;
}

/* One that was there before the generation. */
static __attribute__((noinline)) void fold_gone(stw_fold *f, uint32_t g)
{
	int64_t *gone = stw_vec_push(f->mem, &f->gone);
	if (gone)
		*gone = f->order->gs.items[g].id;
	else
		f->failed = true;
}

/* Nothing at all was written in between. */
static inline void fold_gap(stw_merge *mg, int64_t from, int64_t to)
{
	stw_fold_keep_silence(mg->hook, from, to);
}

#define FOLD_STACK(stack) (by_index ? (uint32_t)(stack) : fold_stack(f, (stack)))
/* Of events that only a goroutine on a proc has. */
#define FOLD_ON_P (in_lane ? on_p : &f->ps.items[p])
#define FOLD_ON_G (in_lane ? *on_g : &f->gs.items[g])
#define FOLD_ID(given) (in_lane ? (int64_t)(given) : stw_order_g_id(f->order, g))

/* In a lane: on_p, *on_g: what the thread's proc and goroutine are known by, NULL where it has none; it may get another goroutine. Else they are NULL.
 * `by_index`: stacks are given by index, not by id. `in_lane`: a3 is the id of the thread's goroutine, and no slot of time ends. */
static inline __attribute__((always_inline)) void fold_one(stw_fold *f, stw_fold_p *on_p, stw_fold_g **on_g, bool by_index, bool in_lane,
	unsigned type, int64_t t, uint32_t m, uint32_t p, uint32_t g, uint32_t target, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	stw_fold_g *s;
	f->counts[type]++;
	switch (type) {
	case STW_EV_GoStart: {
		s = &f->gs.items[target];
		int64_t since = s->since;
		const uint64_t waited = (uint64_t)t - (uint64_t)since;
		if (STW_RARE(waited >= STW_KEEP_RUNNABLE_NS)) {
			s->p = p;
			stw_fold_keep_stay(f, target, t, STW_GO_RUNNING);
			if (since != STW_TIME_UNKNOWN)
				fold_latency(f, stw_histogram_bucket(t - since), t - since);
		} else {
			fold_latency(f, stw_histogram_bucket_of(waited), (int64_t)waited);
		}
		if (in_lane)
			*on_g = s;
		fold_enter(s, STW_GO_RUNNING, t, s->stack);
		s->p = p;
		if (STW_RARE(s->collects))
			stw_fold_resumes(f, target, t);
		if (STW_RARE(s->how >= STW_HOW_POLLED))
			stw_fold_alone_runs(f, target, since == STW_TIME_UNKNOWN ? -1 : t - since);
		FOLD_ON_P->g = target;
		FOLD_ON_P->starts++;
		fold_use(f, FOLD_ON_P, t, STW_USE_USER);
		fold_backlog(f, in_lane, t, -1);
		break;
	}
	case STW_EV_GoUnblock:
	case STW_EV_GoSwitch:
	case STW_EV_GoSwitchDestroy: {
		s = &f->gs.items[target];
		if (STW_RARE(stw_long(s->since, t, STW_KEEP_WAIT_NS))) {
			s->waker = FOLD_ID(a3);
			s->wake_stack = type == STW_EV_GoUnblock ? FOLD_STACK(a2) : 0;
			stw_fold_keep_stay(f, target, t, STW_GO_RUNNABLE);
			if (STW_SLOT_OK(g))
				stw_fold_keep_wake(f, target, g, t);
		}
		s->how = STW_HOW_WOKEN;
		if (STW_RARE(!STW_SLOT_OK(g)))
			stw_fold_woken_alone(f, target, p);
		s->waker = FOLD_ID(a3);
		s->wake_stack = type == STW_EV_GoUnblock ? FOLD_STACK(a2) : 0;
		fold_enter(s, STW_GO_RUNNABLE, t, s->stack);
		fold_backlog(f, in_lane, t, 1);
		break;
	}
	case STW_EV_GoBlock:
	case STW_EV_GoStop: {
		s = FOLD_ON_G;
		uint8_t next = type == STW_EV_GoBlock ? STW_GO_WAITING : STW_GO_RUNNABLE;
		uint32_t stack = FOLD_STACK(a1);
		fold_stop_running(f, s, g, t, next);
		fold_leave_proc(f, FOLD_ON_P, FOLD_ID(a3), s, stack, t);
		fold_enter(s, next, t, stack);
		s->reason = (uint32_t)a2;
		s->waker = STWATCH_NONE;
		if (type == STW_EV_GoStop) {
			s->how = s->reason == f->preempted ? STW_HOW_PREEMPTED : STW_HOW_YIELDED; /* by runtime.Gosched and the like */
			fold_backlog(f, in_lane, t, 1);
		} else {
			s->blocks++;
		}
		break;
	}
	case STW_EV_GoDestroy:
		s = FOLD_ON_G;
		fold_stop_running(f, s, g, t, STW_GO_NOT_EXIST);
		fold_leave_proc(f, FOLD_ON_P, FOLD_ID(a3), s, s->root, t);
		f->ended++;
		goto ended;
	case STW_EV_GoDestroySyscall:
		s = FOLD_ON_G;
		f->ended++;
	ended : {
		s->state = STW_GO_NOT_EXIST;
		if (!s->created)
			fold_gone(f, g);
		break;
	}
	case STW_EV_GoSyscallBegin:
		s = FOLD_ON_G;
		fold_stop_running(f, s, g, t, STW_GO_SYSCALL);
		fold_enter(s, STW_GO_SYSCALL, t, FOLD_STACK(a1));
		FOLD_ON_P->use_g = FOLD_ID(a3);
		fold_use(f, FOLD_ON_P, t, STW_USE_SYSCALL);
		break;
	case STW_EV_GoSyscallEnd:
		s = FOLD_ON_G;
		if (STW_RARE(stw_long(s->since, t, STW_KEEP_SYSCALL_NS)))
			stw_fold_keep_stay(f, g, t, STW_GO_RUNNING);
		fold_enter(s, STW_GO_RUNNING, t, s->stack);
		FOLD_ON_P->g = g;
		fold_use(f, FOLD_ON_P, t, STW_USE_USER);
		break;
	case STW_EV_GoSyscallEndBlocked:
		s = FOLD_ON_G;
		if (STW_RARE(stw_long(s->since, t, STW_KEEP_SYSCALL_NS)))
			stw_fold_keep_stay(f, g, t, STW_GO_RUNNABLE);
		s->how = STW_HOW_SYSCALL;
		s->waker = STWATCH_NONE;
		fold_enter(s, STW_GO_RUNNABLE, t, s->stack);
		fold_backlog(f, in_lane, t, 1);
		break;
	case STW_EV_ProcStart:
		if (STW_RARE(f->stopping))
			stw_fold_stop_moment(f, t, target, m, true, false);
		fold_use(f, &f->ps.items[target], t, STW_USE_SPINNING);
		break;
	case STW_EV_ProcStop:
	case STW_EV_ProcSteal:
		if (STW_RARE(f->stopping))
			stw_fold_stop_moment(f, t, target, m, false, type == STW_EV_ProcSteal);
		f->ps.items[target].stopped_as = f->ps.items[target].use;
		fold_use(f, &f->ps.items[target], t, f->stopping ? STW_USE_STOPPED : STW_USE_IDLE);
		break;
	case STW_EV_HeapAlloc:
		if (t > f->collect.heap_at) {
			f->collect.heap = a0;
			f->collect.heap_at = t;
		}
		if (a0 > f->heap_max)
			f->heap_max = a0;
		break;
	case STW_EV_HeapGoal: f->heap_goal = a0 ? a0 : UINT64_MAX; break; /* 0: GOGC=off */
	case STW_EV_ProcStatus:
		if (fold_room(f))
			fold_proc_status(f, target, a1);
		break;
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack:
		if (fold_room(f))
			fold_go_status(f, p, target, (uint8_t)a2, FOLD_STACK(a3));
		break;
	case STW_EV_GoCreate:
	case STW_EV_GoCreateBlocked:
		if (fold_room(f))
			fold_go_create(f, in_lane, g, FOLD_ID(a3), target, t, FOLD_STACK(a1), FOLD_STACK(a2),
				type == STW_EV_GoCreate ? STW_GO_RUNNABLE : STW_GO_WAITING);
		break;
	case STW_EV_GoCreateSyscall:
		if (fold_room(f))
			fold_go_create(f, in_lane, STW_SLOT_NONE, STWATCH_NONE, target, t, 0, 0, STW_GO_SYSCALL);
		break;
	case STW_EV_STWBegin: stw_fold_stop_begin(f, t, m, p, g, (uint32_t)a0, a1); break;
	case STW_EV_STWEnd:
		if (f->untold != STW_UNTOLD_ALL) /* else the world stands on, until it restarts */
			stw_fold_stop_end(f, t);
		break;
	case STW_EV_GCBegin: stw_fold_gc_begin(f, t, g, FOLD_STACK(a1)); break;
	case STW_EV_GCActive: f->gc_since = t; break;
	case STW_EV_GCEnd: stw_fold_gc_end(f, t); break;
	case STW_EV_GCMarkAssistBegin: stw_fold_assist(f, target, t, FOLD_STACK(a0), true); break;
	case STW_EV_GCMarkAssistActive:
	case STW_EV_GCMarkAssistEnd: stw_fold_assist(f, target, t, 0, type == STW_EV_GCMarkAssistActive); break;
	case STW_EV_ProcsChange:
		f->gomaxprocs_last = (int64_t)a0;
		if ((int64_t)a0 > f->gomaxprocs_max)
			f->gomaxprocs_max = (int64_t)a0;
		stw_fold_stop_lets_go(f, t, p);
		if (f->untold)
			stw_fold_stop_restart(f, t, p, g, FOLD_STACK(a1), (int64_t)a2);
		break;
	case STW_EV_GoLabel: fold_label(f, in_lane ? on_p : fold_p_at(f, p), g, t, (uint32_t)a1); break;
	default: break;
	}
}

#undef FOLD_STACK
#undef FOLD_ID
#undef FOLD_ON_P
#undef FOLD_ON_G

static inline __attribute__((always_inline)) void fold_event(stw_merge *mg, unsigned type, int64_t t, uint32_t m, uint32_t p, uint32_t g,
	uint32_t target, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	stw_fold *f = mg->hook;
	if (STW_RARE(f->failed)) /* out of memory, there may be no place for what the event names */
		return;
	fold_one(f, NULL, NULL, STW_FOLD_BY_INDEX, false, type, t, m, p, g, target, a0, a1, a2, a3);
}

/* ---- in lanes (order/merge_lane.h) ---- */

static inline void fold_lane_open(const stw_merge *mg, stw_lane *lane)
{
	const stw_fold *f = mg->hook;
	lane->place_p = fold_p_at(f, lane->p_slot);
	lane->place_g = fold_g_at(f, lane->m->g);
}

/* A lane has to end before this time. */
static inline int64_t fold_lane_end(const stw_merge *mg)
{
	return ((const stw_fold *)mg->hook)->slot_end;
}

static inline __attribute__((always_inline)) void fold_lane_event(stw_merge *mg, stw_lane *lane, unsigned type, int64_t t, uint32_t m,
	uint32_t p, uint32_t g, uint32_t target, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	stw_fold *f = mg->hook;
	if (type == STW_EV_GoCreate && STW_RARE(!fold_has_room(f)) && stw_fold_grow(f)) { /* what lanes have at hand may have moved */
		fold_lane_open(mg, lane);
		lane->stamp = ++mg->stamp;
	}
	stw_fold_g *on_g = lane->place_g;
	fold_one(f, lane->place_p, &on_g, true, true, type, t, m, p, g, target, a0, a1, a2, a3);
	if (type == STW_EV_GoStart)
		lane->place_g = on_g;
}

static inline int64_t fold_since(const stw_merge *mg, uint32_t g)
{
	const stw_fold *f = mg->hook;
	return g < f->gs.count ? f->gs.items[g].since : STW_TIME_UNKNOWN;
}

/* ---- in rounds of several threads' lanes (order/merge_round.h) ----
 *
 * All that is folded is a thread's, proc's or goroutine's own, or a sum, but for the number of runnable goroutines: how many there were at most depends on
 * how the threads' events lie in time. Each turn's changes are summed on their own; what they can come to together is mostly not more than there
 * was before, else the times are gone through. */

static inline void fold_round_begin(const stw_merge *mg)
{
	stw_fold *f = mg->hook;
	stw_backlog_round *r = &f->round;
	r->before = f->backlog;
	r->slot = f->slot;
	r->sum = r->most = r->least = 0;
	r->n = r->n_turns = 0;
	r->on = true;
	f->backlog = f->slot.max = f->slot.min = 0;
}

static inline void fold_round_turn(const stw_merge *mg)
{
	stw_fold *f = mg->hook;
	stw_backlog_round *r = &f->round;
	r->sum += f->backlog;
	r->most += f->slot.max;
	r->least += f->slot.min;
	r->ends[r->n_turns++] = r->n;
	f->backlog = f->slot.max = f->slot.min = 0;
}

static inline void fold_round_end(const stw_merge *mg)
{
	stw_fold *f = mg->hook;
	stw_backlog_round *r = &f->round;
	f->slot = r->slot;
	r->on = false;
	f->backlog = r->before + r->sum;
	if (STW_RARE(r->before + r->most > f->slot.max || r->before + r->least < f->slot.min))
		stw_fold_merge_round(f);
}

#endif
