#include "rules/case.h"

/* In the order in which they judge; what is told first is up to causes.h. */
const stw_rule *const stw_rules[] = {
	&stw_rule_stw_prolonged,
	&stw_rule_stw_frequent,
	&stw_rule_outside,
	&stw_rule_non_preemptible,
	&stw_rule_netpoll, /* before starvation: what it tells is not told twice */
	&stw_rule_starved,
	&stw_rule_idle,
	&stw_rule_retake,
	&stw_rule_backlog,
	&stw_rule_syscall,
	&stw_rule_convoy,
	&stw_rule_leak,
	&stw_rule_waiting,
	&stw_rule_allocation,
	&stw_rule_mark_termination,
	&stw_rule_contradiction,
};
const size_t stw_rules_count = sizeof stw_rules / sizeof *stw_rules;

const stw_rule *const stw_source_rules[] = {
	&stw_rule_profile_evidence,
	&stw_rule_dump_evidence,
	&stw_rule_dump_deadlock,
	&stw_rule_dump_convoy,
	&stw_rule_dump_leak,
	&stw_rule_godebug_evidence,
	&stw_rule_godebug_queues,
	&stw_rule_godebug_threads,
	&stw_rule_godebug_collector,
	&stw_rule_godebug_share,
	&stw_rule_godebug_growth,
	NULL,
};
