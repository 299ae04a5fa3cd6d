/* Opening: from paths to generations. */
#include <string.h>

#include "base/error.h"
#include "engine/together.h"
#include "v2/headless.h"
#include "wire/header.h"

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

/* A v1 trace is read through once already here: what it needs from the start stands at its end. */
static stwatch_status open_v1(stw_trace *t, unsigned minor, const volatile int *cancel, stwatch_error *error)
{
	stw_trace_input *in = &t->inputs[0];
	if (t->n_inputs > 1)
		return stw_fail(error, STWATCH_ERR_UNSUPPORTED, 3,
			"a trace of format go 1.%u has a clock of its own: it can't be joined with other traces (one trace was expected)",
			minor);
	t->v1 = stw_mem_zalloc(t->mem, sizeof *t->v1);
	stw_span *span = t->v1 ? stw_vec_push(t->mem, &t->spans) : NULL;
	if (!span)
		return stw_fail_memory(error);
	*span = (stw_span){.source = &in->source, .generation = 1, .begin = STW_HEADER_SIZE, .end = in->source.size, .n_batches = 1};
	t->n_bytes = in->source.size;
	stwatch_status status = stw_v1_open(t->v1, t->mem, &in->source, minor, t->namer, cancel, error);
	for (size_t i = 0; status == STWATCH_OK && i < t->v1->index.problems.count; i++) {
		const stw_v1_problem *p = &t->v1->index.problems.items[i];
		stw_fail(error, STWATCH_ERR_DAMAGED, p->offset, "%s", p->what);
		status = note(t, 0, error);
	}
	return status;
}

stwatch_status stw_trace_load(const stw_trace *t, uint32_t span, stw_generation *gen, stwatch_error *error)
{
	if (!t->v1) {
		const stw_span *s = &t->spans.items[span];
		stw_leftover left = {0};
		stwatch_status status = s->damaged ? STWATCH_ERR_DAMAGED : stw_generation_load(gen, t->mem, s, error);
		return status == STWATCH_ERR_DAMAGED ? stw_generation_salvage(gen, t->mem, s, &left, error) : status;
	}
	*gen = t->v1->gen; /* lent */
	return STWATCH_OK;
}

void stw_trace_unload(const stw_trace *t, stw_generation *gen)
{
	if (!t->v1)
		stw_generation_free(gen);
}

static stwatch_status open_input(stw_trace *t, uint32_t index, const volatile int *cancel, stwatch_error *error)
{
	unsigned minor;
	stw_trace_input *in = &t->inputs[index];
	uint64_t begin = STW_HEADER_SIZE;
	stwatch_error missing = {.status = STWATCH_OK};
	stwatch_status status = stw_header_read(&in->source, &minor, error);
	if (status == STWATCH_ERR_FORMAT)
		status = stw_headless_open(&in->source, t->mem, cancel, &minor, &begin, &missing, error);
	if (status == STWATCH_OK && missing.status != STWATCH_OK)
		status = note(t, index, &missing);
	if (status != STWATCH_OK)
		return status;
	in->version = (stw_go_version)minor;
	if (t->version == 0 || in->version < t->version)
		t->version = in->version;
	status = minor < STW_GO122 ? open_v1(t, minor, cancel, error) : scan_input(t, index, begin, cancel, error);
	if (status == STWATCH_OK && in->source.cut) {
		stw_source_fail_cut(&in->source, error);
		status = note(t, index, error);
	}
	return status;
}

static stwatch_status open_inputs(stw_trace *t, const volatile int *cancel, stwatch_error *error)
{
	for (uint32_t i = 0; i < t->n_inputs; i++) {
		stwatch_status status = open_input(t, i, cancel, error);
		if (status != STWATCH_OK) {
			error->input = i;
			return status;
		}
	}
	return t->n_inputs > 1 ? stw_trace_join_inputs(t, cancel, error) : STWATCH_OK;
}

stwatch_status stw_trace_take(stw_trace *t, stw_mem *mem, stw_trace_file *files, size_t n_files, const stw_namer *namer,
	const volatile int *cancel, stwatch_error *error)
{
	memset(t, 0, sizeof *t);
	t->mem = mem;
	t->namer = namer;
	t->inputs = stw_mem_zalloc(mem, n_files * sizeof *t->inputs);
	for (size_t i = 0; i < n_files; i++) {
		if (t->inputs)
			t->inputs[i] = (stw_trace_input){.path = files[i].path,
				.source = files[i].source,
				.first_time = STW_TIME_UNKNOWN,
				.last_time = STW_TIME_UNKNOWN};
		else
			stw_source_close(&files[i].source);
		files[i].source.fd = -1;
	}
	t->n_inputs = t->inputs ? (uint32_t)n_files : 0;
	stwatch_status status = t->inputs ? open_inputs(t, cancel, error) : stw_fail_memory(error);
	if (status != STWATCH_OK)
		stw_trace_close(t);
	return status;
}

void stw_trace_close(stw_trace *t)
{
	if (!t->mem)
		return;
	for (uint32_t i = 0; i < t->n_inputs; i++)
		stw_source_close(&t->inputs[i].source);
	if (t->v1)
		stw_v1_close(t->v1);
	stw_mem_free(t->mem, t->v1, sizeof *t->v1);
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
