#include "wire/pump.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"

enum {
	HEAD = 4, /* bytes that tell the packing */
	LOOK_AGAIN = 16 << 20, /* at the room on the disk */
	LEAVE_SHARE = 50, /* of the disk: 1/50 is left to others */
};
/* Traces and profiles pack to a tenth or so. What unpacks to a hundred times its size, and is large, is none. */
static const uint64_t MOST_TIMES = 100, ALWAYS = (uint64_t)1 << 30;

stw_packing stw_packing_of(const unsigned char *head, size_t length)
{
	static const unsigned char zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	if (length >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8)
		return STW_PACKED_GZIP;
	if (length >= 4 && memcmp(head, zstd_magic, 4) == 0)
		return STW_PACKED_ZSTD;
	return STW_PACKED_NOT;
}

/* ---- limits ---- */

static uint64_t limit_of(const stw_pump *p)
{
	if (p->options->unpack_limit)
		return p->options->unpack_limit;
	if (p->packing == STW_PACKED_NOT)
		return UINT64_MAX;
	return p->taken > ALWAYS / MOST_TIMES ? p->taken * MOST_TIMES : ALWAYS;
}

static bool disk_is_full(stw_pump *p)
{
	struct statvfs disk;
	if (p->written - p->looked < LOOK_AGAIN)
		return false;
	p->looked = p->written;
	return fstatvfs(p->out, &disk) == 0 && disk.f_blocks > 0 && disk.f_bavail < disk.f_blocks / LEAVE_SHARE;
}

/* STWATCH_END where a limit is reached. */
static stwatch_status put(stw_pump *p, const void *data, size_t size, stwatch_error *error)
{
	const uint64_t room = limit_of(p) - p->written;
	const size_t fits = size < room ? size : (size_t)room;
	if (fits && !stw_write_all(p->out, data, fits)) {
		if (errno != ENOSPC && errno != EDQUOT)
			return stw_temporary_fail(error);
		p->cut = STW_CUT_DISK;
		off_t end = lseek(p->out, 0, SEEK_CUR);
		p->written = end < 0 ? p->written : (uint64_t)end;
		return STWATCH_END;
	}
	p->written += fits;
	if (fits < size)
		p->cut = STW_CUT_LIMIT;
	else if (disk_is_full(p))
		p->cut = STW_CUT_DISK;
	return p->cut ? STWATCH_END : STWATCH_OK;
}

/* ---- unpacking ---- */

static stwatch_status unpack_gzip(stw_pump *p, size_t size, stwatch_error *error)
{
	z_stream *z = &p->gzip;
	stwatch_status status = STWATCH_OK;
	z->next_in = p->in;
	z->avail_in = (uInt)size;
	do {
		if (p->whole && z->avail_in && inflateReset(z) != Z_OK)
			p->broken = true;
		if (p->broken || (p->whole && !z->avail_in))
			break;
		p->whole = false;
		z->next_out = p->room;
		z->avail_out = sizeof p->room;
		int rc = inflate(z, Z_NO_FLUSH);
		status = put(p, p->room, sizeof p->room - z->avail_out, error);
		p->whole = rc == Z_STREAM_END;
		p->broken = rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR;
	} while (status == STWATCH_OK && !p->broken && (z->avail_in || z->avail_out == 0));
	return status;
}

static stwatch_status unpack_zstd(stw_pump *p, size_t size, stwatch_error *error)
{
	ZSTD_inBuffer in = {p->in, size, 0};
	stwatch_status status = STWATCH_OK;
	bool full = false;
	while (status == STWATCH_OK && (in.pos < in.size || full)) {
		ZSTD_outBuffer out = {p->room, sizeof p->room, 0};
		size_t left = ZSTD_decompressStream(p->zstd, &out, &in);
		p->broken = ZSTD_isError(left);
		if (p->broken)
			break;
		p->whole = left == 0;
		full = out.pos == out.size;
		status = put(p, p->room, out.pos, error);
	}
	return status;
}

static stwatch_status begin_gzip(stw_pump *p, stwatch_error *error)
{
	p->gzip_begun = inflateInit2(&p->gzip, 15 + 16) == Z_OK;
	return p->gzip_begun ? STWATCH_OK : stw_fail_memory(error);
}

static stwatch_status begin_zstd(stw_pump *p, stwatch_error *error)
{
	p->zstd = ZSTD_createDStream();
	if (!p->zstd)
		return stw_fail_memory(error);
	ZSTD_DCtx_setParameter(p->zstd, ZSTD_d_windowLogMax, 27); /* 128 MiB: what the zstd tool itself takes by default */
	return STWATCH_OK;
}

/* Once the first bytes are there. */
static stwatch_status know(stw_pump *p, stwatch_error *error)
{
	p->known = true;
	p->packing = stw_packing_of(p->in, p->held);
	return p->packing == STW_PACKED_GZIP ? begin_gzip(p, error) : p->packing == STW_PACKED_ZSTD ? begin_zstd(p, error) : STWATCH_OK;
}

static stwatch_status pass_on(stw_pump *p, stwatch_error *error)
{
	const size_t size = p->held;
	p->held = 0;
	switch (p->packing) {
	case STW_PACKED_GZIP: return unpack_gzip(p, size, error);
	case STW_PACKED_ZSTD: return unpack_zstd(p, size, error);
	default: return put(p, p->in, size, error);
	}
}

/* ---- the pump ---- */

stwatch_status stw_pump_begin(stw_pump *p, stw_feed feed, const stw_source_options *options, stwatch_error *error)
{
	memset(p, 0, offsetof(stw_pump, in));
	p->feed = feed;
	p->options = options;
	p->whole = true;
	return stw_temporary_file(&p->out, error);
}

stwatch_status stw_pump_step(stw_pump *p, stwatch_error *error)
{
	size_t got;
	if (p->broken || p->cut)
		return STWATCH_END;
	if (p->options->cancel && *p->options->cancel)
		return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted while it was being read, after %.1f MiB",
			(double)p->taken / (1 << 20));
	stwatch_status status = p->feed.read(p->feed.user, p->in + p->held, sizeof p->in - p->held, &got, error);
	if (status != STWATCH_OK)
		return status;
	p->taken += got;
	p->held += got;
	const bool ends = got == 0;
	if (!p->known && (p->held >= HEAD || (ends && p->held)))
		status = know(p, error);
	if (status == STWATCH_OK && p->known && p->held)
		status = pass_on(p, error);
	if (p->options->progress)
		p->options->progress(p->options->progress_user, p->taken, p->options->expected);
	return status == STWATCH_OK && (ends || p->broken) ? STWATCH_END : status;
}

void stw_pump_conclude(stw_pump *p)
{
	if (p->packing != STW_PACKED_NOT && !p->cut && (p->broken || !p->whole))
		p->cut = STW_CUT_CORRUPT;
}

int stw_pump_end(stw_pump *p)
{
	int out = p->out;
	if (p->gzip_begun)
		inflateEnd(&p->gzip);
	ZSTD_freeDStream(p->zstd);
	p->gzip_begun = false;
	p->zstd = NULL;
	p->out = -1;
	return out;
}
