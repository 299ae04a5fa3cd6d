/* A thread that decodes a v1 trace's events ahead of who orders them. */
#ifndef STW_ENGINE_DECODER_V1_H
#define STW_ENGINE_DECODER_V1_H

#include <pthread.h>

#include "order/v1_ahead.h"

typedef struct stw_v1_turn {
	uint32_t filled, taken; /* blocks, of all so far; how many are ready is what is between */
	bool ended; /* no block follows */
} stw_v1_turn;

typedef struct stw_v1_decoder {
	stw_v1_ahead ahead; /* for stw_v1_merge_open_ahead */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wanted_changed, filled_changed;
	stw_v1_turn *turns; /* by stream */
	uint32_t *wanted; /* a ring of streams that have a block to be filled, each as often as it has such */
	size_t n_wanted, next_wanted, room;
	bool idle; /* the thread waits */
	bool stop;
} stw_v1_decoder;

/* False where it can't be had, for want of memory or of a thread, or as there are too many procs: then nothing needs to be closed. */
bool stw_v1_decoder_open(stw_v1_decoder *decoder, stw_mem *mem, stw_v1 *v1);
/* Also of one that was not opened. */
void stw_v1_decoder_close(stw_v1_decoder *decoder);

#endif
