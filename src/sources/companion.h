/* Inputs that are no traces: what else Go programs write. A reader a kind, each a row of the registry (companion.c): how it is
 * recognised by its content, how it is read, what `stat` says of it. Rules get all of them (rules/case.h) and ask for the part
 * that they can use. */
#ifndef STW_SOURCES_COMPANION_H
#define STW_SOURCES_COMPANION_H

#include "base/arena.h"
#include "stwatch/analysis.h"
#include "wire/source.h"

/* What a file can hold. A log may have several: GODEBUG lines and the dump of a crash. */
typedef enum stw_part { STW_PART_PROFILE, STW_PART_DUMP, STW_PART_GODEBUG, STW_PART_BINARY, STW_PART_COUNT } stw_part;

typedef struct stw_companion {
	stw_mem *mem;
	stw_arena arena; /* everything that it points to, freed with it */
	const char *file; /* the path as given */
	const char *name; /* its last part, for evidence */
	const char *kind; /* "pprof-cpu"; "text-log": a text in which no reader found anything */
	const char *format; /* "profile.proto", "debug=2"; NULL: there is none to tell */
	uint64_t bytes; /* of the input as it is */
	unsigned input; /* its place among the paths */
	bool has_start;
	int64_t start_unix_ns, duration_ns; /* duration STWATCH_UNKNOWN: not known */
	const void *parts[STW_PART_COUNT]; /* each reader's own, NULL: not in it */
	STW_VEC(stwatch_problem) problems;
	STW_VEC(stwatch_figure) figures;
	STW_VEC(stwatch_table) tables;
} stw_companion;

typedef struct stw_companions {
	stw_companion **items;
	size_t count;
} stw_companions;

/* A row of the registry. */
typedef struct stw_companion_reader {
	const char *expected; /* for messages: "a pprof profile" */
	stw_part part;
	/* Whether the first bytes are of this kind; NULL: it is text, and every text is given to it to look for what it knows. */
	bool (*recognise)(const unsigned char *head, size_t length);
	/* Reads the whole. Sets kind (if no reader before it did), format and its part when it found something; else leaves all as it
	 * is. Damage is a problem (stw_companion_problem), not an error: what can be read is kept. _MEMORY, _IO, _CANCELLED,
	 * _UNAVAILABLE; _FORMAT, _UNSUPPORTED: it is of a kind that only has a name. */
	stwatch_status (*read)(stw_companion *c, const stw_source *source, const volatile int *cancel, stwatch_error *error);
	/* Adds figures and tables for `stat`; only called where its part was found. False: out of memory. */
	bool (*describe)(stw_companion *c);
	/* Frees the part, where it is not in the companion's arena; else NULL. */
	void (*release)(const void *part, stw_mem *mem);
} stw_companion_reader;

enum { STW_HEAD_SIZE = 4096 }; /* how much of a file is looked at to recognise it */

typedef enum stw_likeness { STW_LIKE_NOTHING, STW_LIKE_TRACE, STW_LIKE_TEXT, STW_LIKE_BINARY } stw_likeness;

/* What a file is, by its content: the one rule, for every command. A trace begins with "go 1."; else the readers of binary formats are asked; text is
 * what begins with 4 KiB that no text could not have; in all else a trace is looked for whose beginning is missing, or stands behind other bytes.
 * An empty file is text. STWATCH_ERR_MEMORY, _IO, _CANCELLED. */
stwatch_status stw_companion_recognise(
	const stw_source *source, stw_mem *mem, const volatile int *cancel, stw_likeness *like, stwatch_error *error);

/* Reads an opened input with every reader that recognises it. *out is owned by the caller, who ends it with stw_companion_free.
 * path must live as long. STWATCH_ERR_MEMORY, _IO, _CANCELLED, _UNAVAILABLE (a reader is not built in), _FORMAT and
 * _UNSUPPORTED (its kind is known, and none that is read). */
stwatch_status stw_companion_read(stw_companion **out, stw_mem *mem, const char *path, unsigned input, const stw_source *source,
	const volatile int *cancel, stwatch_error *error);
void stw_companion_free(stw_companion *c);

/* Whether any reader found something in it. */
bool stw_companion_tells(const stw_companion *c);

/* What the readers take, for messages: "a pprof profile, a Go program's binary, a goroutine dump or GODEBUG output". */
const char *stw_companion_expected(char *buffer, size_t size);

/* ---- for readers ---- */

/* Something is wrong at a byte of the unpacked input. False: out of memory. Only the first 100 are kept. */
bool stw_companion_problem(stw_companion *c, uint64_t offset, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line of `stat`: text (copied by nobody: from the arena or constant; NULL: not known), or a number. False: out of memory. */
bool stw_companion_text(stw_companion *c, const char *name, const char *label, const char *text);
bool stw_companion_number(stw_companion *c, const char *name, const char *label, stwatch_quantity quantity, int64_t number);

/* A table of `stat` with rows × columns zeroed cells to fill in (row by row); columns must live as long as c. NULL: out of memory. */
stwatch_cell *stw_companion_table(stw_companion *c, const char *name, const char *title, const stwatch_column *columns, size_t n_columns,
	size_t n_rows, uint64_t more);

#endif
