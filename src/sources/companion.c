#include "sources/companion.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine/beginning.h"
#include "sources/readers.h"

/* In the order in which they are tried: the first that finds something names the file's kind. */
static const stw_companion_reader *const READERS[] = {
	&stw_reader_profile, &stw_reader_binary, &stw_reader_dump, &stw_reader_godebug, NULL, /* the end */
};
enum { MOST_PROBLEMS = 100 };

static bool recognised(const unsigned char *head, size_t length)
{
	for (const stw_companion_reader *const *r = READERS; *r; r++)
		if ((*r)->recognise && (*r)->recognise(head, length))
			return true;
	return false;
}

/* What the first bytes are like. */
static stw_likeness likeness(const unsigned char *head, size_t length)
{
	static const char TRACE[] = "go 1.";
	if (length >= sizeof TRACE - 1 && memcmp(head, TRACE, sizeof TRACE - 1) == 0)
		return STW_LIKE_TRACE;
	if (recognised(head, length))
		return STW_LIKE_BINARY;
	return memchr(head, 0, length) ? STW_LIKE_NOTHING : STW_LIKE_TEXT;
}

/* No text has such. */
static bool has_controls(const unsigned char *head, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (head[i] < '\b')
			return true;
	return false;
}

stwatch_status stw_companion_recognise(
	const stw_source *source, stw_mem *mem, const volatile int *cancel, stw_likeness *like, stwatch_error *error)
{
	unsigned char head[STW_HEAD_SIZE];
	size_t got;
	stwatch_status status = stw_source_read(source, 0, head, sizeof head, &got, error);
	if (status != STWATCH_OK)
		return status;
	*like = likeness(head, got);
	if (*like != STW_LIKE_NOTHING && (*like != STW_LIKE_TEXT || !has_controls(head, got)))
		return STWATCH_OK;
	status = stw_beginning_look(source, mem, cancel, error);
	if (status == STWATCH_OK)
		*like = STW_LIKE_TRACE;
	return status == STWATCH_END ? STWATCH_OK : status;
}

static stwatch_status read_all(stw_companion *c, const stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	unsigned char head[STW_HEAD_SIZE];
	size_t got;
	stwatch_status status = stw_source_read(source, 0, head, sizeof head, &got, error);
	stw_likeness like = status == STWATCH_OK ? likeness(head, got) : STW_LIKE_NOTHING;
	for (const stw_companion_reader *const *next = READERS; *next && status == STWATCH_OK; next++) {
		const stw_companion_reader *r = *next;
		if (r->recognise ? r->recognise(head, got) : like == STW_LIKE_TEXT)
			status = r->read(c, source, cancel, error);
		if (status == STWATCH_OK && c->parts[r->part] && !r->describe(c))
			status = stw_fail_memory(error);
	}
	if (status == STWATCH_OK && source->cut) {
		stwatch_error cut;
		stw_source_fail_cut(source, &cut);
		status = stw_companion_problem(c, cut.offset, "%s", cut.message) ? STWATCH_OK : stw_fail_memory(error);
	}
	return status;
}

stwatch_status stw_companion_read(stw_companion **out, stw_mem *mem, const char *path, unsigned input, const stw_source *source,
	const volatile int *cancel, stwatch_error *error)
{
	*out = NULL;
	stw_companion *c = stw_mem_zalloc(mem, sizeof *c);
	if (!c)
		return stw_fail_memory(error);
	const char *slash = strrchr(path, '/');
	c->mem = mem;
	c->file = path;
	c->name = strcmp(path, "-") == 0 ? "standard input" : slash && slash[1] ? slash + 1 : path;
	c->bytes = source->file_size;
	c->input = input;
	c->duration_ns = STWATCH_UNKNOWN;
	stw_arena_init(&c->arena, mem);
	stwatch_status status = read_all(c, source, cancel, error);
	if (status != STWATCH_OK) {
		stw_companion_free(c);
		return status;
	}
	if (!c->kind)
		c->kind = "text-log";
	*out = c;
	return STWATCH_OK;
}

void stw_companion_free(stw_companion *c)
{
	if (!c)
		return;
	for (const stw_companion_reader *const *r = READERS; *r; r++)
		if ((*r)->release && c->parts[(*r)->part])
			(*r)->release(c->parts[(*r)->part], c->mem);
	stw_vec_free(c->mem, &c->problems);
	stw_vec_free(c->mem, &c->figures);
	stw_vec_free(c->mem, &c->tables);
	stw_arena_free(&c->arena);
	stw_mem_free(c->mem, c, sizeof *c);
}

bool stw_companion_tells(const stw_companion *c)
{
	for (int i = 0; i < STW_PART_COUNT; i++)
		if (c->parts[i])
			return true;
	return false;
}

const char *stw_companion_expected(char *buffer, size_t size)
{
	size_t used = 0;
	*buffer = '\0';
	for (const stw_companion_reader *const *r = READERS; *r && used < size; r++) {
		const char *before = r == READERS ? "" : r[1] ? ", " : " or ";
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", before, (*r)->expected);
	}
	return buffer;
}

bool stw_companion_problem(stw_companion *c, uint64_t offset, const char *format, ...)
{
	char text[STWATCH_MESSAGE_MAX];
	if (c->problems.count >= MOST_PROBLEMS)
		return true;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	const char *what = stw_arena_copy(&c->arena, text, strlen(text));
	stwatch_problem *p = what ? stw_vec_push(c->mem, &c->problems) : NULL;
	if (p)
		*p = (stwatch_problem){offset, what};
	return p != NULL;
}

static bool add(stw_companion *c, stwatch_column what, stwatch_cell value)
{
	stwatch_figure *f = stw_vec_push(c->mem, &c->figures);
	if (f)
		*f = (stwatch_figure){what, value};
	return f != NULL;
}

bool stw_companion_text(stw_companion *c, const char *name, const char *label, const char *text)
{
	return add(c, (stwatch_column){name, label, STWATCH_TEXT}, (stwatch_cell){.text = text});
}

bool stw_companion_number(stw_companion *c, const char *name, const char *label, stwatch_quantity quantity, int64_t number)
{
	return add(c, (stwatch_column){name, label, quantity}, (stwatch_cell){.number = number});
}

stwatch_cell *stw_companion_table(stw_companion *c, const char *name, const char *title, const stwatch_column *columns, size_t n_columns,
	size_t n_rows, uint64_t more)
{
	stwatch_cell *cells = stw_arena_zalloc(&c->arena, (n_rows * n_columns + 1) * sizeof *cells);
	stwatch_table *t = cells ? stw_vec_push(c->mem, &c->tables) : NULL;
	if (!t)
		return NULL;
	*t = (stwatch_table){name, title, columns, n_columns, cells, n_rows, more};
	return cells;
}
