#!/usr/bin/env python3
"""The bundled traces give the events that Go's own reader gives.

Without Go the committed figures (number of events, a hash of every thread's events, times) are held; with Go 1.26 or later the
streams themselves are compared, which also says where they differ.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle


def packed_trouble(program, path, unpacked):
    """A compressed trace: Go's own format is refused, as Go's tool refuses it; any other gives what the trace itself gives."""
    if oracle.read_ours(program, path).code != 3:
        return "Go's own format was not refused"
    texts = [oracle.run([program, "events", "--format", "text", name]) for name in (path, unpacked)]
    return None if texts[0] == texts[1] and texts[0][0] == 0 else "its text is not that of what it unpacks to"


def against_figures(entry, ours):
    if not entry["accept"]:
        if ours.code != entry["exit"]:
            return "exit %s, %d expected: %s" % (ours.code, entry["exit"], ours.message)
        return None if ours.message else "rejected without a word"
    if ours.code != 0:
        return "exit %s: %s" % (ours.code, ours.message)
    stream = oracle.Stream(ours.text)
    if stream.back:
        return "times go back %d times" % stream.back
    return oracle.figures_disagree(entry, stream.figures())


def main():
    program, report = harness.program(), harness.Report()
    with open(os.path.join(harness.DATA, "manifest.json"), encoding="utf-8") as file:
        entries = json.load(file)
    try:
        tool = oracle.GoTool()
    except oracle.Unavailable as why:
        tool = None
        report.note("without Go's tool (%s): committed figures only" % why)
    for entry in entries:
        path = os.path.join(harness.DATA, entry["file"])
        if "same_as" in entry:
            report.check(entry["file"], packed_trouble(program, path, os.path.join(harness.DATA, entry["same_as"])))
            continue
        ours = oracle.read_ours(program, path)
        trouble = against_figures(entry, ours)
        if tool:
            trouble = oracle.disagreement(tool.read(path), ours) or trouble
        report.check(entry["file"], trouble)
    report.finish()


if __name__ == "__main__":
    main()
