/* Figures and diagnosis of one or more inputs: what `stwatch stat` and `stwatch diagnose` show. */
#ifndef STWATCH_ANALYSIS_H
#define STWATCH_ANALYSIS_H

#include "stwatch/context.h"
#include "stwatch/events.h"
#include "stwatch/sources.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- settings: every threshold, by the name of its option ---- */

typedef struct stwatch_settings {
	size_t size;
	int64_t values[128]; /* indexed as stwatch_setting_at; durations in ns, shares in tenths of a percent, else counts */
} stwatch_settings;

typedef enum stwatch_unit { STWATCH_UNIT_NS, STWATCH_UNIT_PERMILLE, STWATCH_UNIT_COUNT } stwatch_unit;

typedef struct stwatch_setting {
	const char *option;  /* "stw-warn", without dashes */
	const char *help;    /* one line */
	stwatch_unit unit;
	int64_t value;       /* the default */
} stwatch_setting;

/* The setting of an index from 0, NULL past the last. Constant. Thread-safe. */
const stwatch_setting *stwatch_setting_at(size_t index);
/* Fills in the defaults. */
void stwatch_settings_init(stwatch_settings *settings);

/* ---- findings; every pointer is borrowed from the analysis and lives as long as it ---- */

typedef enum stwatch_severity { STWATCH_NOTE = 1, STWATCH_WARNING, STWATCH_ERROR } stwatch_severity;
typedef enum stwatch_confidence { STWATCH_POSSIBLE = 1, STWATCH_LIKELY, STWATCH_CERTAIN } stwatch_confidence;

typedef struct stwatch_frame {
	const char *function, *file; /* "" where unknown */
	uint64_t line;
} stwatch_frame;

typedef struct stwatch_value {
	const char *name;
	const char *text; /* NULL: number holds */
	int64_t number;
} stwatch_value;

typedef struct stwatch_evidence {
	int64_t at_ns;            /* from the first event; STWATCH_UNKNOWN: the input tells no time */
	const char *step;         /* "asked", "stopped", "sample", "woken", … */
	const char *what;         /* one line */
	const stwatch_value *values; size_t n_values;
	const char *source;       /* which input and which event: "trace.out: STWBegin" */
	uint64_t line;            /* of a text input, from 1; 0: null */
	int64_t goroutine, proc, thread; /* STWATCH_NONE: null */
	const stwatch_frame *stack; size_t n_stack;
} stwatch_evidence;

typedef struct stwatch_party {
	const char *function, *leaf, *root; /* NULL: unknown */
	const char *kind;                   /* "goroutine", "runtime", …; NULL: unknown */
	int64_t goroutine, proc, thread;    /* STWATCH_NONE: null (or several) */
	uint64_t count;                     /* how many goroutines stand behind it */
	int64_t delay_ns, delay_max_ns;     /* victims only */
} stwatch_party;

typedef struct stwatch_occurrence {
	int64_t start_ns, duration_ns, goroutine, proc;
} stwatch_occurrence;

/* ---- what happened around an occurrence, to be drawn ---- */

typedef enum stwatch_bar_state {
	STWATCH_BAR_RUNNING = 1, /* on a proc: a goroutine */
	STWATCH_BAR_GC,          /* a worker of the collector */
	STWATCH_BAR_SYSCALL,
	STWATCH_BAR_SPINNING,    /* a proc without a goroutine that is not idle either */
	STWATCH_BAR_RUNNABLE,
	STWATCH_BAR_WAITING,
	STWATCH_BAR_STOPPED      /* the world, from asking to the restart */
} stwatch_bar_state;

typedef struct stwatch_bar {
	int64_t from_ns, to_ns; /* from the first event */
	stwatch_bar_state state;
	int64_t goroutine;      /* STWATCH_NONE: none */
	const char *what;       /* a function, the reason of a wait, the kind of a stop; "" where unknown */
	bool several;           /* it stands for several too short to be drawn; what it says is of the longest */
} stwatch_bar;

typedef enum stwatch_lane_kind { STWATCH_LANE_STOPS = 1, STWATCH_LANE_PROC, STWATCH_LANE_GOROUTINE } stwatch_lane_kind;
typedef enum stwatch_role { STWATCH_BYSTANDER, STWATCH_CULPRIT, STWATCH_VICTIM } stwatch_role;

typedef struct stwatch_lane {
	stwatch_lane_kind kind;
	stwatch_role role;
	int64_t id;             /* of the proc or goroutine; STWATCH_NONE for stops */
	const char *name;       /* a goroutine's function; "" where unknown */
	const stwatch_bar *bars; size_t n_bars; /* in order of time; between them: idle, or not known */
} stwatch_lane;

typedef struct stwatch_timeline {
	int64_t from_ns, to_ns; /* from the first event */
	const stwatch_lane *lanes; size_t n_lanes;
	unsigned procs_left_out;
} stwatch_timeline;

/* What of the program's own units of work a finding delayed. */
typedef struct stwatch_reached {
	const char *kind; /* "request", "task", "region" */
	const char *name; /* a request's handler; else the name given in the program */
	uint64_t count; /* how many times */
	int64_t delay_ns, delay_max_ns;
} stwatch_reached;

/* ---- the program's source, where it is at hand ---- */

typedef struct stwatch_source_line {
	uint64_t number; /* from 1 */
	const char *text; /* as it stands in the file, without its end; cut where very long */
	bool marked;     /* the evidence names it */
} stwatch_source_line;

/* Lines around those that the evidence names, in order; there may be gaps between them. */
typedef struct stwatch_listing {
	const char *function, *file; /* as the trace has them */
	const char *path;  /* of the file that was read, within the folder of sources */
	const char *doubt; /* why it may not be what the program was built from; NULL: nothing speaks against it */
	const stwatch_source_line *lines; size_t n_lines; /* none, where the file is too short */
} stwatch_listing;

typedef struct stwatch_finding {
	const char *id, *rule, *cause, *title;
	stwatch_severity severity;
	stwatch_confidence confidence;
	int64_t start_ns, end_ns, duration_ns; /* of the worst occurrence; start_ns and end_ns STWATCH_UNKNOWN: the input tells no time */
	uint64_t count;
	int64_t worst_ns, harm_ns;
	const stwatch_occurrence *occurrences; size_t n_occurrences; /* the worst 100, in order of time */
	const stwatch_party *culprit;          /* NULL: the evidence names none */
	const stwatch_party *victims; size_t n_victims; /* most harmed first */
	bool has_phases;
	int64_t lock_ns, stopping_ns, standing_ns; /* of a stop; lock_ns -1: not known apart from stopping */
	bool phases_inferred;
	const stwatch_evidence *evidence; size_t n_evidence; /* in order of time */
	const char *const *ruled_out; size_t n_ruled_out;
	const char *advice;
	const stwatch_timeline *timeline; /* around the worst occurrence; NULL: not asked for, or no trace shows it */
	const stwatch_reached *reached; size_t n_reached; /* most delayed first */
	const stwatch_listing *listings; size_t n_listings; /* of the culprit's functions; none without a folder of sources */
} stwatch_finding;

/* ---- figures ---- */

typedef struct stwatch_problem {
	uint64_t offset; /* STWATCH_NO_OFFSET: null */
	const char *what;
} stwatch_problem;

typedef struct stwatch_input {
	const char *file, *kind, *format; /* "go-trace", "go1.26"; format NULL: none to tell */
	uint64_t bytes, events, generations; /* events and generations: of traces, else 0 */
	bool has_start_time; int64_t start_unix_ns; /* wall time of the first event */
	int64_t duration_ns; /* STWATCH_UNKNOWN: not known */
	bool complete;
	int64_t start_ns; /* of several traces as one: its first event, from the first of all; STWATCH_UNKNOWN: none was read from it */
	uint64_t repeated_generations; /* that another of the traces has too; events and generations count with that one */
	const stwatch_problem *problems; size_t n_problems;
	const stwatch_figure *figures; size_t n_figures; /* what `stat` tells of an input that is no trace */
	const stwatch_table *tables; size_t n_tables;
} stwatch_input;

typedef struct stwatch_stw_row {
	const char *kind; /* as the runtime words it: "GC mark termination" */
	uint64_t count;
	int64_t total_ns, max_ns, stopping_max_ns; /* stopping_max_ns -1: not known */
	bool inferred;
	const char *whose;  /* "gc", "requested" (by the program), "tracer", "unknown" */
	uint64_t during_gc; /* of count: asked for while a collection was in progress */
} stwatch_stw_row;

typedef struct stwatch_event_count { const char *name; uint64_t count; } stwatch_event_count;

typedef struct stwatch_proc_row {
	int64_t proc;
	int64_t running_ns, gc_ns, syscall_ns, spinning_ns, idle_ns, stopped_ns; /* gc: GC worker goroutines */
	uint64_t starts; /* goroutine starts */
	double starts_per_s;
	uint64_t polled; /* goroutines that its polls of the network woke */
} stwatch_proc_row;

typedef struct stwatch_mmu_point { int64_t window_ns; double utilisation; } stwatch_mmu_point;

typedef struct stwatch_latency_bucket { int64_t from_ns, to_ns; uint64_t count; } stwatch_latency_bucket; /* from below to */

typedef struct stwatch_summary {
	bool known; /* a trace was among the inputs: else only what is not 0 is known */
	const stwatch_stw_row *stw; size_t n_stw;
	uint64_t gc_cycles;
	int64_t gc_mark_ns, gc_assist_ns;
	int64_t gomaxprocs_max, gomaxprocs_last; /* 0: unknown */
	uint64_t goroutines_seen, goroutines_created, goroutines_ended, goroutines_max;
	uint64_t sched_waits; /* how many runnable stays stand behind the percentiles */
	int64_t sched_p50_ns, sched_p90_ns, sched_p99_ns, sched_p999_ns, sched_max_ns;
	double proc_idle_share; /* 0 to 1; below 0: unknown */
	uint64_t runqueue_max;  /* most goroutines runnable at one time */
	uint64_t cpu_samples, syscalls, threads;
	uint64_t heap_max_bytes, heap_goal_last_bytes; /* 0: unknown, or there is no goal */
	uint64_t heap_live_last_bytes; /* what the last collection left; 0: unknown */
	int64_t gc_mark_stopped_ns; /* of gc_mark_ns: while the world was being stopped, or stood */
	int64_t gc_worker_ns[3]; /* mark workers: dedicated, fractional, idle */
	uint64_t polled, polled_late; /* goroutines woken by polls of the network; of these, by sysmon without a P */
	int64_t polled_mean_ns, polled_p50_ns, polled_p99_ns, polled_max_ns; /* from then to running; of no wake-ups 0 */
	const stwatch_proc_row *procs; size_t n_procs;
	const stwatch_event_count *event_counts; size_t n_event_counts; /* by wire event, those that occur */
	const stwatch_mmu_point *mmu; size_t n_mmu;
	bool mmu_exact; /* mmu is exact; else from stops and mark workers' stretches of 1 ms and more */
	const stwatch_mmu_point *mmu_curve; size_t n_mmu_curve; /* where it was asked for: every window that fits, by length */
	const stwatch_latency_bucket *sched_latency; size_t n_sched_latency; /* of sched_waits, from the first to the last that is not empty */
	bool heap_goal_off; /* the last goal was none: GOGC=off */
} stwatch_summary;

typedef struct stwatch_analysis stwatch_analysis;

typedef struct stwatch_analyze_options {
	size_t size;
	const stwatch_settings *settings; /* NULL: the defaults */
	bool findings;                    /* false: figures only */
	int64_t from_ns, to_ns;           /* findings outside are left out; to_ns 0: to the end */
	const char *focus_function;       /* NULL, or only findings that name it */
	int64_t focus_goroutine;          /* 0: any */
	const char *const *ignore; size_t n_ignore; /* finding ids to leave out */
	bool mmu_curve;                   /* minimum mutator utilisation exactly: a trace is read once more for it */
	unsigned timelines;               /* so many of the findings get a timeline, from the most harmful on */
	bool follow;                      /* one path, of what is still being written: reads on until its writer has closed it */
	int64_t follow_silence_ns;        /* or until so long nothing has come; 0: however long that takes */
	void (*update)(void *user, const stwatch_analysis *so_far); /* meanwhile, now and then when generations were completed; NULL: nothing */
	void *update_user;
	const char *source;               /* a folder with the program's source, of which findings get listings; NULL: none */
} stwatch_analyze_options;

/* Reads the inputs, each recognised by its content, in any order, and analyses them together. On STWATCH_OK and STWATCH_ERR_DAMAGED (and _CANCELLED) *out is set, owned by the caller, who ends it
 * with stwatch_analysis_free; on damage it holds everything that was readable and *error says the first problem. options and error may be NULL. */
stwatch_status stwatch_analyze(stwatch_context *context, const char *const *paths, size_t n_paths,
                               const stwatch_analyze_options *options, stwatch_analysis **out, stwatch_error *error);
void stwatch_analysis_free(stwatch_analysis *analysis);

const stwatch_input *stwatch_analysis_inputs(const stwatch_analysis *analysis, size_t *count);
const stwatch_settings *stwatch_analysis_settings(const stwatch_analysis *analysis);
const stwatch_summary *stwatch_analysis_summary(const stwatch_analysis *analysis);
const stwatch_finding *stwatch_analysis_findings(const stwatch_analysis *analysis, size_t *count); /* most harmful first, but a cause before what follows from it */
const char *const *stwatch_analysis_limits(const stwatch_analysis *analysis, size_t *count);

/* ---- printing ---- */

typedef enum stwatch_view { STWATCH_VIEW_STAT, STWATCH_VIEW_DIAGNOSE } stwatch_view;

typedef enum stwatch_format {
	STWATCH_FORMAT_TEXT = 0, /* for people */
	STWATCH_FORMAT_JSON,     /* for scripts (docs/schema) */
	STWATCH_FORMAT_MARKDOWN, /* a report to paste into an issue; of a diagnosis only */
	STWATCH_FORMAT_HTML      /* a page that needs nothing else; of a diagnosis only */
} stwatch_format;

typedef struct stwatch_print_options {
	size_t size;
	stwatch_format format;
	bool color;     /* ANSI colours in text */
	unsigned width; /* columns of text, 40 to 400; 0: 100 */
	unsigned top;   /* most findings to print; 0: all */
	bool one_line;  /* JSON without line breaks */
	bool draw_mmu, draw_latency; /* of a trace's figures: draw these, instead of the page */
	bool ascii;     /* draw with ASCII alone */
} stwatch_print_options;

/* Prints a view through the sink. options may be NULL (text). STWATCH_ERR_IO if the sink stopped it. */
stwatch_status stwatch_analysis_print(const stwatch_analysis *analysis, stwatch_view view, const stwatch_print_options *options,
                                      stwatch_sink_fn sink, void *user);

/* Prints one finding, as it stands in a diagnosis, with a number (text); or as a line of JSON (docs/schema/finding.json). Other formats are as text. */
stwatch_status stwatch_finding_print(const stwatch_finding *finding, size_t number, const stwatch_print_options *options,
                                     stwatch_sink_fn sink, void *user);

/* Explains a rule ("stw-prolonged") or a cause ("saturation"): text for people, NULL if neither is known. Constant. Thread-safe. */
const char *stwatch_explain(const char *rule_or_cause);
/* The name that stwatch_explain knows, by index from 0; NULL past the last. */
const char *stwatch_explain_topic(size_t index);

/* What a newer version does better where a rule found something. All texts are constant. */
typedef struct stwatch_since {
	const char *version;  /* "Go 1.14", "Linux 5.14": since which */
	const char *rule, *cause; /* of which findings; cause "": whatever it is */
	const char *function; /* of those with a function in sight whose name begins so; "": any */
	const char *text;
} stwatch_since;

/* What concerns a rule or a cause, by index from 0, oldest first; NULL past the last. Advice of a finding in a trace of an older Go has
 * it too. Constant. Thread-safe. */
const stwatch_since *stwatch_explain_since(const char *rule_or_cause, size_t index);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
