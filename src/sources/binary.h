/* A Go program's binary: names, files and lines of code addresses, and how it was built. It says nothing of what the program did. */
#ifndef STW_SOURCES_BINARY_H
#define STW_SOURCES_BINARY_H

#include "event/namer.h"
#include "sources/companion.h"
#include "sources/elf.h"
#include "sources/pclntab.h"

typedef struct stw_build_setting {
	const char *key, *value;
} stw_build_setting;

/* Immutable once read. Texts live in its companion's arena. */
typedef struct stw_binary {
	stw_mem *mem;
	stw_source source; /* its own handle */
	stw_elf elf;
	uint8_t *table; /* of functions and lines, whole */
	size_t table_size;
	uint64_t table_offset; /* in the file */
	stw_pclntab lines;
	uint64_t text_begin, text_end; /* addresses of Go's functions */
	uint64_t inlined; /* address from which the trees of inlined calls count (Go 1.18 and later); 0: not known */
	bool position_independent; /* loaded anywhere: its addresses are not those of the process */
	bool has_symbols; /* a symbol table, which takes no part in naming */
	const char *version; /* "go1.5.4"; NULL: not known */
	unsigned minor; /* of the version, 0: not known */
	/* .go.buildinfo, since Go 1.13; NULL: not told */
	const char *path, *module, *module_version;
	unsigned dependencies;
	STW_VEC(stw_build_setting) settings;
} stw_binary;

/* The binary in a companion, NULL: there is none. */
static inline const stw_binary *stw_companion_binary(const stw_companion *c)
{
	return c->parts[STW_PART_BINARY];
}

/* The name of an instruction's address, in the binary's own addresses. False: none of Go's functions is there. Thread-safe. */
bool stw_binary_name(const stw_binary *binary, uint64_t address, stw_code_name *out);

/* The same with what was inlined there, innermost first, the function itself last: how many, at most `most` (1 at least); 0: none of Go's
 * functions is there. Inlined calls are known since Go 1.18. Thread-safe. */
size_t stw_binary_frames(const stw_binary *binary, uint64_t address, stw_code_name *out, size_t most);

/* The binary's own address of a byte of its file, as far as that is loaded; 0: it is not. */
uint64_t stw_binary_address(const stw_binary *binary, uint64_t offset);

/* How addresses of a process agree with a binary. */
typedef struct stw_binary_fit {
	bool fits;
	uint64_t slide; /* what the process added to the binary's addresses */
	const char *why_not; /* NULL where it fits: one line, of constants */
	size_t starts, starts_right; /* how many are exactly where a function begins */
	size_t returns, returns_inside; /* how many are in a function, past its begin */
	size_t calls; /* of these, after an instruction that calls */
	bool checked_calls; /* this machine's calls are known */
} stw_binary_fit;

/* Whether these are addresses of a process that ran the binary. Reads the code before a few thousand of them at most. */
stw_binary_fit stw_binary_try(const stw_binary *binary, const stw_code_addresses *addresses);

/* ---- parts of the reader ---- */

/* Finds and reads the table of functions. STWATCH_OK also where there is none (lines.version STW_PCLN_NONE); _MEMORY, _IO. */
stwatch_status stw_binary_find_table(stw_binary *b, stw_companion *c, stwatch_error *error);
/* Finds where the trees of inlined calls are, and before that, where addresses count from (Go 1.18 and later). False: out of memory. */
bool stw_binary_find_module(stw_binary *b);
/* Reads the version and .go.buildinfo. False: out of memory. */
bool stw_binary_read_build(stw_binary *b, stw_companion *c);
/* Adds what `stat` says of it. False: out of memory. */
bool stw_binary_describe(stw_companion *c);

#endif
