#!/usr/bin/env python3
"""Measures stwatch against Go's own reader and tool, on one file and in one run.

    run.py PROGRAM [--sizes 50,250] [--formats v2,v1] [--heavy] [--runs 5] [--trace FILE] [--http]

For each format and size a trace of the busy program (bench/busy) is made if build/bench has none: v2 with the installed Go, v1 with
Go 1.21, which Go fetches where it may. The contenders take turns, so that a busy moment of the machine hits all of them; the table
shows medians. What they are:

    stat, 1 thread        stwatch stat --threads 1: every event decoded, ordered, checked and folded into figures
    stat, 2 threads       the same with two, and with one a processor where there are more
    Go, counting          a loop over golang.org/x/exp/trace that only counts events (bench/goreader)
    diagnose              stwatch diagnose to its end
    Go, go tool trace     `go tool trace -http=127.0.0.1:0` until it has served its first page (--http; takes long)

Below each table stands what holds threads back: how much faster two are than one, how many processors they kept busy, what the same
work cost in CPU time, among how many generations it could be split, and on the first v2 trace of at most 100 MB the share of the instructions that one thread runs
alone.

Memory is the peak resident set. Go's tool keeps each event in memory, and Go's reader does so with v1: each is left out where it would
not fit. Before that, on a small trace of each format, the instructions an event by stage (stages.py; needs valgrind).
Results go to standard output as tables and to build/bench/results.json. --heavy adds traces of 1 and 4 GB.
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
import threading
import time
import urllib.request

import stages

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(SOURCE, "build", "bench")
# Bytes of memory that Go's tool takes for an event, measured; above this share of what is free it is not started.
TOOL_HUNGER, FREE_SHARE = 1100, 0.8
# And Go's reader for a byte of a v1 trace, all of which it holds.
V1_HUNGER = 21
V1_TOOLCHAIN = "go1.21.13"
SMALL_MB, COUNTED_MB, HEAVY_MB = 8, 100, (1000, 4000)
GO_ENV = dict(os.environ, GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="")
PAGE_TIMEOUT_S = 1800


class Sample:
    """One run: seconds on the wall and on processors, peak resident bytes, what was printed."""

    def __init__(self, wall, usage, rss, out):
        self.wall, self.cpu, self.rss, self.out = wall, usage.ru_utime + usage.ru_stime, rss, out


class Peak:
    """The peak resident bytes of a process, looked at every few milliseconds: what the kernel says at a process's end begins with the
    size of the Python that started it."""

    def __init__(self, pid):
        self.path, self.bytes, self.ended = "/proc/%d/status" % pid, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.ended.wait(0.005):
            try:
                with open(self.path, encoding="ascii", errors="replace") as file:
                    found = re.search(r"VmHWM:\s+(\d+)", file.read())
            except OSError:
                return
            self.bytes = int(found[1]) * 1024 if found else self.bytes

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.bytes


def measure(command):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        peak = Peak(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        rss = peak.stop()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            err.seek(0)
            raise RuntimeError("%s: exit %d: %s" % (" ".join(command), child.returncode, err.read()[-500:].decode("utf-8", "replace")))
        out.seek(0)
        return Sample(wall, usage, rss, out.read())


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
        peak = Peak(child.pid)
        try:
            page = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(page_address(log.name, child), timeout=60).read()
            wall = time.perf_counter() - start
        finally:
            rss = peak.stop()
            os.kill(child.pid, signal.SIGKILL)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        return Sample(wall, usage, rss, page)


def build_go(name, toolchain="local"):
    """The path of a program of bench/, built; None without a Go that can."""
    out = os.path.join(WORK, name if toolchain == "local" else "%s-%s" % (name, toolchain))
    try:
        done = subprocess.run(["go", "build", "-o", out, "."], cwd=os.path.join(SOURCE, "bench", name), env=dict(GO_ENV, GOTOOLCHAIN=toolchain), stderr=subprocess.PIPE)
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


def busy_trace(form, megabytes):
    """The path of a trace of this format and size; None if there is none and none can be made."""
    path = os.path.join(WORK, "busy-%s-%dMB.trace" % (form, megabytes))
    if not os.path.exists(path):
        busy = build_go("busy", V1_TOOLCHAIN if form == "v1" else "local")
        if not busy:
            print("bench: no %s trace of %d MB, and none can be made" % (form, megabytes), file=sys.stderr)
            return None
        print("recording %s…" % path, file=sys.stderr)
        subprocess.run([busy, "-o", path + ".part", "-mb", str(megabytes)], check=True)
        os.replace(path + ".part", path)
    return path


def free_memory():
    with open("/proc/meminfo", encoding="ascii") as file:
        return int(re.search(r"MemAvailable:\s+(\d+)", file.read())[1]) * 1024


def is_v1(trace):
    with open(trace, "rb") as file:
        found = re.match(rb"go 1\.(\d+) trace", file.read(16))
    return bool(found) and int(found[1]) < 22


def contenders(program, trace, counter, tool, args, count):
    """[(name, how to run it once)], in the order of a round."""
    stat = lambda threads: lambda: measure([program, "stat", "--threads", str(threads), "--format", "json", trace])
    out = [("stat, 1 thread", stat(1))] + [("stat, %d threads" % n, stat(n)) for n in sorted({2, os.cpu_count() or 2})]
    if not counter:
        pass
    elif is_v1(trace) and os.path.getsize(trace) * V1_HUNGER > free_memory() * FREE_SHARE:
        print("bench: Go's reader would need about %.0f GB for this trace: left out" % (os.path.getsize(trace) * V1_HUNGER / 1e9), file=sys.stderr)
    else:
        out.append(("Go, counting", lambda: measure([counter, trace])))
    out.append(("diagnose", lambda: measure([program, "diagnose", trace])))
    if not args.http:
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


def scaling(samples, inputs, alone):
    """What two threads bring, and what holds them back."""
    one, two = samples["stat, 1 thread"], samples["stat, 2 threads"]
    return {"speedup": times_less(samples, "stat, 2 threads", "stat, 1 thread", lambda s: s.wall),
            "processors_busy": statistics.median(s.cpu / s.wall for s in two),
            "cpu_ratio": statistics.median(b.cpu / a.cpu for a, b in zip(one, two)),
            "generations": sum(i["generations"] or 0 for i in inputs), "alone_share": alone}


def bench_trace(program, trace, form, counter, tool, args, alone):
    # Once before it counts: brings the file into the page cache, and says how many events there are.
    first = measure([program, "stat", "--format", "json", trace])
    count = events_of({"stat": [first]})["stat"]
    players = contenders(program, trace, counter, tool, args, count)
    samples = {name: [] for name, _ in players}
    for _ in range(args.runs):
        for name, run in players:
            samples[name].append(run())
    events = events_of(samples)
    wall, rss = (lambda s: s.wall), (lambda s: s.rss)
    ratios = {"%s: times faster than Go counting" % name: times_less(samples, name, "Go, counting", wall) for name in samples if name.startswith("stat")}
    ratios |= {
        "stat, 1 thread: times less memory than Go counting": times_less(samples, "stat, 1 thread", "Go, counting", rss),
        "diagnose: times faster than go tool trace": times_less(samples, "diagnose", "Go, go tool trace", wall),
        "diagnose: times less memory than go tool trace": times_less(samples, "diagnose", "Go, go tool trace", rss),
    }
    return {"trace": os.path.basename(trace), "format": form, "bytes": os.path.getsize(trace), "events": events,
            "results": {name: medians(runs) for name, runs in samples.items()}, "ratios": ratios,
            "scaling": scaling(samples, json.loads(first.out)["inputs"], alone)}


def compared(counts, form):
    """What to say of readers that counted differently. What Go's reader makes of v1 leaves out a few events (docs/format-v1.md)."""
    apart = max(counts) - min(counts) if counts else 0
    if apart == 0:
        return ""
    if form == "v1" and apart <= max(counts) * 1e-4:
        return ", %d of which Go's conversion of v1 leaves out" % apart
    return "  NOT THE SAME: %s" % sorted(counts)


def show(result):
    counts = set(result["events"].values())
    count = max(counts) if counts else 0
    print("\n%s: %.1f MB, %d events%s" % (result["trace"], result["bytes"] / 1e6, count, compared(counts, result["format"])))
    print("  %-20s %9s %9s %10s %9s %9s" % ("", "wall s", "CPU s", "peak MB", "MB/s", "ns/event"))
    for name, r in result["results"].items():
        rate, each = result["bytes"] / 1e6 / r["wall_s"], r["wall_s"] * 1e9 / count if count else 0
        print("  %-20s %9.3f %9.3f %10.1f %9.1f %9.1f" % (name, r["wall_s"], r["cpu_s"], r["rss_bytes"] / 1e6, rate, each))
    for name, ratio in result["ratios"].items():
        if ratio is not None:
            print("  %s: %.2f" % (name, ratio))
    show_scaling(result["scaling"], result["format"])


def show_scaling(found, form):
    units = "%d generations to share out" % found["generations"] if form == "v2" else "v1 has no generations to share out, only one order from beginning to end, for which the second thread decodes"
    print("  two threads: %.2f times as fast as one; %.2f processors busy, %.2f of the CPU time of one thread; %s" % (found["speedup"], found["processors_busy"], found["cpu_ratio"], units))
    if found["alone_share"] is not None:
        print("    %.1f %% of the instructions run on the main thread alone (finding generations, joining them, the figures)" % (100 * found["alone_share"]))


def show_stages(form, found):
    print("\n%s, instructions an event on one thread: %.1f" % (form, found["instructions_per_event"]))
    print("  " + ", ".join("%s %.1f" % item for item in found["stages"].items()))


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
    parser.add_argument("--sizes", default="50,250", help="MB of the traces to make, with commas between (50,250)")
    parser.add_argument("--formats", default="v2,v1", help="of which formats (v2,v1)")
    parser.add_argument("--heavy", action="store_true", help="also traces of 1 and 4 GB; takes disk, and minutes to record")
    parser.add_argument("--trace", action="append", default=[], help="measure on this trace instead; may be repeated")
    parser.add_argument("--runs", type=int, default=5, help="rounds (5)")
    parser.add_argument("--http", action="store_true", help="also go tool trace, until it has served its first page")
    parser.add_argument("--json", default=os.path.join(WORK, "results.json"), help="where the results go")
    return parser.parse_args()


def traces_of(args):
    sizes = [int(size) for size in args.sizes.split(",")] + list(HEAVY_MB if args.heavy else ())
    made = (busy_trace(form, size) for size in sizes for form in args.formats.split(","))
    return args.trace or [trace for trace in made if trace]


def stages_of(args):
    """{format: instructions an event, in all and by stage}, on a small trace of each."""
    if not stages.available():
        print("bench: no valgrind here, so no instructions are counted", file=sys.stderr)
        return {}
    made = {form: busy_trace(form, SMALL_MB) for form in args.formats.split(",")}
    return {form: stages.measure(args.program, trace) for form, trace in made.items() if trace}


def main():
    args = arguments()
    os.makedirs(WORK, exist_ok=True)
    about = machine()
    print(", ".join("%s %s" % item for item in about.items()))
    cost = {} if args.trace else stages_of(args)
    for form, found in cost.items():
        show_stages(form, found)
    counter, tool = build_go("goreader"), go_tool() if args.http else None
    results = []
    told = False
    for trace in traces_of(args):
        form = "v1" if is_v1(trace) else "v2"
        small = os.path.getsize(trace) <= COUNTED_MB * 1e6      # under callgrind it takes fifty times as long
        alone = stages.alone_share(args.program, trace) if form == "v2" and not told and small and stages.available() else None
        told |= alone is not None
        results.append(bench_trace(args.program, trace, form, counter, tool, args, alone))
        show(results[-1])
    if not results:
        sys.exit("bench: nothing to measure on (give a trace with --trace)")
    with open(args.json, "w", encoding="utf-8") as file:
        json.dump({"schema": "stwatch.bench/1", "machine": about, "stages": cost, "traces": results}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
