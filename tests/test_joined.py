#!/usr/bin/env python3
"""Several traces of one process in the commands that read events through: `events`, `states`, `path`, `profile`, `stat --mmu`. In any order the same
timeline; what each part of it has alone is in it once, and nothing across a gap; other processes are refused.

    test_joined.py [PROGRAM]
"""
import collections
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import texttrace

SNAPSHOTS = os.path.join(harness.DATA, "snapshots")
# Between these parts tracing was off, or nobody took a snapshot: within each the generations follow one another.
PARTS = ("ab", "cd", "e")
ORDERS = ("abcde", "edcba", "cabed")
GAPS = "2 gaps between the inputs, "
# A program of which the second recording begins anew what was there in the first.
FIRST = """expect accept
Trace Go1.26
gen 1
batch m=2 time=500
ProcStatus p=0 status=running
GoStatus g=1 m=2 status=running
GoCreate new_g=2 new_stack=main.work:20 stack=main.main:3
"""
AGAIN = FIRST.replace("gen 1", "gen 7").replace("time=500", "time=900000")


def run(*args, stdin=None):
    done = subprocess.run([PROGRAM, *args], capture_output=True, timeout=120, stdin=stdin)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def files(version, names):
    return [os.path.join(SNAPSHOTS, version, name + ".trace") for name in names]


def document(*args):
    code, out, err = run(*args)
    return code, json.loads(out) if out else None, err


def bare(event):
    """A status says what was before where a trace goes on, and "Undetermined" where it begins."""
    status = event["name"] in ("ProcStatus", "GoStatus", "GoStatusStack")
    details = re.sub(r"\w+->", "", event["details"]) if status else event["details"]
    return (event["name"], *([] if status else (event["goroutine"], event["proc"])), event["thread"], details)


def generations(lines):
    """The events of each generation, with their times from its last: the first are after the sync event that a reading puts before them."""
    rows = []
    for event in map(json.loads, lines.splitlines()):
        if event["kind"] == "Sync":
            rows.append([])
            continue
        rows[-1].append((event["at_ns"], bare(event)))
    return [tuple((at - row[-1][0] if i > 9 else 0, event) for i, (at, event) in enumerate(row)) for row in rows if row]


def events(report, version):
    whole = {order: run("events", "--format", "jsonl", *files(version, order)) for order in ORDERS}
    code, out, err = whole["abcde"]
    report.check("%s: events" % version, None if code == 0 and err.startswith("stwatch: " + GAPS) else (code, err))
    report.check("%s: events in any order of files" % version, None if all(w[1] == out for w in whole.values()) else "not the same")
    times = [json.loads(line)["at_ns"] for line in out.splitlines()]
    report.check("%s: in order of time" % version, None if times == sorted(times) and times[0] == 0 else "not")
    alone = {g for name in "abcde" for g in generations(run("events", "--format", "jsonl", *files(version, name))[1])}
    joined = generations(out)
    report.check("%s: each generation once" % version, None if len(joined) == len(set(joined)) and set(joined) == alone else "%d of %d" % (len(joined), len(alone)))
    gaps = [int(n) for n in re.findall(r" Gap=(\d+)\"", out)]
    told = re.search(r"([\d.]+) s in all", err)
    report.check("%s: gaps are in the stream" % version, None if len(gaps) == 2 and abs(sum(gaps) / 1e9 - float(told[1])) < 0.002 else (gaps, err))
    # A window of the whole, in its own times.
    middle = times[len(times) // 2]
    part = run("events", "--format", "jsonl", "--from", "%.9f" % (middle / 1e9), *files(version, ORDERS[1]))[1]
    want = [line for line in out.splitlines() if json.loads(line)["at_ns"] >= middle]
    report.check("%s: a window" % version, None if part.splitlines() == want else "%d of %d lines" % (len(part.splitlines()), len(want)))
    code, out, err = run("events", "--format", "go", *files(version, "ab"))
    report.check("%s: as Go prints them" % version, None if code == 2 and not out and "one trace" in err else (code, err))
    stuck(report, version)


def stuck(report, version):
    """What stays beyond the thresholds in each part does in the whole."""
    code, out, err = run("events", "--format", "jsonl", "--kind", "stuck", *files(version, ORDERS[2]))
    rows = [json.loads(line) for line in out.splitlines()]
    length = lambda row: tuple(re.findall(r"State=\S+|For=\d+", row["details"]))
    whole = collections.Counter((r["name"], r["goroutine"], *length(r)) for r in rows)
    parts = collections.Counter()
    for part in PARTS:
        for line in run("events", "--format", "jsonl", "--kind", "stuck", *files(version, part))[1].splitlines():
            row = json.loads(line)
            parts[(row["name"], row["goroutine"], *length(row))] += 1
    report.check("%s: stuck" % version, None if code == 0 and whole == parts and whole else ((whole - parts), (parts - whole)))


def states(report, version):
    code, whole, err = document("states", "--format", "json", *files(version, ORDERS[0]))
    report.check("%s: states" % version, None if code == 0 and [l for l in whole["limits"] if l.startswith(GAPS)] else (code, err))
    other = document("states", "--format", "json", *files(version, ORDERS[2]))[1]
    for doc in (whole, other):
        doc["inputs"].sort(key=lambda i: i["file"])
    report.check("%s: states in any order of files" % version, None if whole == other else "not the same")
    report.check("%s: no contradiction" % version, whole["contradictions"])
    parts = [document("states", "--format", "json", *files(version, part))[1] for part in PARTS]
    for kind in ("goroutine", "proc"):
        def sums(doc, key, field):
            rows = [r for r in doc["resources"] if r["resource"] == kind][0][key]
            return {tuple(r[k] for k in ("state", "from", "to", "event") if k in r): r[field] for r in rows}
        for key, field in (("states", "total_ns"), ("states", "stays"), ("transitions", "count")):
            want = collections.Counter()
            for part in parts:
                want.update(sums(part, key, field))
            got = collections.Counter(sums(whole, key, field))
            report.check("%s: %s of %s are those of the parts" % (version, field, kind), None if got == want else (got - want, want - got))
    one = document("states", "--format", "json", "--function", "main.chatter", *files(version, "abcde"))
    report.check("%s: states of a function" % version, None if one[0] == 0 and one[1]["resources"] else one)


def path(report, version):
    """A path is found in the part that it lies in, and none leads across a gap."""
    args = ("path", "--format", "json", "--function", "main.waiter")
    code, whole, err = document(*args, *files(version, ORDERS[2]))
    first, last = (document(*args, *files(version, part))[1] for part in PARTS[:2])
    want = max((first, last), key=lambda doc: doc["path"]["duration_ns"])
    shape = lambda doc: [(s["to_ns"] - s["from_ns"], s["kind"], s["goroutine"], s["function"], s["what"], s["depth"], s["waiter"]) for s in doc["path"]["segments"]]
    report.check("%s: path" % version, None if code == 0 and shape(whole) == shape(want) else (code, err, shape(whole), shape(want)))
    chosen = whole["all"]["count"]
    report.check("%s: paths of all" % version, None if chosen == first["all"]["count"] + last["all"]["count"] else whole["all"])
    report.check("%s: path tells the gaps" % version, None if [l for l in whole["limits"] if l.startswith(GAPS)] else whole["limits"])
    code, out, err = run("path", *files(version, "abcde"))
    rows = re.findall(r"^  (\d+) +\S+ \S+ +\S+ \S+  (\S+)$", out, re.M)
    report.check("%s: each goroutine is listed once" % version, None if code == 0 and rows and len(rows) == len(set(rows)) else (code, out, err))


def profile(report, version, scratch):
    if "pprof" not in run("--version")[1]:
        return
    out = os.path.join(scratch.path, "out.pb.gz")
    for kind in ("sched", "sync", "net", "syscall", "stw", "running", "runnable"):
        args = ("--format", "json", "profile", "--type", kind, "--output", out)
        code, whole, err = document(*args, *files(version, ORDERS[1]))
        parts = [document(*args, *files(version, part))[1] for part in PARTS]
        ok = code == 0 and err.startswith("stwatch: " + GAPS)
        ok = ok and all(whole[key] == sum(p[key] for p in parts) for key in ("count", "total_ns"))
        report.check("%s: profile of %s" % (version, kind), None if ok else (code, err, whole, parts))


def curve(report, version):
    """The longest window is that of the longest part (the snapshots collect nothing: what is taken is for test_mmu_curve), and the gaps are told."""
    read = lambda names: {p["window_ns"]: p["utilisation"] for p in document("stat", "--mmu", "--format", "json", *files(version, names))[1]["mmu_curve"]}
    whole, parts = read(ORDERS[2]), [read(part) for part in PARTS]
    want = {w: min(p[w] for p in parts if w in p) for w in max(parts, key=len)}
    report.check("%s: curve of utilisation" % version, None if whole == want else (whole, want))
    code, out, err = run("stat", "--mmu", *files(version, "abcde"))
    report.check("%s: the drawn curve tells the gaps" % version, None if code == 0 and err.startswith("stwatch: " + GAPS) else (code, err))


def inputs(report, scratch):
    a, b = files("go1.26", "ab")
    want = run("events", a, b)[1]
    folder = os.path.join(scratch.path, "folder")
    os.makedirs(folder)
    shutil.copy(a, folder)
    shutil.copy(b, folder)
    scratch.write("folder/notes", b"hello\n")
    scratch.write("folder/a.trace.stwidx", b"stwatch index 1\n")
    code, out, err = run("events", folder)
    report.check("a folder", None if code == 0 and out == want and "notes: passed over" in err and err.count("\n") == 1 else (code, err))
    with open(a, "rb") as file:
        code, out, err = run("events", b, "-", stdin=file)
    report.check("standard input", None if code == 0 and out == want and not err else (code, err))
    data = harness.read_bytes(b)
    cut = scratch.write("cut.trace", data[:len(data) - len(data) // 5])
    for command in (("events",), ("states",), ("path",), ("profile", "-t", "running", "-o", os.path.join(scratch.path, "p"))):
        if command[0] == "profile" and "pprof" not in run("--version")[1]:
            continue
        code, out, err = run(*command, a, cut)
        report.check("%s: a cut one" % command[0], None if code == 4 and out and cut + ": at byte" in err else (code, err))
        code, out, err = run(*command, a, os.path.join(SNAPSHOTS, "other", "b.trace"))
        report.check("%s: of another process" % command[0], None if code == 2 and not out and "2 processes" in err else (code, out, err))
        code, out, err = run(*command, a, os.path.join(harness.DATA, "manifest.json"))
        report.check("%s: no trace" % command[0], None if code == 3 and not out and "manifest.json" in err else (code, out, err))
    begun = scratch.write("first.trace", texttrace.read(scratch.write("first.txt", FIRST.encode())).data)
    again = scratch.write("again.trace", texttrace.read(scratch.write("again.txt", AGAIN.encode())).data)
    for command in ("diagnose", "states", "path", "events"):
        code, out, err = run(command, again, begun)
        ok = code == 2 and "again.trace: of another process" in err and "goroutine 2 begins anew" in err
        report.check("%s: what begins anew" % command, None if ok and (not out or command == "events") else (code, out, err))


if __name__ == "__main__":
    PROGRAM = harness.program()
    counts = harness.Report()
    for version in ("go1.22", "go1.26"):
        events(counts, version)
        states(counts, version)
        path(counts, version)
        curve(counts, version)
    with harness.Scratch() as folder:
        for version in ("go1.22", "go1.26"):
            profile(counts, version, folder)
        inputs(counts, folder)
    counts.finish()
