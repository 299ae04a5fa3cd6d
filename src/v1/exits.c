#include "v1/exits.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "v1/exits_packed.h"
#include "wire/source.h"

enum { RUN = 1 << 18, ROOM = 256, DIGIT = 11 };

void stw_v1_exits_init(stw_v1_exits *e, stw_mem *mem)
{
	memset(e, 0, sizeof *e);
	e->mem = mem;
	e->fd = -1;
}

void stw_v1_exits_free(stw_v1_exits *e)
{
	if (!e->mem)
		return;
	stw_vec_free(e->mem, &e->items);
	stw_vec_free(e->mem, &e->runs);
	stw_vec_free(e->mem, &e->blocks);
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

/* By key, stable: by eleven bits at a time, as many as they differ in. */
static stwatch_status sort(stw_v1_exits *e, stwatch_error *error)
{
	size_t n = e->items.count;
	stw_v1_exit *from = e->items.items;
	if (n < 2)
		return STWATCH_OK;
	int64_t low = from[0].key;
	uint64_t spread = 0;
	for (size_t i = 0; i < n; i++)
		low = from[i].key < low ? from[i].key : low;
	for (size_t i = 0; i < n; i++)
		spread |= (uint64_t)from[i].key - (uint64_t)low;
	stw_v1_exit *other = stw_mem_resize(e->mem, NULL, 0, n * sizeof *other), *to = other;
	if (!other)
		return stw_fail_memory(error);
	for (unsigned shift = 0; shift < 64 && spread >> shift; shift += DIGIT) {
		size_t starts[1 << DIGIT] = {0}, sum = 0;
		for (size_t i = 0; i < n; i++)
			starts[((uint64_t)from[i].key - (uint64_t)low) >> shift & ((1 << DIGIT) - 1)]++;
		for (size_t d = 0; d < 1 << DIGIT; d++) {
			size_t count = starts[d];
			starts[d] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[starts[((uint64_t)from[i].key - (uint64_t)low) >> shift & ((1 << DIGIT) - 1)]++] = from[i];
		stw_v1_exit *swap = from;
		from = to;
		to = swap;
	}
	if (from != e->items.items)
		memcpy(e->items.items, from, n * sizeof *from);
	stw_mem_free(e->mem, other, n * sizeof *other);
	return STWATCH_OK;
}

static stwatch_status spill(stw_v1_exits *e, stwatch_error *error)
{
	stwatch_status status = sort(e, error);
	if (status != STWATCH_OK)
		return status;
	if (e->fd < 0 && (status = stw_temporary_file(&e->fd, error)) != STWATCH_OK)
		return status;
	uint64_t *end = stw_vec_push(e->mem, &e->runs);
	if (!end)
		return stw_fail_memory(error);
	*end = e->count;
	if (!stw_write_all(e->fd, e->items.items, e->items.count * sizeof *e->items.items))
		return stw_temporary_fail(error);
	e->items.count = 0;
	return STWATCH_OK;
}

stwatch_status stw_v1_exits_add(stw_v1_exits *e, stw_v1_exit exit, stwatch_error *error)
{
	if (e->items.count == RUN) {
		stwatch_status status = spill(e, error);
		if (status != STWATCH_OK)
			return status;
	}
	stw_v1_exit *slot = stw_vec_push(e->mem, &e->items);
	if (!slot)
		return stw_fail_memory(error);
	*slot = exit;
	e->count++;
	return STWATCH_OK;
}

stwatch_status stw_v1_exits_finish(stw_v1_exits *e, stwatch_error *error)
{
	return sort(e, error);
}

static size_t room_of(const stw_v1_exit_walk *w)
{
	return (w->exits->blocks.count ? (size_t)STW_V1_EXIT_BLOCK : w->n_runs * ROOM) * sizeof *w->room;
}

stwatch_status stw_v1_exit_walk_open(stw_v1_exit_walk *w, stw_mem *mem, const stw_v1_exits *exits, stwatch_error *error)
{
	*w = (stw_v1_exit_walk){.exits = exits, .mem = mem, .n_runs = exits->runs.count, .block = UINT64_MAX};
	if (exits->blocks.count) {
		w->room = stw_mem_resize(mem, NULL, 0, room_of(w));
		return w->room ? STWATCH_OK : stw_fail_memory(error);
	}
	if (w->n_runs == 0)
		return STWATCH_OK;
	w->runs = stw_mem_zalloc(mem, w->n_runs * sizeof *w->runs);
	w->room = stw_mem_resize(mem, NULL, 0, room_of(w));
	if (!w->runs || !w->room) {
		stw_v1_exit_walk_close(w);
		return stw_fail_memory(error);
	}
	for (size_t i = 0; i < w->n_runs; i++)
		w->runs[i] = (stw_v1_run){
			.room = w->room + i * ROOM, .next = i ? exits->runs.items[i - 1] : 0, .end = exits->runs.items[i]};
	return STWATCH_OK;
}

void stw_v1_exit_walk_close(stw_v1_exit_walk *w)
{
	if (!w->mem)
		return;
	stw_mem_free(w->mem, w->runs, w->n_runs * sizeof *w->runs);
	stw_mem_free(w->mem, w->room, room_of(w));
	w->mem = NULL;
}

/* The run's next entry is in its room, unless it is at its end. */
static stwatch_status fill(const stw_v1_exit_walk *w, stw_v1_run *run, stwatch_error *error)
{
	if (run->at < run->count || run->next == run->end)
		return STWATCH_OK;
	uint64_t n = run->end - run->next < ROOM ? run->end - run->next : ROOM;
	size_t got, size = (size_t)n * sizeof *run->room;
	const stw_source spilled = {.fd = w->exits->fd};
	stwatch_status status = stw_source_read(&spilled, run->next * sizeof *run->room, run->room, size, &got, error);
	if (status == STWATCH_OK && got < size)
		status = stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "a temporary file became shorter");
	run->next += n;
	run->at = 0;
	run->count = (uint32_t)n;
	return status;
}

stwatch_status stw_v1_exit_walk_next(stw_v1_exit_walk *w, stw_v1_exit *out, stwatch_error *error)
{
	if (w->exits->blocks.count)
		return stw_v1_exit_walk_next_packed(w, out, error);
	const stw_v1_exit *best = w->in_memory < w->exits->items.count ? &w->exits->items.items[w->in_memory] : NULL;
	stw_v1_run *of = NULL;
	for (size_t i = 0; i < w->n_runs; i++) {
		stw_v1_run *run = &w->runs[i];
		stwatch_status status = fill(w, run, error);
		if (status != STWATCH_OK)
			return status;
		if (run->at < run->count && (!best || run->room[run->at].key < best->key || (!of && run->room[run->at].key == best->key))) {
			best = &run->room[run->at];
			of = run;
		}
	}
	if (!best)
		return STWATCH_END;
	*out = *best;
	w->taken++;
	if (of)
		of->at++;
	else
		w->in_memory++;
	return STWATCH_OK;
}
