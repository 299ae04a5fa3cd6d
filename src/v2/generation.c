#include "v2/generation.h"

#include <string.h>

#include "base/error.h"
#include "v2/sound.h"
#include "v2/tables.h"
#include "v2/batches.h"

typedef struct loader {
	stw_generation *gen;
	stw_leftover *left; /* NULL: strictly */
	stw_map threads;
	uint64_t holes; /* passed so far */
	uint8_t data[STW_V2_MAX_BATCH]; /* of table batches */
	stwatch_error *error;
} loader;

int64_t stw_generation_ns(const stw_generation *gen, uint64_t units)
{
	if (gen->ns_factor && units < (uint64_t)1 << 40)
		return (int64_t)(units * gen->ns_factor); /* exact in a float64 too */
	double ns = (double)units * gen->ns_per_unit;
	return ns < 9223372036854775808.0 ? (int64_t)ns : INT64_MIN; /* what amd64 makes of it, and so Go's reader */
}

void stw_generation_free(stw_generation *gen)
{
	stw_mem *mem = gen->mem;
	if (!mem)
		return;
	stw_arena_free(&gen->arena);
	stw_vec_free(mem, &gen->strings);
	stw_vec_free(mem, &gen->stacks);
	stw_vec_free(mem, &gen->stack_frames);
	stw_vec_free(mem, &gen->frames);
	stw_vec_free(mem, &gen->samples);
	stw_vec_free(mem, &gen->batches);
	stw_vec_free(mem, &gen->threads);
	stw_ids *ids[] = {&gen->string_ids, &gen->stack_ids};
	for (int i = 0; i < 2; i++) {
		stw_map_free(&ids[i]->map);
		stw_mem_free(mem, ids[i]->dense, (size_t)ids[i]->n_dense * sizeof *ids[i]->dense);
	}
	stw_map_free(&gen->pcs);
	memset(gen, 0, sizeof *gen);
}

static stwatch_status add_event_batch(loader *l, const stw_batch_at *w)
{
	stw_generation *gen = l->gen;
	const stw_batch_head *h = &w->head;
	uint32_t thread = stw_map_get(&l->threads, h->m);
	if (h->size == 0)
		return STWATCH_OK; /* nothing in it, and Go's reader passes over it too */
	if (thread == STW_MAP_NONE) {
		thread = (uint32_t)gen->threads.count;
		stw_batch_thread *t = stw_vec_push(gen->mem, &gen->threads);
		if (!t || !stw_map_put(&l->threads, h->m, thread))
			return stw_fail_memory(l->error);
		*t = (stw_batch_thread){.m = (int64_t)h->m};
	}
	stw_batch *b = stw_vec_push(gen->mem, &gen->batches);
	if (!b)
		return stw_fail_memory(l->error);
	*b = (stw_batch){
		.offset = w->data_at, .time = h->time, .size = h->size, .thread = thread, .cut = w->cut, .holes = (uint16_t)l->holes};
	gen->threads.items[thread].count++;
	return STWATCH_OK;
}

static void note_time(stw_generation *gen, uint64_t time)
{
	if (!gen->has_min_time || gen->min_time == 0 || time < gen->min_time)
		gen->min_time = time;
	gen->has_min_time = true;
}

/* What can't be read is left out. */
static void leave_out(loader *l, uint64_t bytes)
{
	l->left->bytes += bytes;
	if (l->left->first.status == STWATCH_OK)
		l->left->first = *l->error;
}

/* A batch up to where it stops to make sense. */
static stwatch_status salvage_batch(loader *l, const stw_batches *walk, stw_batch_at *w)
{
	stw_generation *gen = l->gen;
	uint32_t size = w->head.size;
	stwatch_status status = stw_batches_read(walk, w, l->data, l->error);
	if (status != STWATCH_OK || w->head.experiment)
		return status;
	if (stw_tables_is_table(gen->version, &w->head)) {
		status = stw_tables_add(gen, &w->head, l->data, w->data_at, l->error);
		if (status != STWATCH_ERR_DAMAGED)
			return status;
		leave_out(l, w->data_at + size > l->error->offset ? w->data_at + size - l->error->offset : 0);
		return STWATCH_OK;
	}
	uint32_t sound = w->cut ? size : stw_sound_bytes(gen->version, gen->guessed, &w->head, l->data);
	if (sound < size) {
		sound = stw_sound_prefix(gen->version, gen->guessed, &w->head, l->data, false);
		stw_fail(l->error, STWATCH_ERR_DAMAGED, w->data_at + sound,
			"events of thread %lld make no sense from here to the end of their batch", (long long)w->head.m);
		leave_out(l, size - sound);
		l->left->events = true;
		l->left->batches |= sound == 0;
		w->cut = true;
		w->head.size = sound;
	}
	note_time(gen, w->head.time);
	return add_event_batch(l, w);
}

static stwatch_status add_batch(loader *l, const stw_batches *walk, stw_batch_at *w)
{
	stw_generation *gen = l->gen;
	if (l->left) {
		l->holes = walk->hole;
		return salvage_batch(l, walk, w);
	}
	note_time(gen, w->head.time);
	if (stw_tables_is_table(gen->version, &w->head)) {
		stwatch_status status = stw_batches_read(walk, w, l->data, l->error);
		return status == STWATCH_OK ? stw_tables_add(gen, &w->head, l->data, w->data_at, l->error) : status;
	}
	if (w->head.experiment) {
		gen->experimental_batches++;
		return STWATCH_OK;
	}
	return add_event_batch(l, w);
}

static stwatch_status read_batches(loader *l, const stw_span *span)
{
	stw_batches walk;
	stw_batch_at w;
	stwatch_status status;
	stw_batches_init(&walk, span);
	while ((status = stw_batches_next(&walk, &w, l->error)) == STWATCH_OK)
		if ((status = add_batch(l, &walk, &w)) != STWATCH_OK)
			return status;
	return status == STWATCH_END ? STWATCH_OK : status;
}

/* Batches stand in file order; groups them by thread, in place of a list each. */
static stwatch_status group_batches(stw_generation *gen, stwatch_error *error)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < gen->threads.count; i++) {
		gen->threads.items[i].first = sum;
		sum += gen->threads.items[i].count;
		gen->threads.items[i].count = 0;
	}
	if (sum == 0)
		return STWATCH_OK;
	size_t size = gen->batches.capacity * sizeof *gen->batches.items;
	stw_batch *grouped = stw_mem_resize(gen->mem, NULL, 0, size);
	if (!grouped)
		return stw_fail_memory(error);
	for (size_t i = 0; i < gen->batches.count; i++) {
		stw_batch_thread *t = &gen->threads.items[gen->batches.items[i].thread];
		grouped[t->first + t->count++] = gen->batches.items[i];
	}
	stw_mem_free(gen->mem, gen->batches.items, size);
	gen->batches.items = grouped;
	return STWATCH_OK;
}

static stwatch_status begin(stw_generation *gen, stwatch_error *error)
{
	stw_string *empty = stw_vec_push(gen->mem, &gen->strings);
	stw_v2_stack *none = stw_vec_push(gen->mem, &gen->stacks);
	if (!empty || !none)
		return stw_fail_memory(error);
	*empty = (stw_string){"", 0, 0};
	*none = (stw_v2_stack){0};
	return STWATCH_OK;
}

static void settle_clock(stw_generation *gen)
{
	if (gen->ns_per_unit >= 1 && gen->ns_per_unit <= 4096 && gen->ns_per_unit == (double)(uint64_t)gen->ns_per_unit)
		gen->ns_factor = (uint64_t)gen->ns_per_unit;
}

static stwatch_status check(stw_generation *gen, stwatch_error *error)
{
	if (!gen->has_frequency)
		return stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "generation %llu has no frequency event (one was expected)",
			(unsigned long long)gen->number);
	if (gen->version >= STW_GO125 && !gen->has_clock)
		return stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "generation %llu has no clock snapshot (one was expected)",
			(unsigned long long)gen->number);
	settle_clock(gen);
	return STWATCH_OK;
}

/* Times are of no use without a frequency: that of another generation, which is the same in all that one process writes, or else what nearly
 * every system has, where a unit is 64 ns. */
static void settle_salvaged(stw_generation *gen, const stw_leftover *left)
{
	if (!gen->has_frequency) {
		gen->ns_per_unit = left->ns_per_unit > 0 ? left->ns_per_unit : 64;
		gen->guessed_clock = true;
	}
	settle_clock(gen);
}

static stwatch_status complete_salvaged(stw_generation *gen, const stw_leftover *left, stwatch_error *error)
{
	settle_salvaged(gen, left);
	stwatch_status status = stw_tables_finish(gen, error);
	if (status != STWATCH_OK)
		return status;
	stw_string *unknown = stw_vec_push(gen->mem, &gen->strings);
	if (!unknown)
		return stw_fail_memory(error);
	*unknown = (stw_string){STW_UNKNOWN_STRING, sizeof STW_UNKNOWN_STRING - 1, 0};
	gen->string_ids.unknown = (uint32_t)gen->strings.count;
	gen->stack_ids.unknown = 1;
	return group_batches(gen, error);
}

static stwatch_status complete(stw_generation *gen, stwatch_error *error)
{
	stwatch_status status = check(gen, error);
	if (status == STWATCH_OK)
		status = stw_tables_finish(gen, error);
	return status == STWATCH_OK ? group_batches(gen, error) : status;
}

static stwatch_status load(stw_generation *gen, stw_mem *mem, const stw_span *span, bool whole, stw_leftover *left, stwatch_error *error)
{
	memset(gen, 0, sizeof *gen);
	gen->mem = mem;
	gen->source = span->source;
	gen->version = span->version;
	gen->guessed = span->guessed;
	gen->number = span->generation;
	gen->salvaged = left != NULL;
	gen->holes = (uint16_t)span->n_holes;
	for (uint32_t i = 0; i < span->n_holes; i++)
		gen->most[i] = span->holes[i].most;
	stw_arena_init(&gen->arena, mem);
	stw_map_init(&gen->string_ids.map, mem);
	stw_map_init(&gen->stack_ids.map, mem);
	stw_map_init(&gen->pcs, mem);
	loader *l = stw_mem_resize(mem, NULL, 0, sizeof *l);
	if (!l) {
		stw_generation_free(gen);
		return stw_fail_memory(error);
	}
	l->gen = gen;
	l->error = error;
	l->left = left;
	l->holes = 0;
	stw_map_init(&l->threads, mem);
	stwatch_status status = begin(gen, error);
	if (status == STWATCH_OK)
		status = read_batches(l, span);
	if (status == STWATCH_OK && whole)
		status = left ? complete_salvaged(gen, left, error) : complete(gen, error);
	stw_map_free(&l->threads);
	stw_mem_free(mem, l, sizeof *l);
	if (status != STWATCH_OK) {
		if (error)
			error->generation = span->generation;
		stw_generation_free(gen);
	}
	return status;
}

stwatch_status stw_generation_load(stw_generation *gen, stw_mem *mem, const stw_span *span, stwatch_error *error)
{
	return load(gen, mem, span, true, NULL, error);
}

stwatch_status stw_generation_salvage(stw_generation *gen, stw_mem *mem, const stw_span *span, stw_leftover *left, stwatch_error *error)
{
	left->bytes = 0;
	left->events = left->batches = false;
	left->first = (stwatch_error){.status = STWATCH_OK};
	stwatch_error fault; /* what is left out is no failure */
	stwatch_status status = load(gen, mem, span, true, left, &fault);
	if (status != STWATCH_OK && error)
		*error = fault;
	return status;
}

stwatch_status stw_generation_check_rest(stw_mem *mem, const stw_span *rest, stwatch_error *error)
{
	stw_generation gen;
	if (rest->n_batches == 0)
		return STWATCH_OK;
	stwatch_status status = load(&gen, mem, rest, false, NULL, error);
	if (status == STWATCH_OK)
		stw_generation_free(&gen);
	return status;
}
