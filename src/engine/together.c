#include "engine/together.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/sites.h"
#include "v2/batch.h"
#include "wire/header.h"

enum {
	CLOCKS_MAY_DIFFER_MS = 5000, /* wall clocks are set, but not by much while a process is being recorded */
	LEAST_THREADS = 2,
	MOST_SILENCE_NS = 100000000,
	CHUNK = 64 << 10,
};

/* An input's part of the trace, with what tells whose it is. */
typedef struct part {
	uint32_t input;
	size_t first, count; /* its spans, in the order of the file */
	bool in_order; /* their numbers increase */
	int64_t begin, end; /* when its first and its last generation begin; INT64_MIN: it has none whose clock can be read */
	bool has_clock;
	int64_t clock_offset; /* wall clock less the trace's, ns */
	stw_sites sites;
	STW_VEC(int64_t) threads; /* the kernel's ids of those that wrote, in order */
	uint32_t process; /* number of its group */
} part;

typedef struct joining {
	stw_trace *trace;
	stw_mem *mem;
	part *parts; /* by input */
	uint32_t *by_time; /* indices of parts */
	const char *why; /* the first reason why two are of different processes, and which */
	uint32_t why_parts[2];
	uint64_t why_generation;
	unsigned char *chunks; /* two */
	const volatile int *cancel;
	stwatch_error *error;
} joining;

static const stw_span *span_of(const joining *j, const part *p, size_t i)
{
	return &j->trace->spans.items[p->first + i];
}

/* ---- whose an input is ---- */

static int by_id(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

static bool take_threads(joining *j, part *p, const stw_generation *gen)
{
	if (!stw_vec_reserve(j->mem, &p->threads, gen->threads.count))
		return false;
	for (size_t i = 0; i < gen->threads.count; i++)
		if (gen->threads.items[i].m >= 0)
			p->threads.items[p->threads.count++] = gen->threads.items[i].m;
	return true;
}

/* Damage is told by the first pass; here it only means that less is known. */
static stwatch_status know_generation(joining *j, part *p, size_t i)
{
	stw_generation gen;
	stwatch_error ignored;
	int64_t when;
	stwatch_status status = stw_generation_load(&gen, j->mem, span_of(j, p, i), &ignored);
	if (status != STWATCH_OK) {
		if (status != STWATCH_ERR_DAMAGED)
			*j->error = ignored;
		return status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status;
	}
	when = stw_generation_ns(&gen, gen.min_time);
	if (p->begin == INT64_MIN)
		p->begin = when;
	p->end = when;
	if (gen.has_clock) {
		p->has_clock = true;
		p->clock_offset = gen.clock_sec * 1000000000 + gen.clock_nsec - stw_generation_ns(&gen, gen.clock_time);
	}
	bool ok = stw_sites_add(&p->sites, j->mem, &gen) && take_threads(j, p, &gen);
	stw_generation_free(&gen);
	return ok ? STWATCH_OK : stw_fail_memory(j->error);
}

static stwatch_status know(joining *j, part *p)
{
	p->begin = p->end = INT64_MIN;
	p->in_order = true;
	for (size_t i = 1; i < p->count; i++)
		p->in_order &= span_of(j, p, i)->generation > span_of(j, p, i - 1)->generation;
	stwatch_status status = p->count ? know_generation(j, p, 0) : STWATCH_OK;
	if (status == STWATCH_OK && p->count > 1)
		status = know_generation(j, p, p->count - 1);
	stw_sites_sort(&p->sites);
	if (p->threads.count > 1)
		qsort(p->threads.items, p->threads.count, sizeof *p->threads.items, by_id);
	return status;
}

static uint64_t length_of(const stw_span *s)
{
	return s->end - s->begin;
}

/* How many bytes two generations have in common from their beginning. */
static stwatch_status common_bytes(joining *j, const stw_span *a, const stw_span *b, uint64_t *common)
{
	uint64_t most = length_of(a) < length_of(b) ? length_of(a) : length_of(b);
	for (*common = 0; *common < most;) {
		size_t want = most - *common < CHUNK ? (size_t)(most - *common) : CHUNK, got_a, got_b, same = 0;
		stwatch_status status = stw_source_read(a->source, a->begin + *common, j->chunks, want, &got_a, j->error);
		if (status == STWATCH_OK)
			status = stw_source_read(b->source, b->begin + *common, j->chunks + CHUNK, want, &got_b, j->error);
		if (status != STWATCH_OK)
			return status;
		want = got_a < got_b ? got_a : got_b;
		while (same < want && j->chunks[same] == j->chunks[CHUNK + same])
			same++;
		*common += same;
		if (same < CHUNK)
			break;
	}
	return STWATCH_OK;
}

/* Whether two generations of one number begin with the same batch: its head tells the thread and the time. */
static stwatch_status same_generation(joining *j, const stw_span *a, const stw_span *b, bool *same)
{
	uint64_t common = 0, least;
	stwatch_status status = common_bytes(j, a, b, &common);
	least = length_of(a) < length_of(b) ? length_of(a) : length_of(b);
	*same = common >= (least < STW_BATCH_HEAD_MAX ? least : STW_BATCH_HEAD_MAX);
	return status;
}

/* The spans of two inputs that have the same number, one pair after another; false: no more. */
static bool next_pair(const joining *j, const part *a, const part *b, size_t *i, size_t *k)
{
	while (*i < a->count && *k < b->count) {
		uint64_t x = span_of(j, a, *i)->generation, y = span_of(j, b, *k)->generation;
		if (x == y)
			return true;
		*(x < y ? i : k) += 1;
	}
	return false;
}

/* The runtime keeps its threads, and wakes those first that parked last. */
static bool other_threads(const part *a, const part *b)
{
	size_t i = 0, k = 0;
	while (i < a->threads.count && k < b->threads.count) {
		if (a->threads.items[i] == b->threads.items[k])
			return false;
		*(a->threads.items[i] < b->threads.items[k] ? &i : &k) += 1;
	}
	return a->threads.count >= LEAST_THREADS && b->threads.count >= LEAST_THREADS;
}

/* Which goes before the other by its numbers, and so must by its times. Only of inputs without a number in common. */
static bool runs_backwards(const joining *j, const part *a, const part *b)
{
	bool a_first = span_of(j, a, 0)->generation < span_of(j, b, 0)->generation;
	const part *x = a_first ? a : b, *y = a_first ? b : a;
	return x->begin > y->begin || (span_of(j, x, x->count - 1)->generation < span_of(j, y, 0)->generation && x->end > y->begin);
}

/* Why two inputs can't be of one process; NULL: nothing speaks against it. */
static stwatch_status find_difference(joining *j, const part *a, const part *b, const char **why, uint64_t *generation)
{
	const stw_trace_input *ins = j->trace->inputs;
	size_t i = 0, k = 0;
	bool shared = false;
	*why = NULL;
	*generation = 0;
	if (a->count == 0 || b->count == 0)
		return STWATCH_OK;
	if (ins[a->input].version != ins[b->input].version) {
		*why = "are of different versions of Go";
		return STWATCH_OK;
	}
	for (; next_pair(j, a, b, &i, &k); i++, k++) {
		bool same;
		stwatch_status status = same_generation(j, span_of(j, a, i), span_of(j, b, k), &same);
		if (status != STWATCH_OK)
			return status;
		if (!same) {
			*why = "have different generations of one number";
			*generation = span_of(j, a, i)->generation;
			return STWATCH_OK;
		}
		shared = true;
	}
	int64_t off = a->clock_offset - b->clock_offset;
	if (shared || a->begin == INT64_MIN || b->begin == INT64_MIN)
		return STWATCH_OK;
	if (runs_backwards(j, a, b))
		*why = "have generations that are numbered against the order of their times";
	else if (a->has_clock && b->has_clock && (off < 0 ? -off : off) / 1000000 > CLOCKS_MAY_DIFFER_MS)
		*why = "have different clocks";
	else if (stw_sites_differ(&a->sites, &b->sites))
		*why = "are of different programs";
	else if (other_threads(a, b))
		*why = "have no thread in common";
	return STWATCH_OK;
}

/* Puts an input to the first group with which it agrees, or into a new one. */
static stwatch_status choose_process(joining *j, uint32_t n, uint32_t *n_processes)
{
	part *p = &j->parts[j->by_time[n]];
	for (p->process = 0; p->process < *n_processes; p->process++) {
		const char *why = NULL;
		for (uint32_t i = 0; i < n && !why; i++) {
			const part *q = &j->parts[j->by_time[i]];
			uint64_t generation;
			if (q->process != p->process)
				continue;
			stwatch_status status = find_difference(j, q, p, &why, &generation);
			if (status != STWATCH_OK)
				return status;
			if (why && !j->why) {
				j->why = why;
				j->why_parts[0] = q->input;
				j->why_parts[1] = p->input;
				j->why_generation = generation;
			}
		}
		if (!why)
			return STWATCH_OK;
	}
	++*n_processes;
	return STWATCH_OK;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

/* Without its folder, where that tells it from the others. */
static const char *name_of(const joining *j, uint32_t input)
{
	const char *path = j->trace->inputs[input].path, *base = base_of(path);
	for (uint32_t i = 0; i < j->trace->n_inputs; i++)
		if (i != input && strcmp(base_of(j->trace->inputs[i].path), base) == 0)
			return path;
	return base;
}

/* "a.trace b.trace; c.trace", as far as there is room. */
static void list_processes(const joining *j, uint32_t n_processes, char *out, size_t size)
{
	size_t used = 0;
	*out = '\0';
	for (uint32_t process = 0; process < n_processes; process++) {
		const char *before = process ? "; " : "";
		for (uint32_t i = 0; i < j->trace->n_inputs; i++) {
			const part *p = &j->parts[j->by_time[i]];
			if (p->process != process)
				continue;
			int n = snprintf(out + used, size - used, "%s%s", before, name_of(j, p->input));
			if (n < 0 || (size_t)n + 4 >= size - used) { /* room for the ellipsis */
				snprintf(out + used, size - used, " …");
				return;
			}
			used += (size_t)n;
			before = " ";
		}
	}
}

static stwatch_status fail_several(joining *j, uint32_t n_processes)
{
	char list[150], generation[32] = "";
	list_processes(j, n_processes, list, sizeof list);
	if (j->why_generation)
		snprintf(generation, sizeof generation, " (%llu)", (unsigned long long)j->why_generation);
	j->error->input = UINT32_MAX; /* about all of them */
	return stw_fail(j->error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
		"the traces are of %u processes, to be looked at one by one: %s (%.40s and %.40s %s%s)", n_processes, list,
		name_of(j, j->why_parts[0]), name_of(j, j->why_parts[1]), j->why, generation);
}

static stwatch_status one_process(joining *j)
{
	uint32_t n_processes = 0;
	for (uint32_t i = 0; i < j->trace->n_inputs; i++) {
		stwatch_status status = choose_process(j, i, &n_processes);
		if (status != STWATCH_OK)
			return status;
	}
	return n_processes > 1 ? fail_several(j, n_processes) : STWATCH_OK;
}

/* ---- one row of generations ---- */

/* A span on its way into the row. */
typedef struct entry {
	stw_span span;
	uint32_t rank; /* of its input in order of time: the same whatever the order in which they were given */
	bool first; /* nothing stands before it in its input */
	uint64_t before; /* else: the number of what does */
} entry;

static int by_number(const void *x, const void *y)
{
	const entry *a = x, *b = y;
	if (a->span.generation != b->span.generation)
		return a->span.generation < b->span.generation ? -1 : 1;
	if (length_of(&a->span) != length_of(&b->span)) /* the whole one before one that was cut */
		return length_of(&a->span) < length_of(&b->span) ? 1 : -1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Whether any of the inputs that have a generation has the one before it too, right before it. */
static bool follows(const entry *same, size_t n, uint64_t before)
{
	for (size_t i = 0; i < n; i++)
		if (!same[i].first && same[i].before == before)
			return true;
	return false;
}

/* What a generation is when it is read on its own. */
static stwatch_status read_alone(joining *j, const stw_span *span, stw_fold *fold)
{
	stw_generation gen;
	stw_order order;
	const stw_run_options options = {.threads = 1, .cancel = j->cancel};
	memset(fold, 0, sizeof *fold);
	fold->first_time = fold->last_time = STW_TIME_UNKNOWN;
	stwatch_status status = stw_generation_load(&gen, j->mem, span, j->error);
	if (status == STWATCH_OK) {
		stw_order_init(&order, j->mem);
		stw_order_begin(&order, STW_READ_INITIAL);
		status = stw_pass_run(fold, &order, &gen, 0, &options, j->error);
		stw_fold_shrink(fold);
		stw_order_free(&order);
		stw_generation_free(&gen);
	}
	return status == STWATCH_ERR_DAMAGED ? STWATCH_OK : status; /* the first pass tells it */
}

static bool starts_tracing(const stw_fold *f)
{
	static const char START[] = "start trace";
	for (size_t i = 0; i < f->stops.count; i++) {
		stw_slice kind = stw_intern_get(&f->names, f->stops.items[i].kind);
		if (kind.length == sizeof START - 1 && memcmp(kind.data, START, kind.length) == 0)
			return true;
	}
	return false;
}

/* Between inputs whose numbers follow tracing may have been off. It then began anew, with a stop of its own; and a tracer that goes on
 * writes at the end of one generation and at the beginning of the next. */
static stwatch_status find_gap(joining *j, const stw_span *before, stw_span *after)
{
	stw_fold a, b;
	stwatch_status status = read_alone(j, before, &a);
	after->joint = STW_JOINT_GAP;
	if (status == STWATCH_OK) {
		status = read_alone(j, after, &b);
		if (status == STWATCH_OK && a.last_time != STW_TIME_UNKNOWN && b.first_time != STW_TIME_UNKNOWN &&
			b.first_time - a.last_time <= MOST_SILENCE_NS && !starts_tracing(&b))
			after->joint = STW_JOINT_WHOLE;
		stw_fold_free(&b);
	}
	stw_fold_free(&a);
	return status;
}

/* Keeps one of each number, and says how it stands to the one before. */
static stwatch_status keep_one_of_each(joining *j, const entry *entries, size_t n)
{
	stwatch_status status = STWATCH_OK;
	stw_trace *t = j->trace;
	t->spans.count = 0;
	t->n_bytes = 0;
	for (size_t i = 0, next; status == STWATCH_OK && i < n; i = next) {
		const uint64_t number = entries[i].span.generation;
		for (next = i + 1; next < n && entries[next].span.generation == number; next++)
			t->inputs[entries[next].span.input].n_repeated++;
		stw_span *kept = &t->spans.items[t->spans.count];
		const uint64_t before = t->spans.count ? kept[-1].generation : 0;
		*kept = entries[i].span;
		if (t->spans.count && !follows(&entries[i], next - i, before)) {
			kept->joint = STW_JOINT_GAP;
			status = number == before + 1 ? find_gap(j, kept - 1, kept) : STWATCH_OK;
		}
		t->spans.count++;
		t->n_bytes += length_of(kept);
	}
	return status;
}

static stwatch_status make_row(joining *j)
{
	stw_trace *t = j->trace;
	size_t n = 0, size = t->spans.count * sizeof(entry);
	entry *entries = stw_mem_zalloc(j->mem, size);
	if (!entries)
		return stw_fail_memory(j->error);
	for (uint32_t r = 0; r < t->n_inputs; r++) {
		const part *p = &j->parts[j->by_time[r]];
		for (size_t i = 0; i < p->count; i++, n++) {
			entries[n] = (entry){.span = *span_of(j, p, i), .rank = r, .first = i == 0};
			if (i)
				entries[n].before = span_of(j, p, i - 1)->generation;
		}
	}
	qsort(entries, n, sizeof *entries, by_number);
	stwatch_status status = keep_one_of_each(j, entries, n);
	stw_mem_free(j->mem, entries, size);
	return status;
}

/* ---- all of it ---- */

static void sort_by_time(joining *j)
{
	for (uint32_t i = 0; i < j->trace->n_inputs; i++) {
		const part *p = &j->parts[i];
		uint32_t k = i;
		for (; k > 0; k--) {
			const part *q = &j->parts[j->by_time[k - 1]];
			if (q->begin < p->begin ||
				(q->begin == p->begin && strcmp(j->trace->inputs[q->input].path, j->trace->inputs[i].path) <= 0))
				break;
			j->by_time[k] = j->by_time[k - 1];
		}
		j->by_time[k] = i;
	}
}

static stwatch_status know_all(joining *j)
{
	stw_trace *t = j->trace;
	size_t next = 0;
	for (uint32_t i = 0; i < t->n_inputs; i++) {
		part *p = &j->parts[i];
		p->input = i;
		p->first = next;
		while (next < t->spans.count && t->spans.items[next].input == i)
			next++;
		p->count = next - p->first;
		stwatch_status status = know(j, p);
		if (status != STWATCH_OK)
			return status;
		if (!p->in_order) {
			j->error->input = i;
			return stw_fail(j->error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
				"its generations are not in order, so it can't be joined with other traces: look at it on its own");
		}
	}
	return STWATCH_OK;
}

stwatch_status stw_trace_join_inputs(stw_trace *t, const volatile int *cancel, stwatch_error *error)
{
	const size_t n = t->n_inputs;
	joining j = {.trace = t, .mem = t->mem, .cancel = cancel, .error = error};
	j.parts = stw_mem_zalloc(t->mem, n * sizeof *j.parts);
	j.by_time = stw_mem_zalloc(t->mem, n * sizeof *j.by_time);
	j.chunks = stw_mem_zalloc(t->mem, 2 * (size_t)CHUNK);
	stwatch_status status = j.parts && j.by_time && j.chunks ? know_all(&j) : stw_fail_memory(error);
	if (status == STWATCH_OK) {
		sort_by_time(&j);
		status = one_process(&j);
	}
	if (status == STWATCH_OK && t->spans.count)
		status = make_row(&j);
	for (size_t i = 0; j.parts && i < n; i++) {
		stw_vec_free(t->mem, &j.parts[i].sites);
		stw_vec_free(t->mem, &j.parts[i].threads);
	}
	stw_mem_free(t->mem, j.parts, n * sizeof *j.parts);
	stw_mem_free(t->mem, j.by_time, n * sizeof *j.by_time);
	stw_mem_free(t->mem, j.chunks, 2 * (size_t)CHUNK);
	return status;
}

stwatch_status stw_trace_fail_foreign(stwatch_error *error, const stw_span *span, int64_t goroutine)
{
	error->input = span->input;
	if (span->v1 && span->recording)
		return stw_fail(error, STWATCH_ERR_DAMAGED, span->begin - STW_HEADER_SIZE,
			"another trace begins here, of another process (goroutine %lld begins anew in it): what is read last is left out; "
			"split the "
			"file there to read it",
			(long long)goroutine);
	return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
		"of another process than the trace before it, to be looked at on its own: goroutine %lld begins anew in generation %llu",
		(long long)goroutine, (unsigned long long)span->generation);
}
