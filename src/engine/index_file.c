#include "engine/index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"

enum { DIGEST_PIECE = 1 << 20 };

#define SECOND ((int64_t)1000000000)
#define RACE_NS (2 * SECOND) /* clocks of file systems tick this coarsely at worst */

/* ---- of which state of which file ---- */

bool stw_index_identify(const stw_source *source, stw_index_identity *id)
{
	struct stat st;
	if (source->spooled || fstat(source->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	*id = (stw_index_identity){
		.size = (uint64_t)st.st_size,
		.inode = (uint64_t)st.st_ino,
		.device = (uint64_t)st.st_dev,
		.modified = (int64_t)st.st_mtim.tv_sec * SECOND + st.st_mtim.tv_nsec,
		.changed = (int64_t)st.st_ctim.tv_sec * SECOND + st.st_ctim.tv_nsec,
	};
	return true;
}

bool stw_index_same(const stw_index_identity *a, const stw_index_identity *b)
{
	return a->size == b->size && a->inode == b->inode && a->device == b->device && a->modified == b->modified &&
		a->changed == b->changed;
}

int64_t stw_index_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

stwatch_status stw_index_digest(stw_mem *mem, const stw_source *source, const volatile int *cancel, uint64_t *digest, stwatch_error *error)
{
	uint8_t *piece = stw_mem_resize(mem, NULL, 0, DIGEST_PIECE);
	if (!piece)
		return stw_fail_memory(error);
	stwatch_status status = STWATCH_OK;
	*digest = 0;
	for (uint64_t at = 0; status == STWATCH_OK && at < source->size;) {
		size_t got;
		status = stw_source_read(source, at, piece, DIGEST_PIECE, &got, error);
		if (status == STWATCH_OK && cancel && *cancel)
			status = stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		if (status != STWATCH_OK || got == 0)
			break;
		*digest = stw_digest(piece, got, *digest);
		at += got;
		stw_source_tell(source, at);
	}
	stw_mem_free(mem, piece, DIGEST_PIECE);
	return status;
}

bool stw_index_is_of(
	stw_mem *mem, const stw_source *source, const stw_index_identity *id, const stw_index_identity *then, int64_t made, uint64_t digest)
{
	uint64_t found = 0;
	stwatch_error ignored;
	if (stw_index_same(id, then) && then->changed < made - RACE_NS && then->modified < made - RACE_NS)
		return true;
	return id->size == then->size && stw_index_digest(mem, source, NULL, &found, &ignored) == STWATCH_OK && found == digest;
}

/* ---- where it is ---- */

static bool cache_path(char out[static STW_INDEX_PATH], const char *trace)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *real = realpath(trace, NULL);
	int n = -1;
	if (real && cache && *cache == '/')
		n = snprintf(out, STW_INDEX_PATH, "%s/stwatch/%016llx" STW_INDEX_ENDING, cache,
			(unsigned long long)stw_digest(real, strlen(real), 0));
	else if (real && home && *home == '/')
		n = snprintf(out, STW_INDEX_PATH, "%s/.cache/stwatch/%016llx" STW_INDEX_ENDING, home,
			(unsigned long long)stw_digest(real, strlen(real), 0));
	free(real);
	return n > 0 && n < STW_INDEX_PATH;
}

bool stw_index_path(char out[static STW_INDEX_PATH], const char *trace, bool cache)
{
	if (cache)
		return cache_path(out, trace);
	int n = snprintf(out, STW_INDEX_PATH, "%s" STW_INDEX_ENDING, trace);
	return n > 0 && n < STW_INDEX_PATH;
}

/* ---- its bytes ---- */

/* Another user's file could hold anything: who may write it may as well write the trace. */
bool stw_index_may_be_trusted(int fd, uint64_t *size)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0))
		return false;
	*size = (uint64_t)st.st_size;
	return true;
}

uint8_t *stw_index_read_part(stw_mem *mem, int fd, uint64_t file_size, uint64_t at, uint64_t size, uint64_t hash)
{
	if (at > file_size || size > file_size - at)
		return NULL;
	uint8_t *data = stw_mem_resize(mem, NULL, 0, (size_t)size + 1);
	if (!data)
		return NULL;
	size_t got = 0;
	for (ssize_t n = 1; n > 0 && got<size; got += n> 0 ? (size_t)n : 0)
		n = pread(fd, data + got, (size_t)size - got, (off_t)(at + got));
	if (got == size && stw_digest(data, (size_t)size, 0) == hash)
		return data;
	stw_mem_free(mem, data, (size_t)size + 1);
	return NULL;
}
