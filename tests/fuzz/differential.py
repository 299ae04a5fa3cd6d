#!/usr/bin/env python3
"""Fuzzes against Go's own reader: damaged traces of both formats, without end until the time is over.

    differential.py PROGRAM [SECONDS]

Ever new mutants of the bundled traces and scenarios (the number to begin with is taken from the clock, and told): ours and Go's
reader must agree on which are acceptable and on their events. What they disagree on is kept beside the program, in test-failures/.
STWATCH_SEED=N repeats a run.
"""
import collections
import itertools
import os
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "support")]
import differential as shared
import harness
import mutate
import oracle
import test_mutants
import test_mutants_v1
import v1mutate
import v1oracle

# Both formats get a turn of so many mutants, again and again.
TURN = 300


def main():
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    program, report = harness.program(), harness.Report()
    try:
        judges = shared.Judges()
    except oracle.Unavailable as why:
        harness.skip(str(why))
    seed = int(os.environ.get("STWATCH_SEED") or time.time())
    report.note("seed %d" % seed)
    formats = (("v2", mutate.mutants, test_mutants.bases(), test_mutants.verdict), ("v1", v1mutate.mutants, test_mutants_v1.bases(), v1oracle.verdict))
    words = {name: collections.Counter() for name, *_ in formats}
    end = time.monotonic() + seconds
    for turn in itertools.count(seed):
        for name, mutants, bases, verdict in formats:
            words[name] += shared.hold_all(program, report, judges, mutants(bases, TURN, turn), verdict, "%s-mutant-%d" % (name, turn))
        if time.monotonic() >= end or report.failed > harness.MAX_SHOWN:
            break
    judges.close()
    for name, counted in words.items():
        report.note("%s, Go's reader: %s" % (name, ", ".join("%d %s" % (n, word) for word, n in sorted(counted.items()))))
    report.finish()


if __name__ == "__main__":
    main()
