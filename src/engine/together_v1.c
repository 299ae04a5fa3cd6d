/* Several v1 traces of one process, one behind the other: of several inputs, or of one. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "engine/sites.h"
#include "engine/together.h"
#include "wire/header.h"

enum {
	CLOCK_PERCENT = 10, /* by which two measurements of one clock may differ: of a short recording it is not exact */
	CHUNK = 64 << 10,
};

static const char NEXT[] = "another trace begins here"; /* as stw_v1_fail_next has it */

/* A trace on its way to its place. */
typedef struct part {
	stw_span span;
	const stw_v1 *v1;
	int64_t begin, end; /* ticks; of the first and the last event; INT64_MAX: it has none */
	stw_sites sites;
	bool foreign; /* of another process than what stands before it in its input */
} part;

typedef struct joining {
	stw_trace *trace;
	stw_mem *mem;
	part *parts; /* in order of time */
	size_t n, n_kept; /* of them all; the first so many are used */
	unsigned char *chunks; /* two */
	stwatch_error *error;
} joining;

/* The time of a proc's last event stands nowhere: its last batch is read. */
static stwatch_status last_of_proc(const joining *j, const stw_v1 *v1, uint32_t proc, int64_t *last)
{
	const stw_v1_index *x = &v1->index;
	const size_t room = stw_v1_cursor_room(x, proc, CHUNK);
	stw_v1_cursor c;
	stwatch_error ignored;
	uint8_t *window = stw_mem_resize(j->mem, NULL, 0, room);
	if (!window)
		return stw_fail_memory(j->error);
	stw_v1_cursor_open(&c, x, proc, window, room);
	c.batch = c.batch_end - (c.batch < c.batch_end);
	stwatch_status status;
	while ((status = stw_v1_cursor_next(&c, x, v1->gen.source, &ignored)) == STWATCH_OK || status == STWATCH_ERR_DAMAGED)
		if (status == STWATCH_OK && c.ticks > *last)
			*last = c.ticks;
	stw_v1_cursor_close(&c, x->mem);
	stw_mem_free(j->mem, window, room);
	if (status != STWATCH_END)
		*j->error = ignored;
	return status == STWATCH_END ? STWATCH_OK : status;
}

static stwatch_status know(joining *j, part *p)
{
	const stw_v1_index *x = &p->v1->index;
	const bool any = x->has_events || x->samples.count;
	p->begin = p->end = any ? x->first_ticks : INT64_MAX;
	if (!any)
		return STWATCH_OK;
	if (x->samples.count && x->samples.items[x->samples.count - 1].ticks > p->end)
		p->end = x->samples.items[x->samples.count - 1].ticks;
	for (uint32_t i = 0; i < x->procs.count; i++) {
		stwatch_status status = last_of_proc(j, p->v1, i, &p->end);
		if (status != STWATCH_OK)
			return status;
	}
	if (!stw_sites_add(&p->sites, j->mem, &p->v1->gen))
		return stw_fail_memory(j->error);
	stw_sites_sort(&p->sites);
	return STWATCH_OK;
}

/* Puts a part to its place among those before it: by time; of equals by name, so that the order in which they were given makes no difference. */
static void put(joining *j, const part *p)
{
	size_t k = j->n++;
	for (; k > 0; k--) {
		const part *q = &j->parts[k - 1];
		if (q->begin < p->begin ||
			(q->begin == p->begin && strcmp(j->trace->inputs[q->span.input].path, j->trace->inputs[p->span.input].path) <= 0))
			break;
		j->parts[k] = *q;
	}
	j->parts[k] = *p;
}

static stwatch_status know_all(joining *j)
{
	stw_trace *t = j->trace;
	for (size_t i = 0; i < t->spans.count; i++) {
		part p = {.span = t->spans.items[i], .v1 = stw_trace_v1(t, (uint32_t)i)};
		stwatch_status status = know(j, &p);
		put(j, &p); /* which frees what it has */
		if (status != STWATCH_OK)
			return status;
	}
	return STWATCH_OK;
}

static stwatch_status same_bytes(joining *j, const stw_span *a, const stw_span *b, bool *same)
{
	const uint64_t size = a->end - a->begin;
	*same = b->end - b->begin == size;
	for (uint64_t at = 0; *same && at < size; at += CHUNK) {
		const size_t want = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		size_t got_a, got_b;
		stwatch_status status = stw_source_read(a->source, a->begin + at, j->chunks, want, &got_a, j->error);
		if (status == STWATCH_OK)
			status = stw_source_read(b->source, b->begin + at, j->chunks + CHUNK, want, &got_b, j->error);
		if (status != STWATCH_OK)
			return status;
		*same = got_a == got_b && memcmp(j->chunks, j->chunks + CHUNK, got_a) == 0;
	}
	return STWATCH_OK;
}

/* One that stands behind another in its input is told of already: what becomes of it. */
static void tell_more(const joining *j, const stw_span *span, const char *more)
{
	const uint64_t header = span->begin - STW_HEADER_SIZE;
	for (size_t i = 0; span->recording && i < j->trace->problems.count; i++) {
		stw_problem_note *p = &j->trace->problems.items[i];
		const size_t used = strlen(p->what);
		if (p->input == span->input && p->offset == header && strncmp(p->what, NEXT, sizeof NEXT - 1) == 0)
			snprintf(p->what + used, sizeof p->what - used, ": %s", more);
	}
}

static void leave_out(joining *j, const part *p, const char *why)
{
	j->trace->n_bytes -= p->span.end - p->span.begin;
	tell_more(j, &p->span, why);
}

/* Behind those that are kept already; its place is that of one that is not. */
static void keep(joining *j, size_t *kept, part *p)
{
	part swap = j->parts[*kept];
	j->parts[*kept] = *p;
	if (&j->parts[*kept] != p)
		*p = swap;
	++*kept;
}

/* Leaves out what is there twice. */
static stwatch_status drop_repeated(joining *j)
{
	size_t kept = 0;
	for (size_t i = 0; i < j->n; i++) {
		part *p = &j->parts[i];
		bool same = false;
		stwatch_status status = kept && p[0].begin == j->parts[kept - 1].begin
			? same_bytes(j, &j->parts[kept - 1].span, &p->span, &same)
			: STWATCH_OK;
		if (status != STWATCH_OK)
			return status;
		if (same) {
			j->trace->inputs[p->span.input].n_repeated++;
			leave_out(j, p, "it is there twice, and counts once");
			continue;
		}
		keep(j, &kept, p);
	}
	j->n_kept = kept;
	return STWATCH_OK;
}

static bool clocks_differ(const part *a, const part *b)
{
	const double x = (double)a->v1->index.frequency, y = (double)b->v1->index.frequency;
	return x > 0 && y > 0 && (x > y ? x - y : y - x) * 100 > CLOCK_PERCENT * (x < y ? x : y);
}

static const char *find_difference(const part *a, const part *b)
{
	if (a->v1->index.format.minor != b->v1->index.format.minor)
		return "are of different versions of Go";
	if (clocks_differ(a, b))
		return "have different clocks";
	if (b->begin <= a->end)
		return "overlap in time, while a process has one recording at a time";
	return stw_sites_differ(&a->sites, &b->sites) ? "are of different programs" : NULL;
}

/* Inputs were given to be joined; what stands behind another in one of them need not be of its process. It is held against those of its input that are kept,
 * in the order of the file. */
static const char *find_foreign(const joining *j, const part *p)
{
	const char *why = NULL;
	for (size_t i = 0; i < j->n_kept && !why; i++) {
		const part *q = &j->parts[i];
		if (q->span.input == p->span.input && q->span.recording < p->span.recording && !q->foreign)
			why = q < p ? find_difference(q, p) : find_difference(p, q);
	}
	return why;
}

static void leave_out_foreign(joining *j)
{
	char more[200];
	size_t kept = 0;
	for (uint32_t recording = 1; recording < j->n; recording++)
		for (size_t i = 0; i < j->n_kept; i++) {
			part *p = &j->parts[i];
			const bool empty = p->begin == INT64_MAX;
			const char *why = p->span.recording == recording && !empty ? find_foreign(j, p) : NULL;
			p->foreign |= why || (empty && p->span.recording);
			if (!why)
				continue;
			snprintf(more, sizeof more, "left out, as it and what is before it %s; split the file there to read it", why);
			leave_out(j, p, more);
		}
	for (size_t i = 0; i < j->n_kept; i++) {
		if (j->parts[i].foreign)
			continue;
		tell_more(j, &j->parts[i].span, "of the same process, it is read on behind a gap");
		keep(j, &kept, &j->parts[i]);
	}
	j->n_kept = kept;
}

static void make_row(joining *j)
{
	stw_spans *spans = &j->trace->spans;
	spans->count = 0;
	for (size_t i = 0; i < j->n_kept; i++) {
		stw_span *span = &spans->items[spans->count++];
		*span = j->parts[i].span;
		span->joint = i ? STW_JOINT_GAP : STW_JOINT_WHOLE;
	}
}

static const char *name_of(const joining *j, const part *p)
{
	const char *path = j->trace->inputs[p->span.input].path, *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static stwatch_status one_process(joining *j)
{
	for (size_t i = 1; i < j->n_kept; i++) {
		const part *a = &j->parts[i - 1], *b = &j->parts[i];
		const char *why = find_difference(a, b);
		if (!why)
			continue;
		j->error->input = UINT32_MAX; /* about both */
		return stw_fail(j->error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
			"the traces are of several processes, to be looked at one by one: %.60s and %.60s %s", name_of(j, a), name_of(j, b),
			why);
	}
	return STWATCH_OK;
}

/* The longer a recording, the better its frequency is known. */
static double ns_per_tick(const joining *j)
{
	const part *best = NULL;
	for (size_t i = 0; i < j->n_kept; i++) {
		const part *p = &j->parts[i];
		if (p->v1->index.frequency && (!best || p->end - p->begin > best->end - best->begin))
			best = p;
	}
	return best ? best->v1->ns_per_tick : 1;
}

stwatch_status stw_trace_join_v1(stw_trace *t, stwatch_error *error)
{
	const size_t n = t->spans.count;
	joining j = {.trace = t, .mem = t->mem, .error = error};
	j.parts = stw_mem_zalloc(t->mem, n * sizeof *j.parts);
	j.chunks = stw_mem_zalloc(t->mem, 2 * (size_t)CHUNK);
	stwatch_status status = j.parts && j.chunks ? know_all(&j) : stw_fail_memory(error);
	if (status == STWATCH_OK)
		status = drop_repeated(&j);
	if (status == STWATCH_OK) {
		leave_out_foreign(&j);
		status = one_process(&j);
		make_row(&j);
	}
	const double unit = status == STWATCH_OK ? ns_per_tick(&j) : 1;
	for (uint32_t i = 0; i < t->spans.count && status == STWATCH_OK; i++)
		if (j.parts[i].begin != INT64_MAX)
			stw_v1_place(stw_trace_v1(t, i), j.parts[0].begin, unit, j.parts[i].end);
	for (size_t i = 0; j.parts && i < j.n; i++)
		stw_vec_free(t->mem, &j.parts[i].sites);
	stw_mem_free(t->mem, j.parts, n * sizeof *j.parts);
	stw_mem_free(t->mem, j.chunks, 2 * (size_t)CHUNK);
	return status;
}
