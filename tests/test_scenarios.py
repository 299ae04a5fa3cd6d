#!/usr/bin/env python3
"""Small traces in text, each of one situation (tests/scenarios): the verdict, the events that they name, and Go's reader's opinion."""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle
import texttrace


def printed(text):
    """What each event says of itself: its kind's fields, without context, time and stack."""
    out = []
    for line in text.decode("utf-8", "replace").split("\n"):
        found = re.match(r"M=-?\d+ P=-?\d+ G=-?\d+ (\w+) Time=-?\d+ ?(.*)$", line)
        if found:
            out.append(found[2])
    return out


def against_text(case, ours):
    if case.accept and ours.code != 0:
        return "must be accepted; exit %s: %s" % (ours.code, ours.message)
    if not case.accept and (ours.code not in (3, 4) or not ours.message):
        return "must be rejected with a message; exit %s: %s" % (ours.code, ours.message)
    lines = printed(ours.text)
    for event, want in case.expected:
        if want not in lines:
            return "%s must print: %s" % (event, want)
        lines.remove(want)
    return None


def counted(program, trace):
    """What the first pass, which reads generations on their own, says of a trace that must be accepted."""
    code, _, err = oracle.run([program, "stat", trace])
    return "stat: exit %s: %s" % (code, err.decode("utf-8", "replace")) if code else None


def read_past(program, trace, case):
    """What a reading that goes on past what is wrong must have, in order."""
    code, out, _ = oracle.run([program, "events", trace])
    if code != 4:
        return "exit %s past the damage" % code
    lines = iter(out.decode("utf-8", "replace").splitlines())
    missing = [want for want in case.past if not any(want in line for line in lines)]
    return "past the damage, in this order: %s\n%s" % (missing[0], out.decode("utf-8", "replace")) if missing else None


def main():
    program, report = harness.program(), harness.Report()
    try:
        tool = oracle.GoTool()
    except oracle.Unavailable as why:
        tool = None
        report.note("without Go's opinion: %s" % why)
    with harness.Scratch() as scratch:
        for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "*.txt"))):
            name = os.path.basename(path)
            case = texttrace.read(path)
            trace = scratch.write(name, case.data)
            ours = oracle.read_ours(program, trace)
            trouble = against_text(case, ours)
            if tool:
                go = tool.read(trace)
                if go.accepted != case.accept:
                    trouble = "the scenario is wrong: Go says %s" % (go.message or "yes")
                trouble = oracle.disagreement(go, ours) or trouble
            if case.accept:
                trouble = trouble or counted(program, trace)
            if case.past:
                trouble = trouble or read_past(program, trace, case)
            report.check(name, trouble)
    report.finish()


if __name__ == "__main__":
    main()
