#include "analysis/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void stw_places_init(stw_places *p, stw_mem *mem)
{
	memset(p, 0, sizeof *p);
	p->mem = mem;
	stw_arena_init(&p->arena, mem);
	stw_intern_init(&p->names, mem);
	stw_map_init(&p->wanted, mem);
	stw_map_init(&p->wanted_strings, mem);
	stw_map_init(&p->callees, mem);
}

void stw_places_free(stw_places *p)
{
	if (!p->mem)
		return;
	stw_arena_free(&p->arena);
	stw_intern_free(&p->names);
	stw_map_free(&p->wanted);
	stw_map_free(&p->wanted_strings);
	stw_map_free(&p->callees);
	stw_vec_free(p->mem, &p->places);
	stw_vec_free(p->mem, &p->stacks);
	stw_vec_free(p->mem, &p->string_places);
	stw_vec_free(p->mem, &p->strings);
	stw_vec_free(p->mem, &p->windows);
	stw_vec_free(p->mem, &p->samples);
}

static uint64_t key_of(uint32_t generation, uint32_t index)
{
	return (uint64_t)generation << 32 | index;
}

void stw_places_want(stw_places *p, stw_place place)
{
	uint64_t key = key_of(place.generation, place.stack);
	if (!place.stack || stw_map_get(&p->wanted, key) != STW_MAP_NONE)
		return;
	stw_place *slot = stw_vec_push(p->mem, &p->places);
	stw_named_stack *stack = stw_vec_push(p->mem, &p->stacks);
	if (!slot || !stack || !stw_map_put(&p->wanted, key, (uint32_t)p->places.count - 1)) {
		p->failed = true;
		return;
	}
	*slot = place;
	*stack = (stw_named_stack){0};
}

void stw_places_want_string(stw_places *p, uint32_t generation, uint32_t string)
{
	uint64_t key = key_of(generation, string);
	if (!string || stw_map_get(&p->wanted_strings, key) != STW_MAP_NONE)
		return;
	stw_place *slot = stw_vec_push(p->mem, &p->string_places);
	stw_slice *text = stw_vec_push(p->mem, &p->strings);
	if (!slot || !text || !stw_map_put(&p->wanted_strings, key, (uint32_t)p->string_places.count - 1)) {
		p->failed = true;
		return;
	}
	*slot = (stw_place){generation, string};
	*text = (stw_slice){"", 0};
}

void stw_places_want_samples(stw_places *p, int64_t from, int64_t to, uint32_t generation)
{
	stw_sample_window *w = stw_vec_push(p->mem, &p->windows);
	if (w)
		*w = (stw_sample_window){from, to, generation};
	else
		p->failed = true;
}

const stw_named_stack *stw_places_stack(const stw_places *p, stw_place place)
{
	static const stw_named_stack none = {0};
	uint32_t i = place.stack ? stw_map_get(&p->wanted, key_of(place.generation, place.stack)) : STW_MAP_NONE;
	return i == STW_MAP_NONE ? &none : &p->stacks.items[i];
}

const char *stw_places_string(const stw_places *p, uint32_t generation, uint32_t string)
{
	uint32_t i = string ? stw_map_get(&p->wanted_strings, key_of(generation, string)) : STW_MAP_NONE;
	return i == STW_MAP_NONE ? "" : p->strings.items[i].data;
}

static const char *keep_name(stw_places *p, const stw_string *s)
{
	uint32_t n = stw_intern_put(&p->names, s->data, s->length);
	return n == UINT32_MAX ? NULL : stw_intern_get(&p->names, n).data;
}

/* ---- functions that the compiler makes ---- */

/* For a go statement with arguments (cmd/compile/internal/walk of Go 1.17, typecheck of 1.22): the function that it calls is meant. */
bool stw_is_wrapper(const char *function)
{
	return strstr(function,
		       "\xc2\xb7"
		       "dwrap") ||
		strstr(function, ".gowrap");
}

/* Length of the method's name in "main.(*T).m-fm", the function behind a method value; 0: it is none. */
static size_t method_value(const char *function)
{
	size_t n = strlen(function);
	return n > 3 && memcmp(function + n - 3, "-fm", 3) == 0 ? n - 3 : 0;
}

void stw_places_learn_callee(stw_places *p, const char *wrapper, const char *callee)
{
	uint32_t w = stw_intern_put(&p->names, wrapper, strlen(wrapper)), f = stw_intern_put(&p->names, callee, strlen(callee));
	if (w == UINT32_MAX || f == UINT32_MAX || !stw_map_put(&p->callees, w, f))
		p->failed = true;
}

uint32_t stw_places_callee(const stw_places *p, uint32_t function)
{
	uint32_t callee = stw_map_get(&p->callees, function);
	return callee == STW_MAP_NONE ? function : callee;
}

/* Takes away what nobody wrote, where what it stands for is there too; the number of frames that are left. */
static uint32_t unwrap(stw_places *p, stwatch_frame *frames, uint32_t n)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		size_t method = method_value(frames[i].function);
		const char *inner = kept ? frames[kept - 1].function : NULL;
		if (method && inner && strlen(inner) == method && memcmp(inner, frames[i].function, method) == 0)
			continue;
		frames[kept] = frames[i];
		if (method) {
			uint32_t number = stw_intern_put(&p->names, frames[i].function, method);
			p->failed |= number == UINT32_MAX;
			frames[kept].function = stw_intern_get(&p->names, number).data;
		}
		kept++;
	}
	if (kept >= 2 && stw_is_wrapper(frames[kept - 1].function) && !stw_is_library(frames[kept - 2].function)) {
		stw_places_learn_callee(p, frames[kept - 1].function, frames[kept - 2].function);
		kept--;
	}
	return kept;
}

/* A goroutine that has not run yet has only the wrapper for a stack: others of its kind show what that calls. */
static void name_callee(stw_places *p, stw_named_stack *s)
{
	if (s->n != 1 || !stw_is_wrapper(s->frames[0].function))
		return;
	uint32_t number = stw_intern_put(&p->names, s->frames[0].function, strlen(s->frames[0].function));
	stwatch_frame *frame = stw_arena_alloc(&p->arena, sizeof *frame);
	if (number == UINT32_MAX || !frame) {
		p->failed = true;
		return;
	}
	*frame = s->frames[0];
	frame->function = stw_intern_get(&p->names, stw_places_callee(p, number)).data;
	s->frames = frame;
}

void stw_places_name_callees(stw_places *p)
{
	for (size_t i = 0; i < p->stacks.count; i++)
		name_callee(p, &p->stacks.items[i]);
}

bool stw_places_name(stw_places *p, const stw_generation *gen, uint32_t stack, stw_named_stack *out)
{
	const stw_v2_stack *s = &gen->stacks.items[stack];
	stwatch_frame *frames = stw_arena_alloc(&p->arena, ((size_t)s->count + 1) * sizeof *frames);
	if (!frames)
		return false;
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		const stw_v2_frame *f = stw_generation_frame(gen, s, i);
		const char *function = keep_name(p, &gen->strings.items[f->func]), *file = keep_name(p, &gen->strings.items[f->file]);
		if (!function || !file)
			return false;
		if (f->pc == 0 && !*function) /* an asynchronous preemption in Go 1.22 to 1.24 may leave just this */
			continue;
		frames[n++] = (stwatch_frame){function, file, f->line};
	}
	n = unwrap(p, frames, n);
	*out = (stw_named_stack){frames, n, stw_user_frame(frames, n)};
	return !p->failed;
}

/* ---- the second pass over tables ---- */

static bool needs_samples(const stw_places *p, uint32_t generation)
{
	for (size_t i = 0; i < p->windows.count; i++)
		if (generation == p->windows.items[i].generation || generation + 1 == p->windows.items[i].generation)
			return true;
	return false;
}

static void take_samples(stw_places *p, const stw_generation *gen, uint32_t generation)
{
	for (size_t i = 0; i < gen->samples.count; i++) {
		const stw_cpu_sample *s = &gen->samples.items[i];
		for (size_t w = 0; w < p->windows.count; w++) {
			const stw_sample_window *window = &p->windows.items[w];
			if (s->time < window->from || s->time > window->to ||
				(generation != window->generation && generation + 1 != window->generation))
				continue;
			stw_sample *kept = stw_vec_push(p->mem, &p->samples);
			uint32_t stack = stw_generation_stack(gen, s->stack);
			if (!kept || !stw_places_name(p, gen, stack == STW_MAP_NONE ? 0 : stack, &kept->stack)) {
				p->failed = true;
				return;
			}
			kept->at = s->time;
			kept->m = s->m;
			kept->p = s->p;
			kept->g = s->g;
			break;
		}
	}
}

static void resolve_in(stw_places *p, const stw_generation *gen, uint32_t generation)
{
	for (size_t i = 0; i < p->places.count; i++) {
		const stw_place *place = &p->places.items[i];
		if (place->generation == generation && place->stack < gen->stacks.count &&
			!stw_places_name(p, gen, place->stack, &p->stacks.items[i]))
			p->failed = true;
	}
	for (size_t i = 0; i < p->string_places.count; i++) {
		const stw_place *place = &p->string_places.items[i];
		if (place->generation != generation || place->stack >= gen->strings.count)
			continue;
		const stw_string *s = &gen->strings.items[place->stack];
		uint32_t n = stw_intern_put(&p->names, s->data, s->length);
		p->failed |= n == UINT32_MAX;
		p->strings.items[i] = stw_intern_get(&p->names, n);
	}
	if (needs_samples(p, generation))
		take_samples(p, gen, generation);
}

stwatch_status stw_places_resolve(stw_places *p, const stw_trace *trace, stwatch_error *error)
{
	bool *needed = p->failed ? NULL : stw_mem_zalloc(p->mem, trace->spans.count + 1);
	if (!needed)
		return stw_fail_memory(error);
	for (size_t i = 0; i < p->places.count; i++)
		needed[p->places.items[i].generation] = true;
	for (size_t i = 0; i < p->string_places.count; i++)
		needed[p->string_places.items[i].generation] = true;
	stwatch_status status = STWATCH_OK;
	for (uint32_t g = 0; status == STWATCH_OK && g < trace->spans.count; g++) {
		stw_generation gen;
		if (!needed[g] && !needs_samples(p, g))
			continue;
		status = stw_trace_load(trace, g, &gen, error);
		if (status == STWATCH_ERR_DAMAGED) { /* said already, by the first pass */
			status = STWATCH_OK;
			continue;
		}
		if (status != STWATCH_OK)
			break;
		resolve_in(p, &gen, g);
		stw_trace_unload(trace, &gen);
	}
	stw_mem_free(p->mem, needed, trace->spans.count + 1);
	return p->failed ? stw_fail_memory(error) : status;
}

/* ---- what a person would edit ---- */

bool stw_is_library(const char *function)
{
	/* The first element of an import path in the standard library never has a dot; a module's own may lack one too,
	 * so the names themselves decide. Names before a generic's brackets or a method's type are package paths. */
	static const char *const packages[] = {
		"archive",
		"arena",
		"bufio",
		"bytes",
		"cmp",
		"compress",
		"container",
		"context",
		"crypto",
		"database",
		"debug",
		"embed",
		"encoding",
		"errors",
		"expvar",
		"flag",
		"fmt",
		"go",
		"hash",
		"html",
		"image",
		"index",
		"internal",
		"io",
		"iter",
		"log",
		"maps",
		"math",
		"mime",
		"net",
		"os",
		"path",
		"plugin",
		"reflect",
		"regexp",
		"runtime",
		"slices",
		"sort",
		"strconv",
		"strings",
		"structs",
		"sync",
		"syscall",
		"testing",
		"text",
		"time",
		"type:",
		"unicode",
		"unique",
		"unsafe",
		"vendor",
		"weak",
	};
	size_t n = strcspn(function, "./");
	for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
		if (strlen(packages[i]) == n && memcmp(packages[i], function, n) == 0)
			return true;
	/* Only assembly in the standard library has names without a package (memeqbody, countbody). */
	return *function == 0 || !strchr(function, '.') || strncmp(function, "_cgo", 4) == 0 ||
		strncmp(function, "golang.org/x/sys/", 17) == 0;
}

uint32_t stw_user_frame(const stwatch_frame *frames, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!stw_is_library(frames[i].function) && !strstr(frames[i].function, "._Cfunc_"))
			return i;
	return n;
}

static bool is_testing(const char *function)
{
	return strncmp(function, "testing.", 8) == 0;
}

const char *stw_user_function(const stw_named_stack *s)
{
	if (s->user < s->n)
		return s->frames[s->user].function;
	const char *root = stw_root_function(s);
	for (uint32_t i = s->n; root && is_testing(root) && i-- > 0;) /* a test of the library's: not what every test is started with */
		if (strncmp(s->frames[i].function, "runtime.", 8) != 0 && !is_testing(s->frames[i].function))
			return s->frames[i].function;
	return root;
}

const char *stw_leaf_function(const stw_named_stack *s)
{
	return s->n ? s->frames[0].function : NULL;
}

const char *stw_root_function(const stw_named_stack *s)
{
	for (uint32_t i = s->n; i-- > 0;) /* the runtime's own end of a main goroutine's stack is not anybody's function */
		if (strcmp(s->frames[i].function, "runtime.goexit") != 0 && (strcmp(s->frames[i].function, "runtime.main") != 0 || i == 0))
			return s->frames[i].function;
	return NULL;
}
