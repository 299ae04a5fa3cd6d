/* Gathered figures in the words of the public structs. */
#ifndef STW_API_SUMMARY_H
#define STW_API_SUMMARY_H

#include "analysis/gather.h"
#include "analysis/mmu_curve.h"
#include "base/arena.h"
#include "stwatch/analysis.h"

/* Fills in a summary; its arrays come from the arena. False when out of memory. */
bool stw_summary_fill(stwatch_summary *summary, const stw_gather *gather, stw_arena *arena);
/* The curve after the last event, and the summary's few windows by it. False when out of memory. */
bool stw_summary_take_curve(stwatch_summary *summary, stw_mmu_curve *curve, stw_arena *arena);

#endif
