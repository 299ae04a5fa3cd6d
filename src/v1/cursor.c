#include "v1/cursor.h"

#include <string.h>

#include "base/error.h"
#include "wire/varint.h"

/* The longest event with its type, length and a few values. */
enum {
	MARGIN = STW_V1_MAX_EVENT + 32,
	WINDOWS = 8 << 20,
	WINDOW = 64 << 10,
};

size_t stw_v1_cursor_room(const stw_v1_index *x, uint32_t proc, size_t most)
{
	const stw_v1_proc *p = &x->procs.items[proc];
	uint64_t longest = 0;
	for (uint32_t i = p->first; i < p->first + p->count; i++) {
		uint64_t size = x->batches.items[i].end - x->batches.items[i].begin;
		longest = size > longest ? size : longest;
	}
	if (most < (size_t)2 * MARGIN)
		most = (size_t)2 * MARGIN;
	return (size_t)(longest < most ? longest : most) + STW_VARINT_SLACK;
}

void stw_v1_cursor_open(stw_v1_cursor *c, const stw_v1_index *x, uint32_t proc, uint8_t *window, size_t room)
{
	const stw_v1_proc *p = &x->procs.items[proc];
	*c = (stw_v1_cursor){
		.window = window, .window_size = (uint32_t)(room - STW_VARINT_SLACK), .batch = p->first, .batch_end = p->first + p->count};
	c->p = c->end = window;
}

uint8_t *stw_v1_cursors_open(stw_v1_cursor *cursors, stw_mem *mem, const stw_v1_index *x, size_t *windows_size)
{
	const size_t n = x->procs.count, most = n && WINDOWS / n < WINDOW ? WINDOWS / n : WINDOW;
	*windows_size = 0;
	for (uint32_t i = 0; i < n; i++)
		*windows_size += stw_v1_cursor_room(x, i, most);
	uint8_t *windows = stw_mem_resize(mem, NULL, 0, *windows_size), *window = windows;
	for (uint32_t i = 0; windows && i < n; i++) {
		const size_t room = stw_v1_cursor_room(x, i, most);
		stw_v1_cursor_open(&cursors[i], x, i, window, room);
		window += room;
	}
	return windows;
}

void stw_v1_cursor_close(stw_v1_cursor *c, stw_mem *mem)
{
	stw_mem_free(mem, c->long_text, c->long_size);
	c->long_text = NULL;
	c->long_size = 0;
}

/* More of the batch, or the next one. Only between events. */
static __attribute__((noinline)) stwatch_status refill(
	stw_v1_cursor *c, const stw_v1_index *x, const stw_source *source, stwatch_error *error)
{
	size_t kept = (size_t)(c->end - c->p), got;
	if (kept == 0 && c->left == 0) {
		c->after_loss |= c->begun && x->batches.items[c->batch - 1].lost;
		if (c->batch == c->batch_end)
			return STWATCH_END;
		const stw_v1_batch *b = &x->batches.items[c->batch++];
		c->last_ticks = b->ticks;
		if (!c->begun)
			c->ticks = b->ticks; /* before the first event there is just that */
		c->begun = true;
		c->last_seq = b->seq;
		c->end_at = b->begin;
		c->left = b->end - b->begin;
		c->most_ticks = stw_v1_cursor_bound(c, x);
	}
	memmove(c->window, c->p, kept);
	size_t want = c->window_size - kept < c->left ? c->window_size - kept : (size_t)c->left;
	stwatch_status status = stw_source_read(source, c->end_at, c->window + kept, want, &got, error);
	if (status != STWATCH_OK)
		return status;
	c->left = got < want ? 0 : c->left - want; /* shorter than it was: it ends there */
	c->p = c->window;
	c->end = c->window + kept + got;
	c->end_at += got;
	memset(c->window + kept + got, 0, STW_VARINT_SLACK);
	return STWATCH_OK;
}

static __attribute__((cold)) stwatch_status bad(stw_v1_cursor *c, const uint8_t *at, const char *what, stwatch_error *error)
{
	uint64_t offset = c->end_at - (uint64_t)(c->end - at);
	unsigned type = *at & 63;
	c->p = c->end;
	c->end_at += c->left;
	c->left = 0;
	c->after_loss = true;
	return stw_fail(error, STWATCH_ERR_DAMAGED, offset, "%s %s; the rest of its batch is left out", stw_v1_event_name(type), what);
}

/* Passes over bytes that may reach beyond the window. */
static void skip(stw_v1_cursor *c, uint64_t n)
{
	uint64_t here = (uint64_t)(c->end - c->p);
	if (n <= here) {
		c->p += n;
		return;
	}
	n -= here;
	c->p = c->end;
	n = n < c->left ? n : c->left;
	c->end_at += n;
	c->left -= n;
}

static __attribute__((noinline)) stwatch_status take_text(
	stw_v1_cursor *c, const stw_v1_index *x, const stw_source *source, const uint8_t *head, stwatch_error *error)
{
	uint64_t n;
	const uint8_t *p = stw_varint_get(c->p, c->end, &n);
	if (!p || n > STW_V1_MAX_STRING || n > (uint64_t)(c->end - p) + c->left)
		return bad(c, head, "has no valid text", error);
	c->p = p;
	c->text = (const char *)p;
	c->text_length = (uint32_t)n;
	if (n > (uint64_t)(c->end - p)) {
		size_t got;
		if (c->long_size < n) {
			char *room = stw_mem_resize(x->mem, c->long_text, c->long_size, (size_t)n);
			if (!room)
				return stw_fail_memory(error);
			c->long_text = room;
			c->long_size = (uint32_t)n;
		}
		stwatch_status status = stw_source_read(source, stw_v1_cursor_offset(c), c->long_text, (size_t)n, &got, error);
		if (status != STWATCH_OK)
			return status;
		c->text = c->long_text;
		c->text_length = (uint32_t)got;
	}
	skip(c, n);
	return STWATCH_OK;
}

/* Tables stand between events; the first pass has read them. */
static __attribute__((noinline)) stwatch_status pass_table(stw_v1_cursor *c, const stw_v1_format *f, unsigned type, stwatch_error *error)
{
	const uint8_t *head = c->p, *p = c->p + 1;
	uint64_t n = 0, id;
	if (type == STW_V1_String) {
		if (!(p = stw_varint_get(p, c->end, &id)) || !(p = stw_varint_get(p, c->end, &n)))
			return bad(c, head, "is cut", error);
	} else if ((unsigned)(*head >> 6) + f->before >= f->inline_values) {
		if (!(p = stw_varint_get(p, c->end, &n)))
			return bad(c, head, "is cut", error);
	} else {
		for (unsigned i = (unsigned)(*head >> 6) + f->before; i > 0; i--)
			if (!(p = stw_varint_get(p, c->end, &id)))
				return bad(c, head, "is cut", error);
	}
	c->p = p;
	skip(c, n);
	return STWATCH_OK;
}

stwatch_status stw_v1_cursor_next(stw_v1_cursor *c, const stw_v1_index *x, const stw_source *source, stwatch_error *error)
{
	const stw_v1_format *f = &x->format;
	for (;;) {
		if (c->end - c->p < MARGIN && (c->left || c->p == c->end)) {
			stwatch_status status = refill(c, x, source, error);
			if (status != STWATCH_OK)
				return status;
			if (c->p == c->end)
				continue;
		}
		const uint8_t *head = c->p, *p = head, *end = c->end, *stated = NULL;
		unsigned type = *p & 63, n = (unsigned)(*p >> 6) + f->before, want = f->n_values[type];
		if (__builtin_expect(type == STW_V1_String || type == STW_V1_Stack || type == STW_V1_Frequency ||
				    type == STW_V1_TimerGoroutine || type == STW_V1_CPUSample,
			    0)) {
			stwatch_status status = pass_table(c, f, type, error);
			if (status != STWATCH_OK)
				return status;
			continue;
		}
		if (__builtin_expect(want == 0 || type == STW_V1_Batch, 0))
			return bad(c, head, "is no event that can stand there", error);
		p++;
		if (n >= f->inline_values) {
			uint64_t length;
			if (!(p = stw_varint_get(p, end, &length)) || length > (uint64_t)(end - p))
				return bad(c, head, "is cut", error);
			end = stated = p + length;
			n = want; /* told by whether they fill it */
		}
		if (__builtin_expect(n != want, 0))
			return bad(c, head, "has the wrong number of values", error);
		uint64_t v;
		unsigned i = 0;
		if (f->before == 2) {
			if (!(p = stw_varint_fast(p, &v)))
				return bad(c, head, "has a value that overflows", error);
			c->last_seq += (int64_t)v;
			i++;
		}
		if (!(p = stw_varint_fast(p, &v)))
			return bad(c, head, "has a value that overflows", error);
		c->last_ticks += (int64_t)v;
		uint64_t *to = c->a;
		c->a[0] = c->a[1] = 0; /* what older formats lack */
		for (i++; i < n - f->stack[type]; i++) {
			if (__builtin_expect(p > end || !(p = stw_varint_fast(p, &v)), 0))
				return bad(c, head, "is cut, or has a value that overflows", error);
			*to++ = v;
		}
		c->stack = 0;
		if (f->stack[type]) {
			if (__builtin_expect(p > end || !(p = stw_varint_fast(p, &v)), 0))
				return bad(c, head, "is cut, or has a value that overflows", error);
			c->stack = (uint32_t)v;
		}
		if (__builtin_expect(p > end || (stated && p != stated), 0))
			return bad(c, head, "has not the values that it should", error);
		if (__builtin_expect(c->last_ticks > c->most_ticks, 0))
			return bad(c, head, "is later than what was written afterwards", error);
		c->p = p;
		c->type = (uint8_t)type;
		c->ticks_before = c->ticks;
		c->ticks = c->last_ticks;
		c->key = f->before == 2 ? c->last_seq : c->ticks;
		if (__builtin_expect(type == STW_V1_UserLog, 0)) {
			stwatch_status status = take_text(c, x, source, head, error);
			if (status != STWATCH_OK)
				return status;
		}
		c->g = stw_v1_whose(f->whose[type], c->a[0], &c->running);
		return STWATCH_OK;
	}
}
