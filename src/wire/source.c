#include "wire/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "wire/unpack.h"

static stwatch_status fail_errno(stwatch_error *error, const char *doing)
{
	return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "%s: %s", doing, strerror(errno));
}

int stw_temporary_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	if (snprintf(path, sizeof path, "%s/stwatch-XXXXXX", dir && *dir ? dir : "/tmp") >= (int)sizeof path)
		return -1;
	int fd = mkstemp(path);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static stw_packing packing_of(const unsigned char *head, size_t length)
{
	static const unsigned char zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	if (length >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8)
		return STW_PACKED_GZIP;
	if (length >= 4 && memcmp(head, zstd_magic, 4) == 0)
		return STW_PACKED_ZSTD;
	return STW_PACKED_NOT;
}

/* Copies a stream that can't be read at offsets into a temporary file, and puts that in its place. */
static stwatch_status spool_stream(stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	int out = stw_temporary_file();
	if (out < 0)
		return fail_errno(error, "can't create a temporary file (set TMPDIR to a folder with room)");
	char buffer[64 << 10];
	uint64_t total = 0;
	for (;;) {
		if (cancel && *cancel) {
			close(out);
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		}
		ssize_t n = read(source->fd, buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			close(out);
			return fail_errno(error, "can't read");
		}
		if (n == 0)
			break;
		if (!stw_write_all(out, buffer, (size_t)n)) {
			close(out);
			return fail_errno(error, "can't write a temporary file");
		}
		total += (uint64_t)n;
	}
	if (source->fd > STDERR_FILENO)
		close(source->fd);
	source->fd = out;
	source->size = source->file_size = total;
	source->spooled = true;
	return STWATCH_OK;
}

static stwatch_status spool_unpacked(stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	int out = stw_temporary_file();
	if (out < 0)
		return fail_errno(error, "can't create a temporary file (set TMPDIR to a folder with room)");
	stwatch_status status = stw_unpack(source, out, &source->size, &source->cut, cancel, error);
	if (status != STWATCH_OK) {
		close(out);
		return status;
	}
	close(source->fd);
	source->fd = out;
	source->spooled = true;
	return STWATCH_OK;
}

stwatch_status stw_source_open(stw_source *source, const char *path, const volatile int *cancel, stwatch_error *error)
{
	*source = (stw_source){.fd = -1};
	bool is_stdin = strcmp(path, "-") == 0;
	source->fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (source->fd < 0)
		return fail_errno(error, "can't open");
	struct stat st;
	stwatch_status status = STWATCH_OK;
	if (fstat(source->fd, &st) != 0)
		status = fail_errno(error, "can't read");
	else if (S_ISDIR(st.st_mode))
		status = stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "is a directory (a file was expected)");
	else if (S_ISREG(st.st_mode) && lseek(source->fd, 0, SEEK_CUR) == 0)
		source->size = source->file_size = (uint64_t)st.st_size;
	else
		status = spool_stream(source, cancel, error);
	unsigned char head[8];
	size_t got = 0;
	if (status == STWATCH_OK)
		status = stw_source_read(source, 0, head, sizeof head, &got, error);
	if (status == STWATCH_OK) {
		source->packing = packing_of(head, got);
		if (source->packing != STW_PACKED_NOT)
			status = spool_unpacked(source, cancel, error);
	}
	if (status != STWATCH_OK)
		stw_source_close(source);
	return status;
}

void stw_source_close(stw_source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

stwatch_status stw_source_read(const stw_source *source, uint64_t offset, void *buffer, size_t size, size_t *got, stwatch_error *error)
{
	*got = 0;
	if (offset > INT64_MAX)
		return STWATCH_OK;
	while (*got < size) {
		ssize_t n = pread(source->fd, (char *)buffer + *got, size - *got, (off_t)(offset + *got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stw_fail(error, STWATCH_ERR_IO, offset + *got, "can't read: %s", strerror(errno));
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return STWATCH_OK;
}
