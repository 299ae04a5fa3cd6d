/* Output files that are there whole or not at all. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_file {
	const char *path;
	char temporary[4096]; /* beside it, until it is kept; empty: written in place (a device, a pipe) */
	int fd;
	int error; /* errno of the first failure */
} cli_file;

/* False, with error set, where it can't be made. */
bool cli_file_begin(cli_file *file, const char *path);
/* A stwatch_sink_fn. */
int cli_file_sink(void *file, const char *data, size_t length);
/* Puts it in its place; false, with error set, if anything failed: then what was there before still is. */
bool cli_file_keep(cli_file *file);
void cli_file_drop(cli_file *file);

#endif
