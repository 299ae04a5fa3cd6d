/* The first pass over all generations, and their join. */
#include "engine/trace.h"

#include "base/error.h"
#include "engine/crew.h"
#include "engine/pass_v1.h"
#include "order/join.h"

typedef struct joiner {
	stw_trace *trace;
	stw_fold_fn add;
	void *user;
	const stw_run_options *options;
	stw_order state; /* true, after the generations joined so far */
	bool begun; /* state is that of a generation before */
	stw_joint joint; /* of the generation at hand */
	int64_t last_time; /* of the events before it */
	uint64_t initial; /* number of the generation with which it begins */
	uint64_t done; /* bytes */
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
	status = stw_pass_run(&job->fold, &j->state, &gen, job->index, j->options, &job->error);
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

/* What an input is known to hold, after one more generation of it. */
static void note_read(stw_trace *t, const stw_job *job)
{
	const stw_fold *f = &job->fold;
	stw_trace_input *in = &t->inputs[job->span->input];
	for (size_t i = 0; i < sizeof f->counts / sizeof *f->counts; i++)
		in->n_events += f->counts[i];
	in->n_generations++;
	t->n_generations++;
	if (in->first_time == STW_TIME_UNKNOWN)
		in->first_time = f->first_time;
	in->last_time = f->last_time;
	if (!in->has_wall && job->has_clock) {
		in->has_wall = true;
		in->wall_ns = job->clock_wall_ns - (job->clock_trace_ns - in->first_time);
	}
	if (!t->has_wall && job->has_clock) {
		t->has_wall = true;
		t->wall_ns = job->clock_wall_ns - (job->clock_trace_ns - f->first_time);
	}
}

/* Numbers of goroutines are never used again: one that was there before a gap is not created after it, but in another process. */
static bool is_of_one_process(const joiner *j, const stw_job *job)
{
	for (size_t i = 0; j->begun && i < job->fold.tails.count; i++) {
		const stw_tail_g *g = &job->fold.tails.items[i];
		if (!g->g.created || stw_order_find_g(&j->state, g->id) == STW_MAP_NONE)
			continue;
		j->error->input = job->span->input;
		stw_fail(j->error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
			"of another process than the trace before it, to be looked at on its own: goroutine %lld begins anew in generation %llu",
			(long long)g->id, (unsigned long long)job->span->generation);
		return false;
	}
	return true;
}

static void note_gap(joiner *j, const stw_fold *f)
{
	j->trace->n_gaps++;
	if (f->first_time > j->last_time)
		j->trace->gaps_ns += f->first_time - j->last_time;
}

/* Called in order, on one thread. False ends the pass. */
static bool join(void *user, stw_job *job)
{
	joiner *j = user;
	stw_trace *t = j->trace;
	if (job->span->joint == STW_JOINT_GAP) {
		if (!is_of_one_process(j, job))
			return false;
		j->begun = false;
		j->joint = STW_JOINT_GAP;
	}
	stwatch_status status = carry(j, job);
	bool damaged = status == STWATCH_ERR_DAMAGED;
	stw_fault fault = j->state.fault == STW_FAULT_NONE || !job->loaded ? STW_FAULT_BYTES : j->state.fault;
	if (damaged && !stw_trace_note(t, job->span->input, &job->error, fault))
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
		stw_joint joint = t->n_generations == 0 ? STW_JOINT_WHOLE : j->joint;
		if (joint == STW_JOINT_GAP)
			note_gap(j, &job->fold);
		if (!j->add(j->user, &job->fold, joint)) {
			stw_fail_memory(j->error);
			return false;
		}
		note_read(t, job);
		j->joint = STW_JOINT_WHOLE;
		j->last_time = job->fold.last_time > j->last_time ? job->fold.last_time : j->last_time;
	}
	/* After damage, the next generation stands on its own. The first is the first that has an event. */
	j->begun = !damaged && (j->begun || events);
	if (damaged && j->joint == STW_JOINT_WHOLE)
		j->joint = STW_JOINT_DAMAGE;
	if (status == STWATCH_ERR_CANCELLED) {
		*j->error = job->error;
		return false;
	}
	t->n_read = j->done += job->span->end - job->span->begin;
	if (j->options->progress)
		j->options->progress(j->options->progress_user, j->done, t->n_bytes);
	return true;
}

stwatch_status stw_trace_fold(stw_trace *t, const stw_run_options *options, stw_fold_fn add, void *user, stwatch_error *error)
{
	joiner j = {.trace = t, .add = add, .user = user, .options = options, .last_time = INT64_MIN, .error = error};
	if (t->v1)
		return stw_trace_fold_v1(t, options, add, user, error);
	error->status = STWATCH_OK;
	stw_order_init(&j.state, t->mem);
	stw_crew_run(t->mem, t->spans.items, t->spans.count, options, join, &j);
	stw_order_free(&j.state);
	return error->status;
}
