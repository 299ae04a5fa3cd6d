/* The borders of a part of a v1 trace. What was before it is told as the runtime tells what existed when a trace began, in events that are a little
 * earlier than the part's first: goroutines with what they were doing, procs that are known with what runs there, and what spans the border. */
#include "output/cut_v1.h"

enum {
	WAIT_EVENTS = 3,
	PROC_EVENTS = 9
}; /* at most, of a goroutine that waits for the network, and of a proc with who runs there; without regions */

typedef struct border {
	stw_v1_part *part;
	int64_t ticks, seq; /* of the next event */
	int64_t step; /* from one to the next, where they are of several streams, in ticks */
	uint64_t regions; /* open */
	bool has_procs; /* some proc is known */
	bool has_host; /* those who wait for the network have been put on it */
} border;

static uint64_t ticks_of(const stw_v1_merge *vm, double ns)
{
	const double ticks = ns / vm->v1->ns_per_tick;
	return ticks < 1e15 ? (uint64_t)ticks : (uint64_t)1e15;
}

/* So many events have been put at one time: each is handed on as a ns later than the one before, and none of them should push what comes behind. */
static void pass(border *b, uint64_t events)
{
	b->ticks = (int64_t)((uint64_t)b->ticks + ticks_of(&b->part->merge, (double)events) + 1);
}

static void put_here(border *b, size_t stream, stw_v1_event e)
{
	e.ticks = b->ticks;
	e.seq = b->part->merge.before == 2 ? b->seq++ : 0;
	stw_v1_writer_put(&b->part->writer, stream, &e);
}

/* Only time (to Go 1.6, the number) orders events of several streams. */
static void put(border *b, size_t stream, stw_v1_event e)
{
	b->ticks = (int64_t)((uint64_t)b->ticks + (uint64_t)b->step);
	put_here(b, stream, e);
}

/* Whether this proc still stands for the goroutine's call: nobody has taken it since the call blocked. */
static bool calls_on(const stw_v1_part *part, uint32_t p, uint32_t slot)
{
	const stw_v1_p *at = &part->merge.ps.items[p];
	return !stw_cut_midway_g(part, slot).unsure && p < part->past.ps.count && at->in_call && at->running && at->g == STW_SLOT_NONE &&
		part->past.ps.items[p].call_g == slot && slot < part->past.gs.count && part->past.gs.items[slot].call_p == p &&
		part->merge.gs.items[slot].in_call;
}

static bool waits_for_network(const stw_v1_part *part, uint32_t slot)
{
	return slot < part->past.gs.count && !stw_cut_midway_g(part, slot).unsure && part->merge.gs.items[slot].network &&
		part->order.gs.items[slot].status == STW_G_WAITING;
}

/* How a goroutine is there, and from which number on its events count. */
static void put_goroutine(border *b, uint32_t slot)
{
	stw_v1_part *part = b->part;
	const stw_order_g *g = &part->order.gs.items[slot];
	const stw_v1_g *more = &part->merge.gs.items[slot];
	stw_v1_past_g *cut = stw_v1_past_g_at(&part->past, slot);
	if (!cut)
		return;
	const uint64_t id = (uint64_t)g->id;
	const size_t stream = part->writer.no_proc;
	cut->returned = cut->in_call && !more->in_call && g->status == STW_G_WAITING;
	bool ready = g->status == STW_G_RUNNABLE || cut->returned,
	     will_start = b->has_procs &&
		(waits_for_network(part, slot) || (STW_SLOT_OK(cut->call_p) && calls_on(part, cut->call_p, slot)));
	put_here(b, stream, (stw_v1_event){.type = STW_V1_GoCreate, .a = {id, cut->start}});
	if (!ready && !will_start && g->status == STW_G_WAITING)
		put_here(b, stream, (stw_v1_event){.type = more->in_call ? STW_V1_GoInSyscall : STW_V1_GoWaiting, .a = {id}});
	cut->shift = (ready ? 1 : 2) - g->seq - cut->returned;
	stw_cut_g *midway = part->midway.on ? stw_cut_midway_g_at(part, slot) : NULL;
	if (midway) {
		midway->fresh = more->seq_unknown || stw_cut_midway_find(part, id);
		midway->next = ready ? 1 : 2;
	}
}

/* Of a trace that begins midway: who is not known as it was, or at all, is there as it shows itself later. */
static void put_shown(border *b, const stw_cut_shown *shown)
{
	const size_t stream = b->part->writer.no_proc;
	const uint8_t type = shown->how == STW_CUT_CALLS ? STW_V1_GoInSyscall : STW_V1_GoWaiting;
	put_here(b, stream, (stw_v1_event){.type = STW_V1_GoCreate, .a = {shown->id}});
	if (shown->how == STW_CUT_WAITS || shown->how == STW_CUT_CALLS)
		put_here(b, stream, (stw_v1_event){.type = type, .a = {shown->id}});
}

static void put_goroutines(border *b)
{
	const stw_v1_part *part = b->part;
	const stw_order *o = &part->order;
	for (uint32_t slot = 0; slot < o->gs.count; slot++)
		if (stw_order_is_alive(o, slot) && !stw_cut_midway_g(part, slot).unsure)
			put_goroutine(b, slot);
	for (size_t i = 0; i < part->midway.shown.count; i++)
		if (part->midway.shown.items[i].how != STW_CUT_AS_KNOWN)
			put_shown(b, &part->midway.shown.items[i]);
}

/* Of a trace that begins midway: what is known of a goroutine from where events may be missing holds if it runs, or its next event goes on from there. */
static void doubt_goroutines(stw_v1_part *part)
{
	const stw_order *o = &part->order;
	for (uint32_t slot = 0; slot < o->gs.count; slot++) {
		stw_cut_g *g = stw_cut_midway_g_at(part, slot);
		if (!g || !stw_order_is_alive(o, slot))
			continue;
		const uint64_t id = (uint64_t)o->gs.items[slot].id;
		stw_cut_shown *shown = stw_cut_midway_find(part, id);
		const bool sure = g->sure_of == id;
		if (sure && shown) /* it ends, and is there again: damage */
			shown->how = STW_CUT_AS_KNOWN;
		g->unsure = !sure && (!shown || shown->how != STW_CUT_AS_KNOWN);
	}
}

/* Who is to be started on a proc; STW_SLOT_NONE: nobody. */
static uint32_t runs_on(const stw_v1_part *part, uint32_t p)
{
	uint32_t g = part->merge.ps.items[p].g;
	if (g == STW_SLOT_NONE && p < part->past.ps.count && STW_SLOT_OK(part->past.ps.items[p].call_g) &&
		calls_on(part, p, part->past.ps.items[p].call_g))
		g = part->past.ps.items[p].call_g;
	return g;
}

/* What a goroutine is in: an assist, and regions from the outermost on. */
static void put_ranges(border *b, size_t stream, uint32_t slot)
{
	stw_v1_part *part = b->part;
	const stw_order *o = &part->order;
	STW_VEC(uint32_t) open = {0};
	if (o->gs.items[slot].assist == STW_RANGE_ON)
		put_here(b, stream, (stw_v1_event){.type = STW_V1_GCMarkAssistStart, .stack = part->past.gs.items[slot].assist_stack});
	for (uint32_t r = o->gs.items[slot].region; r && !part->writer.failed; r = o->regions.items[r - 1].outer) {
		uint32_t *at = stw_vec_push(o->mem, &open);
		if (at)
			*at = r - 1;
		part->writer.failed |= !at;
	}
	for (size_t i = part->writer.failed ? 0 : open.count; i > 0; i--) {
		uint32_t r = open.items[i - 1];
		if (r < part->past.regions.count)
			put_here(b, stream,
				(stw_v1_event){.type = STW_V1_UserRegion, .a = {o->regions.items[r].task, 0, part->past.regions.items[r]}});
	}
	stw_vec_free(o->mem, &open);
}

/* That a wait is for the network, which then is who ends it, only its own event says: those who do start and block once more, on one proc. Of other
 * waits that would tell a wrong beginning. */
static void put_waits(border *b, size_t stream)
{
	const stw_v1_part *part = b->part;
	const stw_order *o = &part->order;
	for (uint32_t slot = 0; slot < o->gs.count; slot++) {
		if (!stw_order_is_alive(o, slot) || !waits_for_network(part, slot))
			continue;
		put_here(b, stream, (stw_v1_event){.type = STW_V1_GoStart, .a = {(uint64_t)o->gs.items[slot].id, 1}});
		put_ranges(b, stream, slot);
		put_here(b, stream, (stw_v1_event){.type = STW_V1_GoBlockNet, .stack = part->past.gs.items[slot].net_stack});
	}
	b->has_host = true;
	pass(b, WAIT_EVENTS * (uint64_t)o->gs.count + b->regions);
}

/* A proc that was seen but does not run has run before. */
static void put_proc(border *b, size_t stream, uint32_t p)
{
	const stw_v1_past_p *cut = stw_v1_past_p_at(&b->part->past, p);
	if (!cut)
		return;
	const bool invented = b->part->midway.on && !stw_cut_midway_p(b->part, p).has_thread;
	put(b, stream, (stw_v1_event){.type = STW_V1_ProcStart, .a = {invented ? b->part->midway.last_thread + 1 + p : cut->thread}});
	if (!b->has_host)
		put_waits(b, stream);
	if (b->part->merge.ps.items[p].seen && !b->part->merge.ps.items[p].running)
		put(b, stream, (stw_v1_event){.type = STW_V1_ProcStop});
}

/* Those with a label come later: Go's reader does not take them for what existed. */
static void put_start(border *b, size_t stream, uint32_t p, bool labelled)
{
	const stw_v1_part *part = b->part;
	uint32_t slot = runs_on(part, p);
	if (slot == STW_SLOT_NONE || slot >= part->past.gs.count)
		return;
	const uint64_t id = (uint64_t)part->order.gs.items[slot].id, label = part->past.gs.items[slot].label;
	if (labelled == (label != 0))
		put(b, stream, (stw_v1_event){.type = label ? STW_V1_GoStartLabel : STW_V1_GoStart, .a = {id, 1, label}});
}

/* What is in flight on a proc, and on who runs there. */
static void put_in_flight(border *b, size_t stream, uint32_t p)
{
	const stw_v1_part *part = b->part;
	const stw_v1_merge *vm = &part->merge;
	const stw_v1_p *at = &vm->ps.items[p];
	const uint32_t slot = runs_on(part, p);
	if (at->sweeping && p < part->past.ps.count)
		put(b, stream, (stw_v1_event){.type = STW_V1_GCSweepStart, .stack = part->past.ps.items[p].sweep_stack});
	if (at->stopping || (vm->stopping && part->past.stop_p == p))
		put(b, stream, (stw_v1_event){.type = STW_V1_GCSTWStart, .a = {part->past.stop_kind}});
	if (slot == STW_SLOT_NONE || slot >= part->past.gs.count)
		return;
	put_ranges(b, stream, slot);
	if (at->g != slot || vm->gs.items[slot].called)
		put(b, stream, (stw_v1_event){.type = STW_V1_GoSysCall, .stack = part->past.gs.items[slot].call_stack});
	if (at->g != slot)
		put(b, stream, (stw_v1_event){.type = STW_V1_GoSysBlock});
}

/* Idle ones come first, since their threads may run others by now. */
static void put_procs(border *b, bool running)
{
	const stw_v1_merge *vm = &b->part->merge;
	for (size_t i = 0; i < vm->n_cursors; i++) {
		uint32_t p = vm->cursors[i].p_slot;
		if (p == STW_SLOT_NONE || running == (vm->ps.items[p].seen && !vm->ps.items[p].running))
			continue;
		if (vm->ps.items[p].seen || stw_cut_midway_p(b->part, p).runs)
			put_proc(b, i, p);
		put_start(b, i, p, false);
	}
}

static void put_what_runs(border *b)
{
	const stw_v1_merge *vm = &b->part->merge;
	for (size_t i = 0; i < vm->n_cursors; i++) {
		uint32_t p = vm->cursors[i].p_slot;
		if (p == STW_SLOT_NONE)
			continue;
		put_start(b, i, p, true);
		put_in_flight(b, i, p);
	}
}

static void put_rest(border *b)
{
	stw_v1_part *part = b->part;
	const stw_v1_merge *vm = &part->merge;
	const size_t stream = part->writer.no_proc;
	if (part->past.has_heap)
		put(b, stream, (stw_v1_event){.type = STW_V1_HeapAlloc, .a = {part->past.heap}});
	if (part->past.has_goal)
		put(b, stream, (stw_v1_event){.type = STW_V1_HeapGoal, .a = {part->past.goal}});
	for (uint32_t i = 0; i < vm->tasks.count && i < part->past.tasks.count; i++) {
		const stw_order_task *t = &vm->tasks.items[i];
		if (stw_map_get(&vm->task_slots, t->id) == i)
			put(b, stream, (stw_v1_event){.type = STW_V1_UserTaskCreate, .a = {t->id, t->parent, part->past.tasks.items[i]}});
	}
	/* The end of one that had begun where events may be missing may be missing, too. */
	const bool collecting = vm->collecting && (!vm->midway || vm->gc_known || part->midway.collects);
	if (collecting)
		put(b, stream, (stw_v1_event){.type = STW_V1_GCStart, .stack = part->past.gc_stack});
	if (vm->stopping && part->past.stop_p == STW_SLOT_NONE)
		put(b, stream, (stw_v1_event){.type = STW_V1_GCSTWStart, .a = {part->past.stop_kind}});
	part->has_gc_shift = !vm->midway || vm->gc_known;
	part->gc_shift = (collecting ? 1 : 0) - (part->has_gc_shift ? vm->gc_number : 0);
	part->midway.collecting = collecting;
}

/* Where no event has told how many there may be, those that there are. */
static uint64_t count_procs(const stw_v1_part *part)
{
	const stw_order *o = &part->order;
	uint64_t n = part->past.procs;
	for (size_t i = 0; part->past.procs == 0 && part->midway.on && i < o->ps.count; i++)
		n = (uint64_t)o->ps.items[i].id >= n ? (uint64_t)o->ps.items[i].id + 1 : n;
	return n;
}

static uint64_t count_regions(const stw_order *o)
{
	uint64_t n = 0;
	for (uint32_t slot = 0; slot < o->gs.count; slot++)
		for (uint32_t r = stw_order_is_alive(o, slot) ? o->gs.items[slot].region : 0; r; r = o->regions.items[r - 1].outer)
			n++;
	return n;
}

void stw_v1_part_begin(stw_v1_part *part, int64_t next)
{
	const stw_v1_merge *vm = &part->merge;
	const uint64_t goroutines = part->order.gs.count + part->midway.shown.count, regions = count_regions(&part->order),
		       apart = PROC_EVENTS * (uint64_t)vm->n_cursors + regions + vm->tasks.count + 8;
	const int64_t wanted = (int64_t)((uint64_t)vm->v1->index.first_ticks + ticks_of(vm, (double)part->from));
	border b = {.part = part, .regions = regions, .ticks = wanted < next ? wanted : next, .step = (int64_t)ticks_of(vm, 1) + 1};
	for (uint32_t i = 0; i < vm->ps.count; i++)
		b.has_procs |= vm->ps.items[i].seen || stw_cut_midway_p(part, i).runs;
	if (part->midway.on)
		doubt_goroutines(part);
	/* No more than this takes. */
	b.ticks = (int64_t)((uint64_t)b.ticks - ticks_of(vm, (double)((WAIT_EVENTS + 2) * goroutines + regions)) -
		(apart + 4) * (uint64_t)b.step);
	part->start_ticks = b.ticks;
	put_goroutines(&b);
	pass(&b, goroutines);
	put_procs(&b, false);
	put_procs(&b, true);
	put(&b, part->writer.no_proc, (stw_v1_event){.type = STW_V1_Gomaxprocs, .a = {count_procs(part)}});
	pass(&b, goroutines); /* those who are ready are told of there */
	put_what_runs(&b);
	put_rest(&b);
	const int64_t first = vm->n_heap && vm->heap[0].key < vm->exit_key ? vm->heap[0].key : vm->exit_key;
	part->seq_shift = (uint64_t)b.seq + 1 - (uint64_t)first;
	part->first_sample = vm->base.next_sample;
	part->writing = true;
}

void stw_v1_part_end(stw_v1_part *part)
{
	const stw_v1_merge *vm = &part->merge;
	const stw_order *o = &part->order;
	stw_v1_writer *w = &part->writer;
	for (size_t i = 0; i < vm->n_cursors && !part->lost; i++) {
		uint32_t p = vm->cursors[i].p_slot, slot = p == STW_SLOT_NONE ? p : vm->ps.items[p].g;
		if (slot == STW_SLOT_NONE || !vm->gs.items[slot].called)
			continue;
		const stw_v1_event e = {.type = STW_V1_GoSysBlock, .ticks = w->last_ticks, .seq = w->last_seq + 1};
		stw_v1_writer_put(w, i, &e);
	}
	for (uint32_t slot = 0; slot < part->past.gs.count && slot < o->gs.count && !part->lost; slot++) {
		const stw_v1_past_g *g = &part->past.gs.items[slot];
		const stw_cut_g midway = stw_cut_midway_g(part, slot);
		if (!stw_order_is_alive(o, slot) || midway.unsure || !g->in_call || g->returned || vm->gs.items[slot].in_call ||
			o->gs.items[slot].status != STW_G_WAITING)
			continue;
		/* It is behind what it tells of. */
		const int64_t seq = (int64_t)((uint64_t)g->exit_seq + part->seq_shift);
		const uint64_t number = vm->before == 2 ? (uint64_t)seq : midway.fresh ? midway.next : o->gs.items[slot].seq + g->shift;
		const stw_v1_event e = {
			.type = STW_V1_GoSysExit,
			.ticks = w->last_ticks > g->exit_ticks ? w->last_ticks : g->exit_ticks + 1,
			.seq = (w->last_seq > seq ? w->last_seq : seq) + 1,
			.a = {(uint64_t)o->gs.items[slot].id, number, (uint64_t)g->exit_ticks},
		};
		stw_v1_writer_put(w, w->no_proc, &e);
		part->n_events++;
	}
}
