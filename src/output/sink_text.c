#include "output/sink_text.h"

#include <string.h>

void stw_sink_text(stw_sink *out, const char *text)
{
	stw_sink_put(out, text, strlen(text));
}

void stw_sink_uint(stw_sink *out, uint64_t value)
{
	char digits[20];
	size_t i = sizeof digits;
	do
		digits[--i] = (char)('0' + value % 10);
	while (value /= 10);
	stw_sink_put(out, digits + i, sizeof digits - i);
}

void stw_sink_int(stw_sink *out, int64_t value)
{
	if (value < 0)
		stw_sink_put(out, "-", 1);
	stw_sink_uint(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void stw_sink_hex(stw_sink *out, uint64_t value)
{
	char digits[16];
	size_t i = sizeof digits;
	do
		digits[--i] = "0123456789abcdef"[value & 15];
	while (value >>= 4);
	stw_sink_put(out, digits + i, sizeof digits - i);
}

/* The code point of a well-formed sequence. */
static uint32_t rune_of(const unsigned char *p, size_t length)
{
	uint32_t r = length == 1 ? p[0] : p[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++)
		r = r << 6 | (p[i] & 0x3f);
	return r;
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

static void put_escape(stw_sink *out, char kind, uint32_t value, unsigned digits)
{
	char text[10] = {'\\', kind};
	for (unsigned i = 0; i < digits; i++)
		text[2 + i] = "0123456789abcdef"[value >> (4 * (digits - 1 - i)) & 15];
	stw_sink_put(out, text, 2 + digits);
}

void stw_sink_quote(stw_sink *out, const char *data, size_t length)
{
	static const char named[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
	stw_sink_put(out, "\"", 1);
	for (size_t i = 0; i < length;) {
		stw_utf8 next = stw_utf8_next(data + i, length - i);
		size_t n = next.length;
		uint32_t rune = next.valid ? rune_of((const unsigned char *)data + i, n) : 0;
		const char *at = n == 1 && rune ? strchr(named, (int)rune) : NULL;
		if (!next.valid)
			put_escape(out, 'x', (unsigned char)data[i], 2);
		else if (at)
			stw_sink_put(out, (char[]){'\\', letters[at - named]}, 2);
		else if (printable(rune))
			stw_sink_put(out, data + i, n);
		else if (rune < 0x80)
			put_escape(out, 'x', rune, 2);
		else
			put_escape(out, rune < 0x10000 ? 'u' : 'U', rune, rune < 0x10000 ? 4 : 8);
		i += n;
	}
	stw_sink_put(out, "\"", 1);
}
