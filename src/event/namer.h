/* Who knows the names of code addresses that a trace only has as numbers: the program's binary, as far as the stages that read traces
 * are concerned. */
#ifndef STW_EVENT_NAMER_H
#define STW_EVENT_NAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strings live as long as the namer. */
typedef struct stw_code_name {
	const char *function, *file; /* file "" where it is not known */
	uint32_t line; /* 0 too */
} stw_code_name;

/* Addresses of a trace without names. */
typedef struct stw_code_addresses {
	unsigned minor; /* of the trace's header */
	const uint64_t *starts;
	size_t n_starts; /* where functions begin */
	const uint64_t *returns;
	size_t n_returns; /* where calls return to */
	bool placed; /* they are the binary's own, wherever the process had it */
} stw_code_addresses;

typedef struct stw_namer {
	void *user;
	/* Whether these are addresses of the program that the names are known of. Asked once, before any name. */
	bool (*fits)(void *user, const stw_code_addresses *addresses);
	/* The name of an instruction's address, as the trace has it. False: it has none. */
	bool (*name)(void *user, uint64_t address, stw_code_name *out);
} stw_namer;

#endif
