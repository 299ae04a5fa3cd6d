/* Figures as people read them. Integers only: the caller's locale has no say. */
#include "output/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { MICROSECOND = 1000, MILLISECOND = 1000000, SECOND = 1000000000 };

/* value / unit with so many decimals (0 to 6), rounded. */
static void decimal(char buffer[static STW_FIGURE_MAX], uint64_t value, uint64_t unit, int decimals, const char *suffix)
{
	uint64_t scale = 1;
	for (int i = 0; i < decimals; i++)
		scale *= 10;
	uint64_t whole = value / unit, part = (value % unit * scale + unit / 2) / unit;
	if (part >= scale) {
		whole++;
		part -= scale;
	}
	if (decimals > 0)
		snprintf(buffer, STW_FIGURE_MAX, "%" PRIu64 ".%0*" PRIu64 " %s", whole, decimals, part, suffix);
	else
		snprintf(buffer, STW_FIGURE_MAX, "%" PRIu64 " %s", whole, suffix);
}

const char *stw_text_duration(char buffer[static STW_FIGURE_MAX], int64_t ns)
{
	uint64_t value = ns < 0 ? 0 : (uint64_t)ns;
	if (value < MICROSECOND)
		decimal(buffer, value, 1, 0, "ns");
	else if (value < MILLISECOND)
		decimal(buffer, value, MICROSECOND, 1, "µs");
	else if (value < 10 * (uint64_t)MILLISECOND)
		decimal(buffer, value, MILLISECOND, 2, "ms");
	else if (value < SECOND)
		decimal(buffer, value, MILLISECOND, 1, "ms");
	else if (value < 120 * (uint64_t)SECOND)
		decimal(buffer, value, SECOND, 2, "s");
	else
		snprintf(buffer, STW_FIGURE_MAX, "%" PRIu64 " min %d s", value / SECOND / 60, (int)(value / SECOND % 60));
	return buffer;
}

const char *stw_text_at(char buffer[static STW_FIGURE_MAX], int64_t ns)
{
	char figure[STW_FIGURE_MAX];
	uint64_t value = ns < 0 ? (uint64_t) - (ns + 1) + 1 : (uint64_t)ns;
	if (value < 10 * (uint64_t)SECOND)
		decimal(figure, value, MILLISECOND, 3, "ms");
	else
		decimal(figure, value, SECOND, 6, "s");
	snprintf(buffer, STW_FIGURE_MAX, "%c%.*s", ns < 0 ? '-' : '+', STW_FIGURE_MAX - 2, figure);
	return buffer;
}

const char *stw_text_count(char buffer[static STW_FIGURE_MAX], uint64_t count)
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%" PRIu64, count), out = 0;
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			buffer[out++] = ',';
		buffer[out++] = digits[i];
	}
	buffer[out] = '\0';
	return buffer;
}

const char *stw_text_bytes(char buffer[static STW_FIGURE_MAX], uint64_t bytes)
{
	static const char *const UNITS[] = {"KiB", "MiB", "GiB", "TiB"};
	if (bytes < 1024) {
		snprintf(buffer, STW_FIGURE_MAX, "%d bytes", (int)bytes);
		return buffer;
	}
	int unit = 0;
	uint64_t size = 1024;
	while (unit < 3 && bytes / size >= 1024) {
		size *= 1024;
		unit++;
	}
	decimal(buffer, bytes, size, 1, UNITS[unit]);
	return buffer;
}

const char *stw_text_share(char buffer[static STW_FIGURE_MAX], double share)
{
	double permille = share * 1000;
	if (!(permille > 0))
		permille = 0;
	decimal(buffer, (uint64_t)((permille > 1e9 ? 1e9 : permille) + 0.5), 10, 1, "%");
	return buffer;
}
