/* The runtime's states of goroutines, P's and threads: names, legal transitions, coupling; see states.def. */
#ifndef STW_EVENT_STATES_H
#define STW_EVENT_STATES_H

#include "event/spec.h"

enum { STW_RES_G, STW_RES_P, STW_RES_M, STW_RES_COUNT };

/* One numbering for all three resources. */
enum {
	STW_STATE_UNKNOWN, /* the trace does not tell */
	STW_STATE_NONE, /* in coupling: there is none */
#define STW_STATE(resource, id, name, seen, why) STW_STATE_##id,
#include "event/states.def"
	STW_STATE_COUNT
};

enum { STW_EV_None = 0, STW_VERSION_NOW = 99 };

typedef struct stw_state_row {
	const char *name, *why;
	uint8_t resource;
	bool seen; /* false: no trace shows it */
} stw_state_row;

typedef struct stw_move_row {
	uint8_t resource, from, to;
	uint8_t event; /* STW_EV_None: no event shows it */
	uint8_t first, last; /* minor versions of headers; last may be STW_VERSION_NOW */
	const char *why;
} stw_move_row;

typedef struct stw_couple_row {
	uint8_t m, p, g; /* STW_STATE_NONE: there is none */
	const char *why;
} stw_couple_row;

/* The tables' rows by index; NULL past the last. */
const stw_move_row *stw_move_at(size_t index);
const stw_couple_row *stw_couple_at(size_t index);
/* Never NULL; of UNKNOWN and NONE too. */
const stw_state_row *stw_state_at(unsigned state);
static inline const char *stw_state_name(unsigned state)
{
	return stw_state_at(state)->name;
}

/* The row that allows a transition by an event in a version; NULL: it is illegal. Not for UNKNOWN, from and to which all is legal. */
const stw_move_row *stw_move_find(unsigned resource, unsigned from, unsigned to, unsigned event, unsigned version);
/* The row that a thread (or none) with the P and the goroutine of these states fits; NULL: they contradict each other. */
const stw_couple_row *stw_couple_find(bool has_thread, unsigned p, unsigned g);

/* Both tables as a reader of many events needs them, for one version. */
typedef struct stw_state_rules {
	uint64_t causes[STW_STATE_COUNT][STW_STATE_COUNT]; /* bits 1 << event */
	uint8_t thread[STW_STATE_COUNT][STW_STATE_COUNT]; /* by P and G: the M's state, STW_STATE_NONE: they do not fit */
} stw_state_rules;

void stw_state_rules_init(stw_state_rules *rules, unsigned version);
static inline bool stw_move_legal(const stw_state_rules *rules, unsigned from, unsigned to, unsigned event)
{
	return from == STW_STATE_UNKNOWN || to == STW_STATE_UNKNOWN || (event < 64 && rules->causes[from][to] >> event & 1);
}

const char *stw_resource_name(unsigned resource);

#endif
