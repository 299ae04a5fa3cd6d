#include "v1/skim.h"

#include <string.h>

#include "base/error.h"

/* Types that need more than to be passed over. */
static const uint8_t SPECIAL[STW_V1_TYPES] = {
	[STW_V1_Batch] = 1,
	[STW_V1_Frequency] = 1,
	[STW_V1_Stack] = 1,
	[STW_V1_GoSysExit] = 1,
	[STW_V1_GoSysExitLocal] = 1,
	[STW_V1_TimerGoroutine] = 1,
	[STW_V1_String] = 1,
	[STW_V1_UserLog] = 1,
	[STW_V1_CPUSample] = 1,
};

/* Moves the window on so that it begins with what is at hand. */
static stwatch_status refill(stw_v1_skimmer *s)
{
	size_t left = (size_t)(s->end - s->p), got;
	memmove(s->window, s->p, left);
	stwatch_status status = stw_source_read(s->source, s->end_at, s->window + left, STW_V1_SKIM_WINDOW - left, &got, s->error);
	s->p = s->window;
	s->end = s->window + left + got;
	s->end_at += got;
	s->last = left + got < STW_V1_SKIM_WINDOW;
	memset(s->window + left + got, 0, STW_VARINT_SLACK);
	if (s->cancel && *s->cancel)
		return stw_fail(s->error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET,
			"interrupted in the first of two passes, at byte %llu of %llu (%.0f %%): it finds what stands at the end, and "
			"until then "
			"nothing is known of what happened",
			(unsigned long long)s->end_at, (unsigned long long)s->source->size,
			s->source->size ? 100 * (double)s->end_at / (double)s->source->size : 0.0);
	if (s->give_up_at == UINT64_MAX)
		stw_source_tell(s->source, s->end_at);
	return status;
}

void stw_v1_skim_move_later(stw_v1_skimmer *s, uint64_t offset)
{
	s->p = s->end = s->window;
	s->end_at = offset;
	s->last = false;
}

stwatch_status stw_v1_skim_move(stw_v1_skimmer *s, uint64_t offset)
{
	stw_v1_skim_move_later(s, offset);
	return refill(s);
}

stwatch_status stw_v1_skim_bad(stw_v1_skimmer *s, const uint8_t *p, const char *what)
{
	return stw_fail(&s->fault, STWATCH_ERR_DAMAGED, stw_v1_skim_offset(s, p), "%s", what);
}

const uint8_t *stw_v1_skim_take(stw_v1_skimmer *s, const uint8_t *p, uint64_t *value)
{
	const uint8_t *next = stw_varint_get(p, s->end, value);
	if (!next)
		stw_v1_skim_bad(s, p,
			p + 10 > s->end ? "the file ends within an event (a varint was expected)"
					: "a value overflows (a varint was expected)");
	return next;
}

/* ---- batches ---- */

void stw_v1_skim_close_batch(stw_v1_skimmer *s, uint64_t end, bool lost)
{
	if (s->batch == UINT32_MAX)
		return;
	stw_v1_index *x = s->index;
	x->batches.items[s->batch].lost = lost;
	if (s->fresh && !lost) { /* only tables, or nothing: no use to who reads events */
		const int64_t ticks = x->batches.items[s->batch].ticks;
		const bool tables = x->stacks.count || s->give_up_at != UINT64_MAX; /* of a part that is for others to know */
		x->end_ticks = tables && ticks > x->end_ticks ? ticks : x->end_ticks;
		x->procs.items[x->batches.items[s->batch].proc].count--;
		x->batches.count--;
	} else {
		x->batches.items[s->batch].end = end;
	}
	s->batch = UINT32_MAX;
}

uint32_t stw_v1_skim_proc(stw_v1_skimmer *s, uint64_t id)
{
	stw_v1_index *x = s->index;
	uint32_t proc = stw_map_get(&s->procs, id);
	if (proc != STW_MAP_NONE)
		return proc;
	proc = (uint32_t)x->procs.count;
	stw_v1_proc *new = stw_vec_push(x->mem, &x->procs);
	if (!new || !stw_map_put(&s->procs, id, proc))
		return UINT32_MAX;
	*new = (stw_v1_proc){.id = (int64_t)id};
	return proc;
}

static stwatch_status open_batch(stw_v1_skimmer *s, const uint8_t *p)
{
	stw_v1_index *x = s->index;
	uint64_t pid, seq = 0, ticks;
	const uint8_t *head = p++;
	if (*head >> 6 != 1)
		return stw_v1_skim_bad(s, head, "the head of a batch counts its values wrongly (two, to Go 1.6 three, were expected)");
	if (!(p = stw_v1_skim_take(s, p, &pid)) || (x->format.minor < 7 && !(p = stw_v1_skim_take(s, p, &seq))) ||
		!(p = stw_v1_skim_take(s, p, &ticks)))
		return STWATCH_ERR_DAMAGED;
	if (pid != UINT64_MAX && pid > INT32_MAX)
		return stw_v1_skim_bad(s, head, "a batch names a proc beyond 2147483647");
	stw_v1_skim_close_batch(s, stw_v1_skim_offset(s, head), false);
	const uint32_t proc = stw_v1_skim_proc(s, pid);
	if (proc == UINT32_MAX)
		return stw_fail_memory(s->error);
	if (x->batches.count >= UINT32_MAX - 1)
		return stw_v1_skim_bad(s, head, "there are too many batches (4 billion at most were expected)");
	stw_v1_batch *b = stw_vec_push(x->mem, &x->batches);
	if (!b)
		return stw_fail_memory(s->error);
	*b = (stw_v1_batch){
		.begin = stw_v1_skim_offset(s, p), .ticks = (int64_t)ticks, .first = INT64_MAX, .seq = (int64_t)seq, .proc = proc};
	x->procs.items[proc].count++;
	s->batch = (uint32_t)x->batches.count - 1;
	s->fresh = true;
	s->p = p;
	return STWATCH_OK;
}

/* The first event of a stream in its batch. */
static inline void first_in_batch(stw_v1_skimmer *s, const uint8_t *p)
{
	stw_v1_index *x = s->index;
	uint64_t v;
	const uint8_t *at = p + 1;
	if ((*p >> 6) == 3)
		at = stw_varint_get(at, s->end, &v);
	if (at && x->format.minor < 7)
		at = stw_varint_get(at, s->end, &v);
	s->fresh = false;
	if (!at || !stw_varint_get(at, s->end, &v))
		return;
	x->batches.items[s->batch].first = x->batches.items[s->batch].ticks + (int64_t)v;
}

/* ---- events ---- */

/* Bytes of an event from its type on, as far as they are in the window; NULL and a fault where they make no sense. */
static const uint8_t *end_of_event(stw_v1_skimmer *s, const uint8_t *p, unsigned type)
{
	const stw_v1_format *f = &s->index->format;
	unsigned n = (*p >> 6) + f->before;
	const uint8_t *at = p + 1;
	uint64_t v;
	if (n >= f->inline_values) {
		if (!(at = stw_v1_skim_take(s, at, &v)))
			return NULL;
		if (v > STW_V1_MAX_EVENT) {
			stw_v1_skim_bad(s, p, "an event is longer than 2048 bytes (less was expected)");
			return NULL;
		}
		if (v > (uint64_t)(s->end - at)) {
			stw_v1_skim_bad(s, p, "the file ends within an event");
			return NULL;
		}
		return at + v;
	}
	if (n != f->n_values[type] && type != STW_V1_Stack) {
		stw_v1_skim_bad(s, p, "an event has the wrong number of values");
		return NULL;
	}
	for (unsigned i = 0; i < n; i++)
		if (!(at = stw_v1_skim_take(s, at, &v)))
			return NULL;
	return at;
}

/* The values of an event that is whole in the window, as many as it should have. */
static stwatch_status values(stw_v1_skimmer *s, const uint8_t *p, const uint8_t *end, unsigned type, uint64_t *v)
{
	const unsigned n = s->index->format.n_values[type];
	const uint8_t *head = p;
	uint64_t length;
	bool states_length = (unsigned)(*p >> 6) + s->index->format.before >= s->index->format.inline_values;
	p++;
	if (states_length)
		p = stw_varint_get(p, end, &length);
	for (unsigned i = 0; i < n; i++)
		if (!p || !(p = stw_varint_get(p, end, &v[i])))
			return stw_v1_skim_bad(s, head, "an event has fewer values than it should");
	return p == end ? STWATCH_OK : stw_v1_skim_bad(s, head, "an event has more values than it should");
}

static stwatch_status add_exit(stw_v1_skimmer *s, unsigned type, const uint64_t *v)
{
	const unsigned before = s->index->format.before;
	uint64_t ticks = v[before + (type == STW_V1_GoSysExit ? 2 : 1)];
	if (s->index->format.minor < 7)
		return stw_v1_exits_add(&s->index->exits, (stw_v1_exit){(int64_t)v[3], (int64_t)ticks, v[2]}, s->error);
	if (ticks == 0) /* it was not delayed, or tells no time */
		return STWATCH_OK;
	return stw_v1_exits_add(&s->index->exits, (stw_v1_exit){(int64_t)ticks, (int64_t)ticks, v[before]}, s->error);
}

/* A log's text follows it. */
static stwatch_status pass_text(stw_v1_skimmer *s, const uint8_t *p, const uint8_t *end)
{
	uint64_t length;
	const uint8_t *text = stw_v1_skim_take(s, end, &length);
	if (!text)
		return STWATCH_ERR_DAMAGED;
	if (length > STW_V1_MAX_STRING)
		return stw_v1_skim_bad(s, p, "a log's text is longer than 1000000 bytes");
	uint64_t at = stw_v1_skim_offset(s, text);
	if (length > s->source->size || at > s->source->size - length)
		return stw_v1_skim_bad(s, p, "the file ends within a log's text");
	if (length <= (uint64_t)(s->end - text)) {
		s->p = text + length;
		return STWATCH_OK;
	}
	return stw_v1_skim_move(s, at + length);
}

static stwatch_status one_special(stw_v1_skimmer *s, const uint8_t *p, unsigned type)
{
	stw_v1_index *x = s->index;
	uint64_t v[8] = {0};
	if (type == STW_V1_String)
		return stw_v1_skim_add_string(s, p);
	const uint8_t *end = end_of_event(s, p, type);
	if (!end)
		return STWATCH_ERR_DAMAGED;
	if (type == STW_V1_Batch)
		return open_batch(s, p);
	if (s->batch == UINT32_MAX)
		return stw_v1_skim_bad(s, p, "an event stands before any batch (a batch was expected)");
	stwatch_status status;
	if (type == STW_V1_Stack) {
		const uint8_t *first = p + 1;
		uint64_t length;
		if ((unsigned)(*p >> 6) + x->format.before >= x->format.inline_values)
			first = stw_varint_get(first, end, &length);
		status = first ? stw_v1_skim_add_stack(s, first, end) : stw_v1_skim_bad(s, p, "a stack is cut");
		if (status == STWATCH_OK)
			s->p = end;
		return status;
	}
	status = values(s, p, end, type, v);
	if (status != STWATCH_OK)
		return status;
	s->p = end;
	switch (type) {
	case STW_V1_Frequency:
		if ((int64_t)v[0] <= 0) {
			s->p = p; /* it is what is lost, also where nothing follows */
			return stw_v1_skim_bad(s, p, "the frequency is not positive");
		}
		if (s->first_frequency == 0 && v[0] >= 100000 && v[0] <= 10000000000)
			s->first_frequency = (int64_t)v[0];
		x->frequency = (int64_t)v[0];
		return STWATCH_OK;
	case STW_V1_TimerGoroutine: {
		uint64_t *timer = stw_vec_push(x->mem, &x->timers);
		if (!timer)
			return stw_fail_memory(s->error);
		*timer = v[0];
		return STWATCH_OK;
	}
	case STW_V1_CPUSample: return stw_v1_skim_add_sample(s, v);
	case STW_V1_UserLog: status = pass_text(s, p, end); break;
	case STW_V1_GoCreate: status = stw_v1_skim_add_start(s, v[x->format.before + 1]); break;
	default: status = add_exit(s, type, v);
	}
	if (status == STWATCH_OK && s->fresh)
		first_in_batch(s, p);
	return status;
}

/* Where n values at p end, n at most 4; NULL where that takes a closer look. */
static inline const uint8_t *pass_values(const uint8_t *p, unsigned n)
{
	uint64_t w;
	memcpy(&w, p, sizeof w);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	uint64_t ends = ~w & 0x8080808080808080u;
	for (; n > 1; n--)
		ends &= ends - 1;
	return ends ? p + ((unsigned)__builtin_ctzll(ends) >> 3) + 1 : NULL;
}

/* How an event goes on, by its first byte: so many values, which say nothing of their length, or: */
enum { TAKES_A_LOOK = 0, STATES_LENGTH = 8 };

static uint8_t how_plain(const stw_v1_skimmer *s, unsigned type, unsigned n)
{
	const stw_v1_format *f = &s->index->format;
	if (s->special[type])
		return TAKES_A_LOOK;
	if (n >= f->inline_values)
		return f->n_values[type] < f->inline_values ? TAKES_A_LOOK : STATES_LENGTH;
	return n == f->n_values[type] ? (uint8_t)n : TAKES_A_LOOK;
}

/* Skims what has nothing special, in a batch that has begun: to the first event that takes a closer look, or to `safe`. */
static __attribute__((hot, noinline)) const uint8_t *skim_plain(const uint8_t *plain, const uint8_t *p, const uint8_t *safe)
{
	while (p < safe) {
		const unsigned n = plain[*p];
		const uint8_t *next;
		if (n == STATES_LENGTH) {
			if (p[1] >= 0x80)
				break;
			next = p + 2 + p[1];
		} else if (n == TAKES_A_LOOK || !(next = pass_values(p + 1, n))) {
			break;
		}
		p = next;
	}
	return p;
}

/* Whether that is for others to look at. */
static bool is_theirs(const stw_v1_skimmer *s, const uint8_t *p, unsigned type)
{
	if (type == STW_V1_Batch)
		return stw_v1_skim_offset(s, p) >= s->stop_at;
	return s->give_up_at != UINT64_MAX &&
		(type == STW_V1_String || type == STW_V1_Stack || type == STW_V1_Frequency || type == STW_V1_TimerGoroutine);
}

/* Skims events until the window needs more, or something is wrong. */
static stwatch_status skim(stw_v1_skimmer *s)
{
	const stw_v1_format *f = &s->index->format;
	for (;;) {
		/* Up to here an event is whole in the window, and what follows it too. */
		const uint8_t *safe = s->end - s->window > STW_V1_MAX_EVENT + 32 ? s->end - STW_V1_MAX_EVENT - 32 : s->window, *p;
		if (!s->fresh && s->batch != UINT32_MAX && s->p < safe)
			s->p = skim_plain(s->plain, s->p, safe);
		p = s->p;
		if (p >= (s->last ? s->end : safe))
			return STWATCH_OK;
		const unsigned type = *p & 63;
		if (!f->n_values[type])
			return stw_fail(&s->fault, STWATCH_ERR_DAMAGED, stw_v1_skim_offset(s, p),
				"unknown event type %u (format go 1.%u has no such event)", type, f->minor);
		if (s->special[type]) {
			if (is_theirs(s, p, type)) {
				s->stopped = type == STW_V1_Batch;
				return STWATCH_END;
			}
			stwatch_status status = one_special(s, p, type);
			if (status == STWATCH_OK)
				continue;
			if (status == STWATCH_ERR_DAMAGED && s->give_up_at != UINT64_MAX)
				s->p = p; /* others look at it from its beginning */
			return status;
		}
		if (s->batch == UINT32_MAX)
			return stw_v1_skim_bad(s, p, "an event stands before any batch (a batch was expected)");
		const uint8_t *next = end_of_event(s, p, type);
		if (!next)
			return STWATCH_ERR_DAMAGED;
		if (s->fresh)
			first_in_batch(s, p);
		s->p = next;
	}
}

stwatch_status stw_v1_skim_on(stw_v1_skimmer *s)
{
	stwatch_status status = STWATCH_OK;
	while (status == STWATCH_OK && (s->p < s->end || !s->last)) {
		status = skim(s);
		if (status == STWATCH_OK && s->end_at >= s->give_up_at)
			return STWATCH_END;
		if (status == STWATCH_OK && !s->last)
			status = refill(s);
	}
	return status;
}

void stw_v1_skim_open(stw_v1_skimmer *s, stw_v1_index *index, const stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	s->index = index;
	s->source = source;
	s->cancel = cancel;
	s->error = error;
	s->batch = UINT32_MAX;
	s->stopped = s->fresh = false;
	s->fault.status = STWATCH_OK;
	s->stop_at = s->give_up_at = UINT64_MAX;
	stw_map_init(&s->procs, index->mem);
	stw_map_init(&s->strings, index->mem);
	stw_map_init(&s->pcs, index->mem);
	stw_map_init(&s->starts, index->mem);
	memcpy(s->special, SPECIAL, sizeof s->special);
	s->special[STW_V1_GoCreate] = index->format.minor < 7;
	for (unsigned i = 0; i < sizeof s->plain; i++)
		s->plain[i] = how_plain(s, i & 63, (i >> 6) + index->format.before);
}

void stw_v1_skim_close(stw_v1_skimmer *s)
{
	stw_map_free(&s->procs);
	stw_map_free(&s->strings);
	stw_map_free(&s->pcs);
	stw_map_free(&s->starts);
}
