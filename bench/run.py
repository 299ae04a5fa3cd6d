#!/usr/bin/env python3
"""Measures stwatch against Go's own reader and tool, on one file and in one run.

    run.py PROGRAM [--sizes 30,190,1000] [--runs 5] [--trace FILE] [--no-http] [--instructions]

For each size a trace of the busy program (bench/busy) is made if build/bench has none. The contenders take turns, so that a busy
moment of the machine hits all of them; the table shows medians. What they are:

    stat, 1 thread        stwatch stat --threads 1: every event decoded, ordered, checked and folded into figures
    stat, all threads     the same, one thread a processor
    Go, counting          a loop over golang.org/x/exp/trace that only counts events (bench/goreader)
    diagnose              stwatch diagnose to its end
    Go, go tool trace     `go tool trace -http=127.0.0.1:0` until it has served its first page

Memory is the peak resident set. Go's tool keeps each event in memory, so it is left out where it would not fit. --instructions adds
the instructions an event that callgrind counts for `stat --threads 1` (slow; on the smallest trace).
Results go to standard output as a table and to build/bench/results.json.
"""
import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(SOURCE, "build", "bench")
# Bytes of memory that Go's tool takes for an event, measured; above this share of what is free it is not started.
TOOL_HUNGER, FREE_SHARE = 1100, 0.8
GO_ENV = dict(os.environ, GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="")
PAGE_TIMEOUT_S = 1800


class Sample:
    """One run: seconds on the wall and on processors, peak resident bytes, what was printed."""

    def __init__(self, wall, usage, out):
        self.wall, self.cpu, self.rss, self.out = wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out


def measure(command):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            err.seek(0)
            raise RuntimeError("%s: exit %d: %s" % (" ".join(command), child.returncode, err.read()[-500:].decode("utf-8", "replace")))
        out.seek(0)
        return Sample(wall, usage, out.read())


def page_address(log, child):
    """The address that the tool says it listens at, as soon as it says so."""
    deadline = time.monotonic() + PAGE_TIMEOUT_S
    while time.monotonic() < deadline:
        found = re.search(rb"http://[0-9.]+:\d+", open(log, "rb").read())
        if found:
            return found[0].decode()
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            raise RuntimeError("go tool trace ended: %s" % open(log, "rb").read()[-500:].decode("utf-8", "replace"))
        time.sleep(0.005)
    raise RuntimeError("go tool trace did not come up")


def measure_tool(tool, trace):
    """Go's tool until it has served its page; then it is stopped. BROWSER keeps it from opening one."""
    with tempfile.NamedTemporaryFile() as log:
        start = time.perf_counter()
        child = subprocess.Popen([tool, "-http=127.0.0.1:0", trace], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ, BROWSER="true"))
        try:
            page = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(page_address(log.name, child), timeout=60).read()
            wall = time.perf_counter() - start
        finally:
            os.kill(child.pid, signal.SIGKILL)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        return Sample(wall, usage, page)


def build_go(name):
    """The path of a program of bench/, built; None without a Go that can."""
    out = os.path.join(WORK, name)
    try:
        done = subprocess.run(["go", "build", "-C", os.path.join(SOURCE, "bench", name), "-o", out, "."], env=GO_ENV, stderr=subprocess.PIPE)
    except OSError as err:
        print("bench: no Go: %s" % err, file=sys.stderr)
        return None
    if done.returncode != 0:
        print("bench: %s can't be built: %s" % (name, done.stderr.decode().strip()[-300:]), file=sys.stderr)
        return None
    return out


def go_tool():
    try:
        found = subprocess.run(["go", "tool", "-n", "trace"], env=GO_ENV, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return None
    path = found.stdout.decode().strip()
    if path and not os.access(path, os.X_OK):  # built when first used
        subprocess.run(["go", "tool", "trace", "-d=parsed", os.devnull], env=GO_ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path if path and os.access(path, os.X_OK) else None


def busy_trace(megabytes):
    path = os.path.join(WORK, "busy-%dMB.trace" % megabytes)
    if not os.path.exists(path):
        busy = build_go("busy")
        if not busy:
            sys.exit("bench: no trace to measure with, and none can be made (give one with --trace)")
        print("recording %s…" % path, file=sys.stderr)
        subprocess.run([busy, "-o", path + ".part", "-mb", str(megabytes)], check=True)
        os.replace(path + ".part", path)
    return path


def free_memory():
    with open("/proc/meminfo", encoding="ascii") as file:
        return int(re.search(r"MemAvailable:\s+(\d+)", file.read())[1]) * 1024


def contenders(program, trace, counter, tool, args, count):
    """[(name, how to run it once)], in the order of a round."""
    threads = str(os.cpu_count() or 1)
    out = [("stat, 1 thread", lambda: measure([program, "stat", "--threads", "1", "--format", "json", trace])),
           ("stat, %s threads" % threads, lambda: measure([program, "stat", "--threads", threads, "--format", "json", trace]))]
    if counter:
        out.append(("Go, counting", lambda: measure([counter, trace])))
    out.append(("diagnose", lambda: measure([program, "diagnose", trace])))
    if args.no_http:
        pass
    elif not tool:
        print("bench: no go tool trace here", file=sys.stderr)
    elif count * TOOL_HUNGER > free_memory() * FREE_SHARE:
        print("bench: go tool trace would need about %.0f GB for this trace: left out" % (count * TOOL_HUNGER / 1e9), file=sys.stderr)
    else:
        out.append(("Go, go tool trace", lambda: measure_tool(tool, trace)))
    return out


def medians(samples):
    middle = lambda of: statistics.median(of(s) for s in samples)
    walls = [s.wall for s in samples]
    return {"wall_s": middle(lambda s: s.wall), "wall_min_s": min(walls), "wall_max_s": max(walls), "cpu_s": middle(lambda s: s.cpu),
            "rss_bytes": middle(lambda s: s.rss), "runs": len(samples)}


def events_of(samples):
    """How many events each reader saw, to be sure that they did the same work."""
    out = {}
    for name, runs in samples.items():
        text = runs[0].out
        if name.startswith("stat"):
            out[name] = sum(i["events"] for i in json.loads(text)["inputs"])
        elif name == "Go, counting":
            out[name] = int(text)
    return out


def times_less(samples, ours, theirs, what):
    """How many times less ours takes: the median over rounds, each of which compares neighbours in time."""
    if ours not in samples or theirs not in samples:
        return None
    return statistics.median(what(b) / what(a) for a, b in zip(samples[ours], samples[theirs]))


def bench_trace(program, trace, counter, tool, args):
    # Once before it counts: brings the file into the page cache, and says how many events there are.
    count = events_of({"stat": [measure([program, "stat", "--format", "json", trace])]})["stat"]
    players = contenders(program, trace, counter, tool, args, count)
    samples = {name: [] for name, _ in players}
    for _ in range(args.runs):
        for name, run in players:
            samples[name].append(run())
    events = events_of(samples)
    wall, rss = (lambda s: s.wall), (lambda s: s.rss)
    one, every = players[0][0], players[1][0]
    ratios = {
        "stat, 1 thread: times faster than Go counting": times_less(samples, one, "Go, counting", wall),
        "stat, all threads: times faster than Go counting": times_less(samples, every, "Go, counting", wall),
        "diagnose: times faster than go tool trace": times_less(samples, "diagnose", "Go, go tool trace", wall),
        "diagnose: times less memory than go tool trace": times_less(samples, "diagnose", "Go, go tool trace", rss),
    }
    return {"trace": os.path.basename(trace), "bytes": os.path.getsize(trace), "events": events,
            "results": {name: medians(runs) for name, runs in samples.items()}, "ratios": ratios}


def show(result):
    counts = set(result["events"].values())
    count = max(counts) if counts else 0
    print("\n%s: %.1f MB, %d events%s" % (result["trace"], result["bytes"] / 1e6, count, "" if len(counts) <= 1 else "  NOT THE SAME: %s" % result["events"]))
    print("  %-20s %9s %9s %10s %9s %9s" % ("", "wall s", "CPU s", "peak MB", "MB/s", "ns/event"))
    for name, r in result["results"].items():
        rate, each = result["bytes"] / 1e6 / r["wall_s"], r["wall_s"] * 1e9 / count if count else 0
        print("  %-20s %9.3f %9.3f %10.1f %9.1f %9.1f" % (name, r["wall_s"], r["cpu_s"], r["rss_bytes"] / 1e6, rate, each))
    for name, ratio in result["ratios"].items():
        if ratio is not None:
            print("  %s: %.2f" % (name, ratio))
    if "instructions_per_event" in result:
        print("  instructions an event: %.0f" % result["instructions_per_event"])


def instructions(program, trace, count):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + os.path.join(folder, "out"), program, "stat", "--threads", "1", trace],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return int(re.search(rb"Collected : (\d+)", done.stderr)[1]) / count


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    version = lambda command: subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode().strip()
    out = {"cpu": model[1] if model else platform.machine(), "processors": os.cpu_count(), "kernel": platform.release()}
    try:
        out["go"] = version(["go", "env", "GOVERSION"])
        out["revision"] = version(["git", "-C", SOURCE, "rev-parse", "--short", "HEAD"])
    except OSError:
        pass
    return out


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=os.path.join(SOURCE, "build", "release", "stwatch"))
    parser.add_argument("--sizes", default="30", help="MB of the traces to make, with commas between (30, 190, 1000)")
    parser.add_argument("--trace", action="append", default=[], help="measure on this trace instead; may be repeated")
    parser.add_argument("--runs", type=int, default=5, help="rounds (5)")
    parser.add_argument("--no-http", action="store_true", help="leave out go tool trace")
    parser.add_argument("--instructions", action="store_true", help="also count instructions an event with valgrind")
    parser.add_argument("--json", default=os.path.join(WORK, "results.json"), help="where the results go")
    return parser.parse_args()


def main():
    args = arguments()
    os.makedirs(WORK, exist_ok=True)
    traces = args.trace or [busy_trace(int(size)) for size in args.sizes.split(",")]
    counter, tool = build_go("goreader"), go_tool()
    about = machine()
    print(", ".join("%s %s" % item for item in about.items()))
    results = []
    for trace in traces:
        result = bench_trace(args.program, trace, counter, tool, args)
        if args.instructions and not results:
            result["instructions_per_event"] = instructions(args.program, trace, max(result["events"].values()))
        show(result)
        results.append(result)
    with open(args.json, "w", encoding="utf-8") as file:
        json.dump({"schema": "stwatch.bench/1", "machine": about, "traces": results}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
