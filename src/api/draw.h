/* The surroundings of findings, for pages. */
#ifndef STW_API_DRAW_H
#define STW_API_DRAW_H

#include "rules/case.h"

/* Gives a finding its timeline, in the arena of the case, if a trace shows when it was. STWATCH_ERR_MEMORY, _IO, _CANCELLED. */
stwatch_status stw_draw_finding(stwatch_finding *finding, stw_case *c, const volatile int *cancel, stwatch_error *error);

#endif
