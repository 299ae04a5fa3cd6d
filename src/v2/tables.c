#include "v2/tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "wire/varint.h"

/* A reader over one batch. After a failure p is NULL and the error is set. */
typedef struct cursor {
	const uint8_t *start, *p, *end;
	uint64_t at;
	stwatch_error *error;
	const char *what; /* "string", for messages */
} cursor;

static uint64_t offset_of(const cursor *c, const uint8_t *p)
{
	return c->at + (uint64_t)(p - c->start);
}

static bool take(cursor *c, uint64_t *value, const char *field)
{
	const uint8_t *next = stw_varint_get(c->p, c->end, value);
	if (!next) {
		stw_fail(c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p), "the %s of a %s is cut or overflows (a varint was expected)",
			field, c->what);
		return false;
	}
	c->p = next;
	return true;
}

/* Takes the type byte before each entry. */
static bool take_type(cursor *c, uint8_t want)
{
	uint8_t type = *c->p;
	if (type != want) {
		stw_fail(c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p), "found event type %u where a %s was expected", type, c->what);
		return false;
	}
	c->p++;
	return true;
}

static stwatch_status add_id(const stw_generation *gen, stw_ids *ids, uint64_t id, size_t index, const cursor *c)
{
	if (gen->salvaged && stw_map_get(&ids->map, id) != STW_MAP_NONE) /* the first that is told counts */
		return STWATCH_OK;
	if (id == 0 || stw_map_get(&ids->map, id) != STW_MAP_NONE)
		return stw_fail(c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p), "there are several %ss with the id %llu", c->what,
			(unsigned long long)id);
	if (index >= STW_MAP_NONE || !stw_map_put(&ids->map, id, (uint32_t)index))
		return stw_fail_memory(c->error);
	return STWATCH_OK;
}

static stwatch_status add_string(stw_generation *gen, cursor *c)
{
	uint64_t id, length;
	if (!take(c, &id, "id") || !take(c, &length, "length"))
		return STWATCH_ERR_DAMAGED;
	if (length > STW_V2_MAX_STRING)
		return stw_fail(c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p), "invalid string size %llu (at most %d was expected)",
			(unsigned long long)length, STW_V2_MAX_STRING);
	if (length > (uint64_t)(c->end - c->p))
		return stw_fail(c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p),
			"the string %llu is cut: its batch has %llu bytes of %llu", (unsigned long long)id,
			(unsigned long long)(c->end - c->p), (unsigned long long)length);
	char *copy = stw_arena_copy(&gen->arena, (const char *)c->p, (size_t)length);
	stw_string *s = copy ? stw_vec_push(gen->mem, &gen->strings) : NULL;
	if (!s)
		return stw_fail_memory(c->error);
	*s = (stw_string){copy, (uint32_t)length, 0};
	c->p += length;
	return add_id(gen, &gen->string_ids, id, gen->strings.count - 1, c);
}

static stwatch_status add_frame(stw_generation *gen, cursor *c)
{
	uint64_t pc, func, file, line;
	if (!take(c, &pc, "frame's pc") || !take(c, &func, "frame's function") || !take(c, &file, "frame's file") ||
		!take(c, &line, "frame's line"))
		return STWATCH_ERR_DAMAGED;
	uint32_t index = stw_map_get(&gen->pcs, pc);
	if (index == STW_MAP_NONE) { /* the first description of a pc holds, as in Go's reader */
		index = (uint32_t)gen->frames.count;
		stw_v2_frame *f = stw_vec_push(gen->mem, &gen->frames);
		if (!f || !stw_map_put(&gen->pcs, pc, index))
			return stw_fail_memory(c->error);
		*f = (stw_v2_frame){.pc = pc, .line = line, .func_id = func, .file_id = file};
	}
	uint32_t *slot = stw_vec_push(gen->mem, &gen->stack_frames);
	if (!slot)
		return stw_fail_memory(c->error);
	*slot = index;
	return STWATCH_OK;
}

static stwatch_status add_stack(stw_generation *gen, cursor *c)
{
	uint64_t id, n;
	if (!take(c, &id, "id") || !take(c, &n, "number of frames"))
		return STWATCH_ERR_DAMAGED;
	if (n > STW_V2_MAX_FRAMES)
		return stw_fail(c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p), "invalid stack size %llu (at most %d was expected)",
			(unsigned long long)n, STW_V2_MAX_FRAMES);
	uint32_t first = (uint32_t)gen->stack_frames.count;
	for (uint64_t i = 0; i < n; i++) {
		stwatch_status status = add_frame(gen, c);
		if (status != STWATCH_OK)
			return status;
	}
	stw_v2_stack *s = stw_vec_push(gen->mem, &gen->stacks);
	if (!s)
		return stw_fail_memory(c->error);
	*s = (stw_v2_stack){first, (uint32_t)n, {0, 0}};
	return add_id(gen, &gen->stack_ids, id, gen->stacks.count - 1, c);
}

static stwatch_status add_sample(stw_generation *gen, cursor *c)
{
	uint64_t v[5];
	static const char *const fields[] = {"timestamp", "thread", "proc", "goroutine", "stack"};
	for (int i = 0; i < 5; i++)
		if (!take(c, &v[i], fields[i]))
			return STWATCH_ERR_DAMAGED;
	stw_cpu_sample *s = stw_vec_push(gen->mem, &gen->samples);
	if (!s)
		return stw_fail_memory(c->error);
	*s = (stw_cpu_sample){(int64_t)v[0], (int64_t)v[1], (int64_t)v[2], v[3] ? (int64_t)v[3] : STWATCH_NONE, v[4]};
	return STWATCH_OK;
}

static stwatch_status add_frequency(stw_generation *gen, cursor *c)
{
	uint64_t f;
	if (gen->has_frequency && !gen->salvaged)
		return stw_fail(
			c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p), "a generation has several frequency events (one was expected)");
	c->p++;
	if (!take(c, &f, "frequency"))
		return STWATCH_ERR_DAMAGED;
	if (gen->salvaged && (gen->has_frequency || f < STW_V2_MIN_FREQUENCY || f > STW_V2_MAX_FREQUENCY))
		return STWATCH_OK;
	gen->ns_per_unit = 1.0 / ((double)f / 1e9);
	gen->has_frequency = true;
	return STWATCH_OK;
}

static stwatch_status add_clock(stw_generation *gen, cursor *c, uint64_t batch_time)
{
	uint64_t dt, mono, sec, nsec;
	if (gen->has_clock && !gen->salvaged)
		return stw_fail(
			c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p), "a generation has several clock snapshots (one was expected)");
	c->p++;
	if (!take(c, &dt, "time") || !take(c, &mono, "monotonic time") || !take(c, &sec, "seconds") || !take(c, &nsec, "nanoseconds"))
		return STWATCH_ERR_DAMAGED;
	gen->has_clock = true;
	gen->clock_time = batch_time + dt;
	gen->clock_mono = mono;
	gen->clock_sec = (int64_t)sec;
	gen->clock_nsec = (int64_t)nsec;
	return STWATCH_OK;
}

static stwatch_status add_sync(stw_generation *gen, cursor *c, uint64_t batch_time)
{
	if (gen->version >= STW_GO125)
		c->p++;
	while (c->p < c->end) {
		uint8_t type = *c->p;
		stwatch_status status;
		if (type == STW_EV_Frequency)
			status = add_frequency(gen, c);
		else if (type == STW_EV_ClockSnapshot && gen->version >= STW_GO125)
			status = add_clock(gen, c, batch_time);
		else
			return stw_fail(c->error, STWATCH_ERR_DAMAGED, offset_of(c, c->p),
				"found event type %u where a frequency or clock snapshot was expected", type);
		if (status != STWATCH_OK)
			return status;
	}
	return STWATCH_OK;
}

bool stw_tables_is_table(stw_go_version version, const stw_batch_head *h)
{
	if (h->experiment || h->size == 0)
		return false;
	switch (h->first) {
	case STW_EV_Strings:
	case STW_EV_Stacks:
	case STW_EV_CPUSamples: return true;
	case STW_EV_Frequency: return version < STW_GO125;
	case STW_EV_Sync: return version >= STW_GO125;
	default: return false;
	}
}

stwatch_status stw_tables_add(stw_generation *gen, const stw_batch_head *head, const uint8_t *data, uint64_t at, stwatch_error *error)
{
	static const struct {
		uint8_t batch, entry;
		const char *what;
		stwatch_status (*add)(stw_generation *, cursor *);
	} kinds[] = {
		{STW_EV_Strings, STW_EV_String, "string", add_string},
		{STW_EV_Stacks, STW_EV_Stack, "stack", add_stack},
		{STW_EV_CPUSamples, STW_EV_CPUSample, "CPU sample", add_sample},
	};
	cursor c = {data, data, data + head->size, at, error, "sync batch"};
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		if (kinds[k].batch != head->first)
			continue;
		c.what = kinds[k].what;
		c.p++;
		while (c.p < c.end) {
			if (!take_type(&c, kinds[k].entry))
				return STWATCH_ERR_DAMAGED;
			stwatch_status status = kinds[k].add(gen, &c);
			if (status != STWATCH_OK)
				return status;
		}
		return STWATCH_OK;
	}
	return add_sync(gen, &c, head->time);
}

uint32_t stw_ids_find_other(const stw_ids *ids, uint64_t id)
{
	if (id == 0)
		return 0;
	if (id < ids->n_dense && ids->dense[id] != STW_MAP_NONE)
		return ids->dense[id];
	uint32_t found = ids->n_dense ? STW_MAP_NONE : stw_map_get(&ids->map, id);
	return found == STW_MAP_NONE && ids->unknown ? ids->unknown - 1 : found;
}

/* Strings and stacks are looked up for every event that has one: an array beats the map where the ids are dense, as the runtime's are. */
bool stw_ids_index(stw_mem *mem, stw_ids *ids)
{
	uint64_t max = 0;
	if (ids->map.count == 0)
		return true;
	for (size_t i = 0; i <= ids->map.mask; i++)
		if (ids->map.entries[i].value != STW_MAP_NONE && ids->map.entries[i].key > max)
			max = ids->map.entries[i].key;
	if (max > (uint64_t)ids->map.count * 4 + 1024)
		return true;
	uint32_t *dense = stw_mem_resize(mem, NULL, 0, (size_t)(max + 1) * sizeof *dense);
	if (!dense)
		return false;
	memset(dense, 0xff, (size_t)(max + 1) * sizeof *dense);
	for (size_t i = 0; i <= ids->map.mask; i++)
		if (ids->map.entries[i].value != STW_MAP_NONE)
			dense[ids->map.entries[i].key] = ids->map.entries[i].value;
	dense[0] = 0;
	ids->dense = dense;
	ids->n_dense = max + 1;
	while (ids->n_same < ids->n_dense && dense[ids->n_same] == ids->n_same)
		ids->n_same++;
	stw_map_free(&ids->map);
	return true;
}

/* Puts items in order of their ids, where these are dense; those that no id leads to (of a salvaged generation) go. False when out of memory. */
static bool put_in_order(stw_mem *mem, stw_ids *ids, void *items, size_t *count, size_t item_size)
{
	unsigned char *from = items, *to;
	const size_t n = *count;
	if (ids->n_dense == 0)
		return true;
	if (!(to = stw_mem_resize(mem, NULL, 0, n * item_size)))
		return false;
	uint32_t index = 0;
	for (size_t id = 0; id < ids->n_dense; id++) {
		if (ids->dense[id] == STW_MAP_NONE)
			continue;
		memcpy(to + index * item_size, from + ids->dense[id] * item_size, item_size);
		if (index == id)
			ids->n_same = id + 1;
		ids->dense[id] = index++;
	}
	memcpy(from, to, index * item_size);
	*count = index;
	stw_mem_free(mem, to, n * item_size);
	return true;
}

static bool index_ids(stw_generation *gen)
{
	stw_mem *mem = gen->mem;
	return stw_ids_index(mem, &gen->string_ids) && stw_ids_index(mem, &gen->stack_ids) &&
		put_in_order(mem, &gen->string_ids, gen->strings.items, &gen->strings.count, sizeof *gen->strings.items) &&
		put_in_order(mem, &gen->stack_ids, gen->stacks.items, &gen->stacks.count, sizeof *gen->stacks.items);
}

static int by_time(const void *a, const void *b)
{
	const stw_cpu_sample *x = a, *y = b;
	return x->time < y->time ? -1 : x->time > y->time;
}

/* Of a salvaged generation: a frame whose names are lost tells nothing. */
static void drop_nameless(stw_generation *gen)
{
	for (size_t i = 0; i < gen->stacks.count; i++) {
		stw_v2_stack *s = &gen->stacks.items[i];
		uint32_t *frames = gen->stack_frames.items + s->first, kept = 0;
		for (uint32_t k = 0; k < s->count; k++)
			if (gen->frames.items[frames[k]].func != STW_MAP_NONE)
				frames[kept++] = frames[k];
		s->count = kept;
	}
}

static stwatch_status name_frames(stw_generation *gen, stwatch_error *error)
{
	for (size_t i = 0; i < gen->frames.count; i++) {
		stw_v2_frame *f = &gen->frames.items[i];
		f->func = stw_generation_string(gen, f->func_id);
		f->file = stw_generation_string(gen, f->file_id);
		if (f->func != STW_MAP_NONE && f->file != STW_MAP_NONE)
			continue;
		if (!gen->salvaged)
			return stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET,
				"a stack frame at pc 0x%llx names the %s string %llu, which the generation does not have",
				(unsigned long long)f->pc, f->func == STW_MAP_NONE ? "function" : "file",
				(unsigned long long)(f->func == STW_MAP_NONE ? f->func_id : f->file_id));
		if (f->file == STW_MAP_NONE)
			f->file = 0;
	}
	if (gen->salvaged)
		drop_nameless(gen);
	return STWATCH_OK;
}

stwatch_status stw_tables_finish(stw_generation *gen, stwatch_error *error)
{
	if (!index_ids(gen))
		return stw_fail_memory(error);
	stw_map_free(&gen->pcs);
	stwatch_status status = name_frames(gen, error);
	if (status != STWATCH_OK)
		return status;
	for (size_t i = 0; i < gen->samples.count; i++)
		gen->samples.items[i].time = stw_generation_ns(gen, (uint64_t)gen->samples.items[i].time);
	if (gen->samples.count)
		qsort(gen->samples.items, gen->samples.count, sizeof *gen->samples.items, by_time);
	return STWATCH_OK;
}
