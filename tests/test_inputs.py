#!/usr/bin/env python3
"""Several traces of one process as one timeline: in any order, each generation once, planted faults once and at the right time, gaps told;
traces of several processes are not mixed.

    test_inputs.py [PROGRAM]
"""
import datetime
import itertools
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

SNAPSHOTS = os.path.join(harness.DATA, "snapshots")
NAMES = "abcde"
MS = 1000000


def run(*args, timeout=120):
    done = subprocess.run([PROGRAM, *args], capture_output=True, timeout=timeout)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def snapshot(version, name):
    return os.path.join(SNAPSHOTS, version, name + ".trace")


def diagnose(*args):
    code, out, err = run("diagnose", "--format", "json", *args)
    return code, json.loads(out) if out else None, err


def wall_ns(text):
    """Of an RFC 3339 time with nanoseconds."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    whole = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.timezone.utc)
    return int(whole.timestamp()) * 10 ** 9 + int((fraction + "0" * 9)[:9])


def loud(doc):
    return [f for f in doc["findings"] if f["severity"] != "note"]


def holders(doc):
    return sorted(f["culprit"]["function"] for f in loud(doc))


def without_inputs(doc):
    return json.dumps({k: v for k, v in doc.items() if k != "inputs"})


def any_order(report):
    """The planted faults of all snapshots, whatever the order in which they are given and the number of threads."""
    for version in ("go1.22", "go1.26"):
        files = [snapshot(version, n) for n in NAMES]
        code, doc, err = diagnose(*files)
        report.check(version, None if code == 0 and holders(doc) == ["main.holdFirst", "main.holdLast"] else (code, err, doc and holders(doc)))
        first = without_inputs(doc)
        for order in itertools.islice(itertools.permutations(files), 1, None, 17):
            for threads in ("1", "3"):
                code, other, err = diagnose("-j", threads, *order)
                same = other and without_inputs(other) == first and sorted(map(str, other["inputs"])) == sorted(map(str, doc["inputs"]))
                report.check("%s as %s" % (version, [os.path.basename(f) for f in order]), None if same else "another diagnosis")
        times(report, version, doc)
        sums(report, version, doc)
        sources(report, version, doc)


def times(report, version, doc):
    with open(os.path.join(SNAPSHOTS, version, "truth.json")) as file:
        truth = json.load(file)
    a = wall_ns(truth[0]["From"])
    found = {f["culprit"]["function"]: f for f in loud(doc)}
    begin = found["main.holdFirst"]["start_ns"]
    for fact in truth:
        f = found.get(fact["What"])
        # The distance between the two, by the program's clock, is that of the trace; and so is the length.
        late = f["start_ns"] - begin - (wall_ns(fact["From"]) - a)
        wrong = abs(late) > 5 * MS or abs(f["worst_ns"] - fact["Ms"] * MS) > 5 * MS
        report.check("%s: when %s" % (version, fact["What"]), "%d ns late, %d ns long" % (late, f["worst_ns"]) if wrong else None)
        starts = [i["start_time"] for i in doc["inputs"] if i["start_ns"] == 0]
        if starts[0]:
            off = wall_ns(starts[0]) + f["start_ns"] - wall_ns(fact["From"])
            report.check("%s: wall time of %s" % (version, fact["What"]), "%d ns off" % off if abs(off) > 5 * MS else None)


def sums(report, version, doc):
    """Each generation once: together they have what each has that no other has."""
    alone = {n: diagnose(snapshot(version, n))[1]["inputs"][0] for n in NAMES}
    for name, got in zip(NAMES, doc["inputs"]):
        total = got["generations"] + got["repeated_generations"]
        report.check("%s: generations of %s" % (version, name), None if total == alone[name]["generations"] else got)
    repeated = sum(i["repeated_generations"] for i in doc["inputs"])
    report.check("%s: some generations are in two" % version, None if repeated >= 3 else repeated)
    gaps = [l for l in doc["limits"] if "gap" in l]
    report.check("%s: the gaps are told" % version, None if len(gaps) == 1 and gaps[0].startswith("2 gaps") else doc["limits"])
    share = json.loads(run("stat", "--format", "json", *[snapshot(version, n) for n in NAMES])[1])["summary"]
    spent = sum(p["running_ns"] + p["gc_ns"] + p["syscall_ns"] + p["spinning_ns"] + p["idle_ns"] + p["stopped_ns"] for p in share["procs"][:1])
    seen = sum(i["duration_ns"] for i in doc["inputs"])
    report.check("%s: no time in the gaps" % version, None if abs(spent - seen) < seen // 50 else "%d of %d ns" % (spent, seen))


def sources(report, version, doc):
    """Evidence names the file that it is in."""
    for f in loud(doc):
        want = {"main.holdFirst": "ab", "main.holdLast": "cd"}[f["culprit"]["function"]]
        wrong = [e["source"] for e in f["evidence"] if e["source"][0] not in want or not e["source"][1:].startswith(".trace:")]
        report.check("%s: sources of %s" % (version, f["culprit"]["function"]), wrong)


def cut_copies(report, scratch):
    """Of two copies of a generation the whole one is taken."""
    for version in ("go1.22", "go1.26"):
        with open(snapshot(version, "b"), "rb") as file:
            whole = file.read()
        _, both, _ = diagnose(snapshot(version, "b"), snapshot(version, "a"))
        n = sum(i["generations"] for i in both["inputs"])
        for share in (40, 60, 80, 95):
            cut = scratch.write("cut.trace", whole[:len(whole) * share // 100])
            code, doc, err = diagnose(cut, snapshot(version, "b"), snapshot(version, "a"))
            ok = code == 4 and holders(doc) == ["main.holdFirst"] and sum(i["generations"] for i in doc["inputs"]) == n
            report.check("%s cut at %d %%" % (version, share), None if ok and doc["summary"] == both["summary"] else (code, err, doc and doc["inputs"]))


def several_processes(report):
    a, c = snapshot("go1.26", "a"), snapshot("go1.26", "c")
    other = [os.path.join(SNAPSHOTS, "other", n + ".trace") for n in "bc"]
    cases = {
        "one number, other bytes": ((a, other[0]), "generations of one number"),
        "other threads": ((a, other[1]), "no thread in common"),
        "another version of Go": ((a, snapshot("go1.22", "c")), "versions of Go"),
        "another program": ((c, os.path.join(harness.DATA, "traces", "lock_convoy-go1.26.8.trace")), ""),
    }
    for name, (files, why) in cases.items():
        for order in (files, files[::-1]):
            code, out, err = run("diagnose", *order)
            ok = code == 2 and not out and why in err and "processes" in err and all(os.path.basename(f) in err for f in files)
            report.check(name, None if ok else (code, out, err))
    code, _, err = run("diagnose", a, c, *other)
    names = "a.trace " + c + "; b.trace " + other[1]
    report.check("the groups are listed", None if code == 2 and names in err else err)
    v1 = os.path.join(harness.DATA, "v1")
    old = [os.path.join(v1, n) for n in sorted(os.listdir(v1)) if n.endswith(".gz")][:2]
    code, _, err = run("diagnose", *old)
    report.check("v1", None if code == 3 and "can't be joined" in err else (code, err))


if __name__ == "__main__":
    PROGRAM = harness.program()
    counts = harness.Report()
    any_order(counts)
    with harness.Scratch() as folder:
        cut_copies(counts, folder)
    several_processes(counts)
    counts.finish()
