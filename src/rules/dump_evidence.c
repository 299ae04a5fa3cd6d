/* A dump beside a trace of the same process: goroutines have the same ids in both. So what a trace leaves open (which lock, who holds
 * it, what he waits for) may stand in the dump, and becomes evidence of the findings that the trace gave. */
#include <string.h>

#include "rules/dumps.h"

enum { MOST_LOOKED_AT = 256, MOST_CHAIN = 3 };

static bool is_wanted(const char *rule)
{
	static const char *const rules[] = {
		"lock-convoy", "goroutine-leak", "goroutine-stuck-waiting", "goroutine-stuck-syscall", "proc-syscall-retake"};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (strcmp(rules[i], rule) == 0)
			return true;
	return false;
}

static bool is_in(const stw_named_stack *s, const char *function)
{
	for (uint32_t i = 0; function && i < s->n; i++)
		if (strcmp(s->frames[i].function, function) == 0)
			return true;
	return false;
}

/* Another process has the same ids: the goroutine must also be in one of the finding's functions. */
static bool is_same(const stw_found *f, const stw_named_stack *s)
{
	if (is_in(s, f->culprit.function) || is_in(s, f->culprit.root))
		return true;
	for (size_t i = 0; i < f->victims.count; i++)
		if (is_in(s, f->victims.items[i].function) || is_in(s, f->victims.items[i].root))
			return true;
	return false;
}

typedef struct choice {
	const stw_dump_g *g;
	const stw_dump_lock *lock; /* that it waits for, or NULL */
} choice;

/* The goroutine that tells most: in the longest queue for a lock, else the first. */
static void consider(choice *best, const stw_dump *d, const stw_found *f, int64_t id)
{
	const stw_dump_g *g = id > 0 ? stw_dump_find(d, (uint64_t)id) : NULL;
	if (!g || !is_same(f, &stw_dump_stack_of(d, g)->named))
		return;
	const stw_dump_lock *lock = stw_dump_lock_of(d, g);
	if (!best->g || (lock && (!best->lock || lock->count > best->lock->count)))
		*best = (choice){g, lock};
}

static choice choose(const stw_dump *d, const stw_found *f)
{
	choice best = {0};
	consider(&best, d, f, f->culprit.goroutine);
	for (size_t i = 0; i < f->harmed.count && i < MOST_LOOKED_AT; i++)
		consider(&best, d, f, f->harmed.items[i].g);
	for (size_t i = 0; i < f->occurrences.count && i < MOST_LOOKED_AT; i++)
		consider(&best, d, f, f->occurrences.items[i].goroutine);
	return best;
}

/* The queue, its holder, what the holder waits for, and so on. */
static void tell_chain(stw_case *c, stw_found *f, const stw_dump *d, const stw_dump_lock *lock)
{
	for (unsigned n = 0; n < MOST_CHAIN; n++) {
		stw_dump_tell_lock(c, f, d, lock);
		if (lock->next == STW_DUMP_NONE || &d->locks.items[lock->next] == lock)
			return;
		lock = &d->locks.items[lock->next];
	}
}

static void tell_group(stw_case *c, stw_found *f, const stw_dump *d, const stw_dump_g *g)
{
	uint64_t alike = 0;
	for (size_t i = 0; i < d->groups.count && !alike; i++)
		if (d->groups.items[i].stack == g->stack && d->groups.items[i].state == g->state)
			alike = d->groups.items[i].count;
	const char *place = stw_case_site(c, &stw_dump_stack_of(d, g)->named), *words = stw_dump_words(c, d, g);
	if (alike > 1)
		stw_dump_step(c, f, d, g, "dump", "and %llu others are at %s: %s", (unsigned long long)alike - 1, place, words);
	else
		stw_dump_step(c, f, d, g, "dump", "is at %s: %s", place, words);
}

static void add(stw_case *c, stw_found *f, const stw_dump *d)
{
	choice best = choose(d, f);
	if (!best.g)
		return;
	if (best.lock) {
		tell_chain(c, f, d, best.lock);
		return;
	}
	tell_group(c, f, d, best.g);
}

static void judge(stw_case *c)
{
	size_t next = 0;
	if (!c->has_trace)
		return;
	for (const stw_dump *d; (d = stw_next_dump(c, &next));)
		for (size_t i = 0; i < c->found.count; i++)
			if (is_wanted(c->found.items[i]->f.rule))
				add(c, c->found.items[i], d);
}

const stw_rule stw_rule_dump_evidence = {"goroutine dumps as evidence", NULL, judge};
