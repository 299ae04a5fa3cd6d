/* What findings cost others in turn; after all rules of a trace have judged (impact.c). */
#ifndef STW_RULES_IMPACT_H
#define STW_RULES_IMPACT_H

#include "rules/case.h"

void stw_impact_follow(stw_case *c);

#endif
