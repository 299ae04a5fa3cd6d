#!/usr/bin/env python3
"""Stops of the world that no event tells (to Go 1.20): what stat, diagnose, profile and states infer from a restart, in small traces made for it; and
the last two, as the first has it, in recordings.

A clock tick is a nanosecond. Goroutine 1 asks for stops on proc 0; goroutine 2 spins on proc 1.
"""
import glob
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import v1text

BEGIN = """
batch p=0 time=1000
GoCreate g=1 new_stack=main.main:3
GoCreate g=2 new_stack=main.spin:4
GoCreate g=3 new_stack=main.net:5
GoWaiting g=3
ProcStart thread=7
GoStartLocal g=1
Gomaxprocs procs=2
"""
ASKED = "stack=runtime.startTheWorld:9<runtime.ReadMemStats:8<main.ask:5<main.main:3"
SPINS = """
batch p=1 time=2000
ProcStart thread=8
GoStart g=2 seq=1
GoPreempt dt=%d stack=main.spin:7
ProcStop
ProcStart dt=200000
GoStart g=2 seq=2
GoEnd
"""
MS = 1000000
PROFILES = "pprof" in subprocess.run([harness.program(), "--version"], capture_output=True).stdout.decode()

# name, version, text, rows of stat (kind, longest in ms, inferred), findings of stw rules (rule, severity, culprit)
CASES = [
    ("a goroutine does not give way", 11, BEGIN + "Gomaxprocs dt=100000000 procs=2 " + ASKED + "\nGoEnd dt=1000000" + SPINS % (100 * MS - 50000),
     [("read mem stats", 100, True)], [("stw-prolonged", "error", "main.spin")]),
    ("figures of the heap may come while the world stands", 19,
     BEGIN + "HeapAlloc dt=99990000 mem=1\nHeapAlloc dt=2 mem=2\nGomaxprocs dt=10000 procs=2 " + ASKED + "\nGoEnd dt=1000000" + SPINS % (100 * MS - 50000),
     [("read mem stats", 100, True)], [("stw-prolonged", "error", "main.spin")]),
    ("so may wake-ups by the network", 11,
     BEGIN.replace("GoWaiting g=3\n", "") + "GoSched\nGoStart g=3 seq=1\nGoBlockNet stack=main.net:6\nGoStart g=1 seq=2\nGoUnblock dt=99990000 g=3 seq=2\nGomaxprocs dt=10000 procs=2 " + ASKED
     + "\nGoEnd dt=1000000" + SPINS % (100 * MS - 50000),
     [("read mem stats", 100, True)], [("stw-prolonged", "error", "main.spin")]),
    ("who computes before asking keeps nobody waiting", 11,
     BEGIN + "Gomaxprocs dt=20000000 procs=2 " + ASKED + "\nGoEnd dt=1000000" + (SPINS % (19 * MS)).replace("GoPreempt", "GoBlockRecv").split("ProcStart dt")[0],
     [("read mem stats", 20, True)], []),
    ("the scheduler starts nothing once a stop is asked for", 11,
     BEGIN + "GoUnblock g=3 seq=2\nGomaxprocs dt=100000000 procs=2 " + ASKED + "\nGoEnd dt=1000000" +
     "\nbatch p=1 time=2000\nProcStart thread=8\nGoStart g=2 seq=1\nGoSched dt=98000000 stack=main.spin:6\nGoStart g=3 seq=3\nGoPreempt dt=1900000 stack=main.net:6\nProcStop\n"
     "ProcStart dt=200000\nGoStart g=3 seq=4\nGoEnd\n",
     [("read mem stats", 2, True)], [("non-preemptible", "note", "main.main"), ("non-preemptible", "note", "main.spin")]),  # before that
    ("long for its own work", 11, BEGIN.replace("procs=2", "procs=1") + "Gomaxprocs dt=100000000 procs=1 stack=runtime.startTheWorld:9<runtime/debug.WriteHeapDump:8<main.dump:5<main.main:3\nGoEnd\n",
     [("write heap dump", 100, True)], [("stw-prolonged", "error", "main.dump")]),
    ("short: a note at most", 11, BEGIN + "Gomaxprocs dt=37000000 procs=2 " + ASKED + "\nGoEnd dt=1000000" + SPINS % (37 * MS - 50000),
     [("read mem stats", 37, True)], [("stw-prolonged", "note", "main.spin")]),
    ("a kind that no stack tells", 11, BEGIN + "Gomaxprocs dt=1000 procs=2\nGoEnd\n", [("", 0, True)], []),
    ("told by an event: once", 11, BEGIN + "STWStart kind=1 dt=1000\nGomaxprocs dt=100000000 procs=2\nSTWDone\nGoEnd dt=1000000" + SPINS % (100 * MS - 50000),
     [("GC sweep termination", 100, False)], [("stw-prolonged", "error", "main.spin")]),
    ("Go 1.21 tells all", 21, BEGIN + "Gomaxprocs dt=100000000 procs=2 " + ASKED + "\nGoEnd dt=1000000" + SPINS % (100 * MS - 50000), [], []),
    ("a proc that runs on: no stop", 11, BEGIN + "Gomaxprocs dt=50000000 procs=2 " + ASKED + "\nGoEnd dt=100000000" + SPINS % (100 * MS), [], []),
    ("Go 1.9: sweep termination", 9, BEGIN + "GCStart dt=40000000 seq=0 stack=runtime.GC:1<main.ask:5\nGomaxprocs dt=60000000 procs=2 stack=runtime.gcStart:2<runtime.GC:1<main.ask:5\nGoEnd dt=1000000"
     + SPINS % (100 * MS - 50000), [("GC sweep termination", 60, True)], [("stw-prolonged", "error", "main.spin")]),
    ("Go 1.9: mark termination, of which only a part is told", 9,
     BEGIN + "GCStart seq=0\nSTWStart dt=99990000\nSTWDone\nHeapAlloc mem=1\nGoUnblock g=3 seq=2\nGCDone\nHeapGoal mem=4\nGomaxprocs procs=2 stack=runtime.gcMarkTermination:2\nGoEnd dt=1000000" + SPINS % (100 * MS - 50000),
     [("GC mark termination", 100, False)], [("stw-prolonged", "error", "main.spin")]),
    ("Go 1.9: nobody to wait for", 9, BEGIN.replace("GoCreate g=3", "GoWaiting g=2\nGoCreate g=3") + "GCStart seq=0\nSTWStart dt=99990000\nSTWDone\nGCDone\nGomaxprocs procs=2 stack=runtime.gcMarkTermination:2\nGoEnd dt=1000000",
     [("GC mark termination", 0, False)], []),
    ("across a window's border", 11, BEGIN + "repeat 1100000 HeapAlloc dt=90 mem=1\nGomaxprocs dt=1000 procs=2 " + ASKED + "\nGoEnd dt=1000000" + SPINS % (99 * MS),
     [("read mem stats", 99, True)], [("stw-prolonged", "error", "main.spin")]),
]


def document(program, trace):
    done = subprocess.run([program, "diagnose", "--format", "json", trace], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode()


def trouble(found, rows, findings):
    if isinstance(found, str):
        return found
    got = [(r["kind"], round(r["max_ns"] / MS), r["inferred"]) for r in found["summary"]["stw"]]
    if got != rows:
        return "stops %r, expected %r" % (got, rows)
    loud = [(f["rule"], f["severity"], (f["culprit"] or {}).get("function")) for f in found["findings"] if f["rule"] in ("stw-prolonged", "stw-frequent", "non-preemptible", "gc-mark-termination")]
    return None if loud == findings else "findings %r, expected %r" % (loud, findings)


def others(program, trace, found):
    """`profile` sums the same stops, and in `states` P's that stopped in them are _Pgcstop until the restart."""
    rows = found["summary"]["stw"]
    want = (sum(r["count"] for r in rows), sum(r["total_ns"] for r in rows), sum(r["count"] for r in rows if r["inferred"]))
    if PROFILES:
        done = subprocess.run([program, "--format", "json", "profile", "--type", "stw", "--output", os.devnull, trace], capture_output=True, timeout=120)
        sums = json.loads(done.stdout)
        got = (sums["count"], sums["total_ns"], sums["inferred"])
        if got != want:
            return "profile has %r of %r" % (got, want)
    doc = json.loads(subprocess.run([program, "states", "--format", "json", trace], capture_output=True, timeout=120).stdout)
    procs = [r for r in doc["resources"] if r["resource"] == "proc"][0]["states"]
    stopped = sum(s["stays"] for s in procs if s["state"] == "_Pgcstop")
    if doc["contradictions"]:
        return doc["contradictions"]
    if any(r["inferred"] and r["max_ns"] > MS for r in rows) and found["summary"]["gomaxprocs_max"] > 1 and not stopped:
        return "no P was _Pgcstop"
    return None


def main():
    program, report = harness.program(), harness.Report()
    with harness.Scratch() as scratch:
        for name, version, text, rows, findings in CASES:
            path = scratch.write("case.txt", ("expect accept\nTrace Go1.%d\n%s" % (version, text)).encode())
            case = v1text.read(path)
            trace = scratch.write("case.trace", case.data)
            found = document(program, trace)
            report.check(name, trouble(found, rows, findings))
            report.check("%s: profile and states" % name, others(program, trace, found))
        for trace in sorted(glob.glob(os.path.join(harness.DATA, "v1", "*.gz"))):
            found = document(program, trace)
            if not os.path.basename(trace).startswith("cgo_callback"): # these contradict themselves
                report.check("%s: profile and states" % os.path.basename(trace), found if isinstance(found, str) else others(program, trace, found))
    report.finish()


if __name__ == "__main__":
    main()
