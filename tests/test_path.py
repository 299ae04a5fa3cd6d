#!/usr/bin/env python3
"""Critical paths: stretches add up to the span, planted culprits are named, choices, formats, damage.

    test_path.py [PROGRAM]          STWATCH_BLESS=1 writes tests/golden/path-served.txt anew: read the difference before committing it.
"""
import glob
import gzip
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import mutate
import tracewire as wire

STALL = os.path.join(harness.SOURCE, "examples", "traces", "stall.trace")
GOLDEN = os.path.join(harness.SOURCE, "tests", "golden", "path-served.txt")
SERVED = sorted(glob.glob(os.path.join(harness.DATA, "path", "served-*.trace.gz")))
NEWEST = SERVED[-1]
OF_A_KIND = 3


def run(program, *args):
    done = subprocess.run([program, "path", *args], capture_output=True, timeout=300)
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")


def document(program, *args):
    code, out, err = run(program, "--format", "json", *args)
    return code, json.loads(out) if out else None, err


def arithmetic(doc):
    """What must add up in any path."""
    path, every = doc["path"], doc["all"]
    at, end = path["start_ns"], path["start_ns"] + path["duration_ns"]
    for s in path["segments"]:
        if s["from_ns"] != at or s["to_ns"] <= at:
            return "a stretch from %d to %d, at %d" % (s["from_ns"], s["to_ns"], at)
        if (s["depth"] == 0) != (s["waiter"] is None) or (s["kind"] != "runnable" and s["procs"]):
            return "a stretch at odds with itself: %s" % s
        at = s["to_ns"]
    if at != end:
        return "it ends at %d, not at %d" % (at, end)
    for what, sum_of, whole in (("kinds", sum(path["kinds"].values()), path["duration_ns"]),
                                ("shares", sum(s["total_ns"] for s in path["shares"]), path["duration_ns"]),
                                ("kinds of all", sum(every["kinds"].values()), every["total_ns"]),
                                ("shares of all", sum(s["total_ns"] for s in every["shares"]), every["total_ns"])):
        if sum_of != whole and not (what.endswith("all") and every["followed"] < every["count"]):
            return "%s: %d of %d" % (what, sum_of, whole)
    by_kind = dict.fromkeys(path["kinds"], 0)
    for s in path["segments"]:
        by_kind[s["kind"]] += s["to_ns"] - s["from_ns"]
    if by_kind != path["kinds"] and not any(s["merged"] for s in path["segments"]):
        return "kinds %s, stretches %s" % (path["kinds"], by_kind)
    return None if every["p50_ns"] <= every["p99_ns"] <= every["max_ns"] else "percentiles out of order"


def subjects(doc):
    """Some of each kind that a listing names, as options."""
    seen = {}
    for c in doc["choices"]:
        seen[c["subject"]] = seen.get(c["subject"], 0) + 1
        if seen[c["subject"]] <= OF_A_KIND and (c["subject"] == "goroutine" or c["name"]):  # a name can be lost
            yield ("--goroutine", str(c["id"])) if c["subject"] == "goroutine" else ("--" + c["subject"], c["name"])


def every_trace(program, report):
    for trace in sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace"))) + SERVED + [STALL]:
        code, doc, err = document(program, trace)
        name = os.path.basename(trace)
        if not report.check(name, None if code == 0 and doc["path"] is None else "exit %d: %s" % (code, err)):
            continue
        for option in subjects(doc):
            code, path, err = document(program, *option, trace)
            if report.check("%s %s" % (name, option), None if code == 0 else "exit %d: %s" % (code, err)):
                report.check("%s %s adds up" % (name, option), arithmetic(path))
                unknown = path["path"]["kinds"]["unknown"] / path["path"]["duration_ns"]
                report.check("%s %s is known" % (name, option), "%.1f %% unknown" % (100 * unknown) if unknown > 0.01 else None)


def share_of(path, kind, function):
    return sum(s["total_ns"] for s in path["shares"] if s["kind"] == kind and function in (s["function"], s["root"])) / path["duration_ns"]


# What tests/data/path/served.go plants: of its longest request the share that must be put down to whom.
PLANTED = (
    ("lockreq", "timer", "main.slowBackup", 0.55, False),
    ("workreq", "running", "main.worker", 0.55, False),
    ("dbreq", "network", "main.handleDB", 0.7, True),
    ("sysreq", "syscall", "main.handleSys", 0.9, True),
)


def planted(program, report):
    for trace in SERVED:
        for task, kind, function, least, own in PLANTED:
            name = "%s in %s" % (task, os.path.basename(trace))
            code, doc, err = document(program, "--task", task, trace)
            if not report.check(name, None if code == 0 else err):
                continue
            share = share_of(doc["path"], kind, function)
            report.check("%s: %s in %s" % (name, kind, function), "%.2f, at least %.2f was expected" % (share, least) if share < least else None)
            first = doc["path"]["shares"][0]
            report.check("%s: the most is that" % name, None if first["kind"] == kind and first["own"] == own else str(first))


def shared_traces(program, report):
    """Traces of faults whose culprit is known."""
    def most(trace, *option):
        doc = document(program, *option, os.path.join(harness.DATA, "traces", trace))[1]
        return doc["path"]["shares"][0], doc["path"]
    for version in ("22.12", "24.0", "26.8"):
        trace = os.path.join(harness.DATA, "traces", "lock_convoy-go1.%s.trace" % version)
        others = [s for s in document(program, "--function", "main.convoyWorker", trace)[1]["all"]["shares"] if not s["own"]]
        found = (others[0]["kind"], others[0]["function"])
        report.check("a convoy of Go 1.%s leads to its slow receiver" % version, None if found == ("timer", "main.slowConsumer") else str(found))
    share, path = most("chain_syscall-go1.26.8.trace", "--function", "main.front")
    calls = [s for s in path["shares"] if s["kind"] == "syscall" and not s["own"]]
    report.check("a chain of waits ends at a system call", None if calls and calls[0]["total_ns"] > 0.8 * path["duration_ns"] else str(path["shares"][:3]))
    deepest = max(path["segments"], key=lambda s: s["to_ns"] - s["from_ns"])
    report.check("through two others", None if deepest["depth"] >= 2 else "depth %d" % deepest["depth"])
    share, path = most("annotations-go1.26.8.trace", "--region", "slow-select")
    report.check("a select's timer", None if share["kind"] == "timer" and share["what"] == "select" else str(share))
    share, path = most("runnable_starvation-go1.26.8.trace", "--function", "main.latencyHandler")
    found = (share["kind"], share["what"])
    report.check("whoever had the P's is named", None if found == ("runnable", "main.cpuHog") else str(found))


def choosing(program, report):
    doc = document(program, "--task", "lockreq", NEWEST)[1]
    longest, count = doc["path"]["duration_ns"], doc["all"]["count"]
    second = document(program, "--task", "lockreq", "--nth", "2", NEWEST)[1]["path"]
    report.check("--nth 2 is shorter", None if second["duration_ns"] <= longest and second["nth"] == 2 else str(second["duration_ns"]))
    at = second["start_ns"] + second["duration_ns"] // 2
    under_way = document(program, "--task", "lockreq", "--at", "%dns" % at, NEWEST)[1]["path"]
    inside = under_way["start_ns"] <= at <= under_way["start_ns"] + under_way["duration_ns"]
    report.check("--at is under way then", None if inside else str(under_way["start_ns"]))
    by_id = document(program, "--task", str(second["id"]), NEWEST)[1]["path"]
    report.check("a task by its id", None if by_id["id"] == second["id"] and by_id["name"] == "lockreq" else str(by_id["id"]))
    for args, words in ((("--task", "lockreq", "--region", "critical"), "give one of them"),
                        (("--nth", "2"), "the path of what?"),
                        (("--task", "no such task"), 'no task "no such task"'),
                        (("--goroutine", "99999"), "no goroutine 99999"),
                        (("--function", "no.such"), 'no goroutine was started with "no.such"'),
                        (("--task", "lockreq", "--at", "3600"), "was under way at that time"),
                        (("--task", "lockreq", "--nth", str(count + 1)), "there are only %d" % count)):
        code, out, err = run(program, *args, NEWEST)
        report.check(" ".join(args), None if code == 2 and words in err and not out else "exit %d: %s" % (code, err))


def formats(program, report):
    code, out, err = run(program, "--task", "lockreq", "--format", "mermaid", NEWEST)
    lines = out.splitlines()
    shape = lines[:2] == ["```mermaid", "sequenceDiagram"] and lines[-1] == "```" and all(
        re.match(r"    (title |participant G\d+ as |Note over G\d+: |G\d+-?->>G\d+: )", line) for line in lines[2:-1])
    report.check("mermaid", None if code == 0 and shape and "main.slowBackup" in out else out[:500] + err)
    code, out, err = run(program, "--task", "lockreq", "--color", "never", NEWEST)
    if os.environ.get("STWATCH_BLESS"):
        with open(GOLDEN, "w", encoding="utf-8") as file:
            file.write(out)
    with open(GOLDEN, encoding="utf-8") as file:
        report.check("text", None if out == file.read() else "not as in %s:\n%s" % (GOLDEN, out))
    with gzip.open(NEWEST) as file:
        piped = subprocess.run([program, "path", "--task", "lockreq", "--color", "never", "-"], stdin=file, capture_output=True).stdout.decode()
    report.check("from a pipe", None if piped.splitlines()[2:] == out.splitlines()[2:] else piped[:300])
    one = run(program, "--task", "workreq", "--format", "json", "--threads", "1", NEWEST)[1]
    report.check("any number of threads", None if one == run(program, "--task", "workreq", "--format", "json", "--threads", "5", NEWEST)[1] else "differs")


def damage(program, report):
    """What is cut or broken gives what is left, exit 4 and a message; and what is found of it adds up."""
    with gzip.open(NEWEST) as file:
        whole = file.read()
    trace = os.path.join(harness.DATA, "traces", "lock_convoy-3gen-go1.26.8.trace")
    with open(trace, "rb") as file:
        three = file.read()
    with harness.Scratch() as scratch:
        for name, data in (("cut", whole[:len(whole) // 2]), ("three-cut", three[:len(three) * 2 // 3]),
                           ("three-hole", three[:3000] + bytes(200) + three[3200:])):
            path = scratch.write(name, data)
            code, doc, err = document(program, path)
            if not report.check("%s: exit 4" % name, None if code == 4 and "at byte" in err and doc else "exit %d: %s" % (code, err)):
                continue
            for option in subjects(doc):
                code, found, err = document(program, *option, path)
                report.check("%s %s" % (name, option), arithmetic(found) if code == 4 and found else "exit %d: %s" % (code, err))
    for path in sorted(glob.glob(os.path.join(harness.DATA, "bad", "*"))):
        code = run(program, "--function", "main", path)[0]
        report.check(os.path.basename(path), None if code in (0, 2, 3, 4) else "exit %d" % code)


def broken_order(program, report):
    """A number in a sequence is wrong: all events are still there, nobody is said to have waited longer than it did, and paths add up."""
    trace = os.path.join(harness.DATA, "traces", "lock_convoy-3gen-go1.26.8.trace")
    whole, sound = mutate.Trace(harness.read_bytes(trace)), document(program, trace)[1]
    longest = {c["id"]: c["max_ns"] for c in sound["choices"] if c["subject"] == "goroutine"}
    starts = [(b, events, e) for b in whole.batches if b.kind == "EventBatch" and b.first() > 8 for events in [wire.events(b.data)]
              for e in events if e[0] == wire.number("GoStart") and e[1][2] > 1]
    for at in (len(starts) // 5, len(starts) // 2):
        batch, events, event = starts[at]
        kept, event[1][2] = batch.data, event[1][2] + 7
        batch.data = wire.encode_events(events)
        with harness.Scratch() as scratch:
            path, name = scratch.write("broken.trace", whole.encode()), "a broken order at start %d" % at
            code, doc, err = document(program, path)
            report.check(name, None if code == 4 and " can advance" in err and doc["inputs"][0]["events"] >= sound["inputs"][0]["events"] else (code, err))
            longer = [c for c in doc["choices"] if c["subject"] == "goroutine" and c["max_ns"] > longest.get(c["id"], 0) + 1000000]
            report.check(name + ": no wait is longer", longer or None)
            for option in subjects(doc):
                code, found, err = document(program, *option, path)
                report.check("%s: %s" % (name, option), arithmetic(found) if code == 4 and found else "exit %d: %s" % (code, err))
        event[1][2] -= 7
        batch.data = kept


def main():
    program, report = harness.program(), harness.Report()
    every_trace(program, report)
    planted(program, report)
    shared_traces(program, report)
    choosing(program, report)
    formats(program, report)
    damage(program, report)
    broken_order(program, report)
    report.finish()


if __name__ == "__main__":
    main()
