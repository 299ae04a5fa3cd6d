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


def against_figures(entry, ours, by_name):
    if not entry["accept"]:
        if ours.code != entry["exit"]:
            return "exit %s, %d expected: %s" % (ours.code, entry["exit"], ours.message)
        return None if ours.message else "rejected without a word"
    if ours.code != 0:
        return "exit %s: %s" % (ours.code, ours.message)
    stream = oracle.Stream(ours.text)
    if stream.back:
        return "times go back %d times" % stream.back
    return oracle.figures_disagree(by_name[entry.get("same_as", entry["file"])], stream.figures())


def main():
    program, report = harness.program(), harness.Report()
    with open(os.path.join(harness.DATA, "manifest.json"), encoding="utf-8") as file:
        entries = json.load(file)
    by_name = {entry["file"]: entry for entry in entries}
    try:
        tool = oracle.GoTool()
    except oracle.Unavailable as why:
        tool = None
        report.note("without Go's tool (%s): committed figures only" % why)
    for entry in entries:
        path = os.path.join(harness.DATA, entry["file"])
        ours = oracle.read_ours(program, path)
        trouble = against_figures(entry, ours, by_name)
        if tool and "same_as" not in entry:
            trouble = oracle.disagreement(tool.read(path), ours) or trouble
        report.check(entry["file"], trouble)
    report.finish()


if __name__ == "__main__":
    main()
