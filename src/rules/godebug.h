/* What rules ask of GODEBUG output, and how they tell it. */
#ifndef STW_RULES_GODEBUG_H
#define STW_RULES_GODEBUG_H

#include "rules/case.h"
#include "sources/godebug.h"

/* One run of a program in one log. */
typedef struct stw_log_run {
	const stw_godebug *log;
	uint32_t run;
	const stw_sched_sample *samples; /* in order of time */
	size_t n_samples;
	const stw_gc_line *gcs; /* in order of their numbers */
	size_t n_gcs;
} stw_log_run;

/* Where the iteration stands; begins with zeroes. */
typedef struct stw_log_at {
	size_t input, sample, gc;
	uint32_t run;
} stw_log_at;

/* The next run of a program among the inputs. False: no more. */
bool stw_next_log_run(const stw_case *c, stw_log_at *at, stw_log_run *out);

/* Whether a log is to be judged here: a stretch of its own time is left to the trace, if there is one and it covers it; and what a
 * finding of the trace by this rule is about is not told again. */
bool stw_log_may_tell(const stw_case *c, const stw_log_run *run, const char *rule, stwatch_severity severity, int64_t from, int64_t to);

/* A stretch of the log's time as an occurrence: with its place in the trace's time, where that is known. */
void stw_log_occurs(stw_case *c, stw_found *found, const stw_log_run *run, int64_t from, int64_t to, int64_t g, int64_t p);
/* Whether what is about to be told of a finding is the worst so far: louder, or as loud and larger (size against so_far, such as its worst_ns). If so
 * it takes this severity and confidence, and what was told of another is gone. To be asked before its occurrences are added. */
bool stw_log_is_worst(stw_found *found, stwatch_severity severity, stwatch_confidence confidence, int64_t size, int64_t so_far);
/* A step about a line of the log: when it was written, in the program's time, stands in the text and as value "since_start_ns". */
stwatch_evidence *stw_log_step(stw_case *c, stw_found *found, const stw_log_run *run, uint64_t line, int64_t at, const char *step,
	const char *part, const char *format, ...) __attribute__((format(printf, 8, 9)));
/* The same about a sample, with its queues as values. */
stwatch_evidence *stw_log_sample(stw_case *c, stw_found *found, const stw_log_run *run, const stw_sched_sample *sample, const char *step);
/* "1.433 s"; from the arena. */
const char *stw_log_since(stw_case *c, int64_t at);

#endif
