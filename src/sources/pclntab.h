/* Go's own table of functions and lines (.gopclntab), which is in every Go program, stripped or not. No library reads it, so this does.
 * The table is hostile: every offset and count in it is checked where it is used, nothing is allocated.
 * Format: debug/gosym/pclntab.go and runtime/symtab.go of Go 1.2 to 1.26, cmd/link/internal/ld/pcln.go. */
#ifndef STW_SOURCES_PCLNTAB_H
#define STW_SOURCES_PCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Layouts, named by the Go that brought them. */
typedef enum stw_pcln_version { STW_PCLN_NONE, STW_PCLN_GO12, STW_PCLN_GO116, STW_PCLN_GO118, STW_PCLN_GO120 } stw_pcln_version;

typedef struct stw_pclntab {
	const uint8_t *data; /* borrowed; the table as it stands in the file */
	size_t size;
	stw_pcln_version version;
	bool big;
	unsigned quantum, word; /* least size of an instruction; size of a pointer */
	uint64_t text; /* since Go 1.18 addresses count from here: where the runtime's text begins */
	uint64_t stated_text; /* what the table itself says of it; 0: nothing (since Go 1.26, or to be relocated) */
	uint64_t functions, files; /* how many */
	/* offsets of the parts within data */
	uint64_t names, units, file_names, values, table;
} stw_pclntab;

/* A function of the table. */
typedef struct stw_pcln_function {
	uint64_t index;
	uint64_t entry, end; /* addresses */
	const char *name; /* NUL-terminated, within data */
	uint64_t info; /* offset of its record */
} stw_pcln_function;

/* Whether these bytes begin like a table. */
bool stw_pclntab_begins(const uint8_t *data, size_t size);
/* Reads the head. False where it is none, or contradicts itself. text may be set later, before a function is looked up. */
bool stw_pclntab_open(stw_pclntab *table, const uint8_t *data, size_t size);
/* The function by index; by an address in it. False: there is none, or its record makes no sense. Thread-safe. */
bool stw_pclntab_function(const stw_pclntab *table, uint64_t index, stw_pcln_function *out);
bool stw_pclntab_find(const stw_pclntab *table, uint64_t address, stw_pcln_function *out);
/* File and line of an address in a function: "" and 0 where the table does not tell. Code that was inlined there counts as the function's. */
void stw_pclntab_line(const stw_pclntab *table, const stw_pcln_function *function, uint64_t address, const char **file, uint32_t *line);
/* What is needed of the calls that were inlined into a function (Go 1.18 and later): where the tree of them stands, counted from the
 * module's data of functions; which of them an address is in, -1: none; the name of one, by its number in the table. False: there is none. */
bool stw_pclntab_tree(const stw_pclntab *table, const stw_pcln_function *function, uint32_t *offset);
int32_t stw_pclntab_inlined(const stw_pclntab *table, const stw_pcln_function *function, uint64_t address);
bool stw_pclntab_name(const stw_pclntab *table, uint32_t number, const char **name);
/* Addresses of the first function and of the end of the last. */
void stw_pclntab_range(const stw_pclntab *table, uint64_t *begin, uint64_t *end);
/* "Go 1.2 to 1.15": whose layout it is. */
const char *stw_pclntab_era(const stw_pclntab *table);

#endif
