#include "engine/carry.h"

#include "base/error.h"
#include "order/join.h"

void stw_carry_init(stw_carry *c, stw_mem *mem, const stw_run_options *options)
{
	*c = (stw_carry){.mem = mem, .options = options};
	stw_order_init(&c->state, mem);
}

void stw_carry_free(stw_carry *c)
{
	stw_order_free(&c->state);
}

static stwatch_status read_again(stw_carry *c, stw_job *job, stw_read_mode mode)
{
	stw_generation gen;
	stw_fold_free(&job->fold);
	job->error = (stwatch_error){0};
	stwatch_status status = stw_generation_load(&gen, c->mem, job->span, &job->error);
	if (status != STWATCH_OK)
		return status;
	stw_order_begin(&c->state, mode);
	if (c->begun && job->span->generation == c->number) /* the same number again: sequence numbers go on */
		c->state.epoch--;
	status = stw_pass_run(&job->fold, &c->state, &gen, job->index, c->options, &job->error);
	stw_fold_shrink(&job->fold);
	stw_generation_free(&gen);
	return status;
}

static stwatch_status carry(stw_carry *c, stw_job *job)
{
	if (!job->loaded)
		return job->status;
	if (!c->begun) {
		stw_order_reset(&c->state);
		c->initial = job->span->generation;
		if (job->mode != STW_READ_INITIAL)
			return read_again(c, job, STW_READ_INITIAL);
		stw_order swap = c->state;
		c->state = job->order;
		job->order = swap;
		return job->status;
	}
	if (job->status != STWATCH_OK && !job->order.gave_up && job->status != STWATCH_ERR_DAMAGED)
		return job->status;
	if (job->span->generation == c->initial) /* to Go's reader it is still the first */
		return read_again(c, job, STW_READ_INITIAL);
	if (job->span->generation == c->number || job->goes_on) /* a join leaves sequence numbers out */
		return read_again(c, job, STW_READ_EXACT);
	switch (stw_order_join(&c->state, &job->order)) {
	case STW_JOINED: return job->status;
	case STW_JOIN_REFUSED: return read_again(c, job, STW_READ_EXACT);
	default: return stw_fail_memory(&job->error);
	}
}

stwatch_status stw_carry_over(stw_carry *c, stw_job *job)
{
	const stwatch_status status = carry(c, job);
	c->number = job->span->generation;
	return status;
}
