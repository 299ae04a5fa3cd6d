#include "sources/lines.h"

#include <string.h>

#include "base/error.h"

void stw_lines_init(stw_lines *lines, const stw_source *source, const volatile int *cancel)
{
	lines->source = source;
	lines->cancel = cancel;
	lines->offset = lines->number = 0;
	lines->at = lines->filled = 0;
}

static stwatch_status fill(stw_lines *l, stwatch_error *error)
{
	if (l->cancel && *l->cancel)
		return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	l->at = 0;
	stwatch_status status = stw_source_read(l->source, l->offset, l->buffer, sizeof l->buffer, &l->filled, error);
	l->offset += l->filled;
	return status;
}

stwatch_status stw_lines_next(stw_lines *l, stw_line *line, stwatch_error *error)
{
	size_t length = 0;
	bool ended = false, any = false;
	*line = (stw_line){.text = l->line, .number = l->number + 1, .offset = l->offset - (l->filled - l->at)};
	while (!ended) {
		if (l->at == l->filled) {
			stwatch_status status = fill(l, error);
			if (status != STWATCH_OK)
				return status;
			if (l->filled == 0)
				break;
		}
		const char *from = l->buffer + l->at;
		const char *end = memchr(from, '\n', l->filled - l->at);
		size_t n = end ? (size_t)(end - from) : l->filled - l->at, room = STW_LINE_MAX - length;
		memcpy(l->line + length, from, n < room ? n : room);
		length += n < room ? n : room;
		l->at += n + (end != NULL);
		ended = end != NULL;
		any = true;
	}
	if (!any)
		return STWATCH_END;
	if (length > 0 && l->line[length - 1] == '\r')
		length--;
	l->line[length] = '\0';
	line->length = length;
	l->number++;
	return STWATCH_OK;
}
