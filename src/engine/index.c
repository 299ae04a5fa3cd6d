#include "engine/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "order/snapshot.h"
#include "wire/source.h"

#define MAGIC "stwatch index 1\n"

enum {
	MAGIC_SIZE = 16,
	HEAD_SIZE = MAGIC_SIZE + 3 * 8,
	ENTRY_MIN = 13, /* bytes of an entry at least */
	EVENTS_A_PAUSE = 1 << 14,
	DIGEST_PIECE = 1 << 20,
};

#define SECOND ((int64_t)1000000000)
#define RACE_NS (2 * SECOND) /* clocks of file systems tick this coarsely at worst */

/* What tells a state of a file from another. */
typedef struct identity {
	uint64_t size, inode, device;
	int64_t modified, changed;
} identity;

static bool identify(const stw_source *source, identity *id)
{
	struct stat st;
	if (source->spooled || fstat(source->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	*id = (identity){
		.size = (uint64_t)st.st_size,
		.inode = (uint64_t)st.st_ino,
		.device = (uint64_t)st.st_dev,
		.modified = (int64_t)st.st_mtim.tv_sec * SECOND + st.st_mtim.tv_nsec,
		.changed = (int64_t)st.st_ctim.tv_sec * SECOND + st.st_ctim.tv_nsec,
	};
	return true;
}

static bool same(const identity *a, const identity *b)
{
	return a->size == b->size && a->inode == b->inode && a->device == b->device && a->modified == b->modified &&
		a->changed == b->changed;
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static stwatch_status digest_all(stw_mem *mem, const stw_source *source, const volatile int *cancel, uint64_t *digest, stwatch_error *error)
{
	uint8_t *piece = stw_mem_resize(mem, NULL, 0, DIGEST_PIECE);
	if (!piece)
		return stw_fail_memory(error);
	stwatch_status status = STWATCH_OK;
	*digest = 0;
	for (uint64_t at = 0; status == STWATCH_OK && at < source->size;) {
		size_t got;
		status = stw_source_read(source, at, piece, DIGEST_PIECE, &got, error);
		if (status == STWATCH_OK && cancel && *cancel)
			status = stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (status != STWATCH_OK || got == 0)
			break;
		*digest = stw_digest(piece, got, *digest);
		at += got;
	}
	stw_mem_free(mem, piece, DIGEST_PIECE);
	return status;
}

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

/* ---- where it is ---- */

static bool cache_path(char out[static STW_INDEX_PATH], const char *trace)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *real = realpath(trace, NULL);
	int n = -1;
	if (real && cache && *cache == '/')
		n = snprintf(out, STW_INDEX_PATH, "%s/stwatch/%016llx" STW_INDEX_ENDING, cache,
			(unsigned long long)stw_digest(real, strlen(real), 0));
	else if (real && home && *home == '/')
		n = snprintf(out, STW_INDEX_PATH, "%s/.cache/stwatch/%016llx" STW_INDEX_ENDING, home,
			(unsigned long long)stw_digest(real, strlen(real), 0));
	free(real);
	return n > 0 && n < STW_INDEX_PATH;
}

bool stw_index_path(char out[static STW_INDEX_PATH], const char *trace, bool cache)
{
	if (cache)
		return cache_path(out, trace);
	int n = snprintf(out, STW_INDEX_PATH, "%s" STW_INDEX_ENDING, trace);
	return n > 0 && n < STW_INDEX_PATH;
}

/* ---- making ---- */

typedef struct maker {
	stw_index *index;
	const stw_run_options *options;
	stw_stream stream;
	stw_bytes bytes;
	stw_border border; /* as of the event before */
	uint64_t unsaved; /* where the last kept state stands in the trace */
	uint64_t at; /* in the index */
	bool write_failed;
	stwatch_error *error;
} maker;

static stwatch_status fail_write(stwatch_error *error, const char *path)
{
	return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't write %s: %s", path, strerror(errno));
}

static uint64_t count_alive(const stw_order *o)
{
	return o->gs.count - o->free_gs.count;
}

/* At the sync event of a generation: nothing of it was ordered yet. */
static bool begin_entry(maker *k, const stw_stream_event *e)
{
	stw_stream *s = &k->stream;
	stw_index *index = k->index;
	stw_index_entry *entry = stw_vec_push(index->mem, &index->entries);
	if (!entry)
		return false;
	*entry = (stw_index_entry){
		.border = k->border,
		.end = s->span.end,
		.generation = s->span.generation,
		.goroutines = count_alive(&s->order),
		.first = e->time,
		.last = e->time,
	};
	entry->border.offset = s->span.begin;
	/* Where a generation has the number of the one before, sequence numbers go on, which a state does not hold. */
	if (index->entries.count == 1 || s->span.generation == k->border.number)
		return true;
	k->bytes.data.count = 0;
	stw_order_save(&s->order, &k->bytes);
	if (k->bytes.failed)
		return false;
	if (k->bytes.data.count > (s->span.begin - k->unsaved) / STW_INDEX_SHARE && k->at + k->bytes.data.count > STW_INDEX_SMALL)
		return true;
	entry->state_at = k->at;
	entry->state_size = k->bytes.data.count;
	entry->state_hash = stw_digest(k->bytes.data.items, k->bytes.data.count, 0);
	k->write_failed |= !stw_write_all(index->fd, k->bytes.data.items, k->bytes.data.count);
	k->at += entry->state_size;
	k->unsaved = s->span.begin;
	index->borders++;
	return true;
}

static bool add_event(maker *k, const stw_stream_event *e)
{
	if (e->type == STW_EV_SYNC_POINT && e->has_generation && !begin_entry(k, e))
		return false;
	if (k->index->entries.count) {
		stw_index_entry *entry = &k->index->entries.items[k->index->entries.count - 1];
		entry->events++;
		entry->last = e->time;
	}
	k->border = stw_stream_border(&k->stream);
	return true;
}

static stwatch_status read_events(maker *k)
{
	stw_stream *s = &k->stream;
	const stw_stream_event *e;
	stwatch_status status;
	for (uint64_t n = 0; (status = stw_stream_next(s, &e, k->error)) == STWATCH_OK; n++) {
		if (!add_event(k, e))
			return stw_fail_memory(k->error);
		if (k->write_failed)
			return fail_write(k->error, "the index");
		if (n % EVENTS_A_PAUSE)
			continue;
		if (k->options->cancel && *k->options->cancel)
			return stw_fail(k->error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (k->options->progress)
			k->options->progress(k->options->progress_user, s->span.begin, s->source->size);
	}
	if (status == STWATCH_ERR_DAMAGED)
		k->index->failure = *k->error;
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
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
	stw_bytes_uint(b, e->state_size);
	if (e->state_size) {
		stw_bytes_uint(b, e->state_at);
		stw_bytes_uint(b, e->state_hash);
	}
}

static stwatch_status write_table(maker *k, stw_go_version version, const identity *id, int64_t made, uint64_t digest)
{
	stw_bytes *b = &k->bytes;
	stw_index *index = k->index;
	uint8_t head[HEAD_SIZE] = MAGIC;
	b->data.count = 0;
	stw_bytes_uint(b, (uint64_t)version);
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
	if (b->failed)
		return stw_fail_memory(k->error);
	put_fixed(head + MAGIC_SIZE, k->at);
	put_fixed(head + MAGIC_SIZE + 8, b->data.count);
	put_fixed(head + MAGIC_SIZE + 16, stw_digest(b->data.items, b->data.count, 0));
	index->size = k->at + b->data.count;
	if (!stw_write_all(index->fd, b->data.items, b->data.count) || pwrite(index->fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return fail_write(k->error, "the index");
	return STWATCH_OK;
}

static stwatch_status make(maker *k, const stw_source *source, stw_go_version version)
{
	static const uint8_t room[HEAD_SIZE];
	identity before, after;
	uint64_t digest;
	int64_t made = now();
	if (!identify(source, &before))
		return stw_fail(
			k->error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "only a plain file can have an index: unpack or save it first");
	if (!stw_write_all(k->index->fd, room, sizeof room))
		return fail_write(k->error, "the index");
	stwatch_status status = digest_all(k->index->mem, source, k->options->cancel, &digest, k->error);
	if (status == STWATCH_OK)
		status = read_events(k);
	if (status == STWATCH_OK && k->index->entries.count == 0) {
		if (k->index->failure.status != STWATCH_OK)
			*k->error = k->index->failure;
		else
			stw_fail(k->error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "a trace without a generation needs no index");
		return k->error->status;
	}
	if (status == STWATCH_OK && (!identify(source, &after) || !same(&before, &after)))
		status = stw_fail(k->error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the trace changed while it was read");
	return status == STWATCH_OK ? write_table(k, version, &before, made, digest) : status;
}

stwatch_status stw_index_make(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *path,
	const stw_run_options *options, stwatch_error *error)
{
	char temporary[STW_INDEX_PATH + 8];
	snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
	*index = (stw_index){.mem = mem, .fd = mkstemp(temporary), .failure.offset = STWATCH_NO_OFFSET};
	if (index->fd < 0)
		return fail_write(error, path);
	maker *k = stw_mem_zalloc(mem, sizeof *k);
	stwatch_status status = STWATCH_OK;
	if (k) {
		*k = (maker){.index = index, .options = options, .bytes.mem = mem, .unsaved = 0, .at = HEAD_SIZE, .error = error};
		stw_stream_open(&k->stream, mem, source, version);
		status = make(k, source, version);
		stw_stream_close(&k->stream);
		stw_bytes_free(&k->bytes);
		stw_mem_free(mem, k, sizeof *k);
	} else {
		status = stw_fail_memory(error);
	}
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
	e->state_size = stw_bytes_take_below(r, index_size);
	e->state_at = e->state_size ? stw_bytes_take_below(r, index_size - e->state_size) : 0;
	e->state_hash = e->state_size ? stw_bytes_take_uint(r) : 0;
	return !r->failed;
}

static bool is_this_trace(stw_mem *mem, const stw_source *source, const identity *id, const identity *then, int64_t made, uint64_t digest)
{
	uint64_t found;
	stwatch_error ignored;
	if (same(id, then) && then->changed < made - RACE_NS && then->modified < made - RACE_NS)
		return true;
	return id->size == then->size && digest_all(mem, source, NULL, &found, &ignored) == STWATCH_OK && found == digest;
}

/* NULL, or what is wrong. */
static const char *take_table(stw_index *index, stw_bytes_reader *r, const stw_source *source, stw_go_version version, const identity *id)
{
	static const char DAMAGED[] = "it is damaged";
	uint64_t of_version = stw_bytes_take_uint(r);
	identity then = {.size = stw_bytes_take_uint(r)};
	then.inode = stw_bytes_take_uint(r);
	then.device = stw_bytes_take_uint(r);
	then.modified = stw_bytes_take_int(r);
	then.changed = stw_bytes_take_int(r);
	int64_t made = stw_bytes_take_int(r);
	uint64_t digest = stw_bytes_take_uint(r);
	if (r->failed)
		return DAMAGED;
	if (of_version != (uint64_t)version || !is_this_trace(index->mem, source, id, &then, made, digest))
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
	return r->failed || r->p != r->end || index->entries.count == 0 ? DAMAGED : NULL;
}

/* Reads a part of the index; NULL if it isn't there or not as its hash says. To be freed with its size. */
static uint8_t *read_part(const stw_index *index, stw_mem *mem, uint64_t at, uint64_t size, uint64_t hash)
{
	if (at > index->size || size > index->size - at)
		return NULL;
	uint8_t *data = stw_mem_resize(mem, NULL, 0, (size_t)size + 1);
	if (!data)
		return NULL;
	size_t got = 0;
	for (ssize_t n = 1; n > 0 && got<size; got += n> 0 ? (size_t)n : 0)
		n = pread(index->fd, data + got, (size_t)size - got, (off_t)(at + got));
	if (got == size && stw_digest(data, (size_t)size, 0) == hash)
		return data;
	stw_mem_free(mem, data, (size_t)size + 1);
	return NULL;
}

/* Another user's file could hold anything: who may write it may as well write the trace. */
static bool may_be_trusted(int fd, uint64_t *size)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0))
		return false;
	*size = (uint64_t)st.st_size;
	return true;
}

bool stw_index_open(stw_index *index, stw_mem *mem, const stw_source *source, stw_go_version version, const char *path, const char **why)
{
	uint8_t head[HEAD_SIZE];
	identity id;
	*why = NULL;
	*index = (stw_index){
		.mem = mem, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), .failure.offset = STWATCH_NO_OFFSET};
	if (index->fd < 0 || !identify(source, &id)) {
		stw_index_close(index);
		return false;
	}
	if (!may_be_trusted(index->fd, &index->size))
		*why = "it is another user's";
	else if (pread(index->fd, head, sizeof head, 0) != (ssize_t)sizeof head || memcmp(head, MAGIC, MAGIC_SIZE) != 0)
		*why = "it is no index of this version";
	if (!*why) {
		uint64_t size = get_fixed(head + MAGIC_SIZE + 8);
		uint8_t *table = read_part(index, mem, get_fixed(head + MAGIC_SIZE), size, get_fixed(head + MAGIC_SIZE + 16));
		stw_bytes_reader r = {.p = table, .end = table + (table ? size : 0)};
		*why = table ? take_table(index, &r, source, version, &id) : "it is damaged";
		if (table)
			stw_mem_free(mem, table, (size_t)size + 1);
	}
	if (*why)
		stw_index_close(index);
	return !*why;
}

stwatch_status stw_index_seek(const stw_index *index, stw_stream *stream, stw_mem *mem, const stw_source *source, stw_go_version version,
	size_t *entry, stwatch_error *error)
{
	while (*entry > 0 && index->entries.items[*entry].state_size == 0)
		--*entry;
	const stw_index_entry *e = &index->entries.items[*entry];
	stw_stream_open(stream, mem, source, version);
	if (*entry == 0)
		return STWATCH_OK;
	uint8_t *state = read_part(index, mem, e->state_at, e->state_size, e->state_hash);
	stw_bytes_reader r = {.p = state, .end = state + (state ? e->state_size : 0)};
	bool ok = state && stw_stream_resume(stream, &e->border, &r);
	if (state)
		stw_mem_free(mem, state, (size_t)e->state_size + 1);
	if (ok)
		return STWATCH_OK;
	stw_stream_close(stream);
	return stw_fail(error, STWATCH_ERR_DAMAGED, STWATCH_NO_OFFSET, "the state in the index is damaged");
}
