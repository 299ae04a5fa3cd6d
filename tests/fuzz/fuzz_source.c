/* Any bytes as an input: plain, gzip or zstd. Whatever comes out of it must be the same however it is read. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "stage.h"

enum { LARGEST = 8 << 20 };

/* What unpacks to more than this ends as on a full disk. */
static void limit_files(void)
{
	static bool limited;
	if (limited)
		return;
	struct rlimit limit = {LARGEST, LARGEST};
	limited = true;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void read_in_pieces(const stw_source *source, const uint8_t *whole)
{
	uint8_t piece[1000];
	size_t got;
	for (uint64_t at = 0, n = 0; at <= source->size; at += sizeof piece + n * n, n++) {
		uint64_t left = source->size - at;
		REQUIRE(stw_source_read(source, at, piece, sizeof piece, &got, NULL) == STWATCH_OK);
		REQUIRE(got == (left < sizeof piece ? left : sizeof piece));
		REQUIRE(memcmp(piece, whole + at, got) == 0);
	}
	REQUIRE(stw_source_read(source, UINT64_MAX - 3, piece, sizeof piece, &got, NULL) == STWATCH_OK && got == 0);
}

static void check(const stw_source *source, const uint8_t *data, size_t size)
{
	unsigned minor;
	size_t got;
	uint8_t *whole = malloc(source->size + 1);
	REQUIRE(whole && source->size <= LARGEST);
	REQUIRE(stw_source_read(source, 0, whole, source->size + 1, &got, NULL) == STWATCH_OK);
	REQUIRE(got == source->size);
	REQUIRE(source->file_size == size);
	if (source->packing == STW_PACKED_NOT)
		REQUIRE(got == size && memcmp(whole, data, size) == 0 && !source->cut);
	read_in_pieces(source, whole);
	stw_header_read(source, &minor, NULL);
	free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input in;
	stw_source source;
	stwatch_error error;
	limit_files();
	if (input_open(&in, data, size) == 0) {
		stwatch_status status = stw_source_open(&source, in.path, NULL, &error);
		REQUIRE(status == STWATCH_OK || (status == error.status && error.message[0]));
		if (status == STWATCH_OK) {
			check(&source, data, size);
			stw_source_close(&source);
		}
	}
	input_close(&in);
	return 0;
}
