/* Skimming a v1 trace in several places at once. A batch states no length, so where one begins is known only to who comes from the beginning; but it can be guessed
 * (resync.h). So threads skim parts from guesses on, and what one found counts only if who comes from the beginning arrives at just the byte where it began: from
 * there on, the same bytes say the same. Else, and what has to do with tables or damage, is skimmed by that one itself. Inside index.c and parts.c only. */
#ifndef STW_V1_PARTS_H
#define STW_V1_PARTS_H

#include <pthread.h>

#include "v1/skim.h"

enum { STW_V1_PARTS_THREADS = 16 };

typedef struct stw_v1_part {
	stw_v1_skimmer *skimmer;
	stw_v1_index index;
	uint64_t begin, end; /* bytes; end: of the first record that it leaves to others */
	bool usable;
	bool whole; /* it ends with a batch that begins where the next part's are, or with the file */
	bool ready;
	stwatch_error error;
} stw_v1_part;

typedef struct stw_v1_parts {
	stw_mem *mem;
	const stw_v1_skimmer *of;
	uint64_t begin, chunk, n, next, taken; /* bytes of a part; how many there are, were begun, were handed over */
	pthread_t ids[STW_V1_PARTS_THREADS];
	unsigned n_threads, n_slots;
	stw_v1_part *slots; /* part i in slot i % n_slots */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
} stw_v1_parts;

/* For a skimmer that stands at the beginning. False where it is not worth while, or can't be had: then nothing needs to be closed. */
bool stw_v1_parts_open(stw_v1_parts *parts, const stw_v1_skimmer *of, unsigned threads);
void stw_v1_parts_close(stw_v1_parts *parts);
/* Where the batches of a part may begin at the latest, but for the last part's. */
uint64_t stw_v1_parts_end(const stw_v1_parts *parts, uint64_t part);
/* In order. Gives what was found in a part to the skimmer, if that stands where it begins; *whole: to its end. STWATCH_OK, _MEMORY, _IO. */
stwatch_status stw_v1_parts_take(stw_v1_parts *parts, uint64_t part, stw_v1_skimmer *to, bool *whole);

#endif
