#!/usr/bin/env python3
"""Thousands of damaged traces of Go 1.11 to 1.21: ours and Go's reader must agree on which are acceptable, and on the events.

STWATCH_MUTANTS=N sets their number, STWATCH_SEED=N another seed, STWATCH_HEAVY=1 asks for the full number. A mutant on which the two
disagree is kept beside the program, in test-failures/.
"""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import differential
import harness
import oracle
import v1mutate
import v1oracle
import v1text
import v1wire

USUAL, FULL = 1500, 30000
LARGEST_BASE = 20000


def bases():
    """(name, bytes) of what is damaged: small recordings and the accepted scenarios."""
    out = []
    for path in sorted(glob.glob(os.path.join(harness.DATA, "v1", "*.trace.gz"))):
        data = v1oracle.unpacked(path)
        if len(data) <= LARGEST_BASE and v1oracle.header_version(data) in v1wire.CONVERTED:
            out.append((os.path.basename(path), data))
    for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "v1", "*.txt"))):
        case = v1text.read(path)
        if case.accept and v1oracle.header_version(case.data) in v1wire.CONVERTED and len(case.data) > 40:
            out.append((os.path.basename(path), case.data))
    return out


def main():
    program, report = harness.program(), harness.Report()
    try:
        judges = differential.Judges()
    except oracle.Unavailable as why:
        harness.skip(str(why))
    count = int(os.environ.get("STWATCH_MUTANTS") or (FULL if harness.HEAVY else USUAL))
    seed = int(os.environ.get("STWATCH_SEED") or 20260101)
    words = differential.hold_all(program, report, judges, v1mutate.mutants(bases(), count, seed), v1oracle.verdict, "v1-mutant-%d" % seed)
    judges.close()
    report.note("Go's reader: %s" % ", ".join("%d %s" % (n, word) for word, n in sorted(words.items())))
    report.finish()


if __name__ == "__main__":
    main()
