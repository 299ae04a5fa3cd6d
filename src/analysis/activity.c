#include "analysis/activity.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "order/merge.h"

enum { MOST_WINDOWS = 48, MOST_GENERATIONS = 24 };

/* While one generation is read; several are at one time. */
typedef struct reading {
	stw_mem *mem;
	stw_places *places;
	const stw_map *started;
	pthread_mutex_t *naming; /* around places: the first time that a stack is seen */
	stw_window *windows; /* the reading's own, added up afterwards */
	size_t n_windows;
	bool failed;
	const stw_generation *gen;
	const stw_order *order;
	bool v1;
	STW_VEC(int64_t) since; /* by proc slot: when its goroutine began to run; STW_TIME_UNKNOWN: nothing runs */
	STW_VEC(uint32_t) roots; /* by goroutine slot: stack whose outermost frame is its function */
	int64_t begin;
	uint32_t stated; /* proc slot of the goroutine whose status came last, if it runs */
	/* Windows that are open, as of the last time at which one opened or closed; most stretches lie between two such times. */
	uint32_t open[MOST_WINDOWS];
	unsigned n_open;
	int64_t changed, next_change;
} reading;

void stw_activity_init(stw_activity *a, stw_mem *mem, stw_places *places)
{
	memset(a, 0, sizeof *a);
	a->mem = mem;
	a->places = places;
	stw_map_init(&a->started, mem);
}

void stw_activity_free(stw_activity *a)
{
	if (!a->mem)
		return;
	for (size_t i = 0; i < a->windows.count; i++)
		stw_vec_free(a->mem, &a->windows.items[i].rows);
	stw_vec_free(a->mem, &a->windows);
	stw_map_free(&a->started);
}

void stw_activity_knows(stw_activity *a, int64_t g, const char *function)
{
	uint32_t number = stw_intern_put(&a->places->names, function, strlen(function));
	if (number == UINT32_MAX || !stw_map_put(&a->started, (uint64_t)g, number))
		a->failed = true;
}

uint32_t stw_activity_want(stw_activity *a, int64_t from, int64_t to, int64_t exclude_g)
{
	if (a->windows.count >= MOST_WINDOWS)
		return UINT32_MAX;
	stw_window *w = stw_vec_push(a->mem, &a->windows);
	if (!w) {
		a->failed = true;
		return UINT32_MAX;
	}
	*w = (stw_window){.from = from, .to = to, .exclude_g = exclude_g};
	return (uint32_t)a->windows.count - 1;
}

/* The function that a stretch of running is put down to: the goroutine's own code. */
static uint32_t name_function(reading *r, uint32_t stack, uint32_t root)
{
	stw_named_stack named = {0}, started = {0};
	if ((stack && !stw_places_name(r->places, r->gen, stack, &named)) ||
		(root && !stw_places_name(r->places, r->gen, root, &started))) {
		r->failed = true;
		return 0;
	}
	const char *f = NULL;
	for (uint32_t i = named.n; i-- > 0 && !f;)
		if (!stw_is_library(named.frames[i].function))
			f = named.frames[i].function;
	bool own = f != NULL;
	if (!f)
		f = stw_root_function(started.n ? &started : &named);
	uint32_t number = f ? stw_intern_put(&r->places->names, f, strlen(f)) : 0;
	if (own) { /* it does not depend on who ran: kept beside the stack */
		const char *leaf = stw_user_function(&named);
		r->gen->stacks.items[stack].note[0] = number + 1;
		r->gen->stacks.items[stack].note[1] = stw_intern_put(&r->places->names, leaf, strlen(leaf));
	}
	return number;
}

/* After function_of. */
static uint32_t leaf_of(const reading *r, uint32_t stack)
{
	return stack && r->gen->stacks.items[stack].note[0] ? r->gen->stacks.items[stack].note[1] : 0;
}

static uint32_t function_of(reading *r, uint32_t stack, uint32_t root, int64_t id)
{
	if (stack && r->gen->stacks.items[stack].note[0])
		return r->gen->stacks.items[stack].note[0] - 1;
	pthread_mutex_lock(r->naming);
	uint32_t number = name_function(r, stack, root);
	pthread_mutex_unlock(r->naming);
	if (number == 0 && (number = stw_map_get(r->started, (uint64_t)id)) == STW_MAP_NONE)
		number = 0;
	return number;
}

static stw_activity_row *row_of(stw_mem *mem, stw_window *w, uint32_t function, int64_t g)
{
	for (size_t i = 0; i < w->rows.count; i++)
		if (w->rows.items[i].function == function)
			return &w->rows.items[i];
	stw_activity_row *row = stw_vec_push(mem, &w->rows);
	if (row)
		*row = (stw_activity_row){.function = function, .g = g};
	return row;
}

/* Boyer and Moore's vote: whoever has more than half of the time wins. */
static void vote(stw_activity_row *row, uint32_t leaf, int64_t ns)
{
	if (row->leaf == leaf) {
		row->leaf_ns += ns;
	} else if (ns > row->leaf_ns) {
		row->leaf = leaf;
		row->leaf_ns = ns - row->leaf_ns;
	} else {
		row->leaf_ns -= ns;
	}
}

static void add_up_row(stw_activity_row *sum, const stw_activity_row *row)
{
	sum->ns += row->ns;
	sum->runs += row->runs;
	sum->yields += row->yields;
	sum->several |= row->several || sum->g != row->g;
	if (row->leaf)
		vote(sum, row->leaf, row->leaf_ns);
}

static void add_row(reading *r, stw_window *w, uint32_t function, uint32_t leaf, int64_t ns, int64_t g, bool yielded)
{
	stw_activity_row *row = row_of(r->mem, w, function, g);
	if (!row) {
		r->failed = true;
		return;
	}
	row->several |= row->g != g;
	row->ns += ns;
	row->runs++;
	row->yields += yielded;
	if (leaf)
		vote(row, leaf, ns);
	w->total_ns += ns;
}

/* The windows that are open at t, and until when that holds. */
static void look_at_windows(reading *r, int64_t t)
{
	r->n_open = 0;
	r->changed = t;
	r->next_change = INT64_MAX;
	for (uint32_t i = 0; i < r->n_windows; i++) {
		const stw_window *w = &r->windows[i];
		int64_t next = w->from > t ? w->from : w->to > t ? w->to : INT64_MAX;
		if (next < r->next_change)
			r->next_change = next;
		if (w->from <= t && w->to > t)
			r->open[r->n_open++] = i;
	}
}

static void add_part(
	reading *r, stw_window *w, int64_t from, int64_t to, int64_t id, uint32_t *function, uint32_t stack, uint32_t root, bool yielded)
{
	int64_t a = from > w->from ? from : w->from, b = to < w->to ? to : w->to;
	if (b <= a || id == w->exclude_g)
		return;
	if (*function == UINT32_MAX)
		*function = function_of(r, stack, root, id);
	add_row(r, w, *function, leaf_of(r, stack), b - a, id, yielded);
}

static inline void ran(reading *r, uint32_t p, uint32_t g, int64_t to, uint32_t stack, bool yielded)
{
	if (p >= r->since.count || r->since.items[p] == STW_TIME_UNKNOWN)
		return;
	int64_t from = r->since.items[p];
	r->since.items[p] = STW_TIME_UNKNOWN;
	bool crossed = to >= r->next_change || from < r->changed;
	if (!crossed && r->n_open == 0)
		return;
	int64_t id = stw_order_g_id(r->order, g);
	uint32_t root = g < r->roots.count ? r->roots.items[g] : 0, function = UINT32_MAX;
	if (crossed) {
		for (size_t i = 0; i < r->n_windows; i++)
			add_part(r, &r->windows[i], from, to, id, &function, stack, root, yielded);
		if (to >= r->next_change)
			look_at_windows(r, to);
		return;
	}
	for (unsigned i = 0; i < r->n_open; i++)
		add_part(r, &r->windows[r->open[i]], from, to, id, &function, stack, root, yielded);
}

static __attribute__((noinline)) bool make_room(reading *r)
{
	stw_mem *mem = r->mem;
	size_t ps = r->order->ps.count, gs = r->order->gs.count;
	if ((ps > r->since.count && !stw_vec_reserve(mem, &r->since, ps - r->since.count)) ||
		(gs > r->roots.count && !stw_vec_reserve(mem, &r->roots, gs - r->roots.count))) {
		r->failed = true;
		return false;
	}
	while (r->since.count < ps)
		r->since.items[r->since.count++] = STW_TIME_UNKNOWN;
	while (r->roots.count < gs)
		r->roots.items[r->roots.count++] = 0;
	return true;
}

static inline bool room(reading *r)
{
	return __builtin_expect(r->order->ps.count <= r->since.count && r->order->gs.count <= r->roots.count, 1) || make_room(r);
}

static inline uint32_t stack_index(const reading *r, uint64_t id)
{
	uint32_t i = stw_generation_stack(r->gen, id);
	return i == STW_MAP_NONE ? 0 : i;
}

static inline __attribute__((always_inline)) void see(stw_merge *mg, unsigned type, int64_t t, uint32_t m, uint32_t p, uint32_t g,
	uint32_t target, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	reading *r = mg->hook;
	(void)m;
	(void)a0;
	if (!room(r))
		return;
	switch (type) {
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack:
		r->roots.items[target] = type == STW_EV_GoStatusStack || r->v1 ? stack_index(r, a3) : 0;
		r->stated = (uint8_t)a2 == STW_G_RUNNING && p < r->since.count ? p : STW_SLOT_NONE;
		if (r->stated != STW_SLOT_NONE)
			r->since.items[p] = r->v1 ? t : r->begin; /* of v1, also one that begins anew says its status */
		break;
	case STW_EV_GoCreate: r->roots.items[target] = stack_index(r, a1); break;
	case STW_EV_GoStart:
	case STW_EV_GoSyscallEnd: r->since.items[p] = t; break;
	case STW_EV_GoStop: {
		const stw_string *why = &r->gen->strings.items[a2];
		ran(r, p, g, t, stack_index(r, a1), why->length != 9); /* not "preempted" */
		break;
	}
	case STW_EV_GoBlock:
	case STW_EV_GoSyscallBegin: ran(r, p, g, t, stack_index(r, a1), false); break;
	case STW_EV_GoDestroy: ran(r, p, g, t, 0, false); break;
	default: break;
	}
}

/* ---- past damage: what is bound together by sequence numbers or by a thread's own events counts ---- */

/* The goroutine whose status was just said has not run since the generation's beginning, but since now. */
static void begin_anew(stw_merge *mg)
{
	reading *r = mg->hook;
	if (r->stated < r->since.count)
		r->since.items[r->stated] = mg->last_time;
}

static void forget_p(stw_merge *mg, uint32_t p)
{
	reading *r = mg->hook;
	if (p < r->since.count)
		r->since.items[p] = STW_TIME_UNKNOWN;
}

static void forget_g(stw_merge *mg, uint32_t g)
{
	for (size_t i = 0; i < mg->order->ms.count; i++)
		if (mg->order->ms.items[i].g == g)
			forget_p(mg, mg->order->ms.items[i].p);
}

#define STW_MERGE_EMIT see
#define STW_MERGE_SALVAGE
#define STW_MERGE_ANEW_G(mg, type, g) begin_anew(mg)
#define STW_MERGE_ANEW_P(mg, p) ((void)0)
#define STW_MERGE_FORGET_G(mg, g) forget_g(mg, g)
#define STW_MERGE_FORGET_P(mg, p) forget_p(mg, p)
#define STW_MERGE_LOST(mg, from, to) ((void)(from))
#define STW_MERGE_DOUBT(mg) ((void)0)
#include "order/merge_step.h"
#include "order/v1_step.h"

/* ---- several generations at a time ---- */

typedef struct task {
	uint32_t span;
	stw_window *windows;
	stwatch_status status;
	stwatch_error error;
} task;

typedef struct readers {
	stw_activity *activity;
	const stw_trace *trace;
	const volatile int *cancel;
	int64_t end; /* of the last window: nothing after it matters */
	task tasks[MOST_GENERATIONS];
	unsigned n_tasks;
	atomic_uint next;
	pthread_mutex_t naming;
} readers;

static stwatch_status step(reading *r, stw_merge *mg, bool damaged)
{
	if (!damaged)
		return merge_step(mg, true);
	return room(r) ? merge_salvage_step(mg) : STWATCH_ERR_MEMORY; /* an event that is refused may have made a place for what it names */
}

static stwatch_status read_events(reading *r, stw_merge *mg, bool damaged, int64_t end, const volatile int *cancel)
{
	stwatch_status status;
	r->begin = mg->n_heap ? mg->heap[0].time : 0;
	look_at_windows(r, r->begin);
	while ((status = step(r, mg, damaged)) == STWATCH_OK && mg->last_time < end && !(cancel && *cancel))
		;
	for (uint32_t p = 0; p < r->since.count && p < r->order->ps.count; p++)
		for (uint32_t i = 0; i < r->order->ms.count; i++)
			if (r->order->ms.items[i].p == p && STW_SLOT_OK(r->order->ms.items[i].g))
				ran(r, p, r->order->ms.items[i].g, mg->last_time, 0, false);
	return status;
}

static stwatch_status read_events_v1(reading *r, stw_v1_merge *vm, int64_t end, const volatile int *cancel)
{
	enum { STEPS = 1024 };
	stwatch_status status = STWATCH_OK;
	r->begin = vm->v1->begin_ns;
	look_at_windows(r, r->begin);
	while (status == STWATCH_OK && vm->base.last_time < end && !(cancel && *cancel))
		for (unsigned i = 0; i < STEPS && status == STWATCH_OK; i++)
			status = v1_step(vm);
	for (uint32_t p = 0; p < r->since.count && p < vm->ps.count; p++)
		if (STW_SLOT_OK(vm->ps.items[p].g))
			ran(r, p, vm->ps.items[p].g, vm->base.last_time, 0, false);
	return status;
}

static stwatch_status read_v1(readers *all, task *t, reading *r, stw_order *order)
{
	stw_v1_merge vm;
	stwatch_status status = stw_v1_merge_open(&vm, order, stw_trace_v1(all->trace, t->span), r, &t->error);
	if (status == STWATCH_OK)
		status = read_events_v1(r, &vm, all->end, all->cancel);
	stw_v1_merge_close(&vm);
	return status;
}

static stwatch_status read_v2(readers *all, task *t, reading *r, stw_order *order)
{
	stw_merge mg;
	stw_order_begin(order, STW_READ_INITIAL); /* a generation stands on its own: what it states is believed */
	stwatch_status status = stw_merge_open(&mg, order, r->gen, INT64_MIN, r, &t->error);
	if (status == STWATCH_OK)
		status = read_events(r, &mg, all->trace->spans.items[t->span].damaged, all->end, all->cancel);
	stw_merge_close(&mg);
	return status;
}

static void read_one(readers *all, task *t)
{
	stw_activity *a = all->activity;
	stw_generation gen;
	stw_order order;
	reading r = {.mem = a->mem,
		.places = a->places,
		.started = &a->started,
		.naming = &all->naming,
		.windows = t->windows,
		.n_windows = a->windows.count,
		.gen = &gen,
		.order = &order,
		.v1 = all->trace->v1 != NULL,
		.stated = STW_SLOT_NONE};
	t->status = stw_trace_load(all->trace, t->span, &gen, &t->error);
	if (t->status != STWATCH_OK)
		return;
	stw_order_init(&order, a->mem);
	t->status = all->trace->v1 ? read_v1(all, t, &r, &order) : read_v2(all, t, &r, &order);
	stw_order_free(&order);
	stw_trace_unload(all->trace, &gen);
	stw_vec_free(a->mem, &r.since);
	stw_vec_free(a->mem, &r.roots);
	if (r.failed)
		t->status = stw_fail_memory(&t->error);
}

static void *read_some(void *user)
{
	readers *all = user;
	for (unsigned i; (i = atomic_fetch_add(&all->next, 1)) < all->n_tasks;)
		read_one(all, &all->tasks[i]);
	return NULL;
}

static void read_all(readers *all, unsigned threads)
{
	enum { MOST_THREADS = 16 };
	pthread_t ids[MOST_THREADS];
	unsigned started = 0;
	pthread_mutex_init(&all->naming, NULL);
	while (started + 1 < threads && started < MOST_THREADS && started + 1 < all->n_tasks &&
		pthread_create(&ids[started], NULL, read_some, all) == 0)
		started++;
	read_some(all);
	for (unsigned i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	pthread_mutex_destroy(&all->naming);
}

/* From the end: the last part of a long wait says as much as its first. */
static void choose_generations(readers *all)
{
	stw_activity *a = all->activity;
	int64_t next = INT64_MAX;
	for (size_t n = all->trace->begins.count; n-- > 0;) {
		int64_t from = all->trace->begins.items[n];
		bool wanted = false;
		if (from == INT64_MAX)
			continue;
		for (size_t i = 0; i < a->windows.count; i++)
			wanted |= a->windows.items[i].from < next && a->windows.items[i].to > from;
		next = from;
		if (wanted && all->n_tasks == MOST_GENERATIONS) {
			for (size_t i = 0; i < a->windows.count; i++)
				a->windows.items[i].partial = true;
			return;
		}
		if (wanted)
			all->tasks[all->n_tasks++] = (task){.span = (uint32_t)n};
	}
}

/* Adds a generation's share; in a fixed order, so that the sum does not depend on which thread was faster. */
static bool add_up(stw_activity *a, const task *t)
{
	for (size_t i = 0; i < a->windows.count; i++) {
		stw_window *to = &a->windows.items[i];
		to->total_ns += t->windows[i].total_ns;
		for (size_t k = 0; k < t->windows[i].rows.count; k++) {
			const stw_activity_row *row = &t->windows[i].rows.items[k];
			stw_activity_row *sum = row_of(a->mem, to, row->function, row->g);
			if (!sum)
				return false;
			add_up_row(sum, row);
		}
	}
	return true;
}

/* Rows of the compiler's wrappers belong to what they call, which other stacks have shown by now. */
static void unwrap_rows(stw_activity *a, stw_window *w)
{
	size_t kept = 0;
	for (size_t i = 0; i < w->rows.count; i++) {
		const stw_activity_row row = w->rows.items[i];
		uint32_t function = stw_places_callee(a->places, row.function);
		size_t k = 0;
		while (k < kept && w->rows.items[k].function != function)
			k++;
		if (k == kept) {
			w->rows.items[kept] = row;
			w->rows.items[kept++].function = function;
			continue;
		}
		add_up_row(&w->rows.items[k], &row);
	}
	w->rows.count = kept;
}

/* By time, ties by name: numbers depend on who came first. */
static void sort_rows(const stw_places *places, stw_window *w)
{
	for (size_t i = 1; i < w->rows.count; i++) {
		stw_activity_row row = w->rows.items[i];
		size_t k = i;
		for (; k > 0; k--) {
			const stw_activity_row *before = &w->rows.items[k - 1];
			if (before->ns > row.ns ||
				(before->ns == row.ns &&
					strcmp(stw_intern_get(&places->names, before->function).data,
						stw_intern_get(&places->names, row.function).data) <= 0))
				break;
			w->rows.items[k] = *before;
		}
		w->rows.items[k] = row;
	}
}

static stwatch_status collect(readers *all, stwatch_error *error)
{
	stw_activity *a = all->activity;
	for (unsigned i = 0; i < all->n_tasks; i++) {
		const task *t = &all->tasks[i];
		if (t->status != STWATCH_OK && t->status != STWATCH_END &&
			t->status != STWATCH_ERR_DAMAGED) { /* damage was told by the first pass */
			*error = t->error;
			return t->status;
		}
		if (!add_up(a, t))
			return stw_fail_memory(error);
	}
	for (size_t i = 0; i < a->windows.count; i++) {
		stw_window *w = &a->windows.items[i];
		w->lost = stw_trace_is_damaged(all->trace, w->from, w->to);
		unwrap_rows(a, w);
		sort_rows(a->places, w);
	}
	return STWATCH_OK;
}

static bool give_windows(readers *all)
{
	stw_activity *a = all->activity;
	for (unsigned i = 0; i < all->n_tasks; i++) {
		stw_window *copy = stw_mem_zalloc(a->mem, a->windows.count * sizeof *copy);
		if (!copy)
			return false;
		for (size_t k = 0; k < a->windows.count; k++)
			copy[k] = (stw_window){
				.from = a->windows.items[k].from, .to = a->windows.items[k].to, .exclude_g = a->windows.items[k].exclude_g};
		all->tasks[i].windows = copy;
	}
	return true;
}

static void take_windows(readers *all)
{
	stw_activity *a = all->activity;
	for (unsigned i = 0; i < all->n_tasks; i++) {
		for (size_t k = 0; all->tasks[i].windows && k < a->windows.count; k++)
			stw_vec_free(a->mem, &all->tasks[i].windows[k].rows);
		stw_mem_free(a->mem, all->tasks[i].windows, a->windows.count * sizeof *all->tasks[i].windows);
	}
}

stwatch_status stw_activity_read(
	stw_activity *a, const stw_trace *trace, unsigned threads, const volatile int *cancel, stwatch_error *error)
{
	readers all = {.activity = a, .trace = trace, .cancel = cancel, .end = INT64_MIN};
	if (a->failed)
		return stw_fail_memory(error);
	for (size_t i = 0; i < a->windows.count; i++)
		all.end = a->windows.items[i].to > all.end ? a->windows.items[i].to : all.end;
	if (a->windows.count)
		choose_generations(&all);
	stwatch_status status = give_windows(&all) ? STWATCH_OK : stw_fail_memory(error);
	if (status == STWATCH_OK && all.n_tasks) {
		read_all(&all, threads);
		status = collect(&all, error);
	}
	take_windows(&all);
	return status;
}
