/* A command is a file with one const entry: what it is called, what it takes, and what runs it. Help, parsing and errors follow from
 * the entry; the command itself calls the library and a printer. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"
#include "cli/out.h"

/* Exit codes that scripts rely on. Of several, cli_worse decides. */
enum {
	CLI_OK = 0,
	CLI_FOUND = 1, /* a finding reached --fail-on */
	CLI_USAGE = 2,
	CLI_INPUT = 3, /* the input can't be opened or read; or the output not written */
	CLI_DAMAGED = 4, /* done as far as the input could be read */
	CLI_UNAVAILABLE = 5, /* not here: a part, a permission, memory */
	CLI_INTERRUPTED = 130
};

enum { CLI_FORMAT_TEXT, CLI_FORMAT_JSON };
enum { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER };

typedef struct cli_globals {
	int64_t threads, memory, unpack_limit;
	int color, format;
	bool quiet, help, version;
	const char *config;
} cli_globals;

typedef struct cli_progress {
	double begun, started, drawn; /* seconds; started: the step at hand (unpacking, reading); drawn 0: nothing is on the screen */
	uint64_t done, total; /* of that step */
} cli_progress;

typedef struct cli_session {
	cli_globals globals;
	cli_parse parsed; /* the options before the command, which the config file doesn't change */
	stwatch_settings settings;
	stwatch_context *context; /* NULL for commands that need no library */
	cli_progress progress;
	const char **traces; /* of cli_traces_of */
	bool quiet_notes; /* lines of the library for people are not told */
	cli_out out;
} cli_session;

typedef struct cli_command {
	const char *name, *summary;
	const char *operands; /* as usage words them: "FILE…" */
	const char *about; /* a paragraph for --help */
	const cli_option *options; /* ended by one without a name */
	const void *defaults; /* the struct that the options' offsets are of */
	size_t args_size;
	bool thresholds; /* takes every option of stwatch_setting_at */
	int operands_min, operands_max;
	int (*run)(cli_session *session, const void *args, const char *const *operands, size_t n);
} cli_command;

enum { CLI_ARGS_MAX = 4096, CLI_OPERANDS_MAX = 1 << 20 };

/* Every command, ended by NULL. */
extern const cli_command *const cli_commands[];
extern const cli_option cli_global_options[];

extern const cli_command cli_diagnose, cli_stat, cli_events, cli_states, cli_path, cli_cut, cli_profile, cli_index, cli_explain, cli_doctor,
	cli_completion;

const cli_command *cli_command_find(const char *name);
/* What a command takes, by index from 0: its own options, those of every command that it doesn't have under the same name, thresholds.
 * False past the last. */
bool cli_option_at(const cli_command *command, size_t index, cli_option *option);
/* Whether a table has an option of this name. */
bool cli_options_have(const cli_option *options, const char *name);

/* help.c */
void cli_help_overview(cli_out *out);
void cli_help_command(cli_out *out, const cli_command *command);

/* session.c */
int cli_session_begin(cli_session *session);
void cli_session_end(cli_session *session);
bool cli_session_color(const cli_session *session);
unsigned cli_session_width(void);
/* Whether the environment's locale is one of UTF-8, for drawings. */
bool cli_session_unicode(void);
/* Takes the progress bar off the terminal, before anything else is written. */
void cli_progress_clear(cli_session *session);

/* report.c */
int cli_worse(int a, int b);
/* Says what went wrong with a file (NULL: with none in particular), and what the exit code is. */
int cli_report(cli_session *session, const char *file, const stwatch_error *error, stwatch_status status);
/* The same where several files were given: the error says about which of them it is. */
int cli_report_of(cli_session *session, const char *const *files, size_t n_files, const stwatch_error *error, stwatch_status status);
/* "stwatch: --option: …", pointing at the command's --help; the exit code. */
int cli_usage(const cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
