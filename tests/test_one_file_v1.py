#!/usr/bin/env python3
"""Several traces of Go 1.21 and earlier in one file, one behind the other: those of one process are read as if each were a file of its own, the others are left
out; each is told with the byte at which it begins (exit 4).

    test_one_file_v1.py [PROGRAM]
"""
import gzip
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import test_recordings
import v1text

ORDERS = ("abc", "cab", "bca")
AGAIN = "of the same process, it is read on behind a gap"


def document(*args, stdin=None):
    done = subprocess.run([PROGRAM, *args], input=stdin, capture_output=True, timeout=120)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr.decode("utf-8", "replace")


def rows(*args, stdin=None):
    done = subprocess.run([PROGRAM, "events", "--format", "jsonl", *args], input=stdin, capture_output=True, timeout=120)
    return done.returncode, done.stdout.splitlines()


def diagnose(*args, stdin=None):
    return document("diagnose", "--format", "json", *args, stdin=stdin)


def problems(doc):
    return [(p["offset"], p["what"]) for p in doc["inputs"][0]["problems"]]


def length(doc):
    return max(i["start_ns"] + i["duration_ns"] for i in doc["inputs"])


def found(doc):
    """The findings but for the names of files."""
    return [(f["rule"], f["title"], f["severity"], f["start_ns"], f["duration_ns"], [(e["at_ns"], e["what"]) for e in f["evidence"]]) for f in doc["findings"]]


def one_process(report, scratch, version):
    parts = {name: gzip.decompress(harness.read_bytes(path)) for name, path in zip("abc", test_recordings.files(version, "abc"))}
    apart = [scratch.write(name + ".trace", data) for name, data in parts.items()]
    wanted, listed = diagnose(*apart)[1], rows(*apart)[1]
    states = document("states", "--format", "json", *apart)[1]
    for order in ORDERS:
        name, data = version + " " + order, b"".join(parts[p] for p in order)
        path = scratch.write("all.trace", data)
        code, doc, err = diagnose(path)
        begins = [len(parts[order[0]]), len(parts[order[0]]) + len(parts[order[1]])]
        told = problems(doc)
        report.check(name + ": told", None if code == 4 and [o for o, _ in told] == begins and all(AGAIN in w for _, w in told) else (code, told, err))
        report.check(name + ": figures", None if doc["summary"] == wanted["summary"] else "not those of three files")
        report.check(name + ": findings", None if found(doc) == found(wanted) and doc["findings"] else found(doc))
        report.check(name + ": gaps", None if any(l.startswith("2 gaps between") for l in doc["limits"]) else doc["limits"])
        one = doc["inputs"][0]
        report.check(name + ": the input", None if one["generations"] == 3 and one["start_ns"] == 0 and one["duration_ns"] == length(wanted) else one)
        code, events = rows(path)
        report.check(name + ": events", None if code == 4 and events == listed else (code, len(events), len(listed)))
        code, piped = rows("-", stdin=gzip.compress(data))
        report.check(name + ": events of a pipe", None if code == 4 and piped == listed else (code, len(piped)))
        code, other, _ = document("states", "--format", "json", path)
        report.check(name + ": states", None if code == 4 and other["resources"] == states["resources"] else code)
        code, strict, _ = harness.run_bytes(PROGRAM, "events", "--format", "go", path)
        first = harness.run_bytes(PROGRAM, "events", "--format", "go", scratch.write("first.trace", parts[order[0]]))[1]
        report.check(name + ": Go's reader ends there", None if code == 4 and strict == first else code)


def twice(report, scratch):
    a, b = (gzip.decompress(harness.read_bytes(path)) for path in test_recordings.files("go1.17", "ab"))
    once = diagnose(scratch.write("ab.trace", a + b))[1]
    code, doc, _ = diagnose(scratch.write("aba.trace", a + b + a))
    told = problems(doc)
    ok = code == 4 and doc["summary"] == once["summary"] and "there twice" in told[1][1] and told[1][0] == len(a + b) and doc["inputs"][0]["repeated_generations"] == 1
    report.check("one that is there twice", None if ok else (code, told))


def cut(report, scratch):
    """Of several a part is cut from one."""
    parts = [gzip.decompress(harness.read_bytes(path)) for path in test_recordings.files("go1.21", "abc")]
    path, out = scratch.write("all.trace", b"".join(parts)), os.path.join(scratch.path, "part.trace")
    begin = diagnose(*[scratch.write("%d.trace" % i, p) for i, p in enumerate(parts)])[1]["inputs"][2]["start_ns"] / 1e6
    code, _, err = harness.run_text(PROGRAM, "cut", "--from", "%.3fms" % (begin + 5), "-o", out, path)
    part = diagnose(out)
    ok = code == 0 and part[0] == 0 and any("main.holdLast" in f["title"] for f in part[1]["findings"])
    report.check("a part of the last", None if ok else (code, err, part))
    between = ("--from", "%.3fms" % (begin - 1))
    code, _, err = harness.run_text(PROGRAM, "cut", *between, "-o", out, path)
    part = diagnose(out)
    ok = code == 0 and part[0] == 0 and any("main.holdLast" in f["title"] for f in part[1]["findings"])
    report.check("from between two: the next", None if ok else (code, err, part))
    code, _, err = harness.run_text(PROGRAM, "cut", *between, "--to", "%.3fms" % (begin - 0.5), "-o", out, path)
    report.check("just between two", None if code == 2 and "nothing in that time" in err else (code, err))
    code, _, err = harness.run_text(PROGRAM, "cut", "--to", "100ms", "-o", out, path)
    report.check("a part of the first", None if code == 0 and diagnose(out)[0] == 0 else (code, err))
    for more in ((), ("--anonymise",)):
        code, _, err = harness.run_text(PROGRAM, "cut", *more, "--from", "0ms", "-o", out, path)
        report.check("all of it %s" % (more,), None if code == 4 and "at byte %d: another trace begins here" % len(parts[0]) in err and diagnose(out)[0] == 0 else (code, err))
    code, _, err = harness.run_text(PROGRAM, "index", path)
    report.check("no index", None if code == 2 and "another trace begins there" in err and not os.path.exists(path + ".stwidx") else (code, err))


def foreign(report, scratch):
    made = lambda **values: v1text.read_scenario(test_recordings.RECORDING % {"version": 21, "time": 1 << 33, "made": 20, "long": 1000000, **values}).data
    a, b = made(), made(time=(1 << 33) + 500000000, made=30)
    v1 = os.path.join(harness.DATA, "v1")
    others = {
        "are of different programs": (gzip.decompress(harness.read_bytes(test_recordings.files("go1.21", "a")[0])), gzip.decompress(harness.read_bytes(os.path.join(v1, "lock_convoy-go1.21.13.trace.gz")))),
        "overlap in time": (a, made(time=(1 << 33) + 500000, made=30)),
        "are of different versions of Go": (a, made(version=19, time=(1 << 33) + 500000000, made=30)),
        "of different versions of Go": (a, harness.read_bytes(os.path.join(harness.DATA, "traces", "lock_convoy-go1.26.8.trace"))),
        "goroutine 20 begins anew": (a, made(time=(1 << 33) + 500000000)),
    }
    for why, (first, other) in others.items():
        alone = diagnose(scratch.write("alone.trace", first))[1]
        path = scratch.write("both.trace", first + other)
        code, doc, err = diagnose(path)
        told = [w for o, w in problems(doc) if o == len(first)]
        ok = code == 4 and length(doc) == length(alone) and any(why in w and "split the file there" in w for w in told)
        report.check("left out, as they %s" % why, None if ok else (code, told, err))
        for command in ("stat", "states", "path", "events"):
            code, _, err = harness.run_text(PROGRAM, command, path)
            report.check("%s: %s" % (why, command), None if code == 4 and "at byte %d: another trace begins here" % len(first) in err else (code, err))
    code, doc, _ = diagnose(scratch.write("three.trace", a + others["overlap in time"][1] + b))
    both = diagnose(scratch.write("two.trace", a + b))[1]
    told = problems(doc)
    ok = code == 4 and doc["summary"] == both["summary"] and "left out" in told[0][1] and AGAIN in told[1][1]
    report.check("one between two others", None if ok else (code, told))


def odd(report, scratch):
    a, b = (gzip.decompress(harness.read_bytes(path)) for path in test_recordings.files("go1.21", "ab"))
    older = [gzip.decompress(harness.read_bytes(path)) for path in test_recordings.files("go1.17", "ab")]
    code, doc, _ = diagnose(scratch.write("headless.trace", older[0][16:] + older[1]))
    report.check("without the first header", None if code == 4 and doc["inputs"][0]["generations"] == 2 else (code, problems(doc)))
    code, doc, _ = diagnose(scratch.write("empty.trace", b[:16] * 500 + a))
    report.check("hundreds of headers", None if code == 4 and "left out, as 100 stand before it" in problems(doc)[-1][1] else (code, problems(doc)[-2:]))
    code, doc, _ = diagnose(scratch.write("empty.trace", b[:16] * 3 + a))
    alone = diagnose(scratch.write("alone.trace", a))[1]
    report.check("headers without a trace", None if code == 4 and doc["summary"] == alone["summary"] else (code, problems(doc)))
    code, doc, _ = diagnose(scratch.write("cut.trace", a[:len(a) * 2 // 3] + b))
    told = [o for o, w in problems(doc) if "another trace begins here" in w]
    report.check("behind one that is cut", None if code == 4 and told == [len(a) * 2 // 3] and length(doc) > 300e6 else (code, problems(doc)))


def main():
    report = harness.Report()
    with harness.Scratch() as scratch:
        for version in test_recordings.VERSIONS:
            one_process(report, scratch, version)
        twice(report, scratch)
        cut(report, scratch)
        foreign(report, scratch)
        odd(report, scratch)
    report.finish()


if __name__ == "__main__":
    PROGRAM = harness.program()
    main()
