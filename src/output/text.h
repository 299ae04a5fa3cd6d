/* Text for people: wrapping at a width, columns, colour, durations. Text from a trace can't play tricks on a terminal: control
 * characters and bytes that are not UTF-8 come out as U+FFFD. One character counts as one column. */
#ifndef STW_OUTPUT_TEXT_H
#define STW_OUTPUT_TEXT_H

#include <stdint.h>

#include "output/sink.h"

typedef enum stw_style {
	STW_STYLE_PLAIN,
	STW_STYLE_BOLD,
	STW_STYLE_DIM,
	STW_STYLE_RED,
	STW_STYLE_YELLOW,
	STW_STYLE_CYAN,
	STW_STYLE_GREEN
} stw_style;

typedef struct stw_text {
	stw_sink sink;
	unsigned width;
	bool color;
	unsigned column; /* of what comes next, from 0 */
	bool space; /* a space is due before the next word, unless a new line begins first */
} stw_text;

/* width 0: 100; it is held between 40 and 400. */
void stw_text_init(stw_text *text, unsigned width, bool color, stwatch_sink_fn write, void *user);
stwatch_status stw_text_finish(stw_text *text);

void stw_text_style(stw_text *text, stw_style style);
void stw_text_put(stw_text *text, const char *string);
/* At most 511 bytes come of it. */
void stw_text_printf(stw_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void stw_text_line(stw_text *text); /* ends the line */
/* Spaces up to a column; at least one if that column is passed. */
void stw_text_to(stw_text *text, unsigned column);
/* In a column of `width`, at its right end. */
void stw_text_right(stw_text *text, const char *string, unsigned width);
/* Continues the line word by word; what doesn't fit goes on below, from column `indent`. Spaces at the end count for what follows. */
void stw_text_wrap(stw_text *text, unsigned indent, const char *string);
/* Like stw_text_wrap with one unbreakable string. */
void stw_text_item(stw_text *text, unsigned indent, const char *string);

#define STW_FIGURE_MAX 40

/* "850 ns", "12.3 µs", "125.2 ms", "1.52 s", "3 min 12 s"; returns buffer. */
const char *stw_text_duration(char buffer[static STW_FIGURE_MAX], int64_t ns);
/* "+666.693 ms", from 10 s on "+12.345678 s": a place in the trace; returns buffer. */
const char *stw_text_at(char buffer[static STW_FIGURE_MAX], int64_t ns);
/* "1,234,567"; returns buffer. */
const char *stw_text_count(char buffer[static STW_FIGURE_MAX], uint64_t count);
/* "12.5 MiB"; returns buffer. */
const char *stw_text_bytes(char buffer[static STW_FIGURE_MAX], uint64_t bytes);
/* "12.3 %" of a share from 0 to 1; returns buffer. */
const char *stw_text_share(char buffer[static STW_FIGURE_MAX], double share);

#endif
