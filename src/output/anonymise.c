/* A generation written anew with pseudonyms. The tables of strings are replaced; stacks, samples and events name strings by number, so they
 * stay as they are, except where a program's own text happens to be the same string as one that stays: then the events get a
 * number of their own for it. Batches of experiments hold names of types, and are left out. */
#include <string.h>

#include "base/error.h"
#include "output/cut.h"
#include "output/naming.h"
#include "v2/batch.h"
#include "v2/tables.h"
#include "wire/varint.h"

enum { ARGS_MAX = 4, EVENT_MAX = 1 + 10 * (1 + ARGS_MAX), HEAD_MAX = STW_BATCH_HEAD_MAX };

typedef struct rewriting {
	stw_cut *cut;
	stw_generation gen;
	const stw_span *span;
	stw_string_use *strings; /* by index */
	size_t n_strings;
	bool split; /* some string has a text_id */
	bool strings_written;
	uint64_t strings_time;
	stwatch_error *error;
	size_t used; /* of batch */
	uint8_t data[STW_V2_MAX_BATCH + STW_BATCH_HEAD_MAX], batch[STW_V2_MAX_BATCH];
} rewriting;

typedef struct event {
	uint8_t type;
	uint64_t dt, args[ARGS_MAX];
	const stw_event_spec *spec;
} event;

/* ---- going through the batches ---- */

typedef stwatch_status (*batch_fn)(rewriting *r, const stw_batch_head *h, uint64_t at);

/* Hands on each batch, with head and data in r->data. */
static stwatch_status each_batch(rewriting *r, batch_fn fn)
{
	uint64_t at = r->span->begin;
	for (uint64_t n = 0; n < r->span->n_batches; n++) {
		stw_batch_head h = {0};
		size_t got;
		stwatch_status status = stw_source_read(r->span->source, at, r->data, sizeof r->data, &got, r->error);
		if (status == STWATCH_OK)
			status = stw_batch_head_parse(&h, r->data, got, at, r->span->source->size, r->error);
		if (status == STWATCH_END || (status == STWATCH_OK && got < h.head_size + (size_t)h.size))
			status = stw_fail(r->error, STWATCH_ERR_DAMAGED, at, "the file became shorter while it was read");
		if (status == STWATCH_OK)
			status = fn(r, &h, at);
		if (status != STWATCH_OK)
			return status;
		at += (uint64_t)h.head_size + h.size;
	}
	return STWATCH_OK;
}

/* NULL where the bytes are no event of a thread. */
static const uint8_t *take_event(event *e, const uint8_t *p, const uint8_t *end)
{
	e->type = *p++;
	e->spec = stw_event_spec_of(e->type);
	if (!e->spec->kind || e->spec->n_args > ARGS_MAX)
		return NULL;
	p = stw_varint_get(p, end, &e->dt);
	for (unsigned i = 0; p && i < e->spec->n_args; i++)
		p = stw_varint_get(p, end, &e->args[i]);
	return p;
}

/* ---- first: what each string is used for ---- */

static uint8_t use_in(const event *e, const stw_string *s)
{
	switch (e->type) {
	case STW_EV_GoStop:
	case STW_EV_GoBlock:
	case STW_EV_STWBegin: return STW_AS_REASON;
	case STW_EV_GoLabel: return stw_naming_is_label(s) ? STW_AS_REASON : STW_AS_TEXT;
	default: return STW_AS_TEXT;
	}
}

static stwatch_status note_events(rewriting *r, const stw_batch_head *h, uint64_t at)
{
	if (h->experiment || h->size == 0 || stw_tables_is_table(r->gen.version, h))
		return STWATCH_OK;
	const uint8_t *start = r->data + h->head_size, *p = start, *end = start + h->size;
	while (p < end) {
		event e;
		const uint8_t *next = take_event(&e, p, end);
		if (!next)
			return stw_fail(r->error, STWATCH_ERR_DAMAGED, at + h->head_size + (uint64_t)(p - start),
				"no event that could be anonymised (an event of the format was expected)");
		const int8_t strings[] = {e.spec->string, e.spec->string2};
		for (int i = 0; i < 2; i++) {
			uint32_t index = strings[i] < 0 ? STW_MAP_NONE : stw_generation_string(&r->gen, e.args[strings[i]]);
			if (index != STW_MAP_NONE)
				r->strings[index].uses |= use_in(&e, &r->gen.strings.items[index]);
		}
		p = next;
	}
	return STWATCH_OK;
}

/* ---- then: write ---- */

static void put_batch(rewriting *r, uint64_t m, uint64_t time)
{
	uint8_t head[HEAD_MAX] = {STW_EV_EventBatch};
	size_t n = 1;
	n += stw_put_varint(head + n, r->gen.number);
	n += stw_put_varint(head + n, m);
	n += stw_put_varint(head + n, time);
	n += stw_put_varint(head + n, r->used);
	stw_cut_put(r->cut, head, n);
	stw_cut_put(r->cut, r->batch, r->used);
	r->used = 0;
}

static void put_string(rewriting *r, uint64_t m, uint64_t id, const char *name, size_t length)
{
	if (r->used + 1 + 20 + length > STW_V2_MAX_BATCH)
		put_batch(r, m, r->strings_time);
	if (r->used == 0)
		r->batch[r->used++] = STW_EV_Strings;
	r->batch[r->used++] = STW_EV_String;
	r->used += stw_put_varint(r->batch + r->used, id);
	r->used += stw_put_varint(r->batch + r->used, length);
	memcpy(r->batch + r->used, name, length);
	r->used += length;
}

static void put_strings(rewriting *r, uint64_t m)
{
	char name[STW_PSEUDONYM_MAX];
	for (size_t i = 1; i < r->n_strings; i++) {
		const stw_string *s = &r->gen.strings.items[i];
		put_string(r, m, r->strings[i].id, name, stw_naming_name(r->cut->key, &r->gen, r->strings, i, name));
		if (r->strings[i].text_id)
			put_string(r, m, r->strings[i].text_id, name, stw_pseudonym_text(r->cut->key, s->data, s->length, name));
	}
	if (r->used)
		put_batch(r, m, r->strings_time);
}

static bool renumber(const rewriting *r, event *e)
{
	const int8_t strings[] = {e->spec->string, e->spec->string2};
	bool changed = false;
	for (int i = 0; i < 2; i++) {
		uint32_t index = strings[i] < 0 ? STW_MAP_NONE : stw_generation_string(&r->gen, e->args[strings[i]]);
		if (index == STW_MAP_NONE || !r->strings[index].text_id || use_in(e, &r->gen.strings.items[index]) != STW_AS_TEXT)
			continue;
		e->args[strings[i]] = r->strings[index].text_id;
		changed = true;
	}
	return changed;
}

/* The batch may become longer than one may be: then it goes on in another, which counts time from where the first ended. */
static void put_events(rewriting *r, const stw_batch_head *h)
{
	const uint8_t *p = r->data + h->head_size, *end = p + h->size;
	uint64_t base = h->time, time = h->time;
	while (p < end) {
		event e;
		const uint8_t *next = take_event(&e, p, end);
		uint8_t fresh[EVENT_MAX] = {e.type};
		size_t n = (size_t)(next - p);
		if (renumber(r, &e)) {
			n = 1 + stw_put_varint(fresh + 1, e.dt);
			for (unsigned i = 0; i < e.spec->n_args; i++)
				n += stw_put_varint(fresh + n, e.args[i]);
			p = fresh;
		}
		if (r->used + n > STW_V2_MAX_BATCH) {
			put_batch(r, h->m, base);
			base = time;
		}
		memcpy(r->batch + r->used, p, n);
		r->used += n;
		time += e.dt;
		p = next;
	}
	put_batch(r, h->m, base);
}

static bool is_strings(const rewriting *r, const stw_batch_head *h)
{
	return h->first == STW_EV_Strings && stw_tables_is_table(r->gen.version, h);
}

/* The earliest of their times, as a generation begins with the earliest of its batches'. */
static stwatch_status note_strings_time(rewriting *r, const stw_batch_head *h, uint64_t at)
{
	(void)at;
	if (is_strings(r, h) && (r->strings_time == 0 || h->time < r->strings_time))
		r->strings_time = h->time;
	return STWATCH_OK;
}

static stwatch_status write_batch(rewriting *r, const stw_batch_head *h, uint64_t at)
{
	(void)at;
	if (h->experiment)
		return STWATCH_OK;
	if (is_strings(r, h)) {
		if (!r->strings_written)
			put_strings(r, h->m);
		r->strings_written = true;
	} else if (r->split && h->size && !stw_tables_is_table(r->gen.version, h)) {
		put_events(r, h);
	} else {
		stw_cut_put(r->cut, r->data, h->head_size + (size_t)h->size);
	}
	return STWATCH_OK;
}

stwatch_status stw_cut_anonymous(stw_cut *cut, const stw_span *span, stwatch_error *error)
{
	rewriting *r = stw_mem_zalloc(cut->mem, sizeof *r);
	if (!r)
		return stw_fail_memory(error);
	r->cut = cut;
	r->span = span;
	r->error = error;
	stwatch_status status = stw_generation_load(&r->gen, cut->mem, span, error);
	if (status != STWATCH_OK) {
		stw_mem_free(cut->mem, r, sizeof *r);
		return status;
	}
	r->n_strings = r->gen.strings.count;
	r->strings = stw_mem_zalloc(cut->mem, r->n_strings * sizeof *r->strings);
	status = r->strings ? each_batch(r, note_events) : stw_fail_memory(error);
	if (status == STWATCH_OK)
		status = each_batch(r, note_strings_time);
	if (status == STWATCH_OK) {
		stw_naming_frames(&r->gen, r->strings);
		stw_naming_ids(&r->gen, r->strings);
		r->split = stw_naming_split(&r->gen, r->strings);
		status = each_batch(r, write_batch);
	}
	stw_mem_free(cut->mem, r->strings, r->strings ? r->n_strings * sizeof *r->strings : 0);
	stw_generation_free(&r->gen);
	stw_mem_free(cut->mem, r, sizeof *r);
	return status;
}
