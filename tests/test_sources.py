#!/usr/bin/env python3
"""Inputs beside a trace: recognised by content in any order, packed or not; what `stat` says of a profile is what was written into it, and
what `go tool pprof` says of the same file; damaged ones give what came before the damage.

    test_sources.py [PROGRAM]
"""
import glob
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
from profilewire import Profile, message, number, packed, varint

TRACE = os.path.join(harness.DATA, "traces", "lock_convoy-go1.26.8.trace")
PROFILES = sorted(glob.glob(os.path.join(harness.DATA, "profiles", "*.pprof")))
CPU = (("samples", "count"), ("cpu", "nanoseconds"))
WAITS = (("contentions", "count"), ("delay", "nanoseconds"))
MS = 1000000


def run(*args, data=None):
    done = subprocess.run([PROGRAM, *args], capture_output=True, timeout=120, input=data)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def stat(*files):
    code, out, err = run("stat", "--format", "json", *files)
    return code, json.loads(out) if out else None, err


def cpu_profile():
    p = Profile(CPU, ("cpu", "nanoseconds"), 10 * MS, 1700000000 * 10 ** 9, 1500 * MS)
    p.sample(["main.hot", "main.run", "runtime.main"], 5, 50 * MS)
    p.sample(["main.hot", "main.run", "main.run", "runtime.main"], 2, 20 * MS)
    p.sample([(("main.inlined", 3), ("main.run", 9)), "runtime.main"], 3, 30 * MS)
    return p


def waits(leaf):
    p = Profile(WAITS, ("contentions", "count"), 1)
    p.sample([leaf, "main.f"], 4, 7 * MS)
    return p


def counted(kind, unit="count", *more):
    p = Profile(((kind, unit),) + more, (kind, unit), 1)
    p.sample(["main.f", "main.main"], *[12] * (1 + len(more)))
    return p


def heap():
    p = Profile((("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")), ("space", "bytes"), 524288)
    p.sample(["main.keep", "main.main"], 100, 6400, 10, 640)
    return p


KINDS = {
    "pprof-cpu": cpu_profile(),
    "pprof-mutex": waits("sync.(*Mutex).Unlock"),
    "pprof-block": waits("runtime.chanrecv1"),
    "pprof-contention": Profile(WAITS, ("contentions", "count"), 1),
    "pprof-goroutine": counted("goroutine"),
    "pprof-threadcreate": counted("threadcreate"),
    "pprof-heap": heap(),
    "pprof": counted("things", "count", ("weight", "tons")),
}


def kinds(report, scratch):
    for kind, profile in KINDS.items():
        for suffix, data in (("", profile.bytes()), (".gz", gzip.compress(profile.bytes(), mtime=0))):
            code, doc, err = stat(scratch.write("a.trace" + suffix, data))
            got = doc and doc["inputs"][0]
            report.check("kind of %s%s" % (kind, suffix), None if code == 0 and got["kind"] == kind and got["complete"] else (code, got, err))
            report.check("page of %s%s" % (kind, suffix), None if run("stat", scratch.write("b", data))[0] == 0 else "no page")


def figures(report, scratch):
    _, doc, _ = stat(scratch.write("cpu", cpu_profile().bytes()))
    source = doc["sources"][0]
    want = {"type": "CPU profile", "start_time": "2023-11-14T22:13:20.000000000Z", "period_ns": 10 * MS, "stacks": 3, "total_samples": 10,
            "total_cpu_ns": 100 * MS}
    report.check("figures", None if source["figures"] == want else source["figures"])
    rows = {r["function"]: (r["flat_ns"], r["cum_ns"], r["count"], r["flat_permille"]) for r in source["tables"]["functions"]}
    want = {"main.hot": (70 * MS, 70 * MS, 7, 700), "main.inlined": (30 * MS, 30 * MS, 3, 300), "main.run": (0, 100 * MS, 10, 0),
            "runtime.main": (0, 100 * MS, 10, 0)}
    report.check("functions", None if rows == want else rows)
    start = doc["inputs"][0]["start_time"], doc["inputs"][0]["duration_ns"], doc["inputs"][0]["events"]
    report.check("input", None if start == ("2023-11-14T22:13:20.000000000Z", 1500 * MS, None) else start)
    told = [v for part in doc["summary"].values() for v in (part.values() if isinstance(part, dict) else [part]) if v is not None]
    report.check("what only a trace tells", told)
    # Tables before what they are used by, and numbers that are not packed, are the same profile.
    p = Profile(CPU, ("cpu", "nanoseconds"), 10 * MS)
    p.sample(["main.hot"], 5, 50 * MS)
    loose = number(1, 1) + number(2, 5) + number(2, 50 * MS)
    p.samples = [loose]
    _, again, _ = stat(scratch.write("loose", p.bytes()))
    report.check("numbers that are not packed", None if again["sources"][0]["figures"]["total_cpu_ns"] == 50 * MS else again["sources"])
    p = cpu_profile()
    texts = b"".join(message(6, t.encode()) for t in p.texts)
    rest = [f for f in p.fields() if f[:1] != b"\x32"]
    _, again, _ = stat(scratch.write("texts-first", b"".join(rest[:3]) + texts + b"".join(rest[3:])))
    report.check("texts first", None if again["sources"][0]["tables"] == source["tables"] else again["sources"][0]["tables"])


def together(report, scratch):
    log = scratch.write("app.log", b"listening on :8080\nall is well\n")
    binary = scratch.write("data.bin", bytes(range(256)))
    cpu = scratch.write("cpu", gzip.compress(cpu_profile().bytes()))
    alone = json.loads(run("diagnose", "--format", "json", TRACE)[1])
    for files in ([TRACE, cpu, log], [log, cpu, TRACE], [cpu, TRACE, log]):
        code, out, err = run("diagnose", "--format", "json", *files)
        doc = json.loads(out)
        report.check("exit", None if code == 0 else (code, err))
        report.check("inputs in their order", None if [i["file"] for i in doc["inputs"]] == files else [i["file"] for i in doc["inputs"]])
        report.check("kinds", None if sorted(i["kind"] for i in doc["inputs"]) == ["go-trace", "pprof-cpu", "text-log"] else doc["inputs"])
        report.check("the same summary", None if doc["summary"] == alone["summary"] else "differs")
        report.check("a log that tells nothing is named", None if any("app.log" in line for line in doc["limits"]) else doc["limits"])
    for command in ("stat", "diagnose"):
        code, out, err = run(command, log)
        report.check(command + " of a text alone", None if code == 3 and not out and "a pprof profile" in err and "a trace begins with" in err else (code, err))
        code, out, err = run(command, TRACE, binary)
        report.check(command + " of no known kind", None if code == 3 and "data.bin" in err else (code, err))
        code, out, err = run(command, cpu)
        report.check(command + " of a profile alone", None if code == 0 and out else (code, err))
    code, out, err = run("stat", "-", data=cpu_profile().bytes())
    report.check("from a pipe", None if code == 0 and "main.hot" in out else (code, err))
    code, out, err = run("stat", scratch.write("old", b"heap profile: 1: 2 [3: 4] @ heap/1048576\n"))
    report.check("an old form", None if code == 3 and "profile.proto was expected" in err else (code, err))


def damage(report, scratch):
    whole = cpu_profile().bytes()
    for at in range(len(whole)):
        code, doc, err = stat(scratch.write("cut", whole[:at]))
        report.check("cut at %d" % at, None if code in (0, 3, 4) and (doc or code == 3) else (code, err))
    code, doc, _ = stat(scratch.write("cut", whole[:-3]))
    report.check("a cut is told", None if code == 4 and not doc["inputs"][0]["complete"] and doc["sources"][0]["figures"]["total_samples"] == 10 else doc)
    p = cpu_profile()
    p.samples.append(packed(1, [99]) + packed(2, [1, 10 * MS]))
    p.samples.append(packed(1, [1]) + packed(2, [1]))
    p.samples.append(b"\xff\xff")
    code, doc, _ = stat(scratch.write("dangling", p.bytes()))
    words = " ".join(x["what"] for x in doc["inputs"][0]["problems"])
    report.check("what refers to nothing", None if code == 4 and "locations that are not in the profile" in words and "a sample is corrupt" in words
                 and doc["sources"][0]["figures"]["total_samples"] == 11 else (code, doc["inputs"][0]))
    code, doc, _ = stat(scratch.write("long", whole + message(2, b"") + varint(2 << 3 | 2) + varint(1 << 40)))
    report.check("a length beyond the end", None if code == 4 and "is cut" in doc["inputs"][0]["problems"][-1]["what"] else doc)
    dice = random.Random(5)
    for n in range(400):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        code, doc, err = stat(scratch.write("mutant", bytes(data)))
        if not report.check("mutant %d" % n, None if code in (0, 3, 4) and (code != 4 or doc["inputs"][0]["problems"]) else (code, err)):
            report.note(harness.keep("profile-mutant-%d" % n, bytes(data)))


def diagnosed(*files):
    return json.loads(run("diagnose", "--format", "json", *files)[1])["findings"]


def evidence(findings, rule):
    """The finding of a rule, and what profiles say in it."""
    finding = next(f for f in findings if f["rule"] == rule)
    return finding, [e for e in finding["evidence"] if e["step"] == "profile"]


def joined(report, scratch):
    """A stop that main.blocker kept waiting four times, of which the trace has no samples."""
    trace = os.path.join(harness.DATA, "traces", "stw_nopreempt-clear-procs-go1.26.8.trace")
    start = json.loads(run("stat", "--format", "json", trace)[1])["inputs"][0]["start_time"]
    alone, none = evidence(diagnosed(trace), "stw-prolonged")
    report.check("alone there is no profile", none)

    def with_profile(stack, when=0):
        p = Profile(CPU, ("cpu", "nanoseconds"), 10 * MS, when, 1500 * MS if when else 0)
        p.sample(["main.other", "main.main"], 10, 100 * MS)
        p.sample(stack, 30, 300 * MS)
        return evidence(diagnosed(scratch.write("cpu.pprof", p.bytes()), trace), "stw-prolonged")

    finding, steps = with_profile(["runtime.memclrNoHeapPointers", "main.hugeClear", "main.blocker"])
    report.check("busy in its code", None if len(steps) == 1 and "not held in the kernel" in steps[0]["what"] and steps[0]["at_ns"] is None
                 and steps[0]["values"] == {"cpu_ns": 300 * MS, "cpu_all_ns": 400 * MS, "cpu_kernel_ns": 0}
                 and steps[0]["source"] == "cpu.pprof: CPU profile" else steps)
    report.check("and the leaf", None if finding["culprit"]["leaf"] == "main.hugeClear" else finding["culprit"])
    report.check("nothing else changes", None if [finding[k] for k in ("id", "severity", "cause", "confidence", "count", "harm_ns")]
                 == [alone[k] for k in ("id", "severity", "cause", "confidence", "count", "harm_ns")] else finding)
    finding, steps = with_profile(["internal/runtime/syscall.Syscall6", "syscall.RawSyscall6", "syscall.write", "main.blocker"])
    report.check("busy in the kernel", None if "in syscall.write: it was busy, in the kernel" in steps[0]["what"] else steps)
    finding, steps = with_profile(["main.elsewhere", "main.main"])
    report.check("not executing", None if "had no CPU" in steps[0]["what"] and finding["confidence"] == "possible" else (steps, finding["confidence"]))
    finding, steps = with_profile(["main.hugeClear", "main.blocker"], 10 ** 18)
    report.check("a profile of another time (the trace is of %s)" % start, steps)
    p = Profile(CPU, ("cpu", "nanoseconds"), 10 * MS)
    p.sample(["main.hugeClear", "main.blocker"], 30, 300 * MS)
    sampled = os.path.join(harness.DATA, "traces", "stw_nopreempt-copy-stack-go1.26.8.trace")
    _, steps = evidence(diagnosed(sampled, scratch.write("cpu.pprof", p.bytes())), "stw-prolonged")
    report.check("the trace's own samples are better", steps)

    files = [os.path.join(harness.DATA, "profiles", "lock_convoy-go1.26.8.%s.pprof" % kind) for kind in ("mutex", "block")]
    _, steps = evidence(diagnosed(TRACE, *files), "lock-convoy")
    got = {e["source"]: e["values"] for e in steps}
    want = {"lock_convoy-go1.26.8.mutex.pprof: mutex profile": {"contentions": 10, "delay_ns": 14498148218},
            "lock_convoy-go1.26.8.block.pprof: block profile": {"contentions": 10, "delay_ns": 3881782402}}
    report.check("waits for the lock in all", None if got == want else got)


def go_agrees(report):
    """flat and cum of every function, as `go tool pprof -top` counts them."""
    if not shutil.which("go"):
        report.note("not compared with go tool pprof: there is no go here")
        return
    for path in PROFILES:
        done = subprocess.run(["go", "tool", "pprof", "-top", "-unit=ns", "-nodecount=1000", "-nodefraction=0", path], capture_output=True, timeout=120)
        if done.returncode:
            report.note("not compared: go tool pprof: %s" % done.stderr.decode()[-200:])
            return
        theirs = {}
        for flat, cum, name in re.findall(r"^\s*(-?\d+)(?:ns)?\s+\S+%\s+\S+%\s+(-?\d+)(?:ns)?\s+\S+%\s+(.*?)(?: \(inline\))?$", done.stdout.decode(), re.M):
            theirs[name] = (int(flat), int(cum))
        _, doc, _ = stat(path)
        ours = {r["function"]: (r["flat_ns"], r["cum_ns"]) for r in doc["sources"][0]["tables"]["functions"]}
        wrong = {name: (values, theirs.get(name)) for name, values in ours.items() if theirs.get(name) != values}
        report.check("go tool pprof on " + os.path.basename(path), None if ours and not wrong else wrong)


if __name__ == "__main__":
    PROGRAM = harness.program()
    if "pprof" not in run("--version")[1]:
        harness.skip("this program was built without pprof profiles")
    counts = harness.Report()
    with harness.Scratch() as folder:
        kinds(counts, folder)
        figures(counts, folder)
        together(counts, folder)
        damage(counts, folder)
        joined(counts, folder)
    go_agrees(counts)
    counts.finish()
