#include "analysis/picture.h"

#include <string.h>

#include "analysis/places.h"
#include "base/error.h"
#include "engine/stream.h"
#include "model/fold.h"

enum { PROCS_SEEN = 64, EVENTS_A_PAUSE = 1 << 14, NOTHING = 0, UNSEEN = 255 };

typedef struct stay {
	stwatch_bar bar;
	uint32_t what; /* interned */
} stay;

typedef struct lane {
	int64_t id;
	int64_t since;
	int64_t g; /* of a proc: whose goroutine it runs */
	uint32_t what; /* interned */
	uint8_t state; /* stwatch_bar_state, NOTHING, or UNSEEN: nothing of it was in the trace yet */
	uint8_t kind, role;
	bool wished;
	int64_t longest; /* of the stays that the last bar stands for */
	STW_VEC(stay) bars;
} lane;

typedef struct drawing {
	stw_mem *mem;
	const stw_picture_wish *wish;
	const stw_generation *gen;
	stw_intern texts;
	stw_map roots; /* goroutine → text of what it was started with */
	lane stops, procs[PROCS_SEEN], gs[STW_PICTURE_GS];
	unsigned n_procs;
	uint32_t open_stops;
	int64_t begin; /* of what is read */
	bool failed;
} drawing;

/* ---- bars ---- */

static void add_bar(drawing *d, lane *l, int64_t from, int64_t to)
{
	const stw_picture_wish *w = d->wish;
	int64_t least = (w->to - w->from) / STW_PICTURE_STEPS;
	from = from > w->from ? from : w->from;
	to = to < w->to ? to : w->to;
	if (from >= to)
		return;
	stwatch_bar *last = l->bars.count ? &l->bars.items[l->bars.count - 1].bar : NULL;
	if (last && to - last->from_ns < least) { /* too short to be told apart: what lasted longest stands for all */
		if (to - from > l->longest) {
			last->state = (stwatch_bar_state)l->state;
			last->goroutine = l->g;
			l->bars.items[l->bars.count - 1].what = l->what;
			l->longest = to - from;
		}
		last->to_ns = to;
		last->several = true;
		return;
	}
	stay *added = stw_vec_push(d->mem, &l->bars);
	if (!added) {
		d->failed = true;
		return;
	}
	*added = (stay){{.from_ns = from, .to_ns = to, .state = (stwatch_bar_state)l->state, .goroutine = l->g}, l->what};
	l->longest = to - from;
}

static void change(drawing *d, lane *l, int64_t t, uint8_t state, int64_t g, uint32_t what)
{
	if (!l)
		return;
	if (l->state != NOTHING && l->state != UNSEEN)
		add_bar(d, l, l->since, t);
	l->since = t;
	l->state = state;
	l->g = g;
	l->what = what;
}

/* A state that is told, not begun: it was so since the reading began. */
static void tell(drawing *d, lane *l, int64_t t, uint8_t state, int64_t g, uint32_t what)
{
	if (!l)
		return;
	if (l->state == UNSEEN)
		change(d, l, d->begin, state, g, what);
	else if (l->state != state || l->g != g)
		change(d, l, t, state, g, what);
}

/* ---- names ---- */

static uint32_t keep(drawing *d, const char *text, size_t length)
{
	uint32_t n = stw_intern_put(&d->texts, text, length);
	d->failed |= n == UINT32_MAX;
	return n == UINT32_MAX ? 0 : n;
}

static uint32_t keep_string(drawing *d, uint64_t id)
{
	uint32_t index = stw_generation_string(d->gen, id);
	return index == STW_MAP_NONE ? 0 : keep(d, d->gen->strings.items[index].data, d->gen->strings.items[index].length);
}

static const char *function_at(const drawing *d, const stw_v2_stack *s, uint32_t i)
{
	return d->gen->strings.items[stw_generation_frame(d->gen, s, i)->func].data;
}

/* The goroutine's own code: the outermost function outside the library, else the outermost there is. */
static uint32_t own_function(drawing *d, uint64_t stack)
{
	uint32_t index = stw_generation_stack(d->gen, stack);
	if (index == STW_MAP_NONE || index == 0)
		return 0;
	const stw_v2_stack *s = &d->gen->stacks.items[index];
	for (uint32_t i = s->count; i-- > 0;)
		if (!stw_is_library(function_at(d, s, i)))
			return keep(d, function_at(d, s, i), strlen(function_at(d, s, i)));
	return s->count ? keep(d, function_at(d, s, s->count - 1), strlen(function_at(d, s, s->count - 1))) : 0;
}

static uint32_t root_of(const drawing *d, int64_t g)
{
	uint32_t n = g == STWATCH_NONE ? STW_MAP_NONE : stw_map_get(&d->roots, (uint64_t)g);
	return n == STW_MAP_NONE ? 0 : n;
}

static void note_root(drawing *d, int64_t g, uint64_t stack)
{
	uint32_t name = own_function(d, stack);
	if (name)
		d->failed |= !stw_map_put(&d->roots, (uint64_t)g, name);
}

/* ---- lanes ---- */

static lane *lane_of_g(drawing *d, int64_t g)
{
	for (unsigned i = 0; i < d->wish->n_gs; i++)
		if (d->gs[i].id == g)
			return &d->gs[i];
	return NULL;
}

static lane *lane_of_p(drawing *d, int64_t p)
{
	for (unsigned i = 0; i < d->n_procs; i++)
		if (d->procs[i].id == p)
			return &d->procs[i];
	if (p == STWATCH_NONE || d->n_procs == PROCS_SEEN)
		return NULL;
	d->procs[d->n_procs] = (lane){.id = p, .state = UNSEEN, .g = STWATCH_NONE, .kind = STWATCH_LANE_PROC};
	return &d->procs[d->n_procs++];
}

static void begin_lanes(drawing *d)
{
	const stw_picture_wish *w = d->wish;
	d->stops = (lane){.id = STWATCH_NONE, .g = STWATCH_NONE, .kind = STWATCH_LANE_STOPS};
	for (unsigned i = 0; i < w->n_gs; i++)
		d->gs[i] = (lane){.id = w->gs[i],
			.state = UNSEEN,
			.g = w->gs[i],
			.kind = STWATCH_LANE_GOROUTINE,
			.role = w->g_roles[i],
			.wished = true};
	for (unsigned i = 0; i < w->n_ps; i++) {
		lane *l = lane_of_p(d, w->ps[i]);
		if (l) {
			l->role = w->p_roles[i];
			l->wished = true;
		}
	}
}

/* ---- events ---- */

static uint8_t state_of_status(uint64_t status)
{
	switch (status) {
	case STW_G_RUNNABLE: return STWATCH_BAR_RUNNABLE;
	case STW_G_RUNNING: return STWATCH_BAR_RUNNING;
	case STW_G_SYSCALL: return STWATCH_BAR_SYSCALL;
	case STW_G_WAITING: return STWATCH_BAR_WAITING;
	default: return NOTHING;
	}
}

/* What ended was running, or a system call's beginning: its stack says what it was. */
static void name_running(drawing *d, const stw_stream_event *e, uint64_t stack)
{
	lane *p = lane_of_p(d, e->p), *g = lane_of_g(d, e->g);
	uint32_t name = own_function(d, stack);
	if (p && (p->state == STWATCH_BAR_RUNNING || p->state == STWATCH_BAR_SYSCALL))
		p->what = name ? name : root_of(d, e->g);
	if (g && g->state == STWATCH_BAR_RUNNING)
		g->what = name ? name : root_of(d, e->g);
}

static void see_status(drawing *d, const stw_stream_event *e)
{
	int64_t id = (int64_t)e->a[0];
	uint8_t state = state_of_status(e->a[2] & 7);
	if (e->type == STW_EV_GoStatusStack && root_of(d, id) == 0)
		note_root(d, id, e->a[3]);
	tell(d, lane_of_g(d, id), e->time, state, id, root_of(d, id));
	/* Others' states are told too, from procs that are not theirs. */
	if ((state == STWATCH_BAR_RUNNING || state == STWATCH_BAR_SYSCALL) && (int64_t)e->a[1] == e->m)
		tell(d, e->p == STWATCH_NONE ? NULL : lane_of_p(d, e->p), e->time, state, id, root_of(d, id));
}

static void see_start(drawing *d, const stw_stream_event *e, int64_t g)
{
	change(d, lane_of_p(d, e->p), e->time, STWATCH_BAR_RUNNING, g, root_of(d, g));
	change(d, lane_of_g(d, g), e->time, STWATCH_BAR_RUNNING, g, root_of(d, g));
}

static void see_stop(drawing *d, const stw_stream_event *e, uint8_t becomes)
{
	name_running(d, e, e->a[1]);
	change(d, lane_of_p(d, e->p), e->time, STWATCH_BAR_SPINNING, STWATCH_NONE, 0);
	change(d, lane_of_g(d, e->g), e->time, becomes, e->g, keep_string(d, e->a[0]));
}

static void see_stw(drawing *d, const stw_stream_event *e, const stw_order *order)
{
	if (e->type == STW_EV_STWBegin && d->open_stops++ == 0) {
		stw_slice kind = stw_intern_get(&order->names, (uint32_t)e->a[0]);
		change(d, &d->stops, e->time, STWATCH_BAR_STOPPED, e->g, keep(d, kind.data, kind.length));
	} else if (e->type == STW_EV_STWEnd && d->open_stops && --d->open_stops == 0) {
		change(d, &d->stops, e->time, NOTHING, STWATCH_NONE, 0);
	}
}

static bool is_gc_worker(const drawing *d, const stw_stream_event *e)
{
	uint32_t index = stw_generation_string(d->gen, e->a[0]);
	return index != STW_MAP_NONE && strncmp(d->gen->strings.items[index].data, "GC (", 4) == 0;
}

static void see(drawing *d, const stw_stream_event *e, const stw_order *order)
{
	int64_t t = e->time;
	lane *p = e->p == STWATCH_NONE ? NULL : lane_of_p(d, e->p);
	switch (e->type) {
	case STW_EV_GoStatus:
	case STW_EV_GoStatusStack: see_status(d, e); break;
	case STW_EV_ProcStatus:
		if (e->a[1] == STW_P_IDLE || e->a[1] == STW_P_ABANDONED)
			tell(d, lane_of_p(d, (int64_t)e->a[0]), t, NOTHING, STWATCH_NONE, 0);
		else if ((int64_t)e->a[0] != STWATCH_NONE && lane_of_p(d, (int64_t)e->a[0]) &&
			lane_of_p(d, (int64_t)e->a[0])->state == UNSEEN)
			change(d, lane_of_p(d, (int64_t)e->a[0]), d->begin, STWATCH_BAR_SPINNING, STWATCH_NONE, 0);
		break;
	case STW_EV_ProcStart: change(d, lane_of_p(d, (int64_t)e->a[0]), t, STWATCH_BAR_SPINNING, STWATCH_NONE, 0); break;
	case STW_EV_ProcStop: change(d, p, t, NOTHING, STWATCH_NONE, 0); break;
	case STW_EV_ProcSteal: change(d, lane_of_p(d, (int64_t)e->a[0]), t, NOTHING, STWATCH_NONE, 0); break;
	case STW_EV_GoCreate:
	case STW_EV_GoCreateBlocked:
		note_root(d, (int64_t)e->a[0], e->a[1]);
		change(d, lane_of_g(d, (int64_t)e->a[0]), t, e->type == STW_EV_GoCreate ? STWATCH_BAR_RUNNABLE : STWATCH_BAR_WAITING,
			(int64_t)e->a[0], 0);
		break;
	case STW_EV_GoStart: see_start(d, e, (int64_t)e->a[0]); break;
	case STW_EV_GoLabel:
		if (p && p->state == STWATCH_BAR_RUNNING && is_gc_worker(d, e))
			p->state = STWATCH_BAR_GC;
		break;
	case STW_EV_GoStop: see_stop(d, e, STWATCH_BAR_RUNNABLE); break;
	case STW_EV_GoBlock: see_stop(d, e, STWATCH_BAR_WAITING); break;
	case STW_EV_GoUnblock:
		change(d, lane_of_g(d, (int64_t)e->a[0]), t, STWATCH_BAR_RUNNABLE, (int64_t)e->a[0], root_of(d, (int64_t)e->a[0]));
		break;
	case STW_EV_GoSyscallBegin:
		name_running(d, e, e->a[1]);
		change(d, p, t, STWATCH_BAR_SYSCALL, e->g, own_function(d, e->a[1]));
		change(d, lane_of_g(d, e->g), t, STWATCH_BAR_SYSCALL, e->g, own_function(d, e->a[1]));
		break;
	case STW_EV_GoSyscallEnd: see_start(d, e, e->g); break;
	case STW_EV_GoSyscallEndBlocked: change(d, lane_of_g(d, e->g), t, STWATCH_BAR_RUNNABLE, e->g, root_of(d, e->g)); break;
	case STW_EV_GoDestroy:
	case STW_EV_GoDestroySyscall:
		change(d, p, t, STWATCH_BAR_SPINNING, STWATCH_NONE, 0);
		change(d, lane_of_g(d, e->g), t, NOTHING, STWATCH_NONE, 0);
		break;
	case STW_EV_STWBegin:
	case STW_EV_STWEnd: see_stw(d, e, order); break;
	default: break;
	}
}

/* ---- reading ---- */

/* A span is read up to its end, or the end of the picture. */
static stwatch_status read_on(drawing *d, stw_stream *stream, const volatile int *cancel, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status = STWATCH_OK;
	bool begun = false;
	for (uint64_t n = 0; !d->failed; n++) {
		status = stw_stream_next(stream, &e, error);
		if (status == STWATCH_ERR_DAMAGED && stw_stream_goes_on(stream))
			continue;
		if (status != STWATCH_OK)
			break;
		if (n % EVENTS_A_PAUSE == 0 && cancel && *cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (e->type == STW_EV_SYNC_POINT) {
			if (begun && !stream->v1)
				return STWATCH_END; /* the next generation is read on its own */
			continue;
		}
		if (!begun)
			d->begin = e->time;
		begun = true;
		if (e->time > d->wish->to)
			return STWATCH_END;
		d->gen = stream->v1 ? &stream->v1->gen : &stream->gen;
		see(d, e, &stream->order);
	}
	return d->failed ? stw_fail_memory(error) : status;
}

static bool has_part(const stw_trace *trace, size_t span, const stw_picture_wish *w)
{
	int64_t next = INT64_MAX;
	for (size_t i = span + 1; i < trace->begins.count && next == INT64_MAX; i++)
		next = trace->begins.items[i];
	return trace->begins.items[span] != INT64_MAX && trace->begins.items[span] <= w->to && next >= w->from;
}

static stwatch_status read_spans(drawing *d, const stw_trace *trace, const volatile int *cancel, stwatch_error *error)
{
	stwatch_status status = STWATCH_OK;
	for (size_t i = 0; i < trace->begins.count && (status == STWATCH_OK || status == STWATCH_END || status == STWATCH_ERR_DAMAGED);
		i++) {
		const stw_span *span = &trace->spans.items[i];
		stw_stream stream;
		if (!has_part(trace, i, d->wish))
			continue;
		if (trace->v1)
			stw_stream_open_v1(&stream, d->mem, span, 1, trace->v1, false);
		else
			stw_stream_open_span(&stream, d->mem, span);
		status = read_on(d, &stream, cancel, error);
		stw_stream_close(&stream);
	}
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}

/* ---- the result ---- */

static bool hand_out(drawing *d, stw_arena *arena, lane *l, stwatch_lane *out)
{
	*out = (stwatch_lane){.kind = (stwatch_lane_kind)l->kind, .role = (stwatch_role)l->role, .id = l->id, .n_bars = l->bars.count};
	stwatch_bar *bars = stw_arena_alloc(arena, (l->bars.count + 1) * sizeof *bars);
	stw_slice name = stw_intern_get(&d->texts, l->kind == STWATCH_LANE_GOROUTINE ? root_of(d, l->id) : 0);
	out->name = stw_arena_copy(arena, name.data, name.length);
	if (!bars || !out->name)
		return false;
	for (size_t i = 0; i < l->bars.count; i++) {
		stw_slice what = stw_intern_get(&d->texts, l->bars.items[i].what);
		bars[i] = l->bars.items[i].bar;
		bars[i].from_ns -= d->wish->start;
		bars[i].to_ns -= d->wish->start;
		if (!(bars[i].what = stw_arena_copy(arena, what.data, what.length)))
			return false;
	}
	out->bars = bars;
	return true;
}

/* Those that were asked for, then others from the lowest on; in order of their numbers. */
static unsigned choose_procs(drawing *d)
{
	for (unsigned i = 1; i < d->n_procs; i++)
		for (unsigned k = i; k > 0 && d->procs[k - 1].id > d->procs[k].id; k--) {
			lane swap = d->procs[k];
			d->procs[k] = d->procs[k - 1];
			d->procs[k - 1] = swap;
		}
	unsigned wished = 0, others = 0, left_out = 0;
	for (unsigned i = 0; i < d->n_procs; i++)
		wished += d->procs[i].wished;
	for (unsigned i = 0; i < d->n_procs; i++)
		if (!d->procs[i].wished && wished + ++others > STW_PICTURE_PROCS) {
			d->procs[i].kind = 0;
			left_out++;
		}
	return left_out;
}

static stwatch_status finish(drawing *d, stw_arena *arena, stwatch_timeline *out, stwatch_error *error)
{
	const stw_picture_wish *w = d->wish;
	stwatch_lane *lanes = stw_arena_alloc(arena, (1 + PROCS_SEEN + STW_PICTURE_GS) * sizeof *lanes);
	bool ok = lanes != NULL;
	size_t n = 0;
	unsigned left_out = choose_procs(d);
	change(d, &d->stops, w->to, NOTHING, STWATCH_NONE, 0);
	if (ok && d->stops.bars.count)
		ok = hand_out(d, arena, &d->stops, &lanes[n++]);
	for (unsigned i = 0; i < d->n_procs; i++) {
		change(d, &d->procs[i], w->to, NOTHING, STWATCH_NONE, 0);
		if (ok && d->procs[i].kind)
			ok = hand_out(d, arena, &d->procs[i], &lanes[n++]);
	}
	for (unsigned i = 0; i < w->n_gs; i++) {
		change(d, &d->gs[i], w->to, NOTHING, STWATCH_NONE, 0);
		ok = ok && hand_out(d, arena, &d->gs[i], &lanes[n++]);
	}
	*out = (stwatch_timeline){
		.from_ns = w->from - w->start, .to_ns = w->to - w->start, .lanes = lanes, .n_lanes = n, .procs_left_out = left_out};
	return ok && !d->failed ? STWATCH_OK : stw_fail_memory(error);
}

static void free_drawing(drawing *d)
{
	stw_mem *mem = d->mem;
	stw_vec_free(mem, &d->stops.bars);
	for (unsigned i = 0; i < d->n_procs; i++)
		stw_vec_free(mem, &d->procs[i].bars);
	for (unsigned i = 0; i < d->wish->n_gs; i++)
		stw_vec_free(mem, &d->gs[i].bars);
	stw_map_free(&d->roots);
	stw_intern_free(&d->texts);
	stw_mem_free(mem, d, sizeof *d);
}

stwatch_status stw_picture_read(stwatch_timeline *out, const stw_picture_wish *wish, stw_mem *mem, stw_arena *arena, const stw_trace *trace,
	const volatile int *cancel, stwatch_error *error)
{
	drawing *d = stw_mem_zalloc(mem, sizeof *d);
	if (!d)
		return stw_fail_memory(error);
	d->mem = mem;
	d->wish = wish;
	stw_intern_init(&d->texts, mem);
	stw_map_init(&d->roots, mem);
	begin_lanes(d);
	stwatch_status status = read_spans(d, trace, cancel, error);
	if (status == STWATCH_OK)
		status = finish(d, arena, out, error);
	free_drawing(d);
	return status;
}
