/* Any bytes as a log with goroutine dumps. What is read of it must be whole: every index within its table, every stack with its
 * frames, every circle of locks closed. */
#include "sources/dump.h"
#include "text.h"

static void walk_goroutines(const stw_dump *d)
{
	for (size_t i = 0; i < d->gs.count; i++) {
		const stw_dump_g *g = &d->gs.items[i];
		REQUIRE(g->stack < d->stacks.count && stw_dump_state(d, g) && g->wait < STW_DUMP_WAIT_COUNT);
		REQUIRE((uint64_t)g->words + g->n_words <= d->words.count);
		const stw_named_stack *s = &stw_dump_stack_of(d, g)->named;
		for (uint32_t k = 0; k < s->n; k++) {
			REQUIRE(s->frames[k].function && s->frames[k].file);
			stw_dump_receiver(d, g, k);
		}
		REQUIRE(stw_dump_caller(s) <= s->n);
		const stw_dump_g *last = g->id ? stw_dump_find(d, g->id) : NULL;
		REQUIRE(!g->id || (last && last->id == g->id));
	}
}

static void walk_locks(const stw_dump *d)
{
	for (size_t i = 0; i < d->locks.count; i++) {
		const stw_dump_lock *l = &d->locks.items[i];
		REQUIRE(l->n > 0 && (uint64_t)l->first + l->n <= d->waiters.count && l->longest < d->gs.count &&
			l->sign < STW_DUMP_SIGN_COUNT);
		REQUIRE(l->holder == STW_DUMP_NONE || l->holder < d->gs.count);
		REQUIRE(l->next == STW_DUMP_NONE || l->next < d->locks.count);
		size_t steps = 0;
		for (const stw_dump_lock *at = l; l->circle && (at != l || steps == 0); at = &d->locks.items[at->next])
			REQUIRE(at->next != STW_DUMP_NONE && steps++ <= d->locks.count);
		for (uint32_t k = 0; k < l->n; k++)
			REQUIRE(stw_dump_lock_of(d, &d->gs.items[d->waiters.items[l->first + k]]) == l);
	}
}

static void walk(const stw_companion *c)
{
	const stw_dump *d = c->parts[STW_PART_DUMP];
	REQUIRE(d->shots.count > 0);
	for (size_t i = 0; i < d->shots.count; i++)
		REQUIRE((uint64_t)d->shots.items[i].first + d->shots.items[i].n <= d->gs.count);
	walk_goroutines(d);
	walk_locks(d);
	for (size_t i = 0; i < d->groups.count; i++)
		REQUIRE(d->groups.items[i].stack < d->stacks.count && d->groups.items[i].first < d->gs.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_text(data, size, STW_PART_DUMP, walk);
	return 0;
}
