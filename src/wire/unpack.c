#include "wire/unpack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"

enum { CHUNK = 128 << 10 };

typedef struct unpacker {
	const stw_source *source;
	int out;
	uint64_t offset, written;
	unsigned char in[CHUNK], room[CHUNK];
	const volatile int *cancel;
	stwatch_error *error;
} unpacker;

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

static stwatch_status fill(unpacker *u, size_t *got)
{
	stwatch_status status = stw_source_read(u->source, u->offset, u->in, sizeof u->in, got, u->error);
	u->offset += *got;
	return status;
}

static stwatch_status flush(unpacker *u, size_t size)
{
	if (u->cancel && *u->cancel)
		return stw_fail(u->error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	if (size && !stw_write_all(u->out, u->room, size))
		return stw_fail(u->error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't write a temporary file: %s", strerror(errno));
	u->written += size;
	return STWATCH_OK;
}

static stwatch_status unpack_gzip(unpacker *u, bool *cut)
{
	z_stream z = {0};
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return stw_fail_memory(u->error);
	stwatch_status status = STWATCH_OK;
	int rc = Z_OK;
	bool between = false; /* after a member's end: another may follow, or nothing */
	for (;;) {
		if (z.avail_in == 0) {
			size_t got;
			status = fill(u, &got);
			if (status != STWATCH_OK || got == 0)
				break;
			z.next_in = u->in;
			z.avail_in = (uInt)got;
		}
		if (between && inflateReset(&z) != Z_OK)
			break;
		between = false;
		z.next_out = u->room;
		z.avail_out = sizeof u->room;
		rc = inflate(&z, Z_NO_FLUSH);
		status = flush(u, sizeof u->room - z.avail_out);
		if (status != STWATCH_OK || (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR))
			break;
		between = rc == Z_STREAM_END;
	}
	*cut = !between;
	inflateEnd(&z);
	return status;
}

static stwatch_status unpack_zstd(unpacker *u, bool *cut)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	if (!z)
		return stw_fail_memory(u->error);
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 27); /* 128 MiB: what the zstd tool itself takes by default */
	stwatch_status status = STWATCH_OK;
	size_t left = 1, got;
	while (status == STWATCH_OK && (status = fill(u, &got)) == STWATCH_OK && got) {
		ZSTD_inBuffer in = {u->in, got, 0};
		bool full = false;
		while (status == STWATCH_OK && (in.pos < in.size || full)) {
			ZSTD_outBuffer out = {u->room, sizeof u->room, 0};
			left = ZSTD_decompressStream(z, &out, &in);
			if (ZSTD_isError(left))
				break;
			full = out.pos == out.size;
			status = flush(u, out.pos);
		}
		if (ZSTD_isError(left))
			break;
	}
	*cut = left != 0;
	ZSTD_freeDStream(z);
	return status;
}

stwatch_status stw_unpack(
	const stw_source *source, int out, uint64_t *size, bool *cut, const volatile int *cancel, stwatch_error *error)
{
	unpacker u = {.source = source, .out = out, .cancel = cancel, .error = error};
	stwatch_status status = source->packing == STW_PACKED_GZIP ? unpack_gzip(&u, cut) : unpack_zstd(&u, cut);
	*size = u.written;
	return status;
}
