/* What several rules ask about waits. */
#ifndef STW_RULES_WAITS_H
#define STW_RULES_WAITS_H

#include <stdio.h>

#include "rules/case.h"

/* How long within [from, to) the whole process was silent as if it had been stopped from outside (outside.c). */
int64_t stw_overlap_outside(const stw_case *c, int64_t from, int64_t to);
/* Of it, where CPU samples or timers say so too. */
int64_t stw_overlap_outside_likely(const stw_case *c, int64_t from, int64_t to);
/* True if CPU samples stand before and after a stretch of time: then their absence within says something. */
bool stw_profiled(const stw_case *c, int64_t from, int64_t to);
/* Of the time in which procs ran goroutines (should), how much CPU samples account for (got). False where that is not known, or at least 60 %:
 * then the machine gave the program about what it wanted (outside.c). */
bool stw_cpu_taken(stw_case *c, int64_t *should, int64_t *got);
/* True where a stack waits for a mutex (and not for others' work). */
bool stw_is_lock_wait(const stw_named_stack *stack);
/* True for a stack that asks for a collection by name (allocation.c). */
bool stw_asks_for_collection(const stw_named_stack *s);
/* CPU samples that show a goroutine within a run; only the longest runs' are known. */
unsigned stw_samples_of(const stw_case *c, const stw_candidate *run);
/* True for a run that was longer than the scheduler's patience: since Go 1.14 a goroutine is asked to give way after 10 ms,
 * and does within another 10. Where the trace has CPU samples, they must show that it executed most of the time; else it may
 * have been off the CPU, and only much longer runs count. */
bool stw_ran_on(stw_case *c, stw_candidate *run);
/* As far as it can be told without samples. */
bool stw_is_long_run(const stw_case *c, const stw_candidate *run);
/* How many functions ran on and on without a break (up to 3), where a trace has no CPU samples and goroutines are preempted: code that
 * can't be is one function, perhaps two; what holds up several is a machine that gives the CPU to others. */
unsigned stw_run_on_functions(stw_case *c);
/* True where the stop at the end of a collection follows at once on the end of a stretch [from, to) that may have held it up: so much the
 * sooner, the shorter that was (mark_termination.c). */
bool stw_ends_marking(const stw_cycle *cycle, int64_t from, int64_t to);
/* Between naming and judging: the starved ask what ran (starved.c). */
void stw_starved_want_activity(stw_case *c);
/* The same for backlogs: what ran in the middle of each (backlog.c). */
void stw_backlog_want_activity(stw_case *c);
/* The function of the program that had most of the P's time during a wait, 30 % at least; NULL: none, or it is not known. *cause (may be NULL)
 * is "saturation" or "yield-spin". */
const char *stw_starved_load(stw_case *c, const stw_candidate *wait, const char **cause);

#endif
