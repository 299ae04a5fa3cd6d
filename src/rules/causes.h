/* The order in which findings are told: most harmful first, but a cause before what follows from it. */
#ifndef STW_RULES_CAUSES_H
#define STW_RULES_CAUSES_H

#include <stddef.h>

#include "stwatch/analysis.h"

/* Puts findings in order: louder ones first, of these the more harmful; then one that others follow from before the first of them
 * (which rules can follow from which stands in causes.c), unless it is the quieter and only a note, which nobody looks for before an
 * error. Occurrences must be in order of time. The same for the same findings in any order. Quadratic in the number of findings, which
 * is that of rules, causes and culprits, not of occurrences. */
void stw_findings_order(stwatch_finding *findings, size_t count);

#endif
