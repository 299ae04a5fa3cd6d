#include "v1/index_store.h"

#include <string.h>

static int64_t difference(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

/* ---- saving ---- */

/* Batches by proc, each by how far it is behind the one before. */
static void save_batches(const stw_v1_index *x, stw_bytes *b)
{
	stw_bytes_uint(b, x->procs.count);
	for (size_t i = 0; i < x->procs.count; i++) {
		const stw_v1_proc *p = &x->procs.items[i];
		stw_v1_batch last = {.begin = 0};
		stw_bytes_int(b, p->id);
		stw_bytes_uint(b, p->count);
		for (uint32_t k = p->first; k < p->first + p->count; k++) {
			const stw_v1_batch *batch = &x->batches.items[k];
			stw_bytes_uint(b, (batch->begin - last.end) << 1 | batch->lost);
			stw_bytes_uint(b, batch->end - batch->begin);
			stw_bytes_int(b, difference((uint64_t)batch->ticks, (uint64_t)last.ticks));
			if (x->format.minor < 7)
				stw_bytes_int(b, difference((uint64_t)batch->seq, (uint64_t)last.seq));
			last = *batch;
		}
	}
}

static void save_tables(const stw_v1_index *x, stw_bytes *b)
{
	stw_bytes_uint(b, x->strings.count);
	for (size_t i = 0; i < x->strings.count; i++) {
		stw_bytes_uint(b, x->strings.items[i].id);
		stw_bytes_text(b, x->strings.items[i].data, x->strings.items[i].length);
	}
	stw_bytes_uint(b, x->frames.count);
	for (size_t i = 0; i < x->frames.count; i++) {
		const stw_v1_frame *f = &x->frames.items[i];
		stw_bytes_uint(b, f->pc);
		stw_bytes_uint(b, f->func);
		stw_bytes_uint(b, f->file);
		stw_bytes_uint(b, f->line);
	}
	stw_bytes_uint(b, x->stacks.count);
	for (size_t i = 0; i < x->stacks.count; i++) {
		const stw_v1_stack *s = &x->stacks.items[i];
		stw_bytes_uint(b, s->id);
		stw_bytes_uint(b, s->count);
		for (uint32_t k = 0; k < s->count; k++)
			stw_bytes_uint(b, x->stack_frames.items[s->first + k]);
	}
	stw_bytes_uint(b, x->starts.count);
	for (size_t i = 0; i < x->starts.count; i++)
		stw_bytes_uint(b, x->starts.items[i].pc);
	stw_bytes_uint(b, x->timers.count);
	for (size_t i = 0; i < x->timers.count; i++)
		stw_bytes_uint(b, x->timers.items[i]);
}

static void save_samples(const stw_v1_index *x, stw_bytes *b)
{
	int64_t last = 0;
	stw_bytes_uint(b, x->samples.count);
	for (size_t i = 0; i < x->samples.count; i++) {
		const stw_v1_sample *s = &x->samples.items[i];
		stw_bytes_int(b, difference((uint64_t)s->ticks, (uint64_t)last));
		stw_bytes_int(b, s->p);
		stw_bytes_uint(b, s->g);
		stw_bytes_uint(b, s->stack);
		last = s->ticks;
	}
}

static void save_problem(const stw_v1_problem *p, stw_bytes *b)
{
	stw_bytes_uint(b, p->offset);
	stw_bytes_text(b, p->what, strlen(p->what));
}

static void save_problems(const stw_v1_index *x, stw_bytes *b)
{
	stw_bytes_uint(b, x->problems.count);
	for (size_t i = 0; i < x->problems.count; i++)
		save_problem(&x->problems.items[i], b);
	stw_bytes_uint(b, x->lost_bytes);
	save_problem(&x->unnamed, b);
}

void stw_v1_index_save(const stw_v1_index *x, stw_bytes *b)
{
	stw_bytes_int(b, x->frequency);
	stw_bytes_uint(b, x->has_events);
	stw_bytes_int(b, x->first_ticks);
	stw_bytes_int(b, x->end_ticks);
	save_batches(x, b);
	save_tables(x, b);
	save_samples(x, b);
	save_problems(x, b);
}

/* ---- restoring ---- */

/* How many of something come, of which each takes so many bytes at least. */
static uint64_t take_count(stw_bytes_reader *r, unsigned least)
{
	return stw_bytes_take_below(r, (uint64_t)(r->end - r->p) / least);
}

static bool take_batch(stw_v1_index *x, stw_bytes_reader *r, uint32_t proc, uint64_t trace_size, stw_v1_batch *last)
{
	stw_v1_batch *batch = x->batches.count < UINT32_MAX - 1 ? stw_vec_push(x->mem, &x->batches) : NULL;
	if (!batch)
		return false;
	const uint64_t step = stw_bytes_take_uint(r);
	*batch = (stw_v1_batch){.proc = proc, .lost = step & 1};
	r->failed |= step >> 1 > trace_size - last->end;
	batch->begin = last->end + (step >> 1);
	batch->end = r->failed ? 0 : batch->begin + stw_bytes_take_below(r, trace_size - batch->begin);
	batch->ticks = (int64_t)((uint64_t)last->ticks + (uint64_t)stw_bytes_take_int(r));
	if (x->format.minor < 7)
		batch->seq = (int64_t)((uint64_t)last->seq + (uint64_t)stw_bytes_take_int(r));
	*last = *batch;
	return !r->failed;
}

static bool take_batches(stw_v1_index *x, stw_bytes_reader *r, uint64_t trace_size)
{
	stw_map ids;
	bool ok = true;
	const uint64_t n_procs = take_count(r, 2);
	stw_map_init(&ids, x->mem);
	for (uint32_t i = 0; ok && i < n_procs && !r->failed; i++) {
		stw_v1_proc *p = stw_vec_push(x->mem, &x->procs);
		stw_v1_batch last = {.begin = 0};
		if (!(ok = p != NULL))
			break;
		*p = (stw_v1_proc){.id = stw_bytes_take_int(r), .first = (uint32_t)x->batches.count};
		const uint64_t n = take_count(r, 3);
		ok = p->id >= -1 && p->id <= INT32_MAX && stw_map_get(&ids, (uint64_t)p->id) == STW_MAP_NONE &&
			stw_map_put(&ids, (uint64_t)p->id, i);
		for (uint64_t k = 0; ok && k < n; k++)
			ok = take_batch(x, r, i, trace_size, &last);
		p->count = (uint32_t)x->batches.count - p->first;
	}
	stw_map_free(&ids);
	return ok && !r->failed;
}

static bool take_strings(stw_v1_index *x, stw_bytes_reader *r)
{
	for (uint64_t n = take_count(r, 2); n > 0 && !r->failed; n--) {
		size_t length;
		const uint64_t id = stw_bytes_take_uint(r);
		const char *text = stw_bytes_take_text(r, STW_V1_MAX_STRING, &length);
		char *copy = stw_arena_copy(&x->arena, text, length);
		stw_v1_string *s = copy ? stw_vec_push(x->mem, &x->strings) : NULL;
		if (!s)
			return false;
		*s = (stw_v1_string){id, copy, (uint32_t)length};
	}
	return !r->failed;
}

static bool take_stacks(stw_v1_index *x, stw_bytes_reader *r)
{
	for (uint64_t n = take_count(r, 4); n > 0 && !r->failed; n--) {
		stw_v1_frame *f = stw_vec_push(x->mem, &x->frames);
		if (!f)
			return false;
		f->pc = stw_bytes_take_uint(r);
		f->func = stw_bytes_take_uint(r);
		f->file = stw_bytes_take_uint(r);
		f->line = stw_bytes_take_uint(r);
	}
	for (uint64_t n = take_count(r, 2); n > 0 && !r->failed; n--) {
		stw_v1_stack *s = stw_vec_push(x->mem, &x->stacks);
		if (!s)
			return false;
		*s = (stw_v1_stack){.id = (uint32_t)stw_bytes_take_below(r, UINT32_MAX), .first = (uint32_t)x->stack_frames.count};
		s->count = (uint32_t)stw_bytes_take_below(r, STW_V1_MAX_FRAMES);
		for (uint32_t k = 0; k < s->count && !r->failed; k++) {
			uint32_t *slot = x->frames.count && x->stack_frames.count < UINT32_MAX - STW_V1_MAX_FRAMES
				? stw_vec_push(x->mem, &x->stack_frames)
				: NULL;
			if (!slot)
				return false;
			*slot = (uint32_t)stw_bytes_take_below(r, x->frames.count - 1);
		}
	}
	return !r->failed;
}

static bool take_goroutines(stw_v1_index *x, stw_bytes_reader *r)
{
	for (uint64_t n = take_count(r, 1); n > 0 && !r->failed; n--) {
		stw_v1_start *s = stw_vec_push(x->mem, &x->starts);
		if (!s)
			return false;
		*s = (stw_v1_start){.pc = stw_bytes_take_uint(r)};
	}
	for (uint64_t n = take_count(r, 1); n > 0 && !r->failed; n--) {
		uint64_t *timer = stw_vec_push(x->mem, &x->timers);
		if (!timer)
			return false;
		*timer = stw_bytes_take_uint(r);
	}
	return !r->failed;
}

static bool take_samples(stw_v1_index *x, stw_bytes_reader *r)
{
	int64_t last = 0;
	for (uint64_t n = take_count(r, 4); n > 0 && !r->failed; n--) {
		stw_v1_sample *s = stw_vec_push(x->mem, &x->samples);
		if (!s)
			return false;
		s->ticks = (int64_t)((uint64_t)last + (uint64_t)stw_bytes_take_int(r));
		s->p = stw_bytes_take_int(r);
		s->g = stw_bytes_take_uint(r);
		s->stack = stw_bytes_take_below(r, UINT32_MAX);
		if (x->samples.count > 1 && s->ticks < last)
			return false;
		last = s->ticks;
	}
	return !r->failed;
}

static stw_v1_problem take_problem(stw_bytes_reader *r)
{
	stw_v1_problem p;
	size_t length;
	p.offset = stw_bytes_take_uint(r);
	const char *text = stw_bytes_take_text(r, sizeof p.what - 1, &length);
	memcpy(p.what, text, length);
	p.what[length] = 0;
	return p;
}

static bool take_problems(stw_v1_index *x, stw_bytes_reader *r)
{
	for (uint64_t n = take_count(r, 2); n > 0 && !r->failed; n--) {
		const stw_v1_problem p = take_problem(r);
		if (!stw_v1_index_problem(x, p.offset, p.what))
			return false;
	}
	x->lost_bytes = stw_bytes_take_uint(r);
	x->unnamed = take_problem(r);
	return !r->failed;
}

bool stw_v1_index_restore(stw_v1_index *x, stw_mem *mem, unsigned minor, uint64_t trace_size, stw_bytes_reader *r)
{
	memset(x, 0, sizeof *x);
	x->mem = mem;
	x->whole_from = INT64_MIN;
	x->begin = STW_HEADER_SIZE;
	x->end = trace_size;
	stw_v1_format_init(&x->format, minor);
	stw_arena_init(&x->arena, mem);
	stw_v1_exits_init(&x->exits, mem);
	x->frequency = stw_bytes_take_int(r);
	x->has_events = stw_bytes_take_below(r, 1);
	x->first_ticks = stw_bytes_take_int(r);
	x->end_ticks = stw_bytes_take_int(r);
	if (x->frequency >= 0 && take_batches(x, r, trace_size) && take_strings(x, r) && take_stacks(x, r) && take_goroutines(x, r) &&
		take_samples(x, r) && take_problems(x, r))
		return true;
	stw_v1_index_free(x);
	return false;
}
