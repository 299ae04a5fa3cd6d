#!/usr/bin/env python3
"""Several traces of Go 1.21 and earlier as one timeline: recordings of one process one after another, in any order of files, in every command; nothing goes on
across a gap; other processes are refused.

    test_recordings.py [PROGRAM]
"""
import collections
import glob
import gzip
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import v1text

FOLDER = os.path.join(harness.DATA, "recordings")
VERSIONS = ("go1.11", "go1.17", "go1.21")
ORDERS = ("abc", "cba", "bca")
# What was before is listed again; goroutine 9 runs on, goroutine 20 is made in it.
RECORDING = """expect accept
Trace Go1.%(version)d freq=1000000000
batch p=0 time=%(time)d
GoCreate g=1 new_stack=main.main:3 stack=main.init:1
GoCreate g=9 new_stack=main.work:4 stack=main.init:1
GoWaiting g=9
ProcStart thread=7
GoStartLocal g=1
Gomaxprocs procs=2
GoCreate dt=1000000 g=%(made)d new_stack=main.made:9 stack=main.main:5
GoUnblockLocal dt=1000000 g=9 stack=main.main:6
GoBlockRecv dt=%(long)d stack=main.main:7
GoStartLocal g=9
GoBlockRecv dt=1000000 stack=main.work:8
"""


def run(*args, stdin=None):
    done = subprocess.run([PROGRAM, *args], capture_output=True, timeout=120, stdin=stdin)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def document(*args):
    code, out, err = run(*args)
    return code, json.loads(out) if out else None, err


def files(version, names):
    return [os.path.join(FOLDER, "%s-%s.trace.gz" % (version, name)) for name in names]


def diagnosed(report, version):
    whole = {order: document("diagnose", "--format", "json", *files(version, order)) for order in ORDERS}
    code, doc, err = whole["abc"]
    report.check(version + ": diagnose", None if code == 0 else (code, err))
    begins = [i["start_ns"] for i in sorted(doc["inputs"], key=lambda i: i["file"])]
    report.check(version + ": each begins at its time", None if begins[0] == 0 and 400e6 < begins[1] < 600e6 and 480e6 < begins[2] < 700e6 else begins)
    report.check(version + ": gaps are told", None if any(l.startswith("2 gaps between the inputs, 0.3") for l in doc["limits"]) else doc["limits"])
    for order in ORDERS[1:]:
        other = whole[order][1]
        for key in ("summary", "findings"):
            report.check("%s: %s in any order of files" % (version, key), None if other[key] == doc[key] else "not the same")
    alone = [document("diagnose", "--format", "json", f)[1] for f in files(version, "abc")]
    events = sum(d["inputs"][0]["events"] for d in alone)
    report.check(version + ": events", None if sum(i["events"] for i in doc["inputs"]) == events else events)
    convoys = [f for f in doc["findings"] if f["rule"] == "lock-convoy"]
    holders = sorted(f["culprit"]["function"] for f in convoys)
    report.check(version + ": both locks", None if holders == ["main.holdFirst", "main.holdLast"] else [(f["rule"], f["title"]) for f in doc["findings"]])
    for f in convoys:
        sources = {e["source"].split(":")[0].split(" ")[0] for e in f["evidence"]}
        at = begins[0] if f["culprit"]["function"] == "main.holdFirst" else begins[2]
        report.check(version + ": its time", None if at <= f["start_ns"] <= at + 300e6 and f["duration_ns"] < 400e6 else (f["start_ns"], f["duration_ns"]))
        report.check(version + ": its source", None if any(("-a." if at == 0 else "-c.") in s for s in sources) else sources)
    longest = max((o["duration_ns"] for f in doc["findings"] for o in f["occurrences"]), default=0)
    report.check(version + ": nothing across a gap", None if longest < 300e6 else longest)


def listed(report, version):
    code, out, err = run("events", "--format", "jsonl", *files(version, ORDERS[2]))
    rows = [json.loads(line) for line in out.splitlines()]
    times = [r["at_ns"] for r in rows]
    report.check(version + ": events", None if code == 0 and err.startswith("stwatch: 2 gaps") and times == sorted(times) and times[0] == 0 else (code, err))
    gaps = [int(n) for n in re.findall(r" Gap=(\d+)\"", out)]
    report.check(version + ": gaps in the stream", None if len(gaps) == 2 and 250e6 < gaps[0] < 400e6 and 30e6 < gaps[1] < 120e6 else gaps)
    alone = sum(run("events", "--format", "jsonl", f)[1].count("\n") for f in files(version, "abc"))
    report.check(version + ": all events", None if len(rows) == alone - 2 else "%d of %d" % (len(rows), alone))  # but the sync events between them
    parts = [document("states", "--format", "json", f)[1] for f in files(version, "abc")]
    code, whole, err = document("states", "--format", "json", *files(version, "cab"))
    report.check(version + ": states", None if code == 0 and not whole["contradictions"] else (code, err))
    count = lambda doc: collections.Counter({(r["resource"], t["from"], t["to"], t["event"]): t["count"] for r in doc["resources"] for t in r["transitions"]})
    report.check(version + ": states are those of the parts", None if count(whole) == sum(map(count, parts), collections.Counter()) else "not the same")
    waiter = "main.waiter" if version != "go1.17" else "main.stall·dwrap·2"
    code, path, err = document("path", "--function", waiter, "--format", "json", *files(version, "acb"))
    report.check(version + ": path", None if code == 0 and path["path"]["duration_ns"] < 250e6 and path["all"]["count"] == 12 else (code, err))
    if "pprof" in run("--version")[1]:
        with harness.Scratch() as scratch:
            out = os.path.join(scratch.path, "p")
            for kind in ("sync", "sched", "stw"):
                args = ("--format", "json", "profile", "--type", kind, "--output", out)
                code, doc, err = document(*args, *files(version, "bca"))
                sums = [document(*args, f)[1] for f in files(version, "abc")]
                report.check("%s: profile of %s" % (version, kind), None if code == 0 and doc["count"] == sum(s["count"] for s in sums) else (code, err, doc, sums))
    code, doc, err = document("stat", "--mmu", "--format", "json", *files(version, "cab"))
    report.check(version + ": stat", None if code == 0 and doc["mmu_curve"] and sum(i["events"] for i in doc["inputs"]) else (code, err))


def twice(report, version):
    a, b = files(version, "ab")
    once, more = document("diagnose", "--format", "json", a, b)[1], document("diagnose", "--format", "json", a, b, a)
    told = {i["repeated_generations"] for i in more[1]["inputs"]}
    report.check(version + ": one that is there twice", None if more[0] == 0 and more[1]["summary"] == once["summary"] and told == {0, 1} else more)


def made(scratch, name, **values):
    values = {"version": 21, "time": 1 << 33, "made": 20, "long": 1000000, **values}
    return scratch.write(name, v1text.read_scenario(RECORDING % values).data)


def processes(report, scratch):
    a = made(scratch, "a.trace")
    b = made(scratch, "b.trace", time=(1 << 33) + 500000000, made=30)
    for command in ("diagnose", "stat", "states", "events", "path"):
        code, out, err = run(command, b, a)
        report.check(command + ": made ones", None if code == 0 and out else (code, err))
    again = made(scratch, "again.trace", time=(1 << 33) + 500000000)
    overlap = made(scratch, "overlap.trace", time=(1 << 33) + 500000, made=30)
    older = made(scratch, "older.trace", version=19, time=(1 << 33) + 500000000, made=30)
    faster = scratch.write("faster.trace", v1text.read_scenario((RECORDING % {"version": 21, "time": (1 << 33) + 500000000, "made": 30, "long": 1000}).replace(
        "freq=1000000000", "freq=2000000000")).data)
    newer = os.path.join(harness.DATA, "traces", "lock_convoy-go1.26.8.trace")
    for other, why in ((again, "goroutine 20 begins anew"), (overlap, "overlap in time"), (older, "different versions of Go"), (faster, "different clocks"),
                       (newer, "another version of Go")):
        for command in ("diagnose", "states", "path", "events", "stat"):
            for order in ((a, other), (other, a)):
                code, out, err = run(command, *order)
                ok = code == 2 and why in err and (not out or command == "events")
                report.check("%s with %s" % (command, os.path.basename(other)), None if ok else (code, out[:200], err))
    programs = files("go1.21", "a") + [os.path.join(harness.DATA, "v1", "lock_convoy-go1.21.13.trace.gz")]
    code, out, err = run("diagnose", *programs)
    report.check("two programs", None if code == 2 and not out and "processes" in err else (code, err))
    code, out, err = run("cut", "--anonymise", "-o", os.devnull, a, b)
    report.check("cut takes one", None if code == 2 and not out else (code, err))


def damaged(report, scratch):
    """One that is cut, and one whose beginning is missing: the rest of the row is what it is."""
    a, b, c = (gzip.decompress(harness.read_bytes(f)) for f in files("go1.21", "abc"))
    whole, rest = scratch.write("a.trace", a), scratch.write("c.trace", c[16:])
    cut = scratch.write("b.trace", b[:len(b) * 2 // 3])
    code, doc, err = document("diagnose", "--format", "json", rest, whole, cut)
    told = {os.path.basename(i["file"]): i for i in doc["inputs"]}
    ok = code == 4 and told["a.trace"]["complete"] and not told["b.trace"]["complete"] and "header is missing" in told["c.trace"]["problems"][0]["what"]
    report.check("damaged ones", None if ok and told["c.trace"]["start_ns"] > 400e6 else (code, err, told))
    code, out, err = run("events", rest, whole, cut)
    report.check("events of damaged ones", None if code == 4 and out and "c.trace: at byte" in err else (code, err))


def headless(report, scratch):
    """Recordings of one process are of one version: one without a header is of the others' where it may be, and of several without it all are of one that they
    all fit. It makes no difference whether they are files of their own or stand in one."""
    path = scratch.write("whole.trace", gzip.decompress(harness.read_bytes(os.path.join(harness.DATA, "v1", "everything-p2-go1.21.13.trace.gz"))))
    names = [os.path.join(scratch.path, n) for n in ("first.trace", "last.trace")]
    for name, part in zip(names, (("--to", "6ms"), ("--from", "7ms"))):
        run("cut", *part, "-o", name, path)
    first, last = (harness.read_bytes(n) for n in names)
    a, b = scratch.write("a.trace", first[16:]), scratch.write("b.trace", last[16:])
    alone = [document("stat", "--format", "json", f)[1]["inputs"][0]["format"] for f in (a, b)]
    report.check("alone each is what most are that have such records", None if alone == ["go1.11", "go1.21"] else alone)
    whole = document("diagnose", "--format", "json", *names)[1]
    for what, given in (("the first", (a, names[1])), ("both", (a, b)), ("both, the other way", (b, a)), ("the first in one file", (scratch.write("one.trace", first[16:] + last),))):
        code, doc, err = document("diagnose", "--format", "json", *given)
        ok = code == 4 and {i["format"] for i in doc["inputs"]} == {"go1.21"} and doc["summary"]["stw"] == whole["summary"]["stw"] and whole["summary"]["stw"]
        report.check("no header: " + what, None if ok else (code, err, doc and doc["inputs"]))
        told = [p["what"] for i in doc["inputs"] for p in i["problems"] if "header is missing" in p["what"]] if doc else []
        report.check("no header: %s: why that version" % what, None if len([w for w in told if w.endswith("as the trace that is read with it")]) == 1 else told)
        events = run("events", *given)
        report.check("no header: %s: events" % what, None if events[0] == 4 and events[1].count("\n") == run("events", *names)[1].count("\n") else (events[0], events[2]))
    other = scratch.write("other.trace", gzip.decompress(harness.read_bytes(files("go1.11", "a")[0])))
    code, out, err = run("diagnose", b, other)
    report.check("no header, of another version than the other's", None if code == 2 and not out and "are of different versions of Go" in err else (code, err))


def main():
    report = harness.Report()
    for version in VERSIONS:
        diagnosed(report, version)
        listed(report, version)
        twice(report, version)
    with harness.Scratch() as scratch:
        processes(report, scratch)
        damaged(report, scratch)
        headless(report, scratch)
    report.finish()


if __name__ == "__main__":
    PROGRAM = harness.program()
    main()
