/* The first pass over all generations, and their join. */
#include "engine/trace.h"

#include <stdio.h>

#include "base/error.h"
#include "engine/carry.h"
#include "engine/pass_v1.h"
#include "engine/together.h"

typedef struct joiner {
	stw_trace *trace;
	stw_fold_fn add;
	void *user;
	const stw_run_options *options;
	stw_carry carry;
	stw_joint joint; /* of the generation at hand */
	int64_t last_time; /* of what was handed on; STW_TIME_UNKNOWN: nothing was */
	bool left_out; /* the generation before was */
	double ns_per_unit; /* of a generation before, 0: not known */
	uint64_t done; /* bytes */
	stwatch_error *error;
} joiner;

/* What an input is known to hold, after one more generation of it. */
static void note_read(stw_trace *t, const stw_job *job)
{
	const stw_fold *f = &job->fold;
	stw_trace_input *in = &t->inputs[job->span->input];
	in->n_events += stw_fold_events(f);
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
	for (size_t i = 0; j->carry.begun && i < job->fold.tails.count; i++) {
		const stw_tail_g *g = &job->fold.tails.items[i];
		if (!g->g.created || stw_order_find_g(&j->carry.state, g->id) == STW_MAP_NONE)
			continue;
		stw_trace_fail_foreign(j->error, job->span, g->id);
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

/* ---- what can't be read strictly ---- */

/* From the beginning of the trace, as people are told. */
static double since_start(const joiner *j, const stw_job *job, int64_t time)
{
	const stw_trace_input *in = &j->trace->inputs[job->span->input];
	return (double)(time - (in->first_time == STW_TIME_UNKNOWN ? job->fold.first_time : in->first_time)) / 1e6;
}

/* What was lost, in words, behind what the strict reading says. False when out of memory. */
static bool note_loss(const joiner *j, const stw_job *job, const stw_leftover *left, const stw_salvaged *salvaged)
{
	const stw_fold *f = &job->fold;
	stwatch_error e;
	char what[STWATCH_MESSAGE_MAX];
	size_t n = 0;
	uint64_t offset = left->first.status != STWATCH_OK ? left->first.offset
		: job->error.status != STWATCH_OK          ? job->error.offset
		: job->span->n_holes                       ? job->span->holes[0].from
							   : job->span->begin;
#define ADD(...) (n += n < sizeof what ? (size_t)snprintf(what + n, sizeof what - n, __VA_ARGS__) : 0)
	ADD("generation %llu is read as far as it holds", (unsigned long long)job->span->generation);
	size_t least = n;
	if (left->bytes)
		ADD(": %.100s; %llu bytes of batches make no sense", left->first.message, (unsigned long long)left->bytes);
	if (salvaged->left_out || salvaged->anew)
		ADD("%s %llu events could not be placed, %llu states begin anew", n == least ? ":" : ";",
			(unsigned long long)salvaged->left_out, (unsigned long long)salvaged->anew);
	if (f->lost_to != INT64_MIN && f->lost_from < f->last_time)
		ADD("%s events are missing between %+.3f ms and %+.3f ms", n == least ? ":" : ";", since_start(j, job, f->lost_from),
			since_start(j, job, f->lost_to < f->last_time ? f->lost_to : f->last_time));
#undef ADD
	if (n == least)
		return true;
	stw_fail(&e, STWATCH_ERR_DAMAGED, offset, "%s", what);
	return stw_trace_note(j->trace, job->span->input, &e, STW_FAULT_BYTES);
}

static stwatch_status read_what_is_left(
	joiner *j, stw_job *job, stw_leftover *left, stw_salvaged *salvaged, bool explained, stwatch_error *e)
{
	stw_generation gen;
	stw_fold_free(&job->fold);
	stwatch_status status = stw_generation_salvage(&gen, j->trace->mem, job->span, left, e);
	if (status != STWATCH_OK)
		return status;
	stw_job_note(job, &gen);
	stw_order_reset(&j->carry.state);
	stw_order_begin(&j->carry.state, STW_READ_INITIAL);
	status = stw_pass_salvage(&job->fold, &j->carry.state, &gen, job->index, explained || left->events,
		job->span->damaged || left->batches, j->options, salvaged, e);
	stw_fold_shrink(&job->fold);
	stw_generation_free(&gen);
	return status;
}

/* Reads the generation again, going on behind what contradicts itself or can't be read, and notes that. */
static stwatch_status salvage(joiner *j, stw_job *job)
{
	stw_trace *t = j->trace;
	stwatch_error e = {.status = STWATCH_OK};
	stw_salvaged salvaged = {0};
	stw_leftover left = {.ns_per_unit = j->ns_per_unit};
	stw_fault fault = job->error.status == STWATCH_OK || j->carry.state.fault == STW_FAULT_NONE || !job->loaded ? STW_FAULT_BYTES
														    : j->carry.state.fault;
	stwatch_status status = read_what_is_left(j, job, &left, &salvaged, job->span->damaged || fault == STW_FAULT_BYTES, &e);
	if (status != STWATCH_OK && status != STWATCH_ERR_CANCELLED) {
		job->error = e;
		return status;
	}
	if (left.bytes)
		fault = STW_FAULT_BYTES;
	t->spans.items[job->index].damaged = true;
	bool noted = job->error.status == STWATCH_OK || stw_trace_note(t, job->span->input, &job->error, fault);
	if (!noted || !note_loss(j, job, &left, &salvaged))
		return stw_fail_memory(&job->error);
	job->error = e;
	return status;
}

/* What lies before what was read already is something else: the same again, or another recording. */
static bool is_earlier(const joiner *j, const stw_job *job, bool damaged)
{
	return (!j->carry.begun || damaged) && j->last_time != STW_TIME_UNKNOWN && job->fold.mem &&
		job->fold.first_time != STW_TIME_UNKNOWN && job->fold.first_time < j->last_time - STW_OVERLAP_NS;
}

static bool leave_out(joiner *j, const stw_job *job, size_t told)
{
	stwatch_error e;
	bool again = j->left_out;
	for (size_t i = told; i < j->trace->problems.count; i++) /* what contradicts itself there is nothing of this trace's */
		j->trace->problems.items[i].fault = STW_FAULT_BYTES;
	j->left_out = true;
	if (again)
		return true;
	stw_fail(&e, STWATCH_ERR_DAMAGED, job->span->begin,
		"generation %llu begins at %+.3f ms, before what was read until there (%+.3f ms): it is left out, as are those that follow "
		"it",
		(unsigned long long)job->span->generation, since_start(j, job, job->fold.first_time), since_start(j, job, j->last_time));
	return stw_trace_note(j->trace, job->span->input, &e, STW_FAULT_BYTES);
}

/* Hands a generation on. False when out of memory. */
static bool hand_on(joiner *j, stw_job *job, bool events)
{
	stw_trace *t = j->trace;
	int64_t *begin = stw_vec_push(t->mem, &t->begins);
	if (!begin)
		return false;
	*begin = events ? job->fold.first_time : INT64_MAX;
	if (!events)
		return true;
	stw_joint joint = t->n_generations == 0 ? STW_JOINT_WHOLE : j->joint;
	if (joint == STW_JOINT_GAP)
		note_gap(j, &job->fold);
	if (!j->add(j->user, &job->fold, joint))
		return false;
	j->joint = STW_JOINT_WHOLE;
	if (j->last_time == STW_TIME_UNKNOWN || job->fold.last_time > j->last_time)
		j->last_time = job->fold.last_time;
	j->left_out = false;
	note_read(t, job);
	return true;
}

/* Called in order, on one thread. False ends the pass. */
static bool join(void *user, stw_job *job)
{
	joiner *j = user;
	stw_trace *t = j->trace;
	if (job->span->joint == STW_JOINT_GAP && !is_of_one_process(j, job))
		return false;
	if (job->span->joint != STW_JOINT_WHOLE) {
		j->carry.begun = false;
		j->joint = job->span->joint;
	}
	stwatch_status status = stw_carry_over(&j->carry, job);
	bool damaged = status == STWATCH_ERR_DAMAGED;
	const size_t told = t->problems.count;
	if (damaged)
		status = salvage(j, job);
	if (status != STWATCH_OK && status != STWATCH_ERR_CANCELLED) {
		*j->error = job->error;
		return false;
	}
	if (job->ns_per_unit > 0)
		j->ns_per_unit = job->ns_per_unit;
	bool events = job->fold.mem && job->fold.first_time != STW_TIME_UNKNOWN, earlier = is_earlier(j, job, damaged);
	if ((earlier && !leave_out(j, job, told)) || !hand_on(j, job, events && !earlier)) {
		stw_fail_memory(j->error);
		return false;
	}
	/* After damage, the next generation stands on its own. The first is the first that has an event. */
	j->carry.begun = !damaged && !earlier && (j->carry.begun || events);
	if ((damaged || earlier) && j->joint == STW_JOINT_WHOLE)
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
	joiner j = {.trace = t, .add = add, .user = user, .options = options, .last_time = STW_TIME_UNKNOWN, .error = error};
	if (t->v1)
		return stw_trace_fold_v1(t, options, add, user, error);
	error->status = STWATCH_OK;
	stw_carry_init(&j.carry, t->mem, options);
	stw_crew_run(t->mem, t->spans.items, t->spans.count, options, join, &j);
	stw_carry_free(&j.carry);
	return error->status;
}
