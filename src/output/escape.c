#include <string.h>

#include "output/report_views.h"
#include "output/sink_text.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd";

/* Directions of writing could turn a name around: U+202A to U+202E, U+2066 to U+2069. */
static bool turns_text(const char *p, size_t length)
{
	unsigned char second = length == 3 ? (unsigned char)p[1] : 0, third = length == 3 ? (unsigned char)p[2] : 0;
	return (unsigned char)*p == 0xe2 &&
		((second == 0x80 && third >= 0xaa && third <= 0xae) || (second == 0x81 && third >= 0xa6 && third <= 0xa9));
}

/* Puts a text character by character; `other` says what stands for an ASCII character, NULL: itself. */
static void put(stw_sink *out, const char *text, const char *(*other)(char c))
{
	for (size_t left = strlen(text); left > 0;) {
		stw_utf8 c = stw_utf8_next(text, left);
		const char *instead = NULL;
		if (!c.valid || (unsigned char)*text == 0x7f || turns_text(text, c.length))
			instead = REPLACEMENT;
		else if ((unsigned char)*text < 0x20)
			instead = *text == '\n' || *text == '\t' ? " " : REPLACEMENT;
		else if (c.length == 1)
			instead = other(*text);
		if (instead)
			stw_sink_text(out, instead);
		else
			stw_sink_put(out, text, c.length);
		text += c.length;
		left -= c.length;
	}
}

static const char *in_html(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

static const char *in_markdown(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '@': return "&#64;";
	case '#': return "&#35;";
	case '\\': return "\\\\";
	case '`': return "\\`";
	case '*': return "\\*";
	case '_': return "\\_";
	case '[': return "\\[";
	case ']': return "\\]";
	case '|': return "\\|";
	case '~': return "\\~";
	case '!': return "\\!";
	default: return NULL;
	}
}

static const char *in_mermaid(char c)
{
	switch (c) {
	case '#': return "#35;";
	case ';': return "#59;";
	case '<': return "#lt;";
	case '>': return "#gt;";
	case '"': return "#quot;";
	case '`': return "#96;";
	case '%': return "#37;";
	case '{': return "#123;";
	case '}': return "#125;";
	case '&': return "#amp;";
	case '~': return "#126;";
	default: return NULL;
	}
}

void stw_sink_html(stw_sink *out, const char *text)
{
	put(out, text, in_html);
}

void stw_sink_markdown(stw_sink *out, const char *text)
{
	put(out, text, in_markdown);
}

void stw_sink_mermaid(stw_sink *out, const char *text)
{
	put(out, text, in_mermaid);
}

static const char *as_it_is(char c)
{
	(void)c;
	return NULL;
}

void stw_sink_fenced(stw_sink *out, const char *text)
{
	put(out, text, as_it_is);
}
