/* Goroutines, procs and frames in a few words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "output/output.h"
#include "output/text.h"

void stw_output_party_name(char buffer[static STW_OUTPUT_NAME_MAX], const stwatch_party *party)
{
	const char *function = party->function ? party->function : party->root ? party->root : party->kind ? party->kind : "(unknown)";
	char times[STW_FIGURE_MAX] = "", goroutine[STW_FIGURE_MAX] = "", proc[STW_FIGURE_MAX] = "";
	if (party->count > 1)
		snprintf(times, sizeof times, "%" PRIu64 " × ", party->count);
	else if (party->goroutine != STWATCH_NONE)
		snprintf(goroutine, sizeof goroutine, " G%" PRId64, party->goroutine);
	if (party->proc != STWATCH_NONE)
		snprintf(proc, sizeof proc, " on P%" PRId64, party->proc);
	snprintf(buffer, STW_OUTPUT_NAME_MAX, "%s%.300s%s%s", times, function, goroutine, proc);
}

void stw_output_frame_name(char buffer[static STW_OUTPUT_NAME_MAX], const stwatch_frame *frame)
{
	const char *slash = strrchr(frame->file, '/');
	const char *file = slash ? slash + 1 : frame->file;
	if (*file)
		snprintf(buffer, STW_OUTPUT_NAME_MAX, "%.200s %.100s:%" PRIu64, *frame->function ? frame->function : "(unknown)", file,
			frame->line);
	else
		snprintf(buffer, STW_OUTPUT_NAME_MAX, "%.200s", *frame->function ? frame->function : "(unknown)");
}
