#include "output/sink.h"

#include <string.h>

void stw_sink_init(stw_sink *sink, stwatch_sink_fn write, void *user)
{
	sink->write = write;
	sink->user = user;
	sink->failed = false;
	sink->used = 0;
}

static void hand_over(stw_sink *sink, const char *data, size_t length)
{
	if (!sink->failed && length > 0 && sink->write(sink->user, data, length) != 0)
		sink->failed = true;
}

void stw_sink_put(stw_sink *sink, const char *data, size_t length)
{
	if (length > sizeof sink->buffer - sink->used) {
		hand_over(sink, sink->buffer, sink->used);
		sink->used = 0;
	}
	if (length > sizeof sink->buffer) {
		hand_over(sink, data, length);
		return;
	}
	memcpy(sink->buffer + sink->used, data, length);
	sink->used += length;
}

stwatch_status stw_sink_flush(stw_sink *sink)
{
	hand_over(sink, sink->buffer, sink->used);
	sink->used = 0;
	return sink->failed ? STWATCH_ERR_IO : STWATCH_OK;
}

/* What may follow each lead byte: the length, and the range of the second byte (which shuts out overlong forms, surrogates and
 * what is beyond U+10FFFF). */
typedef struct lead_range {
	unsigned char first, last, length, second_min, second_max;
} lead_range;

static const lead_range LEADS[] = {
	{0x00, 0x7f, 1, 0, 0},
	{0xc2, 0xdf, 2, 0x80, 0xbf},
	{0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f},
	{0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf},
	{0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool continues(const lead_range *lead, const unsigned char *bytes, size_t length)
{
	if (lead->length > length)
		return false;
	if (lead->length > 1 && (bytes[1] < lead->second_min || bytes[1] > lead->second_max))
		return false;
	for (size_t i = 2; i < lead->length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return false;
	return true;
}

stw_utf8 stw_utf8_next(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++) {
		const lead_range *lead = &LEADS[i];
		if (bytes[0] >= lead->first && bytes[0] <= lead->last && continues(lead, bytes, length))
			return (stw_utf8){lead->length, true};
	}
	return (stw_utf8){1, false};
}
