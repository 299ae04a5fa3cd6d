#include "wire/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

bool stw_is_address(const char *path)
{
	return strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0;
}

#ifdef STWATCH_CURL
#include <dlfcn.h>
#include <pthread.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt

/* libcurl and what it needs are thirty libraries, whose loading takes longer than reading a small trace does: they are loaded when an address
 * is first read. */
#define CURL_LIBRARY "libcurl.so.4"
#define CURL_CALLS(X)                                                                                                                      \
	X(easy_init)                                                                                                                       \
	X(easy_setopt)                                                                                                                     \
	X(easy_cleanup)                                                                                                                    \
	X(easy_pause)                                                                                                                      \
	X(easy_strerror)                                                                                                                   \
	X(multi_init)                                                                                                                      \
	X(multi_add_handle)                                                                                                                \
	X(multi_remove_handle)                                                                                                             \
	X(multi_perform)                                                                                                                   \
	X(multi_info_read)                                                                                                                 \
	X(multi_poll)                                                                                                                      \
	X(multi_cleanup)

static struct {
#define CALL(name) __typeof__(&curl_##name) name;
	CURL_CALLS(CALL)
#undef CALL
	bool whole;
} curl;

static void load(void)
{
	void *library = dlopen(CURL_LIBRARY, RTLD_NOW | RTLD_LOCAL); /* stays */
	curl.whole = library != NULL;
#define CALL(name) curl.whole = curl.whole && (*(void **)&curl.name = dlsym(library, "curl_" #name)) != NULL;
	CURL_CALLS(CALL)
#undef CALL
}

bool stw_http_available(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	return pthread_once(&once, load) == 0 && curl.whole;
}

enum { ROOM = 4 * CURL_MAX_WRITE_SIZE, CONNECT_SECONDS = 10, SILENT_SECONDS = 60, MOST_REDIRECTS = 5, TURN_MS = 100 };

/* libcurl has an allocator of its own, for the whole process: what belongs to it stays out of the context's. */
struct stw_http {
	CURLM *multi;
	CURL *easy;
	const volatile int *cancel;
	bool paused, ended;
	CURLcode result;
	size_t held, taken; /* bytes in room, and of them those that were read */
	char why[CURL_ERROR_SIZE];
	char room[ROOM];
};

static size_t take(char *data, size_t one, size_t n, void *user)
{
	stw_http *h = user;
	(void)one;
	if (n > sizeof h->room - h->held) {
		h->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	memcpy(h->room + h->held, data, n);
	h->held += n;
	return n;
}

/* How long the server was asked to take. */
static long seconds_asked(const char *address)
{
	const char *s = strstr(address, "seconds=");
	long n = s && (s[-1] == '?' || s[-1] == '&') ? strtol(s + 8, NULL, 10) : 0;
	return n < 0 ? 0 : n > 86400 ? 86400 : n;
}

static bool set_up(stw_http *h, const char *address)
{
	CURL *e = h->easy;
	bool ok = curl.easy_setopt(e, CURLOPT_URL, address) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_WRITEFUNCTION, take) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_WRITEDATA, h) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_ERRORBUFFER, h->why) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_FAILONERROR, 1L) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS) == CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075500
	ok = ok && curl.easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
	ok = ok && curl.easy_setopt(e, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
#endif
	ok = ok && curl.easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_LOW_SPEED_TIME, SILENT_SECONDS + seconds_asked(address)) == CURLE_OK;
	ok = ok && curl.easy_setopt(e, CURLOPT_USERAGENT, "stwatch/" STWATCH_VERSION_STRING) == CURLE_OK;
	return ok && curl.multi_add_handle(h->multi, e) == CURLM_OK;
}

stwatch_status stw_http_open(stw_http **out, const char *address, const volatile int *cancel, stwatch_error *error)
{
	*out = NULL;
	if (!stw_http_available())
		return stw_fail(error, STWATCH_ERR_UNAVAILABLE, STWATCH_NO_OFFSET,
			"addresses can't be read: " CURL_LIBRARY " can't be loaded (on Debian it is in libcurl4)");
	stw_http *h = calloc(1, sizeof *h);
	*out = h;
	if (!h)
		return stw_fail_memory(error);
	h->cancel = cancel;
	h->multi = curl.multi_init();
	h->easy = curl.easy_init();
	if (!h->multi || !h->easy || !set_up(h, address)) {
		stw_http_close(h);
		*out = NULL;
		return stw_fail_memory(error);
	}
	return STWATCH_OK;
}

void stw_http_close(stw_http *h)
{
	if (!h)
		return;
	if (h->multi && h->easy)
		curl.multi_remove_handle(h->multi, h->easy);
	if (h->easy)
		curl.easy_cleanup(h->easy);
	if (h->multi)
		curl.multi_cleanup(h->multi);
	free(h);
}

static void work(stw_http *h)
{
	int running, left;
	if (h->paused && h->held == 0) {
		h->paused = false;
		curl.easy_pause(h->easy, CURLPAUSE_CONT);
	}
	if (curl.multi_perform(h->multi, &running) != CURLM_OK) {
		h->ended = true;
		h->result = CURLE_RECV_ERROR;
	}
	for (CURLMsg *m; (m = curl.multi_info_read(h->multi, &left)) != NULL;)
		if (m->msg == CURLMSG_DONE) {
			h->ended = true;
			h->result = m->data.result;
		}
}

bool stw_http_ready(stw_http *h, int milliseconds)
{
	if (h->held)
		return true;
	if (!h->ended)
		work(h);
	if (!h->held && !h->ended) {
		curl.multi_poll(h->multi, NULL, 0, milliseconds, NULL);
		work(h);
	}
	return h->held || h->ended;
}

stwatch_status stw_http_read(void *user, void *buffer, size_t size, size_t *got, stwatch_error *error)
{
	stw_http *h = user;
	*got = 0;
	while (!stw_http_ready(h, TURN_MS))
		if (h->cancel && *h->cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted while it was being fetched");
	if (h->held == 0 && h->result != CURLE_OK)
		return stw_fail(
			error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "can't fetch: %.200s", *h->why ? h->why : curl.easy_strerror(h->result));
	*got = h->held - h->taken < size ? h->held - h->taken : size;
	memcpy(buffer, h->room + h->taken, *got);
	h->taken += *got;
	if (h->taken == h->held)
		h->taken = h->held = 0;
	return STWATCH_OK;
}

#else

bool stw_http_available(void)
{
	return false;
}

stwatch_status stw_http_open(stw_http **out, const char *address, const volatile int *cancel, stwatch_error *error)
{
	(void)address;
	(void)cancel;
	*out = NULL;
	return stw_fail(error, STWATCH_ERR_UNAVAILABLE, STWATCH_NO_OFFSET,
		"addresses are not read by this build: curl -s ADDRESS | stwatch diagnose -, or install libcurl4-openssl-dev and build "
		"again");
}

void stw_http_close(stw_http *h)
{
	(void)h;
}

bool stw_http_ready(stw_http *h, int milliseconds)
{
	(void)h;
	(void)milliseconds;
	return true;
}

stwatch_status stw_http_read(void *user, void *buffer, size_t size, size_t *got, stwatch_error *error)
{
	(void)user;
	(void)buffer;
	(void)size;
	*got = 0;
	return stw_fail(error, STWATCH_ERR_UNAVAILABLE, STWATCH_NO_OFFSET, "addresses are not read by this build");
}
#endif
