/* Any bytes as a trace, through decoding, order and each way of printing events. Besides crashes it holds two promises: events come in
 * order of time, and the same input gives the same answer to both ways of reading: what the strict one refuses is damaged to the other. */
#include <string.h>

#include "whole.h"

/* The status at the end of the events, one by one. */
static stwatch_status read_all(stwatch_context *context, const char *path)
{
	stwatch_reader *reader = NULL;
	stwatch_event event;
	stwatch_error error;
	stwatch_status status = stwatch_reader_open(context, path, &reader, &error);
	if (status != STWATCH_OK)
		return status;
	int64_t last = INT64_MIN;
	while ((status = stwatch_reader_next(reader, &event, &error)) == STWATCH_OK) {
		REQUIRE(event.time_ns >= last);
		last = event.time_ns;
	}
	stwatch_reader_free(reader);
	return status == STWATCH_END ? STWATCH_OK : status;
}

/* Go's own tool doesn't read what is packed, and so there is no such way to print it. */
static bool is_packed(const char *path)
{
	size_t size;
	uint8_t *data = file_bytes(path, &size);
	const bool packed = data && size && (data[0] == 0x1f || data[0] == 0x28);
	free(data);
	return packed;
}

/* Go's way of printing is as strict as the reader; the others go on past what is damaged, also where only the header is, and see generations in another
 * order, which Go's reader may not (nothing in them then goes on from one to the next). */
static int same_answer(stwatch_events_format format, stwatch_status read, stwatch_status printed, const stwatch_error *error)
{
	if (format != STWATCH_EVENTS_GO && printed == STWATCH_ERR_DAMAGED && strstr(error->message, "in the order of their numbers"))
		return 1;
	if (printed == read || printed == STWATCH_ERR_MEMORY || read == STWATCH_ERR_MEMORY)
		return 1;
	return format != STWATCH_EVENTS_GO && read == STWATCH_ERR_FORMAT && printed == STWATCH_ERR_DAMAGED;
}

static void read_and_print(stwatch_context *context, const char *path)
{
	static const stwatch_events_format formats[] = {STWATCH_EVENTS_GO, STWATCH_EVENTS_JSONL, STWATCH_EVENTS_TEXT};
	stwatch_status read = read_all(context, path);
	for (size_t i = is_packed(path) ? 1 : 0; i < sizeof formats / sizeof *formats; i++) {
		uint64_t printed = 0;
		stwatch_error error;
		stwatch_status status = stwatch_events_print(context, &path, 1, formats[i], NULL, sink_count, &printed, &error);
		REQUIRE(same_answer(formats[i], read, status, &error));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return whole_run(data, size, 1, 256u << 20, read_and_print);
}
