#include "api/listings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { FILES_MAX = 2, LINES_MAX = 6, HALVES = 2 };

/* The lines of one function in one file, as a finding's evidence has them. */
typedef struct place {
	const char *file, *function;
	uint64_t lines[LINES_MAX];
	size_t n_lines;
} place;

typedef struct places {
	place items[FILES_MAX];
	size_t count;
} places;

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static void add(places *all, const stwatch_frame *f)
{
	place *p = NULL;
	for (size_t i = 0; i < all->count && !p; i++)
		if (same(all->items[i].file, f->file) && same(all->items[i].function, f->function))
			p = &all->items[i];
	if (!p && all->count < FILES_MAX) {
		p = &all->items[all->count++];
		*p = (place){.file = f->file, .function = f->function};
	}
	if (!p || p->n_lines == LINES_MAX)
		return;
	for (size_t i = 0; i < p->n_lines; i++)
		if (p->lines[i] == f->line)
			return;
	p->lines[p->n_lines++] = f->line;
}

/* Where the culprit was, in its own function and, less so, in the innermost one; as the evidence says, the first steps first. */
static void collect(const stwatch_finding *f, places *all)
{
	all->count = 0;
	if (!f->culprit)
		return;
	const char *const names[HALVES] = {f->culprit->function, f->culprit->leaf};
	for (size_t half = 0; half < HALVES; half++)
		for (size_t i = 0; i < f->n_evidence; i++)
			for (size_t k = 0; k < f->evidence[i].n_stack; k++) {
				const stwatch_frame *frame = &f->evidence[i].stack[k];
				if (same(frame->function, names[half]) && frame->file && *frame->file && frame->line > 0)
					add(all, frame);
			}
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static bool list(stw_source_tree *tree, stwatch_finding *f)
{
	places all;
	collect(f, &all);
	stwatch_listing *out = all.count ? stw_arena_zalloc(&tree->arena, all.count * sizeof *out) : NULL;
	if (all.count && !out)
		return false;
	f->listings = out;
	for (size_t i = 0; i < all.count; i++) {
		place *p = &all.items[i];
		qsort(p->lines, p->n_lines, sizeof *p->lines, by_number);
		f->n_listings += stw_source_tree_list(tree, p->file, p->function, p->lines, p->n_lines, &out[f->n_listings]);
	}
	return !tree->failed;
}

stwatch_status stw_listings_find(
	stw_source_tree *tree, stwatch_finding *findings, size_t n, const volatile int *cancel, stwatch_error *error)
{
	for (size_t i = 0; i < n; i++) {
		places all;
		collect(&findings[i], &all);
		for (size_t k = 0; k < all.count; k++)
			stw_source_tree_want(tree, all.items[k].file);
	}
	stwatch_status status = stw_source_tree_walk(tree, cancel, error);
	for (size_t i = 0; i < n && status == STWATCH_OK; i++)
		if (!list(tree, &findings[i]))
			status = stw_fail_memory(error);
	return status;
}
