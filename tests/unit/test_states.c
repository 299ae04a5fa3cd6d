/* The tables of states, transitions and coupling say nothing twice, nothing impossible, and leave no event out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "event/states.h"

static bool is_header(unsigned version)
{
	return version == 5 || version == 21 || version == STW_GO122 || version == STW_GO123 || version == STW_GO125 ||
		version == STW_GO126;
}

static void versions_are_headers(void **state)
{
	(void)state;
	const stw_move_row *row;
	for (size_t i = 0; (row = stw_move_at(i)) != NULL; i++) {
		assert_true(is_header(row->first));
		assert_true(is_header(row->last) || row->last == STW_VERSION_NOW);
		assert_true(row->first <= row->last);
	}
}

static void no_row_stands_twice(void **state)
{
	(void)state;
	const stw_move_row *a, *b;
	for (size_t i = 0; (a = stw_move_at(i)) != NULL; i++)
		for (size_t j = 0; j < i && (b = stw_move_at(j)) != NULL; j++)
			if (a->resource == b->resource && a->from == b->from && a->to == b->to && a->event == b->event)
				assert_true(a->last < b->first || b->last < a->first);
	const stw_couple_row *c, *d;
	for (size_t i = 0; (c = stw_couple_at(i)) != NULL; i++)
		for (size_t j = 0; j < i && (d = stw_couple_at(j)) != NULL; j++)
			assert_false((c->m == STW_STATE_NONE) == (d->m == STW_STATE_NONE) && c->p == d->p && c->g == d->g);
}

static void rows_join_states_of_one_resource(void **state)
{
	(void)state;
	const stw_move_row *row;
	for (size_t i = 0; (row = stw_move_at(i)) != NULL; i++) {
		assert_true(row->from == STW_STATE_UNKNOWN || stw_state_at(row->from)->resource == row->resource);
		assert_int_equal(stw_state_at(row->to)->resource, row->resource);
		assert_int_not_equal(row->from, row->to);
		assert_true(row->event == STW_EV_None || stw_event_spec_of(row->event)->name != NULL);
		assert_true(row->event < 64); /* stw_state_rules has a bit for each */
		if (!stw_state_at(row->from)->seen || !stw_state_at(row->to)->seen)
			assert_int_equal(row->event, STW_EV_None);
	}
}

static void every_seen_state_is_reached_and_left(void **state)
{
	(void)state;
	for (unsigned s = STW_STATE_NONE + 1; s < STW_STATE_COUNT; s++) {
		unsigned in = 0, out = 0;
		const stw_move_row *row;
		for (size_t i = 0; (row = stw_move_at(i)) != NULL; i++) {
			in += row->to == s && row->event != STW_EV_None;
			out += row->from == s && row->event != STW_EV_None;
		}
		if (stw_state_at(s)->seen && !(in && out)) {
			print_error("%s\n", stw_state_name(s));
			fail();
		}
	}
}

static void every_transition_event_has_a_row(void **state)
{
	(void)state;
	for (unsigned event = 0; event < STW_EV_COUNT; event++) {
		const stw_move_row *row;
		bool found = stw_event_spec_of(event)->kind != STWATCH_EVENT_STATE_TRANSITION;
		for (size_t i = 0; !found && (row = stw_move_at(i)) != NULL; i++)
			found = row->event == event;
		if (!found)
			print_error("%s\n", stw_event_spec_of(event)->name);
		assert_true(found);
	}
}

/* The issue's own example, and what differs between versions. */
static void what_is_legal(void **state)
{
	(void)state;
	stw_state_rules rules;
	stw_state_rules_init(&rules, STW_GO126);
	assert_false(stw_move_legal(&rules, STW_STATE_G_WAITING, STW_STATE_G_RUNNING, STW_EV_GoStart));
	assert_true(stw_move_legal(&rules, STW_STATE_G_WAITING, STW_STATE_G_RUNNING, STW_EV_GoSwitch));
	assert_true(stw_move_legal(&rules, STW_STATE_G_RUNNABLE, STW_STATE_G_RUNNING, STW_EV_GoStart));
	assert_false(stw_move_legal(&rules, STW_STATE_P_DEAD, STW_STATE_P_RUNNING, STW_EV_ProcStart));
	assert_true(stw_move_legal(&rules, STW_STATE_UNKNOWN, STW_STATE_G_RUNNING, STW_EV_GoStart));
	assert_null(stw_move_find(STW_RES_G, STW_STATE_G_DEAD, STW_STATE_G_SYSCALL, STW_EV_GoCreateSyscall, STW_GO126));
	assert_non_null(stw_move_find(STW_RES_G, STW_STATE_G_DEADEXTRA, STW_STATE_G_SYSCALL, STW_EV_GoCreateSyscall, STW_GO126));
	assert_non_null(stw_move_find(STW_RES_G, STW_STATE_G_DEAD, STW_STATE_G_SYSCALL, STW_EV_GoCreateSyscall, STW_GO125));
	stw_state_rules_init(&rules, STW_GO122);
	assert_false(stw_move_legal(&rules, STW_STATE_G_WAITING, STW_STATE_G_RUNNING, STW_EV_GoSwitch));
	assert_false(stw_move_legal(&rules, STW_STATE_G_RUNNABLE, STW_STATE_G_SYSCALL, STW_EV_GoStatus));
	stw_state_rules_init(&rules, 11);
	assert_true(stw_move_legal(&rules, STW_STATE_G_RUNNABLE, STW_STATE_G_SYSCALL, STW_EV_GoStatus)); /* for calls from C */
	assert_true(stw_move_legal(&rules, STW_STATE_P_IDLE, STW_STATE_P_RUNNING, STW_EV_ProcStatus)); /* after GOMAXPROCS was raised */
	assert_true(stw_move_legal(&rules, STW_STATE_G_RUNNING, STW_STATE_G_WAITING, STW_EV_GoBlock));
	assert_false(stw_move_legal(&rules, STW_STATE_P_SYSCALL, STW_STATE_P_SYSCALL, STW_EV_GoSyscallBegin));
}

static void what_fits(void **state)
{
	(void)state;
	stw_state_rules rules;
	stw_state_rules_init(&rules, STW_GO126);
	assert_non_null(stw_couple_find(true, STW_STATE_P_RUNNING, STW_STATE_G_RUNNING));
	assert_null(stw_couple_find(true, STW_STATE_NONE, STW_STATE_G_RUNNING));
	assert_null(stw_couple_find(false, STW_STATE_P_RUNNING, STW_STATE_NONE));
	assert_null(stw_couple_find(true, STW_STATE_P_IDLE, STW_STATE_NONE));
	assert_null(stw_couple_find(true, STW_STATE_P_RUNNING, STW_STATE_G_WAITING));
	assert_non_null(stw_couple_find(false, STW_STATE_P_IDLE, STW_STATE_NONE));
	assert_non_null(stw_couple_find(false, STW_STATE_NONE, STW_STATE_G_WAITING));
	assert_int_equal(rules.thread[STW_STATE_P_RUNNING][STW_STATE_G_RUNNING], STW_STATE_M_RUNNING);
	assert_int_equal(rules.thread[STW_STATE_NONE][STW_STATE_NONE], STW_STATE_M_IDLE);
	assert_int_equal(rules.thread[STW_STATE_NONE][STW_STATE_G_RUNNING], STW_STATE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_headers),
		cmocka_unit_test(no_row_stands_twice),
		cmocka_unit_test(rows_join_states_of_one_resource),
		cmocka_unit_test(every_seen_state_is_reached_and_left),
		cmocka_unit_test(every_transition_event_has_a_row),
		cmocka_unit_test(what_is_legal),
		cmocka_unit_test(what_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
