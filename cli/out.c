#include "cli/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

enum { WIDTH = 96 };

void cli_out_init(cli_out *out)
{
	out->error = 0;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}

static void keep_error(cli_out *out)
{
	if (out->error == 0)
		out->error = errno ? errno : EIO;
}

int cli_out_sink(void *user, const char *data, size_t length)
{
	cli_out *out = user;
	errno = 0;
	if (out->error == 0 && fwrite(data, 1, length, stdout) != length)
		keep_error(out);
	return out->error;
}

int cli_out_sink_now(void *user, const char *data, size_t length)
{
	cli_out *out = user;
	if (cli_out_sink(out, data, length) == 0 && fflush(stdout) != 0)
		keep_error(out);
	return out->error;
}

void cli_out_put(cli_out *out, const char *text)
{
	cli_out_sink(out, text, strlen(text));
}

void cli_out_printf(cli_out *out, const char *format, ...)
{
	va_list arguments;
	errno = 0;
	va_start(arguments, format);
	if (out->error == 0 && vprintf(format, arguments) < 0)
		keep_error(out);
	va_end(arguments);
}

static void new_line(cli_out *out, unsigned indent)
{
	cli_out_printf(out, "\n%*s", (int)indent, "");
}

void cli_out_wrapped(cli_out *out, unsigned column, unsigned indent, const char *text)
{
	bool first = true;
	while (*text) {
		size_t length = strcspn(text, " \n");
		if (!first && column + 1 + length > WIDTH) {
			new_line(out, indent);
			column = indent;
		} else if (!first && length > 0) {
			cli_out_put(out, " ");
			column++;
		}
		cli_out_sink(out, text, length);
		column += (unsigned)length;
		first = false;
		text += length;
		if (*text == '\n') {
			new_line(out, indent);
			column = indent;
			first = true;
		}
		text += *text != '\0';
	}
	cli_out_put(out, "\n");
}

void cli_out_json(cli_out *out, const char *text)
{
	cli_out_put(out, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '\n')
			cli_out_put(out, "\\n");
		else if (c < 0x20)
			cli_out_printf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			cli_out_printf(out, "\\%c", c);
		else
			cli_out_sink(out, text, 1);
	}
	cli_out_put(out, "\"");
}

int cli_out_finish(cli_out *out)
{
	errno = 0;
	if (out->error == 0 && fflush(stdout) != 0)
		keep_error(out);
	if (out->error == 0 || out->error == EPIPE)
		return CLI_OK;
	fprintf(stderr, "stwatch: standard output: %s\n", strerror(out->error));
	return CLI_INPUT;
}
