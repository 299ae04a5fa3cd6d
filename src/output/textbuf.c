#include "output/textbuf.h"

#include <string.h>

void stw_textbuf_init(stw_textbuf *out, stwatch_sink_fn sink, void *user)
{
	out->sink = sink;
	out->user = user;
	out->failed = false;
	out->length = 0;
}

bool stw_textbuf_flush(stw_textbuf *out)
{
	if (out->sink && out->length && !out->failed && out->sink(out->user, out->data, out->length) != 0)
		out->failed = true;
	out->length = 0;
	return !out->failed;
}

void stw_textbuf_put(stw_textbuf *out, const char *data, size_t length)
{
	while (length) {
		size_t room = sizeof out->data - out->length;
		if (room == 0) {
			if (!out->sink)
				return;
			stw_textbuf_flush(out);
			room = sizeof out->data;
		}
		size_t n = length < room ? length : room;
		memcpy(out->data + out->length, data, n);
		out->length += n;
		data += n;
		length -= n;
	}
}

void stw_textbuf_text(stw_textbuf *out, const char *text)
{
	stw_textbuf_put(out, text, strlen(text));
}

void stw_textbuf_uint(stw_textbuf *out, uint64_t value)
{
	char digits[20];
	size_t i = sizeof digits;
	do
		digits[--i] = (char)('0' + value % 10);
	while (value /= 10);
	stw_textbuf_put(out, digits + i, sizeof digits - i);
}

void stw_textbuf_int(stw_textbuf *out, int64_t value)
{
	if (value < 0)
		stw_textbuf_put(out, "-", 1);
	stw_textbuf_uint(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void stw_textbuf_hex(stw_textbuf *out, uint64_t value)
{
	char digits[16];
	size_t i = sizeof digits;
	do
		digits[--i] = "0123456789abcdef"[value & 15];
	while (value >>= 4);
	stw_textbuf_put(out, digits + i, sizeof digits - i);
}

/* The length of the valid UTF-8 sequence at p, 0 if there is none; *rune is its code point. */
static size_t utf8_at(const unsigned char *p, size_t left, uint32_t *rune)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	for (size_t n = 0; n < 4; n++) {
		if ((p[0] & forms[n].mask) != forms[n].lead || left <= n)
			continue;
		uint32_t r = p[0] & (unsigned char)~forms[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			r = r << 6 | (p[i] & 0x3f);
		}
		if (r < forms[n].least || r > 0x10ffff || (r >= 0xd800 && r < 0xe000))
			return 0;
		*rune = r;
		return n + 1;
	}
	return 0;
}

/* Close to Go's IsPrint: controls, separators, private use and non-characters are not printable. */
static bool printable(uint32_t r)
{
	if (r < 0x7f)
		return r >= 0x20;
	if (r < 0xa1 || r == 0xad || (r >= 0x2000 && r <= 0x200f) || (r >= 0x2028 && r <= 0x202f) || (r >= 0x205f && r <= 0x206f))
		return false;
	return !(r >= 0xe000 && r <= 0xf8ff) && r != 0xfeff && r != 0x3000 && r != 0x1680 && (r & 0xfffe) != 0xfffe && r < 0xe0000;
}

static void put_escape(stw_textbuf *out, char kind, uint32_t value, unsigned digits)
{
	char text[10] = {'\\', kind};
	for (unsigned i = 0; i < digits; i++)
		text[2 + i] = "0123456789abcdef"[value >> (4 * (digits - 1 - i)) & 15];
	stw_textbuf_put(out, text, 2 + digits);
}

void stw_textbuf_quote(stw_textbuf *out, const char *data, size_t length)
{
	static const char named[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
	stw_textbuf_put(out, "\"", 1);
	for (size_t i = 0; i < length;) {
		uint32_t rune;
		size_t n = utf8_at((const unsigned char *)data + i, length - i, &rune);
		const char *at = n == 1 && rune ? strchr(named, (int)rune) : NULL;
		if (n == 0)
			put_escape(out, 'x', (unsigned char)data[i], 2);
		else if (at)
			stw_textbuf_put(out, (char[]){'\\', letters[at - named]}, 2);
		else if (printable(rune))
			stw_textbuf_put(out, data + i, n);
		else if (rune < 0x80)
			put_escape(out, 'x', rune, 2);
		else
			put_escape(out, rune < 0x10000 ? 'u' : 'U', rune, rune < 0x10000 ? 4 : 8);
		i += n ? n : 1;
	}
	stw_textbuf_put(out, "\"", 1);
}
