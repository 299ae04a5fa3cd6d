/* Who queued for what, and behind whom. A lock has no name in a trace: waits belong to one queue where one goroutine that had
 * waited woke the next. A channel whose wakers had waited at the same spot themselves is a lock too (a semaphore).
 *
 * A hold is the time between two hand-overs; the holder is who woke the next waiter. So whoever was woken last is not blamed
 * for what those before him did, and the blame passes through his own wait in the queue. */
#ifndef STW_RULES_QUEUES_H
#define STW_RULES_QUEUES_H

#include "rules/case.h"

/* Where a goroutine blocks: the innermost frame that a person would edit. */
typedef struct stw_site {
	const char *function; /* NULL: not known */
	uint64_t line;
} stw_site;

typedef struct stw_queued {
	const stw_candidate *wait;
	stw_site site;
	uint32_t queue; /* while they are linked: another one of the same queue; then: its number */
	bool channel;
} stw_queued;

/* What a holder did meanwhile, as far as it shows in stays that were kept. */
typedef enum stw_did {
	STW_DID_SHORT, /* nothing that was long enough to be kept */
	STW_DID_LOCK,
	STW_DID_PEER, /* waited for a channel, condition or wait group */
	STW_DID_NETWORK,
	STW_DID_SLEEP,
	STW_DID_SYSCALL,
	STW_DID_RUN,
	STW_DID_RUNNABLE,
	STW_DID_GC,
	STW_DID_OTHER,
	STW_DID_COUNT
} stw_did;

typedef struct stw_hold {
	int64_t g, from, to; /* g may be STWATCH_NONE */
	const char *function; /* that let go, or in which it is still held; NULL: not known */
	const stw_candidate *given; /* the wait that its end ended; NULL: not over */
	int64_t waited_ns; /* by all in the queue meanwhile */
} stw_hold;

typedef struct stw_queue {
	stw_queued **waits; /* by their beginning */
	stw_hold *holds; /* in order of time */
	size_t n_waits, n_holds;
	uint32_t most; /* waited at one time */
	int64_t most_at;
	int64_t worst_ns, waited_ns; /* less what stops and the world outside took */
	const stw_candidate *worst;
	const char *culprit; /* the function behind most of the waiting; NULL: not known */
	const stw_hold *longest; /* of the culprit's; NULL: none */
	int64_t did_ns[STW_DID_COUNT]; /* of the culprit's holds */
	int64_t held_ns; /* all of them */
	int64_t blamed_ns; /* what was waited meanwhile */
	uint32_t n_held, n_holders;
	bool channel;
	bool guessed; /* who holds it at the end is concluded from his stack alone */
	bool told; /* a rule has reported it */
} stw_queue;

/* Waits at one spot, for one kind of thing, that came to an end after 1 ms or more. */
typedef struct stw_served {
	stw_site site;
	uint8_t wait; /* stw_wait */
	uint64_t times;
	int64_t longest_ns;
} stw_served;

/* A spot that goroutine-leak has reported. */
typedef struct stw_told_leak {
	stw_site site;
	const struct stw_told_leak *next;
} stw_told_leak;

struct stw_queues {
	stw_queued *all;
	size_t n_all;
	stw_queue *items;
	size_t count;
	const stw_candidate **stays; /* of all goroutines, by goroutine and beginning */
	size_t n_stays;
	stw_served *served; /* in order of kind and spot */
	size_t n_served;
	const stw_told_leak *leaks;
};

/* Asks for the names that are needed. */
void stw_queues_want(stw_case *c);
/* Builds c->queues; once, before rules judge. */
void stw_queues_build(stw_case *c);

/* Keeps of the n waits for channels those at spots that work as semaphores (semaphores.c). Returns how many. */
size_t stw_semaphores_keep(stw_case *c, stw_queued *waits, size_t n);
/* The stays of a goroutine that overlap a stretch begin here; the first one of another goroutine ends them. */
size_t stw_stays_from(const stw_queues *queues, int64_t g, int64_t from);
/* What is open of a goroutine when the trace, or a part of it, ends at a time; NULL: nothing. */
const stw_candidate *stw_stay_open(const stw_queues *queues, int64_t g, int64_t at);
/* None: times 0. queues may be NULL. */
stw_served stw_served_at(const stw_queues *queues, stw_site site, uint8_t wait);
stw_site stw_site_of(const stw_named_stack *stack);
bool stw_site_same(stw_site a, stw_site b);

/* Who held what when, and who is to blame (holds.c). x: who holds it at the end, since x_from; STWATCH_NONE: not known. */
void stw_queue_conclude(stw_case *c, stw_queue *queue, int64_t x, int64_t x_from);

/* True for a goroutine that still holds at the end what the queue waits for. */
bool stw_queue_holds(const stw_queue *queue, int64_t g);
/* True for a spot that goroutine-leak has reported (leak.c). */
bool stw_is_leak(const stw_case *c, stw_site site);

/* The cause in a word, from what the culprit did. */
const char *stw_queue_cause(const stw_case *c, const stw_queue *queue);
/* The culprit of a queue's finding, and what he did during his longest hold. */
void stw_queue_evidence(stw_case *c, stw_found *found, const stw_queue *queue);
const char *stw_queue_advice(const char *cause);
/* How long a wait was, less what stops and the world outside took of it. */
int64_t stw_wait_charged(const stw_case *c, const stw_candidate *wait);

#endif
