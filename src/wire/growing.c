#include "wire/growing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/inotify.h>
#endif

#include "base/error.h"
#include "wire/http.h"

enum { TURN_MS = 100, HEAD = 16 };

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

typedef enum writers { NO_WRITER, A_WRITER, NOT_KNOWN } writers;

/* A lease for reading can be had only of a file that nobody has open for writing; it is given back at once. Should somebody open the file just
 * then, the kernel says so by a signal, here one that nobody minds. */
static writers look_for_writers(int fd)
{
#ifdef F_SETLEASE
	if (fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		fcntl(fd, F_SETLEASE, F_UNLCK);
		return NO_WRITER;
	}
	return errno == EAGAIN ? A_WRITER : NOT_KNOWN;
#else
	(void)fd;
	return NOT_KNOWN;
#endif
}

bool stw_is_being_written(int fd)
{
	return look_for_writers(fd) == A_WRITER;
}

/* ---- what happens to the file ---- */

static void watch(stw_growing *g, const char *path)
{
	g->watch = -1;
#ifdef __linux__
	g->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (g->watch >= 0 && inotify_add_watch(g->watch, path, IN_MODIFY | IN_CLOSE_WRITE) < 0) {
		close(g->watch);
		g->watch = -1;
	}
#else
	(void)path;
#endif
}

/* Up to a tenth of a second: for what the kernel tells, or just that long. True where a writer has closed the file. */
static bool wait_a_turn(const stw_growing *g)
{
	struct pollfd wait = {.fd = g->watch, .events = POLLIN};
	bool closed = false;
	if (poll(&wait, 1, TURN_MS) <= 0 || g->watch < 0)
		return false;
#ifdef __linux__
	_Alignas(struct inotify_event) char events[4096];
	ssize_t n;
	while ((n = read(g->watch, events, sizeof events)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(const void *)(events + at);
			closed |= (e->mask & IN_CLOSE_WRITE) != 0;
			at += (ssize_t)(sizeof *e + e->len);
		}
#endif
	return closed;
}

static stwatch_status size_of(const stw_growing *g, uint64_t before, uint64_t *size, stwatch_error *error)
{
	struct stat st;
	if (fstat(g->in, &st) != 0)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't read: %s", strerror(errno));
	*size = (uint64_t)st.st_size;
	if (*size < before)
		return stw_fail(error, STWATCH_ERR_IO, *size, "the file became shorter while it was read");
	return STWATCH_OK;
}

/* ---- taking what there is ---- */

static stwatch_status pump_on(stw_growing *g, stwatch_error *error)
{
	stwatch_status status = stw_pump_step(&g->pump, error);
	g->source.size = g->pump.written;
	g->source.file_size = g->pump.taken;
	g->source.packing = g->pump.packing;
	return status;
}

/* Whether to wait on. STWATCH_END: it was silent for too long; _CANCELLED. */
static stwatch_status have_patience(const stw_growing *g, stwatch_error *error)
{
	if (g->options.cancel && *g->options.cancel)
		return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	return g->silence_ns && now() - g->heard_ns >= g->silence_ns ? STWATCH_END : STWATCH_OK;
}

static bool is_ready(const stw_growing *g)
{
	struct pollfd wait = {.fd = g->in, .events = POLLIN};
	return g->http ? stw_http_ready(g->http, TURN_MS) : poll(&wait, 1, TURN_MS) > 0;
}

/* Of a pipe: whatever comes, perhaps its end. */
static stwatch_status wait_for_pipe(stw_growing *g, int64_t until, stwatch_error *error)
{
	const uint64_t before = g->source.size;
	stwatch_status status;
	while ((status = have_patience(g, error)) == STWATCH_OK && g->source.size == before && now() < until) {
		if (!is_ready(g))
			continue;
		status = pump_on(g, error);
		if (status != STWATCH_OK)
			break;
	}
	return status;
}

/* Of a file: up to its end as it is now. STWATCH_END: there is nothing new. */
static stwatch_status take_written(stw_growing *g, stwatch_error *error)
{
	uint64_t size = 0, before = g->source.size;
	stwatch_status status = size_of(g, g->source.file_size, &size, error);
	if (status != STWATCH_OK)
		return status;
	if (!g->pumped) {
		g->source.size = g->source.file_size = size;
		return size > before ? STWATCH_OK : STWATCH_END;
	}
	while (status == STWATCH_OK)
		status = pump_on(g, error);
	if (status == STWATCH_END && (g->pump.broken || g->pump.cut))
		g->written = true; /* whatever else comes is of no use */
	return status == STWATCH_END && g->source.size > before ? STWATCH_OK : status;
}

static stwatch_status wait_for_file(stw_growing *g, int64_t until, stwatch_error *error)
{
	for (;;) {
		const bool last = g->written;
		stwatch_status status = take_written(g, error);
		if (status != STWATCH_END || last)
			return status;
		status = have_patience(g, error);
		if (status != STWATCH_OK || now() >= until)
			return status;
		if (wait_a_turn(g)) /* one of several writers, perhaps */
			g->written = look_for_writers(g->in) != A_WRITER;
	}
}

stwatch_status stw_growing_wait(stw_growing *g, int64_t until, stwatch_error *error)
{
	const uint64_t before = g->source.size;
	stwatch_status status = g->plain ? wait_for_file(g, until, error) : wait_for_pipe(g, until, error);
	if (g->source.size > before)
		g->heard_ns = now();
	if (status == STWATCH_END && g->pumped) {
		stw_pump_conclude(&g->pump);
		g->source.cut = g->pump.cut;
	}
	return status;
}

/* ---- opening and closing ---- */

/* Enough to tell what it is. */
static stwatch_status wait_for_head(stw_growing *g, stwatch_error *error)
{
	stwatch_status status = STWATCH_OK;
	while (status == STWATCH_OK && g->source.size < HEAD)
		status = stw_growing_wait(g, INT64_MAX, error);
	return status == STWATCH_END ? STWATCH_OK : status;
}

static stwatch_status begin_pump(stw_growing *g, stwatch_error *error)
{
	g->pumped = true;
	g->feed = (stw_fd_feed){g->in, g->options.cancel};
	const stw_feed feed = g->http ? (stw_feed){stw_http_read, g->http} : (stw_feed){stw_fd_feed_read, &g->feed};
	stwatch_status status = stw_pump_begin(&g->pump, feed, &g->options, error);
	g->source.fd = g->pump.out;
	g->source.spooled = true;
	return status;
}

/* Whether it is packed shows in its first bytes, for which one has to wait. */
static stwatch_status begin_file(stw_growing *g, stwatch_error *error)
{
	unsigned char head[8];
	size_t got = 0;
	g->source.fd = g->in;
	stwatch_status status = wait_for_head(g, error);
	if (status == STWATCH_OK)
		status = stw_source_read(&g->source, 0, head, sizeof head, &got, error);
	if (status != STWATCH_OK || stw_packing_of(head, got) == STW_PACKED_NOT)
		return status;
	g->source.size = g->source.file_size = 0;
	status = begin_pump(g, error);
	return status == STWATCH_OK ? wait_for_head(g, error) : status;
}

stwatch_status stw_growing_open(
	stw_growing *g, const char *path, const stw_source_options *options, int64_t silence_ns, stwatch_error *error)
{
	struct stat st;
	memset(g, 0, offsetof(stw_growing, pump));
	g->options = *options;
	g->silence_ns = silence_ns;
	g->heard_ns = now();
	g->watch = g->in = g->source.fd = g->pump.out = -1;
	g->pump.gzip_begun = false;
	g->pump.zstd = NULL;
	if (stw_is_address(path)) {
		stwatch_status status = stw_http_open(&g->http, path, options->cancel, error);
		if (status == STWATCH_OK)
			status = begin_pump(g, error);
		return status == STWATCH_OK ? wait_for_head(g, error) : status;
	}
	g->in = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (g->in < 0 || fstat(g->in, &st) != 0)
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't open: %s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "is a directory (a file was expected)");
	g->plain = S_ISREG(st.st_mode) && strcmp(path, "-") != 0;
	if (!g->plain) {
		stwatch_status status = begin_pump(g, error);
		return status == STWATCH_OK ? wait_for_head(g, error) : status;
	}
	watch(g, path); /* first, so that no end is missed */
	g->written = look_for_writers(g->in) == NO_WRITER;
	return begin_file(g, error);
}

void stw_growing_close(stw_growing *g)
{
	if (g->pumped) {
		g->source.fd = -1;
		int out = stw_pump_end(&g->pump);
		if (out >= 0)
			close(out);
	}
	stw_http_close(g->http);
	g->http = NULL;
	if (g->watch >= 0)
		close(g->watch);
	if (g->in >= 0)
		close(g->in);
	g->in = g->watch = g->source.fd = -1;
}
