#include "event/states.h"

#include <string.h>

static const stw_state_row states[STW_STATE_COUNT] = {
	[STW_STATE_UNKNOWN] = {"unknown", "the trace does not tell", 0, true},
	[STW_STATE_NONE] = {"none", "there is none", 0, false},
#define STW_STATE(resource, id, name, seen, why) [STW_STATE_##id] = {name, why, STW_RES_##resource, seen},
#include "event/states.def"
};

static const stw_move_row moves[] = {
#define STW_MOVE(resource, from, to, event, first, last, why)                                                                              \
	{STW_RES_##resource, STW_STATE_##from, STW_STATE_##to, STW_EV_##event, first, last, why},
#include "event/states.def"
};

static const stw_couple_row couples[] = {
#define STW_COUPLE(m, p, g, why) {STW_STATE_##m, STW_STATE_##p, STW_STATE_##g, why},
#include "event/states.def"
};

enum { N_MOVES = sizeof moves / sizeof *moves, N_COUPLES = sizeof couples / sizeof *couples };

const stw_move_row *stw_move_at(size_t index)
{
	return index < N_MOVES ? &moves[index] : NULL;
}

const stw_couple_row *stw_couple_at(size_t index)
{
	return index < N_COUPLES ? &couples[index] : NULL;
}

const stw_state_row *stw_state_at(unsigned state)
{
	return &states[state < STW_STATE_COUNT ? state : STW_STATE_UNKNOWN];
}

const stw_move_row *stw_move_find(unsigned resource, unsigned from, unsigned to, unsigned event, unsigned version)
{
	for (size_t i = 0; i < N_MOVES; i++) {
		const stw_move_row *r = &moves[i];
		if (r->resource == resource && r->from == from && r->to == to && r->event == event && r->first <= version &&
			version <= r->last)
			return r;
	}
	return NULL;
}

const stw_couple_row *stw_couple_find(bool has_thread, unsigned p, unsigned g)
{
	for (size_t i = 0; i < N_COUPLES; i++)
		if ((couples[i].m != STW_STATE_NONE) == has_thread && couples[i].p == p && couples[i].g == g)
			return &couples[i];
	return NULL;
}

void stw_state_rules_init(stw_state_rules *rules, unsigned version)
{
	memset(rules->causes, 0, sizeof rules->causes);
	memset(rules->thread, STW_STATE_NONE, sizeof rules->thread);
	for (size_t i = 0; i < N_MOVES; i++) {
		const stw_move_row *r = &moves[i];
		if (r->event != STW_EV_None && r->first <= version && version <= r->last)
			rules->causes[r->from][r->to] |= (uint64_t)1 << r->event;
	}
	for (size_t i = 0; i < N_COUPLES; i++)
		if (couples[i].m != STW_STATE_NONE)
			rules->thread[couples[i].p][couples[i].g] = couples[i].m;
}

const char *stw_resource_name(unsigned resource)
{
	static const char *const names[STW_RES_COUNT] = {"goroutine", "proc", "thread"};
	return resource < STW_RES_COUNT ? names[resource] : "none";
}
