/* Reading option values. Exact integers throughout: 1.5s is 1500000000, whatever the locale. */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct unit {
	const char *name;
	int64_t factor;
} unit;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* digits[.digits], times factor, rounded down; *rest is set behind it. False when there is no number or it doesn't fit. */
static bool read_decimal(const char *text, int64_t factor, int64_t *value, const char **rest)
{
	if (!is_digit(*text))
		return false;
	int64_t whole = 0;
	for (; is_digit(*text); text++)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *text - '0', &whole))
			return false;
	int64_t fraction = 0, scale = 1;
	if (*text == '.') {
		if (!is_digit(*++text))
			return false;
		for (; is_digit(*text); text++)
			if (scale < 1000000000) {
				fraction = fraction * 10 + (*text - '0');
				scale *= 10;
			}
	}
	*rest = text;
	__int128 product = (__int128)whole * factor + (__int128)fraction * factor / scale;
	*value = (int64_t)product;
	return product <= INT64_MAX;
}

/* A number with one of the units, the first of which is meant where none stands. */
static bool read_with_unit(const char *text, const unit *units, int64_t *value)
{
	const char *suffix;
	int64_t ignored;
	if (!read_decimal(text, 1, &ignored, &suffix))
		return false;
	suffix += strspn(suffix, " ");
	if (!*suffix)
		return units->name[0] == '\0' && read_decimal(text, units->factor, value, &suffix);
	for (const unit *u = units; u->name; u++)
		if (strcmp(suffix, u->name) == 0)
			return read_decimal(text, u->factor, value, &suffix);
	return false;
}

static const unit DURATIONS[] = {
	{"ns", 1},
	{"us", 1000},
	{"µs", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60000000000},
	{"min", 60000000000},
	{"h", 3600000000000},
	{NULL, 0},
};

bool cli_read_duration(const char *text, int64_t *ns)
{
	/* Without a unit only nothing is clear. */
	if (strcmp(text, "0") == 0) {
		*ns = 0;
		return true;
	}
	return read_with_unit(text, DURATIONS, ns);
}

bool cli_read_count(const char *text, int64_t *count)
{
	static const unit NONE[] = {{"", 1}, {NULL, 0}};
	return !strchr(text, '.') && read_with_unit(text, NONE, count);
}

bool cli_read_size(const char *text, int64_t *bytes)
{
	static const unit SIZES[] = {
		{"", 1},
		{"K", 1 << 10},
		{"KB", 1 << 10},
		{"KiB", 1 << 10},
		{"M", 1 << 20},
		{"MB", 1 << 20},
		{"MiB", 1 << 20},
		{"G", 1 << 30},
		{"GB", 1 << 30},
		{"GiB", 1 << 30},
		{NULL, 0},
	};
	return read_with_unit(text, SIZES, bytes);
}

bool cli_read_percent(const char *text, int64_t *permille)
{
	static const unit PERCENT[] = {{"", 10}, {"%", 10}, {NULL, 0}};
	return read_with_unit(text, PERCENT, permille);
}

/* The offset of RFC 3339: Z, or +hh:mm; in seconds. */
static bool read_zone(const char *text, int64_t *seconds)
{
	*seconds = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	bool shape = strlen(text) == 6 && (*text == '+' || *text == '-') && is_digit(text[1]) && is_digit(text[2]) && text[3] == ':' &&
		is_digit(text[4]) && is_digit(text[5]);
	if (!shape)
		return false;
	*seconds = ((text[1] - '0') * 10 + text[2] - '0') * 3600 + ((text[4] - '0') * 10 + text[5] - '0') * 60;
	if (*text == '-')
		*seconds = -*seconds;
	return true;
}

static bool read_wall(const char *text, int64_t *unix_ns)
{
	struct tm parts = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	if (!rest)
		return false;
	int64_t nanoseconds = 0, zone;
	if (*rest == '.') {
		char fraction[32] = "0";
		size_t digits = strspn(rest + 1, "0123456789");
		if (digits == 0 || digits > 20)
			return false;
		memcpy(fraction + 1, rest, digits + 1);
		const char *end;
		read_decimal(fraction, 1000000000, &nanoseconds, &end);
		rest += digits + 1;
	}
	if (!read_zone(rest, &zone))
		return false;
	*unix_ns = ((int64_t)timegm(&parts) - zone) * 1000000000 + nanoseconds;
	return true;
}

bool cli_read_time(const char *text, cli_time *time)
{
	const char *rest;
	if (read_wall(text, &time->ns)) {
		time->kind = CLI_TIME_WALL;
		return true;
	}
	time->kind = CLI_TIME_FROM_START;
	if (*text == '+')
		text++;
	return (read_decimal(text, 1000000000, &time->ns, &rest) && !*rest) || cli_read_duration(text, &time->ns);
}
