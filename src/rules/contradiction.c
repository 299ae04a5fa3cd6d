/* Places where the trace shows what the runtime forbids: the strict reading of a generation ended there. */
#include "rules/case.h"

static void judge(stw_case *c)
{
	static const struct {
		stw_fault fault;
		const char *rule, *cause;
	} kinds[] = {
		{STW_FAULT_TRANSITION, "illegal-transition", "status-mismatch"},
		{STW_FAULT_ORDER, "illegal-transition", "broken-order"},
		{STW_FAULT_COUPLING, "coupling-violation", "coupling"},
	};
	for (size_t i = 0; i < c->trace->problems.count; i++) {
		const stw_problem_note *p = &c->trace->problems.items[i];
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
			bool fresh;
			if (kinds[k].fault != p->fault)
				continue;
			stw_found *f = stw_found_for(c, kinds[k].rule, kinds[k].cause, NULL, -1, &fresh);
			if (!f)
				return;
			stw_found_occurs(c, f, c->start, c->start, STWATCH_NONE, STWATCH_NONE);
			stw_found_step(c, f, c->start + (int64_t)i, "contradiction", "strict reading", "at byte %llu: %s",
				(unsigned long long)p->offset, p->what);
			f->f.severity = STWATCH_WARNING;
			f->f.confidence = STWATCH_CERTAIN;
			f->f.title = stw_case_printf(c, "the trace contradicts itself: %s", p->what);
			f->f.advice = "damaged in transfer, or two traces mixed? if the file is as the runtime wrote it, it is a bug of "
				      "the runtime's tracer";
		}
	}
}

const stw_rule stw_rule_contradiction = {"illegal-transition", NULL, judge};
