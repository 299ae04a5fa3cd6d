#include "analysis/state_profile.h"

#include <string.h>

#include "engine/transition.h"
#include "model/fold.h"

void stw_state_profile_init(stw_state_profile *p, stw_mem *mem, const stwatch_profile_options *options)
{
	memset(p, 0, sizeof *p);
	p->mem = mem;
	p->options = *options;
	p->start = p->last = STW_TIME_UNKNOWN;
	p->stop.since = STW_TIME_UNKNOWN;
	stw_intern_init(&p->texts, mem);
	stw_intern_init(&p->codes, mem);
	stw_intern_init(&p->places, mem);
	stw_intern_init(&p->stacks, mem);
	stw_map_init(&p->slots, mem);
}

void stw_state_profile_free(stw_state_profile *p)
{
	stw_intern_free(&p->texts);
	stw_intern_free(&p->codes);
	stw_intern_free(&p->places);
	stw_intern_free(&p->stacks);
	stw_map_free(&p->slots);
	stw_vec_free(p->mem, &p->sums);
	stw_vec_free(p->mem, &p->scratch);
	stw_vec_free(p->mem, &p->gs);
	stw_vec_free(p->mem, &p->free_slots);
}

/* ---- stacks ---- */

static uint32_t put(stw_state_profile *p, stw_intern *intern, const void *data, size_t length)
{
	uint32_t n = stw_intern_put(intern, data, length);
	if (n == UINT32_MAX) {
		p->failed = true;
		return 0;
	}
	return n;
}

static uint32_t put_place(stw_state_profile *p, const stw_generation *gen, const stw_v2_frame *f)
{
	const stw_string *name = &gen->strings.items[f->func], *file = &gen->strings.items[f->file];
	const stw_profile_code code = {put(p, &p->texts, name->data, name->length), put(p, &p->texts, file->data, file->length)};
	const stw_profile_place place = {.code = put(p, &p->codes, &code, sizeof code), .line = f->line};
	return put(p, &p->places, &place, sizeof place);
}

static uint32_t put_stack(stw_state_profile *p, const stw_generation *gen, const stw_v2_stack *stack)
{
	p->scratch.count = 0;
	if (!stw_vec_reserve(p->mem, &p->scratch, stack->count)) {
		p->failed = true;
		return 0;
	}
	for (uint32_t i = 0; i < stack->count; i++) {
		const stw_v2_frame *f = stw_generation_frame(gen, stack, i);
		if (f->pc || f->func) /* else a preemption whose place is not known */
			p->scratch.items[p->scratch.count++] = put_place(p, gen, f);
	}
	return put(p, &p->stacks, p->scratch.items, p->scratch.count * sizeof *p->scratch.items);
}

/* The number of a stack of the generation at hand, kept beside it. */
static uint32_t number_at(stw_state_profile *p, stw_generation *gen, uint32_t index)
{
	stw_v2_stack *stack = &gen->stacks.items[index];
	if (stack->note[0] == 0)
		stack->note[0] = put_stack(p, gen, stack) + 1;
	return stack->note[0] - 1;
}

static uint32_t number_of(stw_state_profile *p, stw_generation *gen, uint64_t id)
{
	uint32_t index = stw_generation_stack(gen, id);
	return id == 0 || index == STW_MAP_NONE ? 0 : number_at(p, gen, index);
}

/* ---- stays ---- */

static void add_time(stw_state_profile *p, uint32_t stack, int64_t from, int64_t to)
{
	int64_t begin = p->start + p->options.from_ns, end = p->start + p->options.to_ns;
	from = from < begin ? begin : from;
	to = p->options.to_ns > 0 && to > end ? end : to;
	if (to <= from)
		return;
	while (p->sums.count <= stack) {
		stw_stack_sum *sum = stw_vec_push(p->mem, &p->sums);
		if (!sum) {
			p->failed = true;
			return;
		}
		*sum = (stw_stack_sum){0};
	}
	p->sums.items[stack].count++;
	p->sums.items[stack].ns += to - from;
}

static bool as_go_counts(const stw_state_profile *p)
{
	return p->options.type <= STWATCH_PROFILE_SYSCALL;
}

static stw_profiled_g *goroutine(stw_state_profile *p, int64_t id)
{
	uint32_t slot = stw_map_get(&p->slots, (uint64_t)id);
	if (slot != STW_MAP_NONE)
		return &p->gs.items[slot];
	if (p->free_slots.count)
		slot = p->free_slots.items[--p->free_slots.count];
	else if (stw_vec_add(p->mem, &p->gs))
		slot = (uint32_t)p->gs.count - 1;
	if (slot == STW_MAP_NONE || !stw_map_put(&p->slots, (uint64_t)id, slot)) {
		p->failed = true;
		return NULL;
	}
	p->gs.items[slot] = (stw_profiled_g){.id = id, .since = STW_TIME_UNKNOWN};
	return &p->gs.items[slot];
}

static void forget(stw_state_profile *p, stw_profiled_g *g)
{
	uint32_t *slot = stw_vec_push(p->mem, &p->free_slots);
	if (g->early.any)
		add_time(p, g->early.stack, g->early.from, g->early.to);
	stw_map_remove(&p->slots, (uint64_t)g->id);
	if (slot)
		*slot = (uint32_t)(g - p->gs.items);
	else
		p->failed = true;
	g->since = STW_TIME_UNKNOWN;
	g->early.any = false;
}

static void leave(stw_state_profile *p, stw_profiled_g *g, int64_t time, bool runs)
{
	int64_t from = g->since;
	g->since = STW_TIME_UNKNOWN;
	if (!as_go_counts(p) || g->ran)
		add_time(p, g->stack, from, time);
	else if (!runs) /* Go's tool looks at a goroutine from its first run on, and at all of it where it never ran */
		g->early = (stw_profile_stay){g->stack, from, time, true};
}

static bool has(stw_string text, const char *word)
{
	return memmem(text.data, text.length, word, strlen(word)) != NULL;
}

/* The state whose time is summed. */
static unsigned state_of(const stw_state_profile *p)
{
	static const unsigned STATES[] = {
		[STWATCH_PROFILE_SCHED] = STW_GO_RUNNABLE,
		[STWATCH_PROFILE_SYNC] = STW_GO_WAITING,
		[STWATCH_PROFILE_NET] = STW_GO_WAITING,
		[STWATCH_PROFILE_SYSCALL] = STW_GO_SYSCALL,
		[STWATCH_PROFILE_STW] = STW_GO_UNDETERMINED, /* no transition goes there */
		[STWATCH_PROFILE_RUNNING] = STW_GO_RUNNING,
		[STWATCH_PROFILE_RUNNABLE] = STW_GO_RUNNABLE,
	};
	return STATES[p->options.type];
}

/* Whether the reason of a wait is one of those that are summed. */
static bool counts(const stw_state_profile *p, const stw_stream *s, const stw_transition *t)
{
	if (p->options.type != STWATCH_PROFILE_SYNC && p->options.type != STWATCH_PROFILE_NET)
		return true;
	uint32_t index = t->has_reason ? stw_generation_string(&s->gen, t->reason) : STW_MAP_NONE;
	if (index == STW_MAP_NONE)
		return false;
	stw_string why = s->gen.strings.items[index];
	if (p->options.type == STWATCH_PROFILE_NET)
		return why.length == 7 && memcmp(why.data, "network", 7) == 0;
	return has(why, "chan") || has(why, "sync") || has(why, "select");
}

static void change(stw_state_profile *p, stw_stream *s, const stw_stream_event *e)
{
	const stw_transition t = stw_transition_of(e);
	uint64_t acting = 0;
	if (t.proc || (p->options.goroutine && t.id != p->options.goroutine))
		return;
	stw_profiled_g *g = goroutine(p, t.id);
	if (!g)
		return;
	if (t.has_stack)
		g->own = number_of(p, &s->gen, t.stack);
	const bool inside = t.to == state_of(p);
	if (g->since != STW_TIME_UNKNOWN && !inside) {
		if (p->options.type == STWATCH_PROFILE_RUNNING)
			g->stack = g->own; /* where it ended, as far as that is known */
		leave(p, g, e->time, t.to == STW_GO_RUNNING);
	} else if (g->since == STW_TIME_UNKNOWN && inside && counts(p, s, &t)) {
		g->since = e->time;
		g->stack = !as_go_counts(p) ? g->own : stw_event_stack(e, &acting) ? number_of(p, &s->gen, acting) : 0;
	}
	if (t.to == STW_GO_RUNNING && t.from != STW_GO_RUNNING) {
		g->ran = true;
		g->early.any = false;
	} else if (t.to == STW_GO_NOT_EXIST) {
		forget(p, g);
	}
}

static void stop(stw_state_profile *p, stw_stream *s, const stw_stream_event *e)
{
	if (p->stops_known)
		return;
	if (e->type == STW_EV_STWBegin && (!p->options.goroutine || e->g == p->options.goroutine)) {
		p->stop.since = e->time;
		p->stop.stack = number_of(p, &s->gen, e->a[1]);
	} else if (e->type == STW_EV_STWEnd && p->stop.since != STW_TIME_UNKNOWN) {
		add_time(p, p->stop.stack, p->stop.since, e->time);
		p->stop.since = STW_TIME_UNKNOWN;
	}
}

void stw_state_profile_add_stop(stw_state_profile *p, stw_generation *gen, const stw_untold_stop *s)
{
	if (p->options.goroutine && s->g != p->options.goroutine)
		return;
	add_time(p, s->stack ? number_at(p, gen, s->stack) : 0, s->from, s->to);
}

static void note_wall(stw_state_profile *p, const stw_generation *gen)
{
	p->has_wall = true;
	p->wall_ns = gen->clock_sec * 1000000000 + gen->clock_nsec - (stw_generation_ns(gen, gen->clock_time) - p->start);
}

void stw_state_profile_add(stw_state_profile *p, stw_stream *s, const stw_stream_event *e)
{
	if (e->type == STW_EV_SYNC_POINT) /* no event of the program's */
		return;
	if (p->start == STW_TIME_UNKNOWN)
		p->start = e->time;
	p->last = e->time;
	if (!p->has_wall && e->has_generation && s->gen.has_clock)
		note_wall(p, &s->gen);
	if (p->options.type == STWATCH_PROFILE_STW)
		stop(p, s, e);
	else if (stw_stream_kind(e) == STWATCH_EVENT_STATE_TRANSITION)
		change(p, s, e);
}

/* What is open counts up to the last event, where it counts at all. */
static void end_stays(stw_state_profile *p)
{
	for (size_t i = 0; i < p->gs.count; i++) {
		stw_profiled_g *g = &p->gs.items[i];
		if (g->early.any)
			add_time(p, g->early.stack, g->early.from, g->early.to);
		if (g->since != STW_TIME_UNKNOWN && !as_go_counts(p))
			add_time(p, p->options.type == STWATCH_PROFILE_RUNNING ? g->own : g->stack, g->since, p->last);
	}
	if (p->stop.since != STW_TIME_UNKNOWN)
		add_time(p, p->stop.stack, p->stop.since, p->last);
}

void stw_state_profile_break(stw_state_profile *p)
{
	end_stays(p);
	stw_map_clear(&p->slots);
	p->gs.count = p->free_slots.count = 0;
	p->stop.since = STW_TIME_UNKNOWN;
}

static bool names(const stw_state_profile *p, uint32_t stack)
{
	stw_slice row = stw_intern_get(&p->stacks, stack);
	for (uint32_t i = 0; i < row.length; i += sizeof(uint32_t)) {
		uint32_t number;
		stw_profile_place place;
		stw_profile_code code;
		memcpy(&number, row.data + i, sizeof number);
		memcpy(&place, stw_intern_get(&p->places, number).data, sizeof place);
		memcpy(&code, stw_intern_get(&p->codes, place.code).data, sizeof code);
		if (strstr(stw_intern_get(&p->texts, code.name).data, p->options.function))
			return true;
	}
	return false;
}

void stw_state_profile_finish(stw_state_profile *p)
{
	end_stays(p);
	for (uint32_t i = 0; p->options.function && i < p->sums.count; i++)
		if (!names(p, i))
			p->sums.items[i] = (stw_stack_sum){0};
}
