#include "order/v1_ahead.h"

#include <string.h>

#include "base/error.h"

enum {
	FEWEST_EVENTS = 16, /* in a block */
	ROOM = 16 << 20, /* bytes of all blocks' events */
	LEAST_BYTES = 2, /* of an event */
	MOST_BEHIND = 1 << 22, /* bytes of a block, but for its last events */
};

/* ---- opening ---- */

static uint64_t bytes_of(const stw_v1_index *x, uint32_t proc)
{
	const stw_v1_proc *p = &x->procs.items[proc];
	uint64_t n = 0;
	for (uint32_t i = p->first; i < p->first + p->count; i++)
		n += x->batches.items[i].end - x->batches.items[i].begin;
	return n;
}

/* Of a short stream, as many as it can have. */
static uint32_t events_in_block(const stw_v1_ahead *a, uint32_t proc, uint64_t most)
{
	const uint64_t n = bytes_of(&a->v1->index, proc) / LEAST_BYTES + 1;
	return (uint32_t)(n < most ? n : most);
}

static bool make_blocks(stw_v1_ahead *a, uint32_t n_events)
{
	const size_t n = a->n_streams;
	const uint64_t share = ROOM / sizeof *a->events / a->n_blocks / n;
	const uint64_t most = share > n_events ? n_events : share;
	if (share < FEWEST_EVENTS)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		a->streams[i] = (stw_v1_stream){.wire = &a->wires[i], .most = events_in_block(a, i, most)};
		a->n_events += (size_t)a->streams[i].most * a->n_blocks;
	}
	a->blocks = stw_mem_zalloc(a->mem, n * a->n_blocks * sizeof *a->blocks);
	a->events = stw_mem_resize(a->mem, NULL, 0, a->n_events * sizeof *a->events);
	if (!a->blocks || !a->events)
		return false;
	stw_v1_ready *events = a->events;
	for (size_t i = 0; i < n * a->n_blocks; i++) {
		stw_v1_stream *s = &a->streams[i / a->n_blocks];
		a->blocks[i].events = events;
		events += s->most;
		if (i % a->n_blocks == 0)
			s->blocks = &a->blocks[i];
	}
	return true;
}

bool stw_v1_ahead_open(stw_v1_ahead *a, stw_mem *mem, stw_v1 *v1, unsigned n_blocks, uint32_t n_events, stw_v1_next_fn next)
{
	const size_t n = v1->index.procs.count;
	*a = (stw_v1_ahead){.v1 = v1, .mem = mem, .n_streams = n, .n_blocks = n_blocks, .next = next};
	a->streams = stw_mem_zalloc(mem, n * sizeof *a->streams);
	a->wires = stw_mem_zalloc(mem, n * sizeof *a->wires);
	if (a->wires)
		a->windows = stw_v1_cursors_open(a->wires, mem, &v1->index, &a->windows_size);
	if (a->streams && a->windows && make_blocks(a, n_events))
		return true;
	stw_v1_ahead_close(a);
	return false;
}

void stw_v1_ahead_close(stw_v1_ahead *a)
{
	const size_t n = a->n_streams;
	if (!a->mem)
		return;
	for (size_t i = 0; a->wires && i < n; i++)
		stw_v1_cursor_close(&a->wires[i], a->v1->index.mem);
	for (size_t i = 0; a->blocks && i < n * a->n_blocks; i++) {
		stw_mem_free(a->mem, a->blocks[i].halt, a->blocks[i].halt ? sizeof *a->blocks[i].halt : 0);
		stw_mem_free(a->mem, a->blocks[i].text, a->blocks[i].text_size);
	}
	stw_mem_free(a->mem, a->events, a->events ? a->n_events * sizeof *a->events : 0);
	stw_mem_free(a->mem, a->blocks, a->blocks ? n * a->n_blocks * sizeof *a->blocks : 0);
	stw_mem_free(a->mem, a->windows, a->windows ? a->windows_size : 0);
	stw_mem_free(a->mem, a->wires, a->wires ? n * sizeof *a->wires : 0);
	stw_mem_free(a->mem, a->streams, a->streams ? n * sizeof *a->streams : 0);
	a->mem = NULL;
}

/* ---- decoding ---- */

/* The event at hand. */
static void put(const stw_v1 *v1, stw_v1_ready *e, const stw_v1_cursor *c, uint64_t base)
{
	*e = (stw_v1_ready){.key = c->key,
		.ticks = c->ticks,
		.time = stw_v1_time(v1, c->ticks),
		.g = c->g,
		.a = {c->a[0], c->a[1], c->a[2]},
		.stack = stw_v1_stack_index(v1, c->stack),
		.type = c->type,
		.behind = (uint32_t)(stw_v1_cursor_offset(c) - base) & 0xffffff};
}

/* The cursor stands at the last of some events. */
static void stand_at(stw_v1_cursor *c, const stw_v1_ready *first, const stw_v1_ready *last)
{
	c->ticks_before = last > first ? last[-1].ticks : c->ticks;
	c->key = c->ticks = last->ticks;
	c->g = last->g;
	memcpy(c->a, last->a, sizeof last->a);
	c->stack = last->stack;
	c->type = last->type;
}

/* Of usual events, as many as follow each other in the window. */
static __attribute__((hot, noinline)) void fill_plain(const stw_v1 *v1, stw_v1_cursor *c, stw_v1_block *b, uint32_t most)
{
	const stw_v1_format *const f = &v1->index.format;
	const uint8_t *p = c->p, *const safe = c->end - c->p < STW_V1_LONGEST_PLAIN ? c->p : c->end - STW_V1_LONGEST_PLAIN + 1;
	const uint8_t *const begin = p;
	const uint64_t before = stw_v1_cursor_offset(c) - b->base;
	const int64_t most_ticks = c->most_ticks;
	int64_t ticks = c->last_ticks;
	uint64_t running = c->running;
	stw_v1_ready *e = b->events + b->count, *const first = e, *const end = b->events + most;
	while (e < end && p < safe) {
		stw_v1_plain x;
		const uint8_t *next = stw_v1_decode_plain(p, f, &x);
		if (__builtin_expect(!next || ticks + (int64_t)x.dt > most_ticks, 0))
			break;
		p = next;
		ticks += (int64_t)x.dt;
		e->key = e->ticks = ticks;
		e->time = stw_v1_time(v1, ticks);
		e->g = stw_v1_whose(f->whose[x.type], x.a[0], &running);
		e->a[0] = x.a[0];
		e->a[1] = x.a[1];
		e->a[2] = x.a[2];
		e->stack = stw_v1_stack_index(v1, (uint32_t)x.last & f->stack_mask[x.type]);
		e->type = x.type;
		e->behind = (uint32_t)(before + (uint64_t)(p - begin)) & 0xffffff;
		e++;
	}
	if (e == first)
		return;
	b->count = (uint32_t)(e - b->events);
	c->p = p;
	c->last_ticks = ticks;
	c->running = running;
	stand_at(c, first, e - 1);
}

static bool keep_text(const stw_v1_ahead *a, stw_v1_block *b, const stw_v1_cursor *c)
{
	if (b->text_size < c->text_length) {
		char *room = stw_mem_resize(a->mem, b->text, b->text_size, c->text_length);
		if (!room)
			return false;
		b->text = room;
		b->text_size = c->text_length;
	}
	if (c->text_length)
		memcpy(b->text, c->text, c->text_length);
	b->text_length = c->text_length;
	return true;
}

static void halt(const stw_v1_ahead *a, stw_v1_block *b, const stw_v1_cursor *c, stwatch_status status, const stwatch_error *error)
{
	if (!b->halt && !(b->halt = stw_mem_zalloc(a->mem, sizeof *b->halt))) {
		b->status = STWATCH_ERR_MEMORY;
		return;
	}
	b->status = status;
	b->halt->error = *error;
	b->halt->at = *c;
}

/* The event at hand, if the block can take it; else the next one begins with it. */
static bool put_next(const stw_v1_ahead *a, stw_v1_stream *s, stw_v1_block *b)
{
	stw_v1_cursor *c = s->wire;
	s->pending = b->count && (c->after_loss || stw_v1_cursor_offset(c) - b->base > MOST_BEHIND);
	if (s->pending)
		return false;
	if (b->count == 0) {
		b->base = stw_v1_cursor_offset(c);
		b->loss = c->after_loss;
		c->after_loss = false;
	}
	if (c->type == STW_V1_UserLog && !keep_text(a, b, c)) {
		b->status = STWATCH_ERR_MEMORY;
		return false;
	}
	put(a->v1, &b->events[b->count++], c, b->base);
	return c->type != STW_V1_UserLog;
}

/* Told by a block without events. */
static void put_end(const stw_v1_stream *s, stw_v1_block *b)
{
	if (b->count)
		return;
	b->status = STWATCH_END;
	b->loss = s->wire->after_loss;
}

void stw_v1_ahead_fill(const stw_v1_ahead *a, uint32_t stream, stw_v1_block *b)
{
	stw_v1_stream *s = &a->streams[stream];
	stwatch_status status = STWATCH_OK;
	stwatch_error error;
	b->count = 0;
	b->loss = false;
	b->status = STWATCH_OK;
	b->base = stw_v1_cursor_offset(s->wire);
	bool goes_on = !s->pending || put_next(a, s, b);
	while (goes_on && b->count < s->most) {
		fill_plain(a->v1, s->wire, b, s->most);
		if (b->count == s->most)
			break;
		status = stw_v1_cursor_next(s->wire, &a->v1->index, a->v1->gen.source, &error);
		goes_on = status == STWATCH_OK && put_next(a, s, b);
	}
	if (status == STWATCH_END)
		put_end(s, b);
	else if (status != STWATCH_OK)
		halt(a, b, s->wire, status, &error);
	b->batch = s->wire->batch;
}

/* ---- as the merge's cursors have them ---- */

static void take_place(stw_v1_cursor *c, const stw_v1_cursor *at)
{
	c->key = at->key;
	c->ticks = at->ticks;
	c->ticks_before = at->ticks_before;
	c->g = at->g;
	memcpy(c->a, at->a, sizeof c->a);
	c->stack = at->stack;
	c->type = at->type;
	c->end_at = stw_v1_cursor_offset(at);
	c->behind = 0;
}

static void tell_loss(stw_v1_merge *vm, int64_t until)
{
	if (vm->doubt)
		vm->doubt(vm->base.hook, until, true);
}

/* What came behind the last event of a block. STWATCH_OK: more. */
static stwatch_status pass_halt(stw_v1_merge *vm, stw_v1_cursor *c, const stw_v1_block *b)
{
	switch (b->status) {
	case STWATCH_OK: break;
	case STWATCH_ERR_DAMAGED:
		take_place(c, &b->halt->at);
		stw_v1_merge_fault(vm, c, STW_FAULT_BYTES, "%s", b->halt->error.message);
		return STWATCH_OK;
	case STWATCH_END:
		if (b->loss)
			tell_loss(vm, INT64_MAX);
		break;
	default:
		if (b->status == STWATCH_ERR_MEMORY)
			return stw_fail_memory(vm->base.error);
		*vm->base.error = b->halt->error;
		if (b->halt->at.after_loss)
			tell_loss(vm, INT64_MAX);
	}
	return b->status;
}

/* Before the first event there is just the time of the first batch. */
static void begin(const stw_v1_merge *vm, stw_v1_cursor *c, uint32_t stream)
{
	const stw_v1_index *x = &vm->v1->index;
	const stw_v1_proc *p = &x->procs.items[stream];
	c->begun = true;
	c->batch = p->first;
	c->ticks = p->count ? x->batches.items[p->first].ticks : 0;
}

stwatch_status stw_v1_merge_refresh_block(stw_v1_merge *vm, stw_v1_cursor *c)
{
	const uint32_t stream = (uint32_t)(c - vm->cursors);
	if (!c->begun)
		begin(vm, c, stream);
	for (;;) {
		stwatch_status status = c->block ? pass_halt(vm, c, c->block) : STWATCH_OK;
		if (status != STWATCH_OK)
			return status;
		const stw_v1_block *b = c->block = vm->ahead->next(vm->ahead, stream);
		c->batch = b->batch;
		if (b->count == 0)
			continue;
		c->ready = b->events;
		c->ready_end = b->events + b->count;
		c->end_at = b->base;
		c->text = b->text;
		c->text_length = b->text_length;
		status = stw_v1_merge_refresh_ahead(vm, c);
		if (b->loss)
			tell_loss(vm, stw_v1_ns(vm->v1, c->ticks));
		return status;
	}
}
