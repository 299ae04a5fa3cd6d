/* Where a goroutine was, in words that outlive its generation: each distinct place is kept once and has a number. */
#ifndef STW_ANALYSIS_SPOTS_H
#define STW_ANALYSIS_SPOTS_H

#include "base/intern.h"
#include "stwatch/analysis.h"
#include "v2/generation.h"

/* Numbers of texts, 0: none. */
typedef struct stw_spot {
	uint32_t function, file; /* the innermost frame that a person would edit, else the outermost */
	uint32_t leaf, root; /* functions */
	uint64_t line;
} stw_spot;

typedef struct stw_spots {
	stw_mem *mem;
	stw_intern texts, spots;
	STW_VEC(stwatch_frame) frames; /* of the stack at hand */
	bool failed; /* out of memory */
} stw_spots;

void stw_spots_init(stw_spots *spots, stw_mem *mem);
void stw_spots_free(stw_spots *spots);
/* The number of a stack's place, remembered in the stack's first note; 0: an empty stack. */
uint32_t stw_spots_of(stw_spots *spots, stw_generation *gen, uint32_t stack);
stw_spot stw_spots_get(const stw_spots *spots, uint32_t spot);
uint32_t stw_spots_keep(stw_spots *spots, const char *text, size_t length);
/* "" for 0. */
static inline const char *stw_spots_text(const stw_spots *spots, uint32_t text)
{
	return stw_intern_get(&spots->texts, text).data;
}

#endif
