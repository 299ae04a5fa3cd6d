#include "output/v1_writer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "v1/records.h"
#include "wire/header.h"
#include "wire/varint.h"

enum {
	NUMBER_MAX = 10,
	RECORD_MAX = 1 + NUMBER_MAX * (1 + STW_V1_RECORD_VALUES),
	STREAMS = 8 << 20, /* bytes for all batches at hand */
	BATCH = 48 << 10,
	BATCH_MIN = 256,
};

/* ---- pieces ---- */

static size_t encode(uint8_t *out, const stw_v1_format *f, unsigned type, const uint64_t *values, unsigned n)
{
	uint8_t numbers[RECORD_MAX];
	size_t size = 0, used = 1;
	for (unsigned i = 0; i < n; i++)
		size += stw_put_varint(numbers + size, values[i]);
	out[0] = (uint8_t)(type | (n >= f->inline_values ? 3u : n - f->before) << 6);
	if (n >= f->inline_values)
		used += stw_put_varint(out + used, size);
	if (size)
		memcpy(out + used, numbers, size);
	return used + size;
}

void stw_v1_put_record(stw_cut *cut, const stw_v1_format *f, unsigned type, const uint64_t *values, unsigned n)
{
	uint8_t record[RECORD_MAX];
	stw_cut_put(cut, record, encode(record, f, type, values, n));
}

void stw_v1_put_text(stw_cut *cut, const char *text, size_t length)
{
	uint8_t number[NUMBER_MAX];
	stw_cut_put(cut, number, stw_put_varint(number, length));
	stw_cut_put(cut, text, length);
}

void stw_v1_put_string(stw_cut *cut, uint64_t id, const char *text, size_t length)
{
	uint8_t head[1 + NUMBER_MAX] = {STW_V1_String};
	stw_cut_put(cut, head, 1 + stw_put_varint(head + 1, id));
	stw_v1_put_text(cut, text, length);
}

/* ---- strings and stacks that are used ---- */

/* The number under which an event names a string: another one where a program's text is also something that stays, none where the file has no such
 * string, as readers give numbers that are free to words of their own. */
static uint64_t use_string(stw_v1_writer *w, unsigned type, uint64_t id)
{
	const stw_generation *gen = &w->v1->gen;
	uint32_t index = stw_generation_string(gen, id);
	if (index == STW_MAP_NONE || gen->strings.items[index].length == 0)
		return 0;
	stw_string *s = &gen->strings.items[index];
	stw_string_use *use = &w->strings[index];
	bool is_label = stw_naming_is_label(s);
	if (w->cut->key && (is_label ? type != STW_V1_GoStartLabel : (use->uses & (STW_AS_FUNCTION | STW_AS_FILE)) != 0)) {
		while (use->text_id == 0)
			if (stw_generation_string(gen, ++w->last_text_id) == STW_MAP_NONE)
				use->text_id = w->last_text_id;
		return use->text_id;
	}
	use->uses |= is_label ? STW_AS_REASON : STW_AS_TEXT;
	s->note = 1;
	return id;
}

/* 0 where the trace has no such stack. */
static uint32_t use_stack(stw_v1_writer *w, uint32_t id)
{
	uint32_t index = id ? stw_generation_stack(&w->v1->gen, id) : STW_MAP_NONE;
	if (index == STW_MAP_NONE)
		return 0;
	w->v1->gen.stacks.items[index].note[0] = id;
	return id;
}

/* ---- events ---- */

/* Writes out the batch at hand. Room that a long text has taken is given back. */
static void flush(stw_v1_writer *w, stw_v1_stream *s)
{
	if (s->bytes.count)
		stw_cut_put(w->cut, s->bytes.items, s->bytes.count);
	s->bytes.count = 0;
	if (s->bytes.capacity > (size_t)2 * BATCH)
		stw_vec_free(w->cut->mem, &s->bytes);
}

static size_t values_of(stw_v1_writer *w, const stw_v1_stream *s, const stw_v1_event *e, uint64_t *values)
{
	const stw_v1_format *f = &w->v1->index.format;
	const int text = stw_v1_text_argument(e->type);
	unsigned n = 0, n_args = f->n_values[e->type] - f->before - f->stack[e->type];
	if (f->before == 2)
		values[n++] = (uint64_t)e->seq - (uint64_t)s->seq;
	values[n++] = (uint64_t)e->ticks - (uint64_t)s->ticks;
	for (unsigned i = 0; i < n_args; i++)
		values[n++] = (int)i == text ? use_string(w, e->type, e->a[i]) : e->a[i];
	if (e->type == STW_V1_GoCreate && f->minor >= 7)
		values[n - 1] = use_stack(w, (uint32_t)e->a[1]);
	if (f->stack[e->type])
		values[n++] = use_stack(w, e->stack);
	return n;
}

static void begin_batch(stw_v1_writer *w, stw_v1_stream *s, const stw_v1_event *e)
{
	const stw_v1_format *f = &w->v1->index.format;
	uint64_t values[3];
	unsigned n = 0;
	s->ticks = e->ticks;
	s->seq = e->seq;
	values[n++] = (uint64_t)s->proc;
	if (f->before == 2)
		values[n++] = (uint64_t)s->seq;
	values[n++] = (uint64_t)s->ticks;
	s->bytes.count = encode(s->bytes.items, f, STW_V1_Batch, values, n);
}

void stw_v1_writer_put(stw_v1_writer *w, size_t stream, const stw_v1_event *e)
{
	stw_v1_stream *s = &w->streams[stream];
	uint64_t values[STW_V1_RECORD_VALUES] = {0};
	char name[STW_PSEUDONYM_MAX];
	const char *text = e->text;
	uint32_t length = e->type == STW_V1_UserLog ? e->text_length : 0;
	if (w->cut->key && length) {
		length = (uint32_t)stw_pseudonym_text(w->cut->key, text, length, name);
		text = name;
	}
	if (s->bytes.count && s->bytes.count + RECORD_MAX + NUMBER_MAX + length > w->batch)
		flush(w, s);
	if (!stw_vec_reserve(w->cut->mem, &s->bytes, (size_t)2 * RECORD_MAX + NUMBER_MAX + length)) {
		w->failed = true;
		return;
	}
	assert(s->bytes.items);
	if (s->bytes.count == 0)
		begin_batch(w, s, e);
	size_t n = values_of(w, s, e, values);
	s->bytes.count += encode(s->bytes.items + s->bytes.count, &w->v1->index.format, e->type, values, (unsigned)n);
	if (e->type == STW_V1_UserLog) {
		s->bytes.count += stw_put_varint(s->bytes.items + s->bytes.count, length);
		if (length)
			memcpy(s->bytes.items + s->bytes.count, text, length);
		s->bytes.count += length;
	}
	s->ticks = e->ticks;
	s->seq = e->seq;
	w->last_ticks = e->ticks > w->last_ticks ? e->ticks : w->last_ticks;
	w->last_seq = e->seq > w->last_seq ? e->seq : w->last_seq;
}

/* ---- tables ---- */

static void put_strings(stw_v1_writer *w)
{
	const stw_generation *gen = &w->v1->gen;
	char name[STW_PSEUDONYM_MAX];
	for (size_t i = 1; i < gen->strings.count; i++) { /* 0 is the empty one, which has no number */
		const stw_string *s = &gen->strings.items[i];
		const stw_string_use *use = &w->strings[i];
		if (s->length ==
			0) /* one that stands for what the file has no string for: a number of the file's may be its own by chance */
			continue;
		if (s->note && !w->cut->key)
			stw_v1_put_string(w->cut, use->id, s->data, s->length);
		else if (s->note)
			stw_v1_put_string(w->cut, use->id, name, stw_naming_name(w->cut->key, gen, w->strings, i, name));
		if (use->text_id)
			stw_v1_put_string(w->cut, use->text_id, name, stw_pseudonym_text(w->cut->key, s->data, s->length, name));
	}
}

/* An event is of limited length: what does not fit is left out, the outermost frames. */
static void put_stack(stw_v1_writer *w, const stw_v2_stack *stack)
{
	const stw_v1_format *f = &w->v1->index.format;
	uint8_t head[1 + 3 * NUMBER_MAX], numbers[STW_V1_MAX_EVENT], id[2 * NUMBER_MAX];
	const size_t room = sizeof numbers - sizeof id - (size_t)4 * NUMBER_MAX;
	size_t used = 0, n_head = 1;
	uint32_t n = 0;
	for (; n < stack->count && used <= room; n++) {
		const stw_v2_frame *frame = stw_generation_frame(&w->v1->gen, stack, n);
		used += stw_put_varint(numbers + used, frame->pc);
		if (f->minor < 7)
			continue;
		used += stw_put_varint(numbers + used, frame->func ? frame->func_id : 0);
		used += stw_put_varint(numbers + used, frame->file ? frame->file_id : 0);
		used += stw_put_varint(numbers + used, frame->line);
	}
	size_t n_id = stw_put_varint(id, stack->note[0]);
	n_id += stw_put_varint(id + n_id, n);
	head[0] = STW_V1_Stack | 3 << 6;
	n_head += stw_put_varint(head + n_head, n_id + used);
	stw_cut_put(w->cut, head, n_head);
	stw_cut_put(w->cut, id, n_id);
	stw_cut_put(w->cut, numbers, used);
}

static void use_frames(stw_v1_writer *w)
{
	const stw_generation *gen = &w->v1->gen;
	for (size_t i = 0; i < gen->stacks.count && w->v1->index.format.minor >= 7; i++)
		for (uint32_t k = 0; gen->stacks.items[i].note[0] && k < gen->stacks.items[i].count; k++) {
			const stw_v2_frame *frame = stw_generation_frame(gen, &gen->stacks.items[i], k);
			gen->strings.items[frame->func].note = 1;
			gen->strings.items[frame->file].note = 1;
		}
}

static void put_tables(stw_v1_writer *w)
{
	const stw_v1 *v1 = w->v1;
	const stw_v1_format *f = &v1->index.format;
	const uint64_t frequency[STW_V1_RECORD_VALUES] = {v1->index.frequency ? (uint64_t)v1->index.frequency : 1000000000};
	const uint64_t batch[STW_V1_RECORD_VALUES] = {
		UINT64_MAX, f->before == 2 ? (uint64_t)w->last_seq : (uint64_t)w->last_ticks, (uint64_t)w->last_ticks};
	stw_v1_put_record(w->cut, f, STW_V1_Batch, batch, f->n_values[STW_V1_Batch]);
	stw_v1_put_record(w->cut, f, STW_V1_Frequency, frequency, f->n_values[STW_V1_Frequency]);
	for (size_t i = 0; v1->timers.count && i <= v1->timers.mask; i++)
		if (v1->timers.entries[i].value != STW_MAP_NONE) {
			const uint64_t timer[STW_V1_RECORD_VALUES] = {v1->timers.entries[i].key};
			stw_v1_put_record(w->cut, f, STW_V1_TimerGoroutine, timer, f->n_values[STW_V1_TimerGoroutine]);
		}
	use_frames(w);
	put_strings(w);
	for (size_t i = 0; i < v1->gen.stacks.count; i++)
		if (v1->gen.stacks.items[i].note[0])
			put_stack(w, &v1->gen.stacks.items[i]);
}

/* ---- opening and finishing ---- */

stwatch_status stw_v1_writer_open(stw_v1_writer *w, stw_cut *cut, stw_v1 *v1, stwatch_error *error)
{
	size_t no_proc = 0, n = v1->index.procs.count;
	char header[STW_HEADER_SIZE] = {0};
	while (no_proc < n && v1->index.procs.items[no_proc].id != STWATCH_NONE)
		no_proc++;
	n += no_proc == n;
	*w = (stw_v1_writer){.cut = cut, .v1 = v1, .n_streams = n, .no_proc = no_proc, .last_ticks = INT64_MIN, .last_seq = INT64_MIN};
	w->batch = STREAMS / n > BATCH ? BATCH : STREAMS / n > BATCH_MIN ? STREAMS / n : BATCH_MIN;
	w->streams = stw_mem_zalloc(cut->mem, n * sizeof *w->streams);
	w->strings = stw_mem_zalloc(cut->mem, v1->gen.strings.count * sizeof *w->strings);
	if (!w->streams || !w->strings)
		return stw_fail_memory(error);
	for (size_t i = 0; i < n; i++)
		w->streams[i].proc = i == no_proc ? STWATCH_NONE : v1->index.procs.items[i].id;
	for (size_t i = 0; i < v1->gen.strings.count; i++) /* of who wrote before */
		v1->gen.strings.items[i].note = 0;
	for (size_t i = 0; i < v1->gen.stacks.count; i++)
		v1->gen.stacks.items[i].note[0] = 0;
	stw_naming_ids(&v1->gen, w->strings);
	stw_naming_frames(&v1->gen, w->strings);
	snprintf(header, sizeof header, "go 1.%u trace", v1->index.format.minor);
	stw_cut_put(cut, header, sizeof header);
	return STWATCH_OK;
}

stwatch_status stw_v1_writer_finish(stw_v1_writer *w, stwatch_error *error)
{
	for (size_t i = 0; i < w->n_streams; i++)
		flush(w, &w->streams[i]);
	put_tables(w);
	if (w->failed)
		return stw_fail_memory(error);
	if (w->cut->out.failed)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
	return STWATCH_OK;
}

void stw_v1_writer_free(stw_v1_writer *w)
{
	if (!w->cut) /* it was never opened */
		return;
	for (size_t i = 0; w->streams && i < w->n_streams; i++)
		stw_vec_free(w->cut->mem, &w->streams[i].bytes);
	stw_mem_free(w->cut->mem, w->streams, w->streams ? w->n_streams * sizeof *w->streams : 0);
	stw_mem_free(w->cut->mem, w->strings, w->strings ? w->v1->gen.strings.count * sizeof *w->strings : 0);
	w->streams = NULL;
	w->strings = NULL;
}
