/* Names that tell nothing, in the place of a program's own: the same for the same name and key, of the same shape, so that what
 * is said of a trace does not change by them. Names of the standard library and the runtime stay. */
#ifndef STW_OUTPUT_PSEUDONYM_H
#define STW_OUTPUT_PSEUDONYM_H

#include <stdbool.h>

#include "base/keyed.h"

enum { STW_PSEUDONYM_MAX = 1024 }; /* as long as a string of a trace may be */

/* Each writes at most STW_PSEUDONYM_MAX bytes to out, and returns how many. */

/* A function: each part of its path and name has a pseudonym of its own ("x3kf81ab.(*X9c2k0qp).x71hd5vt.func1"). The standard library's
 * stays, but for what stands between brackets, where types of the program may be named. */
size_t stw_pseudonym_function(const uint8_t key[static STW_KEY_SIZE], const char *name, size_t length, char out[static STW_PSEUDONYM_MAX]);
/* A file. function, unless NULL, is one of the standard library that stands in it: then its package and base name stay,
 * if they agree with the path, and what is before them goes. */
size_t stw_pseudonym_file(
	const uint8_t key[static STW_KEY_SIZE], const char *path, size_t length, const char *function, char out[static STW_PSEUDONYM_MAX]);
/* Text of any kind: a word that stands for the whole. */
size_t stw_pseudonym_text(const uint8_t key[static STW_KEY_SIZE], const char *text, size_t length, char out[static STW_PSEUDONYM_MAX]);

#endif
