#!/usr/bin/env python3
"""Thousands of damaged traces: ours and Go's reader must agree on which are acceptable, and on every event up to the damage.

STWATCH_MUTANTS=N sets their number, STWATCH_SEED=N another seed, STWATCH_HEAVY=1 asks for the full number. A mutant on which the two
disagree is kept beside the program, in test-failures/.
"""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import differential
import harness
import mutate
import oracle
import texttrace

USUAL, FULL = 2000, 30000
LARGEST_BASE = 30000


def bases():
    """(name, bytes) of what is damaged: small recordings and the accepted scenarios."""
    out = []
    for path in sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace"))):
        if os.path.getsize(path) <= LARGEST_BASE:
            with open(path, "rb") as file:
                out.append((os.path.basename(path), file.read()))
    for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "*.txt"))):
        case = texttrace.read(path)
        if case.accept:
            out.append((os.path.basename(path), case.data))
    return out


def verdict(judges, path, data, go, ours):
    """Go's reading, and what is wrong with ours."""
    if go.accepted and ours.code == 4 and oracle.lost_generations(data, go) > 0:
        go.accepted, go.message = False, "ends early"
    return go, oracle.disagreement(go, ours)


def main():
    program, report = harness.program(), harness.Report()
    try:
        judges = differential.Judges()
    except oracle.Unavailable as why:
        harness.skip(str(why))
    count = int(os.environ.get("STWATCH_MUTANTS") or (FULL if harness.HEAVY else USUAL))
    seed = int(os.environ.get("STWATCH_SEED") or 20260101)
    words = differential.hold_all(program, report, judges, mutate.mutants(bases(), count, seed), verdict, "mutant-%d" % seed)
    judges.close()
    report.note("Go's reader: %s" % ", ".join("%d %s" % (n, word) for word, n in sorted(words.items())))
    report.finish()


if __name__ == "__main__":
    main()
