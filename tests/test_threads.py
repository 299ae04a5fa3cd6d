#!/usr/bin/env python3
"""What is printed does not depend on the number of threads: `stat` and `diagnose` give the same bytes with 1, 2, 3 and 8. Also of a large
trace of Go 1.21, which several threads go through from guesses on, whole and damaged."""
import glob
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle
import v1big

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
    with tempfile.TemporaryDirectory() as folder:
        path, data = os.path.join(folder, "large.trace"), v1big.trace()
        cases = [("whole", data)] + list(v1big.damaged(data, 60 if harness.HEAVY else 18))
        for name, content in cases:
            with open(path, "wb") as file:
                file.write(content)
            for command in ("stat", "diagnose"):
                report.check("%s, large v1, %s" % (command, name), trouble_with(program, command, path))
        with open(path, "wb") as file:
            file.write(data)
        code, _, err = oracle.run([program, "stat", "--threads", "1", path])
        report.check("large v1 is sound", None if code == 0 else "exit %s: %s" % (code, err.decode("utf-8", "replace")[-300:]))
    report.finish()


if __name__ == "__main__":
    main()
