#include "analysis/choices.h"

#include <string.h>

#include "engine/transition.h"
#include "model/fold.h"

void stw_choices_init(stw_choices *c, stw_mem *mem, stw_spots *spots, const stwatch_path_options *options)
{
	memset(c, 0, sizeof *c);
	c->mem = mem;
	c->spots = spots;
	c->options = *options;
	c->first = c->last = STW_TIME_UNKNOWN;
	stw_intern_init(&c->keys, mem);
	stw_map_init(&c->tasks, mem);
	stw_map_init(&c->gs, mem);
}

void stw_choices_free(stw_choices *c)
{
	stw_intern_free(&c->keys);
	stw_map_free(&c->tasks);
	stw_map_free(&c->gs);
	stw_vec_free(c->mem, &c->names);
	stw_vec_free(c->mem, &c->open_tasks);
	stw_vec_free(c->mem, &c->open_regions);
	stw_vec_free(c->mem, &c->known);
	stw_vec_free(c->mem, &c->free_tasks);
	stw_vec_free(c->mem, &c->free_regions);
	stw_vec_free(c->mem, &c->free_gs);
	stw_vec_free(c->mem, &c->chosen);
}

/* ---- spans ---- */

static const char *text_of(const stw_choices *c, uint32_t text)
{
	return stw_spots_text(c->spots, text);
}

static bool is_id(const char *name, uint64_t id)
{
	uint64_t value = 0;
	for (const char *p = name; *p; p++) {
		if (*p < '0' || *p > '9' || value > UINT64_MAX / 10 - 1)
			return false;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	return *name && value == id;
}

static bool is_wanted(const stw_choices *c, stwatch_path_subject subject, const stw_chosen *s)
{
	const stwatch_path_options *o = &c->options;
	if (o->subject == STWATCH_PATH_GOROUTINE || o->subject == STWATCH_PATH_FUNCTION)
		return subject == STWATCH_PATH_GOROUTINE &&
			(o->subject == STWATCH_PATH_GOROUTINE ? s->id == (uint64_t)o->goroutine
							      : o->name && strstr(text_of(c, s->name), o->name));
	if (o->subject != subject || !o->name)
		return false;
	return strcmp(text_of(c, s->name), o->name) == 0 || (subject == STWATCH_PATH_TASK && is_id(o->name, s->id));
}

static void choose(stw_choices *c, stwatch_path_subject subject, const stw_chosen *s)
{
	if (!is_wanted(c, subject, s) || s->end <= s->begin)
		return;
	if (c->chosen.count == STW_CHOICES_SPANS) {
		c->left_out++;
		return;
	}
	stw_chosen *slot = stw_vec_push(c->mem, &c->chosen);
	if (slot)
		*slot = *s;
	else
		c->failed = true;
}

static void count_name(stw_choices *c, stwatch_path_subject subject, const stw_chosen *s)
{
	const uint32_t key[] = {(uint32_t)subject, s->name};
	uint32_t n = stw_intern_put(&c->keys, (const char *)key, sizeof key);
	while (n != UINT32_MAX && c->names.count < n) {
		stw_choice *fresh = stw_vec_push(c->mem, &c->names);
		if (!fresh)
			break;
		*fresh = (stw_choice){.subject = key[0], .name = key[1]};
	}
	stw_choice *row = n <= c->names.count ? &c->names.items[n - 1] : NULL;
	if (!row) {
		c->failed = true;
		return;
	}
	int64_t ns = s->end - s->begin;
	row->count++;
	row->total += ns;
	row->max = ns > row->max ? ns : row->max;
}

static void span(stw_choices *c, stwatch_path_subject subject, const stw_chosen *s)
{
	count_name(c, subject, s);
	choose(c, subject, s);
}

/* A slot of one of the pools; UINT32_MAX when out of memory. */
#define NEW_SLOT(c, pool, unused)                                                                                                          \
	((unused)->count ? (unused)->items[--(unused)->count] : stw_vec_add((c)->mem, (pool)) ? (uint32_t)(pool)->count - 1 : UINT32_MAX)
#define GIVE_BACK(c, unused, slot)                                                                                                         \
	do {                                                                                                                               \
		uint32_t *back = stw_vec_push((c)->mem, (unused));                                                                         \
		if (back)                                                                                                                  \
			*back = (slot);                                                                                                    \
		else                                                                                                                       \
			(c)->failed = true;                                                                                                \
	} while (0)

/* ---- goroutines ---- */

static stw_known_goroutine *known(stw_choices *c, int64_t id, int64_t begin, bool open_begin)
{
	if (id == STWATCH_NONE)
		return NULL;
	uint32_t slot = stw_map_get(&c->gs, (uint64_t)id);
	if (slot != STW_MAP_NONE)
		return &c->known.items[slot];
	slot = NEW_SLOT(c, &c->known, &c->free_gs);
	if (slot != UINT32_MAX)
		c->known.items[slot].used = false; /* until it is in the map */
	if (slot == UINT32_MAX || !stw_map_put(&c->gs, (uint64_t)id, slot)) {
		c->failed = true;
		return NULL;
	}
	c->known.items[slot] = (stw_known_goroutine){
		.id = id, .begin = begin, .since = STW_TIME_UNKNOWN, .open_begin = open_begin, .used = true};
	return &c->known.items[slot];
}

/* Of the runtime and the tracer: they wait by design. */
static bool is_runtimes(const char *root)
{
	return (strncmp(root, "runtime.", 8) == 0 && strcmp(root, "runtime.main") != 0) || strncmp(root, "runtime/", 8) == 0;
}

static void remember(stw_choices *c, const stw_known_goroutine *g)
{
	const stw_choice row = {.subject = STWATCH_PATH_GOROUTINE,
		.name = g->root,
		.id = (uint64_t)g->id,
		.count = 1,
		.total = g->waited,
		.max = g->longest};
	unsigned i = c->n_most;
	if (row.total == 0 || is_runtimes(text_of(c, g->root)) || (i == STW_CHOICES_GOROUTINES && c->most[i - 1].total >= row.total))
		return;
	i -= i == STW_CHOICES_GOROUTINES;
	for (; i > 0 && c->most[i - 1].total < row.total; i--)
		c->most[i] = c->most[i - 1];
	c->most[i] = row;
	c->n_most += c->n_most < STW_CHOICES_GOROUTINES;
}

static void end_wait(stw_known_goroutine *g, int64_t at)
{
	int64_t ns = g->since == STW_TIME_UNKNOWN ? 0 : at - g->since;
	g->since = STW_TIME_UNKNOWN;
	g->waited += ns;
	g->longest = ns > g->longest ? ns : g->longest;
}

static void end_regions(stw_choices *c, stw_known_goroutine *g, int64_t at, bool open_end)
{
	while (g->region) {
		uint32_t slot = g->region - 1;
		const stw_open_region *r = &c->open_regions.items[slot];
		span(c, STWATCH_PATH_REGION,
			&(stw_chosen){
				.begin = r->begin, .end = at, .g = g->id, .id = (uint64_t)g->id, .name = r->name, .open_end = open_end});
		g->region = c->open_regions.items[slot].outer;
		GIVE_BACK(c, &c->free_regions, slot);
	}
}

static void end_goroutine(stw_choices *c, stw_known_goroutine *g, int64_t at, bool open_end)
{
	end_wait(g, at);
	end_regions(c, g, at, true);
	remember(c, g);
	choose(c, STWATCH_PATH_GOROUTINE,
		&(stw_chosen){.begin = g->begin,
			.end = at,
			.g = g->id,
			.id = (uint64_t)g->id,
			.name = g->root,
			.open_begin = g->open_begin,
			.open_end = open_end});
	g->used = false;
	stw_map_remove(&c->gs, (uint64_t)g->id);
	GIVE_BACK(c, &c->free_gs, (uint32_t)(g - c->known.items));
}

static void transition(stw_choices *c, stw_stream *stream, const stw_stream_event *e)
{
	const stw_transition t = stw_transition_of(e);
	if (t.proc)
		return;
	stw_known_goroutine *g = known(c, t.id, t.from == STW_GO_NOT_EXIST ? e->time : c->first, t.from != STW_GO_NOT_EXIST);
	if (!g)
		return;
	if (t.has_stack && g->root == 0) {
		stw_generation *gen = stw_stream_tables(stream);
		uint32_t index = stw_generation_stack(gen, t.stack);
		g->root = stw_spots_get(c->spots, stw_spots_of(c->spots, gen, index == STW_MAP_NONE ? 0 : index)).root;
	}
	if (t.to == STW_GO_WAITING && g->since == STW_TIME_UNKNOWN)
		g->since = t.from == STW_GO_WAITING || t.from == STW_GO_UNDETERMINED ? c->first : e->time;
	else if (t.to != STW_GO_WAITING)
		end_wait(g, e->time);
	if (t.to == STW_GO_NOT_EXIST)
		end_goroutine(c, g, e->time, false);
}

/* ---- tasks and regions ---- */

static uint32_t string_of(stw_choices *c, stw_stream *stream, uint64_t id)
{
	const stw_generation *gen = stw_stream_tables(stream);
	uint32_t index = stw_generation_string(gen, id);
	return index == STW_MAP_NONE ? 0 : stw_spots_keep(c->spots, gen->strings.items[index].data, gen->strings.items[index].length);
}

static void begin_task(stw_choices *c, stw_stream *stream, const stw_stream_event *e)
{
	uint32_t slot = NEW_SLOT(c, &c->open_tasks, &c->free_tasks);
	if (slot != UINT32_MAX)
		c->open_tasks.items[slot].used = false;
	if (slot == UINT32_MAX || !stw_map_put(&c->tasks, e->a[0], slot)) {
		c->failed = true;
		return;
	}
	c->open_tasks.items[slot] = (stw_open_task){e->a[0], e->time, e->g, string_of(c, stream, e->a[2]), true};
}

static void end_task(stw_choices *c, const stw_stream *stream, const stw_stream_event *e)
{
	uint32_t slot = stw_map_get(&c->tasks, e->a[0]);
	stw_chosen s = {.begin = c->first, .end = e->time, .g = e->g, .id = e->a[0], .open_begin = slot == STW_MAP_NONE};
	if (slot == STW_MAP_NONE) {
		stw_slice name = stw_intern_get(&stream->order.names, (uint32_t)e->a[3]);
		s.name = stw_spots_keep(c->spots, name.data, name.length);
	} else {
		s.begin = c->open_tasks.items[slot].begin;
		s.name = c->open_tasks.items[slot].name;
		c->open_tasks.items[slot].used = false;
		stw_map_remove(&c->tasks, e->a[0]);
		GIVE_BACK(c, &c->free_tasks, slot);
	}
	span(c, STWATCH_PATH_TASK, &s);
}

static void begin_region(stw_choices *c, stw_stream *stream, const stw_stream_event *e)
{
	stw_known_goroutine *g = known(c, e->g, c->first, true);
	uint32_t slot = g ? NEW_SLOT(c, &c->open_regions, &c->free_regions) : UINT32_MAX;
	if (slot == UINT32_MAX) {
		c->failed |= g != NULL;
		return;
	}
	c->open_regions.items[slot] = (stw_open_region){e->time, string_of(c, stream, e->a[1]), g->region};
	g->region = slot + 1;
}

/* The innermost of that name; one whose beginning is not in the trace has gone on since the trace's. */
static void end_region(stw_choices *c, stw_stream *stream, const stw_stream_event *e)
{
	uint32_t name = string_of(c, stream, e->a[1]);
	stw_known_goroutine *g = known(c, e->g, c->first, true);
	if (!g)
		return;
	stw_chosen s = {.begin = c->first, .end = e->time, .g = e->g, .id = (uint64_t)e->g, .name = name, .open_begin = true};
	for (uint32_t *link = &g->region; *link; link = &c->open_regions.items[*link - 1].outer) {
		uint32_t slot = *link - 1;
		const stw_open_region *r = &c->open_regions.items[slot];
		if (r->name != name)
			continue;
		s.begin = r->begin;
		s.open_begin = false;
		*link = r->outer;
		GIVE_BACK(c, &c->free_regions, slot);
		break;
	}
	span(c, STWATCH_PATH_REGION, &s);
}

void stw_choices_add(stw_choices *c, stw_stream *stream, const stw_stream_event *e)
{
	if (e->type == STW_EV_SYNC_POINT)
		return;
	if (c->first == STW_TIME_UNKNOWN)
		c->first = e->time;
	c->last = e->time;
	switch (e->type) {
	case STW_EV_UserTaskBegin: begin_task(c, stream, e); return;
	case STW_EV_UserTaskEnd: end_task(c, stream, e); return;
	case STW_EV_UserRegionBegin: begin_region(c, stream, e); return;
	case STW_EV_UserRegionEnd: end_region(c, stream, e); return;
	case STW_EV_ProcsChange: c->procs = (int64_t)e->a[0] > c->procs ? (int64_t)e->a[0] : c->procs; return;
	default: break;
	}
	if (stw_stream_kind(e) == STWATCH_EVENT_STATE_TRANSITION)
		transition(c, stream, e);
}

void stw_choices_break(stw_choices *c)
{
	for (size_t i = 0; i < c->open_tasks.count; i++) {
		stw_open_task *t = &c->open_tasks.items[i];
		if (t->used)
			span(c, STWATCH_PATH_TASK,
				&(stw_chosen){
					.begin = t->begin, .end = c->last, .g = t->g, .id = t->id, .name = t->name, .open_end = true});
		t->used = false;
	}
	c->open_tasks.count = c->free_tasks.count = 0;
	stw_map_clear(&c->tasks);
	for (size_t i = 0; i < c->known.count; i++)
		if (c->known.items[i].used)
			end_goroutine(c, &c->known.items[i], c->last, true);
	c->known.count = c->free_gs.count = 0;
	c->open_regions.count = c->free_regions.count = 0;
	c->first = STW_TIME_UNKNOWN;
}
