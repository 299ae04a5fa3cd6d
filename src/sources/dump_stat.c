/* Goroutine dumps as a kind of input: found in any text, and what `stat` says of them. */
#include <string.h>

#include "base/error.h"
#include "sources/dump_read.h"
#include "sources/readers.h"

enum { MOST_GROUPS = 20, MOST_STATES = 20 };

static stwatch_status read_lines(
	stw_dump_reader *r, const stw_source *source, const volatile int *cancel, stw_mem *mem, stwatch_error *error)
{
	stw_lines *lines = stw_mem_zalloc(mem, sizeof *lines);
	if (!lines)
		return stw_fail_memory(error);
	stw_lines_init(lines, source, cancel);
	stw_line line;
	stwatch_status status;
	while ((status = stw_lines_next(lines, &line, error)) == STWATCH_OK)
		if (!stw_dump_reader_line(r, &line)) {
			status = stw_fail_memory(error);
			break;
		}
	if (status == STWATCH_END)
		status = stw_dump_reader_end(r) ? STWATCH_OK : stw_fail_memory(error);
	stw_mem_free(mem, lines, sizeof *lines);
	return status;
}

static void release(const void *part, stw_mem *mem)
{
	stw_dump *d = (stw_dump *)part;
	stw_dump_free(d);
	stw_mem_free(mem, d, sizeof *d);
}

static const char *format_of(const stw_dump_shot *s)
{
	return s->record ? "debug=1" : s->reason ? "crash" : "debug=2";
}

static stwatch_status read_dump(stw_companion *c, const stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	stw_dump *d = stw_mem_zalloc(c->mem, sizeof *d);
	if (!d)
		return stw_fail_memory(error);
	stw_dump_init(d, c);
	stw_dump_reader *r = stw_dump_reader_new(d);
	stwatch_status status = r ? read_lines(r, source, cancel, c->mem, error) : stw_fail_memory(error);
	stw_dump_reader_free(r);
	if (status != STWATCH_OK || d->shots.count == 0) {
		release(d, c->mem);
		return status;
	}
	c->parts[STW_PART_DUMP] = d;
	if (!c->kind) {
		c->kind = "goroutine-dump";
		c->format = format_of(stw_dump_last(d));
	}
	return STWATCH_OK;
}

/* ---- stat ---- */

typedef struct tally {
	uint32_t state;
	uint64_t count;
	uint32_t minutes;
} tally;

/* States of the last dump, most frequent first. */
static size_t count_states(const stw_dump *d, tally *states)
{
	size_t n = 0;
	for (size_t i = 0; i < d->groups.count; i++) {
		const stw_dump_group *g = &d->groups.items[i];
		size_t k = 0;
		while (k < n && states[k].state != g->state)
			k++;
		if (k == n && n == MOST_STATES)
			continue;
		if (k == n)
			states[n++] = (tally){g->state, 0, 0};
		states[k].count += g->count;
		states[k].minutes = g->minutes_max > states[k].minutes ? g->minutes_max : states[k].minutes;
	}
	for (size_t i = 1; i < n; i++) {
		tally x = states[i];
		size_t k = i;
		for (; k > 0 && states[k - 1].count < x.count; k--)
			states[k] = states[k - 1];
		states[k] = x;
	}
	return n;
}

static const char *state_word(const stw_dump *d, uint32_t state)
{
	const char *text = stw_intern_get(&d->names, state).data;
	return *text ? text : "not told";
}

static bool describe_states(stw_companion *c, const stw_dump *d)
{
	static const stwatch_column columns[] = {
		{"state", "state", STWATCH_TEXT},
		{"goroutines", "count", STWATCH_COUNT},
		{"longest_minutes", "minutes", STWATCH_COUNT},
	};
	tally states[MOST_STATES];
	size_t n = count_states(d, states);
	stwatch_cell *cell = stw_companion_table(c, "states", "states", columns, 3, n, 0);
	for (size_t i = 0; cell && i < n; i++, cell += 3) {
		cell[0].text = state_word(d, states[i].state);
		cell[1].number = (int64_t)states[i].count;
		cell[2].number = states[i].minutes ? states[i].minutes : STWATCH_UNKNOWN;
	}
	return cell != NULL;
}

static const char *place_of(stw_companion *c, const stwatch_frame *f)
{
	const char *slash = strrchr(f->file, '/');
	return *f->function
		? stw_arena_printf(&c->arena, "%s %s:%llu", f->function, slash ? slash + 1 : f->file, (unsigned long long)f->line)
		: NULL;
}

static bool describe_groups(stw_companion *c, const stw_dump *d)
{
	static const stwatch_column columns[] = {
		{"goroutines", "count", STWATCH_COUNT},
		{"state", "state", STWATCH_TEXT},
		{"longest_minutes", "minutes", STWATCH_COUNT},
		{"at", "at", STWATCH_TEXT},
		{"created_at", "created at", STWATCH_TEXT},
		{"line", "line", STWATCH_COUNT},
	};
	enum { N = sizeof columns / sizeof *columns };
	size_t n = d->groups.count < MOST_GROUPS ? d->groups.count : MOST_GROUPS;
	stwatch_cell *cell = stw_companion_table(c, "stacks", "similar stacks", columns, N, n, d->groups.count - n);
	for (size_t i = 0; cell && i < n; i++, cell += N) {
		const stw_dump_group *g = &d->groups.items[i];
		const stw_dump_stack *s = &d->stacks.items[g->stack];
		cell[0].number = (int64_t)g->count;
		cell[1].text = state_word(d, g->state);
		cell[2].number = g->minutes_max ? g->minutes_max : STWATCH_UNKNOWN;
		if (s->named.n)
			cell[3].text = place_of(c, &s->named.frames[s->named.user < s->named.n ? s->named.user : 0]);
		cell[4].text = place_of(c, &s->created);
		cell[5].number = (int64_t)d->gs.items[g->first].line;
	}
	return cell != NULL;
}

static bool describe(stw_companion *c)
{
	const stw_dump *d = c->parts[STW_PART_DUMP];
	const stw_dump_shot *s = stw_dump_last(d);
	uint64_t locked = 0, old = 0, leaked = 0;
	uint32_t minutes = 0;
	for (uint32_t i = s->first; i < s->first + s->n; i++) {
		const stw_dump_g *g = &d->gs.items[i];
		locked += g->locked;
		old += g->minutes > 0;
		leaked += g->leaked;
		minutes = g->minutes > minutes ? g->minutes : minutes;
	}
	return stw_companion_number(c, "dumps", "dumps", STWATCH_COUNT, (int64_t)d->shots.count) &&
		stw_companion_text(c, "form", d->shots.count > 1 ? "last form" : "form", format_of(s)) &&
		(!s->reason || stw_companion_text(c, "reason", "reason", s->reason)) &&
		stw_companion_number(c, "goroutines", "goroutines", STWATCH_COUNT, (int64_t)s->goroutines) &&
		stw_companion_number(c, "stacks_distinct", "stacks", STWATCH_COUNT, (int64_t)d->groups.count) &&
		(s->record || stw_companion_number(c, "waiting_minutes", "waiting ≥ 1 min", STWATCH_COUNT, (int64_t)old)) &&
		(!minutes || stw_companion_number(c, "longest_wait_ns", "longest wait", STWATCH_NS, minutes * INT64_C(60000000000))) &&
		(!locked || stw_companion_number(c, "locked", "thread-locked", STWATCH_COUNT, (int64_t)locked)) &&
		(!leaked || stw_companion_number(c, "leaked", "leaked (GC)", STWATCH_COUNT, (int64_t)leaked)) &&
		(!d->threads || stw_companion_number(c, "thread_stacks", "thread stacks", STWATCH_COUNT, (int64_t)d->threads)) &&
		describe_states(c, d) && describe_groups(c, d);
}

const stw_companion_reader stw_reader_dump = {"a goroutine dump", STW_PART_DUMP, NULL, read_dump, describe, release};
