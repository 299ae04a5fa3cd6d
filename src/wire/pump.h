/* Input that can't be read at offsets as it is (pipes, standard input, addresses, gzip, zstd) on its way into a temporary file, unpacked, piece by
 * piece: gzip as RFC 1952 has it, also several members; zstd as RFC 8878. */
#ifndef STW_WIRE_PUMP_H
#define STW_WIRE_PUMP_H

#include <zlib.h>
#include <zstd.h>

#include "wire/source.h"

enum { STW_PUMP_CHUNK = 128 << 10 };

/* Where the bytes come from, in order. STWATCH_OK with *got 0: nothing more (for now, where the input grows). */
typedef struct stw_feed {
	stwatch_status (*read)(void *user, void *buffer, size_t size, size_t *got, stwatch_error *error);
	void *user;
} stw_feed;

typedef struct stw_pump {
	stw_feed feed;
	const stw_source_options *options;
	int out; /* the temporary file; -1: the pump failed to begin */
	stw_packing packing;
	bool known; /* what the packing is */
	bool whole; /* packed: nothing is missing if nothing more comes */
	bool broken; /* packed: nothing more can be unpacked */
	stw_cut_short cut;
	uint64_t taken, written; /* bytes */
	uint64_t looked; /* `written` when the room on the disk was last looked at */
	size_t held; /* bytes at the start of in that are not unpacked yet: the packing is not known */
	bool gzip_begun;
	z_stream gzip;
	ZSTD_DStream *zstd; /* NULL: not begun */
	unsigned char in[STW_PUMP_CHUNK], room[STW_PUMP_CHUNK];
} stw_pump;

/* Makes the temporary file. STWATCH_ERR_IO. On failure too, stw_pump_end ends it. options must live as long. */
stwatch_status stw_pump_begin(stw_pump *pump, stw_feed feed, const stw_source_options *options, stwatch_error *error);
/* Moves one piece on. STWATCH_OK; STWATCH_END where the feed has nothing more, or more is not wanted: a limit is reached, the packed data is
 * corrupt (see cut; what came before is in the file); _IO, _MEMORY, _CANCELLED. */
stwatch_status stw_pump_step(stw_pump *pump, stwatch_error *error);
/* Nothing more comes: what is packed and not whole is cut. */
void stw_pump_conclude(stw_pump *pump);
/* Lets go of everything but the file, which is the caller's from then on; -1: there is none. */
int stw_pump_end(stw_pump *pump);

/* What a file begins with, where it is packed. */
stw_packing stw_packing_of(const unsigned char *head, size_t length);

#endif
