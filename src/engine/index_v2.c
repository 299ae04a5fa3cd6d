/* Going through a trace of Go 1.22 or later for its index: an entry for each generation. */
#include "base/error.h"
#include "engine/index_make.h"
#include "order/snapshot.h"

typedef struct v2_maker {
	stw_index_maker *to;
	stw_stream stream;
	stw_border border; /* as of the event before */
	uint64_t unsaved; /* where the last kept state stands in the trace */
} v2_maker;

/* At the sync event of a generation: nothing of it was ordered yet. */
static bool begin_entry(v2_maker *k, const stw_stream_event *e)
{
	stw_stream *s = &k->stream;
	stw_index_maker *to = k->to;
	stw_index_entry *entry = stw_vec_push(to->index->mem, &to->index->entries);
	if (!entry)
		return false;
	*entry = (stw_index_entry){
		.border = k->border,
		.end = s->span.end,
		.generation = s->span.generation,
		.goroutines = s->order.gs.count - s->order.free_gs.count,
		.first = e->time,
		.last = e->time,
	};
	entry->border.offset = s->span.begin;
	/* Where a generation has the number of the one before, sequence numbers go on, which a state does not hold. */
	if (to->index->entries.count == 1 || s->span.generation == k->border.number)
		return true;
	to->bytes.data.count = 0;
	stw_order_save(&s->order, &to->bytes);
	if (to->bytes.failed)
		return false;
	const size_t size = to->bytes.data.count;
	if (size > (s->span.begin - k->unsaved) / STW_INDEX_SHARE && to->at + size > STW_INDEX_SMALL)
		return true;
	k->unsaved = s->span.begin;
	stw_index_put_state(to, entry);
	return true;
}

static bool add_event(v2_maker *k, const stw_stream_event *e)
{
	if (e->type == STW_EV_SYNC_POINT && e->has_generation && !begin_entry(k, e))
		return false;
	if (k->to->index->entries.count) {
		stw_index_entry *entry = &k->to->index->entries.items[k->to->index->entries.count - 1];
		entry->events++;
		entry->last = e->time;
	}
	k->border = stw_stream_border(&k->stream);
	return true;
}

static stwatch_status read_events(v2_maker *k)
{
	stw_stream *s = &k->stream;
	stw_index_maker *to = k->to;
	const stw_stream_event *e;
	stwatch_status status;
	for (uint64_t n = 0; (status = stw_stream_next(s, &e, to->error)) == STWATCH_OK; n++) {
		if (!add_event(k, e))
			return stw_fail_memory(to->error);
		if (n % STW_INDEX_PAUSE == 0 && (status = stw_index_pause(to, s->span.begin)) != STWATCH_OK)
			return status;
	}
	if (status == STWATCH_ERR_DAMAGED)
		to->index->failure = *to->error;
	return status == STWATCH_END || status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}

stwatch_status stw_index_read_v2(stw_index_maker *to)
{
	v2_maker *k = stw_mem_zalloc(to->index->mem, sizeof *k);
	if (!k)
		return stw_fail_memory(to->error);
	k->to = to;
	stw_stream_open(&k->stream, to->index->mem, to->source, to->version);
	stwatch_status status = read_events(k);
	stw_stream_close(&k->stream);
	stw_mem_free(to->index->mem, k, sizeof *k);
	return status;
}
