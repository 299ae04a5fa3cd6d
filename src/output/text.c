#include "output/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH_DEFAULT = 100, WIDTH_MIN = 40, WIDTH_MAX = 400 };

void stw_text_init(stw_text *text, unsigned width, bool color, stwatch_sink_fn write, void *user)
{
	stw_sink_init(&text->sink, write, user);
	if (width == 0)
		width = WIDTH_DEFAULT;
	text->width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
	text->color = color;
	text->column = 0;
	text->space = false;
}

stwatch_status stw_text_finish(stw_text *text)
{
	return stw_sink_flush(&text->sink);
}

void stw_text_style(stw_text *text, stw_style style)
{
	static const char *const CODES[] = {
		[STW_STYLE_PLAIN] = "\x1b[0m",
		[STW_STYLE_BOLD] = "\x1b[1m",
		[STW_STYLE_DIM] = "\x1b[2m",
		[STW_STYLE_RED] = "\x1b[1;31m",
		[STW_STYLE_YELLOW] = "\x1b[1;33m",
		[STW_STYLE_CYAN] = "\x1b[36m",
		[STW_STYLE_GREEN] = "\x1b[32m",
	};
	if (text->color)
		stw_sink_put(&text->sink, CODES[style], strlen(CODES[style]));
}

/* Whether a terminal may see the character as it is: well-formed, and neither a C0 nor a C1 control. */
static bool printable(const char *at, stw_utf8 character)
{
	unsigned char byte = (unsigned char)*at;
	if (!character.valid || byte < 0x20 || byte == 0x7f)
		return false;
	return !(byte == 0xc2 && (unsigned char)at[1] < 0xa0);
}

static void put_bytes(stw_text *text, const char *string, size_t length)
{
	for (size_t at = 0; at < length;) {
		stw_utf8 character = stw_utf8_next(string + at, length - at);
		if (printable(string + at, character))
			stw_sink_put(&text->sink, string + at, character.length);
		else
			stw_sink_put(&text->sink, "\xef\xbf\xbd", 3);
		text->column++;
		at += character.length;
	}
}

void stw_text_put(stw_text *text, const char *string)
{
	if (text->space)
		stw_text_to(text, text->column + 1);
	put_bytes(text, string, strlen(string));
}

void stw_text_printf(stw_text *text, const char *format, ...)
{
	char buffer[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(buffer, sizeof buffer, format, arguments);
	va_end(arguments);
	stw_text_put(text, buffer);
}

void stw_text_line(stw_text *text)
{
	stw_sink_put(&text->sink, "\n", 1);
	text->column = 0;
	text->space = false;
}

void stw_text_to(stw_text *text, unsigned column)
{
	text->space = false;
	do {
		stw_sink_put(&text->sink, " ", 1);
		text->column++;
	} while (text->column < column);
}

static unsigned columns_of(const char *string, size_t length)
{
	unsigned columns = 0;
	for (size_t at = 0; at < length; columns++)
		at += stw_utf8_next(string + at, length - at).length;
	return columns;
}

void stw_text_right(stw_text *text, const char *string, unsigned width)
{
	unsigned columns = columns_of(string, strlen(string));
	if (columns < width)
		stw_text_to(text, text->column + width - columns);
	stw_text_put(text, string);
}

/* The bytes of the first `columns` characters. */
static size_t bytes_of(const char *string, size_t length, unsigned columns)
{
	size_t at = 0;
	while (at < length && columns-- > 0)
		at += stw_utf8_next(string + at, length - at).length;
	return at;
}

/* A word longer than a whole line is broken where the line ends. */
static void put_long_word(stw_text *text, unsigned indent, const char *word, size_t length)
{
	indent = indent < text->width ? indent : 0; /* else no line has room for a character of it */
	while (length > 0) {
		if (text->column >= text->width) {
			stw_text_line(text);
			stw_text_to(text, indent);
		}
		size_t part = bytes_of(word, length, text->width - text->column);
		put_bytes(text, word, part);
		word += part;
		length -= part;
	}
}

static void put_word(stw_text *text, unsigned indent, const char *word, size_t length)
{
	unsigned columns = columns_of(word, length);
	if (text->column > indent && text->column + text->space + columns > text->width) {
		stw_text_line(text);
		stw_text_to(text, indent);
	} else if (text->space) {
		stw_text_to(text, text->column + 1);
	}
	if (text->column + columns > text->width)
		put_long_word(text, indent, word, length);
	else
		put_bytes(text, word, length);
}

void stw_text_wrap(stw_text *text, unsigned indent, const char *string)
{
	while (*string) {
		size_t spaces = strspn(string, " ");
		text->space = text->space || spaces > 0;
		string += spaces;
		size_t length = strcspn(string, " ");
		if (length > 0)
			put_word(text, indent, string, length);
		string += length;
	}
}

void stw_text_item(stw_text *text, unsigned indent, const char *string)
{
	put_word(text, indent, string, strlen(string));
}
