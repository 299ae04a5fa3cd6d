/* What the C tests on damaged input share: bytes as a file that lives in memory, and a sink that counts. */
#ifndef STWATCH_TESTS_HOSTILE_INPUT_H
#define STWATCH_TESTS_HOSTILE_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stwatch/stwatch.h"

/* The library opens paths; this is one whose bytes never touch a disk. */
typedef struct input {
	int fd;
	char path[40];
} input;

static inline int input_open(input *in, const void *data, size_t size)
{
	in->fd = memfd_create("input", 0);
	if (in->fd < 0)
		return -1;
	snprintf(in->path, sizeof in->path, "/proc/self/fd/%d", in->fd);
	return write(in->fd, data, size) == (ssize_t)size ? 0 : -1;
}

static inline void input_close(input *in)
{
	close(in->fd);
}

static inline int sink_count(void *user, const char *data, size_t length)
{
	(void)data;
	*(uint64_t *)user += length;
	return 0;
}

/* The whole of a file, of exactly its size, so that AddressSanitizer sees the first byte past it; NULL if it can't be read. */
static inline uint8_t *file_bytes(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	*size = 0;
	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	long end = ftell(file);
	rewind(file);
	*size = end > 0 ? (size_t)end : 0;
	uint8_t *data = malloc(*size ? *size : 1);
	if (data && fread(data, 1, *size, file) != *size) {
		free(data);
		data = NULL;
	}
	fclose(file);
	return data;
}

#endif
