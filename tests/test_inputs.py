#!/usr/bin/env python3
"""Several traces of one process as one timeline: in any order, each generation once, planted faults once and at the right time, gaps told;
traces of several processes are not mixed. Folders of files; limits of what is unpacked; progress and interruption.

    test_inputs.py [PROGRAM]
"""
import datetime
import gzip
import itertools
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

SNAPSHOTS = os.path.join(harness.DATA, "snapshots")
NAMES = "abcde"
MS = 1000000


def run(*args, timeout=120, stdin=None):
    done = subprocess.run([PROGRAM, *args], capture_output=True, timeout=timeout, stdin=stdin)
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
    report.check("v1", None if code == 2 and "several processes" in err and "different versions" in err else (code, err))


def folders(report, scratch):
    """A folder stands for the files in it that are something."""
    folder = os.path.join(scratch.path, "folder")
    os.makedirs(os.path.join(folder, "below"))
    for name in "abc":
        shutil.copy(snapshot("go1.26", name), folder)
    shutil.copy(snapshot("go1.26", "d"), os.path.join(folder, "below"))
    shutil.copy(snapshot("go1.26", "e"), os.path.join(folder, ".hidden.trace"))
    with open(snapshot("go1.26", "c"), "rb") as file:
        scratch.write("folder/c.trace", gzip.compress(file.read()))
    scratch.write("folder/stderr", b"SCHED 0ms: gomaxprocs=2 idleprocs=1 threads=4 spinningthreads=0 needspinning=0 idlethreads=2 runqueue=0 [0 0]\n")
    scratch.write("folder/README", b"hello\n")
    scratch.write("folder/noise", bytes(range(256)) * 16)
    scratch.write("folder/later.trace", b"go 1.99 trace\0\0\0")
    scratch.write("folder/a.trace.stwidx", b"stwatch index 1\n")
    os.mkfifo(os.path.join(folder, "fifo"))
    code, doc, err = diagnose(folder)
    names = [os.path.basename(i["file"]) for i in doc["inputs"]] if doc else None
    report.check("a folder", None if code == 0 and names == ["a.trace", "b.trace", "c.trace", "stderr"] else (code, names, err))
    report.check("a folder's findings", None if holders(doc) == ["main.holdFirst", "main.holdLast"] else holders(doc))
    told = [name for name in ("README", "noise", "later.trace") if name + ": passed over" in err]
    report.check("what is passed over", None if len(told) == 3 and err.count("\n") == 3 else err)
    code, doc, err = diagnose(folder, snapshot("go1.26", "d"))
    report.check("a folder and a file", None if code == 0 and len(doc["inputs"]) == 5 else (code, err))
    empty = os.path.join(scratch.path, "empty")
    os.makedirs(empty)
    code, out, err = run("diagnose", empty)
    report.check("an empty folder", None if code == 3 and not out and "no file in this folder is of use" in err else (code, out, err))
    mixed = os.path.join(scratch.path, "mixed")
    os.makedirs(mixed)
    for name, path in (("one", snapshot("go1.26", "b")), ("two", os.path.join(SNAPSHOTS, "other", "b.trace"))):
        shutil.copy(path, os.path.join(mixed, name))
    code, out, err = run("diagnose", mixed)
    report.check("a folder of two processes", None if code == 2 and "one; two" in err else (code, out, err))


def limits(report, scratch):
    """What is packed without end is read up to a limit, and that is said."""
    with open(snapshot("go1.26", "a"), "rb") as file:
        trace = file.read()
    packed = scratch.write("bomb.gz", gzip.compress(trace + bytes(4 << 20)))
    code, out, err = run("stat", "--format", "json", "--unpack-limit", "1M", packed)
    doc = json.loads(out) if out else None
    ok = code == 4 and doc["inputs"][0]["generations"] == 2 and "at byte 1048576: the input is larger than the limit" in err
    report.check("a packed input that is too long", None if ok else (code, out[:200], err))
    with open(packed, "rb") as file:
        code, out, err = run("stat", "--unpack-limit", "8K", "-", stdin=file)
    report.check("a pipe that is too long", None if code == 4 and "at byte 8192: the input is larger" in err else (code, err))
    code, out, err = run("stat", "--unpack-limit", "1K", snapshot("go1.26", "a"))
    report.check("a file has no such limit", None if code == 0 else (code, err))
    cut = scratch.write("cut.gz", gzip.compress(trace)[:20])
    code, out, err = run("stat", cut)
    report.check("nothing unpacks", None if code == 3 and "before anything could be unpacked" in err else (code, err))


def interruption(report, scratch):
    """Ctrl-C ends a wait for a pipe at once."""
    fifo = os.path.join(scratch.path, "pipe")
    os.mkfifo(fifo)
    process = subprocess.Popen([PROGRAM, "diagnose", fifo], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with open(fifo, "wb") as pipe:
        with open(snapshot("go1.26", "a"), "rb") as file:
            pipe.write(file.read())
        pipe.flush()
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
    report.check("interrupted", None if process.returncode == 130 and b"interrupted while it was being read" in err else (process.returncode, err))


def progress(report, scratch):
    """A bar on a terminal, for what takes more than a second: here a slow pipe."""
    fifo = os.path.join(scratch.path, "slow")
    os.mkfifo(fifo)
    terminal, side = pty.openpty()
    process = subprocess.Popen([PROGRAM, "stat", fifo], stdout=subprocess.PIPE, stderr=side)
    os.close(side)
    with open(snapshot("go1.26", "a"), "rb") as file, open(fifo, "wb", buffering=0) as pipe:
        data = file.read()
        for at in range(0, len(data), len(data) // 8):
            pipe.write(data[at:at + len(data) // 8])
            time.sleep(0.25)
    out, _ = process.communicate(timeout=60)
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:
        pass # the other side is closed
    ok = process.returncode == 0 and b"MiB/s" in shown and shown.endswith(b"\r\x1b[K")
    report.check("a bar", None if ok else (process.returncode, shown))


if __name__ == "__main__":
    PROGRAM = harness.program()
    counts = harness.Report()
    any_order(counts)
    with harness.Scratch() as folder:
        cut_copies(counts, folder)
        folders(counts, folder)
        limits(counts, folder)
        interruption(counts, folder)
        progress(counts, folder)
    several_processes(counts)
    counts.finish()
