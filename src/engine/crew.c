#include "engine/crew.h"

#include <pthread.h>
#include <string.h>

enum { MOST_THREADS = 256 };

typedef struct crew {
	stw_mem *mem;
	const stw_span *spans;
	size_t n_spans, n_slots;
	const stw_run_options *options;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t next, joined; /* jobs taken, jobs handed back */
	bool stop;
	stw_job *slots; /* job i in slot i % n_slots */
	bool *ready;
} crew;

void stw_job_note(stw_job *job, const stw_generation *gen)
{
	job->loaded = true;
	job->begin_time = stw_generation_ns(gen, gen->min_time);
	job->has_clock = gen->has_clock;
	job->clock_trace_ns = stw_generation_ns(gen, gen->clock_time);
	job->clock_wall_ns = gen->clock_sec * 1000000000 + gen->clock_nsec;
	job->ns_per_unit = gen->guessed_clock ? 0 : gen->ns_per_unit;
}

/* What something is missing of is read once its turn has come. */
static void work(const crew *c, stw_job *job, size_t i)
{
	memset(job, 0, sizeof *job);
	job->span = &c->spans[i];
	job->index = (uint32_t)i;
	job->goes_on = i + 1 < c->n_spans && job->span[1].generation == job->span->generation;
	job->mode = i == 0 || job->span->joint == STW_JOINT_GAP ? STW_READ_INITIAL : STW_READ_SPECULATIVE;
	stw_order_init(&job->order, c->mem);
	stw_generation gen;
	if (job->span->damaged) {
		job->status = STWATCH_ERR_DAMAGED;
		return;
	}
	job->status = stw_generation_load(&gen, c->mem, job->span, &job->error);
	if (job->status != STWATCH_OK)
		return;
	stw_job_note(job, &gen);
	stw_order_begin(&job->order, job->mode);
	job->status = stw_pass_run(&job->fold, &job->order, &gen, job->index, c->options, &job->error);
	stw_fold_shrink(&job->fold);
	stw_generation_free(&gen);
}

static void finish(stw_job *job)
{
	stw_fold_free(&job->fold);
	stw_order_free(&job->order);
}

static void *worker(void *user)
{
	crew *c = user;
	pthread_mutex_lock(&c->lock);
	while (!c->stop && c->next < c->n_spans) {
		if (c->next >= c->joined + c->n_slots) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		size_t i = c->next++;
		pthread_mutex_unlock(&c->lock);
		work(c, &c->slots[i % c->n_slots], i);
		pthread_mutex_lock(&c->lock);
		c->ready[i % c->n_slots] = true;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Hands jobs back in order until the last, or until the caller has had enough. */
static void hand_back(crew *c, stw_job_fn done, void *user)
{
	for (size_t i = 0; i < c->n_spans; i++) {
		size_t slot = i % c->n_slots;
		pthread_mutex_lock(&c->lock);
		while (!c->ready[slot])
			pthread_cond_wait(&c->changed, &c->lock);
		pthread_mutex_unlock(&c->lock);
		bool go_on = done(user, &c->slots[slot]);
		finish(&c->slots[slot]);
		pthread_mutex_lock(&c->lock);
		c->ready[slot] = false;
		c->joined = i + 1;
		c->stop |= !go_on;
		pthread_cond_broadcast(&c->changed);
		pthread_mutex_unlock(&c->lock);
		if (!go_on)
			return;
	}
}

static void run_alone(crew *c, stw_job_fn done, void *user)
{
	stw_job job;
	for (size_t i = 0; i < c->n_spans; i++) {
		work(c, &job, i);
		bool go_on = done(user, &job);
		finish(&job);
		if (!go_on)
			return;
	}
}

void stw_crew_run(stw_mem *mem, const stw_span *spans, size_t n_spans, const stw_run_options *options, stw_job_fn done, void *user)
{
	crew c = {.mem = mem, .spans = spans, .n_spans = n_spans, .options = options};
	pthread_t ids[MOST_THREADS];
	unsigned running = 0, threads = options->threads;
	if (threads > MOST_THREADS)
		threads = MOST_THREADS;
	if (threads > n_spans)
		threads = (unsigned)n_spans;
	c.n_slots = (size_t)threads + 2;
	if (threads > 1) {
		c.slots = stw_mem_zalloc(mem, c.n_slots * sizeof *c.slots);
		c.ready = stw_mem_zalloc(mem, c.n_slots * sizeof *c.ready);
	}
	if (c.slots && c.ready) {
		pthread_mutex_init(&c.lock, NULL);
		pthread_cond_init(&c.changed, NULL);
		while (running < threads && pthread_create(&ids[running], NULL, worker, &c) == 0)
			running++;
		if (running)
			hand_back(&c, done, user);
		for (unsigned i = 0; i < running; i++)
			pthread_join(ids[i], NULL);
		for (size_t i = 0; i < c.n_slots; i++)
			if (c.ready[i])
				finish(&c.slots[i]);
		pthread_cond_destroy(&c.changed);
		pthread_mutex_destroy(&c.lock);
	}
	stw_mem_free(mem, c.slots, c.n_slots * sizeof *c.slots);
	stw_mem_free(mem, c.ready, c.n_slots * sizeof *c.ready);
	if (!running)
		run_alone(&c, done, user); /* also where threads can't be had */
}
