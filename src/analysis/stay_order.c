#include "analysis/stay_order.h"

#include <stdlib.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static int in_order(const void *x, const void *y)
{
	const stw_past_stay *a = x, *b = y;
	if (a->track != b->track)
		return a->track < b->track ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->to > b->to) - (a->to < b->to);
}

/* What a pass orders by. */
typedef enum order_by { BY_BEGIN, BY_ID, BY_TRACK } order_by;

static uint64_t value_of(const stw_past_stay *s, order_by by)
{
	return by == BY_BEGIN ? (uint64_t)s->from : by == BY_ID ? (uint64_t)s->id : s->track;
}

/* One stable pass: `to` gets the indices of `from` by a digit of a value. */
static void distribute(const stw_past_stay *stays, const uint32_t *from, uint32_t *to, size_t n, order_by by, uint64_t low, unsigned shift)
{
	uint32_t starts[DIGITS] = {0}, sum = 0;
	for (size_t i = 0; i < n; i++)
		starts[(value_of(&stays[i], by) - low) >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		const uint32_t count = starts[d];
		starts[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[starts[(value_of(&stays[from[i]], by) - low) >> shift & (DIGITS - 1)]++] = from[i];
}

/* As many passes as the value's digits differ in. The two halves of `indices` change places with each; returns the one that is in order. */
static uint32_t *order(const stw_past_stay *stays, uint32_t *from, uint32_t *to, size_t n, order_by by)
{
	int64_t low = INT64_MAX;
	uint64_t spread = 0;
	for (size_t i = 0; i < n; i++)
		low = (int64_t)value_of(&stays[i], by) < low ? (int64_t)value_of(&stays[i], by) : low;
	for (size_t i = 0; i < n; i++)
		spread |= value_of(&stays[i], by) - (uint64_t)low;
	for (unsigned shift = 0; shift < 64 && spread >> shift; shift += DIGIT_BITS) {
		distribute(stays, from, to, n, by, (uint64_t)low, shift);
		uint32_t *swap = from;
		from = to;
		to = swap;
	}
	return from;
}

/* Moves each stay to its place; order[i] says which comes i-th, and is used up. */
static void permute(stw_past_stay *stays, uint32_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const stw_past_stay first = stays[i];
		size_t at = i;
		for (size_t next = order[at]; next != i; next = order[at]) {
			stays[at] = stays[next];
			order[at] = (uint32_t)at;
			at = next;
		}
		stays[at] = first;
		order[at] = (uint32_t)at;
	}
}

bool stw_stays_sort(stw_mem *mem, stw_past_stays *all)
{
	stw_past_stay *stays = all->items;
	const size_t n = all->count;
	bool sorted = true;
	if (n < 2)
		return true;
	uint32_t *indices = n < UINT32_MAX ? stw_mem_resize(mem, NULL, 0, 2 * n * sizeof *indices) : NULL, *at = indices;
	if (!indices)
		return false;
	for (size_t i = 0; i < n; i++)
		indices[i] = (uint32_t)i;
	for (order_by by = BY_BEGIN; by <= BY_TRACK; by++)
		at = order(stays, at, at == indices ? indices + n : indices, n, by);
	permute(stays, at, n);
	stw_mem_free(mem, indices, 2 * n * sizeof *indices);
	for (size_t i = 1; i < n && sorted; i++)
		sorted = in_order(&stays[i - 1], &stays[i]) <= 0;
	if (!sorted) /* two of one track and id begin at once */
		qsort(stays, n, sizeof *stays, in_order);
	return true;
}
