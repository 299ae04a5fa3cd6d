/* A v1 trace written anew with pseudonyms: record by record, with strings and the texts of logs replaced. What names strings by number stays as
 * it is, except where a program's own text is the same string as one that stays: then its events get a number of their own for it. */
#include <string.h>

#include "base/error.h"
#include "output/cut.h"
#include "output/v1_writer.h"
#include "v1/records.h"
#include "wire/header.h"

typedef struct rewriting {
	stw_cut *cut;
	const stw_v1 *v1;
	stw_string_use *strings; /* by index of v1->gen.strings */
	int64_t last; /* time of the latest event, ns */
	int64_t ticks; /* of the last record */
	char text[STW_V1_MAX_STRING];
	stw_v1_records records;
} rewriting;

/* Which of a record's values is the number of a string that the program may have chosen; -1: none. */
static int text_of(const rewriting *r)
{
	int argument = stw_v1_text_argument(r->records.type);
	return argument < 0 ? argument : r->v1->index.format.before + argument;
}

/* The index of that string; STW_MAP_NONE: there is none. */
static uint32_t string_in(const rewriting *r)
{
	int which = text_of(r);
	return which < 0 || which >= (int)r->records.n_values ? STW_MAP_NONE : stw_generation_string(&r->v1->gen, r->records.values[which]);
}

static uint8_t use_in(const rewriting *r, uint32_t index)
{
	return r->records.type == STW_V1_GoStartLabel && stw_naming_is_label(&r->v1->gen.strings.items[index]) ? STW_AS_REASON
													       : STW_AS_TEXT;
}

static bool is_timed(unsigned type)
{
	return type > STW_V1_Stack && type != STW_V1_TimerGoroutine && type != STW_V1_String;
}

static void note_time(rewriting *r)
{
	const stw_v1_records *rec = &r->records;
	const unsigned before = r->v1->index.format.before;
	if (rec->type == STW_V1_Batch && rec->n_values > before)
		r->ticks = (int64_t)rec->values[before];
	if (!is_timed(rec->type) || rec->n_values < before)
		return;
	r->ticks += (int64_t)rec->values[before - 1];
	int64_t at = stw_v1_ns(r->v1, r->ticks);
	r->last = at > r->last ? at : r->last;
}

static stwatch_status note_uses(rewriting *r, stwatch_error *error)
{
	stwatch_status status;
	while ((status = stw_v1_records_next(&r->records, error)) == STWATCH_OK) {
		uint32_t index = string_in(r);
		note_time(r);
		if (index != STW_MAP_NONE && index != 0)
			r->strings[index].uses |= use_in(r, index);
	}
	return status == STWATCH_END ? STWATCH_OK : status;
}

static void write_string(rewriting *r)
{
	const stw_generation *gen = &r->v1->gen;
	char name[STW_PSEUDONYM_MAX];
	uint64_t id = r->records.values[0];
	uint32_t index = stw_generation_string(gen, id);
	if (index == STW_MAP_NONE) /* id 0, of no string */
		return;
	stw_v1_put_string(r->cut, id, name, stw_naming_name(r->cut->key, gen, r->strings, index, name));
	const stw_string *s = &gen->strings.items[index];
	if (r->strings[index].text_id)
		stw_v1_put_string(r->cut, r->strings[index].text_id, name, stw_pseudonym_text(r->cut->key, s->data, s->length, name));
}

/* With the number of its string changed. */
static void write_renumbered(rewriting *r, uint64_t id)
{
	stw_v1_records *rec = &r->records;
	rec->values[text_of(r)] = id;
	stw_v1_put_record(r->cut, &r->v1->index.format, rec->type, rec->values, rec->n_values);
}

static stwatch_status write_log(rewriting *r, stwatch_error *error)
{
	char name[STW_PSEUDONYM_MAX];
	size_t got;
	stwatch_status status = stw_source_read(r->records.source, r->records.text, r->text, (size_t)r->records.text_size, &got, error);
	if (status == STWATCH_OK)
		stw_v1_put_text(r->cut, name, stw_pseudonym_text(r->cut->key, r->text, got, name));
	return status;
}

static stwatch_status write_record(rewriting *r, stwatch_error *error)
{
	uint32_t index = string_in(r);
	if (r->records.type == STW_V1_String) {
		write_string(r);
		return STWATCH_OK;
	}
	if (index != STW_MAP_NONE && r->strings[index].text_id && use_in(r, index) == STW_AS_TEXT)
		write_renumbered(r, r->strings[index].text_id);
	else
		stw_cut_put(r->cut, r->records.bytes, r->records.size);
	return r->records.type == STW_V1_UserLog ? write_log(r, error) : STWATCH_OK;
}

static stwatch_status write_all(rewriting *r, stwatch_error *error)
{
	char header[STW_HEADER_SIZE];
	size_t got;
	stwatch_status status = stw_source_read(r->records.source, 0, header, sizeof header, &got, error);
	if (status == STWATCH_OK)
		stw_cut_put(r->cut, header, got);
	while (status == STWATCH_OK && (status = stw_v1_records_next(&r->records, error)) == STWATCH_OK) {
		status = write_record(r, error);
		if (r->cut->out.failed)
			return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed");
	}
	return status == STWATCH_END ? STWATCH_OK : status;
}

stwatch_status stw_cut_anonymous_v1(stw_cut *cut, const stw_v1 *v1, int64_t *end, const volatile int *cancel, stwatch_error *error)
{
	const size_t n = v1->gen.strings.count;
	rewriting *r = stw_mem_zalloc(cut->mem, sizeof *r);
	stw_string_use *strings = stw_mem_zalloc(cut->mem, n * sizeof *strings);
	stwatch_status status = r && strings ? STWATCH_OK : stw_fail_memory(error);
	if (status == STWATCH_OK) {
		r->cut = cut;
		r->v1 = v1;
		r->strings = strings;
		stw_v1_records_init(&r->records, v1->gen.source, &v1->index.format, cancel);
		status = note_uses(r, error);
	}
	if (status == STWATCH_OK) {
		stw_naming_frames(&v1->gen, strings);
		stw_naming_split(&v1->gen, strings);
		stw_v1_records_init(&r->records, v1->gen.source, &v1->index.format, cancel);
		status = write_all(r, error);
		*end = r->last;
	}
	stw_mem_free(cut->mem, strings, strings ? n * sizeof *strings : 0);
	stw_mem_free(cut->mem, r, sizeof *r);
	return status;
}
