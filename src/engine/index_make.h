/* How an index is made; inside index*.c only. */
#ifndef STW_ENGINE_INDEX_MAKE_H
#define STW_ENGINE_INDEX_MAKE_H

#include "engine/index.h"

enum { STW_INDEX_PAUSE = 1 << 14 }; /* events between two looks at whether to go on */

typedef struct stw_index_maker {
	stw_index *index;
	const stw_source *source;
	stw_go_version version;
	const stw_run_options *options;
	stw_bytes bytes; /* a state, for stw_index_put_state */
	stw_bytes first_pass; /* of a v1 trace */
	uint64_t at; /* bytes of the index so far */
	bool write_failed;
	stwatch_error *error;
} stw_index_maker;

/* Puts maker->bytes into the index as the state at which an entry begins. */
void stw_index_put_state(stw_index_maker *maker, stw_index_entry *entry);
/* STWATCH_OK; _CANCELLED, or _IO where the index could not be written. Tells the progress. */
stwatch_status stw_index_pause(const stw_index_maker *maker, uint64_t done);

/* Go through the trace and add entries. STWATCH_OK, also where it is damaged; _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_index_read_v2(stw_index_maker *maker);
stwatch_status stw_index_read_v1(stw_index_maker *maker);

#endif
