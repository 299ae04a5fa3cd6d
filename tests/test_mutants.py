#!/usr/bin/env python3
"""Thousands of damaged traces: ours and Go's reader must agree on which are acceptable, and on every event up to the damage.

STWATCH_MUTANTS=N sets their number, STWATCH_SEED=N another seed, STWATCH_HEAVY=1 asks for the full number. A mutant on which the two
disagree is kept beside the program, in test-failures/.
"""
import collections
import concurrent.futures
import glob
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
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


class Judges:
    """One of Go's readers for each thread that asks."""

    def __init__(self):
        oracle.GoReader()  # builds it once; Unavailable goes to the caller
        self.local, self.all, self.lock = threading.local(), [], threading.Lock()

    def read(self, path):
        if not hasattr(self.local, "reader"):
            self.local.reader = oracle.GoReader()
            with self.lock:
                self.all.append(self.local.reader)
        return self.local.reader.read(path)

    def close(self):
        for reader in self.all:
            reader.close()


def hold(program, judges, scratch, name, data):
    """(verdict of Go's: a word for the count, trouble or None)"""
    path = scratch.write("%d.trace" % threading.get_ident(), data)
    try:
        go = judges.read(path)
    except oracle.Unavailable:
        go = None
    ours = oracle.read_ours(program, path, timeout=60)
    if go is None:  # no verdict to hold, but no crash either
        return "no verdict", None if ours.code in (0, 3, 4) else "exit %s: %s" % (ours.code, ours.message)
    if go.accepted and ours.code == 4 and oracle.lost_generations(data, go) > 0:
        go.accepted, go.message = False, "ends early"
    word = "accepted" if go.accepted else "panicked" if go.message.startswith("panic: ") else "rejected"
    return word, oracle.disagreement(go, ours)


def main():
    program, report = harness.program(), harness.Report()
    try:
        judges = Judges()
    except oracle.Unavailable as why:
        harness.skip(str(why))
    count = int(os.environ.get("STWATCH_MUTANTS") or (FULL if harness.HEAVY else USUAL))
    seed = int(os.environ.get("STWATCH_SEED") or 20260101)
    words = collections.Counter()
    with harness.Scratch() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        waiting = collections.deque()

        def settle():
            name, data, future = waiting.popleft()
            word, trouble = future.result()
            words[word] += 1
            if not report.check(name, trouble) and report.failed <= harness.MAX_SHOWN:
                report.note("  kept: %s" % harness.keep("mutant-%d-%s.trace" % (seed, name.split()[0]), data))

        for name, data in mutate.mutants(bases(), count, seed):
            waiting.append((name, data, pool.submit(hold, program, judges, scratch, name, data)))
            if len(waiting) > 64:
                settle()
        while waiting:
            settle()
        judges.close()
    report.note("Go's reader: %s" % ", ".join("%d %s" % (n, word) for word, n in sorted(words.items())))
    report.finish()


if __name__ == "__main__":
    main()
