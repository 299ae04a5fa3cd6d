#!/usr/bin/env python3
"""Go's own cases for its reader, from the installed Go's sources: its text traces with their verdicts, and its fuzz corpus.

They are Go's files, so they are read where they lie and not kept here.
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle
import texttrace


def cases():
    code, out, _ = oracle.run(["go", "env", "GOROOT"])
    data = os.path.join(out.decode().strip(), "src", "internal", "trace", "testdata")
    found = sorted(glob.glob(os.path.join(data, "tests", "*.test")) + glob.glob(os.path.join(data, "fuzz", "*", "*")))
    if code != 0 or not found:
        harness.skip("this Go came without src/internal/trace/testdata")
    return found


def against_verdict(case, ours):
    """The case's own word, which holds with every version of Go."""
    if case.accept is None:
        return None if ours.code in (0, 3, 4) else "exit %s: %s" % (ours.code, ours.message)
    if case.accept:
        return None if ours.code == 0 else "must be accepted; exit %s: %s" % (ours.code, ours.message)
    return None if ours.code in (3, 4) and ours.message else "must be rejected with a message; exit %s" % ours.code


def judge_is_sane(case, go):
    """Tests the converter: Go itself must say what its case says."""
    if case.accept is not None and go.accepted != case.accept:
        return "the converted case is %s by Go: %s" % ("accepted" if go.accepted else "rejected", go.message)
    if case.error and not go.accepted and not re.search(case.error, go.message):
        return "Go rejects the converted case for another reason: %s" % go.message
    return None


def main():
    program, report = harness.program(), harness.Report()
    try:
        minor = oracle.go_version()
    except oracle.Unavailable as why:
        harness.skip("%s, so its cases for its reader aren't here either" % why)
    tool = None
    try:
        tool = oracle.GoTool()
    except oracle.Unavailable as why:
        report.note("verdicts only: %s (here: 1.%d)" % (why, minor))
    with harness.Scratch() as scratch:
        for path in cases():
            name = os.path.basename(path)
            case = texttrace.read(path)
            trace = scratch.write(name, case.data)
            ours = oracle.read_ours(program, trace)
            trouble = against_verdict(case, ours)
            if tool:
                go = tool.read(trace)
                trouble = judge_is_sane(case, go) or trouble or oracle.disagreement(go, ours)
            report.check(name, trouble)
    report.finish()


if __name__ == "__main__":
    main()
