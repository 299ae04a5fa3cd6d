/* The folds of a trace's generations put together in order: heads get their beginnings, figures add up, and what was long
 * enough to matter becomes a list of candidates for the rules. Serial and cheap: it sees long stays only. */
#ifndef STW_ANALYSIS_GATHER_H
#define STW_ANALYSIS_GATHER_H

#include "analysis/loads.h"
#include "model/fold.h"
#include "model/stops.h"

/* A stack of a generation; resolved to names later, when its generation is opened again (places.h). stack 0: none. */
typedef struct stw_place {
	uint32_t generation, stack;
} stw_place;

/* A goroutine as it is known at a generation's border. */
typedef struct stw_known_g {
	int64_t id, since, waker, run_ns;
	uint64_t runs, blocks;
	stw_place root, stack, wake;
	int64_t born; /* of one that was created within the trace */
	stw_place creator, creator_by; /* the stack that made it; and the one that made its maker, if that is in the trace */
	uint32_t reason_generation, reason;
	uint8_t state, how;
	uint8_t wait; /* stw_wait */
	bool gc_worker;
	bool created; /* within the trace */
} stw_known_g;

typedef struct stw_known_p {
	int64_t id, since;
	int64_t total[STW_USE_COUNT];
	uint64_t starts, polled;
	int64_t g;
	uint8_t use, worker;
} stw_known_p;

/* A stay in whole, with what is known of its beginning. */
typedef struct stw_candidate {
	int64_t g, from, to, p, waker;
	int64_t mean_run_ns; /* of the goroutine's runs so far; -1: it never ran */
	uint64_t blocks; /* how often it had blocked before */
	stw_place root, stack, wake;
	uint32_t reason_generation, reason;
	uint8_t state, how, next;
	uint8_t wait; /* stw_wait, of a wait */
	bool gc_worker;
	bool open; /* not over at the end of the trace, or where a gap begins */
	bool cut; /* and it was a gap: how it went on is not known */
	uint32_t part; /* how many gaps are before it */
	bool begun; /* its beginning is in the trace */
	bool taken; /* a rule has told it already (rules that judge in turn) */
	uint8_t ran_on; /* of a run, for rules: 0 not judged yet, 1 no, 2 yes */
	/* runnable only: what the procs' time went to meanwhile, as far as it shows in stretches of 1 ms and more */
	int64_t use_ns[STW_USE_COUNT];
	int64_t idle_beside_ns; /* time in which at least one proc was idle */
	int64_t stopped_ns; /* time within stops */
	int64_t proc_ns; /* procs' time in all */
	uint32_t window; /* activity that was read for it, UINT32_MAX: none */
} stw_candidate;

typedef struct stw_stop_row {
	uint32_t kind;
	uint64_t count, during_gc; /* during_gc: asked for while a collection was in progress */
	int64_t total_ns, max_ns, stopping_max_ns, lost_ns;
	uint8_t class; /* stw_stop_class */
	bool inferred; /* no event tells them */
} stw_stop_row;

typedef struct stw_stop_brief {
	int64_t from, to, lost_ns;
	uint32_t kind;
	stw_place stack, root;
	bool apart; /* so long that it is a finding of its own */
	bool inferred;
} stw_stop_brief;

/* A second in which stops came thick. */
typedef struct stw_stop_window {
	int64_t from, to;
	int64_t lost_ns; /* procs' time */
	uint64_t count;
	int64_t proc_ns; /* procs' time in all */
	stw_stop_brief worst; /* of the kind that cost most in it */
	uint64_t worst_count; /* stops of that kind */
	int64_t odd_ns; /* of lost_ns: by stops far longer than most of their kind */
	uint64_t odd;
} stw_stop_window;

typedef STW_VEC(stw_candidate) stw_candidates;

/* A goroutine that was made within the trace and waits for something at its end. */
typedef struct stw_left {
	int64_t g, born, since;
	int64_t waker; /* the last one; STWATCH_NONE: no goroutine */
	stw_place root, stack, creator, creator_by, wake;
	uint8_t wait; /* stw_wait */
} stw_left;

typedef struct stw_gather {
	stw_mem *mem;
	bool failed; /* out of memory */
	bool figures_only; /* no candidates are kept: nobody will judge them */
	int64_t min_wait_ns, min_idle_ns; /* runnable stays from these on are candidates */
	int64_t long_stop_ns; /* stops from this on are findings of their own */
	stw_intern names; /* kinds of stops */
	STW_VEC(stw_known_g) gs;
	STW_VEC(uint32_t) free_gs;
	stw_map g_slots;
	STW_VEC(stw_known_p) ps;
	stw_map p_slots;
	/* figures */
	int64_t first_time, last_time;
	uint32_t part; /* gaps so far */
	int64_t missing_ns; /* of the time from first to last: the gaps between inputs */
	int64_t known_from; /* what is not seen to begin was so since then: the beginning, or that after a gap */
	int64_t doubt; /* as in stw_fold */
	int64_t first_sample, last_sample; /* STW_TIME_UNKNOWN: no CPU samples */
	uint64_t counts[256], n_events, created, ended, seen, alive_max, threads;
	uint64_t latency[STW_HISTOGRAM_SIZE], n_latency;
	int64_t latency_max;
	int64_t gomaxprocs_last, gomaxprocs_max;
	uint64_t gc_begun;
	int64_t gc_mark_ns, assist_ns;
	uint64_t heap_max, heap_goal;
	int64_t runnable; /* at the border */
	uint64_t runnable_max;
	/* candidates */
	stw_candidates runnable_stays, syscalls, runs;
	stw_candidates lock_waits; /* for the runtime's semaphores: mutexes, wait groups */
	stw_candidates peer_waits; /* for another goroutine: channels, conditions; those without an end too */
	stw_candidates waits; /* all others: time, network, collector */
	STW_VEC(stw_left) left;
	stw_candidates polled; /* runnable after a poll of the network woke them, for 1 ms and more */
	STW_VEC(stw_proc_use) uses; /* of 1 ms and more, by their ends */
	STW_VEC(stw_stop) stops; /* of 1 ms and more */
	STW_VEC(stw_stop_moment) moments;
	STW_VEC(stw_stop_brief) recent; /* the last second's stops, from recent_first on */
	size_t recent_first;
	STW_VEC(stw_stop_window) windows;
	STW_VEC(stw_stop_row) rows;
	STW_VEC(stw_wake) wakes;
	STW_VEC(stw_backlog_slot) backlog; /* absolute numbers */
	STW_VEC(stw_silence) silences;
	STW_VEC(stw_cycle) cycles;
	/* collector, allocation, network (loads.h) */
	STW_VEC(stw_load) loads;
	STW_VEC(stw_load_site) sites;
	uint64_t polled_latency[STW_HISTOGRAM_SIZE];
	int64_t polled_ns, polled_max;
	int64_t gc_last_end; /* STW_TIME_UNKNOWN */
	int64_t run_before; /* goroutines' running time up to the last generation */
} stw_gather;

void stw_gather_init(stw_gather *gather, stw_mem *mem, int64_t min_wait_ns, int64_t min_idle_ns, int64_t long_stop_ns);
void stw_gather_free(stw_gather *gather);
/* Adds the next generation. joint: not WHOLE where a part of the trace is missing in between, so that what was known before does not hold. */
bool stw_gather_add(void *gather, const stw_fold *fold, stw_joint joint); /* a stw_fold_fn; false: out of memory */
/* After the last: what is still open becomes candidates too. */
void stw_gather_finish(stw_gather *gather);

/* The figures of a generation whose procs have been added (loads.c). */
void stw_gather_load(stw_gather *gather, const stw_fold *fold, bool after_gap);
/* The rows from one on, added up, that make at least so many ns; with what follows, where that is not enough for another. False where
 * there is less left than that, unless it is the whole trace, or all between two gaps. */
bool stw_gather_window(const stw_gather *gather, size_t first, int64_t least, stw_load *sum);
/* One more wake-up by a poll, and how long it then took to run. */
void stw_gather_polled(stw_gather *gather, int64_t waited);
/* At the end, what ran on is known too. */
void stw_gather_load_rest(stw_gather *gather);
/* Looks at the second that ends with a stop (frequency.c). */
void stw_gather_stop_window(stw_gather *gather, const stw_stop_brief *stop);
/* Splits a runnable stay by what the procs did (classify.c). */
void stw_gather_classify(stw_gather *gather, stw_candidate *candidate);
/* Candidates (candidates.c): one more stay; what every goroutine does where the trace ends, or with `cut` a gap begins; and a goroutine that
 * is left waiting at the end. */
void stw_gather_stay(stw_gather *gather, const stw_stay *stay);
void stw_gather_close_goroutines(stw_gather *gather, bool cut);
void stw_gather_keep_left(stw_gather *gather, const stw_known_g *g);
/* What is known (known.c): what procs did in a generation, with the border at which the one before ended (STW_TIME_UNKNOWN: there is none);
 * procs and goroutines as they are at its end; what procs do where the trace ends, or a part of it. */
void stw_gather_uses(stw_gather *gather, const stw_fold *fold, int64_t border);
void stw_gather_carry_procs(stw_gather *gather, const stw_fold *fold);
void stw_gather_carry_goroutines(stw_gather *gather, const stw_fold *fold);
void stw_gather_close_procs(stw_gather *gather);
/* Not true of one that may be long gone. */
bool stw_gather_is_alive(const stw_gather *gather, const stw_known_g *g);
/* More would not change any finding, only its count: beyond this the shorter half goes. */
enum { STW_MOST_CANDIDATES = 16384 };
/* Longest first, ties by time and goroutine. */
void stw_candidates_sort(stw_candidates *list);
/* Keeps the longest; false when out of memory. */
bool stw_candidates_keep(stw_mem *mem, stw_candidates *list, const stw_candidate *candidate);

static inline stw_known_g *stw_gather_g(const stw_gather *gather, int64_t id)
{
	uint32_t slot = stw_map_get(&gather->g_slots, (uint64_t)id);
	return slot == STW_MAP_NONE ? NULL : &gather->gs.items[slot];
}

/* How long two stretches of time coincide, ns. */
static inline int64_t stw_overlap(int64_t a_from, int64_t a_to, int64_t b_from, int64_t b_to)
{
	int64_t from = a_from > b_from ? a_from : b_from, to = a_to < b_to ? a_to : b_to;
	return to > from ? to - from : 0;
}

/* How long the trace is, without gaps. */
static inline int64_t stw_gather_length(const stw_gather *gather)
{
	return gather->last_time - gather->first_time - gather->missing_ns;
}

/* The value below which a share (0 to 1) of n values of a histogram lies, ns; max: the greatest. */
int64_t stw_gather_percentile(const uint64_t *histogram, uint64_t n, int64_t max, double share);
/* How many procs there are, as far as is known. */
int64_t stw_gather_procs(const stw_gather *gather);

#endif
