/* What every command that reads inputs shares: the library's context, interruption, progress, the terminal. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"

/* Global because a signal handler has nothing else to write to. */
static volatile int cancelled;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	cancelled = 1;
}

static void watch_signals(void)
{
	/* One-shot: a second interrupt ends the program at once. What is being written meanwhile is written. */
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe shows as EPIPE and ends quietly */
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void draw(double elapsed, uint64_t done, uint64_t total)
{
	double mib = (double)done / (1 << 20), rate = mib / elapsed;
	if (total == 0 || done > total) {
		fprintf(stderr, "\r%.1f MiB, %.1f MiB/s\x1b[K", mib, rate);
		return;
	}
	double left = done > 0 ? elapsed * (double)(total - done) / (double)done : 0;
	fprintf(stderr, "\r%3d %%  %.1f of %.1f MiB, %.1f MiB/s, %.0f s left\x1b[K", (int)(100 * (double)done / (double)total), mib,
		(double)total / (1 << 20), rate, left);
}

static void on_progress(void *user, uint64_t done, uint64_t total)
{
	enum { QUIET_SECONDS = 1 };
	cli_progress *progress = user;
	double time = now();
	if (total != progress->total || done < progress->done) /* another step begins, with a rate of its own */
		progress->started = time;
	progress->done = done;
	progress->total = total;
	if (time - progress->begun < QUIET_SECONDS || time - progress->drawn < 0.1 || time - progress->started < 0.05)
		return;
	progress->drawn = time;
	draw(time - progress->started, done, total);
}

void cli_progress_clear(cli_session *session)
{
	if (session->progress.drawn > 0)
		fputs("\r\x1b[K", stderr);
	session->progress.drawn = 0;
}

static void on_note(void *user, const char *line)
{
	cli_session *session = user;
	if (session->quiet_notes)
		return;
	cli_progress_clear(session);
	fprintf(stderr, "stwatch: %s\n", line);
}

int cli_session_begin(cli_session *session)
{
	bool bar = isatty(STDERR_FILENO) && !session->globals.quiet;
	stwatch_context_options options = {
		.size = sizeof options,
		.threads = (unsigned)session->globals.threads,
		.memory_limit = (uint64_t)session->globals.memory,
		.unpack_limit = (uint64_t)session->globals.unpack_limit,
		.progress = bar ? on_progress : NULL,
		.progress_user = &session->progress,
		.cancel = &cancelled,
		.note = on_note,
		.note_user = session,
	};
	session->progress = (cli_progress){.begun = now(), .started = now()};
	watch_signals();
	stwatch_status status = stwatch_context_create(&options, &session->context);
	stwatch_error error = {.status = status, .offset = STWATCH_NO_OFFSET};
	return cli_report(session, NULL, &error, status);
}

void cli_session_end(cli_session *session)
{
	free(session->traces);
	session->traces = NULL;
	stwatch_context_free(session->context);
	session->context = NULL;
}

bool cli_session_color(const cli_session *session)
{
	if (session->globals.color != CLI_COLOR_AUTO)
		return session->globals.color == CLI_COLOR_ALWAYS;
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0);
}

unsigned cli_session_width(void)
{
	struct winsize size;
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col < 40 ? 40 : size.ws_col > 400 ? 400 : size.ws_col;
	return 0;
}

bool cli_session_unicode(void)
{
	static const char *const NAMES[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		const char *locale = getenv(NAMES[i]);
		if (locale && *locale)
			return strcasestr(locale, "UTF-8") || strcasestr(locale, "utf8");
	}
	return false;
}
