#include "analysis/way.h"

#include <string.h>

#include "analysis/gather.h"
#include "base/error.h"
#include "model/fold.h"

enum { MOST_LEVELS = 4096, MOST_STEPS = 64, MOST_SEGMENTS = 4096, FUNCTIONS = 32, NEIGHBOURS = 16 };

void stw_ways_init(stw_ways *x, stw_mem *mem, stw_spots *spots, size_t room)
{
	memset(x, 0, sizeof *x);
	x->mem = mem;
	x->spots = spots;
	x->procs = 1;
	stw_past_init(&x->past, mem, room);
	stw_intern_init(&x->whole.keys, mem);
	stw_intern_init(&x->all.keys, mem);
}

void stw_ways_free(stw_ways *x)
{
	for (size_t i = 0; i < x->ways.count; i++)
		stw_vec_free(x->mem, &x->ways.items[i].levels);
	stw_vec_free(x->mem, &x->ways);
	stw_vec_free(x->mem, &x->segments);
	stw_vec_free(x->mem, &x->whole.rows);
	stw_vec_free(x->mem, &x->all.rows);
	stw_intern_free(&x->whole.keys);
	stw_intern_free(&x->all.keys);
	stw_past_free(&x->past);
}

bool stw_ways_add(stw_ways *x, int64_t begin, int64_t end, int64_t g, bool whole)
{
	stw_way *w = stw_vec_push(x->mem, &x->ways);
	if (!w)
		return false;
	*w = (stw_way){.begin = begin, .cursor = end, .tail = INT64_MIN, .whole = whole};
	stw_way_level *l = stw_vec_push(x->mem, &w->levels);
	if (l)
		*l = (stw_way_level){.g = g, .limit = begin, .floor = begin, .waiter = STWATCH_NONE};
	return l != NULL;
}

/* ---- names ---- */

static uint32_t spot_of(stw_ways *x, uint32_t stack)
{
	return stw_spots_of(x->spots, &x->past.gen, stack);
}

/* The place that CPU samples show most often; 0: there are none. */
static uint32_t sampled(stw_ways *x, int64_t g, int64_t from, int64_t to)
{
	uint32_t spots[FUNCTIONS], counts[FUNCTIONS], n = 0, best = 0;
	for (const stw_past_stay *s = stw_past_find(&x->past, STW_PAST_SAMPLE, g, to); s && s->from >= from;
		s = stw_past_before(&x->past, s)) {
		uint32_t spot = spot_of(x, s->stack), i = 0;
		while (i < n && stw_spots_get(x->spots, spots[i]).function != stw_spots_get(x->spots, spot).function)
			i++;
		if (i == FUNCTIONS || spot == 0)
			continue;
		if (i == n) {
			spots[n] = spot;
			counts[n++] = 0;
		}
		counts[i]++;
		if (counts[i] > counts[best])
			best = i;
	}
	return n ? spots[best] : 0;
}

/* Some place of a goroutine around a stay: where it was last, else what it was started with, else where it was next. */
static uint32_t spot_nearby(stw_ways *x, const stw_past_stay *s)
{
	const stw_past_stay *end = x->past.stays.items + x->past.stays.count, *at = s;
	for (unsigned n = 0; at && n < NEIGHBOURS; at = stw_past_before(&x->past, at), n++)
		if (at->stack)
			return spot_of(x, at->stack);
	const stw_past_stay *birth = stw_past_find(&x->past, STW_PAST_BIRTH, s->id, s->from + 1);
	const uint32_t home = birth && birth->stack ? birth->stack : stw_past_home(&x->past, s->id);
	if (home)
		return spot_of(x, home);
	at = s;
	for (unsigned n = 0; at < end && at->track == s->track && at->id == s->id && n < NEIGHBOURS; at++, n++)
		if (at->stack)
			return spot_of(x, at->stack);
	return 0;
}

/* What a proc executed: the place where that ended, else some place of the goroutine. */
static uint32_t spot_of_use(stw_ways *x, const stw_past_stay *use)
{
	const stw_past_stay *s = use->stack ? NULL : stw_past_find(&x->past, STW_PAST_GOROUTINE, use->by, use->to);
	return s ? spot_nearby(x, s) : spot_of(x, use->stack);
}

/* ---- what becomes of a stretch ---- */

static void share(stw_ways *x, stw_way_shares *to, const stw_way_segment *s)
{
	const stw_spot spot = stw_spots_get(x->spots, s->spot);
	const uint32_t key[] = {s->kind, spot.function, spot.root, s->procs.function ? s->procs.function : s->what, s->depth == 0};
	uint32_t n = stw_intern_put(&to->keys, (const char *)key, sizeof key);
	if (n == UINT32_MAX) {
		x->failed = true;
		return;
	}
	for (; to->rows.count < n;) {
		stw_way_share *row = stw_vec_push(x->mem, &to->rows);
		if (!row) {
			x->failed = true;
			return;
		}
		*row = (stw_way_share){
			.kind = s->kind, .function = spot.function, .root = spot.root, .what = key[3], .own = key[4], .g = s->g};
	}
	stw_way_share *row = &to->rows.items[n - 1];
	row->g = row->g == s->g ? s->g : STWATCH_NONE;
	row->count++;
	row->total += s->to - s->from;
	row->max = s->to - s->from > row->max ? s->to - s->from : row->max;
}

/* The later of two neighbours takes the other in; what lasted longest stands for both. */
static void merge(stw_way_segment *later, const stw_way_segment *s)
{
	const stw_way_segment both = *later;
	if (s->longest > later->longest)
		*later = *s;
	later->from = s->from;
	later->to = both.to;
	later->merged = (both.merged ? both.merged : 1) + (s->merged ? s->merged : 1);
}

static bool continues(const stw_way_segment *later, const stw_way_segment *s)
{
	return later->from == s->to && later->kind == s->kind && later->g == s->g && later->spot == s->spot && later->what == s->what &&
		later->depth == s->depth && later->waiter == s->waiter && later->procs.function == 0 && s->procs.function == 0;
}

/* Keeps the number of segments bounded. */
static void thin_out(stw_ways *x)
{
	stw_way_segment *items = x->segments.items;
	size_t n = x->segments.count;
	while (n > MOST_SEGMENTS / 2) {
		size_t kept = 0;
		x->least = x->least ? 2 * x->least : 1000;
		for (size_t i = 0; i < n; i++) {
			if (kept && items[kept - 1].to - items[kept - 1].from < x->least && items[i].to - items[i].from < x->least)
				merge(&items[kept - 1], &items[i]);
			else
				items[kept++] = items[i];
		}
		n = kept;
	}
	x->segments.count = n;
}

static void keep(stw_ways *x, stw_way_segment *s)
{
	stw_way_segment *last = x->segments.count ? &x->segments.items[x->segments.count - 1] : NULL;
	s->longest = s->to - s->from;
	if (last && continues(last, s)) {
		last->from = s->from;
		last->longest += s->longest;
		return;
	}
	stw_way_segment *slot = stw_vec_push(x->mem, &x->segments);
	if (!slot) {
		x->failed = true;
		return;
	}
	*slot = *s;
	if (x->segments.count >= MOST_SEGMENTS)
		thin_out(x);
}

/* Takes [from, cursor) into the path, and goes on before it. */
static void take(stw_ways *x, stw_way *w, stw_way_segment s, int64_t from)
{
	const stw_way_level *l = &w->levels.items[w->levels.count - 1];
	s.from = from;
	s.to = w->tail == INT64_MIN ? w->cursor : w->tail;
	w->tail = INT64_MIN;
	s.g = l->g;
	s.waiter = l->waiter;
	s.waiter_spot = l->waiter_spot;
	s.waiter_what = l->waiter_what;
	s.depth = (unsigned)w->levels.count - 1;
	w->cursor = from;
	w->steps = 0;
	if (s.to <= s.from)
		return;
	w->kind_ns[s.kind] += s.to - s.from;
	share(x, &x->all, &s);
	if (w->whole) {
		share(x, &x->whole, &s);
		keep(x, &s);
	}
}

/* A wait of which nobody says what it was for. */
static void take_tail(stw_ways *x, stw_way *w)
{
	if (w->tail != INT64_MIN)
		take(x, w, (stw_way_segment){.kind = STWATCH_PATH_WAITING}, w->cursor);
}

/* ---- runnable: what the procs did ---- */

typedef struct tally {
	uint32_t roots[FUNCTIONS];
	int64_t ns[FUNCTIONS];
	unsigned n;
} tally;

static void count_root(tally *t, uint32_t root, int64_t ns)
{
	unsigned i = 0;
	while (i < t->n && t->roots[i] != root)
		i++;
	if (i == FUNCTIONS || root == 0)
		return;
	if (i == t->n) {
		t->roots[i] = root;
		t->ns[t->n++] = 0;
	}
	t->ns[i] += ns;
}

static void count_use(stw_ways *x, const stw_past_stay *s, int64_t ns, stw_way_procs *out, tally *t)
{
	uint32_t root = stw_spots_get(x->spots, spot_of_use(x, s)).root;
	if (strcmp(stw_spots_text(x->spots, root), "runtime.gcBgMarkWorker") == 0)
		out->gc_ns += ns;
	else if (s->state == STW_STATE_G_SYSCALL)
		out->syscall_ns += ns;
	else
		out->running_ns += ns;
	count_root(t, root, ns);
}

static stw_way_procs procs_within(stw_ways *x, int64_t from, int64_t to)
{
	stw_way_procs out = {0};
	tally t = {.n = 0};
	for (size_t i = 0; i < x->past.procs.count; i++)
		for (const stw_past_stay *s = stw_past_find(&x->past, STW_PAST_PROC, x->past.procs.items[i].id, to); s && s->to > from;
			s = stw_past_before(&x->past, s))
			count_use(x, s, stw_overlap(s->from, s->to, from, to), &out, &t);
	int64_t procs = (int64_t)x->past.procs.count > x->procs ? (int64_t)x->past.procs.count : x->procs;
	out.idle_ns = procs * (to - from) - out.running_ns - out.gc_ns - out.syscall_ns;
	out.idle_ns = out.idle_ns > 0 ? out.idle_ns : 0;
	for (unsigned i = 0; i < t.n; i++)
		if (t.ns[i] > out.function_ns) {
			out.function_ns = t.ns[i];
			out.function = t.roots[i];
		}
	return out;
}

/* Parts of a stretch that lie within stays of another track (stops, assists) are of another kind. */
static void take_split(
	stw_ways *x, stw_way *w, const stw_way_segment *plain, stw_past_track track, int64_t id, unsigned other, int64_t from)
{
	while (w->cursor > from) {
		const stw_past_stay *s = stw_past_find(&x->past, track, id, w->cursor);
		bool inside = s && s->to >= w->cursor;
		int64_t next = !s ? from : inside ? s->from : s->to;
		stw_way_segment part = *plain;
		next = next > from ? next : from;
		if (inside) {
			stw_slice text = stw_past_text(&x->past, s);
			part.kind = (uint8_t)other;
			part.what = track == STW_PAST_STOP ? stw_spots_keep(x->spots, text.data, text.length) : part.what;
		} else if (part.kind == STWATCH_PATH_RUNNABLE && w->whole) {
			part.procs = procs_within(x, next, w->cursor);
		}
		take(x, w, part, next);
	}
}

/* ---- waits ---- */

static bool is_root(stw_ways *x, uint32_t stack, const char *function)
{
	return strcmp(stw_spots_text(x->spots, stw_spots_get(x->spots, spot_of(x, stack)).root), function) == 0;
}

/* A wait that ends with what it was for; 0: with another goroutine, which is to be followed. */
static unsigned kind_of_wait(stw_ways *x, const stw_past_stay *s, stw_wait wait, bool ended)
{
	if (s->state == STW_STATE_G_PREEMPTED)
		return STWATCH_PATH_GC;
	switch (wait) {
	case STW_WAIT_SLEEP: return STWATCH_PATH_TIMER;
	case STW_WAIT_NETWORK: return STWATCH_PATH_NETWORK;
	case STW_WAIT_GC: {
		stw_slice why = stw_past_text(&x->past, s);
		return memmem(why.data, why.length, "assist", 6) ? STWATCH_PATH_ASSIST : STWATCH_PATH_GC;
	}
	default: break;
	}
	if (!ended)
		return STWATCH_PATH_WAITING;
	if (s->by == STWATCH_NONE) /* the scheduler itself made it ready */
		return wait == STW_WAIT_RECEIVE || wait == STW_WAIT_SELECT ? STWATCH_PATH_TIMER : STWATCH_PATH_WAITING;
	if (is_root(x, s->wake, "runtime.timerproc")) /* to Go 1.13 */
		return STWATCH_PATH_TIMER;
	return is_root(x, s->wake, "runtime.gcBgMarkWorker") ? STWATCH_PATH_GC : 0;
}

static void follow_waker(stw_ways *x, stw_way *w, const stw_past_stay *s, uint32_t spot, uint32_t what)
{
	const stw_way_level *top = &w->levels.items[w->levels.count - 1];
	const int64_t limit = s->open_begin ? INT64_MIN : s->from;
	const stw_way_level next = {
		.g = s->by,
		.limit = limit,
		.floor = limit > top->floor ? limit : top->floor,
		.waiter = s->id,
		.spot = spot_of(x, s->wake),
		.waiter_spot = spot,
		.waiter_what = what,
	};
	stw_way_level *slot = stw_vec_push(x->mem, &w->levels);
	if (slot)
		*slot = next;
	else
		x->failed = true;
	w->steps++;
}

static void look_at_wait(stw_ways *x, stw_way *w, const stw_past_stay *s, int64_t from)
{
	stw_slice why = stw_past_text(&x->past, s);
	bool ended = w->tail != INT64_MIN ? w->tail_ended : !s->open_end && s->to == w->cursor;
	if (s->text == 0 && s->open_begin && from == s->from && !(ended && s->by != STWATCH_NONE)) {
		w->tail = w->tail != INT64_MIN ? w->tail : w->cursor;
		w->tail_ended = ended;
		w->cursor = from;
		return;
	}
	unsigned kind = kind_of_wait(x, s, stw_wait_of(why.data, why.length), ended);
	uint32_t spot = spot_of(x, s->stack), what = stw_spots_keep(x->spots, why.data, why.length);
	if (!kind && s->by != s->id && w->steps < MOST_STEPS && w->levels.count < MOST_LEVELS) {
		follow_waker(x, w, s, spot, what);
		return;
	}
	take(x, w,
		(stw_way_segment){
			.kind = (uint8_t)(kind ? kind : STWATCH_PATH_WAITING), .spot = spot ? spot : spot_nearby(x, s), .what = what},
		from);
}

/* ---- backwards ---- */

/* It was not there yet: what made it has its time. */
static void look_before_birth(stw_ways *x, stw_way *w, int64_t low)
{
	stw_way_level *l = &w->levels.items[w->levels.count - 1];
	const stw_past_stay *birth = stw_past_find(&x->past, STW_PAST_BIRTH, l->g, w->cursor + 1);
	bool born = birth && birth->from == w->cursor && w->steps < MOST_STEPS;
	/* No goroutine makes those of time.AfterFunc, but a timer that goes off (time/sleep.go: goFunc). */
	l->made_by_timer |= born && birth->by == STWATCH_NONE;
	if (!born || l->made_by_timer) {
		take(x, w, (stw_way_segment){.kind = l->made_by_timer ? STWATCH_PATH_TIMER : STWATCH_PATH_UNKNOWN}, low);
		return;
	}
	l->g = birth->by;
	l->spot = spot_of(x, birth->wake);
	w->steps++;
}

static void look_at_run(stw_ways *x, stw_way *w, const stw_past_stay *s, int64_t from)
{
	stw_way_level *l = &w->levels.items[w->levels.count - 1];
	uint32_t spot = sampled(x, s->id, from, w->cursor);
	if (!spot)
		spot = l->spot ? l->spot : spot_of(x, s->stack);
	const stw_way_segment part = {.kind = STWATCH_PATH_RUNNING, .spot = spot ? spot : spot_nearby(x, s)};
	l->spot = 0;
	take_split(x, w, &part, STW_PAST_ASSIST, s->id, STWATCH_PATH_ASSIST, from);
}

static void look_at(stw_ways *x, stw_way *w, const stw_past_stay *s, int64_t from)
{
	switch (s->state) {
	case STW_STATE_G_RUNNING: look_at_run(x, w, s, from); return;
	case STW_STATE_G_RUNNABLE: {
		const stw_way_segment part = {.kind = STWATCH_PATH_RUNNABLE, .spot = spot_nearby(x, s)};
		take_split(x, w, &part, STW_PAST_STOP, 0, STWATCH_PATH_STOPPED, from);
		return;
	}
	case STW_STATE_G_WAITING:
	case STW_STATE_G_PREEMPTED: {
		/* In whole, also where it began before what is loaded: what it was for shows at its end. */
		int64_t floor = w->levels.items[w->levels.count - 1].floor;
		look_at_wait(x, w, s, s->from > floor ? s->from : floor);
		return;
	}
	default: break;
	}
	take(x, w,
		(stw_way_segment){.kind = s->state == STW_STATE_G_SYSCALL ? STWATCH_PATH_SYSCALL : STWATCH_PATH_UNKNOWN,
			.spot = s->stack ? spot_of(x, s->stack) : spot_nearby(x, s)},
		from);
}

static bool is_waiting(const stw_past_stay *s)
{
	return s->state == STW_STATE_G_WAITING || s->state == STW_STATE_G_PREEMPTED;
}

/* As far as what is loaded goes. */
static void go_back(stw_ways *x, stw_way *w)
{
	while (w->cursor > w->begin && w->cursor > x->past.begin && !x->failed) {
		const stw_way_level *l = &w->levels.items[w->levels.count - 1];
		if (w->levels.count > 1 && w->cursor <= l->floor) {
			take_tail(x, w);
			w->levels.count--;
			continue;
		}
		int64_t low = l->floor > x->past.begin ? l->floor : x->past.begin;
		const stw_past_stay *s = stw_past_find(&x->past, STW_PAST_GOROUTINE, l->g, w->cursor);
		if (!s || s->to < w->cursor || !is_waiting(s))
			take_tail(x, w);
		if (!s)
			look_before_birth(x, w, low);
		else if (s->to < w->cursor) /* it had ended, or part of the trace is missing */
			take(x, w, (stw_way_segment){.kind = STWATCH_PATH_UNKNOWN, .spot = spot_nearby(x, s)}, s->to > low ? s->to : low);
		else
			look_at(x, w, s, s->from > low ? s->from : low);
	}
}

/* Waits that had begun before what was loaded may have begun in what is loaded now. */
static void find_limits(stw_ways *x, stw_way *w)
{
	for (size_t i = 1; i < w->levels.count; i++) {
		stw_way_level *l = &w->levels.items[i];
		if (l->limit == INT64_MIN) {
			const stw_past_stay *s = stw_past_find(&x->past, STW_PAST_GOROUTINE, l->waiter, w->cursor);
			if (!s || s->to < w->cursor || !is_waiting(s))
				l->limit = w->cursor;
			else if (!s->open_begin)
				l->limit = s->from;
		}
		l->floor = l->limit > w->levels.items[i - 1].floor ? l->limit : w->levels.items[i - 1].floor;
	}
}

static int64_t earliest(const stw_ways *x)
{
	int64_t from = INT64_MAX;
	for (size_t i = 0; i < x->ways.count; i++)
		from = x->ways.items[i].begin < from ? x->ways.items[i].begin : from;
	return from;
}

static int64_t latest(const stw_ways *x)
{
	int64_t until = INT64_MIN;
	for (size_t i = 0; i < x->ways.count; i++)
		if (x->ways.items[i].cursor > x->ways.items[i].begin && x->ways.items[i].cursor > until)
			until = x->ways.items[i].cursor;
	return until;
}

/* What is not in any part that could be read. */
static void give_up(stw_ways *x, int64_t down_to)
{
	for (size_t i = 0; i < x->ways.count; i++) {
		stw_way *w = &x->ways.items[i];
		int64_t low = w->begin > down_to ? w->begin : down_to;
		if (w->cursor > low)
			take(x, w, (stw_way_segment){.kind = STWATCH_PATH_UNKNOWN}, low);
	}
}

static uint32_t span_before(const stw_trace *trace, const int64_t *begins, int64_t until)
{
	for (size_t i = trace->spans.count; i-- > 0;)
		if (begins[i] < until)
			return (uint32_t)i;
	return UINT32_MAX;
}

static stwatch_status follow(stw_ways *x, const stw_trace *trace, const int64_t *begins, const volatile int *cancel, stwatch_error *error)
{
	for (int64_t until = latest(x); until != INT64_MIN; until = latest(x)) {
		uint32_t span = span_before(trace, begins, until);
		if (span == UINT32_MAX) {
			give_up(x, INT64_MIN);
			continue;
		}
		stwatch_status status = stw_past_load(&x->past, trace, span, earliest(x), until, cancel, error);
		if (status != STWATCH_OK)
			return status;
		if (x->past.begin >= until)
			give_up(x, begins[span]);
		for (size_t i = 0; i < x->ways.count; i++) {
			find_limits(x, &x->ways.items[i]);
			go_back(x, &x->ways.items[i]);
		}
		if (x->failed || x->spots->failed)
			return stw_fail_memory(error);
	}
	for (size_t i = 0; i < x->ways.count; i++)
		take_tail(x, &x->ways.items[i]);
	return x->failed ? stw_fail_memory(error) : STWATCH_OK;
}

stwatch_status stw_ways_follow(stw_ways *x, const stw_trace *trace, const int64_t *begins, const volatile int *cancel, stwatch_error *error)
{
	stwatch_status status = follow(x, trace, begins, cancel, error);
	stw_past_unload(&x->past);
	return status;
}
