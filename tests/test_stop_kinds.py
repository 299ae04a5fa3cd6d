#!/usr/bin/env python3
"""Every kind of stop-the-world, asked for a known number of times (support/stopkinds), in recordings of several versions of Go: each is told
from the others and from the collector's, and counted; what only looks like one isn't.

A recording is data/stop_kinds/stop_kinds-goX.Y.Z.trace.gz; beside it stands, in .json, what the program did.
"""
import glob
import gzip
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

FOLDER = os.path.join(harness.DATA, "stop_kinds")
INFERRED_TO = 20    # no event tells stops other than the collector's


def expected(minor, did):
    """{kind: (count, whose)}, from how often what was done; by runtime/mprof.go and debug.go of the version."""
    fetches = did["goroutine profile"]                      # asks for the number first, then for the stacks
    whole = fetches + did["GoroutineProfile"]               # these stop for the stacks
    profile = whole + (fetches if minor < 23 else 0)        # since Go 1.23 the number alone stops nothing
    cleanup = whole if minor >= 19 else 0                   # since Go 1.19 the stacks are copied beside the program, between two stops
    runs = did["AllocsPerRun"]                              # GOMAXPROCS to 1 and back, ReadMemStats before and after
    collections = did["GC"] + did["FreeOSMemory"]
    kinds = {
        "read mem stats": (did["ReadMemStats"] + 2 * runs, "requested"),
        "GOMAXPROCS": (did["GOMAXPROCS"] + 2 * runs, "requested"),
        "all goroutines stack trace" if minor != 21 else "all goroutine stack trace": (did["Stack(all)"] + did["goroutine profile as text"], "requested"),
        "write heap dump": (did["WriteHeapDump"], "requested"),
        "AllThreadsSyscall": (did["AllThreadsSyscall"], "requested"),
        "GC sweep termination": (collections, "gc"),
        "GC mark termination": (collections, "gc"),
        "start trace": (1 if minor >= 22 else 0, "tracer"),
    }
    if minor <= INFERRED_TO:    # by the function that asks: both are a goroutine profile's
        kinds["goroutine profile"] = (profile + cleanup, "requested")
    else:
        kinds["goroutine profile"] = (profile, "requested")
        kinds["goroutine profile cleanup"] = (cleanup, "requested")
    return {k: v for k, v in kinds.items() if v[0]}


def trouble(program, scratch, packed):
    name = os.path.basename(packed).removesuffix(".trace.gz")
    with open(os.path.join(FOLDER, name + ".json"), encoding="utf8") as f:
        told = json.load(f)
    minor = int(told["go"].split(".")[1])
    with gzip.open(packed) as f:
        trace = scratch.write(name + ".trace", f.read())
    code, out, err = harness.run_text(program, "stat", "--format", "json", trace)
    if code:
        return "stat: exit %d: %s" % (code, err)
    rows = json.loads(out)["summary"]["stw"]
    want = expected(minor, told["did"])
    seen = {r["kind"]: (r["count"], r["whose"]) for r in rows}
    if seen != want:
        return "counts %s, not %s" % (sorted(seen.items()), sorted(want.items()))
    for r in rows:
        told_by_event = minor > INFERRED_TO or r["whose"] == "gc"
        if bool(r.get("inferred")) == told_by_event:
            return "%s: inferred is %s" % (r["kind"], r.get("inferred"))
        if r["whose"] != "gc" and r["during_gc"]:
            return "%s: within a collection, but none was in progress" % r["kind"]
    return None


def main():
    program = harness.program()
    report = harness.Report()
    with harness.Scratch() as scratch:
        for packed in sorted(glob.glob(os.path.join(FOLDER, "*.trace.gz"))):
            report.check(os.path.basename(packed), trouble(program, scratch, packed))
    report.finish()


if __name__ == "__main__":
    main()
