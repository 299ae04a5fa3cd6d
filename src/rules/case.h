/* What a rule has to work with: the candidates, names for their stacks, the settings; and where its findings go. */
#ifndef STW_RULES_CASE_H
#define STW_RULES_CASE_H

#include "analysis/activity.h"
#include "analysis/gather.h"
#include "analysis/places.h"
#include "rules/settings.h"
#include "sources/companion.h"

typedef struct stw_found stw_found;
typedef struct stw_queues stw_queues;

typedef struct stw_case {
	stw_mem *mem;
	stw_arena arena; /* everything that findings point to */
	const stw_trace *trace;
	stw_gather *gather;
	const stw_companions *companions; /* the other inputs, in the order given */
	stw_places places;
	stw_activity activity;
	const int64_t *set; /* settings, by STW_SET_… */
	bool has_trace; /* else trace, gather, places and activity are empty */
	stw_queues *queues; /* who queued behind whom (queues.h); built by the first rule that asks */
	int64_t start; /* time of the first event */
	int64_t procs;
	bool has_samples;
	bool cpu_counted, cpu_taken; /* waits.h */
	int64_t cpu_should, cpu_got;
	unsigned run_on_functions; /* as counted, plus one; 0: not yet (waits.h) */
	bool preempts; /* goroutines are preempted asynchronously (Go 1.14 and later), as far as the trace tells */
	STW_VEC(stw_found *) found;
	stwatch_evidence scratch; /* where steps go that are too many */
	bool failed; /* out of memory */
} stw_case;

typedef struct stw_harmed {
	int64_t g;
	uint32_t victim;
} stw_harmed;

/* A finding in the making: occurrences of one rule, cause and culprit. */
struct stw_found {
	stwatch_finding f;
	int64_t level[3]; /* from which its worst is a note, warning, error */
	stwatch_severity most; /* it never gets louder than this; 0: no limit */
	stwatch_severity doubted_most; /* of one that is doubted until it comes again: what `most` and the confidence are then */
	stwatch_confidence doubted_confidence;
	STW_VEC(stwatch_occurrence) occurrences;
	STW_VEC(stwatch_party) victims;
	STW_VEC(stwatch_reached) reached;
	STW_VEC(stw_harmed) harmed; /* which goroutines stand behind them */
	STW_VEC(stwatch_evidence) evidence;
	STW_VEC(const char *) ruled_out;
	stwatch_party culprit;
	bool of_log; /* GODEBUG output shows it, not the trace */
	bool loud; /* its evidence is of an occurrence that hurts (for rules that tell them apart) */
};

typedef struct stw_rule {
	const char *name;
	void (*want)(stw_case *c); /* asks for the stacks, samples and windows that it will need; may be NULL */
	void (*judge)(stw_case *c); /* makes findings */
} stw_rule;

/* The registry: rules of traces; and, ended by NULL, those that need none: they judge after the others, with a trace or without
 * (has_trace), and have no want. */
extern const stw_rule *const stw_rules[];
extern const size_t stw_rules_count;
extern const stw_rule *const stw_source_rules[];

#define STW_RULE(name) extern const stw_rule stw_rule_##name;
STW_RULE(stw_prolonged)
STW_RULE(stw_frequent)
STW_RULE(non_preemptible)
STW_RULE(starved)
STW_RULE(backlog)
STW_RULE(idle)
STW_RULE(waiting)
STW_RULE(convoy)
STW_RULE(leak)
STW_RULE(syscall)
STW_RULE(retake)
STW_RULE(outside)
STW_RULE(allocation)
STW_RULE(netpoll)
STW_RULE(mark_termination)
STW_RULE(contradiction)
STW_RULE(profile_evidence)
STW_RULE(dump_evidence)
STW_RULE(dump_deadlock)
STW_RULE(dump_convoy)
STW_RULE(dump_leak)
STW_RULE(godebug_evidence)
STW_RULE(godebug_queues)
STW_RULE(godebug_threads)
STW_RULE(godebug_collector)
STW_RULE(godebug_share)
STW_RULE(godebug_growth)
#undef STW_RULE

/* ---- making findings (found.c) ---- */

/* The finding for a rule, cause and culprit function (NULL: none); made where there is none yet, which *fresh tells.
 * note_setting is the first of three settings. NULL when out of memory. */
stw_found *stw_found_for(stw_case *c, const char *rule, const char *cause, const char *culprit, int note_setting, bool *fresh);
/* Once more, from and to in the trace's time; both STWATCH_UNKNOWN where the input tells none. */
void stw_found_occurs(stw_case *c, stw_found *found, int64_t from, int64_t to, int64_t g, int64_t p);
void stw_found_harms(stw_case *c, stw_found *found, const char *function, const char *root, int64_t g, int64_t delay);
/* A request, task or region of the program was delayed too. */
void stw_found_reaches(stw_case *c, stw_found *found, const char *kind, const char *name, int64_t delay);
stwatch_evidence *stw_found_step(stw_case *c, stw_found *found, int64_t at, const char *step, const char *source, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* The same of another input than a trace: at is STWATCH_UNKNOWN or as above, line that of a text input or 0, part what of it ("" or
 * "G7", "mutex profile"). */
stwatch_evidence *stw_found_step_from(stw_case *c, stw_found *found, const stw_companion *from, uint64_t line, int64_t at, const char *step,
	const char *part, const char *format, ...) __attribute__((format(printf, 8, 9)));
void stw_found_stack(stwatch_evidence *e, const stw_named_stack *stack);
/* A figure of a step, for programs. */
void stw_found_value(stw_case *c, stwatch_evidence *e, const char *name, int64_t number);
void stw_found_rules_out(stw_case *c, stw_found *found, const char *format, ...) __attribute__((format(printf, 3, 4)));
const char *stw_case_printf(stw_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Severities, ids, order; fills *findings, in the arena. */
bool stw_case_conclude(stw_case *c, stwatch_finding **findings, size_t *count);

/* A finding's advice with what a newer Go does better (since.def). From the arena, or the advice as it is. */
const char *stw_case_advice_since(stw_case *c, const stw_found *f);

/* ---- words ---- */

/* "125.2 ms". From the arena. */
const char *stw_case_ms(stw_case *c, int64_t ns);
/* The goroutine's own code: the outermost frame outside the library, else what it was started with; NULL: unknown. */
const char *stw_own_function(const stw_named_stack *stack, const stw_named_stack *root);
/* Once stacks have names: what wrappers of go statements call, as far as it shows. */
void stw_case_learn_callees(stw_case *c);
/* The frame a person would look at first: the innermost of the program, else of the library above locks and the like. */
uint32_t stw_case_frame(const stw_named_stack *stack);
/* "main.f file.go:12" of the frame a person would edit, or the leaf. From the arena; "" for an empty stack. */
const char *stw_case_site(stw_case *c, const stw_named_stack *stack);
/* True for goroutines of the runtime, its tracer and profilers. */
bool stw_is_runtimes(const stw_named_stack *root);

#endif
