/* Walks batch headers to find where generations begin and end. To Go 1.25 the first batch of the next generation
 * ends one; since 1.26 an event of its own does.
 *
 * A salvaging scan goes on behind what is no batch. The fault may lie before the place where it shows: where bytes are missing, the batch that they
 * are missing from claims those behind it. So the last batches are looked into: from the first on that makes no sense, up to where a chain of
 * batches begins again, bytes count as lost. */
#include "v2/scan.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "v2/batch.h"
#include "v2/generation.h"
#include "v2/resync.h"
#include "v2/sound.h"
#include "v2/tables.h"
#include "wire/header.h"

void stw_scan_init(stw_scan *scan, const stw_source *source, stw_go_version version)
{
	memset(scan, 0, sizeof *scan);
	scan->source = source;
	scan->version = version;
	scan->offset = STW_HEADER_SIZE;
}

void stw_scan_salvage(stw_scan *scan, stw_mem *mem, stw_loss_fn loss, void *user, const volatile int *cancel)
{
	scan->salvage = true;
	scan->mem = mem;
	scan->loss = loss;
	scan->user = user;
	scan->cancel = cancel;
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

/* ---- salvaging ---- */

enum { CUT_ENTRY = 8 << 10 }; /* the longest entry that the end of the input can cut: a stack */

/* What of a batch makes sense. */
typedef struct soundness {
	stw_batch_head head;
	bool whole;
	uint32_t kept; /* bytes of its data */
	uint32_t sense; /* bytes of its data that pass for something, maybe by chance */
	uint32_t there; /* bytes of its data that the input has */
} soundness;

static stwatch_status look_into(const stw_scan *scan, uint64_t at, soundness *s, stwatch_error *error)
{
	uint8_t head[STW_BATCH_HEAD_MAX], *data = stw_mem_resize(scan->mem, NULL, 0, STW_V2_MAX_BATCH);
	size_t got = 0;
	*s = (soundness){.whole = false};
	if (!data)
		return stw_fail_memory(error);
	stwatch_status status = stw_source_read(scan->source, at, head, sizeof head, &got, error);
	if (status == STWATCH_OK && stw_batch_head_parse(&s->head, head, got, at, UINT64_MAX, NULL) == STWATCH_OK) {
		status = stw_source_read(scan->source, at + s->head.head_size, data, s->head.size, &got, error);
		stw_batch_head h = s->head;
		bool cut = got < h.size; /* by the end of the input */
		h.size = s->there = (uint32_t)got;
		s->sense = stw_sound_bytes(scan->version, scan->guessed, &h, data);
		s->kept = h.experiment || stw_tables_is_table(scan->version, &h)
			? s->sense
			: stw_sound_prefix(scan->version, scan->guessed, &h, data, cut);
		s->whole = !cut && s->kept == h.size;
	}
	stw_mem_free(scan->mem, data, STW_V2_MAX_BATCH);
	return status;
}

/* Where the damage begins that shows at the scan's offset; batches of the span that it has made up are left out. */
static stwatch_status find_damage(stw_scan *scan, stw_span *span, uint64_t *from, uint64_t *search, stwatch_error *error)
{
	const uint64_t n = span->n_batches, since = scan->since_hole;
	bool kept = false;
	*from = *search = scan->offset;
	for (uint64_t i = 1; i <= STW_SCAN_RECENT && i <= since; i++) {
		soundness s;
		uint64_t at = scan->recent[(n - i) % STW_SCAN_RECENT];
		stwatch_status status = look_into(scan, at, &s, error);
		if (status != STWATCH_OK)
			return status;
		kept = s.whole || s.kept > 0;
		if (kept)
			scan->time = s.head.time;
		if (s.whole && stw_times_near(s.head.time, span->time))
			return STWATCH_OK;
		*search = at + s.head.head_size + s.kept;
		*from = s.kept ? *search : at;
		span->n_batches = n - i + (s.kept > 0);
		scan->since_hole = since - i + (s.kept > 0);
	}
	if (!kept && since > 0) /* what heads say that nothing proves is no help */
		scan->time = scan->time_before;
	return STWATCH_OK;
}

/* Whether bytes are missing within the last batch of the span, so that others' events, or its own of later on, stand in it as if they were next: then
 * it claims what is beyond the landing, or what follows it goes on like it up to there. Where it stops to be true does not show. */
static stwatch_status is_spliced(const stw_scan *scan, const stw_span *span, uint64_t landing, bool *spliced, stwatch_error *error)
{
	enum { ROOM = 2 * STW_V2_MAX_BATCH };
	soundness s;
	uint64_t at = scan->recent[(span->n_batches - 1) % STW_SCAN_RECENT];
	stwatch_status status = look_into(scan, at, &s, error);
	uint64_t data_at = at + s.head.head_size, end = data_at + s.head.size;
	*spliced = landing < end && landing > data_at;
	if (status != STWATCH_OK || s.head.experiment || stw_tables_is_table(scan->version, &s.head)) {
		*spliced = false;
		return status;
	}
	if (*spliced || landing <= end || landing - data_at > ROOM)
		return STWATCH_OK;
	uint8_t *data = stw_mem_resize(scan->mem, NULL, 0, ROOM);
	size_t got = 0;
	if (!data)
		return stw_fail_memory(error);
	status = stw_source_read(scan->source, data_at, data, (size_t)(landing - data_at), &got, error);
	s.head.size = (uint32_t)got;
	*spliced = status == STWATCH_OK && stw_sound_bytes(scan->version, scan->guessed, &s.head, data) == got;
	stw_mem_free(scan->mem, data, ROOM);
	return status;
}

/* A batch that is spliced counts as lost. */
static stwatch_status drop_spliced(stw_scan *scan, stw_span *span, uint64_t landing, uint64_t *from, bool *spliced, stwatch_error *error)
{
	if (scan->since_hole == 0 || landing == *from)
		return STWATCH_OK;
	stwatch_status status = is_spliced(scan, span, landing, spliced, error);
	if (!*spliced)
		return status;
	span->n_batches--;
	scan->since_hole--;
	*from = scan->recent[span->n_batches % STW_SCAN_RECENT];
	return status;
}

static void add_hole(stw_scan *scan, stw_span *span, uint64_t from, uint64_t to, bool spliced)
{
	uint64_t most = spliced ? UINT64_MAX : to - from;
	if (span->n_holes < STW_SPAN_HOLES) {
		span->holes[span->n_holes++] = (stw_hole){from, to, most};
	} else {
		span->holes[STW_SPAN_HOLES - 1].to = to;
		span->holes[STW_SPAN_HOLES - 1].most = UINT64_MAX;
		span->n_batches -= scan->since_hole;
	}
	span->damaged = true;
	scan->since_hole = 0;
}

static stwatch_status tell(stw_scan *scan, const stw_span *span, uint64_t from, const stw_landing *l, stwatch_error *error)
{
	stwatch_error loss;
	char what[STWATCH_MESSAGE_MAX], then[96];
	if (l->header)
		snprintf(then, sizeof then, "there another trace begins, with its header (go 1.%u)", l->minor);
	else if (l->at == scan->source->size)
		snprintf(then, sizeof then, "nothing readable follows");
	else
		snprintf(then, sizeof then, "generation %llu is read on from there", (unsigned long long)l->head.generation);
	if (span->error.offset == from || span->error.offset == STWATCH_NO_OFFSET || l->at == from)
		snprintf(what, sizeof what, "%.180s", span->error.message);
	else
		snprintf(what, sizeof what, "damaged from here on (at byte %llu: %.150s)", (unsigned long long)span->error.offset,
			span->error.message);
	if (from < l->at)
		stw_fail(&loss, STWATCH_ERR_DAMAGED, from, "%s; %llu bytes up to byte %llu can't be read: %s", what,
			(unsigned long long)(l->at - from), (unsigned long long)l->at, then);
	else
		stw_fail(&loss, STWATCH_ERR_DAMAGED, from, "%s; %s", what, then);
	loss.generation = span->generation;
	return !scan->loss || scan->loss(scan->user, &loss, l->at) ? STWATCH_OK : stw_fail_memory(error);
}

/* The input ends within a batch, which is read as far as it goes. */
static stwatch_status keep_cut_batch(stw_scan *scan, stw_span *span, bool *kept, stwatch_error *error)
{
	soundness s;
	stwatch_status status = look_into(scan, scan->offset, &s, error);
	*kept = status == STWATCH_OK && s.there < s.head.size && s.kept > 0 && s.kept == s.sense && s.there - s.sense < CUT_ENTRY &&
		s.head.generation == span->generation;
	if (!*kept)
		return status;
	span->n_batches++;
	scan->offset += s.head.head_size + s.kept;
	return STWATCH_OK;
}

/* Goes on behind what is no batch, for which span->error says why. STWATCH_OK: with this span; STWATCH_END: it has ended. */
static stwatch_status recover(stw_scan *scan, stw_span *span, stwatch_error *error)
{
	stw_landing landing = {.at = scan->source->size};
	uint64_t from, search;
	bool cut = false, spliced = false;
	stwatch_status status = keep_cut_batch(scan, span, &cut, error);
	from = search = scan->offset;
	if (status == STWATCH_OK && !cut)
		status = find_damage(scan, span, &from, &search, error);
	const stw_resync r = {.source = scan->source,
		.version = scan->version,
		.guessed = scan->guessed,
		.has_time = scan->has_time,
		.time = scan->time,
		.cancel = scan->cancel};
	if (status == STWATCH_OK && !cut)
		status = stw_resync_find(&r, scan->mem, search, UINT64_MAX, &landing, error);
	if (status == STWATCH_OK && landing.at < scan->source->size)
		status = drop_spliced(scan, span, landing.at, &from, &spliced, error);
	if (status == STWATCH_OK)
		status = tell(scan, span, from, &landing, error);
	if (status != STWATCH_OK)
		return status;
	span->error = (stwatch_error){.status = STWATCH_OK};
	scan->offset = landing.at;
	bool more = landing.at < scan->source->size && !(landing.header && landing.minor < STW_GO122);
	if (span->n_batches > 0 && more && !landing.header && landing.head.generation == span->generation) {
		add_hole(scan, span, from, landing.at, spliced || landing.at == scan->source->size);
		return STWATCH_OK;
	}
	/* To Go 1.25 nothing but what follows ends a generation. */
	bool ended = scan->version < STW_GO126 && from == landing.at && more;
	scan->behind_loss = !landing.header && from < landing.at;
	scan->restart = true;
	if (landing.header && more) {
		scan->version = (stw_go_version)landing.minor;
		scan->guessed = false;
		scan->recording++;
		scan->offset += STW_HEADER_SIZE;
		scan->has_time = false;
	}
	scan->done = !more;
	if (span->n_batches == 0)
		return STWATCH_END;
	if (!ended)
		add_hole(scan, span, from, landing.at, spliced || landing.at == scan->source->size);
	span->end = from;
	return STWATCH_END;
}

/* One byte ends a generation, and damage looks like it often enough: then neither a batch follows, nor is what is before it sound. */
static stwatch_status is_real_end(stw_scan *scan, stw_span *span, const stw_batch_head *h, bool *real, stwatch_error *error)
{
	soundness s;
	uint8_t next[STW_BATCH_HEAD_MAX];
	size_t got;
	stw_batch_head follows;
	unsigned minor;
	uint64_t at = scan->offset + h->head_size + h->size;
	stwatch_status status = stw_source_read(scan->source, at, next, sizeof next, &got, error);
	*real = true;
	if (status != STWATCH_OK || got == 0 || scan->since_hole == 0 ||
		stw_batch_head_parse(&follows, next, got, at, scan->source->size, NULL) == STWATCH_OK ||
		(got >= STW_HEADER_SIZE && stw_header_parse(next, STW_HEADER_SIZE, &minor, NULL) == STWATCH_OK))
		return status;
	status = look_into(scan, scan->recent[(span->n_batches - 1) % STW_SCAN_RECENT], &s, error);
	*real = s.whole;
	if (!*real)
		stw_fail(&span->error, STWATCH_ERR_DAMAGED, scan->offset, "found the end of a generation, but no batch behind it");
	return status;
}

/* ---- the walk ---- */

static void begin(stw_scan *scan, stw_span *span)
{
	memset(span, 0, sizeof *span);
	span->source = scan->source;
	span->version = scan->version;
	span->guessed = scan->guessed;
	span->recording = scan->recording;
	span->begin = scan->offset;
	span->damaged = scan->behind_loss;
	span->joint = scan->restart ? STW_JOINT_DAMAGE : STW_JOINT_WHOLE;
	scan->behind_loss = scan->restart = false;
	scan->since_hole = 0;
	scan->time_before = scan->time;
}

static void begin_again(stw_scan *scan, stw_span *span)
{
	bool damaged = span->damaged;
	stw_joint joint = span->joint;
	begin(scan, span);
	span->damaged |= damaged;
	if (joint != STW_JOINT_WHOLE)
		span->joint = joint;
}

static void take(stw_scan *scan, stw_span *span, const stw_batch_head *h)
{
	if (span->n_batches == 0)
		span->time = h->time;
	scan->recent[span->n_batches % STW_SCAN_RECENT] = scan->offset;
	scan->since_hole++;
	scan->time = h->time;
	scan->has_time = true;
	span->n_batches++;
	scan->offset += (uint64_t)h->head_size + h->size;
}

static stwatch_status out_of_order(stw_scan *scan, stw_span *span, const stw_batch_head *h)
{
	if (h->generation == 0)
		stw_fail(&span->error, STWATCH_ERR_DAMAGED, scan->offset, "invalid generation number 0 (1 or more was expected)");
	else
		stw_fail(&span->error, STWATCH_ERR_DAMAGED, scan->offset,
			"generations are out of order: a batch of generation %llu within generation %llu",
			(unsigned long long)h->generation, (unsigned long long)span->generation);
	return lose(scan, span);
}

/* One generation, up to its end or the first fault, which stands in span->error then. */
static stwatch_status walk(stw_scan *scan, stw_span *span, bool *events, stwatch_error *error)
{
	bool explicit_end = scan->version >= STW_GO126;
	for (;;) {
		stw_batch_head h;
		stwatch_status status = read_head(scan, &h, &span->error, error);
		if (status == STWATCH_END)
			return at_end(scan, span, *events);
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
			bool real = true;
			if (scan->salvage && (status = is_real_end(scan, span, &h, &real, error)) != STWATCH_OK)
				return status;
			if (!real)
				return lose(scan, span);
			finish(scan, span, false);
			scan->offset += (uint64_t)h.head_size + h.size;
			return STWATCH_OK;
		}
		if (h.generation == 0)
			return out_of_order(scan, span, &h);
		if (!explicit_end && h.generation == span->generation + 1)
			return finish(scan, span, false);
		if (h.generation != span->generation)
			return out_of_order(scan, span, &h);
		*events |= holds_events(scan, &h);
		take(scan, span, &h);
	}
}

stwatch_status stw_scan_next(stw_scan *scan, stw_span *span, stwatch_error *error)
{
	bool events = false;
	begin(scan, span);
	if (scan->done)
		return STWATCH_END;
	stwatch_status status = walk(scan, span, &events, error);
	while (scan->salvage && status == STWATCH_OK && span->error.status != STWATCH_OK) {
		scan->done = span->lost = false;
		status = recover(scan, span, error);
		if (status == STWATCH_END && span->n_batches > 0) {
			status = STWATCH_OK;
			break;
		}
		if (status == STWATCH_END && scan->done)
			return STWATCH_END;
		if (status == STWATCH_END)
			begin_again(scan, span);
		if (status == STWATCH_OK || status == STWATCH_END)
			status = walk(scan, span, &events, error);
	}
	return status;
}
