/* The first pass over one generation: timelines of its goroutines and procs as they go by, folded into figures and
 * a list of stays that were long enough to matter. Works on the generation alone: what began before it has an unknown
 * beginning (a "head"), what is open at its end is handed on (a "tail"); analysis/join.h puts them together in order.
 * So generations can be folded on all cores, and the result does not depend on how many there are.
 *
 * Terms: a stay is one interval of a goroutine in one state; a use is one interval of a proc. */
#ifndef STW_MODEL_FOLD_H
#define STW_MODEL_FOLD_H

#include "model/collect.h"
#include "order/state.h"
#include "v2/generation.h"

#define STW_TIME_UNKNOWN INT64_MIN

/* What a proc's time goes to. */
typedef enum stw_use {
	STW_USE_UNKNOWN,
	STW_USE_IDLE, /* _Pidle */
	STW_USE_SPINNING, /* running, without a goroutine: looking for work, or in the scheduler */
	STW_USE_USER, /* running a goroutine */
	STW_USE_GC, /* running a dedicated or fractional mark worker */
	STW_USE_GC_IDLE, /* running a mark worker because nothing else is there to run */
	STW_USE_SYSCALL, /* kept by a goroutine in a system call */
	STW_USE_STOPPED, /* _Pgcstop: stopped by a stop-the-world */
	STW_USE_COUNT
} stw_use;

/* How a goroutine became runnable. */
typedef enum stw_how {
	STW_HOW_UNKNOWN,
	STW_HOW_CREATED,
	STW_HOW_WOKEN,
	STW_HOW_PREEMPTED,
	STW_HOW_YIELDED,
	STW_HOW_SYSCALL,
	/* by no goroutine; last, so that one comparison finds both */
	STW_HOW_POLLED, /* woken by a poll of the network */
	STW_HOW_ALONE /* from a wait that began before the generation */
} stw_how;

/* What a goroutine waits for, as far as it matters to rules. */
typedef enum stw_wait {
	STW_WAIT_UNKNOWN,
	STW_WAIT_SYNC, /* mutex, WaitGroup, semaphore */
	STW_WAIT_COND,
	STW_WAIT_SEND,
	STW_WAIT_RECEIVE,
	STW_WAIT_SELECT,
	STW_WAIT_SLEEP,
	STW_WAIT_NETWORK,
	STW_WAIT_FOREVER, /* nil channel, empty select */
	STW_WAIT_GC, /* assist queue, GC worker, sweeper … */
	STW_WAIT_RUNTIME, /* other waits of the runtime's own */
	STW_WAIT_PREEMPTED, /* _Gpreempted, while it is suspended */
	STW_WAIT_SWITCH /* a coroutine, without a reason */
} stw_wait;

/* Stays are kept from these lengths on; thresholds below them can't be set. */
enum {
	STW_KEEP_RUNNABLE_NS = 1000000,
	STW_KEEP_USE_NS = 1000000,
	STW_KEEP_SYSCALL_NS = 1000000,
	STW_KEEP_WAIT_NS = 1000000,
	STW_KEEP_RUN_NS = 5000000,
	STW_KEEP_SILENCE_NS = 10000000,
	STW_KEEP_IDLE_SILENCE_NS = 25000000, /* if no proc ran a goroutine */
	STW_SLOT_NS = 10000000, /* run-queue lengths are kept by the 10 ms */
};

/* What a goroutine does for the collector. */
enum { STW_ASSISTS = 1, STW_MARKS = 2 /* it is a mark worker */ };

/* 64 bytes: what nearly every event touches. */
typedef struct stw_fold_g {
	int64_t since; /* in its state; STW_TIME_UNKNOWN: from before the generation */
	uint32_t root; /* index of a stack whose outermost frame is its function */
	uint32_t stack; /* index of its stack when the state began */
	int64_t waker; /* who made it runnable, STWATCH_NONE: nobody, or unknown */
	int64_t run_ns;
	uint32_t runs, blocks;
	uint32_t wake_stack; /* the waker's */
	uint32_t reason; /* index of a string */
	uint32_t p; /* slot of the proc it ran on last */
	uint8_t state; /* STW_GO_* */
	uint8_t how; /* stw_how */
	uint8_t wait; /* stw_wait, of one that waits at the generation's end */
	uint8_t collects; /* STW_ASSISTS, STW_MARKS */
	bool created; /* in this generation */
} stw_fold_g;

/* What else there is of a goroutine, seldom needed. */
typedef struct stw_fold_g_more {
	int64_t gc_from; /* since when it assists, or works as a mark worker */
	int64_t long_from, long_to; /* its last long stay in a system call or wait, for whom it delayed */
	int64_t made_at, maker; /* of one that was made in this generation */
	uint32_t made_by, maker_by; /* stacks: of its maker then; of its maker's maker, if that was in this generation too */
	uint32_t assist_stack;
	uint8_t long_state;
	uint8_t worker; /* stw_worker, while it works */
	uint32_t alone; /* index in stw_fold.alone, with STW_HOW_ALONE */
} stw_fold_g_more;

/* 128 bytes. */
typedef struct stw_fold_p {
	int64_t since;
	uint32_t g; /* slot of its goroutine */
	uint8_t use;
	bool known;
	uint8_t worker; /* stw_worker: the mode of the last mark worker */
	uint8_t stopped_as; /* its use before it stopped last */
	int64_t last_run_from; /* when the last goroutine began to run here */
	uint32_t last_root, last_before; /* before: where it had last left a proc, before that run */
	int64_t last_g; /* its id */
	int64_t total[STW_USE_COUNT];
	uint64_t starts;
	int64_t use_g; /* who is behind the use: the goroutine in the system call */
	uint32_t last_stack;
	uint32_t polled; /* goroutines that its polls of the network woke */
} stw_fold_p;

/* A stay of a goroutine. Names are numbers in the result's own interner. */
typedef struct stw_stay {
	int64_t g, from, to; /* from may be STW_TIME_UNKNOWN: a head */
	int64_t not_before; /* events are missing up to this time: how it was until then is not known */
	int64_t p; /* runnable: where it started; running, syscall: where it was */
	int64_t waker;
	int64_t run_ns;
	uint32_t runs, blocks;
	uint32_t generation; /* index, for the stacks */
	uint32_t root, stack, wake_stack; /* indices of stacks in it */
	uint32_t reason; /* index of a string in it */
	uint8_t state, how;
	uint8_t wait; /* stw_wait; STW_WAIT_UNKNOWN: it began before the generation */
	uint8_t next; /* the state after it; STW_GO_UNDETERMINED: still open at the end of the trace */
	bool gc_worker;
} stw_stay;

typedef struct stw_proc_use {
	int64_t p, from, to; /* from may be STW_TIME_UNKNOWN */
	int64_t not_before; /* as in stw_stay */
	int64_t g; /* whose system call, STWATCH_NONE */
	uint8_t use;
	uint8_t worker; /* stw_worker, of a use by the collector */
} stw_proc_use;

/* A proc's moment within a stop-the-world. */
typedef struct stw_stop_moment {
	int64_t at;
	int64_t p, g; /* the goroutine that ran there last */
	int64_t run_from;
	uint32_t generation, root, stack; /* of that goroutine, at the stop */
	uint32_t before; /* its stack when it had last left a proc before */
	uint8_t was; /* stw_use before */
	bool starts; /* else stops */
} stw_stop_moment;

enum { STW_STOP_MOMENTS = 96 };

typedef struct stw_stop {
	int64_t from, to; /* to: the restart, when whoever stopped the world lets the procs go */
	int64_t told_to; /* its end as the trace tells it: whoever stopped the world may get there late */
	int64_t stood; /* inferred: all procs stopped; equals `to` if they never were before the end */
	int64_t second; /* when the last but one proc stopped */
	int64_t lost_ns; /* procs' time from their stops to their restarts */
	int64_t first_steal; /* 0: none */
	int64_t g, p; /* who asked */
	uint32_t kind; /* name, in the result's interner */
	uint32_t generation, stack, root;
	uint32_t n_running; /* procs that had to be stopped */
	int32_t last; /* index of the moment that was last, -1: none had to be waited for */
	uint32_t n_moments;
	uint32_t moments; /* first of them in the result's list; kept for long stops only */
	bool gc_on; /* a collection was in progress when it was asked for */
	bool gc_begins, gc_ends; /* one has just been begun by whoever asks; one ends within it */
	/* Where no event tells the beginning, from is the earliest that it can have been, and sure_from the latest as far as
	 * is known; else they are equal. */
	int64_t sure_from;
	bool inferred; /* no event tells the stop but for its restart */
} stw_stop;

/* Which stops no event tells. */
typedef enum stw_untold {
	STW_UNTOLD_NONE,
	STW_UNTOLD_REQUESTED, /* to Go 1.20: all but the collector's */
	STW_UNTOLD_ALL /* to Go 1.9: of the collector's only a part of one, while the world stands */
} stw_untold;

/* A goroutine woken by another that had itself been held up. */
typedef struct stw_wake {
	int64_t at, waker, g;
	int64_t from; /* when the woken one began to wait */
	int64_t held_from, held_to; /* the waker's stay */
	uint32_t generation, root, stack; /* of the woken one */
	uint8_t held_state;
} stw_wake;

/* A stretch in which no thread wrote anything, nor was any sampled. */
typedef struct stw_silence {
	int64_t from, to;
	uint32_t n_user; /* procs that ran a goroutine */
	int64_t g, p; /* of one of them */
	uint32_t generation, root;
	/* for rules */
	bool outside, likely; /* the process was stopped from outside; more than silence says so */
	uint32_t n_late; /* goroutines whose timers should have gone off within it (rules/overdue.h) */
	int64_t late_g, late_from, late_usual_ns,
		late_ns; /* the one that was most overdue: since when it slept, how long it usually does, how late it was */
} stw_silence;

/* A goroutine that no other woke, from a wait of which only earlier generations know what it was for. */
typedef struct stw_alone {
	int64_t g, p; /* p: whose poll it may have been; STWATCH_NONE */
	int64_t waited; /* until it ran; -1: it did not in this generation */
} stw_alone;

typedef struct stw_tail_g {
	int64_t id;
	int64_t made_at, maker; /* with g.created: as in stw_fold_g_more */
	uint32_t made_by, maker_by;
	stw_fold_g g;
} stw_tail_g;

typedef struct stw_tail_p {
	int64_t id;
	stw_fold_p p;
	int64_t g;
} stw_tail_p;

/* From this on a heap's goal is none: of GOGC=off, Go 1.19 to 1.24 derive one from the largest memory limit that there can be; the others write 0. */
#define STW_NO_HEAP_GOAL ((uint64_t)1 << 62)

typedef struct stw_backlog_slot {
	int64_t slot; /* time / STW_SLOT_NS */
	int32_t min, max; /* change of the number of runnable goroutines since the generation's beginning */
} stw_backlog_slot;

/* A collection, from its beginning to its end (GCBegin, GCEnd); STW_TIME_UNKNOWN: not seen. */
typedef struct stw_cycle {
	int64_t from, to;
	int64_t stopped; /* when its mark termination was asked for, where an event tells: marking was over */
	int64_t asker; /* by whom; STWATCH_NONE: not known */
	int64_t asker_since; /* since when that one had marked or assisted, or run; STW_TIME_UNKNOWN */
} stw_cycle;
enum { STW_MOST_CYCLES = 4096 }; /* the first ones of a trace are kept */

/* Changes of the number of runnable goroutines within a round of threads' turns (order/merge_round.h), each thread's on its own: how many there were
 * at most and at least follows from their times. */
enum { STW_ROUND_CHANGES = 4096, STW_ROUND_TURNS = 128 };
typedef struct stw_backlog_round {
	int32_t before; /* the number before the round, as stw_fold.backlog */
	int32_t sum, most, least; /* of the turns so far: changes in all; bounds of what they can come to in whatever order */
	stw_backlog_slot slot;
	bool on;
	uint32_t n, n_turns;
	uint32_t ends[STW_ROUND_TURNS]; /* of turns, in changes */
	uint64_t changes[STW_ROUND_CHANGES]; /* twice the time, and 1 for one more */
} stw_backlog_round;

/* Log-linear: 16 steps an octave, an error below 1/16. */
enum { STW_HISTOGRAM_STEPS = 16, STW_HISTOGRAM_SIZE = 60 * STW_HISTOGRAM_STEPS };

typedef struct stw_fold {
	stw_mem *mem;
	const stw_generation *gen;
	const stw_order *order;
	uint32_t generation; /* index */
	bool failed; /* out of memory: the result is not whole */
	bool figures_only;
	int64_t doubt; /* up to this time events contradict themselves or are missing; INT64_MIN: nowhere */
	int64_t missing; /* up to this time events are missing */
	int64_t lost_from,
		lost_to; /* some threads' events in between are lost; lost_to INT64_MIN: none are, INT64_MAX: all that followed */
	bool partial; /* all that some threads wrote may be missing */
	/* while it runs */
	uint32_t started_anew; /* 1 + slot of a goroutine that begins anew with a start, 0: none */
	int64_t anew_at;
	STW_VEC(stw_fold_g) gs; /* by slot */
	STW_VEC(stw_fold_g_more) more;
	STW_VEC(stw_fold_p) ps;
	uint8_t untold; /* stw_untold */
	bool stopping; /* a stop-the-world is in flight */
	stw_stop stop;
	int64_t restart; /* of that stop, STW_TIME_UNKNOWN: not yet */
	uint32_t stop_p; /* slot */
	uint32_t stop_m;
	stw_stop_moment moments[STW_STOP_MOMENTS];
	int32_t backlog; /* change since the beginning */
	int64_t slot_end;
	stw_backlog_slot slot;
	stw_backlog_round round;
	int64_t gc_since; /* STW_TIME_UNKNOWN: not marking */
	uint32_t network, preempted; /* indices of the strings that are such reasons; UINT32_MAX: there is none */
	/* the result */
	int64_t first_time, last_time;
	int64_t first_sample, last_sample; /* of CPU samples; STW_TIME_UNKNOWN: none */
	uint64_t counts[256];
	uint64_t created, ended, threads;
	int64_t gomaxprocs_last, gomaxprocs_max;
	uint64_t gc_begun;
	int64_t gc_mark_ns, assist_ns;
	uint64_t heap_max, heap_goal;
	uint32_t latency[STW_HISTOGRAM_SIZE];
	int64_t latency_max;
	uint32_t polled_latency[STW_HISTOGRAM_SIZE]; /* of those woken by a poll */
	int64_t polled_ns, polled_max;
	stw_collect collect;
	stw_intern names;
	STW_VEC(stw_stay) stays;
	STW_VEC(stw_proc_use) uses;
	STW_VEC(stw_stop) stops;
	STW_VEC(stw_stop_moment) stop_moments;
	STW_VEC(stw_wake) wakes;
	STW_VEC(stw_backlog_slot) slots;
	STW_VEC(stw_silence) silences;
	STW_VEC(stw_cycle) cycles;
	STW_VEC(stw_alone) alone;
	STW_VEC(stw_tail_g) tails;
	STW_VEC(stw_tail_p) tail_ps;
	STW_VEC(int64_t) gone; /* goroutines that ended and were there before */
	STW_VEC(int64_t) stopped_at; /* by slot: since when procs were idle at the window's beginning (stw_fold_continue) */
} stw_fold;

/* figures_only: of stays, only those that began before the generation are kept, as they may belong to a figure; wake-ups are not. False when
 * out of memory. */
bool stw_fold_init(stw_fold *fold, stw_mem *mem, const stw_generation *gen, const stw_order *order, uint32_t generation, bool figures_only);
void stw_fold_free(stw_fold *fold);
/* Begins the next window of an order that goes on (v1): what `before` knows of each goroutine and proc holds there too, with beginnings
 * that are before it. Before stw_fold_finish(before). False when out of memory. */
bool stw_fold_continue(stw_fold *fold, stw_fold *before);
/* Events up to a time contradict themselves, or are missing: what seems to have gone on since before it may not have. */
static inline void stw_fold_doubt(stw_fold *fold, int64_t until, bool missing)
{
	fold->doubt = until > fold->doubt ? until : fold->doubt;
	if (missing)
		fold->missing = until > fold->missing ? until : fold->missing;
}

/* Some thread's events between two times are lost; what others wrote is bound together by its sequence numbers, and holds. What is concluded from
 * nothing being written, or from all that is, does not. */
static inline void stw_fold_lost(stw_fold *fold, int64_t from, int64_t to)
{
	if (fold->lost_to == INT64_MIN || from < fold->lost_from)
		fold->lost_from = from;
	fold->lost_to = to > fold->lost_to ? to : fold->lost_to;
}

/* Of a generation that is salvaged (order/merge_salvage.h): after a made-up status was handed on, goroutine or proc begins anew at `at`, with the
 * event of that type; or nothing is known of it any more. */
void stw_fold_anew_g(stw_fold *fold, unsigned type, uint32_t g, int64_t at);
void stw_fold_anew_p(stw_fold *fold, uint32_t p, int64_t at);
void stw_fold_forget_g(stw_fold *fold, uint32_t g, int64_t at);
void stw_fold_forget_p(stw_fold *fold, uint32_t p, int64_t at);
/* After the event: how long a goroutine that began anew with its start had been waiting is not known, and does not count. */
void stw_fold_settle_anew(stw_fold *fold);

/* After the last event (or the last before a fault): hands over what is open. */
void stw_fold_finish(stw_fold *fold);
/* How many there were. */
static inline uint64_t stw_fold_events(const stw_fold *fold)
{
	uint64_t n = 0;
	for (size_t i = 0; i < sizeof fold->counts / sizeof *fold->counts; i++)
		n += fold->counts[i];
	return n;
}
/* Keeps the result, lets go of what is needed only while it runs. */
void stw_fold_shrink(stw_fold *fold);

/* ---- what the hot path calls when something is out of the ordinary ---- */

bool stw_fold_grow(stw_fold *fold) __attribute__((cold));
void stw_fold_keep_stay(stw_fold *fold, uint32_t g, int64_t to, uint8_t next) __attribute__((noinline));
/* Of a use that was long or has no beginning: adds its time, and keeps it unless it is running a goroutine. */
void stw_fold_keep_use(stw_fold *fold, uint32_t p, int64_t to) __attribute__((noinline));
void stw_fold_keep_wake(stw_fold *fold, uint32_t g, uint32_t waker, int64_t at) __attribute__((noinline));
/* Since when a proc is in its use; in the first after a window's beginning, if it was idle then, too. */
int64_t stw_fold_proc_since(const stw_fold *fold, uint32_t p);
void stw_fold_keep_silence(stw_fold *fold, int64_t from, int64_t to) __attribute__((noinline));
void stw_fold_next_slot(stw_fold *fold, int64_t at) __attribute__((noinline));
/* Finds the most and the least of a round in the order of its changes' times. */
void stw_fold_merge_round(stw_fold *fold) __attribute__((noinline));
/* A goroutine is woken without another one doing it; and then starts to run (waited -1: it is not known when it was woken). */
void stw_fold_woken_alone(stw_fold *fold, uint32_t g, uint32_t p) __attribute__((noinline));
void stw_fold_alone_runs(stw_fold *fold, uint32_t g, int64_t waited) __attribute__((noinline));
/* Closes a stretch of assisting or mark work of a goroutine (collect.c). */
void stw_fold_worked(stw_fold *fold, uint32_t g, int64_t at) __attribute__((noinline));
/* Such a goroutine runs again. */
void stw_fold_resumes(stw_fold *fold, uint32_t g, int64_t at) __attribute__((noinline));
void stw_fold_assist(stw_fold *fold, uint32_t g, int64_t at, uint32_t stack, bool begins);
void stw_fold_worker(stw_fold *fold, uint32_t g, int64_t at, stw_worker mode);
void stw_fold_created_at(stw_fold *fold, uint32_t stack);
void stw_fold_gc_begin(stw_fold *fold, int64_t at, uint32_t g, uint32_t stack);
void stw_fold_gc_end(stw_fold *fold, int64_t at);
void stw_fold_keep_sites(stw_fold *fold);
void stw_fold_stop_begin(stw_fold *fold, int64_t at, uint32_t m, uint32_t p, uint32_t g, uint32_t kind, uint64_t stack);
/* What a proc last did, as a moment of a stop; and the same with the goroutine (slot) that it had then, where that is known. */
stw_stop_moment stw_fold_moment(const stw_fold *fold, int64_t at, uint32_t p, uint8_t was);
void stw_fold_moment_with(const stw_fold *fold, stw_stop_moment *moment, uint32_t g);
void stw_fold_stop_moment(stw_fold *fold, int64_t at, uint32_t p, uint32_t m, bool starts, bool stolen);
void stw_fold_stop_end(stw_fold *fold, int64_t at);
/* GOMAXPROCS is said by whoever has this proc. Within a stop that is procresize, right before the procs are let go. */
void stw_fold_stop_lets_go(stw_fold *fold, int64_t at, uint32_t p);
/* The world is about to run again (procresize), with fold->untold: a stop of which nothing was told ends here. quiet_since: when who
 * stopped it (p, g) last showed that it had not done so yet. */
void stw_fold_stop_restart(stw_fold *fold, int64_t at, uint32_t p, uint32_t g, uint32_t stack, int64_t quiet_since);

/* True where a stay since then was at least so long or has an unknown beginning; one comparison, as that is far in the past. */
static inline bool stw_long(int64_t since, int64_t to, int64_t least)
{
	return (uint64_t)to - (uint64_t)since >= (uint64_t)least;
}

static inline unsigned stw_histogram_bucket_of(uint64_t ns)
{
	const unsigned octave = ((unsigned)__builtin_clzll(ns | STW_HISTOGRAM_STEPS) ^ 63) - 4; /* of less than 32: 0 */
	return octave * STW_HISTOGRAM_STEPS + (unsigned)(ns >> octave); /* else what is left of ns is 16 to 31 */
}

static inline unsigned stw_histogram_bucket(int64_t ns)
{
	return stw_histogram_bucket_of(ns < 0 ? 0 : (uint64_t)ns);
}
/* The middle of a bucket, ns. */
int64_t stw_histogram_value(unsigned bucket);

stw_wait stw_wait_of(const char *reason, size_t length);

#endif
