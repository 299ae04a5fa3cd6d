/* Standard output. A write error is kept and told once at the end; a reader that went away is no error and ends the output quietly. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_out {
	int error; /* errno of the first failed write, 0: none */
} cli_out;

void cli_out_init(cli_out *out);
/* A stwatch_sink_fn; user is the cli_out. */
int cli_out_sink(void *user, const char *data, size_t length);
/* The same, handed on at once. */
int cli_out_sink_now(void *user, const char *data, size_t length);
void cli_out_put(cli_out *out, const char *text);
void cli_out_printf(cli_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text wrapped at 96 columns, continued at a column; the line is ended. */
void cli_out_wrapped(cli_out *out, unsigned column, unsigned indent, const char *text);
/* A JSON string with its quotes, of text that is the program's own or the library's (valid UTF-8). */
void cli_out_json(cli_out *out, const char *text);
/* Flushes. The exit code to add: 0, or that of output that can't be written, which it then reports. */
int cli_out_finish(cli_out *out);

#endif
