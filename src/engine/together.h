/* Several inputs as one trace: snapshots of a flight recorder, or traces that a process wrote one after another. */
#ifndef STW_ENGINE_TOGETHER_H
#define STW_ENGINE_TOGETHER_H

#include "engine/trace.h"

/* Puts the spans of all inputs in order of time, each generation once, and marks where the trace is not whole between two of them.
 *
 * The runtime counts generations on as long as the process lives (trace.lastNonZeroGen in runtime/trace.go), and writes one of them
 * byte for byte the same to everybody who listens. So inputs that have a generation in common, with the same bytes, are of one
 * process; and they are not where a generation of one number begins differently, where time and numbers go different ways, where formats or
 * clocks differ, or where the same addresses are other functions. What can't be told apart this way counts as one process: between two
 * inputs that have nothing in common nothing is concluded anyway.
 * STWATCH_ERR_ARGUMENT where the inputs are of several processes: the message lists them. _MEMORY, _IO, _CANCELLED. */
stwatch_status stw_trace_join_inputs(stw_trace *trace, const volatile int *cancel, stwatch_error *error);
/* The same of traces in a v1 format, each of which is a span: they are put in order of time, and count it from the first one's beginning, by the clock of
 * the one that measured it longest. A process has one recording at a time, and ticks are of one clock, so order and gaps are known. Not of one process
 * are traces that overlap, whose formats differ, whose clocks run differently or where the same addresses are other functions. What is there twice to
 * the byte counts once. */
stwatch_status stw_trace_join_v1(stw_trace *trace, stwatch_error *error);
/* Where a goroutine begins anew behind a gap that was there before it: STWATCH_ERR_ARGUMENT, about the span's input; _DAMAGED where the span stands behind
 * another v1 trace in it: nobody has said that they belong together. */
stwatch_status stw_trace_fail_foreign(stwatch_error *error, const stw_span *span, int64_t goroutine);

#endif
