/* Which strings of a trace are the program's own, by their use, and their pseudonyms. */
#ifndef STW_OUTPUT_NAMING_H
#define STW_OUTPUT_NAMING_H

#include "output/pseudonym.h"
#include "v2/generation.h"

enum { STW_AS_REASON = 1, STW_AS_FUNCTION = 2, STW_AS_FILE = 4, STW_AS_TEXT = 8 };

/* Of a string of a generation; an array of them, by index, starts as zeros. */
typedef struct stw_string_use {
	uint64_t id, text_id; /* text_id: a number of its own for the text, 0: none is needed */
	uint32_t function; /* of a file: a function that stands in it */
	uint8_t uses; /* STW_AS_… */
} stw_string_use;

/* Their numbers in the file. */
void stw_naming_ids(const stw_generation *gen, stw_string_use *strings);
/* What frames use. */
void stw_naming_frames(const stw_generation *gen, stw_string_use *strings);
/* Texts that are also something else get numbers that no string has. Whether there are such. */
bool stw_naming_split(const stw_generation *gen, stw_string_use *strings);
/* "GC (dedicated)" and the like, which the runtime sets. */
bool stw_naming_is_label(const stw_string *s);
/* What to call a string; its length. What is a reason stays as it is, and must be shorter than STW_PSEUDONYM_MAX. */
size_t stw_naming_name(const uint8_t key[static STW_KEY_SIZE], const stw_generation *gen, const stw_string_use *strings, size_t index,
	char out[static STW_PSEUDONYM_MAX]);

#endif
