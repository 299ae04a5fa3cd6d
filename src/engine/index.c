#include "engine/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "engine/index_file.h"
#include "engine/index_make.h"
#include "v1/index_store.h"

#define MAGIC "stwatch index 5\n"

enum {
	MAGIC_SIZE = 16,
	HEAD_SIZE = MAGIC_SIZE + 3 * 8,
	ENTRY_MIN = 15, /* bytes of an entry at least */
};

static void put_fixed(uint8_t *p, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_fixed(const uint8_t *p)
{
	uint64_t value = 0;
	for (int i = 8; i-- > 0;)
		value = value << 8 | p[i];
	return value;
}

/* ---- making ---- */

static stwatch_status fail_write(stwatch_error *error, const char *path)
{
	return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't write %s: %s", path, strerror(errno));
}

void stw_index_put_state(stw_index_maker *k, stw_index_entry *entry)
{
	const stw_bytes *b = &k->bytes;
	entry->state_at = k->at;
	entry->state_size = b->data.count;
	entry->state_hash = stw_digest(b->data.items, b->data.count, 0);
	k->write_failed |= !stw_write_all(k->index->fd, b->data.items, b->data.count);
	k->at += entry->state_size;
	k->index->borders++;
}

stwatch_status stw_index_pause(const stw_index_maker *k, uint64_t done)
{
	const stw_run_options *o = k->options;
	if (k->write_failed)
		return fail_write(k->error, "the index");
	if (o->cancel && *o->cancel)
		return stw_fail(k->error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	stw_source_tell(k->source, done);
	return STWATCH_OK;
}

static void put_entry(stw_bytes *b, const stw_index_entry *e)
{
	stw_bytes_uint(b, e->border.offset);
	stw_bytes_uint(b, e->border.initial);
	stw_bytes_uint(b, e->border.number);
	stw_bytes_uint(b, e->border.syncs);
	stw_bytes_int(b, e->border.last_time);
	stw_bytes_uint(b, e->end);
	stw_bytes_uint(b, e->generation);
	stw_bytes_uint(b, e->events);
	stw_bytes_uint(b, e->goroutines);
	stw_bytes_int(b, e->first);
	stw_bytes_int(b, e->last);
	stw_bytes_uint(b, e->exits);
	stw_bytes_int(b, e->before);
	stw_bytes_uint(b, e->state_size);
	if (e->state_size) {
		stw_bytes_uint(b, e->state_at);
		stw_bytes_uint(b, e->state_hash);
	}
}

static stwatch_status write_table(stw_index_maker *k, const stw_index_identity *id, int64_t made, uint64_t digest)
{
	stw_bytes *b = &k->bytes;
	stw_index *index = k->index;
	uint8_t head[HEAD_SIZE] = MAGIC;
	b->data.count = 0;
	stw_bytes_uint(b, (uint64_t)k->version);
	stw_bytes_uint(b, id->size);
	stw_bytes_uint(b, id->inode);
	stw_bytes_uint(b, id->device);
	stw_bytes_int(b, id->modified);
	stw_bytes_int(b, id->changed);
	stw_bytes_int(b, made);
	stw_bytes_uint(b, digest);
	stw_bytes_uint(b, index->failure.status != STWATCH_OK);
	stw_bytes_uint(b, index->failure.offset);
	stw_bytes_uint(b, index->failure.generation);
	stw_bytes_text(b, index->failure.message, strlen(index->failure.message));
	stw_bytes_uint(b, index->entries.count);
	for (size_t i = 0; i < index->entries.count; i++)
		put_entry(b, &index->entries.items[i]);
	stw_bytes_text(b, (const char *)k->first_pass.data.items, k->first_pass.data.count);
	if (k->write_failed)
		return fail_write(k->error, "the index");
	if (b->failed || k->first_pass.failed)
		return stw_fail_memory(k->error);
	put_fixed(head + MAGIC_SIZE, k->at);
	put_fixed(head + MAGIC_SIZE + 8, b->data.count);
	put_fixed(head + MAGIC_SIZE + 16, stw_digest(b->data.items, b->data.count, 0));
	index->size = k->at + b->data.count;
	if (!stw_write_all(index->fd, b->data.items, b->data.count) || pwrite(index->fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return fail_write(k->error, "the index");
	return STWATCH_OK;
}

static stwatch_status make(stw_index_maker *k)
{
	static const uint8_t room[HEAD_SIZE];
	stw_index_identity before, after;
	uint64_t digest;
	int64_t made = stw_index_now();
	if (!stw_index_identify(k->source, &before))
		return stw_fail(
			k->error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "only a plain file can have an index: unpack or save it first");
	if (!stw_write_all(k->index->fd, room, sizeof room))
		return fail_write(k->error, "the index");
	stwatch_status status = stw_index_digest(k->index->mem, k->source, k->options->cancel, &digest, k->error);
	if (status == STWATCH_OK)
		status = k->version < STW_GO122 ? stw_index_read_v1(k) : stw_index_read_v2(k);
	if (status == STWATCH_OK && k->index->entries.count == 0) {
		if (k->index->failure.status != STWATCH_OK)
			*k->error = k->index->failure;
		else
			stw_fail(k->error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "a trace without events needs no index");
		return k->error->status;
	}
	if (status == STWATCH_OK && (!stw_index_identify(k->source, &after) || !stw_index_same(&before, &after)))
		status = stw_fail(k->error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the trace changed while it was read");
	return status == STWATCH_OK ? write_table(k, &before, made, digest) : status;
}

stwatch_status stw_index_make(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *path,
	const stw_run_options *options, stwatch_error *error)
{
	char temporary[STW_INDEX_PATH + 8];
	snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
	*index = (stw_index){.mem = mem, .fd = mkstemp(temporary), .failure.offset = STWATCH_NO_OFFSET};
	if (index->fd < 0)
		return fail_write(error, path);
	stw_index_maker maker = {.index = index,
		.source = source,
		.version = version,
		.options = options,
		.bytes.mem = mem,
		.first_pass.mem = mem,
		.at = HEAD_SIZE,
		.error = error};
	stwatch_status status = make(&maker);
	stw_bytes_free(&maker.bytes);
	stw_bytes_free(&maker.first_pass);
	if (status == STWATCH_OK && rename(temporary, path) != 0)
		status = fail_write(error, path);
	if (status != STWATCH_OK) {
		unlink(temporary);
		stw_index_close(index);
	}
	return status;
}

/* ---- using ---- */

void stw_index_close(stw_index *index)
{
	if (!index->mem)
		return;
	if (index->fd >= 0)
		close(index->fd);
	stw_vec_free(index->mem, &index->entries);
	stw_v1_index_free(&index->v1);
	index->mem = NULL;
}

static bool take_entry(stw_bytes_reader *r, stw_index_entry *e, uint64_t index_size, uint64_t trace_size)
{
	e->border.offset = stw_bytes_take_below(r, trace_size);
	e->border.initial = stw_bytes_take_uint(r);
	e->border.number = stw_bytes_take_uint(r);
	e->border.syncs = stw_bytes_take_uint(r);
	e->border.last_time = stw_bytes_take_int(r);
	e->end = stw_bytes_take_below(r, trace_size);
	e->generation = stw_bytes_take_uint(r);
	e->events = stw_bytes_take_uint(r);
	e->goroutines = stw_bytes_take_uint(r);
	e->first = stw_bytes_take_int(r);
	e->last = stw_bytes_take_int(r);
	e->exits = stw_bytes_take_uint(r);
	e->before = stw_bytes_take_int(r);
	e->state_size = stw_bytes_take_below(r, index_size);
	e->state_at = e->state_size ? stw_bytes_take_below(r, index_size - e->state_size) : 0;
	e->state_hash = e->state_size ? stw_bytes_take_uint(r) : 0;
	return !r->failed;
}

/* Of a v1 trace. Out of memory it is as good as damaged: it is not used. */
static bool take_first_pass(stw_index *index, stw_bytes_reader *r, const stw_source *source, stw_go_version version)
{
	size_t size;
	const char *bytes = stw_bytes_take_text(r, (size_t)(r->end - r->p), &size);
	stw_bytes_reader first = {.p = (const uint8_t *)bytes, .end = (const uint8_t *)bytes + size, .failed = r->failed};
	if (version >= STW_GO122)
		return size == 0 && !r->failed;
	if (!stw_v1_index_restore(&index->v1, index->mem, (unsigned)version, source->size, &first))
		return false;
	const int fd = fcntl(index->fd, F_DUPFD_CLOEXEC, 0);
	bool ok = fd >= 0 && stw_v1_exits_restore(&index->v1.exits, index->mem, fd, index->size, &first) && first.p == first.end;
	for (size_t i = 0; ok && i < index->entries.count; i++)
		ok = index->entries.items[i].exits <= index->v1.exits.count;
	return ok;
}

/* NULL, or what is wrong. */
static const char *take_table(
	stw_index *index, stw_bytes_reader *r, const stw_source *source, stw_go_version version, const stw_index_identity *id)
{
	static const char DAMAGED[] = "it is damaged";
	uint64_t of_version = stw_bytes_take_uint(r);
	stw_index_identity then = {.size = stw_bytes_take_uint(r)};
	then.inode = stw_bytes_take_uint(r);
	then.device = stw_bytes_take_uint(r);
	then.modified = stw_bytes_take_int(r);
	then.changed = stw_bytes_take_int(r);
	int64_t made = stw_bytes_take_int(r);
	uint64_t digest = stw_bytes_take_uint(r);
	if (r->failed)
		return DAMAGED;
	if (of_version != (uint64_t)version || !stw_index_is_of(index->mem, source, id, &then, made, digest))
		return "it is of another state of the file";
	size_t length;
	index->failure.status = stw_bytes_take_below(r, 1) ? STWATCH_ERR_DAMAGED : STWATCH_OK;
	index->failure.offset = stw_bytes_take_uint(r);
	index->failure.generation = stw_bytes_take_uint(r);
	const char *message = stw_bytes_take_text(r, sizeof index->failure.message - 1, &length);
	memcpy(index->failure.message, message, length);
	uint64_t n = stw_bytes_take_below(r, (uint64_t)(r->end - r->p) / ENTRY_MIN + 1);
	for (; n > 0 && !r->failed; n--) {
		stw_index_entry *e = stw_vec_push(index->mem, &index->entries);
		if (!e)
			return "there is not enough memory for it";
		if (!take_entry(r, e, index->size, source->size))
			return DAMAGED;
		index->borders += e->state_size > 0;
	}
	if (r->failed || index->entries.count == 0 || !take_first_pass(index, r, source, version))
		return DAMAGED;
	return r->p != r->end ? DAMAGED : NULL;
}

bool stw_index_open(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *path, const char **why)
{
	uint8_t head[HEAD_SIZE];
	stw_index_identity id;
	*why = NULL;
	*index = (stw_index){
		.mem = mem, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), .failure.offset = STWATCH_NO_OFFSET};
	if (index->fd < 0 || !stw_index_identify(source, &id)) {
		stw_index_close(index);
		return false;
	}
	if (!stw_index_may_be_trusted(index->fd, &index->size))
		*why = "it is another user's";
	else if (pread(index->fd, head, sizeof head, 0) != (ssize_t)sizeof head || memcmp(head, MAGIC, MAGIC_SIZE) != 0)
		*why = "it is no index of this version";
	if (!*why) {
		uint64_t size = get_fixed(head + MAGIC_SIZE + 8);
		uint8_t *table = stw_index_read_part(
			mem, index->fd, index->size, get_fixed(head + MAGIC_SIZE), size, get_fixed(head + MAGIC_SIZE + 16));
		stw_bytes_reader r = {.p = table, .end = table + (table ? size : 0)};
		*why = table ? take_table(index, &r, source, version, &id) : "it is damaged";
		if (table)
			stw_mem_free(mem, table, (size_t)size + 1);
	}
	if (*why)
		stw_index_close(index);
	return !*why;
}

bool stw_index_find(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *trace, const char **why)
{
	char place[STW_INDEX_PATH];
	const char *this_why;
	*why = NULL;
	for (int cache = 0; cache < 2; cache++) {
		if (!stw_index_path(place, trace, cache))
			continue;
		if (stw_index_open(index, mem, source, version, place, &this_why))
			return true;
		*why = this_why ? this_why : *why;
	}
	return false;
}

bool stw_index_is_of_sound(const stw_index *index)
{
	const stw_index_entry *e = index->entries.items;
	for (size_t i = 1; i < index->entries.count; i++)
		if (e[i].generation < e[i - 1].generation)
			return false;
	return index->failure.status == STWATCH_OK;
}

bool stw_index_choose(const stw_index *index, int64_t from_ns, int64_t to_ns, stw_index_part *part)
{
	const stw_index_entry *e = index->entries.items;
	const int64_t first = e[0].first;
	const size_t n = index->entries.count;
	size_t from = 0, to;
	while (from < n && e[from].last - first < from_ns)
		from++;
	for (to = from; to < n && (to_ns <= 0 || e[to].first - first <= to_ns);)
		to++;
	*part = (stw_index_part){.from = from, .to = to, .events = UINT64_MAX};
	if (from == to)
		return false;
	while (part->from > 0 && e[part->from].state_size == 0)
		part->from--;
	if (to < n)
		part->events = 0;
	for (size_t i = part->from; i < to && to < n; i++)
		part->events += e[i].events;
	return true;
}

void stw_index_choose_cut(const stw_index *index, int64_t from_ns, int64_t to_ns, stw_index_part *part)
{
	const stw_index_entry *e = index->entries.items;
	const size_t n = index->entries.count;
	size_t i = 1;
	*part = (stw_index_part){.events = UINT64_MAX};
	for (; i < n && e[i].before < from_ns; i++)
		if (e[i].state_size)
			part->from = i;
	while (i < n && e[i].before <= to_ns)
		i++;
	part->to = i;
}

bool stw_index_is_sound(const stw_index *index, const stw_v1_exits *exits, const stw_index_part *part)
{
	const stw_index_entry *e = &index->entries.items[part->from];
	const uint64_t last = part->to < index->entries.count ? index->entries.items[part->to].exits : exits->count;
	return stw_v1_exits_are_sound(exits, e->exits ? e->exits - 1 : 0, last);
}

uint8_t *stw_index_state(const stw_index *index, stw_mem *mem, const stw_index_part *part, stw_bytes_reader *r)
{
	const stw_index_entry *e = &index->entries.items[part->from];
	uint8_t *state = stw_index_read_part(mem, index->fd, index->size, e->state_at, e->state_size, e->state_hash);
	*r = (stw_bytes_reader){.p = state, .end = state + (state ? e->state_size : 0)};
	return state;
}

void stw_index_free_state(const stw_index *index, stw_mem *mem, const stw_index_part *part, uint8_t *state)
{
	if (state)
		stw_mem_free(mem, state, (size_t)index->entries.items[part->from].state_size + 1);
}

static stwatch_status fail_state(stwatch_error *error)
{
	return stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "the state in the index is damaged");
}

stwatch_status stw_index_seek(const stw_index *index, const stw_index_part *part, stw_stream *stream, stw_mem *mem,
	const stw_source *source, stw_go_version version, stwatch_error *error)
{
	stw_bytes_reader r;
	stw_stream_open(stream, mem, source, version);
	if (part->from == 0)
		return STWATCH_OK;
	uint8_t *state = stw_index_state(index, mem, part, &r);
	bool ok = state && stw_stream_resume(stream, &index->entries.items[part->from].border, &r);
	stw_index_free_state(index, mem, part, state);
	if (ok)
		return STWATCH_OK;
	stw_stream_close(stream);
	return fail_state(error);
}

stwatch_status stw_index_seek_v1(const stw_index *index, const stw_index_part *part, stw_stream *stream, stwatch_error *error)
{
	stw_bytes_reader r;
	if (!stw_index_is_sound(index, &stream->v1->index.exits, part))
		return fail_state(error);
	if (part->from == 0)
		return STWATCH_OK;
	uint8_t *state = stw_index_state(index, stream->mem, part, &r);
	stwatch_status status = state ? stw_stream_resume_v1(stream, &r, error) : fail_state(error);
	stw_index_free_state(index, stream->mem, part, state);
	return status;
}
