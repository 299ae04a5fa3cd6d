#include "wire/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "wire/http.h"
#include "wire/pump.h"

static stwatch_status fail_errno(stwatch_error *error, const char *doing)
{
	return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "%s: %s", doing, strerror(errno));
}

stwatch_status stw_temporary_file(int *fd, stwatch_error *error)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	errno = ENAMETOOLONG;
	*fd = snprintf(path, sizeof path, "%s/stwatch-XXXXXX", dir && *dir ? dir : "/tmp") < (int)sizeof path ? mkstemp(path) : -1;
	if (*fd < 0)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET,
			"can't create a temporary file (set TMPDIR to a folder with room): %s", strerror(errno));
	unlink(path);
	return STWATCH_OK;
}

stwatch_status stw_temporary_fail(stwatch_error *error)
{
	return fail_errno(error, "can't write a temporary file (set TMPDIR to a folder with room)");
}

bool stw_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	while (size) {
		ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

/* Waits in short turns, so that an interruption is seen whenever it comes. */
stwatch_status stw_fd_feed_read(void *user, void *buffer, size_t size, size_t *got, stwatch_error *error)
{
	enum { TURN_MS = 100 };
	const stw_fd_feed *feed = user;
	struct pollfd wait = {.fd = feed->fd, .events = POLLIN};
	*got = 0;
	for (;;) {
		if (feed->cancel && *feed->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted while it was being read");
		int ready = poll(&wait, 1, TURN_MS);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		ssize_t n = read(feed->fd, buffer, size);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return fail_errno(error, "can't read");
		*got = (size_t)n;
		return STWATCH_OK;
	}
}

/* Copies what can't be read at offsets into a temporary file, unpacked, and puts that in its place. */
static stwatch_status spool(stw_source *source, stw_feed feed, const stw_source_options *options, stwatch_error *error)
{
	stw_pump pump;
	stwatch_status status = stw_pump_begin(&pump, feed, options, error);
	while (status == STWATCH_OK)
		status = stw_pump_step(&pump, error);
	stw_pump_conclude(&pump);
	int out = stw_pump_end(&pump);
	if (status != STWATCH_END) {
		if (out >= 0)
			close(out);
		return status;
	}
	if (source->fd >= 0)
		close(source->fd);
	source->fd = out;
	source->size = pump.written;
	source->file_size = pump.taken;
	source->packing = pump.packing;
	source->cut = pump.cut;
	source->spooled = true;
	return STWATCH_OK;
}

static stwatch_status spool_fd(stw_source *source, const stw_source_options *options, stwatch_error *error)
{
	stw_fd_feed feed = {source->fd, options->cancel};
	return spool(source, (stw_feed){stw_fd_feed_read, &feed}, options, error);
}

static stwatch_status fetch(stw_source *source, const char *address, const stw_source_options *options, stwatch_error *error)
{
	stw_http *http;
	stwatch_status status = stw_http_open(&http, address, options->cancel, error);
	if (status == STWATCH_OK)
		status = spool(source, (stw_feed){stw_http_read, http}, options, error);
	stw_http_close(http);
	return status;
}

/* A FIFO is opened without waiting for who writes to it: the feed waits, in turns. */
static stwatch_status open_file(stw_source *source, stw_source_options *options, stwatch_error *error)
{
	struct stat st;
	unsigned char head[8];
	size_t got = 0;
	if (fstat(source->fd, &st) != 0)
		return fail_errno(error, "can't read");
	if (S_ISDIR(st.st_mode))
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "is a directory (a file was expected)");
	if (!S_ISREG(st.st_mode) || lseek(source->fd, 0, SEEK_CUR) != 0)
		return spool_fd(source, options, error);
	source->size = source->file_size = options->expected = (uint64_t)st.st_size;
	stwatch_status status = stw_source_read(source, 0, head, sizeof head, &got, error);
	return status == STWATCH_OK && stw_packing_of(head, got) != STW_PACKED_NOT ? spool_fd(source, options, error) : status;
}

stwatch_status stw_source_open(stw_source *source, const char *path, const stw_source_options *options, stwatch_error *error)
{
	stw_source_options o = {0};
	if (options)
		o = *options;
	*source = (stw_source){.fd = -1, .progress = o.progress, .progress_user = o.progress_user};
	if (stw_is_address(path))
		return fetch(source, path, &o, error);
	source->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (source->fd < 0)
		return fail_errno(error, "can't open");
	stwatch_status status = open_file(source, &o, error);
	if (status != STWATCH_OK)
		stw_source_close(source);
	return status;
}

stwatch_status stw_source_fail_cut(const stw_source *source, stwatch_error *error)
{
	static const char *const reasons[] = {
		[STW_CUT_CORRUPT] = "the compressed data is cut or corrupt: it unpacks to %llu bytes, and then no more",
		[STW_CUT_LIMIT] = "the input is larger than the limit for temporary files: it is read up to byte %llu (see --unpack-limit)",
		[STW_CUT_DISK] = "the folder for temporary files has no more room: it is read up to byte %llu (set TMPDIR to one that has)",
	};
	return stw_fail(error, STWATCH_ERR_DAMAGED, source->size, reasons[source->cut], (unsigned long long)source->size);
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
