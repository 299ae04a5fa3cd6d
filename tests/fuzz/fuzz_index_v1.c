/* Any bytes as a trace of Go 1.5 to 1.21, whose first pass is written down and read back: it says the same. At states of the merge that are kept on the way,
 * a reading goes on as the one that they were taken from. What was written and then spoilt is refused, or read to some end. */
#include <string.h>
#include <unistd.h>

#include "order/v1_past.h"
#include "order/v1_snapshot.h"
#include "reading_v1.h"
#include "v1/index_store.h"

enum { STATES = 6, SPOILT = 4 };

/* With what the trace has said until there. */
typedef struct telling {
	reading reading;
	stw_v1_past past;
} telling;

static inline void count_event(stw_merge *mg, unsigned type, int64_t time, uint32_t m, uint32_t p, uint32_t g, uint32_t target, uint64_t a0,
	uint64_t a1, uint64_t a2, uint64_t a3)
{
	telling *t = mg->hook;
	const bool named = type == STW_EV_STWBegin || type == STW_EV_STWEnd; /* by a number that a reading gives */
	stw_v1_past_told(&t->past, (stw_v1_merge *)mg, type, target, a2);
	reading_add(&t->reading, mg->order, type, time, m, p, g, target, named ? 0 : a0, a1, a2, type == STW_EV_UserTaskEnd ? 0 : a3);
}

#define STW_MERGE_EMIT count_event
#define STW_V1_AS_GO true
#define STW_V1_TAKEN(vm, stream, event) stw_v1_past_take(&((telling *)(vm)->base.hook)->past, vm, stream, event)
#include "order/v1_step.h"

/* A state of a reading, and what it had read until there. */
typedef struct kept {
	stw_bytes bytes;
	telling so_far;
} kept;

typedef struct checking {
	stage *s;
	int file; /* with the ends of calls */
	uint64_t file_size;
	stw_bytes first_pass;
	kept states[STATES];
	size_t n_states;
	telling whole;
	stw_bytes end; /* what is known of the past at its end */
	uint64_t random;
} checking;

static void keep(checking *k, const stw_v1_merge *vm, const telling *t)
{
	kept *at = &k->states[k->n_states++];
	at->bytes = (stw_bytes){.mem = &k->s->mem};
	at->so_far = *t;
	stw_v1_merge_save(vm, &at->bytes);
	stw_v1_past_save(&t->past, vm, &at->bytes);
}

static stw_bytes end_past(checking *k, telling *t, const stw_v1_merge *vm)
{
	stw_bytes end = {.mem = &k->s->mem};
	stw_v1_past_save(&t->past, vm, &end);
	stw_v1_past_free(&t->past);
	return end;
}

/* From its beginning, with states kept at growing distances. */
static void read_whole(checking *k, stw_v1 *v1)
{
	stw_v1_merge vm;
	stw_order order;
	stwatch_error error = {0};
	uint64_t next = 3;
	telling *t = &k->whole;
	reading *r = &t->reading;
	*t = (telling){.reading = {.hash = 1}};
	stw_v1_past_init(&t->past, &k->s->mem);
	stw_order_init(&order, &k->s->mem);
	r->status = stw_v1_merge_open(&vm, &order, v1, t, &error);
	for (uint64_t n = 0; r->status == STWATCH_OK; n++) {
		if (n >= next && k->n_states < STATES && stw_v1_merge_can_be_saved(&vm)) {
			keep(k, &vm, t);
			next = n * 3;
		}
		r->status = v1_step(&vm);
	}
	r->faults = vm.n_faults;
	k->end = end_past(k, t, &vm);
	stw_v1_merge_close(&vm);
	stw_order_free(&order);
}

static reading read_on(checking *k, stw_v1 *v1, const stw_bytes *state, telling t, stw_bytes *end)
{
	stw_v1_merge vm;
	stw_order order;
	stwatch_error error = {0};
	reading *r = &t.reading;
	stw_bytes_reader reader = {.p = state->data.items, .end = state->data.items + state->data.count};
	stw_order_init(&order, &k->s->mem);
	r->status = stw_v1_merge_resume(&vm, &order, v1, &t, &reader, &error);
	REQUIRE(r->status == STWATCH_OK || (r->status == error.status && error.message[0]));
	stw_v1_past_init(&t.past, &k->s->mem);
	if (r->status == STWATCH_OK && !stw_v1_past_restore(&t.past, &vm, &reader))
		r->status = STWATCH_ERR_DAMAGED;
	while (r->status == STWATCH_OK)
		r->status = v1_step(&vm);
	r->faults = vm.n_faults;
	*end = end_past(k, &t, &vm);
	stw_v1_merge_close(&vm);
	stw_order_free(&order);
	return *r;
}

static bool take_first_pass(checking *k, stw_v1_index *x)
{
	stw_bytes_reader r = {.p = k->first_pass.data.items, .end = k->first_pass.data.items + k->first_pass.data.count};
	if (!stw_v1_index_restore(x, &k->s->mem, (unsigned)k->s->version, k->s->source.size, &r))
		return false;
	if (stw_v1_exits_restore(&x->exits, &k->s->mem, dup(k->file), k->file_size, &r) && r.p == r.end)
		return true;
	stw_v1_index_free(x);
	return false;
}

static void write_first_pass(checking *k, const stw_v1_index *x)
{
	stw_v1_exits packed;
	stwatch_error error;
	stw_v1_exits_init(&packed, &k->s->mem);
	REQUIRE(stw_v1_exits_pack(&x->exits, &packed, k->file, &k->file_size, &error) == STWATCH_OK);
	k->first_pass = (stw_bytes){.mem = &k->s->mem};
	stw_v1_index_save(x, &k->first_pass);
	stw_v1_exits_save(&packed, &k->first_pass);
	REQUIRE(packed.count == x->exits.count && !k->first_pass.failed);
	stw_v1_exits_free(&packed);
}

static bool same_bytes(const stw_bytes *a, const stw_bytes *b)
{
	return a->data.count == b->data.count && (a->data.count == 0 || memcmp(a->data.items, b->data.items, a->data.count) == 0);
}

static void check_same_bytes(const checking *k, const stw_v1_index *x)
{
	stw_bytes again = {.mem = &k->s->mem};
	stw_v1_index_save(x, &again);
	stw_v1_exits_save(&x->exits, &again);
	REQUIRE(same_bytes(&again, &k->first_pass));
	stw_bytes_free(&again);
}

static void check_states(checking *k, stw_v1 *v1)
{
	for (size_t i = 0; i < k->n_states; i++) {
		kept *at = &k->states[i];
		stw_bytes end;
		const reading rest = read_on(k, v1, &at->bytes, at->so_far, &end);
		REQUIRE(reading_is_same(&rest, &k->whole.reading) && same_bytes(&end, &k->end));
		stw_bytes_free(&end);
		for (int n = 0; n < SPOILT && at->bytes.data.count; n++) {
			spoil(at->bytes.data.items, at->bytes.data.count, &k->random);
			read_on(k, v1, &at->bytes, at->so_far, &end);
			stw_bytes_free(&end);
		}
		stw_bytes_free(&at->bytes);
	}
	stw_bytes_free(&k->end);
}

static void check_spoilt_first_pass(checking *k)
{
	for (int n = 0; n < SPOILT; n++) {
		stw_v1_index x;
		stw_v1 v1;
		stwatch_error error;
		spoil(k->first_pass.data.items, k->first_pass.data.count, &k->random);
		if (!take_first_pass(k, &x) || stw_v1_open_read(&v1, &k->s->mem, &k->s->source, &x, NULL, &error) != STWATCH_OK)
			continue;
		k->n_states = STATES;
		read_whole(k, &v1);
		stw_bytes_free(&k->end);
		stw_v1_close(&v1);
	}
}

static void check(checking *k)
{
	stw_v1_index found, restored;
	stw_v1 v1;
	stwatch_error error;
	const stw_v1_entry entry = stw_v1_entry_of((unsigned)k->s->version);
	if (stw_v1_index_read(&found, &k->s->mem, &k->s->source, &entry, 1, NULL, &error) != STWATCH_OK)
		return;
	write_first_pass(k, &found);
	REQUIRE(stw_v1_open_read(&v1, &k->s->mem, &k->s->source, &found, NULL, &error) == STWATCH_OK);
	read_whole(k, &v1);
	stw_v1_close(&v1);
	REQUIRE(take_first_pass(k, &restored));
	REQUIRE(stw_v1_exits_are_sound(&restored.exits, 0, restored.exits.count));
	check_same_bytes(k, &restored);
	REQUIRE(stw_v1_open_read(&v1, &k->s->mem, &k->s->source, &restored, NULL, &error) == STWATCH_OK);
	check_states(k, &v1);
	stw_v1_close(&v1);
	check_spoilt_first_pass(k);
	stw_bytes_free(&k->first_pass);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stage s;
	if (!stage_open_v1(&s, data, size))
		return 0;
	checking k = {.s = &s, .random = size * 0x9E3779B97F4A7C15u | 1};
	stwatch_error error;
	if (stw_temporary_file(&k.file, &error) == STWATCH_OK) {
		check(&k);
		close(k.file);
	}
	stage_close(&s);
	return 0;
}
