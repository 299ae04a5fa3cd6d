/* Opening: from paths to generations. */
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "engine/beginning.h"
#include "engine/together.h"
#include "v1/unnamed.h"

enum { MOST_TRACES = 100 }; /* v1 traces in one input */

bool stw_trace_note(stw_trace *t, uint32_t input, const stwatch_error *e, stw_fault fault)
{
	stw_problem_note *p = stw_vec_push(t->mem, &t->problems);
	if (!p)
		return false;
	p->input = input;
	p->offset = e->offset;
	p->fault = fault;
	memcpy(p->what, e->message, sizeof p->what);
	return true;
}

static stwatch_status note(stw_trace *t, uint32_t input, stwatch_error *e)
{
	return stw_trace_note(t, input, e, STW_FAULT_BYTES) ? STWATCH_OK : stw_fail_memory(e);
}

typedef struct opening {
	stw_trace *trace;
	uint32_t input;
} opening;

static bool note_loss(void *user, const stwatch_error *loss, uint64_t to)
{
	const opening *o = user;
	(void)to;
	return stw_trace_note(o->trace, o->input, loss, STW_FAULT_BYTES);
}

static stwatch_status scan_input(stw_trace *t, uint32_t index, uint64_t begin, const volatile int *cancel, stwatch_error *error)
{
	const stw_trace_input *in = &t->inputs[index];
	opening o = {t, index};
	const size_t first = t->spans.count;
	stwatch_status status = stw_spans_read(&t->spans, t->mem, &in->source, in->version, begin, note_loss, &o, cancel, error);
	for (size_t i = first; i < t->spans.count; i++) {
		t->spans.items[i].input = index;
		t->n_bytes += t->spans.items[i].end - t->spans.items[i].begin;
	}
	return status;
}

/* What the first pass found, if an index has it. False: it has to be made. */
static bool find_index(stw_trace *t, stw_trace_input *in, const stw_v1_entry *entry)
{
	static const char DAMAGED[] = "it is damaged";
	if (entry->begin != STW_HEADER_SIZE || entry->missing.status != STWATCH_OK || in->source.spooled ||
		!stw_index_find(&in->index, t->mem, &in->source, (stw_go_version)entry->minor, in->path, &in->no_index))
		return false;
	if (in->part || stw_v1_exits_are_sound(&in->index.v1.exits, 0, in->index.v1.exits.count))
		return true;
	in->no_index = DAMAGED;
	stw_index_close(&in->index);
	return false;
}

/* One that stands in an input from an entry on. A v1 trace is read through once already here, unless it has an index: what it needs from the start stands at
 * its end. */
static stwatch_status add_v1(stw_trace *t, uint32_t index, stw_v1_entry *entry, const volatile int *cancel, stwatch_error *error)
{
	stw_trace_input *in = &t->inputs[index];
	stw_v1 *more = stw_mem_resize(t->mem, t->v1, t->n_v1 * sizeof *more, (t->n_v1 + 1) * sizeof *more);
	if (!more)
		return stw_fail_memory(error);
	t->v1 = more;
	stw_v1 *v1 = &t->v1[t->n_v1++];
	*v1 = (stw_v1){.mem = NULL};
	stw_span *span = stw_vec_push(t->mem, &t->spans);
	if (!span)
		return stw_fail_memory(error);
	stwatch_status status = find_index(t, in, entry) ? stw_v1_open_read(v1, t->mem, &in->source, &in->index.v1, t->namer, error)
							 : stw_v1_open(v1, t->mem, &in->source, entry, t->namer, t->threads, cancel, error);
	if (status == STWATCH_OK && stw_v1_headless_prefer(entry, v1->index.next)) { /* the header behind it tells the version */
		stw_v1_close(v1);
		status = stw_v1_open(v1, t->mem, &in->source, entry, t->namer, t->threads, cancel, error);
	}
	*span = (stw_span){.source = &in->source,
		.input = index,
		.v1 = t->n_v1 - 1,
		.generation = 1,
		.begin = entry->begin,
		.end = status == STWATCH_OK ? v1->index.end : in->source.size,
		.n_batches = 1};
	t->n_bytes += span->end - span->begin;
	for (size_t i = 0; status == STWATCH_OK && i < v1->index.problems.count; i++) {
		const stw_v1_problem *p = &v1->index.problems.items[i];
		stw_fail(error, STWATCH_ERR_DAMAGED, p->offset, "%s", p->what);
		status = note(t, index, error);
	}
	if (status == STWATCH_OK && stw_v1_unnamed_tell(&v1->index, error) != STWATCH_OK)
		status = note(t, index, error);
	return status;
}

static const char TOO_MANY[] = "left out, as 100 stand before it; split the file there to read it",
		  OTHER_FORMAT[] = "left out, as the two are of different versions of Go; split the file there to read it";

/* Another one may follow it, with a header of its own: whether it is of the same process is seen later (stw_trace_join_v1). */
static stwatch_status open_v1(stw_trace *t, uint32_t index, stw_v1_entry entry, const volatile int *cancel, stwatch_error *error)
{
	stwatch_status status = add_v1(t, index, &entry, cancel, error);
	t->inputs[index].version = (stw_go_version)entry.minor;
	for (uint32_t n = 1; status == STWATCH_OK && t->v1[t->n_v1 - 1].index.next; n++) {
		const stw_v1_index *before = &t->v1[t->n_v1 - 1].index;
		stw_v1_entry next = stw_v1_entry_at(before->next, before->end);
		const bool read = before->next < STW_GO122 && n < MOST_TRACES;
		stw_v1_fail_next(before, read ? "" : before->next < STW_GO122 ? TOO_MANY : OTHER_FORMAT, error);
		status = note(t, index, error);
		if (status != STWATCH_OK || !read)
			break;
		status = add_v1(t, index, &next, cancel, error);
		t->spans.items[t->spans.count - 1].recording = n;
	}
	return status;
}

stwatch_status stw_trace_leave_index(stw_trace *t, const volatile int *cancel, stwatch_error *error)
{
	stw_trace_input *in = &t->inputs[0];
	const stw_v1_entry entry = stw_v1_entry_of((unsigned)in->version);
	stw_index_close(&in->index);
	stw_v1_close(&t->v1[0]);
	return stw_v1_open(&t->v1[0], t->mem, &in->source, &entry, t->namer, t->threads, cancel, error);
}

stwatch_status stw_trace_load(const stw_trace *t, uint32_t span, stw_generation *gen, stwatch_error *error)
{
	if (!t->v1) {
		const stw_span *s = &t->spans.items[span];
		stw_leftover left = {0};
		stwatch_status status = s->damaged ? STWATCH_ERR_DAMAGED : stw_generation_load(gen, t->mem, s, error);
		return status == STWATCH_ERR_DAMAGED ? stw_generation_salvage(gen, t->mem, s, &left, error) : status;
	}
	*gen = stw_trace_v1(t, span)->gen; /* lent */
	return STWATCH_OK;
}

void stw_trace_unload(const stw_trace *t, stw_generation *gen)
{
	if (!t->v1)
		stw_generation_free(gen);
}

/* Such have no clock in common; nor have they a process. */
static stwatch_status fail_mixed(const stw_trace *t, uint32_t index, stwatch_error *error)
{
	return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
		"of another version of Go (go 1.%d) than %.120s (go 1.%d): they are of several processes, to be looked at one by one",
		(int)t->inputs[index].version, t->inputs[0].path, (int)t->inputs[0].version);
}

static stwatch_status open_input(stw_trace *t, uint32_t index, const stw_beginning *b, const volatile int *cancel, stwatch_error *error)
{
	stw_trace_input *in = &t->inputs[index];
	stwatch_error missing = b->missing;
	stwatch_status status = missing.status == STWATCH_OK ? STWATCH_OK : note(t, index, &missing);
	if (status != STWATCH_OK)
		return status;
	in->version = (stw_go_version)b->minor;
	if ((in->version < STW_GO122) != (t->inputs[0].version < STW_GO122))
		return fail_mixed(t, index, error);
	status = in->version < STW_GO122 ? open_v1(t, index, b->v1, cancel, error) : scan_input(t, index, b->begin, cancel, error);
	if (t->version == 0 || in->version < t->version)
		t->version = in->version;
	if (status == STWATCH_OK && in->source.cut) {
		stw_source_fail_cut(&in->source, error);
		status = note(t, index, error);
	}
	return status;
}

/* Of a v1 trace without a header it may be others that tell the version: by their header, or as theirs is among those that all fit. */
static void settle_versions(stw_beginning *b, uint32_t n)
{
	unsigned told = 0, common = UINT_MAX;
	for (uint32_t i = 0; i < n && !told; i++)
		if (b[i].minor < STW_GO122 && b[i].v1.fits == 0)
			told = b[i].minor;
		else if (b[i].minor < STW_GO122)
			common &= b[i].v1.fits;
	told = told ? told : stw_v1_headless_choose(common);
	for (uint32_t i = 0; i < n; i++)
		if (b[i].minor < STW_GO122 && b[i].v1.fits) {
			stw_v1_headless_prefer(&b[i].v1, told);
			b[i].minor = b[i].v1.minor;
		}
}

static stwatch_status open_inputs(stw_trace *t, const volatile int *cancel, stwatch_error *error)
{
	const uint32_t n = t->n_inputs;
	stwatch_status status = STWATCH_OK;
	stw_beginning *b = stw_mem_zalloc(t->mem, n * sizeof *b);
	if (!b)
		return stw_fail_memory(error);
	uint32_t i = 0;
	for (; i < n && status == STWATCH_OK; i++)
		status = stw_beginning_read(&t->inputs[i].source, t->mem, true, cancel, &b[i], error);
	if (status == STWATCH_OK) {
		settle_versions(b, n);
		for (i = 0; i < n && status == STWATCH_OK; i++)
			status = open_input(t, i, &b[i], cancel, error);
	}
	stw_mem_free(t->mem, b, n * sizeof *b);
	if (status != STWATCH_OK) {
		error->input = i - 1;
		return status;
	}
	if (t->v1)
		return t->n_v1 > 1 ? stw_trace_join_v1(t, error) : STWATCH_OK;
	return n > 1 ? stw_trace_join_inputs(t, cancel, error) : STWATCH_OK;
}

stwatch_status stw_trace_take(stw_trace *t, stw_mem *mem, stw_trace_file *files, size_t n_files, const stw_namer *namer, unsigned threads,
	const volatile int *cancel, stwatch_error *error)
{
	memset(t, 0, sizeof *t);
	t->mem = mem;
	t->namer = namer;
	t->threads = threads;
	t->inputs = stw_mem_zalloc(mem, n_files * sizeof *t->inputs);
	for (size_t i = 0; i < n_files; i++) {
		if (t->inputs)
			t->inputs[i] = (stw_trace_input){.path = files[i].path,
				.source = files[i].source,
				.part = files[i].part,
				.first_time = STW_TIME_UNKNOWN,
				.last_time = STW_TIME_UNKNOWN};
		else
			stw_source_close(&files[i].source);
		files[i].source.fd = -1;
	}
	t->n_inputs = t->inputs ? (uint32_t)n_files : 0;
	stwatch_status status = t->inputs ? open_inputs(t, cancel, error) : stw_fail_memory(error);
	if (status == STWATCH_ERR_CANCELLED)
		t->spans.count = 0;
	else if (status != STWATCH_OK)
		stw_trace_close(t);
	return status;
}

void stw_trace_close(stw_trace *t)
{
	if (!t->mem)
		return;
	for (uint32_t i = 0; i < t->n_inputs; i++) {
		stw_source_close(&t->inputs[i].source);
		stw_index_close(&t->inputs[i].index);
	}
	for (uint32_t i = 0; i < t->n_v1; i++)
		stw_v1_close(&t->v1[i]);
	stw_mem_free(t->mem, t->v1, t->n_v1 * sizeof *t->v1);
	stw_mem_free(t->mem, t->inputs, t->n_inputs * sizeof *t->inputs);
	stw_vec_free(t->mem, &t->spans);
	stw_vec_free(t->mem, &t->begins);
	stw_vec_free(t->mem, &t->problems);
	t->mem = NULL;
}

const stw_trace_input *stw_trace_input_at(const stw_trace *t, int64_t time)
{
	uint32_t input = t->spans.count ? t->spans.items[0].input : 0;
	for (size_t i = 0; i < t->begins.count; i++)
		if (t->begins.items[i] <= time)
			input = t->spans.items[i].input;
	return &t->inputs[input];
}

/* From a time on. Of a trace in a v1 format whose beginning is missing, and nothing else, something is missing up to a time that is known. */
static bool lacks_bytes(const stw_trace *t, uint32_t span, int64_t from)
{
	const stw_v1 *v1 = t->v1 ? stw_trace_v1(t, span) : NULL;
	return !v1 ? t->spans.items[span].damaged
		   : v1->index.problems.count > v1->index.midway || (v1->index.midway && from < stw_v1_missing_to(v1));
}

static bool contradicts_itself(const stw_trace *t, uint32_t span, int64_t from)
{
	(void)from;
	return t->v1 && t->inputs[t->spans.items[span].input].n_faults > 0;
}

/* Whether that can be said of a generation that has part in a time. */
static bool is_any(const stw_trace *t, int64_t from, int64_t to, bool (*is)(const stw_trace *t, uint32_t span, int64_t from))
{
	int64_t end = INT64_MAX; /* of the generation at hand */
	for (size_t i = t->begins.count; i-- > 0;) {
		const int64_t begin = t->begins.items[i];
		if (begin == INT64_MAX)
			continue;
		if (begin < to && end > from && is(t, (uint32_t)i, from))
			return true;
		end = begin;
	}
	return false;
}

bool stw_trace_is_damaged(const stw_trace *t, int64_t from, int64_t to)
{
	return is_any(t, from, to, lacks_bytes);
}

bool stw_trace_contradicts_itself(const stw_trace *t, int64_t from, int64_t to)
{
	return is_any(t, from, to, contradicts_itself);
}
