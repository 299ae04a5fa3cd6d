/* Names for the stacks that candidates carry: the second pass opens the tables of just those generations again. */
#ifndef STW_ANALYSIS_PLACES_H
#define STW_ANALYSIS_PLACES_H

#include "analysis/gather.h"
#include "engine/trace.h"
#include "stwatch/analysis.h"

/* A stack in words. Strings live as long as the places. */
typedef struct stw_named_stack {
	const stwatch_frame *frames; /* innermost first */
	uint32_t n;
	uint32_t user; /* the innermost frame that a person would edit; n: none */
} stw_named_stack;

typedef struct stw_sample {
	int64_t at, m, p, g;
	stw_named_stack stack;
} stw_sample;

typedef struct stw_sample_window {
	int64_t from, to;
	uint32_t generation; /* where it ends; it may begin one before */
} stw_sample_window;

typedef struct stw_places {
	stw_mem *mem;
	stw_arena arena;
	stw_intern names;
	stw_map wanted; /* generation << 32 | stack → index into stacks */
	STW_VEC(stw_place) places;
	STW_VEC(stw_named_stack) stacks;
	stw_map wanted_strings; /* generation << 32 | string → index into strings */
	STW_VEC(stw_place) string_places;
	STW_VEC(stw_slice) strings;
	stw_map callees; /* wrapper → the function that it calls (numbers of names), as far as stacks show */
	STW_VEC(stw_sample_window) windows;
	STW_VEC(stw_sample) samples; /* within the windows, in order of time */
	bool failed;
} stw_places;

void stw_places_init(stw_places *places, stw_mem *mem);
void stw_places_free(stw_places *places);
/* Asks for a stack or a string; before stw_places_resolve. */
void stw_places_want(stw_places *places, stw_place place);
void stw_places_want_string(stw_places *places, uint32_t generation, uint32_t string);
/* Asks for the CPU samples of a stretch of time. */
void stw_places_want_samples(stw_places *places, int64_t from, int64_t to, uint32_t generation);
/* Opens the generations that are needed. STWATCH_ERR_MEMORY, _IO. */
stwatch_status stw_places_resolve(stw_places *places, const stw_trace *trace, stwatch_error *error);

/* Never NULL: an empty stack where there is none. */
const stw_named_stack *stw_places_stack(const stw_places *places, stw_place place);
const char *stw_places_string(const stw_places *places, uint32_t generation, uint32_t string);
/* Turns a stack of a loaded generation into words. False when out of memory. */
bool stw_places_name(stw_places *places, const stw_generation *gen, uint32_t stack, stw_named_stack *out);

/* The function that the compiler's wrapper of a go statement calls (numbers of names); the function itself, if it is no wrapper or
 * no stack that was named so far shows it. */
uint32_t stw_places_callee(const stw_places *places, uint32_t function);
/* One goroutine began in the wrapper and was in the callee later: Go 1.17 leaves wrappers out of all stacks but that of the beginning. */
void stw_places_learn_callee(stw_places *places, const char *wrapper, const char *callee);
/* Once that is learned: beginnings of goroutines get the names of what they call. */
void stw_places_name_callees(stw_places *places);

/* ---- what a person would edit ---- */

/* True for what the compiler makes of a go statement with arguments. */
bool stw_is_wrapper(const char *function);

/* True for functions of the standard library and the runtime, by their package. */
bool stw_is_library(const char *function);
/* The index of the innermost frame that a person would edit; n: none. */
uint32_t stw_user_frame(const stwatch_frame *frames, uint32_t n);
/* The innermost frame outside the library, else the goroutine's own function; NULL where the stack is empty. */
const char *stw_user_function(const stw_named_stack *stack);
const char *stw_leaf_function(const stw_named_stack *stack);
const char *stw_root_function(const stw_named_stack *stack);

#endif
