#include "wire/header.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"

static const char *looks_like(const unsigned char *head, size_t length)
{
	static const struct {
		const char *magic, *name;
		size_t length;
	} known[] = {
		{"\x7f"
		 "ELF",
			"an ELF program", 4},
		{"{", "JSON", 1},
		{"goroutine ", "a goroutine dump", 10},
		{"SCHED ", "GODEBUG=schedtrace output", 6},
		{"gc ", "GODEBUG=gctrace output", 3},
		{"PK\x03\x04", "a zip archive", 4},
		{"SQLite format 3", "an SQLite database", 15},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (length >= known[i].length && memcmp(head, known[i].magic, known[i].length) == 0)
			return known[i].name;
	for (size_t i = 0; i < length; i++)
		if (!isprint(head[i]) && !isspace(head[i]))
			return "binary data of another kind";
	return "text of another kind";
}

stwatch_status stw_header_parse(const uint8_t *head, size_t got, unsigned *minor, stwatch_error *error)
{
	static const char tail[] = " trace\0\0\0"; /* with the literal's own NUL: four, as a version of one digit has */
	static const char start[] = "go 1.";
	if (got == 0)
		return stw_fail(error, STWATCH_ERR_FORMAT, 0, "the file is empty (a trace begins with \"go 1.N trace\")");
	size_t common = got < 5 ? got : 5;
	if (memcmp(head, start, common) != 0)
		return stw_fail(error, STWATCH_ERR_FORMAT, 0,
			"not a Go execution trace: it seems to be %s (a trace begins with \"go 1.N trace\")", looks_like(head, got));
	unsigned n = 0;
	size_t i = 5;
	while (i < got && i < 8 && isdigit(head[i]))
		n = n * 10 + (unsigned)(head[i++] - '0');
	size_t rest = got - (i < got ? i : got), want = STW_HEADER_SIZE - i;
	if (got < STW_HEADER_SIZE && memcmp(head + i, tail, rest < want ? rest : want) == 0)
		return stw_fail(error, STWATCH_ERR_FORMAT, got, "the header is cut (16 bytes \"go 1.N trace\" were expected)");
	if (i == 5 || memcmp(head + i, tail, want) != 0)
		return stw_fail(error, STWATCH_ERR_FORMAT, 5, "bad trace header (\"go 1.N trace\" and three zero bytes were expected)");
	switch (n) {
	case 5:
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
	case 19:
	case 21:
	case 22:
	case 23:
	case 25:
	case 26: *minor = n; return STWATCH_OK;
	default:
		return stw_fail(error, STWATCH_ERR_UNSUPPORTED, 3,
			"trace format go 1.%u is not known (known: 1.5, 1.7 to 1.11, 1.19, 1.21 to 1.23, 1.25 and 1.26)", n);
	}
}

stwatch_status stw_header_read(const stw_source *source, unsigned *minor, stwatch_error *error)
{
	uint8_t head[STW_HEADER_SIZE] = {0};
	size_t got;
	stwatch_status status = stw_source_read(source, 0, head, sizeof head, &got, error);
	return status == STWATCH_OK ? stw_header_parse(head, got, minor, error) : status;
}
