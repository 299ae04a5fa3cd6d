#include "sources/dump.h"

#include <stdlib.h>
#include <string.h>

void stw_dump_init(stw_dump *d, const stw_companion *companion)
{
	*d = (stw_dump){.companion = companion, .mem = companion->mem};
	stw_intern_init(&d->names, d->mem);
	stw_map_init(&d->ids, d->mem);
	stw_map_init(&d->waits, d->mem);
}

void stw_dump_free(stw_dump *d)
{
	stw_intern_free(&d->names);
	stw_vec_free(d->mem, &d->stacks);
	stw_vec_free(d->mem, &d->gs);
	stw_vec_free(d->mem, &d->words);
	stw_vec_free(d->mem, &d->shots);
	stw_vec_free(d->mem, &d->groups);
	stw_map_free(&d->ids);
	stw_vec_free(d->mem, &d->locks);
	stw_vec_free(d->mem, &d->waiters);
	stw_map_free(&d->waits);
}

const stw_dump_g *stw_dump_find(const stw_dump *d, uint64_t id)
{
	uint32_t slot = id ? stw_map_get(&d->ids, id) : STW_MAP_NONE;
	return slot == STW_MAP_NONE ? NULL : &d->gs.items[slot];
}

uint64_t stw_dump_receiver(const stw_dump *d, const stw_dump_g *g, uint32_t frame)
{
	for (uint32_t i = 0; i < g->n_words; i++) {
		const stw_dump_word *w = &d->words.items[g->words + i];
		if (w->first && w->frame == frame)
			return w->value;
	}
	return 0;
}

/* ---- states ---- */

typedef struct wording {
	const char *text;
	stw_dump_wait wait;
} wording;

/* As the runtime words them (waitReasonStrings and gStatusStrings). */
static stw_dump_wait by_state(const char *state)
{
	static const wording words[] = {
		{"running", STW_DUMP_RUNS},
		{"runnable", STW_DUMP_RUNS},
		{"preempted", STW_DUMP_RUNS},
		{"copystack", STW_DUMP_RUNS},
		{"syscall", STW_DUMP_SYSCALL},
		{"chan send", STW_DUMP_SEND},
		{"chan receive", STW_DUMP_RECEIVE},
		{"select", STW_DUMP_SELECT},
		{"chan send (nil chan)", STW_DUMP_FOREVER},
		{"chan receive (nil chan)", STW_DUMP_FOREVER},
		{"select (no cases)", STW_DUMP_FOREVER},
		{"sync.Mutex.Lock", STW_DUMP_MUTEX},
		{"sync.RWMutex.RLock", STW_DUMP_RLOCK},
		{"sync.RWMutex.Lock", STW_DUMP_WLOCK},
		{"sync.Cond.Wait", STW_DUMP_COND},
		{"sync.WaitGroup.Wait", STW_DUMP_GROUP},
		{"sleep", STW_DUMP_SLEEP},
		{"IO wait", STW_DUMP_IO},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].text, state) == 0)
			return words[i].wait;
	return STW_DUMP_SYSTEM;
}

/* Of the library's frames the outermost that waits says most: RWMutex.Lock takes a Mutex. To Go 1.8 semacquire stands for all of them. */
static stw_dump_wait by_stack(const stwatch_frame *frames, uint32_t n)
{
	static const wording words[] = {
		{"sync.(*Mutex).", STW_DUMP_MUTEX},
		{"internal/sync.(*Mutex).", STW_DUMP_MUTEX},
		{"internal/poll.(*fdMutex).", STW_DUMP_MUTEX},
		{"net.(*fdMutex).", STW_DUMP_MUTEX},
		{"sync.(*RWMutex).RLock", STW_DUMP_RLOCK},
		{"sync.(*RWMutex).Lock", STW_DUMP_WLOCK},
		{"sync.(*WaitGroup).Wait", STW_DUMP_GROUP},
		{"sync.(*Cond).Wait", STW_DUMP_COND},
		{"time.Sleep", STW_DUMP_SLEEP},
		{"internal/poll.runtime_pollWait", STW_DUMP_IO},
		{"net.runtime_pollWait", STW_DUMP_IO},
		{"syscall.Syscall", STW_DUMP_SYSCALL},
		{"syscall.RawSyscall", STW_DUMP_SYSCALL},
	};
	stw_dump_wait wait = STW_DUMP_UNKNOWN;
	for (uint32_t i = 0; i < n && i < 8 && stw_is_library(frames[i].function); i++)
		for (size_t k = 0; k < sizeof words / sizeof *words; k++)
			if (strncmp(frames[i].function, words[k].text, strlen(words[k].text)) == 0)
				wait = words[k].wait;
	return wait;
}

stw_dump_wait stw_dump_wait_of(const char *state, const stwatch_frame *frames, uint32_t n)
{
	if (*state && strcmp(state, "semacquire") != 0)
		return by_state(state);
	stw_dump_wait wait = by_stack(frames, n);
	return wait == STW_DUMP_UNKNOWN && *state ? STW_DUMP_SYSTEM : wait;
}

const char *stw_dump_waits_for(stw_dump_wait wait)
{
	static const char *const words[STW_DUMP_WAIT_COUNT] = {
		[STW_DUMP_UNKNOWN] = "something that the dump does not tell",
		[STW_DUMP_RUNS] = "nothing: it runs or could run",
		[STW_DUMP_SYSCALL] = "the kernel",
		[STW_DUMP_MUTEX] = "a mutex",
		[STW_DUMP_RLOCK] = "a lock for reading",
		[STW_DUMP_WLOCK] = "a lock for writing",
		[STW_DUMP_SEND] = "a receiver",
		[STW_DUMP_RECEIVE] = "a sender",
		[STW_DUMP_SELECT] = "any case of a select",
		[STW_DUMP_FOREVER] = "nothing that can ever happen",
		[STW_DUMP_COND] = "a condition",
		[STW_DUMP_GROUP] = "a wait group",
		[STW_DUMP_SLEEP] = "a timer",
		[STW_DUMP_IO] = "the network or a file",
		[STW_DUMP_SYSTEM] = "the runtime",
	};
	return words[wait];
}

/* ---- groups ---- */

static int largest_first(const void *x, const void *y)
{
	const stw_dump_group *a = x, *b = y;
	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return a->first < b->first ? -1 : a->first > b->first;
}

bool stw_dump_group_all(stw_dump *d)
{
	if (d->shots.count == 0)
		return true;
	const stw_dump_shot *shot = stw_dump_last(d);
	stw_map groups;
	stw_map_init(&groups, d->mem);
	bool ok = true;
	for (uint32_t i = shot->first; ok && i < shot->first + shot->n; i++) {
		const stw_dump_g *g = &d->gs.items[i];
		uint64_t key = (uint64_t)g->stack << 32 | g->state;
		uint32_t at = stw_map_get(&groups, key);
		if (at == STW_MAP_NONE) {
			stw_dump_group *new = stw_vec_push(d->mem, &d->groups);
			at = (uint32_t)d->groups.count - 1;
			ok = new &&stw_map_put(&groups, key, at);
			if (ok)
				*new = (stw_dump_group){.stack = g->stack,
					.state = g->state,
					.first = i,
					.minutes_min = g->minutes,
					.minutes_max = g->minutes};
		}
		if (!ok)
			break;
		stw_dump_group *group = &d->groups.items[at];
		group->n++;
		group->count += g->count;
		group->young += g->minutes ? 0 : g->count;
		if (g->minutes > group->minutes_max) {
			group->minutes_max = g->minutes;
			group->first = i;
		}
		group->minutes_min = g->minutes < group->minutes_min ? g->minutes : group->minutes_min;
	}
	stw_map_free(&groups);
	if (ok && d->groups.count > 1)
		qsort(d->groups.items, d->groups.count, sizeof *d->groups.items, largest_first);
	return ok;
}
