/* How libFuzzer changes a trace, in the targets that take one: along its structure, as damage does it and as a writer's mistakes would. The input
 * is taken apart into batches; some are dropped, doubled, moved, cut, overwritten, or get another generation, thread, time, size; so do whole
 * generations; within batches, events (in v1: records) are dropped, doubled, moved, or get another number or type. Each fifth change, and what
 * is no trace, is left to libFuzzer's own. Between the steps nothing is repaired but the size of a batch whose events were changed on purpose. */
#include <stdlib.h>
#include <string.h>

#include "event/spec.h"
#include "v1/format.h"
#include "v2/batch.h"
#include "wire/header.h"
#include "wire/varint.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(
	const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out, size_t max_size, unsigned seed);

enum { MOST_PARTS = 1024, MOST_ENTRIES = 1024, MOST_STEPS = 3, SCRATCH = 1 << 20, TRIES = 8 };

/* A batch, or bytes that are none (`head` is 0). */
typedef struct part {
	const uint8_t *bytes;
	size_t size, head;
	uint64_t generation;
} part;

typedef struct trace {
	uint64_t random;
	bool v1;
	stw_v1_format format;
	size_t n, used; /* parts, bytes of scratch */
	part header, parts[MOST_PARTS];
	uint8_t scratch[SCRATCH]; /* what parts that were changed point into */
} trace;

static uint64_t any(trace *t, uint64_t below)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return below ? (t->random >> 11) % below : 0;
}

static uint8_t *room(trace *t, size_t size)
{
	if (size > SCRATCH - t->used)
		return NULL;
	t->used += size;
	return t->scratch + t->used - size;
}

/* ---- taking apart ---- */

static const uint8_t *pass_numbers(const uint8_t *p, const uint8_t *end, uint64_t n)
{
	uint64_t v;
	while (p && n-- > 0)
		p = stw_varint_get(p, end, &v);
	return p;
}

static const uint8_t *pass_bytes(const uint8_t *p, const uint8_t *end, uint64_t n)
{
	return p && n <= (uint64_t)(end - p) ? p + n : NULL;
}

/* Behind the record of a v1 trace at p, NULL where there is none. */
static const uint8_t *pass_record(const trace *t, const uint8_t *p, const uint8_t *end)
{
	const unsigned type = *p & 63, n = (unsigned)(*p >> 6) + t->format.before;
	uint64_t size;
	if (!t->format.n_values[type])
		return NULL;
	p++;
	if (type == STW_V1_String)
		return (p = pass_numbers(p, end, 1)) && (p = stw_varint_get(p, end, &size)) ? pass_bytes(p, end, size) : NULL;
	if (n < t->format.inline_values)
		p = pass_numbers(p, end, n);
	else if ((p = stw_varint_get(p, end, &size)))
		p = pass_bytes(p, end, size);
	if (type == STW_V1_UserLog && p)
		return (p = stw_varint_get(p, end, &size)) ? pass_bytes(p, end, size) : NULL;
	return p;
}

static const uint8_t *pass_event(const uint8_t *p, const uint8_t *end)
{
	const unsigned type = *p++;
	uint64_t n;
	switch (type) {
	case STW_EV_Strings:
	case STW_EV_Stacks:
	case STW_EV_CPUSamples:
	case STW_EV_Sync: return p;
	case STW_EV_String: return (p = pass_numbers(p, end, 1)) && (p = stw_varint_get(p, end, &n)) ? pass_bytes(p, end, n) : NULL;
	case STW_EV_Stack: return (p = pass_numbers(p, end, 1)) && (p = stw_varint_get(p, end, &n)) ? pass_numbers(p, end, 4 * n) : NULL;
	case STW_EV_CPUSample: return pass_numbers(p, end, 5);
	case STW_EV_Frequency: return pass_numbers(p, end, 1);
	case STW_EV_ClockSnapshot: return pass_numbers(p, end, 4);
	default: return stw_event_spec_of(type)->kind ? pass_numbers(p, end, 1u + stw_event_spec_of(type)->n_args) : NULL;
	}
}

static const uint8_t *pass_entry(const trace *t, const uint8_t *p, const uint8_t *end)
{
	return t->v1 ? pass_record(t, p, end) : pass_event(p, end);
}

static bool is_v1_batch(const uint8_t *p)
{
	return (*p & 63) == STW_V1_Batch;
}

/* The batch at p; what is none is a part up to the end. */
static part part_at(const trace *t, const uint8_t *p, const uint8_t *end)
{
	part b = {p, (size_t)(end - p), 0, 0};
	stw_batch_head h;
	if (!t->v1) {
		if (stw_batch_head_parse(&h, p, b.size, 0, b.size, NULL) == STWATCH_OK)
			b = (part){p, (size_t)h.head_size + h.size, h.head_size, h.generation};
		return b;
	}
	const uint8_t *next = is_v1_batch(p) ? pass_record(t, p, end) : NULL;
	if (!next)
		return b;
	b.head = (size_t)(next - p);
	while (next && next < end && !is_v1_batch(next))
		if ((next = pass_record(t, next, end)))
			b.size = (size_t)(next - p);
	if (b.size == (size_t)(end - p) && next != end)
		b.size = b.head;
	return b;
}

/* False where it does not look like a trace. One without a header is taken for one of the later format. */
static bool take_apart(trace *t, const uint8_t *data, size_t size, unsigned seed)
{
	const uint8_t *p = data, *end = data + size;
	unsigned minor = STW_GO126;
	t->random = (seed + 1) * 0x9E3779B97F4A7C15u;
	t->n = t->used = 0;
	t->header = (part){data, 0, 0, 0};
	if (size >= STW_HEADER_SIZE && stw_header_parse(data, STW_HEADER_SIZE, &minor, NULL) == STWATCH_OK)
		t->header.size = STW_HEADER_SIZE;
	else if (size == 0 || *data != STW_EV_EventBatch)
		return false;
	t->v1 = minor < STW_GO122;
	if (t->v1)
		stw_v1_format_init(&t->format, minor);
	for (p += t->header.size; p < end && t->n < MOST_PARTS; p += t->parts[t->n++].size)
		t->parts[t->n] = part_at(t, p, end);
	return t->n > 0;
}

/* ---- steps on batches ---- */

static part *some(trace *t)
{
	return &t->parts[any(t, t->n)];
}

static void insert(trace *t, size_t at, part p)
{
	if (t->n == MOST_PARTS)
		return;
	memmove(t->parts + at + 1, t->parts + at, (t->n - at) * sizeof p);
	t->parts[at] = p;
	t->n++;
}

static void drop(trace *t, size_t at)
{
	memmove(t->parts + at, t->parts + at + 1, (t->n - at - 1) * sizeof *t->parts);
	t->n--;
}

static void drop_one(trace *t)
{
	drop(t, any(t, t->n));
}

static void drop_several(trace *t)
{
	for (size_t i = t->n; i-- > 0;)
		if (any(t, 5) == 0)
			drop(t, i);
}

static void double_one(trace *t)
{
	const part p = *some(t);
	insert(t, any(t, t->n + 1), p);
}

static void swap_two(trace *t)
{
	part *a = some(t), *b = some(t), between = *a;
	*a = *b;
	*b = between;
}

static void move_one(trace *t)
{
	const size_t from = any(t, t->n);
	const part p = t->parts[from];
	drop(t, from);
	insert(t, any(t, t->n + 1), p);
}

static void shuffle(trace *t)
{
	for (size_t i = t->n; i > 1; i--) {
		part *a = &t->parts[i - 1], *b = &t->parts[any(t, i)], between = *a;
		if (a->generation == b->generation) {
			*a = *b;
			*b = between;
		}
	}
}

/* A copy of a part that can be written to; NULL: there is no room. */
static uint8_t *own(trace *t, part *p)
{
	uint8_t *copy = room(t, p->size);
	if (copy) {
		memcpy(copy, p->bytes, p->size);
		p->bytes = copy;
	}
	return copy;
}

/* Bytes at its end, or within it, are gone; its head says nothing of that. */
static void cut_one(trace *t)
{
	part *p = some(t);
	size_t from = any(t, p->size + 1), size = any(t, 2) ? p->size - from : any(t, p->size - from + 1);
	uint8_t *copy = own(t, p);
	if (!copy)
		return;
	memmove(copy + from, copy + from + size, p->size - from - size);
	p->size -= size;
	if (p->head > p->size)
		p->head = 0;
}

static void fill(trace *t, uint8_t *p, size_t size)
{
	const uint64_t kind = any(t, 3);
	for (size_t i = 0; i < size; i++)
		p[i] = kind == 0 ? 0 : (uint8_t)any(t, kind == 1 ? 256 : 60);
}

static void overwrite(trace *t)
{
	part *p = some(t);
	const size_t from = any(t, p->size), size = any(t, p->size - from + 1);
	uint8_t *copy = own(t, p);
	if (copy)
		fill(t, copy + from, size);
}

static void insert_noise(trace *t)
{
	part p = {NULL, (size_t)1 << any(t, 10), 0, 0};
	uint8_t *bytes = room(t, p.size);
	if (!bytes)
		return;
	fill(t, bytes, p.size);
	p.bytes = bytes;
	insert(t, any(t, t->n + 1), p);
}

static void insert_end(trace *t)
{
	static const uint8_t end[] = {STW_EV_EndOfGeneration};
	insert(t, any(t, t->n + 1), (part){end, 1, 1, 0});
}

static void change_bytes(trace *t)
{
	part *p = some(t);
	uint8_t *copy = own(t, p);
	if (copy && p->size)
		p->size = LLVMFuzzerMutate(copy, p->size, p->size);
}

static void lose_header(trace *t)
{
	t->header.size = 0;
}

static void begin_later(trace *t)
{
	for (size_t n = any(t, t->n); n > 0; n--)
		drop(t, 0);
	part *p = &t->parts[0];
	const size_t gone = any(t, 2) ? 0 : any(t, p->size);
	*p = (part){p->bytes + gone, p->size - gone, gone ? 0 : p->head, p->generation};
	if (any(t, 3))
		lose_header(t);
}

static void end_earlier(trace *t)
{
	t->n -= any(t, t->n);
	part *p = &t->parts[t->n - 1];
	p->size = any(t, p->size + 1);
	if (p->head > p->size)
		p->head = 0;
}

static void come_again(trace *t)
{
	const size_t n = t->n;
	if (any(t, 2))
		insert(t, t->n, t->header);
	for (size_t i = any(t, n), k = i + 1 + any(t, n - i); i < k; i++)
		insert(t, t->n, t->parts[i]);
}

/* ---- on generations (only the later format has such) ---- */

/* The run of batches of one generation, with the event that ends it. */
static void find_generation(trace *t, size_t *from, size_t *to)
{
	const size_t at = any(t, t->n);
	const uint64_t number = t->parts[at].generation;
	for (*from = at; *from > 0 && t->parts[*from - 1].generation == number;)
		--*from;
	for (*to = at + 1; *to < t->n && t->parts[*to].generation == number;)
		++*to;
	if (*to < t->n && t->parts[*to].size == 1)
		++*to;
}

static void drop_generation(trace *t)
{
	size_t from, to;
	find_generation(t, &from, &to);
	for (size_t i = from; i < to && t->n > 1; i++)
		drop(t, from);
}

static void move_generation(trace *t)
{
	size_t from, to;
	find_generation(t, &from, &to);
	const size_t size = to - from, rest = t->n - size, at = any(t, rest + 1);
	part moved[MOST_PARTS];
	memcpy(moved, t->parts + from, size * sizeof *moved);
	memmove(t->parts + from, t->parts + to, (t->n - to) * sizeof *moved);
	memmove(t->parts + at + size, t->parts + at, (rest - at) * sizeof *moved);
	memcpy(t->parts + at, moved, size * sizeof *moved);
}

static void double_generation(trace *t)
{
	size_t from, to;
	part again[MOST_PARTS];
	find_generation(t, &from, &to);
	const size_t size = to - from, at = any(t, t->n + 1);
	memcpy(again, t->parts + from, size * sizeof *again);
	for (size_t i = 0; i < size; i++)
		insert(t, at + i, again[i]);
}

static uint64_t other_number(trace *t, uint64_t old)
{
	switch (any(t, 12)) {
	case 0: return 0;
	case 1: return old - 1;
	case 2:
	case 3: return old + 1;
	case 4: return old + 2;
	case 5: return old * 2;
	case 6: return old / 2;
	case 7: return any(t, 8);
	case 8: return old + any(t, 1 << 16);
	case 9: return old - any(t, 1 << 16);
	case 10: return (uint64_t)1 << any(t, 64);
	default: return UINT64_MAX;
	}
}

/* Writes a batch anew with another body and fields of its head. */
static void write_batch(trace *t, part *p, const stw_batch_head *h, const uint8_t *body, size_t size)
{
	uint8_t *bytes = room(t, STW_BATCH_HEAD_MAX + size), *to = bytes;
	if (!bytes)
		return;
	*to++ = h->experiment ? STW_EV_ExperimentalBatch : STW_EV_EventBatch;
	if (h->experiment)
		*to++ = h->experiment;
	to += stw_put_varint(to, h->generation);
	to += stw_put_varint(to, h->m);
	to += stw_put_varint(to, h->time);
	to += stw_put_varint(to, h->size);
	const size_t head = (size_t)(to - bytes);
	memcpy(to, body, size);
	*p = (part){bytes, head + size, head, h->generation};
}

/* False also where another step has cut or overwritten it. */
static bool head_of(const part *p, stw_batch_head *h)
{
	return p->head && p->head <= p->size && stw_batch_head_parse(h, p->bytes, p->size, 0, UINT64_MAX, NULL) == STWATCH_OK &&
		!h->end_of_generation;
}

static void change_head(trace *t)
{
	part *p = some(t);
	stw_batch_head h, other;
	if (!head_of(p, &h))
		return;
	const bool lent = head_of(some(t), &other) && any(t, 2);
	switch (any(t, 5)) {
	case 0: h.generation = lent ? other.generation : other_number(t, h.generation); break;
	case 1: h.m = lent ? other.m : other_number(t, h.m); break;
	case 2: h.time = lent ? other.time : other_number(t, h.time); break;
	case 3: h.size = lent ? other.size : (uint32_t)other_number(t, h.size); break;
	default: h.experiment = (uint8_t)other_number(t, h.experiment);
	}
	write_batch(t, p, &h, p->bytes + p->head, p->size - p->head);
}

static void renumber_generation(trace *t)
{
	size_t from, to;
	stw_batch_head h;
	find_generation(t, &from, &to);
	const uint64_t number = other_number(t, t->parts[from].generation);
	const int64_t later = any(t, 2) ? 0 : (int64_t)any(t, (uint64_t)1 << any(t, 44)) - (1 << 20);
	for (size_t i = from; i < to; i++) {
		part *p = &t->parts[i];
		if (!head_of(p, &h))
			continue;
		h.generation = number;
		h.time += (uint64_t)later;
		write_batch(t, p, &h, p->bytes + p->head, p->size - p->head);
	}
}

/* ---- on events ---- */

typedef struct entries {
	part *p;
	size_t n;
	const uint8_t *at[MOST_ENTRIES + 1]; /* the last: behind them */
} entries;

static bool list_entries(const trace *t, part *p, entries *e)
{
	const uint8_t *at = p->bytes + p->head, *end = p->bytes + p->size;
	*e = (entries){.p = p};
	for (e->at[0] = at; at && at < end && e->n < MOST_ENTRIES && p->head;)
		if ((at = pass_entry(t, at, end)))
			e->at[++e->n] = at;
	return e->n > 0;
}

static bool some_entries(trace *t, entries *e)
{
	for (int i = 0; i < TRIES; i++)
		if (list_entries(t, some(t), e))
			return true;
	return false;
}

/* Puts bytes in the place of those from one entry up to another. */
static void replace(trace *t, entries *e, size_t from, size_t to, const uint8_t *bytes, size_t size)
{
	part *p = e->p;
	const size_t before = (size_t)(e->at[from] - p->bytes), gone = (size_t)(e->at[to] - e->at[from]), all = p->size - gone + size;
	uint8_t *whole = room(t, all);
	stw_batch_head h;
	if (!whole)
		return;
	memcpy(whole, p->bytes, before);
	if (size)
		memcpy(whole + before, bytes, size);
	memcpy(whole + before + size, e->at[to], p->size - before - gone);
	if (!t->v1 && head_of(p, &h)) {
		h.size = (uint32_t)(all - p->head);
		write_batch(t, p, &h, whole + p->head, all - p->head);
	} else {
		p->bytes = whole;
		p->size = all;
	}
}

static void drop_entry(trace *t)
{
	entries e;
	if (!some_entries(t, &e))
		return;
	const size_t i = any(t, e.n), more = any(t, 4) ? 1 : 1 + any(t, e.n - i);
	replace(t, &e, i, i + more, NULL, 0);
}

static void double_entry(trace *t)
{
	entries from, to;
	if (!some_entries(t, &from) || !some_entries(t, &to))
		return;
	const size_t i = any(t, from.n), k = any(t, to.n + 1);
	replace(t, &to, k, k, from.at[i], (size_t)(from.at[i + 1] - from.at[i]));
}

static void swap_entries(trace *t)
{
	entries e;
	if (!some_entries(t, &e) || e.n < 2)
		return;
	const size_t i = any(t, e.n - 1), first = (size_t)(e.at[i + 1] - e.at[i]), both = (size_t)(e.at[i + 2] - e.at[i]);
	uint8_t *bytes = room(t, both);
	if (!bytes)
		return;
	memcpy(bytes, e.at[i + 1], both - first);
	memcpy(bytes + both - first, e.at[i], first);
	replace(t, &e, i, i + 2, bytes, both);
}

static void move_entry(trace *t)
{
	entries from, to;
	if (!some_entries(t, &from) || !some_entries(t, &to) || from.p == to.p)
		return;
	const size_t i = any(t, from.n), k = any(t, to.n + 1);
	replace(t, &to, k, k, from.at[i], (size_t)(from.at[i + 1] - from.at[i]));
	replace(t, &from, i, i + 1, NULL, 0);
}

/* One of its numbers; its type, sometimes. */
static void change_entry(trace *t)
{
	entries e;
	uint64_t values[8];
	if (!some_entries(t, &e))
		return;
	const size_t i = any(t, e.n), size = (size_t)(e.at[i + 1] - e.at[i]);
	const uint8_t *at[9] = {e.at[i] + 1}, *end = e.at[i + 1];
	size_t n = 0;
	while (n < 8 && at[n] < end && (at[n + 1] = stw_varint_get(at[n], end, &values[n])))
		n++;
	uint8_t *bytes = room(t, size + 10), *to = bytes;
	if (!bytes)
		return;
	const size_t k = n ? any(t, n) : 0;
	*to++ = any(t, 8) && n ? *e.at[i] : t->v1 ? (uint8_t)((*e.at[i] & 0xc0) | any(t, 64)) : (uint8_t)any(t, STW_EV_COUNT);
	if (n) {
		memcpy(to, at[0], (size_t)(at[k] - at[0]));
		to += at[k] - at[0];
		to += stw_put_varint(to, other_number(t, values[k]));
		memcpy(to, at[k + 1], (size_t)(end - at[k + 1]));
		to += end - at[k + 1];
	}
	replace(t, &e, i, i + 1, bytes, (size_t)(to - bytes));
}

static void split_one(trace *t)
{
	entries e;
	stw_batch_head h;
	if (t->v1 || !some_entries(t, &e) || !head_of(e.p, &h))
		return;
	part *p = e.p, second = *p;
	const uint8_t *at = e.at[any(t, e.n + 1)];
	const size_t first = (size_t)(at - p->bytes) - p->head, rest = p->size - p->head - first;
	h.size = (uint32_t)rest;
	write_batch(t, &second, &h, at, rest);
	h.size = (uint32_t)first;
	write_batch(t, p, &h, p->bytes + p->head, first);
	insert(t, (size_t)(p - t->parts) + 1, second);
}

/* ---- all ---- */

typedef void (*step)(trace *t);

static const step STEPS[] = {drop_one, drop_several, double_one, swap_two, move_one, shuffle, cut_one, overwrite, insert_noise, insert_end,
	change_bytes, lose_header, begin_later, end_earlier, come_again, drop_generation, move_generation, double_generation,
	renumber_generation, change_head, change_head, split_one, drop_entry, drop_entry, double_entry, swap_entries, move_entry,
	change_entry, change_entry, change_entry, change_entry};

static size_t put_together(const trace *t, uint8_t *out, size_t max_size)
{
	size_t used = 0;
	for (size_t i = 0; i <= t->n; i++) {
		const part *p = i ? &t->parts[i - 1] : &t->header;
		const size_t size = p->size < max_size - used ? p->size : max_size - used;
		memcpy(out + used, p->bytes, size);
		used += size;
	}
	return used;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	static trace t;
	uint8_t *copy = malloc(size + 1), *out = malloc(max_size + 1);
	size_t made = 0;
	if (copy && out)
		memcpy(copy, data, size);
	if (copy && out && seed % 5 && take_apart(&t, copy, size, seed)) {
		for (uint64_t n = 1 + any(&t, MOST_STEPS); n > 0 && t.n > 0; n--)
			STEPS[any(&t, sizeof STEPS / sizeof *STEPS)](&t);
		made = put_together(&t, out, max_size);
		memcpy(data, out, made);
	}
	free(copy);
	free(out);
	return made ? made : LLVMFuzzerMutate(data, size, max_size);
}

/* Batches of one, then of the other, with its header or without. */
size_t LLVMFuzzerCustomCrossOver(
	const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out, size_t max_size, unsigned seed)
{
	static trace a, b;
	if (!take_apart(&a, data1, size1, seed) || !take_apart(&b, data2, size2, seed + 1))
		return 0;
	size_t from = any(&b, b.n), to = from + 1 + any(&b, b.n - from), at = any(&a, a.n + 1);
	if (any(&b, 3) == 0)
		insert(&a, at++, b.header);
	for (; from < to; from++)
		insert(&a, at++, b.parts[from]);
	return put_together(&a, out, max_size);
}
