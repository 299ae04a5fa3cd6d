/* Going through a trace of Go 1.22 or later for its index: an entry for each generation. They are read on as many threads as wanted, as for
 * figures; what the events of a strict reading one after another would say of times and borders follows from that. */
#include "base/error.h"
#include "engine/carry.h"
#include "engine/index_make.h"
#include "order/snapshot.h"
#include "v2/generation.h"
#include "v2/spans.h"

typedef struct v2_maker {
	stw_index_maker *to;
	stw_spans spans;
	stwatch_error ending; /* what is behind them; status OK: nothing is wrong there */
	stw_carry carry;
	uint64_t unsaved; /* where the last kept state stands in the trace */
	bool broken; /* events end within a generation, without a last sync event */
	stwatch_status status;
} v2_maker;

/* Strictly: up to the first that makes no sense. */
static stwatch_status find_spans(v2_maker *k)
{
	stw_index_maker *to = k->to;
	stw_scan scan;
	stw_span span;
	stwatch_status status;
	stw_scan_init(&scan, to->source, to->version);
	while ((status = stw_scan_next(&scan, &span, to->error)) == STWATCH_OK) {
		k->ending = span.error;
		stw_span *kept = span.lost ? NULL : stw_vec_push(to->index->mem, &k->spans);
		if (!span.lost && !kept)
			return stw_fail_memory(to->error);
		if (kept)
			*kept = span;
		if (k->ending.status != STWATCH_OK || (status = stw_index_pause(to, span.end)) != STWATCH_OK)
			return status;
	}
	if (status != STWATCH_END)
		return status;
	status = stw_generation_check_rest(to->index->mem, &span, &k->ending);
	if (status == STWATCH_ERR_DAMAGED)
		return STWATCH_OK;
	if (status != STWATCH_OK)
		*to->error = k->ending;
	return status;
}

static int64_t last_time(const stw_index *index)
{
	return index->entries.count ? index->entries.items[index->entries.count - 1].last : 0;
}

/* Before the generation, with its sync event. */
static stw_index_entry begin_entry(const v2_maker *k, const stw_job *job)
{
	const stw_index *index = k->to->index;
	const stw_order *state = &k->carry.state;
	const int64_t last = last_time(index), first = job->begin_time > last ? job->begin_time : last + 1;
	return (stw_index_entry){
		.border = {.offset = job->span->begin,
			.initial = k->carry.begun ? k->carry.initial : 0,
			.number = k->carry.number,
			.syncs = index->entries.count,
			.last_time = last},
		.end = job->span->end,
		.generation = job->span->generation,
		.events = 1,
		.goroutines = state->gs.count - state->free_gs.count,
		.first = first,
		.last = first,
	};
}

/* Where a generation has the number of the one before, sequence numbers go on, which a state does not hold. */
static bool may_begin_at(const stw_index_entry *entry)
{
	return entry->border.syncs > 0 && entry->generation != entry->border.number;
}

static bool is_small(const v2_maker *k, uint64_t begin)
{
	const uint64_t size = k->to->bytes.data.count;
	return size <= (begin - k->unsaved) / STW_INDEX_SHARE || k->to->at + size <= STW_INDEX_SMALL;
}

/* Each event is later than the one before it: what comes at once, or is late, is put off by a nanosecond each. The fold has seen that from the first
 * event on, and not that this is later than the sync event. */
static void add_events(stw_index_entry *entry, const stw_fold *fold)
{
	const uint64_t n = fold->mem ? stw_fold_events(fold) : 0;
	if (n == 0)
		return;
	const int64_t at_least = entry->first + (int64_t)n;
	entry->events += n;
	entry->last = fold->last_time > at_least ? fold->last_time : at_least;
}

static stwatch_status add_entry(v2_maker *k, const stw_index_entry *entry, bool with_state)
{
	stw_index_maker *to = k->to;
	stw_index_entry *kept = stw_vec_push(to->index->mem, &to->index->entries);
	if (!kept)
		return stw_fail_memory(to->error);
	*kept = *entry;
	if (with_state && is_small(k, entry->border.offset)) {
		k->unsaved = entry->border.offset;
		stw_index_put_state(to, kept);
	}
	return stw_index_pause(to, entry->end);
}

static stwatch_status add_generation(v2_maker *k, stw_job *job)
{
	stw_index_maker *to = k->to;
	stw_index_entry entry = begin_entry(k, job);
	const bool with_state = job->loaded && may_begin_at(&entry);
	to->bytes.data.count = 0;
	if (with_state)
		stw_order_save(&k->carry.state, &to->bytes);
	if (to->bytes.failed)
		return stw_fail_memory(to->error);
	stwatch_status status = stw_carry_over(&k->carry, job);
	const bool ordered = job->fold.mem && job->fold.first_time != STW_TIME_UNKNOWN;
	k->carry.begun |= ordered;
	if (status == STWATCH_ERR_DAMAGED) {
		to->index->failure = job->error;
		k->broken = job->loaded;
		if (!ordered)
			return status;
	} else if (status != STWATCH_OK) {
		*to->error = job->error;
		return status;
	}
	add_events(&entry, &job->fold);
	const stwatch_status added = add_entry(k, &entry, with_state);
	return added == STWATCH_OK ? status : added;
}

/* Gets each in order; false ends the reading. */
static bool take(void *user, stw_job *job)
{
	v2_maker *k = user;
	k->status = add_generation(k, job);
	return k->status == STWATCH_OK;
}

/* Behind the last generation there is a sync event. */
static void add_end(stw_index *index)
{
	if (index->entries.count == 0)
		return;
	stw_index_entry *entry = &index->entries.items[index->entries.count - 1];
	entry->events++;
	entry->last++;
}

stwatch_status stw_index_read_v2(stw_index_maker *to)
{
	const stw_run_options options = {.threads = to->options->threads, .cancel = to->options->cancel, .figures_only = true};
	stw_index *index = to->index;
	v2_maker k = {.to = to, .status = STWATCH_OK};
	stw_carry_init(&k.carry, index->mem, &options);
	stwatch_status status = find_spans(&k);
	if (status == STWATCH_OK) {
		stw_crew_run(index->mem, k.spans.items, k.spans.count, &options, take, &k);
		status = k.status;
	}
	if (status == STWATCH_OK && k.ending.status != STWATCH_OK)
		index->failure = k.ending;
	if ((status == STWATCH_OK || status == STWATCH_ERR_DAMAGED) && !k.broken)
		add_end(index);
	stw_carry_free(&k.carry);
	stw_vec_free(index->mem, &k.spans);
	return status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
}
