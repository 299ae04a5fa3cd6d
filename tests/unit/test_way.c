/* Critical paths looked for in little room are those found in plenty: what is looked at anew gives the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/trace_file.h"

#include "analysis/choices.h"
#include "analysis/way.h"
#include "engine/walk.h"

enum { MOST_WAYS = 40, PLENTY = 1 << 20 };

static const char *const TRACES[] = {
	STWATCH_TEST_DIR "/data/path/served-go1.26.8.trace.gz",
	STWATCH_TEST_DIR "/data/path/served-go1.21.13.trace.gz",
	STWATCH_TEST_DIR "/data/path/served-go1.13.15.trace.gz",
	STWATCH_TEST_DIR "/data/traces/lock_convoy-3gen-go1.26.8.trace",
	STWATCH_TEST_DIR "/data/traces/gc_assist_storm-go1.22.12.trace",
	STWATCH_TEST_DIR "/data/traces/coroutines-go1.26.8.trace",
};

typedef struct book {
	stw_mem mem;
	stw_trace trace;
	stw_spots spots;
	stw_choices choices;
	int64_t begins[64];
	uint64_t last_span;
	bool any;
} book;

static bool note(void *user, stw_stream *stream, const stw_stream_event *e)
{
	book *b = user;
	if (e->type != STW_EV_SYNC_POINT && (!b->any || stream->span.begin != b->last_span)) {
		b->any = true;
		b->last_span = stream->span.begin;
		for (size_t i = 0; i < b->trace.spans.count; i++)
			if (b->trace.spans.items[i].begin == stream->span.begin || stream->v1)
				b->begins[i] = e->time;
	}
	stw_choices_add(&b->choices, stream, e);
	return true;
}

static void open_book(book *b, const char *path)
{
	stwatch_error error;
	stwatch_path_options options;
	const stw_run_options run = {0};
	const stw_walk walk = {.event = note, .user = b};
	memset(b, 0, sizeof *b);
	for (size_t i = 0; i < sizeof b->begins / sizeof *b->begins; i++)
		b->begins[i] = INT64_MAX;
	stwatch_path_options_init(&options);
	options.subject = STWATCH_PATH_FUNCTION;
	options.name = ".";
	stw_mem_init(&b->mem, NULL, NULL, 0);
	stw_spots_init(&b->spots, &b->mem);
	stw_choices_init(&b->choices, &b->mem, &b->spots, &options);
	assert_int_equal(open_trace(&b->trace, &b->mem, path, &error), STWATCH_OK);
	assert_true(b->trace.spans.count <= sizeof b->begins / sizeof *b->begins);
	assert_int_equal(stw_trace_walk(&b->trace, &run, &walk, &error), STWATCH_OK);
	stw_choices_break(&b->choices);
	assert_true(b->choices.chosen.count > 3);
}

static void close_book(book *b)
{
	stw_choices_free(&b->choices);
	stw_spots_free(&b->spots);
	stw_trace_close(&b->trace);
	assert_int_equal(b->mem.used, 0);
}

static void follow(book *b, stw_ways *ways, size_t room)
{
	stwatch_error error;
	stw_ways_init(ways, &b->mem, &b->spots, room);
	for (size_t i = 0; i < b->choices.chosen.count && i < MOST_WAYS; i++) {
		const stw_chosen *c = &b->choices.chosen.items[i];
		assert_true(stw_ways_add(ways, c->begin, c->end, c->g, i == 0));
	}
	assert_int_equal(stw_ways_follow(ways, &b->trace, b->begins, NULL, &error), STWATCH_OK);
}

static void same_in_little_room(void **state)
{
	static const size_t ROOMS[] = {3, 50, 400};
	(void)state;
	for (size_t t = 0; t < sizeof TRACES / sizeof *TRACES; t++) {
		book b;
		stw_ways plenty, little;
		open_book(&b, TRACES[t]);
		follow(&b, &plenty, PLENTY);
		for (size_t r = t < 3 ? 1 : 0; r < sizeof ROOMS / sizeof *ROOMS; r++) {
			follow(&b, &little, ROOMS[r]);
			assert_int_equal(little.ways.count, plenty.ways.count);
			for (size_t i = 0; i < plenty.ways.count; i++)
				assert_memory_equal(
					little.ways.items[i].kind_ns, plenty.ways.items[i].kind_ns, sizeof plenty.ways.items[i].kind_ns);
			stw_ways_free(&little);
		}
		stw_ways_free(&plenty);
		close_book(&b);
	}
}

static void stretches_are_the_span(void **state)
{
	(void)state;
	for (size_t t = 0; t < sizeof TRACES / sizeof *TRACES; t++) {
		book b;
		stw_ways ways;
		open_book(&b, TRACES[t]);
		follow(&b, &ways, PLENTY);
		for (size_t i = 0; i < ways.ways.count; i++) {
			const stw_chosen *c = &b.choices.chosen.items[i];
			int64_t sum = 0;
			for (unsigned kind = 0; kind < STWATCH_PATH_KINDS; kind++)
				sum += ways.ways.items[i].kind_ns[kind];
			assert_int_equal(sum, c->end - c->begin);
			assert_int_equal(ways.ways.items[i].kind_ns[0], 0);
		}
		stw_ways_free(&ways);
		close_book(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_in_little_room),
		cmocka_unit_test(stretches_are_the_span),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
