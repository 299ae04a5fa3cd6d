/* Names for a profile that has only addresses, from the program's binary. */
#include <string.h>

#include "base/intern.h"
#include "base/map.h"
#include "sources/binary.h"
#include "sources/profile.h"

enum { INLINED_MOST = 64 };

typedef struct naming {
	stw_companion *c;
	stw_profile *p;
	const stw_binary *b;
	stw_intern texts;
	stw_map known; /* functions by the numbers of name and file */
	STW_VEC(stw_profile_function) functions;
	STW_VEC(stw_profile_frame) frames;
} naming;

/* The location's address in the binary, 0: it is none of Go's code there. */
static uint64_t address_of(const stw_binary *b, const stw_profile *p, size_t location)
{
	uint64_t address = p->places[location] == UINT64_MAX ? 0 : stw_binary_address(b, p->places[location]);
	return address >= b->text_begin && address < b->text_end ? address : 0;
}

/* A frame that a signal put there: below it stands an instruction that calls nothing. */
static bool is_put_in(const stw_binary *b, uint64_t address)
{
	stw_code_name name;
	return address && stw_binary_name(b, address, &name) &&
		(strcmp(name.function, "runtime.asyncPreempt") == 0 || strcmp(name.function, "runtime.sigpanic") == 0);
}

/* What is known of a location. */
typedef struct site {
	uint64_t address; /* in the binary; 0: none of Go's code there */
	bool put_in, calls;
} site;

static size_t find_calls(const stw_profile *p, const stw_binary *b, site *sites, uint64_t *returns)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_locations; i++) {
		sites[i].address = address_of(b, p, i);
		sites[i].put_in = is_put_in(b, sites[i].address);
	}
	for (size_t i = 0; i < p->n_samples; i++)
		for (uint32_t k = 1; k < p->samples[i].n; k++) {
			uint32_t callee = p->stacks[p->samples[i].first + k - 1], caller = p->stacks[p->samples[i].first + k];
			if (caller < p->n_locations && callee < p->n_locations && !sites[callee].put_in)
				sites[caller].calls = true;
		}
	for (size_t i = 0; i < p->n_locations; i++)
		if (sites[i].calls && sites[i].address)
			returns[n++] = sites[i].address + 1;
	return n;
}

/* Whether the addresses from which calls were made are those of the binary. A profile has that of the call, not where it returns to. False:
 * out of memory. */
static bool fits(const stw_profile *p, const stw_binary *b, stw_mem *mem, bool *fit, const char **why_not)
{
	const size_t n = p->n_locations + 1;
	site *sites = stw_mem_zalloc(mem, n * sizeof *sites);
	uint64_t *returns = stw_mem_zalloc(mem, n * sizeof *returns);
	if (sites && returns) {
		const stw_code_addresses all = {
			.minor = UINT32_MAX, .returns = returns, .n_returns = find_calls(p, b, sites, returns), .placed = true};
		const stw_binary_fit tried = stw_binary_try(b, &all);
		*fit = tried.fits;
		*why_not = all.n_returns < 4 ? "too few of its addresses are in the binary's functions to be sure" : tried.why_not;
	}
	const bool ok = sites && returns;
	stw_mem_free(mem, sites, sites ? n * sizeof *sites : 0);
	stw_mem_free(mem, returns, returns ? n * sizeof *returns : 0);
	return ok;
}

/* The number of a function, UINT32_MAX when out of memory. */
static uint32_t function_of(naming *n, const char *name, const char *file)
{
	uint32_t a = stw_intern_put(&n->texts, name, strlen(name)), b = stw_intern_put(&n->texts, file, strlen(file));
	const uint64_t key = (uint64_t)a << 32 | b;
	uint32_t slot = stw_map_get(&n->known, key);
	if (a == UINT32_MAX || b == UINT32_MAX || slot != STW_MAP_NONE)
		return a == UINT32_MAX || b == UINT32_MAX ? UINT32_MAX : slot;
	const char *own_name = stw_arena_copy(&n->c->arena, name, strlen(name)),
		   *own_file = stw_arena_copy(&n->c->arena, file, strlen(file));
	slot = (uint32_t)n->functions.count;
	stw_profile_function *f = own_name && own_file ? stw_vec_push(n->c->mem, &n->functions) : NULL;
	if (!f || !stw_map_put(&n->known, key, slot))
		return UINT32_MAX;
	*f = (stw_profile_function){own_name, own_file};
	return slot;
}

static bool name_location(naming *n, stw_profile_location *location, uint64_t address)
{
	stw_code_name names[INLINED_MOST];
	size_t count = stw_binary_frames(n->b, address, names, INLINED_MOST);
	*location = (stw_profile_location){(uint32_t)n->frames.count, (uint32_t)count};
	for (size_t i = 0; i < count; i++) {
		uint32_t function = function_of(n, names[i].function, names[i].file);
		stw_profile_frame *f = function == UINT32_MAX ? NULL : stw_vec_push(n->c->mem, &n->frames);
		if (!f)
			return false;
		*f = (stw_profile_frame){function, names[i].line};
	}
	return true;
}

/* What has names keeps them. */
static bool begin(naming *n)
{
	for (size_t i = 0; i < n->p->n_functions; i++) {
		const stw_profile_function *f = &n->p->functions[i];
		uint32_t a = stw_intern_put(&n->texts, f->name, strlen(f->name)), b = stw_intern_put(&n->texts, f->file, strlen(f->file));
		stw_profile_function *kept = stw_vec_push(n->c->mem, &n->functions);
		if (!kept || a == UINT32_MAX || b == UINT32_MAX || !stw_map_put(&n->known, (uint64_t)a << 32 | b, (uint32_t)i))
			return false;
		*kept = *f;
	}
	if (!stw_vec_reserve(n->c->mem, &n->frames, n->p->n_frames))
		return false;
	for (size_t i = 0; i < n->p->n_frames; i++)
		n->frames.items[n->frames.count++] = n->p->frames[i];
	return true;
}

static bool name_all(naming *n)
{
	stw_profile *p = n->p;
	stw_arena *arena = &n->c->arena;
	stw_profile_location *locations = stw_arena_alloc(arena, (p->n_locations + 1) * sizeof *locations);
	if (!locations || !begin(n))
		return false;
	memcpy(locations, p->locations, (p->n_locations + 1) * sizeof *locations); /* and that for those that are not there */
	for (size_t i = 0; i < p->n_locations; i++) {
		uint64_t address = address_of(n->b, p, i);
		if (address && !name_location(n, &locations[i], address))
			return false;
	}
	stw_profile_function *functions = stw_arena_alloc(arena, (n->functions.count + 1) * sizeof *functions);
	stw_profile_frame *frames = stw_arena_alloc(arena, (n->frames.count + 1) * sizeof *frames);
	if (!functions || !frames)
		return false;
	if (n->functions.count)
		memcpy(functions, n->functions.items, n->functions.count * sizeof *functions);
	if (n->frames.count)
		memcpy(frames, n->frames.items, n->frames.count * sizeof *frames);
	p->functions = functions;
	p->n_functions = n->functions.count;
	p->frames = frames;
	p->n_frames = n->frames.count;
	p->locations = locations;
	n->c->figures.count = n->c->tables.count = 0; /* they are told anew */
	return stw_profile_describe(n->c);
}

bool stw_profile_name(stw_companion *c, const stw_companions *all)
{
	stw_profile *p = (stw_profile *)(uintptr_t)stw_companion_profile(c); /* of its companion, which is given to be changed */
	bool fit = false;
	if (!p || p->n_unnamed == 0)
		return true;
	for (size_t i = 0; i < all->count && !fit; i++) {
		naming n = {.c = c, .p = p, .b = stw_companion_binary(all->items[i])};
		if (!n.b)
			continue;
		if (!fits(p, n.b, c->mem, &fit, &p->unnamed_why))
			return false;
		if (!fit)
			continue;
		p->named_by = all->items[i]->name;
		stw_intern_init(&n.texts, c->mem);
		stw_map_init(&n.known, c->mem);
		bool ok = name_all(&n);
		stw_map_free(&n.known);
		stw_intern_free(&n.texts);
		stw_vec_free(c->mem, &n.functions);
		stw_vec_free(c->mem, &n.frames);
		if (!ok)
			return false;
	}
	return true;
}
