#!/usr/bin/env python3
"""An index changes what a reading costs, never what it says: for sound, damaged and made-up traces any part of the events is the same with an index
and without; an index that is damaged, of another file or of another state of it is not used, and a note says so.

STWATCH_HEAVY=1 asks for all traces and more parts of each; without it there are some of each version, those with borders first.

It is the same for any number of threads that it was made with.

    test_index.py [PROGRAM]
"""
import glob
import json
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import texttrace
import tracewire as wire

TRACES = sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace")))
BAD = sorted(glob.glob(os.path.join(harness.DATA, "bad", "*.trace")))
SCENARIOS = sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "*.txt")))
# What is read without STWATCH_HEAVY: of each version at least one with borders, some with several, some with none.
FEW = ("3gen", "runnable_starvation", "permits", "growth", "syscall_stuck-go1.25", "clean-go1.24")
FEW_BAD = ("-cut", "gen", "batches", "trailing", "twice", "flip")
FORMS = ("go", "text")
THREADS = (1, 2, 5)
# Everything that can cross a border, and what a later generation says of it.
CROSSING = """expect accept
Trace Go1.26
gen 1
batch m=1 time=100
ProcStatus p=0 status=running
GoStatus g=1 m=1 status=running
UserTaskBegin task=3 parent_task=2 name_string="outer" stack=main.main:3
UserRegionBegin task=3 name_string="a"
UserRegionBegin task=3 name_string="b"
GCBegin gc_seq=7
GCSweepBegin
GCMarkAssistBegin
GoCreate new_g=2
GoCreateBlocked new_g=4
STWBegin kind_string="GC sweep termination"
batch m=9 time=105
ProcStatus p=3 status=running
GoStatus g=8 m=9 status=running
GoSyscallBegin p_seq=1
gen 2
batch m=1 time=10000
GCActive gc_seq=8
ProcStatus p=0 status=running
GoStatus g=1 m=1 status=running
GCSweepActive p=0
GCMarkAssistActive g=1
STWBegin kind_string="other"
gen 3
batch m=1 time=20000
ProcStatus p=0 status=running
GoStatus g=1 m=1 status=running
UserRegionEnd task=3 name_string="b"
UserRegionEnd task=3 name_string="a"
UserTaskEnd task=3
GCSweepEnd
GCMarkAssistEnd
GoStatus g=2 m=none status=runnable
GoStatus g=4 m=none status=waiting
GoUnblock g=4 g_seq=1
ProcStatus p=3 status=abandoned
ProcSteal p=3 p_seq=1 m=9
gen 4
batch m=9 time=30000
GoStatus g=8 m=9 status=syscall
GoSyscallEndBlocked
"""


def run(program, *args, **more):
    done = subprocess.run([program, *args], capture_output=True, timeout=300, **more)
    return done.returncode, done.stdout, done.stderr


def chosen(paths, is_wanted):
    """All of them or, without STWATCH_HEAVY, those that are wanted and a few of the rest."""
    rest = [path for path in paths if not is_wanted(path)]
    return paths if harness.HEAVY else [path for path in paths if is_wanted(path)] + rest[::8]


def named(parts):
    return lambda path: any(part in os.path.basename(path) for part in parts)


def has_borders(scenario):
    with open(scenario, encoding="utf-8") as file:
        return "\ngen 2" in file.read()


def windows(program, trace, rng, how_many):
    _, out, _ = run(program, "events", "--format", "jsonl", trace)
    times = [json.loads(line)["at_ns"] for line in out.splitlines()] or [0]
    end = times[-1]
    parts = [(0, end // 2), (end, 0), (end + 1, 0), (1, 0)]
    for _ in range(how_many if harness.HEAVY else max(1, how_many // 3)):
        a, b = sorted((rng.choice(times), rng.randrange(end + 2)))
        parts.append((a, b))
    for a, b in parts:
        yield ["--from", "%dns" % a] + (["--to", "%dns" % b] if b > a else [])


def content(index):
    """All of an index but what tells which state of which file it is of, and when it was made."""
    at, size = (int.from_bytes(index[place:place + 8], "little") for place in (16, 24))
    told = at
    for _ in range(7):
        while index[told] & 128:
            told += 1
        told += 1
    assert told < at + size == len(index)
    return index[40:at] + index[told:]


def differing(program, trace):
    """What is not the same with other numbers of threads; the index that is left behind is the last one's."""
    made = []
    for threads in THREADS:
        told = run(program, "index", "--threads", str(threads), trace)
        index = harness.read_bytes(trace + ".stwidx") if os.path.exists(trace + ".stwidx") else b""
        made.append((*told, content(index) if index else None))
    return None if made[1:] == made[:-1] else "exits %s, sizes %s: %s" % (
        [one[0] for one in made], [one[3] and len(one[3]) for one in made], made[0][2])


def check_same(report, program, name, trace, rng, how_many):
    asked = [["events", "--format", form, *window, trace] for n, window in enumerate(windows(program, trace, rng, how_many))
             for form in (FORMS if harness.HEAVY else FORMS[n % 2:n % 2 + 1])]
    before = [run(program, *args) for args in asked]
    report.check("%s: threads" % name, differing(program, trace))
    code, _, err = run(program, "index", trace)
    if not os.path.exists(trace + ".stwidx"):
        report.check("%s: no index" % name, None if code in (2, 3, 4) else "exit %d: %s" % (code, err))
        return
    for args, want in zip(asked, before):
        got = run(program, *args)
        trouble = None if got == want else "exit %s and %s, %d and %d bytes; %s; %s" % (want[0], got[0], len(want[1]), len(got[1]), want[2], got[2])
        report.check("%s: %s" % (name, " ".join(args[:-1])), trouble)
    os.remove(trace + ".stwidx")


def is_used(program, trace):
    """Whether an index is used: bytes that are not looked at can be spoilt without anybody knowing."""
    return b"not used" not in run(program, "events", "--from", "1ms", trace)[2]


def check_refused(report, program, scratch, rng):
    big = [t for t in TRACES if "3gen" in t][0]
    trace = scratch.write("t.trace", open(big, "rb").read())
    index = trace + ".stwidx"
    want = run(program, "events", "--from", "1s", trace)
    run(program, "index", trace)
    good = open(index, "rb").read()
    report.check("used", None if is_used(program, trace) else "not used")
    for n in range(300 if harness.HEAVY else 60):
        data = bytearray(good)
        how = n % 3
        if how == 0:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[rng.randrange(len(data)):]
        else:
            at = rng.randrange(len(data))
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20)))
        with open(index, "wb") as file:
            file.write(data)
        got = run(program, "events", "--from", "1s", trace)
        report.check("spoilt index %d" % n, None if got[:2] == want[:2] else "exit %s: %s" % (got[0], got[2]))
    for name, data in (("empty", b""), ("another kind", b"hello" * 100), ("not of this version", good.replace(b"index 2", b"index 1", 1))):
        with open(index, "wb") as file:
            file.write(data)
        got = run(program, "events", "--from", "1s", trace)
        report.check(name, None if got[:2] == want[:2] and b"not used" in got[2] else got[2])
    with open(index, "wb") as file:
        file.write(good)
    times = os.stat(trace)
    with open(trace, "r+b") as file:  # the same size and times, other bytes
        file.seek(-9, 2)
        byte = file.read(1)[0]
        file.seek(-9, 2)
        file.write(bytes([byte ^ 1]))
    os.utime(trace, ns=(times.st_atime_ns, times.st_mtime_ns))
    report.check("changed in place", None if not is_used(program, trace) else "the old index is used")
    with open(trace, "r+b") as file:
        file.seek(-9, 2)
        file.write(bytes([byte]))
    report.check("changed back", None if is_used(program, trace) else "not used")
    other = scratch.write("other.trace", open(TRACES[0], "rb").read())
    shutil.copy(index, other + ".stwidx")
    report.check("of another trace", None if not is_used(program, other) else "used")
    copy = os.path.join(scratch.path, "copy.trace")
    shutil.copy(trace, copy)
    shutil.copy(index, copy + ".stwidx")
    report.check("of a copy", None if is_used(program, copy) else "not used")
    for trace in (trace, other, copy):
        os.remove(trace + ".stwidx")


def check_places(report, program, scratch):
    trace = scratch.write("cached.trace", open(TRACES[0], "rb").read())
    cache = os.path.join(scratch.path, "a", "cache")
    env = dict(os.environ, XDG_CACHE_HOME=cache)
    os.mkdir(os.path.dirname(cache))
    code, out, err = run(program, "index", "--cache", "--format", "json", trace, env=env)
    told = json.loads(out) if out else {}
    report.check("in the cache", None if code == 0 and told["output"].startswith(cache) and os.path.exists(told["output"]) else err)
    packed = scratch.write("packed.trace.gz", __import__("gzip").compress(open(trace, "rb").read()))
    report.check("compressed", None if run(program, "index", packed)[0] == 2 else "not refused")
    report.check("no trace", None if run(program, "index", __file__)[0] == 3 else "not refused")
    report.check("nothing left over", ", ".join(glob.glob(os.path.join(scratch.path, "*.stwidx*"))) or None)


def main():
    program, report, rng = harness.program(), harness.Report(), random.Random(7)
    with harness.Scratch() as scratch:
        for source in chosen(TRACES, named(FEW)) + chosen(BAD, named(FEW_BAD)):
            name = os.path.basename(source)
            trace = scratch.write("t.trace", open(source, "rb").read())
            check_same(report, program, name, trace, rng, 12 if "3gen" in name else 3)
        for source in chosen(SCENARIOS, has_borders):
            check_same(report, program, os.path.basename(source), scratch.write("s.trace", texttrace.read(source).data), rng, 2)
        crossing = texttrace.read(scratch.write("crossing.txt", CROSSING.encode())).data
        data = scratch.write("crossing.trace", crossing)
        _, told, _ = run(program, "index", "--format", "json", data)
        report.check("crossing: borders", None if json.loads(told)["borders"] == 3 else told)
        os.remove(data + ".stwidx")
        check_same(report, program, "crossing", data, rng, 40)
        for n in range(60 if harness.HEAVY else 15):  # anything may cross a damaged border
            spoilt = bytearray(crossing)
            spoilt[rng.randrange(16, len(spoilt))] ^= 1 << rng.randrange(8)
            check_same(report, program, "crossing, spoilt %d" % n, scratch.write("m.trace", spoilt), rng, 3)
        check_refused(report, program, scratch, rng)
        check_places(report, program, scratch)
    report.finish()


if __name__ == "__main__":
    main()
