/* Timers that did not go off in time because the whole process stood still: what tells a process that was stopped from outside from one
 * that had nothing to do, or a single proc that runs on.
 *
 * A goroutine that sleeps, or waits at a channel until a timer wakes it, does so for about as long each time. If several of them should have
 * been woken within a silence of all threads, were woken together when it ended although they had begun at different times, fewer later, and a proc
 * without work was there that wakes for timers (runtime/proc.go: findRunnable, and sysmon), then nobody executed. */
#ifndef STW_RULES_OVERDUE_H
#define STW_RULES_OVERDUE_H

#include "rules/case.h"

/* Fills in n_late and what follows it, of each silence. Before rules judge; needs no names. */
void stw_overdue_find(stw_case *c);

#endif
