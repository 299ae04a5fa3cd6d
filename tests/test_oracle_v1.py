#!/usr/bin/env python3
"""Traces of Go 1.5 to 1.21 give the events that Go's own readers give: today's for 1.11 and later, an older Go's for what is older.

The bundled traces are held against committed figures, and against the readers themselves where they are here; STWATCH_V1_TRACES names
folders with more traces, separated by colons.
"""
import glob
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle
import v1oracle

FOLDER = os.path.join(harness.DATA, "v1")


def against_figures(entry, ours):
    if not entry["accept"]:
        return None if ours.code in (3, 4) and ours.message else "Go rejects it (%s); ours: exit %s, %r" % (entry["message"], ours.code, ours.message)
    if ours.code != 0:
        return "exit %s: %s" % (ours.code, ours.message)
    stream = oracle.Stream(ours.text)
    if stream.back:
        return "times go back %d times" % stream.back
    want, got = entry, v1oracle.figures(stream)
    if entry["header"] == "go 1.5 trace":  # names and frames come from elsewhere, so what the text says can't be fixed here
        got = dict(got, sha256=want["sha256"])
    return oracle.figures_disagree(want, got)


class Judges:
    """Go's reader and that of an older Go, whichever are here."""

    def __init__(self, report):
        self.tool = self._get(report, oracle.GoTool)
        self.old = self._get(report, v1oracle.OldReader)

    @staticmethod
    def _get(report, judge):
        try:
            return judge()
        except oracle.Unavailable as why:
            report.note("without %s: %s" % (judge.__name__, why))
            return None

    def against(self, version, path, ours):
        """Our trouble with a judge; None if there is none, or no judge."""
        if version >= 11:
            return self.tool and v1oracle.disagreement(self.tool.read(path), ours)
        if not self.old:
            return None
        # A pc stands for one frame in today's reader and for several, of inlined functions, in older ones: either will do.
        troubles = [v1oracle.disagreement(self.old.read(path, by_pc), ours) for by_pc in (False, True)]
        return None if None in troubles else troubles[0]


def more_traces():
    for folder in filter(None, os.environ.get("STWATCH_V1_TRACES", "").split(":")):
        for path in sorted(glob.glob(os.path.join(folder, "*.trace")) + glob.glob(os.path.join(folder, "*.trace.gz"))):
            version = v1oracle.header_version(v1oracle.unpacked(path))
            if version and version < 22:
                yield path


def main():
    program, report = harness.program(), harness.Report()
    judges = Judges(report)
    with open(os.path.join(FOLDER, "manifest.json"), encoding="utf-8") as file:
        entries = {os.path.join(FOLDER, e["file"]): e for e in json.load(file)}
    with harness.Scratch() as scratch:
        for path in list(entries) + list(more_traces()):
            data = v1oracle.unpacked(path)
            plain = scratch.write("plain.trace", data)
            ours = oracle.read_ours(program, plain)
            trouble = judges.against(v1oracle.header_version(data), plain, ours)
            if path in entries:
                trouble = trouble or against_figures(entries[path], ours)
            report.check(os.path.relpath(path, harness.DATA), trouble)
    report.finish()


if __name__ == "__main__":
    main()
