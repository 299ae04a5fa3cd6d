/* The timeline of every goroutine, P and thread in the runtime's own terms (event/states.def), event by event.
 *
 * It is lenient: it believes each event, goes on, and tells what contradicts the tables. Memory is that of live goroutines, P's
 * and threads; intervals are handed on as they close. Per resource they come in order of time and without a gap.
 *
 * What is derived, and why it may be:
 *   - A status is written before the first event that changes it, so in the first generation it has held since the beginning:
 *     such an interval begins there, with an open begin (nobody knows how long it had held before).
 *   - A P that stops between STWBegin and the restart, and stays stopped until it, is _Pgcstop from then on. Other P's without a
 *     thread are _Pgcstop from when the last one stopped. The restart is dated by the ProcsChange that procresize writes in every
 *     stop while the world stands. The P of whoever asked goes on running, as the tracer has it.
 *     So intervals of P's within a stop are handed on at its end.
 *   - A thread's state follows from its P and its goroutine. What it was before its first event, unless it had either, is unknown:
 *     it may not have been there.
 * What begins or ends outside of the trace has an open begin or end; after a gap everything begins anew. */
#ifndef STW_MODEL_TIMELINE_H
#define STW_MODEL_TIMELINE_H

#include "base/intern.h"
#include "base/map.h"
#include "event/states.h"

/* An event with the arguments of order/merge_step.h; a coroutine switch may come with the two events it stands for behind it. */
typedef struct stw_timeline_event {
	int64_t time;
	int64_t m, p, g; /* before the event, STWATCH_NONE */
	uint64_t a[4];
	uint64_t stack; /* to be kept with the state that begins */
	uint32_t reason; /* from stw_timeline_reason, 0: none */
	uint8_t type; /* STW_EV_… */
} stw_timeline_event;

typedef struct stw_interval {
	uint8_t resource, state, next; /* next: STW_STATE_NONE at the end of the trace */
	uint8_t event; /* that ended it, STW_EV_None: the end of the trace */
	bool open_begin, open_end; /* it began before, or went on after, what the trace shows */
	int64_t id, from, to;
	int64_t by; /* the goroutine that made a waiting one ready, or handed over to it */
	uint64_t stack; /* where the state was entered; an id of generation, 0: unknown */
	uint32_t generation;
	uint32_t reason; /* in stw_timeline.reasons */
} stw_interval;

typedef struct stw_move {
	uint8_t resource, from, to, event;
	bool legal;
	bool measured; /* spent is the whole time in `from` */
	int64_t id, at, spent;
} stw_move;

/* A thread, P and goroutine that do not fit together. */
typedef struct stw_clash {
	int64_t at, m, p, g; /* STWATCH_NONE */
	uint8_t p_state, g_state;
	uint8_t event;
} stw_clash;

/* Any may be NULL. */
typedef struct stw_timeline_hooks {
	void (*interval)(void *user, const stw_interval *interval);
	void (*move)(void *user, const stw_move *move);
	void (*clash)(void *user, const stw_clash *clash);
	void *user;
} stw_timeline_hooks;

enum { STW_REASON_PREEMPTED = 1 };

typedef struct stw_line {
	int64_t since;
	uint64_t stack;
	uint32_t generation, reason;
	uint8_t state;
	bool open_begin;
} stw_line;

typedef struct stw_timeline_g {
	int64_t id;
	uint32_t m; /* index, STW_MAP_NONE */
	stw_line line;
} stw_timeline_g;

typedef struct stw_timeline_p {
	int64_t id;
	uint32_t m;
	uint32_t mark; /* within a stop: 1 + index into pending of the stop that lasts until the restart, 0: none */
	uint8_t stopped_as; /* the same: as what it stopped last, STW_STATE_UNKNOWN: it has not */
	bool held; /* the same: something of it is in pending, and what follows has to be too */
	stw_line line;
} stw_timeline_p;

typedef struct stw_timeline_m {
	int64_t id;
	uint32_t p, g;
	bool settled; /* had an event of its own, not just a status */
	bool at_odds; /* told already */
	stw_line line;
} stw_timeline_m;

enum { STW_P_STARTS, STW_P_STOPS, STW_P_USED };

/* A P's stop or start during a stop-the-world: what it means shows at the restart. */
typedef struct stw_timeline_pending {
	stw_line line; /* that it ends */
	int64_t at;
	uint32_t p;
	uint8_t event, kind, to; /* kind: STW_P_…; to: the state that begins, where it is USED */
	bool own; /* on the thread of whoever asked */
} stw_timeline_pending;

typedef struct stw_timeline_stop {
	bool on, restarted;
	int64_t begin, restart;
	int64_t g; /* who asked */
	uint32_t m;
	int64_t procs; /* GOMAXPROCS from the restart on */
	STW_VEC(stw_timeline_pending) pending;
} stw_timeline_stop;

enum { STW_TOUCHED = 8 };

typedef struct stw_touched {
	uint32_t items[STW_TOUCHED];
	unsigned count;
} stw_touched;

typedef struct stw_timeline {
	stw_mem *mem;
	stw_state_rules rules;
	unsigned version;
	stw_timeline_hooks hooks;
	stw_intern reasons;
	STW_VEC(stw_timeline_g) gs;
	STW_VEC(stw_timeline_p) ps;
	STW_VEC(stw_timeline_m) ms;
	STW_VEC(uint32_t) free_gs;
	stw_map g_index, p_index, m_index;
	stw_timeline_stop stop;
	stw_touched touched_m, touched_p, touched_g;
	int64_t begin; /* of the first generation, or the first after a gap */
	int64_t known_from; /* from here on it is certain what a P without any event did */
	uint32_t generation; /* number for stacks */
	bool first; /* in the first generation, or the first after a gap */
	bool begun, failed;
	bool lossy; /* set by who feeds it: events are missing, nobody knows where, so that what can't follow from what was does not contradict it */
	int64_t procs; /* GOMAXPROCS, -1: not known */
	unsigned switching; /* parts of a coroutine switch that are still to come */
	int64_t switch_from, switch_to;
} stw_timeline;

/* False when out of memory; then nothing needs to be freed. */
bool stw_timeline_init(stw_timeline *timeline, stw_mem *mem, unsigned version, const stw_timeline_hooks *hooks);
void stw_timeline_free(stw_timeline *timeline);
/* A reason's number: STW_REASON_PREEMPTED or another, 0 for none. */
uint32_t stw_timeline_reason(stw_timeline *timeline, const char *data, size_t length);
/* Where a generation begins, the first too. number: whatever the caller knows stacks by. */
void stw_timeline_generation(stw_timeline *timeline, int64_t at, uint32_t number);
/* Part of the trace is missing from here on: everything is closed with an open end, and begins anew. */
void stw_timeline_gap(stw_timeline *timeline, int64_t at);
/* Events of a goroutine or P are missing from here on: its line ends open, and nothing is known of it. */
void stw_timeline_forget(stw_timeline *timeline, bool proc, int64_t id, int64_t at);
/* Events that mean nothing here are passed over. False when out of memory; the timeline then has lost something. */
bool stw_timeline_add(stw_timeline *timeline, const stw_timeline_event *event);
/* Closes everything, with an open end. */
void stw_timeline_finish(stw_timeline *timeline, int64_t at);

/* ---- shared by its files ---- */

/* The index of a P, made where it is new; STW_MAP_NONE for no id, or when out of memory. */
uint32_t stw_timeline_find_p(stw_timeline *timeline, int64_t id);
/* Ends a state: tells the interval and the move, and begins the next. */
void stw_timeline_leave(
	stw_timeline *timeline, unsigned resource, int64_t id, stw_line *line, unsigned to, unsigned event, int64_t at, int64_t by);
void stw_timeline_stop_begin(stw_timeline *timeline, const stw_timeline_event *event, uint32_t m);
void stw_timeline_stop_end(stw_timeline *timeline, int64_t at, bool seen);
void stw_timeline_procs(stw_timeline *timeline, int64_t procs, int64_t at);
/* A P's stop (by ProcStop or ProcSteal), start, or change that neither is, within a stop-the-world or not. kind: STW_P_…; to for USED. */
void stw_timeline_p_moves(stw_timeline *timeline, uint32_t p, unsigned kind, unsigned to, const stw_timeline_event *event, uint32_t m);

#endif
