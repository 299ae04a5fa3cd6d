/* What rules ask of goroutine dumps, and how they tell it. */
#ifndef STW_RULES_DUMPS_H
#define STW_RULES_DUMPS_H

#include "rules/case.h"
#include "sources/dump.h"

/* The next dump among the inputs from *at on, which moves past it; NULL: no more. */
const stw_dump *stw_next_dump(const stw_case *c, size_t *at);

/* The function in which a lock is waited for; NULL: not known. */
const char *stw_dump_taker(const stw_dump *dump, const stw_dump_lock *lock);
/* "chan send, 3 minutes"; from the arena. */
const char *stw_dump_words(stw_case *c, const stw_dump *dump, const stw_dump_g *g);
/* "main.f file.go:12" of one frame; from the arena. */
const char *stw_dump_place(stw_case *c, const stwatch_frame *frame);
/* "the mutex at 0xc000012345"; from the arena. */
const char *stw_dump_lock_name(stw_case *c, const stw_dump *dump, const stw_dump_lock *lock);

/* A step about a goroutine of a dump: its line, id and stack. */
stwatch_evidence *stw_dump_step(stw_case *c, stw_found *found, const stw_dump *dump, const stw_dump_g *g, const char *step,
	const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Who waits for a lock, and who holds it as far as that can be told. */
void stw_dump_tell_lock(stw_case *c, stw_found *found, const stw_dump *dump, const stw_dump_lock *lock);
/* The goroutine as an occurrence, as long as it is known to have waited. */
void stw_dump_occurs(stw_case *c, stw_found *found, const stw_dump_g *g);
/* All who wait for a lock as occurrences and victims. */
void stw_dump_harms(stw_case *c, stw_found *found, const stw_dump *dump, const stw_dump_lock *lock);

/* Whether a finding of the trace is about this goroutine, or about waits in this function (NULL: none). */
bool stw_dump_is_told(const stw_case *c, const stw_dump_g *g, const char *function);
/* Whether deadlock has reported the lock: in a circle that counts, or in a program of which the runtime says that all sleeps. */
bool stw_dump_is_deadlock(const stw_dump *dump, const stw_dump_lock *lock);

static inline int64_t stw_dump_waited(const stw_dump_g *g)
{
	return g->minutes * INT64_C(60000000000);
}

#endif
