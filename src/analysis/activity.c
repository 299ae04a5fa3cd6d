#include "analysis/activity.h"

#include <stdlib.h>
#include <string.h>

#include "order/merge.h"

enum { MOST_WINDOWS = 48, MOST_GENERATIONS = 24 };

/* While one generation is read. */
typedef struct reading {
	stw_activity *activity;
	const stw_generation *gen;
	const stw_order *order;
	STW_VEC(int64_t) since;      /* by proc slot: when its goroutine began to run; STW_TIME_UNKNOWN: nothing runs */
	STW_VEC(uint32_t) roots;     /* by goroutine slot: stack whose outermost frame is its function */
	int64_t begin;
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
}

void stw_activity_free(stw_activity *a)
{
	if (!a->mem)
		return;
	for (size_t i = 0; i < a->windows.count; i++)
		stw_vec_free(a->mem, &a->windows.items[i].rows);
	stw_vec_free(a->mem, &a->windows);
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

/* The function that a stretch of running is put down to: the goroutine's own code. Its number is kept beside the stack. */
static uint32_t function_of(reading *r, uint32_t stack, uint32_t root)
{
	stw_v2_stack *s = &r->gen->stacks.items[stack];
	if (stack && s->note[0])
		return s->note[0] - 1;
	stw_named_stack named = {0}, started = {0};
	stw_places *places = r->activity->places;
	if ((stack && !stw_places_name(places, r->gen, stack, &named)) || (root && !stw_places_name(places, r->gen, root, &started))) {
		r->activity->failed = true;
		return 0;
	}
	const char *f = NULL;
	for (uint32_t i = named.n; i-- > 0 && !f;)
		if (!stw_is_library(named.frames[i].function))
			f = named.frames[i].function;
	if (!f)
		f = stw_root_function(started.n ? &started : &named);
	uint32_t number = f ? stw_intern_put(&places->names, f, strlen(f)) : 0;
	if (stack && named.n)
		s->note[0] = number + 1;
	return number;
}

static void add_row(stw_activity *a, stw_window *w, uint32_t function, int64_t ns, int64_t g, bool yielded)
{
	stw_activity_row *row = NULL;
	for (size_t i = 0; i < w->rows.count && !row; i++)
		if (w->rows.items[i].function == function)
			row = &w->rows.items[i];
	if (!row) {
		if (!(row = stw_vec_push(a->mem, &w->rows))) {
			a->failed = true;
			return;
		}
		*row = (stw_activity_row){.function = function, .g = g};
	}
	row->last_g_changes += row->g != g;
	row->g = g;
	row->ns += ns;
	row->runs++;
	row->yields += yielded;
	w->total_ns += ns;
}

/* The windows that are open at t, and until when that holds. */
static void look_at_windows(reading *r, int64_t t)
{
	r->n_open = 0;
	r->changed = t;
	r->next_change = INT64_MAX;
	for (uint32_t i = 0; i < r->activity->windows.count; i++) {
		const stw_window *w = &r->activity->windows.items[i];
		int64_t next = w->from > t ? w->from : w->to > t ? w->to : INT64_MAX;
		if (next < r->next_change)
			r->next_change = next;
		if (w->from <= t && w->to > t)
			r->open[r->n_open++] = i;
	}
}

static void add_part(reading *r, stw_window *w, int64_t from, int64_t to, int64_t id, uint32_t *function, uint32_t stack, uint32_t root, bool yielded)
{
	int64_t a = from > w->from ? from : w->from, b = to < w->to ? to : w->to;
	if (b <= a || id == w->exclude_g)
		return;
	if (*function == UINT32_MAX)
		*function = function_of(r, stack, root);
	add_row(r->activity, w, *function, b - a, id, yielded);
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
		for (size_t i = 0; i < r->activity->windows.count; i++)
			add_part(r, &r->activity->windows.items[i], from, to, id, &function, stack, root, yielded);
		if (to >= r->next_change)
			look_at_windows(r, to);
		return;
	}
	for (unsigned i = 0; i < r->n_open; i++)
		add_part(r, &r->activity->windows.items[r->open[i]], from, to, id, &function, stack, root, yielded);
}

static __attribute__((noinline)) bool make_room(reading *r)
{
	stw_mem *mem = r->activity->mem;
	size_t ps = r->order->ps.count, gs = r->order->gs.count;
	if ((ps > r->since.count && !stw_vec_reserve(mem, &r->since, ps - r->since.count)) ||
	    (gs > r->roots.count && !stw_vec_reserve(mem, &r->roots, gs - r->roots.count))) {
		r->activity->failed = true;
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

static inline __attribute__((always_inline)) void see(stw_merge *mg, unsigned type, int64_t t, uint32_t m, uint32_t p, uint32_t g, uint32_t target, uint64_t a0, uint64_t a1, uint64_t a2,
                uint64_t a3)
{
	reading *r = mg->hook;
	(void)m;
	(void)a0;
	if (!room(r))
		return;
	switch (type) {
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack:
		r->roots.items[target] = type == STW_EV_GoStatusStack ? stack_index(r, a3) : 0;
		if ((uint8_t)a2 == STW_G_RUNNING && p < r->since.count)
			r->since.items[p] = r->begin;
		break;
	case STW_EV_GoCreate:
		r->roots.items[target] = stack_index(r, a1);
		break;
	case STW_EV_GoStart:
		r->since.items[p] = t;
		break;
	case STW_EV_GoSyscallEnd:
		r->since.items[p] = t;
		break;
	case STW_EV_GoStop: {
		const stw_string *why = &r->gen->strings.items[a2];
		ran(r, p, g, t, stack_index(r, a1), why->length != 9); /* not "preempted" */
		break;
	}
	case STW_EV_GoBlock:
	case STW_EV_GoSyscallBegin:
		ran(r, p, g, t, stack_index(r, a1), false);
		break;
	case STW_EV_GoDestroy:
		ran(r, p, g, t, 0, false);
		break;
	default:
		break;
	}
}

#define STW_MERGE_EMIT see
#include "order/merge_step.h"

static int most_first(const void *x, const void *y)
{
	const stw_activity_row *a = x, *b = y;
	return a->ns != b->ns ? (a->ns < b->ns ? 1 : -1) : a->function < b->function ? -1 : a->function > b->function;
}

static stwatch_status read_one(stw_activity *a, const stw_trace *trace, uint32_t index, const volatile int *cancel, stwatch_error *error)
{
	int64_t end = INT64_MIN; /* of the last window: nothing after it matters */
	for (size_t i = 0; i < a->windows.count; i++)
		end = a->windows.items[i].to > end ? a->windows.items[i].to : end;
	stw_generation gen;
	stw_order order;
	stw_merge mg;
	reading r = {.activity = a, .gen = &gen, .order = &order, .begin = STW_TIME_UNKNOWN};
	stwatch_status status = stw_generation_load(&gen, a->mem, &trace->source, trace->version, &trace->spans.items[index], error);
	if (status != STWATCH_OK)
		return status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
	stw_order_init(&order, a->mem);
	stw_order_begin(&order, STW_READ_INITIAL); /* a generation stands on its own: what it states is believed */
	status = stw_merge_open(&mg, &order, &gen, &trace->source, INT64_MIN, &r, error);
	if (status == STWATCH_OK) {
		r.begin = mg.n_heap ? mg.heap[0].time : 0;
		look_at_windows(&r, r.begin);
		while ((status = merge_run(&mg, false)) == STWATCH_OK && mg.last_time < end && !(cancel && *cancel))
			;
		for (uint32_t p = 0; p < r.since.count && p < order.ps.count; p++)
			for (uint32_t i = 0; i < order.ms.count; i++)
				if (order.ms.items[i].p == p && STW_SLOT_OK(order.ms.items[i].g))
					ran(&r, p, order.ms.items[i].g, mg.last_time, 0, false);
	}
	stw_merge_close(&mg);
	stw_order_free(&order);
	stw_generation_free(&gen);
	stw_vec_free(a->mem, &r.since);
	stw_vec_free(a->mem, &r.roots);
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}

/* A generation's own time is not known before it is read; batch times bound it well enough, and are in its tables. */
static stwatch_status times_of(const stw_trace *trace, stw_mem *mem, uint32_t index, int64_t *from, stwatch_error *error)
{
	stw_generation gen;
	stwatch_status status = stw_generation_load(&gen, mem, &trace->source, trace->version, &trace->spans.items[index], error);
	if (status != STWATCH_OK)
		return status;
	*from = stw_generation_ns(&gen, gen.min_time);
	stw_generation_free(&gen);
	return STWATCH_OK;
}

stwatch_status stw_activity_read(stw_activity *a, const stw_trace *trace, const volatile int *cancel, stwatch_error *error)
{
	stwatch_status status = STWATCH_OK;
	unsigned read = 0;
	if (a->windows.count == 0)
		return STWATCH_OK;
	int64_t first = INT64_MAX;
	for (size_t i = 0; i < a->windows.count; i++)
		first = a->windows.items[i].from < first ? a->windows.items[i].from : first;
	/* From the end: the last part of a long wait says as much as its first. */
	int64_t next_from = INT64_MAX;
	for (size_t n = trace->spans.count; status == STWATCH_OK && n-- > 0 && next_from > first;) {
		int64_t from;
		if (times_of(trace, a->mem, (uint32_t)n, &from, error) != STWATCH_OK)
			continue;
		bool wanted = false;
		for (size_t i = 0; i < a->windows.count; i++)
			wanted |= a->windows.items[i].from < next_from && a->windows.items[i].to > from;
		next_from = from;
		if (!wanted)
			continue;
		if (read++ >= MOST_GENERATIONS) {
			for (size_t i = 0; i < a->windows.count; i++)
				a->windows.items[i].partial = true;
			break;
		}
		status = read_one(a, trace, (uint32_t)n, cancel, error);
	}
	for (size_t i = 0; i < a->windows.count; i++)
		if (a->windows.items[i].rows.count > 1)
			qsort(a->windows.items[i].rows.items, a->windows.items[i].rows.count, sizeof *a->windows.items[i].rows.items, most_first);
	return a->failed ? stw_fail_memory(error) : status;
}
