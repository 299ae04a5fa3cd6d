#include "v1/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "v1/batches.h"
#include "v1/parts.h"
#include "v1/resync.h"
#include "v1/unnamed.h"

enum { MOST_PROBLEMS = 100, SUSPECT = 256 /* bytes */ };

bool stw_v1_index_problem(stw_v1_index *x, uint64_t offset, const char *what)
{
	if (x->problems.count == MOST_PROBLEMS)
		return true;
	stw_v1_problem *p = stw_vec_push(x->mem, &x->problems);
	if (!p)
		return false;
	p->offset = offset;
	size_t n = strlen(what) < sizeof p->what ? strlen(what) : sizeof p->what - 1;
	memcpy(p->what, what, n);
	p->what[n] = 0;
	return true;
}

void stw_v1_index_free(stw_v1_index *x)
{
	stw_mem *mem = x->mem;
	if (!mem)
		return;
	stw_vec_free(mem, &x->batches);
	stw_vec_free(mem, &x->procs);
	stw_arena_free(&x->arena);
	stw_vec_free(mem, &x->strings);
	stw_vec_free(mem, &x->stacks);
	stw_vec_free(mem, &x->stack_frames);
	stw_vec_free(mem, &x->frames);
	stw_vec_free(mem, &x->samples);
	stw_vec_free(mem, &x->timers);
	stw_vec_free(mem, &x->starts);
	stw_v1_exits_free(&x->exits);
	stw_vec_free(mem, &x->problems);
	x->mem = NULL;
}

/* Bytes that make no sense may have looked like the head of a batch before that showed. Chance gives each record less than one in three, so it shows soon. */
static void drop_suspects(stw_v1_skimmer *s, uint64_t from)
{
	stw_v1_index *x = s->index;
	while (x->batches.count && from - x->batches.items[x->batches.count - 1].begin < SUSPECT) {
		x->procs.items[x->batches.items[--x->batches.count].proc].count--;
		s->batch = UINT32_MAX;
		if (x->batches.count)
			x->batches.items[x->batches.count - 1].lost = true;
	}
}

static bool note_loss(stw_v1_skimmer *s, uint64_t from, uint64_t to, const char *next)
{
	char what[STWATCH_MESSAGE_MAX];
	const unsigned long long n = to - from;
	s->index->lost_bytes += n;
	if (to >= s->source->size)
		snprintf(what, sizeof what, "%.200s; the %llu bytes from there to the end are lost", s->fault.message, n);
	else
		snprintf(what, sizeof what, "%.200s; %llu bytes are lost, up to the next %s at byte %llu", s->fault.message, n, next,
			(unsigned long long)to);
	return stw_v1_index_problem(s->index, s->fault.offset, what);
}

/* A record that is cut takes the header behind it for its own: the last one that begins in so many bytes before `from`, and in the open batch. UINT64_MAX:
 * there is none. */
static stwatch_status find_swallowed(const stw_v1_skimmer *s, uint64_t from, uint64_t *header)
{
	uint8_t before[STW_V1_MAX_EVENT + STW_HEADER_SIZE];
	const uint64_t begin = s->batch == UINT32_MAX ? from : s->index->batches.items[s->batch].begin;
	const uint64_t at = from - begin > STW_V1_MAX_EVENT ? from - STW_V1_MAX_EVENT : begin;
	size_t got;
	unsigned minor;
	*header = UINT64_MAX;
	stwatch_status status = stw_source_read(s->source, at, before, (size_t)(from - at) + STW_HEADER_SIZE, &got, s->error);
	for (size_t i = 0; status == STWATCH_OK && i < from - at && i + STW_HEADER_SIZE <= got; i++)
		if (before[i] == 'g' && stw_header_parse(before + i, STW_HEADER_SIZE, &minor, NULL) == STWATCH_OK)
			*header = at + i;
	return status;
}

/* Of other goroutines, perhaps, and other numbers of strings and stacks. */
static stwatch_status end_at_header(stw_v1_skimmer *s, uint64_t at)
{
	stw_v1_index *x = s->index;
	uint8_t head[STW_HEADER_SIZE];
	size_t got;
	stwatch_status status = stw_source_read(s->source, at, head, sizeof head, &got, s->error);
	if (status != STWATCH_OK)
		return status;
	if (stw_header_parse(head, got, &x->next, NULL) != STWATCH_OK)
		x->next = 0; /* it has changed meanwhile */
	x->end = at;
	return stw_v1_skim_move(s, s->source->size);
}

/* After bytes that make no sense: notes them, and goes to the next batch. */
static stwatch_status recover(stw_v1_skimmer *s)
{
	stw_v1_index *x = s->index;
	uint64_t from = stw_v1_skim_offset(s, s->p), to;
	stwatch_status status = find_swallowed(s, from, &to);
	if (status != STWATCH_OK)
		return status;
	if (to != UINT64_MAX) {
		stw_v1_skim_close_batch(s, to, true);
		s->fault.status = STWATCH_OK;
		return end_at_header(s, to);
	}
	stw_v1_resync resync = {.source = s->source, .format = &x->format, .cancel = s->cancel};
	if (x->batches.count) { /* damage may have made up the time of one of them */
		resync.near[resync.n_near++] = (uint64_t)x->batches.items[0].ticks;
		resync.near[resync.n_near++] = (uint64_t)x->batches.items[x->batches.count - 1].ticks;
	}
	bool header;
	status = stw_v1_resync_find(&resync, from, &to, &header, s->error);
	if (status != STWATCH_OK)
		return status;
	stw_v1_skim_close_batch(s, from, !(header && to == from)); /* a trace that is whole ends there */
	if (to > from && to < s->source->size)
		drop_suspects(s, from);
	s->fault.status = STWATCH_OK;
	if (to > from && !note_loss(s, from, to, header ? "header" : "batch"))
		return stw_fail_memory(s->error);
	return header ? end_at_header(s, to) : stw_v1_skim_move(s, to);
}

static int by_time(const void *a, const void *b)
{
	const stw_v1_sample *x = a, *y = b;
	return x->ticks < y->ticks ? -1 : x->ticks > y->ticks;
}

static void find_first(stw_v1_index *x)
{
	int64_t first = INT64_MAX;
	for (size_t i = 0; i < x->batches.count; i++)
		first = x->batches.items[i].first < first ? x->batches.items[i].first : first;
	x->has_events = first < INT64_MAX;
	x->first_ticks = x->has_events ? first : 0;
}

static stwatch_status finish(stw_v1_skimmer *s)
{
	stw_v1_index *x = s->index;
	stw_v1_skim_close_batch(s, stw_v1_skim_offset(s, s->p), false);
	find_first(x);
	stwatch_status status = stw_v1_batches_settle(x, s->error);
	if (status == STWATCH_OK)
		status = stw_v1_exits_finish(&x->exits, s->error);
	if (x->samples.count)
		qsort(x->samples.items, x->samples.count, sizeof *x->samples.items, by_time);
	while (x->samples.count && x->samples.items[x->samples.count - 1].ticks > stw_v1_latest(x))
		x->samples.count--;
	if (x->samples.count && (!x->has_events || x->samples.items[0].ticks < x->first_ticks))
		x->first_ticks = x->samples.items[0].ticks;
	if (status == STWATCH_OK && x->frequency) /* else the table is not there, which is told */
		status = stw_v1_unnamed_find(x, s->source, s->cancel, s->error);
	if (x->problems.count ||
		*x->unnamed.what) /* the last one holds, as in Go's reader; but in a damaged file one may be made of anything */
		x->frequency = s->first_frequency;
	if (status == STWATCH_OK && x->frequency == 0 &&
		!stw_v1_index_problem(x, x->end,
			"no frequency: the file is cut before its end (strings and stacks stand there too), so times are in ticks, not in "
			"ns"))
		status = stw_fail_memory(s->error);
	return status;
}

static void begin(stw_v1_index *x, stw_mem *mem, const stw_v1_entry *entry, uint64_t end)
{
	memset(x, 0, sizeof *x);
	x->mem = mem;
	x->midway = entry->midway;
	x->listed = entry->listed;
	x->whole_from = x->end_ticks = INT64_MIN;
	x->begin = entry->begin;
	x->end = end;
	stw_v1_format_init(&x->format, entry->minor);
	stw_arena_init(&x->arena, mem);
	stw_v1_exits_init(&x->exits, mem);
}

/* To the first batch behind a byte, or to the end. */
static stwatch_status skim_to(stw_v1_skimmer *s, uint64_t stop_at)
{
	stwatch_status status = STWATCH_OK;
	s->stop_at = stop_at;
	while (status == STWATCH_OK && (s->p < s->end || !s->last)) {
		status = stw_v1_skim_on(s);
		if (status == STWATCH_ERR_DAMAGED && s->fault.status == STWATCH_ERR_DAMAGED)
			status = recover(s);
	}
	return status == STWATCH_END ? STWATCH_OK : status;
}

/* Of what others have skimmed, what begins where a record does that follows from the beginning; the rest as ever. */
static stwatch_status skim_parts(stw_v1_skimmer *s, stw_v1_parts *parts)
{
	stwatch_status status = STWATCH_OK;
	for (uint64_t i = 0; i < parts->n && status == STWATCH_OK; i++) {
		bool whole = false;
		status = stw_v1_parts_take(parts, i, s, &whole);
		if (status == STWATCH_OK && !whole)
			status = skim_to(s, stw_v1_parts_end(parts, i));
	}
	return status;
}

stwatch_status stw_v1_index_read(stw_v1_index *x, stw_mem *mem, const stw_source *source, const stw_v1_entry *entry, unsigned threads,
	const volatile int *cancel, stwatch_error *error)
{
	stw_v1_parts parts;
	begin(x, mem, entry, source->size);
	stw_v1_skimmer *s = stw_mem_zalloc(mem, sizeof *s);
	if (!s) {
		stw_v1_index_free(x);
		return stw_fail_memory(error);
	}
	stw_v1_skim_open(s, x, source, cancel, error);
	stwatch_status status = entry->missing.status == STWATCH_OK ||
			stw_v1_index_problem(x, entry->missing.offset, entry->missing.message)
		? STWATCH_OK
		: stw_fail_memory(error);
	stw_v1_skim_move_later(s, entry->begin);
	if (status == STWATCH_OK && threads > 1 && stw_v1_parts_open(&parts, s, threads)) {
		status = skim_parts(s, &parts);
		stw_v1_parts_close(&parts);
	}
	if (status == STWATCH_OK)
		status = skim_to(s, UINT64_MAX);
	if (status == STWATCH_OK)
		status = finish(s);
	stw_v1_skim_close(s);
	stw_mem_free(mem, s, sizeof *s);
	if (status != STWATCH_OK)
		stw_v1_index_free(x);
	return status;
}
