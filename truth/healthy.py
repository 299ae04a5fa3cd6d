#!/usr/bin/env python3
"""Record busy and idle programs with nothing wrong in them, and print whatever stwatch says about them.

    healthy.py [--stwatch PROGRAM] [--only NAME] [--go VERSION] [--procs N] [--span DURATION] [--last DURATION] [--keep] [--out DIR]

The programs are those of truth/healthy (`plain`: the standard library only; `served`: other people's servers and stores, for which modules
are fetched) and tests of the standard library. Each is recorded with a CPU profile, a dump of all goroutines and GODEBUG's lines beside the
trace; `stwatch diagnose` gets the trace alone, then all of it. Prints a line for each finding at warning or above: `TRUE` where EXPECTED says
that the program does just that, `NOISE` where others took the CPU meanwhile or GOMAXPROCS is beyond the CPUs, else `FALSE`. Exit status: 0 nothing false, 1 something, 77 no Go.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import run  # noqa: E402

VERSIONS = ["1.17.13", "1.21.13", "1.22.12", "1.24.0"]     # and whatever Go is installed
PROCS = {"1.17.13": [2], "1.21.13": [2, 8], "1.22.12": [4], "1.24.0": [1]}
LOCAL_PROCS = [2, 4]
GODEBUG = "schedtrace=100,scheddetail=1,gctrace=1,gcpacertrace=1"
TESTS = {"archive/zip": "", "compress/flate": "", "context": "", "database/sql": "", "go/types": "TestStdlib|TestCheck", "image/png": "", "io": "",
         "net": "TestTCP|TestUDP|TestDial", "net/http": "TestServe|TestClient", "os/exec": "", "regexp": "TestFind|TestRE2Search", "sort": "", "sync": "",
         "text/template": "", "time": "TestTicker|TestTimer|TestAfter"}
ALLOCATES = {"allocation-starvation", "stw-frequent"}
# What a program really does, if not always by enough to be said: a heap of a few MiB that is turned over all the time, a crowd by design.
EXPECTED = {"json": ALLOCATES, "images": ALLOCATES, "gzip": ALLOCATES, "files": ALLOCATES, "words": ALLOCATES, "cache": ALLOCATES, "single": ALLOCATES, "sorting": ALLOCATES,
            "proxy": ALLOCATES, "http": ALLOCATES, "https": ALLOCATES, "batch": ALLOCATES | {"runqueue-backlog", "goroutine-starved"}, "compress_flate": ALLOCATES | {"goroutine-starved"},
            "regexp": ALLOCATES, "image_png": ALLOCATES, "sync": ALLOCATES | {"goroutine-starved", "runqueue-backlog"}, "database_sql": {"goroutine-stuck-waiting"},
            "time": ALLOCATES | {"runqueue-backlog", "goroutine-starved"}}
# True, where others took the CPU, or there are more P's than CPUs.
CROWDED = run.NOISY | {"gc-mark-termination", "stw-frequent", "stw-prolonged", "netpoll-imbalance", "lock-convoy"}


def go_of(env):
    root = env.get("GOROOT")
    return os.path.join(root, "bin", "go") if root else "go"


def build(version, env, program, into):
    """The path of the program, or None with the reason printed."""
    target = os.path.join(into, program)
    folder = os.path.join(HERE, "healthy", *(["served"] if program == "served" else []))
    done = subprocess.run([go_of(env), "build", "-trimpath", "-o", target, "." if program == "served" else "./" + program], cwd=folder,
                          env=env | {"GO111MODULE": "on"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(f"SKIP   {program} with go{version}: {done.stdout.strip().splitlines()[-1:]}")
        return None
    return target


def workloads(binary):
    return subprocess.run([binary, "-list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def record(cmd, env, cwd, log):
    """What went wrong, or None; and the CPUs that others used meanwhile."""
    ticks, own, began = run.busy_ticks(), run.own_ticks(), run.time.time()
    with open(log, "w", encoding="utf8") as err:
        try:
            done = subprocess.run(cmd, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=err, timeout=120)
        except subprocess.TimeoutExpired:
            return "not done in 120 s", 0
    foreign = (run.busy_ticks() - ticks - (run.own_ticks() - own)) / os.sysconf("SC_CLK_TCK") / (run.time.time() - began)
    return (f"exit {done.returncode}" if done.returncode else None), foreign


def diagnose(stwatch, files):
    with tempfile.TemporaryDirectory() as bare:     # under names that say nothing
        unnamed = [shutil.copyfile(f, os.path.join(bare, f"{i:04}")) for i, f in enumerate(files)]
        done = subprocess.run([stwatch, "diagnose", "--format", "json", *unnamed], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    try:
        return json.loads(done.stdout)["findings"]
    except ValueError:
        return [{"severity": "error", "rule": "failed", "title": f"exit {done.returncode}: {done.stderr.decode('utf8', 'replace')[-200:]}"}]


def judge(stwatch, trace, name, crowded):
    """Prints what is loud; the number of findings that nothing explains."""
    base, where = trace.removesuffix(".trace"), os.path.basename(trace).removesuffix(".trace")
    beside = [base + end for end in (".cpu", ".dump", ".stderr") if os.path.exists(base + end) and os.path.getsize(base + end)]
    said, wrong, notes = set(), 0, 0
    for files in [[trace], [trace, *beside]] if beside else [[trace]]:
        for f in diagnose(stwatch, files):
            key = (f["rule"], f.get("cause"), (f.get("culprit") or {}).get("function"))
            notes += not run.loud(f)
            if not run.loud(f) or key in said:
                continue
            said.add(key)
            word = "TRUE" if f["rule"] in EXPECTED.get(name, ()) else "NOISE" if crowded and f["rule"] in CROWDED else "FALSE"
            wrong += word == "FALSE"
            print(f"{word:<7}{where}{' (joined)' if len(files) > 1 else ''}: {f['rule']} ({f['severity']}, {f.get('cause')}, "
                  f"{', '.join(sorted(run.named(f.get('culprit')))) or 'no culprit'}): {f['title']}", flush=True)
    return wrong, notes


def plan_of(args, found, out):
    """(name, trace, command, environment, folder) of each recording."""
    for version, env in found.items():
        into = os.path.join(out, "bin", version)
        os.makedirs(into, exist_ok=True)
        newest = version not in VERSIONS
        for program in ["plain"] + (["served"] if newest else []):
            binary = build(version, env, program, into)
            for name in workloads(binary) if binary else []:
                for procs in args.procs or (PROCS.get(version, LOCAL_PROCS) if program == "plain" else [2]):
                    base = os.path.join(out, f"{name}-go{version}-p{procs}{'-last' if args.last else ''}")
                    more = ["-last", args.last] if args.last else ["-cpu", base + ".cpu", "-dump", base + ".dump"]
                    yield (name, base + ".trace", [binary, "-trace", base + ".trace", "-span", args.span, *more, name],
                           {**os.environ, "GOMAXPROCS": str(procs), "GODEBUG": GODEBUG}, out)
        root = subprocess.run(["go", "env", "GOROOT"], env=env, stdout=subprocess.PIPE, text=True).stdout.strip()
        for package, which in TESTS.items() if newest and not args.last else ():
            name = package.replace("/", "_")
            if args.only and name not in args.only:
                continue
            binary, trace = os.path.join(into, name + ".test"), os.path.join(out, f"test-{name}-go{version}.trace")
            if subprocess.run(["go", "test", "-c", "-o", binary, package], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                yield (name, trace, [binary, "-test.short", "-test.trace", trace, "-test.run", which], os.environ, os.path.join(root, "src", package))


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--stwatch", default=os.path.join(HERE, "..", "build", "release", "stwatch"), help="the program to ask")
    ask.add_argument("--only", action="append", help="only this workload or package (net_http); may be repeated")
    ask.add_argument("--go", action="append", help="only this version of Go; may be repeated")
    ask.add_argument("--procs", action="append", type=int, help="GOMAXPROCS; may be repeated")
    ask.add_argument("--span", default="1500ms", help="how long to record")
    ask.add_argument("--last", help="record with a flight recorder that keeps so much (Go 1.25 and later)")
    ask.add_argument("--keep", action="store_true", help="ask about the recordings that are there; make only those that are missing")
    ask.add_argument("--out", default=os.path.join(HERE, "..", "build", "healthy"), help="where the recordings go")
    args = ask.parse_args()
    if shutil.which("go") is None:
        print("SKIP   healthy: no Go (install Go 1.22 or later, on the PATH)")
        return 77
    out = os.path.abspath(args.out)
    os.makedirs(out, exist_ok=True)
    run.VERSIONS = VERSIONS
    wrong = notes = count = 0
    for name, trace, cmd, env, cwd in plan_of(args, run.toolchains(args.go), out):
        if args.only and name not in args.only:
            continue
        log, why, foreign = trace.removesuffix(".trace") + ".stderr", None, 0
        if not (args.keep and os.path.exists(trace)):
            why, foreign = record(cmd, env, cwd, log)
        if why and not (os.path.exists(trace) and os.path.getsize(trace)):
            print(f"SKIP   {os.path.basename(trace)}: {why}")
            continue
        count += 1
        crowded = foreign > run.FOREIGN or int(env.get("GOMAXPROCS", 0)) > len(os.sched_getaffinity(0))
        more, quiet = judge(args.stwatch, trace, name, crowded)
        wrong, notes = wrong + more, notes + quiet
    print(f"{count} recordings, {wrong} loud findings that nothing explains, {notes} notes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
