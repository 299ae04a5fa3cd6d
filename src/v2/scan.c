/* Walks batch headers to find where generations begin and end. To Go 1.25 the first batch of the next generation
 * ends one; since 1.26 an event of its own does. */
#include <string.h>

#include "base/error.h"
#include "v2/batch.h"
#include "v2/generation.h"
#include "wire/header.h"

void stw_scan_init(stw_scan *scan, const stw_source *source, stw_go_version version)
{
	memset(scan, 0, sizeof *scan);
	scan->source = source;
	scan->version = version;
	scan->offset = STW_HEADER_SIZE;
}

/* Reads the head at the scan's offset. Heads of small batches share a window, so that each is not a read of its own; where the last
 * batch was too big for that, the next one probably is too. */
static stwatch_status read_head(stw_scan *scan, stw_batch_head *head, stwatch_error *fault, stwatch_error *error)
{
	uint64_t into = scan->offset - scan->window_at;
	if (scan->offset < scan->window_at || into + STW_BATCH_HEAD_MAX > scan->window_size) {
		const bool far = scan->offset - scan->window_at >= sizeof scan->window;
		const size_t want = far ? STW_BATCH_HEAD_MAX : sizeof scan->window;
		stwatch_status status = stw_source_read(scan->source, scan->offset, scan->window, want, &scan->window_size, error);
		if (status != STWATCH_OK)
			return status;
		scan->window_at = scan->offset;
		into = 0;
	}
	return stw_batch_head_parse(head, scan->window + into, scan->window_size - into, scan->offset, scan->source->size, fault);
}

static stwatch_status lose(stw_scan *scan, stw_span *span)
{
	scan->done = true;
	span->lost = true;
	span->end = scan->offset;
	span->error.generation = span->generation;
	return STWATCH_OK;
}

static stwatch_status finish(stw_scan *scan, stw_span *span, bool last)
{
	scan->done = last;
	span->end = scan->offset;
	return STWATCH_OK;
}

/* What the end of the input means at this point. */
static stwatch_status at_end(stw_scan *scan, stw_span *span, bool events)
{
	if (scan->version < STW_GO126)
		return finish(scan, span, true);
	if (!events) {
		finish(scan, span, true);
		return STWATCH_END;
	}
	stw_fail(&span->error, STWATCH_ERR_DAMAGED, scan->offset,
		"generation %llu is incomplete: the trace seems to be cut (an end of generation was expected)",
		(unsigned long long)span->generation);
	return lose(scan, span);
}

/* True where a batch holds events of a thread, not a table. */
static bool holds_events(const stw_scan *scan, const stw_batch_head *h)
{
	if (h->experiment)
		return false;
	if (h->first == STW_EV_Strings || h->first == STW_EV_Stacks || h->first == STW_EV_CPUSamples)
		return false;
	return h->first != (scan->version < STW_GO125 ? STW_EV_Frequency : STW_EV_Sync);
}

/* Go's reader also takes a plain batch that begins with the event's byte for the end, whatever generation it is of. */
static bool ends_generation(const stw_batch_head *h)
{
	return h->end_of_generation || (!h->experiment && h->first == STW_EV_EndOfGeneration);
}

stwatch_status stw_scan_next(stw_scan *scan, stw_span *span, stwatch_error *error)
{
	memset(span, 0, sizeof *span);
	span->source = scan->source;
	span->version = scan->version;
	span->begin = scan->offset;
	bool explicit_end = scan->version >= STW_GO126, events = false;
	if (scan->done)
		return STWATCH_END;
	for (;;) {
		stw_batch_head h;
		stwatch_status status = read_head(scan, &h, &span->error, error);
		if (status == STWATCH_END)
			return at_end(scan, span, events);
		if (status == STWATCH_ERR_DAMAGED) {
			/* To 1.25 this may be the next generation's first batch: what came before stands. */
			if (!explicit_end && span->generation != 0)
				return finish(scan, span, true);
			return lose(scan, span);
		}
		if (status != STWATCH_OK)
			return status;
		if (span->generation == 0)
			span->generation = h.generation;
		if (explicit_end && ends_generation(&h)) {
			finish(scan, span, false);
			scan->offset += (uint64_t)h.head_size + h.size;
			return STWATCH_OK;
		}
		if (h.generation == 0) {
			stw_fail(&span->error, STWATCH_ERR_DAMAGED, scan->offset, "invalid generation number 0 (1 or more was expected)");
			return lose(scan, span);
		}
		if (!explicit_end && h.generation == span->generation + 1)
			return finish(scan, span, false);
		if (h.generation != span->generation) {
			stw_fail(&span->error, STWATCH_ERR_DAMAGED, scan->offset,
				"generations are out of order: a batch of generation %llu within generation %llu",
				(unsigned long long)h.generation, (unsigned long long)span->generation);
			return lose(scan, span);
		}
		events |= holds_events(scan, &h);
		span->n_batches++;
		scan->offset += (uint64_t)h.head_size + h.size;
	}
}
