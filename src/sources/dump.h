/* Goroutine dumps: what runtime.Stack, net/http/pprof (debug=1 and 2), a panic, a fatal error and SIGQUIT print, alone or within a log.
 * The grammar is that of goroutineheader, traceback2 and printcreatedby in runtime/traceback.go and of printCountProfile in
 * runtime/pprof/pprof.go, from Go 1.5 to 1.26; what isn't of it is passed over. */
#ifndef STW_SOURCES_DUMP_H
#define STW_SOURCES_DUMP_H

#include "analysis/places.h"
#include "base/intern.h"
#include "sources/companion.h"

enum {
	STW_DUMP_NONE = UINT32_MAX, /* no goroutine, no lock */
	STW_DUMP_FRAMES = 128, /* of a stack; the runtime itself prints at most 100 */
	STW_DUMP_WORDS = 16, /* arguments that are kept of one goroutine */
};

/* What a goroutine is doing, as far as it matters here. */
typedef enum stw_dump_wait {
	STW_DUMP_UNKNOWN, /* debug=1 tells no state, and the stack gives none away */
	STW_DUMP_RUNS, /* running, runnable, being preempted */
	STW_DUMP_SYSCALL,
	STW_DUMP_MUTEX,
	STW_DUMP_RLOCK,
	STW_DUMP_WLOCK,
	STW_DUMP_SEND,
	STW_DUMP_RECEIVE,
	STW_DUMP_SELECT,
	STW_DUMP_FOREVER, /* a nil channel, a select without cases */
	STW_DUMP_COND,
	STW_DUMP_GROUP, /* sync.WaitGroup */
	STW_DUMP_SLEEP,
	STW_DUMP_IO,
	STW_DUMP_SYSTEM, /* the runtime's own waits */
	STW_DUMP_WAIT_COUNT
} stw_dump_wait;

/* A pointer among the arguments of a function that is not the library's. */
typedef struct stw_dump_word {
	uint64_t value;
	uint8_t frame; /* of the stack */
	bool first; /* it is the first argument: a method's receiver */
} stw_dump_word;

/* A stack that many goroutines may share: similar ones are folded. */
typedef struct stw_dump_stack {
	stw_named_stack named;
	stwatch_frame created; /* the go statement; function "" where it isn't told */
	bool elided; /* frames were left out, by the runtime or because there were more than STW_DUMP_FRAMES */
} stw_dump_stack;

typedef struct stw_dump_g {
	uint64_t id; /* 0: a record of debug=1, which stands for `count` goroutines */
	uint64_t parent; /* who created it; 0: not told (before Go 1.21) */
	uint64_t object; /* the address of the lock, channel, … that it waits for; 0: not told */
	uint64_t line; /* of its header, from 1 */
	uint32_t count;
	uint32_t stack; /* in stacks */
	uint32_t state; /* in names; 0: not told */
	uint32_t minutes; /* it has waited at least this long; counted from the first GC that saw it wait */
	uint32_t bubble; /* of synctest; 0: none */
	uint32_t words, n_words; /* in words */
	uint8_t wait; /* a stw_dump_wait */
	bool locked; /* to its thread */
	bool leaked; /* found unreachable by the garbage collector (Go 1.26) */
} stw_dump_g;

/* One dump; a file may hold several, one after another. */
typedef struct stw_dump_shot {
	uint32_t first, n; /* of gs */
	uint64_t goroutines; /* with those that records stand for */
	uint64_t line, reason_line;
	const char *reason; /* "fatal error: all goroutines are asleep - deadlock!", "SIGQUIT: quit"; NULL: none is given */
	bool record; /* of debug=1 */
	bool asleep; /* the runtime itself says that no goroutine can go on */
} stw_dump_shot;

/* Goroutines of the last dump that stand at one spot in one state. */
typedef struct stw_dump_group {
	uint32_t stack, state;
	uint64_t count, young; /* young: of these, for less than a minute */
	uint32_t n; /* of gs */
	uint32_t first; /* the one that has waited longest, in gs */
	uint32_t minutes_min, minutes_max;
} stw_dump_group;

/* What says that a goroutine holds a lock: nothing in a dump shows it outright. */
typedef enum stw_dump_sign {
	STW_DUMP_NO_SIGN,
	STW_DUMP_PAST_LOCK, /* it stands in the function in which the others wait for it, on the same object, past the place where they wait */
	STW_DUMP_PAST_LIKE, /* the same, but whether on the same object is not known */
	STW_DUMP_SAME_OBJECT, /* it is in a method of the object to which the lock belongs */
	STW_DUMP_ARGUMENT, /* it waits for another lock, with this one's object in its hands */
	STW_DUMP_SIGN_COUNT
} stw_dump_sign;

/* A lock for which goroutines of the last dump wait (dump_locks.c). */
typedef struct stw_dump_lock {
	uint64_t object; /* its address; 0: not told, then all wait at one place, for the same object as far as is known */
	uint64_t owner; /* the address of what it belongs to; 0: not known */
	uint64_t count; /* goroutines that wait */
	uint32_t first, n; /* of waiters */
	uint32_t longest; /* in gs: who has waited longest, at least so many … */
	uint32_t minutes;
	uint32_t holder; /* in gs, or STW_DUMP_NONE */
	uint32_t holder_frame; /* where it took the lock, probably */
	uint32_t next; /* the lock that the holder waits for itself, or STW_DUMP_NONE */
	uint8_t sign; /* a stw_dump_sign */
	bool likely; /* else merely possible */
	bool circle; /* it is one of a circle of locks, each one's holder waiting for the next */
} stw_dump_lock;

typedef struct stw_dump {
	const stw_companion *companion;
	stw_mem *mem;
	stw_intern names; /* functions, files, states: equal texts have equal pointers */
	STW_VEC(stw_dump_stack) stacks;
	STW_VEC(stw_dump_g) gs;
	STW_VEC(stw_dump_word) words;
	STW_VEC(stw_dump_shot) shots;
	STW_VEC(stw_dump_group) groups; /* largest first */
	stw_map ids; /* goroutine → its last place in gs */
	STW_VEC(stw_dump_lock) locks; /* in order of their first waiters */
	STW_VEC(uint32_t) waiters; /* in gs */
	stw_map waits; /* place in gs → the lock that it waits for */
	uint64_t threads; /* stacks of the scheduler itself ("goroutine 0"), registers beside them */
} stw_dump;

void stw_dump_init(stw_dump *dump, const stw_companion *companion);
void stw_dump_free(stw_dump *dump);

/* The goroutine of an id in the last dump that has it, or NULL. */
const stw_dump_g *stw_dump_find(const stw_dump *dump, uint64_t id);
/* The last dump of the file; there is always one. */
static inline const stw_dump_shot *stw_dump_last(const stw_dump *dump)
{
	return &dump->shots.items[dump->shots.count - 1];
}
static inline const stw_dump_stack *stw_dump_stack_of(const stw_dump *dump, const stw_dump_g *g)
{
	return &dump->stacks.items[g->stack];
}
static inline const char *stw_dump_state(const stw_dump *dump, const stw_dump_g *g)
{
	return stw_intern_get(&dump->names, g->state).data;
}
static inline bool stw_dump_is_lock(stw_dump_wait wait)
{
	return wait == STW_DUMP_MUTEX || wait == STW_DUMP_RLOCK || wait == STW_DUMP_WLOCK;
}
/* The first argument of a frame, 0 where it is not known for sure. */
uint64_t stw_dump_receiver(const stw_dump *dump, const stw_dump_g *g, uint32_t frame);
/* "a mutex", "a receiver": what such a wait is for. */
const char *stw_dump_waits_for(stw_dump_wait wait);

/* What a state and a stack say together. state "": not told. Constant time. */
stw_dump_wait stw_dump_wait_of(const char *state, const stwatch_frame *frames, uint32_t n);

/* The frame that asked for a lock: the innermost outside package sync; n where there is none. */
uint32_t stw_dump_caller(const stw_named_stack *stack);
/* The lock that a goroutine of the last dump waits for, or NULL. */
const stw_dump_lock *stw_dump_lock_of(const stw_dump *dump, const stw_dump_g *g);

/* Groups the last dump. False when out of memory. */
bool stw_dump_group_all(stw_dump *dump);
/* Finds the locks of the last dump and who may hold them. False when out of memory. */
bool stw_dump_find_locks(stw_dump *dump);

#endif
