#include "v2/generation.h"

#include <string.h>

#include "base/error.h"
#include "v2/batch.h"
#include "v2/tables.h"

/* Reads batch heads through a window, and the data of table batches. */
typedef struct loader {
	stw_generation *gen;
	stw_map threads;
	uint8_t data[STW_V2_MAX_BATCH + STW_BATCH_HEAD_MAX];
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

static stwatch_status add_event_batch(loader *l, const stw_batch_head *h, uint64_t at)
{
	stw_generation *gen = l->gen;
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
	*b = (stw_batch){at, h->time, h->size, thread};
	gen->threads.items[thread].count++;
	return STWATCH_OK;
}

static stwatch_status add_batch(loader *l, const stw_batch_head *h, uint64_t at, const uint8_t *data)
{
	stw_generation *gen = l->gen;
	if (!gen->has_min_time || gen->min_time == 0 || h->time < gen->min_time)
		gen->min_time = h->time;
	gen->has_min_time = true;
	if (stw_tables_is_table(gen->version, h))
		return stw_tables_add(gen, h, data, at, l->error);
	if (h->experiment) {
		gen->experimental_batches++;
		return STWATCH_OK;
	}
	return add_event_batch(l, h, at);
}

static stwatch_status read_batches(loader *l, const stw_span *span)
{
	uint64_t at = span->begin;
	for (uint64_t n = 0; n < span->n_batches; n++) {
		stw_batch_head h;
		size_t got;
		/* Heads first: the data of an event batch is not needed here. */
		stwatch_status status = stw_source_read(l->gen->source, at, l->data, STW_BATCH_HEAD_MAX, &got, l->error);
		if (status == STWATCH_OK)
			status = stw_batch_head_parse(&h, l->data, got, at, l->gen->source->size, l->error);
		if (status != STWATCH_OK) /* the scan has seen it whole: the file has changed under us */
			return status == STWATCH_END
				? stw_fail(l->error, STWATCH_ERR_DAMAGED, at, "the file became shorter while it was read")
				: status;
		at += h.head_size;
		if (stw_tables_is_table(l->gen->version, &h)) {
			status = stw_source_read(l->gen->source, at, l->data, h.size, &got, l->error);
			if (status == STWATCH_OK && got < h.size)
				status = stw_fail(l->error, STWATCH_ERR_DAMAGED, at, "the file became shorter while it was read");
		}
		if (status == STWATCH_OK)
			status = add_batch(l, &h, at, l->data);
		if (status != STWATCH_OK)
			return status;
		at += h.size;
	}
	return STWATCH_OK;
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

static stwatch_status check(stw_generation *gen, stwatch_error *error)
{
	if (!gen->has_frequency)
		return stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "generation %llu has no frequency event (one was expected)",
			(unsigned long long)gen->number);
	if (gen->version >= STW_GO125 && !gen->has_clock)
		return stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "generation %llu has no clock snapshot (one was expected)",
			(unsigned long long)gen->number);
	if (gen->ns_per_unit >= 1 && gen->ns_per_unit <= 4096 && gen->ns_per_unit == (double)(uint64_t)gen->ns_per_unit)
		gen->ns_factor = (uint64_t)gen->ns_per_unit;
	return STWATCH_OK;
}

static stwatch_status complete(stw_generation *gen, stwatch_error *error)
{
	stwatch_status status = check(gen, error);
	if (status == STWATCH_OK)
		status = stw_tables_finish(gen, error);
	return status == STWATCH_OK ? group_batches(gen, error) : status;
}

static stwatch_status load(stw_generation *gen, stw_mem *mem, const stw_span *span, bool whole, stwatch_error *error)
{
	memset(gen, 0, sizeof *gen);
	gen->mem = mem;
	gen->source = span->source;
	gen->version = span->version;
	gen->number = span->generation;
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
	stw_map_init(&l->threads, mem);
	stwatch_status status = begin(gen, error);
	if (status == STWATCH_OK)
		status = read_batches(l, span);
	if (status == STWATCH_OK && whole)
		status = complete(gen, error);
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
	return load(gen, mem, span, true, error);
}

stwatch_status stw_generation_check_rest(stw_mem *mem, const stw_span *rest, stwatch_error *error)
{
	stw_generation gen;
	if (rest->n_batches == 0)
		return STWATCH_OK;
	stwatch_status status = load(&gen, mem, rest, false, error);
	if (status == STWATCH_OK)
		stw_generation_free(&gen);
	return status;
}
