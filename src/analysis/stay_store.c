#include "analysis/stay_store.h"

#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/error.h"
#include "wire/source.h"

enum { LEVEL = 1 };

void stw_stay_store_init(stw_stay_store *s, stw_mem *mem, size_t block)
{
	memset(s, 0, sizeof *s);
	s->mem = mem;
	s->block = block;
	s->fd = -1;
	s->before_last = s->latest = INT64_MIN;
}

void stw_stay_store_clear(stw_stay_store *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->size = 0;
	s->last.count = s->blocks.count = 0;
	s->before_last = s->latest = INT64_MIN;
}

void stw_stay_store_free(stw_stay_store *s)
{
	stw_stay_store_clear(s);
	stw_vec_free(s->mem, &s->last);
	stw_vec_free(s->mem, &s->blocks);
	stw_mem_free(s->mem, s->packed, s->packed_room);
	s->packed = NULL;
	s->packed_room = 0;
}

bool stw_stay_store_any(const stw_stay_store *s)
{
	return s->last.count || s->blocks.count;
}

static stwatch_status write_last(stw_stay_store *s, stwatch_error *error)
{
	const size_t plain = s->last.count * sizeof *s->last.items;
	if (!s->packed) {
		s->packed_room = ZSTD_compressBound(s->block * sizeof *s->last.items);
		s->packed = stw_mem_resize(s->mem, NULL, 0, s->packed_room);
	}
	stw_stay_block *b = s->packed ? stw_vec_push(s->mem, &s->blocks) : NULL;
	if (!b)
		return stw_fail_memory(error);
	*b = (stw_stay_block){.offset = s->size, .count = s->last.count, .before = s->before_last};
	b->packed = ZSTD_compress(s->packed, s->packed_room, s->last.items, plain, LEVEL);
	if (ZSTD_isError(b->packed))
		return stw_fail_memory(error); /* there is room enough: it is zstd that has none */
	if (s->fd < 0) {
		stwatch_status status = stw_temporary_file(&s->fd, error);
		if (status != STWATCH_OK)
			return status;
	}
	if (lseek(s->fd, (off_t)s->size, SEEK_SET) < 0 || !stw_write_all(s->fd, s->packed, b->packed))
		return stw_temporary_fail(error);
	s->size += b->packed;
	s->last.count = 0;
	s->before_last = s->latest;
	return STWATCH_OK;
}

stwatch_status stw_stay_store_put(stw_stay_store *s, const stw_past_stay *stay, stwatch_error *error)
{
	if (s->last.count == s->block) {
		stwatch_status status = write_last(s, error);
		if (status != STWATCH_OK)
			return status;
	}
	stw_past_stay *slot = stw_vec_push(s->mem, &s->last);
	if (!slot)
		return stw_fail_memory(error);
	*slot = *stay;
	s->latest = stay->to > s->latest ? stay->to : s->latest;
	return STWATCH_OK;
}

static stwatch_status read_block(stw_stay_store *s, const stw_stay_block *b, stw_past_stay *out, stwatch_error *error)
{
	const stw_source file = {.fd = s->fd};
	size_t got;
	stwatch_status status = stw_source_read(&file, b->offset, s->packed, b->packed, &got, error);
	if (status == STWATCH_OK && got < b->packed)
		status = stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "a temporary file became shorter");
	if (status != STWATCH_OK)
		return status;
	const size_t plain = b->count * sizeof *out;
	if (ZSTD_decompress(out, plain, s->packed, b->packed) != plain)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "a temporary file is not as it was written");
	return STWATCH_OK;
}

stwatch_status stw_stay_store_take(stw_stay_store *s, stw_past_stays *stays, int64_t none, int64_t *before, stwatch_error *error)
{
	const stw_stay_block *b = s->last.count ? NULL : &s->blocks.items[s->blocks.count - 1];
	const size_t n = b ? b->count : s->last.count;
	if (!stw_vec_reserve(s->mem, stays, n))
		return stw_fail_memory(error);
	if (b) {
		stwatch_status status = read_block(s, b, stays->items + stays->count, error);
		if (status != STWATCH_OK)
			return status;
		s->size = b->offset;
		s->latest = s->before_last = b->before;
		s->blocks.count--;
	} else {
		memcpy(stays->items + stays->count, s->last.items, n * sizeof *stays->items);
		s->last.count = 0;
		s->latest = s->before_last;
	}
	stays->count += n;
	*before = stw_stay_store_any(s) ? s->latest : none;
	return STWATCH_OK;
}
