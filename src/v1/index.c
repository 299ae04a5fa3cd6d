#include "v1/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "v1/batches.h"
#include "v1/resync.h"
#include "v1/unnamed.h"
#include "wire/varint.h"

enum { WINDOW = 256 << 10, MOST_PROBLEMS = 100, SUSPECT = 256 /* bytes */ };

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

typedef struct skimmer {
	stw_v1_index *index;
	const stw_source *source;
	const volatile int *cancel;
	stwatch_error *error;
	stw_map procs, strings, pcs, starts;
	uint8_t special[STW_V1_TYPES];
	uint32_t batch; /* the open one, UINT32_MAX: none */
	bool fresh; /* no event of a stream came in it yet */
	const uint8_t *p, *end; /* in window */
	uint64_t end_at; /* offset of `end` */
	bool last; /* nothing follows the window */
	int64_t first_frequency;
	stwatch_error fault; /* status DAMAGED: what is wrong with the bytes at hand */
	uint8_t window[WINDOW + STW_VARINT_SLACK];
} skimmer;

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

static uint64_t offset_of(const skimmer *s, const uint8_t *p)
{
	return s->end_at - (uint64_t)(s->end - p);
}

/* Moves the window on so that it begins with what is at hand. */
static stwatch_status refill(skimmer *s)
{
	size_t left = (size_t)(s->end - s->p), got;
	memmove(s->window, s->p, left);
	stwatch_status status = stw_source_read(s->source, s->end_at, s->window + left, WINDOW - left, &got, s->error);
	s->p = s->window;
	s->end = s->window + left + got;
	s->end_at += got;
	s->last = left + got < WINDOW;
	memset(s->window + left + got, 0, STW_VARINT_SLACK);
	if (s->cancel && *s->cancel)
		return stw_fail(s->error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET,
			"interrupted in the first of two passes, at byte %llu of %llu (%.0f %%): it finds what stands at the end, and "
			"until then "
			"nothing is known of what happened",
			(unsigned long long)s->end_at, (unsigned long long)s->source->size,
			s->source->size ? 100 * (double)s->end_at / (double)s->source->size : 0.0);
	stw_source_tell(s->source, s->end_at);
	return status;
}

static stwatch_status move_to(skimmer *s, uint64_t offset)
{
	s->p = s->end = s->window;
	s->end_at = offset;
	return refill(s);
}

static stwatch_status bad(skimmer *s, const uint8_t *p, const char *what)
{
	return stw_fail(&s->fault, STWATCH_ERR_DAMAGED, offset_of(s, p), "%s", what);
}

static const uint8_t *take(skimmer *s, const uint8_t *p, uint64_t *value)
{
	const uint8_t *next = stw_varint_get(p, s->end, value);
	if (!next)
		bad(s, p,
			p + 10 > s->end ? "the file ends within an event (a varint was expected)"
					: "a value overflows (a varint was expected)");
	return next;
}

/* ---- batches ---- */

static void close_batch(skimmer *s, uint64_t end, bool lost)
{
	if (s->batch == UINT32_MAX)
		return;
	stw_v1_index *x = s->index;
	x->batches.items[s->batch].lost = lost;
	if (s->fresh && !lost) { /* only tables, or nothing: no use to who reads events */
		const int64_t ticks = x->batches.items[s->batch].ticks;
		x->end_ticks = x->stacks.count && ticks > x->end_ticks ? ticks : x->end_ticks;
		x->procs.items[x->batches.items[s->batch].proc].count--;
		x->batches.count--;
	} else {
		x->batches.items[s->batch].end = end;
	}
	s->batch = UINT32_MAX;
}

static stwatch_status open_batch(skimmer *s, const uint8_t *p)
{
	stw_v1_index *x = s->index;
	uint64_t pid, seq = 0, ticks;
	const uint8_t *head = p++;
	if (*head >> 6 != 1)
		return bad(s, head, "the head of a batch counts its values wrongly (two, to Go 1.6 three, were expected)");
	if (!(p = take(s, p, &pid)) || (x->format.minor < 7 && !(p = take(s, p, &seq))) || !(p = take(s, p, &ticks)))
		return STWATCH_ERR_DAMAGED;
	if (pid != UINT64_MAX && pid > INT32_MAX)
		return bad(s, head, "a batch names a proc beyond 2147483647");
	close_batch(s, offset_of(s, head), false);
	uint32_t proc = stw_map_get(&s->procs, pid);
	if (proc == STW_MAP_NONE) {
		proc = (uint32_t)x->procs.count;
		stw_v1_proc *new = stw_vec_push(x->mem, &x->procs);
		if (!new || !stw_map_put(&s->procs, pid, proc))
			return stw_fail_memory(s->error);
		*new = (stw_v1_proc){.id = (int64_t)pid};
	}
	if (x->batches.count >= UINT32_MAX - 1)
		return bad(s, head, "there are too many batches (4 billion at most were expected)");
	stw_v1_batch *b = stw_vec_push(x->mem, &x->batches);
	if (!b)
		return stw_fail_memory(s->error);
	*b = (stw_v1_batch){.begin = offset_of(s, p), .ticks = (int64_t)ticks, .first = INT64_MAX, .seq = (int64_t)seq, .proc = proc};
	x->procs.items[proc].count++;
	s->batch = (uint32_t)x->batches.count - 1;
	s->fresh = true;
	s->p = p;
	return STWATCH_OK;
}

/* The first event of a stream in its batch. */
static inline void first_in_batch(skimmer *s, const uint8_t *p)
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

/* ---- tables ---- */

static stwatch_status add_string(skimmer *s, const uint8_t *p)
{
	stw_v1_index *x = s->index;
	uint64_t id, length;
	const uint8_t *head = p++;
	if (!(p = take(s, p, &id)) || !(p = take(s, p, &length)))
		return STWATCH_ERR_DAMAGED;
	if (id == 0)
		return bad(s, head, "a string has the id 0 (1 or more was expected)");
	if (length == 0 || length > STW_V1_MAX_STRING)
		return bad(s, head, "a string has an invalid length (1 to 1000000 bytes were expected)");
	uint64_t at = offset_of(s, p);
	if (length > s->source->size || at > s->source->size - length)
		return bad(s, head, "the file ends within a string");
	char *copy = stw_arena_alloc(&x->arena, (size_t)length + 1);
	stw_v1_string *string = copy ? stw_vec_push(x->mem, &x->strings) : NULL;
	if (!string)
		return stw_fail_memory(s->error);
	size_t got;
	stwatch_status status = stw_source_read(s->source, at, copy, (size_t)length, &got, s->error);
	if (status != STWATCH_OK)
		return status;
	memset(copy + got, 0, (size_t)length + 1 - got); /* it may have become shorter under us */
	*string = (stw_v1_string){id, copy, (uint32_t)length};
	if (stw_map_get(&s->strings, id) != STW_MAP_NONE) {
		x->strings.count--;
		if (!stw_v1_index_problem(x, offset_of(s, head), "two strings have the same id: the first one holds"))
			return stw_fail_memory(s->error);
	} else if (!stw_map_put(&s->strings, id, (uint32_t)x->strings.count - 1)) {
		return stw_fail_memory(s->error);
	}
	if (length <= (uint64_t)(s->end - p)) {
		s->p = p + length;
		return STWATCH_OK;
	}
	return move_to(s, at + length);
}

static bool add_frame(skimmer *s, const uint64_t *v)
{
	stw_v1_index *x = s->index;
	uint32_t index = stw_map_get(&s->pcs, v[0]);
	if (index == STW_MAP_NONE) { /* the first description of a pc holds, as in Go's reader */
		index = (uint32_t)x->frames.count;
		stw_v1_frame *f = stw_vec_push(x->mem, &x->frames);
		if (!f || !stw_map_put(&s->pcs, v[0], index))
			return false;
		*f = (stw_v1_frame){v[0], v[1], v[2], v[3]};
	}
	uint32_t *slot = stw_vec_push(x->mem, &x->stack_frames);
	if (slot)
		*slot = index;
	return slot != NULL;
}

static stwatch_status add_stack(skimmer *s, const uint8_t *p, const uint8_t *end)
{
	stw_v1_index *x = s->index;
	const unsigned width = x->format.minor < 7 ? 1 : 4;
	const uint8_t *head = p;
	uint64_t id, n;
	if (!(p = stw_varint_get(p, end, &id)) || !(p = stw_varint_get(p, end, &n)) || n > STW_V1_MAX_FRAMES)
		return bad(s, head, "a stack has no valid number of frames (at most 1000 were expected)");
	uint32_t first = (uint32_t)x->stack_frames.count;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t v[4] = {0};
		for (unsigned k = 0; k < width; k++)
			if (!(p = stw_varint_get(p, end, &v[k])))
				return bad(s, head, "a stack has fewer frames than it says");
		if (!add_frame(s, v))
			return stw_fail_memory(s->error);
	}
	if (p != end)
		return bad(s, head, "a stack has more values than its frames need");
	if ((uint32_t)id == 0 || n == 0)
		return STWATCH_OK;
	stw_v1_stack *stack = stw_vec_push(x->mem, &x->stacks);
	if (!stack)
		return stw_fail_memory(s->error);
	*stack = (stw_v1_stack){(uint32_t)id, first, (uint32_t)n};
	return STWATCH_OK;
}

static stwatch_status add_sample(skimmer *s, const uint64_t *v)
{
	stw_v1_index *x = s->index;
	stw_v1_sample *sample = stw_vec_push(x->mem, &x->samples);
	if (!sample)
		return stw_fail_memory(s->error);
	*sample = (stw_v1_sample){(int64_t)v[1], (int32_t)v[2], v[3], (uint32_t)v[4]};
	return STWATCH_OK;
}

/* To Go 1.6 a creation tells the address of the new goroutine's function. */
static stwatch_status add_start(skimmer *s, uint64_t pc)
{
	stw_v1_index *x = s->index;
	if (pc == 0 || stw_map_get(&s->starts, pc) != STW_MAP_NONE)
		return STWATCH_OK;
	stw_v1_start *start = stw_vec_push(x->mem, &x->starts);
	if (!start || !stw_map_put(&s->starts, pc, (uint32_t)x->starts.count - 1))
		return stw_fail_memory(s->error);
	*start = (stw_v1_start){.pc = pc};
	return STWATCH_OK;
}

/* ---- events ---- */

/* Bytes of an event from its type on, as far as they are in the window; NULL and a fault where they make no sense. */
static const uint8_t *end_of_event(skimmer *s, const uint8_t *p, unsigned type)
{
	const stw_v1_format *f = &s->index->format;
	unsigned n = (*p >> 6) + f->before;
	const uint8_t *at = p + 1;
	uint64_t v;
	if (n >= f->inline_values) {
		if (!(at = take(s, at, &v)))
			return NULL;
		if (v > STW_V1_MAX_EVENT) {
			bad(s, p, "an event is longer than 2048 bytes (less was expected)");
			return NULL;
		}
		if (v > (uint64_t)(s->end - at)) {
			bad(s, p, "the file ends within an event");
			return NULL;
		}
		return at + v;
	}
	if (n != f->n_values[type] && type != STW_V1_Stack) {
		bad(s, p, "an event has the wrong number of values");
		return NULL;
	}
	for (unsigned i = 0; i < n; i++)
		if (!(at = take(s, at, &v)))
			return NULL;
	return at;
}

/* The values of an event that is whole in the window, as many as it should have. */
static stwatch_status values(skimmer *s, const uint8_t *p, const uint8_t *end, unsigned type, uint64_t *v)
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
			return bad(s, head, "an event has fewer values than it should");
	return p == end ? STWATCH_OK : bad(s, head, "an event has more values than it should");
}

static stwatch_status add_exit(skimmer *s, unsigned type, const uint64_t *v)
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
static stwatch_status pass_text(skimmer *s, const uint8_t *p, const uint8_t *end)
{
	uint64_t length;
	const uint8_t *text = take(s, end, &length);
	if (!text)
		return STWATCH_ERR_DAMAGED;
	if (length > STW_V1_MAX_STRING)
		return bad(s, p, "a log's text is longer than 1000000 bytes");
	uint64_t at = offset_of(s, text);
	if (length > s->source->size || at > s->source->size - length)
		return bad(s, p, "the file ends within a log's text");
	if (length <= (uint64_t)(s->end - text)) {
		s->p = text + length;
		return STWATCH_OK;
	}
	return move_to(s, at + length);
}

static stwatch_status one_special(skimmer *s, const uint8_t *p, unsigned type)
{
	stw_v1_index *x = s->index;
	uint64_t v[8] = {0};
	if (type == STW_V1_String)
		return add_string(s, p);
	const uint8_t *end = end_of_event(s, p, type);
	if (!end)
		return STWATCH_ERR_DAMAGED;
	if (type == STW_V1_Batch)
		return open_batch(s, p);
	if (s->batch == UINT32_MAX)
		return bad(s, p, "an event stands before any batch (a batch was expected)");
	stwatch_status status;
	if (type == STW_V1_Stack) {
		const uint8_t *first = p + 1;
		uint64_t length;
		if ((unsigned)(*p >> 6) + x->format.before >= x->format.inline_values)
			first = stw_varint_get(first, end, &length);
		status = first ? add_stack(s, first, end) : bad(s, p, "a stack is cut");
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
			return bad(s, p, "the frequency is not positive");
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
	case STW_V1_CPUSample: return add_sample(s, v);
	case STW_V1_UserLog: status = pass_text(s, p, end); break;
	case STW_V1_GoCreate: status = add_start(s, v[x->format.before + 1]); break;
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

/* Skims what has nothing special, in a batch that has begun: to the first event that takes a closer look, or to `safe`. */
static __attribute__((hot, noinline)) const uint8_t *skim_plain(
	const stw_v1_format *f, const uint8_t *special, const uint8_t *p, const uint8_t *safe)
{
	const unsigned before = f->before, inline_values = f->inline_values;
	while (p < safe) {
		const unsigned type = *p & 63, n = (*p >> 6) + before;
		const uint8_t *next;
		if (n >= inline_values) {
			if (special[type] || f->n_values[type] < inline_values || p[1] >= 0x80)
				break;
			next = p + 2 + p[1];
		} else {
			if (special[type] || n != f->n_values[type] || !(next = pass_values(p + 1, n)))
				break;
		}
		p = next;
	}
	return p;
}

/* Skims events until the window needs more, or something is wrong. */
static stwatch_status skim(skimmer *s)
{
	const stw_v1_format *f = &s->index->format;
	for (;;) {
		/* Up to here an event is whole in the window, and what follows it too. */
		const uint8_t *safe = s->end - s->window > STW_V1_MAX_EVENT + 32 ? s->end - STW_V1_MAX_EVENT - 32 : s->window, *p;
		if (!s->fresh && s->batch != UINT32_MAX && s->p < safe)
			s->p = skim_plain(f, s->special, s->p, safe);
		p = s->p;
		if (p >= (s->last ? s->end : safe))
			return STWATCH_OK;
		const unsigned type = *p & 63;
		if (!f->n_values[type])
			return stw_fail(&s->fault, STWATCH_ERR_DAMAGED, offset_of(s, p),
				"unknown event type %u (format go 1.%u has no such event)", type, f->minor);
		if (s->special[type]) {
			stwatch_status status = one_special(s, p, type);
			if (status != STWATCH_OK)
				return status;
			continue;
		}
		if (s->batch == UINT32_MAX)
			return bad(s, p, "an event stands before any batch (a batch was expected)");
		const uint8_t *next = end_of_event(s, p, type);
		if (!next)
			return STWATCH_ERR_DAMAGED;
		if (s->fresh)
			first_in_batch(s, p);
		s->p = next;
	}
}

/* Bytes that make no sense may have looked like the head of a batch before that showed. Chance gives each record less than one in three, so it shows soon. */
static void drop_suspects(skimmer *s, uint64_t from)
{
	stw_v1_index *x = s->index;
	while (x->batches.count && from - x->batches.items[x->batches.count - 1].begin < SUSPECT) {
		x->procs.items[x->batches.items[--x->batches.count].proc].count--;
		s->batch = UINT32_MAX;
		if (x->batches.count)
			x->batches.items[x->batches.count - 1].lost = true;
	}
}

static bool note_loss(skimmer *s, uint64_t from, uint64_t to, const char *next)
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
static stwatch_status find_swallowed(const skimmer *s, uint64_t from, uint64_t *header)
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
static stwatch_status end_at_header(skimmer *s, uint64_t at)
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
	return move_to(s, s->source->size);
}

/* After bytes that make no sense: notes them, and goes to the next batch. */
static stwatch_status recover(skimmer *s)
{
	stw_v1_index *x = s->index;
	uint64_t from = offset_of(s, s->p), to;
	stwatch_status status = find_swallowed(s, from, &to);
	if (status != STWATCH_OK)
		return status;
	if (to != UINT64_MAX) {
		close_batch(s, to, true);
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
	close_batch(s, from, !(header && to == from)); /* a trace that is whole ends there */
	if (to > from && to < s->source->size)
		drop_suspects(s, from);
	s->fault.status = STWATCH_OK;
	if (to > from && !note_loss(s, from, to, header ? "header" : "batch"))
		return stw_fail_memory(s->error);
	return header ? end_at_header(s, to) : move_to(s, to);
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

static stwatch_status finish(skimmer *s)
{
	stw_v1_index *x = s->index;
	close_batch(s, offset_of(s, s->p), false);
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
	if (x->problems.count || *x->unnamed.what) /* the last one holds, as in Go's reader; but in a damaged file one may be made of anything */
		x->frequency = s->first_frequency;
	if (status == STWATCH_OK && x->frequency == 0 &&
		!stw_v1_index_problem(x, x->end,
			"no frequency: the file is cut before its end (strings and stacks stand there too), so times are in ticks, not in "
			"ns"))
		status = stw_fail_memory(s->error);
	return status;
}

stwatch_status stw_v1_index_read(stw_v1_index *x, stw_mem *mem, const stw_source *source, const stw_v1_entry *entry,
	const volatile int *cancel, stwatch_error *error)
{
	memset(x, 0, sizeof *x);
	x->mem = mem;
	x->midway = entry->midway;
	x->listed = entry->listed;
	x->whole_from = x->end_ticks = INT64_MIN;
	x->begin = entry->begin;
	x->end = source->size;
	stw_v1_format_init(&x->format, entry->minor);
	stw_arena_init(&x->arena, mem);
	stw_v1_exits_init(&x->exits, mem);
	skimmer *s = stw_mem_zalloc(mem, sizeof *s);
	if (!s) {
		stw_v1_index_free(x);
		return stw_fail_memory(error);
	}
	s->index = x;
	s->source = source;
	s->cancel = cancel;
	s->error = error;
	s->batch = UINT32_MAX;
	stw_map_init(&s->procs, mem);
	stw_map_init(&s->strings, mem);
	stw_map_init(&s->pcs, mem);
	stw_map_init(&s->starts, mem);
	memcpy(s->special, SPECIAL, sizeof s->special);
	s->special[STW_V1_GoCreate] = entry->minor < 7;
	stwatch_status status = entry->missing.status == STWATCH_OK ||
			stw_v1_index_problem(x, entry->missing.offset, entry->missing.message)
		? move_to(s, entry->begin)
		: stw_fail_memory(error);
	while (status == STWATCH_OK && (s->p < s->end || !s->last)) {
		status = skim(s);
		if (status == STWATCH_OK && !s->last)
			status = refill(s);
		else if (status == STWATCH_ERR_DAMAGED && s->fault.status == STWATCH_ERR_DAMAGED)
			status = recover(s);
	}
	if (status == STWATCH_OK)
		status = finish(s);
	stw_map_free(&s->procs);
	stw_map_free(&s->strings);
	stw_map_free(&s->pcs);
	stw_map_free(&s->starts);
	stw_mem_free(mem, s, sizeof *s);
	if (status != STWATCH_OK)
		stw_v1_index_free(x);
	return status;
}
