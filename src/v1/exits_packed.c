/* A block is a row of exits: key, by how much it is later than that of the one before; by how much the ticks differ from the key; goroutine. */
#include "v1/exits_packed.h"

#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "wire/source.h"

enum { LONGEST = 3 * 10, SHORTEST = 3, BLOCK_SIZE = STW_V1_EXIT_BLOCK * LONGEST };

static uint64_t count_in(const stw_v1_exits *e, uint64_t block)
{
	return block + 1 < e->blocks.count ? STW_V1_EXIT_BLOCK : e->count - block * STW_V1_EXIT_BLOCK;
}

/* ---- writing ---- */

static stwatch_status write_block(stw_v1_exits *packed, stw_bytes *b, int fd, uint64_t *at, stwatch_error *error)
{
	stw_v1_exit_block *block = b->failed ? NULL : stw_vec_push(packed->mem, &packed->blocks);
	if (!block)
		return stw_fail_memory(error);
	*block = (stw_v1_exit_block){.at = *at, .hash = stw_digest(b->data.items, b->data.count, 0), .size = (uint32_t)b->data.count};
	if (!stw_write_all(fd, b->data.items, b->data.count))
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't write the index: %s", strerror(errno));
	*at += b->data.count;
	b->data.count = 0;
	return STWATCH_OK;
}

static stwatch_status pack(stw_v1_exit_walk *w, stw_v1_exits *packed, stw_bytes *b, int fd, uint64_t *at, stwatch_error *error)
{
	stw_v1_exit exit;
	stwatch_status status;
	int64_t last = 0;
	while ((status = stw_v1_exit_walk_next(w, &exit, error)) == STWATCH_OK) {
		stw_bytes_int(b, (int64_t)((uint64_t)exit.key - (uint64_t)last));
		stw_bytes_int(b, (int64_t)((uint64_t)exit.ticks - (uint64_t)exit.key));
		stw_bytes_uint(b, exit.g);
		last = exit.key;
		if (++packed->count % STW_V1_EXIT_BLOCK)
			continue;
		last = 0;
		status = write_block(packed, b, fd, at, error);
		if (status != STWATCH_OK)
			return status;
	}
	if (status == STWATCH_END)
		status = b->data.count || b->failed ? write_block(packed, b, fd, at, error) : STWATCH_OK;
	return status;
}

stwatch_status stw_v1_exits_pack(const stw_v1_exits *e, stw_v1_exits *packed, int fd, uint64_t *at, stwatch_error *error)
{
	stw_v1_exit_walk walk;
	stw_bytes b = {.mem = packed->mem};
	stwatch_status status = stw_v1_exit_walk_open(&walk, packed->mem, e, error);
	if (status == STWATCH_OK)
		status = pack(&walk, packed, &b, fd, at, error);
	stw_v1_exit_walk_close(&walk);
	stw_bytes_free(&b);
	return status;
}

/* ---- where they are ---- */

void stw_v1_exits_save(const stw_v1_exits *packed, stw_bytes *b)
{
	stw_bytes_uint(b, packed->count);
	for (size_t i = 0; i < packed->blocks.count; i++) {
		stw_bytes_uint(b, packed->blocks.items[i].at);
		stw_bytes_uint(b, packed->blocks.items[i].size);
		stw_bytes_uint(b, packed->blocks.items[i].hash);
	}
}

bool stw_v1_exits_restore(stw_v1_exits *e, stw_mem *mem, int fd, uint64_t file_size, stw_bytes_reader *r)
{
	stw_v1_exits_init(e, mem);
	e->fd = fd;
	e->count = stw_bytes_take_below(r, file_size / SHORTEST);
	for (uint64_t n = (e->count + STW_V1_EXIT_BLOCK - 1) / STW_V1_EXIT_BLOCK; n > 0 && !r->failed; n--) {
		stw_v1_exit_block *block = stw_vec_push(mem, &e->blocks);
		if (!block)
			return false;
		block->at = stw_bytes_take_below(r, file_size);
		block->size = (uint32_t)stw_bytes_take_below(r, BLOCK_SIZE);
		block->hash = stw_bytes_take_uint(r);
	}
	return !r->failed;
}

/* ---- reading ---- */

static bool read_block(const stw_v1_exits *e, uint64_t index, uint8_t *room)
{
	const stw_v1_exit_block *block = &e->blocks.items[index];
	const stw_source file = {.fd = e->fd};
	size_t got;
	return stw_source_read(&file, block->at, room, block->size, &got, NULL) == STWATCH_OK && got == block->size &&
		stw_digest(room, got, 0) == block->hash;
}

bool stw_v1_exits_are_sound(const stw_v1_exits *e, uint64_t from, uint64_t to)
{
	bool sound = true;
	uint8_t *room = e->blocks.count ? stw_mem_resize(e->mem, NULL, 0, BLOCK_SIZE) : NULL;
	if (!room)
		return e->blocks.count == 0;
	for (uint64_t i = from / STW_V1_EXIT_BLOCK; sound && i < e->blocks.count && i <= to / STW_V1_EXIT_BLOCK; i++)
		sound = read_block(e, i, room);
	stw_mem_free(e->mem, room, BLOCK_SIZE);
	return sound;
}

static stwatch_status unpack(stw_v1_exit_walk *w, uint64_t index, stwatch_error *error)
{
	const stw_v1_exits *e = w->exits;
	uint8_t *room = stw_mem_resize(w->mem, NULL, 0, BLOCK_SIZE);
	if (!room)
		return stw_fail_memory(error);
	const uint64_t n = count_in(e, index);
	stw_bytes_reader r = {.p = room, .end = room + e->blocks.items[index].size, .failed = !read_block(e, index, room)};
	int64_t last = 0;
	for (uint64_t i = 0; i < n; i++) {
		stw_v1_exit *x = &w->room[i];
		x->key = last = (int64_t)((uint64_t)last + (uint64_t)stw_bytes_take_int(&r));
		x->ticks = (int64_t)((uint64_t)last + (uint64_t)stw_bytes_take_int(&r));
		x->g = stw_bytes_take_uint(&r);
	}
	w->block = index;
	stw_mem_free(w->mem, room, BLOCK_SIZE);
	return r.failed ? stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "the index is damaged (stwatch index makes a new one)")
			: STWATCH_OK;
}

void stw_v1_exit_walk_seek(stw_v1_exit_walk *w, uint64_t taken)
{
	w->taken = taken;
}

stwatch_status stw_v1_exit_walk_next_packed(stw_v1_exit_walk *w, stw_v1_exit *out, stwatch_error *error)
{
	if (w->taken >= w->exits->count)
		return STWATCH_END;
	const uint64_t index = w->taken / STW_V1_EXIT_BLOCK;
	stwatch_status status = index == w->block ? STWATCH_OK : unpack(w, index, error);
	if (status == STWATCH_OK)
		*out = w->room[w->taken++ % STW_V1_EXIT_BLOCK];
	return status;
}
