/* Any bytes as a trace, with an index beside it: for any stretch of time the events are those of a reading without one, with the same message, also where
 * the index is spoilt. One that lies, with the right hashes, is read to some end. */
#include <string.h>

#include "base/digest.h"
#include "engine/index.h"
#include "stage.h"

enum { WINDOWS = 4, SPOILT = 4, HEAD = 40 /* of an index: a word, place, size and hash of its table */ };

static const stwatch_events_format FORMATS[] = {STWATCH_EVENTS_GO, STWATCH_EVENTS_TEXT, STWATCH_EVENTS_JSONL};

typedef struct printed {
	uint64_t length, hash;
	stwatch_status status;
	stwatch_error error;
} printed;

typedef struct checking {
	stwatch_context *context;
	const char *trace;
	char index[64], aside[64];
	int64_t from[WINDOWS], to[WINDOWS];
	printed without[WINDOWS];
	uint64_t random;
} checking;

static int add_up(void *user, const char *data, size_t length)
{
	printed *p = user;
	for (size_t i = 0; i < length; i++)
		p->hash = mixed(p->hash, (unsigned char)data[i]);
	p->length += length;
	return 0;
}

static printed print_window(const checking *k, int i)
{
	printed p = {.length = 0};
	stwatch_events_filter filter;
	stwatch_events_filter_init(&filter);
	filter.from_ns = k->from[i];
	filter.to_ns = k->to[i];
	p.status = stwatch_events_print(k->context, &k->trace, 1, FORMATS[i % 3], &filter, add_up, &p, &p.error);
	return p;
}

static void require_same(const printed *a, const printed *b)
{
	if (a->status == STWATCH_ERR_MEMORY || b->status == STWATCH_ERR_MEMORY)
		return;
	REQUIRE(a->status == b->status && a->length == b->length && a->hash == b->hash);
	REQUIRE(a->status == STWATCH_OK || (a->error.offset == b->error.offset && strcmp(a->error.message, b->error.message) == 0));
}

static void require_all_same(const checking *k)
{
	for (int i = 0; i < WINDOWS; i++) {
		const printed with = print_window(k, i);
		require_same(&k->without[i], &with);
	}
}

static void write_index(const checking *k, const uint8_t *data, size_t size)
{
	FILE *file = fopen(k->index, "wb");
	REQUIRE(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static uint64_t number_at(const uint8_t *p)
{
	uint64_t value;
	memcpy(&value, p, sizeof value); /* lowest byte first, as here */
	return value;
}

static void check_spoilt(checking *k, const uint8_t *index, size_t size)
{
	uint8_t *data = malloc(size);
	REQUIRE(data);
	for (int n = 0; n < SPOILT; n++) {
		memcpy(data, index, size);
		if (n % 2)
			spoil(data, size, &k->random);
		write_index(k, data, n % 2 ? size : draw(&k->random) % size);
		require_all_same(k);
	}
	free(data);
}

/* Its table says something else. */
static void check_lying(checking *k, uint8_t *index, size_t size)
{
	const uint64_t at = number_at(index + 16), length = number_at(index + 24);
	REQUIRE(at + length == size && length > 0);
	for (int n = 0; n < SPOILT; n++) {
		spoil(index + at, length, &k->random);
		const uint64_t hash = stw_digest(index + at, length, 0);
		memcpy(index + 32, &hash, sizeof hash);
		write_index(k, index, size);
		for (int i = 0; i < WINDOWS; i++)
			print_window(k, i);
	}
}

/* A reading that begins at what is no true state. */
static void read_from(
	checking *k, stw_mem *mem, const stw_source *source, stw_go_version version, const stw_border *border, uint8_t *state, size_t size)
{
	stw_stream stream;
	const stw_stream_event *e;
	stwatch_error error;
	stw_bytes_reader r = {.p = state, .end = state + size};
	spoil(state, size, &k->random);
	stw_stream_open(&stream, mem, source, version);
	stwatch_status status = stw_stream_resume(&stream, border, &r) ? STWATCH_OK : STWATCH_END;
	while (status == STWATCH_OK)
		status = stw_stream_next(&stream, &e, &error);
	stw_stream_close(&stream);
}

static void check_states(checking *k, stw_mem *mem, const stw_source *source, stw_go_version version, stw_index *index)
{
	for (size_t i = 1; i < index->entries.count && i < SPOILT; i++) {
		const stw_index_entry *e = &index->entries.items[i];
		const stw_index_part part = {.from = i};
		stw_bytes_reader r;
		uint8_t *state = e->state_size ? stw_index_state(index, mem, &part, &r) : NULL;
		if (state)
			read_from(k, mem, source, version, &e->border, state, e->state_size);
		stw_index_free_state(index, mem, &part, state);
	}
}

static void check_false_states(checking *k)
{
	stw_mem mem;
	stw_source source;
	stw_index index;
	unsigned minor = 0;
	const char *why;
	stw_mem_init(&mem, NULL, NULL, (uint64_t)256 << 20);
	REQUIRE(stw_source_open(&source, k->trace, NULL, NULL) == STWATCH_OK && stw_header_read(&source, &minor, NULL) == STWATCH_OK);
	if (minor >= STW_GO122 && stw_index_open(&index, &mem, &source, (stw_go_version)minor, k->index, &why)) {
		check_states(k, &mem, &source, (stw_go_version)minor, &index);
		stw_index_close(&index);
	}
	stw_source_close(&source);
	REQUIRE(atomic_load(&mem.used) == 0);
}

static void choose_windows(checking *k, int64_t duration)
{
	const uint64_t within = duration > 0 ? (uint64_t)duration + 2 : 2;
	for (int i = 0; i < WINDOWS; i++) {
		k->from[i] = (int64_t)(draw(&k->random) % within);
		k->to[i] = i % 2 ? 0 : k->from[i] + 1 + (int64_t)(draw(&k->random) % within);
	}
}

static void check(checking *k, const stwatch_index_result *made)
{
	size_t size;
	choose_windows(k, made->duration_ns);
	REQUIRE(rename(k->index, k->aside) == 0);
	for (int i = 0; i < WINDOWS; i++)
		k->without[i] = print_window(k, i);
	REQUIRE(rename(k->aside, k->index) == 0);
	require_all_same(k);
	check_false_states(k);
	uint8_t *index = file_bytes(k->index, &size);
	REQUIRE(index && size > HEAD);
	check_spoilt(k, index, size);
	check_lying(k, index, size);
	free(index);
	remove(k->index);
}

static void run(stwatch_context *context, const char *path)
{
	checking k = {.context = context, .trace = path};
	stwatch_index_result made = {.size = sizeof made};
	snprintf(k.index, sizeof k.index, "%s" STW_INDEX_ENDING, path);
	snprintf(k.aside, sizeof k.aside, "%s.aside", path);
	stwatch_index_make(context, path, NULL, &made, NULL);
	k.random = (made.bytes + made.events) * 0x9E3779B97F4A7C15u | 1;
	if (*made.path)
		check(&k, &made);
}

/* An index stands beside a file that has a name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char folder[] = "/tmp/fuzz-index-XXXXXX", path[sizeof folder + 2];
	if (!mkdtemp(folder))
		return 0;
	snprintf(path, sizeof path, "%s/t", folder);
	FILE *file = fopen(path, "wb");
	if (file && fwrite(data, 1, size, file) == size && fclose(file) == 0)
		whole_run_path(path, size % 4 ? 1 : 2, 256u << 20, run);
	remove(path);
	remove(folder);
	return 0;
}
