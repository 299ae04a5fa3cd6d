#include "v2/spans.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "v2/generation.h"
#include "wire/header.h"

static bool is_same(const stw_span *a, const stw_span *b)
{
	return a->recording == b->recording;
}

static int by_number(const void *x, const void *y)
{
	const stw_span *a = x, *b = y;
	if (a->recording != b->recording)
		return a->recording < b->recording ? -1 : 1;
	if (a->generation != b->generation)
		return a->generation < b->generation ? -1 : 1;
	return (a->begin > b->begin) - (a->begin < b->begin);
}

/* The first that is earlier, by number and time, than the one before it; n: none is. */
static size_t find_earlier(const stw_span *s, size_t n)
{
	size_t i = 1;
	while (i < n && !(is_same(&s[i - 1], &s[i]) && s[i].generation < s[i - 1].generation && s[i].time < s[i - 1].time))
		i++;
	return i < n ? i : n;
}

/* Each once, and later than the one before it. */
static bool in_time(const stw_span *s, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (is_same(&s[i - 1], &s[i]) && (s[i].time < s[i - 1].time || s[i].generation == s[i - 1].generation))
			return false;
	return true;
}

static stwatch_status put_in_order(stw_span *s, size_t n, stw_mem *mem, stw_loss_fn loss, void *user, stwatch_error *error)
{
	const size_t earlier = find_earlier(s, n);
	stwatch_error e;
	if (earlier == n)
		return STWATCH_OK;
	stw_span *sorted = stw_mem_resize(mem, NULL, 0, n * sizeof *s);
	if (!sorted)
		return stw_fail_memory(error);
	stw_fail(&e, STWATCH_ERR_DAMAGED, s[earlier].begin,
		"generation %llu stands behind generation %llu: they are read in the order of their numbers, as they were made",
		(unsigned long long)s[earlier].generation, (unsigned long long)s[earlier - 1].generation);
	memcpy(sorted, s, n * sizeof *s);
	qsort(sorted, n, sizeof *s, by_number);
	bool told = true;
	if (in_time(sorted, n)) {
		for (size_t i = 1; i < n; i++)
			sorted[i].joint = is_same(&sorted[i - 1], &sorted[i]) && sorted[i].generation == sorted[i - 1].generation + 1
				? STW_JOINT_WHOLE
				: STW_JOINT_DAMAGE;
		memcpy(s, sorted, n * sizeof *s);
		told = !loss || loss(user, &e, e.offset);
	}
	stw_mem_free(mem, sorted, n * sizeof *s);
	return told ? STWATCH_OK : stw_fail_memory(error);
}

static stwatch_status find_all(stw_spans *spans, stw_scan *scan, stwatch_error *error)
{
	for (;;) {
		stw_span span;
		stwatch_error rest;
		stwatch_status status = stw_scan_next(scan, &span, error);
		if (status == STWATCH_END) {
			status = stw_generation_check_rest(scan->mem, &span, &rest);
			if (status == STWATCH_ERR_DAMAGED)
				return !scan->loss || scan->loss(scan->user, &rest, span.end) ? STWATCH_OK : stw_fail_memory(error);
			if (status != STWATCH_OK)
				*error = rest;
			return status;
		}
		if (status != STWATCH_OK)
			return status;
		stw_span *kept = stw_vec_push(scan->mem, spans);
		if (!kept)
			return stw_fail_memory(error);
		*kept = span;
		stw_source_tell(scan->source, span.end);
	}
}

/* Whether the version was guessed, as no header says it. */
static bool is_guessed(const stw_source *source, uint64_t begin)
{
	uint8_t head[STW_HEADER_SIZE];
	size_t got = 0;
	unsigned minor;
	stwatch_error ignored;
	return begin < sizeof head || stw_source_read(source, begin - sizeof head, head, sizeof head, &got, &ignored) != STWATCH_OK ||
		stw_header_parse(head, got, &minor, NULL) != STWATCH_OK;
}

stwatch_status stw_spans_read(stw_spans *spans, stw_mem *mem, const stw_source *source, stw_go_version version, uint64_t begin,
	stw_loss_fn loss, void *user, const volatile int *cancel, stwatch_error *error)
{
	stw_scan scan;
	const size_t first = spans->count;
	stw_scan_init(&scan, source, version);
	scan.offset = begin;
	scan.guessed = is_guessed(source, begin);
	scan.behind_loss = begin != STW_HEADER_SIZE;
	stw_scan_salvage(&scan, mem, loss, user, cancel);
	stwatch_status status = find_all(spans, &scan, error);
	return status == STWATCH_OK ? put_in_order(spans->items + first, spans->count - first, mem, loss, user, error) : status;
}
