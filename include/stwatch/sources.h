/* What `stat` shows of an input that is no trace (a profile, a goroutine dump, GODEBUG output): figures and tables that name
 * themselves, so that every kind of input is printed and read in the same way. */
#ifndef STWATCH_SOURCES_H
#define STWATCH_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STWATCH_UNKNOWN INT64_MIN /* a number or a time that the input doesn't tell */

typedef enum stwatch_quantity {
	STWATCH_TEXT,
	STWATCH_COUNT,
	STWATCH_NS,
	STWATCH_BYTES,
	STWATCH_PERMILLE,
	STWATCH_WALL_NS /* a wall time, since 1970; in JSON RFC 3339 */
} stwatch_quantity;

typedef struct stwatch_column {
	const char *name;  /* the key in JSON: "delay_ns" */
	const char *label; /* what a person reads: "delay" */
	stwatch_quantity quantity;
} stwatch_column;

typedef struct stwatch_cell {
	const char *text; /* of STWATCH_TEXT; NULL: not known */
	int64_t number;   /* of all others; STWATCH_UNKNOWN: not known */
} stwatch_cell;

typedef struct stwatch_figure {
	stwatch_column what;
	stwatch_cell value;
} stwatch_figure;

typedef struct stwatch_table {
	const char *name, *title; /* the key in JSON, the heading */
	const stwatch_column *columns; size_t n_columns;
	const stwatch_cell *cells; size_t n_rows; /* row by row */
	uint64_t more; /* rows that were left out */
} stwatch_table;

#ifdef __cplusplus
}
#endif
#endif
