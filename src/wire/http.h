/* Bytes from an http or https address, by libcurl; an optional part (STWATCH_WITH_CURL). */
#ifndef STW_WIRE_HTTP_H
#define STW_WIRE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "stwatch/status.h"

/* Whether a path is an address. */
bool stw_is_address(const char *path);

/* Whether the part was built in, and libcurl can be loaded. */
bool stw_http_available(void);

typedef struct stw_http stw_http;

/* Begins to fetch. STWATCH_ERR_UNAVAILABLE without the part, and the message says how to get it; _MEMORY, _IO. */
stwatch_status stw_http_open(stw_http **out, const char *address, const volatile int *cancel, stwatch_error *error);
void stw_http_close(stw_http *http);
/* Waits up to so long for bytes; true: there are some, or it ended. */
bool stw_http_ready(stw_http *http, int milliseconds);
/* As the read of a stw_feed (pump.h); user: the stw_http. STWATCH_ERR_IO also where the server answers with an error, or nothing came for a minute (and as
 * long again as the address itself asks the server to take: "?seconds=30"). */
stwatch_status stw_http_read(void *user, void *buffer, size_t size, size_t *got, stwatch_error *error);

#endif
