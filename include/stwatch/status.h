/* Status codes and errors. Every function that can fail returns a stwatch_status; details go into an error the caller owns. */
#ifndef STWATCH_STATUS_H
#define STWATCH_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Values are stable; new ones are only ever added. 0 and above: no failure. */
typedef enum stwatch_status {
	STWATCH_OK = 0,
	STWATCH_END = 1,             /* no more events */
	STWATCH_ERR_MEMORY = -1,     /* the allocator said no, or the context's memory limit was reached */
	STWATCH_ERR_IO = -2,         /* open, read or write failed; errno's text is in the message */
	STWATCH_ERR_FORMAT = -3,     /* the input is nothing that stwatch reads */
	STWATCH_ERR_DAMAGED = -4,    /* the input is cut or contradicts itself; what was read before is valid */
	STWATCH_ERR_UNSUPPORTED = -5,/* a known format that this version can't read */
	STWATCH_ERR_ARGUMENT = -6,   /* the caller passed something out of range */
	STWATCH_ERR_CANCELLED = -7,  /* the context's cancel flag was raised */
	STWATCH_ERR_UNAVAILABLE = -8 /* needs a part that this build was made without; the message says how to get it */
} stwatch_status;

#define STWATCH_NO_OFFSET UINT64_MAX
#define STWATCH_NO_INPUT UINT32_MAX
#define STWATCH_MESSAGE_MAX 320

/* What went wrong and where. Plain storage owned by the caller; nothing in it needs to be freed. */
typedef struct stwatch_error {
	stwatch_status status;
	uint64_t offset;     /* byte in the (decompressed) input, or STWATCH_NO_OFFSET */
	uint64_t generation; /* trace generation, 0 if none */
	unsigned input;      /* of several paths, the index of the one it is about; STWATCH_NO_INPUT: of none in particular */
	char message[STWATCH_MESSAGE_MAX]; /* what is wrong (what was expected); UTF-8, no newline */
} stwatch_error;

/* A short constant English name of a status ("damaged"). Never NULL. Thread-safe. */
const char *stwatch_status_name(stwatch_status status);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
