/* A folder of source files, of which a few lines are shown. A file that a program was built from is found by the longest run of path
 * components that it ends with: /build/app/x/y.go, example.com/app/x/y.go and example.com/app@v1.2.0/x/y.go are all x/y.go in the
 * module's folder. Never anything outside the folder: symbolic links are not followed, at any place of a path. */
#ifndef STW_SOURCES_SOURCE_TREE_H
#define STW_SOURCES_SOURCE_TREE_H

#include "base/arena.h"
#include "base/intern.h"
#include "base/map.h"
#include "stwatch/analysis.h"

typedef struct stw_source_file {
	const char *path; /* within the folder */
	uint32_t name; /* its last part, a number of names */
} stw_source_file;

typedef struct stw_source_tree {
	stw_mem *mem;
	stw_arena arena; /* what listings point to, too */
	int folder; /* open; -1: none */
	stw_intern names; /* of files that are wanted: only these are kept */
	STW_VEC(stw_source_file) files;
	bool too_large; /* not all of the folder was looked at */
	bool failed; /* out of memory */
} stw_source_tree;

/* Opens the folder. STWATCH_ERR_ARGUMENT with what is wrong. On failure nothing needs to be closed. */
stwatch_status stw_source_tree_open(stw_source_tree *tree, stw_mem *mem, const char *folder, stwatch_error *error);
void stw_source_tree_close(stw_source_tree *tree);
/* Says that a file will be asked for, by its path as the trace has it; before the walk. */
void stw_source_tree_want(stw_source_tree *tree, const char *file);
/* Looks for all files that are wanted. STWATCH_ERR_MEMORY, _CANCELLED. */
stwatch_status stw_source_tree_walk(stw_source_tree *tree, const volatile int *cancel, stwatch_error *error);

/* The lines around some lines of a file, with what speaks against it: a file that is shorter, or has another function there. function: as
 * Go names it. lines: in order. False: there is no such file, or it can't be read; and when out of memory (failed). */
bool stw_source_tree_list(
	stw_source_tree *tree, const char *file, const char *function, const uint64_t *lines, size_t n_lines, stwatch_listing *out);

/* The identifier that a function is declared with: "Get" of "example.com/x.(*T[...]).Get.func1". False: it has none (a package's
 * initialisation, a literal outside functions). */
bool stw_source_identifier(const char *function, char *out, size_t size);

#endif
