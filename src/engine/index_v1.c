/* Going through a trace of Go 1.5 to 1.21 for its index: what the first pass found, and an entry every so often at which the merge's state is kept. */
#include "base/error.h"
#include "engine/index_make.h"
#include "order/v1_past.h"
#include "order/v1_snapshot.h"
#include "v1/index_store.h"

static void note_told(stw_merge *mg, unsigned type, int64_t time, uint32_t target, uint64_t status);
static void note_taken(stw_v1_merge *vm, size_t stream, const stw_v1_cursor *event);
#define STW_MERGE_EMIT(mg, type, time, m, p, g, target, a0, a1, a2, a3)                                                                    \
	((void)(m), (void)(p), (void)(g), (void)(a0), (void)(a1), (void)(a3), note_told(mg, type, time, target, a2))
#define STW_V1_TAKEN(vm, stream, event) note_taken(vm, stream, event)
#define STW_V1_AS_GO true
#include "order/v1_step.h"

enum {
	STEPS_LEAST = 1 << 9, /* from one entry to the next, while the states are few */
	STEPS_APART = 1 << 18, /* later on; about as many events */
	SHARE = 64, /* a state is then at most this part of what it saves reading */
};

typedef struct v1_maker {
	stw_index_maker *to;
	stw_v1 v1;
	stw_v1_merge merge;
	stw_order order;
	stw_v1_past past; /* for who cuts */
	stw_index_entry entry; /* the one at hand */
	uint64_t steps; /* in it */
	int64_t latest; /* time that the merge has looked at */
	uint64_t begun_at; /* where, in bytes of the trace */
	uint64_t states, last_state; /* bytes of all states, and of the last */
} v1_maker;

static void note_event(v1_maker *k, int64_t time)
{
	if (k->entry.events++ == 0)
		k->entry.first = time;
	k->entry.last = time;
}

static void note_told(stw_merge *mg, unsigned type, int64_t time, uint32_t target, uint64_t status)
{
	v1_maker *k = mg->hook;
	note_event(k, time);
	stw_v1_past_told(&k->past, &k->merge, type, target, status);
}

static void note_taken(stw_v1_merge *vm, size_t stream, const stw_v1_cursor *event)
{
	v1_maker *k = vm->base.hook;
	stw_v1_past_take(&k->past, vm, stream, event);
}

static void note_time(v1_maker *k)
{
	int64_t ticks, time;
	if (stw_v1_merge_next_ticks(&k->merge, &ticks) && (time = v1_time(&k->merge, ticks)) > k->latest)
		k->latest = time;
}

static bool end_entry(v1_maker *k)
{
	stw_index_entry *e = stw_vec_push(k->to->index->mem, &k->to->index->entries);
	if (e)
		*e = k->entry;
	return e != NULL;
}

static bool is_due(const v1_maker *k)
{
	if (k->steps < STEPS_LEAST || !stw_v1_merge_can_be_saved(&k->merge))
		return false;
	if (k->states + k->last_state <= STW_INDEX_SMALL)
		return true;
	return k->steps >= STEPS_APART && stw_v1_merge_done(&k->merge) - k->begun_at >= SHARE * k->last_state;
}

static stwatch_status begin_entry(v1_maker *k)
{
	stw_index_maker *to = k->to;
	if (!end_entry(k))
		return stw_fail_memory(to->error);
	to->bytes.data.count = 0;
	stw_v1_merge_save(&k->merge, &to->bytes);
	stw_v1_past_save(&k->past, &k->merge, &to->bytes);
	if (to->bytes.failed || k->past.failed)
		return stw_fail_memory(to->error);
	const int64_t next = k->merge.base.last_time + 1;
	k->entry = (stw_index_entry){.generation = 1,
		.goroutines = k->order.gs.count - k->order.free_gs.count,
		.first = next,
		.last = next,
		.before = k->latest,
		.exits = k->merge.walk.taken};
	stw_index_put_state(to, &k->entry);
	k->last_state = to->bytes.data.count;
	k->states += k->last_state;
	k->steps = 0;
	k->begun_at = stw_v1_merge_done(&k->merge);
	return STWATCH_OK;
}

static stwatch_status read_events(v1_maker *k)
{
	stw_index_maker *to = k->to;
	const int64_t begin = k->v1.begin_ns - 1;
	stwatch_status status = STWATCH_OK;
	k->entry = (stw_index_entry){.generation = 1, .events = 1, .first = begin, .last = begin}; /* the sync event */
	for (uint64_t n = 0; status == STWATCH_OK; n++) {
		if (is_due(k) && (status = begin_entry(k)) != STWATCH_OK)
			return status;
		if (n % STW_INDEX_PAUSE == 0 && (status = stw_index_pause(to, stw_v1_merge_done(&k->merge))) != STWATCH_OK)
			return status;
		note_time(k);
		status = v1_step(&k->merge);
		k->steps++;
	}
	if (status == STWATCH_ERR_DAMAGED) { /* what Go's reader refuses */
		to->index->failure = *to->error;
	} else if (status == STWATCH_END) {
		note_event(k, k->merge.base.last_time + 1); /* the last sync event */
		stw_v1_merge_verdict(&k->merge, &to->index->failure);
	} else {
		return status;
	}
	return end_entry(k) ? STWATCH_OK : stw_fail_memory(to->error);
}

static stwatch_status read_trace(v1_maker *k)
{
	stw_index_maker *to = k->to;
	if (!k->v1.index.has_events && k->v1.index.samples.count == 0) {
		if (k->v1.index.problems.count)
			stw_fail(&to->index->failure, STWATCH_ERR_DAMAGED, k->v1.index.problems.items[0].offset, "%s",
				k->v1.index.problems.items[0].what);
		return STWATCH_OK;
	}
	k->latest = INT64_MIN;
	stw_order_init(&k->order, to->index->mem);
	stw_v1_past_init(&k->past, to->index->mem);
	stwatch_status status = stw_v1_merge_open(&k->merge, &k->order, &k->v1, k, to->error);
	if (status == STWATCH_OK)
		status = read_events(k);
	stw_v1_merge_close(&k->merge);
	stw_v1_past_free(&k->past);
	stw_order_free(&k->order);
	return status;
}

static stwatch_status keep_first_pass(stw_index_maker *to, const stw_v1_index *first)
{
	stw_v1_exits packed;
	stw_v1_exits_init(&packed, to->index->mem);
	stwatch_status status = stw_v1_exits_pack(&first->exits, &packed, to->index->fd, &to->at, to->error);
	if (status == STWATCH_OK) {
		stw_v1_index_save(first, &to->first_pass);
		stw_v1_exits_save(&packed, &to->first_pass);
		if (to->first_pass.failed)
			status = stw_fail_memory(to->error);
	}
	stw_v1_exits_free(&packed);
	return status;
}

static stwatch_status read_all(v1_maker *k)
{
	stw_index_maker *to = k->to;
	stw_mem *mem = to->index->mem;
	stw_v1_index first;
	const stw_v1_entry entry = stw_v1_entry_of((unsigned)to->version);
	stwatch_status status = stw_v1_index_read(&first, mem, to->source, &entry, to->options->threads, to->options->cancel, to->error);
	if (status != STWATCH_OK)
		return status;
	to->index->v1.unnamed = first.unnamed; /* which a whole reading does not end with */
	if (first.next)
		status = stw_fail(to->error, STWATCH_ERR_ARGUMENT, first.end,
			"another trace begins there, and an index is made of one: split the file there to make one of each");
	else
		status = keep_first_pass(to, &first);
	if (status != STWATCH_OK) {
		stw_v1_index_free(&first);
		return status;
	}
	status = stw_v1_open_read(&k->v1, mem, to->source, &first, NULL, to->error);
	if (status != STWATCH_OK)
		return status;
	status = read_trace(k);
	stw_v1_close(&k->v1);
	return status;
}

stwatch_status stw_index_read_v1(stw_index_maker *to)
{
	v1_maker *k = stw_mem_zalloc(to->index->mem, sizeof *k);
	if (!k)
		return stw_fail_memory(to->error);
	k->to = to;
	stwatch_status status = read_all(k);
	stw_mem_free(to->index->mem, k, sizeof *k);
	return status;
}
