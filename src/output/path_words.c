/* What the formats of a path have in common. */
#include "output/path_views.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *stw_output_path_place(
	char buffer[static STW_PATH_PLACE_MAX], const char *function, const char *root, const char *file, uint64_t line)
{
	const char *slash = strrchr(file, '/'), *name = *function ? function : root;
	file = slash ? slash + 1 : file;
	if (*name && *file)
		snprintf(buffer, STW_PATH_PLACE_MAX, "%.300s %.100s:%" PRIu64, name, file, line);
	else
		snprintf(buffer, STW_PATH_PLACE_MAX, "%.300s", name);
	return buffer;
}

static void what_procs_did(char *buffer, size_t size, const stwatch_path_procs *p)
{
	static const struct {
		const char *cause, *words;
	} CAUSES[] = {
		{"busy", "P's busy"},
		{"gc-workers", "P's marking for the collector"},
		{"system-calls", "P's kept by system calls"},
		{"proc-idle", "with a P idle"},
	};
	const char *words = "";
	for (size_t i = 0; i < sizeof CAUSES / sizeof *CAUSES; i++)
		if (p->cause && strcmp(p->cause, CAUSES[i].cause) == 0)
			words = CAUSES[i].words;
	if (p->function && strcmp(p->cause, "proc-idle") != 0)
		snprintf(buffer, size, "%s, most with %.200s", words, p->function);
	else
		snprintf(buffer, size, "%s", words);
}

const char *stw_output_path_what(char buffer[static STW_PATH_PLACE_MAX], const stwatch_path_segment *s)
{
	char more[STW_PATH_PLACE_MAX - 40];
	what_procs_did(more, sizeof more, &s->procs);
	if (!s->procs.cause)
		snprintf(more, sizeof more, "%.200s", s->kind == STWATCH_PATH_SYSCALL ? s->leaf : s->what);
	const char *kind = stwatch_path_kind_name(s->kind);
	if (*more && strcmp(more, kind) != 0)
		snprintf(buffer, STW_PATH_PLACE_MAX, "%s (%s)", kind, more);
	else
		snprintf(buffer, STW_PATH_PLACE_MAX, "%s", kind);
	return buffer;
}
