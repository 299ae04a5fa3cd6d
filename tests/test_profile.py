#!/usr/bin/env python3
"""`profile`: figures that hold by construction on a trace written for it; the same totals by stack as `go tool trace -pprof=TYPE`, and files that
`go tool pprof` opens; filters; what is damaged is written as far as it can be read.

    test_profile.py [PROGRAM]
"""
import glob
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import texttrace

GO_TYPES = ("sched", "sync", "net", "syscall")
TYPES = GO_TYPES + ("stw", "running", "runnable")
# The first event is at 99 ns. G1 runs 100..200, is in a system call 200..500, runs 500..600 and waits on a channel until G2, which it has made, wakes it.
WRITTEN = """expect accept
Trace Go1.22
gen 1
batch m=1 time=98
ProcStatus p=0 status=running
GoStatus g=1 m=1 status=running
GoCreate new_g=2 new_stack=main.worker:1 stack=main.spawn:5<main.main:9 dt=50
GoSyscallBegin p_seq=1 stack=syscall.read:2<main.main:10 dt=50
GoSyscallEnd dt=300
STWBegin kind_string="read mem stats" stack=runtime.ReadMemStats:3<main.main:11 dt=20
STWEnd dt=30
GoBlock reason_string="chan receive" stack=runtime.chanrecv1:4<main.main:12 dt=50
GoStart g=2 g_seq=1 dt=100
GoUnblock g=1 g_seq=1 stack=runtime.chansend1:6<main.worker:2 dt=40
GoDestroy dt=60
GoStart g=1 g_seq=2 dt=200
GoStop reason_string="preempted" stack=main.hot:7<main.main:13 dt=500
"""


def run(*args):
    done = subprocess.run([PROGRAM, *args], capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def profile(scratch, trace, kind, *more):
    """What was told, and the path of the profile."""
    path = os.path.join(scratch.path, "out.pb.gz")
    code, out, err = run("profile", "--format", "json", "--type", kind, "-o", path, *more, trace)
    return (json.loads(out) if out else {"code": code, "err": err}), path


def stat(path):
    """By function: (flat, cumulative), as our own reader has them."""
    _, out, _ = run("stat", "--format", "json", path)
    source = json.loads(out)["sources"][0]
    return {row["function"]: (row["flat_ns"], row["cum_ns"]) for row in source["tables"]["functions"]}


def by_construction(report, scratch):
    trace = scratch.write("written.trace", texttrace.read_scenario(WRITTEN).data)
    want = {
        "syscall": (1, 300, {"syscall.read": (300, 300), "main.main": (0, 300)}),
        "sync": (1, 140, {"runtime.chanrecv1": (140, 140), "main.main": (0, 140)}),
        "net": (0, 0, {}),
        # G2 was made before it first ran, which Go's tool leaves out; G1 was woken by G2.
        "sched": (1, 260, {"runtime.chansend1": (260, 260), "main.worker": (0, 260)}),
        # G2 from 150 to 700; G1 from 740 to 1000, and from 1500 on, where the trace ends at once.
        "runnable": (2, 550 + 260, {"main.worker": (550, 550), "runtime.chanrecv1": (260, 260), "main.main": (0, 260)}),
        "stw": (1, 30, {"runtime.ReadMemStats": (30, 30), "main.main": (0, 30)}),
        "running": (4, 100 + 100 + 100 + 500, {"syscall.read": (100, 100), "runtime.chanrecv1": (100, 100), "main.worker": (100, 100), "main.hot": (500, 500),
                                               "main.main": (0, 700)}),
    }
    for kind, (count, total, functions) in want.items():
        told, path = profile(scratch, trace, kind)
        got = told.get("count"), told.get("total_ns"), stat(path)
        report.check("by construction: " + kind, None if got == (count, total, functions) else "%s instead of %s" % (got, (count, total, functions)))
    told, path = profile(scratch, trace, "sched")
    kind = json.loads(run("stat", "--format", "json", path)[1])["inputs"][0]["kind"]
    report.check("it is no block profile", None if kind == "pprof" else kind)
    for more, count, total in ((("--goroutine", "2"), 1, 100), (("--goroutine", "1"), 3, 700), (("--function", "hot"), 1, 500),
                               (("--from", "0", "--to", "51ns"), 1, 50), (("--from", "900ns"), 1, 500)):
        told, _ = profile(scratch, trace, "running", *more)
        report.check("running " + " ".join(more), None if (told.get("count"), told.get("total_ns")) == (count, total) else told)


def tool(name):
    """A tool of Go's, without the second that `go tool` takes to find it."""
    path = subprocess.run(["go", "tool", "-n", name], capture_output=True, timeout=300).stdout.decode().strip()
    return [path] if os.access(path, os.X_OK) else ["go", "tool", name]


def raw(pprof, path):
    """By stack: (count, ns), as `go tool pprof` reads the file."""
    text = subprocess.run([*pprof, "-raw", path], capture_output=True, timeout=120).stdout.decode()
    section, samples, places, out = None, [], {}, {}
    for line in text.splitlines():
        section = line if line in ("Samples:", "Locations", "Mappings") else section
        sample = re.match(r"\s*(\d+)\s+(\d+):\s*([\d ]*)$", line)
        place = re.match(r"\s*(\d+): 0x[0-9a-f]+ (?:M=\d+)? ?(.*):\d+ s=\d+(?:\(.*\))?$", line)
        if section == "Samples:" and sample:
            samples.append((int(sample.group(1)), int(sample.group(2)), sample.group(3).split()))
        elif section == "Locations" and place:
            places[place.group(1)] = place.group(2)
    for count, ns, stack in samples:
        key = tuple(name for name in (places[i] for i in stack) if name != " :0")  # a preemption whose place is not known
        before = out.get(key, (0, 0))
        out[key] = (before[0] + count, before[1] + ns)
    return out


def traces_of_go(scratch):
    """Traces of the format of Go 1.22 and of the older one, from Go 1.11 on, that Go's tool reads; it takes none that is compressed."""
    newer = sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace")))
    older = sorted(glob.glob(os.path.join(harness.DATA, "v1", "*.trace.gz")) + glob.glob(os.path.join(harness.DATA, "path", "*.trace.gz")))
    older = [t for t in older if int(re.search(r"go1\.(\d+)", t).group(1)) >= 11]
    for trace in newer if harness.HEAVY else newer[::3]:
        yield os.path.basename(trace), trace
    for trace in older if harness.HEAVY else older[::2]:
        with gzip.open(trace) as file:
            yield os.path.basename(trace), scratch.write("older.trace", file.read())


def as_go(report, scratch):
    if not shutil.which("go"):
        report.note("not compared with go tool trace: there is no go here")
        return
    go_trace, pprof = tool("trace"), tool("pprof")
    compared, versions = 0, set()
    for name, trace in traces_of_go(scratch):
        for kind in GO_TYPES:
            done = subprocess.run([*go_trace, "-pprof=" + kind, trace], capture_output=True, timeout=300)
            if not done.stdout.startswith(b"\x1f\x8b"):
                report.note("go tool trace does not take %s: %s" % (name, done.stderr.decode()[-100:].strip()))
                break
            theirs = raw(pprof, scratch.write("go.pb.gz", done.stdout))
            told, path = profile(scratch, trace, kind)
            ours = raw(pprof, path)
            report.check("go tool trace -pprof=%s %s" % (kind, name),
                         None if ours == theirs and told["total_ns"] == sum(ns for _, ns in theirs.values())
                         else "%s instead of %s" % (sorted(ours.items())[:2], sorted(theirs.items())[:2]))
            compared += len(theirs)
            versions.add(re.search(r"go1\.(\d+)", name).group(1))
    report.check("something was compared", None if compared > 100 and len(versions) > 4 else "%d stacks, Go 1.%s" % (compared, sorted(versions)))
    for kind in TYPES[4:]:
        profile(scratch, sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace")))[0], kind)
        done = subprocess.run([*pprof, "-top", os.path.join(scratch.path, "out.pb.gz")], capture_output=True, timeout=120)
        report.check("go tool pprof opens " + kind, None if done.returncode == 0 else done.stderr.decode())


def usage(report, scratch):
    trace = sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace")))[0]
    for args, code in ((("profile", trace), 2), (("profile", "--type", "sched", trace), 2), (("profile", "--type", "cpu", "-o", "-", trace), 2),
                       (("profile", "--type", "sched", "-o", "-", os.path.join(scratch.path, "none")), 3)):
        got = run(*args)
        report.check(" ".join(args[:3]), None if got[0] == code and got[2] else got)
    code, out, _ = run("profile", "--type", "sched", "-o", "-", trace)
    report.check("to standard output", None if code == 0 and out.startswith(b"\x1f\x8b") else code)
    with open(trace, "rb") as file:
        data = file.read()
    cut = scratch.write("cut.trace", data[:len(data) * 2 // 3])
    path = os.path.join(scratch.path, "cut.pb.gz")
    code, _, err = run("profile", "--type", "running", "-o", path, cut)
    report.check("a cut trace", None if code == 4 and err and os.path.getsize(path) else (code, err))


if __name__ == "__main__":
    PROGRAM = harness.program()
    if "pprof" not in run("--version")[1].decode():
        harness.skip("this program was built without pprof profiles")
    counts = harness.Report()
    with harness.Scratch() as folder:
        by_construction(counts, folder)
        usage(counts, folder)
        as_go(counts, folder)
    counts.finish()
