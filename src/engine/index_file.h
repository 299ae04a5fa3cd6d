/* The file of an index as a file: where it is, of which state of which trace, its parts. Inside the engine only. */
#ifndef STW_ENGINE_INDEX_FILE_H
#define STW_ENGINE_INDEX_FILE_H

#include "engine/index.h"

/* What tells a state of a file from another. */
typedef struct stw_index_identity {
	uint64_t size, inode, device;
	int64_t modified, changed;
} stw_index_identity;

/* False where it is no plain file. */
bool stw_index_identify(const stw_source *source, stw_index_identity *id);
bool stw_index_same(const stw_index_identity *a, const stw_index_identity *b);
/* The hash of all bytes of a trace. STWATCH_OK, _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_index_digest(stw_mem *mem, const stw_source *source, const volatile int *cancel, uint64_t *digest, stwatch_error *error);
/* Whether an index that was made of `then` at `made` is of a trace that is now `id`. */
bool stw_index_is_of(stw_mem *mem, const stw_source *source, const stw_index_identity *id, const stw_index_identity *then, int64_t made,
	uint64_t digest);
int64_t stw_index_now(void);

bool stw_index_may_be_trusted(int fd, uint64_t *size);
/* Reads a part of the file; NULL if it isn't there or not as its hash says. To be freed with its size + 1. */
uint8_t *stw_index_read_part(stw_mem *mem, int fd, uint64_t file_size, uint64_t at, uint64_t size, uint64_t hash);

#endif
