/* The events of the v1 formats, and how many values each has in a given version. */
#ifndef STW_V1_FORMAT_H
#define STW_V1_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

/* STW_V1_GoStart and so on; the wire's own numbers. */
enum {
#define STW_V1_EVENT(number, name, since, n, stack) STW_V1_##name = number,
#include "v1/v1_events.def"
#undef STW_V1_EVENT
	STW_V1_TYPES = 64 /* what six bits can say */
};

enum {
	STW_V1_MAX_STRING = 1000000, /* as in Go's reader */
	STW_V1_MAX_EVENT = 2048, /* bytes of an event that states its length; as in Go's reader */
	STW_V1_MAX_FRAMES = 1000
};

/* Whose event it is: that of who runs there; of who starts to run there, whom it names; of who ran there until then; of whom it names. */
enum { STW_V1_OF_RUNNING, STW_V1_OF_STARTING, STW_V1_OF_LEAVING, STW_V1_OF_NAMED };

typedef struct stw_v1_format {
	unsigned minor; /* of the header's version */
	uint8_t before; /* values before an event's arguments: the time, to 1.6 also the sequence number */
	uint8_t inline_values; /* from so many values on, an event states its length in bytes */
	uint8_t n_values[STW_V1_TYPES]; /* in all; 0: there is no such event */
	bool stack[STW_V1_TYPES]; /* the last value is a stack */
	/* For decoding the usual, in formats since 1.10. */
	uint8_t plain
		[256]; /* by an event's first byte: how many values it has, if it stands in a stream, has nothing special and says just so many; else 0 */
	uint32_t stack_mask[STW_V1_TYPES]; /* all bits where the last value is a stack; else none */
	uint8_t whose[STW_V1_TYPES]; /* STW_V1_OF_… */
} stw_v1_format;

void stw_v1_format_init(stw_v1_format *format, unsigned minor);
/* Which argument of an event is the number of a string that the program may have chosen (a label, or the name of a task, region or log); -1: none. */
int stw_v1_text_argument(unsigned type);
/* "GoStart"; "?" where there is no such event. */
const char *stw_v1_event_name(unsigned type);

#endif
