#!/usr/bin/env python3
"""What is printed does not depend on the number of threads: `stat` and `diagnose` give the same bytes with 1, 2, 3 and 8."""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle

COUNTS = (1, 2, 3, 8)


def trouble_with(program, command, path):
    first = None
    for threads in COUNTS:
        code, out, err = oracle.run([program, command, "--threads", str(threads), "--format", "json", path])
        if code not in (0, 3, 4):
            return "--threads %d: exit %s: %s" % (threads, code, err.decode("utf-8", "replace")[-300:])
        if first is None:
            first = (code, out, err)
        elif (code, out, err) != first:
            at = next((i for i, (a, b) in enumerate(zip(first[1], out)) if a != b), min(len(first[1]), len(out)))
            near = slice(max(0, at - 60), at + 60)
            return "--threads %d differs from --threads 1 (exit %s and %s) at byte %d: %r, %r" % (threads, first[0], code, at, first[1][near], out[near])
    return None


def main():
    program, report = harness.program(), harness.Report()
    paths = sorted(glob.glob(os.path.join(harness.DATA, "*", "*.trace")) + glob.glob(os.path.join(harness.SOURCE, "examples", "traces", "*.trace")))
    for path in paths:
        for command in ("stat", "diagnose"):
            report.check("%s %s" % (command, os.path.basename(path)), trouble_with(program, command, path))
    report.finish()


if __name__ == "__main__":
    main()
