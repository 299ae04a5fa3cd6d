#include "engine/trace.h"

#include <stdio.h>
#include <string.h>

#include "engine/crew.h"
#include "order/join.h"
#include "wire/header.h"

static bool note_problem(stw_trace *t, const stwatch_error *e, stw_fault fault)
{
	stw_problem_note *p = stw_vec_push(t->mem, &t->problems);
	if (!p)
		return false;
	p->offset = e->offset;
	p->fault = fault;
	memcpy(p->what, e->message, sizeof p->what);
	return true;
}

static stwatch_status check_rest(stw_trace *t, const stw_span *rest, stwatch_error *error)
{
	stwatch_status status = stw_generation_check_rest(t->mem, rest, error);
	if (status != STWATCH_ERR_DAMAGED)
		return status;
	return note_problem(t, error, STW_FAULT_BYTES) ? STWATCH_OK : stw_fail_memory(error);
}

static stwatch_status scan_all(stw_trace *t, stwatch_error *error)
{
	stw_scan scan;
	stw_scan_init(&scan, &t->source, t->version);
	for (;;) {
		stw_span span;
		stwatch_status status = stw_scan_next(&scan, &span, error);
		if (status == STWATCH_END)
			return check_rest(t, &span, error);
		if (status != STWATCH_OK)
			return status;
		if (span.error.status != STWATCH_OK && !note_problem(t, &span.error, STW_FAULT_BYTES))
			return stw_fail_memory(error);
		if (span.lost)
			continue;
		stw_span *kept = stw_vec_push(t->mem, &t->spans);
		if (!kept)
			return stw_fail_memory(error);
		*kept = span;
	}
}

stwatch_status stw_trace_take(stw_trace *t, stw_mem *mem, const stw_source *source, stwatch_error *error)
{
	unsigned minor;
	memset(t, 0, sizeof *t);
	t->mem = mem;
	t->source = *source;
	stwatch_status status = stw_header_read(&t->source, &minor, error);
	if (status == STWATCH_OK && minor < STW_GO122)
		status = stw_fail(error, STWATCH_ERR_UNSUPPORTED, 3,
			"a trace of format go 1.%u: this version of stwatch reads those of Go 1.22 and later", minor);
	t->version = (stw_go_version)(status == STWATCH_OK ? minor : 0);
	if (status == STWATCH_OK)
		status = scan_all(t, error);
	if (status == STWATCH_OK && t->source.cut) {
		stwatch_error cut;
		stw_fail(&cut, STWATCH_ERR_DAMAGED, t->source.size,
			"the compressed data is cut or corrupt: it unpacks to %llu bytes, and then no more",
			(unsigned long long)t->source.size);
		if (!note_problem(t, &cut, STW_FAULT_BYTES))
			status = stw_fail_memory(error);
	}
	if (status != STWATCH_OK)
		stw_trace_close(t);
	return status;
}

stwatch_status stw_trace_open(stw_trace *t, stw_mem *mem, const char *path, const volatile int *cancel, stwatch_error *error)
{
	stw_source source;
	memset(t, 0, sizeof *t);
	stwatch_status status = stw_source_open(&source, path, cancel, error);
	return status == STWATCH_OK ? stw_trace_take(t, mem, &source, error) : status;
}

void stw_trace_close(stw_trace *t)
{
	if (!t->mem)
		return;
	stw_source_close(&t->source);
	stw_vec_free(t->mem, &t->spans);
	stw_vec_free(t->mem, &t->begins);
	stw_vec_free(t->mem, &t->problems);
	t->mem = NULL;
}

/* ---- joining ---- */

typedef struct joiner {
	stw_trace *trace;
	stw_fold_fn add;
	void *user;
	const stw_run_options *options;
	stw_order state; /* true, after the generations joined so far */
	bool begun; /* state is that of a generation before */
	uint64_t initial; /* number of the generation with which it begins */
	stwatch_error *error;
} joiner;

static stwatch_status read_again(joiner *j, stw_job *job, stw_read_mode mode)
{
	stw_trace *t = j->trace;
	stw_generation gen;
	stw_fold_free(&job->fold);
	job->error = (stwatch_error){0};
	stwatch_status status = stw_generation_load(&gen, t->mem, job->span, &job->error);
	if (status != STWATCH_OK)
		return status;
	stw_order_begin(&j->state, mode);
	status = stw_pass_run(&job->fold, &j->state, &gen, job->index, j->options->cancel, &job->error);
	stw_fold_shrink(&job->fold);
	stw_generation_free(&gen);
	return status;
}

/* Carries the state over a generation, reading it again where it was read under a wrong assumption. */
static stwatch_status carry(joiner *j, stw_job *job)
{
	if (!job->loaded)
		return job->status;
	if (!j->begun) {
		stw_order_reset(&j->state);
		j->initial = job->span->generation;
		if (job->mode != STW_READ_INITIAL)
			return read_again(j, job, STW_READ_INITIAL);
		stw_order swap = j->state;
		j->state = job->order;
		job->order = swap;
		return job->status;
	}
	if (job->status != STWATCH_OK && !job->order.gave_up && job->status != STWATCH_ERR_DAMAGED)
		return job->status;
	if (job->span->generation == j->initial) /* the same number again: to Go's reader it is still the first */
		return read_again(j, job, STW_READ_INITIAL);
	switch (stw_order_join(&j->state, &job->order)) {
	case STW_JOINED: return job->status;
	case STW_JOIN_REFUSED: return read_again(j, job, STW_READ_EXACT);
	default: return stw_fail_memory(&job->error);
	}
}

static void note_wall(stw_trace *t, const stw_job *job)
{
	if (t->has_wall || !job->has_clock || job->fold.first_time == STW_TIME_UNKNOWN)
		return;
	t->has_wall = true;
	t->wall_ns = job->clock_wall_ns - (job->clock_trace_ns - job->fold.first_time);
}

/* Called in order, on one thread. False ends the pass. */
static bool join(void *user, stw_job *job)
{
	joiner *j = user;
	stw_trace *t = j->trace;
	stwatch_status status = carry(j, job);
	bool damaged = status == STWATCH_ERR_DAMAGED;
	if (damaged && !note_problem(t, &job->error, j->state.fault == STW_FAULT_NONE || !job->loaded ? STW_FAULT_BYTES : j->state.fault))
		status = stw_fail_memory(&job->error);
	if (status != STWATCH_OK && status != STWATCH_ERR_DAMAGED && status != STWATCH_ERR_CANCELLED) {
		*j->error = job->error;
		return false;
	}
	bool events = job->fold.mem && job->fold.first_time != STW_TIME_UNKNOWN;
	int64_t *begin = stw_vec_push(t->mem, &t->begins);
	if (!begin) {
		stw_fail_memory(j->error);
		return false;
	}
	*begin = events ? job->fold.first_time : INT64_MAX;
	if (events) {
		if (!j->add(j->user, &job->fold, !j->begun && t->n_generations > 0)) {
			stw_fail_memory(j->error);
			return false;
		}
		note_wall(t, job);
		t->n_generations++;
	}
	/* After damage, the next generation stands on its own. The first is the first that has an event. */
	j->begun = !damaged && (j->begun || events);
	if (status == STWATCH_ERR_CANCELLED) {
		*j->error = job->error;
		return false;
	}
	if (j->options->progress)
		j->options->progress(j->options->progress_user, job->span->end, t->source.size);
	return true;
}

stwatch_status stw_trace_fold(stw_trace *t, const stw_run_options *options, stw_fold_fn add, void *user, stwatch_error *error)
{
	joiner j = {.trace = t, .add = add, .user = user, .options = options, .error = error};
	error->status = STWATCH_OK;
	stw_order_init(&j.state, t->mem);
	stw_crew_run(t->mem, t->spans.items, t->spans.count, options->threads, options->cancel, join, &j);
	stw_order_free(&j.state);
	return error->status;
}
