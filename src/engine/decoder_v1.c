#include "engine/decoder_v1.h"

#include <stddef.h>

enum {
	BLOCKS = 8, /* of each stream */
	EVENTS = 1024, /* in each */
	ENOUGH = 5, /* blocks to fill for which it is worth while to wake the thread; the others last until it has come */
};

static stw_v1_decoder *of(stw_v1_ahead *ahead)
{
	return (stw_v1_decoder *)(void *)((char *)ahead - offsetof(stw_v1_decoder, ahead));
}

/* Under the lock. */
static void want(stw_v1_decoder *d, uint32_t stream)
{
	d->wanted[(d->next_wanted + d->n_wanted++) % d->room] = stream;
}

static void fill(stw_v1_decoder *d, uint32_t stream)
{
	stw_v1_turn *turn = &d->turns[stream];
	if (turn->ended)
		return;
	stw_v1_block *block = &d->ahead.streams[stream].blocks[turn->filled % BLOCKS];
	pthread_mutex_unlock(&d->lock);
	stw_v1_ahead_fill(&d->ahead, stream, block);
	pthread_mutex_lock(&d->lock);
	turn->ended = block->status != STWATCH_OK && block->status != STWATCH_ERR_DAMAGED;
	if (turn->filled++ == turn->taken)
		pthread_cond_signal(&d->filled_changed);
}

static void *work(void *user)
{
	stw_v1_decoder *d = user;
	pthread_mutex_lock(&d->lock);
	while (!d->stop) {
		if (d->n_wanted == 0) {
			d->idle = true;
			pthread_cond_wait(&d->wanted_changed, &d->lock);
			d->idle = false;
			continue;
		}
		const uint32_t stream = d->wanted[d->next_wanted];
		d->next_wanted = (d->next_wanted + 1) % d->room;
		d->n_wanted--;
		fill(d, stream);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

static void wake(stw_v1_decoder *d, size_t least)
{
	if (d->idle && d->n_wanted >= least)
		pthread_cond_signal(&d->wanted_changed);
}

static const stw_v1_block *take(stw_v1_ahead *ahead, uint32_t stream)
{
	stw_v1_decoder *d = of(ahead);
	stw_v1_turn *turn = &d->turns[stream];
	pthread_mutex_lock(&d->lock);
	if (turn->taken) /* the one before */
		want(d, stream);
	while (turn->filled == turn->taken) {
		wake(d, 1);
		pthread_cond_wait(&d->filled_changed, &d->lock);
	}
	wake(d, ENOUGH);
	const stw_v1_block *block = &ahead->streams[stream].blocks[turn->taken++ % BLOCKS];
	pthread_mutex_unlock(&d->lock);
	return block;
}

static void free_all(stw_v1_decoder *d)
{
	stw_mem *mem = d->ahead.mem;
	pthread_cond_destroy(&d->wanted_changed);
	pthread_cond_destroy(&d->filled_changed);
	pthread_mutex_destroy(&d->lock);
	stw_mem_free(mem, d->turns, d->turns ? d->ahead.n_streams * sizeof *d->turns : 0);
	stw_mem_free(mem, d->wanted, d->wanted ? d->room * sizeof *d->wanted : 0);
	stw_v1_ahead_close(&d->ahead);
}

static bool start(stw_v1_decoder *d)
{
	const size_t n = d->ahead.n_streams;
	d->room = n * BLOCKS;
	d->turns = stw_mem_zalloc(d->ahead.mem, n * sizeof *d->turns);
	d->wanted = stw_mem_zalloc(d->ahead.mem, d->room * sizeof *d->wanted);
	if (!d->turns || !d->wanted)
		return false;
	for (size_t i = 0; i < d->room; i++)
		want(d, (uint32_t)(i % n));
	return pthread_create(&d->thread, NULL, work, d) == 0;
}

bool stw_v1_decoder_open(stw_v1_decoder *d, stw_mem *mem, stw_v1 *v1)
{
	*d = (stw_v1_decoder){.stop = false};
	if (v1->index.procs.count == 0 || !stw_v1_ahead_open(&d->ahead, mem, v1, BLOCKS, EVENTS, take))
		return false;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wanted_changed, NULL);
	pthread_cond_init(&d->filled_changed, NULL);
	if (start(d))
		return true;
	free_all(d);
	return false;
}

void stw_v1_decoder_close(stw_v1_decoder *d)
{
	if (!d->ahead.mem)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->wanted_changed);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	free_all(d);
}
