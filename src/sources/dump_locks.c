/* Which goroutines of a dump wait for the same lock, and who may hold it.
 *
 * A dump shows a lock's address, as the receiver of Lock, where the call was not inlined and the register still holds it; else the
 * place of the call and the receiver of the function around it must do. It never shows a holder. But whoever stands in the very
 * function in which the others wait for the lock, on the same object, further down than they do, has taken it, unless it has
 * released it since; weaker signs are ranked in stw_dump_sign. Two goroutines with equally good signs name nobody. */
#include <string.h>

#include "sources/dump.h"

enum { OBJECT_REACH = 4096 }; /* bytes from the beginning of a struct to a lock in it */

/* Where goroutines wait for a lock: a function, and its receiver if that is known. */
typedef struct site {
	uint32_t lock;
	uint64_t line; /* the topmost */
	bool several; /* locks: it tells nothing */
	bool receiver; /* of those without: there are others with a known receiver */
} site;

/* The candidates for one lock by one sign. */
typedef struct candidate {
	uint32_t g, frame, n;
} candidate;

typedef struct search {
	stw_dump *d;
	const stw_dump_shot *shot;
	STW_VEC(site) sites;
	stw_map exact; /* function and receiver → site */
	stw_map loose; /* function → site */
	stw_map owners; /* object → lock, or SEVERAL */
	STW_VEC(candidate) candidates; /* by lock and sign */
	bool failed;
} search;

enum { SEVERAL = UINT32_MAX - 1 };

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * 0xD6E8FEB86659FD93u) * 0x9E3779B97F4A7C15u;
	return h ^ h >> 31;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

uint32_t stw_dump_caller(const stw_named_stack *s)
{
	uint32_t i = 0;
	while (i < s->n &&
		(starts(s->frames[i].function, "sync.") || starts(s->frames[i].function, "internal/sync.") ||
			starts(s->frames[i].function, "runtime.")))
		i++;
	return i;
}

const stw_dump_lock *stw_dump_lock_of(const stw_dump *d, const stw_dump_g *g)
{
	uint32_t lock = stw_map_get(&d->waits, (uint64_t)(g - d->gs.items));
	return lock == STW_MAP_NONE ? NULL : &d->locks.items[lock];
}

static bool is_method(const char *function)
{
	return strstr(function, ".(*") != NULL;
}

/* ---- locks and their waiters ---- */

/* The same for all that wait for the same lock, as far as the dump tells. */
static uint64_t key_of(const stw_dump *d, const stw_dump_g *g)
{
	const stw_named_stack *s = &stw_dump_stack_of(d, g)->named;
	uint32_t at = stw_dump_caller(s);
	if (g->object)
		return g->object & INT64_MAX;
	if (at == s->n)
		return 0;
	return mix(mix((uintptr_t)s->frames[at].function, s->frames[at].line), stw_dump_receiver(d, g, at)) | (uint64_t)1 << 63;
}

static void take_waiter(search *s, stw_map *locks, uint32_t index)
{
	stw_dump *d = s->d;
	const stw_dump_g *g = &d->gs.items[index];
	uint64_t key = stw_dump_is_lock(g->wait) ? key_of(d, g) : 0;
	if (key == 0)
		return;
	uint32_t at = stw_map_get(locks, key);
	if (at == STW_MAP_NONE) {
		stw_dump_lock *new = stw_vec_push(d->mem, &d->locks);
		at = (uint32_t)d->locks.count - 1;
		if (!new || !stw_map_put(locks, key, at)) {
			s->failed = true;
			return;
		}
		*new = (stw_dump_lock){.object = g->object, .longest = index, .holder = STW_DUMP_NONE, .next = STW_DUMP_NONE};
	}
	stw_dump_lock *lock = &d->locks.items[at];
	lock->n++;
	lock->count += g->count;
	if (g->minutes > lock->minutes) {
		lock->minutes = g->minutes;
		lock->longest = index;
	}
	s->failed |= !stw_map_put(&d->waits, index, at);
}

static void list_waiters(search *s)
{
	stw_dump *d = s->d;
	uint32_t next = 0;
	for (size_t i = 0; i < d->locks.count; i++) {
		d->locks.items[i].first = next;
		next += d->locks.items[i].n;
		d->locks.items[i].n = 0;
	}
	if (!stw_vec_reserve(d->mem, &d->waiters, next)) {
		s->failed = true;
		return;
	}
	d->waiters.count = next;
	for (uint32_t i = s->shot->first; i < s->shot->first + s->shot->n; i++) {
		uint32_t lock = stw_map_get(&d->waits, i);
		if (lock != STW_MAP_NONE)
			d->waiters.items[d->locks.items[lock].first + d->locks.items[lock].n++] = i;
	}
}

/* A lock is often a field: it belongs to the object in its waiters' hands that begins closest before it. */
static void find_owner(stw_dump *d, stw_dump_lock *lock)
{
	enum { LOOKED_AT = 64 };
	for (uint32_t i = 0; i < lock->n && i < LOOKED_AT; i++) {
		const stw_dump_g *g = &d->gs.items[d->waiters.items[lock->first + i]];
		const stw_named_stack *s = &stw_dump_stack_of(d, g)->named;
		if (!lock->object) {
			lock->owner = stw_dump_receiver(d, g, stw_dump_caller(s));
			return;
		}
		for (uint32_t w = 0; w < g->n_words; w++) {
			uint64_t value = d->words.items[g->words + w].value;
			if (value <= lock->object && lock->object - value < OBJECT_REACH && value > lock->owner)
				lock->owner = value;
		}
	}
}

/* ---- where they wait ---- */

static void add_site(search *s, stw_map *map, uint64_t key, uint32_t lock, uint64_t line, bool receiver)
{
	uint32_t at = stw_map_get(map, key);
	if (at == STW_MAP_NONE) {
		site *new = stw_vec_push(s->d->mem, &s->sites);
		if (!new || !stw_map_put(map, key, (uint32_t)s->sites.count - 1)) {
			s->failed = true;
			return;
		}
		*new = (site){lock, line, false, receiver};
		return;
	}
	site *old = &s->sites.items[at];
	old->several |= old->lock != lock;
	old->receiver |= receiver;
	if (line < old->line)
		old->line = line;
}

static void add_owner(search *s, uint32_t lock)
{
	uint64_t owner = s->d->locks.items[lock].owner;
	if (owner)
		s->failed |= !stw_map_put(&s->owners, owner, stw_map_get(&s->owners, owner) == STW_MAP_NONE ? lock : SEVERAL);
}

static void add_sites(search *s, uint32_t index)
{
	stw_dump *d = s->d;
	const stw_dump_lock *lock = &d->locks.items[index];
	for (uint32_t i = 0; i < lock->n && !s->failed; i++) {
		const stw_dump_g *g = &d->gs.items[d->waiters.items[lock->first + i]];
		const stw_named_stack *stack = &stw_dump_stack_of(d, g)->named;
		uint32_t at = stw_dump_caller(stack);
		if (at == stack->n)
			continue;
		uint64_t receiver = stw_dump_receiver(d, g, at), function = (uintptr_t)stack->frames[at].function;
		if (receiver)
			add_site(s, &s->exact, mix(function, receiver), index, stack->frames[at].line, true);
		add_site(s, &s->loose, function, index, stack->frames[at].line, receiver != 0);
	}
}

/* ---- who may hold ---- */

static void propose(search *s, uint32_t lock, stw_dump_sign sign, uint32_t g, uint32_t frame)
{
	if (s->d->gs.items[g].count != 1)
		return; /* a lock has one holder */
	candidate *c = &s->candidates.items[(size_t)lock * STW_DUMP_SIGN_COUNT + sign];
	if (c->n && c->g == g)
		return;
	*c = (candidate){g, frame, c->n + 1};
}

/* A goroutine in one of its functions: does it stand past the place where others wait? */
static void look_past(search *s, uint32_t index, uint32_t frame, uint64_t receiver)
{
	const stw_dump *d = s->d;
	const stwatch_frame *f = &stw_dump_stack_of(d, &d->gs.items[index])->named.frames[frame];
	uint64_t function = (uintptr_t)f->function;
	uint32_t at = receiver ? stw_map_get(&s->exact, mix(function, receiver)) : STW_MAP_NONE;
	bool exact = at != STW_MAP_NONE;
	if (!exact)
		at = stw_map_get(&s->loose, function);
	if (at == STW_MAP_NONE)
		return;
	const site *p = &s->sites.items[at];
	if (p->several || f->line <= p->line || (!exact && receiver && p->receiver))
		return;
	propose(s, p->lock, exact || !is_method(f->function) ? STW_DUMP_PAST_LOCK : STW_DUMP_PAST_LIKE, index, frame);
}

static void look_at(search *s, uint32_t index)
{
	const stw_dump *d = s->d;
	const stw_dump_g *g = &d->gs.items[index];
	const stw_named_stack *stack = &stw_dump_stack_of(d, g)->named;
	uint32_t mine = stw_map_get(&d->waits, index), from = mine == STW_MAP_NONE ? 0 : stw_dump_caller(stack) + 1;
	for (uint32_t i = from; i < stack->n; i++) {
		uint64_t receiver = stw_dump_receiver(d, g, i);
		look_past(s, index, i, receiver);
		uint32_t lock = receiver && is_method(stack->frames[i].function) ? stw_map_get(&s->owners, receiver) : STW_MAP_NONE;
		/* One that waits alone while nobody runs may have locked before it called itself. */
		bool itself = lock < SEVERAL && lock == mine && !(s->shot->asleep && d->locks.items[lock].count == 1);
		if (lock < SEVERAL && !itself)
			propose(s, lock, STW_DUMP_SAME_OBJECT, index, i);
	}
	if (mine == STW_MAP_NONE)
		return;
	for (uint32_t w = 0; w < g->n_words; w++) {
		const stw_dump_word *word = &d->words.items[g->words + w];
		uint32_t lock = stw_map_get(&s->owners, word->value);
		if (lock < SEVERAL && lock != mine && d->locks.items[mine].owner != word->value)
			propose(s, lock, STW_DUMP_ARGUMENT, index, word->frame);
	}
}

/* Idle waits are where goroutines spend their lives: who is found in one holds a lock only if it was there as long as the others wait. */
static bool is_likely(const stw_dump *d, const stw_dump_lock *lock)
{
	const stw_dump_g *h = &d->gs.items[lock->holder];
	if (lock->sign != STW_DUMP_PAST_LOCK || h->wait == STW_DUMP_UNKNOWN)
		return false;
	bool idle = h->wait == STW_DUMP_RECEIVE || h->wait == STW_DUMP_SELECT || h->wait == STW_DUMP_IO || h->wait == STW_DUMP_COND;
	return !idle || (lock->minutes > 0 && h->minutes >= lock->minutes);
}

static void choose(search *s, uint32_t index)
{
	stw_dump *d = s->d;
	stw_dump_lock *lock = &d->locks.items[index];
	const candidate *c = &s->candidates.items[(size_t)index * STW_DUMP_SIGN_COUNT];
	unsigned sign = STW_DUMP_PAST_LOCK;
	while (sign < STW_DUMP_SIGN_COUNT && c[sign].n == 0)
		sign++;
	if (sign == STW_DUMP_SIGN_COUNT || c[sign].n != 1)
		return;
	lock->sign = (uint8_t)sign;
	lock->holder = c[sign].g;
	lock->holder_frame = c[sign].frame;
	lock->likely = is_likely(d, lock);
	uint32_t next = stw_map_get(&d->waits, lock->holder);
	lock->next = next == STW_MAP_NONE ? STW_DUMP_NONE : next;
}

/* Each lock leads to one other at most: a walk that comes back to itself is a circle. */
static bool mark_circles(stw_dump *d)
{
	uint32_t *seen = stw_mem_zalloc(d->mem, (d->locks.count + 1) * sizeof *seen);
	if (!seen)
		return false;
	for (uint32_t i = 0; i < d->locks.count; i++) {
		uint32_t at = i;
		while (at != STW_DUMP_NONE && !seen[at]) {
			seen[at] = i + 1;
			at = d->locks.items[at].next;
		}
		if (at == STW_DUMP_NONE || seen[at] != i + 1)
			continue;
		for (uint32_t k = at; !d->locks.items[k].circle; k = d->locks.items[k].next)
			d->locks.items[k].circle = true;
	}
	stw_mem_free(d->mem, seen, (d->locks.count + 1) * sizeof *seen);
	return true;
}

static void find_holders(search *s)
{
	stw_dump *d = s->d;
	size_t n = d->locks.count * STW_DUMP_SIGN_COUNT;
	if (!stw_vec_reserve(d->mem, &s->candidates, n)) {
		s->failed = true;
		return;
	}
	memset(s->candidates.items, 0, n * sizeof *s->candidates.items);
	for (uint32_t i = 0; i < d->locks.count && !s->failed; i++) {
		find_owner(d, &d->locks.items[i]);
		add_owner(s, i);
		add_sites(s, i);
	}
	for (uint32_t i = s->shot->first; i < s->shot->first + s->shot->n && !s->failed; i++)
		look_at(s, i);
	for (uint32_t i = 0; i < d->locks.count && !s->failed; i++)
		choose(s, i);
}

bool stw_dump_find_locks(stw_dump *d)
{
	if (d->shots.count == 0)
		return true;
	search s = {.d = d, .shot = stw_dump_last(d)};
	stw_map locks;
	stw_map_init(&locks, d->mem);
	stw_map_init(&s.exact, d->mem);
	stw_map_init(&s.loose, d->mem);
	stw_map_init(&s.owners, d->mem);
	for (uint32_t i = s.shot->first; i < s.shot->first + s.shot->n && !s.failed; i++)
		take_waiter(&s, &locks, i);
	if (d->locks.count && !s.failed)
		list_waiters(&s);
	if (d->locks.count && !s.failed)
		find_holders(&s);
	if (!s.failed)
		s.failed = !mark_circles(d);
	stw_map_free(&locks);
	stw_map_free(&s.exact);
	stw_map_free(&s.loose);
	stw_map_free(&s.owners);
	stw_vec_free(d->mem, &s.sites);
	stw_vec_free(d->mem, &s.candidates);
	return !s.failed;
}
