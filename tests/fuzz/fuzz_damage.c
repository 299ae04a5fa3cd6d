/* Any bytes as one trace, read past its damage in every way that there is. Whatever they are,
 *   any number of threads says the same, to the byte;
 *   every way of reading ends with the same status, and where that is damage, says what is lost, at a byte of the input;
 *   memory is bounded by the size of the input;
 *   what is cut out of it is sound to the strict reader. */
#include <string.h>

#include "stage.h"
#include "stwatch/stwatch.h"

#define HASH_OF_NOTHING UINT64_C(0xCBF29CE484222325)

enum { BYTES = 48 << 20, BYTES_A_BYTE = 256 }; /* of memory, in all and for each of the input */

typedef struct told {
	stwatch_status status;
	bool trace; /* it was taken for one */
	int64_t duration_ns;
	uint64_t hash, length;
} told;

static uint64_t hash_of(uint64_t before, const void *data, size_t length)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i < length; i++)
		before = (before ^ bytes[i]) * 0x100000001B3u;
	return before;
}

static int hash_up(void *user, const char *data, size_t length)
{
	told *t = user;
	t->hash = hash_of(t->hash, data, length);
	t->length += length;
	return 0;
}

static stwatch_context *new_context(unsigned threads, size_t size)
{
	stwatch_context *context = NULL;
	stwatch_context_options options = {
		.size = sizeof options, .threads = threads, .memory_limit = BYTES * threads + (uint64_t)size * BYTES_A_BYTE};
	REQUIRE(stwatch_context_create(&options, &context) == STWATCH_OK);
	return context;
}

static void check_status(stwatch_status status, const stwatch_error *error)
{
	REQUIRE(status == STWATCH_OK || (error->status == status && error->message[0] && !strchr(error->message, '\n')));
	REQUIRE(status != STWATCH_ERR_MEMORY && status != STWATCH_ERR_IO && status != STWATCH_ERR_CANCELLED);
}

static void check_input(const stwatch_input *in, stwatch_status status, uint64_t size)
{
	REQUIRE(in->complete == (in->n_problems == 0) && in->complete == (status == STWATCH_OK));
	for (size_t i = 0; i < in->n_problems; i++)
		REQUIRE(in->problems[i].what[0] && (in->problems[i].offset == STWATCH_NO_OFFSET || in->problems[i].offset <= size));
}

/* Numbers that stand for times may be so large that they wrap around, as in Go's reader: then nothing of them is in order. */
static void check_findings(const stwatch_analysis *a, bool wrapped)
{
	size_t n;
	const stwatch_finding *f = stwatch_analysis_findings(a, &n);
	for (size_t i = 0; i < n; i++) {
		REQUIRE(f[i].rule && f[i].cause && stwatch_explain(f[i].rule) && stwatch_explain(f[i].cause) && f[i].count > 0);
		REQUIRE(wrapped || (f[i].duration_ns >= 0 && f[i].harm_ns >= 0));
		REQUIRE(wrapped || f[i].start_ns == STWATCH_UNKNOWN || f[i].start_ns <= f[i].end_ns);
	}
}

static told analyse(const char *path, size_t size, bool packed, unsigned threads)
{
	static const stwatch_format FORMATS[] = {STWATCH_FORMAT_JSON, STWATCH_FORMAT_TEXT};
	told t = {.hash = HASH_OF_NOTHING};
	stwatch_context *context = new_context(threads, size);
	stwatch_analyze_options options = {.size = sizeof options, .findings = true};
	stwatch_analysis *a = NULL;
	stwatch_error error = {0};
	size_t n = 0;
	t.status = stwatch_analyze(context, &path, 1, &options, &a, &error);
	REQUIRE((a != NULL) == (t.status == STWATCH_OK || t.status == STWATCH_ERR_DAMAGED));
	const stwatch_input *in = a ? stwatch_analysis_inputs(a, &n) : NULL;
	t.trace = n == 1 && strcmp(in->kind, "go-trace") == 0;
	t.duration_ns = t.trace ? in->duration_ns : 0;
	if (t.trace && !packed) {
		check_status(t.status, &error);
		check_input(in, t.status, size);
		check_findings(a, in->duration_ns < 0);
	}
	for (size_t i = 0; a && i < sizeof FORMATS / sizeof *FORMATS; i++) {
		stwatch_print_options print = {.size = sizeof print, .format = FORMATS[i]};
		REQUIRE(stwatch_analysis_print(a, STWATCH_VIEW_DIAGNOSE, &print, hash_up, &t) == STWATCH_OK);
		REQUIRE(stwatch_analysis_print(a, STWATCH_VIEW_STAT, &print, hash_up, &t) == STWATCH_OK);
	}
	stwatch_analysis_free(a);
	stwatch_context_free(context);
	return t;
}

typedef struct bytes {
	uint8_t *data;
	size_t size, room;
} bytes;

static int keep(void *user, const char *data, size_t length)
{
	bytes *b = user;
	if (b->size + length > b->room) {
		b->room = 2 * (b->size + length);
		b->data = realloc(b->data, b->room);
		REQUIRE(b->data);
	}
	memcpy(b->data + b->size, data, length);
	b->size += length;
	return 0;
}

/* What is cut out holds to the strictest reading. */
static void cut(stwatch_context *context, const char *path, const stwatch_cut_options *options)
{
	bytes out = {0};
	input in;
	told t = {0};
	stwatch_error error = {0};
	stwatch_cut_result result = {.size = sizeof result};
	stwatch_status status = stwatch_cut(context, path, options, keep, &out, &result, &error);
	if ((status == STWATCH_OK || status == STWATCH_ERR_DAMAGED) && result.generations > 0 && input_open(&in, out.data, out.size) == 0) {
		REQUIRE(result.bytes == out.size);
		const char *again_path = in.path;
		stwatch_status again = stwatch_events_print(context, &again_path, 1, STWATCH_EVENTS_GO, NULL, hash_up, &t, &error);
		if (again != STWATCH_OK)
			fprintf(stderr, "what was cut out: byte %llu: %s\n", (unsigned long long)error.offset, error.message);
		REQUIRE(again == STWATCH_OK);
		input_close(&in);
	}
	free(out.data);
}

/* Some part. (The whole of a v1 trace keeps what contradicts itself, where its names are replaced.) */
static void cut_part(stwatch_context *context, const char *path, const told *all, uint64_t choice)
{
	stwatch_cut_options options = {.size = sizeof options, .anonymise = choice >> 32 & 1};
	const uint64_t length = all->duration_ns > 0 ? (uint64_t)all->duration_ns + 1 : 1;
	options.from_ns = 1 + (int64_t)((choice >> 8) % length);
	options.to_ns = choice >> 33 & 1 ? 0 : options.from_ns + (int64_t)((choice >> 20) % length);
	cut(context, path, &options);
}

static stwatch_status read_path(stwatch_context *context, const char *path, stwatch_error *error)
{
	stwatch_path *p = NULL;
	told t = {0};
	stwatch_status status = stwatch_path_read(context, &path, 1, NULL, &p, error);
	if (p)
		REQUIRE(stwatch_path_print(p, STWATCH_PATH_TEXT, NULL, hash_up, &t) == STWATCH_OK);
	stwatch_path_free(p);
	return status;
}

static stwatch_status read_states(stwatch_context *context, const char *path, stwatch_error *error)
{
	stwatch_states *s = NULL;
	told t = {0};
	stwatch_status status = stwatch_states_read(context, &path, 1, NULL, &s, error);
	if (s)
		REQUIRE(stwatch_states_print(s, STWATCH_STATES_JSON, NULL, hash_up, &t) == STWATCH_OK);
	stwatch_states_free(s);
	return status;
}

/* What is done with an input follows from its own bytes, not from what is said of it: one that failed goes the way on which it failed for good. */
static uint64_t choose(const uint8_t *data, size_t size)
{
	const uint64_t hash = hash_of(HASH_OF_NOTHING, data, size);
	return hash_of(hash, &hash, sizeof hash); /* so that the last bytes reach all bits */
}

/* One of the other ways. */
static void read_otherwise(const char *path, size_t size, const told *all, uint64_t choice)
{
	stwatch_context *context = new_context(1, size);
	stwatch_error error = {0};
	told t = {0};
	stwatch_status status = all->status;
	const uint64_t way = choice % 6;
	switch (way) {
	case 0: status = stwatch_events_print(context, &path, 1, STWATCH_EVENTS_JSONL, NULL, hash_up, &t, &error); break;
	case 1: status = stwatch_events_print(context, &path, 1, STWATCH_EVENTS_TEXT, NULL, hash_up, &t, &error); break;
	case 2: status = read_states(context, path, &error); break;
	case 3: status = read_path(context, path, &error); break;
	case 4: cut_part(context, path, all, choice); break;
	default: cut(context, path, NULL);
	}
	if (status != all->status)
		fprintf(stderr, "way %llu: status %d where the analysis has %d: %s\n", (unsigned long long)way, (int)status,
			(int)all->status, error.message);
	REQUIRE(status == all->status);
	stwatch_context_free(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input in;
	if (input_open(&in, data, size) != 0)
		return 0;
	const bool packed = size && (data[0] == 0x1f || data[0] == 0x28);
	told one = analyse(in.path, size, packed, 1), two = analyse(in.path, size, packed, 2);
	REQUIRE(one.status == two.status && one.hash == two.hash && one.length == two.length);
	if (one.trace && !packed)
		read_otherwise(in.path, size, &one, choose(data, size));
	input_close(&in);
	return 0;
}
