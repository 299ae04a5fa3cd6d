/* One table-driven option parser. A table says what there is; help, errors and the config file follow from it.
 * Values are stored at an offset in the caller's own struct, so tables are constant and nothing is kept at file scope. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stwatch/stwatch.h"

typedef enum cli_type {
	CLI_FLAG, /* bool */
	CLI_DURATION, /* int64_t, nanoseconds: 250us, 30ms, 1.5s */
	CLI_TIME, /* cli_time: seconds from the start, or RFC 3339 */
	CLI_COUNT, /* int64_t, 0 and up */
	CLI_SIZE, /* int64_t, bytes: 512M, 2GiB */
	CLI_PERCENT, /* int64_t, tenths of a percent: 2.5% */
	CLI_CHOICE, /* int, an index into choices */
	CLI_STRING, /* const char * */
	CLI_LIST /* cli_list; the option may be repeated */
} cli_type;

enum { CLI_LIST_MAX = 64, CLI_SET_MAX = 256, CLI_MESSAGE_MAX = 400 };

typedef struct cli_list {
	const char *items[CLI_LIST_MAX];
	size_t count;
} cli_list;

typedef struct cli_time {
	enum { CLI_TIME_UNSET, CLI_TIME_FROM_START, CLI_TIME_WALL } kind;
	int64_t ns; /* from the start, or since 1970 in UTC */
} cli_time;

typedef struct cli_option {
	const char *name; /* without dashes */
	char letter; /* 0: none */
	cli_type type;
	const char *value; /* what stands for the value in help; NULL for flags */
	const char *help;
	size_t offset; /* into the struct of the group */
	const char *const *choices; /* NULL-terminated, for CLI_CHOICE */
} cli_option;

/* A table and the struct its values go into. A group without a table is the thresholds: options of stwatch_setting_at. */
typedef struct cli_group {
	const cli_option *options; /* ended by one without a name */
	void *values;
} cli_group;

typedef struct cli_parse {
	const cli_group *groups;
	size_t n_groups;
	bool set[CLI_SET_MAX]; /* which were given on the command line: those win over the config file */
	char message[CLI_MESSAGE_MAX]; /* what was wrong */
} cli_parse;

/* Takes options out of argv wherever they stand (up to "--") and leaves the operands, in order, in argv; *count is their number.
 * With `stop_at_operand` it ends before the first operand. False with message set on a mistake. */
bool cli_parse_args(cli_parse *parse, char **argv, int argc, bool stop_at_operand, int *count);

typedef enum cli_assigned { CLI_ASSIGNED, CLI_NO_SUCH_OPTION, CLI_BAD_VALUE } cli_assigned;

/* Assigns by name, unless the command line did. */
cli_assigned cli_parse_assign(cli_parse *parse, const char *name, const char *value);

/* Reads `option = value` lines (# begins a comment). The text is kept by the caller: values point into it. known_elsewhere says
 * whether an option that isn't in the groups belongs to another command. */
bool cli_parse_config(cli_parse *parse, const char *file, char *text, bool (*known_elsewhere)(const char *name));

/* The values, each alone: false where the text is none. */
bool cli_read_duration(const char *text, int64_t *ns);
bool cli_read_time(const char *text, cli_time *time);
bool cli_read_count(const char *text, int64_t *count);
bool cli_read_size(const char *text, int64_t *bytes);
bool cli_read_percent(const char *text, int64_t *permille);

/* A threshold in the form of a table row, and what its value looks like. */
cli_option cli_setting_option(const stwatch_setting *setting, size_t index);
/* What is expected of a type: "a duration, such as 30ms". */
const char *cli_expected(cli_type type);

#endif
